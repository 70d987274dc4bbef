//! What a word is, the one definition that everything counts by.
//!
//! `[^\W_](\w|['’](?=\w))*|[^\w\s]`, lower case. One word each: a run of `!` or `?` (`!!`, `??`, `?!`), a run of dots (`...`), a
//! link (`httpurl`) and a mention (`@user`).

use std::ops::Range;
use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;
use xxhash_rust::xxh3::xxh3_64;

use super::clean::Clean;

/// The word that stands for any link.
pub const URL: &str = "httpurl";
/// The word that stands for any mention.
pub const USER: &str = "@user";

/// What a word is, for counts of style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Letters.
    Letters,
    /// It begins with a digit.
    Number,
    /// `httpurl`.
    Link,
    /// `@user`.
    Mention,
    /// `!`, `!!`.
    Exclamation,
    /// `?`, `??`.
    Question,
    /// `?!`.
    Both,
    /// `...`.
    Ellipsis,
    /// Any other mark, or a sign such as an emoji.
    Mark,
}

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// XXH3-64 of the lower-case word: its name in every table of a model.
    pub hash: u64,
    /// Bytes of [`Words::letters`] that hold the lower-case word.
    lower: Range<u32>,
    /// Bytes of the clean text.
    clean: Range<u32>,
    /// What it is.
    pub kind: Kind,
    /// Letters or digits rather than punctuation.
    pub is_text: bool,
    /// At least two letters, all capitals.
    pub shouted: bool,
    /// A character three times or more in a row, or a run of `!`, `?`, `.`.
    pub stretched: bool,
}

/// The words of a text, reusable from text to text without allocating.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_field_names, reason = "they are the words")]
pub struct Words {
    /// The text in lower case as far as it is of ASCII, then the words that are spelled otherwise.
    letters: String,
    words: Vec<Word>,
    /// Some character of ASCII stands three times in a row in the text.
    any_stretched: bool,
}

