//! The formats that are read, behind one trait, and how the right one is found.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::read::bytes::Source;
use crate::read::entry::Reader;
use crate::read::formats::FORMATS;
use crate::read::json;
use crate::read::rows::{Options, RowReader};
use crate::read::unpack::{Compression, unpack};

/// A format of comment dumps. Each has a file under `read/formats/` and a line in [`FORMATS`]; docs/formats.md shows how to add one.
pub trait Format: Sync {
    /// Its name for `--format` and `inspect`: lower case, words joined by `-`.
    fn name(&self) -> &'static str;

    /// One line for help: what writes it.
    fn about(&self) -> &'static str;

    /// What is taken for what, for people: pairs of role and where the format has it. Empty for tables, whose columns say it.
    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// True if the start of an input is written in this format. Formats are asked in the order of [`FORMATS`].
    fn recognises(&self, head: &Head<'_>) -> bool;

    /// Opens an input of this format.
    ///
    /// # Errors
    /// `Input` if it cannot be used at all, `Io` if it cannot be read.
    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>>;

    /// The rows of a table of any columns, for labelled data; `None` for formats that state comments alone.
    fn table(&self) -> Option<OpenTable> {
        None
    }
}

/// Opens the rows of a table.
pub type OpenTable = fn(Opened, &Options) -> Result<Box<dyn RowReader>>;

/// An input before its format is known.
pub struct Opened {
    /// The path as given, or "standard input".
    pub name: String,
    /// The path, if there is one.
    pub path: Option<PathBuf>,
    /// How it is compressed.
    pub compression: Compression,
    /// What it holds.
    pub content: Content,
}

/// What an input holds.
pub enum Content {
    /// Text, decompressed and decoded.
    Text(Source),
    /// A file of a binary format that is read here, decompressed.
    Binary(File),
    /// A folder.
    Folder(PathBuf),
}

/// First bytes of a Parquet file.
const PARQUET: &[u8] = b"PAR1";

impl Opened {
    /// Opens the file or folder at `path`; standard input if there is none or it is `-`.
    ///
    /// # Errors
    /// `Io` if it cannot be opened, `Input` if it is empty or of no use.
    pub fn open(path: Option<&Path>, options: &Options) -> Result<Self> {
        Self::open_through(path, options, |input| input)
    }

    /// As [`Opened::open`], reading streams through what `through` makes of them. Folders and Parquet files are no streams.
    ///
    /// # Errors
    /// As [`Opened::open`].
    pub fn open_through(
        path: Option<&Path>,
        options: &Options,
        through: impl FnOnce(Box<dyn Read + Send>) -> Box<dyn Read + Send>,
    ) -> Result<Self> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Self::from_reader("standard input", through(Box::new(io::stdin())), options);
        };
        let name = path.display().to_string();
        if path.is_dir() {
            let content = Content::Folder(path.to_path_buf());
            return Ok(Self { name, path: Some(path.to_path_buf()), compression: Compression::None, content });
        }
        let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
        if starts_with(&mut file, PARQUET).map_err(|e| Error::io(path, e))? {
            let (path, compression) = (Some(path.to_path_buf()), Compression::None);
            return Ok(Self { name, path, compression, content: Content::Binary(file) });
        }
        Ok(Self { path: Some(path.to_path_buf()), ..Self::from_reader(&name, through(Box::new(file)), options)? })
    }

    /// Takes `input`, which messages call `name`; a name's extension also helps to find the format.
    ///
    /// # Errors
    /// As [`Opened::open`].
    pub fn from_reader(name: &str, input: Box<dyn Read + Send>, options: &Options) -> Result<Self> {
        let unreadable = |e| Error::io(Path::new(name), e);
        let (mut input, compression) = unpack(input, options.limits).map_err(unreadable)?;
        let mut magic = Vec::new();
        (&mut input).take(PARQUET.len() as u64).read_to_end(&mut magic).map_err(unreadable)?;
        let is_parquet = magic == PARQUET;
        let mut whole = Cursor::new(magic).chain(input);
        let content = if is_parquet {
            // Parquet is read from its end.
            let mut file = tempfile::tempfile().map_err(unreadable)?;
            io::copy(&mut whole, &mut file).map_err(unreadable)?;
            Content::Binary(file)
        } else {
            let source = Source::from_reader(name, Box::new(whole))?;
            if source.head().trim().is_empty() {
                return Err(Error::input(name, "empty: nothing to read"));
            }
            Content::Text(source)
        };
        Ok(Self { name: name.to_owned(), path: None, compression, content })
    }

    /// The name of the file without folder and extensions: an id for a source that holds one thread without naming it.
    pub fn stem(&self) -> Option<String> {
        let name = self.path.as_ref()?.file_name()?.to_string_lossy().into_owned();
        let stem = name.split('.').next().filter(|stem| !stem.is_empty());
        stem.map(str::to_owned)
    }

    /// The text of the input.
    ///
    /// # Errors
    /// `Input` if it is no text but was said to be of the text format `format`.
    pub fn text(self, format: &str) -> Result<Source> {
        match self.content {
            Content::Text(source) => Ok(source),
            Content::Binary(_) | Content::Folder(_) => {
                Err(Error::input(&self.name, format!("is no {format}: it is not text")))
            }
        }
    }
}

