//! Reliability diagrams (`DeGroot` & Fienberg 1983): what was predicted beside what was observed, as bins and as text.

use serde::Serialize;

use super::evaluation::{lines, number};
use crate::train::threshold::wilson;

/// Bins of a diagram: as many rows in each as ties allow, so that rare labels are told apart where their scores are.
const BINS: usize = 10;
/// Characters of a line that stand for the range of rates.
const WIDTH: usize = 41;

/// Rows of neighbouring scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    /// Rows.
    pub n: usize,
    /// Lowest score.
    pub lowest: f64,
    /// Highest score.
    pub highest: f64,
    /// Mean score: the rate that is predicted.
    pub predicted: f64,
    /// Share of the rows where the label is true: the rate that is observed.
    pub observed: f64,
    /// Its 95 % interval (Wilson 1927).
    pub interval: (f64, f64),
}

/// Parts rows into [`BINS`] bins of equal size, from the lowest score up. Equal scores stay together, so that there may be fewer.
pub fn reliability(scores: &[f64], truth: &[bool]) -> Vec<Bin> {
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(truth.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut bins = Vec::new();
    let mut rest = rows.as_slice();
    for left in (1..=BINS).rev() {
        let wanted = rest.len().div_ceil(left);
        let Some(last) = wanted.checked_sub(1).and_then(|last| rest.get(last)) else { continue };
        let end = rest.partition_point(|row| row.0 <= last.0);
        let (own, others) = rest.split_at(end);
        bins.extend(bin(own));
        rest = others;
    }
    bins
}

fn bin(rows: &[(f64, bool)]) -> Option<Bin> {
    let n = rows.len();
    let hits = rows.iter().filter(|row| row.1).count();
    Some(Bin {
        n,
        lowest: rows.first()?.0,
        highest: rows.last()?.0,
        predicted: rows.iter().map(|row| row.0).sum::<f64>() / n as f64,
        observed: hits as f64 / n as f64,
        interval: wilson(hits, n),
    })
}

/// The diagram as text: a line a bin, on it `o` for the observed rate within its interval and `+` for the predicted one, `#` where both
/// are the same. Lines end in a line feed.
pub fn diagram(bins: &[Bin]) -> String {
    let most = bins.iter().map(|bin| bin.interval.1.max(bin.predicted)).fold(0.0, f64::max);
    // The axis ends at a tenth, so that diagrams can be compared.
    let end = ((most * 10.0).ceil() / 10.0).clamp(0.1, 1.0);
    let mut table = super::evaluation::table(["predicted", "observed [95 %]", "rows", &axis(end)]);
    for bin in bins {
        let (low, high) = bin.interval;
        table.add_row([
            number(Some(bin.predicted)),
            format!("{} [{low:.3}, {high:.3}]", number(Some(bin.observed))),
            bin.n.to_string(),
            line(bin, end),
        ]);
    }
    lines(table)
}

/// `0` at the left end of the lines and the highest rate at the right one.
fn axis(end: f64) -> String {
    format!("0{end:>width$.1}", width = WIDTH - 1)
}

fn line(bin: &Bin, end: f64) -> String {
    // Rates are 0 to `end`, so places are 0 to WIDTH - 1.
    #[expect(clippy::cast_sign_loss)]
    let place = |rate: f64| ((rate / end).clamp(0.0, 1.0) * (WIDTH - 1) as f64).round() as usize;
    let (low, high) = (place(bin.interval.0), place(bin.interval.1));
    let (predicted, observed) = (place(bin.predicted), place(bin.observed));
    let mark = |at: usize| match at {
        _ if at == predicted && at == observed => '#',
        _ if at == predicted => '+',
        _ if at == observed => 'o',
        _ if (low..=high).contains(&at) => '-',
        _ => '\u{b7}',
    };
    (0..WIDTH).map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_share_the_rows_and_keep_equal_scores_together() {
        let scores: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        let truth: Vec<bool> = (0..1000).map(|i| i % 2 == 0).collect();
        let bins = reliability(&scores, &truth);
        assert!(bins.len() == BINS && bins.iter().all(|bin| bin.n == 100 && (bin.observed - 0.5).abs() < 1e-9));
        assert!((bins[3].predicted - 0.3495).abs() < 1e-9);

        let mut tied = vec![0.1; 700];
        tied.extend([0.2; 300]);
        let bins = reliability(&tied, &truth);
        assert_eq!(bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [700, 300]);
        assert!(reliability(&[], &[]).is_empty());
    }

    #[test]
    fn the_diagram_marks_what_was_predicted_and_what_was_observed() {
        let scores = [vec![0.25; 40], vec![0.75; 40]].concat();
        let truth: Vec<bool> = (0..80).map(|i| if i < 40 { i % 4 == 0 } else { i % 4 == 1 }).collect();
        let text = diagram(&reliability(&scores, &truth));
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert!(rows[0].contains('#') && !rows[0].contains('+'), "{text}");
        let (predicted, observed) = (rows[1].find('+').unwrap(), rows[1].find('o').unwrap());
        assert!(observed < predicted, "{text}");
    }
}
