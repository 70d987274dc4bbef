//! `WordPress` export files: WXR, which is RSS with elements of its own.

use std::collections::VecDeque;
use std::io::BufRead;

use crate::error::Result;
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow};
use crate::read::format::{Format, Head, Opened};
use crate::read::rows::{BadRow, Options};
use crate::read::time::{self, Zone};
use crate::read::xml::{self, Node, Tag, Xml};
use crate::text::html::{self, Newlines};
use crate::thread::{Comment, Stated, Status, Story};

/// The namespace of all versions: `http://wordpress.org/export/1.2/` and the like.
const NAMESPACE: &str = "wordpress.org/export/";

/// `WordPress` export files.
pub struct WxrFormat;

impl Format for WxrFormat {
    fn name(&self) -> &'static str {
        "wxr"
    }

    fn about(&self) -> &'static str {
        "WordPress export file (WXR, XML)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "wp:comment_id"),
            ("thread_id", "wp:post_id"),
            ("parent_id", "wp:comment_parent"),
            ("author", "wp:comment_author"),
            ("created", "wp:comment_date_gmt"),
            ("status", "wp:comment_approved"),
            ("title", "title"),
            ("url", "link"),
            ("text", "wp:comment_content"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let is_export = |root: &Tag<'_>| root.holds(NAMESPACE) || head.text.contains("<wp:");
        xml::opens_with(head.text, |root| root.local() == "rss" && is_export(root))
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        let xml = Xml::new(input.text("XML")?.into_reader(), options.max_line);
        Ok(Box::new(Wxr { xml, items: 0, item: None, ready: VecDeque::new(), done: false }))
    }
}

/// The elements that are read.
#[derive(Clone, Copy, PartialEq)]
enum Element {
    Item,
    Title,
    Link,
    PostId,
    Comment,
    Id,
    Parent,
    Author,
    Date,
    DateGmt,
    Content,
    Approved,
    Type,
    Other,
}

impl Element {
    fn of(tag: &Tag<'_>) -> Self {
        let is_own = tag.namespace().map_or(tag.prefix() == Some("wp"), |namespace| namespace.contains(NAMESPACE));
        match tag.local() {
            "post_id" if is_own => Self::PostId,
            "comment" if is_own => Self::Comment,
            "comment_id" if is_own => Self::Id,
            "comment_parent" if is_own => Self::Parent,
            "comment_author" if is_own => Self::Author,
            "comment_date" if is_own => Self::Date,
            "comment_date_gmt" if is_own => Self::DateGmt,
            "comment_content" if is_own => Self::Content,
            "comment_approved" if is_own => Self::Approved,
            "comment_type" if is_own => Self::Type,
            "item" if tag.prefix().is_none() => Self::Item,
            "title" if tag.prefix().is_none() => Self::Title,
            "link" if tag.prefix().is_none() => Self::Link,
            _ => Self::Other,
        }
    }
}

/// A post, a page or whatever else has an item.
#[derive(Default)]
struct Item {
    /// From 1.
    position: u64,
    title: Option<String>,
    link: Option<String>,
    post_id: Option<String>,
    /// Once settled it stays, as comments name it.
    thread_id: Option<String>,
    is_told: bool,
}

impl Item {
    /// The id of the post, else its address, else its position in the file. Comments that stand before all of these
    /// do not wait for them: there may be any number.
    fn thread_id(&mut self) -> String {
        let stated = [&self.post_id, &self.link].into_iter().flatten().find(|id| !id.is_empty());
        let id = || stated.cloned().unwrap_or_else(|| format!("item-{}", self.position));
        let id = self.thread_id.clone().unwrap_or_else(id);
        self.thread_id = Some(id.clone());
        id
    }

    fn is_complete(&self) -> bool {
        self.title.is_some() && self.link.is_some() && self.post_id.is_some()
    }

    fn story(&mut self) -> Entry {
        self.is_told = true;
        let title = self.title.as_deref().and_then(xml::title);
        let url = self.link.clone().filter(|link| !link.is_empty());
        Entry::Story(StoryRow { thread_id: Some(self.thread_id()), story: Story { title, url, body: None } })
    }
}

/// What stands in a comment.
#[derive(Default)]
struct Fields {
    id: Option<String>,
    parent: Option<String>,
    author: Option<String>,
    date: Option<String>,
    date_gmt: Option<String>,
    content: Option<String>,
    approved: Option<String>,
    kind: Option<String>,
}

impl Fields {
    fn of(&mut self, element: Element) -> Option<&mut Option<String>> {
        match element {
            Element::Id => Some(&mut self.id),
            Element::Parent => Some(&mut self.parent),
            Element::Author => Some(&mut self.author),
            Element::Date => Some(&mut self.date),
            Element::DateGmt => Some(&mut self.date_gmt),
            Element::Content => Some(&mut self.content),
            Element::Approved => Some(&mut self.approved),
            Element::Type => Some(&mut self.kind),
            _ => None,
        }
    }

