//! What every word and word pair of a text says for every head, and what any stretch of it adds up to.

use std::ops::Range;

use super::peaks;

/// The rows of a text's words and pairs: `columns` numbers each.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    columns: usize,
    /// Intercept and style: the part that no word has.
    base: Vec<f32>,
    /// The same for a window.
    window_base: Vec<f32>,
    words: Vec<f32>,
    pairs: Vec<f32>,
    totals: Vec<f32>,
}

impl Sums {
    /// Empties it for a text of `n` words; `base` and `window_base` are what no word of the whole and of a window has.
    pub fn reset(&mut self, base: Vec<f32>, window_base: Vec<f32>, n: usize) {
        self.columns = base.len();
        self.base = base;
        self.window_base = window_base;
        for rows in [&mut self.words, &mut self.pairs] {
            rows.clear();
            rows.resize(n * self.columns, 0.0);
        }
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len() / self.columns.max(1)
    }

    /// True without words.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The row of the `i`-th word, to be filled.
    pub fn word_mut(&mut self, i: usize) -> &mut [f32] {
        self.words.get_mut(i * self.columns..(i + 1) * self.columns).unwrap_or_default()
    }

    /// The row of the pair that the `i`-th word closes, to be filled.
    pub fn pair_mut(&mut self, i: usize) -> &mut [f32] {
        self.pairs.get_mut(i * self.columns..(i + 1) * self.columns).unwrap_or_default()
    }

    /// What the `i`-th word says for head `k`.
    pub fn word(&self, i: usize, k: usize) -> f32 {
        self.words[i * self.columns + k]
    }

    /// What the pair that the `i`-th word closes says for head `k`.
    pub fn pair(&self, i: usize, k: usize) -> f32 {
        self.pairs[i * self.columns + k]
    }

    /// The linear logits of all heads for the whole text: `base + (words + pairs) / √n`.
    pub fn whole(&mut self) -> &[f32] {
        self.add_up(&(0..self.len()));
        self.totals.iter_mut().zip(&self.base).for_each(|(sum, base)| *sum += base);
        &self.totals
    }

    /// The same for a window of it: the words `window` and the pairs inside.
    pub fn window(&mut self, window: &Range<usize>) -> &[f32] {
        self.add_up(window);
        self.totals.iter_mut().zip(&self.window_base).for_each(|(sum, base)| *sum += base);
        &self.totals
    }

    fn add_up(&mut self, range: &Range<usize>) {
        let scale = (range.len().max(1) as f32).sqrt().recip();
        self.totals.clear();
        self.totals.resize(self.columns, 0.0);
        for i in range.clone() {
            let row = i * self.columns..(i + 1) * self.columns;
            self.totals.iter_mut().zip(&self.words[row.clone()]).for_each(|(sum, v)| *sum += v);
            // The pair that the first word closes began outside.
            if i > range.start {
                self.totals.iter_mut().zip(&self.pairs[row]).for_each(|(sum, v)| *sum += v);
            }
        }
        self.totals.iter_mut().for_each(|sum| *sum *= scale);
    }

    /// The peaks of head `k`, one a size of [`peaks::SIZES`].
    pub fn peaks(&self, k: usize) -> [peaks::Peak; peaks::COUNT] {
        peaks::SIZES.map(|size| peaks::highest(0..self.len(), size, |i| self.word(i, k), |i| self.pair(i, k)))
    }
}
