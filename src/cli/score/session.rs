//! A run from its plan to its end: where records go, what is counted on their way, and what is noted so that it can be taken up again.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;

use super::limit::Limit;
use super::plan::{Left, Plan};
use super::progress::Progress;
use crate::cli::common::{self, RejectsFile};
use crate::cli::destination::{Destination, To as Format};
use crate::error::{Error, ErrorKind};
use crate::model::Model;
use crate::read::entry::{CommentRow, StoryRow};
use crate::record::{ScoreRecord, StoryRecord};
use crate::report::tree::tree;
use crate::score::batch::Job;
use crate::score::lines::Line;
use crate::score::run::journal::{InputNote, Journal};
use crate::score::run::manifest::Manifest;
use crate::score::run::meter::{Expected, Meter, modified, sha256};
use crate::score::run::outputs::{Earlier, Opened, Outputs};
use crate::score::run::tally::{Counter, Tally};
use crate::thread::{Story, Thread};
use crate::write::{Growing, Output, Shape};

/// A run that goes on.
pub(super) struct Session<'a> {
    plan: &'a Plan,
    model: &'a Model,
    outputs: Option<Outputs<'a>>,
    tree: Option<Tree>,
    /// The story that rows repeated last.
    story: Option<StoryRecord>,
    limits: Vec<Limit>,
    pub(super) counter: Counter,
    pub(super) rejects: &'a RejectsFile,
    journal: Journal,
    marked_at: u64,
    pub(super) progress: Progress,
}

/// Threads for reading.
pub(super) struct Tree {
    to: Box<dyn Write>,
    growing: Option<Growing>,
}

/// An input that is being read.
pub(super) struct Reading {
    /// What is counted and hashed of it.
    pub(super) meter: Meter,
    note: InputNote,
    /// Rows of the run that could not be used before it.
    rejected_before: u64,
    path: Option<PathBuf>,
    /// Rows of it that were scored before.
    pub(super) rows_before: u64,
}

impl<'a> Session<'a> {
    /// Begins what the plan says.
    pub(super) fn new(
        plan: &'a Plan,
        to: To<'a>,
        files: &[PathBuf],
        model: &'a Model,
        limits: Vec<Limit>,
        rejects: &'a RejectsFile,
    ) -> Result<Self> {
        let (outputs, tree) = match to {
            To::Rows(outputs) => (Some(outputs), None),
            To::Tree(tree) => (None, Some(tree)),
        };
        let journal = plan.journal();
        let counter = Counter::new(model, journal.tally.clone());
        let marked_at = counter.rows();
        let progress = Progress::new(files, marked_at, plan.is_quiet);
        rejects.beside(progress.bar());
        let mut session =
            Self { plan, model, outputs, tree, story: None, limits, counter, rejects, journal, marked_at, progress };
        if !matches!(plan.left, Left::GoOn(_)) && plan.journal_path.is_some() {
            session.mark(None)?;
        }
        Ok(session)
    }

    /// The note of an input that an earlier run has read to its end, which must be what it was.
    pub(super) fn read_before(&mut self, i: usize, path: Option<&Path>) -> Result<Option<InputNote>> {
        let Some(note) = self.journal.inputs.get(i).filter(|note| !note.unfinished).cloned() else { return Ok(None) };
        self.progress.next_input(note.bytes);
        let Some(path) = path.filter(|path| path.is_file() && note.modified.is_some()) else { return Ok(Some(note)) };
        let is_same = note.modified == modified(path) || note.sha256.as_ref() == Some(&sha256(path)?);
        if is_same { Ok(Some(note)) } else { Err(changed(&note.name).into()) }
    }

    /// Begins the next input, or goes on with the one that was being read.
    pub(super) fn begin(&mut self, path: Option<&Path>) -> Result<Reading> {
        let left = self.journal.inputs.pop_if(|note| note.unfinished);
        let path = path.filter(|path| path.as_os_str() != "-").map(Path::to_owned);
        let name = path.as_ref().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        let left = left.unwrap_or_else(|| InputNote { name, ..InputNote::default() });
        let expected = left.sha256.clone().map(|sha256| Expected { bytes: left.bytes, sha256 });
        let now = path.as_deref().map(content_of).as_deref().and_then(modified);
        if left.unfinished && expected.is_none() && left.modified != now {
            return Err(changed(&left.name).into());
        }
        self.rejects.pass_over(left.rejected);
        Ok(Reading {
            meter: Meter::new(self.plan.has_manifest, expected),
            rejected_before: self.rejects.count() - left.rejected.min(self.rejects.count()),
            path,
            rows_before: left.comments,
            note: InputNote { modified: now, unfinished: true, ..left },
        })
    }

