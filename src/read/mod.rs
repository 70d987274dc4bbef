//! Readers: from files in any of the known formats to threads or rows of comments.

pub mod bytes;
pub mod csv;
pub mod fields;
pub mod jsonl;
pub mod lines;
pub mod names;
pub mod page;
pub mod rows;
pub mod signature;
pub mod story;
pub mod threads;
pub mod wordpress_text;
pub mod wpdiscuz_text;

use std::io::Read;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::thread::{Repairs, Thread};
use rows::{Format, Options, RowReader};

/// Largest page read, in bytes.
const LARGEST_PAGE: u64 = 64 << 20;

/// An opened input.
pub enum Input {
    /// A page, read whole.
    Page(Thread, Repairs),
    /// Rows, read one by one.
    Rows(Box<dyn RowReader>),
}

/// Opens an input: recognises its compression, encoding and format. `None` is standard input.
///
/// # Errors
/// An input that cannot be read or used.
pub fn open(path: Option<&Path>, options: &Options) -> Result<(String, Input)> {
    let source = bytes::Source::open(path)?;
    let name = source.name().to_owned();
    if source.head().trim().is_empty() {
        return Err(Error::input(&name, "empty: nothing to read"));
    }
    match rows::detect(&name, source.head()) {
        Format::Page => {
            let mut text = String::new();
            let io = |e| Error::from(ErrorKind::Io { place: name.clone(), cause: e });
            source.into_reader().take(LARGEST_PAGE + 1).read_to_string(&mut text).map_err(io)?;
            if text.len() as u64 > LARGEST_PAGE {
                return Err(Error::input(
                    &name,
                    "a page of more than 64 MiB: if it is a dump, give its rows as JSON lines or CSV",
                ));
            }
            let (mut thread, repairs) = page::read(&text);
            thread.id = path.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
            Ok((name, Input::Page(thread, repairs)))
        }
        format => Ok((name, Input::Rows(rows::open(source, format, options)?))),
    }
}
