//! News pages saved as text: what a browser's "save as text" or a text browser leaves of a page with its comment thread.

use std::io::Read;

use crate::error::{Error, ErrorKind, Result};
use crate::read::entry::{CommentRow, Entry, Reader, StoryRow};
use crate::read::format::{Format, Head, Opened};
use crate::read::page;
use crate::read::rows::{BadRow, Options};
use crate::read::time::{self, Zone};
use crate::thread::{Repairs, Stated, Thread};

/// Largest page read, in bytes.
const LARGEST_PAGE: u64 = 64 << 20;

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

    fn open(&self, input: Opened, _options: &Options) -> Result<Box<dyn Reader>> {
        let id = input.path.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
        let name = input.name.clone();
        let mut text = String::new();
        let io = |cause| Error::from(ErrorKind::Io { place: name.clone(), cause });
        input.text("page")?.into_reader().take(LARGEST_PAGE + 1).read_to_string(&mut text).map_err(io)?;
        if text.len() as u64 > LARGEST_PAGE {
            let what = "a page of more than 64 MiB: if it is a dump, give its rows as JSON lines or CSV";
            return Err(Error::input(&name, what));
        }
        let (thread, repairs) = page::read(&text);
        let states_parents = !thread.flat;
        Ok(Box::new(Page { entries: entries(thread, id.as_ref(), &repairs).into_iter(), states_parents }))
    }
}

/// What a page states.
struct Page {
    entries: std::vec::IntoIter<Entry>,
    states_parents: bool,
}

impl Reader for Page {
    fn next_entry(&mut self) -> Option<std::result::Result<Entry, BadRow>> {
        self.entries.next().map(Ok)
    }

    fn states_parents(&self) -> bool {
        self.states_parents
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
