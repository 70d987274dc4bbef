//! Figures that say how well scores agree with the truth: of one label (binary) and of a stance (multiclass).
//!
//! linfa 0.8 offers some of these (`linfa::metrics`), but they are computed here, because
//! - its ROC curve starts after the rows that score exactly 0 and so loses their area, treats scores closer than 1e-10
//!   as ties, and holds everything in `f32`;
//! - its confusion matrix answers NaN where a class is never predicted or never true, swaps precision and recall when
//!   called as its examples do (on the predictions), and its `f1_score` over three or more classes is the F1 of the
//!   averaged precision and recall, not the average F1; its counts are private, and they are a figure of ours;
//! - it takes no row weights, which the bootstrap needs, and it has no average precision, Brier score or ECE.
//!
//! `tests/linfa_metrics.rs` shows that the two agree where linfa is right, and pins what is said above.

use serde::Serialize;

/// Number of equal-width bins of the expected calibration error (Naeini, Cooper & Hauskrecht 2015), as in Guo et al. (2017).
const CALIBRATION_BINS: f64 = 15.0;

/// How well the scores of one label agree with its truth.
///
/// A figure that has no value (see each) is `None`, or NaN where the type is `f64`; both are `null` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Binary {
    /// Rows compared.
    pub n: u64,
    /// Rows of them where the label is true.
    pub positives: u64,
    /// Area under the ROC curve, 0 to 1: the share of (positive, negative) pairs in which the positive row scores
    /// higher, a tie counting half (the U of Mann & Whitney 1947). `None` if one class is missing.
    pub roc_auc: Option<f64>,
    /// Average precision, 0 to 1: Σ (Rₖ − Rₖ₋₁) Pₖ over the distinct scores from the highest, without interpolation,
    /// rows of equal score entering together (scikit-learn's `average_precision_score`). `None` without positives.
    pub average_precision: Option<f64>,
    /// The threshold of [`f1`](Self::f1), [`precision`](Self::precision) and [`recall`](Self::recall): a row is flagged
    /// when its score is at or above it.
    pub threshold: f64,
    /// 2 TP / (2 TP + FP + FN) at the threshold; 0 where that is 0 / 0 (scikit-learn's `zero_division=0`).
    pub f1: f64,
    /// TP / (TP + FP) at the threshold; 0 if no row is flagged.
    pub precision: f64,
    /// TP / (TP + FN) at the threshold; 0 without positives.
    pub recall: f64,
    /// The highest F1 that any threshold reaches on these rows. Chosen on the rows it is measured on, so optimistic.
    pub best_f1: f64,
    /// The highest threshold that reaches [`best_f1`](Self::best_f1); the given threshold if none gets above 0.
    pub best_threshold: f64,
    /// Brier score, 0 (best) to 1: the mean of (score − truth)² (Brier 1950). NaN without rows.
    pub brier: f64,
    /// Expected calibration error (Naeini, Cooper & Hauskrecht 2015), 0 (best) to 1: over 15 equal-width bins ((b − 1)/15, b/15], 0 belonging to the first,
    /// the mean of |mean score − share of positives|, weighted by rows. Guo et al. (2017) bin the confidence in the
    /// predicted class; here it is the probability of the positive class, the number a user sees. NaN without rows.
    pub ece: f64,
}

/// The figures of one label: `scores` are probabilities (0 to 1), a row is flagged when its score ≥ `threshold`.
///
/// Never panics. Scores outside 0 to 1 are ranked as they are and count as 0 or 1 for Brier and ECE. NaN counts as the
/// lowest score there is (callers leave such rows out): below every number, flagged at no threshold, 0 for Brier and
/// ECE. Rows beyond the end of the shorter slice are left out.
pub fn binary(scores: &[f64], truth: &[bool], threshold: f64) -> Binary {
    let ranking = Ranking::new(scores, truth, threshold);
    let mut counts = vec![0; ranking.width()];
    count(ranking.cells(), &mut counts);
    ranking.figures(&counts)
}

/// Counts every cell in `cells` once.
fn count(cells: &[u32], counts: &mut [u32]) {
    for &cell in cells {
        if let Some(count) = counts.get_mut(cell as usize) {
            *count += 1;
        }
    }
}

/// Rows sorted once by score, so that the figures of any multiset of them take one linear pass over their counts.
pub(crate) struct Ranking {
    /// Distinct scores, highest first.
    groups: Vec<Group>,
    /// Of each row, the cell its count goes to: 2 × its place in `groups`, plus 1 if it is positive.
    cells: Vec<u32>,
    threshold: f64,
    /// How many of `groups` are flagged at the threshold.
    flagged: usize,
}

/// The rows of one score.
struct Group {
    /// NaN as −∞.
    score: f64,
    /// The score as a probability, 0 to 1.
    probability: f64,
    /// Calibration bin; never rises from one group to the next.
    bin: u8,
}

