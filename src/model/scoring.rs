//! Scoring one comment: words to sums, sums to logits, logits to probabilities. What batch scoring, explanations and the command line
//! all go through.

use std::collections::HashMap;
use std::ops::Range;

use super::calibrate::Calibration;
use super::reply::parent_inputs;
use super::target::{COPIES, PairHead, Seen, Target, TargetScore, Undecided, step_inputs};
use super::{COMMON, LONG, Model, STRIDE, WINDOW};
use crate::features::pair::{Sensed, Senses, Sensing};
use crate::features::{grams, relation, starts, style};
use crate::label::TARGET_STANCES;
use crate::text::clean::Clean;
use crate::text::polarity::Role;
use crate::text::words::{Words, pair};
use crate::text::{language, quotes};
use crate::thread::Status;

/// Unknown words remembered by one worker.
const REMEMBERED: usize = 1 << 16;

/// A comment to score.
#[derive(Debug, Clone, Copy, Default)]
pub struct Item<'a> {
    /// The text as written.
    pub text: &'a str,
    /// Bytes of it that the source marks as quoted.
    pub quotes: &'a [Range<usize>],
    /// The text of the comment it answers.
    pub parent: Option<&'a str>,
    /// Targets to give the stance toward. Empty: all that the model has own heads for.
    pub targets: &'a [String],
}

/// Why a comment has no scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unscored {
    /// Nothing in it, or nothing but punctuation.
    Empty,
    /// Every word is quoted from somebody else.
    OnlyQuoted,
    /// Longer than `--max-text`.
    TooLong,
    /// Deleted or spam, and not asked for.
    Status(Status),
    /// Plainly in another language than the model's (ISO 639-3).
    OtherLanguage(&'static str),
}

impl Unscored {
    /// The reason in words.
    pub fn reason(self) -> String {
        match self {
            Self::Empty => "empty".to_owned(),
            Self::OnlyQuoted => "only quoted text".to_owned(),
            Self::TooLong => "longer than --max-text".to_owned(),
            Self::Status(status) => status.name().to_owned(),
            Self::OtherLanguage(code) => format!("not in the model's language: {code}"),
        }
    }
}

/// The scores of one comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// One probability a label of the model, in its order.
    pub labels: Vec<f32>,
    /// Probabilities of the stances toward the parent; absent without a parent or a head.
    pub parent: Option<Vec<f32>>,
    /// The stances toward targets.
    pub targets: Vec<TargetScore>,
}

/// What a worker reuses from comment to comment.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    pub(super) words: Words,
    pub(super) quoted: Vec<Range<usize>>,
    parent_words: Words,
    names: Vec<u64>,
    ids: Vec<u32>,
    unknown: HashMap<u64, Box<[f32]>>,
    each: Vec<f32>,
    pub(super) text: TextLogits,
    senses: Senses,
    places: Vec<u32>,
    seen: Seen,
}

/// The logits of a text's own words, before calibration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TextLogits {
    /// Of the whole text, one a head.
    pub whole: Vec<f32>,
    /// Of the highest window, one a head; the same as `whole` where there is one window only.
    pub highest: Vec<f32>,
    /// The words of that window, one a head.
    pub window: Vec<Range<usize>>,
    /// How many windows there are.
    pub windows: usize,
}

impl Model {
    /// Scores one comment.
    pub fn score(&self, item: &Item<'_>, scratch: &mut Scratch) -> Result<Scores, Unscored> {
        self.read(item, scratch)?;
        self.text_logits(item.text, scratch);
        let relation = self.relation(item, scratch);
        let labels = self.manifest.labels.iter().enumerate();
        let labels = labels
            .map(|(k, head)| sigmoid(calibrated(&head.calibration, &scratch.text, k, relation.as_ref())))
            .collect();
        let parent = match (&self.manifest.parent, &relation) {
            (Some(head), Some(relation)) => {
                let logits = self.parent_logits(head.first_column, head.step.classes.len(), scratch);
                Some(head.step.probabilities(&parent_inputs(&logits, relation)))
            }
            _ => None,
        };
        Ok(Scores { labels, parent, targets: self.target_stances(item.targets, scratch) })
    }

