//! `polemic queue`: the comments most worth labelling, as rows that `polemic train` reads once they are labelled.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::common::{self, Reading, Rejects, RejectsFile};
use super::site::SiteModel;
use crate::error::Error;
use crate::read;
use crate::read::entry::Entry;
use crate::score::batch::{Job, Scorer};
use crate::score::queue::{Known, Picked, Queue, Wanted};
use crate::score::stream::Stream;
use crate::train::scored;

const EXAMPLES: &str = "\
Examples:
  polemic queue dump.jsonl.zst -o to-label.jsonl
  polemic queue export.xml -n 50 --label insult --labelled feedback.jsonl
  polemic queue dump.jsonl --random -n 300 -o sample.jsonl    for `polemic calibrate`

Then fill in `labels` (0, 1, or null to leave open) and hand the file to `polemic train`.";

/// Arguments of `polemic queue`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", common::formats()))]
pub struct Args {
    /// Files or ConvoKit folders to read; none or - for standard input.
    #[arg(value_name = "COMMENTS")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    model: SiteModel,
    /// How many to pick.
    #[arg(short, value_name = "N", default_value_t = 200)]
    n: usize,
    /// Pick for this label (repeatable) [default: all of the model that are not experimental].
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
    /// Pick at random, each text alike: the sample that `polemic calibrate` needs.
    #[arg(long)]
    random: bool,
    /// Decides a random sample, and between comments worth the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Leave out comments that stand in this file of rows, by their text or by their id in its thread (repeatable).
    #[arg(long, value_name = "FILE")]
    labelled: Vec<PathBuf>,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Threads to use [default: all].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    rejects: Rejects,
}

/// Picks and writes.
pub fn run(args: &Args) -> Result<ExitCode> {
    common::use_threads(args.threads)?;
    let model = args.model.open()?;
    common::check_labels(&model, &args.label)?;
    if args.n == 0 {
        bail!("-n 0: there is nothing to pick");
    }
    let options = args.reading.options();
    let rejects = args.rejects.open()?;
    let known = known(args, &rejects)?;
    let mut to = destination(args)?;
    let scorer = Scorer { undecided: true, ..Scorer::new(&model, options.max_text) };
    let wanted = Wanted { n: args.n, labels: args.label.clone(), random: args.random, seed: args.seed };
    let mut queue = Queue::new(&model, wanted, known);
    for file in common::inputs(&args.files) {
        let mut input = read::open(file, &options)?;
        let bar = common::spinner(&input.name);
        let mut stream = Stream::new(&scorer);
        let mut take = |job: &Job<'_>, record| {
            bar.inc(1);
            queue.take(job, &record);
            Ok(())
        };
        let (census, cut) = common::each_entry(&mut input, &rejects, |entry| match entry {
            Entry::Comment(row) => stream.push_with_job(*row, &mut take),
            Entry::Story(_) | Entry::Pingback | Entry::Missing(_) => Ok(()),
        })?;
        stream.flush_with_job(&mut take)?;
        bar.finish_and_clear();
        common::tell(&input, &census, cut.is_some());
        if let Some(error) = cut {
            return Err(error.into());
        }
    }
    let (comments, labelled) = (queue.comments, queue.labelled);
    let picked = queue.pick();
    write(&mut to, &picked).with_context(|| name(args))?;
    anstream::eprintln!(
        "{} of {comments} comments picked{}",
        picked.len(),
        if labelled > 0 { format!(", {labelled} had been labelled") } else { String::new() }
    );
    Ok(rejects.finish())
}

/// The comments of the files of `--labelled`.
fn known(args: &Args, rejects: &RejectsFile) -> Result<Known> {
    let mut known = Known::default();
    let mut bad = |file: &std::path::Path, row| rejects.add(&file.display().to_string(), &row);
    for row in scored::read(&args.labelled, &read::rows::Options::default(), &mut bad, |_| ())? {
        let comment = &row.row.stated.comment;
        known.add(row.row.thread_id.as_deref(), &comment.id, &comment.text);
    }
    Ok(known)
}

/// Opens the output before the work is done.
fn destination(args: &Args) -> Result<Box<dyn Write>> {
    let Some(path) = &args.output else { return Ok(Box::new(io::stdout())) };
    let same = |input: &&PathBuf| input.exists() && input.canonicalize().ok() == path.canonicalize().ok();
    if let Some(input) = args.files.iter().chain(&args.labelled).find(same) {
        bail!("{} is an input and the output: name another file with -o", input.display());
    }
    Ok(Box::new(File::create(path).map_err(|e| Error::io(path, e))?))
}

fn name(args: &Args) -> String {
    args.output.as_ref().map_or_else(|| "standard output".to_owned(), |path| path.display().to_string())
}

fn write(to: &mut dyn Write, picked: &[Picked]) -> Result<()> {
    let mut to = BufWriter::new(to);
    for row in picked {
        serde_json::to_writer(&mut to, row).map_err(io::Error::from)?;
        writeln!(to)?;
    }
    Ok(to.flush()?)
}
