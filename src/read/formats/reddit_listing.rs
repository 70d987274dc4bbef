//! Reddit's API: listings of comments with nested replies, as `.json` behind the address of a thread gives them.

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{Entry, Reader};
use crate::read::fields::kind as kind_of;
use crate::read::format::{Format, Head, Opened};
use crate::read::formats::reddit::{self, Place};
use crate::read::json::object::{count, is_object, length, take_list};
use crate::read::json::{Documents, Found};
use crate::read::rows::Options;

/// Listings of Reddit's API.
pub struct RedditListing;

impl Format for RedditListing {
    fn name(&self) -> &'static str {
        "reddit-listing"
    }

    fn about(&self) -> &'static str {
        "Reddit thread or listing as its API gives it (.json behind the address)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "id"),
            ("thread_id", "link_id"),
            ("parent_id", "nesting, parent_id"),
            ("author", "author"),
            ("created", "created_utc"),
            ("title", "title"),
            ("url", "permalink"),
            ("text", "body"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let kind = head.json.as_ref().and_then(|first| first.get("kind")).and_then(Value::as_str);
        matches!(kind, Some("Listing" | "t1" | "t3" | "more")) && head.has_keys(&["data"])
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        let map = |thing: Value, found: &mut Found| {
            walk(thing, found);
            Ok(())
        };
        Ok(Box::new(Documents::new(input.text("JSON")?, options, map)))
    }
}

/// Finds the comments and submissions in a thing and all that is nested in it, in reading order.
pub(super) fn walk(thing: Value, found: &mut Found) {
    let mut open = vec![(thing, Place::default())];
    while let Some((thing, place)) = open.pop() {
        if let Err(what) = step(thing, &place, &mut open, found) {
            found.refuse(what);
        }
    }
}

/// Reads one thing; what is nested in it goes to `open`.
fn step(
    mut thing: Value,
    place: &Place,
    open: &mut Vec<(Value, Place)>,
    found: &mut Found,
) -> std::result::Result<(), String> {
    is_object(&thing, "a comment or submission of Reddit")?;
    let kind = thing.get("kind").and_then(Value::as_str).map(str::to_owned);
    let mut data = match (&kind, thing.get_mut("data")) {
        (Some(_), Some(data)) => data.take(),
        _ => thing,
    };
    is_object(&data, "the `data` of a thing")?;
    match kind.as_deref().unwrap_or_else(|| kind_by_keys(&data)) {
        "Listing" => nest(open, take_list(&mut data, "children")?, place),
        "t1" => {
            nest_replies(open, &mut data, "replies", found, |data| Place {
                parent: reddit::id(data),
                link: place.link.clone(),
            });
            found.push(reddit::comment(&mut data, place)?);
        }
        "t3" => {
            nest_replies(open, &mut data, "comments", found, |data| Place { parent: None, link: reddit::id(data) });
            found.push(Entry::Story(reddit::story(&mut data)?));
        }
        // Where a thread goes on on another page, the count is 0.
        "more" => found.missing(count(&data, "count").max(length(&data, "children")).max(1)),
        "" => {
            return Err(
                "neither a comment (it has no `body`) nor a submission (it has no `title` and `selftext`)".to_owned()
            );
        }
        other => {
            let other: String = other.chars().take(20).collect();
            return Err(format!("a thing of kind `{other}`: neither a comment (t1) nor a submission (t3)"));
        }
    }
    Ok(())
}

/// The kind of a thing that stands without it; empty if it is none that is read.
fn kind_by_keys(data: &Value) -> &'static str {
    let has = |key| data.get(key).is_some();
    if reddit::is_submission(data) {
        "t3"
    } else if has("body") {
        "t1"
    } else if has("children") && has("count") {
        "more"
    } else {
        ""
    }
}

/// Puts the replies in `data` where they are read next: a list, or a listing of one; `""` where there are none.
fn nest_replies(
    open: &mut Vec<(Value, Place)>,
    data: &mut Value,
    key: &str,
    found: &mut Found,
    place: impl Fn(&Value) -> Place,
) {
    match data.get_mut(key).map(Value::take) {
        None | Some(Value::Null) => {}
        Some(Value::String(none)) if none.is_empty() => {}
        // Where a list names ids alone, the comments stand elsewhere in the input.
        Some(Value::Array(list)) => {
            let things: Vec<Value> = list.into_iter().filter(|thing| !thing.is_string()).collect();
            nest(open, things, &place(data));
        }
        Some(listing @ Value::Object(_)) => nest(open, vec![listing], &place(data)),
        Some(other) => found.refuse(format!("`{key}` is {}, a Listing is expected", kind_of(&other))),
    }
}

fn nest(open: &mut Vec<(Value, Place)>, things: Vec<Value>, place: &Place) {
    open.extend(things.into_iter().rev().map(|thing| (thing, place.clone())));
}
