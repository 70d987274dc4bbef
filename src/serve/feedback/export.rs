//! Feedback as training data: one row a comment, with what was decided about it last.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::open;
use crate::error::{Error, Result};
use crate::label::LABELS;

/// What to take.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only what came at this time or later.
    pub since: Option<Timestamp>,
    /// Labels to be called otherwise: as they are called in the feedback, and as training is to call them.
    pub renamed: Vec<(String, String)>,
}

/// What was taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Taken {
    /// Events.
    pub events: u64,
    /// Comments that they are about: the rows written.
    pub comments: u64,
    /// By label, how many comments have it (from 0.5 on), and how many have it not.
    pub labels: BTreeMap<String, (u64, u64)>,
    /// By the face that they came by.
    pub faces: BTreeMap<String, u64>,
    /// When the first and the last of them came (RFC 3339).
    pub times: Option<(String, String)>,
    /// Comments about whose labels decisions differ.
    pub conflicts: Vec<Conflict>,
}

/// A label of a comment that was decided in different ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// The site.
    pub site: Option<String>,
    /// The client's own name of the comment, else the number of its last event in the file.
    pub comment: String,
    /// The label.
    pub label: String,
    /// What was decided, one after the other; the last counts.
    pub values: Vec<f64>,
}

/// What is known of a comment before its text is read: by label all values, and its last event.
#[derive(Default)]
struct Comment {
    last: i64,
    labels: BTreeMap<String, Vec<f64>>,
}

/// Hands every comment, as a row that training reads, to `each`, in the order of their last decisions.
///
/// # Errors
/// A file that is missing or no feedback file; what `each` says.
pub fn export(path: &Path, wanted: &Wanted, mut each: impl FnMut(Value) -> Result<()>) -> Result<Taken> {
    let connection = open(path, false)?;
    let failed = |error: rusqlite::Error| Error::input(path.display(), error.to_string());
    // One view of the file for both passes, whatever a server writes meanwhile.
    connection.execute_batch("BEGIN").map_err(failed)?;
    let (mut taken, comments) = gather(&connection, wanted).map_err(failed)?;
    let mut rows: Vec<Comment> = comments.into_values().collect();
    rows.sort_by_key(|comment| comment.last);
    for comment in rows {
        taken.comments += 1;
        for (label, values) in &comment.labels {
            let (have, have_not) = taken.labels.entry(label.clone()).or_default();
            *(if values.last().is_some_and(|value| *value >= 0.5) { have } else { have_not }) += 1;
        }
        each(row(&connection, &comment).map_err(failed)?)?;
    }
    Ok(taken)
}

