//! What readers hand on: the stories, comments and notices of a source, one after the other, whatever its format.

use serde::{Deserialize, Serialize};

use crate::read::bytes::Damage;
use crate::read::rows::BadRow;
use crate::thread::{Stated, Story};

/// Something that a source states, in the order in which it stands there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A story or thread. Its comments name its id; they may stand before it or after it.
    Story(StoryRow),
    /// A comment.
    Comment(Box<CommentRow>),
    /// A pingback or trackback: a machine's notice that another page links here, and no comment.
    Pingback,
    /// Comments that the source states but does not hold, such as the `more` of Reddit: how many.
    Missing(u64),
}

/// A story with the id that its comments know it by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoryRow {
    /// The id of the thread; `None` where the source holds a single thread without one.
    pub thread_id: Option<String>,
    /// Headline, address and text.
    pub story: Story,
}

/// What a source says of a comment and its surroundings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CommentRow {
    /// The comment with its stated parent.
    pub stated: Stated,
    /// The id of its thread.
    pub thread_id: Option<String>,
    /// The headline above its thread, where every comment repeats it.
    pub title: Option<String>,
    /// The address of its story, where every comment repeats it.
    pub url: Option<String>,
    /// The text it answers.
    pub parent_text: Option<String>,
    /// What it is about.
    pub target: Option<String>,
    /// True if the source does not state the parent: it is the comment that this one quotes.
    pub parent_by_quotation: bool,
}

impl From<CommentRow> for Entry {
    fn from(row: CommentRow) -> Self {
        Self::Comment(Box::new(row))
    }
}

/// Reads a source of one format.
pub trait Reader: Send {
    /// The next entry; `None` at the end and after a fatal bad row.
    fn next_entry(&mut self) -> Option<Result<Entry, BadRow>>;

    /// Which field of the source was taken for what, where its names left a choice: pairs of role and field.
    fn mapping(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// False where a comment without a parent may be an answer all the same, as the source does not say who answers whom: then
    /// what it quotes is looked for.
    fn states_parents(&self) -> bool {
        true
    }

    /// Counts malformed bytes of files that the reader opens by itself.
    fn damage(&self) -> Option<Damage> {
        None
    }
}

/// The entries of an input that was read whole.
pub(crate) struct Whole {
    /// What it states.
    pub(crate) entries: std::vec::IntoIter<Entry>,
    /// Whether it says who answers whom.
    pub(crate) states_parents: bool,
}

impl Reader for Whole {
    fn next_entry(&mut self) -> Option<Result<Entry, BadRow>> {
        self.entries.next().map(Ok)
    }

    fn states_parents(&self) -> bool {
        self.states_parents
    }
}
