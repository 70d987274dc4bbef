//! Training stance toward the parent: sparse heads a class, and the multinomial step over their logits, the relation and those blocks
//! of context that help.

use rayon::prelude::*;

use super::classes::ITERATIONS;
use super::fit::Run;
use super::gather::ClassRows;
use super::heads::{Blocks, Head, Shared};
use super::plan::Plan;
use super::recipe::Settings;
use crate::error::Result;
use crate::features::context::{BLOCKS, Block};
use crate::features::relation;
use crate::features::vectors::Vectors;
use crate::model::reply::{ParentStance, Surroundings};
use crate::model::scoring::Item;
use crate::text::clean::Clean;
use crate::text::quotes;
use crate::text::words::Words;

/// What a choice of inputs must gain, in macro-F1 out of fold, over a smaller one.
const WORTH: f64 = 0.003;
/// Iterations of a step that is only tried: macro-F1 changes by less than .001 after them.
const TRIAL: u64 = 40;

/// Inputs of the step, and what they are worth.
struct Choice {
    context: Vec<Block>,
    inputs: Vec<Vec<f32>>,
    logits: Vec<Vec<f32>>,
    biases: Vec<f32>,
    worth: f64,
}

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
        let dense = self.dense(&rows.rows, vectors);
        let blocks = if self.settings.reply.text { Blocks::ReplyText } else { Blocks::Reply };
        let balanced = Settings { balanced: true, ..self.settings.clone() };
        let (first_column, logits) =
            self.class_heads(shared, "stance toward the parent", rows, blocks, &balanced, heads)?;
        let choice = self.choose(shared, rows, &logits, &dense)?;
        let mut step = self.step_on(rows, &choice.inputs, &(0..rows.truth.len()).collect::<Vec<_>>(), ITERATIONS)?;
        step.intercepts.iter_mut().zip(&choice.biases).for_each(|(intercept, bias)| *intercept += bias);
        let macro_f1_out_of_fold = self.macro_f1_of(rows, &self.decided(shared, rows, &choice.logits));
        let of_roots = rows.rows.iter().filter(|&&r| self.data.parents[r as usize].is_none()).count();
        Ok(Some(ParentStance {
            first_column,
            context: choice.context,
            roots: of_roots >= self.settings.min_rows,
            step,
            rows: rows.rows.len(),
            macro_f1_out_of_fold,
        }))
    }

    /// The relation and all blocks of context of replies.
    fn dense(&self, rows: &[u32], vectors: Option<&Vectors>) -> Vec<Vec<f32>> {
        let of_row = |(own, surroundings): &mut (Words, Surroundings), (&row, relation): (&u32, Option<_>)| {
            let (text, parent) = (&self.data.texts[row as usize], self.data.parents[row as usize].as_deref());
            let quoted = quotes::find(text, parent, &[]);
            own.read(&Clean::new(text), &quoted);
            let root = self.data.roots.get(&row).map(String::as_str);
            let item = Item { text, parent, root, ..Item::default() };
            let alone = || relation::of(own, &Words::default(), !quoted.is_empty(), vectors);
            let relation = relation.unwrap_or_else(alone);
            surroundings.dense(&item, (own, &quoted), &relation, &BLOCKS, vectors)
        };
        let relations = self.relations(rows, vectors);
        rows.par_iter().zip(relations).map_init(Default::default, of_row).collect()
    }

    /// Takes block after block of context if it is worth it, or those that the recipe names.
    fn choose(&self, shared: &Shared, rows: &ClassRows, logits: &[Vec<f64>], dense: &[Vec<f32>]) -> Result<Choice> {
        if let Some(context) = &self.settings.reply.context {
            let mut context = context.clone();
            context.sort_unstable();
            context.dedup();
            return self.tried(shared, rows, logits, dense, context);
        }
        let mut best = self.tried(shared, rows, logits, dense, Vec::new())?;
        for block in BLOCKS {
            let context = best.context.iter().copied().chain(std::iter::once(block)).collect();
            let with = self.tried(shared, rows, logits, dense, context)?;
            if with.worth > best.worth + WORTH {
                best = with;
            }
        }
        Ok(best)
    }

    fn tried(
        &self,
        shared: &Shared,
        rows: &ClassRows,
        logits: &[Vec<f64>],
        dense: &[Vec<f32>],
        context: Vec<Block>,
    ) -> Result<Choice> {
        let mut from = relation::COUNT;
        let mut columns: Vec<usize> = (0..from).collect();
        for block in BLOCKS {
            if context.contains(&block) {
                columns.extend(from..from + block.width());
            }
            from += block.width();
        }
        let of_row = |(i, dense): (usize, &Vec<f32>)| {
            logits.iter().map(|z| z[i] as f32).chain(columns.iter().map(|&c| dense[c])).collect()
        };
        let inputs: Vec<Vec<f32>> = dense.iter().enumerate().map(of_row).collect();
        let logits = self.step_logits(shared, rows, &inputs, TRIAL)?;
        let (biases, worth) = self.biases(rows, &logits, &self.judges(rows));
        Ok(Choice { context, inputs, logits, biases, worth })
    }
}
