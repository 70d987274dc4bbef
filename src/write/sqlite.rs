//! One `SQLite` file: the tables `stories`, `comments` and, of scored comments, `scores` and `stances` (toward targets, a row each);
//! `polemic` says what wrote it.
//!
//! `n` numbers the comments in their order and joins `comments` with `scores` and `stances`; `thread_id` joins both with `stories`.
//! Where the source has no thread id it is the empty text, since nulls join with nothing. The same id may stand twice.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ToSql, params, params_from_iter};

use super::Shape;
use super::columns::{About, Cell, Column, Kind, Layout, Row, Table};
use super::partial::Partial;
use crate::error::{Error, Result};
use crate::record::{ScoreRecord, StoryRecord, rounded};

/// Version of the tables; also the `user_version` of the file.
const SCHEMA: u32 = 1;

/// A file that is renamed when it is whole needs no journal against power cuts.
pub(super) const SETTINGS: &str =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; BEGIN;";

/// Creates the table of [`Stories`].
pub(super) const STORIES: &str =
    "CREATE TABLE stories (thread_id TEXT NOT NULL PRIMARY KEY, title TEXT, url TEXT) WITHOUT ROWID;";

/// Writes a database.
pub struct Sqlite {
    /// Gone when the file is whole.
    db: Option<Connection>,
    to: Partial,
    path: PathBuf,
    layout: Layout,
    stories: Stories,
    comments: Insert,
    scores: Option<Insert>,
    stances: Stances,
    rows: i64,
}

impl Sqlite {
    /// A database of scored comments with their texts, at `path` once it is whole, in place of a file that is there.
    ///
    /// # Errors
    /// `Io` if it cannot be created.
    pub fn of_scores(path: &Path, shape: Shape) -> Result<Self> {
        Self::new(path, Layout::of_scores(Shape { text: true, ..shape }))
    }

    /// A database of comments, at `path` once it is whole, in place of a file that is there.
    ///
    /// # Errors
    /// `Io` if it cannot be created.
    pub fn of_comments(path: &Path) -> Result<Self> {
        Self::new(path, Layout::of_comments())
    }

    fn new(path: &Path, layout: Layout) -> Result<Self> {
        let to = Partial::file(path).map_err(|e| Error::io(path, e))?;
        let comments = Insert::into("comments", &layout, About::Comment);
        let has_scores = layout.columns.iter().any(|column| column.about == About::Score);
        let scores = has_scores.then(|| Insert::into("scores", &layout, About::Score));
        let db = create(to.path(), &comments, scores.as_ref()).map_err(|e| failed(path, &e))?;
        let stances = Stances::of(&layout.shape.target);
        if scores.is_some() {
            db.execute_batch(&stances.create).map_err(|e| failed(path, &e))?;
        }
        let path = path.to_owned();
        Ok(Self { db: Some(db), to, path, layout, stories: Stories::default(), comments, scores, stances, rows: 0 })
    }
}

impl Table for Sqlite {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn put_story(&mut self, story: &StoryRecord) -> Result<()> {
        let db = self.db.as_ref().ok_or_else(|| finished(&self.path))?;
        let (thread_id, title, url) = (story.thread_id.as_deref(), story.title.as_deref(), story.url.as_deref());
        self.stories.put(db, thread_id, title, url).map_err(|e| failed(&self.path, &e))
    }

    fn put(&mut self, row: &Row<'_>) -> Result<()> {
        let db = self.db.as_ref().ok_or_else(|| finished(&self.path))?;
        self.rows += 1;
        let mut put = || {
            self.stories.put(db, row.thread_id, row.title, row.url)?;
            if let (Some(model), 1) = (row.model, self.rows) {
                db.execute("INSERT INTO polemic VALUES ('model', ?)", [model])?;
            }
            self.comments.run(db, self.rows, row)?;
            self.scores.as_ref().map_or(Ok(()), |scores| scores.run(db, self.rows, row))?;
            row.record.map_or(Ok(()), |record| self.stances.run(db, self.rows, record))
        };
        put().map_err(|e| failed(&self.path, &e))
    }

    fn close(&mut self) -> Result<()> {
        let db = self.db.take().ok_or_else(|| finished(&self.path))?;
        db.execute_batch("CREATE INDEX comments_id ON comments (thread_id, id);")
            .and_then(|()| db.execute_batch("CREATE INDEX comments_parent ON comments (thread_id, parent_id);"))
            .and_then(|()| match &self.scores {
                Some(_) => db.execute_batch("CREATE INDEX scores_id ON scores (thread_id, id);"),
                None => Ok(()),
            })
            .and_then(|()| db.execute_batch("COMMIT"))
            .and_then(|()| db.close().map_err(|(_, e)| e))
            .map_err(|e| failed(&self.path, &e))?;
        self.to.finish().map_err(|e| Error::io(&self.path, e))
    }
}

/// Creates the tables.
fn create(path: &Path, comments: &Insert, scores: Option<&Insert>) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.execute_batch(SETTINGS)?;
    db.pragma_update(None, "user_version", SCHEMA)?;
    db.execute_batch(STORIES)?;
    db.execute_batch("CREATE TABLE polemic (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;")?;
    let versions = params![SCHEMA.to_string(), env!("CARGO_PKG_VERSION")];
    db.execute("INSERT INTO polemic VALUES ('schema', ?), ('version', ?)", versions)?;
    for table in [Some(comments), scores].into_iter().flatten() {
        db.execute_batch(&table.create)?;
    }
    Ok(db)
}

