//! What several verbs share: columns, rejected rows, threads, broken pipes.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::error::{Error, ErrorKind};
use crate::model::{Model, file};
use crate::read::Input;
use crate::read::ahead::ahead;
use crate::read::census::Census;
use crate::read::entry::Entry;
use crate::read::formats::FORMATS;
use crate::read::private::redacted;
use crate::read::rows::{BadRow, Options};
use crate::read::unpack::Limits;

/// Bad rows that are named one by one on standard error.
const NAMED: u64 = 10;

/// How inputs are read, where that is not to be found by looking.
#[derive(Debug, Clone, Default, clap::Args, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[command(next_help_heading = "Reading (format and columns are found by themselves)")]
pub struct Reading {
    /// Format of the inputs.
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(FORMATS.iter().map(|f| f.name())))]
    format: Option<String>,
    /// Column of the text.
    #[arg(long = "text-column", value_name = "NAME")]
    #[serde(rename = "text-column")]
    text: Option<String>,
    /// Column of the id.
    #[arg(long = "id-column", value_name = "NAME")]
    #[serde(rename = "id-column")]
    id: Option<String>,
    /// Column of the parent's id.
    #[arg(long = "parent-column", value_name = "NAME")]
    #[serde(rename = "parent-column")]
    parent: Option<String>,
    /// Column of the author.
    #[arg(long = "author-column", value_name = "NAME")]
    #[serde(rename = "author-column")]
    author: Option<String>,
    /// Column of the time of writing.
    #[arg(long = "created-column", value_name = "NAME")]
    #[serde(rename = "created-column")]
    created: Option<String>,
    /// Column of the thread's id.
    #[arg(long = "thread-column", value_name = "NAME")]
    #[serde(rename = "thread-column")]
    thread: Option<String>,
    /// Longest text of a comment that is used, in bytes; a longer one gets null and the reason.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().max_text)]
    max_text: usize,
    /// How many times its size an archive may expand to, once that is more than 64 MiB.
    #[arg(long, value_name = "TIMES", default_value_t = Limits::default().expansion)]
    max_expansion: u64,
}

impl Reading {
    /// As the readers want them.
    pub fn options(&self) -> Options {
        Options {
            text: self.text.clone(),
            id: self.id.clone(),
            parent: self.parent.clone(),
            author: self.author.clone(),
            created: self.created.clone(),
            thread: self.thread.clone(),
            format: self.format.clone(),
            max_text: self.max_text,
            limits: Limits { expansion: self.max_expansion },
            ..Options::default()
        }
    }
}

/// The list of formats for help texts.
pub fn formats() -> String {
    let widest = FORMATS.iter().map(|f| f.name().len()).max().unwrap_or_default();
    let lines: Vec<String> = FORMATS.iter().map(|f| format!("  {:widest$}  {}", f.name(), f.about())).collect();
    format!(
        "Reads, found by content, plain or packed with gzip, zstd, bzip2 or xz, in any usual encoding:\n{}",
        lines.join("\n")
    )
}

/// Hands every entry of an input to `each` and tells `rejects` of what cannot be used. Gives the counts, and the error in which the input
/// breaks off, if it does: what stands before it has been handed on.
pub fn each_entry(
    input: &mut Input,
    rejects: &RejectsFile,
    each: impl FnMut(Entry) -> crate::error::Result<()>,
) -> Result<(Census, Option<Error>)> {
    Ok(each_entry_until(&AtomicBool::new(false), input, rejects, each)?)
}

