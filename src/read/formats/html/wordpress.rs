//! Comments as `WordPress` itself and most of its themes print them: `Walker_Comment`, block themes and definition
//! lists.

use super::outline::Root;
use super::page::{Element, Page};

/// The comments of a page, if it is one of `WordPress`.
pub(super) fn roots(page: &Page) -> Vec<Root> {
    let mut roots: Vec<Root> = Vec::new();
    // The comments around the element in progress.
    let mut around: Vec<usize> = Vec::new();
    for element in page.elements() {
        while around.pop_if(|index| roots.get(*index).is_none_or(|root| root.to <= element.at)).is_some() {}
        let id = number(element).unwrap_or_default().to_owned();
        if id.is_empty() && !is_comment(element) {
            continue;
        }
        // Most themes mark an element inside of the comment's own with its id again, and some do only that.
        if let Some(outer) = around.last().and_then(|&index| roots.get_mut(index)) {
            if id == outer.id {
                continue;
            }
            if outer.id.is_empty() && !is_comment(element) {
                outer.id = id;
                continue;
            }
        }
        around.push(roots.len());
        roots.push(Root { to: end(element), ..Root::of(element, id) });
    }
    roots
}

/// One past the last node of a comment: that of a definition list goes on to the next term.
fn end(element: Element) -> usize {
    if element.name() != "dt" {
        return element.end();
    }
    let last = std::iter::successors(Some(element), |item| item.next().filter(|next| next.name() == "dd")).last();
    last.map_or(element.end(), Element::end)
}

/// The number of the comment in an element's id.
fn number(element: Element<'_>) -> Option<&str> {
    if matches!(element.name(), "a" | "span" | "p" | "form" | "input" | "button") {
        return None;
    }
    let id = element.attribute("id")?;
    let number = ["comment-", "li-comment-", "div-comment-", "article-comment-"]
        .iter()
        .find_map(|start| id.strip_prefix(start))?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

/// True for an element with the classes that `comment_class()` writes.
fn is_comment(element: Element) -> bool {
    let is_kind = ["comment", "pingback", "trackback"].iter().any(|kind| element.has_class(kind));
    let has_depth =
        || element.classes().any(|class| class.strip_prefix("depth-").is_some_and(|n| n.parse::<u32>().is_ok()));
    is_kind && matches!(element.name(), "li" | "div" | "article" | "section" | "dt") && has_depth()
}
