//! The last steps of targets with heads of their own, and from where on their stances are decided.

use super::fit::Run;
use super::gather::ClassRows;
use super::heads::Shared;
use super::targets::{NEVER, trust};
use crate::error::Result;
use crate::model::multinomial::{Multinomial, likeliest};
use crate::model::target::OwnTarget;

/// A target with heads of its own.
pub(super) struct Fitted<'a> {
    pub name: &'a str,
    /// Column of the first of its heads.
    pub first_column: usize,
    /// Its rows among those with a stance.
    pub places: Vec<usize>,
    /// The same rows.
    pub part: ClassRows,
    /// The inputs of the last step.
    pub inputs: Vec<Vec<f32>>,
}

/// What a step says of rows that it was not fitted on.
type Said = Vec<Vec<f32>>;

impl Run<'_> {
    /// The last step of each target. Few rows tell little of what its inputs are worth, so a step over the rows of all own targets is tried,
    /// too, and the one with the lower log loss out of fold is taken.
    pub(super) fn own_targets(&self, shared: &Shared, fitted: &[Fitted<'_>]) -> Result<Vec<(OwnTarget, Said)>> {
        let all = ClassRows {
            classes: self.data.stance.classes.clone(),
            rows: fitted.iter().flat_map(|target| target.part.rows.iter().copied()).collect(),
            truth: fitted.iter().flat_map(|target| target.part.truth.iter().copied()).collect(),
        };
        let inputs: Vec<Vec<f32>> = fitted.iter().flat_map(|target| target.inputs.iter().cloned()).collect();
        let (common, mut of_common) = self.step_of(shared, &all, &inputs, self.settings.balanced)?;
        let mut steps: Vec<(Multinomial, Said)> = Vec::new();
        for Fitted { part, inputs, .. } in fitted {
            let (own, of_own) = self.step_of(shared, part, inputs, self.settings.balanced)?;
            let rest = of_common.split_off(part.truth.len());
            let of_common = std::mem::replace(&mut of_common, rest);
            let is_common_better = log_loss(&of_common, &part.truth) < log_loss(&of_own, &part.truth);
            steps.push(if is_common_better { (common.clone(), of_common) } else { (own, of_own) });
        }
        let precision = self.settings.precision;
        let said: (Vec<Vec<f32>>, Vec<usize>) = steps
            .iter()
            .zip(fitted)
            .flat_map(|((_, p), target)| p.iter().cloned().zip(target.part.truth.iter().copied()))
            .unzip();
        let common = trust(&said.0, &said.1, precision).threshold;
        let targets = fitted.iter().zip(steps).map(|(target, (step, p))| {
            let mut own = OwnTarget {
                name: target.name.to_owned(),
                first_column: target.first_column,
                step,
                rows: p.len(),
                trust: trust(&p, &target.part.truth, precision),
            };
            borrow_trust(&mut own, common, &p, &target.part.truth, precision);
            (own, p)
        });
        Ok(targets.collect())
    }
}

/// Gives a target whose rows are too few to tell a threshold by that of all own targets together, unless its own rows fail it: by more than
/// the standard error of a share of the asked precision.
fn borrow_trust(own: &mut OwnTarget, common: f32, p: &[Vec<f32>], truth: &[usize], precision: f64) {
    if own.trust.threshold < NEVER {
        return;
    }
    let decided = p.iter().zip(truth).filter_map(|(p, truth)| {
        let best = likeliest(p);
        (p.get(best).copied().unwrap_or_default() >= common).then_some(best == *truth)
    });
    let decided: Vec<bool> = decided.collect();
    let (n, right) = (decided.len() as f64, decided.iter().filter(|right| **right).count() as f64);
    let error = (precision * (1.0 - precision).max(0.0) / n.max(1.0)).sqrt();
    if n > 0.0 && right / n >= precision - error {
        own.trust.threshold = common;
        own.trust.coverage = (n / p.len().max(1) as f64) as f32;
        own.trust.accuracy_at_coverage = (right / n) as f32;
    }
}

fn log_loss(p: &[Vec<f32>], truth: &[usize]) -> f64 {
    p.iter().zip(truth).map(|(p, truth)| -f64::from(p.get(*truth).copied().unwrap_or_default().max(1e-6)).ln()).sum()
}
