//! Adding targets to a model: own heads of those that the new rows teach, on top of its heads for any target; all others are kept.

use super::base::Base;
use super::fit::Run;
use super::gather::ClassRows;
use super::heads::{Blocks, Head, Shared};
use super::plan::Plan;
use super::stack::Origin;
use super::targets::trust;
use crate::error::{Error, Result};
use crate::model::multinomial::Multinomial;
use crate::model::scoring::{Item, Scratch};
use crate::model::target::{OwnTarget, TargetStance, beside_inputs, step_inputs};

/// Rows of a target below which its own logits count as they are: what few rows say out of fold of the worth of inputs is often upside
/// down, as each fold lacks the class that it holds out.
const FEWEST: usize = 40;

impl Run<'_> {
    /// Fits heads of the planned targets and adds them to `stance`, that of the base. Targets that had own heads before get new ones,
    /// with the old as inputs.
    pub(super) fn add_targets(
        &mut self,
        plan: &Plan<'_>,
        shared: &Shared,
        base: &Base,
        stance: Option<TargetStance>,
        heads: &mut Vec<Head>,
    ) -> Result<Option<TargetStance>> {
        let Some(mut stance) = stance else {
            if let Some(target) = plan.own_targets.first() {
                let what = "the model has no stance toward targets to add to: train on its data and these together";
                return Err(Error::settings(format!("{target}: {what}")));
            }
            return Ok(None);
        };
        for name in &plan.own_targets {
            self.step(&format!("stance toward {name}"))?;
            let rows = self.rows_of(name, &stance.classes)?;
            let what = format!("stance toward {name}");
            let old = base.model().manifest.targets.as_ref().and_then(|head| head.own(name));
            let columns = old.map_or(0..0, |own| {
                let first = base.own_columns().start + own.first_column;
                first..first + stance.classes.len()
            });
            let is_own =
                |k: &usize| matches!(shared.stack[*k].origin, Origin::Base(column) if columns.contains(&column));
            let stack: Vec<usize> = (0..shared.stack.len()).filter(is_own).collect();
            let settings = self.own_settings(rows.rows.len());
            let (first_column, logits) =
                self.class_heads_on(shared, &what, &rows, Blocks::Text, &stack, &settings, heads)?;
            let any = self.any_inputs(base, &stance, name, &rows);
            let inputs: Vec<Vec<f32>> = any
                .iter()
                .enumerate()
                .map(|(k, any)| logits.iter().map(|z| z[k] as f32).chain(any.iter().copied()).collect())
                .collect();
            let (step, p) = if rows.rows.len() < FEWEST {
                let present: Vec<bool> = (0..rows.classes.len()).map(|class| rows.truth.contains(&class)).collect();
                let step = Multinomial::of_logits(&rows.classes, &present, inputs.first().map_or(0, Vec::len));
                let p = inputs.iter().map(|inputs| step.probabilities(inputs)).collect();
                (step, p)
            } else {
                self.step_of(shared, &rows, &inputs, self.settings.balanced)?
            };
            let own = OwnTarget {
                name: (*name).to_owned(),
                first_column,
                step,
                rows: rows.rows.len(),
                trust: trust(&p, &rows.truth, self.settings.precision),
            };
            stance.rows += own.rows;
            match stance.own.iter_mut().find(|own| own.name == *name) {
                Some(old) => *old = own,
                None => stance.own.push(own),
            }
        }
        Ok(Some(stance))
    }

    /// The rows about a target, by the classes of the base.
    fn rows_of(&self, target: &str, classes: &[String]) -> Result<ClassRows> {
        let rows = &self.data.stance;
        let places: Vec<usize> = (0..rows.rows.len()).filter(|&i| self.data.targets[i] == target).collect();
        let part = rows.part(&places);
        let class = |&truth: &usize| {
            let name = &part.classes[truth];
            classes.iter().position(|class| class == name).ok_or_else(|| {
                Error::settings(format!("{target}: the model has no stance `{name}`; it has {}", classes.join(", ")))
            })
        };
        let truth = part.truth.iter().map(class).collect::<Result<_>>()?;
        Ok(ClassRows { classes: classes.to_vec(), rows: part.rows, truth })
    }

    /// What the base's heads for any target say of rows about one.
    fn any_inputs(&self, base: &Base, stance: &TargetStance, target: &str, rows: &ClassRows) -> Vec<Vec<f32>> {
        let target = self.named_target(target);
        let mut scratch = Scratch::default();
        let mut of_row = |&row: &u32| {
            let (text, parent) = (&self.data.texts[row as usize], self.data.parents[row as usize].as_deref());
            base.model().any_target(&Item { text, parent, ..Item::default() }, &target, &mut scratch)
        };
        let mut nothing = step_inputs(&[], 0.0, stance.any.about.as_ref().map(|_| 0.0));
        if stance.beside.is_some() {
            nothing.extend(beside_inputs(None, stance.classes.len()));
        }
        rows.rows.iter().map(|row| of_row(row).unwrap_or_else(|| nothing.clone())).collect()
    }
}
