//! Which comments are most worth a moderator's time: those that the model is least sure of (uncertainty sampling; Lewis & Gale 1994),
//! no two of them alike (maximal marginal relevance; Carbonell & Goldstein 1998). Or a plain random sample, which is what calibration
//! needs.
//!
//! Comments go by one after the other; only the best so far are kept.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::batch::Job;
use crate::features::vectors::Vectors;
use crate::model::calibrate::logit;
use crate::model::logistic::sigmoid;
use crate::model::{LabelHead, Model};
use crate::record::{ScoreRecord, rounded};
use crate::text::words::Words;

/// Candidates kept for each comment to be picked.
const CANDIDATES: usize = 50;
/// Most candidates.
const MOST: usize = 50_000;
/// Most bytes of text among the candidates.
const BYTES: usize = 128 << 20;
/// Numbers that a text's words are hashed into (Weinberger et al. 2009).
const HASHED: usize = 256;
/// Cosine of the words of two texts from which they are near-duplicates.
const NEAR: f32 = 0.8;

/// What to pick.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// How many comments.
    pub n: usize,
    /// The labels that are to be learnt; empty: all of the model that are not experimental.
    pub labels: Vec<String>,
    /// Pick at random instead, each text alike.
    pub random: bool,
    /// Decides a random sample, and between comments worth the same.
    pub seed: u64,
}

/// Comments that have been labelled.
#[derive(Debug, Clone, Default)]
pub struct Known {
    texts: HashSet<u64>,
    ids: HashSet<u64>,
}

impl Known {
    /// Takes note of a comment. Without a thread its id is no name to know it by: other files count from 1, too.
    pub fn add(&mut self, thread_id: Option<&str>, id: &str, text: &str) {
        self.texts.insert(name_of(text));
        self.ids.extend(thread_id.filter(|_| !id.is_empty()).map(|thread| place_of(thread, id)));
    }

    fn has(&self, job: &Job<'_>, name: u64) -> bool {
        self.texts.contains(&name) || job.thread_id.is_some_and(|thread| self.ids.contains(&place_of(thread, job.id)))
    }
}

/// A comment to be labelled, as it is written out: a row that training reads once its `labels` are filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Picked {
    /// The source's id.
    pub id: String,
    /// Its thread.
    pub thread_id: Option<String>,
    /// The comment answered.
    pub parent_id: Option<String>,
    /// The text answered.
    pub parent_text: Option<String>,
    /// The text.
    pub text: String,
    /// The labels that are wanted, all null.
    pub labels: Map<String, Value>,
    /// Label and probability.
    pub scores: Map<String, Value>,
    /// Why it was picked.
    pub why: Why,
    /// `name@version` of the model.
    pub model: String,
}

/// Why a comment was picked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// [`UNCERTAIN`] or [`RANDOM`].
    pub picked: &'static str,
    /// Mean over the wanted labels of how near the probability is to the threshold: 1 at it, 0 far from it.
    pub uncertainty: f64,
    /// The wanted label that is nearest to its threshold.
    pub label: String,
    /// Its threshold.
    pub threshold: f64,
}

/// Picked for being uncertain.
pub const UNCERTAIN: &str = "uncertain";
/// Picked at random.
pub const RANDOM: &str = "random";

/// Picks from comments that go by.
pub struct Queue<'m> {
    model: &'m Model,
    wanted: Wanted,
    known: Known,
    /// The wanted labels: place among the scores and logit of the threshold.
    labels: Vec<(usize, f64)>,
    /// The best so far, the worst of them on top.
    pool: BinaryHeap<Candidate>,
    pooled: HashSet<u64>,
    bytes: usize,
    /// Comments with scores that went by.
    pub comments: u64,
    /// Of these, those left out as they have been labelled.
    pub labelled: u64,
}

/// A comment that may be picked.
struct Candidate {
    /// What it is worth, 0..1.
    worth: f64,
    /// Decides between comments worth the same.
    draw: u64,
    /// The hash of its words.
    name: u64,
    row: Picked,
}

impl Candidate {
    fn bytes(&self) -> usize {
        self.row.text.len() + self.row.parent_text.as_ref().map_or(0, String::len)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.worth.total_cmp(&other.worth).then(self.draw.cmp(&other.draw))
    }
}