    /// Takes note of a story.
    pub(super) fn story(&mut self, row: StoryRow, is_behind: bool) -> crate::error::Result<()> {
        let Story { title, url, .. } = row.story;
        let story = StoryRecord { thread_id: row.thread_id, title, url };
        self.outputs.as_mut().map_or(Ok(()), |outputs| outputs.story(&story, is_behind))
    }

    /// The story that a row repeats; once for all rows of it in a row.
    pub(super) fn story_of(&mut self, row: &CommentRow, is_behind: bool) -> crate::error::Result<()> {
        let same = |s: &StoryRecord| (&s.thread_id, &s.title, &s.url) == (&row.thread_id, &row.title, &row.url);
        if (row.title.is_none() && row.url.is_none()) || self.story.as_ref().is_some_and(same) {
            return Ok(());
        }
        let (thread_id, title, url) = (row.thread_id.clone(), row.title.clone(), row.url.clone());
        let story = self.story.insert(StoryRecord { thread_id, title, url });
        self.outputs.as_mut().map_or(Ok(()), |outputs| outputs.story(story, is_behind))
    }

    /// Writes a record.
    pub(super) fn record(&mut self, record: &ScoreRecord) -> crate::error::Result<()> {
        self.count(record);
        let row = self.counter.rows();
        self.outputs.as_mut().map_or(Ok(()), |outputs| outputs.write(record, row))
    }

    /// Writes the line of a comment.
    pub(super) fn line(&mut self, job: &Job<'_>, line: &Line) -> crate::error::Result<()> {
        self.counter.add_line(line, self.limits.iter().any(|limit| limit.is_passed_by(line)));
        let row = self.counter.rows();
        self.outputs.as_mut().map_or(Ok(()), |outputs| outputs.write_line(&line.json, job.thread_id, row))
    }

    /// Writes a whole thread, for reading.
    pub(super) fn thread(&mut self, thread: &Thread, records: &[ScoreRecord]) -> crate::error::Result<()> {
        records.iter().for_each(|record| self.count(record));
        let Some(Tree { to, .. }) = self.tree.as_mut().filter(|_| !records.is_empty()) else { return Ok(()) };
        to.write_all(tree(self.model, thread, records, common::width()).as_bytes())
            .map_err(|e| Output::error("standard output", e))
    }

    fn count(&mut self, record: &ScoreRecord) {
        self.counter.add(record, self.limits.iter().any(|limit| limit.is_passed(record)));
    }

    /// Between two chunks, `passed` rows of the input behind it: makes what is written safe if it is time to.
    pub(super) fn between_chunks(&mut self, reading: &Reading, passed: u64) -> crate::error::Result<()> {
        self.progress.update(reading.meter.bytes(), &self.counter);
        if reading.meter.differs() {
            return Err(changed(&reading.note.name));
        }
        self.mark_if_due(&reading.so_far(passed, self.rejects))
    }

    fn mark_if_due(&mut self, note: &InputNote) -> crate::error::Result<()> {
        let is_full = self.outputs.as_ref().is_some_and(Outputs::is_full);
        let is_due = self.counter.rows() - self.marked_at >= self.plan.every;
        if is_full || (is_due && self.can_be_marked()) { self.mark(Some(note)) } else { Ok(()) }
    }

    /// True if a later run can go on with this one.
    pub(super) fn can_go_on(&self) -> bool {
        self.plan.journal_path.is_some()
    }

    fn can_be_marked(&self) -> bool {
        self.plan.journal_path.is_some() && self.outputs.as_ref().is_some_and(Outputs::can_be_marked)
    }

    /// Makes what is written safe, and notes where the run is.
    fn mark(&mut self, note: Option<&InputNote>) -> crate::error::Result<()> {
        let Some(outputs) = &mut self.outputs else { return Ok(()) };
        let is_full = outputs.is_full();
        self.journal.outputs = if is_full { outputs.complete()? } else { outputs.mark()? };
        self.journal.rejects_bytes = self.rejects.mark().map_err(|e| Output::error("the rejects file", e))?;
        self.counter.set_rejected(self.rejects.count());
        self.journal.tally = self.counter.tally();
        if let Some(path) = &self.plan.journal_path {
            let held = self.journal.inputs.len();
            self.journal.inputs.extend(note.cloned());
            self.journal.write(path)?;
            self.journal.inputs.truncate(held);
        }
        self.marked_at = self.counter.rows();
        if is_full { outputs.name() } else { Ok(()) }
    }

