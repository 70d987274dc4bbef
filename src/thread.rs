//! Comments and the threads they form: an arena in reading order, parents by index, built tolerantly with a repair report.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// One reader comment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// The source's id, or the position in the thread (`1`, `1.2.1`) where it has none.
    pub id: String,
    /// Index of the parent in [`Thread::comments`]; `None` for a root and in a flat thread.
    pub parent: Option<usize>,
    /// Replies between this comment and its root: 0 for a root.
    pub depth: u32,
    /// Display name.
    pub author: Option<String>,
    /// When it was written, as RFC 3339 where the source allows, else as the source says it.
    pub created: Option<String>,
    /// The text as written, paragraphs joined by `\n\n`.
    pub text: String,
    /// Byte ranges of `text` that the source itself marks as quoted.
    pub quotes: Vec<Range<usize>>,
    /// Addresses that the text links to, in order, where the source keeps them apart from the text.
    pub links: Vec<String>,
    /// Whether the source shows this comment.
    pub status: Status,
    /// The text of the comment answered, where the source gives it beside this one.
    pub parent_text: Option<String>,
    /// What the source says this comment takes a stance toward.
    pub target: Option<String>,
}

/// Whether a source shows a comment to its readers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It does.
    #[default]
    Published,
    /// It waits for a moderator.
    Pending,
    /// It was taken for spam.
    Spam,
    /// It was removed, by its author or by others. Its text may be gone.
    Deleted,
}

impl Status {
    /// All, in the order of their names in the documentation.
    pub const ALL: [Self; 4] = [Self::Published, Self::Pending, Self::Spam, Self::Deleted];

    /// As records write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Pending => "pending",
            Self::Spam => "spam",
            Self::Deleted => "deleted",
        }
    }

    /// The status that records write as `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// The story a thread stands under.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Headline.
    pub title: Option<String>,
    /// Address of its page.
    pub url: Option<String>,
    /// The article's text, paragraphs joined by `\n\n`.
    pub body: Option<String>,
}

/// The comments of one story, in reading order: a parent stands before its replies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thread {
    /// The source's id of the thread.
    pub id: Option<String>,
    /// The story.
    pub story: Story,
    /// The comments.
    pub comments: Vec<Comment>,
    /// True where the source does not say who answers whom.
    pub flat: bool,
}

/// A comment as a source states it, before its parent is looked up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stated {
    /// The comment; its `id` may be empty, `parent` and `depth` are not read.
    pub comment: Comment,
    /// The parent's id as stated.
    pub parent_id: Option<String>,
}

/// What had to be mended to make threads of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Repairs {
    /// Comments whose stated parent is not in the source: `[id, parent_id]`. They became roots.
    pub missing_parents: Vec<[String; 2]>,
    /// Ids of comments that answered themselves, directly or round a ring. They became roots.
    pub cycles: Vec<String>,
    /// Ids that stood more than once. Later ones were renamed `id~2`, `id~3`.
    pub duplicate_ids: Vec<String>,
    /// Comments that a source states but does not hold.
    pub missing_comments: u64,
    /// Repairs of the first three kinds beyond the [`LISTED`] that a list names.
    pub not_listed: u64,
}

/// Repairs of one kind that are named one by one; further ones are counted, so that a broken dump does not fill the memory.
pub const LISTED: usize = 10_000;

impl Repairs {
    /// True if nothing had to be mended.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what another source needed.
    pub fn merge(&mut self, other: Self) {
        self.missing_comments += other.missing_comments;
        self.not_listed += other.not_listed;
        self.not_listed += extend(&mut self.missing_parents, other.missing_parents);
        self.not_listed += extend(&mut self.cycles, other.cycles);
        self.not_listed += extend(&mut self.duplicate_ids, other.duplicate_ids);
    }