/// Reads all events. A comment is known by its site, the client's name of it and its text: some clients name all alike, and after an edit
/// what was decided before is still true of the old text.
fn gather(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<(Taken, BTreeMap<u128, Comment>)> {
    let mut taken = Taken::default();
    let mut comments: BTreeMap<u128, Comment> = BTreeMap::new();
    let mut conflicts: BTreeMap<(u128, String), Conflict> = BTreeMap::new();
    let mut statement =
        connection.prepare("SELECT id, received, face, site, client_token, text, labels FROM event ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(event) = rows.next()? {
        let (id, received): (i64, String) = (event.get(0)?, event.get(1)?);
        if let (Some(since), Ok(time)) = (wanted.since, received.parse::<Timestamp>())
            && time < since
        {
            continue;
        }
        let (site, name): (Option<String>, Option<String>) = (event.get(3)?, event.get(4)?);
        let (text, labels): (String, String) = (event.get(5)?, event.get(6)?);
        taken.events += 1;
        *taken.faces.entry(event.get(2)?).or_default() += 1;
        taken.times = Some((taken.times.take().map_or_else(|| received.clone(), |(first, _)| first), received));
        let key = xxh3_128(json!([site, name, text]).to_string().as_bytes());
        let comment = comments.entry(key).or_default();
        comment.last = id;
        for (label, value) in labels_of(&labels, wanted) {
            let values = comment.labels.entry(label.clone()).or_default();
            values.push(value);
            if values.windows(2).any(|pair| pair.first() != pair.last()) {
                let comment = name.clone().unwrap_or_else(|| format!("event {id}"));
                let conflict = Conflict { site: site.clone(), comment, label: label.clone(), values: values.clone() };
                conflicts.insert((key, label), conflict);
            }
        }
    }
    taken.conflicts = conflicts.into_values().collect();
    Ok((taken, comments))
}

/// The labels that an event teaches, under the names that training is to use.
fn labels_of(labels: &str, wanted: &Wanted) -> Vec<(String, f64)> {
    let stated: Map<String, Value> = serde_json::from_str(labels).unwrap_or_default();
    let named = stated.iter().filter_map(|(name, value)| {
        let label = label_of(name);
        let new = wanted.renamed.iter().find(|(old, _)| *old == label);
        Some((new.map_or(label.clone(), |(_, new)| new.clone()), value.as_f64()?))
    });
    named.collect()
}

/// Our label for the name of an attribute: Perspective's by the list of labels, ours as they are.
pub fn label_of(name: &str) -> String {
    let plain = name.strip_suffix("_EXPERIMENTAL").unwrap_or(name);
    let known = LABELS.iter().find(|label| label.perspective.is_some_and(|alias| alias == name || alias == plain));
    known.map_or_else(|| name.to_ascii_lowercase(), |label| label.key.to_owned())
}

/// The row of a comment, by its last event.
fn row(connection: &Connection, comment: &Comment) -> rusqlite::Result<Value> {
    let mut statement = connection.prepare_cached(
        "SELECT site, client_token, thread_id, parent_id, text, parent_text, received, face, moderator, model FROM event WHERE id = ?1",
    )?;
    let (site, mut row) = statement.query_row([comment.last], |event| {
        let mut row = json!({"text": event.get::<_, String>(4)?, "meta": {}});
        for (name, column) in [("id", 1), ("thread_id", 2), ("parent_id", 3), ("parent_text", 5)] {
            set(&mut row, name, event, column)?;
        }
        for (name, column) in [("site", 0), ("decided", 6), ("face", 7), ("moderator", 8), ("model", 9)] {
            set(&mut row["meta"], name, event, column)?;
        }
        Ok((event.get::<_, Option<String>>(0)?, row))
    })?;
    if row["parent_text"].is_null()
        && let Some(parent) = row["parent_id"].as_str()
        && let Some(text) = text_of(connection, site.as_deref(), parent)?
    {
        row["parent_text"] = text.into();
    }
    let labels = comment.labels.iter().filter_map(|(label, values)| Some((label.clone(), (*values.last()?).into())));
    row["labels"] = Value::Object(labels.collect());
    if let Some(fields) = row.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(row)
}

/// Puts a column that is not null into an object.
fn set(row: &mut Value, name: &str, event: &Row<'_>, column: usize) -> rusqlite::Result<()> {
    if let Some(value) = event.get::<_, Option<String>>(column)? {
        row[name] = value.into();
    }
    Ok(())
}

/// The text of a comment that feedback was given on.
fn text_of(connection: &Connection, site: Option<&str>, id: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = connection
        .prepare_cached("SELECT text FROM event WHERE site IS ?1 AND client_token = ?2 ORDER BY id DESC LIMIT 1")?;
    statement.query_row(params![site, id], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::feedback::{Event, Feedback};

    fn kept(events: Vec<Event>) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.db");
        let store = Feedback::open(&path).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for event in events {
            runtime.block_on(store.record(event)).unwrap();
        }
        (folder, path)
    }

    fn rows(path: &Path, wanted: &Wanted) -> (Vec<Value>, Taken) {
        let mut rows = Vec::new();
        let taken = export(path, wanted, |row| {
            rows.push(row);
            Ok(())
        });
        (rows, taken.unwrap())
    }

    fn decided(id: &str, label: &str, value: f64) -> Event {
        Event {
            site: Some("Coral:https://news.example".into()),
            client_token: Some(id.into()),
            text: format!("the text of {id}"),
            labels: vec![(label.into(), value)],
            ..Event::default()
        }
    }

    #[test]
    fn the_last_decision_of_a_comment_counts_and_the_conflict_is_told() {
        let events = vec![
            decided("1", "TOXICITY", 1.0),
            decided("2", "TOXICITY", 0.0),
            decided("1", "INSULT", 1.0),
            decided("1", "TOXICITY", 0.0),
        ];
        let (_folder, path) = kept(events);
        let (rows, taken) = rows(&path, &Wanted::default());
        assert_eq!(rows.len(), 2);
        assert_eq!((&rows[1]["id"], &rows[1]["labels"]), (&json!("1"), &json!({"insult": 1.0, "toxicity": 0.0})));
        assert_eq!((taken.events, taken.comments), (4, 2));
        assert_eq!(taken.labels["toxicity"], (0, 2));
        let [conflict] = taken.conflicts.as_slice() else { panic!("{:?}", taken.conflicts) };
        assert_eq!((conflict.comment.as_str(), conflict.values.as_slice()), ("1", &[1.0, 0.0][..]));
    }

    #[test]
    fn comments_without_a_name_are_known_by_their_text_and_of_different_sites_are_different() {
        let event = |spam, site: &str| Event {
            site: Some(site.into()),
            client_token: None,
            text: "Cheap pills".into(),
            ..decided("", "spam", spam)
        };
        let (_folder, path) = kept(vec![event(1.0, "a"), event(1.0, "b"), event(0.0, "a")]);
        let (found, taken) = rows(&path, &Wanted::default());
        let spam: Vec<&Value> = found.iter().map(|row| &row["labels"]["spam"]).collect();
        assert_eq!(spam, [&json!(1.0), &json!(0.0)], "b is spam, a no longer");
        assert_eq!(taken.conflicts.len(), 1);
        let renamed = Wanted { renamed: vec![("spam".into(), "incivility".into())], ..Wanted::default() };
        assert!(rows(&path, &renamed).0.iter().all(|row| row["labels"]["incivility"].is_number()));
    }

    #[test]
    fn a_client_that_names_all_comments_alike_loses_none() {
        let other = Event { text: "another text".into(), ..decided("bot", "toxicity", 0.0) };
        let (_folder, path) = kept(vec![decided("bot", "toxicity", 1.0), other]);
        let (found, taken) = rows(&path, &Wanted::default());
        assert_eq!((found.len(), taken.conflicts.len()), (2, 0));
    }

    #[test]
    fn a_reply_gets_the_text_of_its_parent_where_feedback_has_it() {
        let reply = Event { parent_id: Some("1".into()), ..decided("2", "toxicity", 0.0) };
        let (_folder, path) = kept(vec![decided("1", "toxicity", 1.0), reply]);
        assert_eq!(rows(&path, &Wanted::default()).0[1]["parent_text"], "the text of 1");
    }

    #[test]
    fn what_came_before_a_time_is_left_out() {
        let (_folder, path) = kept(vec![decided("1", "toxicity", 1.0)]);
        let since = |time: &str| Wanted { since: Some(time.parse().unwrap()), ..Wanted::default() };
        assert_eq!(rows(&path, &since("2020-01-01T00:00:00Z")).0.len(), 1);
        assert_eq!(rows(&path, &since("2999-01-01T00:00:00Z")).0.len(), 0);
    }

    #[test]
    fn attributes_become_labels() {
        let names = ["TOXICITY", "INSULT_EXPERIMENTAL", "CONSTRUCTIVE_EXPERIMENTAL", "SPAM", "our_own"];
        assert_eq!(names.map(label_of), ["toxicity", "insult", "constructive", "spam", "our_own"]);
    }
}
