//! Under attack: the heaviest word of every uncivil row hidden, and short uncivil rows drowned in civil ones.

use std::ops::Range;

use rand::SeedableRng;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::attacks::{ATTACKS, Attack};
use super::data::Judged;
use super::draft::{Draft, of_label, score};
use super::rate::{Rate, threshold_at};
use super::subgroups::{Area, area_of};
use super::{Question, label_name};
use crate::model::Model;
use crate::model::explain::{Explanation, Kind};
use crate::model::scoring::Scratch;
use crate::text::words::Words;

/// The share of civil rows that may be flagged where padding is measured.
const FALSE_POSITIVES: f64 = 0.03;
/// Words of a comment that counts as short.
const SHORT: usize = 50;
/// How many civil comments follow.
const PADDING: [usize; 3] = [1, 5, 20];
/// The word that shows what an attack does.
const EXAMPLE: &str = "stupid";

/// What attacks do to one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Robustness {
    /// The label.
    pub label: String,
    /// Rows that have it.
    pub positives: u64,
    /// Rows that do not.
    pub negatives: u64,
    /// Area of the rows as they are.
    pub clean: Area,
    /// Each attack.
    pub attacks: Vec<Attacked>,
    /// Padding.
    pub padding: Padding,
}

/// One attack on the heaviest word of every positive row; the negative rows stay as they are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attacked {
    /// What it is called.
    pub attack: String,
    /// What it makes of a word.
    pub example: String,
    /// Positive rows that it changes.
    pub changed: u64,
    /// Area with the changed rows.
    pub area: Area,
    /// The clean area less this.
    pub drop: Option<f64>,
}

/// Short rows followed by civil ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Padding {
    /// The threshold, at which 3 % of the civil rows are flagged.
    pub threshold: f64,
    /// Short positive rows that it catches as they are.
    pub caught: Rate,
    /// With civil comments behind them.
    pub padded: Vec<Padded>,
}

/// Short rows with some civil comments behind each.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Padded {
    /// How many civil comments.
    pub comments: u64,
    /// Short positive rows that are still caught.
    pub caught: Rate,
    /// Rows still caught for one caught before; `None` if too few were.
    pub kept: Option<f64>,
    /// Short civil rows that are flagged once padded alike.
    pub false_positives: Rate,
}

