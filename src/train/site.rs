//! A site's calibration, fitted on labelled comments of it: an offset (and, with many rows, a slope) a label, and how well that fits
//! rows that it was not fitted on.

use super::data::Labelled;
use super::metrics;
use super::scored;
use super::threshold::{self, Choice};
use crate::model::calibrate::{log_loss, logit, offset_for_rate, platt};
use crate::model::logistic::sigmoid;
use crate::model::profile::{Adjustment, Fit, Origin, Precision};
use crate::model::{LabelHead, Model};

/// Fewest rows for an offset of a site's own.
pub const FEWEST_ROWS: usize = 50;
/// Fewest rows for a slope of a site's own.
pub const ROWS_FOR_SLOPE: usize = 500;
/// Fewest rows of either class for a threshold or a slope of a site's own. Measured on the dev splits of three corpora, drawing 100
/// or 300 rows: with 30 and more positives the threshold of the best F1 among them does better on the other rows than the model's
/// (by .01 to .12), with about 20 worse (by .03).
pub const FIRM: usize = 30;

/// What a site's rows say of one label: one entry a row.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The model's logits.
    pub logits: Vec<f64>,
    /// Whether the row has the label.
    pub truth: Vec<bool>,
    /// What is held out together: numbers of [`super::scored::fold_of`].
    pub folds: Vec<usize>,
}

/// What to fit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Fit the slope, too, where there are [`ROWS_FOR_SLOPE`] rows.
    pub slope: bool,
    /// Choose the threshold for this precision (0..1) instead of for F1.
    pub precision: Option<f64>,
}

/// A label's adjustment, and what is to be known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The adjustment.
    pub adjustment: Adjustment,
    /// How the search for a threshold of the wanted precision ended, if there was one.
    pub search: Option<Choice>,
    /// The slope was asked for and is the model's all the same, for want of rows.
    pub kept_slope: bool,
}

impl Evidence {
    /// Rows that have the label.
    pub fn positives(&self) -> usize {
        self.truth.iter().filter(|t| **t).count()
    }

    fn is_firm(&self) -> bool {
        let positives = self.positives();
        positives.min(self.truth.len() - positives) >= FIRM
    }

    /// The rows that `keep` takes, by fold.
    fn part(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut part = Self::default();
        for ((&z, &t), &fold) in self.logits.iter().zip(&self.truth).zip(&self.folds) {
            if keep(fold) {
                part.logits.push(z);
                part.truth.push(t);
                part.folds.push(fold);
            }
        }
        part
    }

    /// The share of positives, held off 0 and 1 by half a row of either class (Jeffreys' prior): no site is without any.
    fn rate(&self) -> f64 {
        (self.positives() as f64 + 0.5) / (self.truth.len() as f64 + 1.0)
    }

    /// Slope and offset of the rows.
    fn line(&self, slope: bool) -> (f64, f64) {
        if slope { platt(&self.logits, &self.truth) } else { (1.0, offset_for_rate(&self.logits, self.rate())) }
    }

    /// The logits with slope and offset fitted on the other folds (cross-fitting). `None` where a fold's rows are all there are.
    fn held_out(&self, slope: bool) -> Option<Vec<f64>> {
        let mut lines: Vec<Option<(f64, f64)>> = Vec::new();
        let mut out = Vec::with_capacity(self.logits.len());
        for (z, &fold) in self.logits.iter().zip(&self.folds) {
            if lines.len() <= fold {
                lines.resize(fold + 1, None);
            }
            let line = lines.get_mut(fold)?;
            if line.is_none() {
                let others = self.part(|other| other != fold);
                *line = (!others.logits.is_empty()).then(|| others.line(slope));
            }
            let (slope, offset) = (*line)?;
            out.push(slope * z + offset);
        }
        Some(out)
    }

    /// The expected calibration error with the rows' own offset, fitted on other rows than it is measured on: what is left once the
    /// base rate is right. `None` where there are no two folds.
    pub fn ece_with_own_offset(&self) -> Option<f64> {
        self.held_out(false).map(|logits| fit(&logits, &self.truth).ece)
    }

