//! `polemic inspect`: what a file is, what is in it, and how long it would take to score.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::common::{self, ModelChoice, Reading, Rejects};
use crate::model::{Model, file};
use crate::read::census::Census;
use crate::read::entry::{CommentRow, Entry};
use crate::read::{self, Input};
use crate::report::printable;
use crate::score::batch::Scorer;
use crate::score::stream::Stream;
use crate::text::language;

const EXAMPLES: &str = "\
Examples:
  polemic inspect export.xml
  polemic inspect dump.ndjson.zst --json | jq .counts
  polemic inspect huge.jsonl --first 100000      look at its start only";

/// Comments that are shown.
const SHOWN: usize = 3;
/// Comments that are scored for the estimate and asked for their language, spread over the whole input.
const SAMPLE: usize = 2000;
/// Threads and authors that are told apart; beyond, their number is a lower bound.
const TOLD_APART: usize = 4_000_000;

/// Arguments of `polemic inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", common::formats()))]
pub struct Args {
    /// Files or ConvoKit folders to look at; none or - for standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Look at the first N comments only.
    #[arg(long, value_name = "N")]
    first: Option<u64>,
    /// Write JSON, one object a file.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelChoice,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    rejects: Rejects,
}

/// What was found in an input.
#[derive(Debug, Serialize)]
struct Findings {
    file: String,
    /// Bytes on disk; null for standard input.
    bytes: Option<u64>,
    format: &'static str,
    about: &'static str,
    compression: &'static str,
    encoding: Option<&'static str>,
    /// Malformed byte sequences that were read as U+FFFD.
    malformed: u64,
    /// Which field was taken for what.
    fields: BTreeMap<&'static str, String>,
    counts: Census,
    threads: u64,
    authors: u64,
    /// Rows or items that cannot be used.
    unusable: u64,
    /// Where the input breaks off, if it does.
    broken: Option<String>,
    /// True if only the start was looked at.
    partial: bool,
    /// Languages of longer comments of a sample (ISO 639-3), with their share of it.
    languages: Vec<(String, f64)>,
    sample: Vec<Shown>,
    /// Seconds that scoring would take here; null without a model.
    scoring_seconds: Option<f64>,
}

/// A comment of the sample as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    parent_id: Option<String>,
    author: Option<String>,
    created: Option<String>,
    text: String,
}

/// Looks and prints.
pub fn run(args: &Args) -> Result<ExitCode> {
    let rejects = args.rejects.open()?;
    let model = file::find(args.model.name()).and_then(|path| Model::open(&path));
    let model = match (model, args.model.name()) {
        (Err(error), Some(_)) => return Err(error.into()),
        (model, _) => model.ok(),
    };
    let mut out = anstream::stdout();
    for path in common::inputs(&args.files) {
        let findings = look(args, path, model.as_ref(), &rejects)?;
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&findings)?)?;
        } else {
            print(&findings, &mut out)?;
        }
    }
    Ok(rejects.finish())
}

fn look(args: &Args, path: Option<&Path>, model: Option<&Model>, rejects: &common::RejectsFile) -> Result<Findings> {
    let options = args.reading.options();
    let mut input = read::open(path, &options)?;
    let bar = common::spinner(&input.name);
    let before = rejects.count();
    let mut seen = Seen::default();
    let mut census = Census::default();
    let mut broken = None;
    let mut partial = false;
    while let Some(entry) = input.reader.next_entry() {
        match entry {
            Ok(entry) => {
                census.add(&entry);
                bar.inc(1);
                seen.take(entry);
            }
            Err(row) if row.fatal => broken = Some(format!("line {}: {}", row.line, row.what)),
            Err(row) => rejects.add(&input.name, &row),
        }
        if args.first.is_some_and(|first| census.comments >= first) {
            partial = true;
            break;
        }
    }
    bar.finish_and_clear();
    let scoring = model.map(|model| estimate(model, &seen, options.max_text));
    Ok(Findings {
        bytes: path.and_then(|path| path.metadata().ok()).filter(std::fs::Metadata::is_file).map(|m| m.len()),
        format: input.format.name(),
        about: input.format.about(),
        compression: input.compression.name(),
        encoding: input.encoding,
        malformed: input.damage.count(),
        fields: fields(&input),
        counts: census,
        threads: seen.threads.len() as u64,
        authors: seen.authors.len() as u64,
        unusable: rejects.count() - before,
        broken,
        partial,
        languages: seen.languages(),
        sample: seen.sample.iter().take(SHOWN).map(shown).collect(),
        scoring_seconds: scoring.map(|time| time.as_secs_f64()),
        file: input.name,
    })
}

/// What was taken for what: of a table by its columns, else as the format has it.
fn fields(input: &Input) -> BTreeMap<&'static str, String> {
    let columns = input.reader.mapping();
    if columns.is_empty() {
        return input.format.fields().iter().map(|(role, place)| (*role, (*place).to_owned())).collect();
    }
    columns.into_iter().collect()
}

/// What is remembered of the entries that went by, in bounded memory.
#[derive(Debug, Default)]
struct Seen {
    comments: u64,
    bytes: u64,
    threads: HashSet<u64>,
    authors: HashSet<u64>,
    /// Every n-th comment, n growing so that no more than twice [`SAMPLE`] are kept.
    sample: Vec<CommentRow>,
    step: u64,
}

