//! wpDiscuz 5 and 7: the id of a comment's element holds its own id and its parent's.

use super::outline::Root;
use super::page::{Element, Page};

/// The comments of a page, if wpDiscuz made it.
pub(super) fn roots(page: &Page) -> Vec<Root> {
    page.elements().filter_map(root).collect()
}

/// The number of comments that the head of the thread states.
pub(super) fn announced(page: &Page) -> Option<u64> {
    let head = page.elements().find(|element| element.has_class("wpd-thread-info"))?;
    head.attribute("data-comments-count")?.trim().parse().ok()
}

fn root(element: Element) -> Option<Root> {
    let html_id = element.attribute("id")?;
    let (id, parent) =
        html_id.strip_prefix("wpd-comm-").or_else(|| html_id.strip_prefix("wc-comm-"))?.rsplit_once('_')?;
    let is_number = |said: &str| !said.is_empty() && said.bytes().all(|b| b.is_ascii_digit());
    if !is_number(id) || !is_number(parent) {
        return None;
    }
    let parent = (parent != "0").then(|| parent.to_owned());
    Some(Root { parent, is_parent_known: true, ..Root::of(element, id.to_owned()) })
}
