//! Rows of tables with columns of any name: what they hold, what a user can say of them, and how they become comments.

use serde_json::{Map, Value};

use crate::read::entry::{Entry, Reader};
use crate::read::fields::{self, Fields, Role};
use crate::read::unpack::Limits;

/// What a user can say about an input.
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
    /// The name of the format, if it is not to be found by the start of the input.
    pub format: Option<String>,
    /// The longest row accepted, in bytes of UTF-8; also the longest element of XML.
    pub max_line: usize,
    /// The longest document accepted that is read whole (a JSON thread, a page, of which none may be larger than 64 MiB), in bytes of UTF-8.
    pub max_document: usize,
    /// The longest text of a comment that is used, in bytes of UTF-8.
    pub max_text: usize,
    /// How far archives may expand.
    pub limits: Limits,
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
            format: None,
            max_line: 64 << 20,
            max_document: 256 << 20,
            max_text: 1 << 20,
            limits: Limits::default(),
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

    /// A row or document that is well-formed and of no use.
    pub(crate) fn unusable(line: u64, raw: &str, what: String) -> Self {
        Self { what, ..Self::too_long(line, raw, 0) }
    }

    /// A row in which the input fails or ends; `start` is what is known of it.
    pub(crate) fn broken(line: u64, start: &str, what: &(impl ToString + ?Sized)) -> Self {
        Self { what: what.to_string(), fatal: true, ..Self::too_long(line, start, 0) }
    }
}

/// The comments of a table's rows.
pub struct Comments {
    rows: Box<dyn RowReader>,
    options: Options,
    /// The fields of the last row and what they were taken for: most rows have the same.
    last: Option<(Vec<String>, Fields)>,
    /// What fields of any row so far were taken for.
    mapping: Vec<(&'static str, String)>,
}

impl Comments {
    /// Reads the comments of `rows`.
    pub fn new(rows: Box<dyn RowReader>, options: &Options) -> Self {
        Self { rows, options: options.clone(), last: None, mapping: Vec::new() }
    }

    fn fields_of(&mut self, row: &Row) -> &Fields {
        let names = row.fields.keys();
        if let Some(header) = self.rows.header() {
            return header;
        }
        let same = |(known, _): &(Vec<String>, Fields)| names.clone().eq(known);
        let last = self.last.take().filter(same).unwrap_or_else(|| {
            let chosen = Fields::choose(names.clone().map(String::as_str), &self.options);
            let known = |role| self.mapping.iter().any(|(other, _)| *other == role);
            let new: Vec<_> = chosen.mapping().into_iter().filter(|(role, _)| !known(*role)).collect();
            self.mapping.extend(new);
            (names.cloned().collect(), chosen)
        });
        &self.last.insert(last).1
    }
}

impl Reader for Comments {
    fn next_entry(&mut self) -> Option<Result<Entry, BadRow>> {
        let row = match self.rows.next_row()? {
            Ok(row) => row,
            Err(bad) => return Some(Err(bad)),
        };
        let comment = fields::comment(&row, self.fields_of(&row));
        Some(comment.map(Entry::from).map_err(|what| BadRow { line: row.line, what, raw: row.raw, fatal: false }))
    }

    fn mapping(&self) -> Vec<(&'static str, String)> {
        self.rows.header().map_or_else(|| self.mapping.clone(), Fields::mapping)
    }

    fn states_parents(&self) -> bool {
        // A column of parents says of every row whether it has one.
        let is_parent = |(role, _): &(&str, String)| *role == "parent_id";
        self.rows.header().map_or_else(|| self.mapping.iter().any(is_parent), |fields| fields.parent_id.is_some())
    }
}
