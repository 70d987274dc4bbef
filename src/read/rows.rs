//! Rows of comments: which format an input has, and the readers behind one trait.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::read::bytes::Source;
use crate::read::csv::CsvRows;
use crate::read::fields::{self, Fields, Role};
use crate::read::jsonl;

/// How an input is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, or a JSON array of objects.
    Jsonl,
    /// A table with a header.
    Csv {
        /// What stands between cells: `,`, `;` or a tab.
        delimiter: u8,
    },
    /// A saved page.
    Page,
}

/// What a user can say about rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The field with the text, if it is not to be found by its name.
    pub text: Option<String>,
    /// The field with the id.
    pub id: Option<String>,
    /// The field with the parent's id.
    pub parent: Option<String>,
    /// The field with the author.
    pub author: Option<String>,
    /// The field with the time of writing.
    pub created: Option<String>,
    /// The field with the thread's id.
    pub thread: Option<String>,
    /// The longest row accepted, in bytes of UTF-8.
    pub max_line: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            text: None,
            id: None,
            parent: None,
            author: None,
            created: None,
            thread: None,
            max_line: 64 * 1024 * 1024,
        }
    }
}

impl Options {
    /// The roles a user gave to a field: role, flag, field.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = (Role, &'static str, &str)> {
        [
            (Role::Text, "--text-column", &self.text),
            (Role::Id, "--id-column", &self.id),
            (Role::ParentId, "--parent-column", &self.parent),
            (Role::Author, "--author-column", &self.author),
            (Role::Created, "--created-column", &self.created),
            (Role::ThreadId, "--thread-column", &self.thread),
        ]
        .into_iter()
        .filter_map(|(role, flag, name)| name.as_deref().map(|name| (role, flag, name)))
    }
}

/// A row that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line it starts on, from 1.
    pub line: u64,
    /// Its fields, in the order of the row. A table's cells are strings, and an empty cell is no field.
    pub fields: Map<String, Value>,
    /// The row as it stands in the input, without its line end.
    pub raw: String,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The line it starts on, from 1.
    pub line: u64,
    /// What is wrong, for people, without the line.
    pub what: String,
    /// The row as it stands in the input; only its start where it is too long or cut off.
    pub raw: String,
    /// True if no row can follow: the input fails or ends inside of this one.
    pub fatal: bool,
}

/// Where rows come from.
pub trait RowReader: Send {
    /// The next row; `None` at the end and after a fatal bad row.
    fn next_row(&mut self) -> Option<std::result::Result<Row, BadRow>>;

    /// The columns chosen from a table's header, for all of its rows. `None` where rows name their own fields, which
    /// are then to be chosen row by row.
    fn header(&self) -> Option<&Fields> {
        None
    }
}

/// Bytes of a row that are kept to show where it is too long.
const EXCERPT: usize = 200;

impl BadRow {
    /// A row longer than `limit` bytes; `start` is what is known of it.
    pub(crate) fn too_long(line: u64, start: &str, limit: usize) -> Self {
        let raw = start.get(..start.floor_char_boundary(EXCERPT)).unwrap_or_default().to_owned();
        Self { line, what: format!("the row is longer than {limit} bytes"), raw, fatal: false }
    }

    /// A row in which the input fails or ends; `start` is what is known of it.
    pub(crate) fn broken(line: u64, start: &str, what: &(impl ToString + ?Sized)) -> Self {
        Self { what: what.to_string(), fatal: true, ..Self::too_long(line, start, 0) }
    }
}

/// Opens the rows of `source`, which is written as `format` says. An empty source has no rows.
///
/// # Errors
/// `Input` for a page, which has no rows, and for a table whose header lacks a text column or one that `options`
/// names; `Io` if the header cannot be read.
pub fn open(source: Source, format: Format, options: &Options) -> Result<Box<dyn RowReader>> {
    match format {
        Format::Jsonl => Ok(jsonl::open(source, options)),
        Format::Csv { delimiter } => Ok(Box::new(CsvRows::open(source, delimiter, options)?)),
        Format::Page => Err(Error::input(source.name(), "a saved page has no rows: expected JSON lines, CSV or TSV")),
    }
}

