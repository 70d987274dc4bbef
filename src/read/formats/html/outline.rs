//! Which comment of a page answers which: by what they state, by nesting, and by depth where the nesting is broken.

use std::collections::{HashMap, HashSet};

use super::page::{Element, Page};
use super::parts::{Parts, Scope};
use crate::read::entry::{CommentRow, Entry};
use crate::read::time::{self, Zone};
use crate::thread::{Comment, Stated};

/// Where a comment stands in a page, and what its markup says of its place in the thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Root {
    /// The place of its outermost element.
    pub(super) at: usize,
    /// One past its last node.
    pub(super) to: usize,
    /// The source's id; may be empty.
    pub(super) id: String,
    /// The id of the comment it answers, where that is stated.
    pub(super) parent: Option<String>,
    /// True where the source says who answers whom for all comments: then none stated means that it answers none.
    pub(super) is_parent_known: bool,
    /// How deep it stands, from 0, where that is stated.
    pub(super) depth: Option<usize>,
    /// True for a notice that another page links here.
    pub(super) is_pingback: bool,
}

impl Root {
    /// A root with all that an element says of itself in the usual classes and attributes.
    pub(super) fn of(element: Element, id: String) -> Self {
        let depth =
            |class: &str| class.strip_prefix("depth-").and_then(|depth| depth.parse::<usize>().ok()?.checked_sub(1));
        Self {
            at: element.at,
            to: element.end(),
            id,
            depth: element.classes().find_map(depth),
            is_pingback: element.has_class("pingback") || element.has_class("trackback"),
            ..Self::default()
        }
    }
}

/// The comments of a page at `roots`, which stand in reading order, and whether the markup says who answers whom.
pub(super) fn entries(page: &Page, mut roots: Vec<Root>, thread_id: Option<&str>) -> (Vec<Entry>, bool) {
    let states_parents = roots.iter().any(|root| root.is_parent_known || root.depth.is_some());
    let mut parts = read(page, &roots);
    let mut filled = parts.iter().map(|parts| !parts.is_empty());
    roots.retain(|_| filled.next().unwrap_or_default());
    parts.retain(|parts| !parts.is_empty());

    let parents = parents(page, &roots);
    name(&mut roots, &parents);
    let ids: Vec<String> = roots.iter().map(|root| root.id.clone()).collect();
    let known: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let mut entries = Vec::with_capacity(roots.len());
    for ((root, parts), nested) in roots.into_iter().zip(parts).zip(parents) {
        if root.is_pingback {
            entries.push(Entry::Pingback);
            continue;
        }
        let nested = nested.and_then(|parent| ids.get(parent).cloned());
        let parent_id = match root.parent {
            Some(stated) if known.contains(stated.as_str()) || nested.is_none() => Some(stated),
            _ => nested,
        };
        let Parts { author, created, text, status } = parts;
        let created = created.map(|said| time::rfc3339(&said, Zone::Unknown));
        let (text, quotes, links) = (text.text, text.quotes, text.links);
        let comment = Comment { id: root.id, author, created, text, quotes, links, status, ..Comment::default() };
        let stated = Stated { comment, parent_id };
        entries.push(CommentRow { stated, thread_id: thread_id.map(str::to_owned), ..CommentRow::default() }.into());
    }
    (entries, states_parents)
}

/// The parts of the comments at `roots`.
pub(super) fn read(page: &Page, roots: &[Root]) -> Vec<Parts> {
    let comments: HashMap<usize, usize> = roots.iter().map(|root| (root.at, root.to)).collect();
    let scope = |root: &Root| Some(Scope { page, root: page.element(root.at)?, to: root.to, comments: &comments });
    roots.iter().map(|root| scope(root).map(Scope::parts).unwrap_or_default()).collect()
}

/// Classes of elements that hold the replies to the comment before them.
const REPLIES: [&str; 6] = ["children", "indented", "replies", "nested", "subcomments", "responses"];

