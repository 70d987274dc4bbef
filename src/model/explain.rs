//! Exact explanations: a logit is a sum, so every word, word pair, style feature and relation has a share in it, and the shares add up.

use std::ops::Range;

use serde::Serialize;

use super::scoring::{Item, Scratch, Unscored, calibrated, sigmoid};
use super::sums::Sums;
use super::{Model, WINDOW, Weights, peaks};
use crate::features::{relation, style};
use crate::record::{Mention, Span};
use crate::text::clean::Clean;
use crate::text::words::Words;

/// Why one label has the probability it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The label.
    pub label: String,
    /// Its probability.
    pub probability: f32,
    /// Log-odds of the probability: `base` and all shares add up to it.
    pub logit: f32,
    /// What the label has before any word: base rate, intercept, calibration.
    pub base: f32,
    /// For a long text the bytes of the window that decided; words outside it have a share in local maxima only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Range<usize>>,
    /// The shares, largest first by size.
    pub shares: Vec<Share>,
}

/// The part that one thing has in a logit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Share {
    /// What it is.
    pub kind: Kind,
    /// The words as written, or the name of the feature.
    pub text: String,
    /// What it adds to the logit; negative shares speak against the label.
    pub share: f32,
    /// Where the words stand.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

/// What has a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One word.
    Word,
    /// Two words in a row.
    Pair,
    /// How the text is typed.
    Style,
    /// How a reply relates to its parent.
    Relation,
    /// How the text speaks of a target.
    Target,
}

/// UTF-16 offsets of byte offsets, for texts that are asked often.
#[derive(Debug, Clone)]
pub struct Utf16(Vec<u32>);

impl Utf16 {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        let mut units = vec![0u32; text.len() + 1];
        let mut at = 0;
        for (i, c) in text.char_indices() {
            units[i..i + c.len_utf8()].fill(at);
            at += c.len_utf16() as u32;
        }
        units[text.len()] = at;
        Self(units)
    }

    /// The place of a range of bytes.
    pub fn span(&self, range: &Range<usize>) -> Span {
        let unit = |byte: usize| self.0.get(byte).or(self.0.last()).map_or(0, |&u| u as usize);
        Span { start: range.start, end: range.end, utf16_start: unit(range.start), utf16_end: unit(range.end) }
    }
}

impl Model {
    /// Explains every label of a comment.
    pub fn explain(&self, item: &Item<'_>, scratch: &mut Scratch) -> Result<Vec<Explanation>, Unscored> {
        self.read(item, scratch)?;
        self.text_logits(item.text, scratch);
        let relation = self.relation(item, scratch);
        let text = Original::new(item.text);
        let whole = style::of(item.text, &scratch.quoted, &scratch.words);
        let styles = [whole, style::shortened(&whole, WINDOW)].map(|style| self.manifest.style.apply(&style));
        Ok((0..self.manifest.labels.len())
            .map(|k| self.explain_label(k, &text, &styles, relation.as_ref(), scratch))
            .collect())
    }

    fn explain_label(
        &self,
        k: usize,
        text: &Original<'_>,
        styles: &[[f32; style::COUNT]; 2],
        relation: Option<&[f32; relation::COUNT]>,
        scratch: &Scratch,
    ) -> Explanation {
        let head = &self.manifest.labels[k];
        let logits = &scratch.text;
        let (_, in_window) = head.calibration.deciding(logits.whole[k], logits.highest[k]);
        let step = head.calibration.relation.as_ref().zip(relation);
        let outer = step.map_or(1.0, |(step, _)| step.slope);
        let slope = outer * head.calibration.slope;
        let window = if in_window { logits.window[k].clone() } else { 0..scratch.words.len() };
        let (words, pairs) = self.word_shares(k, &window, &scratch.sums);

        let mut shares = Vec::new();
        for i in 0..scratch.words.len() {
            text.push(&mut shares, Kind::Word, &scratch.words, i..i + 1, slope * words[i]);
            if i > 0 {
                text.push(&mut shares, Kind::Pair, &scratch.words, i - 1..i + 1, slope * pairs[i]);
            }
        }
        let mut push_named = |kind, name: &str, share: f32| {
            if share != 0.0 {
                shares.push(Share { kind, text: name.to_owned(), share, span: None });
            }
        };
        for (i, value) in styles[usize::from(in_window)].iter().enumerate() {
            push_named(Kind::Style, style::NAMES[i], slope * value * self.weights.style[i * self.weights.columns + k]);
        }
        if let Some((step, relation)) = step {
            for (i, value) in relation.iter().enumerate() {
                push_named(Kind::Relation, relation::NAMES[i], step.weights[i] * value);
            }
        }
        let logit = calibrated(&head.calibration, logits, k, relation);
        let base = logit - shares.iter().map(|s| s.share).sum::<f32>();
        shares.sort_by(|a, b| b.share.abs().total_cmp(&a.share.abs()));
        Explanation {
            label: head.name.clone(),
            probability: sigmoid(logit),
            logit,
            base,
            window: in_window.then(|| scratch.words.source(&text.clean, window)),
            shares,
        }
    }

    /// What each word of a text, and the pair that it closes, adds to head `k`: its part of the sum over the window, and of the local
    /// maxima of the pooled heads that it stands in.
    pub(super) fn word_shares(&self, k: usize, window: &Range<usize>, sums: &Sums) -> (Vec<f32>, Vec<f32>) {
        let root = (window.len().max(1) as f32).sqrt();
        let (mut words, mut pairs) = (vec![0.0; sums.len()], vec![0.0; sums.len()]);
        for i in window.clone() {
            words[i] = sums.word(i, k) / root;
            if i > window.start {
                pairs[i] = sums.pair(i, k) / root;
            }
        }
        let Weights { columns, pools, pool_weights, .. } = &self.weights;
        let of_head = pool_weights.chunks_exact((pools * peaks::COUNT).max(1)).nth(k).unwrap_or_default();
        for (pool, counts) in (columns - pools..*columns).zip(of_head.chunks_exact(peaks::COUNT)) {
            for (peak, count) in sums.peaks(pool).into_iter().zip(counts) {
                let root = (peak.words.len().max(1) as f32).sqrt();
                for i in peak.words.clone() {
                    words[i] += count * sums.word(i, pool) / root;
                    if i > peak.words.start {
                        pairs[i] += count * sums.pair(i, pool) / root;
                    }
                }
            }
        }
        (words, pairs)
    }
}

/// The text as written, and the ways to its offsets.
pub(super) struct Original<'a> {
    text: &'a str,
    clean: Clean<'a>,
    units: Utf16,
}

impl<'a> Original<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, clean: Clean::new(text), units: Utf16::of(text) }
    }

    /// The words at a place.
    pub fn mention(&self, place: Range<usize>) -> Mention {
        Mention { span: self.units.span(&place), text: self.text.get(place).unwrap_or_default().to_owned() }
    }

    pub fn push(&self, shares: &mut Vec<Share>, kind: Kind, words: &Words, range: Range<usize>, share: f32) {
        if share != 0.0 {
            let bytes = words.source(&self.clean, range);
            let text = self.text.get(bytes.clone()).unwrap_or_default().to_owned();
            shares.push(Share { kind, text, share, span: Some(self.units.span(&bytes)) });
        }
    }
}