impl Group {
    fn new(score: f64) -> Self {
        let probability = score.clamp(0.0, 1.0);
        let bin = (probability * CALIBRATION_BINS).ceil().max(1.0);
        // 1 to 15, so the cast is exact.
        #[expect(clippy::cast_sign_loss)]
        Self { score, probability, bin: bin as u8 }
    }

    /// Whether a threshold can flag these rows: not those whose score was NaN.
    fn can_be_flagged(&self) -> bool {
        self.score > f64::NEG_INFINITY
    }
}

impl Ranking {
    /// Ranks the rows; see [`binary`] for the arguments.
    pub(crate) fn new(scores: &[f64], truth: &[bool], threshold: f64) -> Self {
        let mut rows: Vec<(f64, usize, bool)> = scores
            .iter()
            .zip(truth)
            .enumerate()
            .map(|(row, (&score, &positive))| (if score.is_nan() { f64::NEG_INFINITY } else { score }, row, positive))
            .collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));

        let mut groups: Vec<Group> = Vec::new();
        let mut cells = vec![0; rows.len()];
        for (score, row, positive) in rows {
            // By value and not by `total_cmp`: 0 and −0 are the same score.
            if groups.last().is_none_or(|last| last.score < score || score < last.score) {
                groups.push(Group::new(score));
            }
            if let Some(cell) = cells.get_mut(row) {
                *cell = 2 * (groups.len() - 1) as u32 + u32::from(positive);
            }
        }
        let flagged = groups.partition_point(|group| group.can_be_flagged() && group.score >= threshold);
        Self { groups, cells, threshold, flagged }
    }

    /// Of each row, the place of its count in what [`figures`](Self::figures) takes.
    pub(crate) fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// Length of the counts.
    pub(crate) fn width(&self) -> usize {
        2 * self.groups.len()
    }

    /// The figures of the rows as often as `counts` has them.
    pub(crate) fn figures(&self, counts: &[u32]) -> Binary {
        let (pairs, _) = counts.as_chunks::<2>();
        let sum = |side: fn(&[u32; 2]) -> u32| pairs.iter().map(|pair| u64::from(side(pair))).sum::<u64>();
        let (negatives, positives) = (sum(|pair| pair[0]), sum(|pair| pair[1]));

        let mut above = Flagged::default();
        let mut at_threshold = Flagged::default();
        let mut doubled_wins = 0;
        let mut precision_sum = 0.0;
        let (mut best_f1, mut best_threshold) = (0.0, self.threshold);
        let mut squared_error = 0.0;
        let mut calibration = Calibration::default();
        for (place, (group, &[down, up])) in self.groups.iter().zip(pairs).enumerate() {
            if place == self.flagged {
                at_threshold = above;
            }
            let (down, up) = (u64::from(down), u64::from(up));
            doubled_wins += down * (2 * above.right + up);
            above.wrong += down;
            above.right += up;
            // Only a group with positives adds recall, and only there can F1 rise.
            if up > 0 {
                precision_sum += up as f64 * above.precision();
                let f1 = above.f1(positives);
                if f1 > best_f1 && group.can_be_flagged() {
                    (best_f1, best_threshold) = (f1, group.score);
                }
            }
            let (p, q) = (group.probability, 1.0 - group.probability);
            squared_error += up as f64 * q * q + down as f64 * p * p;
            calibration.add(group.bin, (up + down) as f64 * p - up as f64);
        }
        if self.flagged >= self.groups.len() {
            at_threshold = above;
        }

        let n = positives + negatives;
        Binary {
            n,
            positives,
            roc_auc: (positives > 0 && negatives > 0)
                .then(|| doubled_wins as f64 / (2.0 * positives as f64 * negatives as f64)),
            average_precision: (positives > 0).then(|| precision_sum / positives as f64),
            threshold: self.threshold,
            f1: at_threshold.f1(positives),
            precision: at_threshold.precision(),
            recall: ratio(at_threshold.right, positives),
            best_f1,
            best_threshold,
            brier: squared_error / n as f64,
            ece: calibration.total() / n as f64,
        }
    }
}

/// Rows at or above some score.
#[derive(Default, Clone, Copy)]
struct Flagged {
    /// True positives.
    right: u64,
    /// False positives.
    wrong: u64,
}

impl Flagged {
    fn precision(self) -> f64 {
        ratio(self.right, self.right + self.wrong)
    }

    fn f1(self, positives: u64) -> f64 {
        ratio(2 * self.right, self.right + self.wrong + positives)
    }
}

/// The sum over bins of |Σ score − positives|, the bins coming one after the other.
#[derive(Default)]
struct Calibration {
    closed: f64,
    bin: u8,
    gap: f64,
}

impl Calibration {
    fn add(&mut self, bin: u8, gap: f64) {
        if bin != self.bin {
            self.closed += self.gap.abs();
            self.gap = 0.0;
            self.bin = bin;
        }
        self.gap += gap;
    }

    fn total(&self) -> f64 {
        self.closed + self.gap.abs()
    }
}

