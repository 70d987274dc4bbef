//! Where the records of a run go: one file, or numbered shards of it.
//!
//! By threads every shard grows until the end: a thread is whole in one shard, and the same thread has the same number in the next dump
//! (XXH3-64 of its id modulo the number of shards). By rows a shard is complete before the next begins, so that a killed run has it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::journal::{with_ending, write_json};
use super::meter::sha256;
use crate::error::{Error, Result};
use crate::record::{ScoreRecord, StoryRecord};
use crate::write::{Growing, Mark, ScoreWriter, remove_unless_written};

/// Comments without a thread that follow one another into the same shard.
const TOGETHER: u64 = 4096;

/// Most shards that may grow at the same time.
pub const MOST_SHARDS: u32 = 512;

/// How records are parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// Not at all.
    Whole,
    /// By thread, into so many shards.
    Threads(u32),
    /// In their order, so many rows a shard, and those that are scored together with the last of them.
    Rows(u64),
}

/// What is to be done with the files of an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier<'a> {
    /// Shards are left alone, and are in the way; a whole file is replaced.
    Spare,
    /// Shards are removed.
    Remove,
    /// They are gone on with.
    GoOn(&'a [Kept]),
}

/// A file as journals, indexes and manifests know it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name, without the folder.
    pub name: String,
    /// Records in it.
    pub rows: u64,
    /// The number of its first comment among those of the run, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_row: Option<u64>,
    /// The number of its last comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_row: Option<u64>,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal; of shards alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// True while it grows; only in journals.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

/// A writer, and the file that it writes to if that can be gone on with.
pub struct Opened {
    /// The writer.
    pub writer: Box<dyn ScoreWriter>,
    /// Its file.
    pub growing: Option<Growing>,
}

/// Opens the writer of a file: from its start, or behind what a mark says is there.
pub type Open<'a> = dyn Fn(&Path, Option<&Mark>) -> Result<Opened> + 'a;

/// The files of a run.
pub struct Outputs<'a> {
    open: Box<Open<'a>>,
    /// The path that was named; that of shards is made of it.
    path: PathBuf,
    parting: Parting,
    /// Complete shards.
    complete: Vec<Kept>,
    parts: Vec<Part>,
    /// The story that came last: the shard that is opened next may go on with its thread.
    story: Option<StoryRecord>,
}

struct Part {
    path: PathBuf,
    kept: Kept,
    opened: Opened,
}

impl<'a> Outputs<'a> {
    /// Opens them, and goes on with those that an unfinished run left.
    ///
    /// # Errors
    /// What opening a file gives; `Input` if shards stand there that are not of this run.
    pub fn new(path: &Path, parting: Parting, earlier: Earlier<'_>, open: Box<Open<'a>>) -> Result<Self> {
        let mut outputs =
            Self { open, path: path.to_owned(), parting, complete: Vec::new(), parts: Vec::new(), story: None };
        if let Earlier::GoOn(left) = earlier {
            for (i, kept) in left.iter().enumerate() {
                if kept.unfinished {
                    outputs.add(i, kept.clone(), true)?;
                } else {
                    let path = outputs.path_of(i);
                    Growing::name_whole(&path)?;
                    if path.metadata().map_err(|e| Error::io(&path, e))?.len() != kept.bytes {
                        let what =
                            "is not as the unfinished run left it: start again without --resume, with --overwrite";
                        return Err(Error::input(path.display(), what));
                    }
                    outputs.complete.push(kept.clone());
                }
            }
            return Ok(outputs);
        }
        let others = if parting == Parting::Whole { Vec::new() } else { shards_of(path) };
        if earlier == Earlier::Remove {
            others.iter().try_for_each(|other| remove_unless_written(other))?;
        } else if let Some(other) = others.first() {
            let what =
                "a shard of another run is there: name another output, or remove all of its shards with --overwrite";
            return Err(Error::input(other.display(), what));
        }
        match parting {
            Parting::Whole => outputs.add(0, Kept::default(), false)?,
            Parting::Threads(n) => (0..n as usize).try_for_each(|i| outputs.add(i, Kept::default(), false))?,
            Parting::Rows(_) => {}
        }
        Ok(outputs)
    }

    fn add(&mut self, i: usize, kept: Kept, is_left: bool) -> Result<()> {
        let path = self.path_of(i);
        let mark = is_left.then(|| Mark { bytes: kept.bytes, sha256: kept.sha256.clone() });
        let opened = (self.open)(&path, mark.as_ref())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.parts.push(Part { path, kept: Kept { name, unfinished: true, ..kept }, opened });
        Ok(())
    }

