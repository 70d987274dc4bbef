//! Local maxima: incivility often sits in a word or two, so a few heads are also read at their highest word and at their highest four
//! words in a row. Training and scoring both go through here.

use std::ops::Range;

/// Words in a row that a peak looks at.
pub const SIZES: [usize; 2] = [1, 4];
/// Peaks a head has.
pub const COUNT: usize = SIZES.len();

/// The highest stretch of a text for one head.
#[derive(Debug, Clone, PartialEq)]
pub struct Peak {
    /// What its words and the pairs inside it add up to, over the square root of its length; 0 without words.
    pub value: f32,
    /// Its words.
    pub words: Range<usize>,
}

/// The highest `size` words in a row among `range`: all of them where there are fewer. `word(i)` is what the `i`-th word says and
/// `pair(i)` the pair that it closes. The first of equally high ones counts.
pub fn highest(range: Range<usize>, size: usize, word: impl Fn(usize) -> f32, pair: impl Fn(usize) -> f32) -> Peak {
    let size = size.min(range.len()).max(1);
    let root = (size as f32).sqrt();
    let mut best = Peak { value: 0.0, words: range.start..range.start };
    for start in range.start..(range.end + 1).saturating_sub(size).max(range.start) {
        let end = start + size;
        let sum = (start..end).map(&word).sum::<f32>() + (start + 1..end).map(&pair).sum::<f32>();
        if best.words.is_empty() || sum / root > best.value {
            best = Peak { value: sum / root, words: start..end };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_the_highest_stretch_with_the_pairs_inside_it() {
        let words = [0.0, 2.0, -1.0, 3.0, 0.5];
        let pair = |i: usize| if i == 2 { 4.0 } else { 0.0 };
        let one = highest(0..5, 1, |i| words[i], pair);
        assert_eq!(one, Peak { value: 3.0, words: 3..4 });
        let two = highest(0..5, 2, |i| words[i], pair);
        assert_eq!(two.words, 1..3);
        assert!((two.value - 5.0 / 2f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_text_shorter_than_the_stretch_is_its_own_peak_and_no_words_are_none() {
        let peak = highest(1..3, 4, |i| i as f32, |_| 0.0);
        assert_eq!(peak.words, 1..3);
        assert!((peak.value - 3.0 / 2f32.sqrt()).abs() < 1e-6);
        assert_eq!(highest(4..4, 4, |_| 1.0, |_| 1.0), Peak { value: 0.0, words: 4..4 });
    }

    #[test]
    fn a_text_of_low_words_has_a_low_peak() {
        assert!(highest(0..2, 1, |_| -1.0, |_| 0.0).value < 0.0);
    }
}
