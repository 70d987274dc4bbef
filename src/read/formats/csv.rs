//! Rows of CSV and TSV tables.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::path::Path;

use ::csv::{Reader, ReaderBuilder, StringRecord};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::read::bytes::Source;
use crate::read::entry::Reader as EntryReader;
use crate::read::fields::{Fields, Role, role};
use crate::read::format::{Format, Head, OpenTable, Opened};
use crate::read::rows::{BadRow, Comments, Options, Row, RowReader};

/// CSV, TSV and semicolon-separated tables with a header.
pub struct CsvFormat;

impl Format for CsvFormat {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "CSV, TSV or semicolon-separated table with a header"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        head.folder.is_none() && delimiter(head).is_some()
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn EntryReader>> {
        Ok(Box::new(Comments::new(open_rows(input, options)?, options)))
    }

    fn table(&self) -> Option<OpenTable> {
        Some(open_rows)
    }
}

fn open_rows(input: Opened, options: &Options) -> Result<Box<dyn RowReader>> {
    let delimiter = delimiter(&Head::of(&input)).unwrap_or(b',');
    Ok(Box::new(CsvRows::open(input.text("table")?, delimiter, options)?))
}

/// What stands between the cells of a table; `None` if the head does not read as one.
fn delimiter(head: &Head<'_>) -> Option<u8> {
    match head.extension().as_str() {
        "csv" => Some(likely_delimiter(head.text).unwrap_or(b',')),
        "tsv" | "tab" => Some(likely_delimiter(head.text).unwrap_or(b'\t')),
        _ => DELIMITERS.into_iter().find(|&delimiter| is_table(head.text, delimiter)),
    }
}

const DELIMITERS: [u8; 3] = [b',', b'\t', b';'];

/// The first records of a table, each as its cells.
fn first_records(head: &str, delimiter: u8) -> Vec<::csv::StringRecord> {
    let mut reader =
        ::csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(head.as_bytes());
    reader.records().map_while(std::result::Result::ok).take(21).collect()
}

fn known_names(header: &::csv::StringRecord) -> usize {
    header.iter().filter(|name| role(name).is_some()).count()
}

/// The delimiter that makes most sense of the header; `None` if none splits it.
fn likely_delimiter(head: &str) -> Option<u8> {
    DELIMITERS
        .into_iter()
        .rev()
        .filter_map(|delimiter| {
            let header = first_records(head, delimiter).into_iter().next()?;
            (header.len() > 1).then(|| (known_names(&header), header.len(), delimiter))
        })
        .max_by_key(|&(known, columns, _)| (known, columns))
        .map(|(.., delimiter)| delimiter)
}

/// True if the text reads as a table. Prose has commas, too: so it must have a known column name, and more than the
/// first line must look like it.
fn is_table(head: &str, delimiter: u8) -> bool {
    let records = first_records(head, delimiter);
    let Some((header, mut following)) = records.split_first() else { return false };
    if header.len() < 2 {
        return false;
    }
    if header.iter().any(|name| role(name) == Some(Role::Text)) {
        return following.is_empty() || following.iter().any(|record| record.len() == header.len());
    }
    // The last record may be cut by the end of the head.
    if let ([.., _], Some((_, whole))) = (following, following.split_last())
        && !whole.is_empty()
        && !head.ends_with('\n')
    {
        following = whole;
    }
    known_names(header) > 0 && !following.is_empty() && following.iter().all(|record| record.len() == header.len())
}

/// The rows of a table with a header.
pub struct CsvRows {
    reader: Reader<Recorder>,
    columns: Vec<String>,
    fields: Fields,
    delimiter: u8,
    max: usize,
    done: bool,
}

/// A record with where it stands.
struct Record {
    line: u64,
    cells: StringRecord,
    raw: String,
}

impl CsvRows {
    /// Reads the header and chooses the columns. An empty source gives no rows.
    ///
    /// # Errors
    /// `Input` if the text column is missing or a column that `options` names, `Io` if the header cannot be read.
    pub fn open(source: Source, delimiter: u8, options: &Options) -> Result<Self> {
        let name = source.name().to_owned();
        let recorder = Recorder::new(source.into_reader(), options.max_line);
        let mut rows = Self {
            // Flexible, because a ragged row is ours to report with its text.
            reader: ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(recorder),
            columns: Vec::new(),
            fields: Fields::default(),
            delimiter,
            max: options.max_line,
            done: false,
        };
        match rows.record() {
            Ok(Some(header)) => {
                rows.columns = column_names(&header.cells);
                rows.fields = Fields::of_header(&name, &rows.columns, options)?;
            }
            Ok(None) => rows.done = true,
            Err((_, error)) => return Err(Error::io(Path::new(&name), error)),
        }
        Ok(rows)
    }

