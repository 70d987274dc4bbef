//! Words spelled to deceive, read as what they say: `1d10t`, `i d i o t`, `id*ot`, `idiоt` with a Cyrillic letter, `idiooot`, `idoit`.
//!
//! This file knows spellings, a [`Lexicon`] knows words. A spelling is rewritten only if it is no settled word and one of its readings
//! is one, so that plain text stays as it is. A rewritten word keeps its place in the source and how it was typed (capitals, stretched
//! letters).
//!
//! Training texts are not rewritten: what a word weighs is known only after the fit.

mod spelling;

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::clean::Clean;
use super::words::{Kind, Word, Words, hash};
use spelling::{Spelling, squeezed};

/// Fewest letters of a word that marks, digits or blanks may hide.
const SHORTEST: usize = 3;
/// Most single letters in a row that are searched for words.
const LONGEST_RUN: usize = 32;
/// Words that are not heavy are read only if they are as common as the first ones.
const COMMON: u32 = 5000;
/// Spellings remembered.
const REMEMBERED: usize = 1 << 14;
/// Signs before a word that may be its first letter.
const FIRST_SIGNS: &str = "$";
/// Signs inside a word that may be its letters.
const MASKS: &str = "*#%$@";
/// Signs after a word that may be its last letters.
const LAST_SIGNS: &str = "$*#%";

/// What a lexicon holds of a word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Place in the order of frequency, 0 for the commonest word.
    pub rank: u32,
    /// How much the word counts toward what is looked for; not negative.
    pub weight: f32,
    /// Surely a word, not a misspelling that somebody used twice.
    pub settled: bool,
    /// Among the words worth hiding.
    pub heavy: bool,
}

impl Standing {
    /// Worth hiding, or common and of some weight.
    pub fn counts(&self) -> bool {
        self.heavy || self.weight > 0.0 && self.rank < COMMON
    }
}

/// The letters that one place of a shape may stand for: bit 0 is `a`, bit 25 is `z`.
pub type Letters = u32;

/// The words that spellings are read as.
pub trait Lexicon {
    /// The number of a lower-case word, by its hash.
    fn row(&self, hash: u64) -> Option<u32>;
    /// What is known of the word of a number.
    fn standing(&self, row: u32) -> Standing;
    /// What is known of a lower-case word.
    fn find(&self, word: &str) -> Option<Standing> {
        self.row(hash(word)).map(|row| self.standing(row))
    }
    /// The heaviest word of a shape; one that is not heavy only if `light`.
    fn heaviest(&self, shape: &[Letters], light: bool) -> Option<(&str, Standing)>;
    /// The word of weight that `word` is a usual misspelling of.
    fn misspelt(&self, word: &str) -> Option<(&str, Standing)>;
}

/// A word found behind a spelling.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    word: String,
    standing: Standing,
}

impl Reading {
    /// A heavy reading beats a light one, the heavier of two heavy ones the other, the commoner of two light ones the other.
    fn better(self, other: Self) -> Self {
        let (a, b) = (&self.standing, &other.standing);
        let loses = match (a.heavy, b.heavy) {
            (true, true) => b.weight > a.weight,
            (false, false) => b.rank < a.rank,
            (heavy, _) => !heavy,
        };
        if loses { other } else { self }
    }
}

/// What is reused from text to text, all for the same lexicon.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The number in the lexicon of every word of the last text, as it was rewritten.
    pub rows: Vec<Option<u32>>,
    /// What was written without a blank, by its hash, and what it was read as: which of its words, and the word that they are.
    read: FxHashMap<u64, Option<(Range<usize>, String)>>,
    joined: String,
}

/// Rewrites the words of `clean` that are spelled to deceive, and leaves the number of every word in `memory.rows`.
pub fn normalize<L: Lexicon>(words: &mut Words, clean: &Clean<'_>, lexicon: &L, memory: &mut Memory) {
    let find = |words: &Words, rows: &mut Vec<Option<u32>>| {
        rows.clear();
        rows.extend(words.iter().map(|word| lexicon.row(word.hash)));
    };
    find(words, &mut memory.rows);
    if memory.read.len() > REMEMBERED {
        memory.read.clear();
    }
    let mut reader = Reader { words, text: clean.text(), lexicon, memory, edits: Vec::new() };
    let mut at = 0;
    while at < reader.words.len() {
        at = match reader.apart(at) {
            0 => reader.spaced(at).unwrap_or_else(|| reader.piece(at)),
            words => at + words,
        };
    }
    let edits = reader.edits;
    if !edits.is_empty() {
        words.rewrite(clean.text(), &edits);
        find(words, &mut memory.rows);
    }
}

