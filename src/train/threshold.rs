//! Thresholds chosen on labelled rows: for the best F1, or the lowest that reaches a stated precision.

use super::metrics;

/// Fewest rows with and without a label for a threshold of a stated precision.
pub const FEWEST: usize = 20;
/// Fewest rows that such a threshold flags: the precision of fewer says nothing.
pub const FEWEST_FLAGGED: usize = 10;
/// Standard normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_964;

/// How the search for a threshold ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice {
    /// There is one.
    Reached(Reached),
    /// No threshold that flags [`FEWEST_FLAGGED`] rows or more reaches the precision; the highest there is, if any.
    NotReached(Option<f64>),
    /// Fewer than [`FEWEST`] rows of a class.
    TooFew,
}

/// What a threshold does on the rows it was chosen on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// Halfway between the lowest flagged score and the next, so that rounding decides nothing.
    pub threshold: f64,
    /// Share of the flagged rows that have the label.
    pub precision: f64,
    /// Its 95 % interval.
    pub precision_interval: (f64, f64),
    /// Share of the rows with the label that are flagged.
    pub recall: f64,
    /// Its 95 % interval.
    pub recall_interval: (f64, f64),
    /// Rows flagged.
    pub flagged: usize,
}

/// The lowest threshold whose precision on these rows is `wanted` (0..1) or more: it flags the most.
pub fn for_precision(scores: &[f64], truth: &[bool], wanted: f64) -> Choice {
    let positives = truth.iter().filter(|t| **t).count();
    if positives.min(truth.len() - positives) < FEWEST {
        return Choice::TooFew;
    }
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(truth.iter().copied()).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut highest, mut reached) = (0, None, None);
    for (i, &(score, is_right)) in rows.iter().enumerate() {
        right += usize::from(is_right);
        let next = rows.get(i + 1).map_or(0.0, |next| next.0);
        let flagged = i + 1;
        if flagged < FEWEST_FLAGGED || (next >= score && flagged < rows.len()) {
            continue;
        }
        let precision = right as f64 / flagged as f64;
        highest = Some(highest.map_or(precision, |h: f64| h.max(precision)));
        if precision >= wanted {
            reached = Some(Reached {
                threshold: f64::midpoint(score, next),
                precision,
                precision_interval: wilson(right, flagged),
                recall: right as f64 / positives as f64,
                recall_interval: wilson(right, positives),
                flagged,
            });
        }
    }
    reached.map_or(Choice::NotReached(highest), Choice::Reached)
}

/// The threshold of the best F1 on these rows, halfway to the next lower score; `None` without positives.
pub fn best_f1(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let found = metrics::binary(scores, truth, 0.5);
    let below = scores.iter().copied().filter(|s| *s < found.best_threshold).fold(0.0, f64::max);
    (found.best_f1 > 0.0).then(|| f64::midpoint(found.best_threshold, below))
}

/// The 95 % score interval of a share (Wilson 1927); (0, 1) of nothing.
pub fn wilson(part: usize, whole: usize) -> (f64, f64) {
    if whole == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (whole as f64, part as f64 / whole as f64);
    let spread = 1.0 + Z * Z / n;
    let middle = (p + Z * Z / (2.0 * n)) / spread;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / spread;
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_textbook() {
        // statsmodels.stats.proportion.proportion_confint(.., method="wilson").
        for (part, whole, expected) in [(9, 10, (0.595_850, 0.982_124)), (0, 20, (0.0, 0.161_125))] {
            let (low, high) = wilson(part, whole);
            assert!((low - expected.0).abs() < 1e-5 && (high - expected.1).abs() < 1e-5, "{low} {high}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn the_lowest_threshold_of_a_precision_flags_the_most() {
        // From the top: 30 right, 10 wrong, 30 right, 60 wrong; precision .75 is reached last at 60 of 80.
        let truth: Vec<bool> = [(true, 30), (false, 10), (true, 30), (false, 60)]
            .into_iter()
            .flat_map(|(t, n)| std::iter::repeat_n(t, n))
            .collect();
        let scores: Vec<f64> = (0..130).map(|i| 0.99 - f64::from(i) / 200.0).collect();
        let Choice::Reached(reached) = for_precision(&scores, &truth, 0.75) else { panic!("not reached") };
        assert_eq!((reached.flagged, reached.recall), (80, 1.0));
        assert!(reached.precision >= 0.75 && reached.threshold > scores[80] && reached.threshold < scores[79]);
        let Choice::Reached(strict) = for_precision(&scores, &truth, 1.0) else { panic!("not reached") };
        assert_eq!((strict.flagged, strict.recall), (30, 0.5));
    }

    #[test]
    fn equal_scores_are_flagged_together() {
        let scores = [vec![0.9; 30], vec![0.1; 30]].concat();
        let truth: Vec<bool> = (0..60).map(|i| i % 2 == 0 || i < 10).collect();
        assert_eq!(for_precision(&scores, &truth, 0.9), Choice::NotReached(Some(20.0 / 30.0)));
    }

    #[test]
    fn few_rows_of_a_class_choose_nothing() {
        let truth: Vec<bool> = (0..100).map(|i| i < 19).collect();
        assert_eq!(for_precision(&[0.5; 100], &truth, 0.1), Choice::TooFew);
    }
}
