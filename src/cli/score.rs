//! `polemic score`: pages, dumps or standard input in; a tree, JSON lines or CSV out.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::common::{self, Columns, Destination, ModelChoice, Rejects, To};
use crate::error::Error;
use crate::model::Model;
use crate::read::rows::RowReader;
use crate::read::{self, Input, threads};
use crate::record::ScoreRecord;
use crate::report::tree::tree;
use crate::score::batch::Scorer;
use crate::score::stream::Stream;
use crate::thread::Thread;
use crate::write::{Csv, Jsonl, ScoreWriter};

const EXAMPLES: &str = "\
Examples:
  polemic score page.txt
  polemic score comments.csv --to csv -o scores.csv
  zcat dump.jsonl.gz | polemic score --to jsonl | jq -c 'select(.scores.insult > 0.8)'
  polemic score page.txt --fail-on threat=0.5      exit code 1 if a comment reaches it

Reads saved page text (WordPress and wpDiscuz threads), JSON lines and CSV or TSV with id, parent_id, author, created and text
(other common names are recognised), plain, .gz or .zst, in any usual encoding.";

/// Arguments of `polemic score`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files to read; none or - for standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelChoice,
    #[command(flatten)]
    destination: Destination,
    /// Give the stance toward this target (repeatable) [default: the row's, else the model's].
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Add the text to every record.
    #[arg(long)]
    with_text: bool,
    /// Add the words behind each score that reaches its threshold.
    #[arg(long)]
    explain: bool,
    /// Exit with 1 if a comment reaches LABEL's threshold, or probability P (repeatable).
    #[arg(long, value_name = "LABEL[=P]")]
    fail_on: Vec<String>,
    /// Longest text scored, in bytes; longer ones get null.
    #[arg(long, value_name = "BYTES", default_value_t = common::MAX_TEXT)]
    max_text: usize,
    /// Threads to use [default: all].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    rejects: Rejects,
}

/// Scores and writes.
pub fn run(args: &Args) -> Result<ExitCode> {
    common::use_threads(args.threads)?;
    let to = args.destination.format();
    let model = args.model.open()?;
    if !args.target.is_empty() && model.manifest.targets.is_none() {
        bail!("--target: the model {} has no stance toward targets", model.id());
    }
    let limits = args.fail_on.iter().map(|limit| Limit::parse(limit, &model)).collect::<Result<Vec<_>>>()?;
    let scorer = Scorer {
        model: &model,
        max_text: args.max_text,
        targets: args.target.clone(),
        with_text: args.with_text,
        explain: args.explain,
    };
    let rejects = args.rejects.open()?;
    let mut sink = Sink::new(args, to, &scorer, limits)?;
    let mut usable = 0;
    let mut last = None;
    for file in common::inputs(&args.files) {
        // One input that cannot be used does not keep the others from being scored.
        let mut bad = |name: &str, row| rejects.add(name, &row);
        match score_input(args, file, &scorer, &mut sink, &mut bad) {
            Ok(()) => usable += 1,
            Err(error) if common::is_broken_pipe(&error) || args.files.len() < 2 => return Err(error),
            Err(error) => {
                anstream::eprintln!("polemic: {error:#}");
                last = Some(error);
            }
        }
    }
    sink.finish()?;
    if last.is_some() {
        anstream::eprintln!("polemic: {usable} of {} inputs were scored", args.files.len());
        return Ok(ExitCode::from(2));
    }
    let code = rejects.finish();
    Ok(if sink.over > 0 && code == ExitCode::SUCCESS { ExitCode::from(1) } else { code })
}

fn score_input(
    args: &Args,
    file: Option<&std::path::Path>,
    scorer: &Scorer<'_>,
    sink: &mut Sink<'_>,
    bad: &mut dyn FnMut(&str, crate::read::rows::BadRow),
) -> Result<()> {
    let options = args.columns.options();
    let (name, input) = read::open(file, &options)?;
    match input {
        Input::Page(thread, repairs) => {
            if thread.comments.is_empty() {
                anstream::eprintln!("{name}: no comments found");
            }
            if let Some(mended) = repairs.summary() {
                anstream::eprintln!("{name}: {mended}");
            }
            sink.thread(&thread, &scorer.score_thread(&thread))
        }
        Input::Rows(mut rows) if sink.to == To::Tree => {
            let mut comments = Vec::new();
            threads::comments(&name, rows.as_mut(), &options, &mut |row| bad(&name, row), |row| {
                comments.push(row);
                Ok(())
            })?;
            let (gathered, repairs) = threads::gather(comments);
            if let Some(mended) = repairs.summary() {
                anstream::eprintln!("{name}: {mended}");
            }
            gathered.iter().try_for_each(|thread| sink.thread(thread, &scorer.score_thread(thread)))
        }
        Input::Rows(mut rows) => score_rows(&name, rows.as_mut(), &options, scorer, sink, bad),
    }
}

