//! Rows of JSON: one object a line, an array of objects, or objects spread over several lines.

use serde_json::Value;

use crate::error::Result;
use crate::read::entry::Reader;
use crate::read::fields;
use crate::read::format::{Format, Head, OpenTable, Opened};
use crate::read::json::{Element, Elements, elements, parse};
use crate::read::rows::{BadRow, Comments, Options, Row, RowReader};

/// JSON lines with fields of the usual names.
pub struct Jsonl;

impl Format for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn about(&self) -> &'static str {
        "JSON lines, or a JSON array of objects"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        opens_json(head.text) || matches!(head.extension().as_str(), "jsonl" | "ndjson")
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Comments::new(open_rows(input, options)?, options)))
    }

    fn table(&self) -> Option<OpenTable> {
        Some(open_rows)
    }
}

fn open_rows(input: Opened, options: &Options) -> Result<Box<dyn RowReader>> {
    Ok(Box::new(JsonRows { elements: elements(input.text("JSON")?, options.max_line) }))
}

/// The objects of a JSON input.
pub(in crate::read) struct JsonRows {
    /// Its elements.
    pub elements: Box<dyn Elements>,
}

impl RowReader for JsonRows {
    fn next_row(&mut self) -> Option<std::result::Result<Row, BadRow>> {
        Some(self.elements.next_element()?.and_then(row))
    }
}

fn row(element: Element) -> std::result::Result<Row, BadRow> {
    let Element { line, raw } = element;
    match parse(line, &raw)? {
        Value::Object(fields) => Ok(Row { line, fields, raw }),
        other => {
            let what = format!("{} stands where an object {{…}} is expected", fields::kind(&other));
            Err(BadRow { line, what, raw, fatal: false })
        }
    }
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