impl<'a> IntoIterator for &'a Words {
    type Item = &'a Word;
    type IntoIter = std::slice::Iter<'a, Word>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Name of the pair of words `a b` in a model's tables.
pub fn pair(a: u64, b: u64) -> u64 {
    (a.rotate_left(25) ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Name of a word in a model's tables.
pub fn hash(lower: &str) -> u64 {
    xxh3_64(lower.as_bytes())
}

impl Words {
    /// The words of a text taken as it is.
    pub fn of(text: &str) -> Self {
        let mut words = Self::default();
        words.read(&Clean::new(text), &[]);
        words
    }

    /// Replaces the words by those of `clean`, leaving out the source ranges `skip` (sorted): what is quoted.
    pub fn read(&mut self, clean: &Clean<'_>, skip: &[Range<usize>]) {
        self.words.clear();
        let text = clean.text();
        self.letters.clear();
        self.letters.push_str(text);
        self.letters.make_ascii_lowercase();
        let bytes = text.as_bytes();
        self.any_stretched = has_triple(bytes);
        let mut skip = skip.iter().peekable();
        let mut at = 0;
        while let Some(&b) = bytes.get(at) {
            if skip.peek().is_some() {
                let from = clean.source(at..at).start;
                while skip.next_if(|range| range.end <= from).is_some() {}
                if skip.peek().is_some_and(|range| range.start <= from) {
                    at = text.ceil_char_boundary(at + 1);
                    continue;
                }
            }
            at = match CLASSES[b as usize] {
                Class::Gap => at + 1,
                Class::Letter | Class::Digit => match link(&text[at..]) {
                    Some(len) => self.push_fixed(URL, at, len),
                    None => self.push_ascii(bytes, at).unwrap_or_else(|| self.push_word(text, at)),
                },
                Class::Mark if is_alone(b, bytes.get(at + 1)) => self.push_mark(b, at),
                Class::Mark => self.next_word(text, at, char::from(b)),
                Class::Beyond => match text.get(at..).and_then(|rest| rest.chars().next()) {
                    Some(c) if !c.is_whitespace() => self.next_word(text, at, c),
                    c => at + c.map_or(1, char::len_utf8),
                },
            };
        }
    }

    /// A mark of ASCII that stands for itself.
    fn push_mark(&mut self, b: u8, at: usize) -> usize {
        let kind = match b {
            b'!' => Kind::Exclamation,
            b'?' => Kind::Question,
            _ => Kind::Mark,
        };
        let place = at as u32..at as u32 + 1;
        let hash = MARKS[b as usize & 127];
        let (lower, clean) = (place.clone(), place);
        self.words.push(Word { hash, lower, clean, kind, is_text: false, shouted: false, stretched: false });
        at + 1
    }

    /// As [`push_word`](Self::push_word), for a word of ASCII; `None` where another character follows, which may belong to it.
    fn push_ascii(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = &bytes[at..];
        let mut len = 0;
        loop {
            len += rest[len..]
                .iter()
                .position(|b| CLASSES[*b as usize] > Class::Digit && *b != b'_')
                .unwrap_or(rest.len() - len);
            let class_at = |at: usize| rest.get(at).map(|b| CLASSES[*b as usize]);
            match class_at(len) {
                Some(Class::Beyond) => return None,
                Some(_) if rest[len] == b'\'' => match class_at(len + 1) {
                    Some(Class::Letter | Class::Digit) => len += 1,
                    Some(Class::Beyond) => return None,
                    _ => break,
                },
                _ => break,
            }
        }
        let word = &rest[..len];
        let letters = || word.iter().filter(|b| b.is_ascii_alphabetic());
        // Next to no word begins with a capital and goes on in capitals: the first letters tell.
        let shouted = len >= 2
            && !word[0].is_ascii_lowercase()
            && letters().all(u8::is_ascii_uppercase)
            && letters().nth(1).is_some();
        let place = at..at + len;
        let kind = if len == URL.len() || word[0].is_ascii_digit() {
            Kind::of_text(&self.letters[place.clone()])
        } else {
            Kind::Letters
        };
        self.push(place.clone(), place, kind, shouted, self.any_stretched && is_stretched(word));
        Some(at + len)
    }

    fn next_word(&mut self, text: &str, at: usize, first: char) -> usize {
        let rest = &text[at..];
        if let Some(len) = link(rest) {
            return self.push_fixed(URL, at, len);
        }
        if is_word(first) {
            return self.push_word(text, at);
        }
        let run = |set: &str| rest.len() - rest.trim_start_matches(|c| set.contains(c)).len();
        match first {
            '@' if rest[1..].starts_with(is_word) => {
                let len = 1 + word_end(&rest[1..]);
                self.push_fixed(USER, at, len)
            }
            '!' | '?' if run("!?") > 1 => {
                let len = run("!?");
                let marks = &rest[..len];
                let name = match (marks.contains('!'), marks.contains('?')) {
                    (true, true) => "?!",
                    (true, false) => "!!",
                    _ => "??",
                };
                self.push_fixed(name, at, len)
            }
            '.' if run(".") > 1 => self.push_fixed("...", at, run(".")),
            _ => self.push_fixed(first.encode_utf8(&mut [0; 4]), at, first.len_utf8()),
        }
    }

    fn push_fixed(&mut self, name: &str, at: usize, len: usize) -> usize {
        let start = self.letters.len();
        self.letters.push_str(name);
        let kind = match name {
            URL => Kind::Link,
            USER => Kind::Mention,
            "!" | "!!" => Kind::Exclamation,
            "?" | "??" => Kind::Question,
            "?!" => Kind::Both,
            "..." | "\u{2026}" => Kind::Ellipsis,
            _ => Kind::Mark,
        };
        let is_run = kind.is_mark() && name.len() > 1 && name.is_ascii();
        self.push(start..self.letters.len(), at..at + len, kind, false, is_run);
        at + len
    }

    fn push_word(&mut self, text: &str, at: usize) -> usize {
        let end = at + word_end(&text[at..]);
        let start = self.letters.len();
        let (mut letters, mut capitals, mut repeat, mut longest, mut last) = (0, 0, 0, 0, '\0');
        for c in text[at..end].chars() {
            letters += u32::from(c.is_alphabetic());
            capitals += u32::from(c.is_uppercase());
            repeat = if c == last { repeat + 1 } else { 1 };
            longest = longest.max(repeat);
            last = c;
            if c == '\u{2019}' {
                self.letters.push('\'');
            } else {
                self.letters.extend(c.to_lowercase());
            }
        }
        let kind = Kind::of_text(&self.letters[start..]);
        let shouted = letters >= 2 && capitals == letters;
        self.push(start..self.letters.len(), at..end, kind, shouted, longest >= 3);
        end
    }

    /// Adds a word: where its lower-case form stands in `letters`, where it stands in the clean text.
    fn push(&mut self, lower: Range<usize>, clean: Range<usize>, kind: Kind, shouted: bool, stretched: bool) {
        let hash = hash(&self.letters[lower.clone()]);
        let lower = lower.start as u32..lower.end as u32;
        let clean = clean.start as u32..clean.end as u32;
        self.words.push(Word { hash, lower, clean, kind, is_text: !kind.is_mark(), shouted, stretched });
    }

    /// Makes one word of each range of words in `edits` (in order, apart, not empty), spelled as given. It covers what they covered in
    /// `clean`, the clean text, and is shouted or stretched as that is.
    pub(super) fn rewrite(&mut self, clean: &str, edits: &[(Range<usize>, String)]) {
        let old = std::mem::take(&mut self.words);
        self.words.reserve(old.len());
        let mut at = 0;
        for (range, spelled) in edits {
            self.words.extend_from_slice(old.get(at..range.start).unwrap_or_default());
            let made_one = old.get(range.clone()).unwrap_or_default();
            let (Some(first), Some(last)) = (made_one.first(), made_one.last()) else { continue };
            let place = first.clean.start as usize..last.clean.end as usize;
            let written = clean.get(place.clone()).unwrap_or_default();
            let letters = written.chars().filter(|c| c.is_alphabetic());
            let (n, capitals) = letters.fold((0, 0), |(n, up), c| (n + 1, up + u32::from(c.is_uppercase())));
            let stretched = made_one.iter().any(|word| word.stretched && word.is_text);
            let start = self.letters.len();
            self.letters.push_str(spelled);
            let lower = start..self.letters.len();
            self.push(lower, place, Kind::of_text(spelled), n >= 2 && n == capitals, stretched);
            at = range.end;
        }
        self.words.extend_from_slice(old.get(at..).unwrap_or_default());
    }

    /// The bytes of the clean text that hold the `i`-th word; empty beyond the last.
    pub(super) fn place(&self, i: usize) -> Range<usize> {
        self.words.get(i).map_or(0..0, |word| word.clean.start as usize..word.clean.end as usize)
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// True if there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Word> {
        self.words.iter()
    }

    /// The lower-case form of a word of this text.
    pub fn lower(&self, word: &Word) -> &str {
        self.letters.get(word.lower.start as usize..word.lower.end as usize).unwrap_or_default()
    }

    /// The bytes of the source text that hold the words `range`.
    pub fn source(&self, clean: &Clean<'_>, range: Range<usize>) -> Range<usize> {
        match (self.words.get(range.start), range.end.checked_sub(1).and_then(|last| self.words.get(last))) {
            (Some(first), Some(last)) => clean.source(first.clean.start as usize..last.clean.end as usize),
            _ => 0..0,
        }
    }

    /// All words, lower case, with one blank before and after each: `" you are wrong ! "`.
    pub fn joined(&self) -> String {
        let mut joined = String::with_capacity(self.letters.len() + self.words.len() + 1);
        joined.push(' ');
        for word in &self.words {
            joined.push_str(self.lower(word));
            joined.push(' ');
        }
        joined
    }
}

impl Word {
    /// Bytes of the lower-case word.
    pub fn size(&self) -> usize {
        (self.lower.end - self.lower.start) as usize
    }
}

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = Self::Mark as usize + 1;

    /// True for what is no word.
    fn is_mark(self) -> bool {
        matches!(self, Self::Exclamation | Self::Question | Self::Both | Self::Ellipsis | Self::Mark)
    }

    /// The kind of a word of letters or digits.
    fn of_text(lower: &str) -> Self {
        match lower {
            URL => Self::Link,
            USER => Self::Mention,
            _ if lower.starts_with(|c: char| c.is_ascii_digit()) => Self::Number,
            _ => Self::Letters,
        }
    }
}

/// What a character of ASCII is to the reader of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Letter,
    Digit,
    /// White space, and `_` where no word has begun.
    Gap,
    Mark,
    /// Not of ASCII.
    Beyond,
}

/// The class of every byte of ASCII.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Beyond; 256];
    let mut b = 0;
    while b < 128 {
        let c = b as u8;
        if c.is_ascii_alphabetic() {
            classes[b] = Class::Letter;
        } else if c.is_ascii_digit() {
            classes[b] = Class::Digit;
        } else if matches!(c, b'\t'..=b'\r' | b' ' | b'_') {
            classes[b] = Class::Gap;
        } else {
            classes[b] = Class::Mark;
        }
        b += 1;
    }
    classes
};

