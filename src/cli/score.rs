//! `polemic score`: pages, dumps or standard input in; a tree, JSON lines or CSV out.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::common::{self, Reading, Rejects, RejectsFile};
use super::destination::{Destination, To};
use super::site::SiteModel;
use crate::error::Error;
use crate::model::Model;
use crate::read::entry::{CommentRow, Entry, StoryRow};
use crate::read::threads::Gatherer;
use crate::read::{self, Input};
use crate::record::{ScoreRecord, StoryRecord};
use crate::report::tree::tree;
use crate::score::batch::Scorer;
use crate::score::stream::Stream;
use crate::text::targets;
use crate::thread::{Repairs, Status, Story, Thread};
use crate::write::ScoreWriter;

const EXAMPLES: &str = "\
Examples:
  polemic score page.html
  polemic score export.xml.gz -o scores.csv
  polemic score comments.ndjson.zst -o scores.parquet
  polemic score dump.jsonl --to sqlite -o scores.db
  zcat dump.jsonl.gz | polemic score --to jsonl | jq -c 'select(.scores.insult > 0.8)'
  polemic score page.txt --fail-on threat=0.5      exit code 1 if a comment reaches it";

/// Arguments of `polemic score`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", common::formats()))]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Args {
    /// Files or ConvoKit folders to read; none or - for standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    model: SiteModel,
    #[command(flatten)]
    destination: Destination,
    /// Give the stance toward this target (repeatable) [default: the row's, else the model's].
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Give the stance toward the targets of this file where a comment mentions them (see docs/targets.md) [default: the model's].
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// Give comments that answer nothing a stance, too: how they stand to what they report, if the model learned it.
    #[arg(long)]
    stance_of_roots: bool,
    /// Give the probabilities of experimental labels, too, for comments that they leave open.
    #[arg(long)]
    undecided: bool,
    /// Add the text to every record.
    #[arg(long)]
    with_text: bool,
    /// Add the words behind each score that reaches its threshold.
    #[arg(long)]
    explain: bool,
    /// Exit with 1 if a comment reaches LABEL's threshold, or probability P (repeatable).
    #[arg(long, value_name = "LABEL[=P]")]
    fail_on: Vec<String>,
    /// Score comments of this status, too (repeatable).
    #[arg(long, value_name = "STATUS", value_parser = include)]
    include: Vec<Status>,
    /// Threads to use [default: all].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    reading: Reading,
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
    if args.stance_of_roots && !model.manifest.parent.as_ref().is_some_and(|p| p.roots) {
        bail!("--stance-of-roots: the model {} learned no stance of comments without a parent", model.id());
    }
    let limits = args.fail_on.iter().map(|limit| Limit::parse(limit, &model)).collect::<Result<Vec<_>>>()?;
    let set = args.targets.as_deref().map(targets::open).transpose()?.map(|targets| model.asked(&targets));
    let options = args.reading.options();
    let scorer = Scorer {
        model: &model,
        max_text: options.max_text,
        include: args.include.clone(),
        targets: args.target.clone(),
        set: set.as_ref(),
        stance_of_roots: args.stance_of_roots,
        undecided: args.undecided,
        with_text: args.with_text || to.needs_text(),
        explain: args.explain,
    };
    let rejects = args.rejects.open()?;
    let mut sink = Sink::new(args, to, &scorer, limits)?;
    let mut usable = 0;
    let mut last = None;
    for file in common::inputs(&args.files) {
        // One input that cannot be used does not keep the others from being scored.
        let done = read::open(file, &options)
            .map_err(anyhow::Error::from)
            .and_then(|input| score_input(input, &scorer, &mut sink, &rejects));
        match done {
            Ok(()) => usable += 1,
            Err(error) if common::is_broken_pipe(&error) => return Err(error),
            Err(error) => {
                if args.files.len() > 1 {
                    anstream::eprintln!("polemic: {error:#}");
                }
                last = Some(error);
            }
        }
    }
    sink.finish()?;
    match last {
        Some(error) if args.files.len() < 2 => return Err(error),
        Some(_) => {
            anstream::eprintln!("polemic: {usable} of {} inputs were scored", args.files.len());
            return Ok(ExitCode::from(2));
        }
        None => {}
    }
    let code = rejects.finish();
    Ok(if sink.over > 0 && code == ExitCode::SUCCESS { ExitCode::from(1) } else { code })
}

/// The statuses that are left out unless asked for.
fn include(name: &str) -> Result<Status, String> {
    Status::named(name)
        .filter(|status| matches!(status, Status::Deleted | Status::Spam))
        .ok_or_else(|| "expected deleted or spam; all others are scored anyway".to_owned())
}

