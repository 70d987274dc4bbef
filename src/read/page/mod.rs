//! Reads a news page saved as text: decides which kind of comment thread stands on it, if any, and what the story is.

pub mod lines;
pub mod names;
pub mod signature;
pub mod story;
pub mod wordpress;
pub mod wpdiscuz;

use crate::thread::{Comment, Repairs, Thread};

/// A thread found among the lines of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The line where the thread, with the furniture that heads it, begins: the article lies above.
    pub start: usize,
    /// The comments in reading order; `parent` and `depth` are set, ids are empty.
    pub comments: Vec<Comment>,
    /// Comments that the page states but that are not in `comments`.
    pub missing: usize,
    /// True where the page does not say who answers whom.
    pub flat: bool,
}

/// Reads a page. One without a thread gives a thread without comments, with its story.
pub fn read(text: &str) -> (Thread, Repairs) {
    let lines = lines::split(text);
    // wpDiscuz first: its furniture is unmistakable, and an article above it may hold a numbered list.
    let found = wpdiscuz::find(&lines).or_else(|| wordpress::find(&lines));
    let found = found.unwrap_or(Found { start: lines.len(), flat: true, ..Found::default() });

    let article = lines.get(..found.start).unwrap_or(&lines);
    let mut thread = Thread { id: None, story: story::read(article), comments: found.comments, flat: found.flat };
    thread.name_by_position();
    (thread, Repairs { missing_comments: found.missing as u64, ..Repairs::default() })
}
