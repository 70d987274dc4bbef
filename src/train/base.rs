//! A base model: what its heads say of every text is further input to a new model's heads, and folds into them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use super::stack::{Origin, Said, Stacked};
use crate::error::Result;
use crate::features::style;
use crate::model::fold::Table;
use crate::model::scoring::{Scratch, is_long, windows};
use crate::model::sums::Sums;
use crate::model::{FirstStage, Model, SourceNote, Weights, file, peaks};
use crate::text::tokenizer::Subwords;

/// The heads of a model, for `train --base` and `--add`. Its columns: the first-stage heads, then all columns of the model itself.
#[derive(Debug)]
pub struct Base {
    /// The model, its weights being those of the first-stage heads; absent if it travels without.
    first_stage: Option<Model>,
    /// The model itself.
    model: Model,
}

impl Base {
    /// The base in a model folder.
    ///
    /// # Errors
    /// A folder that is no sound model.
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self { first_stage: file::first_stage(folder)?, model: Model::open(folder)? })
    }

    /// The model itself.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The first-stage heads.
    pub fn heads(&self) -> &[FirstStage] {
        self.first_stage.as_ref().map_or(&[], |model| &model.manifest.first_stage)
    }

    /// The table of the first-stage heads.
    pub fn first_stage(&self) -> Option<&Weights> {
        self.first_stage.as_ref().map(|model| &model.weights)
    }

    /// The base model's subword tokenizer, which the new model must share for the heads to fold.
    pub fn subwords(&self) -> Option<&Subwords> {
        self.model.subwords.as_ref()
    }

    /// The base model's scale of style features, shared likewise.
    pub fn style(&self) -> style::Scale {
        self.model.manifest.style
    }

    /// First-stage heads that never saw the files `notes`, which a new model is about to learn from, by number: what a head says of its
    /// own training rows is too good to learn from.
    pub fn strangers(&self, notes: &[SourceNote]) -> Vec<usize> {
        let known: BTreeMap<&str, &str> =
            self.model.manifest.sources.iter().map(|s| (s.sha256.as_str(), s.name.as_str())).collect();
        let seen: Vec<&str> = notes.iter().filter_map(|note| known.get(note.sha256.as_str()).copied()).collect();
        let heads = self.heads().iter().enumerate();
        heads.filter(|(_, head)| !seen.contains(&head.source.as_str())).map(|(k, _)| k).collect()
    }

    /// All columns of the model itself but those of pooled heads.
    pub fn own_columns(&self) -> Range<usize> {
        let from = self.heads().len();
        from..from + self.model.weights.columns - self.model.weights.pools
    }

    /// The columns of the model's pooled heads.
    pub fn pooled_columns(&self) -> Range<usize> {
        let own = self.own_columns();
        own.end..own.end + self.model.weights.pools
    }

    /// What the local maxima of the model's pooled heads count for one of its own columns.
    pub fn pool_counts(&self, column: usize) -> Vec<[f32; peaks::COUNT]> {
        let Weights { pools, pool_weights, .. } = &self.model.weights;
        let at = column.saturating_sub(self.heads().len());
        let of_column = pool_weights.chunks_exact((pools * peaks::COUNT).max(1)).nth(at).unwrap_or_default();
        of_column.as_chunks().0.to_vec()
    }

    /// What the columns `wanted` say of `texts`, whose parts `quoted` are not the writer's; `pooled` of them with their local maxima.
    pub fn say(
        &self,
        texts: &[String],
        quoted: &[Vec<Range<usize>>],
        wanted: &[usize],
        pooled: &[usize],
    ) -> Vec<Stacked> {
        let said: Vec<Vec<Said>> = texts
            .par_iter()
            .zip(quoted)
            .map_init(
                || (Scratch::default(), Scratch::default()),
                |scratch, (text, quoted)| self.say_of(text, quoted, wanted, scratch),
            )
            .collect();
        let mut by_column: Vec<Vec<Said>> = wanted.iter().map(|_| Vec::with_capacity(texts.len())).collect();
        for text in said {
            by_column.iter_mut().zip(text).for_each(|(column, said)| column.push(said));
        }
        let columns = wanted.iter().zip(by_column);
        columns.map(|(&k, said)| Stacked::new(Origin::Base(k), said, pooled.contains(&k))).collect()
    }

    fn say_of(
        &self,
        text: &str,
        quoted: &[Range<usize>],
        wanted: &[usize],
        (first, own): &mut (Scratch, Scratch),
    ) -> Vec<Said> {
        let split = self.heads().len();
        let mut out = vec![Said::default(); wanted.len()];
        if let Some(model) = self.first_stage.as_ref().filter(|_| wanted.iter().any(|k| *k < split)) {
            let sums = model.sums(text, quoted, first);
            say_columns(sums, model, wanted, 0..split, &mut out);
        }
        if wanted.iter().any(|k| *k >= split) {
            let sums = self.model.sums(text, quoted, own);
            let all = split..split + self.model.weights.columns;
            say_columns(sums, &self.model, wanted, all, &mut out);
        }
        out
    }

    /// The tables, each with the number of its first column.
    fn tables(&self) -> impl Iterator<Item = (usize, &Weights)> {
        let first = self.first_stage.iter().map(|model| (0, &model.weights));
        first.chain(std::iter::once((self.heads().len(), &self.model.weights)))
    }

    /// How many columns there are.
    pub fn columns(&self) -> usize {
        self.heads().len() + self.model.weights.columns
    }

    /// What all columns say of something: each table adds its part of the row.
    fn row(&self, add: impl Fn(&Weights, &mut [f32])) -> Vec<f32> {
        let mut row = vec![0.0; self.columns()];
        for (from, weights) in self.tables() {
            if let Some(part) = row.get_mut(from..from + weights.columns) {
                add(weights, part);
            }
        }
        row
    }

    /// What all columns say of a word, known or not.
    pub fn word(&self, word: &str, (first, own): &mut (Scratch, Scratch)) -> Vec<f32> {
        let mut row = vec![0.0; self.columns()];
        let (of_first, of_own) = row.split_at_mut(self.heads().len());
        if let Some(model) = &self.first_stage {
            model.say_word(word, first, of_first);
        }
        self.model.say_word(word, own, of_own);
        row
    }

    /// What all columns say of the row `name` of one of the tables.
    pub fn table_row(&self, table: fn(&Weights) -> &Table, name: u64) -> Vec<f32> {
        self.row(|weights, row| {
            if let Some(found) = table(weights).find(name) {
                table(weights).add(found, row);
            }
        })
    }

    /// The names in one of the tables, of all columns together, sorted.
    pub fn table_names(&self, table: fn(&Weights) -> &Table) -> Vec<u64> {
        let mut names: Vec<u64> = self.tables().flat_map(|(_, weights)| table(weights).names()).copied().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The intercepts.
    pub fn bias(&self) -> Vec<f32> {
        self.row(|weights, row| row.copy_from_slice(&weights.bias))
    }

    /// The weights on the `i`-th style feature.
    pub fn style_row(&self, i: usize) -> Vec<f32> {
        self.row(|weights, row| {
            let from = i * weights.columns;
            row.iter_mut().zip(weights.style.iter().skip(from)).for_each(|(value, weight)| *value = *weight);
        })
    }

    /// Words that the base has rows for.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.tables().flat_map(|(_, weights)| weights.names.iter().map(String::as_str))
    }
}

/// Lets those of the columns `of`, a model's, speak that are `wanted`.
fn say_columns(sums: &mut Sums, model: &Model, wanted: &[usize], of: Range<usize>, out: &mut [Said]) {
    let n = sums.len();
    let local = model.local(sums);
    let whole = sums.whole().to_vec();
    let windows: Vec<Vec<f32>> =
        if is_long(n) { windows(n).map(|w| sums.window(&w).to_vec()).collect() } else { Vec::new() };
    let places = wanted.iter().zip(out).filter(|(k, _)| of.contains(k));
    for (k, said) in places.map(|(k, said)| (k - of.start, said)) {
        *said = Said {
            whole: whole[k] + local[k],
            windows: windows.iter().map(|z| z[k] + local[k]).collect(),
            peaks: sums.peaks(k).map(|peak| peak.value),
        };
    }
}
