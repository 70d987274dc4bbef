//! Disqus export files: threads, then the posts in them.

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, VecDeque};
use std::io::BufRead;
use std::sync::Arc;

use crate::error::Result;
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow};
use crate::read::format::{Format, Head, Opened};
use crate::read::rows::{BadRow, Options};
use crate::read::time::{self, Zone};
use crate::read::xml::{self, Node, Tag, Xml};
use crate::text::html::{self, Newlines};
use crate::thread::{Comment, Stated, Status, Story};

/// Disqus export files.
pub struct DisqusFormat;

impl Format for DisqusFormat {
    fn name(&self) -> &'static str {
        "disqus"
    }

    fn about(&self) -> &'static str {
        "Disqus export file (XML)"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("id", "dsq:id"),
            ("thread_id", "thread"),
            ("parent_id", "parent"),
            ("author", "author/name"),
            ("created", "createdAt"),
            ("status", "isDeleted, isSpam"),
            ("title", "thread/title"),
            ("url", "thread/link"),
            ("text", "message"),
        ]
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let is_own = |root: &Tag<'_>| root.namespace().is_some_and(|namespace| namespace.contains("://disqus.com"));
        xml::opens_with(head.text, |root| root.local() == "disqus" || is_own(root))
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        let xml = Xml::new(input.text("XML")?.into_reader(), options.max_line);
        Ok(Box::new(Disqus {
            xml,
            threads: HashMap::new(),
            pages: HashMap::new(),
            ready: VecDeque::new(),
            done: false,
        }))
    }
}

/// The elements that are read.
#[derive(Clone, PartialEq)]
enum Element {
    /// A thread, or the one that a post is in, with its id.
    Thread(String),
    /// A post with its id.
    Post(String),
    /// The post that a post answers, by its id.
    Parent(String),
    Link,
    Title,
    Message,
    CreatedAt,
    IsDeleted,
    IsSpam,
    Author,
    Name,
    Other,
}

impl Element {
    fn of(tag: &Tag<'_>) -> Self {
        // `<id>` within is another one, given by whoever imported the comments.
        let id = || tag.attribute("id").map(|id| id.trim().to_owned()).unwrap_or_default();
        match tag.local() {
            "thread" => Self::Thread(id()),
            "post" => Self::Post(id()),
            "parent" => Self::Parent(id()),
            "link" => Self::Link,
            "title" => Self::Title,
            "message" => Self::Message,
            "createdAt" => Self::CreatedAt,
            "isDeleted" => Self::IsDeleted,
            "isSpam" => Self::IsSpam,
            "author" => Self::Author,
            "name" => Self::Name,
            _ => Self::Other,
        }
    }
}

/// What is kept of a thread: little, for there may be a million.
struct Known {
    /// The thread that its posts are told to be in: the first about the same page.
    id: Arc<str>,
    is_deleted: bool,
}

/// What stands in a thread or a post.
#[derive(Default)]
struct Fields {
    link: Option<String>,
    title: Option<String>,
    message: Option<String>,
    created: Option<String>,
    author: Option<String>,
    is_deleted: Option<String>,
    is_spam: Option<String>,
    thread: Option<String>,
    parent: Option<String>,
    /// False if a part of it was too long, which is reported.
    is_whole: bool,
}

/// The entries of an export.
struct Disqus<R> {
    xml: Xml<R>,
    threads: HashMap<String, Known>,
    /// Pages by their address as [`page`] gives it.
    pages: HashMap<String, Arc<str>>,
    ready: VecDeque<std::result::Result<Entry, BadRow>>,
    done: bool,
}

impl<R: BufRead + Send> Reader for Disqus<R> {
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
                self.ready.push_back(Err(fatal));
            }
        }
    }
}

impl<R: BufRead> Disqus<R> {
    /// Reads the next thread or post. An error is fatal.
    fn step(&mut self) -> std::result::Result<(), BadRow> {
        match self.xml.next_node()? {
            Node::Start(tag) => match Element::of(&tag) {
                Element::Thread(id) => self.fields().map(|fields| self.thread(id, fields)),
                Element::Post(id) => self.fields().map(|fields| self.post(id, fields)),
                _ => Ok(()),
            },
            Node::End => Ok(()),
            Node::Eof => {
                self.done = true;
                Ok(())
            }
        }
    }

