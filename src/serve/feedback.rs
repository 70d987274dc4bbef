//! Feedback: what moderators decided, kept in an SQLite file of which nothing that was acknowledged is ever lost.
//!
//! One thread writes. Events that come while it waits for the disk share its next commit, so that many acknowledgements cost one.

pub mod export;

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, params};
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// The newest format of the file that this program reads and the one it writes.
const SCHEMA: i32 = 1;
/// Tells our files from other people's (`PRAGMA application_id`): "plmc".
const APPLICATION: i32 = 0x706c_6d63;
/// Events that wait for the writer; beyond these the client is asked to come again.
const QUEUE: usize = 4096;
/// Most events of one commit.
const TOGETHER: usize = 1024;
/// How long to wait for another process that writes to the file.
const BUSY: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TABLE event (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  received     TEXT NOT NULL,                -- RFC 3339, UTC
  face         TEXT NOT NULL,                -- perspective, akismet, v1
  site         TEXT,
  client_token TEXT,                         -- the client's name of the comment
  thread_id    TEXT,
  parent_id    TEXT,
  text         TEXT NOT NULL,
  parent_text  TEXT,
  labels       TEXT NOT NULL,                -- JSON: label and value 0..1
  language     TEXT,
  moderator    TEXT,
  api_key      TEXT,                         -- the name of the key, never the key
  model        TEXT NOT NULL                 -- the model that served when it came
) STRICT;
CREATE INDEX event_token ON event (site, client_token);
";

/// What somebody says a comment should have been scored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// The face that it came by: `perspective`, `akismet`, `v1`.
    pub face: &'static str,
    /// The comment.
    pub text: String,
    /// The comment that it answers.
    pub parent: Option<String>,
    /// Label of ours, or the contract's own name where we have none, and the share of it that is right, 0..1.
    pub labels: Vec<(String, f64)>,
    /// The site or community.
    pub site: Option<String>,
    /// The client's own name of the comment.
    pub client_token: Option<String>,
    /// The thread that it stands in, as the client names it.
    pub thread_id: Option<String>,
    /// The comment that it answers, as the client names it.
    pub parent_id: Option<String>,
    /// Language, as the client says.
    pub language: Option<String>,
    /// Who decided.
    pub moderator: Option<String>,
    /// Name of the key that it came with.
    pub key: Option<String>,
    /// `name@version` of the model in use.
    pub model: String,
}

/// Why an event was not kept. The client may send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More events wait for the disk than can.
    #[error("more feedback waits to be written than can: send it again in a second")]
    Full,
    /// The disk or the file failed.
    #[error("feedback cannot be written: {0}")]
    Failed(String),
}

struct Request {
    event: Event,
    done: oneshot::Sender<std::result::Result<i64, Refused>>,
}

/// The file of feedback, open for writing.
#[derive(Debug)]
pub struct Feedback {
    path: PathBuf,
    requests: Option<SyncSender<Request>>,
    writer: Option<JoinHandle<()>>,
    written: AtomicU64,
}

impl Feedback {
    /// Opens a file, or makes it, readable by its owner alone: it holds comments.
    ///
    /// # Errors
    /// A file that is no feedback file of ours, or of a newer format; a folder that cannot be written to.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = open(path, true)?;
        let (requests, receiver) = mpsc::sync_channel(QUEUE);
        let writer = thread::Builder::new().name("feedback".to_owned());
        let writer = writer.spawn(move || write_all(connection, &receiver)).map_err(|e| Error::io(path, e))?;
        Ok(Self { path: path.to_owned(), requests: Some(requests), writer: Some(writer), written: AtomicU64::new(0) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Events kept since it was opened.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Keeps an event. When this returns its number, the event is on the disk.
    ///
    /// # Errors
    /// See [`Refused`]; then the event was not kept.
    pub async fn record(&self, event: Event) -> std::result::Result<i64, Refused> {
        let (done, answer) = oneshot::channel();
        let gone = || Refused::Failed("its writer has stopped".to_owned());
        let requests = self.requests.as_ref().ok_or_else(gone)?;
        requests.try_send(Request { event, done }).map_err(|error| match error {
            TrySendError::Full(_) => Refused::Full,
            TrySendError::Disconnected(_) => gone(),
        })?;
        let kept = answer.await.map_err(|_| gone())?;
        self.written.fetch_add(u64::from(kept.is_ok()), Ordering::Relaxed);
        kept
    }
}

impl Drop for Feedback {
    /// Waits until what was handed over is written.
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has answered nobody: there is nothing more to tell.
            drop(writer.join());
        }
    }
}

