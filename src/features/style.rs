//! Style: fourteen numbers that say how a text is typed rather than what it says.

use std::ops::Range;

use crate::text::words::{Kind, Words};

/// How many style features there are.
pub const COUNT: usize = 14;

/// Their names, for explanations.
pub const NAMES: [&str; COUNT] = [
    "length in words",
    "word length",
    "capital letters",
    "words in capitals",
    "exclamation marks",
    "question marks",
    "ellipses",
    "links",
    "mentions",
    "numbers",
    "stretched words",
    "masked words",
    "lines",
    "other punctuation",
];

/// The style of a text: its words and the source they came from, without the byte ranges `quoted` (sorted).
pub fn of(source: &str, quoted: &[Range<usize>], words: &Words) -> [f32; COUNT] {
    let n = words.len().max(1) as f32;
    let share = |count: usize| count as f32 / n;
    let Signs { letters, capitals, lines, masks } =
        if quoted.is_empty() { Signs::of_all(source) } else { Signs::of(source, quoted) };
    let mut out = [0.0; COUNT];
    let (mut text_words, mut text_bytes) = (0usize, 0usize);
    let mut kinds = [0usize; Kind::COUNT];
    let (mut shouted, mut stretched) = (0usize, 0usize);
    for word in words {
        kinds[word.kind as usize] += 1;
        text_words += usize::from(word.is_text);
        text_bytes += if word.is_text { word.size() } else { 0 };
        shouted += usize::from(word.shouted);
        stretched += usize::from(word.stretched && word.kind == Kind::Letters);
    }
    let of = |kind: Kind| kinds[kind as usize] as f32;
    out[3] = shouted as f32;
    out[4] = of(Kind::Exclamation) + of(Kind::Both);
    out[5] = of(Kind::Question) + of(Kind::Both);
    out[6] = of(Kind::Ellipsis);
    out[7] = of(Kind::Link);
    out[8] = of(Kind::Mention);
    out[9] = of(Kind::Number);
    out[10] = stretched as f32;
    out[13] = of(Kind::Mark);
    for slot in [3, 4, 5, 6, 7, 8, 9, 10, 13] {
        out[slot] /= n;
    }
    out[0] = n.ln();
    out[1] = text_bytes as f32 / text_words.max(1) as f32;
    out[2] = capitals as f32 / letters.max(1) as f32;
    out[11] = share(masks);
    out[12] = (lines as f32).ln();
    out
}

/// What is counted by characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Signs {
    letters: usize,
    capitals: usize,
    lines: usize,
    /// "f**k", "sh#t": a mask right after a letter.
    masks: usize,
}

impl Signs {
    fn of(source: &str, quoted: &[Range<usize>]) -> Self {
        let mut found = Self { lines: 1, ..Self::default() };
        let mut last = ' ';
        let mut quoted = quoted.iter().peekable();
        for (at, c) in source.char_indices() {
            while quoted.next_if(|range| range.end <= at).is_some() {}
            if quoted.peek().is_some_and(|range| range.start <= at) {
                continue;
            }
            found.letters += usize::from(c.is_alphabetic());
            found.capitals += usize::from(c.is_uppercase());
            found.lines += usize::from(c == '\n');
            found.masks += usize::from(is_mask(c) && last.is_alphabetic());
            last = c;
        }
        found
    }

    /// The same for a text of which nothing is quoted: what is plain is counted by its bytes.
    fn of_all(source: &str) -> Self {
        let [letters, capitals, lines, masks] = pulp::Arch::new().dispatch(Count(source.as_bytes()));
        let mut found = Self { letters, capitals, lines: 1 + lines, masks };
        if masks > 0 {
            let behind_letter = |at: usize| source[..at].chars().next_back().is_some_and(char::is_alphabetic);
            let masks = source.char_indices().filter(|(_, c)| is_mask(*c));
            found.masks = masks.filter(|(at, _)| behind_letter(*at)).count();
        }
        if !source.is_ascii() {
            for c in source.chars().filter(|c| !c.is_ascii()) {
                found.letters += usize::from(c.is_alphabetic());
                found.capitals += usize::from(c.is_uppercase());
            }
        }
        found
    }
}

