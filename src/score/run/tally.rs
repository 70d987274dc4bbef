//! Counts of a run: what was scored, what was not and why, and how many comments reach the threshold of a label.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::label::{self, Group};
use crate::model::Model;
use crate::model::scoring::Unscored;
use crate::record::ScoreRecord;
use crate::score::lines::Line;

/// The counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Comments read.
    pub rows: u64,
    /// Of these, those with scores.
    pub scored: u64,
    /// The others, by the reason.
    pub unscored: BTreeMap<String, u64>,
    /// Rows that could not be used, and are not among the comments.
    pub rejected: u64,
    /// Comments that reach the threshold of a label of incivility that is not experimental.
    pub uncivil: u64,
    /// Comments that reach the threshold of each label.
    pub labels: BTreeMap<String, u64>,
    /// Comments that pass a limit of `--fail-on`.
    pub over_limit: u64,
}

impl Tally {
    /// Comments without scores.
    pub fn unscored(&self) -> u64 {
        self.unscored.values().sum()
    }
}

/// Counts records of one model.
#[derive(Debug, Clone)]
pub struct Counter {
    heads: Vec<Head>,
    tally: Tally,
}

#[derive(Debug, Clone)]
struct Head {
    name: String,
    threshold: f32,
    is_uncivil: bool,
    reached: u64,
}

impl Counter {
    /// Goes on from `tally`.
    pub fn new(model: &Model, tally: Tally) -> Self {
        let is_known = |name: &str| label::find(name).is_some_and(|label| label.group == Group::Incivility);
        let any_known = model.manifest.labels.iter().any(|head| is_known(&head.name));
        let heads = model.manifest.labels.iter().map(|head| Head {
            name: head.name.clone(),
            threshold: head.threshold,
            // A model of labels that are all a user's own is about what its user does not want.
            is_uncivil: !head.experimental && (is_known(&head.name) || !any_known),
            reached: tally.labels.get(&head.name).copied().unwrap_or_default(),
        });
        Self { heads: heads.collect(), tally }
    }

    /// Counts a record.
    pub fn add(&mut self, record: &ScoreRecord, is_over_limit: bool) {
        self.count(record.unscored.as_deref(), record.scores.iter().map(|(_, p)| *p), is_over_limit);
    }

    /// Counts a comment by its line.
    pub fn add_line(&mut self, line: &Line, is_over_limit: bool) {
        let reason = line.unscored.map(Unscored::reason);
        self.count(reason.as_deref(), line.scores.iter().copied(), is_over_limit);
    }

    fn count(&mut self, unscored: Option<&str>, scores: impl Iterator<Item = Option<f32>>, is_over_limit: bool) {
        self.tally.rows += 1;
        self.tally.over_limit += u64::from(is_over_limit);
        if let Some(reason) = unscored {
            match self.tally.unscored.get_mut(reason) {
                Some(count) => *count += 1,
                None => drop(self.tally.unscored.insert(reason.to_owned(), 1)),
            }
            return;
        }
        self.tally.scored += 1;
        let mut is_uncivil = false;
        for (head, p) in self.heads.iter_mut().zip(scores) {
            let reaches = p.is_some_and(|p| p >= head.threshold);
            head.reached += u64::from(reaches);
            is_uncivil |= reaches && head.is_uncivil;
        }
        self.tally.uncivil += u64::from(is_uncivil);
    }

    /// Takes over how many rows could not be used.
    pub fn set_rejected(&mut self, rejected: u64) {
        self.tally.rejected = rejected;
    }

    /// Comments so far.
    pub fn rows(&self) -> u64 {
        self.tally.rows
    }

    /// Uncivil comments so far.
    pub fn uncivil(&self) -> u64 {
        self.tally.uncivil
    }

    /// The counts so far.
    pub fn tally(&self) -> Tally {
        let labels = self.heads.iter().map(|head| (head.name.clone(), head.reached)).collect();
        Tally { labels, ..self.tally.clone() }
    }
}
