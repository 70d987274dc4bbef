//! Where records go, and in which format.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::error::Error;
use crate::score::run::outputs::Opened;
use crate::write::{
    CommentWriter, ConvoKit, Csv, Growing, Info, Jsonl, Mark, Output, Packing, Parquet, ScoreWriter, Shape, Sqlite,
};

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// The thread, indented, for reading.
    Tree,
    /// One JSON object a comment.
    Jsonl,
    /// One row a comment.
    Csv,
    /// One row a comment, typed and compressed.
    Parquet,
    /// A database with tables of stories, comments and scores.
    Sqlite,
    /// A ConvoKit corpus: a folder.
    Convokit,
    /// Only scores: `info.LABEL.jsonl` files in the folder of an existing ConvoKit corpus.
    Info,
}

impl To {
    /// True if comments are written with their text whether asked for or not.
    pub fn needs_text(self) -> bool {
        matches!(self, Self::Sqlite | Self::Convokit)
    }

    /// True for formats of lines, which can be packed and gone on with.
    pub fn is_lines(self) -> bool {
        matches!(self, Self::Jsonl | Self::Csv)
    }

    /// The usual ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Tree => "txt",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Sqlite => "sqlite",
            Self::Jsonl | Self::Convokit | Self::Info => "jsonl",
        }
    }
}

/// Where records go, and in which format.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Destination {
    /// Format [default: by the ending of --output, else tree on a terminal and jsonl in a pipe].
    #[arg(long, value_enum)]
    to: Option<To>,
    /// Write to this file (for convokit: folder) instead of standard output; `score` packs lines whose file ends in .gz or .zst.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
}

impl Destination {
    /// The format.
    pub fn format(&self) -> To {
        let unpacked = self.output.as_ref().map(|path| match Packing::of(path) {
            Packing::None => path.clone(),
            Packing::Gzip | Packing::Zstd => path.with_extension(""),
        });
        let extension = unpacked.as_ref().and_then(|path| path.extension()?.to_str()).map(str::to_lowercase);
        let by_name = match extension.as_deref() {
            Some("csv") => Some(To::Csv),
            Some("parquet" | "pq") => Some(To::Parquet),
            Some("sqlite" | "sqlite3" | "db") => Some(To::Sqlite),
            _ => None,
        };
        let to_terminal = self.output.is_none() && io::stdout().is_terminal();
        self.to.or(by_name).unwrap_or(if to_terminal { To::Tree } else { To::Jsonl })
    }

    /// True if a file was named.
    pub fn is_file(&self) -> bool {
        self.output.is_some()
    }