    /// The next record; of one that cannot be read, what was read of it.
    fn record(&mut self) -> std::result::Result<Option<Record>, (Record, io::Error)> {
        let before = self.reader.position().line();
        let mut cells = StringRecord::new();
        let read = self.reader.read_record(&mut cells);
        let end = self.reader.position().byte();
        let raw = self.reader.get_mut().take_until(end);
        // The position before a record is also before the line ends and blank lines ahead of it.
        let content = raw.trim_start_matches(['\r', '\n']);
        let skipped = raw.bytes().take(raw.len() - content.len());
        let line = before + skipped.filter(|&b| b == b'\n').count() as u64;
        let record = Record { line, cells, raw: content.trim_end_matches(['\r', '\n']).to_owned() };
        match read {
            Ok(true) => Ok(Some(record)),
            Ok(false) => Ok(None),
            Err(error) => Err((record, io_error(error))),
        }
    }

    fn row(&mut self, record: Record) -> std::result::Result<Row, BadRow> {
        let Record { line, cells, raw } = record;
        if raw.len() > self.max {
            return Err(BadRow::too_long(line, &raw, self.max));
        }
        if self.reader.get_ref().ended && is_open_quoted(&raw, self.delimiter) {
            self.done = true;
            let what = "a quoted cell of this row is never closed: it takes in all that follows".to_owned();
            return Err(BadRow { line, what, raw, fatal: true });
        }
        if cells.len() != self.columns.len() {
            let what = format!(
                "{} cells, but the header has {}: a cell with a delimiter or a line break must stand in quotes",
                cells.len(),
                self.columns.len()
            );
            return Err(BadRow { line, what, raw, fatal: false });
        }
        let filled = self.columns.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty());
        let fields = filled.map(|(name, cell)| (name.clone(), Value::String(cell.to_owned()))).collect();
        Ok(Row { line, fields, raw })
    }
}

impl RowReader for CsvRows {
    fn next_row(&mut self) -> Option<std::result::Result<Row, BadRow>> {
        if self.done {
            return None;
        }
        match self.record() {
            Ok(Some(record)) => Some(self.row(record)),
            Ok(None) => {
                self.done = true;
                None
            }
            Err((record, error)) => {
                self.done = true;
                Some(Err(BadRow::broken(record.line, &record.raw, &error)))
            }
        }
    }

    fn header(&self) -> Option<&Fields> {
        Some(&self.fields)
    }
}

/// The names of the columns, all different and none empty, so that no cell gets lost.
fn column_names(header: &StringRecord) -> Vec<String> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut names = Vec::with_capacity(header.len());
    for (i, cell) in header.iter().enumerate() {
        let cell = cell.trim_start_matches('\u{feff}').trim();
        let mut name = if cell.is_empty() { format!("column {}", i + 1) } else { cell.to_owned() };
        // A made-up name may be taken, too: `text~2` can stand in the header itself.
        while let Some(times) = seen.get_mut(&name) {
            *times += 1;
            name = format!("{name}~{times}");
        }
        seen.insert(name.clone(), 1);
        names.push(name);
    }
    names
}

fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
    }
}

/// True if the last cell of `raw` is still in quotes: a further line would become part of it.
fn is_open_quoted(raw: &str, delimiter: u8) -> bool {
    let further = format!("{raw}\nx\n");
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(further.as_bytes());
    reader.records().count() == 1
}

/// Keeps what was read of the record in progress, and stops where it grows past all bounds.
struct Recorder {
    input: Box<dyn BufRead + Send>,
    kept: Vec<u8>,
    /// Where the record in progress starts in `kept`.
    start: usize,
    /// Offset of that place in the input.
    offset: u64,
    max: usize,
    ended: bool,
}

impl Recorder {
    fn new(input: Box<dyn BufRead + Send>, max: usize) -> Self {
        Self { input, kept: Vec::new(), start: 0, offset: 0, max, ended: false }
    }

    /// The input from where the last call ended up to the offset `end`.
    fn take_until(&mut self, end: u64) -> String {
        let from = self.start;
        self.start = (from + end.saturating_sub(self.offset) as usize).min(self.kept.len());
        self.offset = end;
        String::from_utf8_lossy(self.kept.get(from..self.start).unwrap_or_default()).into_owned()
    }
}

impl Read for Recorder {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.kept.drain(..self.start.min(self.kept.len()));
        self.start = 0;
        // The parser asks for more only when it used up what it had, so all that is kept belongs to one record.
        if self.kept.len() > self.max.saturating_add(out.len()) {
            let what = format!("the row is longer than {} bytes: a quoted cell in it may never be closed", self.max);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let n = self.input.read(out)?;
        self.kept.extend_from_slice(out.get(..n).unwrap_or_default());
        self.ended = n == 0 && !out.is_empty();
        Ok(n)
    }
}
