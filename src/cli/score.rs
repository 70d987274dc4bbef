//! `polemic score`: pages, dumps or standard input in; a tree, JSON lines or CSV out.

mod follow;
mod limit;
mod plan;
mod progress;
mod session;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, anyhow, bail};
use serde_json::{Map, Value};

use self::limit::Limit;
use self::plan::{Decided, Left, Long};
use self::session::Session;
use super::common::{self, Rejects};
use super::destination::{Destination, To};
use super::site::SiteModel;
use crate::error::{Error, ErrorKind};
use crate::model::Model;
use crate::model::file::sha256;
use crate::read::entry::Entry;
use crate::read::format::Opened;
use crate::read::rows::Options;
use crate::read::threads::Gatherer;
use crate::read::{self, Input};
use crate::score::batch::{Job, Scorer, Scoring};
use crate::score::lines::Lines;
use crate::score::run::journal::Asked;
use crate::score::stream::{self, Stream};
use crate::text::targets;
use crate::thread::{Repairs, Status};

/// Exit code of a run that was stopped.
const STOPPED: u8 = 130;

const EXAMPLES: &str = "\
Examples:
  polemic score page.html
  polemic score export.xml.gz -o scores.csv
  polemic score comments.ndjson.zst -o scores.parquet
  polemic score dump.jsonl --to sqlite -o scores.db
  zcat dump.jsonl.gz | polemic score --to jsonl | jq -c 'select(.scores.insult > 0.8)'
  polemic score RC_*.zst -o scores.jsonl.zst --resume   goes on where a killed run was
  polemic score dump.jsonl -o scores/ --shards 16       whole threads in each shard
  tail -F new.jsonl | polemic score --follow            a record for each line, at once
  polemic score page.txt --fail-on threat=0.5      exit code 1 if a comment reaches it";

/// Arguments of `polemic score`.
#[derive(Debug, clap::Args, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[command(after_help = format!("{EXAMPLES}\n\n{}", common::formats()))]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Args {
    /// Files or ConvoKit folders to read; none or - for standard input.
    #[arg(value_name = "FILE")]
    #[serde(skip)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    #[serde(flatten)]
    model: SiteModel,
    #[command(flatten)]
    #[serde(skip)]
    destination: Destination,
    /// Give the stance toward this target (repeatable) [default: the row's, else the model's].
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Give the stance toward the targets of this file where a comment mentions them (see docs/targets.md) [default: the model's].
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// Give no stance toward targets: labels alone, and the stance toward the parent.
    #[arg(long, conflicts_with_all = ["target", "targets"])]
    no_targets: bool,
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
    #[serde(skip)]
    threads: Option<usize>,
    /// Score every comment by itself, without the one it answers and the one that opens its thread.
    #[arg(long)]
    no_context: bool,
    /// Read JSON lines from standard input and answer each with a line before reading the next, until the input ends.
    #[arg(long, conflicts_with_all = ["output", "resume", "shards", "shard_rows"])]
    #[serde(skip)]
    follow: bool,
    #[command(flatten)]
    #[serde(flatten)]
    long: Long,
    #[command(flatten)]
    #[serde(flatten)]
    reading: common::Reading,
    #[command(flatten)]
    #[serde(flatten)]
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
    let set = match args.targets.as_deref() {
        Some(file) => Some(model.asked(&targets::open(file)?)),
        None => args.no_targets.then(Default::default),
    };
    let options = args.reading.options();
    let scorer = Scorer {
        include: args.include.clone(),
        targets: args.target.clone(),
        set: set.as_ref(),
        stance_of_roots: args.stance_of_roots,
        undecided: args.undecided,
        with_text: args.with_text || to.needs_text(),
        explain: args.explain,
        ..Scorer::new(&model, options.max_text)
    };
    if args.follow {
        check_follow(args, &options)?;
        return follow::run(&options, &scorer, args.no_context, &limits, &args.rejects.open()?);
    }
    let plan = match args.long.plan(&args.destination, &args.files, asked(args, to, &model)?)? {
        Decided::Run(plan) => plan,
        Decided::Done(done) => {
            anstream::eprintln!("polemic: --resume: this run is finished, with {} comments", done.counts.rows);
            return Ok(ExitCode::from(u8::from(done.counts.over_limit > 0)));
        }
    };
    // First of all, as it finds out whether another run is at it.
    let to = session::open(&plan, &args.destination, &args.files, scorer.shape())?;
    let rejects = match &plan.left {
        Left::GoOn(left) => args.rejects.reopen(left.tally.rejected, left.rejects_bytes.unwrap_or_default())?,
        Left::Nothing | Left::ThrowAway => args.rejects.open()?,
    };
    let stop = session::watch_for_stop(&args.files)?;
    let mut session = Session::new(&plan, to, &args.files, &model, limits, &rejects)?;
    let mut usable = 0;
    let mut last = None;
    for (i, file) in common::inputs(&args.files).into_iter().enumerate() {
        let done = match session.read_before(i, file)? {
            Some(note) => note.error.map(|error| anyhow!(error)),
            None => match score_input(args, file, &options, &scorer, &mut session, &stop) {
                Ok(done) => done.map(anyhow::Error::from),
                Err(Ended::Stopped) => return Ok(ExitCode::from(STOPPED)),
                Err(Ended::Failed(error)) => return Err(session.explained(error)),
            },
        };
        // One input that cannot be used does not keep the others from being scored.
        match done {
            None => usable += 1,
            Some(error) => {
                if args.files.len() > 1 {
                    anstream::eprintln!("polemic: {error:#}");
                }
                last = Some(error);
            }
        }
    }
    let tally = session.finish().map_err(|error| session.explained(error))?;
    match last {
        Some(error) if args.files.len() < 2 => return Err(error),
        Some(_) => {
            anstream::eprintln!("polemic: {usable} of {} inputs were scored", args.files.len());
            return Ok(ExitCode::from(2));
        }
        None => {}
    }
    let code = rejects.finish();
    Ok(if tally.over_limit > 0 && code == ExitCode::SUCCESS { ExitCode::from(1) } else { code })
}

