//! Records as lines of JSON, written by the workers straight from the scores: the same bytes as those of [`ScoreRecord`], without its
//! detours.

use std::io::Write;

use rayon::prelude::*;
use serde_json::to_writer;

use super::batch::{Job, Scorer, Scoring};
use crate::model::Model;
use crate::model::scoring::{Scores, Scratch, Unscored};
use crate::record::ScoreRecord;

/// Bytes that most lines fit.
const ROOM: usize = 1536;
/// Comments a worker takes at a time.
const SHARE: usize = 32;

/// A comment's line, and what runs count of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The record, with its line feed.
    pub json: Vec<u8>,
    /// One probability a label of the model; `None` where the label leaves the comment open. Empty for a comment without scores.
    pub scores: Vec<Option<f32>>,
    /// Why it has none.
    pub unscored: Option<Unscored>,
}

/// Scores comments and writes their lines.
#[derive(Debug)]
pub struct Lines<'s, 'm> {
    scorer: &'s Scorer<'m>,
    /// `"label":` of each label.
    keys: Vec<Vec<u8>>,
    /// Why an experimental label leaves a comment open, up to the probability.
    reasons: Vec<Option<Vec<u8>>>,
    /// `"class":` of each stance toward the parent.
    classes: Vec<Vec<u8>>,
    /// What all records end with.
    end: Vec<u8>,
}

impl<'s, 'm> Lines<'s, 'm> {
    /// Of the comments that `scorer` scores.
    pub fn new(scorer: &'s Scorer<'m>) -> Self {
        let manifest = &scorer.model.manifest;
        let classes = manifest.parent.iter().flat_map(|head| &head.step.classes);
        let mut end = b",\"model\":".to_vec();
        push(&mut end, &scorer.model.id());
        end.extend_from_slice(b"}\n");
        let reason = |k: usize| {
            let doubt = manifest.labels.get(k)?.doubt.as_ref().filter(|_| !scorer.undecided)?;
            let mut reason = Vec::new();
            push(&mut reason, &doubt.rule());
            reason.pop();
            Some(reason)
        };
        Self {
            scorer,
            keys: manifest.labels.iter().map(|label| key(&label.name)).collect(),
            reasons: (0..manifest.labels.len()).map(reason).collect(),
            classes: classes.map(|class| key(class)).collect(),
            end,
        }
    }

    fn line(&self, job: &Job<'_>, model: &str, scratch: &mut Scratch) -> Line {
        let found = self.scorer.scores(job, scratch);
        let mut json = Vec::with_capacity(ROOM);
        let scores = match &found {
            Ok(scores) => self.decided(scores),
            Err(_) => Vec::new(),
        };
        let plain = found.as_ref().is_ok_and(|scores| scores.targets.is_empty()) && !self.scorer.explain;
        if let (true, Ok(found)) = (plain, &found) {
            self.head(job, &mut json);
            self.scores(found, &scores, &mut json);
            json.extend_from_slice(&self.end);
        } else {
            // What is written seldom goes the long way.
            let record: ScoreRecord = self.scorer.record_of(job, model, found.clone(), scratch);
            written(&mut json, &record);
            json.push(b'\n');
        }
        Line { json, scores, unscored: found.err() }
    }

    fn decided(&self, scores: &Scores) -> Vec<Option<f32>> {
        let model: &Model = self.scorer.model;
        let is_open = |k: usize, p: f32| !self.scorer.undecided && model.is_left_open(k, p);
        scores.labels.iter().enumerate().map(|(k, &p)| (!is_open(k, p)).then_some(p)).collect()
    }

    /// The fields before the scores.
    fn head(&self, job: &Job<'_>, json: &mut Vec<u8>) {
        json.extend_from_slice(b"{\"id\":");
        push(json, job.id);
        for (name, value) in [("thread_id", job.thread_id), ("parent_id", job.parent_id)] {
            push_field(json, name, value);
        }
        json.extend_from_slice(b",\"depth\":");
        written(json, &job.depth);
        for (name, value) in [("author", job.author), ("created", job.created), ("status", Some(job.status.name()))] {
            push_field(json, name, value);
        }
        if self.scorer.with_text && job.text.len() <= self.scorer.max_text {
            push_field(json, "text", Some(job.text));
        }
    }