/// As [`each_entry`], until `stop` is set.
///
/// # Errors
/// `Interrupted` then; what `each` gives.
pub fn each_entry_until(
    stop: &AtomicBool,
    input: &mut Input,
    rejects: &RejectsFile,
    mut each: impl FnMut(Entry) -> crate::error::Result<()>,
) -> crate::error::Result<(Census, Option<Error>)> {
    let Input { reader, name, format, .. } = input;
    let mut census = Census::default();
    let mut unusable = 0;
    let cut = ahead(&mut **reader, |entries| {
        for entry in entries {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::from(ErrorKind::Interrupted));
            }
            match entry {
                Ok(entry) => {
                    census.add(&entry);
                    each(entry)?;
                }
                Err(row) if row.fatal => {
                    return Ok(Some(Error::input(format!("{name}:{}", row.line), row.what)));
                }
                Err(row) => {
                    unusable += 1;
                    rejects.add(name, &row);
                }
            }
        }
        Ok(None)
    });
    if let Some(broken) = cut.map_err(|e| Error::io(Path::new(name.as_str()), e))?? {
        return Ok((census, Some(broken)));
    }
    let nothing = (census == Census::default() && unusable > 0).then(|| {
        let what =
            format!("no comment in it could be read as {}: see `polemic inspect`, or name its --format", format.name());
        Error::input(&*name, what)
    });
    Ok((census, nothing))
}

/// Says on standard error what of an input is no comment or was not as it should be.
pub fn tell(input: &Input, census: &Census, is_broken: bool) {
    let name = &input.name;
    if census.comments == 0 && !is_broken {
        anstream::eprintln!("{name}: no comments found ({})", input.format.name());
    }
    let damage = input.damage.count();
    let notes = [
        (census.pingbacks, "pingbacks, which are no comments, left out"),
        (census.replies_by_quotation, "replies known by what they quote alone"),
        (census.deleted, "comments marked as deleted"),
        (census.spam, "comments marked as spam"),
        (census.pending, "comments waiting for a moderator"),
        (damage, "malformed byte sequences read as U+FFFD"),
    ];
    let notes: Vec<String> = notes.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !notes.is_empty() {
        anstream::eprintln!("{name}: {}", notes.join(", "));
    }
}

/// Where rows go that cannot be used.
#[derive(Debug, Clone, Default, clap::Args, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rejects {
    /// Copy rows that cannot be used to this file, as JSON lines with the reason.
    #[arg(long = "rejects", value_name = "FILE")]
    #[serde(rename = "rejects")]
    path: Option<PathBuf>,
    /// Exit with 2 if a row cannot be used.
    #[arg(long)]
    strict: bool,
}

/// Counts bad rows, names the first of them and keeps them all in the rejects file.
#[derive(Debug)]
pub struct RejectsFile(Mutex<RejectsState>);

#[derive(Debug)]
struct RejectsState {
    file: Option<BufWriter<File>>,
    count: u64,
    /// Rows to come that an earlier run has noted.
    noted_before: u64,
    failed: Option<io::Error>,
    strict: bool,
    /// Steps aside while a row is named.
    bar: ProgressBar,
}

impl Rejects {
    /// Creates the file, before any work is done.
    pub fn open(&self) -> Result<RejectsFile> {
        self.open_with(0, |path| File::create(path))
    }

    /// Goes on with the file as an earlier run left it: so many rows in so many bytes.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn reopen(&self, rows: u64, bytes: u64) -> Result<RejectsFile> {
        self.open_with(rows, |path| {
            let mut file = File::options().write(true).open(path)?;
            if file.metadata()?.len() < bytes {
                return Err(io::Error::other(
                    "is shorter than the unfinished run left it: start again with --overwrite",
                ));
            }
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        })
    }

    fn open_with(&self, count: u64, open: impl Fn(&Path) -> io::Result<File>) -> Result<RejectsFile> {
        let open = |path: &PathBuf| open(path).map_err(|e| Error::io(path, e)).map(BufWriter::new);
        let file = self.path.as_ref().map(open).transpose()?;
        let state = RejectsState {
            file,
            count,
            noted_before: 0,
            failed: None,
            strict: self.strict,
            bar: ProgressBar::hidden(),
        };
        Ok(RejectsFile(Mutex::new(state)))
    }
}

