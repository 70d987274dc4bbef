//! The parts of one comment: who wrote it, when, and what it says. Themes name them in many ways that have words in
//! common.

use std::collections::HashMap;

use super::page::{Element, Page};
use crate::text::html::Fragment;
use crate::thread::Status;

/// A comment's stretch of the page.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) page: &'a Page,
    /// Its outermost element.
    pub(super) root: Element<'a>,
    /// One past its last node, which may lie behind the element.
    pub(super) to: usize,
    /// All comments of the page, by place: those inside of this one are not of it.
    pub(super) comments: &'a HashMap<usize, usize>,
}

/// What a comment's markup says of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub(super) author: Option<String>,
    pub(super) created: Option<String>,
    pub(super) text: Fragment,
    pub(super) status: Status,
}

impl Parts {
    /// True if nothing is there: an anchor or a frame, but no comment.
    pub(super) fn is_empty(&self) -> bool {
        self.author.is_none() && self.created.is_none() && self.text.text.is_empty() && self.status != Status::Deleted
    }

    /// True if all is there that a comment has.
    pub(super) fn is_complete(&self) -> bool {
        self.author.is_some() && self.created.is_some() && !self.text.text.is_empty()
    }
}

impl<'a> Scope<'a> {
    /// The elements of the comment, without those of comments inside of it.
    pub(super) fn elements(self) -> impl Iterator<Item = Element<'a>> {
        self.page.between(self.root.at + 1, self.to, move |element| self.is_foreign(element))
    }

    fn is_foreign(self, element: Element) -> bool {
        self.comments.contains_key(&element.at) || never_shown(element)
    }

    /// Reads the parts.
    pub(super) fn parts(self) -> Parts {
        let author = self.author();
        let date = self.date();
        let status = self.status();
        let text =
            self.written(author.as_ref().map(|(element, _)| *element), date.as_ref().and_then(|(element, _)| *element));
        Parts { author: author.map(|(_, name)| name), created: date.map(|(_, date)| date), text, status }
    }

    fn is_deleted(self) -> bool {
        self.root.has_word(&["deleted", "removed"])
    }

    fn status(self) -> Status {
        if self.is_deleted() {
            return Status::Deleted;
        }
        let mut own = std::iter::once(self.root).chain(self.elements());
        let is_pending = |class: String| class.contains("awaitingmoderation") || class.contains("unapproved");
        if own.any(|element| element.joined_classes().any(is_pending)) { Status::Pending } else { Status::Published }
    }

    fn author(self) -> Option<(Element<'a>, String)> {
        let mut ranked: Vec<(u8, Element<'a>)> =
            self.elements().filter_map(|element| Some((author_rank(element)?, element))).collect();
        ranked.sort_by_key(|&(rank, element)| (rank, element.at));
        ranked.into_iter().take(8).find_map(|(_, element)| Some((element, self.name_in(element)?)))
    }

    /// The name that an author's element holds beside badges, dates and words such as "says".
    fn name_in(self, element: Element<'a>) -> Option<String> {
        if let Some(name) = element.attribute("content").filter(|_| element.name() == "meta") {
            return display_name(name);
        }
        let inner = |wanted: &dyn Fn(Element) -> bool| {
            let mut inside = self.page.between(element.at + 1, element.end(), |inside| self.is_foreign(inside));
            inside.find(|inside| wanted(*inside) && !is_furniture(*inside))
        };
        let is_name = |e: Element| e.has_class("fn") || e.attribute("itemprop") == Some("name");
        let named = inner(&is_name).or_else(|| inner(&|e| matches!(e.name(), "cite" | "strong" | "b")));
        let named =
            named.or_else(|| inner(&|e| e.name() == "a" && !e.text(is_furniture).is_empty())).unwrap_or(element);
        let skip = |inside: Element| self.is_foreign(inside) || is_furniture(inside) || date_rank(inside).is_some();
        display_name(&named.text(skip)).or_else(|| display_name(named.attribute("content")?))
    }

    /// When it was written, and the element that says it if it shows nothing else.
    fn date(self) -> Option<(Option<Element<'a>>, String)> {
        let mut ranked: Vec<(u8, Element<'a>)> =
            self.elements().filter_map(|element| Some((date_rank(element)?, element))).collect();
        ranked.sort_by_key(|&(rank, element)| (rank, element.at));
        let stated = ranked.into_iter().take(8).find_map(|(_, element)| Some((Some(element), date_in(element)?)));
        stated.or_else(|| Some((None, self.date_in_line()?)))
    }

    /// A date that stands among other facts about the comment or that links to it.
    fn date_in_line(self) -> Option<String> {
        let is_permalink =
            |e: Element| e.name() == "a" && e.attribute("href").is_some_and(|href| href.contains("#comment"));
        let mut links = self.elements().filter(|&e| is_permalink(e) && !is_furniture(e)).map(|e| e.text(never_shown));
        if let Some(date) = links.find_map(|said| printed_date(&said)) {
            return Some(date);
        }
        let is_meta = |class: &String| class.contains("meta") || class.ends_with("commentauthor");
        let facts = self.elements().filter(|e| e.joined_classes().any(|class| is_meta(&class)) || e.name() == "header");
        facts.take(4).find_map(|e| {
            let is_name = |e: Element| author_rank(e).is_some() || matches!(e.name(), "strong" | "b" | "cite");
            printed_date(&e.text(|inside| self.is_foreign(inside) || inside.has_word(&FURNITURE) || is_name(inside)))
        })
    }

    /// What the comment says.
    fn written(self, author: Option<Element<'a>>, date: Option<Element<'a>>) -> Fragment {
        let about = |e: Element| author.is_some_and(|a| a.at == e.at) || date.is_some_and(|d| d.at == e.at);
        let skip = |e: Element| self.is_foreign(e) || about(e) || is_furniture(e);
        let bodies = self.bodies();
        if self.is_deleted() && bodies.is_empty() {
            // What stands there is a notice of the page.
            return Fragment::default();
        }
        if let (Some(first), Some(last)) = (bodies.first(), bodies.last()) {
            // Paragraphs that each have the class of a text follow each other.
            let found = self.page.text(first.at, last.end(), |e| skip(e) && !bodies.iter().any(|body| body.at == e.at));
            if !found.text.is_empty() {
                return found;
            }
        }
        let from = self.behind_says(author).unwrap_or(self.root.at + 1);
        let found = self.page.text(from, self.to, skip);
        if !found.text.is_empty() {
            return found;
        }
        // A theme may give all of a comment a class that elsewhere names its furniture.
        self.page.text(from, self.to, |e| self.is_foreign(e) || about(e) || is_control(e))
    }

    /// The elements that hold the text: the first of the surest kind, and those like it that follow.
    fn bodies(self) -> Vec<Element<'a>> {
        let ranked = self.elements().filter_map(|element| Some((text_rank(element)?, element)));
        let Some((_, first)) = ranked.min_by_key(|&(rank, element)| (rank, element.at)) else { return Vec::new() };
        let like = |e: &Element| e.attribute("class") == first.attribute("class") && e.name() == first.name();
        std::iter::successors(Some(first), |body| body.next().filter(like)).collect()
    }

    /// The place behind "says:", which follows a name that stands in a `cite` of its own.
    fn behind_says(self, author: Option<Element<'a>>) -> Option<usize> {
        let cite = author.filter(|author| author.name() == "cite")?;
        let said = self.page.said(cite.end()).trim();
        let is_says = said.ends_with(':') && said.split_whitespace().count() <= 3;
        is_says.then_some(cite.end() + 1)
    }
}

