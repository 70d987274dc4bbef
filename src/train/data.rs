//! Labelled rows: what a row says of a comment and what it is labelled with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::read::entry::CommentRow;
use crate::read::fields::{self, Fields, role};
use crate::read::rows::Row;

/// A comment with its labels.
#[derive(Debug, Clone, Default)]
pub struct Labelled {
    /// The comment and its surroundings.
    pub row: CommentRow,
    /// The text of the comment that opens its thread, where the file holds it (see [`super::threads`]).
    pub root_text: Option<String>,
    /// Labels that the row decides, 0..1.
    pub labels: Vec<(String, f32)>,
    /// Shares of annotators who saw a label, 0..1, where the row states them (`labels_soft`).
    pub soft: BTreeMap<String, f32>,
    /// What the row counts beside others of its source: 1 unless it has a `weight`.
    pub weight: f32,
    /// Stance toward the parent.
    pub reply_stance: Option<String>,
    /// Stances toward targets.
    pub stances: Vec<(String, String)>,
    /// A stance toward something that the row does not name.
    pub untargeted: Option<String>,
}

/// Fields of a row that are neither a comment's nor a label.
const OTHER: &[&str] = &[
    "labels",
    "labels_soft",
    "stance",
    "stances",
    "reply_stance",
    "spans",
    "identities",
    "src",
    "meta",
    "weight",
    "annotators",
    "split",
    "lang",
    "language",
    "url",
    "score",
    "likes",
];
/// Prefixes of columns that hold a label.
const PREFIXES: [&str; 4] = ["labels.", "label.", "labels:", "label:"];

/// Reads a labelled row. `plain` are the columns of a table that hold labels under their own names (see [`label_columns`]).
///
/// # Errors
/// The reason why the row cannot be used.
pub fn labelled(row: &Row, fields: &Fields, plain: &BTreeSet<String>) -> Result<Labelled, String> {
    let comment = fields::comment(row, fields)?;
    let mut out = Labelled { row: comment, weight: weight(&row.fields)?, ..Labelled::default() };
    match row.fields.get("labels") {
        Some(Value::Object(labels)) => {
            for (name, value) in labels {
                if let Some(value) = share(name, value)? {
                    out.labels.push((name.clone(), value));
                }
            }
        }
        None | Some(Value::Null) => {}
        Some(_) => return Err("`labels` should be an object of names and numbers 0..1".into()),
    }
    if let Some(Value::Object(soft)) = row.fields.get("labels_soft") {
        for (name, value) in soft {
            out.soft.extend(share(name, value)?.map(|value| (name.clone(), value)));
        }
    }
    for (column, value) in &row.fields {
        let prefixed = PREFIXES.iter().find_map(|p| column.strip_prefix(p));
        let name = prefixed.or_else(|| plain.contains(column).then_some(column.as_str()));
        if let Some(name) = name
            && let Some(value) = share(name, value)?
        {
            out.labels.push((name.to_owned(), value));
        }
    }
    out.reply_stance = class(&row.fields, "reply_stance")?;
    if let Some(stance) = class(&row.fields, "stance")? {
        match out.row.target.clone() {
            Some(target) => out.stances.push((target, stance)),
            None => out.untargeted = Some(stance),
        }
    }
    if let Some(Value::Object(stances)) = row.fields.get("stances") {
        for target in stances.keys() {
            if let Some(stance) = class(stances, target)? {
                out.stances.push((target.clone(), stance));
            }
        }
    }
    Ok(out)
}

/// A row's weight.
fn weight(fields: &Map<String, Value>) -> Result<f32, String> {
    let number = match fields.get("weight") {
        None | Some(Value::Null) => Some(1.0),
        Some(Value::Number(n)) => n.as_f64(),
        Some(Value::String(s)) => s.trim().parse().ok(),
        Some(_) => None,
    };
    let usable = number.filter(|w| w.is_finite() && *w > 0.0);
    usable.map(|w| w as f32).ok_or_else(|| "`weight` should be a number above 0".into())
}

/// A label's value: a number 0..1 or a truth value; `None` where the row leaves it open.
fn share(name: &str, value: &Value) -> Result<Option<f32>, String> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Bool(true) => 1.0,
        Value::Bool(false) => 0.0,
        Value::Number(n) => n.as_f64().unwrap_or(f64::NAN),
        Value::String(s) => match word(s) {
            Some(number) => number,
            None => return Err(format!("the label `{name}` is \"{s}\": expected a number 0..1, true or false")),
        },
        _ => return Err(format!("the label `{name}` should be a number 0..1")),
    };
    if (0.0..=1.0).contains(&number) {
        Ok(Some(number as f32))
    } else {
        Err(format!("the label `{name}` is {number}: expected a number 0..1"))
    }
}

fn word(s: &str) -> Option<f64> {
    match s.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" => Some(1.0),
        "false" | "no" => Some(0.0),
        other => other.parse().ok(),
    }
}

fn class(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) if s.trim().is_empty() => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.trim().to_owned())),
        Some(_) => Err(format!("`{name}` should be the name of a class")),
    }
}

/// The columns of a table that hold labels under their own names: those that no role or other field has and in which every cell is a
/// number 0..1 or a truth value.
pub fn label_columns<'a>(rows: impl Iterator<Item = &'a Row>, fields: &Fields) -> BTreeSet<String> {
    let taken: Vec<&String> =
        [&fields.text, &fields.id, &fields.parent_id, &fields.author, &fields.created, &fields.thread_id]
            .into_iter()
            .flatten()
            .collect();
    let mut candidates = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for row in rows {
        for (column, value) in &row.fields {
            let known = role(column).is_some() || OTHER.contains(&column.as_str()) || taken.contains(&column);
            if known || PREFIXES.iter().any(|p| column.starts_with(p)) || refused.contains(column) {
                continue;
            }
            let number = match value {
                Value::String(cell) => word(cell),
                Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
                other => other.as_f64(),
            };
            // A missing number says nothing of the column; if that is a label, `share` refuses the row.
            if number.is_some_and(f64::is_nan) {
                continue;
            }
            if number.is_some_and(|v| (0.0..=1.0).contains(&v)) {
                candidates.insert(column.clone());
            } else {
                candidates.remove(column);
                refused.insert(column.clone());
            }
        }
    }
    candidates
}