impl RejectsFile {
    /// Takes note of a row.
    pub fn add(&self, place: &str, row: &BadRow) {
        let Ok(mut state) = self.0.lock() else { return };
        if state.noted_before > 0 {
            state.noted_before -= 1;
            return;
        }
        state.count += 1;
        if state.count <= NAMED {
            state.bar.suspend(|| anstream::eprintln!("polemic: {place}:{}: {}", row.line, row.what));
        } else if state.count == NAMED + 1 {
            let more = "polemic: more rows that cannot be used follow; --rejects FILE keeps them all";
            state.bar.suspend(|| anstream::eprintln!("{more}"));
        }
        if let Some(file) = &mut state.file {
            let record =
                serde_json::json!({"place": place, "line": row.line, "reason": row.what, "row": redacted(&row.raw)});
            let written = writeln!(file, "{record}");
            if let Err(error) = written {
                state.failed.get_or_insert(error);
            }
        }
    }

    /// Rows are named beside this bar.
    pub fn beside(&self, bar: &ProgressBar) {
        if let Ok(mut state) = self.0.lock() {
            state.bar = bar.clone();
        }
    }

    /// The next `rows` rows have been noted by an earlier run.
    pub fn pass_over(&self, rows: u64) {
        if let Ok(mut state) = self.0.lock() {
            state.noted_before = rows;
        }
    }

    /// Makes sure that what was noted is on the disk; gives the length of the file, if there is one.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn mark(&self) -> io::Result<Option<u64>> {
        let Ok(mut state) = self.0.lock() else { return Ok(None) };
        let Some(file) = &mut state.file else { return Ok(None) };
        file.flush()?;
        file.get_ref().sync_data()?;
        Ok(Some(file.stream_position()?))
    }

    /// How many rows were noted.
    pub fn count(&self) -> u64 {
        self.0.lock().map_or(0, |state| state.count)
    }

    /// Says how many rows were left out; 2 if that is an error (`--strict`) or the file could not be written.
    pub fn finish(&self) -> ExitCode {
        let Ok(mut state) = self.0.lock() else { return ExitCode::from(2) };
        let flushed = state.file.as_mut().map_or(Ok(()), Write::flush);
        if let Some(error) = state.failed.take().or(flushed.err()) {
            anstream::eprintln!("polemic: the rejects file could not be written: {error}");
            return ExitCode::from(2);
        }
        if state.count > 0 {
            anstream::eprintln!("polemic: {} rows could not be used and were left out", state.count);
        }
        if state.strict && state.count > 0 { ExitCode::from(2) } else { ExitCode::SUCCESS }
    }
}

/// Sets the number of threads of this process.
pub fn use_threads(threads: Option<usize>) -> Result<()> {
    if let Some(n) = threads {
        rayon::ThreadPoolBuilder::new().num_threads(n).build_global().context("--threads")?;
    }
    Ok(())
}

/// True if the reader of our output went away, which is no error.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(broken)
            || matches!(cause.downcast_ref::<Error>().map(Error::kind), Some(ErrorKind::Io { cause, .. }) if broken(cause))
    })
}

/// Which model to use.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ModelChoice {
    /// Model: a folder, NAME or NAME@VERSION [default: `POLEMIC_MODEL`, else the first that `polemic models` lists].
    #[arg(short, long, value_name = "MODEL")]
    model: Option<String>,
}

impl ModelChoice {
    /// What the user named.
    pub fn name(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Finds and opens it.
    pub fn open(&self) -> Result<Model> {
        Ok(Model::open(&file::find(self.model.as_deref())?)?)
    }
}

/// Makes sure that the model has the labels that a user named.
pub fn check_labels(model: &Model, labels: &[String]) -> Result<()> {
    if let Some(unknown) = labels.iter().find(|label| model.label(label).is_none()) {
        let there: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
        let what = format!("no label `{unknown}` in the model {}; it has {}", model.id(), there.join(", "));
        return Err(Error::settings(what).into());
    }
    Ok(())
}

/// The files named, or standard input where there is none.
pub fn inputs(files: &[PathBuf]) -> Vec<Option<&Path>> {
    if files.is_empty() { vec![None] } else { files.iter().map(|f| Some(f.as_path())).collect() }
}

/// What goes on, on a terminal.
pub fn spinner(name: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} comments, {per_sec}, {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.set_message(name.to_owned());
    bar
}

/// Columns of the terminal, 100 where there is none.
pub fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}
