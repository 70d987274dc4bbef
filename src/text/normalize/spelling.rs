//! How a word may be spelled: what digits, signs and look-alike letters stand for.

use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

use super::Letters;

/// Longest spelling that is looked at, in characters.
const LONGEST: usize = 40;
/// Most readings of one spelling that are looked up.
const MOST_READINGS: usize = 64;
/// Any letter.
const ANY: Letters = (1 << 26) - 1;

/// The letters, so that each is a string of its own.
const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz";

/// Small capitals, and letters that pass for others in disguises: Unicode's table of confusables is stricter than readers are.
const LOOSE: &[(&str, &str)] = &[
    ("\u{1d00}\u{3bb}", "a"),
    ("\u{299}\u{44c}\u{3b2}", "b"),
    ("\u{1d05}\u{3b4}", "d"),
    ("\u{1d07}\u{44d}\u{437}", "e"),
    ("\u{a730}\u{493}\u{192}", "f"),
    ("\u{262}", "g"),
    ("\u{29c}\u{43d}\u{41d}", "hn"),
    ("\u{1d0a}", "j"),
    ("\u{1d0b}", "k"),
    ("\u{29f}", "l"),
    ("\u{1d0d}", "m"),
    ("\u{274}\u{43f}\u{438}\u{3b7}", "n"),
    ("\u{1d18}", "p"),
    ("\u{280}\u{433}\u{44f}", "r"),
    ("\u{a731}", "s"),
    ("\u{1d1b}", "t"),
    ("\u{1d1c}\u{3bc}\u{446}", "u"),
    ("\u{3c5}", "uy"),
    ("\u{448}\u{449}\u{3c9}", "w"),
];

/// What one character of a spelling is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    /// A mark: it may stand for any letter or for nothing.
    Sign,
}

/// One character of a spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    kind: Kind,
    /// The letters it may stand for by its looks.
    looks: &'static str,
}

/// A spelling taken apart.
#[derive(Debug, Clone)]
pub(super) struct Spelling {
    places: Vec<Place>,
    is_doubtful: bool,
    is_starred: bool,
}

impl Spelling {
    /// Takes a piece of clean text apart; `None` if it is too long, a code (`A55`), without letters, or holds a letter that looks like
    /// none of `a` to `z`, or a bracket or quotation mark.
    pub(super) fn of(written: &str) -> Option<Self> {
        let mut places = Vec::with_capacity(LONGEST);
        for (i, c) in written.chars().filter(|c| !c.is_whitespace() && !is_combining_mark(*c)).enumerate() {
            if i >= LONGEST {
                return None;
            }
            places.push(place(c)?);
        }
        let count = |kind| places.iter().filter(|p| p.kind == kind).count();
        let letters = count(Kind::Letter);
        let is_doubtful = letters < 2
            || is_quantity(written)
            || is_initials(written)
            || is_accented(written) && count(Kind::Digit) == 0;
        (letters > 0 && !is_code(written)).then(|| Self { places, is_doubtful, is_starred: written.contains('*') })
    }

    /// True if only a heavy word should be read here: accents, a quantity, initials, next to no letters.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// True with `*`, which stands for a letter more surely than other marks.
    pub(super) fn is_starred(&self) -> bool {
        self.is_starred
    }

    /// True if the marks at its end may be letters: `f***`, `a$$`, but not `nice*` or `A*`.
    pub(super) fn ends_well(&self) -> bool {
        let signs = self.places.iter().rev().take_while(|p| p.kind == Kind::Sign);
        let (tail, alike) = signs.fold((0, true), |(n, alike), p| (n + 1, alike && !p.looks.is_empty()));
        let others = self.places.iter().filter(|p| p.kind != Kind::Sign).count();
        alike || tail >= 2 && others <= 2 && self.places.len() >= 4
    }

    /// The words that it may be, marks that look like no letter being nothing; then those that it may be if all marks are nothing.
    pub(super) fn readings(&self) -> Vec<String> {
        let mut readings = self.expanded(|_| true);
        let starts_with_sign = self.places.first().is_none_or(|p| p.kind == Kind::Sign);
        if !starts_with_sign && self.places.iter().any(|p| p.kind == Kind::Sign && !p.looks.is_empty()) {
            readings.extend(self.expanded(|p| p.kind != Kind::Sign));
        }
        readings
    }

    fn expanded(&self, stands: impl Fn(&Place) -> bool) -> Vec<String> {
        let mut words = vec![String::new()];
        for place in self.places.iter().filter(|p| stands(p)) {
            let Some(first) = place.looks.chars().next() else { continue };
            let room = words.len() * place.looks.len() <= MOST_READINGS;
            let others = place.looks.chars().skip(1).filter(|_| room);
            let more: Vec<String> = others.flat_map(|c| words.iter().map(move |w| format!("{w}{c}"))).collect();
            words.iter_mut().for_each(|w| w.push(first));
            words.extend(more);
        }
        words
    }

