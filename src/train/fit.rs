//! A training run: gather, read, fit every head, calibrate, fold.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::Array2;
use rayon::prelude::*;

use super::assemble;
use super::calibration::{Evidence, calibrate};
use super::gather::{Gathered, gather};
use super::heads::{Blocks, Head, Shared, Task};
use super::plan::Plan;
use super::recipe::{LabelSettings, Recipe, Settings};
use super::split::fold;
use crate::error::{Error, ErrorKind, Result};
use crate::features::style;
use crate::features::vectors::Vectors;
use crate::features::vocabulary::{self, Numbered, Vocabulary};
use crate::label::{self, Context};
use crate::model::scoring::windows;
use crate::model::{FORMAT, LabelHead, Manifest, Model};
use crate::read::rows::{BadRow, Options};
use crate::text::language;
use crate::text::quotes;
use crate::text::tokenizer::Subwords;
use crate::text::words::Words;

/// What a run tells its user.
pub trait Watch: Sync {
    /// Step `done` of `of` begins.
    fn step(&self, done: usize, of: usize, what: &str);
    /// Something that the user should know, though the run goes on.
    fn note(&self, what: &str);
    /// A row that cannot be used.
    fn bad_row(&self, file: &Path, row: BadRow);
}

/// Trains a model.
///
/// # Errors
/// Data that cannot be used, a fit that does not converge, settings without meaning, or `stop` having been set.
pub fn train(
    recipe: &Recipe,
    options: &Options,
    vectors: Option<Vectors>,
    watch: &dyn Watch,
    stop: &Arc<AtomicBool>,
) -> Result<Model> {
    recipe.check()?;
    let settings = &recipe.settings;
    watch.step(0, 1, "reading");
    let data = gather(recipe, options, &mut |file, row| watch.bad_row(file, row))?;
    if data.texts.is_empty() {
        return Err(Error::settings(
            "no labelled rows in the data: rows need `text` and `labels`, `stance` or `reply_stance`",
        ));
    }
    let plan = Plan::of(&data, recipe, watch)?;
    let mut run = Run { recipe, settings, data: &data, watch, stop, done: 1, of: plan.steps() + 3 };
    run.step("words and subwords")?;
    let (mut shared, vectors, factors, scale) = run.share(vectors)?;
    let first_stage = run.first_stage(&plan, &mut shared)?;
    let mut heads: Vec<Head> = Vec::new();
    let labels = run.labels(&plan, &first_stage, &shared, vectors.as_ref(), &mut heads)?;
    let parent = run.parent(&plan, &shared, vectors.as_ref(), &mut heads)?;
    let targets = run.targets(&plan, &shared, vectors.as_ref(), &mut heads)?;
    run.step("folding")?;
    let weights = assemble::fold(&shared, &heads, vectors.as_ref(), &factors, settings.keep_pairs, settings.keep_grams);
    let about = &recipe.model;
    let manifest = Manifest {
        format: FORMAT,
        name: about.name.clone(),
        version: about.version.clone(),
        description: about.description.clone(),
        licence: about.licence.clone(),
        language: language::dominant(sample(&data.texts)),
        sources: data.notes.clone(),
        labels,
        parent,
        targets,
        style: scale,
        files: BTreeMap::new(),
    };
    let subwords = shared.vocabulary.subwords().cloned();
    Ok(Model { manifest, weights, subwords, vectors, folder: None })
}

/// Texts from all over the set.
fn sample(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().step_by((texts.len() / 2000).max(1)).map(String::as_str)
}

pub(super) struct Run<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) settings: &'a Settings,
    pub(super) data: &'a Gathered,
    pub(super) watch: &'a dyn Watch,
    pub(super) stop: &'a Arc<AtomicBool>,
    pub(super) done: usize,
    pub(super) of: usize,
}

type SharedParts = (Shared, Option<Vectors>, Vec<f32>, style::Scale);

