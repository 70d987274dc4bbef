//! A training run: gather, read, fit every head, calibrate, fold.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::Array2;
use rayon::prelude::*;

use super::add::added;
use super::assemble::{self, Parts, Room};
use super::base::Base;
use super::calibration::{Evidence, calibrate};
use super::first_stage::FirstStageHeads;
use super::gather::{Gathered, LabelRows, gather};
use super::heads::{Head, Shared, Task};
use super::plan::Plan;
use super::recipe::{LabelSettings, Recipe, Settings};
use super::split::fold;
use crate::error::{Error, ErrorKind, Result};
use crate::features::style;
use crate::features::vectors::Vectors;
use crate::features::vocabulary::{self, Numbered, Vocabulary};
use crate::label::{self, Context};
use crate::model::scoring::{is_long, windows};
use crate::model::{FORMAT, LabelHead, Manifest, Model, WINDOW};
use crate::read::rows::{BadRow, Options};
use crate::text::language;
use crate::text::quotes;
use crate::text::terms::Identities;
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

/// What a run starts from beside its data.
#[derive(Debug, Default)]
pub struct Given {
    /// Word vectors.
    pub vectors: Option<Vectors>,
    /// Another model to learn from.
    pub base: Option<Base>,
    /// Keep all of the base that the data do not teach anew.
    pub keep: bool,
}

/// Trains a model.
///
/// # Errors
/// Data that cannot be used, a fit that does not converge, settings without meaning, or `stop` having been set.
pub fn train(
    recipe: &Recipe,
    options: &Options,
    given: Given,
    watch: &dyn Watch,
    stop: &Arc<AtomicBool>,
) -> Result<Model> {
    recipe.check()?;
    let settings = &recipe.settings;
    watch.step(0, 1, "reading");
    let known = given.base.as_ref().filter(|_| given.keep).map_or(&[][..], |base| &base.model().manifest.known_targets);
    let data = gather(recipe, known, options, &mut |file, row| watch.bad_row(file, row))?;
    if data.texts.is_empty() {
        return Err(Error::settings(
            "no labelled rows in the data: rows need `text` and `labels`, `stance` or `reply_stance`",
        ));
    }
    let plan = Plan::of(&data, recipe, watch)?;
    let Given { vectors, base, keep } = given;
    let mut run =
        Run { recipe, settings, data: &data, base: base.as_ref(), keep, watch, stop, done: 1, of: plan.steps() + 3 };
    run.step("words and subwords")?;
    let (mut shared, vectors, factors, scale) = run.share(vectors)?;
    let first_stage = run.first_stage(&plan, &mut shared)?;
    let mut heads: Vec<Head> = Vec::new();
    let labels = run.labels(&plan, &first_stage, &shared, vectors.as_ref(), &mut heads)?;
    let mut sources = data.notes.clone();
    let (labels, parent, targets) = if let Some(base) = base.as_ref().filter(|_| keep) {
        let added = added(base, &shared, labels, std::mem::take(&mut heads), &sources);
        (heads, sources) = (added.heads, added.sources);
        let targets = run.add_targets(&plan, &shared, base, added.targets, &mut heads)?;
        (added.labels, added.parent, targets)
    } else {
        let parent = run.parent(&plan, &mut shared, vectors.as_ref(), &mut heads)?;
        let targets = run.targets(&plan, &shared, vectors.as_ref(), &mut heads)?;
        (labels, parent, targets)
    };
    run.step("folding")?;
    let neutral = run.neutral_words()?;
    let parts =
        Parts { shared: &shared, vectors: vectors.as_ref(), factors: &factors, base: run.base, neutral: &neutral };
    let room =
        Room { words: settings.keep_words, others: true, pairs: settings.keep_pairs, grams: settings.keep_grams };
    let weights = assemble::fold(parts, &heads, room);
    let (first_stage, first_stage_weights) = match &base {
        Some(base) if keep => (base.heads().to_vec(), base.first_stage().cloned()),
        _ => run.keep_first_stage(&first_stage, parts),
    };
    let about = &recipe.model;
    let manifest = Manifest {
        format: FORMAT,
        name: about.name.clone(),
        version: about.version.clone(),
        description: about.description.clone(),
        licence: about.licence.clone(),
        language: match &base {
            Some(base) if keep => base.model().manifest.language.clone(),
            _ => language::dominant(sample(&data.texts)),
        },
        sources,
        labels,
        parent,
        targets,
        known_targets: data.known_targets.clone(),
        style: scale,
        compounds: run.compounds(),
        first_stage,
        files: BTreeMap::new(),
    };
    let subwords = shared.vocabulary.subwords().cloned();
    Ok(Model::new(manifest, weights, subwords, vectors).with_first_stage(first_stage_weights))
}

