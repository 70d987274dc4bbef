//! Cuts a JSON input into its elements: one object a line, an array of values, or objects spread over several lines.

use std::io::{self, BufRead, Read};

use crate::read::bytes::Source;
use crate::read::rows::BadRow;

/// A JSON value as it stands in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The line it starts on, from 1.
    pub line: u64,
    /// Its text, without a line end.
    pub raw: String,
}

/// The elements of an input, one after the other.
pub trait Elements: Send {
    /// The next element; `None` at the end and after a fatal bad row.
    fn next_element(&mut self) -> Option<Result<Element, BadRow>>;
}

/// Cuts `source` into elements of at most `max` bytes. Only how it starts decides whether lines or brackets part them.
pub fn elements(source: Source, max: usize) -> Box<dyn Elements> {
    let by_brackets = is_parted_by_brackets(source.head());
    let input = source.into_reader();
    if by_brackets {
        Box::new(Brackets { input, max, line: 1, in_array: false, done: false })
    } else {
        lines(input, max)
    }
}

/// Cuts `input` into its lines, each as soon as it is there: nothing is read ahead.
pub fn lines(input: Box<dyn BufRead + Send>, max: usize) -> Box<dyn Elements> {
    Box::new(Lines { input, max, line: 0, done: false })
}

/// True for an array, and for an object that goes on over several lines.
fn is_parted_by_brackets(head: &str) -> bool {
    let start = head.trim_start_matches('\u{feff}').trim_start();
    if let Some(inside) = start.strip_prefix('[') {
        let inside = inside.trim_start();
        return inside.starts_with(['{', '[', ']']);
    }
    let mut scan = Scan::default();
    let mut open = Vec::new();
    let mut last = b'{';
    for (at, byte) in start.bytes().enumerate() {
        match byte {
            b'{' | b'[' if !scan.in_string => open.push(byte),
            b'}' | b']' if !scan.in_string => drop(open.pop()),
            _ => {}
        }
        match scan.step(byte) {
            Step::GoesOn if byte == b'\n' && !scan.in_string => {
                // Where every line opens an object, this one is only malformed, unless an object may come next in it.
                let following = start.get(at..).unwrap_or_default().trim_start();
                let takes_object = last == b'[' || last == b':' || (last == b',' && open.last() == Some(&b'['));
                return !following.is_empty() && (takes_object || !following.starts_with('{'));
            }
            Step::GoesOn if byte != b'\n' => {}
            _ => return false,
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
    }
    false
}

/// How many levels a JSON text nests.
pub(super) fn depth(raw: &str) -> usize {
    let mut scan = Scan::default();
    let mut deepest = 0;
    for byte in raw.bytes() {
        scan.step(byte);
        deepest = deepest.max(scan.depth);
    }
    deepest as usize
}

/// True if a bracket or a quote is still open at the end of a JSON text.
pub(super) fn is_open(raw: &str) -> bool {
    let mut scan = Scan::default();
    for byte in raw.bytes() {
        scan.step(byte);
    }
    !scan.is_bare()
}

/// One object a line.
struct Lines {
    input: Box<dyn BufRead + Send>,
    max: usize,
    line: u64,
    done: bool,
}

impl Elements for Lines {
    fn next_element(&mut self) -> Option<Result<Element, BadRow>> {
        while !self.done {
            self.line += 1;
            let mut bytes = Vec::new();
            let too_long = match read_line(&mut self.input, self.max, &mut bytes) {
                Ok(Length::End) => break,
                Ok(length) => length == Length::TooLong,
                Err(error) => {
                    self.done = true;
                    return Some(Err(BadRow::broken(self.line, &to_string(bytes), &error)));
                }
            };
            let text = to_string(bytes);
            if too_long {
                return Some(Err(BadRow::too_long(self.line, &text, self.max)));
            }
            // A byte order mark may also stand where files were put together.
            let raw = text.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}');
            if !raw.trim().is_empty() {
                return Some(Ok(Element { line: self.line, raw: raw.to_owned() }));
            }
        }
        self.done = true;
        None
    }
}

#[derive(PartialEq)]
enum Length {
    End,
    Fits,
    TooLong,
}

