//! Writers of records, one file a format.

mod ascii;
mod columns;
mod convokit;
mod csv;
mod growing;
mod info;
mod jsonl;
mod parquet;
mod partial;
mod sqlite;

use std::io::Write;

use crate::error::{Error, Result};
use crate::record::{CommentRecord, ScoreRecord, StoryRecord};

pub use self::convokit::ConvoKit;
pub(crate) use self::convokit::{MARK, UNKNOWN};
pub use self::csv::Csv;
pub use self::growing::{Growing, Mark, Packing, hashed, remove_unless_written};
pub use self::info::Info;
pub use self::jsonl::Jsonl;
pub use self::parquet::Parquet;
pub use self::sqlite::Sqlite;

/// What the columns of a table depend on; lines of JSON need none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// Labels of the model.
    pub labels: Vec<String>,
    /// Classes of the stance toward the parent.
    pub parent: Vec<String>,
    /// Targets that every row is scored toward.
    pub targets: Vec<String>,
    /// Classes of the stance toward targets; there may be targets of single rows too.
    pub target: Vec<String>,
    /// With the text.
    pub text: bool,
    /// With the words behind the scores.
    pub explain: bool,
}

/// Writes scored comments in one format.
pub trait ScoreWriter {
    /// Takes note of a story; formats whose records repeat it, or leave it out, do nothing. A story may come several
    /// times.
    fn story(&mut self, _story: &StoryRecord) -> Result<()> {
        Ok(())
    }
    /// Writes one record.
    fn write(&mut self, record: &ScoreRecord) -> Result<()>;
    /// Writes one record that is a line of JSON already, with its line feed.
    ///
    /// # Errors
    /// `Settings` in any format but JSON lines.
    fn write_line(&mut self, _line: &[u8]) -> Result<()> {
        Err(Error::settings("a line of JSON is a record of JSON lines alone"))
    }
    /// Hands on whole records that are held back, in formats of lines; others do nothing.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
    /// Writes what is still held back. Files and folders that are named only now do not exist without it.
    fn finish(&mut self) -> Result<()>;
}

/// Writes comments in one format.
pub trait CommentWriter {
    /// Takes note of a story; formats whose records repeat it, or leave it out, do nothing. A story may come several
    /// times.
    fn story(&mut self, _story: &StoryRecord) -> Result<()> {
        Ok(())
    }
    /// Writes one record.
    fn write(&mut self, record: &CommentRecord) -> Result<()>;
    /// Writes what is still held back. Files and folders that are named only now do not exist without it.
    fn finish(&mut self) -> Result<()>;
}

/// A destination and its name for messages.
pub struct Output {
    /// File name or "standard output".
    pub name: String,
    /// Where bytes go.
    pub to: Box<dyn Write + Send>,
}

impl Output {
    /// A failure to write to what `name` names.
    pub fn error(name: &str, source: std::io::Error) -> crate::error::Error {
        crate::error::ErrorKind::Io { place: name.to_owned(), cause: source }.into()
    }
}
