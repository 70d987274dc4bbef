//! Disqus: pages saved with the thread that its script had loaded.

use super::outline::Root;
use super::page::{Element, Page};

/// The comments of a page, if Disqus made its thread.
pub(super) fn roots(page: &Page) -> Vec<Root> {
    let has_message = page.elements().any(|element| element.has_class("post-message"));
    if !has_message {
        return Vec::new();
    }
    let mut roots: Vec<Root> = Vec::new();
    let mut around: Vec<usize> = Vec::new();
    for element in page.elements() {
        while around.pop_if(|index| roots.get(*index).is_none_or(|root| root.to <= element.at)).is_some() {}
        if let Some(id) = id(element) {
            around.push(roots.len());
            roots.push(Root::of(element, id.to_owned()));
        } else if let (Some(parent), Some(root)) =
            (parent(element), around.last().and_then(|&index| roots.get_mut(index)))
        {
            root.parent.get_or_insert(parent.to_owned());
        }
    }
    roots
}

fn id(element: Element<'_>) -> Option<&str> {
    let id = element.attribute("id")?.strip_prefix("post-")?;
    (element.has_class("post") && !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
}

/// The comment that a "in reply to" link names.
fn parent(element: Element<'_>) -> Option<&str> {
    let is_parent_link = element.attribute("data-role") == Some("parent-link") || element.has_class("parent-link");
    let id = element.attribute("href").filter(|_| is_parent_link)?.rsplit_once("#comment-")?.1;
    (!id.is_empty()).then_some(id)
}
