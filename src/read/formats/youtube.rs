//! `YouTube`: what the Data API's `commentThreads.list` and `comments.list` answer.

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow};
use crate::read::format::{Format, Head, Opened};
use crate::read::json::object::{count, instant, is_object, said, take_first_choice, take_list, take_text};
use crate::read::json::{Documents, Found, Map};
use crate::read::rows::Options;
use crate::text::html::{Fragment, Newlines, fragment};
use crate::thread::{Comment, Stated, Status, Story};

/// Answers of the `YouTube` Data API.
pub struct YouTube;

impl Format for YouTube {
    fn name(&self) -> &'static str {
        "youtube"
    }

    fn about(&self) -> &'static str {
        "YouTube comments as the Data API gives them (pages, threads or single comments)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "id"),
            ("thread_id", "videoId"),
            ("parent_id", "parentId"),
            ("author", "authorDisplayName"),
            ("created", "publishedAt"),
            ("status", "moderationStatus"),
            ("text", "textOriginal, textDisplay"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let Some(first) = &head.json else { return false };
        let kind = first.get("kind").and_then(Value::as_str).unwrap_or_default();
        let snippet = first.pointer("/items/0/snippet").or_else(|| first.get("snippet"));
        let shaped = snippet.is_some_and(|snippet| {
            ["topLevelComment", "textDisplay", "textOriginal"].iter().any(|key| snippet.get(key).is_some())
        });
        kind.starts_with("youtube#comment") || shaped
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Documents::new(input.text("JSON")?, options, Pages::default())))
    }
}

/// What is known of the pages read so far.
#[derive(Default)]
struct Pages {
    /// The video whose story came last.
    video: Option<String>,
    /// Replies that threads state to have beyond those beside them.
    stated: u64,
    /// Replies that stood elsewhere.
    held: u64,
}

impl Map for Pages {
    fn element(&mut self, mut element: Value, found: &mut Found) -> std::result::Result<(), String> {
        is_object(&element, "an answer of the YouTube API")?;
        let items = if element.get("items").is_some() { take_list(&mut element, "items")? } else { vec![element] };
        for item in items {
            if let Err(what) = self.item(item, found) {
                found.refuse(what);
            }
        }
        Ok(())
    }

    fn end(&mut self, found: &mut Found) {
        found.missing(self.stated.saturating_sub(self.held));
    }
}

impl Pages {
    fn item(&mut self, mut item: Value, found: &mut Found) -> std::result::Result<(), String> {
        is_object(&item, "a comment or comment thread")?;
        let Some(top) = item.pointer_mut("/snippet/topLevelComment").map(Value::take) else {
            let parent = item.get("snippet").and_then(|snippet| said(snippet, "parentId"));
            self.held += u64::from(parent.is_some());
            return self.comment(item, parent, None, found);
        };
        let snippet = item.get("snippet").unwrap_or(&Value::Null);
        let video = said(snippet, "videoId");
        let stated = count(snippet, "totalReplyCount");
        let id = said(&top, "id").or_else(|| said(&item, "id"));
        if let Err(what) = self.comment(top, None, video.as_ref(), found) {
            found.refuse(what);
        }
        let replies = item.get_mut("replies").map_or(Ok(Vec::new()), |replies| take_list(replies, "comments"))?;
        self.stated = self.stated.saturating_add(stated.saturating_sub(replies.len() as u64));
        for reply in replies {
            if let Err(what) = self.comment(reply, id.clone(), video.as_ref(), found) {
                found.refuse(what);
            }
        }
        Ok(())
    }

    /// Reads a comment that answers `parent`, if it does not say another itself.
    fn comment(
        &mut self,
        mut comment: Value,
        parent: Option<String>,
        video: Option<&String>,
        found: &mut Found,
    ) -> std::result::Result<(), String> {
        is_object(&comment, "a comment")?;
        let id = said(&comment, "id");
        let mut snippet = comment.get_mut("snippet").map(Value::take).unwrap_or_default();
        is_object(&snippet, "the `snippet` of a comment")?;
        let written = written(&mut snippet)?;
        let video = said(&snippet, "videoId").or_else(|| video.cloned());
        let url = video.as_ref().map(|video| format!("https://www.youtube.com/watch?v={video}"));
        if let Some(video) = video.as_ref().filter(|video| self.video.as_ref() != Some(video)) {
            self.video = Some(video.clone());
            let story = Story { url: url.clone(), ..Story::default() };
            found.push(Entry::Story(StoryRow { thread_id: Some(video.clone()), story }));
        }
        let parent_id = said(&snippet, "parentId").or(parent);
        let comment = Comment {
            id: id.unwrap_or_default(),
            author: said(&snippet, "authorDisplayName"),
            created: instant(&snippet, "publishedAt"),
            text: written.text,
            quotes: written.quotes,
            links: written.links,
            status: status(&snippet),
            ..Comment::default()
        };
        found.push(CommentRow {
            stated: Stated { comment, parent_id },
            thread_id: video,
            url,
            ..CommentRow::default()
        });
        Ok(())
    }
}

/// The text as it was typed; others than its author may get it as HTML alone.
fn written(snippet: &mut Value) -> std::result::Result<Fragment, String> {
    if let Some(text) = take_first_choice(snippet, "textOriginal") {
        return Ok(Fragment { text, ..Fragment::default() });
    }
    match take_text(snippet, "textDisplay")? {
        Some(html) => Ok(fragment(&html, Newlines::Collapse)),
        None => Err("a comment without `textOriginal` and `textDisplay`".to_owned()),
    }
}

fn status(snippet: &Value) -> Status {
    match said(snippet, "moderationStatus").as_deref() {
        Some("heldForReview") => Status::Pending,
        Some("likelySpam") => Status::Spam,
        Some("rejected") => Status::Deleted,
        _ => Status::Published,
    }
}
