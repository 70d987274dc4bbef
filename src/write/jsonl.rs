//! One JSON object a line.

use std::io::{BufWriter, Write};

use serde::Serialize;

use super::{CommentWriter, Output, ScoreWriter};
use crate::error::Result;
use crate::record::{CommentRecord, ScoreRecord};

/// Writes lines of JSON.
pub struct Jsonl {
    name: String,
    to: BufWriter<Box<dyn Write + Send>>,
}

impl Jsonl {
    /// Writes to `output`.
    pub fn new(output: Output) -> Self {
        Self { name: output.name, to: BufWriter::with_capacity(1 << 16, output.to) }
    }

    /// Writes lines that are finished already, each with its line feed.
    ///
    /// # Errors
    /// `Io` if they cannot be written.
    pub fn lines(&mut self, lines: &[u8]) -> Result<()> {
        self.to.write_all(lines).map_err(|e| Output::error(&self.name, e))
    }

    fn line(&mut self, record: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.to, record)
            .map_err(std::io::Error::from)
            .and_then(|()| self.to.write_all(b"\n"))
            .map_err(|e| Output::error(&self.name, e))
    }

    fn hand_on(&mut self) -> Result<()> {
        self.to.flush().map_err(|e| Output::error(&self.name, e))
    }
}

impl ScoreWriter for Jsonl {
    fn write(&mut self, record: &ScoreRecord) -> Result<()> {
        self.line(record)
    }

    fn write_line(&mut self, line: &[u8]) -> Result<()> {
        self.lines(line)
    }

    fn flush(&mut self) -> Result<()> {
        self.hand_on()
    }

    fn finish(&mut self) -> Result<()> {
        self.hand_on()
    }
}

impl CommentWriter for Jsonl {
    fn write(&mut self, record: &CommentRecord) -> Result<()> {
        self.line(record)
    }

    fn finish(&mut self) -> Result<()> {
        self.hand_on()
    }
}