/// Words in the classes of what stands around a comment's text.
const FURNITURE: [&str; 52] = [
    "reply",
    "replies",
    "respond",
    "like",
    "likes",
    "dislike",
    "dislikes",
    "vote",
    "votes",
    "voting",
    "rating",
    "ratings",
    "karma",
    "avatar",
    "gravatar",
    "edit",
    "report",
    "flag",
    "share",
    "sharing",
    "sharedaddy",
    "actions",
    "action",
    "controls",
    "button",
    "buttons",
    "btn",
    "toolbar",
    "badge",
    "badges",
    "says",
    "meta",
    "metadata",
    "commentmetadata",
    "vcard",
    "permalink",
    "awaiting",
    "timestamp",
    "children",
    "screen",
    "tools",
    "menu",
    "tooltip",
    "label",
    "footer",
    "sr",
    "moderation",
    "upvote",
    "downvote",
    "score",
    "stars",
    "visually",
];

/// True for what stands around a comment's text.
fn is_furniture(element: Element) -> bool {
    if text_rank(element).is_some() {
        return false;
    }
    let about = |class: String| {
        ["commentmeta", "commentauthor", "commentdate", "commenttime"].iter().any(|part| class.contains(part))
    };
    is_control(element)
        || matches!(element.name(), "header" | "footer")
        || element.has_word(&FURNITURE)
        || element.joined_classes().any(about)
}

/// True for what a reader can press or fill in, and for times.
fn is_control(element: Element) -> bool {
    let replies = element.name() == "a" && element.classes().any(|class| class.contains("reply"));
    replies
        || matches!(element.name(), "form" | "button" | "select" | "input" | "time" | "nav" | "svg" | "label")
        || never_shown(element)
}

fn never_shown(element: Element) -> bool {
    matches!(element.name(), "script" | "style" | "template" | "noscript" | "iframe" | "textarea" | "head")
}

/// How surely an element holds the text; less is surer.
fn text_rank(element: Element) -> Option<u8> {
    let is_stated = |value: Option<&str>| matches!(value, Some("text" | "commentText" | "schema:text"));
    if is_stated(element.attribute("itemprop")) || is_stated(element.attribute("property")) {
        return Some(0);
    }
    let rank = |class: String| match class.as_str() {
        "wpdcommenttext" | "wccommenttext" | "postmessage" => Some(0),
        "contenttext" | "formattext" | "messagetext" | "usertext" | "textcontent" | "bodytext" => Some(2),
        "text" | "content" | "message" | "entrycontent" | "description" => Some(3),
        "commentbody" => Some(4),
        class => {
            let ends =
                ["commentcontent", "commenttext", "commentmessage", "commentcopy", "commententry", "commenttextinner"];
            ends.iter().any(|end| class.ends_with(end)).then_some(1)
        }
    };
    element.joined_classes().filter_map(rank).min()
}

