//! Training over classes that exclude each other: one sparse head a class, then a multinomial regression over few dense inputs.

use ndarray::Array2;

use super::fit::Run;
use super::gather::ClassRows;
use super::heads::{Blocks, Head, Shared, Task};
use super::recipe::Settings;
use crate::error::Result;
use crate::model::multinomial::Multinomial;

/// L2 strength of the multinomial steps.
const STEP_ALPHA: f64 = 3.0;

impl Run<'_> {
    /// One head a class, by `settings`; returns the column of the first and the out-of-fold logits by class.
    pub(super) fn class_heads(
        &self,
        shared: &Shared,
        what: &str,
        rows: &ClassRows,
        blocks: Blocks,
        settings: &Settings,
        heads: &mut Vec<Head>,
    ) -> Result<(usize, Vec<Vec<f64>>)> {
        let first = heads.len();
        let mut logits = Vec::new();
        for (class, name) in rows.classes.iter().enumerate() {
            let targets: Vec<f32> = rows.truth.iter().map(|&t| if t == class { 1.0 } else { 0.0 }).collect();
            let task =
                Task { rows: &rows.rows, targets: &targets, weights: &[], blocks, l2: settings.l2_stance, stack: &[] };
            let head = self.fit_by(settings, shared, &format!("{what}, {name}"), task, settings.balanced)?;
            logits.push(head.out_of_fold.clone());
            heads.push(head);
        }
        Ok((first, logits))
    }

    /// The multinomial step over dense inputs, and the probabilities it gives to rows of folds that it was not fitted on.
    pub(super) fn step_of(
        &self,
        shared: &Shared,
        rows: &ClassRows,
        inputs: &[Vec<f32>],
        balanced: bool,
    ) -> Result<(Multinomial, Vec<Vec<f32>>)> {
        let width = inputs.first().map_or(0, Vec::len);
        let weights = if balanced {
            self.class_weights(&rows.rows, &rows.truth, rows.classes.len())
        } else {
            vec![1.0; rows.rows.len()]
        };
        let fit = |places: &[usize]| {
            let matrix = Array2::from_shape_fn((places.len(), width), |(r, c)| f64::from(inputs[places[r]][c]));
            let truth: Vec<usize> = places.iter().map(|&i| rows.truth[i]).collect();
            let weights: Vec<f32> = places.iter().map(|&i| weights[i]).collect();
            Multinomial::fit(&rows.classes, &matrix, &truth, &weights, STEP_ALPHA)
        };
        let mut out_of_fold = vec![Vec::new(); rows.truth.len()];
        for fold in 0..self.settings.folds {
            let in_fold = |i: &usize| shared.folds[rows.rows[*i] as usize] == fold;
            let (test, train): (Vec<usize>, Vec<usize>) = (0..rows.truth.len()).partition(in_fold);
            let step = fit(&train)?;
            for i in test {
                out_of_fold[i] = step.probabilities(&inputs[i]);
            }
        }
        Ok((fit(&(0..rows.truth.len()).collect::<Vec<_>>())?, out_of_fold))
    }
}
