//! `polemic calibrate`: a site's profile, from labelled comments or from a known rate.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::common::{self, ModelChoice, Reading, Rejects, RejectsFile};
use super::site::{rate, share};
use crate::error::Error;
use crate::model::Model;
use crate::model::calibrate::logit;
use crate::model::profile::{Adjustment, Profile};
use crate::read;
use crate::read::entry::Entry;
use crate::record::ScoreRecord;
use crate::report::profile::{notes, table};
use crate::score::batch::Scorer;
use crate::score::queue::UNCERTAIN;
use crate::score::stream::Stream;
use crate::train::scored;
use crate::train::site::{self, Fitted, Wanted};
use crate::train::threshold::Choice;

const EXAMPLES: &str = "\
Examples:
  polemic calibrate labelled.jsonl -o site.toml
  polemic calibrate labelled.csv --precision .9 --label insult -o strict.toml
  polemic calibrate --rate incivility=.07 --rate threat=.001 comments.jsonl.zst -o site.toml
  polemic score dump.jsonl --profile site.toml

Labelled rows are read as `polemic train` reads them. A few hundred comments drawn at random (`polemic queue --random`) are enough for
an offset; those that `polemic queue` picks for being uncertain are not like the others, and no base rate can be told from them.
Exit code 1: a threshold for --precision was not found.";

/// Arguments of `polemic calibrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files of labelled rows (JSONL or CSV, also .gz or .zst); with --rate, comments in any format that `polemic score` reads.
    #[arg(value_name = "DATA", required_unless_present = "rate")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelChoice,
    /// The profile to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The share of the comments that have LABEL is known to be RATE (repeatable). The comments need no labels.
    #[arg(long, value_name = "LABEL=RATE", value_parser = rate, conflicts_with_all = ["precision", "slope", "map", "label"])]
    rate: Vec<(String, f64)>,
    /// Choose thresholds for this precision, flagging as much as it allows [default: for the best F1].
    #[arg(long, value_name = "P", value_parser = share)]
    precision: Option<f64>,
    /// Only these labels (repeatable) [default: all that the rows have].
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
    /// Fit the slope, too, where a label has 500 rows or more.
    #[arg(long)]
    slope: bool,
    /// Calibrate the model's label OURS to the rows' label THEIRS (repeatable).
    #[arg(long, value_name = "OURS=THEIRS", value_parser = super::evaluate::pair)]
    map: Vec<(String, String)>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    rejects: Rejects,
}

/// Fits, prints and writes the profile.
pub fn run(args: &Args) -> Result<ExitCode> {
    let model = args.model.open()?;
    let mut profile = Profile::of(&model)?;
    check(args, &model)?;
    let rejects = args.rejects.open()?;
    let fitted = if args.rate.is_empty() { by_labels(args, &model, &rejects)? } else { Vec::new() };
    profile.labels = match args.rate.as_slice() {
        [] => fitted.iter().map(|(label, fitted)| (label.clone(), fitted.adjustment.clone())).collect(),
        _ => by_rate(args, &model, &rejects)?,
    };
    std::fs::write(&args.output, profile.to_toml()?).map_err(|e| Error::io(&args.output, e))?;
    let mut out = anstream::stdout();
    write!(out, "{}", table(&profile, &model))?;
    write!(out, "{}", notes(&fitted))?;
    let is_missing = |(_, fitted): &(String, Fitted)| !matches!(fitted.search, None | Some(Choice::Reached(_)));
    let code = rejects.finish();
    Ok(if code == ExitCode::SUCCESS && fitted.iter().any(is_missing) { ExitCode::from(1) } else { code })
}

