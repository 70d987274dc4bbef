//! Counts of what a source holds.

use serde::Serialize;

use crate::read::entry::Entry;
use crate::thread::Status;

/// What was read of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// Comments, whatever their status.
    pub comments: u64,
    /// Comments that have a parent.
    pub replies: u64,
    /// Replies whose parent is not stated, but quoted.
    pub replies_by_quotation: u64,
    /// Comments that wait for a moderator.
    pub pending: u64,
    /// Comments marked as spam.
    pub spam: u64,
    /// Comments marked as deleted.
    pub deleted: u64,
    /// Stories that the source states apart from its comments.
    pub stories: u64,
    /// Pingbacks and trackbacks, which are no comments.
    pub pingbacks: u64,
    /// Comments that the source states but does not hold.
    pub missing: u64,
}

impl Census {
    /// Counts an entry.
    pub fn add(&mut self, entry: &Entry) {
        match entry {
            Entry::Story(_) => self.stories += 1,
            Entry::Pingback => self.pingbacks += 1,
            Entry::Missing(n) => self.missing += n,
            Entry::Comment(row) => {
                self.comments += 1;
                self.replies += u64::from(row.stated.parent_id.is_some());
                self.replies_by_quotation += u64::from(row.parent_by_quotation);
                match row.stated.comment.status {
                    Status::Published => {}
                    Status::Pending => self.pending += 1,
                    Status::Spam => self.spam += 1,
                    Status::Deleted => self.deleted += 1,
                }
            }
        }
    }
}
