//! Lines of JSON that come one by one, as from a pipe that waits for each answer: nothing is read ahead.

use std::io::BufRead;

use super::Tidy;
use super::entry::{Entry, Reader};
use super::formats::jsonl::JsonRows;
use super::json::lines;
use super::rows::{BadRow, Comments, Options};

/// The comments of lines of JSON, each as soon as its line is there.
pub struct Follow(Tidy);

impl Follow {
    /// Reads `input`, which may be any pipe; `options` name the fields.
    pub fn new(input: Box<dyn BufRead + Send>, options: &Options) -> Self {
        let rows = JsonRows { elements: lines(input, options.max_line) };
        Self(Tidy::new(Box::new(Comments::new(Box::new(rows), options))))
    }

    /// The comment of the next line that is not empty, or what is wrong with it; `None` at the end.
    pub fn next_entry(&mut self) -> Option<Result<Entry, BadRow>> {
        self.0.next_entry()
    }
}
