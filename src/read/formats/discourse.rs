//! Discourse: topics with their posts, lists of posts, single posts and lists of topics, as its API gives them.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow};
use crate::read::format::{Format, Head, Opened};
use crate::read::json::object::{instant, is_object, is_true, length, said, take_first_choice, take_list, take_text};
use crate::read::json::{Documents, Found, Map};
use crate::read::recent::Recent;
use crate::read::rows::Options;
use crate::text::html::{Fragment, Newlines, fragment};
use crate::thread::{Comment, Stated, Status, Story};

/// Topics whose counts of posts are kept before what misses in them is told.
const TOPICS: usize = 100_000;

/// Topics and posts of Discourse.
pub struct Discourse;

impl Format for Discourse {
    fn name(&self) -> &'static str {
        "discourse"
    }

    fn about(&self) -> &'static str {
        "Discourse topics or posts as its API gives them (.json behind the address)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "id"),
            ("thread_id", "topic id"),
            ("parent_id", "reply_to_post_number"),
            ("author", "username"),
            ("created", "created_at"),
            ("status", "deleted_at, hidden"),
            ("title", "title"),
            ("text", "raw, cooked"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let Some(first) = &head.json else { return false };
        let post = |post: &Value| {
            let has = |key| post.get(key).is_some();
            has("post_number") && has("topic_id") && (has("cooked") || has("raw"))
        };
        let topics = first.pointer("/topic_list/topics").or_else(|| first.pointer("/topic_list/per_page"));
        first.pointer("/post_stream/posts").is_some_and(Value::is_array)
            || first.get("latest_posts").is_some_and(Value::is_array)
            || first.pointer("/posts/0").is_some_and(post)
            || topics.is_some()
            || post(first)
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Documents::new(input.text("JSON")?, options, Topics::new())))
    }
}

/// What is known of the posts read so far.
struct Topics {
    /// The ids of posts by topic and number in it: replies name the number.
    ids: Recent<(u64, u64), u64>,
    counts: HashMap<String, Counts>,
}

/// How many posts a topic has.
#[derive(Default)]
struct Counts {
    stated: u64,
    held: u64,
}

/// What the posts of a document have in common.
#[derive(Default)]
struct Topic {
    id: Option<String>,
    title: Option<String>,
    /// True where its story was told, but for the text.
    told: bool,
}

impl Map for Topics {
    fn element(&mut self, mut element: Value, found: &mut Found) -> std::result::Result<(), String> {
        is_object(&element, "a topic or post of Discourse")?;
        if let Some(list) = element.get_mut("topic_list") {
            return topic_list(list, found);
        }
        let mut topic = Topic::default();
        let posts = if let Some(stream) = element.get_mut("post_stream") {
            let posts = take_list(stream, "posts")?;
            let stated = length(stream, "stream");
            topic = Topic { id: said(&element, "id"), title: title(&element), told: false };
            self.count(topic.id.as_ref(), stated, posts.len() as u64, found);
            posts
        } else if element.get("latest_posts").is_some() {
            take_list(&mut element, "latest_posts")?
        } else if element.get("posts").is_some() {
            take_list(&mut element, "posts")?
        } else if element.get("post_number").is_some() {
            vec![element]
        } else {
            return Err("neither a topic nor a post of Discourse".to_owned());
        };
        // A list may have the newest first: then replies stand before what they answer.
        posts.iter().for_each(|post| self.remember(post, &topic));
        for post in posts {
            if let Err(what) = self.post(post, &mut topic, found) {
                found.refuse(what);
            }
        }
        // A page of posts without the first one says what the topic is called all the same.
        if topic.title.is_some() && !topic.told {
            let story = Story { title: topic.title, ..Story::default() };
            found.push(Entry::Story(StoryRow { thread_id: topic.id, story }));
        }
        Ok(())
    }

    fn end(&mut self, found: &mut Found) {
        let missing = self.counts.drain().map(|(_, counts)| counts.stated.saturating_sub(counts.held));
        found.missing(missing.sum());
    }
}

impl Topics {
    fn new() -> Self {
        Self { ids: Recent::new(), counts: HashMap::new() }
    }

    /// Notes that a page of a topic with `stated` posts holds `held` of them; pages of one topic add up.
    fn count(&mut self, topic: Option<&String>, stated: u64, held: u64, found: &mut Found) {
        if self.counts.len() >= TOPICS {
            self.end(found);
        }
        let counts = self.counts.entry(topic.cloned().unwrap_or_default()).or_default();
        counts.stated = counts.stated.max(stated);
        counts.held += held;
    }