    fn path_of(&self, i: usize) -> PathBuf {
        let (stem, endings) = split(&self.path);
        match self.parting {
            Parting::Whole => self.path.clone(),
            Parting::Threads(n) => self.path.with_file_name(format!("{stem}-{i:05}-of-{n:05}{endings}")),
            Parting::Rows(_) => self.path.with_file_name(format!("{stem}-{i:05}{endings}")),
        }
    }

    /// The file for a comment of this thread, the number `row` of the run.
    fn part(&mut self, thread: Option<&str>, row: u64) -> Result<&mut Part> {
        if self.parts.is_empty() {
            self.add(self.complete.len(), Kept::default(), false)?;
            if let (Some(story), Some(part)) = (&self.story, self.parts.first_mut()) {
                part.opened.writer.story(story)?;
            }
        }
        let i = match self.parting {
            Parting::Threads(n) => shard_of(thread, row, n),
            Parting::Whole | Parting::Rows(_) => 0,
        };
        self.parts.get_mut(i).ok_or_else(|| Error::input(self.path.display(), "this output is finished"))
    }

    /// Takes note of a story. One that was written before is only kept in mind.
    ///
    /// # Errors
    /// `Io` if it cannot be written.
    pub fn story(&mut self, story: &StoryRecord, is_written: bool) -> Result<()> {
        if !is_written && (!self.parts.is_empty() || !matches!(self.parting, Parting::Rows(_))) {
            self.part(story.thread_id.as_deref(), 1)?.opened.writer.story(story)?;
        }
        self.story = Some(story.clone());
        Ok(())
    }

    /// Writes the record of the comment number `row` of the run, from 1.
    ///
    /// # Errors
    /// `Io` if it cannot be written.
    pub fn write(&mut self, record: &ScoreRecord, row: u64) -> Result<()> {
        self.put(record.thread_id.as_deref(), row, |writer| writer.write(record))
    }

    /// Writes the line of the comment number `row` of the run, from 1, which is of the thread `thread_id`.
    ///
    /// # Errors
    /// `Io` if it cannot be written.
    pub fn write_line(&mut self, line: &[u8], thread_id: Option<&str>, row: u64) -> Result<()> {
        self.put(thread_id, row, |writer| writer.write_line(line))
    }

    fn put(
        &mut self,
        thread_id: Option<&str>,
        row: u64,
        write: impl FnOnce(&mut dyn ScoreWriter) -> Result<()>,
    ) -> Result<()> {
        let part = self.part(thread_id, row)?;
        write(&mut *part.opened.writer)?;
        part.kept.rows += 1;
        part.kept.first_row.get_or_insert(row);
        part.kept.last_row = Some(row);
        Ok(())
    }

    /// Hands on what is held back.
    ///
    /// # Errors
    /// `Io` if it cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.parts.iter_mut().try_for_each(|part| part.opened.writer.flush())
    }

    /// True if the shard that is being written has its rows.
    pub fn is_full(&self) -> bool {
        matches!((self.parting, self.parts.first()), (Parting::Rows(most), Some(part)) if part.kept.rows >= most)
    }

    /// True if a later run can go on where a mark was set.
    pub fn can_be_marked(&self) -> bool {
        self.parts.iter().all(|part| part.opened.growing.is_some())
    }

    /// True if the bytes depend on where marks are set.
    pub fn depends_on_marks(&self) -> bool {
        self.parts.iter().any(|part| part.opened.growing.as_ref().is_some_and(Growing::is_packed))
    }

    /// Makes sure that all that was written is on the disk, and says what that is.
    ///
    /// # Errors
    /// `Io` if that fails.
    pub fn mark(&mut self) -> Result<Vec<Kept>> {
        for part in &mut self.parts {
            part.opened.writer.flush()?;
            if let Some(growing) = &part.opened.growing {
                let Mark { bytes, sha256 } = growing.mark()?;
                part.kept = Kept { bytes, sha256, ..part.kept.clone() };
            }
        }
        Ok(self.complete.iter().chain(self.parts.iter().map(|part| &part.kept)).cloned().collect())
    }

    /// Completes the files that are being written, and says what there is. They have their names once [`name`](Self::name) was called: a
    /// journal comes first, so that nobody takes a file for complete that this run does not know as such.
    ///
    /// # Errors
    /// `Io` if that fails.
    pub fn complete(&mut self) -> Result<Vec<Kept>> {
        if self.parts.is_empty() && self.complete.is_empty() {
            self.part(None, 1)?;
        }
        for part in &mut self.parts {
            part.opened.writer.finish()?;
            let Mark { bytes, sha256: hash } = match &part.opened.growing {
                Some(growing) => growing.mark()?,
                None if self.parting == Parting::Whole => {
                    let file = part.path.metadata().ok().filter(fs::Metadata::is_file);
                    Mark { bytes: file.map_or(0, |file| file.len()), sha256: None }
                }
                None => Mark {
                    bytes: part.path.metadata().map_err(|e| Error::io(&part.path, e))?.len(),
                    sha256: Some(sha256(&part.path)?),
                },
            };
            part.kept = Kept { bytes, sha256: hash, unfinished: false, ..part.kept.clone() };
        }
        Ok(self.complete.iter().chain(self.parts.iter().map(|part| &part.kept)).cloned().collect())
    }

    /// Gives completed files their names.
    ///
    /// # Errors
    /// `Io` if that fails.
    pub fn name(&mut self) -> Result<()> {
        for part in self.parts.drain(..) {
            part.opened.growing.map_or(Ok(()), |growing| growing.name())?;
            self.complete.push(part.kept);
        }
        Ok(())
    }

    /// Writes the index of shards.
    ///
    /// # Errors
    /// `Io` if that fails.
    pub fn write_index(&self) -> Result<()> {
        let parted_by = match self.parting {
            Parting::Whole => return Ok(()),
            Parting::Threads(_) => "thread",
            Parting::Rows(_) => "rows",
        };
        let shards = self.complete.iter().enumerate().map(|(shard, file)| Shard { shard, file: file.clone() });
        let index = Index { index: 1, parted_by: parted_by.to_owned(), shards: shards.collect() };
        write_json(&with_ending(&self.path, ".shards.json"), &index)
    }
}