    /// Fits a label's adjustment; `head` is the model's.
    pub fn adjust(&self, head: &LabelHead, wanted: Wanted) -> Fitted {
        let slope = wanted.slope && self.truth.len() >= ROWS_FOR_SLOPE && self.is_firm();
        let (a, b) = self.line(slope);
        let probability = |z: &f64| sigmoid(a * z + b);
        let probabilities: Vec<f64> = self.logits.iter().map(probability).collect();
        let search = wanted.precision.map(|wanted| threshold::for_precision(&probabilities, &self.truth, wanted));
        // The threshold of few rows is worse than the model's, moved with its logits.
        let kept = probability(&logit(f64::from(head.threshold)));
        let (threshold, precision) = match &search {
            Some(Choice::Reached(reached)) => {
                let held_out = wanted.precision.and_then(|wanted| self.held_out_precision(slope, wanted));
                (reached.threshold, wanted.precision.map(|wanted| stated(reached, wanted, held_out)))
            }
            None if self.is_firm() => (threshold::best_f1(&probabilities, &self.truth).unwrap_or(kept), None),
            _ => (kept, None),
        };
        let adjustment = Adjustment {
            slope: rounded(a),
            offset: rounded(b),
            base_rate: rounded(self.rate()),
            threshold: rounded(threshold),
            from: Origin::Labels,
            rows: self.truth.len(),
            positives: Some(self.positives()),
            before: Some(fit(&self.logits, &self.truth)),
            after: self.held_out(slope).map(|logits| fit(&logits, &self.truth)),
            precision,
        };
        Fitted { adjustment, search, kept_slope: wanted.slope && !slope }
    }

    /// The precision of decisions on rows whose threshold, slope and offset were fitted on other folds.
    fn held_out_precision(&self, slope: bool, wanted: f64) -> Option<f64> {
        let (mut right, mut flagged) = (0_usize, 0_usize);
        let folds = self.folds.iter().copied().max().map_or(0, |last| last + 1);
        for fold in 0..folds {
            let (others, own) = (self.part(|other| other != fold), self.part(|other| other == fold));
            let (a, b) = others.line(slope);
            let probabilities = |part: &Self| part.logits.iter().map(|z| sigmoid(a * z + b)).collect::<Vec<_>>();
            if let Choice::Reached(reached) = threshold::for_precision(&probabilities(&others), &others.truth, wanted) {
                let decided = probabilities(&own).into_iter().zip(&own.truth).filter(|(p, _)| *p >= reached.threshold);
                decided.for_each(|(_, truth)| {
                    flagged += 1;
                    right += usize::from(*truth);
                });
            }
        }
        (flagged > 0).then(|| right as f64 / flagged as f64)
    }
}

fn stated(reached: &threshold::Reached, wanted: f64, held_out: Option<f64>) -> Precision {
    Precision {
        wanted,
        precision: reached.precision,
        precision_interval: reached.precision_interval,
        recall: reached.recall,
        recall_interval: reached.recall_interval,
        flagged: reached.flagged,
        held_out,
    }
}

/// What labelled rows of a site say of each label of the model that they have, under the model's name or the one that `map` gives it
/// (pairs of the model's label and the rows'). Rows longer than `max_text` bytes and others without scores are left out.
pub fn evidence(
    model: &Model,
    rows: &[Labelled],
    max_text: usize,
    map: &[(String, String)],
) -> Vec<(String, Evidence)> {
    let scores = scored::score(model, rows, max_text);
    let of_label = |(k, head): (usize, &LabelHead)| {
        let theirs = map.iter().find(|(ours, _)| *ours == head.name).map_or(&head.name, |(_, theirs)| theirs);
        let mut evidence = Evidence::default();
        for (place, (row, scores)) in rows.iter().zip(&scores).enumerate() {
            let p = scores.as_ref().and_then(|scores| scores.labels.get(k));
            if let Some((p, truth)) = p.zip(scored::truth(row, theirs)) {
                evidence.logits.push(logit(f64::from(*p)));
                evidence.truth.push(truth);
                evidence.folds.push(scored::fold_of(row, place));
            }
        }
        (!evidence.truth.is_empty()).then(|| (head.name.clone(), evidence))
    };
    model.manifest.labels.iter().enumerate().filter_map(of_label).collect()
}

/// A label's adjustment to a known rate (0..1), by the logits of the site's comments: their mean probability becomes the rate. The
/// same comments are decided as before.
pub fn adjust_to_rate(head: &LabelHead, logits: &[f64], rate: f64) -> Adjustment {
    let offset = offset_for_rate(logits, rate);
    Adjustment {
        slope: 1.0,
        offset: rounded(offset),
        base_rate: rate,
        threshold: rounded(sigmoid(logit(f64::from(head.threshold)) + offset)),
        from: Origin::Rate,
        rows: logits.len(),
        positives: None,
        before: None,
        after: None,
        precision: None,
    }
}

/// As profiles write a number: nine decimals, far below what scores are told apart by.
fn rounded(number: f64) -> f64 {
    (number * 1e9).round() / 1e9
}

fn fit(logits: &[f64], truth: &[bool]) -> Fit {
    let probabilities: Vec<f64> = logits.iter().map(|&z| sigmoid(z)).collect();
    let ece = metrics::binary(&probabilities, truth, 0.5).ece;
    Fit { ece: rounded(ece), log_loss: rounded(log_loss(logits.iter().copied(), truth)) }
}
