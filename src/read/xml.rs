//! XML inputs, element by element: names and nesting checked, and nothing kept but what the caller asks for.
//!
//! Text is taken here rather than by the parser, which would keep all of it before anyone can look: so what nobody asks
//! for is passed over at any length. Entities that a DTD defines are never expanded.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use memchr::{memchr, memchr_iter, memmem};
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Prefix, ResolveResult};
use quick_xml::reader::NsReader;

use crate::read::rows::BadRow;

/// Levels of nesting. Exports have six; the names of all open elements are kept.
const DEEPEST: usize = 1000;

/// Bytes of a tag or a DTD, which the parser keeps whole.
const LARGEST_TAG: usize = 64 * 1024;

/// Bytes in which a reference such as `&#x1F602;` must end.
const LONGEST_REFERENCE: usize = 16;

/// Bytes that may stand before the first tag without an input being anything but XML.
const LONGEST_JUNK: usize = 16;

/// What comes next in a document.
pub enum Node<'a> {
    /// An element begins; an empty one, too.
    Start(Tag<'a>),
    /// The innermost open element ends.
    End,
    /// The document is over, and all elements ended.
    Eof,
}

/// The start tag of an element.
pub struct Tag<'a> {
    namespace: Option<&'a str>,
    start: BytesStart<'a>,
}

impl Tag<'_> {
    /// The name without its prefix.
    pub fn local(&self) -> &str {
        self.start.name().local_name().into_inner()
    }

    /// The prefix of the name.
    pub fn prefix(&self) -> Option<&str> {
        self.start.name().prefix().map(Prefix::into_inner)
    }

    /// The address of the namespace; `None` outside of any, and for a prefix that nothing declares.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace
    }

    /// The value of the first attribute with this local name, whatever its prefix, with or without quotes.
    pub fn attribute(&self, local: &str) -> Option<String> {
        let mut attributes = self.start.html_attributes();
        let found = attributes.with_checks(false).flatten().find(|a| a.key.local_name().into_inner() == local)?;
        Some(decoded(&found.value).into_owned())
    }

    /// True if `part` stands in the tag, be it in an attribute.
    pub fn holds(&self, part: &str) -> bool {
        self.start.contains(part)
    }
}

/// A document, read from its start to its end.
pub struct Xml<R> {
    reader: NsReader<Input<R>>,
    tag: Vec<u8>,
    depth: usize,
    /// The last tag was `<a/>`: its end is still to be said.
    is_empty: bool,
    has_root: bool,
    /// The line, from 1, on which the last tag starts.
    line: u64,
    longest_text: usize,
}

impl<R: BufRead> Xml<R> {
    /// Reads `input`, and no more than `longest_text` bytes of the text of an element.
    pub fn new(input: R, longest_text: usize) -> Self {
        let input = Input { inner: input, buffer: Vec::new(), at: 0, line: 1, room: LARGEST_TAG, stray_end: None };
        let reader = NsReader::from_reader(input);
        Self { reader, tag: Vec::new(), depth: 0, is_empty: false, has_root: false, line: 1, longest_text }
    }

