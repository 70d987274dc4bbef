//! Commento: the JSON that its export writes.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{CommentRow, Reader};
use crate::read::fields::is_gone;
use crate::read::format::{Format, Head, Opened};
use crate::read::json::object::{instant, is_object, is_true, said, take_first_choice, take_list, take_text};
use crate::read::json::{Documents, Found};
use crate::read::rows::Options;
use crate::text::html::{Fragment, Newlines, fragment};
use crate::thread::{Comment, Stated, Status};

/// Exports of Commento.
pub struct Commento;

impl Format for Commento {
    fn name(&self) -> &'static str {
        "commento"
    }

    fn about(&self) -> &'static str {
        "Commento export (JSON)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "commentHex"),
            ("thread_id", "domain, url"),
            ("parent_id", "parentHex"),
            ("author", "commenters.name"),
            ("created", "creationDate"),
            ("status", "state, deleted"),
            ("text", "markdown, html"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let Some(first) = &head.json else { return false };
        let listed = first.get("comments").and_then(Value::as_array);
        let comment = first.pointer("/comments/0/commentHex").is_some();
        comment || (listed.is_some_and(Vec::is_empty) && first.get("commenters").is_some())
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Documents::new(input.text("JSON")?, options, document)))
    }
}

fn document(mut element: Value, found: &mut Found) -> std::result::Result<(), String> {
    is_object(&element, "an export of Commento")?;
    if element.get("comments").is_none() {
        return Err("no export of Commento: it has no `comments`".to_owned());
    }
    let comments = take_list(&mut element, "comments")?;
    let names: HashMap<String, String> = take_list(&mut element, "commenters")?
        .iter()
        .filter_map(|commenter| said(commenter, "commenterHex").zip(said(commenter, "name")))
        .collect();
    for comment in comments {
        match row(comment, &names) {
            Ok(row) => found.push(row),
            Err(what) => found.refuse(what),
        }
    }
    Ok(())
}

fn row(mut comment: Value, names: &HashMap<String, String>) -> std::result::Result<CommentRow, String> {
    is_object(&comment, "a comment of Commento")?;
    let written = written(&mut comment)?;
    let gone = is_true(&comment, "deleted") || is_gone(&written.text);
    // A deleted comment reads `[deleted]`, which nobody wrote.
    let written = if is_gone(&written.text) { Fragment::default() } else { written };
    let page = match (said(&comment, "domain"), said(&comment, "url")) {
        (Some(domain), Some(path)) => Some(domain + &path),
        (domain, path) => path.or(domain),
    };
    let stated = Stated {
        parent_id: said(&comment, "parentHex").filter(|parent| parent != "root"),
        comment: Comment {
            id: said(&comment, "commentHex").unwrap_or_default(),
            author: said(&comment, "commenterHex").and_then(|commenter| names.get(&commenter).cloned()),
            created: instant(&comment, "creationDate"),
            text: written.text,
            quotes: written.quotes,
            links: written.links,
            status: if gone { Status::Deleted } else { status(&comment) },
            ..Comment::default()
        },
    };
    Ok(CommentRow { stated, thread_id: page.clone(), url: page, ..CommentRow::default() })
}

/// The Markdown that was typed, else the HTML made of it.
fn written(comment: &mut Value) -> std::result::Result<Fragment, String> {
    let markdown = comment.get("markdown").is_some_and(Value::is_string);
    if let Some(text) = take_first_choice(comment, "markdown") {
        return Ok(Fragment { text, ..Fragment::default() });
    }
    match take_text(comment, "html")? {
        Some(html) => Ok(fragment(&html, Newlines::Collapse)),
        None if markdown => Ok(Fragment::default()),
        None => Err("a comment without `markdown` and `html`".to_owned()),
    }
}

/// Commento flags what its spam filter suspects and shows it only once a moderator approves it.
fn status(comment: &Value) -> Status {
    match said(comment, "state").as_deref() {
        Some("unapproved" | "flagged") => Status::Pending,
        _ => Status::Published,
    }
}
