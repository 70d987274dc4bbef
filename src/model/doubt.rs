//! Doubt: between which probabilities an experimental label leaves a comment open. Its head ranks better than chance and decides worse
//! than a moderator may rely on, so it speaks only where it was right on comments that it was not fitted on.

use serde::{Deserialize, Serialize};

use super::calibrate::logit;
use super::logistic::sigmoid;

/// What no probability reaches.
pub const NEVER: f32 = 2.0;

/// The probabilities at which an experimental label decides, and what that was worth out of fold, among comments of which the label's
/// base rate have it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Doubt {
    /// Up to this probability a comment is said not to have the label; below 0 where none is.
    pub below: f32,
    /// From this one on it is said to have it; above 1 where none is.
    pub above: f32,
    /// Share of the comments that are decided, 0..1.
    pub coverage: f32,
    /// Share of these that are decided rightly.
    pub accuracy: f32,
    /// Of the comments said to have the label the share that has it; absent where none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<f32>,
}

impl Doubt {
    /// True if a comment of the probability `p` is left open.
    pub fn leaves_open(&self, p: f32) -> bool {
        p > self.below && p < self.above
    }

    /// Why a comment of the probability `p` is left open.
    pub fn reason(&self, p: f32) -> String {
        format!("{}{p:.3}", self.rule())
    }

    /// The reason up to the probability, the same for all comments.
    pub fn rule(&self) -> String {
        let sides = [
            (self.below >= 0.0).then(|| format!("up to {:.3}", self.below)),
            (self.above <= 1.0).then(|| format!("from {:.3} on", self.above)),
        ];
        let sides: Vec<String> = sides.into_iter().flatten().collect();
        match sides.as_slice() {
            [] => "experimental, decides nothing: has ".to_owned(),
            sides => format!("experimental, decides {}: has ", sides.join(" and ")),
        }
    }

    /// The same once every logit has become `slope·logit + by`.
    pub(super) fn rescale(&mut self, slope: f64, by: f64) {
        for p in [&mut self.below, &mut self.above] {
            if (0.0..=1.0).contains(p) {
                *p = sigmoid(slope * logit(f64::from(*p)) + by) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_is_left_open_and_told_why() {
        let doubt = Doubt { below: 0.02, above: 0.4, coverage: 0.5, accuracy: 0.95, precision: Some(0.6) };
        assert!(!doubt.leaves_open(0.02) && doubt.leaves_open(0.1) && !doubt.leaves_open(0.4));
        assert_eq!(doubt.reason(0.1), "experimental, decides up to 0.020 and from 0.400 on: has 0.100");
        let never = Doubt { below: -1.0, above: NEVER, coverage: 0.0, accuracy: 0.0, precision: None };
        assert!(never.leaves_open(0.0) && never.leaves_open(1.0));
        assert_eq!(never.reason(0.5), "experimental, decides nothing: has 0.500");
    }

    #[test]
    fn a_shift_of_the_base_rate_moves_both_sides_and_keeps_never() {
        let mut doubt = Doubt { below: 0.1, above: NEVER, coverage: 0.5, accuracy: 0.95, precision: None };
        doubt.rescale(1.0, 1.0);
        assert!((f64::from(doubt.below) - sigmoid(logit(0.1) + 1.0)).abs() < 1e-6);
        assert!(doubt.above > 1.0);
    }
}
