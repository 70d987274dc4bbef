//! Where an experimental label decides: told out of fold.

use crate::model::doubt::{Doubt, NEVER};

/// A comment is said to have the label only where that is more often right than wrong.
const PRECISION: f64 = 0.5;
/// It is said not to have it only where at most this multiple of the base rate has it.
const OMISSION: f64 = 0.5;
/// Fewest rows that a side is told by.
const FEWEST: usize = 20;

/// Weighted rows from the one end of the ranking: how many, how much of them is right.
#[derive(Clone, Copy, Default)]
struct Side {
    weight: f64,
    right: f64,
}

/// The doubt of a label with these probabilities out of fold. `weights` are such that the rows with the label weigh its base rate, all
/// together 1.
pub(super) fn doubt(probabilities: &[f64], truth: &[bool], weights: &[f64], base_rate: f64) -> Doubt {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let yes = side(&order, probabilities, weights, |i| truth[i], PRECISION);
    // Where both sides meet, what has the label is decided first.
    order.retain(|&i| yes.is_none_or(|(above, _)| probabilities[i] < above));
    order.reverse();
    let no = side(&order, probabilities, weights, |i| !truth[i], 1.0 - OMISSION * base_rate);
    let decided = |side: Option<(f64, Side)>| side.map_or(Side::default(), |(_, side)| side);
    let (of_yes, of_no) = (decided(yes), decided(no));
    let coverage = of_yes.weight + of_no.weight;
    Doubt {
        below: no.map_or(-1.0, |(p, _)| p as f32),
        above: yes.map_or(NEVER, |(p, _)| p as f32),
        coverage: coverage as f32,
        accuracy: ((of_yes.right + of_no.right) / coverage.max(f64::MIN_POSITIVE)) as f32,
        precision: yes.map(|(_, side)| (side.right / side.weight) as f32),
    }
}

/// The farthest probability, from the first of `order` on, up to which a share `wanted` is right.
fn side(
    order: &[usize],
    probabilities: &[f64],
    weights: &[f64],
    right: impl Fn(usize) -> bool,
    wanted: f64,
) -> Option<(f64, Side)> {
    let mut sum = Side::default();
    let mut best = None;
    for (at, &i) in order.iter().enumerate() {
        sum.weight += weights[i];
        sum.right += if right(i) { weights[i] } else { 0.0 };
        let is_last_of_tie =
            order.get(at + 1).is_none_or(|&next| probabilities[next].total_cmp(&probabilities[i]).is_ne());
        if is_last_of_tie && at + 1 >= FEWEST && sum.right >= wanted * sum.weight {
            best = Some((probabilities[i], sum));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_decides_where_it_was_right_and_nowhere_else() {
        // From the top: 30 rows with the label, 300 of which a quarter has it, 30 without it.
        let truth: Vec<bool> = (0..360_u32).map(|i| i < 30 || (i < 330 && i.is_multiple_of(4))).collect();
        let probabilities: Vec<f64> = (0..360).map(|i| 1.0 - f64::from(i) / 400.0).collect();
        let found = doubt(&probabilities, &truth, &[1.0 / 360.0; 360], 105.0 / 360.0);
        assert!(!found.leaves_open(0.95) && found.leaves_open(0.5) && !found.leaves_open(0.12), "{found:?}");
        assert!(found.precision.unwrap() >= 0.5 && found.accuracy > 0.5 && found.coverage < 0.6, "{found:?}");
    }

    #[test]
    fn a_head_that_is_always_right_leaves_nothing_open() {
        let truth: Vec<bool> = (0..300).map(|i| i < 100).collect();
        let probabilities: Vec<f64> = (0..300).map(|i| 1.0 - f64::from(i) / 301.0).collect();
        let found = doubt(&probabilities, &truth, &[1.0 / 300.0; 300], 1.0 / 3.0);
        assert!(probabilities.iter().all(|p| !found.leaves_open(*p as f32)), "{found:?}");
    }

    #[test]
    fn a_head_of_chance_never_says_yes() {
        let truth: Vec<bool> = (0..400).map(|i| i % 10 == 0).collect();
        let probabilities: Vec<f64> = (0..400).map(|i| f64::from(i) / 400.0).collect();
        let found = doubt(&probabilities, &truth, &[1.0 / 400.0; 400], 0.1);
        assert!(found.above > 1.0 && found.precision.is_none());
    }
}
