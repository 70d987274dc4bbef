//! A site's profile: what a model's probabilities and thresholds become where comments are rougher or tamer than those it was
//! calibrated to. A small TOML file beside the model, which stays as it is.
//!
//! The slope of a calibration transfers from one corpus to the next, the offset does not: the base rate is the calibration. Moving a
//! logit by `logit(new rate) - logit(old rate)` is the prior shift of Saerens, Latinne & Decaestecker (2002), exact where the comments
//! of either class are like those of training and only their share differs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::calibrate::logit;
use super::logistic::sigmoid;
use super::{LabelHead, Model};
use crate::error::{Error, Result};
use crate::label::{self, Group};

/// The newest format of a profile that this program reads and the one it writes.
pub const FORMAT: u32 = 1;

/// A site's calibration of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Format of the file.
    pub format: u32,
    /// `name@version` of the model it belongs to.
    pub model: String,
    /// [`Model::hash`] of that model.
    pub manifest: String,
    /// By label; the others stay as they are.
    #[serde(default, rename = "label")]
    pub labels: BTreeMap<String, Adjustment>,
}

/// What a label's logits and threshold become.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// `logit = slope·(the model's logit) + offset`; above 0.
    pub slope: f64,
    /// See `slope`.
    pub offset: f64,
    /// The share of the site's comments that have the label, 0..1.
    pub base_rate: f64,
    /// The probability from which a comment counts as having the label, after slope and offset, 0..1.
    pub threshold: f64,
    /// What it was fitted on.
    pub from: Origin,
    /// Comments it was fitted on.
    pub rows: usize,
    /// Of these, how many have the label, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positives: Option<usize>,
    /// How the model as it is fits the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Fit>,
    /// How the adjusted model fits rows that it was not adjusted on (cross-validation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Fit>,
    /// What the threshold was chosen for, if for a precision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
}

/// What an adjustment was fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Labelled comments.
    Labels,
    /// A known rate, and comments without labels.
    Rate,
}

/// How well probabilities fit what is true.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Expected calibration error, 0 (best) to 1.
    pub ece: f64,
    /// Mean log loss, 0 (best) and up.
    pub log_loss: f64,
}

/// What a threshold that was chosen for a precision reaches on the rows it was chosen on. Intervals are of 95 % (Wilson 1927).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Precision {
    /// The precision asked for, 0..1.
    pub wanted: f64,
    /// Share of the flagged rows that have the label.
    pub precision: f64,
    /// Its interval.
    pub precision_interval: (f64, f64),
    /// Share of the rows with the label that are flagged.
    pub recall: f64,
    /// Its interval.
    pub recall_interval: (f64, f64),
    /// Rows at or above the threshold.
    pub flagged: usize,
    /// Precision with thresholds chosen in the same way on other rows (cross-validation): what to expect of new comments. Absent where
    /// no held-out row was flagged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<f64>,
}

impl Profile {
    /// A profile of a model that leaves it as it is.
    ///
    /// # Errors
    /// A model that was not read from a folder: there is nothing to tell it by.
    pub fn of(model: &Model) -> Result<Self> {
        Ok(Self { format: FORMAT, model: model.id(), manifest: hash(model)?, labels: BTreeMap::new() })
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// A file that is none, that a newer program wrote, or with numbers that mean nothing.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let unusable = |what: String| Error::input(path.display(), what);
        let table: toml::Table = text.parse().map_err(|e| unusable(format!("not a profile: {e}")))?;
        let format = table.get("format").and_then(toml::Value::as_integer).unwrap_or_default();
        if format > i64::from(FORMAT) {
            let what = format!("its format {format} is newer than this program reads ({FORMAT}): update polemic");
            return Err(unusable(what));
        }
        let profile: Self = table.try_into().map_err(|e| unusable(format!("not a profile: {e}")))?;
        match profile.labels.iter().find(|(_, adjustment)| !adjustment.is_sound()) {
            Some((name, _)) => {
                Err(unusable(format!("label.{name}: slope above 0, base_rate and threshold 0..1 expected")))
            }
            None => Ok(profile),
        }
    }

    /// As it stands in a file.
    pub fn to_toml(&self) -> Result<String> {
        let text = toml::to_string_pretty(self);
        text.map_err(|e| Error::settings(format!("the profile could not be written: {e}")))
    }

