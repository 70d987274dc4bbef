//! Words run together, as in hashtags (`worththewait`, `vote2020`): the words they are made of.
//!
//! The likeliest reading by the words' ranks, taking frequency to fall as one over the rank (Zipf), found by Viterbi's algorithm.

use super::vectors::Vectors;

/// Shorter words are no compounds, longer ones are not looked at.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=48;
/// A part is among this many most frequent words,
const COMMON: usize = 20_000;
/// and if it has two letters only, among this many.
const COMMON_SHORT: usize = 150;
/// Longest part.
const LONGEST: usize = 20;

/// The words that a lower-case word is made of; none if it is known itself or has another reading. Digits part words and are left out.
pub fn split<'w>(word: &'w str, vectors: &Vectors) -> Vec<&'w str> {
    let wanted = LENGTHS.contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric());
    if !wanted || vectors.rank(word).is_some() {
        return Vec::new();
    }
    let mut parts = Vec::new();
    for letters in word.split(|c: char| c.is_ascii_digit()).filter(|letters| !letters.is_empty()) {
        let Some(found) = read(letters, vectors) else { return Vec::new() };
        parts.extend(found);
    }
    parts
}

/// The likeliest way to part letters into words.
fn read<'w>(letters: &'w str, vectors: &Vectors) -> Option<Vec<&'w str>> {
    // For each end the cost of the cheapest reading up to it, and where its last word begins.
    let mut best: Vec<Option<(f32, usize)>> = vec![None; letters.len() + 1];
    *best.first_mut()? = Some((0.0, 0));
    for end in 1..=letters.len() {
        let reading = |start: usize| {
            let (before, _) = (*best.get(start)?)?;
            Some((before + cost(letters.get(start..end)?, vectors)?, start))
        };
        let cheapest = (end.saturating_sub(LONGEST)..end).filter_map(reading).min_by(|a, b| a.0.total_cmp(&b.0));
        *best.get_mut(end)? = cheapest;
    }
    let mut parts = Vec::new();
    let mut end = letters.len();
    while end > 0 {
        let (_, start) = (*best.get(end)?)?;
        parts.push(letters.get(start..end)?);
        end = start;
    }
    parts.reverse();
    Some(parts)
}

fn cost(word: &str, vectors: &Vectors) -> Option<f32> {
    let most = match word.len() {
        0 | 1 => 0,
        2 => COMMON_SHORT,
        _ => COMMON,
    };
    let rank = vectors.rank(word).filter(|&rank| rank < most)?;
    let words = vectors.len() as f32;
    Some(((rank as f32 + 2.0) * words.ln()).ln())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn hashtags_are_read_by_their_words() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for word in ["the", "to", "of", "or", "worth", "wait", "vote", "port", "rip", "them"] {
            writeln!(file, "{word} 0.5 1").unwrap();
        }
        let vectors = Vectors::read_text(file.path(), 100, |_| true).unwrap();
        assert_eq!(split("worththewait", &vectors), ["worth", "the", "wait"]);
        assert_eq!(split("vote2020", &vectors), ["vote"]);
        assert!(split("worth", &vectors).is_empty(), "known");
        assert!(split("worththexwait", &vectors).is_empty(), "x is no word");
        assert!(split("12345", &vectors).is_empty());
    }
}
