//! A label's calibration and threshold, from out-of-fold logits.

use ndarray::Array2;

use super::doubt::doubt;
use super::metrics;
use super::recipe::{Aim, LabelSettings, Settings};
use crate::features::relation;
use crate::label::{self, Context, Group};
use crate::model::calibrate::{Calibration, Relation, dense, log_loss, offset_for_weighted_rate, platt};
use crate::model::doubt::Doubt;
use crate::model::logistic::sigmoid;

/// L2 strength of the dense steps: they have a few inputs and hundreds of rows.
const ALPHA: f64 = 1.0;
/// How much AUC the highest window may cost on texts of ordinary length before a label of unknown kind scores texts whole.
const WINDOW_COST: f64 = 0.005;
/// What the highest window's calibrated logit is lowered by: the less, the more of the catches padding leaves, and the more long harmless
/// texts pass for attacks (docs/accuracy.md has both).
const MARGIN: f32 = 1.1;
/// By how much the relation must lower the log loss on rows it was not fitted on.
const RELATION_GAIN: f64 = 0.995;

/// What calibration looks at, one entry a row of the label.
pub struct Evidence<'a> {
    /// The label.
    pub name: &'a str,
    /// Its logit of each whole text, out of fold.
    pub whole: &'a [f64],
    /// The same of each text's highest window.
    pub highest: &'a [f64],
    /// The label of each row.
    pub truth: &'a [bool],
    /// The weight of each row.
    pub weights: &'a [f32],
    /// The fold of each row.
    pub folds: &'a [usize],
    /// The relation of replies to their parents, where the label may look at it.
    pub relations: &'a [Option<[f32; relation::COUNT]>],
}

/// A label's way from logits to decisions.
pub struct Calibrated {
    /// From logit to probability.
    pub calibration: Calibration,
    /// The best threshold out of fold.
    pub threshold: f32,
    /// The share of comments the probabilities are calibrated to.
    pub base_rate: f32,
    /// Which comments it leaves open, if it is experimental.
    pub doubt: Option<Doubt>,
    /// ROC AUC out of fold.
    pub auc: f32,
}

/// Calibrates a label. `all.slope` multiplies the slope that fits the rows.
pub fn calibrate(evidence: &Evidence<'_>, settings: &LabelSettings, all: &Settings) -> Calibrated {
    let mut calibration = own_step(evidence, settings);
    calibration.relation = relation_step(evidence, &calibration);

    let logits: Vec<f64> = logits(evidence, &calibration).into_iter().map(|z| all.slope * z).collect();
    let rate = evidence.truth.iter().filter(|t| **t).count() as f64 / evidence.truth.len().max(1) as f64;
    let base_rate = settings.base_rate.unwrap_or(rate);
    let weights = weights_at(evidence, base_rate);
    let offset = offset_for_weighted_rate(&logits, &weights, base_rate);
    calibration.rescale(all.slope, offset);
    let probabilities: Vec<f64> = logits.iter().map(|z| sigmoid(z + offset)).collect();
    Calibrated {
        calibration,
        threshold: best_threshold(&probabilities, evidence.truth, &weights, base_rate, all.thresholds) as f32,
        doubt: settings.experimental.then(|| doubt(&probabilities, evidence.truth, &weights, base_rate)),
        base_rate: base_rate as f32,
        auc: metrics::binary(&probabilities, evidence.truth, 0.5).roc_auc.unwrap_or(0.5) as f32,
    }
}

/// Weights of the rows, 1 together, of which those with the label have `base_rate`: their own shares differ by source and from that.
fn weights_at(evidence: &Evidence<'_>, base_rate: f64) -> Vec<f64> {
    let rows = || evidence.truth.iter().zip(evidence.weights);
    let weight = |of: bool| -> f64 { rows().filter(|(t, _)| **t == of).map(|(_, w)| f64::from(*w)).sum() };
    let (positive, negative) = (base_rate / weight(true), (1.0 - base_rate) / weight(false));
    rows().map(|(&truth, &w)| f64::from(w) * if truth { positive } else { negative }).collect()
}

/// The best threshold of weighted rows, of which a share `base_rate` has the label.
fn best_threshold(probabilities: &[f64], truth: &[bool], weights: &[f64], base_rate: f64, aim: Aim) -> f64 {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let (mut hits, mut flagged, mut best) = (0.0, 0.0, (0.0, 0.5));
    for (i, &row) in order.iter().enumerate() {
        flagged += weights[row];
        hits += if truth[row] { weights[row] } else { 0.0 };
        let is_last_of_tie = order.get(i + 1).is_none_or(|&next| probabilities[next] < probabilities[row]);
        let f1 = 2.0 * hits / (flagged + base_rate);
        // What is neither flagged nor has the label is rightly left, of all that is left and all that has it not.
        let of_rest = 2.0 * (1.0 - flagged - base_rate + hits) / (2.0 - flagged - base_rate);
        let worth = match aim {
            Aim::F1 => f1,
            Aim::MacroF1 => f64::midpoint(f1, of_rest),
        };
        if is_last_of_tie && worth > best.0 {
            best = (worth, probabilities[row]);
        }
    }
    best.1
}

