//! Lines of JSON that come one by one, as from a pipe that waits for each answer: nothing is read ahead.

use std::io::{self, BufRead, Read};

use serde_json::Value;

use super::Tidy;
use super::entry::{Entry, Reader};
use super::fields;
use super::json::parse;
use super::rows::{BadRow, Comments, Options, Row, RowReader};

/// The comments of lines of JSON, each as soon as its line is there.
pub struct Follow(Tidy);

impl Follow {
    /// Reads `input`, which may be any pipe; `options` name the fields.
    pub fn new(input: Box<dyn BufRead + Send>, options: &Options) -> Self {
        let rows = Box::new(Lines { input, max: options.max_line, line: 0, is_done: false });
        Self(Tidy::new(Box::new(Comments::new(rows, options))))
    }

    /// The comment of the next line that is not empty, or what is wrong with it; `None` at the end.
    pub fn next_entry(&mut self) -> Option<Result<Entry, BadRow>> {
        self.0.next_entry()
    }
}

struct Lines {
    input: Box<dyn BufRead + Send>,
    max: usize,
    line: u64,
    is_done: bool,
}

impl RowReader for Lines {
    fn next_row(&mut self) -> Option<Result<Row, BadRow>> {
        while !self.is_done {
            self.line += 1;
            let mut bytes = Vec::new();
            let is_too_long = match self.read(&mut bytes) {
                Ok(is_too_long) => is_too_long,
                Err(error) => {
                    self.is_done = true;
                    return Some(Err(BadRow::broken(self.line, "", &error)));
                }
            };
            self.is_done = bytes.is_empty();
            let text = String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
            if is_too_long {
                return Some(Err(BadRow::too_long(self.line, &text, self.max)));
            }
            let raw = text.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}');
            if !raw.trim().is_empty() {
                return Some(row(self.line, raw));
            }
        }
        None
    }
}

impl Lines {
    /// Reads a line, of a longer one no more than the limit; true if it was longer.
    fn read(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        const LINE_END: u64 = 2;
        self.input.by_ref().take((self.max as u64).saturating_add(LINE_END)).read_until(b'\n', bytes)?;
        let content = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let is_too_long = content.strip_suffix(b"\r").unwrap_or(content).len() > self.max;
        if is_too_long && !bytes.ends_with(b"\n") {
            self.input.skip_until(b'\n')?;
        }
        Ok(is_too_long)
    }
}

fn row(line: u64, raw: &str) -> Result<Row, BadRow> {
    match parse(line, raw)? {
        Value::Object(fields) => Ok(Row { line, fields, raw: raw.to_owned() }),
        other => {
            let what = format!("{} stands where an object {{…}} is expected", fields::kind(&other));
            Err(BadRow { line, what, raw: raw.to_owned(), fatal: false })
        }
    }
}