/// `part / whole`, 0 where both are 0 (scikit-learn's `zero_division=0`).
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How well predicted classes agree with the true ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Multiclass {
    /// The classes, in the order of everything below.
    pub classes: Vec<String>,
    /// Rows compared.
    pub n: u64,
    /// Unweighted mean of the F1 of the classes that occur in truth or prediction (scikit-learn's
    /// `f1_score(average="macro", zero_division=0)`), 0 to 1. NaN without rows.
    pub macro_f1: f64,
    /// Share of rows predicted right. NaN without rows.
    pub accuracy: f64,
    /// Each class against the others.
    pub per_class: Vec<ClassFigures>,
    /// Number of rows by true class (outer) and predicted class (inner).
    pub confusion: Vec<Vec<u64>>,
}

/// One class against the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Its name.
    pub class: String,
    /// Rows of which it is the true class.
    pub n: u64,
    /// Of the rows predicted as this class, the share that is; 0 if there are none.
    pub precision: f64,
    /// Of the rows of this class, the share predicted as it; 0 if there are none.
    pub recall: f64,
    /// Harmonic mean of both; 0 if the class occurs neither in truth nor in prediction.
    pub f1: f64,
}

/// The figures of a choice among `classes`; `truth` and `predicted` are places in it.
///
/// Never panics: rows with a place outside `classes`, or beyond the end of the shorter slice, are left out of `n`.
pub fn multiclass(classes: &[String], truth: &[usize], predicted: &[usize]) -> Multiclass {
    let confusion = Confusion::new(classes.len(), truth, predicted);
    let mut counts = vec![0; confusion.width()];
    count(confusion.cells(), &mut counts);

    let tallies = confusion.tallies(&counts);
    let per_class = classes
        .iter()
        .zip(&tallies)
        .map(|(class, tally)| ClassFigures {
            class: class.clone(),
            n: tally.truth,
            precision: ratio(tally.right, tally.predicted),
            recall: ratio(tally.right, tally.truth),
            f1: tally.f1(),
        })
        .collect();
    Multiclass {
        classes: classes.to_vec(),
        n: tallies.iter().map(|tally| tally.truth).sum(),
        macro_f1: macro_f1(&tallies).unwrap_or(f64::NAN),
        accuracy: accuracy(&tallies).unwrap_or(f64::NAN),
        per_class,
        confusion: confusion.rows(&counts).map(|row| row.iter().map(|&count| u64::from(count)).collect()).collect(),
    }
}

/// Which cell of the confusion matrix each row falls in.
pub(crate) struct Confusion {
    classes: usize,
    /// True class × number of classes + predicted class.
    cells: Vec<u32>,
}

/// The counts of one class.
pub(crate) struct Tally {
    truth: u64,
    predicted: u64,
    right: u64,
}

impl Tally {
    fn f1(&self) -> f64 {
        ratio(2 * self.right, self.truth + self.predicted)
    }
}

impl Confusion {
    /// Places the rows; see [`multiclass`] for the arguments.
    pub(crate) fn new(classes: usize, truth: &[usize], predicted: &[usize]) -> Self {
        let cells = truth
            .iter()
            .zip(predicted)
            .filter(|(truth, predicted)| **truth < classes && **predicted < classes)
            .map(|(truth, predicted)| (truth * classes + predicted) as u32)
            .collect();
        Self { classes, cells }
    }

    /// Of each row, the place of its count.
    pub(crate) fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// Length of the counts.
    pub(crate) fn width(&self) -> usize {
        self.classes * self.classes
    }

    /// The counts by true class.
    fn rows<'a>(&self, counts: &'a [u32]) -> impl Iterator<Item = &'a [u32]> {
        counts.chunks(self.classes.max(1))
    }

    /// The counts of each class.
    pub(crate) fn tallies(&self, counts: &[u32]) -> Vec<Tally> {
        let sum = |cells: &mut dyn Iterator<Item = &u32>| cells.map(|&count| u64::from(count)).sum();
        self.rows(counts)
            .enumerate()
            .map(|(class, row)| Tally {
                truth: sum(&mut row.iter()),
                predicted: sum(&mut counts.iter().skip(class).step_by(self.classes)),
                right: row.get(class).map_or(0, |&count| u64::from(count)),
            })
            .collect()
    }
}

/// See [`Multiclass::macro_f1`]; `None` without rows.
pub(crate) fn macro_f1(tallies: &[Tally]) -> Option<f64> {
    let seen = || tallies.iter().filter(|tally| tally.truth + tally.predicted > 0);
    let classes = seen().count();
    (classes > 0).then(|| seen().map(Tally::f1).sum::<f64>() / classes as f64)
}

/// See [`Multiclass::accuracy`]; `None` without rows.
pub(crate) fn accuracy(tallies: &[Tally]) -> Option<f64> {
    let n: u64 = tallies.iter().map(|tally| tally.truth).sum();
    (n > 0).then(|| ratio(tallies.iter().map(|tally| tally.right).sum(), n))
}
