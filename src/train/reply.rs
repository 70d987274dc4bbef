//! Training stance toward the parent: a head a class over words, the relation to the parent and those blocks of context that help, and
//! the multinomial step over what they say.

use rayon::prelude::*;

use super::fit::Run;
use super::gather::ClassRows;
use super::heads::{Blocks, Head, Shared};
use super::plan::Plan;
use super::recipe::Settings;
use crate::error::Result;
use crate::features::context::{BLOCKS, Block};
use crate::features::relation;
use crate::features::vectors::Vectors;
use crate::model::multinomial::{Multinomial, likeliest};
use crate::model::reply::{ParentStance, Surroundings};
use crate::model::scoring::Item;
use crate::text::clean::Clean;
use crate::text::quotes;
use crate::text::words::Words;

/// What a choice of inputs must gain, in macro-F1 out of fold, over a smaller one.
const WORTH: f64 = 0.003;
/// What a standardised number around a reply counts.
const DENSE_STRENGTH: f32 = 0.2;
/// Iterations of a step that is only tried: macro-F1 changes by less than .001 after them.
const TRIAL: u64 = 40;

/// Blocks of context, and what they are worth.
struct Choice {
    context: Vec<Block>,
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
        shared: &mut Shared,
        vectors: Option<&Vectors>,
        heads: &mut Vec<Head>,
    ) -> Result<Option<ParentStance>> {
        if !plan.reply {
            return Ok(None);
        }
        let rows = &self.data.reply;
        self.step("stance toward the parent")?;
        let dense = self.dense(&rows.rows, vectors);
        let (first_column, logits) = self.reply_heads(shared, rows, heads)?;
        let logits = by_row(&logits);
        let context = self.context(shared, rows, &logits, &dense)?;
        let columns = columns(&context);
        let (step, p) = if self.settings.reply.joint {
            heads.truncate(first_column);
            self.joint(shared, rows, &dense, &columns, heads)?
        } else {
            self.decisive_step(shared, rows, &inputs(&logits, &dense, &columns))?
        };
        let of_roots = rows.rows.iter().filter(|&&r| self.data.parents[r as usize].is_none()).count();
        let decided: Vec<usize> = p.iter().map(|p| likeliest(p)).collect();
        Ok(Some(ParentStance {
            first_column,
            context,
            roots: of_roots >= self.settings.min_rows,
            step,
            rows: rows.rows.len(),
            macro_f1_out_of_fold: self.macro_f1_of(rows, &decided),
        }))
    }

    /// Heads fitted on words and what surrounds the replies together, and the step over what they say, as one over both.
    fn joint(
        &self,
        shared: &mut Shared,
        rows: &ClassRows,
        dense: &[Vec<f32>],
        columns: &[usize],
        heads: &mut Vec<Head>,
    ) -> Result<(Multinomial, Vec<Vec<f32>>)> {
        let moments: Vec<Moments> = columns.iter().map(|&c| Moments::of(dense.iter().map(|row| row[c]))).collect();
        for (&row, dense) in rows.rows.iter().zip(dense) {
            shared.surroundings[row as usize] =
                columns.iter().zip(&moments).map(|(&c, moments)| moments.apply(dense[c])).collect();
        }
        let (first_column, logits) = self.reply_heads(shared, rows, heads)?;
        let (over_heads, p) = self.decisive_step(shared, rows, &by_row(&logits))?;
        Ok((unfolded(&over_heads, &heads[first_column..], &moments), p))
    }

    /// The heads of the classes over words, pairs, start features and the surroundings in `shared`, all classes counting alike.
    fn reply_heads(&self, shared: &Shared, rows: &ClassRows, heads: &mut Vec<Head>) -> Result<(usize, Vec<Vec<f64>>)> {
        let blocks = if self.settings.reply.text { Blocks::ReplyText } else { Blocks::Reply };
        let settings = Settings { balanced: true, ..self.settings.clone() };
        self.class_heads(shared, "stance toward the parent", rows, blocks, &settings, heads)
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
            surroundings.read(item.parent);
            surroundings.dense(&item, (own, &quoted), &relation, &BLOCKS, vectors)
        };
        let relations = self.relations(rows, vectors);
        rows.par_iter().zip(relations).map_init(Default::default, of_row).collect()
    }

    /// The blocks of context that the recipe names, else block after block that is worth it beside what the words say.
    fn context(
        &self,
        shared: &Shared,
        rows: &ClassRows,
        logits: &[Vec<f32>],
        dense: &[Vec<f32>],
    ) -> Result<Vec<Block>> {
        if let Some(context) = &self.settings.reply.context {
            let mut context = context.clone();
            context.sort_unstable();
            context.dedup();
            return Ok(context);
        }
        let mut best = self.tried(shared, rows, logits, dense, Vec::new())?;
        for block in BLOCKS {
            let context = best.context.iter().copied().chain(std::iter::once(block)).collect();
            let with = self.tried(shared, rows, logits, dense, context)?;
            if with.worth > best.worth + WORTH {
                best = with;
            }
        }
        Ok(best.context)
    }

    fn tried(
        &self,
        shared: &Shared,
        rows: &ClassRows,
        logits: &[Vec<f32>],
        dense: &[Vec<f32>],
        context: Vec<Block>,
    ) -> Result<Choice> {
        let inputs = inputs(logits, dense, &columns(&context));
        let logits = self.step_logits(shared, rows, &inputs, TRIAL)?;
        let (_, worth) = self.biases(rows, &logits, &self.judges(rows));
        Ok(Choice { context, worth })
    }
}

