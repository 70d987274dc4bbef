//! Documents of JSON: every element of an input becomes the entries that a format sees in it.

use std::collections::VecDeque;

use serde_json::Value;

use super::elements::{Element, Elements, elements, is_open};
use super::read_deep;
use crate::read::bytes::Source;
use crate::read::entry::{Entry, Reader};
use crate::read::rows::{BadRow, Options};

/// What a format sees in the elements of an input. A closure is one that only looks at elements.
pub trait Map: Send {
    /// Turns an element into entries.
    ///
    /// # Errors
    /// The reason, for people, why the element cannot be used.
    fn element(&mut self, element: Value, found: &mut Found) -> Result<(), String>;

    /// Called once behind the last element, unless the input failed before.
    fn end(&mut self, _found: &mut Found) {}
}

impl<F: FnMut(Value, &mut Found) -> Result<(), String> + Send> Map for F {
    fn element(&mut self, element: Value, found: &mut Found) -> Result<(), String> {
        self(element, found)
    }
}

/// What was found in an element: entries, and items that cannot be used.
#[derive(Debug, Default)]
pub struct Found(VecDeque<Result<Entry, String>>);

impl Found {
    /// An entry.
    pub fn push(&mut self, entry: impl Into<Entry>) {
        self.0.push_back(Ok(entry.into()));
    }

    /// An item that cannot be used, with the reason, for people. Without what the item says: it may be private.
    pub fn refuse(&mut self, what: impl Into<String>) {
        self.0.push_back(Err(what.into()));
    }

    /// Comments that the source states but does not hold, if there are any.
    pub fn missing(&mut self, count: u64) {
        if count > 0 {
            self.push(Entry::Missing(count));
        }
    }
}

/// The entries of all elements. Its bad rows show nothing of the input: exports hold the addresses of people.
pub struct Documents {
    elements: Box<dyn Elements>,
    /// An element that was looked at already.
    ahead: Option<Result<Element, BadRow>>,
    map: Box<dyn Map>,
    /// What is known and not handed on yet, and the line of its element.
    found: Found,
    line: u64,
    ended: bool,
}

impl Documents {
    /// Reads the elements of `source` through `map`.
    pub fn new(source: Source, options: &Options, map: impl Map + 'static) -> Self {
        let elements = elements(source, options.max_document);
        Self { elements, ahead: None, map: Box::new(map), found: Found::default(), line: 0, ended: false }
    }

    fn next_element(&mut self) -> Option<Result<Element, BadRow>> {
        self.ahead.take().or_else(|| self.elements.next_element())
    }

    fn read(&mut self, element: &Element) -> Result<(), BadRow> {
        self.line = element.line;
        let (map, found) = (&mut self.map, &mut self.found);
        let read = read_deep(element.line, &element.raw, |value| map.element(value, found));
        match read {
            Ok(Ok(())) => Ok(()),
            Ok(Err(what)) => Err(self.unusable(what)),
            Err(mut bad) => {
                // In the last element, a bracket that never closes means that the input was cut.
                if is_open(&element.raw) {
                    self.ahead = self.next_element();
                    bad.fatal = self.ahead.is_none();
                }
                Err(bad)
            }
        }
    }

    fn unusable(&self, what: String) -> BadRow {
        BadRow::unusable(self.line, "", what)
    }

    fn refused(&mut self, bad: BadRow) -> BadRow {
        self.ended = bad.fatal;
        BadRow { raw: String::new(), ..bad }
    }
}

impl Reader for Documents {
    fn next_entry(&mut self) -> Option<Result<Entry, BadRow>> {
        loop {
            if let Some(found) = self.found.0.pop_front() {
                return Some(found.map_err(|what| self.unusable(what)));
            }
            if self.ended {
                return None;
            }
            let Some(element) = self.next_element() else {
                self.ended = true;
                self.map.end(&mut self.found);
                continue;
            };
            if let Err(bad) = element.and_then(|element| self.read(&element)) {
                return Some(Err(self.refused(bad)));
            }
        }
    }
}