/// A byte three times in a row. Counts instead of stopping at the first, which vector instructions are quick at.
fn has_triple(bytes: &[u8]) -> bool {
    let next = bytes.get(1..).unwrap_or_default();
    let third = bytes.get(2..).unwrap_or_default();
    let triples = |(a, (b, c)): (&u8, (&u8, &u8))| u8::from(a == b) & u8::from(b == c);
    bytes.iter().zip(next.iter().zip(third)).map(triples).fold(0, |any, one| any | one) > 0
}

fn is_stretched(word: &[u8]) -> bool {
    word.windows(3).any(|w| w[0] == w[1] && w[1] == w[2])
}

/// The hash of every mark of ASCII.
static MARKS: LazyLock<[u64; 128]> =
    LazyLock::new(|| std::array::from_fn(|b| hash(char::from(b as u8).encode_utf8(&mut [0; 4]))));

/// True for a mark that makes no run and no mention with what follows.
fn is_alone(mark: u8, next: Option<&u8>) -> bool {
    match mark {
        b'!' | b'?' => !matches!(next, Some(b'!' | b'?')),
        b'.' => next != Some(&b'.'),
        b'@' => false,
        _ => true,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// Bytes of the word that starts `rest`.
fn word_end(rest: &str) -> usize {
    let mut chars = rest.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        let inside = is_word(c) || c == '_' || (i > 0 && is_combining_mark(c));
        let apostrophe =
            i > 0 && matches!(c, '\'' | '\u{2019}') && chars.peek().is_some_and(|(_, next)| is_word(*next));
        if !inside && !apostrophe {
            return i;
        }
    }
    rest.len()
}

/// Bytes of the link that starts `rest`.
fn link(rest: &str) -> Option<usize> {
    if !matches!(rest.as_bytes(), [b'h' | b'H', b't' | b'T', ..] | [b'w' | b'W', b'w' | b'W', ..]) {
        return None;
    }
    let starts = |prefix: &str| rest.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    let prefix = ["http://", "https://", "www."].into_iter().find(|p| starts(p))?;
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ')' | ']')).unwrap_or(rest.len());
    // What ends a sentence is not part of the address.
    let end = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']).len();
    (end > prefix.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let words = Words::of(text);
        words.iter().map(|w| words.lower(w).to_owned()).collect()
    }

    #[test]
    fn words_marks_links_and_mentions_are_one_word_each() {
        assert_eq!(
            words("Don\u{2019}t STOP!!! @joe_x see https://a.example/x?y=1, it's 'fine'... _ok_ ?!"),
            ["don't", "stop", "!!", "@user", "see", URL, ",", "it's", "'", "fine", "'", "...", "ok_", "?!"]
        );
    }

    #[test]
    fn quoted_ranges_are_left_out() {
        let text = "you said trash and I object";
        let mut words = Words::default();
        words.read(&Clean::new(text), std::slice::from_ref(&(9..14)));
        assert_eq!(words.joined(), " you said and i object ");
    }

    #[test]
    fn words_know_their_place_in_the_source() {
        let text = "R&amp;D caf\u{e9} N\u{200b}OPE";
        let clean = Clean::new(text);
        let mut words = Words::default();
        words.read(&clean, &[]);
        let last = words.len() - 1;
        assert_eq!(&text[words.source(&clean, last..last + 1)], "N\u{200b}OPE");
        assert!(words.iter().nth(last).unwrap().shouted);
    }
}