    /// One sentence for people, or `None` if nothing was mended.
    pub fn summary(&self) -> Option<String> {
        let counts = [
            (self.missing_parents.len() as u64, "replies to a comment that is not here"),
            (self.cycles.len() as u64, "replies in a ring"),
            (self.duplicate_ids.len() as u64, "repeated ids"),
            (self.missing_comments, "comments announced but not found"),
            (self.not_listed, "more of these"),
        ];
        let parts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// Adds to a list as far as it may grow; gives the number of those left out.
fn extend<T>(list: &mut Vec<T>, more: Vec<T>) -> u64 {
    let left_out = (list.len() + more.len()).saturating_sub(LISTED.max(list.len()));
    let room = more.len() - left_out;
    list.extend(more.into_iter().take(room));
    left_out as u64
}

impl Thread {
    /// Builds a thread from stated comments: resolves parents (which may stand after their replies), mends what is
    /// broken, and puts the comments in reading order. Empty ids become positions.
    pub fn build(stated: Vec<Stated>) -> (Self, Repairs) {
        let mut repairs = Repairs::default();
        let flat = stated.iter().all(|s| s.parent_id.is_none());
        let ids = unique_ids(&stated, &mut repairs);
        let parents = find_parents(&stated, &ids, &mut repairs);
        let order = reading_order(&parents);

        let mut place = vec![0; stated.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from] = to;
        }
        let mut taken: Vec<Option<Stated>> = stated.into_iter().map(Some).collect();
        let mut comments: Vec<Comment> = Vec::with_capacity(order.len());
        for &from in &order {
            let Some(stated) = taken[from].take() else { continue };
            let mut comment = stated.comment;
            comment.id.clone_from(&ids[from]);
            comment.parent = parents[from].map(|p| place[p]);
            comment.depth = comment.parent.map_or(0, |p| comments[p].depth + 1);
            comments.push(comment);
        }
        let mut thread = Self { comments, flat, ..Self::default() };
        thread.name_by_position();
        (thread, repairs)
    }

    /// Gives every comment without an id its position: `1`, `2` for roots, `1.1` for the first reply to `1`.
    pub fn name_by_position(&mut self) {
        let mut children = vec![0usize; self.comments.len()];
        let mut roots = 0;
        // Each comment's number among its siblings. Whole positions are put together only for those that need one: in a thread of
        // 100,000 levels they would fill the memory.
        let mut numbers: Vec<usize> = Vec::with_capacity(self.comments.len());
        for comment in &self.comments {
            let count = comment.parent.map_or(&mut roots, |p| &mut children[p]);
            *count += 1;
            numbers.push(*count);
        }
        for i in 0..self.comments.len() {
            if self.comments[i].id.is_empty() {
                let chain = std::iter::successors(Some(i), |&at| self.comments[at].parent);
                let mut position: Vec<String> = chain.map(|at| numbers[at].to_string()).collect();
                position.reverse();
                self.comments[i].id = position.join(".");
            }
        }
    }
}

/// The ids made unique; an empty id stays empty.
fn unique_ids(stated: &[Stated], repairs: &mut Repairs) -> Vec<String> {
    let in_source: HashSet<&str> = stated.iter().map(|s| s.comment.id.as_str()).collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut ids = Vec::with_capacity(stated.len());
    for s in stated {
        let mut id = s.comment.id.clone();
        let times = seen.entry(&s.comment.id).or_insert(0);
        *times += 1;
        if !id.is_empty() && *times > 1 {
            repairs.duplicate_ids.push(id);
            id = format!("{}~{times}", s.comment.id);
            // A made-up id may be taken, too: `a~2` can stand in the source itself.
            while in_source.contains(id.as_str()) {
                *times += 1;
                id = format!("{}~{times}", s.comment.id);
            }
        }
        ids.push(id);
    }
    ids
}

/// The index of each comment's parent, rings and missing parents cut.
fn find_parents(stated: &[Stated], ids: &[String], repairs: &mut Repairs) -> Vec<Option<usize>> {
    let mut index: HashMap<&str, usize> = HashMap::new();
    for (i, id) in ids.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
        index.entry(id).or_insert(i);
    }
    let mut parents: Vec<Option<usize>> = Vec::with_capacity(stated.len());
    for (s, id) in stated.iter().zip(ids) {
        let parent = s.parent_id.as_deref().and_then(|p| index.get(p).copied());
        if let (Some(missing), None) = (&s.parent_id, parent) {
            repairs.missing_parents.push([id.clone(), missing.clone()]);
        }
        parents.push(parent);
    }
    cut_rings(&mut parents, ids, repairs);
    parents
}

/// Makes the first comment of every ring a root.
fn cut_rings(parents: &mut [Option<usize>], ids: &[String], repairs: &mut Repairs) {
    const NEW: u32 = 0;
    let mut walk = vec![NEW; parents.len()];
    for start in 0..parents.len() {
        let this = start as u32 + 1;
        let mut at = start;
        while walk[at] == NEW {
            walk[at] = this;
            match parents[at] {
                Some(p) if walk[p] == this => {
                    // `p` is on this very walk: the ring closes here.
                    repairs.cycles.push(ids[p].clone());
                    parents[p] = None;
                    break;
                }
                Some(p) => at = p,
                None => break,
            }
        }
    }
}

/// Depth-first from the roots, siblings in source order. Iterative: threads may be 100,000 replies deep.
fn reading_order(parents: &[Option<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    let mut stack = Vec::new();
    for (i, parent) in parents.iter().enumerate().rev() {
        match parent {
            Some(p) => children[*p].push(i),
            None => stack.push(i),
        }
    }
    let mut order = Vec::with_capacity(parents.len());
    while let Some(i) = stack.pop() {
        order.push(i);
        stack.append(&mut children[i]);
    }
    order
}
