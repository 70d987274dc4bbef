//! `polemic train`: a model from labelled rows or a recipe.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::common::{Reading, Rejects};
use crate::features::vectors::Vectors;
use crate::model::{Model, file};
use crate::read::rows::BadRow;
use crate::text::terms::Identities;
use crate::train::base::Base;
use crate::train::compare::{Question, compare};
use crate::train::fit::{Given, Watch, train};
use crate::train::recipe::{Recipe, Source};
use crate::train::scored;

const EXAMPLES: &str = "\
Examples:
  polemic train labelled.jsonl -o my-model
  polemic train train.csv more.csv.gz -o my-model --name forum --min-rows 30
  polemic train --base news-en --add decisions.jsonl -o models/site/1.0.0
  polemic train --base news-en --targets targets.toml -o models/site/1.0.0
  polemic train training-data/recipes/news-en.toml --data ../corpora -o models/news-en/0.3.0

Rows: a `text` and any of `labels` (name: 0..1), `reply_stance` with `parent_text` or `parent_id`, `stance` with `target`.
CSV: columns whose cells are all 0..1, true/false or yes/no are labels; `label.NAME` always is.";

/// Fewest decisions of either kind for a label to be fitted anew on top of a model.
const FEWEST_DECISIONS: usize = 15;

/// Arguments of `polemic train`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files of labelled rows (JSONL or CSV, also .gz or .zst), or one recipe (.toml).
    #[arg(required_unless_present_any = ["add", "targets"], value_name = "DATA|RECIPE")]
    inputs: Vec<PathBuf>,
    /// File of moderators' decisions (labelled rows). With a recipe or data it is one more source. Alone it teaches the model of
    /// `--base`: the labels in it are fitted anew on top of what that model says, all others stay.
    #[arg(long, value_name = "FILE")]
    add: Vec<PathBuf>,
    /// File of targets: their names and aliases, and examples that teach the stance toward them (see docs/targets.md). Alone it adds
    /// them to the model of `--base`; all else stays.
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// Folder of the model to write.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Name of the model [default: the folder's].
    #[arg(long)]
    name: Option<String>,
    /// Fewest rows with and without a label for the label to get a head [default: 60].
    #[arg(long, value_name = "N")]
    min_rows: Option<usize>,
    /// Word vectors: a `GloVe` or word2vec text file, or `none` [default: those of the model that is found].
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// Model whose first-stage heads are further inputs, or `none` [default: the model that is found, if it has such heads].
    #[arg(long, value_name = "MODEL")]
    base: Option<String>,
    /// Folder in which a recipe's files are looked for beside its own.
    #[arg(long, value_name = "DIR", env = "POLEMIC_DATA")]
    data: Option<PathBuf>,
    /// Threads to use [default: all].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    rejects: Rejects,
}

/// Trains and saves.
pub fn run(mut args: Args) -> Result<ExitCode> {
    super::common::use_threads(args.threads)?;
    let started = Instant::now();
    // Said before the work of hours, not after it.
    file::check_place(&args.output)?;
    // Targets may be learnt from nothing but their examples.
    let keep = args.inputs.is_empty() && !(args.add.is_empty() && args.base.as_deref() == Some("none"));
    let mut recipe = recipe(&mut args)?;
    let vectors = vectors(&recipe)?;
    let base = base(&mut recipe, keep)?;
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || seen.store(true, Relaxed)).context("the interrupt handler could not be set")?;

    let watch = Terminal::new(args.rejects.open()?);
    if vectors.is_none() {
        watch.note("no word vectors: labels with few rows gain from them (--vectors FILE)");
    }
    match &base {
        Some(base) if keep => {
            watch.note(&format!("adds to {}: what the rows do not teach stays", base.model().id()));
        }
        Some(base) => watch.note(&format!(
            "learns from the {} first-stage heads of {} as well (--base none: not)",
            base.heads().len(),
            base.model().id()
        )),
        None => {}
    }
    let before = base.as_ref().filter(|_| keep && !args.add.is_empty()).and_then(|base| base.model().folder.clone());
    let model = train(&recipe, &args.reading.options(), Given { vectors, base, keep }, &watch, &stop)?;
    model.save(&args.output, &[(file::RECIPE, recipe.written_out()?)])?;
    let changed = before.map(|folder| changed(&args, &folder, &model)).transpose()?;
    watch.bar.finish_and_clear();
    report(&model, &args.output, started);
    if let Some(changed) = changed {
        anstream::eprintln!("{changed}");
    }
    Ok(watch.rejects.finish())
}

/// What is decided otherwise than before on the comments that were added, and on whom.
fn changed(args: &Args, before: &Path, new: &Model) -> Result<String> {
    let old = Model::open(before)?;
    let options = args.reading.options();
    let rows = scored::read(&args.add, &options, &mut |_, _| (), |_| ())?;
    let terms: Vec<String> = Identities::default().words().collect();
    let question = Question { rows: &rows, trained_on: true, terms: &terms, examples: 0, max_text: options.max_text };
    Ok(compare(&old, new, &question).table())
}

