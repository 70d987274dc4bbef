//! Any other page: the repeated elements that each have an author, a date and a text, and that are marked as comments
//! in some way.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use super::outline::{self, Root};
use super::page::{Element, Page};

/// The comments of a page.
///
/// Elements with the same mark form a group. The group with the most whole comments is it, with those others that add
/// some without breaking any: replies often have a mark of their own.
pub(super) fn roots(page: &Page) -> Vec<Root> {
    let mut groups: Vec<(usize, usize, Reverse<usize>, Vec<Root>)> = Vec::new();
    let mut candidates: Vec<Vec<Element>> = candidates(page).into_values().collect();
    candidates.sort_by_key(|elements| Reverse(elements.len()));
    for elements in candidates.into_iter().take(MOST_MARKS) {
        let roots: Vec<Root> = elements.into_iter().map(|element| root(page, element)).collect();
        let complete = complete(page, &roots);
        if complete > 0 && complete * 2 >= roots.len() {
            let with_id = roots.iter().filter(|root| !root.id.is_empty()).count();
            let extent = roots.iter().map(|root| root.to - root.at).sum();
            groups.push((complete, with_id, Reverse(extent), roots));
        }
    }
    groups.sort_by_key(|&(complete, with_id, extent, _)| Reverse((complete, with_id, extent)));
    let mut groups = groups.into_iter();
    let Some((mut most, .., mut found)) = groups.next() else { return Vec::new() };
    for (.., group) in groups.take(MOST_GROUPS) {
        let taken: HashSet<usize> = found.iter().map(|root| root.at).collect();
        let mut both = found.clone();
        both.extend(group.into_iter().filter(|root| !taken.contains(&root.at)));
        both.sort_by_key(|root| root.at);
        let complete = complete(page, &both);
        // Each that is added must be a comment: a frame around all of them would only look like one.
        if complete > most && complete - most == both.len() - found.len() {
            (most, found) = (complete, both);
        }
    }
    found
}

/// Marks looked at, from those that most elements have. Each costs a look at the whole page.
const MOST_MARKS: usize = 24;

/// Groups tried beside the best: a page has no more kinds of comments.
const MOST_GROUPS: usize = 8;

fn complete(page: &Page, roots: &[Root]) -> usize {
    outline::read(page, roots).iter().filter(|parts| parts.is_complete()).count()
}

/// The elements of each mark that may stand for comments.
fn candidates(page: &Page) -> BTreeMap<String, Vec<Element<'_>>> {
    let mut groups: BTreeMap<String, Vec<Element>> = BTreeMap::new();
    for element in page.elements().filter(|element| may_hold_comment(*element)) {
        let mut marks: Vec<String> = element.classes().filter_map(mark).collect();
        if is_comment_item(element) {
            marks.push("itemtype".to_owned());
        }
        if id_attribute(element).is_some() {
            marks.push("data-comment-id".to_owned());
        }
        if element.attribute("id").is_some_and(|id| mark(id).is_some() && id.ends_with(|c: char| c.is_ascii_digit())) {
            marks.push("id".to_owned());
        }
        let holder = page.element(element.parent()).filter(|holder| holder.at != element.at);
        if holder.is_some_and(|holder| {
            holder.joined_classes().any(|class| class.ends_with("commentlist") || class == "comments")
        }) {
            marks.push("listed".to_owned());
        }
        marks.sort();
        marks.dedup();
        for mark in marks {
            groups.entry(mark).or_default().push(element);
        }
    }
    groups
}

fn may_hold_comment(element: Element) -> bool {
    const NEVER: [&str; 36] = [
        "a", "abbr", "b", "body", "button", "cite", "em", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
        "h6", "head", "header", "html", "i", "iframe", "img", "input", "label", "link", "main", "meta", "nav",
        "noscript", "p", "script", "small", "span", "strong", "style", "time",
    ];
    !NEVER.contains(&element.name())
}

