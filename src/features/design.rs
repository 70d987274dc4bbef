//! The design matrix of a fit, factored: rows to word types, word types to their features.
//!
//! `X = [W·T | W·E | D]` with `W` rows × word types (counts over √n), `T` word types × their sparse features (the word itself,
//! character n-grams, subwords), `E` word types × dimensions of their vectors, `D` rows × direct features (word pairs, style,
//! sources). The factors need about a seventh of the entries of `X`, and `T·w + E·g` of a fitted `w` is the folded word table.

use std::sync::Arc;

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::rows::Rows;

/// Word types handled by one thread at a time; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 2048;

/// A factored matrix of training rows. Columns: type features, vector dimensions, direct features. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Design(Arc<Factors>);

#[derive(Debug)]
struct Factors {
    words: Rows,
    types: Rows,
    vectors: Array2<f32>,
    direct: Rows,
    words_by_column: Rows,
    types_by_column: Rows,
    direct_by_column: Rows,
}

impl Design {
    /// A design from its factors. `words` and `direct` have one row a training row; `types` and `vectors` one a column of `words`.
    pub fn new(words: Rows, types: Rows, vectors: Array2<f32>, direct: Rows) -> Self {
        debug_assert_eq!(words.len(), direct.len());
        debug_assert!(types.len() == words.width() && vectors.nrows() == words.width());
        Self(Arc::new(Factors {
            words_by_column: words.transposed(),
            types_by_column: types.transposed(),
            direct_by_column: direct.transposed(),
            words,
            types,
            vectors,
            direct,
        }))
    }

    /// A design of direct features only, for data that is not text.
    pub fn dense(rows: &Array2<f64>) -> Self {
        let mut direct = Rows::new(rows.ncols());
        let mut words = Rows::new(0);
        for row in rows.axis_iter(Axis(0)) {
            direct.push(row.iter().enumerate().map(|(c, &v)| (c as u32, v as f32)));
            words.push([]);
        }
        Self::new(words, Rows::new(0), Array2::zeros((0, 0)), direct)
    }

    /// Number of training rows.
    pub fn len(&self) -> usize {
        self.0.direct.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Columns of the type features.
    pub fn type_features(&self) -> usize {
        self.0.types.width()
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.0.types.width() + self.0.vectors.ncols() + self.0.direct.width()
    }

    /// The folded word table of weights `w`: one number a word type.
    pub fn fold(&self, w: &[f64]) -> Vec<f64> {
        let (on_types, rest) = w.split_at(self.0.types.width());
        let on_vectors = &rest[..self.0.vectors.ncols()];
        let mut folded = vec![0.0; self.0.types.len()];
        self.0.types.add_product(on_types, &mut folded);
        if !on_vectors.is_empty() {
            folded.par_iter_mut().zip(self.0.vectors.axis_iter(Axis(0)).into_par_iter()).for_each(|(f, e)| {
                *f += e.iter().zip(on_vectors).map(|(&e, &g)| f64::from(e) * g).sum::<f64>();
            });
        }
        folded
    }

    /// `X·w`, one number a row.
    pub fn product(&self, w: &[f64]) -> Vec<f64> {
        let mut z = vec![0.0; self.len()];
        self.0.words.add_product(&self.fold(w), &mut z);
        self.0.direct.add_product(&w[self.0.types.width() + self.0.vectors.ncols()..], &mut z);
        z
    }

    /// `Xᵀ·r`, one number a column.
    pub fn transposed_product(&self, r: &[f64]) -> Vec<f64> {
        let mut on_words = vec![0.0; self.0.words.width()];
        self.0.words_by_column.add_product(r, &mut on_words);
        let mut gradient = vec![0.0; self.width()];
        let (on_types, rest) = gradient.split_at_mut(self.0.types.width());
        let (on_vectors, on_direct) = rest.split_at_mut(self.0.vectors.ncols());
        self.0.types_by_column.add_product(&on_words, on_types);
        if !on_vectors.is_empty() {
            let dimensions = on_vectors.len();
            let parts: Vec<Vec<f64>> = self
                .0
                .vectors
                .axis_chunks_iter(Axis(0), CHUNK)
                .into_par_iter()
                .zip(on_words.par_chunks(CHUNK))
                .map(|(vectors, on_words)| {
                    let mut part = vec![0.0; dimensions];
                    for (e, &r) in vectors.axis_iter(Axis(0)).zip(on_words).filter(|(_, r)| **r != 0.0) {
                        part.iter_mut().zip(e).for_each(|(p, &e)| *p += f64::from(e) * r);
                    }
                    part
                })
                .collect();
            for part in parts {
                on_vectors.iter_mut().zip(part).for_each(|(g, p)| *g += p);
            }
        }
        self.0.direct_by_column.add_product(r, on_direct);
        gradient
    }
}
