//! A recipe: which data teach which labels, and with what settings. Every default is written out into the model folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::features::context::Block;

/// All that a training run needs to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the model is called.
    #[serde(default)]
    pub model: About,
    /// How it is trained.
    #[serde(default)]
    pub settings: Settings,
    /// Settings of single labels.
    #[serde(default, rename = "label", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, LabelSettings>,
    /// The data.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
}

/// What a model says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct About {
    /// Lower case with dashes.
    pub name: String,
    /// By semantic versioning.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Licence of the weights.
    pub licence: String,
}

impl Default for About {
    fn default() -> Self {
        Self {
            name: "model".into(),
            version: "0.1.0".into(),
            description: "trained with polemic".into(),
            licence: "not stated".into(),
        }
    }
}

/// How a model is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Decides the folds and nothing else: fits are deterministic.
    pub seed: u64,
    /// Parts that out-of-fold predictions are made over, by thread, else author, else text.
    pub folds: usize,
    /// L2 strength on the summed loss, row weights having the mean 1 (1/C of scikit-learn).
    pub l2: f64,
    /// L2 strength of the heads of stance toward the parent.
    pub l2_stance: f64,
    /// L2 strength of the own heads of targets.
    pub l2_own: f64,
    /// L2 strength of the heads of stance toward any target.
    pub l2_targets: f64,
    /// A stance toward a target is decided from the probability on at which decisions were right this often out of fold; below it,
    /// none is.
    pub precision: f64,
    /// Each source's rows weigh `n^(power-1)`: 1 counts rows alike, 0 counts sources alike.
    pub source_power: f64,
    /// Multiplies the slope of every label's calibration. 1 fits comments like those of training; less is honest of a model that is for
    /// sites it never saw, where the same words tell less.
    pub slope: f64,
    /// What the labels' thresholds are the best of, out of fold.
    pub thresholds: Aim,
    /// Count both classes of a label alike, and those of stance toward a target that has heads of its own.
    pub balanced: bool,
    /// Fit one head a source and label first, and give their logits to the heads of the model as further inputs (stacking). They
    /// fold into the same tables. Worth it with several sources.
    pub stack: bool,
    /// L2 strengths that each label's head chooses from by its AUC out of fold.
    pub l2_choices: Vec<f64>,
    /// How much of a target is the share of annotators (`labels_soft`), where rows have it; the rest is the label. 0 ignores it.
    pub soft: f64,
    /// Naive Bayes scaling of words and pairs for labels with this many rows of either class. It may mislead where there are fewer:
    /// then both ways are tried, and that with the better AUC out of fold is taken.
    pub bayes_from: usize,
    /// First-stage heads whose local maxima are further inputs of the labels, those with the most rows of their rarer class.
    pub pools: usize,
    /// The base model whose first-stage heads are further inputs, as `name@version` or a folder; `none` for none; absent: the model
    /// that is found, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// A list of identity terms (as `polemic audit` reads it) whose words count nothing for the labels marked `neutral`: who is
    /// spoken of is no evidence. Absent: no word is neutral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neutral: Option<PathBuf>,
    /// A `targets.toml`: targets that the model knows by name and aliases. Rows about an alias teach the target, and so do its examples;
    /// five examples in each of two classes give it heads of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<PathBuf>,
    /// Rows of words, pairs and character n-grams each that the saved first-stage heads keep; 0 saves none.
    pub keep_heads: usize,
    /// Fewest rows of either class for a label to get a head.
    pub min_rows: usize,
    /// Fewest rows of either of two stances for a target to get heads of its own.
    pub min_examples: usize,
    /// Most iterations of one fit.
    pub max_iterations: u64,
    /// Largest component of the gradient at the end, per unit of row weight.
    pub tolerance: f64,
    /// Subwords of the tokenizer; 0 for none.
    pub subwords: usize,
    /// Words of the training texts kept in the model with weights of their own, the commonest; rarer ones are read by their parts.
    pub keep_words: usize,
    /// Word pairs kept in the model, by weight times use.
    pub keep_pairs: usize,
    /// Character n-grams kept in the model for unknown words, by weight times use.
    pub keep_grams: usize,
    /// Words kept of the word vectors beside those of the training texts.
    pub keep_vectors: usize,
    /// Word vectors: a text file (`GloVe`, word2vec) or a `vectors.safetensors`; absent: those of the model that is found, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<PathBuf>,
    /// Multiples of the L2 strength, by block of features.
    pub l2_blocks: Blocks,
    /// Inputs of stance toward the parent.
    pub reply: ReplySettings,
}

/// What a threshold is chosen for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// The F1 of having the label.
    #[default]
    F1,
    /// The mean of this and the F1 of not having it: higher thresholds for labels that are frequent.
    MacroF1,
}

