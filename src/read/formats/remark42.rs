//! remark42: the comments its API gives, as trees or plain lists, and its own backups (a line about the site, then a
//! comment a line).

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{CommentRow, Reader};
use crate::read::format::{Format, Head, Opened};
use crate::read::json::object::{count, instant, is_object, is_true, said, take_first_choice, take_list, take_text};
use crate::read::json::{Documents, Found};
use crate::read::rows::Options;
use crate::text::html::{Fragment, Newlines, fragment};
use crate::thread::{Comment, Stated, Status};

/// Comments of remark42.
pub struct Remark42;

impl Format for Remark42 {
    fn name(&self) -> &'static str {
        "remark42"
    }

    fn about(&self) -> &'static str {
        "remark42 backup, or comments as its API gives them"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "id"),
            ("thread_id", "locator.url"),
            ("parent_id", "pid"),
            ("author", "user.name"),
            ("created", "time"),
            ("status", "delete"),
            ("url", "locator.url"),
            ("text", "orig, text"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let Some(first) = &head.json else { return false };
        let listed = first.get("comments").and_then(Value::as_array);
        let empty = listed.is_some_and(Vec::is_empty) && first.pointer("/info/url").is_some();
        let first_listed = listed.and_then(|list| list.first()).unwrap_or(first);
        let comment = first_listed.get("comment").unwrap_or(first_listed);
        empty || (comment.get("pid").is_some() && comment.get("locator").is_some()) || is_meta(first, head.text)
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Documents::new(input.text("JSON")?, options, document)))
    }
}

/// True for the first line of a backup, which lists users and pages. With many users, `start` shows only these.
fn is_meta(value: &Value, start: &str) -> bool {
    let has = |key| value.get(key).is_some();
    has("version") && has("users") && (has("posts") || !start.contains('\n')) && !has("comments")
}

fn document(mut element: Value, found: &mut Found) -> std::result::Result<(), String> {
    is_object(&element, "a comment of remark42")?;
    if is_meta(&element, "\n") {
        return Ok(());
    }
    if element.get("comments").is_none() {
        walk(vec![element], found);
        return Ok(());
    }
    walk(take_list(&mut element, "comments")?, found);
    // The API gives a thread in pages.
    found.missing(element.get("info").map_or(0, |info| count(info, "count_left")));
    Ok(())
}

/// A comment, alone or with its replies, and the id of the comment it stands under.
type Nested = (Value, Option<String>);

fn walk(nodes: Vec<Value>, found: &mut Found) {
    let mut open: Vec<Nested> = nodes.into_iter().rev().map(|node| (node, None)).collect();
    while let Some((node, parent)) = open.pop() {
        if let Err(what) = step(node, parent, &mut open, found) {
            found.refuse(what);
        }
    }
}

/// Reads one comment; its replies go to `open`.
fn step(
    mut node: Value,
    parent: Option<String>,
    open: &mut Vec<Nested>,
    found: &mut Found,
) -> std::result::Result<(), String> {
    is_object(&node, "a comment")?;
    let replies = take_list(&mut node, "replies");
    let comment = match node.get_mut("comment") {
        Some(comment) => comment.take(),
        None => node,
    };
    let id = said(&comment, "id");
    match row(comment, id.clone(), parent) {
        Ok(row) => found.push(row),
        Err(what) => found.refuse(what),
    }
    open.extend(replies?.into_iter().rev().map(|reply| (reply, id.clone())));
    Ok(())
}

fn row(mut said_comment: Value, id: Option<String>, parent: Option<String>) -> std::result::Result<CommentRow, String> {
    is_object(&said_comment, "a comment")?;
    let written = written(&mut said_comment)?;
    let user = said_comment.get("user").unwrap_or(&Value::Null);
    let locator = said_comment.get("locator").unwrap_or(&Value::Null);
    let deleted = is_true(&said_comment, "delete");
    // Comments of a user who was deleted with all traces have this in the place of the name.
    let author = said(user, "name").filter(|name| !(deleted && name == "deleted"));
    let url = said(locator, "url");
    let comment = Comment {
        id: id.unwrap_or_default(),
        author,
        created: instant(&said_comment, "time"),
        text: written.text,
        quotes: written.quotes,
        links: written.links,
        status: if deleted { Status::Deleted } else { Status::Published },
        ..Comment::default()
    };
    let parent_id = said(&said_comment, "pid").or(parent);
    Ok(CommentRow {
        stated: Stated { comment, parent_id },
        thread_id: url.clone(),
        title: said(&said_comment, "title"),
        url,
        ..CommentRow::default()
    })
}

/// The Markdown that was typed, else the HTML made of it.
fn written(comment: &mut Value) -> std::result::Result<Fragment, String> {
    if let Some(text) = take_first_choice(comment, "orig") {
        return Ok(Fragment { text, ..Fragment::default() });
    }
    match take_text(comment, "text")? {
        Some(html) => Ok(fragment(&html, Newlines::Collapse)),
        None if is_true(comment, "delete") => Ok(Fragment::default()),
        None => Err("a comment without `text`".to_owned()),
    }
}