    /// The path that was named.
    pub fn path_named(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// True if the output is a file that can be replaced when another is whole, or does not exist yet: no pipe, terminal or device.
    pub fn is_regular(&self) -> bool {
        self.output.as_ref().is_some_and(|path| path.metadata().map_or(true, |there| there.is_file() || there.is_dir()))
    }

    /// The writer of scored comments into a file of its own: from its start, or behind what an earlier run left.
    ///
    /// # Errors
    /// `Io` if it cannot be created.
    pub fn score_file(
        to: To,
        path: &Path,
        left: Option<&Mark>,
        shape: Shape,
        is_hashed: bool,
    ) -> crate::error::Result<Opened> {
        let whole = |writer: Box<dyn ScoreWriter>| Opened { writer, growing: None };
        match to {
            To::Sqlite => return Ok(whole(Box::new(Sqlite::of_scores(path, shape)?))),
            To::Convokit => return Ok(whole(Box::new(ConvoKit::of_scores(path, shape)?))),
            To::Info => return Ok(whole(Box::new(Info::new(path, shape)?))),
            To::Parquet => return Ok(whole(Box::new(Parquet::of_scores_at(path, shape)?))),
            To::Tree | To::Jsonl | To::Csv => {}
        }
        let growing = match left {
            Some(mark) => Growing::reopen(path, mark)?,
            None => Growing::create(path, is_hashed)?,
        };
        let output = growing.output();
        let writer: Box<dyn ScoreWriter> = match (to, left) {
            // A mark may stand before the header is out.
            (To::Csv, Some(mark)) if mark.bytes > 0 => Box::new(Csv::rest_of_scores(output, shape)),
            (To::Csv, _) => Box::new(Csv::of_scores(output, shape)?),
            _ => Box::new(Jsonl::new(output)),
        };
        Ok(Opened { writer, growing: Some(growing) })
    }

    /// The writer of comments in one of the formats of records.
    pub fn of_comments(&self, to: To, inputs: &[PathBuf]) -> Result<Box<dyn CommentWriter>> {
        if let Some(path) = self.output.as_deref().filter(|path| Packing::of(path) != Packing::None) {
            bail!("{}: comments are not packed here: leave off the last ending", path.display());
        }
        Ok(match to {
            To::Csv => Box::new(Csv::of_comments(self.open(inputs)?)?),
            To::Parquet => Box::new(Parquet::of_comments(self.open_binary(inputs)?)?),
            To::Sqlite => Box::new(Sqlite::of_comments(self.path(to, inputs)?)?),
            To::Convokit => Box::new(ConvoKit::of_comments(self.path(to, inputs)?)?),
            To::Info => bail!("--to info: it holds scores alone, use `polemic score`"),
            To::Tree | To::Jsonl => Box::new(Jsonl::new(self.open(inputs)?)),
        })
    }

    /// The writer of scored comments in one of the formats of records.
    pub fn of_scores(&self, to: To, inputs: &[PathBuf], shape: Shape) -> Result<Box<dyn ScoreWriter>> {
        Ok(match to {
            To::Csv => Box::new(Csv::of_scores(self.open(inputs)?, shape)?),
            To::Parquet => Box::new(Parquet::of_scores(self.open_binary(inputs)?, shape)?),
            To::Sqlite => Box::new(Sqlite::of_scores(self.path(to, inputs)?, shape)?),
            To::Convokit => Box::new(ConvoKit::of_scores(self.path(to, inputs)?, shape)?),
            To::Info => Box::new(Info::new(self.corpus(inputs)?, shape)?),
            To::Tree | To::Jsonl => Box::new(Jsonl::new(self.open(inputs)?)),
        })
    }

    /// The file or folder that a format needs, as it cannot be a stream.
    pub fn path(&self, to: To, inputs: &[PathBuf]) -> Result<&Path> {
        self.check(inputs)?;
        let what = if to == To::Convokit { "a new folder" } else { "a file" };
        self.output.as_deref().with_context(|| format!("name {what} with --output: this format is no stream"))
    }

    /// The corpus that scores are put beside: the one that was named, else the one that is read.
    pub fn corpus<'a>(&'a self, inputs: &'a [PathBuf]) -> Result<&'a Path> {
        match (&self.output, inputs) {
            (Some(folder), _) => Ok(folder),
            (None, [only]) if only.is_dir() => Ok(only),
            _ => bail!("--to info: give one ConvoKit corpus, or name its folder with --output"),
        }
    }

    fn open_binary(&self, inputs: &[PathBuf]) -> Result<Output> {
        if self.output.is_none() && io::stdout().is_terminal() {
            bail!("Parquet is binary: name a file with --output, or pipe it into a program");
        }
        self.open(inputs)
    }

    /// Creates the file, or takes standard output. Refuses to overwrite an input, and to create anything for one that is not there.
    pub fn open(&self, inputs: &[PathBuf]) -> Result<Output> {
        self.check(inputs)?;
        Ok(match &self.output {
            Some(path) => Output {
                name: path.display().to_string(),
                to: Box::new(File::create(path).map_err(|e| Error::io(path, e))?),
            },
            None => Output { name: "standard output".into(), to: Box::new(io::stdout()) },
        })
    }

    /// Refuses to overwrite an input, and to create anything for one that is not there.
    pub fn check(&self, inputs: &[PathBuf]) -> Result<()> {
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
        Ok(())
    }
}
