//! Hacker News: items of its Firebase API, and the trees and search results of Algolia's.

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow};
use crate::read::format::{Format, Head, Opened};
use crate::read::json::object::{count, first_said, instant, is_object, is_true, said, take_list, take_text};
use crate::read::json::{Documents, Found, Map};
use crate::read::recent::Recent;
use crate::read::rows::Options;
use crate::text::html::{Newlines, fragment};
use crate::thread::{Comment, Stated, Status, Story};

const TYPES: [&str; 5] = ["story", "comment", "job", "poll", "pollopt"];

/// Items of Hacker News.
pub struct HackerNews;

impl Format for HackerNews {
    fn name(&self) -> &'static str {
        "hackernews"
    }

    fn about(&self) -> &'static str {
        "Hacker News items of its API (one a line, a file or an array), or Algolia's trees and search results"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "id"),
            ("thread_id", "story_id, root"),
            ("parent_id", "parent, nesting"),
            ("author", "by, author"),
            ("created", "time, created_at"),
            ("status", "deleted, dead"),
            ("title", "title"),
            ("url", "url"),
            ("text", "text"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let Some(first) = &head.json else { return false };
        let has_any = |keys: &[&str]| keys.iter().any(|key| first.get(key).is_some());
        let typed = first.get("type").and_then(Value::as_str).is_some_and(|kind| TYPES.contains(&kind));
        let item = typed && first.get("id").is_some_and(Value::is_number) && has_any(&["by", "time", "created_at_i"]);
        let hit = first.pointer("/hits/0").unwrap_or(first);
        let found = ["objectID", "created_at_i", "author"].iter().all(|key| hit.get(key).is_some());
        item || (found && (hit.get("comment_text").is_some() || hit.get("story_id").is_some()))
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        let items = Items { threads: Recent::new(), stated: 0, held: 0 };
        Ok(Box::new(Documents::new(input.text("JSON")?, options, items)))
    }
}

/// What is known of the items read so far.
struct Items {
    /// The story of each item. Firebase's comments name their parent alone.
    threads: Recent<u64, u64>,
    /// Comments that the stories state to have.
    stated: u64,
    /// Comments that count as such: those that are gone do not.
    held: u64,
}

/// An item and, inside of a tree, the ids of what it stands in.
struct Nested {
    item: Value,
    parent: Option<String>,
    story: Option<String>,
}