/// What this run is asked to do, for others to be compared with.
fn asked(args: &Args, to: To, model: &Model) -> Result<Asked> {
    let mut options = match serde_json::to_value(args)? {
        Value::Object(options) => options,
        _ => Map::new(),
    };
    options.insert("to".into(), serde_json::to_value(to)?);
    // What is in these files decides, not what they are called.
    for (name, path) in [("profile", args.model.profile()), ("targets", args.targets.as_deref())] {
        if let Some(path) = path {
            let content = std::fs::read(path).map_err(|e| Error::io(path, e))?;
            options.insert(format!("{name}-sha256"), sha256(&content).into());
        }
    }
    let name = |file: Option<&Path>| match file.filter(|file| file.as_os_str() != "-") {
        Some(file) => file.display().to_string(),
        None => "standard input".to_owned(),
    };
    Ok(Asked {
        model: model.id(),
        model_sha256: model.folder.as_deref().map(Model::hash).transpose()?.unwrap_or_default(),
        inputs: common::inputs(&args.files).into_iter().map(name).collect(),
        options,
    })
}

fn check_follow(args: &Args, options: &Options) -> Result<()> {
    if args.files.iter().any(|file| file.as_os_str() != "-") {
        bail!("--follow reads standard input: pipe the file in, as in `tail -F FILE | polemic score --follow`");
    }
    let is_jsonl = options.format.as_deref().is_none_or(|format| format == "jsonl");
    if !is_jsonl || !matches!(args.destination.format(), To::Jsonl | To::Tree) {
        bail!("--follow reads and writes JSON lines");
    }
    Ok(())
}

/// The statuses that are left out unless asked for.
fn include(name: &str) -> Result<Status, String> {
    Status::named(name)
        .filter(|status| matches!(status, Status::Deleted | Status::Spam))
        .ok_or_else(|| "expected deleted or spam; all others are scored anyway".to_owned())
}

