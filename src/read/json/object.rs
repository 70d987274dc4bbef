//! What a JSON object says under a key, whatever kind of value it says it with: dumps write ids as strings or numbers,
//! and hostile ones write anything.

use serde_json::Value;
use serde_json::value::Index;

use crate::read::fields::{kind, scalar};
use crate::read::time::{self, Zone};

/// A string or a number as a string; `None` where it is absent, null, blank or of another kind.
pub(crate) fn said(object: &Value, key: impl Index) -> Option<String> {
    scalar(object.get(key)?).ok().flatten()
}

/// What is said under the first of `keys` that says something.
pub(crate) fn first_said(object: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| said(object, key))
}

/// True where the object says so, as JSON, as a number or as a word.
pub(crate) fn is_true(object: &Value, key: &str) -> bool {
    match object.get(key) {
        Some(Value::Bool(said)) => *said,
        Some(Value::Number(said)) => said.as_u64() == Some(1),
        Some(Value::String(said)) => said == "true",
        _ => false,
    }
}

/// A count; 0 where there is none. No larger than 32 bits: nothing holds so many comments, and sums never overflow.
pub(crate) fn count(object: &Value, key: &str) -> u64 {
    object.get(key).and_then(Value::as_u64).unwrap_or_default().min(u64::from(u32::MAX))
}

/// How many elements the list under `key` has; 0 where there is none.
pub(crate) fn length(object: &Value, key: &str) -> u64 {
    object.get(key).and_then(Value::as_array).map_or(0, |list| list.len() as u64)
}

/// An instant in UTC.
pub(crate) fn instant(object: &Value, key: impl Index) -> Option<String> {
    said(object, key).map(|said| time::rfc3339(&said, Zone::Utc))
}

/// Takes a text out of the object: `None` where it is absent or null.
///
/// # Errors
/// The reason, for people, if it is no string.
pub(crate) fn take_text(object: &mut Value, key: impl Index + std::fmt::Display) -> Result<Option<String>, String> {
    match object.get_mut(&key).map(Value::take) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("`{key}` is {}, a string is expected", kind(&other))),
    }
}

/// Takes a text out of the object that another can stand in for: `None` where it is blank or no string.
pub(crate) fn take_first_choice(object: &mut Value, key: &str) -> Option<String> {
    take_text(object, key).ok().flatten().filter(|text| !text.trim().is_empty())
}

/// Takes a list out of the object: an empty one where it is absent or null.
///
/// # Errors
/// The reason, for people, if it is no list.
pub(crate) fn take_list(object: &mut Value, key: &str) -> Result<Vec<Value>, String> {
    match object.get_mut(key).map(Value::take) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list),
        Some(other) => Err(format!("`{key}` is {}, a list is expected", kind(&other))),
    }
}

/// Refuses what is no object; `name` says what it should be.
///
/// # Errors
/// The reason, for people.
pub(crate) fn is_object(value: &Value, name: &str) -> Result<(), String> {
    if value.is_object() { Ok(()) } else { Err(format!("{} stands where {name} is expected", kind(value))) }
}