    /// Adjusts a model.
    ///
    /// # Errors
    /// Another model than the profile was made for. The model is then as it was.
    pub fn apply(&self, model: &mut Model) -> Result<()> {
        if self.manifest != hash(model)? {
            let what = if self.model == model.id() {
                format!("the profile was made for another training of {}", self.model)
            } else {
                format!("the profile was made for {}, and this is {}", self.model, model.id())
            };
            return Err(Error::settings(format!("{what}: make one for this model with `polemic calibrate`")));
        }
        if let Some(name) = self.labels.keys().find(|name| model.label(name).is_none()) {
            return Err(Error::settings(format!("the profile has the label `{name}`, which {} has not", model.id())));
        }
        for head in &mut model.manifest.labels {
            if let Some(adjustment) = self.labels.get(&head.name) {
                adjustment.apply(head);
            }
        }
        Ok(())
    }
}

impl Adjustment {
    fn is_sound(&self) -> bool {
        let is_share = |p: f64| (0.0..=1.0).contains(&p);
        let is_line = self.slope.is_finite() && self.slope > 0.0 && self.offset.is_finite();
        is_line && is_share(self.threshold) && self.base_rate > 0.0 && self.base_rate < 1.0
    }

    fn apply(&self, head: &mut LabelHead) {
        head.calibration.rescale(self.slope, self.offset);
        head.doubt.iter_mut().for_each(|doubt| doubt.rescale(self.slope, self.offset));
        head.base_rate = self.base_rate as f32;
        head.threshold = self.threshold as f32;
    }
}

fn hash(model: &Model) -> Result<String> {
    let folder = model.folder.as_deref();
    Model::hash(folder.ok_or_else(|| Error::settings("a profile needs a model that was saved: save it first"))?)
}

impl LabelHead {
    /// Moves the logits and the threshold by the same amount: other probabilities, the same decisions.
    fn shift(&mut self, by: f64) {
        let moved = |p: f32| sigmoid(logit(f64::from(p)) + by) as f32;
        self.calibration.rescale(1.0, by);
        self.doubt.iter_mut().for_each(|doubt| doubt.rescale(1.0, by));
        self.base_rate = moved(self.base_rate);
        self.threshold = moved(self.threshold);
    }
}

impl Model {
    /// Calibrates a label to another base rate: its logits and its threshold move by `logit(rate) - logit(old rate)`, so that the
    /// probabilities are those of such a site and the same comments are decided.
    ///
    /// Without a label, `rate` is the share of uncivil comments: `incivility` (else `toxicity`, else the only label of the model) takes
    /// it, and the other labels of incivility move by as much, as a rougher site has more of all of them.
    ///
    /// # Errors
    /// A rate that does not lie between 0 and 1, a label that the model does not have, or no label to take the rate.
    pub fn set_base_rate(&mut self, label: Option<&str>, rate: f64) -> Result<()> {
        if !(rate > 0.0 && rate < 1.0) {
            return Err(Error::settings(format!("a base rate lies between 0 and 1: {rate} does not")));
        }
        let names = || self.manifest.labels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ");
        let first = match label {
            Some(name) => self.label(name).ok_or_else(|| {
                Error::settings(format!("a base rate for `{name}`: the model has no such label; it has {}", names()))
            })?,
            None => self.main_label().ok_or_else(|| {
                Error::settings(format!("a base rate for which label? Give LABEL=RATE, with one of {}", names()))
            })?,
        };
        let by = self.manifest.labels.get(first).map_or(0.0, |head| logit(rate) - logit(f64::from(head.base_rate)));
        for (k, head) in self.manifest.labels.iter_mut().enumerate() {
            let is_uncivil = label::find(&head.name).is_some_and(|known| known.group == Group::Incivility);
            if k == first || (label.is_none() && is_uncivil) {
                head.shift(by);
            }
        }
        Ok(())
    }

    /// The label that a base rate without a name is about.
    fn main_label(&self) -> Option<usize> {
        let only = (self.manifest.labels.len() == 1).then_some(0);
        self.label("incivility").or_else(|| self.label("toxicity")).or(only)
    }
}