    /// Reads the own words of a comment into `scratch`, and what of it is quoted.
    pub(super) fn read(&self, item: &Item<'_>, scratch: &mut Scratch) -> Result<(), Unscored> {
        scratch.quoted = quotes::find(item.text, item.parent, item.quotes);
        let clean = Clean::new(item.text);
        scratch.words.read(&clean, &scratch.quoted);
        // Emoji say something, bare punctuation does not.
        let says = |w: &crate::text::words::Word| w.is_text || !scratch.words.lower(w).is_ascii();
        if !scratch.words.iter().any(says) {
            return Err(if scratch.quoted.is_empty() { Unscored::Empty } else { Unscored::OnlyQuoted });
        }
        if let Some(language) = &self.manifest.language {
            let is_common = |hash| self.weights.words.find(hash).is_some_and(|row| (row as usize) < COMMON);
            let common = scratch.words.iter().filter(|w| w.is_text && is_common(w.hash)).count();
            if let Some(other) = language::other_than(language, clean.text(), &scratch.words, common) {
                return Err(Unscored::OtherLanguage(other));
            }
        }
        Ok(())
    }

    /// The logits of all heads for the words in `scratch`.
    pub(super) fn text_logits(&self, source: &str, scratch: &mut Scratch) {
        let columns = self.weights.columns;
        let n = scratch.words.len();
        let base = self.base(&self.style(source, scratch));
        // `each` holds, for every word, its row and that of the pair it closes, summed up from the first word on.
        let mut each = std::mem::take(&mut scratch.each);
        each.clear();
        each.resize((n + 1) * columns, 0.0);
        let mut pairs = vec![0.0; n * columns];
        for i in 0..n {
            let (before, after) = each.split_at_mut((i + 1) * columns);
            let row = &mut after[..columns];
            row.copy_from_slice(&before[i * columns..]);
            self.add_word(i, scratch, row);
            if i > 0 {
                let pair_row = &mut pairs[i * columns..(i + 1) * columns];
                self.add_pair(i, &scratch.words, pair_row);
                row.iter_mut().zip(pair_row).for_each(|(sum, v)| *sum += *v);
            }
        }
        let sum = |range: &Range<usize>, k: usize| {
            // The pair that the first word closes began outside the window.
            each[range.end * columns + k] - each[range.start * columns + k] - pairs[range.start * columns + k]
        };
        let logit = |range: &Range<usize>, k: usize| base[k] + sum(range, k) / (range.len() as f32).sqrt();
        let windows = windows(n);
        let out = &mut scratch.text;
        out.windows = windows.len();
        out.whole = (0..columns).map(|k| logit(&(0..n), k)).collect();
        out.window = vec![0..n; columns];
        out.highest = out.whole.clone();
        if windows.len() > 1 {
            for k in 0..columns {
                let highest =
                    windows.iter().map(|w| (logit(w, k), w)).fold(None, |best: Option<(f32, _)>, (z, w)| match best {
                        Some((b, _)) if b >= z => best,
                        _ => Some((z, w)),
                    });
                if let Some((z, window)) = highest {
                    out.highest[k] = z;
                    out.window[k] = window.clone();
                }
            }
        }
        scratch.each = each;
    }

    /// The style of a comment's own words as the heads see it.
    pub(super) fn style(&self, source: &str, scratch: &Scratch) -> [f32; style::COUNT] {
        self.manifest.style.apply(&style::of(source, &scratch.quoted, &scratch.words))
    }

    /// Intercept and style: the part of a logit that no word has.
    fn base(&self, style: &[f32; style::COUNT]) -> Vec<f32> {
        let columns = self.weights.columns;
        let mut base = self.weights.bias.clone();
        for (value, weights) in style.iter().zip(self.weights.style.chunks_exact(columns.max(1))) {
            base.iter_mut().zip(weights).for_each(|(b, w)| *b += value * w);
        }
        base
    }

