//! Isso: the JSON of its "generic" import, an array of threads with their comments.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow};
use crate::read::format::{Format, Head, Opened};
use crate::read::json::object::{first_said, instant, is_object, said, take_list, take_text};
use crate::read::json::{Documents, Found};
use crate::read::rows::Options;
use crate::thread::{Comment, Stated, Status, Story};

/// Threads in Isso's generic JSON.
pub struct Isso;

impl Format for Isso {
    fn name(&self) -> &'static str {
        "isso"
    }

    fn about(&self) -> &'static str {
        "Isso's generic JSON (an array of threads)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "id"),
            ("thread_id", "id of the thread"),
            ("parent_id", "parent"),
            ("author", "author"),
            ("created", "created"),
            ("title", "title"),
            ("text", "text"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let Some(first) = &head.json else { return false };
        let is_thread = first.get("comments").is_some_and(Value::is_array);
        let comment = first.pointer("/comments/0");
        let own =
            comment.is_some_and(|comment| comment.get("remote_addr").is_some() && comment.get("created").is_some());
        let is_path = first.get("id").and_then(Value::as_str).is_some_and(|id| id.starts_with('/'));
        let plain = comment.is_none_or(|comment| comment.get("text").is_some());
        is_thread && (own || (is_path && plain && first.get("title").is_some()))
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Documents::new(input.text("JSON")?, options, thread)))
    }
}

fn thread(mut thread: Value, found: &mut Found) -> std::result::Result<(), String> {
    is_object(&thread, "a thread of Isso")?;
    if thread.get("comments").is_none() {
        return Err("no thread of Isso: it has no `comments`".to_owned());
    }
    let comments = take_list(&mut thread, "comments")?;
    let thread_id = said(&thread, "id");
    let story = Story { title: said(&thread, "title").map(|title| decoded(&title)), ..Story::default() };
    found.push(Entry::Story(StoryRow { thread_id: thread_id.clone(), story }));
    for comment in comments {
        match row(comment, thread_id.as_ref()) {
            Ok(row) => found.push(row),
            Err(what) => found.refuse(what),
        }
    }
    Ok(())
}

fn row(mut comment: Value, thread_id: Option<&String>) -> std::result::Result<CommentRow, String> {
    is_object(&comment, "a comment of Isso")?;
    let text = take_text(&mut comment, "text")?;
    let status = status(&comment);
    let text = match (text, status) {
        (Some(text), _) => text,
        (None, Status::Deleted) => String::new(),
        (None, _) => return Err("a comment without `text`".to_owned()),
    };
    let stated = Stated {
        parent_id: said(&comment, "parent"),
        comment: Comment {
            id: said(&comment, "id").unwrap_or_default(),
            author: first_said(&comment, &["author"]),
            // Isso takes times without a zone for UTC.
            created: instant(&comment, "created"),
            text,
            status,
            ..Comment::default()
        },
    };
    Ok(CommentRow { stated, thread_id: thread_id.cloned(), ..CommentRow::default() })
}

/// The status by the `mode` that Isso's database has.
fn status(comment: &Value) -> Status {
    match said(comment, "mode").as_deref() {
        Some("2") => Status::Pending,
        Some("4") => Status::Deleted,
        _ => Status::Published,
    }
}

/// A title as forms encode it: `+` for a blank, `%26` for `&`.
fn decoded(title: &str) -> String {
    percent_decode_str(&title.replace('+', " ")).decode_utf8_lossy().into_owned()
}