/// Reads a line into `bytes`, its end included; of a line longer than `max` no more than that, and skips the rest.
fn read_line(input: &mut Box<dyn BufRead + Send>, max: usize, bytes: &mut Vec<u8>) -> io::Result<Length> {
    const LINE_END: u64 = 2;
    let read = input.by_ref().take((max as u64).saturating_add(LINE_END)).read_until(b'\n', bytes)?;
    if read == 0 {
        return Ok(Length::End);
    }
    let content = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    if content.len() <= max {
        return Ok(Length::Fits);
    }
    if !bytes.ends_with(b"\n") {
        input.skip_until(b'\n')?;
    }
    Ok(Length::TooLong)
}

/// The elements of arrays, or objects one after the other, each found by its brackets.
struct Brackets {
    input: Box<dyn BufRead + Send>,
    max: usize,
    line: u64,
    in_array: bool,
    done: bool,
}

impl Elements for Brackets {
    fn next_element(&mut self) -> Option<Result<Element, BadRow>> {
        if self.done {
            return None;
        }
        let mut bytes = Vec::new();
        match self.read_next(&mut bytes) {
            Ok(Some((line, Ending::Whole))) if bytes.len() > self.max => {
                Some(Err(BadRow::too_long(line, &to_string(bytes), self.max)))
            }
            Ok(Some((line, Ending::Whole))) => Some(Ok(Element { line, raw: to_string(bytes) })),
            Ok(Some((line, Ending::Cut))) => {
                self.done = true;
                let what = "the input ends inside of this row, or a quote in it is open";
                Some(Err(BadRow::broken(line, &to_string(bytes), what)))
            }
            Ok(None) => {
                self.done = true;
                let what = "the input ends before the `]` of its array: it is cut off";
                self.in_array.then(|| Err(BadRow::broken(self.line, "", what)))
            }
            Err(error) => {
                self.done = true;
                Some(Err(BadRow::broken(self.line, &to_string(bytes), &error)))
            }
        }
    }
}

enum Ending {
    Whole,
    Cut,
}

impl Brackets {
    /// Reads the next element into `bytes`, one byte over the limit at most, and gives its line. Arrays at the top are
    /// entered and left; a comma too many or too few between elements does no harm.
    fn read_next(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<(u64, Ending)>> {
        while let Some(&byte) = self.input.fill_buf()?.first() {
            match byte {
                b'\n' => self.line += 1,
                b'[' if !self.in_array => self.in_array = true,
                b']' if self.in_array => self.in_array = false,
                // The last three are a byte order mark in UTF-8.
                b',' | b' ' | b'\t' | b'\r' | 0xef | 0xbb | 0xbf => {}
                _ => {
                    let line = self.line;
                    return Ok(Some((line, self.element(bytes)?)));
                }
            }
            self.input.consume(1);
        }
        Ok(None)
    }

    fn element(&mut self, bytes: &mut Vec<u8>) -> io::Result<Ending> {
        let mut scan = Scan::default();
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok(if scan.is_bare() { Ending::Whole } else { Ending::Cut });
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                match scan.step(byte) {
                    Step::EndsBefore => ended = true,
                    Step::EndsWith => {
                        used += 1;
                        ended = true;
                    }
                    Step::GoesOn => {
                        used += 1;
                        self.line += u64::from(byte == b'\n');
                    }
                }
                if ended {
                    break;
                }
            }
            let room = self.max.saturating_add(1).saturating_sub(bytes.len());
            bytes.extend(chunk.iter().take(used.min(room)));
            self.input.consume(used);
            if ended {
                return Ok(Ending::Whole);
            }
        }
    }
}

/// Where in a JSON value a byte stands: enough to find the value's end, however deep it nests.
#[derive(Default)]
struct Scan {
    started: bool,
    depth: u64,
    in_string: bool,
    escaped: bool,
}

enum Step {
    GoesOn,
    EndsWith,
    EndsBefore,
}

impl Scan {
    fn step(&mut self, byte: u8) -> Step {
        let first = !std::mem::replace(&mut self.started, true);
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return if self.in_string || self.depth > 0 { Step::GoesOn } else { Step::EndsWith };
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Step::EndsWith;
                }
            }
            b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 && !first => return Step::EndsBefore,
            _ => {}
        }
        Step::GoesOn
    }

    /// True in a number, a word or a stray byte, which end with the input.
    fn is_bare(&self) -> bool {
        self.depth == 0 && !self.in_string
    }
}

fn to_string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}
