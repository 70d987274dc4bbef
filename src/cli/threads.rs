//! `polemic threads`: the threads alone, and what had to be mended.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::common::{self, Columns, Destination, Rejects, To};
use crate::error::Error;
use crate::read::{self, Input, threads};
use crate::record::CommentRecord;
use crate::report::printable;
use crate::text::quotes;
use crate::thread::{Repairs, Thread};
use crate::write::{CommentWriter, Csv, Jsonl};

const EXAMPLES: &str = "\
Examples:
  polemic threads page.txt
  polemic threads comments.csv --to jsonl --repairs repairs.json > thread.jsonl";

/// Arguments of `polemic threads`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files to read; none or - for standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    /// Write what had to be mended to this file, as JSON, instead of a line on standard error.
    #[arg(long, value_name = "FILE")]
    repairs: Option<PathBuf>,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    rejects: Rejects,
}

/// Reads and writes.
pub fn run(args: &Args) -> Result<ExitCode> {
    let to = args.destination.format();
    let rejects = args.rejects.open()?;
    let repairs_file = args.repairs.as_ref().map(|p| File::create(p).map_err(|e| Error::io(p, e))).transpose()?;
    let mut output = args.destination.open(&args.files)?;
    let mut repairs = Repairs::default();
    let mut all: Vec<Thread> = Vec::new();
    for file in common::inputs(&args.files) {
        let options = args.columns.options();
        let (name, input) = read::open(file, &options)?;
        let (threads, mended) = match input {
            Input::Page(thread, mended) => (vec![thread], mended),
            Input::Rows(mut rows) => {
                let mut comments = Vec::new();
                threads::comments(&name, rows.as_mut(), &options, &mut |row| rejects.add(&name, &row), |row| {
                    comments.push(row);
                    Ok(())
                })?;
                threads::gather(comments)
            }
        };
        if threads.iter().all(|t| t.comments.is_empty()) {
            anstream::eprintln!("{name}: no comments found");
        }
        if let Some(summary) = mended.summary().filter(|_| repairs_file.is_none()) {
            anstream::eprintln!("{name}: mended: {summary}");
        }
        repairs.merge(mended);
        all.extend(threads);
    }
    match to {
        To::Tree => all.iter().try_for_each(|t| write_tree(t, &mut output.to))?,
        To::Jsonl => write_records(&all, &mut Jsonl::new(output))?,
        To::Csv => write_records(&all, &mut Csv::of_comments(output)?)?,
    }
    if let Some(mut file) = repairs_file {
        serde_json::to_writer_pretty(&mut file, &repairs)?;
        writeln!(file)?;
    }
    Ok(rejects.finish())
}

fn write_records(threads: &[Thread], to: &mut dyn CommentWriter) -> Result<()> {
    for thread in threads {
        for comment in &thread.comments {
            let parent = comment.parent.map(|p| &thread.comments[p]);
            let quoted = quotes::find(&comment.text, parent.map(|p| p.text.as_str()), &comment.quotes);
            to.write(&CommentRecord {
                id: comment.id.clone(),
                parent_id: parent.map(|p| p.id.clone()),
                depth: comment.depth,
                author: comment.author.clone(),
                created: comment.created.clone(),
                text: comment.text.clone(),
                quotes: quoted.into_iter().filter_map(|q| comment.text.get(q)).map(str::to_owned).collect(),
            })?;
        }
    }
    Ok(to.finish()?)
}

fn write_tree(thread: &Thread, to: &mut dyn Write) -> Result<()> {
    if let Some(title) = &thread.story.title {
        writeln!(to, "{}", printable(title))?;
    }
    for comment in &thread.comments {
        let indent = "  ".repeat(comment.depth.min(40) as usize);
        let words = comment.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let room = common::width().saturating_sub(indent.len() + 4).max(24);
        let line = format!("{} {}: {words}", comment.id, comment.author.as_deref().unwrap_or("(unknown)"));
        writeln!(to, "{indent}{}", printable(&line).chars().take(room).collect::<String>())?;
    }
    Ok(())
}