fn recipe(args: &mut Args) -> Result<Recipe> {
    let is_recipe = |p: &PathBuf| p.extension().is_some_and(|e| e == "toml");
    let mut recipe = match args.inputs.as_slice() {
        [only] if is_recipe(only) => Recipe::open(only, args.data.as_deref())?,
        files if files.iter().any(is_recipe) => {
            bail!("a recipe stands alone: name the other files in it as [[source]]")
        }
        files => {
            let mut recipe = Recipe::of_files(files);
            if files.is_empty() {
                recipe.settings.min_rows = FEWEST_DECISIONS;
            }
            recipe.model.name = folder_name(&args.output);
            recipe
        }
    };
    recipe.sources.extend(args.add.iter().map(|file| Source::file(file)));
    if let Some(name) = args.name.take() {
        recipe.model.name = name;
    }
    if let Some(n) = args.min_rows {
        recipe.settings.min_rows = n;
    }
    if let Some(vectors) = args.vectors.take() {
        recipe.settings.vectors = Some(vectors);
    }
    if let Some(targets) = args.targets.take() {
        recipe.settings.targets = Some(targets);
    }
    if let Some(base) = args.base.take() {
        recipe.settings.base = Some(base);
    }
    recipe.check()?;
    Ok(recipe)
}

/// The base that a recipe names, else the model that is found if it has first-stage heads. The recipe is told which.
fn base(recipe: &mut Recipe, keep: bool) -> Result<Option<Base>> {
    let settings = &mut recipe.settings;
    let base = match settings.base.as_deref() {
        Some("none") => None,
        Some(wanted) => {
            let base = Base::open(&file::find(Some(wanted))?)?;
            if base.heads().is_empty() && !keep {
                bail!("{} travels without first-stage heads: it can be no base", base.model().id());
            }
            Some(base)
        }
        None => match file::find(None).map(|folder| Base::open(&folder)) {
            Ok(base) => Some(base?).filter(|base| keep || !base.heads().is_empty()),
            Err(_) => None,
        },
    };
    if keep && base.is_none() {
        bail!("--add or --targets alone adds to a model: name it with --base MODEL");
    }
    settings.base = Some(base.as_ref().map_or_else(|| "none".to_owned(), |base| base.model().id()));
    Ok(base)
}

/// The folder's name, or for `NAME/1.2.3` the name above the version.
fn folder_name(output: &Path) -> String {
    let name = |p: Option<&Path>| p.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
    let last = name(Some(output)).unwrap_or_else(|| "model".into());
    match semver::Version::parse(&last) {
        Ok(_) => name(output.parent()).unwrap_or(last),
        Err(_) => last,
    }
}

/// The vectors that a recipe names, else those of the model that is found.
fn vectors(recipe: &Recipe) -> Result<Option<Vectors>> {
    let most = recipe.settings.keep_vectors.max(400_000);
    match &recipe.settings.vectors {
        Some(path) if path == Path::new("none") => Ok(None),
        Some(path) if path.extension().is_some_and(|e| e == "safetensors") => {
            let bytes = std::fs::read(path).map_err(|e| crate::error::Error::io(path, e))?;
            Ok(Some(Vectors::from_bytes(path, &bytes)?))
        }
        Some(path) => Ok(Some(Vectors::read_text(path, most, |_| false)?)),
        None => Ok(file::find(None).ok().and_then(|folder| Model::open(&folder).ok()).and_then(|model| model.vectors)),
    }
}

fn report(model: &Model, output: &Path, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    anstream::eprintln!("{} in {}: trained in {seconds:.0} s", model.id(), output.display());
    for head in &model.manifest.labels {
        anstream::eprintln!(
            "  {:<24} {:>7} rows, {:>6} positive, AUC out of fold {:.3}{}",
            head.name,
            head.rows,
            head.positives,
            head.auc_out_of_fold,
            head.doubt.map_or_else(String::new, |doubt| {
                format!(", experimental: decides {:.2} of the comments, right in {:.2}", doubt.coverage, doubt.accuracy)
            })
        );
    }
    let parent = model.manifest.parent.as_ref().map(|p| ("parent", p.rows, p.macro_f1_out_of_fold));
    let targets = model.manifest.targets.as_ref().map(|t| ("targets", t.rows, t.macro_f1_out_of_fold));
    for (what, rows, macro_f1) in parent.into_iter().chain(targets) {
        anstream::eprintln!("  stance toward {what:<10} {rows:>7} rows, macro-F1 out of fold {macro_f1:.3}");
    }
}

/// Progress and notes on standard error.
struct Terminal {
    bar: ProgressBar,
    rejects: super::common::RejectsFile,
}

impl Terminal {
    fn new(rejects: super::common::RejectsFile) -> Self {
        let bar = ProgressBar::new(1);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {msg}") {
            bar.set_style(style);
        }
        Self { bar, rejects }
    }
}

impl Watch for Terminal {
    fn step(&self, done: usize, of: usize, what: &str) {
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(what.to_owned());
    }

    fn note(&self, what: &str) {
        self.bar.suspend(|| anstream::eprintln!("note: {what}"));
    }

    fn bad_row(&self, file: &Path, row: BadRow) {
        self.bar.suspend(|| self.rejects.add(&file.display().to_string(), &row));
    }
}