impl Map for Items {
    fn element(&mut self, mut element: Value, found: &mut Found) -> std::result::Result<(), String> {
        let items = if element.get("hits").is_some() { take_list(&mut element, "hits")? } else { vec![element] };
        for item in items {
            let mut open = vec![Nested { item, parent: None, story: None }];
            while let Some(nested) = open.pop() {
                if let Err(what) = self.item(nested, &mut open, found) {
                    found.refuse(what);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, found: &mut Found) {
        found.missing(self.stated.saturating_sub(self.held));
    }
}

impl Items {
    /// Reads one item; its children go to `open`.
    fn item(&mut self, nested: Nested, open: &mut Vec<Nested>, found: &mut Found) -> std::result::Result<(), String> {
        let Nested { mut item, parent, story } = nested;
        if item.is_null() {
            return Err("null: the API has no such item".to_owned());
        }
        is_object(&item, "an item of Hacker News")?;
        let kind = item.get("type").and_then(Value::as_str).map(str::to_owned);
        let kind = kind.as_deref().unwrap_or_else(|| kind_by_keys(&item));
        let id = first_said(&item, &["id", "objectID"]);
        let story = said(&item, "story_id").or(story);
        let children = take_list(&mut item, "children");
        let story = match kind {
            "comment" => {
                let parent = first_said(&item, &["parent", "parent_id"]).or(parent);
                let thread = story.or_else(|| self.thread_of(parent.as_deref()));
                self.remember(id.as_deref(), thread.as_deref());
                match comment(&mut item, id.clone(), parent, thread.clone()) {
                    Ok(row) => {
                        self.held += u64::from(row.stated.comment.status == Status::Published);
                        found.push(row);
                    }
                    Err(what) => found.refuse(what),
                }
                thread
            }
            "story" | "job" | "poll" => {
                self.remember(id.as_deref(), id.as_deref());
                self.stated = self.stated.saturating_add(count(&item, "descendants"));
                match story_row(&mut item, id.clone()) {
                    Ok(row) => found.push(Entry::Story(row)),
                    Err(what) => found.refuse(what),
                }
                id.clone()
            }
            "pollopt" => return Err("an option of a poll, not a comment".to_owned()),
            "user" => return Err("a user, not an item".to_owned()),
            _ => return Err("no item of Hacker News: its `type` is none of those".to_owned()),
        };
        let nested = |item| Nested { item, parent: id.clone(), story: story.clone() };
        open.extend(children?.into_iter().rev().map(nested));
        Ok(())
    }

    fn thread_of(&self, parent: Option<&str>) -> Option<String> {
        self.threads.get(&parent?.parse().ok()?).map(|thread| thread.to_string())
    }

    fn remember(&mut self, id: Option<&str>, thread: Option<&str>) {
        if let (Some(Ok(id)), Some(Ok(thread))) = (id.map(str::parse), thread.map(str::parse)) {
            self.threads.insert(id, thread);
        }
    }
}

/// What an item without a `type` is.
fn kind_by_keys(item: &Value) -> &'static str {
    let has = |key| item.get(key).is_some_and(|value| !value.is_null());
    if has("karma") {
        "user"
    } else if has("title") {
        "story"
    } else if has("parent") || has("parent_id") || has("comment_text") {
        "comment"
    } else {
        ""
    }
}

fn comment(
    item: &mut Value,
    id: Option<String>,
    parent: Option<String>,
    thread: Option<String>,
) -> std::result::Result<CommentRow, String> {
    let html = match take_text(item, "text")? {
        Some(html) => Some(html),
        None => take_text(item, "comment_text")?,
    };
    // `dead` is what moderators, flags or filters took out; its text is still there. Algolia leaves a comment that its
    // author deleted without author and text.
    let author = first_said(item, &["by", "author"]);
    let gone = is_true(item, "deleted") || is_true(item, "dead") || (html.is_none() && author.is_none());
    let html = fragment(&html.unwrap_or_default(), Newlines::Collapse);
    let comment = Comment {
        id: id.unwrap_or_default(),
        author,
        created: created(item),
        text: html.text,
        quotes: html.quotes,
        links: html.links,
        status: if gone { Status::Deleted } else { Status::Published },
        ..Comment::default()
    };
    // The story is no comment: what answers it is at the top.
    let parent_id = parent.filter(|parent| Some(parent) != thread.as_ref());
    Ok(CommentRow {
        stated: Stated { comment, parent_id },
        title: said(item, "story_title").map(decoded),
        url: said(item, "story_url"),
        thread_id: thread,
        ..CommentRow::default()
    })
}

fn story_row(item: &mut Value, id: Option<String>) -> std::result::Result<StoryRow, String> {
    let html = match take_text(item, "text")? {
        Some(html) => Some(html),
        None => take_text(item, "story_text")?,
    };
    let body = html.map(|html| fragment(&html, Newlines::Collapse).text).filter(|text| !text.trim().is_empty());
    let page = || id.as_ref().map(|id| format!("https://news.ycombinator.com/item?id={id}"));
    let url = said(item, "url").or_else(page);
    Ok(StoryRow { story: Story { title: said(item, "title").map(decoded), url, body }, thread_id: id })
}

fn created(item: &Value) -> Option<String> {
    ["time", "created_at_i", "created_at"].into_iter().find_map(|key| instant(item, key))
}

/// Titles are HTML, too, but have no tags.
fn decoded(title: String) -> String {
    htmlize::unescape(title).into_owned()
}