    fn scores(&self, found: &Scores, decided: &[Option<f32>], json: &mut Vec<u8>) {
        json.extend_from_slice(b",\"scores\":{");
        for (key, p) in self.keys.iter().zip(decided) {
            json.extend_from_slice(key);
            match p {
                Some(p) => push_probability(json, *p),
                None => json.extend_from_slice(b"null"),
            }
            json.push(b',');
        }
        close(json);
        if decided.contains(&None) {
            json.extend_from_slice(b",\"unscored\":{");
            let open = self.keys.iter().zip(&self.reasons).zip(decided.iter().zip(&found.labels));
            for ((key, reason), (_, p)) in open.filter(|(_, (decided, _))| decided.is_none()) {
                json.extend_from_slice(key);
                json.extend_from_slice(reason.as_deref().unwrap_or_default());
                push_thousandths(json, *p);
                json.extend_from_slice(b"\",");
            }
            close(json);
        }
        if let Some(parent) = &found.parent {
            json.extend_from_slice(b",\"stance\":{\"parent\":{");
            for (key, p) in self.classes.iter().zip(parent) {
                json.extend_from_slice(key);
                push_probability(json, *p);
                json.push(b',');
            }
            close(json);
            json.push(b'}');
        }
    }
}

impl Scoring for Lines<'_, '_> {
    type Outcome = Line;

    fn score_all(&self, jobs: &[Job<'_>]) -> Vec<Line> {
        let (id, model) = (self.scorer.model.id(), self.scorer.model);
        let mut lines = Vec::with_capacity(jobs.len());
        jobs.par_iter()
            .with_min_len(SHARE)
            .map_init(|| model.worker(), |worker, job| self.line(job, &id, worker))
            .collect_into_vec(&mut lines);
        lines
    }
}

/// `"name":` for a name that may need escapes.
fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    push(&mut key, name);
    key.push(b':');
    key
}

/// A string with its quotation marks.
fn push(json: &mut Vec<u8>, text: &str) {
    let plain = text.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\');
    if plain {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    } else {
        written(json, text);
    }
}

fn push_field(json: &mut Vec<u8>, name: &str, value: Option<&str>) {
    json.extend_from_slice(b",\"");
    json.extend_from_slice(name.as_bytes());
    json.extend_from_slice(b"\":");
    match value {
        Some(value) => push(json, value),
        None => json.extend_from_slice(b"null"),
    }
}

/// Turns the comma after the last member into the end of its object.
fn close(json: &mut Vec<u8>) {
    if json.last() == Some(&b',') {
        json.pop();
    }
    json.push(b'}');
}

/// A probability as [`crate::record::rounded`] rounds it, in the shortest digits.
fn push_probability(json: &mut Vec<u8>, p: f32) {
    let millionths = (f64::from(p) * 1e6).round();
    if !(10.0..1e6).contains(&millionths) {
        // 0.0, 1.0, what has an exponent, and what is no number.
        written(json, &(millionths / 1e6));
        return;
    }
    let digits = digits::<6>(millionths);
    let len = digits.iter().rposition(|d| *d != b'0').map_or(1, |last| last + 1);
    json.extend_from_slice(b"0.");
    json.extend_from_slice(&digits[..len]);
}

/// A probability with three decimals.
fn push_thousandths(json: &mut Vec<u8>, p: f32) {
    let thousandths = (f64::from(p) * 1e3).round_ties_even();
    if !(0.0..1e3).contains(&thousandths) {
        // Writing to memory fails for no reason of ours.
        let _ = write!(json, "{p:.3}");
        return;
    }
    json.extend_from_slice(b"0.");
    json.extend_from_slice(&digits::<3>(thousandths));
}

/// The last digits of a whole number that is not negative.
#[allow(clippy::cast_sign_loss, reason = "it is not negative")]
fn digits<const N: usize>(number: f64) -> [u8; N] {
    let mut number = number as u32;
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    digits
}

fn written(json: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    // Writing to memory fails for no reason of ours.
    let _ = to_writer(json, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::rounded;

    #[test]
    fn probabilities_are_written_as_serde_writes_them() {
        for millionths in 0..=1_000_000u32 {
            let p = (f64::from(millionths) / 1e6) as f32;
            let mut json = Vec::new();
            push_probability(&mut json, p);
            assert_eq!(json, serde_json::to_vec(&rounded(p)).unwrap(), "{p}");
        }
    }

    #[test]
    fn thousandths_are_written_as_the_standard_library_writes_them() {
        let halves = (0..2000u16).map(|i| f32::from(i) / 2000.0);
        let others = (0..100_000u32).map(|i| f32::from_bits(0x3000_0000 + i * 1500));
        for p in halves.chain(others).filter(|p| *p <= 1.0) {
            let mut json = Vec::new();
            push_thousandths(&mut json, p);
            assert_eq!(String::from_utf8(json).unwrap(), format!("{p:.3}"), "{p:e}");
        }
    }
}