impl Run<'_> {
    pub(super) fn step(&mut self, what: &str) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(ErrorKind::Interrupted.into());
        }
        self.watch.step(self.done, self.of, what);
        self.done += 1;
        Ok(())
    }

    /// Words, vocabulary, style: what all heads share.
    fn share(&self, vectors: Option<Vectors>) -> Result<SharedParts> {
        let data = self.data;
        let own_words: Vec<Vec<Range<usize>>> = data
            .texts
            .par_iter()
            .zip(&data.parents)
            .map(|(text, parent)| quotes::find(text, parent.as_deref(), &[]))
            .collect();
        let (tokens, names) =
            vocabulary::read(data.texts.par_iter().map(String::as_str).zip(own_words.into_par_iter()));
        let subwords = if self.settings.subwords > 0 {
            let joined: Vec<String> = data.texts.par_iter().map(|t| Words::of(t).joined().to_owned()).collect();
            Some(Subwords::train(joined.iter().map(String::as_str), self.settings.subwords)?)
        } else {
            None
        };
        let vocabulary = Vocabulary::learn(&tokens, &names, subwords);
        let texts: Vec<Numbered> = tokens.par_iter().map(|t| vocabulary.number(t)).collect();
        let vectors = vectors.map(|v| v.cut(self.settings.keep_vectors, |w| vocabulary.knows(w)).into_owned());
        let (vector_rows, factors) = match &vectors {
            Some(vectors) => vocabulary.vector_rows(vectors, &texts),
            None => (Array2::zeros((vocabulary.len(), 0)), Vec::new()),
        };
        let scale = style::Scale::of(tokens.iter().map(|t| &t.style));
        let (start_names, starts) = number_starts(&tokens, &data.reply.rows);
        let shared = Shared {
            types: vocabulary.type_rows(),
            vectors: vector_rows,
            texts,
            starts,
            start_names,
            styles: tokens.iter().map(|t| scale.apply(&t.style)).collect(),
            folds: data.groups.iter().map(|g| fold(g, self.settings.seed, self.settings.folds)).collect(),
            sources: data.sources.clone(),
            source_count: data.source_weights.len(),
            stack: Vec::new(),
            vocabulary,
        };
        Ok((shared, vectors, factors, scale))
    }

    /// Weights of rows by source; their mean is 1.
    pub(super) fn weights(&self, rows: &[u32]) -> Vec<f32> {
        let mut sizes = vec![0usize; self.data.source_weights.len()];
        rows.iter().for_each(|&r| sizes[self.data.sources[r as usize]] += 1);
        let weight = |row: u32| {
            let source = self.data.sources[row as usize];
            let of_source =
                self.data.source_weights[source] * (sizes[source] as f64).powf(self.settings.source_power - 1.0);
            of_source * f64::from(self.data.weights[row as usize])
        };
        let weights: Vec<f64> = rows.iter().map(|&r| weight(r)).collect();
        let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
        weights.into_iter().map(|w| (w / mean.max(f64::MIN_POSITIVE)) as f32).collect()
    }

    /// Weights by source, and so that within each source all classes count alike: else what tells the sources apart would pass for
    /// what tells the classes apart, where their mixture differs.
    pub(super) fn class_weights(&self, rows: &[u32], truth: &[usize], classes: usize) -> Vec<f32> {
        let mut weights = self.weights(rows);
        let mut totals = vec![vec![0.0f32; classes]; self.data.source_weights.len()];
        let source = |row: u32| self.data.sources[row as usize];
        for ((&row, &class), &w) in rows.iter().zip(truth).zip(&weights) {
            totals[source(row)][class] += w;
        }
        for ((&row, &class), w) in rows.iter().zip(truth).zip(&mut weights) {
            let of_source = &totals[source(row)];
            let present = of_source.iter().filter(|t| **t > 0.0).count() as f32;
            *w *= of_source.iter().sum::<f32>() / (present * of_source[class]);
        }
        weights
    }

    /// Fits one head; `task` comes without row weights.
    pub(super) fn fit(&self, shared: &Shared, what: &str, task: Task<'_>, balanced: bool) -> Result<Head> {
        self.fit_by(self.settings, shared, what, task, balanced)
    }

    /// The same by other settings than those of the run.
    pub(super) fn fit_by(
        &self,
        settings: &Settings,
        shared: &Shared,
        what: &str,
        task: Task<'_>,
        balanced: bool,
    ) -> Result<Head> {
        let weights = if balanced {
            let truth: Vec<usize> = task.targets.iter().map(|t| usize::from(*t >= 0.5)).collect();
            self.class_weights(task.rows, &truth, 2)
        } else {
            self.weights(task.rows)
        };
        shared.fit(&Task { weights: &weights, ..task }, settings, self.stop).map_err(|e| match e.kind() {
            ErrorKind::Interrupted => e,
            _ => Error::settings(format!("{what}: {e}")),
        })
    }

    /// Fits the first-stage heads, one a source and label.
    fn first_stage<'p>(&mut self, plan: &Plan<'p>, shared: &mut Shared) -> Result<Vec<&'p (usize, String)>> {
        for key in &plan.first_stage {
            let (source, name) = key;
            self.step(&format!("{name} of source {}", source + 1))?;
            let rows = &self.data.by_source[*key];
            let weights = self.weights(&rows.rows);
            let task = Task {
                rows: &rows.rows,
                targets: &rows.targets,
                weights: &weights,
                blocks: Blocks::Text,
                l2: self.settings.l2,
                stack: &[],
            };
            let stacked = shared.fit_first_stage(&task, self.settings, self.stop)?;
            shared.stack.push(stacked);
        }
        Ok(plan.first_stage.clone())
    }

    /// Fits the labels, one column each.
    fn labels(
        &mut self,
        plan: &Plan<'_>,
        first_stage: &[&(usize, String)],
        shared: &Shared,
        vectors: Option<&Vectors>,
        heads: &mut Vec<Head>,
    ) -> Result<Vec<LabelHead>> {
        let mut out = Vec::new();
        let default = LabelSettings::default();
        for (name, rows) in &plan.labels {
            self.step(name)?;
            let settings = self.recipe.labels.get(*name).unwrap_or(&default);
            let l2 = settings.l2.unwrap_or(self.settings.l2);
            // A first-stage head of the very rows and label would only repeat the head's own words.
            let own = self.data.teachers.get(*name);
            let stack: Vec<usize> =
                (0..first_stage.len()).filter(|&k| own.is_none_or(|own| !own.contains(first_stage[k]))).collect();
            let task = Task {
                rows: &rows.rows,
                targets: &rows.targets,
                weights: &[],
                blocks: Blocks::Text,
                l2,
                stack: &stack,
            };
            let head = self.fit(shared, name, task, self.settings.balanced)?;
            let truth: Vec<bool> = rows.targets.iter().map(|t| *t >= 0.5).collect();
            let wants_relation = label::find(name).is_some_and(|l| l.context == Context::Relation);
            let evidence = Evidence {
                name,
                head: &head,
                windows: &rows
                    .rows
                    .iter()
                    .map(|&r| windows(shared.texts[r as usize].types.len()).len())
                    .collect::<Vec<_>>(),
                truth: &truth,
                weights: &self.weights(&rows.rows),
                folds: &rows.rows.iter().map(|&r| shared.folds[r as usize]).collect::<Vec<_>>(),
                relations: &if wants_relation { self.relations(&rows.rows, vectors) } else { vec![None; truth.len()] },
            };
            let calibrated = calibrate(&evidence, settings);
            out.push(LabelHead {
                name: (*name).to_owned(),
                threshold: calibrated.threshold,
                base_rate: calibrated.base_rate,
                experimental: settings.experimental,
                rows: truth.len(),
                positives: truth.iter().filter(|t| **t).count(),
                auc_out_of_fold: calibrated.auc,
                calibration: calibrated.calibration,
            });
            heads.push(head);
        }
        Ok(out)
    }
}

/// Start features that two replies or more have, numbered, and those of each text.
fn number_starts(tokens: &[vocabulary::Tokens], replies: &[u32]) -> (Vec<u64>, Vec<Box<[u32]>>) {
    let mut counts: HashMap<u64, u32> = HashMap::new();
    for name in replies.iter().flat_map(|&r| tokens[r as usize].starts.iter()) {
        *counts.entry(*name).or_insert(0) += 1;
    }
    let mut names: Vec<u64> = counts.into_iter().filter(|(_, n)| *n >= 2).map(|(name, _)| name).collect();
    names.sort_unstable();
    let mut starts = vec![Box::default(); tokens.len()];
    for &row in replies {
        let known = tokens[row as usize].starts.iter().filter_map(|name| names.binary_search(name).ok());
        starts[row as usize] = known.map(|i| i as u32).collect();
    }
    (names, starts)
}