/// Counts letters, capitals, line feeds and signs that may mask a letter, by bytes and in the widest instructions there are.
struct Count<'a>(&'a [u8]);

impl pulp::WithSimd for Count<'_> {
    type Output = [usize; 4];

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> [usize; 4] {
        let (lanes, rest) = self.0.as_chunks::<LANE>();
        let mut last = [0u8; LANE];
        last[..rest.len()].copy_from_slice(rest);
        let mut found = [0; 4];
        // As many as a byte can count.
        for lanes in lanes.chunks(255).chain([std::slice::from_ref(&last)]) {
            let mut counts = [[0u8; LANE]; 4];
            for lane in lanes {
                for k in 0..LANE {
                    let b = lane[k];
                    counts[0][k] += u8::from((b | 0x20).wrapping_sub(b'a') < 26);
                    counts[1][k] += u8::from(b.wrapping_sub(b'A') < 26);
                    counts[2][k] += u8::from(b == b'\n');
                    // `#`, `$` and `%` stand side by side.
                    counts[3][k] += u8::from(b == b'*') | u8::from(b.wrapping_sub(b'#') < 3);
                }
            }
            for (found, counts) in found.iter_mut().zip(counts) {
                *found += counts.iter().map(|n| usize::from(*n)).sum::<usize>();
            }
        }
        found
    }
}

/// Bytes that are counted at a time.
const LANE: usize = 32;

fn is_mask(c: char) -> bool {
    matches!(c, '*' | '#' | '$' | '%')
}

/// The style of a text as it would be if it had `words` words on one line: what a part of it is judged by, so that the length of the
/// whole counts nothing.
pub fn shortened(style: &[f32; COUNT], words: usize) -> [f32; COUNT] {
    let mut out = *style;
    out[0] = (words.max(1) as f32).ln();
    out[12] = 0.0;
    out
}

/// Mean and spread of each style feature over a training set, to standardise by.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Scale {
    /// Mean of each feature.
    pub mean: [f32; COUNT],
    /// Standard deviation of each feature, 1 where it does not vary.
    pub deviation: [f32; COUNT],
}

/// What a standardised style feature is multiplied by, so that L2 holds it down as it does words.
const STRENGTH: f32 = 0.1;
/// Standardised features are clipped here: one odd text must not outweigh its words.
const CLIP: f32 = 4.0;

impl Scale {
    /// The scale of a set of texts.
    pub fn of<'a>(styles: impl Iterator<Item = &'a [f32; COUNT]> + Clone) -> Self {
        let mut n = 0.0f64;
        let mut sum = [0.0f64; COUNT];
        let mut squares = [0.0f64; COUNT];
        for style in styles {
            n += 1.0;
            for (i, &v) in style.iter().enumerate() {
                sum[i] += f64::from(v);
                squares[i] += f64::from(v) * f64::from(v);
            }
        }
        let n = n.max(1.0);
        let mut scale = Self { mean: [0.0; COUNT], deviation: [1.0; COUNT] };
        for i in 0..COUNT {
            let mean = sum[i] / n;
            let deviation = (squares[i] / n - mean * mean).max(0.0).sqrt();
            scale.mean[i] = mean as f32;
            scale.deviation[i] = if deviation > 1e-6 { deviation as f32 } else { 1.0 };
        }
        scale
    }

    /// The features as a head sees them.
    pub fn apply(&self, style: &[f32; COUNT]) -> [f32; COUNT] {
        let mut out = [0.0; COUNT];
        for i in 0..COUNT {
            out[i] = ((style[i] - self.mean[i]) / self.deviation[i]).clamp(-CLIP, CLIP) * STRENGTH;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Signs;

    proptest! {
        #[test]
        fn signs_are_counted_alike_with_and_without_a_quotation(text in "(\\PC|[a-zA-Z*#$%\n]){0,600}") {
            // An empty quotation behind the end makes the slow way of it.
            let end = text.len()..text.len();
            prop_assert_eq!(Signs::of_all(&text), Signs::of(&text, std::slice::from_ref(&end)));
        }
    }
}
