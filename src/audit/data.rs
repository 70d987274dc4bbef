//! The labelled rows of an audit: their truth, their scores and the identities they mention.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::draft::{Draft, of_label, score};
use super::{Question, label_name};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::read::rows::{BadRow, Options};
use crate::text::terms::Identities;
use crate::train::data::Labelled;
use crate::train::gather::read_file;
use crate::train::threads::answer_parents;

/// Rows with their scores.
#[derive(Debug, Default)]
pub struct Data {
    /// In their order.
    pub rows: Vec<Row>,
    /// The identities that the rows mention.
    pub identities: Vec<Mentioned>,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its text.
    pub draft: Draft,
    /// Its labels, 0..1.
    pub labels: Vec<(String, f32)>,
    /// The probabilities of the model's labels; `None` if it is not scored.
    pub scores: Option<Vec<f32>>,
}

/// An identity and the rows that mention it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mentioned {
    /// Its name.
    pub identity: String,
    /// What kind of identity it is; `None` where the rows name identities of their own.
    pub group: Option<String>,
    /// Numbers of the rows.
    pub rows: BTreeSet<usize>,
    /// Its terms and the rows that hold them.
    pub terms: BTreeMap<String, BTreeSet<usize>>,
}

/// A row that has a truth and a score for a label.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// Its number.
    pub row: usize,
    /// Its text.
    pub draft: &'a Draft,
    /// The probability of the label.
    pub p: f64,
    /// Whether it has the label.
    pub truth: bool,
}

impl Data {
    /// Reads and scores the rows, and finds their identities: those of a row's `identities` where it has that field, else those
    /// whose terms it holds.
    ///
    /// # Errors
    /// Files that cannot be used, or that hold no labelled row.
    pub fn read(
        model: &Model,
        question: &Question,
        options: &Options,
        bad: &mut dyn FnMut(&Path, BadRow),
    ) -> Result<Self> {
        let mut rows: Vec<Labelled> = Vec::new();
        let mut stated: Vec<Option<Vec<String>>> = Vec::new();
        for path in &question.data {
            let mut file: Vec<Labelled> = Vec::new();
            read_file(path, options, &mut |row| bad(path, row), |labelled, row| {
                stated.push(row.fields.get("identities").and_then(identities));
                file.push(labelled);
            })?;
            answer_parents(&mut file);
            rows.append(&mut file);
        }
        if rows.is_empty() && !question.data.is_empty() {
            return Err(Error::settings("no labelled rows to audit on"));
        }
        let identities = mentioned(&question.identities, &rows, &stated);
        let (drafts, labels): (Vec<Draft>, Vec<_>) = rows.into_iter().map(parts).unzip();
        let scores = score(model, &drafts);
        let rows = drafts.into_iter().zip(labels).zip(scores);
        let rows = rows.map(|((draft, labels), scores)| Row { draft, labels, scores }).collect();
        Ok(Self { rows, identities })
    }

    /// The rows that have a truth and a score for a label of the model.
    pub fn judged(&self, model: &Model, question: &Question, k: usize) -> Vec<Judged<'_>> {
        let ours = label_name(model, k);
        let mapped = question.map.iter().find(|(name, _)| name == ours);
        let theirs = mapped.map_or(ours, |(_, theirs)| theirs);
        let judged = self.rows.iter().enumerate().filter_map(|(number, row)| {
            let (_, value) = row.labels.iter().find(|(name, _)| name == theirs)?;
            let p = of_label(row.scores.as_ref(), k)?;
            Some(Judged { row: number, draft: &row.draft, p, truth: *value >= 0.5 })
        });
        judged.collect()
    }

    /// True if enough of the rows have the label, and enough do not.
    pub fn has_enough(&self, model: &Model, question: &Question, k: usize) -> bool {
        let judged = self.judged(model, question, k);
        let positives = judged.iter().filter(|row| row.truth).count() as u64;
        positives.min(judged.len() as u64 - positives) >= question.min_rows
    }
}

fn parts(row: Labelled) -> (Draft, Vec<(String, f32)>) {
    let comment = row.row.stated.comment;
    (Draft { text: comment.text, quotes: comment.quotes, parent: row.row.parent_text }, row.labels)
}

/// The identities that a row states: a list of names (in a table: with semicolons between), or names with the share of annotators who
/// saw them.
fn identities(field: &Value) -> Option<Vec<String>> {
    match field {
        Value::Array(names) => Some(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()),
        Value::Object(shares) => {
            let seen = |value: &Value| value.as_f64().map_or(value == &Value::Bool(true), |share| share >= 0.5);
            Some(shares.iter().filter(|(_, value)| seen(value)).map(|(name, _)| name.clone()).collect())
        }
        Value::String(names) => {
            Some(names.split(';').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
        }
        _ => None,
    }
}

fn mentioned(list: &Identities, rows: &[Labelled], stated: &[Option<Vec<String>>]) -> Vec<Mentioned> {
    let finder = list.finder();
    let of_list = list.list.iter().map(|entry| Mentioned {
        identity: entry.name.clone(),
        group: Some(entry.group.clone()),
        ..Mentioned::default()
    });
    let mut known: Vec<Mentioned> = of_list.collect();
    let mut own: BTreeMap<&str, Mentioned> = BTreeMap::new();
    for (number, (row, stated)) in rows.iter().zip(stated).enumerate() {
        if let Some(names) = stated {
            for name in names {
                let new = || Mentioned { identity: name.clone(), ..Mentioned::default() };
                let listed = known.iter_mut().find(|entry| entry.identity == *name);
                listed.unwrap_or_else(|| own.entry(name).or_insert_with(new)).note(name, number);
            }
            continue;
        }
        for term in finder.find(&row.row.stated.comment.text) {
            let name = list.list.get(term.identity).and_then(|entry| entry.terms.get(term.term));
            if let (Some(entry), Some(name)) = (known.get_mut(term.identity), name) {
                entry.note(name, number);
            }
        }
    }
    known.extend(own.into_values());
    known.retain(|entry| !entry.rows.is_empty());
    known
}

impl Mentioned {
    fn note(&mut self, term: &str, row: usize) {
        self.rows.insert(row);
        self.terms.entry(term.to_owned()).or_default().insert(row);
    }
}
