//! Shares of counted things with their intervals.

use serde::Serialize;

use crate::train::bootstrap::Interval;

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// How many of some things have a property.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// How many there are.
    pub n: u64,
    /// How many have it.
    pub hits: u64,
    /// Their share, 0 to 1; `None` if there are none.
    pub rate: Option<f64>,
    /// Its 95 % score interval (Wilson 1927).
    pub interval: Option<Interval>,
}

impl Rate {
    /// `hits` of `n`.
    pub fn of(hits: u64, n: u64) -> Self {
        if n == 0 {
            return Self { n, hits, rate: None, interval: None };
        }
        let (count, p) = (n as f64, hits as f64 / n as f64);
        let weight = 1.0 + Z * Z / count;
        let centre = (p + Z * Z / (2.0 * count)) / weight;
        let half = Z / weight * (p * (1.0 - p) / count + Z * Z / (4.0 * count * count)).sqrt();
        Self { n, hits, rate: Some(p), interval: Some(((centre - half).max(0.0), (centre + half).min(1.0))) }
    }

    /// How many of `things` are true.
    pub fn among(things: impl IntoIterator<Item = bool>) -> Self {
        let (hits, n) = things.into_iter().fold((0, 0), |(hits, n), hit| (hits + u64::from(hit), n + 1));
        Self::of(hits, n)
    }
}

/// The lowest threshold at or above which at most `share` of `scores` lie.
pub(super) fn threshold_at(share: f64, scores: impl Iterator<Item = f64>) -> f64 {
    let mut scores: Vec<f64> = scores.collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    // Never negative, and at most the number of scores.
    #[expect(clippy::cast_sign_loss)]
    let allowed = (share * scores.len() as f64).floor() as usize;
    scores.get(allowed).map_or(0.0, |first_below| first_below.next_up())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        // By hand and as statsmodels' proportion_confint(method="wilson"): 8 of 10, and none of 20.
        let close = |(low, high): Interval, (l, h): Interval| (low - l).abs() < 5e-4 && (high - h).abs() < 5e-4;
        assert!(close(Rate::of(8, 10).interval.unwrap(), (0.4902, 0.9433)));
        assert!(close(Rate::of(0, 20).interval.unwrap(), (0.0, 0.1611)));
        assert_eq!(Rate::of(0, 0).interval, None);
    }

    #[test]
    fn a_threshold_flags_no_more_than_the_share() {
        let scores = [0.1, 0.2, 0.3, 0.3, 0.3, 0.6, 0.7, 0.8, 0.9, 1.0];
        for (share, flagged) in [(0.0, 0), (0.1, 1), (0.25, 2), (0.5, 5), (0.6, 5), (0.9, 9), (1.0, 10)] {
            let threshold = threshold_at(share, scores.into_iter());
            assert_eq!(scores.iter().filter(|p| **p >= threshold).count(), flagged, "{share}");
        }
    }
}
