//! The sentences of a text (UAX #29) that can be scored by themselves.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// The byte ranges of the sentences of a text, without the white space around them. Bare punctuation (`...`) belongs to what is before it.
pub fn of(text: &str) -> Vec<Range<usize>> {
    let mut sentences: Vec<Range<usize>> = Vec::new();
    for (start, piece) in text.split_sentence_bound_indices() {
        let inner = piece.trim();
        if inner.is_empty() {
            continue;
        }
        let start = start + (piece.len() - piece.trim_start().len());
        let end = start + inner.len();
        match sentences.last_mut() {
            Some(last) if inner.bytes().all(|b| b.is_ascii_punctuation()) => last.end = end,
            _ => sentences.push(start..end),
        }
    }
    sentences
}

/// UTF-16 offsets of ranges of a text; the ranges must ascend.
pub fn utf16<'a>(text: &'a str, ranges: &'a [Range<usize>]) -> impl Iterator<Item = [usize; 2]> + 'a {
    let (mut byte, mut unit) = (0, 0);
    let mut at = move |to: usize| {
        unit += text.get(byte..to).map_or(0, |between| between.chars().map(char::len_utf16).sum());
        byte = to;
        unit
    };
    ranges.iter().map(move |range| [at(range.start), at(range.end)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_have_utf16_offsets_and_no_white_space() {
        let text = "  You 😀 idiot!  Go home... Now.\n ... \nWhy?";
        let sentences = of(text);
        let words: Vec<&str> = sentences.iter().map(|s| &text[s.clone()]).collect();
        assert_eq!(words, ["You 😀 idiot!", "Go home...", "Now.\n ...", "Why?"]);
        let units: Vec<[usize; 2]> = utf16(text, &sentences).collect();
        assert_eq!(units, [[2, 15], [17, 27], [28, 37], [39, 43]]);
        assert!(of(" \n ").is_empty());
    }
}