    /// The shape it has if every mark hides a letter; `None` without such marks.
    pub(super) fn shape(&self) -> Option<Vec<Letters>> {
        let bits = |looks: &str| looks.bytes().filter(u8::is_ascii_lowercase).fold(0, |all, b| all | 1 << (b - b'a'));
        let letters = |place: &Place| if place.kind == Kind::Sign { ANY } else { bits(place.looks) };
        let shape: Vec<Letters> = self.places.iter().map(letters).collect();
        // What starts with `@` is a mention, unless that is an `a`.
        let is_mention = self.places.first().is_some_and(|p| p.kind == Kind::Sign && p.looks == "a");
        let is_masked = self.places.iter().any(|p| p.kind == Kind::Sign);
        (shape.len() >= super::SHORTEST && is_masked && !is_mention).then_some(shape)
    }
}

/// What one character stands for.
fn place(c: char) -> Option<Place> {
    if matches!(
        c,
        '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' | '/' | '\\' | ',' | ';' | ':' | '\u{201c}' | '\u{201d}'
    ) {
        return None;
    }
    if !c.is_alphabetic() {
        let kind = if c.is_alphanumeric() { Kind::Digit } else { Kind::Sign };
        return Some(Place { kind, looks: looks(c) });
    }
    let loose = LOOSE.iter().find(|(others, _)| others.contains(c)).map(|(_, looks)| *looks);
    let looks = match loose {
        Some(looks) => looks,
        None => match look_alike(c)? {
            // Which of the two an `I` of another script is depends on who made the table.
            'i' | 'l' if !c.is_ascii() => "il",
            letter => ALPHABET.find(letter).and_then(|i| ALPHABET.get(i..=i))?,
        },
    };
    Some(Place { kind: Kind::Letter, looks })
}

/// The letter of `a` to `z` that a letter looks like, itself or as a capital: by Unicode's table of confusables (UTS 39), without
/// accents.
fn look_alike(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c.to_ascii_lowercase());
    }
    std::iter::once(c).chain(c.to_uppercase()).find_map(|c| {
        let mut like =
            skeleton(c.encode_utf8(&mut [0; 4])).filter(|c| !is_combining_mark(*c)).collect::<Vec<char>>().into_iter();
        like.next().filter(|c| c.is_ascii_alphabetic() && like.next().is_none()).map(|c| c.to_ascii_lowercase())
    })
}

/// The letters that a digit or sign is used for.
fn looks(c: char) -> &'static str {
    match c {
        '0' => "o",
        '1' | '|' | '!' | '\u{a1}' => "il",
        '2' => "z",
        '3' | '\u{20ac}' => "e",
        '4' | '@' => "a",
        '5' | '$' | '\u{a7}' => "s",
        '6' => "gb",
        '7' | '+' => "t",
        '8' => "b",
        '9' => "g",
        '\u{a2}' => "c",
        '\u{a3}' => "l",
        '\'' | '\u{2019}' => "'",
        _ => "",
    }
}

/// `20s`, `1st`, `100mm`: digits, then at most three letters; one digit, then at most two.
fn is_quantity(written: &str) -> bool {
    let rest = written.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = written.len() - rest.len();
    digits > 0 && rest.chars().all(char::is_alphabetic) && rest.chars().count() <= 1 + digits.min(2)
}

/// True with letters that are Latin but not plain: somebody's language rather than a disguise.
fn is_accented(written: &str) -> bool {
    let mut others = written.chars().filter(|c| c.is_alphabetic() && !c.is_ascii()).peekable();
    others.peek().is_some() && others.all(|c| matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}'))
}

/// `J.K.R.`: capitals with dots.
fn is_initials(written: &str) -> bool {
    written.contains('.') && !written.chars().any(char::is_lowercase)
}

/// `A55`, `U.S.A.`: a capital, then digits, or initials of fewer than four letters. No word is looked for in it.
fn is_code(written: &str) -> bool {
    let rest = written.strip_prefix(|c: char| c.is_ascii_uppercase());
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        || is_initials(written) && written.chars().filter(|c| c.is_alphabetic()).count() < 4
}

/// The spellings of a word with every run of a letter cut to one or two, the word itself left out.
pub(super) fn squeezed(word: &str) -> Vec<String> {
    let mut runs: Vec<(char, usize)> = Vec::new();
    for c in word.chars() {
        match runs.last_mut() {
            Some((last, n)) if *last == c => *n += 1,
            _ => runs.push((c, 1)),
        }
    }
    if runs.iter().all(|(_, n)| *n < 2) {
        return Vec::new();
    }
    let mut words = vec![String::new()];
    for (c, n) in runs {
        let doubled: Vec<String> = if n > 1 && words.len() < MOST_READINGS {
            words.iter().map(|w| format!("{w}{c}{c}")).collect()
        } else {
            Vec::new()
        };
        words.iter_mut().for_each(|w| w.push(c));
        words.extend(doubled);
    }
    words.retain(|w| w != word);
    words
}
