//! What is added to the log-odds of the classes of a stance, so that the largest probability is the best decision for macro-F1.

use rayon::prelude::*;

use super::classes::{ITERATIONS, largest};
use super::fit::Run;
use super::gather::ClassRows;
use super::heads::Shared;
use super::metrics;
use crate::error::Result;
use crate::model::multinomial::{Multinomial, softmax};

/// The grid of what is added to the log-odds of a class: multiples of this, so many up and down.
const STEP: f32 = 0.2;
const STEPS: i8 = 8;
/// Rounds over the classes.
const ROUNDS: usize = 2;

impl Run<'_> {
    /// The multinomial step, all classes counting alike, with its biases; and the probabilities it gives to rows of folds that neither
    /// it nor its biases were found on.
    pub(super) fn decisive_step(
        &self,
        shared: &Shared,
        rows: &ClassRows,
        inputs: &[Vec<f32>],
    ) -> Result<(Multinomial, Vec<Vec<f32>>)> {
        let all: Vec<usize> = (0..rows.truth.len()).collect();
        let mut step = self.step_on(rows, inputs, &all, true, ITERATIONS)?;
        let mut logits = self.step_logits(shared, rows, inputs, ITERATIONS)?;
        let held_out = |i: &usize| self.is_held_out(rows.rows[*i]);
        all.iter().copied().filter(held_out).for_each(|i| logits[i] = step.logits(&inputs[i]));
        let (biases, _) = self.biases(rows, &logits, &self.judges(rows));
        step.intercepts.iter_mut().zip(&biases).for_each(|(intercept, bias)| *intercept += bias);
        let biases = self.fold_biases(shared, rows, &logits);
        let p = |(i, z): (usize, &Vec<f32>)| softmax(raised(z, &biases[shared.folds[rows.rows[i] as usize]]));
        Ok((step, logits.iter().enumerate().map(p).collect()))
    }

    /// Places of the rows that choices are made on: those of sources that are there for nothing else, where there are any.
    pub(super) fn judges(&self, rows: &ClassRows) -> Vec<usize> {
        let held_out: Vec<usize> = (0..rows.rows.len()).filter(|&i| self.is_held_out(rows.rows[i])).collect();
        if held_out.is_empty() { (0..rows.rows.len()).collect() } else { held_out }
    }

    /// What to add to the log-odds of the classes for the best macro-F1 of the rows at `places`, by coordinate search, and that
    /// macro-F1: the mean over the sources, so that a large one does not decide alone.
    pub(super) fn biases(&self, rows: &ClassRows, logits: &[Vec<f32>], places: &[usize]) -> (Vec<f32>, f64) {
        let classes = rows.classes.len();
        let mut by_source: Vec<Vec<usize>> = vec![Vec::new(); self.data.source_weights.len()];
        places.iter().for_each(|&i| by_source[self.data.sources[rows.rows[i] as usize]].push(i));
        by_source.retain(|places| !places.is_empty());
        let worth = |biases: &[f32]| {
            let of_source = |places: &Vec<usize>| macro_f1(classes, &rows.truth, logits, biases, places);
            by_source.iter().map(of_source).sum::<f64>() / by_source.len().max(1) as f64
        };
        let mut biases = vec![0.0; classes];
        let mut best = worth(&biases);
        for class in (0..classes).cycle().take(ROUNDS * classes) {
            for step in -STEPS..=STEPS {
                let mut tried = biases.clone();
                tried[class] = f32::from(step) * STEP;
                let worth = worth(&tried);
                if worth > best {
                    (biases, best) = (tried, worth);
                }
            }
        }
        (biases, best)
    }

    /// Macro-F1 of decisions about all rows that choices are made on.
    pub(super) fn macro_f1_of(&self, rows: &ClassRows, decided: &[usize]) -> f32 {
        let judges = self.judges(rows);
        let of_judges = |classes: &[usize]| judges.iter().map(|&i| classes[i]).collect::<Vec<_>>();
        metrics::multiclass(&rows.classes, &of_judges(&rows.truth), &of_judges(decided)).macro_f1 as f32
    }

    /// For each fold the biases found on the others.
    fn fold_biases(&self, shared: &Shared, rows: &ClassRows, logits: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let judges = self.judges(rows);
        (0..self.settings.folds)
            .into_par_iter()
            .map(|fold| {
                let is_other = |i: &usize| shared.folds[rows.rows[*i] as usize] != fold;
                self.biases(rows, logits, &judges.iter().copied().filter(is_other).collect::<Vec<_>>()).0
            })
            .collect()
    }
}

fn raised(logits: &[f32], biases: &[f32]) -> Vec<f32> {
    logits.iter().zip(biases).map(|(z, b)| z + b).collect()
}

/// Macro-F1 of some rows over the classes that occur among them.
fn macro_f1(classes: usize, truth: &[usize], logits: &[Vec<f32>], biases: &[f32], places: &[usize]) -> f64 {
    let (mut hits, mut true_rows, mut decided) = (vec![0u32; classes], vec![0u32; classes], vec![0u32; classes]);
    for &i in places {
        let class = largest(&raised(&logits[i], biases));
        true_rows[truth[i]] += 1;
        decided[class] += 1;
        hits[class] += u32::from(class == truth[i]);
    }
    let present = (0..classes).filter(|&c| true_rows[c] > 0);
    let f1 = |c: usize| 2.0 * f64::from(hits[c]) / f64::from(true_rows[c] + decided[c]);
    present.clone().map(f1).sum::<f64>() / present.count().max(1) as f64
}
