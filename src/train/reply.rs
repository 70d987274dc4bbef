//! Training stance toward the parent: sparse heads a class, and the multinomial step over their logits and the relation.

use rayon::prelude::*;

use super::fit::Run;
use super::heads::{Blocks, Head, Shared};
use super::metrics;
use super::plan::Plan;
use super::recipe::Settings;
use crate::error::Result;
use crate::features::relation;
use crate::features::vectors::Vectors;
use crate::model::multinomial::likeliest;
use crate::model::reply::{ParentStance, parent_inputs};
use crate::text::clean::Clean;
use crate::text::quotes;
use crate::text::words::Words;

impl Run<'_> {
    /// The relation of texts to their parents.
    pub(super) fn relations(&self, rows: &[u32], vectors: Option<&Vectors>) -> Vec<Option<[f32; relation::COUNT]>> {
        rows.par_iter()
            .map(|&row| {
                let row = row as usize;
                let parent = self.data.parents[row].as_deref()?;
                let text = &self.data.texts[row];
                let quoted = quotes::find(text, Some(parent), &[]);
                let (mut own, mut theirs) = (Words::default(), Words::default());
                own.read(&Clean::new(text), &quoted);
                theirs.read(&Clean::new(parent), &quotes::find(parent, None, &[]));
                Some(relation::of(&own, &theirs, !quoted.is_empty(), vectors))
            })
            .collect()
    }

    /// Stance toward the parent.
    pub(super) fn parent(
        &mut self,
        plan: &Plan<'_>,
        shared: &Shared,
        vectors: Option<&Vectors>,
        heads: &mut Vec<Head>,
    ) -> Result<Option<ParentStance>> {
        if !plan.reply {
            return Ok(None);
        }
        let rows = &self.data.reply;
        self.step("stance toward the parent")?;
        let balanced = Settings { balanced: true, ..self.settings.clone() };
        let (first_column, logits) =
            self.class_heads(shared, "stance toward the parent", rows, Blocks::Reply, &balanced, heads)?;
        let relations = self.relations(&rows.rows, vectors);
        let inputs: Vec<Vec<f32>> = rows
            .rows
            .iter()
            .enumerate()
            .map(|(i, _)| {
                let z: Vec<f32> = logits.iter().map(|z| z[i] as f32).collect();
                parent_inputs(&z, &relations[i].unwrap_or([0.0; relation::COUNT]))
            })
            .collect();
        let (step, p) = self.step_of(shared, rows, &inputs, true)?;
        let predicted: Vec<usize> = p.iter().map(|p| likeliest(p)).collect();
        let macro_f1_out_of_fold = metrics::multiclass(&rows.classes, &rows.truth, &predicted).macro_f1 as f32;
        Ok(Some(ParentStance { first_column, step, rows: rows.rows.len(), macro_f1_out_of_fold }))
    }
}
