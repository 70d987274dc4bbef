//! Folded tables: one row of all heads' weights a word, word pair, n-gram or subword, signed bytes with one half-precision scale a row.

use std::path::Path;

use half::f16;
use rustc_hash::FxHashMap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Error, Result};
use crate::features::vectors::half_numbers;

/// A table of weights by name, `width` numbers a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    names: Vec<u64>,
    rows: FxHashMap<u64, u32>,
    values: Vec<i8>,
    scales: Vec<f16>,
    width: usize,
}

/// Something's bytes under the names of a safetensors file.
pub type Tensors = Vec<(String, Dtype, Vec<usize>, Vec<u8>)>;

impl Table {
    /// Quantises rows of `width` weights: each gets its own scale, the largest weight becoming ±127. Nothing is clipped.
    pub fn build(width: usize, rows: impl Iterator<Item = (u64, Vec<f32>)>) -> Self {
        let mut table = Self { width, ..Self::default() };
        for (name, row) in rows {
            let largest = row.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            // Rounded up, so that the largest weight still fits after the scale lost digits.
            let mut scale = f16::from_f32(largest / 127.0);
            if scale.to_f32() * 127.0 < largest {
                scale = f16::from_bits(scale.to_bits() + 1);
            }
            let unit = scale.to_f32();
            table.values.extend(row.iter().map(|v| if unit > 0.0 { (v / unit).round() as i8 } else { 0 }));
            table.scales.push(scale);
            table.names.push(name);
        }
        table.index();
        table
    }

    fn index(&mut self) {
        self.rows = self.names.iter().enumerate().map(|(i, name)| (*name, i as u32)).collect();
    }

    /// The row of a name.
    pub fn find(&self, name: u64) -> Option<u32> {
        self.rows.get(&name).copied()
    }

    /// The names, in the order of the rows.
    pub fn names(&self) -> &[u64] {
        &self.names
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Numbers a row has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A row as it is stored: its numbers and what they are to be multiplied by.
    pub fn row(&self, row: u32) -> (&[i8], f16) {
        let from = row as usize * self.width;
        (&self.values[from..from + self.width], self.scales[row as usize])
    }

    /// Adds a row to `sum`.
    pub fn add(&self, row: u32, sum: &mut [f32]) {
        self.add_from(row, 0, sum);
    }

    /// Adds the columns of a row from number `first` on to `sum`.
    pub fn add_from(&self, row: u32, first: usize, sum: &mut [f32]) {
        let (values, scale) = self.row(row);
        let values = values.get(first..).unwrap_or_default();
        pulp::Arch::new().dispatch(AddRow { values, scale: scale.to_f32(), sum });
    }

    /// The tensors `PREFIX.{names,values,scales}`.
    pub fn tensors(&self, prefix: &str, out: &mut Tensors) {
        out.push((
            format!("{prefix}.names"),
            Dtype::U64,
            vec![self.names.len()],
            bytemuck::cast_slice(&self.names).to_vec(),
        ));
        out.push((
            format!("{prefix}.scales"),
            Dtype::F16,
            vec![self.len()],
            bytemuck::cast_slice(&self.scales).to_vec(),
        ));
        let shape = vec![self.len(), self.width];
        out.push((format!("{prefix}.values"), Dtype::I8, shape, bytemuck::cast_slice(&self.values).to_vec()));
    }

    /// Reads what [`Self::tensors`] wrote.
    pub fn open(path: &Path, file: &SafeTensors<'_>, prefix: &str, width: usize) -> Result<Self> {
        let names = bytes(path, file, &format!("{prefix}.names"))?;
        let scales = bytes(path, file, &format!("{prefix}.scales"))?;
        let values = bytes(path, file, &format!("{prefix}.values"))?;
        let mut table = Self {
            names: names.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect(),
            scales: half_numbers(scales).map(f16::from_f32).collect(),
            values: values.iter().map(|b| b.cast_signed()).collect(),
            width,
            ..Self::default()
        };
        if table.names.len() != table.len() || table.values.len() != table.len() * width {
            return Err(Error::model(path, format!("the table `{prefix}` has a wrong size: the file is damaged")));
        }
        table.index();
        Ok(table)
    }
}

/// A row to be added in the widest instructions there are.
struct AddRow<'a> {
    values: &'a [i8],
    scale: f32,
    sum: &'a mut [f32],
}

impl pulp::WithSimd for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        for (sum, &value) in self.sum.iter_mut().zip(self.values) {
            *sum += f32::from(value) * self.scale;
        }
    }
}

/// The bytes of a tensor.
pub fn bytes<'a>(path: &Path, file: &SafeTensors<'a>, name: &str) -> Result<&'a [u8]> {
    file.tensor(name).map(|t| t.data()).map_err(|e| Error::model(path, format!("{e}: the file is damaged")))
}

/// The numbers of an F32 tensor, `n` of them.
pub fn numbers(path: &Path, file: &SafeTensors<'_>, name: &str, n: usize) -> Result<Vec<f32>> {
    let numbers: Vec<f32> = bytes(path, file, name)?.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    if numbers.len() != n || numbers.iter().any(|v| !v.is_finite()) {
        return Err(Error::model(path, format!("`{name}` should hold {n} finite numbers: the file is damaged")));
    }
    Ok(numbers)
}

/// A safetensors file of `tensors`.
pub fn serialize(tensors: &Tensors) -> Result<Vec<u8>> {
    let wrong = |e: safetensors::SafeTensorError| Error::settings(format!("the tables could not be written: {e}"));
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| {
            Ok((name.clone(), TensorView::new(*dtype, shape.clone(), data).map_err(wrong)?))
        })
        .collect::<Result<Vec<_>>>()?;
    safetensors::serialize(views, None).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantised_weights_stay_within_half_a_step(row in proptest::collection::vec(-50.0f32..50.0, 1..24)) {
            let table = Table::build(row.len(), std::iter::once((7, row.clone())));
            let mut sum = vec![0.0; row.len()];
            table.add(table.find(7).unwrap(), &mut sum);
            let largest = row.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            for (a, b) in row.iter().zip(&sum) {
                prop_assert!((a - b).abs() <= largest / 127.0 * 0.51 + 1e-4, "{a} {b}");
            }
        }
    }
}
