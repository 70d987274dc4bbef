//! Parquet, compressed with zstd. Lists are lists, probabilities doubles; rows are held back by the row group and no
//! further.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use arrow::array::{ArrayRef, Float64Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};

use super::columns::{Cell, Column, Kind, Layout, Row, Table};
use super::partial::Partial;
use super::{Output, Shape};
use crate::error::{Error, Result};

/// Rows handed on together.
const BATCH_ROWS: usize = 1024;

/// Bytes of text handed on together: rows may be long.
const BATCH_BYTES: usize = 4 << 20;

/// Rows of a row group. A reader holds a group's columns at once.
const GROUP_ROWS: usize = 1 << 16;

/// Bytes of a row group, compressed.
const GROUP_BYTES: usize = 32 << 20;

/// Writes a Parquet file.
pub struct Parquet {
    name: String,
    to: ArrowWriter<Box<dyn Write + Send>>,
    layout: Layout,
    columns: Vec<Builder>,
    rows: usize,
    bytes: usize,
    /// Where it is until it is whole, if it has a place of its own.
    partial: Option<Partial>,
}

impl Parquet {
    /// A table of scored comments.
    ///
    /// # Errors
    /// `Io` if the start of the file cannot be written.
    pub fn of_scores(output: Output, shape: Shape) -> Result<Self> {
        Self::new(output, Layout::of_scores(shape))
    }

    /// A table of scored comments, at `path` once it is whole, in place of a file that is there.
    ///
    /// # Errors
    /// `Io` if it cannot be created.
    pub fn of_scores_at(path: &Path, shape: Shape) -> Result<Self> {
        let partial = Partial::file(path).map_err(|e| Error::io(path, e))?;
        let file = File::create(partial.path()).map_err(|e| Error::io(partial.path(), e))?;
        let name = partial.path().display().to_string();
        let parquet = Self::of_scores(Output { name, to: Box::new(file) }, shape)?;
        Ok(Self { partial: Some(partial), ..parquet })
    }

    /// A table of comments.
    ///
    /// # Errors
    /// `Io` if the start of the file cannot be written.
    pub fn of_comments(output: Output) -> Result<Self> {
        Self::new(output, Layout::of_comments())
    }

    fn new(output: Output, layout: Layout) -> Result<Self> {
        let fields: Vec<Field> = layout.columns.iter().map(field).collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("polemic ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_max_row_group_bytes(Some(GROUP_BYTES))
            .build();
        let to = ArrowWriter::try_new(output.to, Arc::new(Schema::new(fields)), Some(properties))
            .map_err(|e| failed(&output.name, e))?;
        let columns = layout.columns.iter().map(|column| Builder::new(column.kind)).collect();
        Ok(Self { name: output.name, to, layout, columns, rows: 0, bytes: 0, partial: None })
    }

    /// Hands on the rows that are held back.
    fn hand_on(&mut self) -> Result<()> {
        let names = self.layout.columns.iter().map(|column| &column.name);
        let columns = names.zip(&mut self.columns).map(|(name, column)| (name, column.finish(), true));
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_from_iter_with_nullable(columns)
            .map_err(ParquetError::from)
            .and_then(|batch| self.to.write(&batch))
            .map_err(|e| failed(&self.name, e))
    }
}

impl Table for Parquet {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn put(&mut self, row: &Row<'_>) -> Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(&row.cells) {
            self.bytes += column.push(cell);
        }
        self.rows += 1;
        if self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES { self.hand_on() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<()> {
        if self.rows > 0 {
            self.hand_on()?;
        }
        self.to.finish().map_err(|e| failed(&self.name, e))?;
        let named = self.to.inner_mut().flush().and_then(|()| self.partial.as_mut().map_or(Ok(()), Partial::finish));
        named.map_err(|e| Output::error(&self.name, e))
    }
}

fn field(column: &Column) -> Field {
    let kind = match column.kind {
        Kind::Text => DataType::Utf8,
        Kind::Integer => DataType::Int64,
        Kind::Real => DataType::Float64,
        Kind::Texts => DataType::new_list(DataType::Utf8, true),
    };
    Field::new(&column.name, kind, true)
}

/// The cells of a column that are held back.
enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Real(Float64Builder),
    Texts(ListBuilder<StringBuilder>),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Real => Self::Real(Float64Builder::new()),
            Kind::Texts => Self::Texts(ListBuilder::new(StringBuilder::new())),
        }
    }

    /// Adds a cell; says how many bytes of text it has.
    fn push(&mut self, cell: &Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Text(column), Cell::Text(text)) => {
                column.append_value(text);
                return text.len();
            }
            (Self::Texts(column), Cell::Texts(texts)) => {
                column.append_value(texts.iter().map(Some));
                return texts.iter().map(String::len).sum();
            }
            (Self::Integer(column), Cell::Integer(n)) => column.append_value(*n),
            (Self::Real(column), Cell::Real(x)) => column.append_value(*x),
            (Self::Text(column), _) => column.append_null(),
            (Self::Integer(column), _) => column.append_null(),
            (Self::Real(column), _) => column.append_null(),
            (Self::Texts(column), _) => column.append_null(),
        }
        0
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Real(column) => Arc::new(column.finish()),
            Self::Texts(column) => Arc::new(column.finish()),
        }
    }
}

/// The error of the output, as it was: a closed pipe must be known for one.
fn failed(name: &str, error: ParquetError) -> Error {
    let cause = match error {
        ParquetError::External(cause) => cause.downcast::<io::Error>().map_or_else(io::Error::other, |cause| *cause),
        other => io::Error::other(other),
    };
    Output::error(name, cause)
}