    /// The next start or end of an element. Text before it is passed over.
    ///
    /// # Errors
    /// A fatal bad row where the document is malformed or cut off.
    pub fn next_node(&mut self) -> Result<Node<'_>, BadRow> {
        self.characters(None)?;
        self.node()
    }

    /// The text of the element that has just begun, with that of elements inside of it; reads on past its end.
    ///
    /// # Errors
    /// A bad row that is not fatal if the text is too long: the element has been passed over. Else as
    /// [`Xml::next_node`].
    pub fn text(&mut self) -> Result<String, BadRow> {
        let (line, longest) = (self.line, self.longest_text);
        let mut text = Text { bytes: Vec::new(), longest, too_long: false };
        self.rest_of_element(Some(&mut text))?;
        if text.too_long {
            let what = format!("an element with more than {longest} bytes of text: it is left out");
            return Err(BadRow { line, what, raw: String::new(), fatal: false });
        }
        Ok(text.into_string())
    }

    /// Passes over the element that has just begun.
    ///
    /// # Errors
    /// As [`Xml::next_node`].
    pub fn skip(&mut self) -> Result<(), BadRow> {
        self.rest_of_element(None)
    }

    fn rest_of_element(&mut self, mut text: Option<&mut Text>) -> Result<(), BadRow> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.characters(text.as_deref_mut())?;
            self.node()?;
        }
        Ok(())
    }

    /// Takes the text up to the next tag or the end of the input.
    fn characters(&mut self, mut text: Option<&mut Text>) -> Result<(), BadRow> {
        // What follows `<a/>` is not in it.
        while !self.is_empty {
            let input = self.reader.get_mut();
            input.characters(text.as_deref_mut())?;
            if !input.is_at(b"<!").map_err(|error| BadRow::broken(input.line, "", &error))? {
                break;
            }
            self.doctype()?;
        }
        Ok(())
    }

    fn doctype(&mut self) -> Result<(), BadRow> {
        self.start_of_tag();
        let read = self.reader.read_event_into(&mut self.tag);
        read.map(|_| ()).map_err(|error| malformed(self.line, &error))
    }

    fn node(&mut self) -> Result<Node<'_>, BadRow> {
        self.start_of_tag();
        if std::mem::take(&mut self.is_empty) {
            self.depth = self.depth.saturating_sub(1);
            return Ok(Node::End);
        }
        let line = self.line;
        match self.reader.read_event_into(&mut self.tag).map_err(|error| malformed(line, &error))? {
            Event::Eof if self.depth > 0 => {
                let Self { depth, .. } = self;
                let what =
                    format!("the input ends with {depth} elements still open: it is cut off, so get the whole file");
                Err(BadRow::broken(line, "", &what))
            }
            Event::Eof if !self.has_root => {
                Err(BadRow::broken(line, "", "the input ends before its first element: it is cut off"))
            }
            Event::Eof => match self.reader.get_ref().stray_end {
                Some(line) => {
                    let what = "`]]>` stands in plain text, so the file is not well-formed XML: all of it was read, but check the text here";
                    Err(BadRow::broken(line, "", what))
                }
                None => Ok(Node::Eof),
            },
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Node::End)
            }
            Event::Start(_) | Event::Empty(_) if self.depth >= DEEPEST => {
                let what =
                    format!("elements nested deeper than {DEEPEST} levels: end tags are missing, or this is no export");
                Err(BadRow::broken(line, "", &what))
            }
            event => {
                self.depth += 1;
                self.has_root = true;
                self.is_empty = matches!(event, Event::Empty(_));
                let (Event::Start(start) | Event::Empty(start)) = event else {
                    return Err(BadRow::broken(line, "", "text where a tag is expected"));
                };
                let namespace = match self.reader.resolver().resolve_element(start.name()).0 {
                    ResolveResult::Bound(namespace) => Some(namespace.into_inner()),
                    ResolveResult::Unbound | ResolveResult::Unknown(_) => None,
                };
                Ok(Node::Start(Tag { namespace, start }))
            }
        }
    }

    fn start_of_tag(&mut self) {
        self.tag.clear();
        let input = self.reader.get_mut();
        input.room = LARGEST_TAG;
        self.line = input.line;
    }
}

/// True for the start of an XML input whose root element `is_root` takes for its own. A few stray characters may stand
/// before it.
pub fn opens_with(head: &str, is_root: impl Fn(&Tag<'_>) -> bool) -> bool {
    let is_stray = |c: char| !c.is_alphanumeric() && !matches!(c, '{' | '[' | '"' | '\'');
    let stray = head.split('<').next().unwrap_or_default();
    stray.len() <= LONGEST_JUNK
        && stray.chars().all(is_stray)
        && matches!(Xml::new(head.as_bytes(), 0).next_node(), Ok(Node::Start(tag)) if is_root(&tag))
}

/// What the parser complains of, as a fatal bad row. It says nothing of the text, which may hold an e-mail address.
fn malformed(line: u64, error: &Error) -> BadRow {
    const MEND: &str = "the file is damaged here: export it again, or mend this line";
    let what = match error {
        Error::Io(error) => error.to_string(),
        Error::Syntax(error) => format!("{error}: the input is cut off or damaged here, so get the whole file"),
        Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            format!("{} ends where {} must end first: {MEND}", shown(found), shown(expected))
        }
        Error::IllFormed(IllFormedError::UnmatchedEndTag(found)) => {
            format!("{} ends but never began: {MEND}", shown(found))
        }
        Error::IllFormed(_) => format!("an ill-formed tag or DTD: {MEND}"),
        Error::Namespace(_) => format!("a namespace that cannot be declared so: {MEND}"),
        Error::InvalidAttr(_) | Error::Encoding(_) | Error::Escape(_) => format!("a malformed tag: {MEND}"),
    };
    BadRow::broken(line, "", &what)
}

