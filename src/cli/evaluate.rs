//! `polemic evaluate`: figures of a model on labelled rows.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::common::{Reading, Rejects};
use super::site::SiteModel;
use crate::report::evaluate::{Question, evaluate};

const EXAMPLES: &str = "\
Examples:
  polemic evaluate test.jsonl.gz --model my-model
  polemic evaluate dev.jsonl.gz --map incivility=uncivil --json > figures.json
  polemic evaluate all.jsonl --by meta.corpus
  polemic evaluate dev.jsonl.gz --profile site.toml --reliability

F1 is that at the model's own threshold; best F1 is the highest any threshold reaches on these rows. ECE is over 15 bins; (own): with
an intercept fitted on other rows of the data, as `polemic calibrate` would give it.";

/// Arguments of `polemic evaluate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files of labelled rows (JSONL or CSV, also .gz or .zst).
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    model: SiteModel,
    /// Compare the model's label OURS with the rows' label THEIRS (repeatable).
    #[arg(long, value_name = "OURS=THEIRS", value_parser = pair)]
    map: Vec<(String, String)>,
    /// Split the figures by a field of the rows, such as meta.corpus.
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,
    /// Write JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Also show, label by label, what was predicted beside what was observed, in ten bins.
    #[arg(long)]
    reliability: bool,
    /// Draws of the bootstrap for the 95 % intervals.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    rejects: Rejects,
}

/// Reads `OURS=THEIRS`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => Ok((ours.into(), theirs.into())),
        _ => Err("expected OURS=THEIRS, as in incivility=uncivil".into()),
    }
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<ExitCode> {
    let model = args.model.open()?;
    let rejects = args.rejects.open()?;
    let question = Question {
        data: args.data.clone(),
        map: args.map.clone(),
        by: args.by.clone(),
        resamples: args.resamples,
        max_text: args.reading.options().max_text,
        reliability: args.reliability,
    };
    let mut bad = |file: &std::path::Path, row| rejects.add(&file.display().to_string(), &row);
    let evaluation = evaluate(&model, &question, &args.reading.options(), &mut bad)?;
    let mut out = anstream::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&evaluation.to_json())?)?;
    } else {
        write!(out, "{}", evaluation.table())?;
    }
    Ok(rejects.finish())
}
