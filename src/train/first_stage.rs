//! The first stage of stacking: one head a source and label, beside what a base model's heads say.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use super::assemble::{self, Parts, Room};
use super::base::Base;
use super::fit::Run;
use super::gather::LabelRows;
use super::heads::{Head, Shared, Task};
use super::metrics;
use super::plan::Plan;
use super::stack::{Origin, Stacked};
use crate::error::Result;
use crate::model::{FirstStage, Weights, peaks};

/// The first-stage heads fitted here: where they begin among all, and their sources and labels.
pub(super) struct FirstStageHeads<'a> {
    pub(super) from: usize,
    pub(super) keys: Vec<&'a (usize, String)>,
}

/// See [`Shared::base_pools`].
pub(super) type BasePools = HashMap<usize, Vec<(usize, [f32; peaks::COUNT])>>;
impl Run<'_> {
    /// What the base's heads say of the texts: the first-stage heads that never saw them and, if none did, the base's own labels and
    /// pooled heads.
    pub(super) fn say(&self, base: &Base, quoted: &[Vec<Range<usize>>]) -> (Vec<Stacked>, BasePools) {
        let mut wanted = base.strangers(&self.data.notes);
        let knows_labels = self.keep || wanted.len() == base.heads().len();
        let own = if knows_labels { base.own_columns() } else { 0..0 };
        if knows_labels {
            wanted.extend(own.clone().chain(base.pooled_columns()));
        }
        let pooled: Vec<usize> = if knows_labels { base.pooled_columns().collect() } else { wanted.clone() };
        let mut stack = base.say(&self.data.texts, quoted, &wanted, &pooled);
        if !knows_labels {
            self.pool_the_best(&mut stack);
        }
        let place = |column: usize| wanted.iter().position(|k| *k == column);
        let counts = |column: usize| {
            let pools = base.pooled_columns().zip(base.pool_counts(column));
            pools.filter_map(|(pool, counts)| Some((place(pool)?, counts))).collect()
        };
        (stack, own.map(|column| (column, counts(column))).collect())
    }

    /// Leaves their local maxima to those heads alone whose highest word tells a label best.
    fn pool_the_best(&self, stack: &mut [Stacked]) {
        let told = |head: &Stacked| {
            let of_label = |rows: &LabelRows| {
                let highest: Vec<f64> = rows.rows.iter().map(|&row| head.peaks(row as usize)[0].into()).collect();
                let truth: Vec<bool> = rows.targets.iter().map(|t| *t >= 0.5).collect();
                metrics::binary(&highest, &truth, 0.5).roc_auc.unwrap_or(0.5)
            };
            self.data.labels.values().map(of_label).fold(0.0, f64::max)
        };
        let told: Vec<f64> = stack.par_iter().map(told).collect();
        let mut best: Vec<usize> = (0..stack.len()).collect();
        best.sort_by(|&a, &b| told[b].total_cmp(&told[a]));
        for &k in best.iter().skip(self.settings.pools) {
            stack[k].peaks = None;
        }
    }

    /// Fits the first-stage heads, one a source and label, beside those of the base.
    pub(super) fn first_stage<'p>(&mut self, plan: &Plan<'p>, shared: &mut Shared) -> Result<FirstStageHeads<'p>> {
        let from = shared.stack.len();
        // What teaches a label comes first: incivility is local, and most of all by the measure of its own annotators.
        let mut by_size: Vec<&(usize, String)> = plan.first_stage.clone();
        by_size.sort_by_key(|key| {
            std::cmp::Reverse((self.data.teaches(key, &plan.labels), self.data.by_source[*key].rarer()))
        });
        by_size.truncate(self.settings.pools);
        for key in &plan.first_stage {
            let (source, name) = key;
            self.step(&format!("{name} of source {}", source + 1))?;
            let rows = &self.data.by_source[*key];
            let weights = self.weights(&rows.rows);
            let l2 = [self.settings.l2];
            let task = Task { rows: &rows.rows, targets: &rows.targets, weights: &weights, l2: &l2, ..Task::default() };
            let pooled = by_size.contains(key);
            let stacked =
                shared.fit_first_stage(&task, pooled, self.settings, self.stop).map_err(|e| Self::named(name, e))?;
            shared.stack.push(stacked);
        }
        Ok(FirstStageHeads { from, keys: plan.first_stage.clone() })
    }

    /// True unless it is a column of the base that is there for something else: of stances, or of a pooled head once more.
    pub(super) fn is_input(&self, stacked: &Stacked) -> bool {
        match (&stacked.origin, self.base) {
            (Origin::Base(column), Some(base)) => *column < base.heads().len() + base.model().manifest.labels.len(),
            (Origin::Base(_), None) => true,
            (Origin::Fitted(_), _) => self.settings.stack,
        }
    }

    /// The first-stage heads that travel with the model, and their table.
    pub(super) fn keep_first_stage(
        &self,
        heads: &FirstStageHeads<'_>,
        parts: Parts<'_>,
    ) -> (Vec<FirstStage>, Option<Weights>) {
        let most = self.settings.keep_heads;
        if heads.keys.is_empty() || most == 0 || !self.settings.stack {
            return (Vec::new(), None);
        }
        let note = |key: &(usize, String)| {
            let rows = &self.data.by_source[key];
            FirstStage {
                source: self.data.corpora.get(key.0).cloned().unwrap_or_default(),
                label: key.1.clone(),
                rows: rows.rows.len(),
                positives: rows.positives(),
            }
        };
        let fitted: Vec<Head> = parts.shared.stack[heads.from..]
            .iter()
            .filter_map(|stacked| match &stacked.origin {
                Origin::Fitted(head) => Some(Head::clone(head)),
                Origin::Base(_) => None,
            })
            .collect();
        let room = Room { words: most, others: false, pairs: most, grams: most };
        (heads.keys.iter().map(|key| note(key)).collect(), Some(assemble::fold(parts, &fitted, room)))
    }
}
