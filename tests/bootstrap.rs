//! Bootstrap intervals: right against theory and scikit-learn, the same on any number of threads, honest when undefined.

use crate::common::{brute_average_precision, brute_best_f1, brute_f1, brute_roc_auc, fixture, generator, names};
use polemic::train::bootstrap::{
    BinaryIntervals, Interval, MulticlassIntervals, binary_intervals, interval, multiclass_intervals,
};
use polemic::train::metrics::{binary, multiclass};
use rayon::ThreadPoolBuilder;

fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}

type Statistic<'a> = &'a (dyn Fn(&[f64], &[bool]) -> Option<f64> + Sync);

fn assert_close(a: Option<Interval>, b: Option<Interval>, tolerance: f64) {
    let ((a_low, a_high), (b_low, b_high)) = (a.unwrap(), b.unwrap());
    assert!((a_low - b_low).abs() < tolerance && (a_high - b_high).abs() < tolerance, "{a:?} is not {b:?}");
}

#[test]
fn counting_over_sorted_rows_is_the_same_as_computing_on_the_drawn_rows() {
    for (n, levels, seed, lean) in [(40, 5, 1, 2), (120, 1000, 5, 3)] {
        let (scores, truth) = fixture(n, levels, seed, lean);
        let fast = binary_intervals(&scores, &truth, 0.4, 200, 9);
        let slow =
            |statistic: Statistic| interval(n, 200, 9, |rows| statistic(&pick(&scores, rows), &pick(&truth, rows)));
        assert_close(fast.roc_auc, slow(&brute_roc_auc), 1e-12);
        assert_close(fast.average_precision, slow(&brute_average_precision), 1e-12);
        assert_close(fast.f1, slow(&|scores, truth| Some(brute_f1(scores, truth, 0.4))), 1e-12);
        assert_close(fast.best_f1, slow(&|scores, truth| Some(brute_best_f1(scores, truth))), 1e-12);
        assert_close(fast.brier, slow(&|scores, truth| Some(binary(scores, truth, 0.4).brier)), 1e-12);
        assert_close(fast.ece, slow(&|scores, truth| Some(binary(scores, truth, 0.4).ece)), 1e-12);
    }
}

#[test]
fn multiclass_counting_is_the_same_as_computing_on_the_drawn_rows() {
    let mut next = generator(5);
    let truth: Vec<usize> = (0..60).map(|_| next() as usize % 4).collect();
    let predicted: Vec<usize> = truth.iter().map(|&class| if next().is_multiple_of(3) { 0 } else { class }).collect();
    let fast = multiclass_intervals(5, &truth, &predicted, 200, 3);
    let slow = |figure: fn(&polemic::train::metrics::Multiclass) -> f64| {
        interval(60, 200, 3, |rows| Some(figure(&multiclass(&names(5), &pick(&truth, rows), &pick(&predicted, rows)))))
    };
    assert_close(fast.macro_f1, slow(|figures| figures.macro_f1), 1e-12);
    assert_close(fast.accuracy, slow(|figures| figures.accuracy), 1e-12);
}

#[test]
fn intervals_agree_with_those_of_numpy_and_scikit_learn() {
    // numpy.percentile over 4,000 (AUC, AP) and 20,000 (F1, Brier) resamples; the tolerance is Monte Carlo error.
    let (scores, truth) = fixture(300, 16, 42, 3);
    let intervals = binary_intervals(&scores, &truth, 0.25, 4_000, 1);
    assert_close(intervals.roc_auc, Some((0.642_2, 0.801_9)), 0.01);
    assert_close(intervals.average_precision, Some((0.198_2, 0.421_5)), 0.02);
    assert_close(intervals.f1, Some((0.231_4, 0.375_5)), 0.01);
    assert_close(intervals.brier, Some((0.231_9, 0.295_1)), 0.005);
}

#[test]
fn the_interval_of_a_mean_is_that_of_the_normal_law() {
    let mut next = generator(8);
    let values: Vec<f64> = (0..400).map(|_| f64::from(next() % 1000) / 1000.0).collect();
    let mean = values.iter().sum::<f64>() / 400.0;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 400.0).sqrt();
    let half = 1.96 * deviation / 20.0;
    let found = interval(400, 4_000, 2, |rows| Some(rows.iter().map(|&row| values[row]).sum::<f64>() / 400.0));
    assert_close(found, Some((mean - half, mean + half)), 0.1 * half);
}

#[test]
fn the_number_of_threads_changes_nothing_and_the_seed_does() {
    let (scores, truth) = fixture(200, 32, 4, 2);
    let on = |threads: usize, seed: u64| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            (
                binary_intervals(&scores, &truth, 0.5, 300, seed),
                interval(200, 300, seed, |rows| Some(rows.iter().sum::<usize>() as f64)),
            )
        })
    };
    assert_eq!(on(1, 7), on(3, 7));
    assert_ne!(on(1, 7), on(1, 8));
}

#[test]
fn a_lone_positive_has_no_interval_but_the_brier_score_has() {
    let scores: Vec<f64> = (0..50).map(|row| f64::from(row) / 50.0).collect();
    let truth: Vec<bool> = (0..50).map(|row| row == 40).collect();
    let intervals = binary_intervals(&scores, &truth, 0.5, 500, 1);
    assert_eq!(
        (intervals.roc_auc, intervals.average_precision, intervals.f1, intervals.best_f1),
        (None, None, None, None)
    );
    assert!(intervals.brier.is_some() && intervals.ece.is_some());
}

#[test]
fn no_rows_or_no_resamples_leave_no_interval() {
    assert_eq!(binary_intervals(&[], &[], 0.5, 100, 1), BinaryIntervals::default());
    assert_eq!(binary_intervals(&[0.5], &[true], 0.5, 0, 1), BinaryIntervals::default());
    assert_eq!(multiclass_intervals(3, &[], &[], 100, 1), MulticlassIntervals::default());
    assert_eq!(multiclass_intervals(0, &[0], &[0], 100, 1), MulticlassIntervals::default());
    assert_eq!(interval(0, 100, 1, |_| Some(1.0)), None);
    assert_eq!(interval(10, 100, 1, |_| None), None);
}

#[test]
fn one_row_has_an_interval_of_no_width() {
    let intervals = binary_intervals(&[0.8], &[true], 0.5, 20, 1);
    assert_eq!((intervals.roc_auc, intervals.f1), (None, Some((1.0, 1.0))));
    let (low, high) = intervals.brier.unwrap();
    assert!(low.to_bits() == high.to_bits() && (low - 0.04).abs() < 1e-12);
}
