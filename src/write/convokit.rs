//! A `ConvoKit` corpus: a folder with an utterance for each comment and a conversation for each root.
//!
//! `ConvoKit` wants a conversation to be called as its only root, and utterances to be called differently in the whole
//! corpus. So every root opens a conversation, whatever its thread, and an id that stands twice gets its thread's id
//! put before it. What this changes is kept in the meta fields `thread_id`, `id` and `parent_id`. Rows may come in any
//! order: they wait in a database, not in memory, until all are there.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value, json};

use super::Shape;
use super::ascii;
use super::columns::{Cell, Column, Kind, Layout, Row, Table};
use super::partial::Partial;
use super::sqlite::{SETTINGS, STORIES, Stories, failed, finished};
use crate::error::{Error, Result};
use crate::read::time::{self, Zone};
use crate::record::StoryRecord;

/// The speaker of comments without an author: utterances must have one.
pub(crate) const UNKNOWN: &str = "[unknown]";

/// The field of `corpus.json` by which a corpus of ours is known.
pub(crate) const MARK: &str = "polemic";

const SPOOL: &str = "spool.sqlite";

const FILES: &[&str] = &["utterances.jsonl", "speakers.json", "conversations.json", "corpus.json", "index.json", SPOOL];

/// Columns that are no meta fields: utterances have them by another name, or their conversation has.
const ELSEWHERE: [&str; 8] = ["id", "parent_id", "depth", "author", "created", "title", "url", "text"];

/// `key` is a comment's id as an utterance; `up` and `root` are the `n` of other comments. What is long stands apart,
/// so that finding these does not copy it.
const TABLES: &str = "
    CREATE TABLE nodes (
        n INTEGER PRIMARY KEY, thread TEXT NOT NULL, id TEXT NOT NULL, parent TEXT, key TEXT, up INTEGER, root INTEGER);
    CREATE TABLE contents (
        n INTEGER PRIMARY KEY, speaker TEXT NOT NULL, created TEXT, text TEXT NOT NULL, meta TEXT NOT NULL);";

/// Who answers whom, and the ids that are the first of their kind.
const LINK: &str = "
    CREATE INDEX nodes_id ON nodes (id);
    CREATE INDEX nodes_thread ON nodes (thread, id);
    UPDATE nodes SET key = id WHERE n = (SELECT MIN(n) FROM nodes AS same WHERE same.id = nodes.id);
    UPDATE nodes SET up = (
        SELECT n FROM nodes AS p WHERE p.thread = nodes.thread AND p.id = nodes.parent ORDER BY n LIMIT 1)
        WHERE parent IS NOT NULL AND parent <> id;
    CREATE UNIQUE INDEX nodes_key ON nodes (key);
    CREATE INDEX nodes_up ON nodes (up);";

/// What hangs below the roots.
const TREES: &str = "
    WITH RECURSIVE tree (n, root) AS (
        SELECT n, n FROM nodes WHERE up IS NULL
        UNION ALL SELECT nodes.n, tree.root FROM tree JOIN nodes ON nodes.up = tree.n)
    UPDATE nodes SET root = tree.root FROM tree WHERE tree.n = nodes.n;
    CREATE INDEX nodes_ring ON nodes (n) WHERE root IS NULL;";

/// What hangs below a new root.
const TREE: &str = "
    WITH RECURSIVE tree (n) AS (SELECT ?1 UNION ALL SELECT nodes.n FROM tree JOIN nodes ON nodes.up = tree.n)
    UPDATE nodes SET root = ?1 WHERE n IN tree";

const UTTERANCES: &str = "
    SELECT nodes.key, conversation.key, parent.key, nodes.id, nodes.parent, speaker, created, text, meta
    FROM nodes JOIN contents ON contents.n = nodes.n JOIN nodes AS conversation ON conversation.n = nodes.root
    LEFT JOIN nodes AS parent ON parent.n = nodes.up ORDER BY nodes.n";

const SPEAKERS: &str = "SELECT speaker FROM contents GROUP BY speaker";

const CONVERSATIONS: &str = "
    SELECT key, thread, title, url FROM nodes JOIN stories ON stories.thread_id = nodes.thread
    WHERE up IS NULL ORDER BY n";

