//! Readers: from inputs in any of the known formats to stories and comments, one after the other.

pub mod ahead;
pub mod bytes;
pub mod census;
pub mod entry;
pub mod fields;
pub mod follow;
pub mod format;
pub mod formats;
pub mod json;
pub mod page;
pub mod private;
mod quotation;
mod recent;
pub mod rows;
pub mod threads;
pub mod time;
pub mod unpack;
pub mod xml;

use std::path::Path;

use crate::error::Result;
use bytes::Damage;
use entry::{Entry, Reader};
use format::{Content, Format, Opened};
use quotation::ByQuotation;
use rows::{BadRow, Options, RowReader};
use unpack::Compression;

/// An input whose format is known, open for reading.
pub struct Input {
    /// The path as given, or "standard input".
    pub name: String,
    /// The format.
    pub format: &'static dyn Format,
    /// How it is compressed.
    pub compression: Compression,
    /// The encoding of a text by its WHATWG name.
    pub encoding: Option<&'static str>,
    /// Counts malformed bytes of a text while it is read.
    pub damage: Damage,
    /// What it states.
    pub reader: Box<dyn Reader>,
}

/// Opens an input: recognises its compression, encoding and format. `None` is standard input.
///
/// # Errors
/// An input that cannot be read or used.
pub fn open(path: Option<&Path>, options: &Options) -> Result<Input> {
    input(Opened::open(path, options)?, options)
}

/// Finds the format of an opened input and reads it.
///
/// # Errors
/// As [`open`].
pub fn input(opened: Opened, options: &Options) -> Result<Input> {
    let format = format::find(&opened, options)?;
    let (encoding, damage) = match &opened.content {
        Content::Text(source) => (Some(source.encoding()), source.damage()),
        Content::Binary(_) | Content::Folder(_) => (None, Damage::default()),
    };
    let (name, compression) = (opened.name.clone(), opened.compression);
    let inner = format.open(opened, options)?;
    let damage = inner.damage().unwrap_or(damage);
    let tidy = Box::new(Tidy::new(inner));
    // Rows of a table without threads need not belong together.
    let reader = Box::new(ByQuotation::new(tidy, format.table().is_none()));
    Ok(Input { name, format, compression, encoding, damage, reader })
}

/// What holds for the comments of every format: each has an id, and no author's name is an address.
struct Tidy {
    inner: Box<dyn Reader>,
    comments: u64,
}

impl Tidy {
    fn new(inner: Box<dyn Reader>) -> Self {
        Self { inner, comments: 0 }
    }
}

impl Reader for Tidy {
    fn next_entry(&mut self) -> Option<std::result::Result<Entry, BadRow>> {
        let mut entry = self.inner.next_entry();
        if let Some(Ok(Entry::Comment(row))) = &mut entry {
            self.comments += 1;
            let comment = &mut row.stated.comment;
            if comment.id.is_empty() {
                comment.id = self.comments.to_string();
            }
            comment.author = comment.author.as_deref().and_then(private::name);
        }
        entry
    }

    fn mapping(&self) -> Vec<(&'static str, String)> {
        self.inner.mapping()
    }

    fn states_parents(&self) -> bool {
        self.inner.states_parents()
    }
}

/// Opens a table of labelled rows.
///
/// # Errors
/// An input that cannot be read, or that is no table.
pub fn open_rows(path: &Path, options: &Options) -> Result<Box<dyn RowReader>> {
    let opened = Opened::open(Some(path), options)?;
    let open = format::find_table(&opened, options)?;
    open(opened, options)
}