    fn remember(&mut self, post: &Value, topic: &Topic) {
        let number = |key| said(post, key)?.parse::<u64>().ok();
        let topic = topic.id.as_ref().map_or_else(|| number("topic_id"), |id| id.parse().ok());
        if let (Some(topic), Some(at), Some(id)) = (topic, number("post_number"), number("id")) {
            self.ids.insert((topic, at), id);
        }
    }

    fn post(&self, mut post: Value, topic: &mut Topic, found: &mut Found) -> std::result::Result<(), String> {
        is_object(&post, "a post")?;
        if post.get("post_number").is_none() {
            return Err("a post without `post_number`".to_owned());
        }
        let thread_id = topic.id.clone().or_else(|| said(&post, "topic_id"));
        let title = topic.title.clone().or_else(|| said(&post, "topic_title"));
        // What moderators do to a topic (close it, move it) is a post, too, and often one without words.
        let action = matches!(said(&post, "post_type").as_deref(), Some("2" | "3"));
        if action && ["raw", "cooked"].iter().all(|key| post.get(key).is_none_or(Value::is_null)) {
            return Ok(());
        }
        let written = written(&mut post)?;
        if action && written.text.trim().is_empty() {
            return Ok(());
        }
        if said(&post, "post_number").as_deref() == Some("1") {
            let body = Some(written.text.clone()).filter(|text| !text.trim().is_empty());
            let story = Story { title: title.clone(), body, ..Story::default() };
            found.push(Entry::Story(StoryRow { thread_id: thread_id.clone(), story }));
            topic.told = true;
        }
        let comment = Comment {
            id: said(&post, "id").unwrap_or_default(),
            author: said(&post, "username").or_else(|| said(&post, "name")),
            created: instant(&post, "created_at"),
            text: written.text,
            quotes: written.quotes,
            links: written.links,
            status: status(&post),
            ..Comment::default()
        };
        let stated = Stated { comment, parent_id: self.parent(&post, thread_id.as_deref()) };
        found.push(CommentRow { stated, thread_id, title, ..CommentRow::default() });
        Ok(())
    }

    /// The id of the post that `post` answers. One that did not come gets a name that no post has: it is missed.
    fn parent(&self, post: &Value, topic: Option<&str>) -> Option<String> {
        let number = said(post, "reply_to_post_number")?;
        let topic = topic.and_then(|topic| topic.parse().ok());
        let id = topic.zip(number.parse().ok()).and_then(|place| self.ids.get(&place));
        Some(id.map_or_else(|| format!("post-number-{number}"), |id| id.to_string()))
    }
}

/// Lists of topics hold no posts.
fn topic_list(list: &mut Value, found: &mut Found) -> std::result::Result<(), String> {
    for topic in take_list(list, "topics")? {
        match is_object(&topic, "a topic") {
            Ok(()) => {
                let story = Story { title: title(&topic), ..Story::default() };
                found.push(Entry::Story(StoryRow { thread_id: said(&topic, "id"), story }));
            }
            Err(what) => found.refuse(what),
        }
    }
    Ok(())
}

fn title(topic: &Value) -> Option<String> {
    said(topic, "title").or_else(|| said(topic, "fancy_title").map(|title| htmlize::unescape(title).into_owned()))
}

/// The text of a post. As typed, unless it quotes: only the HTML keeps apart what `BBCode` quotes.
fn written(post: &mut Value) -> std::result::Result<Fragment, String> {
    // Discourse puts a notice in the place of a text that its author deleted or that many flagged.
    if is_true(post, "user_deleted") || is_true(post, "cooked_hidden") {
        return Ok(Fragment::default());
    }
    let shown = take_text(post, "cooked");
    let typed = take_first_choice(post, "raw").filter(|text| !text.contains("[quote") || !matches!(shown, Ok(Some(_))));
    if let Some(text) = typed {
        return Ok(Fragment { text, ..Fragment::default() });
    }
    shown?.map(|html| fragment(&html, Newlines::Collapse)).ok_or_else(|| "a post without `raw` and `cooked`".to_owned())
}

/// A post that the community's flags hide waits for a moderator.
fn status(post: &Value) -> Status {
    if is_true(post, "user_deleted") || said(post, "deleted_at").is_some() {
        Status::Deleted
    } else if is_true(post, "hidden") {
        Status::Pending
    } else {
        Status::Published
    }
}
