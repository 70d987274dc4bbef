//! `polemic audit`: to whom a model is unfair, what it misreads and how it is fooled.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use super::common::{ModelChoice, Reading, Rejects};
use super::evaluate::pair;
use crate::audit::limits::{Check, Limits, Verdict};
use crate::audit::suite::{BUILT_IN, Suite};
use crate::audit::{Question, audit};
use crate::report::audit::table;
use crate::report::printable;
use crate::text::terms::{Identities, Names};

const EXAMPLES: &str = "\
Examples:
  polemic audit                                         names and functional tests alone
  polemic audit test.jsonl.gz --label insult            also identities, attacks and padding
  polemic audit test.jsonl.gz --limits limits.toml      exit code 1 if a limit is passed: for CI
  polemic audit --suite our-cases.toml --show-failures 3

Formats of suites, lists and limits, and what each figure means: docs/audit.md.";

/// Arguments of `polemic audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files of labelled rows (JSONL or CSV, also .gz or .zst). Without them: names and functional tests alone.
    #[arg(value_name = "DATA")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelChoice,
    /// Only these labels of the model, functional tests apart, which name their own [default: those of DATA; without DATA those of
    /// incivility that are not experimental].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    label: Vec<String>,
    /// Compare the model's label OURS with the rows' label THEIRS (repeatable).
    #[arg(long, value_name = "OURS=THEIRS", value_parser = pair)]
    map: Vec<(String, String)>,
    /// Functional tests to run (repeatable).
    #[arg(long, value_name = "FILE", default_value = BUILT_IN)]
    suite: Vec<PathBuf>,
    /// Identity terms to use instead of the built-in ones.
    #[arg(long, value_name = "FILE")]
    identities: Option<PathBuf>,
    /// Names and sentences to use instead of the built-in ones.
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Exit with 1 if a figure passes a limit of this file.
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// Compare false positives where this share of all rows without the label is flagged [default: at the model's threshold].
    #[arg(long, value_name = "SHARE", value_parser = share)]
    at_fpr: Option<f64>,
    /// Rows with a label, or without it, below which a figure that rests on them is left out.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    min_rows: u64,
    /// Failing examples shown of each class and label.
    #[arg(long, value_name = "N", default_value_t = 0)]
    show_failures: usize,
    /// What to write.
    #[arg(long, value_enum, default_value_t = To::Table)]
    to: To,
    /// Draws of the bootstrap for the 95 % intervals.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Decides the bootstrap's draws, the typos and the padding.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    rejects: Rejects,
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum To {
    /// Tables for reading.
    Table,
    /// One JSON object (docs/audit.md).
    Json,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a share from 0 to 1, as in 0.1".into()),
    }
}

/// Audits and prints.
pub fn run(args: &Args) -> Result<ExitCode> {
    let question = question(args)?;
    let model = args.model.open()?;
    let rejects = args.rejects.open()?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    let step = |what: &str| {
        bar.set_message(what.to_owned());
        bar.tick();
    };
    let mut bad = |file: &Path, row| bar.suspend(|| rejects.add(&file.display().to_string(), &row));
    let done = audit(&model, &question, &args.reading.options(), &mut bad, &step);
    bar.finish_and_clear();
    let found = done?;

    let mut out = anstream::stdout();
    match args.to {
        To::Json => writeln!(out, "{}", serde_json::to_string_pretty(&found.to_json())?)?,
        To::Table => write!(out, "{}", table(&found))?,
    }
    tell(&found.limits);
    let usable = rejects.finish();
    let passed = found.passed().next().is_some();
    Ok(if usable == ExitCode::SUCCESS && passed { ExitCode::from(1) } else { usable })
}

fn question(args: &Args) -> Result<Question> {
    Ok(Question {
        data: args.data.clone(),
        map: args.map.clone(),
        labels: args.label.clone(),
        suites: args.suite.iter().map(|path| Suite::find(path)).collect::<Result<_, _>>()?,
        identities: args.identities.as_deref().map(Identities::open).transpose()?.unwrap_or_default(),
        names: args.names.as_deref().map(Names::open).transpose()?.unwrap_or_default(),
        limits: args.limits.as_deref().map(Limits::open).transpose()?,
        at_rate: args.at_fpr,
        min_rows: args.min_rows,
        failures: args.show_failures,
        resamples: args.resamples,
        seed: args.seed,
    })
}

/// Names the limits that were passed, and those that could not be checked, on standard error.
fn tell(checks: &[Check]) {
    for check in checks {
        let (limit, bound) = (printable(&check.limit), check.bound);
        match (check.verdict, &check.of, check.figure) {
            (Verdict::Passed, Some(of), Some(figure)) => {
                anstream::eprintln!("polemic: limit passed: {limit} = {bound}: {figure:.3} ({})", printable(of));
            }
            (Verdict::Unmeasured, ..) => {
                anstream::eprintln!("polemic: limit not checked: {limit}: nothing was measured");
            }
            _ => {}
        }
    }
}
