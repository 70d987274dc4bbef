//! Scoring one comment: words to sums, sums to logits, logits to probabilities. What batch scoring, explanations and the command line
//! all go through.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::asked::Asked;
use super::calibrate::Calibration;
use super::hot::{Asking, Lanes};
use super::lexicon::Known;
use super::reply::Surroundings;
use super::sums::Sums;
use super::target::{COPIES, PairHead, Seen, Target, TargetScore, TargetStance};
use super::{COMMON, Model, STRIDE, WINDOW, Weights, peaks};
use crate::features::pair::Senses;
use crate::features::{compounds, grams, relation, style};
use crate::text::clean::Clean;
use crate::text::normalize::{Memory, normalize};
use crate::text::targets::Remembered;
use crate::text::words::{Words, hash, pair};
use crate::text::{language, quotes};
use crate::thread::Status;

/// Unknown words remembered by one worker.
const REMEMBERED: usize = 1 << 14;

/// A comment to score.
#[derive(Debug, Clone, Copy, Default)]
pub struct Item<'a> {
    /// The text as written.
    pub text: &'a str,
    /// Bytes of it that the source marks as quoted.
    pub quotes: &'a [Range<usize>],
    /// The text of the comment it answers.
    pub parent: Option<&'a str>,
    /// The text of the comment that opens its thread, where that is known; looked at for replies only.
    pub root: Option<&'a str>,
    /// Give a stance, too, where there is no parent, if the model learned such.
    pub stance_of_roots: bool,
    /// Targets to give the stance toward, mentioned or not.
    pub targets: &'a [String],
    /// Targets to give the stance toward where the text mentions them. Absent: those of the model, if `targets` is empty.
    pub set: Option<&'a Asked>,
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
    /// Probabilities of the stances toward the parent; absent without a head, and without a parent unless asked for.
    pub parent: Option<Vec<f32>>,
    /// The stances toward targets.
    pub targets: Vec<TargetScore>,
}

/// What a worker reuses from comment to comment.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    pub(super) words: Words,
    pub(super) quoted: Vec<Range<usize>>,
    pub(super) surroundings: Surroundings,
    pub(super) names: Vec<u64>,
    ids: Vec<u32>,
    /// By the hash of a word that has no row where its numbers begin in `unknown_rows`.
    unknown: FxHashMap<u64, u32>,
    unknown_rows: Vec<f32>,
    pub(super) memory: Memory,
    lanes: Lanes,
    pub(super) stems: Remembered,
    pub(super) sums: Sums,
    pub(super) text: TextLogits,
    pub(super) senses: Senses,
    pub(super) places: Vec<u32>,
    pub(super) seen: Seen,
    /// For what is said beside names.
    pub(super) beside: Option<Box<Scratch>>,
}

/// The logits of a text's own words, before calibration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TextLogits {
    /// Of the whole text, one a head.
    pub whole: Vec<f32>,
    /// Of the highest window, one a head, with the local maxima of the whole text; the same as `whole` for a text of one window.
    pub highest: Vec<f32>,
    /// The words of that window, one a head.
    pub window: Vec<Range<usize>>,
    /// Of the whole text, one a stance toward the parent.
    pub parent: Vec<f32>,
}

impl Model {
    /// Scores one comment.
    pub fn score(&self, item: &Item<'_>, scratch: &mut Scratch) -> Result<Scores, Unscored> {
        self.read(item, scratch)?;
        if !self.hot_logits(item, scratch) {
            self.text_logits(item.text, scratch);
        }
        Ok(self.scores(item, scratch))
    }

    /// The same without any of what makes it fast: what [`score`](Self::score) is held to.
    pub fn score_plainly(&self, item: &Item<'_>, scratch: &mut Scratch) -> Result<Scores, Unscored> {
        self.read(item, scratch)?;
        self.text_logits(item.text, scratch);
        Ok(self.scores(item, scratch))
    }

