//! 95 % percentile bootstrap intervals (Efron & Tibshirani 1993, ch. 13): how far a figure would move on other rows.
//!
//! Resample `r` draws `n` row numbers with replacement from stream `r` of a `ChaCha8Rng`, so that the result depends on
//! the seed alone and not on the number of threads, and so that two sets of figures over the same rows (labels of one
//! model, two models) see the same resamples.

use rand::SeedableRng;
use rand::distr::{Distribution, Uniform};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::metrics::{Binary, Confusion, Ranking, accuracy, macro_f1};

/// Resamples drawn unless the user asks for another number.
pub const DEFAULT_RESAMPLES: usize = 1_000;

/// The quantiles that bound an interval of 95 %.
const TAILS: (f64, f64) = (0.025, 0.975);

/// Lower and upper bound of a figure, of 95 % of its resamples.
pub type Interval = (f64, f64);

/// Intervals of the figures of [`Binary`]; `None` where [`interval`] gives none.
///
/// F1 and best F1 count as undefined on a resample without positives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct BinaryIntervals {
    /// Of [`Binary::roc_auc`].
    pub roc_auc: Option<Interval>,
    /// Of [`Binary::average_precision`].
    pub average_precision: Option<Interval>,
    /// Of [`Binary::f1`], the threshold held fixed.
    pub f1: Option<Interval>,
    /// Of [`Binary::best_f1`], the threshold chosen anew on every resample.
    pub best_f1: Option<Interval>,
    /// Of [`Binary::brier`].
    pub brier: Option<Interval>,
    /// Of [`Binary::ece`]. Resampling biases it upwards, so that on well calibrated scores the figure itself can lie
    /// near or below the lower bound.
    pub ece: Option<Interval>,
}

/// Intervals of the figures of [`Multiclass`](super::metrics::Multiclass); `None` where [`interval`] gives none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct MulticlassIntervals {
    /// Of the macro-F1; a class that a resample lacks altogether is left out of its mean.
    pub macro_f1: Option<Interval>,
    /// Of the accuracy.
    pub accuracy: Option<Interval>,
}

/// The interval of any figure of `n` rows: `statistic` gets the row numbers of a resample, repetitions included, and
/// answers `None` where the figure is undefined.
///
/// Undefined resamples are left out; if there are more than one in ten of them, what is left would not stand for the
/// rows and there is no interval. Neither is there one without rows or resamples, or of 2³² rows and more.
pub fn interval(
    n: usize,
    resamples: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> Option<Interval> {
    let rows = row_numbers(n)?;
    let values: Vec<Option<f64>> = (0..resamples)
        .into_par_iter()
        .map_init(
            || Vec::with_capacity(n),
            |drawn, resample| {
                drawn.clear();
                drawn.extend(draw(rows, n, seed, resample).map(|row| row as usize));
                statistic(drawn)
            },
        )
        .collect();
    percentiles(&values)
}

/// The intervals of the figures of one label; `scores`, `truth` and `threshold` as in [`binary`](super::metrics::binary).
///
/// The same as [`interval`] around `binary`, at the price of counting each resample over rows that are sorted once.
pub fn binary_intervals(
    scores: &[f64],
    truth: &[bool],
    threshold: f64,
    resamples: usize,
    seed: u64,
) -> BinaryIntervals {
    let ranking = Ranking::new(scores, truth, threshold);
    let figures = over_resamples(ranking.cells(), ranking.width(), resamples, seed, |counts| ranking.figures(counts));

    let of = |figure: fn(&Binary) -> Option<f64>| percentiles(&figures.iter().map(figure).collect::<Vec<_>>());
    BinaryIntervals {
        roc_auc: of(|figures| figures.roc_auc),
        average_precision: of(|figures| figures.average_precision),
        f1: of(|figures| (figures.positives > 0).then_some(figures.f1)),
        best_f1: of(|figures| (figures.positives > 0).then_some(figures.best_f1)),
        brier: of(|figures| Some(figures.brier)),
        ece: of(|figures| Some(figures.ece)),
    }
}

/// The intervals of a choice among `classes` classes; `truth` and `predicted` as in
/// [`multiclass`](super::metrics::multiclass).
pub fn multiclass_intervals(
    classes: usize,
    truth: &[usize],
    predicted: &[usize],
    resamples: usize,
    seed: u64,
) -> MulticlassIntervals {
    let confusion = Confusion::new(classes, truth, predicted);
    let figures = over_resamples(confusion.cells(), confusion.width(), resamples, seed, |counts| {
        let tallies = confusion.tallies(counts);
        (macro_f1(&tallies), accuracy(&tallies))
    });
    let (macro_f1, accuracy): (Vec<_>, Vec<_>) = figures.into_iter().unzip();
    MulticlassIntervals { macro_f1: percentiles(&macro_f1), accuracy: percentiles(&accuracy) }
}

/// What `figure` says of every resample, given how often it has each of the `width` cells that the rows fall in.
fn over_resamples<T: Send>(
    cells: &[u32],
    width: usize,
    resamples: usize,
    seed: u64,
    figure: impl Fn(&[u32]) -> T + Sync,
) -> Vec<T> {
    let Some(rows) = row_numbers(cells.len()) else { return Vec::new() };
    (0..resamples)
        .into_par_iter()
        .map_init(
            || vec![0_u32; width],
            |counts, resample| {
                counts.fill(0);
                for row in draw(rows, cells.len(), seed, resample) {
                    let cell = cells.get(row as usize).and_then(|&cell| counts.get_mut(cell as usize));
                    if let Some(count) = cell {
                        *count += 1;
                    }
                }
                figure(counts)
            },
        )
        .collect()
}

/// The distribution of row numbers below `n`; `None` if there are none, or too many to count in 32 bits. 32 bits on
/// every machine, so that a seed means the same everywhere.
fn row_numbers(n: usize) -> Option<Uniform<u32>> {
    Uniform::new(0, u32::try_from(n).ok()?).ok()
}

/// The row numbers of one resample.
fn draw(rows: Uniform<u32>, n: usize, seed: u64, resample: usize) -> impl Iterator<Item = u32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(resample as u64);
    rows.sample_iter(generator).take(n)
}

