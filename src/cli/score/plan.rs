//! What a run is to do, decided before anything is written: where to, in how many files, from its start or from where another left off.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use jiff::Timestamp;

use crate::cli::destination::{Destination, To};
use crate::error::Error;
use crate::score::run::journal::{Asked, FORMAT, Journal};
use crate::score::run::manifest::Manifest;
use crate::score::run::outputs::{Earlier, MOST_SHARDS, Parting, shards_of};
use crate::write::Packing;

/// Flags for runs that take long.
#[derive(Debug, Clone, Default, clap::Args, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[command(next_help_heading = "Long runs (see docs/jobs.md)")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Long {
    /// Go on with a run of the same command that was killed or stopped; the output is the same as if it had not been.
    #[arg(long)]
    #[serde(skip)]
    resume: bool,
    /// Throw away what an unfinished run, or an earlier one into shards, has left.
    #[arg(long, conflicts_with = "resume")]
    #[serde(skip)]
    overwrite: bool,
    /// Write N shards, whole threads in each: NAME-00000-of-0000N.ENDING, and an index of them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_SHARDS)))]
    shards: Option<u32>,
    /// Write shards of ROWS comments in their order, each complete before the next begins: NAME-00000.ENDING, …
    #[arg(long, value_name = "ROWS", conflicts_with = "shards", value_parser = clap::value_parser!(u64).range(1..))]
    shard_rows: Option<u64>,
    /// Make what is written safe every ROWS comments: what --resume goes on from.
    #[arg(long, value_name = "ROWS", default_value_t = 262_144, value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint: u64,
    /// Write no manifest (OUTPUT.run.json: inputs with their hashes, model, settings, counts) beside the output.
    #[arg(long)]
    no_manifest: bool,
    /// No progress, no notes, no summary: only what went wrong.
    #[arg(short, long)]
    #[serde(skip)]
    pub(super) quiet: bool,
}

/// What a run is to do.
pub(super) struct Plan {
    pub(super) to: To,
    /// The file or folder to write; `None` for a stream.
    pub(super) output: Option<PathBuf>,
    pub(super) parting: Parting,
    /// Where the journal stands, of runs that can be gone on with.
    pub(super) journal_path: Option<PathBuf>,
    /// What an unfinished run left.
    pub(super) left: Left,
    /// Inputs are hashed for it.
    pub(super) has_manifest: bool,
    pub(super) every: u64,
    pub(super) is_quiet: bool,
    pub(super) has_summary: bool,
    asked: Asked,
}

/// What an earlier run left, and what is to be done with it.
pub(super) enum Left {
    /// There is nothing to be done.
    Nothing,
    /// It is in the way.
    ThrowAway,
    /// It is gone on with.
    GoOn(Box<Journal>),
}

/// What is to be done.
pub(super) enum Decided {
    /// This.
    Run(Box<Plan>),
    /// Nothing: this run is finished.
    Done(Box<Manifest>),
}

impl Long {
    /// Decides what to do.
    ///
    /// # Errors
    /// What cannot be done together, and an unfinished run that nobody said what to do with.
    pub(super) fn plan(&self, destination: &Destination, files: &[PathBuf], asked: Asked) -> Result<Decided> {
        destination.check(files)?;
        let to = destination.format();
        let parting = self.parting(destination, to)?;
        let output = output(destination, to, parting, files)?;
        let packing = output.as_deref().map_or(Packing::None, Packing::of);
        if packing != Packing::None && !to.is_lines() {
            bail!("{}: this format is not packed: leave off the last ending", name(output.as_deref()));
        }
        // Shards of rows are each whole; other files must be such as can be cut off and gone on with.
        let can_resume = output.is_some() && (to.is_lines() || matches!(parting, Parting::Rows(_)));
        if self.resume && !can_resume {
            let what = if output.is_some() {
                "a file of this format is whole or not there: with --shard-rows ROWS the shards that are complete are kept and gone on from"
            } else {
                "name a file with --output to go on with"
            };
            bail!("--resume: {what}");
        }
        let journal_path = output.as_deref().filter(|_| can_resume).map(Journal::path);
        let has_manifest = output.is_some() && !self.no_manifest;
        let mut plan = Plan {
            to,
            parting,
            journal_path,
            left: if self.overwrite { Left::ThrowAway } else { Left::Nothing },
            has_manifest,
            every: self.checkpoint,
            is_quiet: self.quiet,
            has_summary: !self.quiet && to != To::Tree && (output.is_some() || std::io::stderr().is_terminal()),
            output,
            asked,
        };
        if let Some(path) = plan.output.clone().filter(|_| !self.overwrite)
            && let Some(done) = plan.take_up(&path, self.resume)?
        {
            return Ok(Decided::Done(Box::new(done)));
        }
        Ok(Decided::Run(Box::new(plan)))
    }