fn check(args: &Args, model: &Model) -> Result<()> {
    let (rates, mapped) = (args.rate.iter().map(|(label, _)| label), args.map.iter().map(|(ours, _)| ours));
    let named: Vec<String> = rates.chain(mapped).chain(&args.label).cloned().collect();
    common::check_labels(model, &named)?;
    let same = |input: &&PathBuf| input.exists() && input.canonicalize().ok() == args.output.canonicalize().ok();
    if let Some(input) = args.data.iter().find(same) {
        bail!("{} is an input and the output: name another file with -o", input.display());
    }
    Ok(())
}

/// Adjustments fitted on labelled rows.
fn by_labels(args: &Args, model: &Model, rejects: &RejectsFile) -> Result<Vec<(String, Fitted)>> {
    let options = args.reading.options();
    let mut bad = |file: &std::path::Path, row| rejects.add(&file.display().to_string(), &row);
    let mut uncertain = 0;
    let rows = scored::read(&args.data, &options, &mut bad, |row| {
        let picked = row.fields.get("why").and_then(|why| why.get("picked")).and_then(Value::as_str);
        uncertain += usize::from(picked == Some(UNCERTAIN));
    })?;
    if uncertain > 0 {
        anstream::eprintln!(
            "note: {uncertain} of {} rows were picked for being uncertain: the rates fitted here are those of such comments, not of the \
             site; label a sample of `polemic queue --random` instead",
            rows.len()
        );
    }
    let wanted = Wanted { slope: args.slope, precision: args.precision };
    let evidence = site::evidence(model, &rows, options.max_text, &args.map);
    let evidence = evidence.into_iter().filter(|(label, _)| args.label.is_empty() || args.label.contains(label));
    let mut fitted = Vec::new();
    for (label, evidence) in evidence {
        let rows = evidence.truth.len();
        match model.label(&label).and_then(|k| model.manifest.labels.get(k)) {
            Some(head) if rows >= site::FEWEST_ROWS => fitted.push((label, evidence.adjust(head, wanted))),
            _ => anstream::eprintln!("note: {label}: {rows} rows are too few, {} are needed", site::FEWEST_ROWS),
        }
    }
    if fitted.is_empty() {
        bail!(
            "no label of the model has {} labelled rows with scores or more: compare labels of other names with --map, or give --rate",
            site::FEWEST_ROWS
        );
    }
    Ok(fitted)
}

/// Adjustments to known rates.
fn by_rate(args: &Args, model: &Model, rejects: &RejectsFile) -> Result<BTreeMap<String, Adjustment>> {
    let options = args.reading.options();
    let mut logits: Vec<Vec<f64>> = vec![Vec::new(); model.manifest.labels.len()];
    let scorer = Scorer { undecided: true, ..Scorer::new(model, options.max_text) };
    for file in common::inputs(&args.data) {
        let mut input = read::open(file, &options)?;
        let mut stream = Stream::new(&scorer);
        let mut take = |record: ScoreRecord| {
            for (logits, (_, p)) in logits.iter_mut().zip(record.scores) {
                logits.extend(p.map(|p| logit(f64::from(p))));
            }
            Ok(())
        };
        let (census, cut) = common::each_entry(&mut input, rejects, |entry| match entry {
            Entry::Comment(row) => stream.push(*row, &mut take),
            Entry::Story(_) | Entry::Pingback | Entry::Missing(_) => Ok(()),
        })?;
        stream.flush(&mut take)?;
        common::tell(&input, &census, cut.is_some());
        if let Some(error) = cut {
            return Err(error.into());
        }
    }
    let heads = model.manifest.labels.iter().zip(&logits);
    let adjusted = heads.filter_map(|(head, logits)| {
        let (_, rate) = args.rate.iter().find(|(label, _)| *label == head.name)?;
        (logits.len() >= site::FEWEST_ROWS).then(|| (head.name.clone(), site::adjust_to_rate(head, logits, *rate)))
    });
    let adjusted: BTreeMap<_, _> = adjusted.collect();
    if adjusted.is_empty() {
        bail!("fewer than {} comments with scores: too few to fit a rate to", site::FEWEST_ROWS);
    }
    Ok(adjusted)
}
