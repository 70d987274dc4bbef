//! Training stance toward targets: heads over all targets together, own heads of targets with enough rows, and the multinomial step.

use std::collections::HashMap;

use rayon::prelude::*;

use super::fit::Run;
use super::gather::ClassRows;
use super::heads::{Blocks, Head, Shared};
use super::plan::Plan;
use crate::error::Result;
use crate::features::vectors::Vectors;
use crate::model::target::{TargetStance, mention, target_inputs};
use crate::text::words::Words;

impl Run<'_> {
    /// Stance toward targets: heads over all targets together, and own heads of targets with enough rows.
    pub(super) fn targets(
        &mut self,
        plan: &Plan<'_>,
        shared: &Shared,
        vectors: Option<&Vectors>,
        heads: &mut Vec<Head>,
    ) -> Result<Option<TargetStance>> {
        if !plan.stance {
            return Ok(None);
        }
        let rows = &self.data.stance;
        self.step("stance toward targets")?;
        let (first_column, all) = self.class_heads(shared, "stance toward targets", rows, Blocks::Text, heads)?;
        let mut own = Vec::new();
        let mut own_logits: HashMap<usize, Vec<f32>> = HashMap::new();
        for target in &plan.own_targets {
            self.step(&format!("stance toward {target}"))?;
            let places: Vec<usize> = (0..rows.rows.len()).filter(|&i| self.data.targets[i] == *target).collect();
            let part = ClassRows {
                classes: rows.classes.clone(),
                rows: places.iter().map(|&i| rows.rows[i]).collect(),
                truth: places.iter().map(|&i| rows.truth[i]).collect(),
            };
            let (column, logits) =
                self.class_heads(shared, &format!("stance toward {target}"), &part, Blocks::Text, heads)?;
            own.push(((*target).to_owned(), column));
            for (k, &i) in places.iter().enumerate() {
                own_logits.insert(i, logits.iter().map(|z| z[k] as f32).collect());
            }
        }
        let inputs: Vec<Vec<f32>> = (0..rows.rows.len())
            .into_par_iter()
            .map(|i| {
                let z: Vec<f32> = all.iter().map(|z| z[i] as f32).collect();
                let text = Words::of(&self.data.texts[rows.rows[i] as usize]);
                let mention = mention(&text, &Words::of(&self.data.targets[i]), vectors);
                target_inputs(&z, own_logits.get(&i).map(Vec::as_slice), &mention)
            })
            .collect();
        let (step, macro_f1) = self.step_of(shared, rows, &inputs)?;
        Ok(Some(TargetStance { first_column, own, step, rows: rows.rows.len(), macro_f1_out_of_fold: macro_f1 }))
    }
}
