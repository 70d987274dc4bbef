//! Reddit: comments and submissions one object a line, as Pushshift's and Arctic Shift's dumps and PRAW scripts write
//! them. What a comment or submission says is read here for listings, too.

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{CommentRow, Reader, StoryRow};
use crate::read::fields::is_gone;
use crate::read::format::{Format, Head, Opened};
use crate::read::formats::jsonl::Jsonl;
use crate::read::formats::reddit_listing;
use crate::read::json::object::{first_said, instant, is_true, said, take_text};
use crate::read::json::{Documents, Found};
use crate::read::rows::Options;
use crate::thread::{Comment, Stated, Status, Story};

const SITE: &str = "https://www.reddit.com";

/// Lines of Reddit comments and submissions.
pub struct Reddit;

impl Format for Reddit {
    fn name(&self) -> &'static str {
        "reddit"
    }

    fn about(&self) -> &'static str {
        "Reddit comments and submissions as JSON lines (Pushshift, Arctic Shift, PRAW)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "id"),
            ("thread_id", "link_id"),
            ("parent_id", "parent_id"),
            ("author", "author"),
            ("created", "created_utc"),
            ("title", "title of submissions"),
            ("url", "permalink of submissions"),
            ("text", "body"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        head.json.as_ref().is_some_and(is_row)
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        // Whoever names fields means the fields of a table.
        if options.overrides().next().is_some() {
            return Jsonl.open(input, options);
        }
        let map = |row: Value, found: &mut Found| {
            reddit_listing::walk(row, found);
            Ok(())
        };
        Ok(Box::new(Documents::new(input.text("JSON")?, options, map)))
    }
}

/// True for a comment or submission by Reddit's own names and ids: other tables have a `body` or `title`, too.
fn is_row(row: &Value) -> bool {
    let has = |key| row.get(key).is_some();
    let is_full = |key| {
        let name = row.get(key).and_then(Value::as_str);
        name.is_some_and(|name| name.starts_with("t1_") || name.starts_with("t3_"))
    };
    let named = ["name", "link_id", "parent_id"].into_iter().any(is_full);
    let comment = has("body") && (named || (has("subreddit") && has("link_id")));
    comment || is_submission(row)
}

/// True if a row without its `kind` is a submission. PRAW scripts write a submission's text as `body` as well.
pub(super) fn is_submission(row: &Value) -> bool {
    let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
    let has = |key| row.get(key).is_some();
    let without_body = has("title") && has("selftext") && !has("body");
    name.starts_with("t3_") || (without_body && ["subreddit", "permalink", "is_self"].into_iter().any(has))
}

/// Where a nested thing stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The id of the comment around it.
    pub parent: Option<String>,
    /// The id of the submission around it.
    pub link: Option<String>,
}

/// Reads a comment out of `row`.
pub(super) fn comment(row: &mut Value, place: &Place) -> std::result::Result<CommentRow, String> {
    let id = id(row);
    let link = reference(row, "link_id").or_else(|| place.link.clone());
    if row.get("body").is_none() {
        return Err("a comment without `body`".to_owned());
    }
    let said_text = take_text(row, "body")?;
    let gone = said_text.as_deref().is_none_or(is_notice);
    let comment = Comment {
        id: id.unwrap_or_default(),
        author: author(row),
        created: instant(row, "created_utc"),
        // The notice is Reddit's word, not the author's.
        text: said_text.filter(|_| !gone).map(decoded).unwrap_or_default(),
        status: if gone { Status::Deleted } else { status(row) },
        ..Comment::default()
    };
    Ok(CommentRow {
        stated: Stated { comment, parent_id: parent(row, link.as_deref()).or_else(|| place.parent.clone()) },
        thread_id: link,
        title: first_said(row, &["link_title", "title"]).map(decoded),
        url: said(row, "link_permalink").map(|path| absolute(&path)),
        ..CommentRow::default()
    })
}

/// Reads a submission out of `row`.
pub(super) fn story(row: &mut Value) -> std::result::Result<StoryRow, String> {
    let id = id(row);
    let permalink = said(row, "permalink").map(|path| absolute(&path));
    let by_id = || id.as_ref().map(|id| format!("{SITE}/comments/{id}"));
    let url = permalink.or_else(by_id).or_else(|| said(row, "url"));
    let body = match take_text(row, "selftext")? {
        Some(text) => Some(text),
        None => take_text(row, "body")?,
    };
    let body = body.filter(|text| !text.trim().is_empty() && !is_notice(text)).map(decoded);
    let story = Story { title: said(row, "title").map(decoded), url, body };
    Ok(StoryRow { thread_id: id, story })
}

/// The id of a comment or submission without its prefix.
pub(super) fn id(row: &Value) -> Option<String> {
    first_said(row, &["id", "name"]).map(|id| bare(&id).to_owned())
}

/// The id of the comment that is answered; `None` for an answer to the submission.
fn parent(row: &Value, link: Option<&str>) -> Option<String> {
    let parent = reference(row, "parent_id").filter(|parent| Some(parent.as_str()) != link)?;
    let answers_submission = row.get("parent_id").and_then(Value::as_str).is_some_and(|name| name.starts_with("t3_"));
    (!answers_submission).then_some(parent)
}

/// The id that `row` refers to under `key`, without its prefix. Dumps since 2022 may write it as a number:
/// ids are numbers in base 36.
fn reference(row: &Value, key: &str) -> Option<String> {
    match row.get(key)? {
        // Tables with gaps write their integers as floats: not `as_u64`.
        Value::Number(_) if !row.get("id").is_some_and(Value::is_number) => said(row, key)?.parse().ok().map(base36),
        _ => said(row, key).map(|id| bare(&id).to_owned()),
    }
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit((number % 36) as u32, 36));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// An id without the `t1_` or `t3_` that says what it is of.
fn bare(name: &str) -> &str {
    let name = name.trim();
    name.strip_prefix("t1_").or_else(|| name.strip_prefix("t3_")).unwrap_or(name)
}

fn author(row: &Value) -> Option<String> {
    let object = || row.get("author").and_then(|author| said(author, "name"));
    // The name of an account that is gone is not known: `[deleted]` is many people.
    first_said(row, &["author", "author_name"]).or_else(object).filter(|name| !is_gone(name))
}

/// The status by what moderators see.
fn status(row: &Value) -> Status {
    if is_true(row, "spam") {
        Status::Spam
    } else if said(row, "removed_by_category").is_some() || is_true(row, "removed") {
        Status::Deleted
    } else {
        Status::Published
    }
}

/// What Reddit leaves of a text that is gone.
fn is_notice(text: &str) -> bool {
    is_gone(text) || text.trim_start().starts_with("[ Removed by Reddit")
}

/// Undoes the HTML entities in which Reddit's API writes `<`, `>` and `&`.
fn decoded(text: String) -> String {
    htmlize::unescape(text).into_owned()
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { format!("{SITE}{path}") } else { path.to_owned() }
}
