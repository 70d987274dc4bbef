//! What a new model decides otherwise than the old one, and on whom: what learning from moderators has changed.

use std::collections::HashMap;

use serde::Serialize;

use super::data::Labelled;
use super::metrics;
use super::scored::{score, truth};
use crate::model::Model;
use crate::model::scoring::Scores;
use crate::text::words::Words;

/// What to compare on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    /// Comments, labelled or not. Decisions are counted on all, figures on the labelled ones.
    pub rows: &'a [Labelled],
    /// The new model was trained on these rows, so that its figures flatter it.
    pub trained_on: bool,
    /// Words or phrases, such as the names of groups of people, whose comments are counted apart.
    pub terms: &'a [String],
    /// Comments with a changed decision to keep with their text; 0 keeps none.
    pub examples: usize,
    /// Longest text scored, in bytes.
    pub max_text: usize,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// `name@version` of the old model.
    pub old: String,
    /// `name@version` of the new one.
    pub new: String,
    /// Comments that both models have scores for; the counts are theirs.
    pub comments: usize,
    /// Comments that one of them has no scores for.
    pub unscored: usize,
    /// The new model was trained on these comments.
    pub trained_on: bool,
    /// Labels that both models have, in the order of the new one.
    pub labels: Vec<LabelChange>,
    /// Labels of the old model alone.
    pub lost: Vec<String>,
    /// Labels of the new model alone.
    pub gained: Vec<String>,
    /// Comments with a changed decision, as [`Changed`] counts them; without a name.
    pub all: Changed,
    /// By author, the most changed first. Authors without a change are left out here and below.
    pub authors: Vec<Changed>,
    /// By thread.
    pub threads: Vec<Changed>,
    /// By term.
    pub terms: Vec<Changed>,
    /// Comments with a changed decision, those with the largest change of a probability first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
}

/// What has changed of one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelChange {
    /// The label.
    pub label: String,
    /// Either model marks it as experimental: its decisions are counted here and nowhere else.
    pub experimental: bool,
    /// Comments that carry the label.
    pub labelled: u64,
    /// Figures of the old model on them.
    pub before: Figures,
    /// Figures of the new one.
    pub after: Figures,
    /// Comments that now have the label and had not.
    pub now_yes: usize,
    /// Comments that had the label and have not now.
    pub now_no: usize,
    /// Of the changed decisions on labelled comments, those that are right now.
    pub now_right: usize,
    /// And those that were right before.
    pub now_wrong: usize,
}

/// Figures of one model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Area under the ROC curve; `None` where one class is missing.
    pub roc_auc: Option<f64>,
    /// F1 at the model's own threshold; `None` without positives.
    pub f1: Option<f64>,
}

/// The comments of one author or thread, or with one term, and how many of them are decided otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The author, thread or term.
    pub name: String,
    /// Comments.
    pub comments: usize,
    /// Of these, those that now have a label they had not.
    pub now_yes: usize,
    /// Of these, those that have lost a label.
    pub now_no: usize,
    /// Of these, those with either change.
    pub changed: usize,
}

/// A comment with a changed decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    /// The label.
    pub label: String,
    /// Its probability by the old model.
    pub before: f32,
    /// Its probability by the new one.
    pub after: f32,
    /// The comment.
    pub text: String,
}

/// A label in both models.
struct Pair {
    old: usize,
    new: usize,
    thresholds: (f32, f32),
    experimental: bool,
}

/// A comment with the scores of both models.
struct Both<'a> {
    row: &'a Labelled,
    old: Scores,
    new: Scores,
}

/// What a comment's change is.
#[derive(Clone, Copy, Default)]
struct Change {
    now_yes: bool,
    now_no: bool,
}

/// Compares two models.
pub fn compare(old: &Model, new: &Model, question: &Question<'_>) -> Comparison {
    let before = score(old, question.rows, question.max_text);
    let after = score(new, question.rows, question.max_text);
    let rows: Vec<Both<'_>> = question
        .rows
        .iter()
        .zip(before.into_iter().zip(after))
        .filter_map(|(row, scores)| Some(Both { row, old: scores.0?, new: scores.1? }))
        .collect();
    let pairs = pairs(old, new);
    let only = |one: &Model, other: &Model| {
        let names = one.manifest.labels.iter().map(|l| l.name.clone());
        names.filter(|name| other.label(name).is_none()).collect()
    };
    let changes: Vec<Change> = rows.iter().map(|row| change(row, &pairs)).collect();
    let terms: Vec<(String, Words)> = question.terms.iter().map(|term| (term.clone(), Words::of(term))).collect();
    let by = |keys: &dyn Fn(&Both<'_>) -> Vec<String>| tally(&rows, &changes, keys);
    Comparison {
        old: old.id(),
        new: new.id(),
        comments: rows.len(),
        unscored: question.rows.len() - rows.len(),
        trained_on: question.trained_on,
        labels: pairs.iter().map(|pair| label_change(new, pair, &rows)).collect(),
        lost: only(old, new),
        gained: only(new, old),
        all: count(String::new(), changes.iter()),
        authors: by(&|both| both.row.row.stated.comment.author.iter().cloned().collect()),
        threads: by(&|both| both.row.row.thread_id.iter().cloned().collect()),
        terms: by(&|both| terms_in(&both.row.row.stated.comment.text, &terms)),
        examples: examples(new, &pairs, &rows, question.examples),
    }
}

fn pairs(old: &Model, new: &Model) -> Vec<Pair> {
    let heads = new.manifest.labels.iter().enumerate();
    let pair = |(k, head): (usize, &crate::model::LabelHead)| {
        let known = old.label(&head.name)?;
        let former = old.manifest.labels.get(known)?;
        let thresholds = (former.threshold, head.threshold);
        Some(Pair { old: known, new: k, thresholds, experimental: former.experimental || head.experimental })
    };
    heads.filter_map(pair).collect()
}

impl Both<'_> {
    /// A label's probabilities by both models.
    fn probabilities(&self, pair: &Pair) -> (f32, f32) {
        let of = |scores: &Scores, k: usize| scores.labels.get(k).copied().unwrap_or_default();
        (of(&self.old, pair.old), of(&self.new, pair.new))
    }

    /// A label's decisions by both models.
    fn decisions(&self, pair: &Pair) -> (bool, bool) {
        let (before, after) = self.probabilities(pair);
        (before >= pair.thresholds.0, after >= pair.thresholds.1)
    }
}

