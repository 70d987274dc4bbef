//! A page as its elements in reading order, each with the extent of what it holds.
//!
//! html5ever reads the tags. Its own tree is not used: building it takes time in the square of the depth, and
//! formatting that is never closed is opened again in every paragraph, so that a small page can fill the memory. Here
//! elements end where the HTML standard ends them, as far as it matters to text, in time linear in the page whatever
//! its depth.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::{Attribute, LocalName, local_name};

use crate::text::html::flow::Flow;
use crate::text::html::mend::mend;
use crate::text::html::{Fragment, Newlines, chunks, raw_kind};

/// Elements and texts of a page beyond which it is no page.
const MAX_NODES: usize = 8_000_000;

/// A page.
pub(super) struct Page {
    nodes: Vec<Node>,
}

struct Node {
    parent: usize,
    /// One past the last node inside of this one: what an element holds stands right behind it.
    end: usize,
    content: Content,
}

enum Content {
    Text(StrTendril),
    Element { name: LocalName, attributes: Vec<Attribute> },
}

/// An element of a page.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    page: &'a Page,
    /// Its place among the nodes of the page.
    pub(super) at: usize,
    name: &'a LocalName,
    attributes: &'a [Attribute],
}

impl Page {
    /// Reads a page; `None` if it has too many elements to be one.
    pub(super) fn read(html: &str) -> Option<Self> {
        let tokenizer = Tokenizer::new(Builder::default(), TokenizerOpts::default());
        let queue = BufferQueue::default();
        for chunk in chunks(&mend(html)) {
            queue.push_back(StrTendril::from_slice(chunk));
            let _ = tokenizer.feed(&queue);
            if tokenizer.sink.full.get() {
                return None;
            }
        }
        tokenizer.end();
        let mut tree = tokenizer.sink.tree.into_inner();
        tree.close_to(0);
        (!tokenizer.sink.full.get()).then_some(Self { nodes: tree.nodes })
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The element at a place; `None` for a text.
    pub(super) fn element(&self, at: usize) -> Option<Element<'_>> {
        match &self.nodes.get(at)?.content {
            Content::Element { name, attributes } => Some(Element { page: self, at, name, attributes }),
            Content::Text(_) => None,
        }
    }

    /// All elements in reading order.
    pub(super) fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        (0..self.nodes.len()).filter_map(|at| self.element(at))
    }

    /// The elements from `from` to before `to`, without those that `skip` names and what they hold.
    pub(super) fn between<'a>(
        &'a self,
        from: usize,
        to: usize,
        skip: impl Fn(Element<'a>) -> bool,
    ) -> impl Iterator<Item = Element<'a>> {
        let mut at = from;
        std::iter::from_fn(move || {
            while at < to {
                let Some(element) = self.element(at) else {
                    at += 1;
                    continue;
                };
                if skip(element) {
                    at = element.end();
                    continue;
                }
                at += 1;
                return Some(element);
            }
            None
        })
    }

    /// The text from `from` to before `to`, without the elements that `skip` names.
    pub(super) fn text<'a>(&'a self, from: usize, to: usize, skip: impl Fn(Element<'a>) -> bool) -> Fragment {
        let mut flow = Flow::new(Newlines::Collapse);
        let mut open: Vec<Element<'a>> = Vec::new();
        let mut at = from;
        while at < to {
            while let Some(element) = open.pop_if(|element| element.end() <= at) {
                flow.end(element.name);
            }
            match self.element(at) {
                Some(element) if skip(element) => {
                    // What stands before and behind is apart.
                    flow.text(" ");
                    at = element.end();
                    continue;
                }
                Some(element) => {
                    flow.start(element.name, &|name| element.attribute(name));
                    if !is_void(element.name) {
                        open.push(element);
                    }
                }
                None => flow.text(self.said(at)),
            }
            at += 1;
        }
        flow.finish()
    }

    /// The text node at a place; empty for an element.
    pub(super) fn said(&self, at: usize) -> &str {
        match self.nodes.get(at).map(|node| &node.content) {
            Some(Content::Text(text)) => text,
            _ => "",
        }
    }
}