/// Inputs of stance toward the parent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplySettings {
    /// Blocks of context beside the relation to the parent. Absent: those that raise the macro-F1 out of fold, the mean over the
    /// sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Vec<Block>>,
    /// Give the heads n-grams, subwords and vectors beside words, pairs and start features. They tell events apart where rows
    /// come from few of them, and help where rows come from many threads of one community.
    pub text: bool,
    /// Fit words, relation and context together instead of the words first. It helps on news threads of one kind
    /// (`bench-rumoureval.toml`) and costs where several kinds are mixed.
    pub joint: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            folds: 4,
            l2: 4.0,
            l2_blocks: Blocks::default(),
            reply: ReplySettings::default(),
            l2_stance: 3.0,
            l2_own: 1.0,
            l2_targets: 10.0,
            precision: 0.8,
            source_power: 0.5,
            slope: 1.0,
            thresholds: Aim::F1,
            balanced: false,
            stack: false,
            l2_choices: vec![2.0, 6.0, 18.0],
            soft: 0.5,
            bayes_from: 300,
            pools: 8,
            base: None,
            neutral: None,
            targets: None,
            keep_heads: 1 << 15,
            min_rows: 60,
            min_examples: 10,
            max_iterations: 1000,
            tolerance: 2e-4,
            subwords: 8000,
            keep_words: 1 << 17,
            keep_pairs: 1 << 16,
            keep_grams: 1 << 16,
            keep_vectors: 80_000,
            vectors: None,
        }
    }
}

impl Settings {
    /// The files that they name.
    fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.vectors, &mut self.neutral, &mut self.targets].into_iter().flatten()
    }
}

/// Multiples of the L2 strength, by block of features: above 1 a block is trusted less, below 1 more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Blocks {
    /// Words.
    pub words: f64,
    /// Character n-grams and subwords.
    pub parts: f64,
    /// Word vectors.
    pub vectors: f64,
    /// Style.
    pub style: f64,
    /// Source indicators.
    pub sources: f64,
    /// Word pairs.
    pub pairs: f64,
    /// First-stage logits.
    pub stack: f64,
    /// Local maxima of first-stage heads.
    pub peaks: f64,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { words: 1.0, parts: 1.0, vectors: 1.0, style: 1.0, sources: 0.1, pairs: 1.0, stack: 1.0, peaks: 1.0 }
    }
}

/// Settings of one label.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelSettings {
    /// Share of comments to calibrate to; absent: that of the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_rate: Option<f64>,
    /// Mark the label as resting on thin data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub experimental: bool,
    /// L2 strength instead of the setting for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub l2: Option<f64>,
    /// The words of `settings.neutral` count nothing for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub neutral: bool,
    /// Fewest rows of either class instead of the setting for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rows: Option<usize>,
    /// Whether the highest window of a text may decide instead of the whole, so that padding hides nothing. Absent: yes for labels of
    /// incivility, and for a label that the product does not know where it costs little.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<bool>,
}

/// One file of labelled rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a line of a recipe that is on or off")]
pub struct Source {
    /// The file, from the recipe's folder or the one of `--data`.
    pub path: PathBuf,
    /// The corpus; rows of one corpus share an indicator. Absent: the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Label of the model → label (or list of labels, any of which will do) of the rows. Absent: every label under its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, OneOrMore>>,
    /// Learn stance toward the parent from it.
    #[serde(default = "yes")]
    pub reply_stance: bool,
    /// Learn the stance of comments without a parent from it, too, where the rows state one.
    #[serde(default = "yes")]
    pub stance_of_roots: bool,
    /// Learn stance toward targets from it.
    #[serde(default = "yes")]
    pub stance: bool,
    /// Learn from its rows with these stances toward targets only. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stances: Option<Vec<String>>,
    /// Its targets may get heads of their own; else they only teach how stance is taken toward any target.
    #[serde(default = "yes")]
    pub own_targets: bool,
    /// Calibrate labels on it, too; not on rows that are no sample of comments, as phrases are.
    #[serde(default = "yes")]
    pub calibrate: bool,
    /// Multiplies the weight of its rows. Rows of weight 0 teach nothing: where they state a stance, the choices that training makes
    /// out of fold (inputs of a stance, what is added to its classes) are made on them instead.
    #[serde(default = "one")]
    pub weight: f64,
}

/// A name or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

impl OneOrMore {
    /// The names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::More(names) => names,
        }
    }
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

impl Source {
    /// A file whose rows teach every label under its own name.
    pub fn file(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            name: None,
            licence: None,
            labels: None,
            reply_stance: true,
            stance_of_roots: true,
            stance: true,
            stances: None,
            own_targets: true,
            calibrate: true,
            weight: 1.0,
        }
    }

    /// A file of examples of a target: it teaches the stance toward that and nothing else.
    pub fn examples(path: &Path) -> Self {
        Self { labels: Some(BTreeMap::new()), reply_stance: false, ..Self::file(path) }
    }

    /// The corpus.
    pub fn corpus(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.path.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }
}

