//! Sparse rows in compressed form, and the products that training needs of them, the same whatever the number of threads.

use rayon::prelude::*;

/// Rows handled by one thread at a time.
const CHUNK: usize = 1024;

/// A sparse matrix by rows (CSR).
#[derive(Debug, Clone, Default)]
pub struct Rows {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    width: usize,
}

impl Rows {
    /// No rows yet, of `width` columns.
    pub fn new(width: usize) -> Self {
        Self { starts: vec![0], columns: Vec::new(), values: Vec::new(), width }
    }

    /// Appends a row. Columns must be below the width; one that is not is left out.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, value) in row {
            if (column as usize) < self.width {
                self.columns.push(column);
                self.values.push(value);
            }
        }
        self.starts.push(self.columns.len());
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The entries of row `i`: column and value.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = self.starts[i]..self.starts[i + 1];
        self.columns[range.clone()].iter().zip(&self.values[range]).map(|(&c, &v)| (c as usize, v))
    }

    /// The matrix by columns, as rows of its transpose.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0usize; self.width + 1];
        for &c in &self.columns {
            starts[c as usize + 1] += 1;
        }
        for i in 0..self.width {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut columns = vec![0u32; self.columns.len()];
        let mut values = vec![0f32; self.values.len()];
        for r in 0..self.len() {
            for (c, v) in self.row(r) {
                let slot = next[c];
                next[c] += 1;
                columns[slot] = r as u32;
                values[slot] = v;
            }
        }
        Self { starts, columns, values, width: self.len() }
    }

    /// Adds this matrix times `w` to `out`, one number a row.
    pub fn add_product(&self, w: &[f64], out: &mut [f64]) {
        out.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
            for (i, z) in out.iter_mut().enumerate() {
                *z += self.row(chunk * CHUNK + i).map(|(c, v)| f64::from(v) * w[c]).sum::<f64>();
            }
        });
    }

    /// The same matrix with only the columns that hold an entry, and for each of these its old number.
    pub fn compacted(mut self) -> (Self, Vec<u32>) {
        let mut used = vec![false; self.width];
        for &c in &self.columns {
            used[c as usize] = true;
        }
        let mut new = vec![0u32; self.width];
        let mut old = Vec::new();
        for (c, _) in used.iter().enumerate().filter(|(_, used)| **used) {
            new[c] = old.len() as u32;
            old.push(c as u32);
        }
        for c in &mut self.columns {
            *c = new[*c as usize];
        }
        self.width = old.len();
        (self, old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_multiplies_from_the_other_side() {
        let mut rows = Rows::new(4);
        rows.push([(0, 1.0), (3, 2.0)]);
        rows.push([]);
        rows.push([(3, -1.0), (1, 0.5), (9, 7.0)]);
        let mut z = vec![0.0; 3];
        rows.add_product(&[1.0, 2.0, 3.0, 4.0], &mut z);
        assert_eq!(z, [9.0, 0.0, -3.0]);
        let mut g = vec![0.0; 4];
        rows.transposed().add_product(&[1.0, 1.0, 2.0], &mut g);
        assert_eq!(g, [1.0, 1.0, 0.0, 0.0]);
        let (compact, old) = rows.compacted();
        assert_eq!((compact.width(), old), (3, vec![0, 1, 3]));
    }
}