/// The index of each root's parent by nesting and depth. A pingback is nobody's parent.
fn parents(page: &Page, roots: &[Root]) -> Vec<Option<usize>> {
    let nested = nested(page, roots);
    // Some themes give all comments the same depth.
    let is_depth_told = roots.iter().any(|root| root.depth.is_some_and(|depth| depth > 0));
    let mut parents: Vec<Option<usize>> = Vec::with_capacity(roots.len());
    let mut depths: Vec<usize> = Vec::with_capacity(roots.len());
    // The comments on the way from the top to the one before.
    let mut path: Vec<usize> = Vec::new();
    for (index, root) in roots.iter().enumerate() {
        let by_nesting = nested.get(index).copied().flatten();
        let nested_depth = by_nesting.and_then(|parent| depths.get(parent)).map_or(0, |depth| depth + 1);
        let parent = match root.depth.filter(|_| is_depth_told) {
            Some(depth) if depth != nested_depth => {
                while path.last().and_then(|&last| depths.get(last)).is_some_and(|&last| last >= depth) {
                    path.pop();
                }
                path.last().copied()
            }
            _ => by_nesting,
        };
        let depth = parent.and_then(|parent| depths.get(parent)).map_or(0, |depth| depth + 1);
        while path.last().and_then(|&last| depths.get(last)).is_some_and(|&last| last >= depth) {
            path.pop();
        }
        path.push(index);
        depths.push(depth);
        parents.push(parent);
    }
    let is_pingback = |index: &usize| roots.get(*index).is_some_and(|root| root.is_pingback);
    let is_settled = |index: usize| roots.get(index).is_some_and(|root| root.is_parent_known);
    let parents = parents.into_iter().enumerate();
    parents.map(|(index, parent)| parent.filter(|parent| !is_pingback(parent) && !is_settled(index))).collect()
}

/// The root around each root, or before the list of replies around it.
fn nested(page: &Page, roots: &[Root]) -> Vec<Option<usize>> {
    let mut parents = Vec::with_capacity(roots.len());
    // The comments whose replies stand here, each with where these end; the last comment beside each element, by the
    // element around.
    let (mut around, mut before) = (Vec::<(usize, usize)>::new(), HashMap::<usize, usize>::new());
    let mut next = 0;
    for element in page.elements() {
        while around.pop_if(|(end, _)| *end <= element.at).is_some() {}
        if let Some(root) = roots.get(next).filter(|root| root.at == element.at) {
            parents.push(around.last().map(|(_, root)| *root));
            around.push((root.to, next));
            before.insert(element.parent(), next);
            next += 1;
        } else if element.has_word(&REPLIES)
            && let Some(&root) = before.get(&element.parent())
        {
            around.push((element.end(), root));
        }
    }
    parents
}

/// Characters of a position beyond which a comment is known by its number in the page: in a thread of 100,000 levels,
/// positions would fill the memory.
const LONGEST_POSITION: usize = 100;

/// Gives those without an id their position: `1`, `2`, and `1.1` for the first reply to `1`.
fn name(roots: &mut [Root], parents: &[Option<usize>]) {
    let mut counts = vec![0usize; roots.len()];
    let mut tops = 0;
    for index in 0..roots.len() {
        let parent = parents.get(index).copied().flatten();
        let count = parent.and_then(|parent| counts.get_mut(parent)).unwrap_or(&mut tops);
        *count += 1;
        let above = parent.and_then(|parent| roots.get(parent)).map(|parent| parent.id.as_str());
        let position = match above {
            None => count.to_string(),
            Some(above) if above.len() < LONGEST_POSITION => format!("{above}.{count}"),
            Some(_) => format!("#{}", index + 1),
        };
        if let Some(root) = roots.get_mut(index).filter(|root| root.id.is_empty()) {
            root.id = position;
        }
    }
}