impl<'a> Element<'a> {
    pub(super) fn name(self) -> &'a str {
        self.name
    }

    pub(super) fn attribute(self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
    }

    /// One past the last node inside of it.
    pub(super) fn end(self) -> usize {
        self.page.nodes.get(self.at).map_or(self.at + 1, |node| node.end)
    }

    pub(super) fn holds(self, at: usize) -> bool {
        self.at < at && at < self.end()
    }

    /// The place of the element that holds it; its own for the outermost.
    pub(super) fn parent(self) -> usize {
        self.page.nodes.get(self.at).map_or(self.at, |node| node.parent)
    }

    /// The element that follows it inside of the same element.
    pub(super) fn next(self) -> Option<Self> {
        let siblings = (self.end()..self.page.len()).take_while(|&at| self.page.said(at).trim().is_empty());
        // Only the first element or text with words can be the next.
        let next = siblings.take(3).find_map(|at| self.page.element(at))?;
        (next.parent() == self.parent()).then_some(next)
    }

    pub(super) fn classes(self) -> impl Iterator<Item = &'a str> {
        self.attribute("class").unwrap_or_default().split_ascii_whitespace()
    }

    pub(super) fn has_class(self, wanted: &str) -> bool {
        self.classes().any(|class| class.eq_ignore_ascii_case(wanted))
    }

    /// Its classes in lower case without what joins their words: `commenttext` for `comment-text`, `comment__text` and
    /// `CommentText`.
    pub(super) fn joined_classes(self) -> impl Iterator<Item = String> {
        self.classes()
            .map(|class| class.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase())
    }

    /// True if a class has one of `words` between hyphens or underscores, or is one.
    pub(super) fn has_word(self, words: &[&str]) -> bool {
        self.classes()
            .flat_map(|class| class.split(['-', '_']))
            .any(|word| words.iter().any(|w| w.eq_ignore_ascii_case(word)))
    }

    /// The text in it.
    pub(super) fn text(self, skip: impl Fn(Element<'a>) -> bool) -> String {
        self.page.text(self.at + 1, self.end(), skip).text
    }
}

/// Builds the nodes of a page from its tags.
#[derive(Default)]
struct Builder {
    tree: RefCell<Tree>,
    full: Cell<bool>,
}

impl TokenSink for Builder {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut tree = self.tree.borrow_mut();
        if tree.nodes.len() >= MAX_NODES {
            self.full.set(true);
            return TokenSinkResult::Continue;
        }
        match token {
            Token::CharacterTokens(text) => tree.add(Content::Text(text)),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let raw = raw_kind(&tag.name);
                tree.start(tag);
                if let Some(kind) = raw {
                    return TokenSinkResult::RawData(kind);
                }
            }
            Token::TagToken(tag) => tree.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    /// The places of the open elements.
    open: Vec<usize>,
    /// For each name, which of `open` have it; for each bound, which of them are such.
    named: HashMap<LocalName, Vec<usize>>,
    bounds: HashMap<Bound, Vec<usize>>,
}

/// Elements that an end tag, or a start tag that ends another element, does not reach beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bound {
    /// A table or a cell: nothing inside of it ends what is outside.
    Cell,
    Table,
    List,
    /// What else keeps a new item apart from one that is open outside of it.
    Item,
    /// A block: no `</b>` or `</span>` inside of it ends what is outside.
    Block,
}

impl Tree {
    fn add(&mut self, content: Content) {
        let at = self.nodes.len();
        self.nodes.push(Node { parent: self.open.last().copied().unwrap_or(at), end: at + 1, content });
    }

    fn start(&mut self, tag: Tag) {
        self.end_implied(&tag.name);
        let name = tag.name;
        let is_void = is_void(&name)
            || (tag.self_closing && self.named.get(&local_name!("svg")).is_some_and(|open| !open.is_empty()));
        let place = self.nodes.len();
        self.add(Content::Element { name: name.clone(), attributes: tag.attrs });
        if is_void {
            return;
        }
        let depth = self.open.len();
        self.open.push(place);
        for bound in bounds(&name) {
            self.bounds.entry(*bound).or_default().push(depth);
        }
        self.named.entry(name).or_default().push(depth);
    }