/// The interval that `values` span; see [`interval`] for those that are undefined.
fn percentiles(values: &[Option<f64>]) -> Option<Interval> {
    let mut defined: Vec<f64> = values.iter().copied().flatten().collect();
    if 10 * (values.len() - defined.len()) > values.len() {
        return None;
    }
    defined.sort_unstable_by(f64::total_cmp);
    Some((quantile(&defined, TAILS.0)?, quantile(&defined, TAILS.1)?))
}

/// The quantile of ascending `values`, interpolated linearly between neighbours (numpy's default).
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let place = share * values.len().checked_sub(1)? as f64;
    // Not negative, and below the length.
    #[expect(clippy::cast_sign_loss)]
    let below = place.floor() as usize;
    let low = *values.get(below)?;
    let high = values.get(below + 1).copied().unwrap_or(low);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_like_numpy() {
        // numpy.percentile([1, 2, 4, 8], [2.5, 97.5]) and of one value.
        let values = [Some(8.0), Some(1.0), Some(4.0), Some(2.0)];
        let (low, high) = percentiles(&values).unwrap();
        assert!((low - 1.075).abs() < 1e-12 && (high - 7.7).abs() < 1e-12, "{low} {high}");
        assert_eq!(percentiles(&[Some(3.0)]), Some((3.0, 3.0)));
    }

    #[test]
    fn too_many_undefined_resamples_leave_no_interval() {
        let values = |undefined| (0..100).map(|i| (i >= undefined).then_some(1.0)).collect::<Vec<_>>();
        assert_eq!(percentiles(&values(10)), Some((1.0, 1.0)));
        assert_eq!(percentiles(&values(11)), None);
        assert_eq!(percentiles(&[]), None);
    }

    #[test]
    fn every_resample_draws_other_rows_and_all_rows_are_drawn() {
        let rows = row_numbers(50).unwrap();
        let drawn: Vec<Vec<u32>> = (0..40).map(|resample| draw(rows, 50, 1, resample).collect()).collect();
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
        assert!((0..50).all(|row| drawn.iter().flatten().any(|&other| other == row)));
    }
}
