//! Word vectors, one signed byte a number with one scale a dimension.
//!
//! Made for `GloVe` 6B 100d (Pennington, Socher & Manning 2014, public domain); any word2vec or `GloVe` text file does.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use half::f16;
use rustc_hash::FxHashMap;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use crate::error::{Error, Result};
use crate::text::words::hash;

/// Vectors of words, all of one dimension.
#[derive(Debug, Clone, Default)]
pub struct Vectors {
    names: Vec<String>,
    rows: FxHashMap<u64, u32>,
    values: Vec<i8>,
    scales: Vec<f32>,
}

/// A vector to be added in the widest instructions there are.
struct AddRow<'a> {
    values: &'a [i8],
    scales: &'a [f32],
    factor: f32,
    sum: &'a mut [f32],
}

impl pulp::WithSimd for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { values, scales, factor, sum } = self;
        for ((sum, &value), scale) in sum.iter_mut().zip(values).zip(scales) {
            *sum += f32::from(value) * scale * factor;
        }
    }
}

impl Vectors {
    /// Numbers a vector has.
    pub fn dimension(&self) -> usize {
        self.scales.len()
    }

    /// The words, most frequent first where the source was in that order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True without words.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Place of a word among all, most frequent first where the source was in that order.
    pub fn rank(&self, word: &str) -> Option<usize> {
        self.rows.get(&hash(word)).map(|&row| row as usize)
    }

    /// Adds the vector of a word, times `factor`, to `sum`. A contraction that has none backs off to its spelling without the
    /// apostrophe (`dont`), then to the mean of its parts (`do`, `not`). False if nothing is known of the word.
    pub fn add(&self, word: &str, factor: f32, sum: &mut [f32]) -> bool {
        self.add_hashed(hash(word), word, factor, sum)
    }

    /// The same for a word whose hash is known.
    pub fn add_hashed(&self, hashed: u64, word: &str, factor: f32, sum: &mut [f32]) -> bool {
        let find = |word: &str| self.rows.get(&hash(word)).copied();
        if let Some(&row) = self.rows.get(&hashed) {
            self.add_row(row, factor, sum);
            return true;
        }
        if !word.contains('\'') {
            return false;
        }
        if let Some(row) = find(&word.replace('\'', "")) {
            self.add_row(row, factor, sum);
            return true;
        }
        let parts = match word.strip_suffix("n't") {
            Some(stem) => [find(stem), find("not")],
            None => {
                word.split_once('\'').map_or([None, None], |(stem, ending)| [find(stem), find(&format!("'{ending}"))])
            }
        };
        let found = parts.iter().flatten().count();
        for row in parts.into_iter().flatten() {
            self.add_row(row, factor / found as f32, sum);
        }
        found > 0
    }

    fn add_row(&self, row: u32, factor: f32, sum: &mut [f32]) {
        let from = row as usize * self.dimension();
        let values = &self.values[from..from + self.dimension()];
        pulp::Arch::new().dispatch(AddRow { values, scales: &self.scales, factor, sum });
    }

