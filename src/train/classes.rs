//! Training over classes that exclude each other: one sparse head a class, then a multinomial regression over few dense inputs.

use ndarray::Array2;
use rayon::prelude::*;

use super::fit::Run;
use super::gather::ClassRows;
use super::heads::{Blocks, Head, Shared, Task};
use super::recipe::Settings;
use crate::error::Result;
use crate::model::multinomial::Multinomial;

/// L2 strength of the multinomial steps.
const STEP_ALPHA: f64 = 3.0;
/// Most iterations of a multinomial step.
pub(super) const ITERATIONS: u64 = 300;

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
        self.class_heads_on(shared, what, rows, blocks, &[], settings, heads)
    }

    /// The same with first-stage heads as further inputs, by number.
    #[allow(clippy::too_many_arguments, reason = "what a fit needs, and the heads to add to")]
    pub(super) fn class_heads_on(
        &self,
        shared: &Shared,
        what: &str,
        rows: &ClassRows,
        blocks: Blocks,
        stack: &[usize],
        settings: &Settings,
        heads: &mut Vec<Head>,
    ) -> Result<(usize, Vec<Vec<f64>>)> {
        let first = heads.len();
        let mut logits = Vec::new();
        for (class, name) in rows.classes.iter().enumerate() {
            let targets: Vec<f32> = rows.truth.iter().map(|&t| if t == class { 1.0 } else { 0.0 }).collect();
            let task = Task {
                rows: &rows.rows,
                targets: &targets,
                blocks,
                stack,
                l2: &[settings.l2_stance],
                ..Task::default()
            };
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
        let mut out_of_fold = vec![Vec::new(); rows.truth.len()];
        for (fold, step) in self.fold_steps(shared, rows, inputs, balanced, ITERATIONS)?.iter().enumerate() {
            let in_fold = |i: &usize| shared.folds[rows.rows[*i] as usize] == fold;
            (0..rows.truth.len()).filter(in_fold).for_each(|i| out_of_fold[i] = step.probabilities(&inputs[i]));
        }
        let all: Vec<usize> = (0..rows.truth.len()).collect();
        Ok((self.step_on(rows, inputs, &all, balanced, ITERATIONS)?, out_of_fold))
    }

    /// The multinomial step fitted on some of the rows, by their places.
    pub(super) fn step_on(
        &self,
        rows: &ClassRows,
        inputs: &[Vec<f32>],
        places: &[usize],
        balanced: bool,
        iterations: u64,
    ) -> Result<Multinomial> {
        let width = inputs.first().map_or(0, Vec::len);
        let mut weights = vec![1.0; rows.rows.len()];
        if balanced {
            weights = self.class_weights(&rows.rows, &rows.truth, rows.classes.len());
        }
        let held_out = weights.iter_mut().zip(&rows.rows).filter(|(_, row)| self.is_held_out(**row));
        held_out.for_each(|(weight, _)| *weight = 0.0);
        let matrix = Array2::from_shape_fn((places.len(), width), |(r, c)| f64::from(inputs[places[r]][c]));
        let truth: Vec<usize> = places.iter().map(|&i| rows.truth[i]).collect();
        let weights: Vec<f32> = places.iter().map(|&i| weights[i]).collect();
        Multinomial::fit(&rows.classes, &matrix, &truth, &weights, STEP_ALPHA, iterations)
    }

    /// The step fitted on all folds but each.
    fn fold_steps(
        &self,
        shared: &Shared,
        rows: &ClassRows,
        inputs: &[Vec<f32>],
        balanced: bool,
        iterations: u64,
    ) -> Result<Vec<Multinomial>> {
        let in_fold = |i: usize, fold: usize| shared.folds[rows.rows[i] as usize] == fold;
        let steps = (0..self.settings.folds).into_par_iter().map(|fold| {
            let others: Vec<usize> = (0..rows.truth.len()).filter(|&i| !in_fold(i, fold)).collect();
            self.step_on(rows, inputs, &others, balanced, iterations)
        });
        steps.collect()
    }

    /// What the step, all classes counting alike, says of each row when fitted on the other folds.
    pub(super) fn step_logits(
        &self,
        shared: &Shared,
        rows: &ClassRows,
        inputs: &[Vec<f32>],
        iterations: u64,
    ) -> Result<Vec<Vec<f32>>> {
        let steps = self.fold_steps(shared, rows, inputs, true, iterations)?;
        Ok((0..rows.truth.len()).map(|i| steps[shared.folds[rows.rows[i] as usize]].logits(&inputs[i])).collect())
    }
}

/// The place of the largest number, the first of several.
pub(super) fn largest(numbers: &[f32]) -> usize {
    (0..numbers.len()).max_by(|&a, &b| numbers[a].total_cmp(&numbers[b]).then(b.cmp(&a))).unwrap_or_default()
}