/// Writes a corpus.
pub struct ConvoKit {
    /// Gone when the corpus is whole.
    spool: Option<Connection>,
    to: Partial,
    folder: PathBuf,
    layout: Layout,
    stories: Stories,
    model: Option<String>,
    rows: i64,
}

impl ConvoKit {
    /// A corpus of scored comments, at `folder` once it is whole. The scores are meta fields, called as columns of
    /// tables are.
    ///
    /// # Errors
    /// `Io` if there is something in `folder` already, or if it cannot be created.
    pub fn of_scores(folder: &Path, shape: Shape) -> Result<Self> {
        Self::new(folder, Layout::of_scores(Shape { text: true, ..shape }))
    }

    /// A corpus of comments, at `folder` once it is whole.
    ///
    /// # Errors
    /// `Io` if there is something in `folder` already, or if it cannot be created.
    pub fn of_comments(folder: &Path) -> Result<Self> {
        Self::new(folder, Layout::of_comments())
    }

    fn new(folder: &Path, layout: Layout) -> Result<Self> {
        let to = Partial::folder(folder, FILES).map_err(|e| Error::io(folder, e))?;
        let spool = open(&to.path().join(SPOOL)).map_err(|e| failed(folder, &e))?;
        let folder = folder.to_owned();
        Ok(Self { to, folder, spool: Some(spool), layout, stories: Stories::default(), model: None, rows: 0 })
    }
}

impl Table for ConvoKit {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn put_story(&mut self, story: &StoryRecord) -> Result<()> {
        let (thread_id, title, url) = (story.thread_id.as_deref(), story.title.as_deref(), story.url.as_deref());
        let spool = self.spool.as_ref().ok_or_else(|| finished(&self.folder))?;
        self.stories.put(spool, thread_id, title, url).map_err(|e| failed(&self.folder, &e))
    }

    fn put(&mut self, row: &Row<'_>) -> Result<()> {
        let spool = self.spool.as_ref().ok_or_else(|| finished(&self.folder))?;
        self.model = self.model.take().or_else(|| row.model.map(str::to_owned));
        let speaker = row.author.filter(|author| !author.trim().is_empty()).unwrap_or(UNKNOWN);
        let meta = Value::Object(meta(&self.layout.columns, row)).to_string();
        let (thread, text) = (row.thread_id.unwrap_or_default(), row.text.unwrap_or_default());
        self.rows += 1;
        let mut put = || {
            self.stories.put(spool, row.thread_id, row.title, row.url)?;
            let node = "INSERT INTO nodes (n, thread, id, parent) VALUES (?, ?, ?, ?)";
            spool.prepare_cached(node)?.execute(params![self.rows, thread, row.id, row.parent_id])?;
            let contents = "INSERT INTO contents VALUES (?, ?, ?, ?, ?)";
            spool.prepare_cached(contents)?.execute(params![self.rows, speaker, row.created, text, meta])
        };
        put().map_err(|e| failed(&self.folder, &e))?;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let spool = self.spool.take().ok_or_else(|| finished(&self.folder))?;
        link(&spool).map_err(|e| failed(&self.folder, &e))?;
        self.write_files(&spool)?;
        spool.close().map_err(|(_, e)| failed(&self.folder, &e))?;
        fs::remove_file(self.to.path().join(SPOOL))
            .and_then(|()| self.to.finish())
            .map_err(|e| Error::io(&self.folder, e))
    }
}

impl ConvoKit {
    fn write_files(&self, spool: &Connection) -> Result<()> {
        self.write_lines(spool)?;
        self.write_map("speakers.json", spool, SPEAKERS, |_| Ok(Map::new()))?;
        self.write_map("conversations.json", spool, CONVERSATIONS, |row| {
            let thread: String = row.get(1)?;
            let mut meta = Map::new();
            meta.insert("thread_id".into(), some(thread));
            for (i, name) in [(2, "title"), (3, "url")] {
                meta.extend(row.get::<_, Option<String>>(i)?.map(|said| (name.to_owned(), Value::from(said))));
            }
            Ok(meta)
        })?;
        let about = json!({"version": env!("CARGO_PKG_VERSION"), "model": self.model});
        self.write_file("corpus.json", &json!({(MARK): about}))?;
        self.write_file("index.json", &index(&self.layout.columns))
    }