impl Recipe {
    /// A recipe of files alone.
    pub fn of_files(files: &[PathBuf]) -> Self {
        Self {
            model: About::default(),
            settings: Settings::default(),
            labels: BTreeMap::new(),
            sources: files.iter().map(|f| Source::file(f)).collect(),
        }
    }

    /// Reads a recipe and finds its files: from its own folder, else below `data`.
    pub fn open(path: &Path, data: Option<&Path>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let mut recipe: Self =
            toml::from_str(&text).map_err(|e| Error::input(path.display(), format!("not a recipe: {e}")))?;
        let home = path.parent().unwrap_or(Path::new("."));
        let find = |wanted: &Path| {
            let places = std::iter::once(home.join(wanted)).chain(data.map(|d| d.join(wanted)));
            places.into_iter().find(|p| p.exists()).ok_or_else(|| {
                let hint = if data.is_some() { "" } else { "; give the folder of the corpora with --data DIR" };
                Error::input(path.display(), format!("no file {}{hint}", wanted.display()))
            })
        };
        for source in &mut recipe.sources {
            source.path = find(&source.path)?;
        }
        for file in recipe.settings.files() {
            *file = find(file)?;
        }
        Ok(recipe)
    }

    /// Makes sure that the settings mean something.
    pub fn check(&self) -> Result<()> {
        let s = &self.settings;
        let positive = [
            ("l2", s.l2),
            ("l2_blocks.words", s.l2_blocks.words),
            ("l2_blocks.parts", s.l2_blocks.parts),
            ("l2_blocks.vectors", s.l2_blocks.vectors),
            ("l2_blocks.style", s.l2_blocks.style),
            ("l2_blocks.sources", s.l2_blocks.sources),
            ("l2_blocks.pairs", s.l2_blocks.pairs),
            ("l2_blocks.stack", s.l2_blocks.stack),
            ("l2_blocks.peaks", s.l2_blocks.peaks),
            ("l2_stance", s.l2_stance),
            ("l2_own", s.l2_own),
            ("l2_targets", s.l2_targets),
            ("precision", s.precision),
            ("slope", s.slope),
            ("tolerance", s.tolerance),
        ];
        if let Some((name, value)) = positive.into_iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            return Err(Error::settings(format!("settings.{name} must be above 0, not {value}")));
        }
        if s.l2_choices.is_empty() || s.l2_choices.iter().any(|l2| !(l2.is_finite() && *l2 > 0.0)) {
            return Err(Error::settings("settings.l2_choices must be numbers above 0, one or more"));
        }
        if !(0.0..=1.0).contains(&s.soft) {
            return Err(Error::settings(format!("settings.soft must lie in 0..1, not {}", s.soft)));
        }
        if let (None, Some((name, _))) = (&s.neutral, self.labels.iter().find(|(_, l)| l.neutral)) {
            return Err(Error::settings(format!("label.{name}.neutral needs settings.neutral, the list of words")));
        }
        if s.folds < 2 || s.min_rows < 2 || s.min_examples < 2 {
            return Err(Error::settings(
                "settings.folds, settings.min_rows and settings.min_examples must be 2 or more",
            ));
        }
        if let Some((name, _)) = self.labels.iter().find(|(_, l)| l.base_rate.is_some_and(|r| !(r > 0.0 && r < 1.0))) {
            return Err(Error::settings(format!("label.{name}.base_rate must lie between 0 and 1")));
        }
        if let Some(source) = self.sources.iter().find(|s| !(s.weight.is_finite() && s.weight >= 0.0)) {
            let name = source.path.display();
            return Err(Error::settings(format!("source.weight of {name} must be 0 or more, not {}", source.weight)));
        }
        if self.sources.iter().all(|s| s.weight <= 0.0) && s.targets.is_none() {
            return Err(Error::settings(
                "no data to train on: name a file of labelled rows, or a [[source]] in the recipe",
            ));
        }
        if let Err(error) = semver::Version::parse(&self.model.version) {
            return Err(Error::settings(format!("model.version `{}` is no version: {error}", self.model.version)));
        }
        Ok(())
    }

    /// The recipe with all defaults written out, without the folders of this machine.
    pub fn written_out(&self) -> Result<String> {
        let mut recipe = self.clone();
        for source in &mut recipe.sources {
            source.name = Some(source.corpus());
            let parts: Vec<_> = source.path.components().rev().take(3).collect();
            source.path = parts.into_iter().rev().collect();
        }
        for file in recipe.settings.files() {
            *file = file.file_name().map(PathBuf::from).unwrap_or_default();
        }
        toml::to_string_pretty(&recipe).map_err(|e| Error::settings(format!("the recipe could not be written: {e}")))
    }
}