    /// Reads the rest of a thread or post.
    fn fields(&mut self) -> std::result::Result<Fields, BadRow> {
        let mut fields = Fields { is_whole: true, ..Fields::default() };
        let mut in_author = false;
        loop {
            let element = match self.xml.next_node()? {
                Node::Start(tag) => Element::of(&tag),
                Node::End if in_author => {
                    in_author = false;
                    continue;
                }
                Node::End | Node::Eof => return Ok(fields),
            };
            let field = match element {
                Element::Author if !in_author => {
                    in_author = true;
                    continue;
                }
                Element::Name if in_author => &mut fields.author,
                Element::Link if !in_author => &mut fields.link,
                Element::Title if !in_author => &mut fields.title,
                Element::Message if !in_author => &mut fields.message,
                Element::CreatedAt if !in_author => &mut fields.created,
                Element::IsDeleted if !in_author => &mut fields.is_deleted,
                Element::IsSpam if !in_author => &mut fields.is_spam,
                other => {
                    match other {
                        Element::Thread(id) => fields.thread = Some(id),
                        Element::Parent(id) => fields.parent = Some(id),
                        _ => {}
                    }
                    self.xml.skip()?;
                    continue;
                }
            };
            match self.xml.text() {
                Ok(text) => *field = Some(text.trim().to_owned()),
                Err(bad) if bad.fatal => return Err(bad),
                Err(bad) => {
                    fields.is_whole = false;
                    self.ready.push_back(Err(bad));
                }
            }
        }
    }

    /// Tells a thread, unless it is another one about a page that has one: then its posts go there.
    fn thread(&mut self, id: String, fields: Fields) {
        let own: Arc<str> = id.as_str().into();
        let first = self.first_about(&own, fields.link.as_deref());
        if first == own {
            let title = fields.title.as_deref().and_then(xml::title);
            let url = fields.link.filter(|link| !link.is_empty());
            let thread_id = Some(id.clone()).filter(|id| !id.is_empty());
            self.ready.push_back(Ok(Entry::Story(StoryRow { thread_id, story: Story { title, url, body: None } })));
        }
        if !id.is_empty() {
            self.threads.insert(id, Known { id: first, is_deleted: is_true(fields.is_deleted.as_deref()) });
        }
    }

    /// The id of the first thread about the page at `link`, which may be `own`.
    fn first_about(&mut self, own: &Arc<str>, link: Option<&str>) -> Arc<str> {
        let page = link.map(page).filter(|page| !page.is_empty());
        // Once posts were told to be in a thread, it cannot become another any more.
        let is_told = self.threads.get(&**own).is_some_and(|known| known.id == *own);
        match page {
            Some(page) if !own.is_empty() => match self.pages.entry(page) {
                Place::Occupied(first) if !is_told => Arc::clone(first.get()),
                Place::Occupied(_) => Arc::clone(own),
                Place::Vacant(place) => Arc::clone(place.insert(Arc::clone(own))),
            },
            _ => Arc::clone(own),
        }
    }

    fn post(&mut self, id: String, fields: Fields) {
        if !fields.is_whole {
            return;
        }
        let thread = fields.thread.filter(|id| !id.is_empty()).map(|id| {
            let unknown = || Known { id: id.as_str().into(), is_deleted: false };
            &*self.threads.entry(id.clone()).or_insert_with(unknown)
        });
        // Where both are said, the reason counts for more.
        let status = if is_true(fields.is_spam.as_deref()) {
            Status::Spam
        } else if is_true(fields.is_deleted.as_deref()) || thread.is_some_and(|thread| thread.is_deleted) {
            Status::Deleted
        } else {
            Status::Published
        };
        let fragment = html::fragment(fields.message.as_deref().unwrap_or_default(), Newlines::Collapse);
        let created = fields.created.filter(|created| !created.is_empty());
        let comment = Comment {
            id,
            author: fields.author.as_deref().and_then(xml::title),
            created: created.map(|created| time::rfc3339(&created, Zone::Utc)),
            text: fragment.text,
            quotes: fragment.quotes,
            links: fragment.links,
            status,
            ..Comment::default()
        };
        let stated = Stated { comment, parent_id: fields.parent.filter(|parent| !parent.is_empty()) };
        let thread_id = thread.map(|thread| thread.id.to_string());
        self.ready.push_back(Ok(CommentRow { stated, thread_id, ..CommentRow::default() }.into()));
    }
}

fn is_true(said: Option<&str>) -> bool {
    matches!(said, Some("true" | "1"))
}

/// The address of a page without what does not tell pages apart: the scheme, `www.`, a slash at the end, the fragment,
/// and parameters that say where a reader came from. Others stay: `?p=12` is a page of its own, and so is `#!/12`.
fn page(link: &str) -> String {
    let link = ["https:", "http:", "//", "www."].into_iter().fold(link.trim(), without_prefix);
    let (link, fragment) = link.split_once('#').unwrap_or((link, ""));
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let is_tracking = |parameter: &&str| parameter.starts_with("utm_") || parameter.split('=').next() == Some("ref");
    let kept: Vec<&str> =
        query.split('&').filter(|parameter| !parameter.is_empty() && !is_tracking(parameter)).collect();
    let mut page = path.trim_end_matches('/').to_owned();
    if !kept.is_empty() {
        page = format!("{page}?{}", kept.join("&"));
    }
    if fragment.starts_with('!') {
        page = format!("{page}#{fragment}");
    }
    page
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> &'a str {
    let (start, rest) = text.split_at_checked(prefix.len()).unwrap_or(("", text));
    if start.eq_ignore_ascii_case(prefix) { rest } else { text }
}