    /// Adds the row of the `i`-th word.
    pub(super) fn add_word(&self, i: usize, scratch: &mut Scratch, row: &mut [f32]) {
        let Some(word) = scratch.words.iter().as_slice().get(i) else { return };
        if let Some(found) = self.weights.words.find(word.hash) {
            self.weights.words.add(found, row);
            return;
        }
        if let Some(known) = scratch.unknown.get(&word.hash) {
            row.iter_mut().zip(known.iter()).for_each(|(sum, v)| *sum += v);
            return;
        }
        let mut parts = vec![0.0; row.len()];
        self.add_parts(scratch.words.lower(word), &mut scratch.names, &mut scratch.ids, &mut parts);
        row.iter_mut().zip(&parts).for_each(|(sum, v)| *sum += v);
        if scratch.unknown.len() >= REMEMBERED {
            scratch.unknown.clear();
        }
        scratch.unknown.insert(word.hash, parts.into());
    }

    /// Adds what the n-grams and subwords of a word say.
    fn add_parts(&self, word: &str, names: &mut Vec<u64>, ids: &mut Vec<u32>, row: &mut [f32]) {
        names.clear();
        grams::of(word, names);
        for &name in names.iter() {
            if let Some(found) = self.weights.grams.find(name) {
                self.weights.grams.add(found, row);
            }
        }
        if let Some(subwords) = &self.subwords {
            ids.clear();
            subwords.split(word, ids);
            for found in ids.iter().filter_map(|&id| self.weights.subwords.find(u64::from(id))) {
                self.weights.subwords.add(found, row);
            }
        }
    }

    /// Adds the row of the pair that the `i`-th word closes.
    pub(super) fn add_pair(&self, i: usize, words: &Words, row: &mut [f32]) {
        if let [.., a, b] = &words.iter().as_slice()[..=i]
            && let Some(found) = self.weights.pairs.find(pair(a.hash, b.hash))
        {
            self.weights.pairs.add(found, row);
        }
    }

    /// The relation features of a reply, where something in the model looks at them.
    pub(super) fn relation(&self, item: &Item<'_>, scratch: &mut Scratch) -> Option<[f32; relation::COUNT]> {
        let parent = item.parent?;
        let wanted =
            self.manifest.parent.is_some() || self.manifest.labels.iter().any(|l| l.calibration.relation.is_some());
        if !wanted {
            return None;
        }
        let clean = Clean::new(parent);
        scratch.parent_words.read(&clean, &quotes::find(parent, None, &[]));
        Some(relation::of(&scratch.words, &scratch.parent_words, !scratch.quoted.is_empty(), self.vectors.as_ref()))
    }

    /// The sparse logits of the stances toward the parent: words, pairs and start features.
    fn parent_logits(&self, first: usize, classes: usize, scratch: &mut Scratch) -> Vec<f32> {
        let mut logits = scratch.text.whole.clone();
        scratch.names.clear();
        starts::of(&scratch.words, &mut scratch.names);
        for found in scratch.names.iter().filter_map(|&name| self.weights.starts.find(name)) {
            self.weights.starts.add(found, &mut logits);
        }
        logits[first..first + classes].to_vec()
    }

