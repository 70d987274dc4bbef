//! Rows and slow, obvious definitions that the tests of figures and of intervals share.

// Every test file compiles its own copy and none uses all of it.
#![allow(dead_code)]

/// The upper bits of a linear congruential generator: the same in the Python that computed the constants.
pub fn generator(seed: u32) -> impl FnMut() -> u32 {
    let mut state = u64::from(seed);
    move || {
        state = (1_103_515_245 * state + 12_345) % (1 << 31);
        (state >> 16) as u32
    }
}

/// `n` rows of scores that are multiples of 1 / `levels`, true with a probability of about score / `lean`.
pub fn fixture(n: usize, levels: u32, seed: u32, lean: u32) -> (Vec<f64>, Vec<bool>) {
    let mut next = generator(seed);
    (0..n)
        .map(|_| {
            let (score, bar) = (next() % (levels + 1), next() % (levels * lean));
            (f64::from(score) / f64::from(levels), bar < score)
        })
        .unzip()
}

/// Names of `n` classes.
pub fn names(n: usize) -> Vec<String> {
    (0..n).map(|class| format!("class {class}")).collect()
}

/// Asserts that two figures are the same but for rounding.
pub fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} is not {b}");
}

/// ROC AUC by all pairs.
pub fn brute_roc_auc(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let (mut won, mut pairs) = (0.0, 0.0);
    for (high, _) in scores.iter().zip(truth).filter(|row| *row.1) {
        for (low, _) in scores.iter().zip(truth).filter(|row| !*row.1) {
            pairs += 1.0;
            won += if high > low {
                1.0
            } else if high < low {
                0.0
            } else {
                0.5
            };
        }
    }
    (pairs > 0.0).then(|| won / pairs)
}

/// True and false positives at a threshold, and false negatives.
fn outcomes(scores: &[f64], truth: &[bool], threshold: f64) -> (f64, f64, f64) {
    let count = |flagged: bool, positive: bool| {
        scores.iter().zip(truth).filter(|row| (*row.0 >= threshold) == flagged && *row.1 == positive).count() as f64
    };
    (count(true, true), count(true, false), count(false, true))
}

/// F1 at a threshold.
pub fn brute_f1(scores: &[f64], truth: &[bool], threshold: f64) -> f64 {
    let (right, wrong, missed) = outcomes(scores, truth, threshold);
    if right + wrong + missed > 0.0 { 2.0 * right / (2.0 * right + wrong + missed) } else { 0.0 }
}

/// Best F1 by trying every score as threshold.
pub fn brute_best_f1(scores: &[f64], truth: &[bool]) -> f64 {
    scores.iter().map(|&threshold| brute_f1(scores, truth, threshold)).fold(0.0, f64::max)
}

/// Average precision: precision at the score of each positive row, averaged. Equal to the sum over recall steps.
pub fn brute_average_precision(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let at: Vec<f64> = scores
        .iter()
        .zip(truth)
        .filter(|row| *row.1)
        .map(|(&score, _)| {
            let (right, wrong, _) = outcomes(scores, truth, score);
            right / (right + wrong)
        })
        .collect();
    (!at.is_empty()).then(|| at.iter().sum::<f64>() / at.len() as f64)
}
