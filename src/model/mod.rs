//! A model: folded tables of all heads, their calibration, the stance heads, and the manifest that describes them.

pub mod asked;
pub mod calibrate;
pub mod doubt;
pub mod explain;
pub mod explain_target;
pub mod file;
pub mod fold;
mod hot;
pub mod lexicon;
pub mod logistic;
pub mod multinomial;
pub mod peaks;
pub mod profile;
pub mod reply;
pub mod scoring;
pub mod sums;
pub mod target;
mod toward;
mod workers;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::features::style;
use crate::features::vectors::Vectors;
use crate::text::targets::NamedTarget;
use crate::text::tokenizer::Subwords;
use asked::Asked;
use calibrate::Calibration;
use doubt::Doubt;
use fold::Table;
use hot::Hot;
use lexicon::Worth;
use reply::ParentStance;
use target::TargetStance;
use workers::Workers;

/// The format of a model folder that this program reads and writes.
pub const FORMAT: u32 = 3;
/// Words of a window; longer texts are scored in windows, too.
pub const WINDOW: usize = 12;
/// Words from the start of one window to that of the next.
pub const STRIDE: usize = 6;
/// The most frequent words of the training set, by which the language is told.
pub const COMMON: usize = 64;

/// What a model folder says of itself (`manifest.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of the folder.
    pub format: u32,
    /// Name, lower case with dashes.
    pub name: String,
    /// Version, by semantic versioning.
    pub version: String,
    /// One sentence on what the model is for.
    pub description: String,
    /// Licence of the weights.
    pub licence: String,
    /// Language of the training texts (ISO 639-3); absent where they are in several or in none that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where the training rows came from.
    pub sources: Vec<SourceNote>,
    /// The label heads, in the order of their columns.
    pub labels: Vec<LabelHead>,
    /// Stance toward the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentStance>,
    /// Stance toward targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<TargetStance>,
    /// The targets that comments are asked about where they mention them, unless others are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_targets: Vec<NamedTarget>,
    /// How style is standardised.
    pub style: style::Scale,
    /// True if words run together (hashtags) are read by the words they are made of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compounds: bool,
    /// The first-stage heads that travel with the model for `train --base`, in the order of their columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_stage: Vec<FirstStage>,
    /// SHA-256 of every file that scoring or training reads.
    #[serde(default)]
    pub files: std::collections::BTreeMap<String, String>,
}

impl Manifest {
    /// The targets that the model knows, and those with heads of their own that nothing else is known of.
    pub fn targets_known(&self) -> Vec<NamedTarget> {
        let own = self.targets.iter().flat_map(|head| &head.own).map(|own| own.name.as_str());
        let others = own.filter(|name| !self.known_targets.iter().any(|known| known.name == *name));
        self.known_targets.iter().cloned().chain(others.map(NamedTarget::topic)).collect()
    }
}

/// A corpus that a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceNote {
    /// Name of the corpus or file.
    pub name: String,
    /// Licence, as far as the recipe states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Rows used.
    pub rows: usize,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// A first-stage head: one label of one corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirstStage {
    /// The corpus.
    pub source: String,
    /// The corpus's own label.
    pub label: String,
    /// Training rows that carry the label.
    pub rows: usize,
    /// Of these, how many have it.
    pub positives: usize,
}

/// One label of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelHead {
    /// Its name in every record.
    pub name: String,
    /// The probability from which a comment counts as having the label: the best F1 out of fold, at the base rate.
    pub threshold: f32,
    /// The share of comments that probabilities are calibrated to.
    pub base_rate: f32,
    /// Rests on thin data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub experimental: bool,
    /// Which comments an experimental label leaves open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Training rows that carry the label.
    pub rows: usize,
    /// Of these, how many have it.
    pub positives: usize,
    /// ROC AUC on rows that the head was not fitted on (out of fold), over all sources.
    pub auc_out_of_fold: f32,
    /// From logit to probability.
    pub calibration: Calibration,
}