    fn target_stances(&self, targets: &[String], scratch: &mut Scratch) -> Vec<TargetScore> {
        let Some(head) = &self.manifest.targets else { return Vec::new() };
        let own: Vec<String>;
        let targets = if targets.is_empty() {
            own = head.own.iter().map(|own| own.name.clone()).collect();
            &own
        } else {
            targets
        };
        if targets.is_empty() {
            return Vec::new();
        }
        let sensing = Sensing::new(self.vectors.as_ref());
        let words = &scratch.words;
        sensing.read(words.iter().map(|w| words.lower(w)), &mut scratch.senses);
        scratch.places.clear();
        scratch.places.extend(0..words.len() as u32);
        let text = Sensed { senses: &scratch.senses, words: &scratch.places };
        scratch.seen.read(words.iter().map(|w| Role::of(words.lower(w))), text);
        let mut dense = Vec::new();
        let stance = |name: &String| {
            let target = Target::read(name, &sensing);
            let text = Sensed { senses: &scratch.senses, words: &scratch.places };
            scratch.seen.dense(text, &target, &mut dense);
            let logit =
                |head: &PairHead| self.pair_logit(head, &target, &dense, &scratch.seen, &scratch.each, &scratch.text);
            let (side, about) = (logit(&head.any.side), head.any.about.as_ref().map(logit));
            let (p, trust, known) = match head.own(name) {
                Some(own) => {
                    let logits = scratch.text.whole.get(own.first_column..own.first_column + head.classes.len());
                    let inputs = step_inputs(logits.unwrap_or_default(), side, about);
                    (own.step.probabilities(&inputs), own.trust, true)
                }
                // What was never measured on a target that the heads had not seen is not told of one.
                None => {
                    (head.any.step.probabilities(&step_inputs(&[], side, about)), head.any.trust, head.any.is_told())
                }
            };
            let mentioned = target.is_mentioned(text);
            let none = head.classes.iter().position(|class| class == TARGET_STANCES[2]);
            let undecided = if known { trust.undecided(&p, none, mentioned) } else { Some(Undecided::NoExamples) };
            let probabilities = if known { p } else { Vec::new() };
            TargetScore { target: name.clone(), probabilities, undecided, mentioned }
        };
        targets.iter().map(stance).collect()
    }

    /// What a head over text and target says. `each` holds the rows of the words, summed up from the first word on.
    fn pair_logit(
        &self,
        head: &PairHead,
        target: &Target,
        dense: &[f32],
        seen: &Seen,
        each: &[f32],
        text: &TextLogits,
    ) -> f32 {
        let columns = self.weights.columns;
        let first = head.first_column;
        let (mut turned, mut negated, mut signed_negated) = (0.0, 0.0, 0.0);
        for (i, mark) in seen.marks.iter().enumerate() {
            let own = |copy: usize| each[(i + 1) * columns + first + copy] - each[i * columns + first + copy];
            turned += if mark.acted { -own(2) } else { own(2) };
            if mark.negated {
                negated += own(3);
                signed_negated += own(4);
            }
        }
        let scale = (seen.marks.len().max(1) as f32).sqrt();
        let mut row = vec![0.0; columns];
        for word in &target.words {
            if let Some(found) = self.weights.words.find(word.hash) {
                self.weights.words.add(found, &mut row);
            }
        }
        let of_target = row[first + COPIES - 1] / (target.words.len().max(1) as f32).sqrt();
        let of_words = (turned * target.sign + negated + signed_negated * target.sign) / scale;
        let of_dense: f32 = head.dense.iter().zip(dense).map(|(w, v)| w * v).sum();
        text.whole[first] + text.whole[first + 1] * target.sign + of_words + of_target + of_dense
    }
}

/// The windows of a text of `n` words: one for a short text, else overlapping ones that cover it.
pub fn windows(n: usize) -> Vec<Range<usize>> {
    if n <= LONG {
        return std::iter::once(0..n).collect();
    }
    let last = n - WINDOW;
    (0..last).step_by(STRIDE).chain(std::iter::once(last)).map(|start| start..start + WINDOW).collect()
}

/// The logit of a label's probability.
pub(super) fn calibrated(
    c: &Calibration,
    text: &TextLogits,
    k: usize,
    relation: Option<&[f32; relation::COUNT]>,
) -> f32 {
    let own = match &c.long {
        Some(long) if text.windows > 1 => long.slope * text.highest[k] + long.offset,
        _ => c.slope * text.whole[k] + c.offset,
    };
    match (&c.relation, relation) {
        (Some(step), Some(relation)) => {
            step.slope * own + step.offset + step.weights.iter().zip(relation).map(|(w, v)| w * v).sum::<f32>()
        }
        _ => own,
    }
}

pub(super) fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + (-z).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_a_long_text_and_overlap() {
        assert_eq!(windows(LONG), vec![0..LONG]);
        for n in LONG + 1..400 {
            let windows = windows(n);
            assert!(windows[0].start == 0 && windows.last().unwrap().end == n);
            assert!(windows.windows(2).all(|w| w[1].start > w[0].start
                && w[1].start <= w[0].end - (WINDOW - STRIDE)
                && w[1].len() == WINDOW));
        }
    }
}