    /// Ends what cannot hold an element of this name.
    fn end_implied(&mut self, name: &str) {
        match name {
            "li" => self.end_within(&["li"], Bound::Item),
            "dt" | "dd" => self.end_within(&["dt", "dd"], Bound::Item),
            "option" => self.end_within(&["option"], Bound::Block),
            "a" => self.end_within(&["a"], Bound::Block),
            "td" | "th" => self.end_within(&["td", "th"], Bound::Table),
            "tr" => self.end_within(&["tr"], Bound::Table),
            "tbody" | "thead" | "tfoot" => self.end_within(&["tbody", "thead", "tfoot"], Bound::Table),
            "body" => self.end_within(&["head"], Bound::Cell),
            _ => {}
        }
        if ends_paragraph(name) {
            self.end_within(&["p"], Bound::Cell);
        }
    }

    fn end(&mut self, name: &LocalName) {
        let bound = match &**name {
            "table" | "template" | "object" => None,
            "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "caption" => Some(Bound::Table),
            "li" | "dt" | "dd" => Some(Bound::List),
            name if is_block(name) => Some(Bound::Cell),
            _ => Some(Bound::Block),
        };
        match bound {
            Some(bound) => self.end_within(&[name], bound),
            None => self.end_outermost(&[name], None),
        }
    }

    fn end_within(&mut self, names: &[&str], bound: Bound) {
        let limit = self.bounds.get(&bound).and_then(|open| open.last()).copied();
        self.end_outermost(names, limit);
    }

    /// Ends the innermost of the open elements `names`, unless the open element number `limit` holds it, with all that
    /// it holds.
    fn end_outermost(&mut self, names: &[&str], limit: Option<usize>) {
        let last = |name: &&str| self.named.get(&LocalName::from(*name)).and_then(|open| open.last()).copied();
        let innermost = names.iter().filter_map(last).max();
        if let Some(depth) = innermost.filter(|&depth| limit.is_none_or(|limit| limit <= depth)) {
            self.close_to(depth);
        }
    }

    /// Closes open elements until `depth` are left.
    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(place) = self.open.pop() else { break };
            let end = self.nodes.len();
            let Some(node) = self.nodes.get_mut(place) else { continue };
            node.end = end;
            let Content::Element { name, .. } = &node.content else { continue };
            if let Some(open) = self.named.get_mut(name) {
                open.pop();
            }
            for bound in bounds(name) {
                if let Some(open) = self.bounds.get_mut(bound) {
                    open.pop();
                }
            }
        }
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// True for elements that end an open paragraph.
fn ends_paragraph(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "search"
            | "section"
            | "summary"
            | "table"
            | "ul"
    )
}

fn is_block(name: &str) -> bool {
    (ends_paragraph(name) && name != "hr")
        || matches!(
            name,
            "html"
                | "head"
                | "body"
                | "button"
                | "caption"
                | "iframe"
                | "noscript"
                | "object"
                | "select"
                | "script"
                | "style"
                | "tbody"
                | "td"
                | "template"
                | "textarea"
                | "tfoot"
                | "th"
                | "thead"
                | "title"
                | "tr"
        )
}

fn bounds(name: &str) -> &'static [Bound] {
    match name {
        "table" => &[Bound::Cell, Bound::Table, Bound::List, Bound::Item, Bound::Block],
        "td" | "th" | "caption" | "template" | "object" => &[Bound::Cell, Bound::List, Bound::Item, Bound::Block],
        "ul" | "ol" | "dl" | "menu" => &[Bound::List, Bound::Item, Bound::Block],
        // An item ends the one before it even if a `div` or `p` in that is still open.
        "li" | "dt" | "dd" | "div" | "p" | "address" => &[Bound::Block],
        name if is_block(name) => &[Bound::Item, Bound::Block],
        _ => &[],
    }
}