    /// Reads a text file of vectors (one `word v1 v2 …` a line, with or without word2vec's head line), keeping the first
    /// `most` words and those `also` wants.
    pub fn read_text(path: &Path, most: usize, also: impl Fn(&str) -> bool) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        let mut names: Vec<String> = Vec::new();
        let mut values: Vec<f32> = Vec::new();
        let mut dimension = None;
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(|e| Error::io(path, e))?;
            let mut parts = line.trim_end().split(' ');
            let Some(name) = parts.next().filter(|n| !n.is_empty()) else { continue };
            if names.len() >= most && !also(name) {
                continue;
            }
            let from = values.len();
            for part in parts {
                let value: f32 = part.parse().ok().filter(|v: &f32| v.is_finite()).ok_or_else(|| {
                    Error::input(
                        format!("{}:{}", path.display(), number + 1),
                        format!(
                            "`{part}` is not a number: expected `word v1 v2 …`, the text format of GloVe and word2vec"
                        ),
                    )
                })?;
                values.push(value);
            }
            let width = values.len() - from;
            if number == 0 && width == 1 {
                values.clear(); // word2vec's head line: number of words, dimension
                continue;
            }
            if *dimension.get_or_insert(width) != width || width == 0 {
                return Err(Error::input(
                    format!("{}:{}", path.display(), number + 1),
                    format!("{width} numbers where the lines before have {}", dimension.unwrap_or_default()),
                ));
            }
            names.push(name.to_owned());
        }
        match dimension {
            Some(dimension) => Ok(Self::quantised(names, &values, dimension)),
            None => Err(Error::input(path.display(), "no vectors in this file")),
        }
    }

    fn quantised(names: Vec<String>, values: &[f32], dimension: usize) -> Self {
        let mut scales = vec![f32::MIN_POSITIVE; dimension];
        for row in values.chunks_exact(dimension) {
            for (scale, v) in scales.iter_mut().zip(row) {
                *scale = scale.max(v.abs() / 127.0);
            }
        }
        // As the file holds them, so that a model trained from its own file is the same model.
        scales.iter_mut().for_each(|scale| *scale = rounded_up(*scale));
        let values = values.iter().enumerate().map(|(i, v)| (v / scales[i % dimension]).round() as i8).collect();
        Self::assembled(names, values, scales)
    }

    fn assembled(names: Vec<String>, values: Vec<i8>, scales: Vec<f32>) -> Self {
        let mut rows = FxHashMap::with_capacity_and_hasher(names.len(), rustc_hash::FxBuildHasher);
        for (i, name) in names.iter().enumerate() {
            rows.entry(hash(name)).or_insert(i as u32);
        }
        Self { names, rows, values, scales }
    }

    /// The file as it stands in a model folder: `words` (joined by line breaks), `values` (i8), `scales` (f16).
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let words = self.names.join("\n");
        let scales: Vec<f16> = self.scales.iter().map(|&s| f16::from_f32(s)).collect();
        let view =
            |dtype, shape, bytes| TensorView::new(dtype, shape, bytes).map_err(|e| Error::settings(e.to_string()));
        let tensors = [
            ("words", view(Dtype::U8, vec![words.len()], words.as_bytes())?),
            ("values", view(Dtype::I8, vec![self.len(), self.dimension()], bytemuck::cast_slice(&self.values))?),
            ("scales", view(Dtype::F16, vec![self.dimension()], bytemuck::cast_slice(&scales))?),
        ];
        serialize(tensors, None).map_err(|e| Error::settings(e.to_string()))
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let wrong = |what: &str| Error::model(path, format!("{what}: the file is damaged"));
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| wrong(&e.to_string()))?;
        let tensor = |name: &str| tensors.tensor(name).map_err(|e| wrong(&e.to_string()));
        let words = tensor("words")?;
        let words = std::str::from_utf8(words.data()).map_err(|_| wrong("its words are not UTF-8"))?;
        let names: Vec<String> = words.split('\n').map(str::to_owned).collect();
        let scales: Vec<f32> = half_numbers(tensor("scales")?.data()).collect();
        let values: Vec<i8> = tensor("values")?.data().iter().map(|&b| b.cast_signed()).collect();
        if values.len() != names.len() * scales.len() {
            return Err(wrong("the number of words and of values differ"));
        }
        Ok(Self::assembled(names, values, scales))
    }

    /// Only the first `most` words and those `also` wants.
    #[must_use]
    pub fn cut(&self, most: usize, also: impl Fn(&str) -> bool) -> Cow<'_, Self> {
        let keep: Vec<usize> = (0..self.len()).filter(|&i| i < most || also(&self.names[i])).collect();
        if keep.len() == self.len() {
            return Cow::Borrowed(self);
        }
        let d = self.dimension();
        let values = keep.iter().flat_map(|&i| self.values[i * d..(i + 1) * d].iter().copied()).collect();
        let names = keep.iter().map(|&i| self.names[i].clone()).collect();
        Cow::Owned(Self::assembled(names, values, self.scales.clone()))
    }
}

/// The next number that half precision can hold.
fn rounded_up(value: f32) -> f32 {
    let half = f16::from_f32(value);
    if half.to_f32() < value { f16::from_bits(half.to_bits() + 1).to_f32() } else { half.to_f32() }
}

/// Half-precision numbers from their bytes, which need not be aligned.
pub fn half_numbers(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn text_vectors_read_back_from_their_file_and_contractions_back_off() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "4 2\ndo 1.0 -2.0\nnot 0.5 0.0\nit 0.1 0.2\nrare 9 9").unwrap();
        let vectors = Vectors::read_text(file.path(), 3, |_| false).unwrap();
        assert_eq!((vectors.len(), vectors.dimension()), (3, 2));
        let again = Vectors::from_bytes(file.path(), &vectors.to_bytes().unwrap()).unwrap();
        let mut sum = [0.0; 2];
        assert!(again.add("don't", 1.0, &mut sum));
        assert!((sum[0] - 0.75).abs() < 0.01 && (sum[1] + 1.0).abs() < 0.02, "{sum:?}");
        assert!(!again.add("unheard", 1.0, &mut sum));
    }

    #[test]
    fn a_line_that_is_no_vector_is_named() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "a 1 2\nb 1 x").unwrap();
        let error = Vectors::read_text(file.path(), 10, |_| false).unwrap_err().to_string();
        assert!(error.contains(":2: `x` is not a number"), "{error}");
    }
}