/// Texts from all over the set.
fn sample(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().step_by((texts.len() / 2000).max(1)).map(String::as_str)
}

pub(super) struct Run<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) settings: &'a Settings,
    pub(super) data: &'a Gathered,
    pub(super) base: Option<&'a Base>,
    pub(super) keep: bool,
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

    /// Whether words run together are read by their words: as the base does, if there is one.
    fn compounds(&self) -> bool {
        self.base.is_none_or(|base| base.model().manifest.compounds)
    }

    /// The words that count nothing for neutral labels.
    fn neutral_words(&self) -> Result<HashSet<String>> {
        let list = self.settings.neutral.as_deref().map(Identities::open).transpose()?;
        Ok(list.iter().flat_map(Identities::words).collect())
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
            vocabulary::read(data.texts.par_iter().map(String::as_str).zip(own_words.par_iter().cloned()));
        let subwords = if let Some(base) = self.base {
            base.subwords().cloned()
        } else if self.settings.subwords > 0 {
            let joined: Vec<String> = data.texts.par_iter().map(|t| Words::of(t).joined()).collect();
            Some(Subwords::train(joined.iter().map(String::as_str), self.settings.subwords)?)
        } else {
            None
        };
        let vocabulary = Vocabulary::learn(&tokens, &names, subwords);
        let texts: Vec<Numbered> = tokens.par_iter().map(|t| vocabulary.number(t)).collect();
        let vectors = vectors
            .map(|v| v.cut(self.settings.keep_vectors, |w| vocabulary.knows(w, self.settings.keep_words)).into_owned());
        let compounds = self.compounds();
        let (vector_rows, factors) = match &vectors {
            Some(vectors) => vocabulary.vector_rows(vectors, compounds, &texts),
            None => (Array2::zeros((vocabulary.len(), 0)), Vec::new()),
        };
        let scale = self.base.map_or_else(|| style::Scale::of(tokens.iter().map(|t| &t.style)), Base::style);
        let (start_names, starts) = number_starts(&tokens, &data.reply.rows);
        let mut next = 0;
        let mut window_starts = Vec::with_capacity(texts.len());
        for text in &texts {
            window_starts.push(next);
            let n = text.types.len();
            next += if is_long(n) { windows(n).count() } else { 0 };
        }
        let (stack, base_pools) = self.base.map(|base| self.say(base, &own_words)).unwrap_or_default();
        let shared = Shared {
            window_starts,
            types: vocabulary.type_rows(vectors.as_ref().filter(|_| compounds)),
            vectors: vector_rows,
            texts,
            starts,
            start_names,
            surroundings: vec![Box::default(); data.texts.len()],
            styles: tokens.iter().map(|t| scale.apply(&t.style)).collect(),
            window_styles: tokens.iter().map(|t| scale.apply(&style::shortened(&t.style, WINDOW))).collect(),
            folds: data.groups.iter().map(|g| fold(g, self.settings.seed, self.settings.folds)).collect(),
            sources: data.sources.clone(),
            source_count: data.source_weights.len(),
            stack,
            base_pools,
            vocabulary,
        };
        Ok((shared, vectors, factors, scale))
    }

    /// True for a row of a source that nothing is fitted on.
    pub(super) fn is_held_out(&self, row: u32) -> bool {
        self.data.source_weights[self.data.sources[row as usize]] <= 0.0
    }

    /// Weights of rows by source; the mean of those that are not held out is 1.
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
        let fitted = weights.iter().filter(|w| **w > 0.0).count();
        let mean = weights.iter().sum::<f64>() / fitted.max(1) as f64;
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
        for ((&row, &class), w) in rows.iter().zip(truth).zip(&mut weights).filter(|(_, w)| **w > 0.0) {
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
        shared.fit(&Task { weights: &weights, ..task }, settings, self.stop).map_err(|e| Self::named(what, e))
    }

    /// Says which fit an error is of.
    pub(super) fn named(what: &str, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Interrupted => error,
            _ => Error::settings(format!("{what}: {error}")),
        }
    }

    /// The places of the rows that a label is calibrated on: all, where those of sources to be calibrated on lack a class.
    fn calibrating(&self, rows: &LabelRows) -> Vec<usize> {
        let all = 0..rows.rows.len();
        let calibrates = |i: &usize| self.data.calibrates[self.data.sources[rows.rows[*i] as usize]];
        let some: Vec<usize> = all.clone().filter(calibrates).collect();
        let positives = some.iter().filter(|&&i| rows.targets[i] >= 0.5).count();
        if positives == 0 || positives == some.len() { all.collect() } else { some }
    }

    /// Fits the labels, one column each.
    fn labels(
        &mut self,
        plan: &Plan<'_>,
        first_stage: &FirstStageHeads<'_>,
        shared: &Shared,
        vectors: Option<&Vectors>,
        heads: &mut Vec<Head>,
    ) -> Result<Vec<LabelHead>> {
        let mut out = Vec::new();
        for (name, rows) in &plan.labels {
            self.step(name)?;
            let of_base = self.base.filter(|_| self.keep).and_then(|base| {
                let model = base.model();
                model.label(name).and_then(|k| model.manifest.labels.get(k))
            });
            let kept = LabelSettings {
                base_rate: of_base.map(|label| f64::from(label.base_rate)),
                experimental: of_base.is_some_and(|label| label.experimental),
                ..LabelSettings::default()
            };
            let settings = self.recipe.labels.get(*name).unwrap_or(&kept);
            let own_l2 = settings.l2.map(|l2| [l2]);
            // A first-stage head of the very rows and label would only repeat the head's own words; its local maxima do not.
            let own = self.data.teachers.get(*name);
            let repeats = |k: usize| {
                let key = k.checked_sub(first_stage.from).and_then(|k| first_stage.keys.get(k));
                key.is_some_and(|key| own.is_some_and(|own| own.contains(*key)))
            };
            let is_input = |k: usize| self.is_input(&shared.stack[k]);
            let stack: Vec<usize> = (0..shared.stack.len()).filter(|&k| !repeats(k) && is_input(k)).collect();
            // Pooled heads are silent on neutral words, which a head that needs those words would miss.
            let is_pooled = |k: &usize| shared.stack[*k].peaks.is_some();
            let local = settings.neutral || self.settings.neutral.is_none();
            let pools: Vec<usize> = (0..shared.stack.len()).filter(|k| local && is_pooled(k)).collect();
            let task = Task {
                rows: &rows.rows,
                targets: &rows.targets,
                l2: own_l2.as_ref().map_or(self.settings.l2_choices.as_slice(), <[f64; 1]>::as_slice),
                stack: &stack,
                pools: &pools,
                bayes: if rows.rarer() >= self.settings.bayes_from { &[true] } else { &[false, true] },
                ..Task::default()
            };
            let head = Head { neutral: settings.neutral, ..self.fit(shared, name, task, self.settings.balanced)? };
            let wants_relation = label::find(name).is_some_and(|l| l.context == Context::Relation);
            let places = self.calibrating(rows);
            let told: Vec<u32> = places.iter().map(|&i| rows.rows[i]).collect();
            let evidence = Evidence {
                name,
                whole: &places.iter().map(|&i| head.out_of_fold[i]).collect::<Vec<_>>(),
                highest: &places.iter().map(|&i| head.out_of_fold_highest[i]).collect::<Vec<_>>(),
                truth: &places.iter().map(|&i| rows.targets[i] >= 0.5).collect::<Vec<_>>(),
                weights: &self.weights(&told),
                folds: &told.iter().map(|&r| shared.folds[r as usize]).collect::<Vec<_>>(),
                relations: &if wants_relation { self.relations(&told, vectors) } else { vec![None; told.len()] },
            };
            let calibrated = calibrate(&evidence, settings, self.settings);
            out.push(LabelHead {
                name: (*name).to_owned(),
                threshold: calibrated.threshold,
                base_rate: calibrated.base_rate,
                experimental: settings.experimental,
                doubt: calibrated.doubt,
                rows: rows.rows.len(),
                positives: rows.positives(),
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