/// The logits of all rows.
fn logits(evidence: &Evidence<'_>, calibration: &Calibration) -> Vec<f64> {
    (0..evidence.truth.len())
        .map(|i| {
            let own = own_logit(evidence, calibration, i);
            match (&calibration.relation, &evidence.relations.get(i).copied().flatten()) {
                (Some(step), Some(relation)) => {
                    let shift: f32 = step.weights.iter().zip(relation).map(|(w, v)| w * v).sum();
                    f64::from(step.slope) * own + f64::from(step.offset + shift)
                }
                _ => own,
            }
        })
        .collect()
}

fn own_logit(evidence: &Evidence<'_>, c: &Calibration, i: usize) -> f64 {
    let (z, _) = c.deciding(evidence.whole[i] as f32, evidence.highest[i] as f32);
    f64::from(c.slope * z + c.offset)
}

/// Platt scaling of the whole texts, or of the higher of the whole and the highest window less a margin, for labels that a part of a
/// text may decide: padding must not hide an attack. A label that we do not know is among them where that costs little on the rows at
/// hand. The margin is one number: a window's own calibration on the rows (long comments are tamer than short ones) and the number of
/// windows both forgive abuse that is padded.
fn own_step(evidence: &Evidence<'_>, settings: &LabelSettings) -> Calibration {
    let scaled = |margin: Option<f32>, z: &[f64]| {
        let (slope, offset) = platt(z, evidence.truth);
        Calibration { slope: slope as f32, offset: offset as f32, margin, relation: None }
    };
    let whole = scaled(None, evidence.whole);
    let with_margin = Calibration { margin: Some(MARGIN / whole.slope), ..Calibration::identity() };
    let z: Vec<f64> = (0..evidence.truth.len()).map(|i| own_logit(evidence, &with_margin, i)).collect();
    let auc = |z: &[f64]| metrics::binary(z, evidence.truth, 0.5).roc_auc.unwrap_or(0.5);
    let wanted = settings.windows.unwrap_or_else(|| match label::find(evidence.name) {
        Some(label) => label.group == Group::Incivility,
        None => auc(&z) >= auc(evidence.whole) - WINDOW_COST,
    });
    if wanted { scaled(with_margin.margin, &z) } else { whole }
}

/// The step of replies, kept only if it helps on rows it was not fitted on.
fn relation_step(evidence: &Evidence<'_>, calibration: &Calibration) -> Option<Relation> {
    if label::find(evidence.name).is_none_or(|l| l.context != Context::Relation) {
        return None;
    }
    let replies: Vec<(usize, [f32; relation::COUNT])> =
        evidence.relations.iter().enumerate().filter_map(|(i, r)| Some((i, (*r)?))).collect();
    let own: Vec<f64> = replies.iter().map(|(i, _)| own_logit(evidence, calibration, *i)).collect();
    let truth: Vec<bool> = replies.iter().map(|(i, _)| evidence.truth[*i]).collect();
    let fit = |rows: &[usize]| {
        let inputs = Array2::from_shape_fn((rows.len(), 1 + relation::COUNT), |(r, c)| match c {
            0 => own[rows[r]],
            _ => f64::from(replies[rows[r]].1[c - 1]),
        });
        dense(&inputs, &rows.iter().map(|&r| truth[r]).collect::<Vec<_>>(), ALPHA).filter(|(_, w)| w[0] > 0.0)
    };
    let predict = |(intercept, w): &(f64, Vec<f64>), r: usize| {
        intercept + w[0] * own[r] + replies[r].1.iter().zip(&w[1..]).map(|(v, w)| f64::from(*v) * w).sum::<f64>()
    };
    let folds = evidence.folds.iter().copied().max().unwrap_or_default() + 1;
    let mut held_out = own.clone();
    for fold in 0..folds {
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..replies.len()).partition(|&r| evidence.folds[replies[r].0] == fold);
        let step = fit(&train)?;
        test.into_iter().for_each(|r| held_out[r] = predict(&step, r));
    }
    if log_loss(held_out.into_iter(), &truth) > RELATION_GAIN * log_loss(own.iter().copied(), &truth) {
        return None;
    }
    let (offset, w) = fit(&(0..replies.len()).collect::<Vec<_>>())?;
    Some(Relation { slope: w[0] as f32, weights: w[1..].iter().map(|&w| w as f32).collect(), offset: offset as f32 })
}