    fn create(&self, name: &str) -> Result<BufWriter<File>> {
        let path = self.to.path().join(name);
        File::create(&path).map(BufWriter::new).map_err(|e| Error::io(&path, e))
    }

    fn write_file(&self, name: &str, value: &Value) -> Result<()> {
        let mut to = self.create(name)?;
        ascii::write(&mut to, value).and_then(|()| to.flush()).map_err(|e| self.unwritten(name, e))
    }

    fn unwritten(&self, name: &str, error: io::Error) -> Error {
        Error::io(&self.folder.join(name), error)
    }

    fn write_lines(&self, spool: &Connection) -> Result<()> {
        const NAME: &str = "utterances.jsonl";
        let unread = |e: rusqlite::Error| failed(&self.folder, &e);
        let mut to = self.create(NAME)?;
        let mut select = spool.prepare(UTTERANCES).map_err(unread)?;
        let mut rows = select.query([]).map_err(unread)?;
        while let Some(row) = rows.next().map_err(unread)? {
            let utterance = utterance(row).map_err(unread)?;
            ascii::write(&mut to, &utterance)
                .and_then(|()| to.write_all(b"\n"))
                .map_err(|e| self.unwritten(NAME, e))?;
        }
        to.flush().map_err(|e| self.unwritten(NAME, e))
    }

    /// Writes an object of those that `sql` finds, called as its first column says.
    fn write_map(
        &self,
        name: &str,
        spool: &Connection,
        sql: &str,
        meta: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<Map<String, Value>>,
    ) -> Result<()> {
        let unread = |e: rusqlite::Error| failed(&self.folder, &e);
        let mut to = self.create(name)?;
        let mut select = spool.prepare(sql).map_err(unread)?;
        let mut rows = select.query([]).map_err(unread)?;
        let mut before: &[u8] = b"{";
        while let Some(row) = rows.next().map_err(unread)? {
            let id: String = row.get(0).map_err(unread)?;
            let value = json!({"meta": meta(row).map_err(unread)?, "vectors": []});
            to.write_all(before)
                .and_then(|()| ascii::write(&mut to, &id))
                .and_then(|()| to.write_all(b": "))
                .and_then(|()| ascii::write(&mut to, &value))
                .map_err(|e| self.unwritten(name, e))?;
            before = b",\n";
        }
        let end: &[u8] = if before == b"{" { b"{}" } else { b"}" };
        to.write_all(end).and_then(|()| to.flush()).map_err(|e| self.unwritten(name, e))
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let spool = Connection::open(path)?;
    spool.execute_batch(SETTINGS)?;
    spool.execute_batch(STORIES)?;
    spool.execute_batch(TABLES)?;
    Ok(spool)
}

/// Finds parents and roots, and a key for every comment.
fn link(spool: &Connection) -> rusqlite::Result<()> {
    spool.execute_batch(LINK)?;
    name_repeated(spool)?;
    spool.execute_batch(TREES)?;
    // What has no root yet hangs in a ring or below one.
    while let Some(start) = first(spool, "SELECT n FROM nodes WHERE root IS NULL ORDER BY n LIMIT 1", None)? {
        cut_ring(spool, start)?;
    }
    Ok(())
}

/// Names the comments whose id others have, too: their thread's id comes first, and their number last where that is not
/// enough.
fn name_repeated(spool: &Connection) -> rusqlite::Result<()> {
    const SOME: &str = "SELECT n, thread, id FROM nodes WHERE key IS NULL AND n > ? ORDER BY n LIMIT 1000";
    let mut last = 0;
    loop {
        let mut select = spool.prepare_cached(SOME)?;
        let some = select.query_map([last], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))?;
        let some: VecDeque<(i64, String, String)> = some.collect::<rusqlite::Result<_>>()?;
        let Some((end, ..)) = some.back() else { return Ok(()) };
        last = *end;
        for (n, thread, id) in some {
            let plain = if thread.is_empty() { format!("{id}~{n}") } else { format!("{thread}/{id}") };
            let mut name = plain.clone();
            let mut take = spool.prepare_cached("UPDATE OR IGNORE nodes SET key = ? WHERE n = ?")?;
            for times in n.. {
                if take.execute(params![name, n])? > 0 {
                    break;
                }
                name = format!("{plain}~{times}");
            }
        }
    }
}

