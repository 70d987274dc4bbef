//! From logits to probabilities: Platt scaling, the highest window of a text, the relation to the parent, and
//! the base rate.
//!
//! All fits are linfa's: `platt_newton_method` for one input (Platt 1999; Lin, Lin & Weng 2007), linfa-logistic's
//! `LogisticRegression` where there are several.

use linfa::composing::platt_scaling::{PlattParams, platt_newton_method};
use linfa::prelude::*;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::logistic::sigmoid;

/// Fewest rows of either class for a dense fit.
pub const FEWEST: usize = 40;

/// How a head's logit becomes the logit of a probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// `logit = slope·z + offset`.
    pub slope: f32,
    /// See `slope`.
    pub offset: f32,
    /// For labels that a part of a text may decide: by how much the head's logit of the highest window must exceed that of the whole
    /// text to count instead, less as much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f32>,
    /// How the relation to the parent moves a reply's logit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
}

/// `logit = slope·(logit of the own words) + weights·relation + offset`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// Weight of the logit that the own words have.
    pub slope: f32,
    /// One weight a relation feature.
    pub weights: Vec<f32>,
    /// Offset.
    pub offset: f32,
}

impl Calibration {
    /// Leaves a logit as it is.
    pub fn identity() -> Self {
        Self { slope: 1.0, offset: 0.0, margin: None, relation: None }
    }

    /// The head's logit that counts, of a text's whole and of its highest window, and whether it is that of the window.
    pub fn deciding(&self, whole: f32, highest: f32) -> (f32, bool) {
        match self.margin {
            Some(margin) if highest - margin > whole => (highest - margin, true),
            _ => (whole, false),
        }
    }

    /// Moves the base rate from `from` to `to` (both 0..1), every logit by the same amount.
    pub fn shift(&mut self, from: f64, to: f64) {
        self.rescale(1.0, logit(to) - logit(from));
    }

    /// Makes every logit `slope·logit + by`, of all texts and replies alike.
    pub fn rescale(&mut self, slope: f64, by: f64) {
        let (slope, by) = (slope as f32, by as f32);
        self.slope *= slope;
        self.offset = slope * self.offset + by;
        if let Some(relation) = &mut self.relation {
            // The own words' logit already carries the change, so the weight it has here stays.
            relation.weights.iter_mut().for_each(|weight| *weight *= slope);
            relation.offset = slope * relation.offset + by * (1.0 - relation.slope);
        }
    }
}

/// Log-odds of a probability, held off 0 and 1.
pub fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

/// What must be added to every logit for the mean probability to be `rate` (0..1): the base rate told by the comments themselves. For
/// labelled comments and their share of positives it is also the maximum-likelihood intercept, the slope kept. 0 without logits.
pub fn offset_for_rate(logits: &[f64], rate: f64) -> f64 {
    offset_for_weighted_rate(logits, &vec![1.0; logits.len()], rate)
}

