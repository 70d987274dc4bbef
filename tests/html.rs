//! HTML as text, and saved pages with comments.

mod exports;
mod fragment;
mod hostile;
mod pages;

use std::io::Cursor;
use std::path::Path;

use polemic::read::entry::{Entry, StoryRow};
use polemic::read::format::{self, Opened};
use polemic::read::rows::Options;
use polemic::thread::Stated;

/// What a page states.
#[derive(Default)]
struct Read {
    story: StoryRow,
    comments: Vec<Stated>,
    pingbacks: usize,
    missing: u64,
}

impl Read {
    fn of(opened: Opened, options: &Options) -> polemic::error::Result<Self> {
        let found = format::find(&opened, options)?;
        assert_eq!(found.name(), "html");
        let mut reader = found.open(opened, options)?;
        let mut read = Self::default();
        while let Some(entry) = reader.next_entry() {
            match entry.unwrap() {
                Entry::Story(story) => read.story = story,
                Entry::Comment(row) => {
                    assert_eq!(row.thread_id, read.story.thread_id);
                    read.comments.push(row.stated);
                }
                Entry::Pingback => read.pingbacks += 1,
                Entry::Missing(n) => read.missing += n,
            }
        }
        Ok(read)
    }

    fn file(path: &Path) -> Self {
        let options = Options::default();
        Self::of(Opened::open(Some(path), &options).unwrap(), &options).unwrap()
    }

    fn html(html: &str) -> Self {
        Self::bytes(html.as_bytes())
    }

    fn bytes(html: &[u8]) -> Self {
        let options = Options::default();
        let input = Box::new(Cursor::new(html.to_vec()));
        Self::of(Opened::from_reader("page.html", input, &options).unwrap(), &options).unwrap()
    }

    /// Id and parent of each comment.
    fn tree(&self) -> Vec<(&str, &str)> {
        self.comments.iter().map(|s| (s.comment.id.as_str(), s.parent_id.as_deref().unwrap_or("-"))).collect()
    }

    fn text(&self, id: &str) -> &str {
        &self.comments.iter().find(|stated| stated.comment.id == id).unwrap().comment.text
    }
}
