//! How a reply opens and closes: its first words by place, its first pair and triple, its last words. Reply stance lives there.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::text::words::Words;

const FIRST: usize = 4;
const LAST: usize = 2;

/// Appends the names of the start features of a text, each at most once.
pub fn of(words: &Words, names: &mut Vec<u64>) {
    let from = names.len();
    let name = |hash: u64, seed: u64| xxh3_64_with_seed(&hash.to_le_bytes(), seed);
    for (place, word) in words.iter().take(FIRST).enumerate() {
        names.push(name(word.hash, 10));
        names.push(name(word.hash, 11 + place as u64));
    }
    let first: Vec<u64> = words.iter().take(3).map(|w| w.hash).collect();
    for size in 2..=first.len() {
        let joined = first[..size].iter().fold(0, |all: u64, h| all.rotate_left(21) ^ h);
        names.push(name(joined, 18 + size as u64));
    }
    let last = words.len().saturating_sub(LAST);
    names.extend(words.iter().skip(last.max(FIRST)).map(|word| name(word.hash, 30)));
    names[from..].sort_unstable();
    let mut kept = from;
    for i in from..names.len() {
        if i == from || names[i] != names[kept - 1] {
            names[kept] = names[i];
            kept += 1;
        }
    }
    names.truncate(kept);
}
