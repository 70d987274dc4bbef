//! JSON inputs: cut into elements, whatever parts them, and parsed with errors that help.

mod documents;
mod elements;
mod first;
pub(crate) mod object;

use serde::Deserialize;
use serde_json::Value;

use crate::read::rows::BadRow;

pub use documents::{Documents, Found, Map};
pub use elements::{Element, Elements, elements, lines};
pub use first::first;

/// Levels of nesting that documents may have: a Reddit listing takes five for each reply.
const DEEPEST: usize = 10_000;

/// Stack that a level may take, in bytes, where a value is walked or dropped level by level.
const STACK_OF_LEVEL: usize = 2048;

/// Parses an element of a table, which nests at most 127 levels.
///
/// # Errors
/// A bad row that says where the element is malformed.
pub fn parse(line: u64, raw: &str) -> Result<Value, BadRow> {
    serde_json::from_str(raw).map_err(|error| malformed(line, raw, explained(raw, &error)))
}

/// Parses an element of a tree of replies, which may nest deep, and uses it. All that happens to one that nests deep
/// happens on a stack that is large enough: dropping one recurses.
///
/// # Errors
/// A bad row that says where the element is malformed.
pub fn read_deep<T>(line: u64, raw: &str, mut used: impl FnMut(Value) -> T) -> Result<T, BadRow> {
    match serde_json::from_str(raw) {
        Err(error) if is_too_deep(&error) => {}
        Err(error) => return Err(malformed(line, raw, explained(raw, &error))),
        Ok(value) => return Ok(used(value)),
    }
    let depth = elements::depth(raw);
    if depth > DEEPEST {
        return Err(malformed(line, raw, format!("nested deeper than {DEEPEST} levels")));
    }
    stacker::grow(depth * STACK_OF_LEVEL, || {
        let mut json = serde_json::Deserializer::from_str(raw);
        json.disable_recursion_limit();
        Value::deserialize(serde_stacker::Deserializer::new(&mut json))
            .and_then(|value| json.end().map(|()| value))
            .map(&mut used)
            .map_err(|error| malformed(line, raw, explained(raw, &error)))
    })
}

fn malformed(line: u64, raw: &str, what: String) -> BadRow {
    BadRow { line, what, raw: raw.to_owned(), fatal: false }
}

fn is_too_deep(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("recursion limit")
}

/// A syntax error with its column and, for the common ones, what must have happened.
fn explained(raw: &str, error: &serde_json::Error) -> String {
    let place = Place::of(raw, error);
    let at = &place.described;
    if error.is_eof() {
        return format!("{at}: the row ends inside of its object: it is cut off, or goes on over several lines");
    }
    if let Some(word) = ["NaN", "Infinity"].into_iter().find(|word| place.rest.starts_with(word)) {
        return format!("{at}: {word} is no JSON number: write null or leave the field out");
    }
    if place.rest.starts_with('\'') {
        return format!("{at}: a single quote, but JSON needs double quotes (is this Python's notation?)");
    }
    if is_too_deep(error) {
        return format!("{at}: nested deeper than 127 levels");
    }
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    if message.contains("surrogate") || message.contains("hex escape") {
        return format!("{at}: half a surrogate pair: a \\u escape of this kind needs its other half ({message})");
    }
    format!("{at}: {message}")
}

/// Where a syntax error stands.
struct Place<'a> {
    described: String,
    rest: &'a str,
}

impl<'a> Place<'a> {
    fn of(raw: &'a str, error: &serde_json::Error) -> Self {
        let line_start: usize = raw.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let line = raw.get(line_start..).unwrap_or_default();
        // serde_json counts bytes, people count characters.
        let (before, rest) = line.split_at(line.floor_char_boundary(error.column().saturating_sub(1)));
        let column = before.chars().count() + 1;
        let described = match error.line() {
            0 | 1 => format!("column {column}"),
            further => format!("line {further} of the row, column {column}"),
        };
        Self { described, rest }
    }
}