struct Reader<'a, L> {
    words: &'a Words,
    text: &'a str,
    lexicon: &'a L,
    memory: &'a mut Memory,
    edits: Vec<(Range<usize>, String)>,
}

impl<L: Lexicon> Reader<'_, L> {
    /// Reads what is written without a blank from word `at` on; returns the word after it.
    fn piece(&mut self, at: usize) -> usize {
        let mut end = at + 1;
        while end < self.words.len() && self.gap(end).is_some_and(|gap| gap.bytes().all(|b| b == b'_')) {
            end += 1;
        }
        let unsettled = (at..end).find(|&i| !self.is_settled(i));
        match unsettled {
            None if !self.is_masked(at..end) => {}
            Some(i) => {
                let read = self.edits.len();
                self.read(at..end);
                if self.edits.len() == read {
                    self.halves(at..end, i);
                }
            }
            None => self.read(at..end),
        }
        // A second half stands in the next piece.
        self.edits.last().map_or(end, |(range, _)| range.end.max(end))
    }

    /// Reads words that touch: as one word, else part by part, else word by word.
    fn read(&mut self, piece: Range<usize>) {
        if let Some((range, word)) = self.remembered(&piece) {
            self.edits.push((range, word));
            return;
        }
        let is_break = |i: &usize| !self.is_text(*i) && !self.is(*i, MASKS);
        let breaks: Vec<usize> = piece.clone().filter(is_break).collect();
        if !breaks.is_empty() {
            let starts = std::iter::once(piece.start).chain(breaks.iter().map(|b| b + 1));
            let ends = breaks.iter().copied().chain(std::iter::once(piece.end));
            starts.zip(ends).filter(|(start, end)| start < end).for_each(|(start, end)| self.read(start..end));
        } else if piece.len() > 1 {
            piece.for_each(|i| self.read(i..i + 1));
        }
    }

    /// How many words from word `i` on mean themselves and touch nothing: one settled word of several letters, or a mark, or both
    /// together (`word,`). Most of any text.
    fn apart(&self, i: usize) -> usize {
        let Some(word) = self.word(i) else { return 0 };
        if word.is_text && (!self.is_settled(i) || self.words.lower(word).len() < 2 && !self.before_a_word(i + 1)) {
            return 0;
        }
        if self.ends_alone(i) {
            return 1;
        }
        let closes = |mark: &Word| !mark.is_text && !LAST_SIGNS.contains(self.words.lower(mark));
        let is_word = word.is_text && self.words.lower(word).chars().nth(1).is_some();
        usize::from(is_word && self.word(i + 1).is_some_and(closes) && self.ends_alone(i + 1)) * 2
    }

    /// True if the `i`-th word is one of several letters.
    fn before_a_word(&self, i: usize) -> bool {
        self.word(i).is_some_and(|word| word.is_text && self.words.lower(word).chars().nth(1).is_some())
    }

    fn ends_alone(&self, i: usize) -> bool {
        i + 1 >= self.words.len() || self.words.place(i + 1).start > self.words.place(i).end
    }

    fn word(&self, i: usize) -> Option<&Word> {
        self.words.iter().as_slice().get(i)
    }

    fn lower(&self, i: usize) -> &str {
        self.word(i).map_or("", |word| self.words.lower(word))
    }

    fn is_text(&self, i: usize) -> bool {
        self.word(i).is_some_and(|word| word.is_text)
    }

    fn is(&self, i: usize, signs: &str) -> bool {
        self.word(i).is_some_and(|word| !word.is_text && signs.contains(self.words.lower(word)))
    }

    /// The text between the words `i - 1` and `i`; absent where a quotation was left out.
    fn gap(&self, i: usize) -> Option<&str> {
        let gap = self.text.get(self.words.place(i.checked_sub(1)?).end..self.words.place(i).start)?;
        gap.chars().all(|c| c.is_whitespace() || c == '_').then_some(gap)
    }

    fn written(&self, range: &Range<usize>) -> &str {
        let last = range.end.saturating_sub(1);
        self.text.get(self.words.place(range.start).start..self.words.place(last).end).unwrap_or_default()
    }

    /// True for what means itself: marks, numbers, links, known words and their `'s`. A mention may be an `a`: `@sshole`.
    fn is_settled(&self, i: usize) -> bool {
        let Some(word) = self.word(i) else { return true };
        match word.kind {
            Kind::Mention => return false,
            Kind::Letters | Kind::Number => {}
            _ => return true,
        }
        if self.row(i).is_some_and(|row| self.lexicon.standing(row).settled) {
            return true;
        }
        let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
        let lower = self.words.lower(word);
        let stem = lower.split_once('\'').map(|(stem, _)| stem);
        is_number(lower)
            || stem.is_some_and(|stem| is_number(stem) || self.lexicon.find(stem).is_some_and(|s| s.settled))
    }

    /// The number of the `i`-th word in the lexicon.
    fn row(&self, i: usize) -> Option<u32> {
        self.memory.rows.get(i).copied().flatten()
    }

    /// True if a mark stands where a letter should: between two words, or as a sign at the edge of one.
    fn is_masked(&self, piece: Range<usize>) -> bool {
        let mut texts = piece.clone().filter(|&i| self.is_text(i));
        let (Some(first), Some(last)) = (texts.next(), texts.next_back().or(piece.clone().find(|&i| self.is_text(i))))
        else {
            return false;
        };
        (first..last).any(|i| !self.is_text(i))
            || first > piece.start && self.is(first - 1, FIRST_SIGNS)
            || last + 1 < piece.end && self.is(last + 1, LAST_SIGNS)
    }

    /// A heavy word in two halves, of which the `i`-th is no word: `id iot`.
    fn halves(&mut self, piece: Range<usize>, i: usize) {
        let with_next = if i + 1 == piece.end { self.joined(i..i + 2) } else { None };
        let found = with_next.or_else(|| if i == piece.start && i > 0 { self.joined(i - 1..i + 1) } else { None });
        self.edits.extend(found);
    }

    /// Two words that are one heavy word without the blank between them.
    fn joined(&mut self, halves: Range<usize>) -> Option<(Range<usize>, String)> {
        let apart = self.edits.last().is_none_or(|(last, _)| last.end <= halves.start);
        if !apart || !self.is_text(halves.start) || !self.gap(halves.start + 1)?.starts_with(char::is_whitespace) {
            return None;
        }
        let mut word = std::mem::take(&mut self.memory.joined);
        word.clear();
        word.push_str(self.lower(halves.start));
        word.push_str(self.lower(halves.start + 1));
        let heavy = self.lexicon.find(&word).is_some_and(|s| s.heavy);
        let found = heavy.then(|| (halves, word.clone()));
        self.memory.joined = word;
        found
    }

    /// A piece as one word, remembered by how it is written.
    fn remembered(&mut self, piece: &Range<usize>) -> Option<(Range<usize>, String)> {
        let hash = hash(self.written(piece));
        let known = self.memory.read.get(&hash).cloned();
        let found = known.unwrap_or_else(|| {
            let found = self.whole(piece);
            let found = found.map(|(words, word)| (words.start - piece.start..words.end - piece.start, word));
            self.memory.read.insert(hash, found.clone());
            found
        });
        found.map(|(words, word)| (piece.start + words.start..piece.start + words.end, word))
    }

    /// A piece as one word: with the signs at its edges that may be letters, else without.
    fn whole(&self, piece: &Range<usize>) -> Option<(Range<usize>, String)> {
        let first = piece.clone().find(|&i| self.is_text(i))?;
        let last = piece.clone().rfind(|&i| self.is_text(i))?;
        let start = if first > piece.start && self.is(first - 1, FIRST_SIGNS) { first - 1 } else { first };
        let end = (last + 1..piece.end).find(|&i| !self.is(i, LAST_SIGNS)).unwrap_or(piece.end);
        let mut ranges = vec![start..end, first..end, start..last + 1, first..last + 1];
        ranges.dedup();
        ranges.into_iter().find_map(|range| {
            if range.len() == 1 {
                return Some((range.clone(), self.alone(range.start)?));
            }
            let spelling = Spelling::of(self.written(&range))?;
            let inside = range == (first..last + 1);
            // Marks between plain words hide nothing but what is worth hiding.
            let plain =
                range.clone().filter(|&i| self.is_text(i)).all(|i| self.is_settled(i) && self.lower(i).len() > 1);
            let reading = self.reading(&spelling, plain || !inside)?;
            (inside || spelling.ends_well()).then_some((range, reading.word))
        })
    }

    /// What a single word that is not settled says.
    fn alone(&self, i: usize) -> Option<String> {
        if self.is_settled(i) {
            return None;
        }
        let lower = self.lower(i);
        let plain = lower.bytes().all(|b| b.is_ascii_lowercase() || b == b'\'');
        let reading = if plain {
            self.misspelt(lower)?
        } else {
            let is_mention = self.word(i).is_some_and(|word| word.kind == Kind::Mention);
            self.reading(&Spelling::of(self.written(&(i..i + 1)))?, is_mention)?
        };
        // A spelling that training saw has its own weight.
        let own = self.row(i).map_or(0.0, |row| self.lexicon.standing(row).weight);
        (reading.word != self.lower(i) && (own == 0.0 || reading.standing.weight > own)).then_some(reading.word)
    }

    /// A word of nothing but letters: stretched, or mistyped.
    fn misspelt(&self, lower: &str) -> Option<Reading> {
        self.squeezed(lower).or_else(|| {
            let (word, standing) = self.lexicon.misspelt(lower)?;
            Some(Reading { word: word.to_owned(), standing })
        })
    }

    fn known(&self, word: String) -> Option<Reading> {
        let standing = self.lexicon.find(&word).filter(|s| s.settled || s.heavy)?;
        Some(Reading { word, standing })
    }

    /// A known word with fewer of some letters; a heavy one if no letter stands three times in a row.
    fn squeezed(&self, lower: &str) -> Option<Reading> {
        let stretched = lower.as_bytes().windows(3).any(|w| w[0] == w[1] && w[1] == w[2]);
        let shorter = squeezed(lower).into_iter().filter_map(|word| self.known(word));
        shorter.filter(|r| stretched || r.standing.heavy).reduce(Reading::better)
    }

    /// The word that look-alikes, digits and marks stand for.
    fn reading(&self, spelling: &Spelling, only_heavy: bool) -> Option<Reading> {
        let only_heavy = only_heavy || spelling.is_doubtful();
        let known = |word: String| {
            let squeezed = self.squeezed(&word);
            self.known(word).or(squeezed)
        };
        let is_sound =
            |r: &Reading| r.word.len() >= SHORTEST && r.standing.counts() && (r.standing.heavy || !only_heavy);
        let exact = spelling.readings().into_iter().filter_map(known).filter(is_sound).reduce(Reading::better);
        let guessed = spelling.shape().and_then(|shape| {
            let (word, standing) = self.lexicon.heaviest(&shape, spelling.is_starred() && !only_heavy)?;
            Some(Reading { word: word.to_owned(), standing })
        });
        match (exact, guessed) {
            (Some(exact), Some(guessed)) => Some(exact.better(guessed)),
            (exact, guessed) => exact.or(guessed),
        }
    }

    /// Single letters with blanks between them, `i d i o t`, also `i. d. i. o. t.`; returns the word after them.
    fn spaced(&mut self, at: usize) -> Option<usize> {
        let letters = self.single_letters(at);
        if letters.len() < SHORTEST {
            return None;
        }
        let (first, last) = (*letters.first()?, *letters.last()?);
        let spelling = Spelling::of(self.written(&(first..last + 1)))?;
        // Marks between them make initials more likely.
        let marked = last + 1 - first > letters.len();
        if let Some(reading) = self.reading(&spelling, marked) {
            self.edits.push((first..last + 1, reading.word));
        } else {
            let run: Vec<&str> = letters.iter().map(|&i| self.lower(i)).collect();
            let hidden = self.hidden(&run);
            self.edits.extend(
                hidden.into_iter().map(|(place, word)| (letters[place.start]..letters[place.end - 1] + 1, word)),
            );
        }
        Some(last + 1)
    }

    /// The words of one character from word `at` on, with a blank between them and at most one mark.
    fn single_letters(&self, at: usize) -> Vec<usize> {
        let is_single = |i: usize| self.is_text(i) && self.lower(i).chars().count() == 1;
        let is_blank = |i: usize| self.gap(i).is_some_and(|gap| gap.contains(char::is_whitespace));
        let mut letters = Vec::new();
        let mut i = at;
        while is_single(i) && letters.len() < LONGEST_RUN {
            letters.push(i);
            i += 1;
            if self.is(i, ".-*_/|~") && self.gap(i).is_some() {
                if !is_blank(i) && !is_blank(i + 1) {
                    break;
                }
                i += 1;
            } else if !is_blank(i) {
                break;
            }
        }
        letters
    }

    /// Heavy words within a run of single letters that is no word as a whole: the `idiot` of `a n i d i o t`, no part of `g r a s s`.
    fn hidden(&self, run: &[&str]) -> Vec<(Range<usize>, String)> {
        let mut found = Vec::new();
        let whole = self.lexicon.find(&run.concat()).is_some_and(|s| s.settled);
        let mut start = if whole { run.len() } else { 0 };
        while start + SHORTEST <= run.len() {
            let here = (start + SHORTEST..=run.len()).rev().find_map(|end| {
                let word = run[start..end].concat();
                self.lexicon.find(&word).is_some_and(|s| s.heavy).then_some((start..end, word))
            });
            start = here.as_ref().map_or(start + 1, |(place, _)| place.end);
            found.extend(here);
        }
        found
    }
}