/// The folded weights of all heads; `columns` numbers a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// Number of heads.
    pub columns: usize,
    /// One intercept a head.
    pub bias: Vec<f32>,
    /// `style::COUNT` rows of `columns` weights.
    pub style: Vec<f32>,
    /// Words, most frequent first.
    pub words: Table,
    /// The words themselves, in the order of their rows.
    pub names: Vec<String>,
    /// Word pairs.
    pub pairs: Table,
    /// Character n-grams, for words that have no row.
    pub grams: Table,
    /// Subwords by id, for words that have no row.
    pub subwords: Table,
    /// Start features of replies.
    pub starts: Table,
    /// How many of the columns, the last ones, are first-stage heads that are there for their local maxima.
    pub pools: usize,
    /// What the local maxima count: for each of the other columns, for each pooled head, one number a size of
    /// [`peaks::SIZES`].
    pub pool_weights: Vec<f32>,
}

impl Weights {
    /// What a word whose row is `row` adds to head `k` where it is the local maximum of the pooled heads.
    pub fn local(&self, k: usize, row: &[f32]) -> f32 {
        let counts = self.pool_weights.chunks_exact((self.pools * peaks::COUNT).max(1)).nth(k).unwrap_or_default();
        let pooled = row.iter().skip(self.columns.saturating_sub(self.pools));
        let of_pool = |(counts, weight): (&[f32], &f32)| -> f32 {
            let sizes = counts.iter().zip(peaks::SIZES);
            sizes.map(|(count, size)| count * weight / (size as f32).sqrt()).sum()
        };
        counts.chunks_exact(peaks::COUNT).zip(pooled).map(of_pool).sum()
    }
}

/// A model ready to score.
#[derive(Debug)]
pub struct Model {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its tables.
    pub weights: Weights,
    /// Subword tokenizer.
    pub subwords: Option<Subwords>,
    /// Word vectors.
    pub vectors: Option<Vectors>,
    /// First-stage heads to be saved with it; not read with the model (see [`file::first_stage`]).
    pub first_stage: Option<Weights>,
    /// The folder it was read from.
    pub folder: Option<PathBuf>,
    /// What its words are worth.
    worth: Worth,
    /// Its targets, read.
    asked: Asked,
    /// Its tables once more, packed for speed.
    hot: Option<Hot>,
    /// What its workers reuse.
    workers: Workers,
}

impl Model {
    /// A model of its parts, not read from a folder.
    pub fn new(manifest: Manifest, weights: Weights, subwords: Option<Subwords>, vectors: Option<Vectors>) -> Self {
        let worth = Worth::of(&manifest, &weights, vectors.as_ref());
        let (head, known) = (manifest.targets.as_ref(), &manifest.known_targets);
        let asked = Asked::of(&manifest.targets_known(), head, known, vectors.as_ref(), weights.words.len());
        let in_windows = manifest.labels.iter().any(|label| label.calibration.margin.is_some());
        let parent = manifest.parent.as_ref().map(|parent| (parent.first_column, parent.step.classes.len()));
        let hot = Hot::of(&weights, manifest.labels.len(), in_windows, parent);
        Self {
            manifest,
            weights,
            subwords,
            vectors,
            first_stage: None,
            folder: None,
            worth,
            asked,
            hot,
            workers: Workers::default(),
        }
    }

    /// The same model with first-stage heads to be saved with it.
    #[must_use]
    pub fn with_first_stage(self, first_stage: Option<Weights>) -> Self {
        Self { first_stage, ..self }
    }

    /// `name@version`, as every record says it.
    pub fn id(&self) -> String {
        format!("{}@{}", self.manifest.name, self.manifest.version)
    }

    /// Why the label number `k` says nothing of a comment for which it has the probability `p`; `None` where it does.
    pub fn left_open(&self, k: usize, p: f32) -> Option<String> {
        let doubt = self.manifest.labels.get(k)?.doubt.as_ref()?;
        doubt.leaves_open(p).then(|| doubt.reason(p))
    }

    /// True if it says nothing of such a comment.
    pub fn is_left_open(&self, k: usize, p: f32) -> bool {
        let doubt = self.manifest.labels.get(k).and_then(|label| label.doubt.as_ref());
        doubt.is_some_and(|doubt| doubt.leaves_open(p))
    }

    /// Reads targets for this model: to be asked about instead of its own.
    pub fn asked(&self, targets: &[NamedTarget]) -> Asked {
        let Manifest { targets: head, known_targets: known, .. } = &self.manifest;
        Asked::of(targets, head.as_ref(), known, self.vectors.as_ref(), self.weights.words.len())
    }

    /// Index of a label.
    pub fn label(&self, name: &str) -> Option<usize> {
        self.manifest.labels.iter().position(|l| l.name == name)
    }
}
