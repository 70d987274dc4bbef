//! Comments of platforms, read from the JSON that their APIs and exports give.

mod discussions;
mod exports;
mod forums;
mod hostile;
mod reddit;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use polemic::read::entry::{CommentRow, Entry, Reader, StoryRow};
use polemic::read::format::{self, Format, Opened};
use polemic::read::rows::{BadRow, Options};
use polemic::thread::{Repairs, Status, Thread};

/// All that an input states.
#[derive(Debug, Default, PartialEq)]
struct Read {
    format: &'static str,
    comments: Vec<CommentRow>,
    stories: Vec<StoryRow>,
    missing: u64,
    bad: Vec<BadRow>,
}

impl Read {
    fn comment(&self, id: &str) -> &CommentRow {
        self.comments.iter().find(|row| row.stated.comment.id == id).expect("a comment of this id")
    }

    fn text(&self, id: &str) -> &str {
        &self.comment(id).stated.comment.text
    }

    fn author(&self, id: &str) -> Option<&str> {
        self.comment(id).stated.comment.author.as_deref()
    }

    fn created(&self, id: &str) -> Option<&str> {
        self.comment(id).stated.comment.created.as_deref()
    }

    fn status(&self, id: &str) -> Status {
        self.comment(id).stated.comment.status
    }

    /// Ids with those of their parents, in the order of the input.
    fn parents(&self) -> Vec<(&str, Option<&str>)> {
        self.comments.iter().map(|row| (row.stated.comment.id.as_str(), row.stated.parent_id.as_deref())).collect()
    }

    fn count(&self, status: Status) -> usize {
        self.comments.iter().filter(|row| row.stated.comment.status == status).count()
    }

    fn replies(&self) -> usize {
        self.comments.iter().filter(|row| row.stated.parent_id.is_some()).count()
    }

    /// Why rows were refused.
    fn refusals(&self) -> Vec<&str> {
        self.bad.iter().map(|bad| bad.what.as_str()).collect()
    }

    /// All comments as one thread.
    fn thread(&self) -> (Thread, Repairs) {
        Thread::build(self.comments.iter().map(|row| row.stated.clone()).collect())
    }
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/json").join(name);
    std::fs::read_to_string(path).expect("a fixture")
}

/// Reads `text` as the content of a file called `name`.
fn read(name: &str, text: impl Into<Vec<u8>>) -> Read {
    read_with(name, text, &Options::default())
}

fn read_with(name: &str, text: impl Into<Vec<u8>>, options: &Options) -> Read {
    let mut opened = Opened::from_reader(name, Box::new(Cursor::new(text.into())), options).expect("text");
    opened.path = Some(PathBuf::from(name));
    let format = format::find(&opened, options).expect("a format");
    collect(format, format.open(opened, options).expect("an input that opens").as_mut())
}

fn collect(format: &dyn Format, reader: &mut dyn Reader) -> Read {
    let mut read = Read { format: format.name(), ..Read::default() };
    while let Some(entry) = reader.next_entry() {
        assert!(!read.bad.iter().any(|bad| bad.fatal), "an entry follows a fatal error");
        match entry {
            Ok(Entry::Comment(row)) => read.comments.push(*row),
            Ok(Entry::Story(row)) => read.stories.push(row),
            Ok(Entry::Missing(count)) => read.missing += count,
            Ok(Entry::Pingback) => panic!("no platform has pingbacks"),
            Err(bad) => read.bad.push(bad),
        }
    }
    read
}

/// The document `text` on a single line, and spread over many.
fn rewritten(text: &str) -> [String; 2] {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON")]
}

/// Lines of JSON as an array.
fn as_array(lines: &str) -> String {
    format!("[{}]", lines.lines().collect::<Vec<_>>().join(",\n"))
}