/// Measures one label; `None` without rows of both classes.
pub(super) fn measure(model: &Model, question: &Question, k: usize, judged: &[Judged<'_>]) -> Option<Robustness> {
    let (positives, negatives): (Vec<Judged<'_>>, Vec<Judged<'_>>) = judged.iter().partition(|row| row.truth);
    if positives.is_empty() || negatives.is_empty() {
        return None;
    }
    let clean = area(question, positives.iter().map(|row| row.p), &negatives);
    let places: Vec<Vec<Range<usize>>> =
        positives.par_iter().map_init(Scratch::default, |scratch, row| heaviest(model, row, k, scratch)).collect();
    let attacks = ATTACKS.iter().zip(0..).map(|(attack, number)| {
        let drafts = hidden(*attack, number, question.seed, &positives, &places);
        let scores = score(model, &drafts);
        // What is no longer scored goes unflagged.
        let attacked = scores.iter().map(|labels| of_label(labels.as_ref(), k).unwrap_or(0.0));
        let area = area(question, attacked, &negatives);
        Attacked {
            attack: attack.name.to_owned(),
            example: (attack.write)(EXAMPLE, &mut ChaCha8Rng::seed_from_u64(question.seed)),
            changed: drafts.iter().zip(&positives).filter(|(draft, row)| *draft != row.draft).count() as u64,
            drop: clean.auc.zip(area.auc).map(|(clean, attacked)| clean - attacked),
            area,
        }
    });
    Some(Robustness {
        label: label_name(model, k).to_owned(),
        positives: positives.len() as u64,
        negatives: negatives.len() as u64,
        clean,
        attacks: attacks.collect(),
        padding: padding(model, question, k, &positives, &negatives),
    })
}

/// The area under the ROC curve of some positive scores against the negative rows.
fn area(question: &Question, positives: impl Iterator<Item = f64>, negatives: &[Judged<'_>]) -> Area {
    let scores: Vec<f64> = positives.chain(negatives.iter().map(|row| row.p)).collect();
    let positives = scores.len() - negatives.len();
    let truth: Vec<bool> = (0..scores.len()).map(|row| row < positives).collect();
    area_of(&scores, &truth, question)
}

/// Every place of the word that speaks most for the label, as the model itself explains it; none if no word does.
fn heaviest(model: &Model, row: &Judged<'_>, k: usize, scratch: &mut Scratch) -> Vec<Range<usize>> {
    let explained = model.explain(&row.draft.item(), scratch).ok().and_then(|all| all.into_iter().nth(k));
    let Some(Explanation { shares, .. }) = explained else { return Vec::new() };
    let is_word = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count() >= 3;
    let words = || shares.iter().filter(|share| share.kind == Kind::Word && share.share > 0.0 && is_word(&share.text));
    let Some(heaviest) = words().max_by(|a, b| a.share.total_cmp(&b.share)) else { return Vec::new() };
    let word = heaviest.text.to_lowercase();
    let same = words().filter(|share| share.text.to_lowercase() == word);
    let mut places: Vec<Range<usize>> = same.filter_map(|share| share.span.map(|span| span.start..span.end)).collect();
    places.sort_unstable_by_key(|place| place.start);
    places
}

/// The rows with their heaviest words hidden. What chance decides, the seed, the attack and the row decide.
fn hidden(attack: Attack, number: u64, seed: u64, rows: &[Judged<'_>], places: &[Vec<Range<usize>>]) -> Vec<Draft> {
    let drafts = rows.iter().zip(places).zip(0..).map(|((row, places), stream): (_, u64)| {
        let mut random = ChaCha8Rng::seed_from_u64(seed.wrapping_add(number));
        random.set_stream(stream);
        let start = random.clone();
        row.draft.replaced(places, |word| (attack.write)(word, &mut start.clone()))
    });
    drafts.collect()
}

fn padding(
    model: &Model,
    question: &Question,
    k: usize,
    positives: &[Judged<'_>],
    negatives: &[Judged<'_>],
) -> Padding {
    let threshold = threshold_at(FALSE_POSITIVES, negatives.iter().map(|row| row.p));
    let (positives, negatives) = (short(positives), short(negatives));
    // Comments that the model itself takes for civil: what is flagged is then not what was added.
    let median = threshold_at(0.5, negatives.iter().map(|row| row.p));
    let civil: Vec<&str> = negatives.iter().filter(|row| row.p < median).map(|row| row.draft.text.as_str()).collect();
    let caught = Rate::among(positives.iter().map(|row| row.p >= threshold));
    let padded = PADDING.iter().map(|&comments| {
        let flagged = |rows: &[Judged<'_>]| {
            let drafts = padded(rows, &civil, comments, question.seed);
            let scores = score(model, &drafts);
            Rate::among(scores.iter().map(|labels| of_label(labels.as_ref(), k).is_some_and(|p| p >= threshold)))
        };
        let still = flagged(&positives);
        Padded {
            comments: comments as u64,
            caught: still,
            kept: (caught.hits > 0 && caught.hits >= question.min_rows).then(|| still.hits as f64 / caught.hits as f64),
            false_positives: flagged(&negatives),
        }
    });
    Padding { threshold, padded: padded.collect(), caught }
}

/// The short rows.
fn short<'a>(rows: &[Judged<'a>]) -> Vec<Judged<'a>> {
    rows.iter().filter(|row| Words::of(&row.draft.text).len() <= SHORT).copied().collect()
}

/// Every row with some civil comments behind it, drawn anew for each.
fn padded(rows: &[Judged<'_>], civil: &[&str], comments: usize, seed: u64) -> Vec<Draft> {
    let drafts = rows.iter().map(|row| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(row.row as u64);
        row.draft.followed_by(civil.iter().choose_multiple(&mut random, comments).into_iter().copied())
    });
    drafts.collect()
}