/// Makes a root of the comment at which the ring above `start` closes.
fn cut_ring(spool: &Connection, start: i64) -> rusqlite::Result<()> {
    let mut seen = HashSet::new();
    let mut at = start;
    while seen.insert(at) {
        match first(spool, "SELECT up FROM nodes WHERE n = ?", Some(at))? {
            Some(up) => at = up,
            None => break,
        }
    }
    spool.prepare_cached("UPDATE nodes SET up = NULL WHERE n = ?")?.execute([at])?;
    spool.prepare_cached(TREE)?.execute([at])?;
    Ok(())
}

/// The first number that `sql` finds, given a number or none.
fn first(spool: &Connection, sql: &str, given: Option<i64>) -> rusqlite::Result<Option<i64>> {
    let mut select = spool.prepare_cached(sql)?;
    Ok(select.query_row(rusqlite::params_from_iter(given), |row| row.get(0)).optional()?.flatten())
}

/// What an utterance has beside its own fields. Labels without a score stay as nulls; other nulls say nothing.
fn meta(columns: &[Column], row: &Row<'_>) -> Map<String, Value> {
    let is_meta = |column: &Column| !ELSEWHERE.contains(&column.name.as_str());
    let says = |column: &Column, cell: &Cell<'_>| {
        *cell != Cell::Null || column.kind == Kind::Real || column.name == "thread_id"
    };
    let cells = columns.iter().zip(&row.cells).filter(|(column, cell)| is_meta(column) && says(column, cell));
    cells.map(|(column, cell)| (column.name.clone(), cell.json())).collect()
}

/// The utterance of a row of [`UTTERANCES`].
fn utterance(row: &rusqlite::Row<'_>) -> rusqlite::Result<Value> {
    let (key, conversation, up): (String, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (id, parent): (String, Option<String>) = (row.get(3)?, row.get(4)?);
    let (speaker, created, text): (String, Option<String>, String) = (row.get(5)?, row.get(6)?, row.get(7)?);
    let meta: String = row.get(8)?;
    let mut meta: Map<String, Value> = serde_json::from_str(&meta).unwrap_or_default();
    if id != key {
        meta.insert("id".into(), id.into());
    }
    if let (None, Some(parent)) = (&up, parent) {
        meta.insert("parent_id".into(), parent.into());
    }
    let timestamp = created.as_deref().and_then(seconds);
    if let Some(created) = created.filter(|created| timestamp.is_none_or(|at| said(at) != *created)) {
        meta.insert("created".into(), created.into());
    }
    Ok(json!({
        "id": key, "conversation_id": conversation, "text": text, "speaker": speaker, "meta": meta,
        "reply-to": up, "timestamp": timestamp, "vectors": [],
    }))
}

/// A time in seconds since 1970, if it says an instant.
fn seconds(created: &str) -> Option<i64> {
    created.parse().ok().map(Timestamp::as_second)
}

/// What our reader makes of a timestamp.
fn said(timestamp: i64) -> String {
    time::rfc3339(&timestamp.to_string(), Zone::Unknown)
}

/// Null for a blank.
fn some(text: String) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

/// The meta fields that there can be, and their types in Python.
fn index(columns: &[Column]) -> Value {
    let class = |name: &str| json!([format!("<class '{name}'>")]);
    let mut utterances = Map::new();
    for column in columns.iter().filter(|column| !ELSEWHERE.contains(&column.name.as_str())) {
        let kind = match column.kind {
            Kind::Text => "str",
            Kind::Integer => "int",
            Kind::Real => "float",
            Kind::Texts => "list",
        };
        utterances.insert(column.name.clone(), class(kind));
    }
    utterances.extend(["id", "parent_id", "created"].map(|name| (name.to_owned(), class("str"))));
    let conversations: Map<String, Value> =
        ["thread_id", "title", "url"].map(|name| (name.to_owned(), class("str"))).into_iter().collect();
    json!({
        "utterances-index": utterances, "speakers-index": {}, "conversations-index": conversations,
        "overall-index": {(MARK): class("dict")}, "version": 1, "vectors": [],
    })
}
