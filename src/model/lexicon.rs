//! Which words a model knows and which are worth hiding: what `text::normalize` reads deceitful spellings by.
//!
//! Nothing of it is stored: it is worked out from the folded table of words when a model is made or opened.

use std::collections::HashSet;

use rustc_hash::FxHashMap;

use super::{Manifest, Weights};
use crate::features::vectors::Vectors;
use crate::label::{self, Group};
use crate::text::normalize::{Letters, Lexicon, Standing};
use crate::text::words::hash;

/// How many words are worth hiding: the heaviest.
const HEAVY: usize = 3000;
/// Of a small vocabulary at most one word in so many is worth hiding.
const HEAVY_SHARE: usize = 12;
/// Words as common as the first ones are looked for behind misspellings if they weigh anything: `yuo`.
const COMMON: usize = 300;
/// Words among the first of the vectors are surely words, and so are those among the first of the training set: beyond them are misspellings.
const SETTLED_VECTORS: usize = 40_000;
/// See [`SETTLED_VECTORS`].
const SETTLED: usize = 2000;
/// Fewest letters of a word that is looked for behind misspellings, and of a misspelling.
const SHORTEST: usize = 3;

/// What a model's words are worth, by their rows in [`Weights::words`].
#[derive(Debug, Clone, Default)]
pub struct Worth {
    /// The largest weight of each word over the heads of incivility, 0 if none is positive.
    weights: Vec<f32>,
    /// Whether each word is surely one.
    settled: Vec<bool>,
    /// What the lightest heavy word weighs.
    heavy: f32,
    /// Words of `a` to `z` that weigh anything, by their length, heaviest first.
    by_length: Vec<Vec<u32>>,
    /// Words by the hashes of their misspellings.
    misspellings: FxHashMap<u64, u32>,
}

impl Worth {
    /// Works out what the words of `weights` are worth. Without vectors all words count as
    /// settled.
    pub fn of(manifest: &Manifest, weights: &Weights, vectors: Option<&Vectors>) -> Self {
        // A label of the user's own may be anything; one that is ours and not of incivility is none.
        let is_incivility = |name: &str| label::find(name).is_none_or(|l| l.group == Group::Incivility);
        let heads: Vec<usize> =
            (0..manifest.labels.len()).filter(|&k| is_incivility(&manifest.labels[k].name)).collect();
        let mut row = vec![0.0; weights.columns];
        let mut worth = Self::default();
        for (i, name) in weights.names.iter().enumerate() {
            row.fill(0.0);
            if i < weights.words.len() {
                weights.words.add(i as u32, &mut row);
            }
            worth
                .weights
                .push(heads.iter().filter_map(|&k| Some(row.get(k)? + weights.local(k, &row))).fold(0.0, f32::max));
            worth
                .settled
                .push(i < SETTLED || vectors.is_none_or(|v| v.rank(name).is_some_and(|rank| rank < SETTLED_VECTORS)));
        }
        worth.sort(&weights.names);
        worth
    }

    fn sort(&mut self, names: &[String]) {
        let is_plain = |name: &str| name.len() >= 2 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'\'');
        let mut words: Vec<u32> = (0..names.len() as u32)
            .filter(|&i| self.weights[i as usize] > 0.0 && is_plain(&names[i as usize]))
            .collect();
        words.sort_unstable_by(|&a, &b| self.weights[b as usize].total_cmp(&self.weights[a as usize]).then(a.cmp(&b)));
        words.retain(|&i| names[i as usize].len() >= SHORTEST);
        let heavy = HEAVY.min(names.len() / HEAVY_SHARE);
        self.heavy = words.get(heavy).or(words.last()).map_or(f32::INFINITY, |&i| self.weights[i as usize]);
        let common = words.iter().copied().filter(|&i| (i as usize) < COMMON);
        let settled: HashSet<&str> =
            names.iter().zip(&self.settled).filter(|(_, settled)| **settled).map(|(name, _)| name.as_str()).collect();
        for i in words.iter().copied().take(heavy).chain(common) {
            for misspelling in misspellings(&names[i as usize]) {
                if !settled.contains(misspelling.as_str()) {
                    self.misspellings.entry(hash(&misspelling)).or_insert(i);
                }
            }
        }
        for i in words {
            let name = &names[i as usize];
            if !name.contains('\'') {
                if self.by_length.len() <= name.len() {
                    self.by_length.resize(name.len() + 1, Vec::new());
                }
                self.by_length[name.len()].push(i);
            }
        }
    }

    fn standing(&self, row: u32) -> Standing {
        let weight = self.weights.get(row as usize).copied().unwrap_or_default();
        let settled = self.settled.get(row as usize).copied().unwrap_or_default();
        Standing { rank: row, weight, settled, heavy: weight >= self.heavy }
    }
}

/// A word with a letter left out, two swapped, or one doubled.
fn misspellings(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut out = Vec::new();
    for i in 0..letters.len() {
        let mut cut = letters.clone();
        cut.remove(i);
        if cut.len() >= SHORTEST {
            out.push(cut.into_iter().collect());
        }
        let mut doubled = letters.clone();
        doubled.insert(i, letters[i]);
        out.push(doubled.into_iter().collect());
        if i > 0 {
            let mut swapped = letters.clone();
            swapped.swap(i - 1, i);
            out.push(swapped.into_iter().collect());
        }
    }
    out
}

/// A model's words as the text layer asks for them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub weights: &'a Weights,
    pub worth: &'a Worth,
}

impl Known<'_> {
    fn name(&self, row: u32) -> Option<(&str, Standing)> {
        Some((self.weights.names.get(row as usize)?.as_str(), self.worth.standing(row)))
    }
}

impl Lexicon for Known<'_> {
    fn row(&self, hash: u64) -> Option<u32> {
        self.weights.words.find(hash)
    }

    fn standing(&self, row: u32) -> Standing {
        self.worth.standing(row)
    }

    fn heaviest(&self, shape: &[Letters], light: bool) -> Option<(&str, Standing)> {
        let fits = |name: &str| name.bytes().zip(shape).all(|(b, letters)| letters & (1 << (b - b'a')) != 0);
        let candidates = self.worth.by_length.get(shape.len())?.iter().filter_map(|&row| self.name(row));
        candidates
            .take_while(|(_, s)| light || s.heavy)
            .filter(|(_, s)| s.settled || s.heavy)
            .find(|(name, _)| fits(name))
    }

    fn misspelt(&self, word: &str) -> Option<(&str, Standing)> {
        self.name(*self.worth.misspellings.get(&hash(word))?)
    }
}

#[cfg(test)]
mod tests {
    use super::misspellings;

    #[test]
    fn misspellings_leave_out_swap_or_double_one_letter() {
        let of = misspellings("fool");
        for wanted in ["ool", "fol", "foo", "ofol", "folo", "ffool", "foool", "fooll"] {
            assert!(of.iter().any(|w| w == wanted), "{wanted}");
        }
        assert!(misspellings("ass").iter().all(|w| w.len() >= 3));
    }
}