/// The index of shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Version of the index.
    pub index: u32,
    /// `thread` or `rows`.
    pub parted_by: String,
    /// The shards by their number.
    pub shards: Vec<Shard>,
}

/// A shard in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its number, from 0.
    pub shard: usize,
    /// Its file.
    #[serde(flatten)]
    pub file: Kept,
}

/// The shard of a thread; comments without one go into the shards by turns.
fn shard_of(thread: Option<&str>, row: u64, shards: u32) -> usize {
    let number = thread.map_or(row.saturating_sub(1) / TOGETHER, |thread| xxh3_64(thread.as_bytes()));
    (number % u64::from(shards.max(1))) as usize
}

/// A file's name up to its endings, and these.
fn split(path: &Path) -> (String, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A dot in front hides a file and begins no ending.
    let start = usize::from(name.starts_with('.'));
    let at = name.get(start..).and_then(|rest| rest.find('.')).map_or(name.len(), |at| at + start);
    let (stem, endings) = name.split_at(at);
    (stem.to_owned(), endings.to_owned())
}

/// Shards that stand beside `path`, of whatever run.
pub fn shards_of(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (stem, endings) = split(path);
    let is_shard = |name: &str| {
        let name = name.strip_suffix(".partial").unwrap_or(name);
        let number = name.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(&endings));
        let digits = |text: &str| text.len() >= 5 && text.bytes().all(|b| b.is_ascii_digit());
        number.and_then(|number| number.strip_prefix('-')).is_some_and(|number| match number.split_once("-of-") {
            Some((number, of)) => digits(number) && digits(of),
            None => digits(number),
        })
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.filter(|entry| entry.file_name().to_str().is_some_and(is_shard)).map(|entry| entry.path()).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stays_in_one_shard_and_all_shards_are_used() {
        let mut used = [0; 8];
        for thread in 0..800 {
            let name = format!("t3_{thread}");
            let shard = shard_of(Some(&name), 1, 8);
            assert_eq!(shard, shard_of(Some(&name), 70_000, 8));
            used[shard] += 1;
        }
        assert!(used.iter().all(|n| (60..140).contains(n)), "{used:?}");
        assert_eq!([1, 4096, 4097, 8 * 4096 + 1].map(|row| shard_of(None, row, 8)), [0, 0, 1, 0]);
    }

    #[test]
    fn shards_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let there = [
            "c-00000-of-00008.jsonl.gz",
            "c-00001.jsonl.gz",
            "c-00002.jsonl.gz.partial",
            "c-x.jsonl.gz",
            "c-00000.csv",
            "d-00000.jsonl.gz",
            "c-001.jsonl.gz",
            "c.jsonl.gz",
        ];
        for name in there {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = shards_of(&folder.path().join("c.jsonl.gz"));
        assert_eq!(found, there[..3].iter().map(|name| folder.path().join(name)).collect::<Vec<_>>());
    }
}
