//! How a word may be spelled: what digits, signs and look-alike letters stand for.

use decancer::{Options, Translation};
use unicode_normalization::char::is_combining_mark;

use super::Letters;

/// Longest spelling that is looked at, in characters.
const LONGEST: usize = 40;
/// Most readings of one spelling that are looked up.
const MOST_READINGS: usize = 64;
/// Any letter.
const ANY: Letters = (1 << 26) - 1;

/// One character of a spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// What it may stand for, as it looks; none for a mark that looks like no letter.
    looks: &'static str,
    /// A letter, where it is one.
    letter: Option<char>,
    /// Neither letter nor digit: it may stand for any letter or for nothing.
    is_sign: bool,
}

/// A spelling taken apart.
#[derive(Debug, Clone)]
pub(super) struct Spelling {
    places: Vec<Place>,
    /// Letters and digits as written, marks left out.
    is_doubtful: bool,
    starred: bool,
}

impl Spelling {
    /// Takes a piece of clean text apart; `None` if it is too long, has no letter, or one that looks like none of `a` to `z`.
    pub(super) fn of(written: &str) -> Option<Self> {
        let mut places = Vec::with_capacity(written.len());
        for (i, c) in written.chars().enumerate() {
            if i >= LONGEST {
                return None;
            }
            if c.is_whitespace() || is_combining_mark(c) {
                continue;
            }
            push(c, &mut places)?;
        }
        let letters = places.iter().filter(|p| p.letter.is_some()).count();
        let signs = places.iter().filter(|p| p.is_sign).count();
        let is_doubtful = letters < 2 || is_quantity(written) || is_initials(written) || places.len() - signs < 2;
        (letters > 0 && !is_code(written)).then(|| Self { places, is_doubtful, starred: written.contains('*') })
    }

    /// True if only a heavy word should be read here: a quantity, initials, next to no letters.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// True without digits and signs.
    pub(super) fn is_letters(&self) -> bool {
        self.places.iter().all(|p| p.letter.is_some() || p.looks == "'")
    }

    /// True with `*`, which stands for a letter more surely than other marks.
    pub(super) fn is_starred(&self) -> bool {
        self.starred
    }

    /// True if what stands at its edge may be letters: `f***`, `a$$`, but not `nice*` or `A*`.
    pub(super) fn ends_well(&self) -> bool {
        let tail = self.places.iter().rev().take_while(|p| p.is_sign).count();
        let unlike = self.places.iter().rev().take_while(|p| p.is_sign && p.looks.is_empty()).count();
        let letters = self.places.iter().filter(|p| !p.is_sign).count();
        unlike == 0 || tail >= 2 && letters <= 2 && self.places.len() >= 4
    }

    /// The words that it may be, marks that look like no letter being nothing.
    pub(super) fn readings(&self) -> Vec<String> {
        let mut readings = self.expanded(|_| true);
        if self.places.iter().any(|p| p.is_sign && !p.looks.is_empty()) {
            readings.extend(self.expanded(|p| !p.is_sign));
        }
        readings
    }

    fn expanded(&self, stands: impl Fn(&Place) -> bool) -> Vec<String> {
        let mut words = vec![String::new()];
        for place in self.places.iter().filter(|p| stands(p)) {
            if let Some(letter) = place.letter {
                words.iter_mut().for_each(|w| w.push(letter));
                continue;
            }
            let Some(first) = place.looks.chars().next() else { continue };
            let room = words.len() * place.looks.len() <= MOST_READINGS;
            let others = place.looks.chars().skip(1).filter(|_| room);
            let more: Vec<String> = others.flat_map(|c| words.iter().map(move |w| format!("{w}{c}"))).collect();
            words.iter_mut().for_each(|w| w.push(first));
            words.extend(more);
        }
        words
    }

    /// The shape it has if every mark hides a letter; `None` without marks.
    pub(super) fn shape(&self) -> Option<Vec<Letters>> {
        let bits = |looks: &str| looks.bytes().filter(u8::is_ascii_lowercase).fold(0, |all, b| all | 1 << (b - b'a'));
        let letters = |place: &Place| match place.letter {
            Some(letter) => bits(letter.encode_utf8(&mut [0; 4])),
            None if place.is_sign => ANY,
            None => bits(place.looks),
        };
        let shape: Vec<Letters> = self.places.iter().map(letters).collect();
        (shape.len() >= super::SHORTEST && self.places.iter().any(|p| p.is_sign)).then_some(shape)
    }
}

/// Appends what one character stands for.
fn push(c: char, places: &mut Vec<Place>) -> Option<()> {
    let mut letter = |c: char| places.push(Place { looks: "", letter: Some(c.to_ascii_lowercase()), is_sign: false });
    if c.is_ascii_alphabetic() {
        letter(c);
    } else if c.is_alphabetic() {
        match decancer::cure_char(c, Options::default()) {
            Translation::Character(c) if c.is_ascii_alphabetic() => letter(c),
            Translation::String(s) if s.bytes().all(|b| b.is_ascii_alphabetic()) => s.chars().for_each(letter),
            _ => return None,
        }
    } else {
        places.push(Place { looks: looks(c), letter: None, is_sign: !c.is_alphanumeric() });
    }
    Some(())
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
        '(' | '\u{a2}' => "c",
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

/// `J.K.R.`: capitals with dots between them, three at most.
fn is_initials(written: &str) -> bool {
    written.contains('.') && !written.chars().any(char::is_lowercase)
}

/// `A55`, `B52`: a capital, then digits. No word is looked for in it.
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
