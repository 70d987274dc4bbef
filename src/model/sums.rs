//! What every word and word pair of a text says for every head, and what any stretch of it adds up to.

use std::ops::Range;

use super::peaks;

/// The rows of a text's words and pairs: `columns` numbers each, from head `first` on.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    first: usize,
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
    /// Empties it for a text of `n` words and the heads from number `first` on; `base` and `window_base` are what no word of the whole
    /// and of a window has.
    pub fn reset(&mut self, first: usize, base: Vec<f32>, window_base: Vec<f32>, n: usize) {
        self.first = first;
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
        self.words[i * self.columns + k - self.first]
    }

    /// What the pair that the `i`-th word closes says for head `k`.
    pub fn pair(&self, i: usize, k: usize) -> f32 {
        self.pairs[i * self.columns + k - self.first]
    }

    /// The linear logits of its heads for the whole text: `base + (words + pairs) / √n`.
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
        self.totals.clear();
        self.totals.resize(self.columns, 0.0);
        let rows = range.start * self.columns..range.end * self.columns;
        let (words, pairs) = (&self.words[rows.clone()], &self.pairs[rows]);
        pulp::Arch::new().dispatch(AddUp { words, pairs, totals: &mut self.totals });
    }

    /// The peaks of head `k`, one a size of [`peaks::SIZES`].
    pub fn peaks(&self, k: usize) -> [peaks::Peak; peaks::COUNT] {
        peaks::SIZES.map(|size| peaks::highest(0..self.len(), size, |i| self.word(i, k), |i| self.pair(i, k)))
    }
}

/// Rows to be added up in the widest instructions there are: the sum of words and the pairs inside, over the square root of their number.
struct AddUp<'a> {
    words: &'a [f32],
    pairs: &'a [f32],
    totals: &'a mut [f32],
}

impl pulp::WithSimd for AddUp<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { words, pairs, totals } = self;
        let columns = totals.len().max(1);
        for (i, (word, pair)) in words.chunks_exact(columns).zip(pairs.chunks_exact(columns)).enumerate() {
            totals.iter_mut().zip(word).for_each(|(sum, v)| *sum += v);
            // The pair that the first word closes began outside.
            if i > 0 {
                totals.iter_mut().zip(pair).for_each(|(sum, v)| *sum += v);
            }
        }
        let scale = ((words.len() / columns).max(1) as f32).sqrt().recip();
        totals.iter_mut().for_each(|sum| *sum *= scale);
    }
}