    /// True for a notice that another page links here. All other types (`comment`, `review`, …) are people's.
    fn is_pingback(&self) -> bool {
        matches!(self.kind.as_deref(), Some("pingback" | "trackback"))
    }

    /// As `WordPress` keeps it: `1` is shown, and what a plugin made up is not.
    fn status(&self) -> Status {
        match self.approved.as_deref() {
            None | Some("" | "1" | "approve" | "approved") => Status::Published,
            Some("spam") => Status::Spam,
            Some("trash" | "post-trashed") => Status::Deleted,
            Some(_) => Status::Pending,
        }
    }

    /// UTC where it is kept. Of comments that wait for approval it may not be, then the site's time has to do.
    fn created(&self) -> Option<String> {
        let stated = |date: &Option<String>, zone| {
            let date = date.as_deref().filter(|date| !date.is_empty() && !date.starts_with("0000-00-00"))?;
            Some(time::rfc3339(date, zone))
        };
        stated(&self.date_gmt, Zone::Utc).or_else(|| stated(&self.date, Zone::Unknown))
    }

    fn comment(self, thread_id: Option<String>) -> Entry {
        let (status, created) = (self.status(), self.created());
        let fragment = html::fragment(self.content.as_deref().unwrap_or_default(), Newlines::Keep);
        let comment = Comment {
            id: self.id.unwrap_or_default(),
            author: self.author.as_deref().and_then(xml::title),
            created,
            text: fragment.text,
            quotes: fragment.quotes,
            links: fragment.links,
            status,
            ..Comment::default()
        };
        let parent_id = self.parent.filter(|parent| !matches!(parent.as_str(), "" | "0"));
        CommentRow { stated: Stated { comment, parent_id }, thread_id, ..CommentRow::default() }.into()
    }
}

/// The entries of an export.
struct Wxr<R> {
    xml: Xml<R>,
    items: u64,
    item: Option<Item>,
    ready: VecDeque<std::result::Result<Entry, BadRow>>,
    done: bool,
}

impl<R: BufRead + Send> Reader for Wxr<R> {
    fn next_entry(&mut self) -> Option<std::result::Result<Entry, BadRow>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            if self.done {
                return None;
            }
            if let Err(fatal) = self.step() {
                self.done = true;
                self.end_item();
                self.ready.push_back(Err(fatal));
            }
        }
    }
}

impl<R: BufRead> Wxr<R> {
    /// Reads the next element. An error is fatal.
    fn step(&mut self) -> std::result::Result<(), BadRow> {
        let element = match self.xml.next_node()? {
            Node::Start(tag) => Element::of(&tag),
            Node::End => {
                self.end_item();
                return Ok(());
            }
            Node::Eof => {
                self.done = true;
                return Ok(());
            }
        };
        if element == Element::Comment {
            return self.comment();
        }
        let Some(mut item) = self.item.take() else {
            if element == Element::Item {
                self.items += 1;
                self.item = Some(Item { position: self.items, ..Item::default() });
            }
            return Ok(());
        };
        let read = match element {
            Element::Title => self.field(&mut item.title).map(|_| ()),
            Element::Link => self.field(&mut item.link).map(|_| ()),
            Element::PostId => self.field(&mut item.post_id).map(|_| ()),
            _ => self.xml.skip(),
        };
        self.item = Some(item);
        read
    }

    fn end_item(&mut self) {
        if let Some(mut item) = self.item.take()
            && !item.is_told
        {
            self.ready.push_back(Ok(item.story()));
        }
    }

    /// Reads the text of an element into `field`, if nothing is there yet. False if it is too long, which is reported.
    fn field(&mut self, field: &mut Option<String>) -> std::result::Result<bool, BadRow> {
        match self.xml.text() {
            Ok(text) => {
                field.get_or_insert_with(|| text.trim().to_owned());
                Ok(true)
            }
            Err(bad) if bad.fatal => Err(bad),
            Err(bad) => {
                self.ready.push_back(Err(bad));
                Ok(false)
            }
        }
    }

    fn comment(&mut self) -> std::result::Result<(), BadRow> {
        let mut fields = Fields::default();
        let mut is_usable = true;
        while let Node::Start(tag) = self.xml.next_node()? {
            match fields.of(Element::of(&tag)) {
                Some(field) => is_usable &= self.field(field)?,
                None => self.xml.skip()?,
            }
        }
        if fields.is_pingback() {
            self.ready.push_back(Ok(Entry::Pingback));
        } else if is_usable {
            if let Some(item) = self.item.as_mut().filter(|item| item.is_complete() && !item.is_told) {
                self.ready.push_back(Ok(item.story()));
            }
            let thread_id = self.item.as_mut().map(Item::thread_id);
            self.ready.push_back(Ok(fields.comment(thread_id)));
        }
        Ok(())
    }
}
