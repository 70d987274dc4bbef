//! Entries gathered into whole threads, for those who need to see a thread at once: in memory, and through temporary files where a
//! dump is larger.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Result};
use crate::read::entry::{CommentRow, Entry, StoryRow};
use crate::thread::{Repairs, Stated, Story, Thread};

/// Bytes of comments kept in memory.
const IN_MEMORY: usize = 128 << 20;
/// Bytes that a comment takes beside its text.
const PER_COMMENT: usize = 512;
/// Temporary files that a larger dump is divided into by its threads.
const PARTS: usize = 256;

/// Takes entries in the order of the source and gives them back as whole threads.
#[derive(Debug)]
pub struct Gatherer {
    entries: Vec<Entry>,
    bytes: usize,
    most: usize,
    parts: Vec<BufWriter<File>>,
    missing: u64,
}

impl Default for Gatherer {
    fn default() -> Self {
        Self::new(IN_MEMORY)
    }
}

impl Gatherer {
    /// One that keeps about `most` bytes of comments in memory. As long as they suffice, threads come in the order in which they
    /// begin; a larger source goes through temporary files and its threads come in another order, each whole.
    pub fn new(most: usize) -> Self {
        Self { entries: Vec::new(), bytes: 0, most, parts: Vec::new(), missing: 0 }
    }

    /// Takes an entry.
    ///
    /// # Errors
    /// `Io` if a temporary file cannot be written.
    pub fn take(&mut self, entry: Entry) -> Result<()> {
        if let Entry::Missing(n) = entry {
            self.missing += n;
        }
        let Some(size) = size(&entry) else { return Ok(()) };
        self.bytes += size;
        self.entries.push(entry);
        if self.bytes > self.most { self.spill().map_err(temporary) } else { Ok(()) }
    }

    /// Hands every thread to `each`, with what had to be mended to make it.
    ///
    /// # Errors
    /// `Io` if a temporary file cannot be used, and what `each` returns.
    pub fn finish(mut self, each: &mut dyn FnMut(Thread, Repairs) -> Result<()>) -> Result<Repairs> {
        let missing = Repairs { missing_comments: self.missing, ..Repairs::default() };
        if self.parts.is_empty() {
            gather(std::mem::take(&mut self.entries), each)?;
            return Ok(missing);
        }
        self.spill().map_err(temporary)?;
        let most = self.most;
        for part in self.parts {
            let mut file = part.into_inner().map_err(|e| temporary(e.into_error()))?;
            file.rewind().map_err(temporary)?;
            read_part(BufReader::new(file), most, each)?;
        }
        Ok(missing)
    }

    /// Moves all entries to the file of their thread.
    fn spill(&mut self) -> io::Result<()> {
        while self.parts.len() < PARTS {
            self.parts.push(BufWriter::new(tempfile::tempfile()?));
        }
        for entry in self.entries.drain(..) {
            let id = thread_id(&entry).unwrap_or_default();
            let part = (xxh3_64(id.as_bytes()) % PARTS as u64) as usize;
            let Some(file) = self.parts.get_mut(part) else { continue };
            serde_json::to_writer(&mut *file, &entry)?;
            file.write_all(b"\n")?;
        }
        self.bytes = 0;
        Ok(())
    }
}

/// Reads the threads of one temporary file. One that is too large even so is read in pieces: where a piece ends, a thread may be
/// cut, and replies across the cut are reported as repairs.
fn read_part(file: BufReader<File>, most: usize, each: &mut dyn FnMut(Thread, Repairs) -> Result<()>) -> Result<()> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for line in file.lines() {
        let entry: Entry = serde_json::from_str(&line.map_err(temporary)?).map_err(|e| temporary(e.into()))?;
        bytes += size(&entry).unwrap_or_default();
        entries.push(entry);
        if bytes > most.saturating_mul(2) {
            gather(std::mem::take(&mut entries), each)?;
            bytes = 0;
        }
    }
    gather(entries, each)
}