    /// The scores of the text in `scratch`, whose logits are there.
    fn scores(&self, item: &Item<'_>, scratch: &mut Scratch) -> Scores {
        let relation = self.relation(item, scratch);
        let labels = self.manifest.labels.iter().enumerate();
        let labels = labels
            .map(|(k, head)| sigmoid(calibrated(&head.calibration, &scratch.text, k, relation.as_ref())))
            .collect();
        let parent = self.parent_stance(item, relation.as_ref(), scratch);
        Scores { labels, parent, targets: self.target_stances(item, scratch) }
    }

    /// Reads the own words of a comment into `scratch`, and what of it is quoted.
    pub(super) fn read(&self, item: &Item<'_>, scratch: &mut Scratch) -> Result<(), Unscored> {
        if scratch.unknown.len() >= REMEMBERED {
            scratch.unknown.clear();
            scratch.unknown_rows.clear();
        }
        scratch.lanes.clear();
        scratch.quoted = quotes::find(item.text, item.parent, item.quotes);
        let clean = Clean::new(item.text);
        scratch.words.read(&clean, &scratch.quoted);
        let known = Known { weights: &self.weights, worth: &self.worth };
        normalize(&mut scratch.words, &clean, &known, &mut scratch.memory);
        // Emoji say something, bare punctuation does not.
        let says = |w: &crate::text::words::Word| w.is_text || !scratch.words.lower(w).is_ascii();
        if !scratch.words.iter().any(says) {
            return Err(if scratch.quoted.is_empty() { Unscored::Empty } else { Unscored::OnlyQuoted });
        }
        if let Some(language) = &self.manifest.language {
            let is_common = |row: &Option<u32>| row.is_some_and(|row| (row as usize) < COMMON);
            let words = scratch.words.iter().zip(&scratch.memory.rows);
            let common = words.filter(|(word, row)| word.is_text && is_common(row)).count();
            if let Some(other) = language::other_than(language, clean.text(), &scratch.words, common) {
                return Err(Unscored::OtherLanguage(other));
            }
        }
        Ok(())
    }

    /// What every word and pair in `scratch.words` says for the heads `heads`; the rows of the words are in `scratch.memory`.
    fn sum(&self, source: &str, scratch: &mut Scratch, heads: Range<usize>) {
        let style = style::of(source, &scratch.quoted, &scratch.words);
        let [base, window_base] =
            [style, style::shortened(&style, WINDOW)].map(|style| self.base(&style)[heads.clone()].to_vec());
        let mut sums = std::mem::take(&mut scratch.sums);
        sums.reset(heads.start, base, window_base, scratch.words.len());
        for i in 0..scratch.words.len() {
            self.add_word(i, scratch, heads.start, sums.word_mut(i));
            self.add_pair(i, &scratch.words, heads.start, sums.pair_mut(i));
        }
        scratch.sums = sums;
    }

