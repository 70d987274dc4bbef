//! Scoring rows as they come, in bounded memory: a chunk at a time, with a bounded store of the comments that later ones may answer.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64;

use super::batch::{Job, Scoring};
use crate::error::Result;
use crate::read::entry::CommentRow;
use crate::thread::Thread;

/// Rows of a chunk.
const ROWS: usize = 4096;
/// Bytes of text in a chunk.
const BYTES: usize = 4 << 20;
/// Bytes of a comment kept for its replies.
const KEPT: usize = 2048;
/// Bytes kept in all.
const STORE: usize = 24 << 20;

/// Scores rows in chunks and remembers what replies may need.
pub struct Stream<'s, S> {
    scorer: &'s S,
    chunk: Vec<CommentRow>,
    bytes: usize,
    seen: FxHashMap<u64, Seen>,
    order: VecDeque<u64>,
    stored: usize,
    /// Every comment is scored by itself.
    is_alone: bool,
    /// Rows at the start that were scored before.
    scored_before: u64,
    /// Rows that went by, those held back not among them.
    pub passed: u64,
    /// Replies whose parent was not at hand; they were scored without it.
    pub missing_parents: u64,
}

/// A comment that went by.
#[derive(Debug, Clone)]
struct Seen {
    text: Box<str>,
    depth: u32,
    /// The comment that opens its thread, where that was known.
    root: Option<u64>,
}

/// Where a row stands in its thread.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    depth: u32,
    /// The comment that opens the thread.
    root: At,
}

/// Where a comment is that a row answers or stands below.
#[derive(Debug, Clone, Copy, Default)]
enum At {
    #[default]
    Nowhere,
    Chunk(usize),
    Store(u64),
}

impl<'s, S: Scoring> Stream<'s, S> {
    /// A stream with nothing in it.
    pub fn new(scorer: &'s S) -> Self {
        Self {
            scorer,
            chunk: Vec::new(),
            bytes: 0,
            seen: FxHashMap::default(),
            order: VecDeque::new(),
            stored: 0,
            is_alone: false,
            scored_before: 0,
            passed: 0,
            missing_parents: 0,
        }
    }

    /// Scores every comment by itself: without its parent, without what opens its thread, and without remembering any. Replies then have
    /// the depth 1.
    #[must_use]
    pub fn alone(self, is_alone: bool) -> Self {
        Self { is_alone, ..self }
    }

    /// Goes on with an input of which the first `rows` rows were scored before: they are only remembered, so that later ones find them.
    /// `rows` must be what [`passed`](Self::passed) was in the run before.
    #[must_use]
    pub fn going_on_after(self, rows: u64) -> Self {
        Self { scored_before: rows, ..self }
    }

    /// True while rows go by that were scored before.
    pub fn is_behind(&self) -> bool {
        self.passed < self.scored_before
    }

    /// True if no row is held back.
    pub fn is_flushed(&self) -> bool {
        self.chunk.is_empty()
    }

    /// Takes a row; once a chunk is full, hands its records to `each` in the order of the rows.
    pub fn push(&mut self, row: CommentRow, each: &mut dyn FnMut(S::Outcome) -> Result<()>) -> Result<()> {
        self.push_with_job(row, &mut |_, record| each(record))
    }