/// The columns of the relation and of blocks of context, among those of all blocks.
fn columns(context: &[Block]) -> Vec<usize> {
    let mut from = relation::COUNT;
    let mut columns: Vec<usize> = (0..from).collect();
    for block in BLOCKS {
        if context.contains(&block) {
            columns.extend(from..from + block.width());
        }
        from += block.width();
    }
    columns
}

/// Logits and the numbers of some columns, row by row.
fn inputs(logits: &[Vec<f32>], dense: &[Vec<f32>], columns: &[usize]) -> Vec<Vec<f32>> {
    let of_row = |(logits, dense): (&Vec<f32>, &Vec<f32>)| {
        logits.iter().copied().chain(columns.iter().map(|&c| dense[c])).collect()
    };
    logits.iter().zip(dense).map(of_row).collect()
}

/// The logits of each row, from those of each class.
fn by_row(logits: &[Vec<f64>]) -> Vec<Vec<f32>> {
    let rows = logits.first().map_or(0, Vec::len);
    (0..rows).map(|i| logits.iter().map(|z| z[i] as f32).collect()).collect()
}

/// How a number is standardised.
struct Moments {
    mean: f32,
    deviation: f32,
}

impl Moments {
    fn of(values: impl Iterator<Item = f32> + Clone) -> Self {
        let n = values.clone().count().max(1) as f32;
        let mean = values.clone().sum::<f32>() / n;
        let deviation = (values.map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt();
        Self { mean, deviation: if deviation > 1e-6 { deviation } else { 1.0 } }
    }

    fn apply(&self, value: f32) -> f32 {
        (value - self.mean) / self.deviation * DENSE_STRENGTH
    }
}

/// The step over what the heads say of words alone and the numbers around them, from that over what they say of both.
fn unfolded(over_heads: &Multinomial, heads: &[Head], moments: &[Moments]) -> Multinomial {
    let mut step = over_heads.clone();
    for (weights, intercept) in step.weights.iter_mut().zip(&mut step.intercepts) {
        let of_heads = weights.clone();
        for (i, moments) in moments.iter().enumerate() {
            let weight: f32 = of_heads.iter().zip(heads).map(|(a, head)| a * head.surroundings[i]).sum();
            let weight = weight * DENSE_STRENGTH / moments.deviation;
            *intercept -= weight * moments.mean;
            weights.push(weight);
        }
    }
    step
}