/// Why a run goes no further.
enum Ended {
    /// The user stopped it; the user has been told.
    Stopped,
    /// Its output, or what it was to go on with, failed.
    Failed(anyhow::Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<anyhow::Error> for Ended {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Scores an input; where it breaks off, what stands before is scored all the same. Gives the error in which it does.
fn score_input(
    args: &Args,
    file: Option<&Path>,
    options: &Options,
    scorer: &Scorer<'_>,
    session: &mut Session<'_>,
    stop: &AtomicBool,
) -> Result<Option<Error>, Ended> {
    let mut reading = session.begin(file)?;
    let opened = Opened::open_through(file, options, |input| reading.meter.through(input));
    let mut input = match opened.and_then(|opened| read::input(opened, options)) {
        Ok(input) => input,
        Err(error) if reading.rows_before > 0 => return Err(error.into()),
        Err(error) => {
            session.end(&reading, 0, 0, Some(&error))?;
            return Ok(Some(error));
        }
    };
    reading.is_format(input.format.name());
    let (cut, passed, missing_parents) = if args.destination.format() == To::Tree {
        (score_threads(args, &mut input, scorer, session, stop)?, 0, 0)
    } else if args.destination.format() == To::Jsonl {
        let lines = Lines::new(scorer);
        score_stream(args, &mut input, &lines, session, &reading, stop, |session, job, line| session.line(job, &line))?
    } else {
        score_stream(args, &mut input, scorer, session, &reading, stop, |session, _, record| session.record(&record))?
    };
    reading.has_damage(input.damage.count());
    session.end(&reading, passed, missing_parents, cut.as_ref())?;
    Ok(cut)
}

/// Whole threads, for reading.
fn score_threads(
    args: &Args,
    input: &mut Input,
    scorer: &Scorer<'_>,
    session: &mut Session<'_>,
    stop: &AtomicBool,
) -> Result<Option<Error>, Ended> {
    let mut gatherer = Gatherer::default();
    let read = common::each_entry_until(stop, input, session.rejects, |entry| gatherer.take(entry));
    let (census, cut) = match read {
        Err(error) if is_stop(&error) => {
            anstream::eprintln!("polemic: stopped");
            return Err(Ended::Stopped);
        }
        other => other?,
    };
    let mut repairs = Repairs::default();
    let missing = gatherer.finish(&mut |thread, needed| {
        repairs.merge(needed);
        let records =
            if args.no_context { scorer.score(&stream::jobs_alone(&thread)) } else { scorer.score_thread(&thread) };
        session.thread(&thread, &records)
    })?;
    repairs.merge(missing);
    if !args.long.quiet {
        common::tell(input, &census, cut.is_some());
        if let Some(mended) = repairs.summary() {
            anstream::eprintln!("{}: {mended}", input.name);
        }
    }
    Ok(cut)
}

/// Comments as they come. Gives how many there were, and how many replies had no parent at hand.
fn score_stream<'r, S: Scoring>(
    args: &Args,
    input: &mut Input,
    scorer: &S,
    session: &mut Session<'r>,
    reading: &session::Reading,
    stop: &AtomicBool,
    each: impl Fn(&mut Session<'r>, &Job<'_>, S::Outcome) -> crate::error::Result<()>,
) -> Result<(Option<Error>, u64, u64), Ended> {
    let mut stream = Stream::new(scorer).alone(args.no_context).going_on_after(reading.rows_before);
    let rejects = session.rejects;
    let read = common::each_entry_until(stop, input, rejects, |entry| match entry {
        Entry::Story(row) => session.story(row, stream.is_behind()),
        Entry::Comment(row) => {
            session.story_of(&row, stream.is_behind())?;
            stream.push_with_job(*row, &mut |job, outcome| each(session, job, outcome))?;
            if stream.is_flushed() && !stream.is_behind() {
                session.between_chunks(reading, stream.passed)?;
            }
            Ok(())
        }
        Entry::Pingback | Entry::Missing(_) => Ok(()),
    });
    let (census, cut) = match read {
        Err(error) if is_stop(&error) => {
            if !session.can_go_on() {
                stream.flush_with_job(&mut |job, outcome| each(session, job, outcome))?;
            }
            session.stop(reading, stream.passed, stream.is_behind())?;
            return Err(Ended::Stopped);
        }
        other => other?,
    };
    stream.flush_with_job(&mut |job, outcome| each(session, job, outcome))?;
    if !args.long.quiet {
        session.progress.clear();
        common::tell(input, &census, cut.is_some());
        let name = &input.name;
        if census.missing > 0 {
            anstream::eprintln!("{name}: {} comments announced but not found", census.missing);
        }
        if stream.missing_parents > 0 && !args.no_context {
            anstream::eprintln!(
                "{name}: {} replies to a comment that is not here or too far back; scored without it",
                stream.missing_parents
            );
        }
    }
    Ok((cut, stream.passed, stream.missing_parents))
}

fn is_stop(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted)
}