/// Bytes that an entry takes; `None` for one that belongs to no thread.
fn size(entry: &Entry) -> Option<usize> {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    match entry {
        Entry::Story(row) => {
            Some(PER_COMMENT + length(&row.story.title) + length(&row.story.url) + length(&row.story.body))
        }
        Entry::Comment(row) => Some(PER_COMMENT + row.stated.comment.text.len() + length(&row.parent_text)),
        Entry::Pingback | Entry::Missing(_) => None,
    }
}

fn thread_id(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Story(row) => row.thread_id.as_deref(),
        Entry::Comment(row) => row.thread_id.as_deref(),
        Entry::Pingback | Entry::Missing(_) => None,
    }
}

fn temporary(cause: io::Error) -> Error {
    Error::io(Path::new("a temporary file (for a dump larger than the memory)"), cause)
}

/// The threads of `entries`, in the order in which they begin. Parents may stand after their replies, stories after their comments.
fn gather(entries: Vec<Entry>, each: &mut dyn FnMut(Thread, Repairs) -> Result<()>) -> Result<()> {
    let mut places: HashMap<Option<String>, usize> = HashMap::new();
    let mut threads: Vec<(Option<String>, Story, Vec<Stated>)> = Vec::new();
    for entry in entries {
        let id = thread_id(&entry).map(str::to_owned);
        let place = *places.entry(id.clone()).or_insert_with(|| {
            threads.push((id, Story::default(), Vec::new()));
            threads.len() - 1
        });
        let Some((_, story, stated)) = threads.get_mut(place) else { continue };
        match entry {
            Entry::Story(StoryRow { story: stated_story, .. }) => merge(story, stated_story),
            Entry::Comment(row) => {
                let CommentRow { stated: mut comment, title, url, parent_text, target, .. } = *row;
                merge(story, Story { title, url, body: None });
                comment.comment.parent_text = parent_text;
                comment.comment.target = target;
                stated.push(comment);
            }
            Entry::Pingback | Entry::Missing(_) => {}
        }
    }
    for (id, story, stated) in threads {
        let (mut thread, repairs) = Thread::build(stated);
        thread.id = id;
        thread.story = story;
        each(thread, repairs)?;
    }
    Ok(())
}

/// Fills in what a story does not know yet.
fn merge(story: &mut Story, more: Story) {
    story.title = story.title.take().or(more.title);
    story.url = story.url.take().or(more.url);
    story.body = story.body.take().or(more.body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::Comment;

    fn entry(thread: usize, id: usize, parent: Option<usize>) -> Entry {
        let comment = Comment { id: id.to_string(), text: format!("text {id} of {thread}"), ..Comment::default() };
        let stated = Stated { comment, parent_id: parent.map(|p| p.to_string()) };
        CommentRow { stated, thread_id: Some(format!("t{thread}")), ..CommentRow::default() }.into()
    }

    fn threads(most: usize) -> Vec<Thread> {
        let mut gatherer = Gatherer::new(most);
        // Threads that interleave, with every parent after its replies.
        for id in (0..400).rev() {
            gatherer.take(entry(id % 7, id, (id >= 7).then(|| id - 7))).unwrap();
        }
        let mut all = Vec::new();
        gatherer
            .finish(&mut |thread, repairs| {
                assert!(repairs.is_empty());
                all.push(thread);
                Ok(())
            })
            .unwrap();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    #[test]
    fn a_dump_larger_than_the_memory_gives_the_same_threads() {
        let in_memory = threads(usize::MAX);
        assert_eq!(in_memory.len(), 7);
        assert_eq!(in_memory[0].comments.last().map(|c| c.depth), Some(57));
        assert_eq!(threads(20_000), in_memory);
    }

    #[test]
    fn a_thread_larger_than_the_memory_is_cut_and_reported() {
        let mut gatherer = Gatherer::new(20_000);
        for id in 0..400_usize {
            gatherer.take(entry(0, id, id.checked_sub(1))).unwrap();
        }
        let (mut comments, mut missing) = (0, 0);
        let count = &mut |thread: Thread, repairs: Repairs| {
            comments += thread.comments.len();
            missing += repairs.missing_parents.len();
            Ok(())
        };
        gatherer.finish(count).unwrap();
        assert_eq!(comments, 400);
        assert!(missing > 0);
    }
}