/// The mark that a class makes, without numbers; `None` if it does not mark single comments.
fn mark(class: &str) -> Option<String> {
    const ONE: [&str; 8] =
        ["comment", "kommentar", "comentario", "commentaire", "commento", "comentário", "reply", "review"];
    const OTHER: [&str; 46] = [
        "open",
        "closed",
        "has",
        "no",
        "count",
        "off",
        "link",
        "form",
        "list",
        "area",
        "section",
        "wrapper",
        "container",
        "title",
        "header",
        "block",
        "respond",
        "status",
        "toggle",
        "author",
        "date",
        "time",
        "text",
        "meta",
        "metadata",
        "body",
        "content",
        "avatar",
        "recent",
        "latest",
        "widget",
        "popular",
        "button",
        "btn",
        "box",
        "message",
        "footer",
        "actions",
        "info",
        "name",
        "count",
        "number",
        "replies",
        "loading",
        "new",
        "editor",
    ];
    let words = || class.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is = |set: &[&str]| words().any(|word| set.iter().any(|known| known.eq_ignore_ascii_case(word)));
    (is(&ONE) && !is(&OTHER)).then(|| class.chars().filter(|c| !c.is_ascii_digit()).collect::<String>().to_lowercase())
}

/// True for an element marked up as a comment for search engines.
fn is_comment_item(element: Element) -> bool {
    let is_type = |value: &str| {
        value.ends_with("/Comment") || value.ends_with("/UserComments") || value.ends_with("schema:Comment")
    };
    element.attribute("itemtype").is_some_and(is_type)
        || element.attribute("typeof").is_some_and(is_type)
        || (element.attribute("itemprop") == Some("comment") && element.attribute("itemscope").is_some())
}

fn id_attribute(element: Element<'_>) -> Option<&str> {
    ["data-comment-id", "data-commentid", "data-comment", "comment-id", "commentid"]
        .iter()
        .find_map(|name| element.attribute(name))
}

fn root(page: &Page, element: Element) -> Root {
    let parent = [
        "data-parent-id",
        "data-parentid",
        "data-parent",
        "data-parent-comment-id",
        "data-reply-to",
        "in-reply-to",
        "parentid",
    ];
    let stated = parent.iter().find_map(|name| element.attribute(name)).map(str::trim);
    let is_answer = |parent: &&str| !matches!(*parent, "" | "0" | "null" | "undefined" | "false" | "root");
    let depth = ["data-depth", "data-level", "data-comment-depth"]
        .iter()
        .find_map(|name| element.attribute(name)?.parse().ok());
    let mut root = Root::of(element, id(page, element).unwrap_or_default());
    root.parent = stated.filter(is_answer).map(|parent| number(parent).to_owned());
    root.depth = root.depth.or(depth);
    root
}

/// The id of a comment: that of its element, of the anchor before it, or of the link to it.
fn id(page: &Page, element: Element) -> Option<String> {
    let own = id_attribute(element).or_else(|| element.attribute("id").or_else(|| element.attribute("data-id")));
    let numbered = |id: &&str| id.contains(|c: char| c.is_ascii_digit());
    if let Some(id) = own.map(str::trim).filter(numbered) {
        return Some(number(id).to_owned());
    }
    // Only white space may stand between.
    let anchor = (1..=2).find_map(|back| page.element(element.at.checked_sub(back)?));
    let anchor = anchor.filter(|anchor| anchor.name() == "a" && anchor.end() <= element.at);
    if let Some(id) = anchor.and_then(|a| a.attribute("id").or_else(|| a.attribute("name"))).filter(numbered) {
        return Some(number(id).to_owned());
    }
    let mut inside = page.between(element.at + 1, element.end(), |inside| !may_hold_link(inside)).take(LINK_WITHIN);
    inside.find_map(|link| {
        let href = link.attribute("href").filter(|_| link.name() == "a" && is_permalink(link))?;
        href.rsplit_once('#').map(|(_, id)| id).filter(numbered).map(|id| number(id).to_owned())
    })
}

/// Elements of a comment among which its link to itself is looked for.
const LINK_WITHIN: usize = 40;

fn may_hold_link(element: Element) -> bool {
    !matches!(element.name(), "script" | "style" | "ul" | "ol" | "form")
}

fn is_permalink(link: Element) -> bool {
    link.classes().any(|class| class.contains("permalink"))
        || link.attribute("rel").is_some_and(|rel| rel.contains("bookmark"))
}

/// The number at the end of an id such as `comment-12` or `c12`; the whole id where it is of another kind.
fn number(id: &str) -> &str {
    let digits = id.trim_start_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_' | '#'));
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) { digits } else { id }
}