/// Finds the format by the start of the text, and where that leaves it open by the extension of `name`.
pub fn detect(name: &str, head: &str) -> Format {
    let head = head.trim_start_matches('\u{feff}');
    let extension = extension(name);
    if opens_json(head) || matches!(extension.as_str(), "jsonl" | "ndjson") {
        return Format::Jsonl;
    }
    let table = head.trim_start_matches(['\r', '\n']);
    match extension.as_str() {
        "csv" => Format::Csv { delimiter: likely_delimiter(table).unwrap_or(b',') },
        "tsv" | "tab" => Format::Csv { delimiter: likely_delimiter(table).unwrap_or(b'\t') },
        _ => DELIMITERS
            .into_iter()
            .find(|&delimiter| is_table(table, delimiter))
            .map_or(Format::Page, |delimiter| Format::Csv { delimiter }),
    }
}

const DELIMITERS: [u8; 3] = [b',', b'\t', b';'];

/// The extension in lower case, `csv` for `A.CSV.gz`.
fn extension(name: &str) -> String {
    let name = name.to_lowercase();
    let unpacked = [".gz", ".zst", ".zstd"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
    unpacked.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_owned())
}

/// True for the start of a JSON object or of an array of objects. It goes by the first key, so that a first row that
/// is malformed further on, or longer than the head, does not make a page of the input.
fn opens_json(head: &str) -> bool {
    let start = head.trim_start();
    let object = match start.strip_prefix('[').map(str::trim_start) {
        Some("]") => return true,
        Some(element) => element,
        None => start,
    };
    let Some(inside) = object.strip_prefix('{').map(str::trim_start) else { return false };
    if inside.starts_with('}') {
        return true;
    }
    let Some(key) = inside.strip_prefix('"') else { return false };
    let mut escaped = false;
    let end = key.find(|c| {
        let ends = c == '\n' || (c == '"' && !escaped);
        escaped = c == '\\' && !escaped;
        ends
    });
    end.and_then(|end| key.get(end..)?.strip_prefix('"')).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// The first records of a table, each as its cells.
fn first_records(head: &str, delimiter: u8) -> Vec<::csv::StringRecord> {
    let mut reader =
        ::csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(head.as_bytes());
    reader.records().map_while(std::result::Result::ok).take(21).collect()
}

fn known_names(header: &::csv::StringRecord) -> usize {
    header.iter().filter(|name| fields::role(name).is_some()).count()
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
    if header.iter().any(|name| fields::role(name) == Some(Role::Text)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Format = Format::Csv { delimiter: b',' };
    const TAB: Format = Format::Csv { delimiter: b'\t' };
    const SEMICOLON: Format = Format::Csv { delimiter: b';' };

    #[test]
    fn content_decides_before_the_name() {
        for (name, head, expected) in [
            ("a.txt", "\u{feff}\n {\"text\": \"a\"}\n", Format::Jsonl),
            ("a.csv", "{\"text\": \"a\"}\n", Format::Jsonl),
            ("a", "{\"text\": NaN}\n", Format::Jsonl),
            ("a", "{\"te\\\"xt\" : \"cut off", Format::Jsonl),
            ("a", "[\n  {\"text\": \"a\"},", Format::Jsonl),
            ("a.JSONL.gz", "oops\n{\"text\": 1}", Format::Jsonl),
            ("a", "{{template}}: text", Format::Page),
            ("a", "[deleted]\nReply\n", Format::Page),
            ("a", "{\"quoted\"} is how I start", Format::Page),
            ("a", "id,text\n1,a\n", COMMA),
            ("a", "id\ttext\n1\ta, b\n", TAB),
            ("a", "id;text\n1;a, b\n", SEMICOLON),
            ("a", "label,author\n1,Ann\n0,Ben\n", COMMA),
            ("a", "By Ann, date\nShe said, in short, no.\n", Format::Page),
            ("a", "Home, Text\nAn article about things\nby Ann\n", Format::Page),
            ("a.csv.zst", "words\nno delimiter\n", COMMA),
            ("a.csv", "Kommentar;Nummer\nja, nein;1\n", SEMICOLON),
            ("a.tsv", "words\n", TAB),
            ("a.html", "<!doctype html><title>a, text</title>", Format::Page),
            ("a.html", "", Format::Page),
        ] {
            assert_eq!(detect(name, head), expected, "{name}: {head}");
        }
    }
}
