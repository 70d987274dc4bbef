//! What several verbs share: columns, rejected rows, threads, broken pipes.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use crate::error::{Error, ErrorKind};
use crate::model::{Model, file};
use crate::read::rows::{BadRow, Options};
use crate::write::Output;

/// Bad rows that are named one by one on standard error.
const NAMED: u64 = 10;

/// Which column holds what, where the usual names do not say it.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Columns (found by their usual names)")]
pub struct Columns {
    /// Column of the text.
    #[arg(long = "text-column", value_name = "NAME")]
    text: Option<String>,
    /// Column of the id.
    #[arg(long = "id-column", value_name = "NAME")]
    id: Option<String>,
    /// Column of the parent's id.
    #[arg(long = "parent-column", value_name = "NAME")]
    parent: Option<String>,
    /// Column of the author.
    #[arg(long = "author-column", value_name = "NAME")]
    author: Option<String>,
    /// Column of the time of writing.
    #[arg(long = "created-column", value_name = "NAME")]
    created: Option<String>,
    /// Column of the thread's id.
    #[arg(long = "thread-column", value_name = "NAME")]
    thread: Option<String>,
}

impl Columns {
    /// As the readers want them.
    pub fn options(&self) -> Options {
        Options {
            text: self.text.clone(),
            id: self.id.clone(),
            parent: self.parent.clone(),
            author: self.author.clone(),
            created: self.created.clone(),
            thread: self.thread.clone(),
            ..Options::default()
        }
    }
}

/// Where rows go that cannot be used.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Rejects {
    /// Copy rows that cannot be used to this file, as JSON lines with the reason.
    #[arg(long = "rejects", value_name = "FILE")]
    path: Option<PathBuf>,
    /// Exit with 2 if a row cannot be used.
    #[arg(long)]
    strict: bool,
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum To {
    /// The thread, indented, for reading.
    Tree,
    /// One JSON object a comment.
    Jsonl,
    /// One row a comment.
    Csv,
}

/// Where records go, and in which format.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Destination {
    /// Format [default: tree on a terminal, else jsonl].
    #[arg(long, value_enum)]
    to: Option<To>,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Destination {
    /// The format.
    pub fn format(&self) -> To {
        let to_terminal = self.output.is_none() && io::stdout().is_terminal();
        self.to.unwrap_or(if to_terminal { To::Tree } else { To::Jsonl })
    }

    /// True if a file was named.
    pub fn is_file(&self) -> bool {
        self.output.is_some()
    }

    /// Creates the file, or takes standard output. Refuses to overwrite an input, and to create anything for one that is not there.
    pub fn open(&self, inputs: &[PathBuf]) -> Result<Output> {
        if let (Some(path), [only]) = (&self.output, inputs)
            && only != Path::new("-")
        {
            only.metadata()
                .map_err(|e| Error::io(only, e))
                .with_context(|| format!("nothing written to {}", path.display()))?;
        }
        let same =
            |input: &PathBuf| self.output.as_ref().is_some_and(|o| o.canonicalize().ok() == input.canonicalize().ok());
        if let Some(input) = inputs.iter().find(|input| input.exists() && same(input)) {
            bail!("{} is an input and the output: name another file with -o", input.display());
        }
        Ok(match &self.output {
            Some(path) => Output {
                name: path.display().to_string(),
                to: Box::new(File::create(path).map_err(|e| Error::io(path, e))?),
            },
            None => Output { name: "standard output".into(), to: Box::new(io::stdout()) },
        })
    }
}

/// Counts bad rows, names the first of them and keeps them all in the rejects file.
#[derive(Debug)]
pub struct RejectsFile(Mutex<RejectsState>);

#[derive(Debug)]
struct RejectsState {
    file: Option<BufWriter<File>>,
    count: u64,
    failed: Option<io::Error>,
    strict: bool,
}

impl Rejects {
    /// Creates the file, before any work is done.
    pub fn open(&self) -> Result<RejectsFile> {
        let create = |path: &PathBuf| File::create(path).map_err(|e| Error::io(path, e)).map(BufWriter::new);
        let file = self.path.as_ref().map(create).transpose()?;
        Ok(RejectsFile(Mutex::new(RejectsState { file, count: 0, failed: None, strict: self.strict })))
    }
}

impl RejectsFile {
    /// Takes note of a row.
    pub fn add(&self, place: &str, row: &BadRow) {
        let Ok(mut state) = self.0.lock() else { return };
        state.count += 1;
        if state.count <= NAMED {
            anstream::eprintln!("polemic: {place}:{}: {}", row.line, row.what);
        } else if state.count == NAMED + 1 {
            anstream::eprintln!("polemic: more rows that cannot be used follow; --rejects FILE keeps them all");
        }
        if let Some(file) = &mut state.file {
            let record = serde_json::json!({"place": place, "line": row.line, "reason": row.what, "row": row.raw});
            let written = writeln!(file, "{record}");
            if let Err(error) = written {
                state.failed.get_or_insert(error);
            }
        }
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

/// Default of `--max-text`: 1 MiB.
pub const MAX_TEXT: usize = 1 << 20;

/// Which model to use.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ModelChoice {
    /// Model: a folder, NAME or NAME@VERSION [default: `POLEMIC_MODEL`, else the first that `polemic models` lists].
    #[arg(short, long, value_name = "MODEL")]
    model: Option<String>,
}

impl ModelChoice {
    /// Finds and opens it.
    pub fn open(&self) -> Result<Model> {
        Ok(Model::open(&file::find(self.model.as_deref())?)?)
    }
}

/// The files named, or standard input where there is none.
pub fn inputs(files: &[PathBuf]) -> Vec<Option<&Path>> {
    if files.is_empty() { vec![None] } else { files.iter().map(|f| Some(f.as_path())).collect() }
}

/// Columns of the terminal, 100 where there is none.
pub fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}