fn change(row: &Both<'_>, pairs: &[Pair]) -> Change {
    let decisions = pairs.iter().filter(|pair| !pair.experimental).map(|pair| row.decisions(pair));
    decisions.fold(Change::default(), |sum, (before, after)| Change {
        now_yes: sum.now_yes || (!before && after),
        now_no: sum.now_no || (before && !after),
    })
}

fn label_change(new: &Model, pair: &Pair, rows: &[Both<'_>]) -> LabelChange {
    let label = new.manifest.labels.get(pair.new).map(|head| head.name.clone()).unwrap_or_default();
    let (mut before, mut after, mut is_true) = (Vec::new(), Vec::new(), Vec::new());
    let mut out = LabelChange {
        experimental: pair.experimental,
        labelled: 0,
        before: Figures { roc_auc: None, f1: None },
        after: Figures { roc_auc: None, f1: None },
        now_yes: 0,
        now_no: 0,
        now_right: 0,
        now_wrong: 0,
        label,
    };
    for row in rows {
        let (old, new) = row.decisions(pair);
        out.now_yes += usize::from(!old && new);
        out.now_no += usize::from(old && !new);
        let Some(truth) = truth(row.row, &out.label) else { continue };
        let probabilities = row.probabilities(pair);
        before.push(f64::from(probabilities.0));
        after.push(f64::from(probabilities.1));
        is_true.push(truth);
        if old != new {
            *(if new == truth { &mut out.now_right } else { &mut out.now_wrong }) += 1;
        }
    }
    out.labelled = is_true.len() as u64;
    out.before = figures(&before, &is_true, pair.thresholds.0);
    out.after = figures(&after, &is_true, pair.thresholds.1);
    out
}

fn figures(scores: &[f64], truth: &[bool], threshold: f32) -> Figures {
    let found = metrics::binary(scores, truth, f64::from(threshold));
    Figures { roc_auc: found.roc_auc, f1: (found.positives > 0).then_some(found.f1) }
}

fn count<'a>(name: String, changes: impl Iterator<Item = &'a Change>) -> Changed {
    changes.fold(Changed { name, ..Changed::default() }, |sum, change| Changed {
        comments: sum.comments + 1,
        now_yes: sum.now_yes + usize::from(change.now_yes),
        now_no: sum.now_no + usize::from(change.now_no),
        changed: sum.changed + usize::from(change.now_yes || change.now_no),
        name: sum.name,
    })
}

/// The changed comments by the keys that each has.
fn tally(rows: &[Both<'_>], changes: &[Change], keys: &dyn Fn(&Both<'_>) -> Vec<String>) -> Vec<Changed> {
    let mut by_key: HashMap<String, Vec<&Change>> = HashMap::new();
    for (row, change) in rows.iter().zip(changes) {
        keys(row).into_iter().for_each(|key| by_key.entry(key).or_default().push(change));
    }
    let mut out: Vec<Changed> = by_key.into_iter().map(|(name, changes)| count(name, changes.into_iter())).collect();
    out.retain(|changed| changed.changed > 0);
    out.sort_by(|a, b| b.changed.cmp(&a.changed).then_with(|| a.name.cmp(&b.name)));
    out
}

/// The terms that stand in a text, whole words in any case.
fn terms_in(text: &str, terms: &[(String, Words)]) -> Vec<String> {
    let words = Words::of(text);
    let is_there = |term: &&(String, Words)| !term.1.is_empty() && words.joined().contains(&term.1.joined());
    terms.iter().filter(is_there).map(|(name, _)| name.clone()).collect()
}

fn examples(new: &Model, pairs: &[Pair], rows: &[Both<'_>], most: usize) -> Vec<Example> {
    if most == 0 {
        return Vec::new();
    }
    let largest = |row: &Both<'_>| {
        let changed = pairs.iter().filter(|pair| !pair.experimental).filter(|pair| {
            let (before, after) = row.decisions(pair);
            before != after
        });
        let size = |pair: &Pair| (row.probabilities(pair).0 - row.probabilities(pair).1).abs();
        let pair = changed.max_by(|a, b| size(a).total_cmp(&size(b)))?;
        let (before, after) = row.probabilities(pair);
        let label = new.manifest.labels.get(pair.new)?.name.clone();
        Some(Example { label, before, after, text: row.row.row.stated.comment.text.clone() })
    };
    let mut out: Vec<Example> = rows.iter().filter_map(largest).collect();
    out.sort_by(|a, b| (b.after - b.before).abs().total_cmp(&(a.after - a.before).abs()));
    out.truncate(most);
    out
}