/// The name of an element for a message.
fn shown(name: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, ':' | '_' | '-');
    if name.len() <= 64 && name.chars().all(is_name) { format!("<{name}>") } else { "an element".to_owned() }
}

/// Markup whose content is no tags: how it starts and ends, and what it is.
struct Section {
    start: &'static [u8],
    end: &'static [u8],
    name: &'static str,
    is_text: bool,
}

const SECTIONS: [Section; 3] = [
    Section { start: b"<![CDATA[", end: b"]]>", name: "CDATA section", is_text: true },
    Section { start: b"<!--", end: b"-->", name: "comment", is_text: false },
    Section { start: b"<?", end: b"?>", name: "processing instruction", is_text: false },
];

/// Bytes of the longest start of a section.
const LONGEST_START: usize = 9;

/// The input under the parser: counts lines, looks ahead, and stops where a tag grows past all bounds.
struct Input<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Where in `buffer` the reading goes on.
    at: usize,
    line: u64,
    /// Bytes that the tag being read may still take.
    room: usize,
    /// The line of the first `]]>` outside of CDATA: exporters that do not split it leave one. It harms no other text, so it is
    /// reported at the end.
    stray_end: Option<u64>,
}

impl<R: BufRead> Input<R> {
    /// What comes next: at least `n` bytes unless the input ends.
    fn ahead(&mut self, n: usize) -> io::Result<&[u8]> {
        while self.buffer.len() < self.at.saturating_add(n) {
            self.buffer.drain(..self.at.min(self.buffer.len()));
            self.at = 0;
            let more = match self.inner.fill_buf() {
                Ok([]) => break,
                Ok(more) => more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.buffer.extend_from_slice(more);
            let used = more.len();
            self.inner.consume(used);
        }
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    fn is_at(&mut self, markup: &[u8]) -> io::Result<bool> {
        Ok(self.ahead(markup.len())?.starts_with(markup))
    }

    fn advance(&mut self, n: usize) {
        let end = self.at.saturating_add(n).min(self.buffer.len());
        self.line += memchr_iter(b'\n', self.buffer.get(self.at..end).unwrap_or_default()).count() as u64;
        self.at = end;
    }

    /// Takes the text up to the next tag, leaves comments and processing instructions out.
    fn characters(&mut self, mut text: Option<&mut Text>) -> Result<(), BadRow> {
        loop {
            let line = self.line;
            let failed = |error: io::Error| BadRow::broken(line, "", &error);
            let next = self.ahead(LONGEST_START).map_err(failed)?;
            if let Some(section) = SECTIONS.iter().find(|section| next.starts_with(section.start)) {
                self.advance(section.start.len());
                let text = text.as_deref_mut().filter(|_| section.is_text);
                if !self.take_until(section.end, text).map_err(failed)? {
                    let Section { name, end, .. } = section;
                    let end = String::from_utf8_lossy(end);
                    let what = format!(
                        "a {name} is open to the end: `{end}` is missing, or the input is cut off; get the whole file"
                    );
                    return Err(BadRow::broken(line, "", &what));
                }
            } else if matches!(next, [] | [b'<', ..]) {
                return Ok(());
            } else {
                self.take_text(text.as_deref_mut()).map_err(failed)?;
            }
        }
    }

    /// Takes what stands before `end`, and `end`; false if the input ends first.
    fn take_until(&mut self, end: &[u8], mut text: Option<&mut Text>) -> io::Result<bool> {
        loop {
            let next = self.ahead(end.len())?;
            let found = memmem::find(next, end);
            // The last bytes may be the first of `end`.
            let taken = found.unwrap_or((next.len() + 1).saturating_sub(end.len()));
            if let Some(text) = &mut text {
                text.push(next.get(..taken).unwrap_or_default());
            }
            if found.is_none() && taken == 0 {
                return Ok(false);
            }
            self.advance(taken + found.map_or(0, |_| end.len()));
            if found.is_some() {
                return Ok(true);
            }
        }
    }

    /// Takes what stands before the next `<` and decodes its references.
    fn take_text(&mut self, mut text: Option<&mut Text>) -> io::Result<()> {
        let start = text.as_ref().map_or(0, |text| text.bytes.len());
        let mut brackets = 0;
        loop {
            let line = self.line;
            let next = self.ahead(1)?;
            let taken = memchr(b'<', next).unwrap_or(next.len());
            let stray = next.get(..taken).unwrap_or_default().iter().position(|&byte| {
                let is_end = byte == b'>' && brackets >= 2;
                brackets = if byte == b']' { brackets + 1 } else { 0 };
                is_end
            });
            let lines = stray.map(|at| memchr_iter(b'\n', next.get(..at).unwrap_or_default()).count() as u64);
            if let Some(text) = &mut text {
                text.push(next.get(..taken).unwrap_or_default());
            }
            let is_whole = taken < next.len() || next.is_empty();
            self.stray_end = self.stray_end.or(lines.map(|lines| line + lines));
            self.advance(taken);
            if is_whole {
                if let Some(text) = text {
                    text.decode_from(start);
                }
                return Ok(());
            }
        }
    }
}

impl<R: BufRead> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let room = self.room;
        let next = self.ahead(1)?;
        if room == 0 && !next.is_empty() {
            let what = format!("a tag or DTD of more than {LARGEST_TAG} bytes: a quote or a `>` in it may be missing");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(next.get(..room).unwrap_or(next))
    }

    fn consume(&mut self, n: usize) {
        self.advance(n);
        self.room = self.room.saturating_sub(n);
    }
}

impl<R: BufRead> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

/// The text of an element while it is read.
struct Text {
    bytes: Vec<u8>,
    longest: usize,
    too_long: bool,
}

impl Text {
    fn push(&mut self, part: &[u8]) {
        let room = self.longest.saturating_sub(self.bytes.len());
        self.too_long |= part.len() > room;
        self.bytes.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    fn decode_from(&mut self, start: usize) {
        let run = self.bytes.get(start..).unwrap_or_default();
        if memchr(b'&', run).is_some() {
            let run = decoded(&String::from_utf8_lossy(run)).into_owned();
            self.bytes.truncate(start);
            self.bytes.extend_from_slice(run.as_bytes());
        }
    }

    /// Lines end as XML wants it, in `\n`.
    fn into_string(self) -> String {
        let text = String::from_utf8(self.bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
    }
}

/// `raw` with the references to characters and to the five entities of XML decoded, once. All others stay as they are.
fn decoded(raw: &str) -> Cow<'_, str> {
    let Some((before, mut rest)) = raw.split_once('&') else { return Cow::Borrowed(raw) };
    let mut text = before.to_owned();
    loop {
        let end = rest.bytes().take(LONGEST_REFERENCE).position(|b| b == b';');
        let following = end.and_then(|end| {
            push_referenced(rest.get(..end)?, &mut text)?;
            rest.get(end + 1..)
        });
        if following.is_none() {
            text.push('&');
        }
        let following = following.unwrap_or(rest);
        let Some((before, after)) = following.split_once('&') else {
            text.push_str(following);
            return Cow::Owned(text);
        };
        text.push_str(before);
        rest = after;
    }
}

/// Appends what `&name;` stands for.
fn push_referenced(name: &str, text: &mut String) -> Option<()> {
    match resolve_predefined_entity(name) {
        Some(entity) => text.push_str(entity),
        None => text.push(BytesRef::new(name).resolve_char_ref().ok()??),
    }
    Some(())
}

/// A title as text. Blog software writes titles as HTML, but few hold tags, and more hold a `<` of their own.
pub fn title(said: &str) -> Option<String> {
    let title = htmlize::unescape(said.trim()).trim().to_owned();
    (!title.is_empty()).then_some(title)
}