/// A table of cells: how it is created, and how a row gets into it.
struct Insert {
    create: String,
    add: String,
    /// The places of its cells among those of a row.
    cells: Vec<usize>,
}

impl Insert {
    fn into(table: &str, layout: &Layout, about: About) -> Self {
        let wanted = |column: &Column| column.about == About::Key || column.about == about;
        let columns = || layout.columns.iter().enumerate().filter(|(_, column)| wanted(column));
        let definitions: Vec<String> = columns().map(|(_, column)| definition(column)).collect();
        let marks = ", ?".repeat(definitions.len());
        let create = format!("CREATE TABLE {table} (n INTEGER PRIMARY KEY, {});", definitions.join(", "));
        let add = format!("INSERT INTO {table} VALUES (?{marks})");
        Self { create, add, cells: columns().map(|(i, _)| i).collect() }
    }

    fn run(&self, db: &Connection, n: i64, row: &Row<'_>) -> rusqlite::Result<()> {
        // The thread's id is the only one of the keys that may be null.
        let no_thread = Cell::Text("".into());
        let filled = |i: &usize| {
            let cell = row.cells.get(*i).unwrap_or(&Cell::Null);
            if *i == THREAD_ID && *cell == Cell::Null { &no_thread } else { cell }
        };
        let cells = self.cells.iter().map(|i| filled(i) as &dyn ToSql);
        db.prepare_cached(&self.add)?.execute(params_from_iter(std::iter::once(&n as &dyn ToSql).chain(cells)))?;
        Ok(())
    }
}

/// The table of stances toward targets.
struct Stances {
    create: String,
    add: String,
    classes: Vec<String>,
}

impl Stances {
    fn of(classes: &[String]) -> Self {
        let columns = classes.iter().map(|class| format!(", \"p_{}\" REAL", class.replace('"', "\"\"")));
        let create = format!(
            "CREATE TABLE stances (n INTEGER NOT NULL, target TEXT NOT NULL, stance TEXT, reason TEXT, \
             mentions INTEGER NOT NULL{}, PRIMARY KEY (n, target)) WITHOUT ROWID;",
            columns.collect::<String>()
        );
        let add = format!("INSERT OR IGNORE INTO stances VALUES (?, ?, ?, ?, ?{})", ", ?".repeat(classes.len()));
        Self { create, add, classes: classes.to_vec() }
    }

    fn run(&self, db: &Connection, n: i64, record: &ScoreRecord) -> rusqlite::Result<()> {
        for ((target, toward), (_, found)) in record.toward.iter().zip(&record.targets) {
            let p = |class: &String| found.iter().find(|(name, _)| name == class).map(|(_, p)| rounded(*p));
            let p: Vec<Option<f64>> = self.classes.iter().map(p).collect();
            let mentions = toward.mentions.len() as u32;
            let fixed: [&dyn ToSql; 5] = [&n, target, &toward.stance, &toward.reason, &mentions];
            let cells = fixed.into_iter().chain(p.iter().map(|p| p as &dyn ToSql));
            db.prepare_cached(&self.add)?.execute(params_from_iter(cells))?;
        }
        Ok(())
    }
}

/// The place of the thread's id among the columns.
const THREAD_ID: usize = 1;

fn definition(column: &Column) -> String {
    let kind = match column.kind {
        Kind::Text | Kind::Texts => "TEXT",
        Kind::Integer => "INTEGER",
        Kind::Real => "REAL",
    };
    let needed = if column.about == About::Key { " NOT NULL" } else { "" };
    format!("\"{}\" {kind}{needed}", column.name.replace('"', "\"\""))
}

/// The stories of a database that has the table `stories`.
#[derive(Default)]
pub(super) struct Stories {
    /// The last one: most comments follow another of their thread.
    last: Option<[Option<String>; 3]>,
}

impl Stories {
    /// Takes note of a thread and of what is said of its story. What was said first stays.
    pub fn put(
        &mut self,
        db: &Connection,
        thread_id: Option<&str>,
        title: Option<&str>,
        url: Option<&str>,
    ) -> rusqlite::Result<()> {
        let known = |said: Option<&str>, last: &Option<String>| said.is_none() || said == last.as_deref();
        let is_last = |[thread, last_title, last_url]: &[Option<String>; 3]| {
            thread.as_deref() == thread_id && known(title, last_title) && known(url, last_url)
        };
        if self.last.as_ref().is_some_and(is_last) {
            return Ok(());
        }
        let upsert = "INSERT INTO stories VALUES (?, ?, ?) ON CONFLICT (thread_id) \
                      DO UPDATE SET title = COALESCE(title, excluded.title), url = COALESCE(url, excluded.url)";
        db.prepare_cached(upsert)?.execute(params![thread_id.unwrap_or_default(), title, url])?;
        self.last = Some([thread_id, title, url].map(|said| said.map(str::to_owned)));
        Ok(())
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => ToSqlOutput::Owned(Value::Null),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Integer(n) => ToSqlOutput::Owned(Value::Integer(*n)),
            Cell::Real(x) => ToSqlOutput::Owned(Value::Real(*x)),
            Cell::Texts(_) => ToSqlOutput::Owned(Value::Text(self.json().to_string())),
        })
    }
}

/// An error of the database at `path`.
pub(super) fn failed(path: &Path, error: &rusqlite::Error) -> Error {
    Error::io(path, io::Error::other(error.to_string()))
}

/// Something was written after the end.
pub(super) fn finished(path: &Path) -> Error {
    Error::input(path.display(), "it is finished: nothing can be added")
}