/// The same for rows that count by their weights (0 or more).
pub fn offset_for_weighted_rate(logits: &[f64], weights: &[f64], rate: f64) -> f64 {
    let wanted = rate * weights.iter().sum::<f64>();
    if wanted <= 0.0 {
        return 0.0;
    }
    // The mean only rises with the offset: halving never fails, however few the comments.
    let (mut low, mut high) = (-30.0, 30.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        let sum: f64 = logits.iter().zip(weights).map(|(z, w)| w * sigmoid(z + middle)).sum();
        if sum < wanted { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Platt scaling: slope and offset such that `sigmoid(slope·z + offset)` is the probability of `truth`.
/// The identity where it cannot be fitted (one class, too few rows) or would turn the order round.
pub fn platt(z: &[f64], truth: &[bool]) -> (f64, f64) {
    let positives = truth.iter().filter(|t| **t).count();
    if positives < 2 || truth.len() - positives < 2 {
        return (1.0, 0.0);
    }
    let values = Array1::from(z.to_vec());
    let params = PlattParams::<f64, ()>::default();
    let Ok(params) = params.check() else { return (1.0, 0.0) };
    match platt_newton_method(values.view(), ndarray::ArrayView1::from(truth), &params) {
        // linfa's form is 1 / (1 + exp(A·z + B)).
        Ok((a, b)) if a < 0.0 && a.is_finite() && b.is_finite() => (-a, -b),
        _ => (1.0, 0.0),
    }
}

/// Logistic regression on a few dense inputs, by linfa-logistic: the intercept and one weight an input, or `None` where there are too
/// few rows of a class.
pub fn dense(inputs: &Array2<f64>, truth: &[bool], alpha: f64) -> Option<(f64, Vec<f64>)> {
    let positives = truth.iter().filter(|t| **t).count();
    if positives < FEWEST || truth.len() - positives < FEWEST {
        return None;
    }
    let data = Dataset::new(inputs.clone(), Array1::from(truth.to_vec()));
    let fitted =
        LogisticRegression::default().alpha(alpha).max_iterations(500).gradient_tolerance(1e-6).fit(&data).ok()?;
    // linfa-logistic's positive class depends on its version (DEPENDENCIES: majority or larger); ask, never assume.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let weights: Vec<f64> = fitted.params().iter().map(|w| sign * w).collect();
    let intercept = sign * fitted.intercept();
    (intercept.is_finite() && weights.iter().all(|w| w.is_finite())).then_some((intercept, weights))
}

/// Mean log loss of logits.
pub fn log_loss(logits: impl Iterator<Item = f64>, truth: &[bool]) -> f64 {
    let n = truth.len().max(1) as f64;
    logits.zip(truth).map(|(z, &t)| -(if t { sigmoid(z) } else { sigmoid(-z) }).max(1e-15).ln()).sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platt_scaling_recovers_the_line_that_made_the_data() {
        // A deterministic draw: each logit stands with its exact share of positives.
        let (mut z, mut truth) = (Vec::new(), Vec::new());
        for step in -20..=20 {
            let value = f64::from(step) / 5.0;
            let share = sigmoid(0.5 * value - 1.0);
            for i in 0..400 {
                z.push(value);
                truth.push(f64::from(i) < share * 400.0);
            }
        }
        let (slope, offset) = platt(&z, &truth);
        assert!((slope - 0.5).abs() < 0.02 && (offset + 1.0).abs() < 0.03, "{slope} {offset}");
    }

    #[test]
    fn rescaling_moves_every_path_of_a_logit_alike() {
        let mut calibration = Calibration {
            slope: 0.8,
            offset: -1.0,
            margin: Some(0.7),
            relation: Some(Relation { slope: 0.7, weights: vec![0.3, -0.2], offset: 0.4 }),
        };
        let paths = |c: &Calibration| {
            let own = |highest: f32| c.slope * c.deciding(1.5, highest).0 + c.offset;
            let reply = c.relation.as_ref().map(|r| r.slope * own(1.5) + r.weights[0] * 2.0 + r.weights[1] + r.offset);
            [own(1.5), own(3.0), reply.unwrap()]
        };
        let before = paths(&calibration);
        calibration.rescale(1.4, -0.6);
        for (before, after) in before.into_iter().zip(paths(&calibration)) {
            assert!((1.4 * before - 0.6 - after).abs() < 1e-5, "{before} {after}");
        }
    }

    #[test]
    fn a_window_decides_once_it_exceeds_the_whole_by_the_margin() {
        let with = |margin| Calibration { margin, ..Calibration::identity() };
        assert_eq!(with(Some(1.0)).deciding(0.5, 1.4), (0.5, false));
        assert_eq!(with(Some(1.0)).deciding(0.5, 2.0), (1.0, true));
        assert_eq!(with(None).deciding(0.5, 9.0), (0.5, false));
    }

    #[test]
    fn the_offset_for_a_rate_gives_that_rate() {
        let logits: Vec<f64> = (0..300).map(|i| f64::from(i % 37) / 5.0 - 6.0).collect();
        for rate in [0.001, 0.07, 0.5, 0.99] {
            let offset = offset_for_rate(&logits, rate);
            let mean = logits.iter().map(|z| sigmoid(z + offset)).sum::<f64>() / 300.0;
            assert!((mean - rate).abs() < 1e-9, "{mean} for {rate}");
        }
        assert!(offset_for_rate(&[], 0.1).abs() < f64::EPSILON);
    }

    #[test]
    fn a_dense_fit_names_its_positive_class() {
        for flip in [false, true] {
            let inputs = Array2::from_shape_fn((300, 1), |(i, _)| i as f64 / 100.0 - 1.5);
            let truth: Vec<bool> = (0..300).map(|i| (i > 100 + (i * 7) % 50) != flip).collect();
            let (_, weights) = dense(&inputs, &truth, 1.0).unwrap();
            assert_eq!(weights[0] > 0.0, !flip);
        }
    }

    #[test]
    fn one_class_leaves_logits_as_they_are() {
        assert_eq!(platt(&[1.0, 2.0, 3.0], &[true, true, true]), (1.0, 0.0));
    }
}