    /// What every word and pair of a text says, without its ranges `quoted` (sorted), for every head of the weights.
    pub fn sums<'s>(&self, text: &str, quoted: &[Range<usize>], scratch: &'s mut Scratch) -> &'s mut Sums {
        scratch.quoted = quoted.to_vec();
        scratch.words.read(&Clean::new(text), quoted);
        scratch.memory.rows.clear();
        scratch.memory.rows.extend(scratch.words.iter().map(|word| self.weights.words.find(word.hash)));
        self.sum(text, scratch, 0..self.weights.columns);
        &mut scratch.sums
    }

    /// The logits of the labels and of the stance toward the parent, the fast way; false for a model that is not packed for it.
    fn hot_logits(&self, item: &Item<'_>, scratch: &mut Scratch) -> bool {
        let Some(hot) = &self.hot else { return false };
        let style = style::of(item.text, &scratch.quoted, &scratch.words);
        let styles = [style, style::shortened(&style, WINDOW)].map(|style| self.manifest.style.apply(&style));
        let mut lanes = std::mem::take(&mut scratch.lanes);
        let mut last = None;
        for i in 0..scratch.words.len() {
            let hash = scratch.words.iter().as_slice()[i].hash;
            let row = scratch.memory.rows.get(i).copied().flatten();
            let closed = last.and_then(|last| self.weights.pairs.find(pair(last, hash)));
            lanes.push(hot, row.ok_or_else(|| self.unknown(i, scratch)), closed);
            last = Some(hash);
        }
        let parent = item.parent.is_some() || item.stance_of_roots;
        let asking = Asking { styles: &styles, unknown: &scratch.unknown_rows, parent };
        hot.logits(&asking, &mut lanes, &mut scratch.text);
        scratch.lanes = lanes;
        true
    }

    /// The logits of all heads for the words in `scratch`.
    pub(super) fn text_logits(&self, source: &str, scratch: &mut Scratch) {
        self.sum(source, scratch, 0..self.weights.columns);
        let n = scratch.words.len();
        let (sums, out) = (&mut scratch.sums, &mut scratch.text);
        let local = self.local(sums);
        out.whole = added(sums.whole(), &local);
        out.highest.clone_from(&out.whole);
        out.window = vec![0..n; out.whole.len()];
        if is_long(n) {
            out.highest.fill(f32::MIN);
            for window in windows(n) {
                for (k, &z) in sums.window(&window).iter().enumerate() {
                    if z > out.highest[k] {
                        out.highest[k] = z;
                        out.window[k] = window.clone();
                    }
                }
            }
            out.highest = added(&out.highest, &local);
        }
        out.parent.clear();
        if let Some(head) = &self.manifest.parent {
            let of_parent = head.first_column..head.first_column + head.step.classes.len();
            out.parent.extend_from_slice(out.whole.get(of_parent).unwrap_or_default());
        }
    }

    /// The logits of the heads of targets for the whole text in `scratch`, and what each word says for them; the others are 0.
    pub(super) fn target_logits(&self, head: &TargetStance, source: &str, scratch: &mut Scratch) {
        let heads = head.first_column()..self.weights.columns;
        self.sum(source, scratch, heads.clone());
        let local = match scratch.lanes.peaks() {
            Some(peaks) => self.local_of(peaks),
            None => self.local(&scratch.sums),
        };
        scratch.text.whole.clear();
        scratch.text.whole.resize(heads.start, 0.0);
        scratch.text.whole.extend(added(scratch.sums.whole(), &local[heads]));
    }

    /// The logits of all heads for a whole text.
    pub(super) fn whole(&self, sums: &mut Sums) -> Vec<f32> {
        let local = self.local(sums);
        added(sums.whole(), &local)
    }

    /// What the local maxima of a text add to the logit of every head.
    pub fn local(&self, sums: &Sums) -> Vec<f32> {
        let Weights { columns, pools, .. } = &self.weights;
        let peaks: Vec<f32> = (columns - pools..*columns).flat_map(|k| sums.peaks(k)).map(|peak| peak.value).collect();
        self.local_of(&peaks)
    }

    /// The same for maxima that are known, by pooled head and size.
    fn local_of(&self, peaks: &[f32]) -> Vec<f32> {
        let Weights { columns, pools, pool_weights, .. } = &self.weights;
        let mut local = vec![0.0; *columns];
        if *pools > 0 {
            for (local, weights) in local.iter_mut().zip(pool_weights.chunks_exact(pools * peaks::COUNT)) {
                *local = weights.iter().zip(peaks).map(|(w, p)| w * p).sum::<f32>();
            }
        }
        local
    }

    /// Intercept and style: the part of a logit that no word has.
    fn base(&self, style: &[f32; style::COUNT]) -> Vec<f32> {
        let (style, columns) = (self.manifest.style.apply(style), self.weights.columns);
        let mut base = self.weights.bias.clone();
        for (value, weights) in style.iter().zip(self.weights.style.chunks_exact(columns.max(1))) {
            base.iter_mut().zip(weights).for_each(|(b, w)| *b += value * w);
        }
        base
    }

    /// Adds the row of the `i`-th word, from column `first` on.
    fn add_word(&self, i: usize, scratch: &mut Scratch, first: usize, row: &mut [f32]) {
        if let Some(found) = scratch.memory.rows.get(i).copied().flatten() {
            self.weights.words.add_from(found, first, row);
            return;
        }
        let at = self.unknown(i, scratch) as usize + first;
        let known = scratch.unknown_rows.get(at..).unwrap_or_default();
        row.iter_mut().zip(known).for_each(|(sum, v)| *sum += v);
    }

    /// Where the numbers of the `i`-th word, which has no row, begin among the remembered ones.
    fn unknown(&self, i: usize, scratch: &mut Scratch) -> u32 {
        let Some(word) = scratch.words.iter().as_slice().get(i) else { return 0 };
        if let Some(&at) = scratch.unknown.get(&word.hash) {
            return at;
        }
        let at = scratch.unknown_rows.len();
        scratch.unknown_rows.resize(at + self.weights.columns, 0.0);
        let lower = scratch.words.lower(word);
        self.add_parts(lower, &mut scratch.names, &mut scratch.ids, &mut scratch.unknown_rows[at..]);
        scratch.unknown.insert(word.hash, at as u32);
        at as u32
    }

    /// Adds what all heads of the weights say of a lower-case word, known or not.
    pub fn say_word(&self, word: &str, scratch: &mut Scratch, row: &mut [f32]) {
        match self.weights.words.find(hash(word)) {
            Some(found) => self.weights.words.add(found, row),
            None => self.add_parts(word, &mut scratch.names, &mut scratch.ids, row),
        }
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
        let vectors = self.vectors.as_ref().filter(|_| self.manifest.compounds);
        for part in vectors.into_iter().flat_map(|vectors| compounds::split(word, vectors)) {
            if let Some(found) = self.weights.words.find(hash(part)) {
                self.weights.words.add(found, row);
            }
        }
    }

    /// Adds the row of the pair that the `i`-th word closes, from column `first` on.
    fn add_pair(&self, i: usize, words: &Words, first: usize, row: &mut [f32]) {
        if let [.., a, b] = &words.iter().as_slice()[..=i]
            && let Some(found) = self.weights.pairs.find(pair(a.hash, b.hash))
        {
            self.weights.pairs.add_from(found, first, row);
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
        scratch.surroundings.read(Some(parent));
        let parent = &scratch.surroundings.parent;
        Some(relation::of(&scratch.words, parent, !scratch.quoted.is_empty(), self.vectors.as_ref()))
    }

    /// What a head over text and target says.
    pub(super) fn pair_logit(
        &self,
        head: &PairHead,
        target: &Target,
        dense: &[f32],
        seen: &Seen,
        sums: &Sums,
        text: &TextLogits,
    ) -> f32 {
        let columns = self.weights.columns;
        let first = head.first_column;
        let (mut turned, mut negated, mut signed_negated) = (0.0, 0.0, 0.0);
        for (i, mark) in seen.marks.iter().enumerate() {
            let own = |copy: usize| sums.word(i, first + copy) + sums.pair(i, first + copy);
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

/// True if a text of `n` words has several windows.
pub fn is_long(n: usize) -> bool {
    n > WINDOW
}

/// The windows of a text of `n` words: one for a short text, else overlapping ones that cover it.
pub fn windows(n: usize) -> impl Iterator<Item = Range<usize>> {
    let last = n.saturating_sub(WINDOW);
    (0..last).step_by(STRIDE).chain(std::iter::once(last)).map(move |start| start..(start + WINDOW).min(n))
}

fn added(linear: &[f32], local: &[f32]) -> Vec<f32> {
    linear.iter().zip(local).map(|(z, local)| z + local).collect()
}

/// The logit of a label's probability.
pub(super) fn calibrated(
    c: &Calibration,
    text: &TextLogits,
    k: usize,
    relation: Option<&[f32; relation::COUNT]>,
) -> f32 {
    let own = c.slope * c.deciding(text.whole[k], text.highest[k]).0 + c.offset;
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
        for n in 0..=WINDOW {
            assert_eq!(windows(n).collect::<Vec<_>>(), vec![0..n]);
        }
        for n in WINDOW + 1..400 {
            let windows: Vec<_> = windows(n).collect();
            assert!(windows[0].start == 0 && windows.last().unwrap().end == n);
            assert!(windows.windows(2).all(|w| w[1].start > w[0].start
                && w[1].start <= w[0].end - (WINDOW - STRIDE)
                && w[1].len() == WINDOW));
        }
    }
}