/// Bytes of the largest page read: what is larger is a dump and no page.
const LARGEST_PAGE: usize = 64 << 20;

/// A page, read whole.
pub struct WholePage {
    /// The name of the input.
    pub name: String,
    /// The name of the file without its folder: an id for the thread of a page that names no address.
    pub file: Option<String>,
    /// Its text.
    pub text: String,
}

impl Opened {
    /// Reads a page whole.
    ///
    /// # Errors
    /// `Input` if it is no text or larger than a page may be, `Io` if it cannot be read.
    pub fn page(self, options: &Options) -> Result<WholePage> {
        let limit = options.max_document.min(LARGEST_PAGE);
        let name = self.name.clone();
        let file = self.path.as_ref().and_then(|path| path.file_name()).map(|file| file.to_string_lossy().into_owned());
        let mut text = String::new();
        let whole = self.text("page")?.into_reader().take(limit as u64 + 1).read_to_string(&mut text);
        whole.map_err(|e| Error::io(Path::new(&name), e))?;
        if text.len() > limit {
            let what =
                format!("a page of more than {limit} bytes: if it is a dump, give its rows as JSON lines or CSV");
            return Err(Error::input(&name, what));
        }
        Ok(WholePage { name, file, text })
    }
}

/// True if a file that can be wound back starts with `magic`; winds it back. What cannot be (a pipe) is not looked at.
fn starts_with(file: &mut File, magic: &[u8]) -> io::Result<bool> {
    if file.stream_position().is_err() {
        return Ok(false);
    }
    let mut start = Vec::new();
    file.take(magic.len() as u64).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start == magic)
}

/// The start of an input, for finding its format.
pub struct Head<'a> {
    /// The name of the input.
    pub name: &'a str,
    /// The first text of the input, about 64 KiB, without a byte order mark or leading white space; empty for binary files and folders.
    pub text: &'a str,
    /// Where the input is JSON: the first line, or the first element of its array, as far as the head shows it. What is cut off reads as
    /// null or is absent.
    pub json: Option<Value>,
    /// True for a Parquet file.
    pub is_parquet: bool,
    /// The folder, if the input is one.
    pub folder: Option<&'a Path>,
}

impl<'a> Head<'a> {
    /// Looks at an input; consumes nothing.
    pub fn of(input: &'a Opened) -> Self {
        let text = match &input.content {
            Content::Text(source) => source.head().trim_start_matches('\u{feff}').trim_start(),
            Content::Binary(_) | Content::Folder(_) => "",
        };
        let folder = match &input.content {
            Content::Folder(path) => Some(path.as_path()),
            _ => None,
        };
        let is_parquet = matches!(input.content, Content::Binary(_));
        Self { name: &input.name, text, json: json::first(text), is_parquet, folder }
    }

    /// True if the first JSON element is an object with all of these keys.
    pub fn has_keys(&self, keys: &[&str]) -> bool {
        self.json.as_ref().is_some_and(|first| keys.iter().all(|key| first.get(key).is_some()))
    }

    /// The extension of the name in lower case without that of a compression: `csv` for `A.CSV.gz`.
    pub fn extension(&self) -> String {
        let name = self.name.to_lowercase();
        let packed = [".gz", ".zst", ".zstd", ".bz2", ".xz"];
        let unpacked = packed.iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
        unpacked.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_owned())
    }
}

/// The format of an input: the one that `options` names, else the first that recognises it.
///
/// # Errors
/// `Settings` for a name that no format has; `Input` if no format recognises the input.
pub fn find(input: &Opened, options: &Options) -> Result<&'static dyn Format> {
    first(input, options, |_| true)?.ok_or_else(|| {
        let what = match &input.content {
            Content::Folder(_) => {
                "a folder, but no ConvoKit corpus (there is no utterances.jsonl in it): name the files in it"
            }
            _ => "no format that is read here: see `polemic score --help` for the list",
        };
        Error::input(&input.name, what)
    })
}

/// How the rows of a table are opened. What also reads as a platform's dump is a table here.
///
/// # Errors
/// As [`find`]; `Input` if the input is no table.
pub fn find_table(input: &Opened, options: &Options) -> Result<OpenTable> {
    let format = first(input, options, |format| format.table().is_some())?;
    format.and_then(Format::table).ok_or_else(|| {
        let what = "no labelled rows: expected JSON lines, CSV, TSV or Parquet with a `text` and labels";
        Error::input(&input.name, what)
    })
}

fn first(
    input: &Opened,
    options: &Options,
    suits: impl Fn(&'static dyn Format) -> bool,
) -> Result<Option<&'static dyn Format>> {
    let mut formats = FORMATS.iter().copied().filter(|format| suits(*format));
    if let Some(wanted) = &options.format {
        let found = formats.find(|format| format.name() == wanted);
        return found.map(Some).ok_or_else(|| {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
            Error::settings(format!("--format {wanted}: no such format here; there are {}", names.join(", ")))
        });
    }
    let head = Head::of(input);
    Ok(formats.find(|format| format.recognises(&head)))
}
