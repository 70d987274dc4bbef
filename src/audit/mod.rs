//! What a model does that a single figure hides: to whom it is unfair, what it misreads, and how it is fooled.
//!
//! Labelled rows give figures by identity ([`subgroups`]) and under attack ([`robustness`]); names put into the same sentences
//! ([`names`]) and functional tests ([`functional`]) need no data.

pub mod attacks;
pub mod data;
pub mod draft;
pub mod functional;
pub mod limits;
pub mod names;
pub mod rate;
pub mod robustness;
pub mod subgroups;
pub mod suite;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::label::{self, Group};
use crate::model::Model;
use crate::read::rows::{BadRow, Options};
use crate::text::terms::{Identities, Names};
use data::Data;
use functional::Functional;
use limits::{Check, Limits};
use names::NameSwaps;
use robustness::Robustness;
use subgroups::Subgroups;
use suite::Suite;

/// What to audit and with what.
#[derive(Debug, Clone)]
pub struct Question {
    /// Files of labelled rows; none: names and functional tests alone.
    pub data: Vec<PathBuf>,
    /// Label of the model → label of the rows.
    pub map: Vec<(String, String)>,
    /// Only these labels of the model; empty: all there is something to say about. Functional tests name their own.
    pub labels: Vec<String>,
    /// Functional tests.
    pub suites: Vec<Suite>,
    /// Identity terms.
    pub identities: Identities,
    /// Names of many origins and the sentences they are put into.
    pub names: Names,
    /// Limits to hold the figures against.
    pub limits: Option<Limits>,
    /// Count a row as flagged where this share of the rows without the label is, instead of at the model's threshold.
    pub at_rate: Option<f64>,
    /// Rows, of a label or of an identity, with the label or without it, below which a figure that rests on them is left out.
    pub min_rows: u64,
    /// Failing examples kept of each class and label.
    pub failures: usize,
    /// Draws of the bootstrap.
    pub resamples: usize,
    /// Decides the bootstrap's draws, the attacks and the padding.
    pub seed: u64,
}

/// All figures of an audit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audit {
    /// Name of the model.
    pub model: String,
    /// The files it was audited on.
    pub data: Vec<String>,
    /// Figures by identity, a label each.
    pub subgroups: Vec<Subgroups>,
    /// Names of many origins in the same sentences, a label each.
    pub names: Vec<NameSwaps>,
    /// Functional tests, a suite each.
    pub functional: Vec<Functional>,
    /// Attacks and padding, a label each.
    pub robustness: Vec<Robustness>,
    /// What became of the limits.
    pub limits: Vec<Check>,
}

impl Audit {
    /// The fields as they are named here; an interval is `[low, high]`, what is undefined is `null`.
    pub fn to_json(&self) -> Value {
        // Text, numbers and lists only: there is nothing in it that JSON could refuse.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The limits that a figure passed.
    pub fn passed(&self) -> impl Iterator<Item = &Check> {
        self.limits.iter().filter(|check| check.verdict == limits::Verdict::Passed)
    }
}

/// Audits a model. `step` is told what is being done.
///
/// # Errors
/// Data, labels or limits that cannot be used.
pub fn audit(
    model: &Model,
    question: &Question,
    options: &Options,
    bad: &mut dyn FnMut(&Path, BadRow),
    step: &dyn Fn(&str),
) -> Result<Audit> {
    check(model, question)?;
    step("reading and scoring the rows");
    let data = Data::read(model, question, options, bad)?;
    let labels = labels(model, question, &data)?;

    let mut out = Audit {
        model: model.id(),
        data: question.data.iter().map(|path| path.display().to_string()).collect(),
        subgroups: Vec::new(),
        names: Vec::new(),
        functional: Vec::new(),
        robustness: Vec::new(),
        limits: Vec::new(),
    };
    if !data.rows.is_empty() {
        for &k in &labels {
            let judged = data.judged(model, question, k);
            let name = label_name(model, k);
            step(&format!("{name}: identities"));
            out.subgroups.push(subgroups::measure(model, question, k, &judged, &data.identities));
            step(&format!("{name}: attacks and padding"));
            out.robustness.extend(robustness::measure(model, question, k, &judged));
        }
    }
    step("names");
    out.names = names::measure(model, question, &labels, &data);
    step("functional tests");
    out.functional = question.suites.iter().map(|suite| functional::run(model, question, suite)).collect();
    if let Some(limits) = &question.limits {
        out.limits = limits.check(&out, &question.suites)?;
    }
    Ok(out)
}

fn check(model: &Model, question: &Question) -> Result<()> {
    let asked = question.labels.iter().map(|label| (format!("--label {label}"), label));
    let mapped = question.map.iter().map(|(ours, theirs)| (format!("--map {ours}={theirs}"), ours));
    match asked.chain(mapped).find(|(_, label)| model.label(label).is_none()) {
        Some((flag, label)) => {
            let there: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
            Err(Error::settings(format!("{flag}: the model has no label `{label}`; it has {}", there.join(", "))))
        }
        None => Ok(()),
    }
}

/// The labels to audit: those asked for; else those that
/// enough rows have and do not have; else the model's labels of incivility that are not experimental, or
/// all where it has none of them.
fn labels(model: &Model, question: &Question, data: &Data) -> Result<Vec<usize>> {
    let heads = || 0..model.manifest.labels.len();
    let in_rows: Vec<usize> = heads().filter(|&k| data.has_enough(model, question, k)).collect();
    let asked: Vec<usize> = question.labels.iter().filter_map(|label| model.label(label)).collect();
    if !data.rows.is_empty() {
        let missing = asked.iter().find(|k| !in_rows.contains(k)).map(|&k| label_name(model, k));
        if let Some(label) = missing {
            let what = format!(
                "fewer than {} rows have `{label}` or fewer do not: compare another label of theirs with --map {label}=NAME, or \
                 lower --min-rows",
                question.min_rows
            );
            return Err(Error::settings(what));
        }
        if in_rows.is_empty() {
            let names = heads().map(|k| label_name(model, k)).collect::<Vec<_>>().join(", ");
            let what = format!(
                "no label of the model is true in {0} rows and false in {0}; it has {names}: compare others with --map, or lower \
                 --min-rows",
                question.min_rows
            );
            return Err(Error::settings(what));
        }
    }
    if !asked.is_empty() {
        return Ok(asked);
    }
    if !in_rows.is_empty() {
        return Ok(in_rows);
    }
    let is_firm = |k: &usize| {
        let head = model.manifest.labels.get(*k);
        head.is_some_and(|h| !h.experimental && label::find(&h.name).is_some_and(|l| l.group == Group::Incivility))
    };
    let firm: Vec<usize> = heads().filter(is_firm).collect();
    Ok(if firm.is_empty() { heads().collect() } else { firm })
}

/// The name of a label by its number.
fn label_name(model: &Model, k: usize) -> &str {
    model.manifest.labels.get(k).map_or("", |head| head.name.as_str())
}

/// The threshold of a label by its number.
fn threshold(model: &Model, k: usize) -> f64 {
    model.manifest.labels.get(k).map_or(1.0, |head| f64::from(head.threshold))
}