/// Scores an input; where it breaks off, what stands before is scored all the same.
fn score_input(mut input: Input, scorer: &Scorer<'_>, sink: &mut Sink<'_>, rejects: &RejectsFile) -> Result<()> {
    let cut = match sink.to {
        To::Tree => score_threads(&mut input, scorer, sink, rejects)?,
        _ => score_stream(&mut input, scorer, sink, rejects)?,
    };
    cut.map_or(Ok(()), |error| Err(error.into()))
}

/// Whole threads, for reading.
fn score_threads(
    input: &mut Input,
    scorer: &Scorer<'_>,
    sink: &mut Sink<'_>,
    rejects: &RejectsFile,
) -> Result<Option<Error>> {
    let mut gatherer = Gatherer::default();
    let (census, cut) = common::each_entry(input, rejects, |entry| gatherer.take(entry))?;
    let mut repairs = Repairs::default();
    let missing = gatherer.finish(&mut |thread, needed| {
        repairs.merge(needed);
        sink.thread(&thread, &scorer.score_thread(&thread))
    })?;
    repairs.merge(missing);
    common::tell(input, &census, cut.is_some());
    if let Some(mended) = repairs.summary() {
        anstream::eprintln!("{}: {mended}", input.name);
    }
    Ok(cut)
}

/// Comments as they come.
fn score_stream(
    input: &mut Input,
    scorer: &Scorer<'_>,
    sink: &mut Sink<'_>,
    rejects: &RejectsFile,
) -> Result<Option<Error>> {
    let bar = common::spinner(&input.name);
    let mut stream = Stream::new(scorer);
    let (census, cut) = common::each_entry(input, rejects, |entry| match entry {
        Entry::Story(row) => sink.story(row),
        Entry::Comment(row) => {
            sink.story_of(&row)?;
            stream.push(*row, &mut |record| {
                bar.inc(1);
                sink.record(&record)
            })
        }
        Entry::Pingback | Entry::Missing(_) => Ok(()),
    })?;
    stream.flush(&mut |record| {
        bar.inc(1);
        sink.record(&record)
    })?;
    bar.finish_and_clear();
    common::tell(input, &census, cut.is_some());
    let name = &input.name;
    if census.missing > 0 {
        anstream::eprintln!("{name}: {} comments announced but not found", census.missing);
    }
    if stream.missing_parents > 0 {
        anstream::eprintln!(
            "{name}: {} replies to a comment that is not here or too far back; scored without it",
            stream.missing_parents
        );
    }
    Ok(cut)
}

/// Where records go, and what is counted on their way.
struct Sink<'a> {
    to: To,
    model: &'a Model,
    tree: Option<Box<dyn Write>>,
    rows: Option<Box<dyn ScoreWriter>>,
    /// The story that rows repeated last.
    story: Option<StoryRecord>,
    limits: Vec<Limit>,
    over: u64,
}

impl<'a> Sink<'a> {
    fn new(args: &Args, to: To, scorer: &Scorer<'a>, limits: Vec<Limit>) -> Result<Self> {
        let destination = &args.destination;
        let mut sink = Self { to, model: scorer.model, tree: None, rows: None, story: None, limits, over: 0 };
        match to {
            To::Tree if !destination.is_file() => sink.tree = Some(Box::new(anstream::stdout())),
            To::Tree => sink.tree = Some(Box::new(anstream::StripStream::new(destination.open(&args.files)?.to))),
            to => sink.rows = Some(destination.of_scores(to, &args.files, scorer.shape())?),
        }
        Ok(sink)
    }

    fn thread(&mut self, thread: &Thread, records: &[ScoreRecord]) -> crate::error::Result<()> {
        self.over += records.iter().filter(|r| self.limits.iter().any(|l| l.is_passed(r))).count() as u64;
        let Some(to) = self.tree.as_mut().filter(|_| !records.is_empty()) else { return Ok(()) };
        to.write_all(tree(self.model, thread, records, common::width()).as_bytes())
            .map_err(|e| crate::write::Output::error("standard output", e))
    }

    fn story(&mut self, row: StoryRow) -> crate::error::Result<()> {
        let Story { title, url, .. } = row.story;
        self.rows.as_mut().map_or(Ok(()), |rows| rows.story(&StoryRecord { thread_id: row.thread_id, title, url }))
    }

    /// The story that a row repeats; once for all rows of it in a row.
    fn story_of(&mut self, row: &CommentRow) -> crate::error::Result<()> {
        let same = |s: &StoryRecord| (&s.thread_id, &s.title, &s.url) == (&row.thread_id, &row.title, &row.url);
        if (row.title.is_none() && row.url.is_none()) || self.story.as_ref().is_some_and(same) {
            return Ok(());
        }
        let (thread_id, title, url) = (row.thread_id.clone(), row.title.clone(), row.url.clone());
        let story = self.story.insert(StoryRecord { thread_id, title, url });
        self.rows.as_mut().map_or(Ok(()), |rows| rows.story(story))
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
