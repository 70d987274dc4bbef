//! CSV with a header. Nulls are empty cells, as empty texts are; lists are JSON.

use std::io::{self, Write};

use csv::Writer;
use serde_json::Value;

use super::columns::{Cell, Layout, Row, Table};
use super::{Output, Shape};
use crate::error::{Error, Result};

/// Writes a table.
pub struct Csv {
    name: String,
    to: Writer<Box<dyn Write + Send>>,
    layout: Layout,
}

impl Csv {
    /// A table of scored comments; writes its header.
    ///
    /// # Errors
    /// `Io` if that cannot be written.
    pub fn of_scores(output: Output, shape: Shape) -> Result<Self> {
        Self::new(output, Layout::of_scores(shape))
    }

    /// The rest of a table of scored comments that has its header.
    pub fn rest_of_scores(output: Output, shape: Shape) -> Self {
        Self { name: output.name, to: Writer::from_writer(output.to), layout: Layout::of_scores(shape) }
    }

    /// A table of comments; writes its header.
    ///
    /// # Errors
    /// `Io` if that cannot be written.
    pub fn of_comments(output: Output) -> Result<Self> {
        Self::new(output, Layout::of_comments())
    }

    fn new(output: Output, layout: Layout) -> Result<Self> {
        let mut to = Writer::from_writer(output.to);
        let header = layout.columns.iter().map(|column| column.name.as_str());
        to.write_record(header).map_err(|e| failed(&output.name, e))?;
        Ok(Self { name: output.name, to, layout })
    }
}

/// The error of the output, as it was: a closed pipe and a full disk must be known for what they are.
fn failed(name: &str, error: csv::Error) -> Error {
    let cause = match error.into_kind() {
        csv::ErrorKind::Io(cause) => cause,
        other => io::Error::other(format!("{other:?}")),
    };
    Output::error(name, cause)
}

/// The text of a cell.
fn text(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null | Cell::Texts([]) => String::new(),
        Cell::Text(text) => without_nul(text),
        Cell::Integer(n) => n.to_string(),
        Cell::Real(x) => x.to_string(),
        Cell::Texts(texts) => texts.iter().map(|text| without_nul(text)).collect::<Value>().to_string(),
    }
}

/// A NUL would make a binary file of the table for most who read it, us included. HTML replaces it in the same way.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

impl Table for Csv {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn put(&mut self, row: &Row<'_>) -> Result<()> {
        self.to.write_record(row.cells.iter().map(text)).map_err(|e| failed(&self.name, e))
    }

    fn flush_lines(&mut self) -> Result<()> {
        self.to.flush().map_err(|e| Output::error(&self.name, e))
    }

    fn close(&mut self) -> Result<()> {
        self.to.flush().map_err(|e| Output::error(&self.name, e))
    }
}
