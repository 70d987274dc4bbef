//! `polemic score --follow`: a line in, a line out, so that it sits in any pipe.

use std::io::{self, BufReader};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::limit::Limit;
use crate::cli::common::RejectsFile;
use crate::read::entry::Entry;
use crate::read::follow::Follow;
use crate::read::rows::{BadRow, Options};
use crate::score::batch::Scorer;
use crate::score::stream::Stream;
use crate::write::{Jsonl, Output, ScoreWriter};

/// Answers every line of standard input before the next is read. A line that cannot be used is answered, too.
pub(super) fn run(
    options: &Options,
    scorer: &Scorer<'_>,
    is_alone: bool,
    limits: &[Limit],
    rejects: &RejectsFile,
) -> Result<ExitCode> {
    let mut to = Jsonl::new(Output { name: "standard output".into(), to: Box::new(io::stdout()) });
    let mut lines = Follow::new(Box::new(BufReader::new(io::stdin())), options);
    let mut stream = Stream::new(scorer).alone(is_alone);
    let mut over = 0_u64;
    while let Some(entry) = lines.next_entry() {
        match entry {
            Ok(Entry::Comment(row)) => {
                let mut write = |record| {
                    over += u64::from(limits.iter().any(|limit| limit.is_passed(&record)));
                    ScoreWriter::write(&mut to, &record)
                };
                stream.push(*row, &mut write)?;
                stream.flush(&mut write)?;
            }
            Ok(Entry::Story(_) | Entry::Pingback | Entry::Missing(_)) => {}
            Err(bad) => {
                rejects.add("standard input", &bad);
                rejects.mark()?;
                to.lines(&answer(&bad))?;
            }
        }
        ScoreWriter::flush(&mut to)?;
    }
    let code = rejects.finish();
    Ok(if over > 0 && code == ExitCode::SUCCESS { ExitCode::from(1) } else { code })
}

/// What stands in the place of a record, so that nobody waits for one.
fn answer(bad: &BadRow) -> Vec<u8> {
    let mut line = json!({"error": bad.what, "line": bad.line}).to_string().into_bytes();
    line.push(b'\n');
    line
}