    fn parting(&self, destination: &Destination, to: To) -> Result<Parting> {
        let parting = match (self.shards, self.shard_rows) {
            (Some(n), _) => Parting::Threads(n),
            (None, Some(rows)) => Parting::Rows(rows),
            (None, None) => return Ok(Parting::Whole),
        };
        if matches!(to, To::Tree | To::Convokit | To::Info) {
            bail!("shards are files of jsonl, csv, parquet or sqlite: name one of these with --to");
        }
        if !destination.is_regular() {
            bail!("name the folder of the shards, or a file that they are called after, with --output");
        }
        Ok(parting)
    }
}

impl Plan {
    /// True if there are several files.
    pub(super) fn is_sharded(&self) -> bool {
        self.parting != Parting::Whole
    }

    /// What is to be done with the files of an earlier run.
    pub(super) fn earlier(&self) -> Earlier<'_> {
        match &self.left {
            Left::Nothing => Earlier::Spare,
            Left::ThrowAway => Earlier::Remove,
            Left::GoOn(journal) => Earlier::GoOn(&journal.outputs),
        }
    }

    /// The journal as it is at the start.
    pub(super) fn journal(&self) -> Journal {
        if let Left::GoOn(journal) = &self.left {
            return Journal { resumed: journal.resumed + 1, ..(**journal).clone() };
        }
        Journal {
            journal: FORMAT,
            polemic: env!("CARGO_PKG_VERSION").to_owned(),
            asked: self.asked.clone(),
            started: Timestamp::now().to_string(),
            ..Journal::default()
        }
    }

    /// Goes on with an unfinished run, if that is wanted; gives the manifest of one that is finished.
    fn take_up(&mut self, path: &Path, resume: bool) -> Result<Option<Manifest>> {
        let Some(journal_path) = &self.journal_path else { return Ok(None) };
        let Some(left) = Journal::read(journal_path)? else {
            return if resume { self.finished(path) } else { Ok(None) };
        };
        if !resume {
            bail!(
                "{}: an unfinished run is there, with {} comments: add --resume to go on with it, or --overwrite to throw it away",
                journal_path.display(),
                left.tally.rows
            );
        }
        let differences = left.asked.differences(&self.asked);
        if !differences.is_empty() {
            bail!(
                "--resume: the unfinished run was asked otherwise: {}; ask the same, or begin anew with --overwrite",
                differences.join("; ")
            );
        }
        self.left = Left::GoOn(Box::new(left));
        Ok(None)
    }

    /// The manifest of this very run, if it is finished; none if there was no run.
    fn finished(&self, path: &Path) -> Result<Option<Manifest>> {
        let shards = if self.is_sharded() { shards_of(path) } else { Vec::new() };
        if !path.is_file() && shards.is_empty() {
            return Ok(None);
        }
        let manifest =
            fs::read(Manifest::path(path)).ok().and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
        let is_ours = |done: &Manifest| {
            let inputs = done.inputs.iter().map(|input| input.name.clone()).collect();
            let (model, model_sha256, options) = (done.model.clone(), done.model_sha256.clone(), done.options.clone());
            Asked { model, model_sha256, inputs, options } == self.asked
        };
        match manifest.filter(is_ours) {
            Some(done) => Ok(Some(done)),
            None => bail!(
                "--resume: {} is there, and no unfinished run of it: leave off --resume to write it anew{}",
                path.display(),
                if self.is_sharded() { ", with --overwrite" } else { "" }
            ),
        }
    }
}

/// The file or folder to write, `None` for a stream.
fn output(destination: &Destination, to: To, parting: Parting, files: &[PathBuf]) -> Result<Option<PathBuf>> {
    if to == To::Info {
        return destination.corpus(files).map(|folder| Some(folder.to_owned()));
    }
    if matches!(to, To::Sqlite | To::Convokit) {
        destination.path(to, files)?;
    }
    let Some(path) = destination.path_named().filter(|_| destination.is_regular()) else { return Ok(None) };
    if parting == Parting::Whole {
        return Ok(Some(path.to_owned()));
    }
    let is_folder = path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/');
    let path = if is_folder { path.join(format!("comments.{}", to.ending())) } else { path.to_owned() };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    Ok(Some(path))
}

fn name(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| path.display().to_string())
}