/// Writes until nobody can send any more.
fn write_all(mut connection: Connection, requests: &Receiver<Request>) {
    while let Ok(first) = requests.recv() {
        let mut batch = vec![first];
        batch.extend(requests.try_iter().take(TOGETHER - 1));
        match insert(&mut connection, &batch) {
            // Whoever no longer waits for the answer may find the event there all the same.
            Ok(ids) => batch.into_iter().zip(ids).for_each(|(request, id)| drop(request.done.send(Ok(id)))),
            Err(error) => {
                let refused = Refused::Failed(error.to_string());
                batch.into_iter().for_each(|request| drop(request.done.send(Err(refused.clone()))));
            }
        }
    }
}

/// Writes events in one transaction: all are on the disk when this returns, or none is.
fn insert(connection: &mut Connection, batch: &[Request]) -> rusqlite::Result<Vec<i64>> {
    let received = Timestamp::now().to_string();
    let transaction = connection.transaction()?;
    let mut ids = Vec::with_capacity(batch.len());
    {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO event (received, face, site, client_token, thread_id, parent_id, text, parent_text, labels, language, moderator,
             api_key, model) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?;
        for Request { event, .. } in batch {
            let labels: serde_json::Map<_, _> =
                event.labels.iter().map(|(name, value)| (name.clone(), (*value).into())).collect();
            ids.push(statement.insert(params![
                received,
                event.face,
                event.site,
                event.client_token,
                event.thread_id,
                event.parent_id,
                event.text,
                event.parent,
                serde_json::Value::Object(labels).to_string(),
                event.language,
                event.moderator,
                event.key,
                event.model,
            ])?);
        }
    }
    transaction.commit()?;
    Ok(ids)
}

/// Opens the file, for writing or only to read.
fn open(path: &Path, writes: bool) -> Result<Connection> {
    let failed = |error: rusqlite::Error| Error::input(path.display(), format!("no feedback file: {error}"));
    if writes {
        create(path)?;
    } else {
        // SQLite's own message names no cause.
        fs::metadata(path).map_err(|e| Error::io(path, e))?;
    }
    let access = if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0));
    let (application, schema) = (number("application_id").map_err(failed)?, number("user_version").map_err(failed)?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let is_new = tables == 0 && application == 0;
    if !is_new && application != APPLICATION {
        return Err(Error::input(path.display(), "a database of something else: name another file for the feedback"));
    }
    if schema > SCHEMA {
        let what = format!("feedback of format {schema}; this program knows formats up to {SCHEMA}: use a newer one");
        return Err(Error::input(path.display(), what));
    }
    if writes {
        if is_new {
            let marks = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA};");
            connection.execute_batch(&format!("BEGIN;{marks}{TABLES}COMMIT;")).map_err(failed)?;
        }
        // Write-ahead log, so that readers never wait; every commit is flushed to the disk before it is acknowledged.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").map_err(failed)?;
    }
    Ok(connection)
}

/// Makes an empty file that only its owner can read, with its folder, if there is none.
fn create(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|e| Error::io(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(store: &Feedback, event: Event) -> std::result::Result<i64, Refused> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(store.record(event))
    }

    #[test]
    fn what_is_acknowledged_is_there_for_another_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/feedback.db");
        let store = Feedback::open(&path).unwrap();
        let event = Event { text: "you clown".into(), labels: vec![("toxicity".into(), 1.0)], ..Event::default() };
        let id = keep(&store, event).unwrap();
        let other = open(&path, false).unwrap();
        let found: (String, String) = other
            .query_row("SELECT text, labels FROM event WHERE id = ?1", [id], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!(found, ("you clown".into(), r#"{"toxicity":1.0}"#.into()));
        assert_eq!(store.written(), 1);
    }

    #[test]
    fn only_the_owner_reads_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feedback.db");
        drop(Feedback::open(&path).unwrap());
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
    }

    #[test]
    fn other_databases_and_newer_formats_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| Feedback::open(path).unwrap_err().to_string();
        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(refused(&other).contains("a database of something else"));
        let newer = folder.path().join("newer.db");
        drop(Feedback::open(&newer).unwrap());
        Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
        assert!(refused(&newer).contains("feedback of format 9"), "{}", refused(&newer));
        let text = folder.path().join("text.db");
        fs::write(&text, "this is no database, however long it may be. ".repeat(40)).unwrap();
        assert!(refused(&text).contains("no feedback file"));
    }
}