impl Seen {
    fn take(&mut self, entry: Entry) {
        let Entry::Comment(row) = entry else { return };
        let comment = &row.stated.comment;
        note(&mut self.threads, row.thread_id.as_deref().unwrap_or_default());
        if let Some(author) = &comment.author {
            note(&mut self.authors, author);
        }
        let size = comment.text.len() as u64;
        self.bytes += size;
        if self.comments.is_multiple_of(self.step.max(1)) && size <= 1 << 16 {
            self.sample.push(*row);
            if self.sample.len() >= 2 * SAMPLE {
                let mut at = 0;
                self.sample.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.step = self.step.max(1) * 2;
            }
        }
        self.comments += 1;
    }

    /// Shares of languages among the sampled comments that are long enough to tell.
    fn languages(&self) -> Vec<(String, f64)> {
        let found: Vec<&str> = self.sample.iter().filter_map(|row| language::of(&row.stated.comment.text)).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        found.iter().for_each(|code| *counts.entry(code).or_default() += 1);
        let share = |n: usize| (n as f64 / found.len() as f64 * 1000.0).round() / 1000.0;
        let mut shares: Vec<(String, f64)> = counts.into_iter().map(|(code, n)| (code.to_owned(), share(n))).collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        shares
    }
}

fn note(set: &mut HashSet<u64>, name: &str) {
    if set.len() < TOLD_APART {
        set.insert(xxh3_64(name.as_bytes()));
    }
}

/// How long it would take to score everything, by the time that a sample takes.
fn estimate(model: &Model, seen: &Seen, max_text: usize) -> Duration {
    let scorer = Scorer::new(model, max_text);
    let sample: Vec<CommentRow> = seen.sample.iter().take(SAMPLE).cloned().collect();
    let bytes: usize = sample.iter().map(|row| row.stated.comment.text.len()).sum();
    let start = Instant::now();
    let mut stream = Stream::new(&scorer);
    let mut nothing = |_| Ok(());
    for row in sample {
        let _ = stream.push(row, &mut nothing);
    }
    let _ = stream.flush(&mut nothing);
    start.elapsed().mul_f64(seen.bytes as f64 / bytes.max(1) as f64)
}

fn shown(row: &CommentRow) -> Shown {
    let comment = &row.stated.comment;
    Shown {
        id: comment.id.clone(),
        parent_id: row.stated.parent_id.clone(),
        author: comment.author.clone(),
        created: comment.created.clone(),
        text: comment.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect(),
    }
}

fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn print(found: &Findings, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", found.file)?;
    let mut line = |name: &str, value: String| writeln!(out, "  {name:<12} {}", printable(&value));
    line("format", format!("{}: {}", found.format, found.about))?;
    let size = found.bytes.map_or_else(String::new, |bytes| format!("{}, ", indicatif::HumanBytes(bytes)));
    let malformed = match found.malformed {
        0 => String::new(),
        n => format!(", {n} malformed byte sequences"),
    };
    let encoding = found.encoding.map_or_else(String::new, |encoding| format!(", encoding {encoding}"));
    line("file", format!("{size}compression {}{encoding}{malformed}", found.compression))?;
    if !found.fields.is_empty() {
        let fields: Vec<String> = found.fields.iter().map(|(role, field)| format!("{role} = {field}")).collect();
        line("fields", fields.join(", "))?;
    }
    let c = &found.counts;
    let least = if found.partial { "at least " } else { "" };
    line(
        "comments",
        format!(
            "{least}{}, of these {} replies; {}, {}",
            c.comments,
            c.replies,
            counted(found.threads, "thread"),
            counted(found.authors, "author")
        ),
    )?;
    let marked = [
        (c.deleted, "deleted"),
        (c.spam, "spam"),
        (c.pending, "pending"),
        (c.pingbacks, "pingbacks (no comments)"),
        (c.missing, "announced but not there"),
        (found.unusable, "unusable"),
    ];
    let marked: Vec<String> = marked.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !marked.is_empty() {
        line("of note", marked.join(", "))?;
    }
    if !found.languages.is_empty() {
        let shares: Vec<String> =
            found.languages.iter().take(5).map(|(code, p)| format!("{code} {:.0}%", p * 100.0)).collect();
        line("languages", format!("{} (of longer comments, roughly)", shares.join(", ")))?;
    }
    if let Some(seconds) = found.scoring_seconds {
        let time = Duration::from_secs_f64(seconds);
        let time = match time.as_secs() {
            0 => "less than a second".to_owned(),
            _ => format!("about {}", indicatif::HumanDuration(time)),
        };
        line("scoring", format!("{time} here"))?;
    }
    if let Some(broken) = &found.broken {
        line("broken off", broken.clone())?;
    }
    for comment in &found.sample {
        let parent = comment.parent_id.as_ref().map_or_else(String::new, |parent| format!(" -> {parent}"));
        let author = comment.author.as_deref().unwrap_or("(unknown)");
        let text: String = comment.text.chars().take(100).collect();
        line("sample", format!("{}{parent} {author}: {text}", comment.id))?;
    }
    Ok(())
}
