//! The Internet Argument Corpus, version 1: discussions of 4forums.com, one JSON file each.

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow};
use crate::read::fields::kind;
use crate::read::format::{Format, Head, Opened};
use crate::read::json::object::{instant, said, take_text};
use crate::read::json::{Documents, Found, Map};
use crate::read::rows::Options;
use crate::thread::{Comment, Stated, Story};

// Places in a post.
const ID: usize = 0;
const AUTHOR: usize = 2;
const TEXT: usize = 3;
const MARKUP: usize = 4;
const PARENT: usize = 5;
const TIME: usize = 7;

/// Discussions of the Internet Argument Corpus.
pub struct Iac;

impl Format for Iac {
    fn name(&self) -> &'static str {
        "iac"
    }

    fn about(&self) -> &'static str {
        "Internet Argument Corpus v1, a discussion of 4forums (JSON)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "item 1"),
            ("parent_id", "item 6"),
            ("author", "item 3"),
            ("created", "item 8"),
            ("text", "item 4"),
            ("thread_id", "file name"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let post = head.json.as_ref().and_then(|posts| posts.get(0));
        let is = |place: usize, kind: fn(&Value) -> bool| post.and_then(|post| post.get(place)).is_some_and(kind);
        let said = |value: &Value| value.is_string() || value.is_null();
        is(ID, |id| id.is_number() || id.is_string()) && is(1, said) && is(AUTHOR, said) && is(TEXT, said)
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        let discussion = Discussion { id: input.stem(), title: None, told: false };
        Ok(Box::new(Documents::new(input.text("JSON")?, options, discussion)))
    }
}

/// A discussion: a list of posts, then objects about it.
struct Discussion {
    id: Option<String>,
    title: Option<String>,
    told: bool,
}

impl Map for Discussion {
    fn element(&mut self, element: Value, found: &mut Found) -> std::result::Result<(), String> {
        match element {
            Value::Array(posts) => {
                for post in posts {
                    match self.post(post) {
                        Ok(row) => found.push(row),
                        Err(what) => found.refuse(what),
                    }
                }
            }
            // One of the objects has the address, the others are annotations.
            about => {
                if let Some(url) = said(&about, "url").filter(|_| !self.told) {
                    self.tell(Some(url), found);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, found: &mut Found) {
        if !self.told {
            self.tell(None, found);
        }
    }
}

impl Discussion {
    fn tell(&mut self, url: Option<String>, found: &mut Found) {
        self.told = true;
        let story = Story { title: self.title.take(), url, ..Story::default() };
        found.push(Entry::Story(StoryRow { thread_id: self.id.clone(), story }));
    }

    fn post(&mut self, mut post: Value) -> std::result::Result<CommentRow, String> {
        if !post.is_array() {
            return Err(format!("{} stands where a post (a list) is expected", kind(&post)));
        }
        let Some(text) = take_text(&mut post, TEXT)? else {
            return Err("a post without text (its fourth element)".to_owned());
        };
        if self.title.is_none() {
            self.title = post.get(MARKUP).and_then(|markup| said(markup.get("post_info")?, "post_title"));
        }
        let comment = Comment {
            id: said(&post, ID).unwrap_or_default(),
            author: said(&post, AUTHOR),
            created: instant(&post, TIME),
            text,
            ..Comment::default()
        };
        let stated = Stated { comment, parent_id: said(&post, PARENT) };
        Ok(CommentRow { stated, thread_id: self.id.clone(), ..CommentRow::default() })
    }
}