fn score_rows(
    name: &str,
    rows: &mut dyn RowReader,
    options: &crate::read::rows::Options,
    scorer: &Scorer<'_>,
    sink: &mut Sink<'_>,
    bad: &mut dyn FnMut(&str, crate::read::rows::BadRow),
) -> Result<()> {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} comments, {per_sec}, {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.set_message(name.to_owned());
    let mut stream = Stream::new(scorer);
    let mut write = |record: ScoreRecord| {
        bar.inc(1);
        sink.record(&record)
    };
    threads::comments(name, rows, options, &mut |row| bad(name, row), |row| stream.push(row, &mut write))?;
    stream.flush(&mut write)?;
    bar.finish_and_clear();
    if stream.missing_parents > 0 {
        anstream::eprintln!(
            "{name}: {} replies to a comment that is not here or too far back; scored without it",
            stream.missing_parents
        );
    }
    Ok(())
}

/// Where records go, and what is counted on their way.
struct Sink<'a> {
    to: To,
    model: &'a Model,
    tree: Option<Box<dyn Write>>,
    rows: Option<Box<dyn ScoreWriter>>,
    limits: Vec<Limit>,
    over: u64,
}

impl<'a> Sink<'a> {
    fn new(args: &Args, to: To, scorer: &Scorer<'a>, limits: Vec<Limit>) -> Result<Self> {
        let output = args.destination.open(&args.files)?;
        let mut sink = Self { to, model: scorer.model, tree: None, rows: None, limits, over: 0 };
        match to {
            To::Tree if !args.destination.is_file() => sink.tree = Some(Box::new(anstream::stdout())),
            To::Tree => sink.tree = Some(Box::new(anstream::StripStream::new(output.to))),
            To::Jsonl => sink.rows = Some(Box::new(Jsonl::new(output))),
            To::Csv => sink.rows = Some(Box::new(Csv::of_scores(output, scorer.shape())?)),
        }
        Ok(sink)
    }

    fn thread(&mut self, thread: &Thread, records: &[ScoreRecord]) -> Result<()> {
        if let Some(tree_to) = &mut self.tree {
            if !records.is_empty() {
                tree_to.write_all(tree(self.model, thread, records, common::width()).as_bytes())?;
            }
            self.over += records.iter().filter(|r| self.limits.iter().any(|l| l.is_passed(r))).count() as u64;
            return Ok(());
        }
        Ok(records.iter().try_for_each(|record| self.record(record))?)
    }

    fn record(&mut self, record: &ScoreRecord) -> crate::error::Result<()> {
        self.over += u64::from(self.limits.iter().any(|l| l.is_passed(record)));
        self.rows.as_mut().map_or(Ok(()), |rows| rows.write(record))
    }

    fn finish(&mut self) -> Result<()> {
        if let Some(tree) = &mut self.tree {
            tree.flush()?;
        }
        Ok(self.rows.as_mut().map_or(Ok(()), |rows| rows.finish())?)
    }
}

/// A limit that a user set.
struct Limit {
    label: String,
    p: f32,
}

impl Limit {
    fn parse(text: &str, model: &Model) -> Result<Self> {
        let (label, p) = text.split_once('=').map_or((text, None), |(label, p)| (label, Some(p)));
        let Some(k) = model.label(label) else {
            let there: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
            return Err(Error::settings(format!(
                "--fail-on {text}: no label `{label}`; the model has {}",
                there.join(", ")
            ))
            .into());
        };
        let p = match p {
            None => model.manifest.labels[k].threshold,
            Some(p) => match p.parse::<f32>() {
                Ok(p) if (0.0..=1.0).contains(&p) => p,
                _ => return Err(Error::settings(format!("--fail-on {text}: `{p}` is no probability 0..1")).into()),
            },
        };
        Ok(Self { label: label.to_owned(), p })
    }

    fn is_passed(&self, record: &ScoreRecord) -> bool {
        record.scores.iter().any(|(label, p)| *label == self.label && p.is_some_and(|p| p >= self.p))
    }
}
