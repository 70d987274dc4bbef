//! Mends HTML before html5ever reads it: `<` that opens no tag, tags that never close, and tags with more attributes
//! than any has.

use std::borrow::Cow;

use memchr::memchr;

/// Attributes of a tag beyond which it is left out: html5ever compares each with all before it.
const MAX_ATTRIBUTES: usize = 512;

/// The HTML with every `<` that opens no markup as `&lt;`. As a browser would, html5ever takes `</3` for a comment, and
/// drops all that follows a tag that is never closed: a cut tag is dropped alone here, and text stays text.
pub(crate) fn mend(html: &str) -> Cow<'_, str> {
    let mut mended = Mended { html, done: 0, out: String::new() };
    let mut at = 0;
    while let Some(found) = memchr(b'<', html.as_bytes().get(at..).unwrap_or_default()) {
        at += found;
        let rest = &html[at..];
        at += match opens(rest) {
            Opens::Nothing => {
                mended.replace(at, 1, "&lt;");
                1
            }
            Opens::Declaration => 2,
            Opens::Comment => rest.find("-->").map_or(rest.len(), |end| end + 3),
            Opens::Tag => match Tag::read(rest) {
                Some(tag) if tag.attributes > MAX_ATTRIBUTES => {
                    mended.replace(at, tag.len, "");
                    tag.len
                }
                Some(tag) => tag.len + raw_text(rest, tag.len),
                None => {
                    mended.without_quotation_marks(at);
                    break;
                }
            },
        };
    }
    mended.finish()
}

struct Mended<'a> {
    html: &'a str,
    /// Bytes of `html` that are in `out`.
    done: usize,
    out: String,
}

impl<'a> Mended<'a> {
    fn replace(&mut self, at: usize, len: usize, by: &str) {
        self.out.push_str(&self.html[self.done..at]);
        self.out.push_str(by);
        self.done = at + len;
    }

    /// Mends the rest from a tag that never closes: its quotation marks, or others before, are not in pairs. So from
    /// here on they mean nothing in tags.
    fn without_quotation_marks(&mut self, mut at: usize) {
        while let Some(found) = memchr(b'<', self.html.as_bytes().get(at..).unwrap_or_default()) {
            at += found;
            let rest = &self.html[at..];
            if opens(rest) != Opens::Tag {
                self.replace(at, 1, "&lt;");
                at += 1;
                continue;
            }
            let Some(end) = rest.find('>') else {
                let rest_mended = if is_cut_tag(rest) { String::new() } else { rest.replace('<', "&lt;") };
                return self.replace(at, rest.len(), &rest_mended);
            };
            let len = end + 1;
            self.replace(at, len, &rest[..len].replace(['"', '\''], ""));
            at += len;
        }
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.done == 0 {
            return Cow::Borrowed(self.html);
        }
        self.out.push_str(&self.html[self.done..]);
        Cow::Owned(self.out)
    }
}

/// What a `<` opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opens {
    Nothing,
    Tag,
    Comment,
    Declaration,
}

fn opens(rest: &str) -> Opens {
    match rest.as_bytes() {
        [b'<', b'!', b'-', b'-', ..] => Opens::Comment,
        [b'<', b'!', b'd' | b'D' | b'[', ..] => Opens::Declaration,
        [b'<', b'?', letter, ..] if letter.is_ascii_alphabetic() => Opens::Declaration,
        [b'<', letter, ..] | [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => Opens::Tag,
        _ => Opens::Nothing,
    }
}

/// A whole tag.
struct Tag {
    /// Its bytes from `<` to `>`.
    len: usize,
    attributes: usize,
}

impl Tag {
    /// Reads the tag that starts `rest`, by the states of the HTML standard; `None` if it never closes.
    fn read(rest: &str) -> Option<Self> {
        enum State {
            TagName,
            Before,
            Name,
            After,
            Equals,
            Unquoted,
            Quoted(u8),
        }
        let (mut state, mut attributes) = (State::TagName, 0);
        for (at, &byte) in rest.as_bytes().iter().enumerate().skip(1) {
            let is_blank = byte.is_ascii_whitespace();
            state = match (state, byte) {
                (State::Quoted(mark), _) if mark == byte => State::Before,
                (State::Quoted(mark), _) => State::Quoted(mark),
                (_, b'>') => return Some(Self { len: at + 1, attributes }),
                (State::TagName, b'/') if at == 1 => State::TagName,
                (State::TagName | State::Unquoted, _) if is_blank => State::Before,
                (State::TagName | State::Before | State::Name | State::After, b'/') => State::Before,
                (State::Before, _) if is_blank => State::Before,
                (State::Name | State::After, _) if is_blank => State::After,
                (State::Name | State::After, b'=') => State::Equals,
                (State::Before | State::After, _) => {
                    attributes += 1;
                    State::Name
                }
                (State::Equals, _) if is_blank => State::Equals,
                (State::Equals, b'"' | b'\'') => State::Quoted(byte),
                (State::Equals, _) => State::Unquoted,
                (state @ (State::TagName | State::Name | State::Unquoted), _) => state,
            };
        }
        None
    }
}

/// Bytes of the content behind a start tag of `len` bytes that holds no tags.
fn raw_text(rest: &str, len: usize) -> usize {
    const RAW: [&str; 9] = ["script", "style", "textarea", "title", "iframe", "noscript", "xmp", "noembed", "noframes"];
    let name = name(rest);
    let Some(raw) = RAW.into_iter().find(|raw| raw.eq_ignore_ascii_case(name)) else { return 0 };
    let content = rest.get(len..).unwrap_or_default();
    let ends = |at: &usize| {
        let end = content.get(at + 2..at + 2 + raw.len());
        content[*at..].starts_with("</") && end.is_some_and(|end| end.eq_ignore_ascii_case(raw))
    };
    content.match_indices('<').map(|(at, _)| at).find(ends).unwrap_or(content.len())
}

/// The name of the start tag at the start of `rest`; empty for an end tag.
fn name(rest: &str) -> &str {
    let name = rest.get(1..).unwrap_or_default();
    name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

/// True if `rest` is a tag that was cut off rather than text with a `<`.
fn is_cut_tag(rest: &str) -> bool {
    const COMMON: [&str; 30] = [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "cite",
        "code",
        "del",
        "div",
        "em",
        "h1",
        "h2",
        "h3",
        "hr",
        "i",
        "img",
        "ins",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "table",
        "u",
        "ul",
    ];
    let inside = rest.trim_start_matches(['<', '/']);
    let (name, behind) = inside.split_at(inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len()));
    let is_element = COMMON.iter().any(|common| common.eq_ignore_ascii_case(name));
    let is_bare = behind.trim_matches([' ', '/', '\n', '\t', '\r']).is_empty();
    // Few write an attribute in quotation marks behind a `<` and mean text.
    (is_element && (is_bare || behind.contains('='))) || behind.contains("=\"") || behind.contains("='")
}
