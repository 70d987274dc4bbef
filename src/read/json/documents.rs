//! Documents of JSON: every element of an input becomes the entries that a format sees in it.

use std::collections::VecDeque;

use serde_json::Value;

use super::{Elements, elements, parse_deep};
use crate::read::bytes::Source;
use crate::read::entry::{Entry, Reader};
use crate::read::rows::{BadRow, Options};

/// Turns an element into entries, which it appends; an error is the reason, for people, why it cannot be used.
pub type Map = Box<dyn FnMut(Value, &mut Vec<Entry>) -> Result<(), String> + Send>;

/// The entries of all elements.
pub struct Documents {
    elements: Box<dyn Elements>,
    map: Map,
    ready: VecDeque<Entry>,
}

impl Documents {
    /// Reads the elements of `source` through `map`.
    pub fn new(
        source: Source,
        options: &Options,
        map: impl FnMut(Value, &mut Vec<Entry>) -> Result<(), String> + Send + 'static,
    ) -> Self {
        Self { elements: elements(source, options.max_document), map: Box::new(map), ready: VecDeque::new() }
    }
}

impl Reader for Documents {
    fn next_entry(&mut self) -> Option<Result<Entry, BadRow>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(Ok(entry));
            }
            let element = match self.elements.next_element()? {
                Ok(element) => element,
                Err(bad) => return Some(Err(bad)),
            };
            let mut entries = Vec::new();
            let read = parse_deep(element.line, &element.raw).and_then(|value| {
                (self.map)(value, &mut entries).map_err(|what| BadRow::unusable(element.line, &element.raw, what))
            });
            self.ready.extend(entries);
            if let Err(bad) = read {
                return Some(Err(bad));
            }
        }
    }
}
