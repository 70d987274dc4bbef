//! News pages saved as text: what a browser's "save as text" or a text browser leaves of a page with its comment thread.

use crate::error::Result;
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow, Whole};
use crate::read::format::{Format, Head, Opened};
use crate::read::page;
use crate::read::rows::Options;
use crate::read::time::{self, Zone};
use crate::thread::{Repairs, Stated, Thread};

/// Saved page text with a `WordPress` or `wpDiscuz` thread.
pub struct PageText;

impl Format for PageText {
    fn name(&self) -> &'static str {
        "page-text"
    }

    fn about(&self) -> &'static str {
        "news page saved as text, with a WordPress or wpDiscuz thread"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        !head.text.is_empty()
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        let page = input.page(options)?;
        let (thread, repairs) = page::read(&page.text);
        let states_parents = !thread.flat;
        Ok(Box::new(Whole { entries: entries(thread, page.file.as_ref(), &repairs).into_iter(), states_parents }))
    }
}

fn entries(thread: Thread, id: Option<&String>, repairs: &Repairs) -> Vec<Entry> {
    let ids: Vec<String> = thread.comments.iter().map(|comment| comment.id.clone()).collect();
    let mut entries = vec![Entry::Story(StoryRow { thread_id: id.cloned(), story: thread.story })];
    for mut comment in thread.comments {
        let parent_id = comment.parent.and_then(|parent| ids.get(parent).cloned());
        comment.created = comment.created.map(|said| time::rfc3339(&said, Zone::Unknown));
        let stated = Stated { comment, parent_id };
        entries.push(CommentRow { stated, thread_id: id.cloned(), ..CommentRow::default() }.into());
    }
    if repairs.missing_comments > 0 {
        entries.push(Entry::Missing(repairs.missing_comments));
    }
    entries
}