/// How surely an element holds the author's name; less is surer.
fn author_rank(element: Element) -> Option<u8> {
    if element.has_word(&["avatar", "gravatar"]) {
        return None;
    }
    if matches!(element.attribute("itemprop"), Some("author" | "creator")) {
        return Some(0);
    }
    let rank = |class: String| match class.as_str() {
        "wpdcommentauthor" | "wccommentauthor" => Some(0),
        "fn" => Some(1),
        class if class.ends_with("byauthor") || class.ends_with("bypostauthor") => None,
        class => {
            let ends = [
                "authorname",
                "username",
                "displayname",
                "commentername",
                "commentauthor",
                "commenter",
                "nickname",
                "commentauthorlink",
            ];
            let vague = ["author", "name", "user"];
            let is = |set: &[&str]| set.iter().any(|end| class.ends_with(end));
            if is(&ends) {
                Some(2)
            } else if is(&vague) {
                Some(3)
            } else {
                class.ends_with("byline").then_some(5)
            }
        }
    };
    let said = matches!(element.attribute("property"), Some("schema:name")).then_some(2);
    let by_element = (element.name() == "cite").then_some(4).or_else(|| element.has_class("vcard").then_some(5));
    element.joined_classes().filter_map(rank).chain(said).chain(by_element).min()
}

/// How surely an element says when the comment was written; less is surer.
fn date_rank(element: Element) -> Option<u8> {
    if element.has_word(&["edited", "modified", "updated", "edit"]) {
        return None;
    }
    if element.name() == "time" && element.attribute("datetime").is_some() {
        return Some(0);
    }
    let is_stated = |value: Option<&str>| {
        matches!(
            value.map(|v| v.strip_prefix("schema:").unwrap_or(v)),
            Some("dateCreated" | "datePublished" | "commentTime" | "dc:date")
        )
    };
    if is_stated(element.attribute("itemprop")) || is_stated(element.attribute("property")) {
        return Some(1);
    }
    let is_date = |class: String| {
        ["date", "time", "timestamp", "datetime", "published", "timeago", "ago", "posted"]
            .iter()
            .any(|end| class.ends_with(end))
    };
    if element.joined_classes().any(is_date) {
        return Some(2);
    }
    (element.name() == "time" || element.name() == "abbr" && element.attribute("title").is_some_and(has_year))
        .then_some(3)
}

/// What an element for dates says: a machine's form before what is printed.
fn date_in(element: Element) -> Option<String> {
    let stated = ["datetime", "content", "data-timestamp", "data-time", "data-date", "data-created", "data-utime"];
    let stated =
        stated.iter().find_map(|name| element.attribute(name)).map(str::trim).filter(|said| is_date_long(said));
    if let Some(said) = stated {
        return Some(said.to_owned());
    }
    if let Some(title) = element.attribute("title").filter(|title| has_year(title) && is_date_long(title)) {
        return Some(one_line(title));
    }
    let said = one_line(&element.text(|inside| never_shown(inside) || is_control(inside) && inside.name() != "time"));
    is_date_long(&said).then_some(said)
}

/// A date in running text; one without a digit is none.
fn printed_date(said: &str) -> Option<String> {
    let said = one_line(said);
    let said = said.trim_matches(|c: char| !c.is_alphanumeric());
    (said.chars().filter(char::is_ascii_digit).count() >= 2 && is_date_long(said)).then(|| said.to_owned())
}

/// True for as many characters as a date takes in any language.
fn is_date_long(said: &str) -> bool {
    !said.is_empty() && said.chars().take(61).count() <= 60
}

fn has_year(said: &str) -> bool {
    said.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 4)
}

/// A name without what says that its owner says something. `None` for what is no name, and for mail addresses: they are
/// not copied.
fn display_name(said: &str) -> Option<String> {
    const SAYS: [&str; 14] = [
        "says", "said", "sagt", "sagte", "schreibt", "schrieb", "dijo", "dice", "dit", "ha detto", "diz", "disse",
        "zegt", "wrote",
    ];
    let line = one_line(said);
    let mut name = line.trim_end_matches([':', ',', '|', '·', '•', '-', '–']).trim_end();
    if name.len() < line.len()
        && let Some(rest) = SAYS.iter().find_map(|says| name.strip_suffix(says)).filter(|rest| rest.ends_with(' '))
    {
        name = rest.trim_end();
    }
    let is_mail =
        name.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !user.contains(' ') && host.contains('.'));
    (!name.is_empty() && name.chars().take(101).count() <= 100 && !is_mail).then(|| name.to_owned())
}

fn one_line(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
