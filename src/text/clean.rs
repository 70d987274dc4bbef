//! Clean text with a way back: HTML markup and entities undone, invisible characters dropped, compatibility forms folded (NFKC),
//! every byte mapped to the source byte it came from.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Longest `<tag …>` that is taken for markup, in bytes; a lone `<` is text.
const LONGEST_TAG: usize = 1024;
/// Tags that do not break a line.
const INLINE: [&str; 9] = ["a", "b", "i", "em", "strong", "span", "u", "s", "code"];
/// Longest `&entity;` of HTML, in bytes.
const LONGEST_ENTITY: usize = 33;

/// A cleaned text and where its bytes came from.
#[derive(Debug, Clone)]
pub struct Clean<'a> {
    text: Cow<'a, str>,
    /// For every byte of `text` where what it came from begins and ends in the source, and one more for the end; `None` where they
    /// are the same.
    map: Option<Vec<[u32; 2]>>,
}

impl<'a> Clean<'a> {
    /// Cleans `source`. What needs no cleaning is borrowed as it is.
    pub fn new(source: &'a str) -> Self {
        let unmarked = memchr::memchr2(b'&', b'<', source.as_bytes()).is_none();
        if unmarked && (source.is_ascii() || is_composed(source)) || source.len() >= u32::MAX as usize {
            return Self { text: Cow::Borrowed(source), map: None };
        }
        let mut cleaner =
            Cleaner { text: String::with_capacity(source.len()), map: Vec::with_capacity(source.len() + 1) };
        cleaner.run(source);
        Self { text: Cow::Owned(cleaner.text), map: Some(cleaner.map) }
    }

    /// The clean text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The source bytes behind the clean bytes `range`.
    pub fn source(&self, range: Range<usize>) -> Range<usize> {
        match &self.map {
            None => range,
            Some(map) => {
                let at = |i: usize| map.get(i).or(map.last()).copied().unwrap_or_default().map(|b| b as usize);
                let [start, _] = at(range.start);
                // What the last byte came from is covered whole (`&amp;`), what was dropped after it is not (`</b>`).
                let end = if range.is_empty() { start } else { at(range.end - 1)[1] };
                start..end.max(start)
            }
        }
    }
}

struct Cleaner {
    text: String,
    map: Vec<[u32; 2]>,
}

impl Cleaner {
    fn run(&mut self, source: &str) {
        let mut at = 0;
        while let Some(rest) = source.get(at..).filter(|r| !r.is_empty()) {
            at += match rest.as_bytes()[0] {
                b'<' => self.markup(rest, at),
                b'&' => self.entity(rest, at),
                b if b.is_ascii() => self.plain(rest, at),
                _ => self.cluster(rest, at),
            };
        }
        self.map.push([source.len() as u32; 2]);
    }

    /// Appends a character that came from the source bytes `from`.
    fn push(&mut self, c: char, from: Range<usize>) {
        if is_invisible(c) {
            return;
        }
        self.text.push(c);
        self.map.extend(std::iter::repeat_n([from.start as u32, from.end as u32], c.len_utf8()));
    }

    /// A tag becomes white space (a line break where the tag breaks lines); returns the bytes used.
    fn markup(&mut self, rest: &str, at: usize) -> usize {
        let bytes = rest.as_bytes();
        let opens = bytes.get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!'));
        let head = &bytes[..bytes.len().min(LONGEST_TAG)];
        match (opens, memchr::memchr2(b'>', b'<', &head[1..])) {
            (true, Some(end)) if head[end + 1] == b'>' => {
                let inside = rest[1..=end].trim_start_matches('/');
                let name = inside.split_whitespace().next().unwrap_or_default();
                let breaks = !INLINE.iter().any(|tag| name.eq_ignore_ascii_case(tag));
                if breaks {
                    self.push('\n', at..at + end + 2);
                }
                end + 2
            }
            _ => {
                self.push('<', at..at + 1);
                1
            }
        }
    }

    fn entity(&mut self, rest: &str, at: usize) -> usize {
        let head = &rest.as_bytes()[..rest.len().min(LONGEST_ENTITY)];
        let candidate = memchr::memchr(b';', head).and_then(|end| rest.get(..=end));
        if let Some(candidate) = candidate.filter(|c| c.is_ascii()) {
            let decoded = htmlize::unescape(candidate);
            if decoded != candidate {
                for c in decoded.nfkc() {
                    self.push(c, at..at + candidate.len());
                }
                return candidate.len();
            }
        }
        self.push('&', at..at + 1);
        1
    }

    /// What stands for itself, up to the character that may belong to one that is not of ASCII.
    fn plain(&mut self, rest: &str, at: usize) -> usize {
        let bytes = rest.as_bytes();
        let end = bytes.iter().position(|b| !b.is_ascii() || matches!(b, b'<' | b'&')).unwrap_or(bytes.len());
        let end = if bytes.get(end).is_some_and(|b| !b.is_ascii()) { end - 1 } else { end };
        if end == 0 {
            return self.cluster(rest, at);
        }
        self.text.push_str(&rest[..end]);
        self.map.extend((at as u32..).take(end).map(|from| [from, from + 1]));
        end
    }

    /// One character with the combining marks that follow it, NFKC.
    fn cluster(&mut self, rest: &str, at: usize) -> usize {
        let mut chars = rest.char_indices();
        let Some((_, first)) = chars.next() else { return rest.len() };
        if first.is_ascii() && rest.as_bytes().get(1).is_none_or(u8::is_ascii) {
            self.push(first, at..at + 1);
            return 1;
        }
        // A bounded cluster: a text of nothing but combining marks must not be normalised in one piece.
        let end = chars
            .take(32)
            .find(|(_, c)| !is_combining_mark(*c))
            .map_or_else(|| rest.char_indices().nth(32).map_or(rest.len(), |(i, _)| i), |(i, _)| i);
        for c in rest[..end].nfkc() {
            self.push(c, at..at + end);
        }
        end
    }
}

/// True for a text that is in NFKC by the first look, without invisible characters. Characters of ASCII are, and part the others.
fn is_composed(source: &str) -> bool {
    let mut parts = source.split(|c: char| c.is_ascii()).filter(|part| !part.is_empty());
    parts.all(|part| is_nfkc_quick(part.chars()) == IsNormalized::Yes && !part.chars().any(is_invisible))
}

/// Characters that show nothing and only serve to break words apart.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_entities_become_text_that_maps_back() {
        let source = "<p>Fish &amp; chips</p><b>caf\u{e9}</b> x\u{200b}y &lt;3";
        let clean = Clean::new(source);
        assert_eq!(clean.text(), "\nFish & chips\ncaf\u{e9} xy <3");
        let amp = clean.text().find('&').unwrap();
        assert_eq!(&source[clean.source(amp..amp + 1)], "&amp;");
        let word = clean.text().find("xy").unwrap();
        assert_eq!(&source[clean.source(word..word + 2)], "x\u{200b}y");
    }

    #[test]
    fn a_lone_angle_bracket_or_ampersand_is_text() {
        assert_eq!(Clean::new("I <3 R&D & a < b").text(), "I <3 R&D & a < b");
    }

    #[test]
    fn letters_with_loose_accents_and_wide_forms_are_composed() {
        assert_eq!(Clean::new("cafe\u{301} \u{ff46}ool").text(), "caf\u{e9} fool");
    }
}
