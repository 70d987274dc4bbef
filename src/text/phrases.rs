//! Which words of one text stand in another, in the same order: how quotations are recognised.

use std::ops::Range;

/// Places of a text that are compared for one place of the other; keeps texts of one repeated word linear.
const PLACES: usize = 32;

/// A word of a text: the hash of its letters without case and apostrophes, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) hash: u64,
    pub(crate) at: Range<usize>,
}

/// The words of `text`, their ranges counted from `offset`.
pub(crate) fn words(text: &str, offset: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let mut open: Option<Word> = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let beyond = if b.is_ascii() { None } else { text.get(at..).and_then(|rest| rest.chars().next()) };
        let len = if let Some(c) = beyond {
            read(c, offset + at, &mut open, &mut words);
            c.len_utf8()
        } else {
            read_ascii(b, offset + at, &mut open, &mut words);
            1
        };
        at += len;
    }
    words.extend(open);
    words
}

fn read(c: char, at: usize, open: &mut Option<Word>, words: &mut Vec<Word>) {
    // Signs inside a word that pages add, drop or curl.
    if is_silent(c) {
        return;
    }
    if c.is_alphanumeric() {
        let word = open.get_or_insert(Word { hash: FNV_START, at: at..at });
        for low in c.to_lowercase() {
            word.hash = (word.hash ^ u64::from(u32::from(low))).wrapping_mul(FNV_STEP);
        }
        word.at.end = at + c.len_utf8();
    } else {
        words.extend(open.take());
    }
}

/// The same for a character of ASCII: most of any text.
#[inline]
fn read_ascii(b: u8, at: usize, open: &mut Option<Word>, words: &mut Vec<Word>) {
    if b.is_ascii_alphanumeric() {
        let word = open.get_or_insert(Word { hash: FNV_START, at: at..at });
        word.hash = (word.hash ^ u64::from(b.to_ascii_lowercase())).wrapping_mul(FNV_STEP);
        word.at.end = at + 1;
    } else if !is_silent(char::from(b)) {
        words.extend(open.take());
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_STEP: u64 = 0x0100_0000_01b3;

fn is_silent(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '\u{ad}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// The words of a text, and where each run of three stands.
#[derive(Debug)]
pub(crate) struct Phrases {
    words: Vec<u64>,
    /// Hash of three words and the place of the first, sorted.
    runs: Vec<(u64, usize)>,
}

impl Phrases {
    /// The words of `parent`.
    pub(crate) fn new(parent: &str) -> Self {
        let words: Vec<u64> = words(parent, 0).into_iter().map(|word| word.hash).collect();
        let mut runs: Vec<(u64, usize)> = words.windows(3).enumerate().map(|(at, run)| (run_hash(run), at)).collect();
        runs.sort_unstable();
        Self { words, runs }
    }

    /// How many words from the first on stand in the parent in this order.
    pub(crate) fn longest(&self, text: &[Word]) -> usize {
        let Some(head) = text.get(..3) else { return 0 };
        let head: Vec<u64> = head.iter().map(|word| word.hash).collect();
        let hash = run_hash(&head);
        let from = self.runs.partition_point(|(other, _)| *other < hash);
        let places = self.runs.iter().skip(from).take_while(|(other, _)| *other == hash).take(PLACES);
        let shared = |at: usize| {
            let parent = self.words.get(at..).unwrap_or_default();
            text.iter().zip(parent).take_while(|(word, other)| word.hash == **other).count()
        };
        places.map(|(_, at)| shared(*at)).max().unwrap_or(0)
    }

    /// How many words a quotation has if they stand here as they are, else 0.
    pub(crate) fn held(&self, quotation: &str) -> usize {
        let words = words(quotation, 0);
        if self.longest(&words) == words.len() { words.len() } else { 0 }
    }
}

fn run_hash(run: &[u64]) -> u64 {
    run.iter().fold(FNV_START, |hash, word| (hash ^ word).wrapping_mul(FNV_STEP).rotate_left(23))
}