impl Ord for Candidate {
    /// The least worth is the greatest: it is the first to leave the heap.
    fn cmp(&self, other: &Self) -> Ordering {
        other.order(self)
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

impl<'m> Queue<'m> {
    /// A queue for the labels of `model`; those that it does not have are passed over.
    pub fn new(model: &'m Model, wanted: Wanted, known: Known) -> Self {
        let all = &model.manifest.labels;
        // A model may have none but experimental labels.
        let has_firm = all.iter().any(|head| !head.experimental);
        let is_wanted = |head: &LabelHead| match wanted.labels.as_slice() {
            [] => !(has_firm && head.experimental),
            named => named.contains(&head.name),
        };
        let heads = all.iter().enumerate().filter(|(_, head)| is_wanted(head));
        let labels = heads.map(|(k, head)| (k, logit(f64::from(head.threshold)))).collect();
        let (pool, pooled) = (BinaryHeap::new(), HashSet::new());
        Self { model, wanted, known, labels, pool, pooled, bytes: 0, comments: 0, labelled: 0 }
    }

    /// Looks at a scored comment.
    pub fn take(&mut self, job: &Job<'_>, record: &ScoreRecord) {
        let Some(why) = self.why(record) else { return };
        self.comments += 1;
        let name = name_of(job.text);
        if self.known.has(job, name) {
            self.labelled += 1;
            return;
        }
        let draw = xxh3_64_with_seed(&name.to_le_bytes(), self.wanted.seed);
        let worth = if self.wanted.random { 0.0 } else { why.uncertainty };
        let beats = |worst: &Candidate| worst.worth.total_cmp(&worth).then(worst.draw.cmp(&draw)).is_lt();
        let is_full = self.pool.len() >= self.most();
        if self.pooled.contains(&name) || (is_full && !self.pool.peek().is_some_and(beats)) {
            return;
        }
        let candidate = Candidate { worth, draw, name, row: self.row(job, record, why) };
        self.bytes += candidate.bytes();
        self.pooled.insert(name);
        self.pool.push(candidate);
        while self.pool.len() > self.most() || (self.bytes > BYTES && self.pool.len() > 1) {
            let Some(worst) = self.pool.pop() else { break };
            self.pooled.remove(&worst.name);
            self.bytes -= worst.bytes();
        }
    }

    fn most(&self) -> usize {
        if self.wanted.random { self.wanted.n } else { (CANDIDATES * self.wanted.n).min(MOST).max(self.wanted.n) }
    }

    /// How near to their thresholds the wanted labels are; `None` without scores.
    fn why(&self, record: &ScoreRecord) -> Option<Why> {
        let mut sum = 0.0;
        let mut nearest: Option<(f64, &str, f64)> = None;
        for &(k, threshold) in &self.labels {
            let (name, p) = record.scores.get(k)?;
            let uncertainty = 2.0 * sigmoid(-(logit(f64::from((*p)?)) - threshold).abs());
            sum += uncertainty;
            if nearest.is_none_or(|(most, ..)| uncertainty > most) {
                nearest = Some((uncertainty, name, sigmoid(threshold)));
            }
        }
        let (_, label, threshold) = nearest?;
        Some(Why {
            picked: if self.wanted.random { RANDOM } else { UNCERTAIN },
            uncertainty: rounded((sum / self.labels.len() as f64) as f32),
            label: label.to_owned(),
            threshold: rounded(threshold as f32),
        })
    }

    fn row(&self, job: &Job<'_>, record: &ScoreRecord, why: Why) -> Picked {
        let score = |(name, p): &(String, Option<f32>)| (name.clone(), p.map_or(Value::Null, |p| rounded(p).into()));
        let name = |(k, _): &(usize, f64)| Some((record.scores.get(*k)?.0.clone(), Value::Null));
        Picked {
            id: record.id.clone(),
            thread_id: record.thread_id.clone(),
            parent_id: record.parent_id.clone(),
            parent_text: job.parent.map(str::to_owned),
            text: job.text.to_owned(),
            labels: self.labels.iter().filter_map(name).collect(),
            scores: record.scores.iter().map(score).collect(),
            why,
            model: record.model.clone(),
        }
    }

    /// The picked comments, the one most worth labelling first; a random sample in random order.
    pub fn pick(self) -> Vec<Picked> {
        let mut pool: Vec<Candidate> = self.pool.into_vec();
        pool.sort_by(|a, b| b.order(a));
        if !self.wanted.random {
            pool = spread(pool, self.wanted.n, self.model.vectors.as_ref());
        }
        pool.into_iter().map(|candidate| candidate.row).collect()
    }
}

/// Picks `n`, one after the other: always the one whose worth times its distance to all that are picked is the highest. `pool` is in the
/// order of worth.
fn spread(pool: Vec<Candidate>, n: usize, vectors: Option<&Vectors>) -> Vec<Candidate> {
    let texts: Vec<Words> = pool.par_iter().map(|candidate| Words::of(&candidate.row.text)).collect();
    let places = places(&texts, vectors);
    let mut alike = vec![0.0_f32; pool.len()];
    let mut order: Vec<usize> = Vec::new();
    while order.len() < n {
        let value = |i: usize| pool.get(i).zip(alike.get(i)).map_or(0.0, |(c, a)| c.worth * f64::from(1.0 - a));
        let open = (0..pool.len()).filter(|&i| alike.get(i).is_some_and(|a| *a < 1.0));
        // The first of those worth the same, so that the order is that of the pool.
        let Some(best) = open.reduce(|best, i| if value(i) > value(best) { i } else { best }) else { break };
        order.push(best);
        let Some(own) = places.get(best) else { break };
        alike.par_iter_mut().zip(&places).for_each(|(alike, place)| *alike = alike.max(own.likeness(place)));
        // Whatever its words are (there may be none), it is picked once.
        alike.iter_mut().skip(best).take(1).for_each(|alike| *alike = 1.0);
    }
    let mut pool: Vec<Option<Candidate>> = pool.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| pool.get_mut(i)?.take()).collect()
}

/// Where a text stands among the others, by two unit vectors.
struct Place {
    words: Vec<f32>,
    meaning: Vec<f32>,
}

impl Place {
    /// 0 for texts that have nothing in common, 1 for near-duplicates.
    fn likeness(&self, other: &Self) -> f32 {
        let words = dot(&self.words, &other.words);
        if words >= NEAR {
            return 1.0;
        }
        let alike =
            if self.meaning.is_empty() { words } else { f32::midpoint(words, dot(&self.meaning, &other.meaning)) };
        alike.clamp(0.0, 0.99)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Texts by their words, rare ones weighing more, hashed; and by the mean of their word vectors, less that of all texts.
fn places(texts: &[Words], vectors: Option<&Vectors>) -> Vec<Place> {
    let mut counts: HashMap<u64, u32> = HashMap::new();
    for text in texts {
        let types: HashSet<u64> = text.iter().map(|word| word.hash).collect();
        types.into_iter().for_each(|word| *counts.entry(word).or_default() += 1);
    }
    let idf = |word: u64| {
        let count = counts.get(&word).copied().unwrap_or(1);
        (1.0 + texts.len() as f32 / count as f32).ln()
    };
    let mut places: Vec<Place> = texts
        .par_iter()
        .map(|text| {
            let mut words = vec![0.0; HASHED];
            let mut meaning = vec![0.0; vectors.map_or(0, Vectors::dimension)];
            for word in text {
                let sign = if word.hash >> 63 == 0 { 1.0 } else { -1.0 };
                let at = (word.hash % HASHED as u64) as usize;
                words.iter_mut().skip(at).take(1).for_each(|v| *v += sign * idf(word.hash));
                if let Some(vectors) = vectors {
                    vectors.add(text.lower(word), idf(word.hash), &mut meaning);
                }
            }
            Place { words: unit(words), meaning: unit(meaning) }
        })
        .collect();
    // What all texts have in common tells none of them apart.
    let mut mean = vec![0.0; vectors.map_or(0, Vectors::dimension)];
    for place in &places {
        mean.iter_mut().zip(&place.meaning).for_each(|(sum, v)| *sum += v / texts.len() as f32);
    }
    for place in &mut places {
        place.meaning.iter_mut().zip(&mean).for_each(|(v, mean)| *v -= mean);
        place.meaning = unit(std::mem::take(&mut place.meaning));
    }
    places
}

/// The vector at length 1; one without a length stays 0.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = dot(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|v| *v /= length);
    }
    vector
}

/// One name for texts of the same words.
fn name_of(text: &str) -> u64 {
    xxh3_64(Words::of(text).joined().as_bytes())
}

fn place_of(thread: &str, id: &str) -> u64 {
    xxh3_64(format!("{thread}\u{0}{id}").as_bytes())
}