    /// The run is to stop: makes safe what is written, if `passed` rows of the input are, and says how to go on.
    pub(super) fn stop(&mut self, reading: &Reading, passed: u64, is_behind: bool) -> Result<()> {
        self.progress.clear();
        let depends_on_marks = self.outputs.as_ref().is_some_and(Outputs::depends_on_marks);
        if self.can_be_marked() && !depends_on_marks && !is_behind {
            self.mark(Some(&reading.so_far(passed, self.rejects)))?;
        } else if let Some(outputs) = &mut self.outputs {
            outputs.flush()?;
        }
        anstream::eprintln!("polemic: stopped after {} comments; {}", self.counter.rows(), self.remedy());
        Ok(())
    }

    /// How to go on with a run that did not come to its end.
    fn remedy(&self) -> String {
        match (&self.plan.journal_path, &self.plan.output) {
            (Some(_), _) => {
                format!("{} comments are safe: the same command with --resume goes on from there", self.marked_at)
            }
            (None, Some(path)) => {
                format!("nothing is kept of {}: this format is whole or not there (see --shard-rows)", path.display())
            }
            (None, None) => "all of them are written (with -o FILE a run can be gone on with)".to_owned(),
        }
    }

    /// The input is read as far as it goes.
    pub(super) fn end(
        &mut self,
        reading: &Reading,
        passed: u64,
        missing_parents: u64,
        error: Option<&Error>,
    ) -> Result<()> {
        if reading.meter.differs() || reading.meter.is_short() || passed < reading.rows_before {
            return Err(changed(&reading.note.name).into());
        }
        let is_file = reading.path.as_ref().is_some_and(|path| path.is_file());
        if self.plan.has_manifest && is_file {
            // Behind the end of its data nothing matters but the hash.
            drop(reading.meter.drain());
        }
        let mut note = reading.so_far(passed, self.rejects);
        note.sha256 = note.sha256.or_else(|| self.hash_of(reading.path.as_deref()));
        note.bytes = note.bytes.max(reading.path.as_ref().filter(|_| is_file).map_or(0, |p| length(p)));
        note.error = error.map(ToString::to_string);
        note.missing_parents = missing_parents;
        note.unfinished = false;
        self.progress.next_input(note.bytes);
        self.mark_if_due(&note)?;
        self.journal.inputs.push(note);
        Ok(())
    }

    /// The hash of what is not read as a stream: Parquet files and corpora.
    fn hash_of(&self, path: Option<&Path>) -> Option<String> {
        sha256(&content_of(path.filter(|_| self.plan.has_manifest)?)).ok()
    }

    /// Completes the outputs, names them, and writes what goes beside them.
    pub(super) fn finish(&mut self) -> Result<Tally> {
        self.progress.clear();
        self.counter.set_rejected(self.rejects.count());
        if let Some(tree) = &mut self.tree {
            tree.finish()?;
        }
        if let Some(outputs) = &mut self.outputs {
            let complete = outputs.complete()?;
            self.journal.tally = self.counter.tally();
            self.journal.outputs.clone_from(&complete);
            self.journal.is_whole = true;
            self.journal.rejects_bytes = self.rejects.mark()?;
            if let Some(path) = &self.plan.journal_path {
                self.journal.write(path)?;
            }
            outputs.name()?;
            outputs.write_index()?;
        }
        self.journal.tally = self.counter.tally();
        if let Some(path) = self.plan.output.as_ref().filter(|_| self.plan.has_manifest) {
            Manifest::of(&self.journal, Timestamp::now().to_string()).write(&Manifest::path(path))?;
        }
        if let Some(path) = &self.plan.journal_path {
            fs::remove_file(path).map_err(|e| Error::io(path, e))?;
        }
        if self.plan.has_summary {
            let to = self.plan.output.as_ref().map_or_else(String::new, |path| format!("; in {}", path.display()));
            anstream::eprintln!("{}{to}", self.progress.summary(&self.journal.tally));
        }
        Ok(self.journal.tally.clone())
    }

