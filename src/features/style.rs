//! Style: fourteen numbers that say how a text is typed rather than what it says.

use std::ops::Range;

use crate::text::words::{URL, USER, Words, hash};

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
    let (mut letters, mut capitals, mut lines, mut masks) = (0usize, 0usize, 1usize, 0usize);
    let mut last = ' ';
    let mut quoted = quoted.iter().peekable();
    for (at, c) in source.char_indices() {
        while quoted.next_if(|range| range.end <= at).is_some() {}
        if quoted.peek().is_some_and(|range| range.start <= at) {
            continue;
        }
        letters += usize::from(c.is_alphabetic());
        capitals += usize::from(c.is_uppercase());
        lines += usize::from(c == '\n');
        // "f**k", "sh#t": a mask right after a letter
        masks += usize::from(matches!(c, '*' | '#' | '$' | '%') && last.is_alphabetic());
        last = c;
    }
    let mut out = [0.0; COUNT];
    let (mut text_words, mut text_bytes) = (0usize, 0usize);
    let (url, user) = (hash(URL), hash(USER));
    for word in words {
        let lower = words.lower(word);
        if word.is_text {
            text_words += 1;
            text_bytes += lower.len();
        }
        out[3] += f32::from(word.shouted);
        match lower {
            "!" | "!!" => out[4] += 1.0,
            "?" | "??" => out[5] += 1.0,
            "?!" => {
                out[4] += 1.0;
                out[5] += 1.0;
            }
            "..." | "\u{2026}" => out[6] += 1.0,
            _ if word.hash == url => out[7] += 1.0,
            _ if word.hash == user => out[8] += 1.0,
            _ if lower.starts_with(|c: char| c.is_ascii_digit()) => out[9] += 1.0,
            _ if word.is_text => out[10] += f32::from(word.stretched),
            _ => out[13] += 1.0,
        }
    }
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