    /// As [`push`](Self::push), with what each record was scored from: its parent's text, too.
    pub fn push_with_job(
        &mut self,
        row: CommentRow,
        each: &mut dyn FnMut(&Job<'_>, S::Outcome) -> Result<()>,
    ) -> Result<()> {
        self.bytes += row.stated.comment.text.len() + row.parent_text.as_ref().map_or(0, String::len);
        self.chunk.push(row);
        if self.chunk.len() >= ROWS || self.bytes >= BYTES { self.flush_with_job(each) } else { Ok(()) }
    }

    /// Scores what is held back.
    pub fn flush(&mut self, each: &mut dyn FnMut(S::Outcome) -> Result<()>) -> Result<()> {
        self.flush_with_job(&mut |_, record| each(record))
    }

    /// As [`flush`](Self::flush), with what each record was scored from.
    pub fn flush_with_job(&mut self, each: &mut dyn FnMut(&Job<'_>, S::Outcome) -> Result<()>) -> Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        self.bytes = 0;
        let is_scored = !self.is_behind();
        self.passed += chunk.len() as u64;
        if self.is_alone {
            return if is_scored { self.score_alone(&chunk, each) } else { Ok(()) };
        }
        let index: FxHashMap<u64, usize> =
            chunk.iter().enumerate().rev().map(|(i, row)| (key(row, &row.stated.comment.id), i)).collect();
        let parents: Vec<At> = chunk.iter().enumerate().map(|(i, row)| self.find(i, row, &index)).collect();
        let stated = |row: &CommentRow| row.stated.parent_id.is_some() && row.parent_text.is_none();
        self.missing_parents +=
            chunk.iter().zip(&parents).filter(|(row, at)| stated(row) && matches!(at, At::Nowhere)).count() as u64;
        let places = self.places(&chunk, &parents);
        if is_scored {
            let jobs: Vec<Job<'_>> = (0..chunk.len()).map(|i| self.job(&chunk, i, &parents, &places)).collect();
            for (job, record) in jobs.iter().zip(self.scorer.score_all(&jobs)) {
                each(job, record)?;
            }
        }
        for (row, place) in chunk.iter().zip(&places) {
            let root = match place.root {
                At::Nowhere => None,
                At::Chunk(root) => Some(key(&chunk[root], &chunk[root].stated.comment.id)),
                At::Store(key) => Some(key),
            };
            self.remember(row, place.depth, root);
        }
        Ok(())
    }

    fn score_alone(
        &self,
        chunk: &[CommentRow],
        each: &mut dyn FnMut(&Job<'_>, S::Outcome) -> Result<()>,
    ) -> Result<()> {
        let jobs: Vec<Job<'_>> =
            chunk.iter().map(|row| Job { depth: u32::from(answers(row)), ..row_alone(row) }).collect();
        jobs.iter().zip(self.scorer.score_all(&jobs)).try_for_each(|(job, record)| each(job, record))
    }

    fn find(&self, i: usize, row: &CommentRow, index: &FxHashMap<u64, usize>) -> At {
        let Some(parent) = &row.stated.parent_id else { return At::Nowhere };
        let key = key(row, parent);
        match index.get(&key) {
            Some(&at) if at != i => At::Chunk(at),
            _ if self.seen.contains_key(&key) => At::Store(key),
            _ => At::Nowhere,
        }
    }

    /// Depths and openings along the chains of parents. A chain that runs in a ring or out of sight begins at depth 0, or at 1 if a
    /// parent is stated by its text; it is then opened by the only row of its thread in the chunk that answers nothing.
    fn places(&self, chunk: &[CommentRow], parents: &[At]) -> Vec<Place> {
        let only = openings(chunk);
        let mut places: Vec<Option<Place>> = vec![None; chunk.len()];
        for start in 0..chunk.len() {
            let mut path = Vec::new();
            let mut on_path = std::collections::HashSet::new();
            let mut at = start;
            let mut place = loop {
                if let Some(known) = &places[at] {
                    break Place { depth: known.depth + 1, root: known.root };
                }
                if !on_path.insert(at) {
                    break Place::default();
                }
                path.push(at);
                match parents[at] {
                    At::Chunk(parent) => at = parent,
                    At::Store(key) => break self.seen.get(&key).map_or_else(Place::default, Seen::below),
                    At::Nowhere if answers(&chunk[at]) => {
                        let thread = chunk[at].thread_id.as_deref();
                        let root = thread.and_then(|thread| only.get(thread).copied().flatten());
                        let depth = u32::from(chunk[at].parent_text.is_some());
                        break Place { depth, root: root.map_or(At::Nowhere, At::Chunk) };
                    }
                    At::Nowhere => break Place { depth: 0, root: At::Chunk(at) },
                }
            };
            for at in path.into_iter().rev() {
                places[at] = Some(place);
                place.depth += 1;
            }
        }
        places.into_iter().map(Option::unwrap_or_default).collect()
    }

    fn job<'a>(&'a self, chunk: &'a [CommentRow], i: usize, parents: &[At], places: &[Place]) -> Job<'a> {
        let row = &chunk[i];
        let text_at = |at: At| match at {
            At::Chunk(at) => Some(chunk[at].stated.comment.text.as_str()),
            At::Store(key) => self.seen.get(&key).map(|seen| &*seen.text),
            At::Nowhere => None,
        };
        Job {
            depth: places[i].depth,
            parent: row.parent_text.as_deref().or(text_at(parents[i])),
            root: text_at(places[i].root),
            ..row_alone(row)
        }
    }

    fn remember(&mut self, row: &CommentRow, depth: u32, root: Option<u64>) {
        let key = key(row, &row.stated.comment.id);
        let text = &row.stated.comment.text;
        let text: Box<str> = text.get(..text.floor_char_boundary(KEPT)).unwrap_or_default().into();
        self.stored += text.len();
        if let Some(old) = self.seen.insert(key, Seen { text, depth, root }) {
            self.stored -= old.text.len();
        } else {
            self.order.push_back(key);
        }
        while self.stored + self.order.len() * 64 > STORE {
            let Some(oldest) = self.order.pop_front() else { break };
            self.stored -= self.seen.remove(&oldest).map_or(0, |seen| seen.text.len());
        }
    }
}

impl Seen {
    /// The place of an answer to it.
    fn below(&self) -> Place {
        Place { depth: self.depth + 1, root: self.root.map_or(At::Nowhere, At::Store) }
    }
}

/// The jobs of a thread's comments, each without what it answers.
pub fn jobs_alone(thread: &Thread) -> Vec<Job<'_>> {
    let jobs = thread.comments.iter().map(|comment| Job {
        parent_id: comment.parent.and_then(|parent| thread.comments.get(parent)).map(|parent| parent.id.as_str()),
        ..Job::alone(comment, thread.id.as_deref())
    });
    jobs.collect()
}

/// The job of a row without what it answers.
fn row_alone(row: &CommentRow) -> Job<'_> {
    Job {
        parent_id: row.stated.parent_id.as_deref(),
        target: row.target.as_deref(),
        ..Job::alone(&row.stated.comment, row.thread_id.as_deref())
    }
}

fn answers(row: &CommentRow) -> bool {
    row.stated.parent_id.is_some() || row.parent_text.is_some()
}

/// By thread the row that answers nothing; `None` where several do.
fn openings(chunk: &[CommentRow]) -> BTreeMap<&str, Option<usize>> {
    let mut only = BTreeMap::new();
    for (i, row) in chunk.iter().enumerate().filter(|(_, row)| !answers(row)) {
        if let Some(thread) = row.thread_id.as_deref() {
            only.entry(thread).and_modify(|one| *one = None).or_insert(Some(i));
        }
    }
    only
}

/// A comment's name within its thread.
fn key(row: &CommentRow, id: &str) -> u64 {
    let thread = row.thread_id.as_deref().unwrap_or_default();
    xxh3_64(thread.as_bytes()).rotate_left(32) ^ xxh3_64(id.as_bytes())
}
