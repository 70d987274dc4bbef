//! `polemic feedback`: what moderators decided, as training data and in figures.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::error::Error;
use crate::report::printable;
use crate::serve::feedback::export::{Conflict, Taken, Wanted, export};

/// Where feedback is, unless `--db` says otherwise.
const DEFAULT: &str = "feedback.db";
/// Conflicts that are named one by one.
const NAMED: usize = 10;
/// Rows with a label and without it that `train --add` needs of each.
const NEEDED: u64 = 15;

const EXAMPLES: &str = "\
Examples:
  polemic feedback export --db feedback.db -o decisions.jsonl
  polemic feedback export --db feedback.db --since 2026-11-01 --as spam=incivility -o november.jsonl
  polemic train --add decisions.jsonl -o models/site/1.0.0
  polemic feedback stats --db feedback.db";

/// Arguments of `polemic feedback`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write one row a comment, with what was decided last, for `polemic train`.
    Export(Export),
    /// Count what was decided.
    Stats(Stats),
}

#[derive(Debug, clap::Args)]
struct Source {
    /// The database of `polemic serve --db`. A server may be writing to it meanwhile.
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    db: PathBuf,
    /// Only what came at this time or later: a date, or a time as 2026-11-01T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Call a label of the feedback otherwise, as spam=incivility (repeatable).
    #[arg(long = "as", value_name = "NAME=LABEL", value_parser = renamed)]
    renamed: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
struct Export {
    #[command(flatten)]
    source: Source,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Stats {
    #[command(flatten)]
    source: Source,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// Exports or counts.
pub fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Export(args) => write_rows(args),
        What::Stats(args) => count(args),
    }?;
    Ok(ExitCode::SUCCESS)
}

impl Source {
    fn wanted(&self) -> Wanted {
        Wanted { since: self.since, renamed: self.renamed.clone() }
    }
}

fn write_rows(args: &Export) -> Result<()> {
    let output: Box<dyn Write> = match &args.output {
        Some(path) if path.exists() && path.canonicalize().ok() == args.source.db.canonicalize().ok() => {
            bail!("{} is the database and the output: name another file with -o", path.display())
        }
        Some(path) => Box::new(File::create(path).map_err(|e| Error::io(path, e))?),
        None => Box::new(io::stdout()),
    };
    let mut output = BufWriter::new(output);
    let name = args.output.as_ref().map_or("standard output".into(), |path| path.display().to_string());
    let mut failed = None;
    let taken = export(&args.source.db, &args.source.wanted(), |row| {
        if failed.is_none() {
            failed = writeln!(output, "{row}").err();
        }
        Ok(())
    })?;
    failed.map_or_else(|| output.flush(), Err).context(name)?;
    anstream::eprintln!("{} decisions on {} comments", taken.events, taken.comments);
    for conflict in taken.conflicts.iter().take(NAMED) {
        anstream::eprintln!("note: decided in different ways, the last one counts: {}", told(conflict));
    }
    if let Some(more) = taken.conflicts.len().checked_sub(NAMED).filter(|more| *more > 0) {
        anstream::eprintln!(
            "note: {more} more comments were decided in different ways: `polemic feedback stats --json` names all"
        );
    }
    Ok(())
}

fn count(args: &Stats) -> Result<()> {
    let taken = export(&args.source.db, &args.source.wanted(), |_| Ok(()))?;
    let mut out = anstream::stdout();
    if args.json {
        let Taken { events, comments, labels, faces, times, conflicts } = &taken;
        let labels: serde_json::Map<_, _> = labels
            .iter()
            .map(|(label, (have, have_not))| (label.clone(), json!({"have_it": have, "have_it_not": have_not})))
            .collect();
        let (first, last) = times.clone().unzip();
        let record = json!({"decisions": events, "comments": comments, "labels": labels, "faces": faces, "first": first,
            "last": last, "conflicts": conflicts});
        writeln!(out, "{}", serde_json::to_string_pretty(&record)?)?;
        return Ok(());
    }
    let Some((first, last)) = &taken.times else {
        writeln!(out, "no decisions")?;
        return Ok(());
    };
    writeln!(out, "{} decisions on {} comments, from {first} to {last}", taken.events, taken.comments)?;
    let faces: Vec<String> = taken.faces.iter().map(|(face, n)| format!("{n} by {}", printable(face))).collect();
    writeln!(out, "{}", faces.join(", "))?;
    writeln!(out, "{:<24} {:>8} {:>12}", "label", "have it", "have it not")?;
    for (label, (have, have_not)) in &taken.labels {
        let note = if *have.min(have_not) < NEEDED {
            format!("  `train --add` needs {NEEDED} of each")
        } else {
            String::new()
        };
        writeln!(out, "{:<24} {have:>8} {have_not:>12}{note}", printable(label))?;
    }
    if !taken.conflicts.is_empty() {
        writeln!(out, "decided in different ways, the last one counts:")?;
        for conflict in &taken.conflicts {
            writeln!(out, "  {}", told(conflict))?;
        }
    }
    Ok(())
}

fn told(conflict: &Conflict) -> String {
    let Conflict { site, comment, label, values } = conflict;
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    let site = site.as_ref().map(|site| format!(" of {site}")).unwrap_or_default();
    printable(&format!("{comment}{site}: {label} {}", values.join(", then ")))
}

/// A time, or a date for its first moment in UTC.
fn time(text: &str) -> std::result::Result<Timestamp, String> {
    let midnight = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let date = || text.parse::<Date>().ok().and_then(midnight);
    // A date alone would be read as a time without an offset, which is none.
    text.parse::<Timestamp>()
        .ok()
        .or_else(date)
        .ok_or_else(|| format!("`{text}` is no time: write 2026-11-01 or 2026-11-01T08:00:00Z"))
}

fn renamed(text: &str) -> std::result::Result<(String, String), String> {
    let (old, new) = text.split_once('=').unwrap_or_default();
    if old.is_empty() || new.is_empty() {
        return Err("expected NAME=LABEL, as spam=incivility".to_owned());
    }
    Ok((old.to_owned(), new.to_owned()))
}