    /// What a failure means for the run, where it is one of the output.
    pub(super) fn explained(&self, error: anyhow::Error) -> anyhow::Error {
        self.progress.clear();
        let kind = error.downcast_ref::<Error>().map(Error::kind);
        let is_full = matches!(kind, Some(ErrorKind::Io { cause, .. }) if is_full(cause));
        match is_full {
            true if self.plan.output.is_some() => anyhow!("{error}: make room; {}", self.remedy()),
            true => anyhow!("{error}: make room"),
            false => error,
        }
    }
}

impl Reading {
    /// What is read of it, `passed` rows of it behind.
    fn so_far(&self, passed: u64, rejects: &RejectsFile) -> InputNote {
        let (bytes, sha256) = self.meter.so_far();
        InputNote {
            bytes,
            sha256,
            comments: passed,
            rejected: rejects.count() - self.rejected_before,
            ..self.note.clone()
        }
    }

    /// Takes note of how it is read.
    pub(super) fn is_format(&mut self, format: &str) {
        self.note.format = Some(format.to_owned());
    }

    /// Takes note of malformed bytes.
    pub(super) fn has_damage(&mut self, malformed: u64) {
        self.note.malformed = malformed;
    }
}

impl Tree {
    fn open(plan: &Plan, destination: &Destination, files: &[PathBuf]) -> Result<Self> {
        let Some(path) = &plan.output else {
            let to: Box<dyn Write> = if destination.is_file() {
                Box::new(anstream::StripStream::new(destination.open(files)?.to))
            } else {
                Box::new(anstream::stdout())
            };
            return Ok(Self { to, growing: None });
        };
        let growing = Growing::create(path, false)?;
        Ok(Self { to: Box::new(anstream::StripStream::new(growing.output().to)), growing: Some(growing) })
    }

    fn finish(&mut self) -> Result<()> {
        self.to.flush()?;
        if let Some(growing) = &self.growing {
            growing.mark()?;
            growing.name()?;
        }
        Ok(())
    }
}

/// Where a run writes to.
pub(super) enum To<'a> {
    /// Records, into files or a stream.
    Rows(Outputs<'a>),
    /// Threads, for reading.
    Tree(Tree),
}

/// Opens what the plan says.
pub(super) fn open<'a>(
    plan: &Plan,
    destination: &'a Destination,
    files: &'a [PathBuf],
    shape: Shape,
) -> Result<To<'a>> {
    let to = plan.to;
    if to == Format::Tree {
        return Tree::open(plan, destination, files).map(To::Tree);
    }
    let Some(path) = &plan.output else {
        let writer = destination.of_scores(to, files, shape)?;
        let stream = std::cell::RefCell::new(Some(Opened { writer, growing: None }));
        let once = move |path: &Path, _: Option<&_>| {
            stream.take().ok_or_else(|| Error::input(path.display(), "this output is finished"))
        };
        let stream = Path::new("standard output");
        return Ok(To::Rows(Outputs::new(stream, plan.parting, Earlier::Spare, Box::new(once))?));
    };
    let is_hashed = plan.is_sharded();
    let file = move |path: &Path, mark: Option<&_>| Destination::score_file(to, path, mark, shape.clone(), is_hashed);
    Ok(To::Rows(Outputs::new(path, plan.parting, plan.earlier(), Box::new(file))?))
}

fn changed(name: &str) -> Error {
    Error::input(name, "is not what the unfinished run read: give the same input, or begin anew with --overwrite")
}

/// The file with the comments of an input: of a corpus its utterances.
fn content_of(path: &Path) -> PathBuf {
    let mut utterances = ["utterances.jsonl", "utterances.json"].map(|name| path.join(name)).into_iter();
    utterances.find(|file| file.is_file()).unwrap_or_else(|| path.to_owned())
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// True if there is no room for what was to be written.
fn is_full(cause: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge)
        || ["disk is full", "disk I/O error"].iter().any(|said| cause.to_string().contains(said))
}

/// Set by Ctrl-C and by a request to end; a second one ends at once.
pub(super) fn watch_for_stop(files: &[PathBuf]) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let stopping = move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(super::STOPPED.into());
        }
        anstream::eprintln!("polemic: stopping once the comments in hand are scored; again to end at once");
    };
    // Whoever types the input waits for nothing.
    let is_typed = common::inputs(files).contains(&None) && io::stdin().is_terminal();
    if !is_typed {
        ctrlc::set_handler(stopping).context("the interrupt handler could not be set")?;
    }
    // A file that may grow no more is an error to be told, not the end of the process.
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(stop)
}
