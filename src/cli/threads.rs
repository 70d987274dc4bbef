//! `polemic threads`: the threads alone, and what had to be mended.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::common::{self, Reading, Rejects};
use super::destination::{Destination, To};
use crate::error::Error;
use crate::read;
use crate::read::threads::Gatherer;
use crate::record::{CommentRecord, StoryRecord};
use crate::report::printable;
use crate::text::quotes;
use crate::thread::{Comment, Repairs, Thread};
use crate::write::CommentWriter;

const EXAMPLES: &str = "\
Examples:
  polemic threads page.html
  polemic threads export.xml --to jsonl --repairs repairs.json > comments.jsonl
  polemic threads comments.ndjson.zst -o comments.parquet
  polemic threads forum.jsonl --to convokit -o corpus";

/// Arguments of `polemic threads`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", common::formats()))]
pub struct Args {
    /// Files or ConvoKit folders to read; none or - for standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    /// Write what had to be mended to this file, as JSON, instead of a line on standard error.
    #[arg(long, value_name = "FILE")]
    repairs: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    rejects: Rejects,
}

/// Reads and writes.
pub fn run(args: &Args) -> Result<ExitCode> {
    let options = args.reading.options();
    let rejects = args.rejects.open()?;
    let repairs_file = args.repairs.as_ref().map(|p| File::create(p).map_err(|e| Error::io(p, e))).transpose()?;
    let mut sink = match args.destination.format() {
        To::Tree => Sink::Tree(args.destination.open(&args.files)?.to),
        to => Sink::Records(args.destination.of_comments(to, &args.files)?, options.max_text),
    };
    let mut repairs = Repairs::default();
    let mut broken = None;
    for file in common::inputs(&args.files) {
        let mut input = read::open(file, &options)?;
        let mut gatherer = Gatherer::default();
        let bar = common::spinner(&input.name);
        let (census, cut) = common::each_entry(&mut input, &rejects, |entry| {
            bar.inc(1);
            gatherer.take(entry)
        })?;
        bar.finish_and_clear();
        let mut mended = Repairs::default();
        let missing = gatherer.finish(&mut |thread, needed| {
            mended.merge(needed);
            sink.thread(&thread)
        })?;
        mended.merge(missing);
        common::tell(&input, &census, cut.is_some());
        if let Some(summary) = mended.summary().filter(|_| repairs_file.is_none()) {
            anstream::eprintln!("{}: mended: {summary}", input.name);
        }
        repairs.merge(mended);
        if let Some(error) = cut {
            broken = Some(error);
            break;
        }
    }
    sink.finish()?;
    if let Some(mut file) = repairs_file {
        serde_json::to_writer_pretty(&mut file, &repairs)?;
        writeln!(file)?;
    }
    let code = rejects.finish();
    broken.map_or(Ok(code), |error| Err(error.into()))
}

/// Where threads go.
enum Sink {
    Tree(Box<dyn Write + Send>),
    /// With the longest text that is written.
    Records(Box<dyn CommentWriter>, usize),
}

impl Sink {
    fn thread(&mut self, thread: &Thread) -> crate::error::Result<()> {
        match self {
            Self::Tree(to) => write_tree(thread, to).map_err(|e| crate::write::Output::error("standard output", e)),
            Self::Records(to, max_text) => {
                let (title, url) = (thread.story.title.clone(), thread.story.url.clone());
                to.story(&StoryRecord { thread_id: thread.id.clone(), title, url })?;
                thread.comments.iter().try_for_each(|comment| to.write(&record(thread, comment, *max_text)))
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        match self {
            Self::Tree(to) => Ok(to.flush()?),
            Self::Records(to, _) => Ok(to.finish()?),
        }
    }
}

fn record(thread: &Thread, comment: &Comment, max_text: usize) -> CommentRecord {
    let parent = comment.parent.and_then(|p| thread.comments.get(p));
    let fits = comment.text.len() <= max_text;
    let quoted =
        if fits { quotes::find(&comment.text, parent.map(|p| p.text.as_str()), &comment.quotes) } else { Vec::new() };
    CommentRecord {
        id: comment.id.clone(),
        thread_id: thread.id.clone(),
        parent_id: parent.map(|p| p.id.clone()),
        depth: comment.depth,
        author: comment.author.clone(),
        created: comment.created.clone(),
        status: comment.status,
        title: thread.story.title.clone(),
        url: thread.story.url.clone(),
        text: fits.then(|| comment.text.clone()),
        omitted: (!fits).then(|| format!("longer than --max-text ({max_text} bytes)")),
        quotes: quoted.into_iter().filter_map(|q| comment.text.get(q)).map(str::to_owned).collect(),
        links: comment.links.clone(),
    }
}

fn write_tree(thread: &Thread, to: &mut dyn Write) -> std::io::Result<()> {
    if thread.comments.is_empty() {
        return Ok(());
    }
    if let Some(title) = &thread.story.title {
        writeln!(to, "{}", printable(title))?;
    }
    for comment in &thread.comments {
        let indent = "  ".repeat(comment.depth.min(40) as usize);
        let words = comment.text.split_whitespace().take(common::width()).collect::<Vec<_>>().join(" ");
        let room = common::width().saturating_sub(indent.len() + 4).max(24);
        let status = match comment.status {
            crate::thread::Status::Published => String::new(),
            other => format!(" [{}]", other.name()),
        };
        let author = comment.author.as_deref().unwrap_or("(unknown)");
        let line = format!("{} {author}{status}: {words}", comment.id);
        writeln!(to, "{indent}{}", printable(&line).chars().take(room).collect::<String>())?;
    }
    Ok(())
}
