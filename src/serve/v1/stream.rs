//! A stream of comments, one JSON object a line: a line in, a line out, in order. The next line is read when the answer to the last one
//! has been taken, so that neither side is ever flooded; a line that cannot be used gets an answer that says so, and the stream goes on.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream::unfold;
use http_body_util::BodyExt;
use memchr::memchr;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::answer::{Surroundings, answer};
use super::problem::Problem;
use super::request::{Comment, Name};
use crate::model::scoring::Scratch;
use crate::serve::app::App;
use crate::serve::policy::Policy;
use crate::serve::reply;
use crate::serve::scorer::Loaded;

/// Longest line, in bytes.
const LINE: usize = 1 << 20;
/// Bytes of lines that are answered together.
const TOGETHER: usize = 16 << 10;
/// Texts remembered for the replies to them, in bytes.
const REMEMBERED: usize = 1 << 20;

/// True if a request's body is a stream of lines.
pub fn is_stream(headers: &HeaderMap) -> bool {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines"]
        .contains(&kind.as_str())
}

/// Answers a stream.
pub async fn score(app: Arc<App>, body: Body) -> Result<Response, Problem> {
    let Ok(place) = Arc::clone(&app.v1.streams).try_acquire_owned() else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many streams at a time: come again in a second",
        ));
    };
    let mut lines =
        Lines { app, body, buffer: Vec::new(), number: 0, state: State::Open, texts: Texts::default(), _place: place };
    // The head of the answer goes out once something has come in: clients that wait to be told to go on are told by the first read.
    let first = lines.answers().await;
    let rest = unfold((first, lines), |(next, mut lines)| async move {
        let next = match next {
            Some(next) => next,
            None => lines.answers().await?,
        };
        Some((Ok::<Bytes, Infallible>(next), (None, lines)))
    });
    let mut response =
        reply::bytes(StatusCode::OK, HeaderValue::from_static("application/x-ndjson"), Body::from_stream(rest));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would hold back what the client waits for.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// What is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// In a line that is too long, which has been answered.
    Skipping,
    /// Nothing more comes.
    Ended,
    /// Nothing more comes, and all is answered.
    Done,
}

/// The lines of a request.
struct Lines {
    app: Arc<App>,
    body: Body,
    buffer: Vec<u8>,
    /// Lines answered.
    number: u64,
    state: State,
    texts: Texts,
    _place: OwnedSemaphorePermit,
}

impl Lines {
    /// The answers to the next lines; `None` at the end.
    async fn answers(&mut self) -> Option<Bytes> {
        loop {
            let mut out = Vec::new();
            match self.state {
                State::Done => return None,
                State::Skipping => self.skip(),
                State::Open | State::Ended => {
                    let end = self.ready();
                    if end > 0 {
                        self.answer(end, &mut out).await;
                    } else if self.state == State::Ended {
                        self.state = State::Done;
                    } else if self.buffer.len() > LINE {
                        self.refuse(&format!("longer than {LINE} bytes"), &mut out);
                        self.buffer.clear();
                        self.state = State::Skipping;
                    }
                }
            }
            if !out.is_empty() {
                return Some(out.into());
            }
            if self.state == State::Done {
                return None;
            }
            if self.state != State::Ended && self.ready() == 0 {
                self.read(&mut out).await;
                if !out.is_empty() {
                    return Some(out.into());
                }
            }
        }
    }

    /// How many bytes of whole lines stand ready, [`TOGETHER`] at most unless the first is longer.
    fn ready(&self) -> usize {
        let mut end = 0;
        while let Some(found) = self.buffer.get(end..).and_then(|rest| memchr(b'\n', rest)) {
            let next = end + found + 1;
            if end > 0 && next > TOGETHER {
                return end;
            }
            end = next;
        }
        if end == 0 && self.state == State::Ended { self.buffer.len() } else { end }
    }

    /// Leaves out what is left of a line that is too long.
    fn skip(&mut self) {
        match memchr(b'\n', &self.buffer) {
            Some(end) => {
                self.buffer.drain(..=end);
                self.state = State::Open;
            }
            None => self.buffer.clear(),
        }
    }

    /// Reads on.
    async fn read(&mut self, out: &mut Vec<u8>) {
        match timeout(self.app.options.timeout, self.body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    self.buffer.extend_from_slice(&data);
                }
            }
            Ok(None) if self.state == State::Skipping => self.state = State::Done,
            Ok(None) => self.state = State::Ended,
            // Whoever broke off hears nothing of it.
            Ok(Some(Err(_))) => self.state = State::Done,
            Err(_) => {
                self.refuse("nothing came for too long: the stream ends here", out);
                self.state = State::Done;
            }
        }
    }

    /// Answers the lines in the first `end` bytes.
    async fn answer(&mut self, end: usize, out: &mut Vec<u8>) {
        // Taken anew each time, so that a long stream follows a reload.
        let (loaded, policy) = (self.app.model.load_full(), self.app.policy.load_full());
        let rest = self.buffer.split_off(end);
        let lines = std::mem::replace(&mut self.buffer, rest);
        let app = Arc::clone(&self.app);
        let (number, texts) = (&mut self.number, &mut self.texts);
        let work = || {
            loaded.with_scratch(|_, scratch| {
                let lines = lines.strip_suffix(b"\n").unwrap_or(&lines);
                for line in lines.split(|byte| *byte == b'\n') {
                    *number += 1;
                    one(&app, &loaded, &policy, texts, (*number, line), scratch, out);
                }
            });
        };
        app.work(lines.len(), work).await;
    }

    /// Answers the line that is being read with an error.
    fn refuse(&mut self, what: &str, out: &mut Vec<u8>) {
        self.number += 1;
        error(self.number, what, out);
    }
}

/// Answers one line.
fn one(
    app: &App,
    loaded: &Loaded,
    policy: &Policy,
    texts: &mut Texts,
    (number, line): (u64, &[u8]),
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) {
    let comment = match Comment::read(line) {
        Ok(comment) if comment.comments.is_none() => comment,
        Ok(_) => return error(number, "a line of a stream is one comment", out),
        Err(problem) => return error(number, problem.detail(), out),
    };
    let thread = comment.thread_id.as_ref();
    let parent = comment.parent_id.as_ref().and_then(|id| texts.get(thread, id));
    let around = Surroundings { parent: parent.as_deref(), ..Surroundings::default() };
    let answer = answer(loaded, policy, &comment, &around, scratch);
    app.metrics.scored(1);
    if let Some(decision) = &answer.decision {
        app.metrics.decided(decision);
    }
    let start = out.len();
    if let Err(failed) = serde_json::to_writer(&mut *out, &answer) {
        out.truncate(start);
        return error(number, &failed.to_string(), out);
    }
    out.push(b'\n');
    if let Some(id) = &comment.id {
        texts.remember(thread, id, comment.text());
    }
}

fn error(number: u64, what: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(json!({"line": number, "error": what}).to_string().as_bytes());
    out.push(b'\n');
}

type Key = (Option<Name>, Name);

/// The last texts of a stream, which later lines may answer.
#[derive(Default)]
struct Texts {
    by_id: HashMap<Key, Arc<str>>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl Texts {
    fn get(&self, thread: Option<&Name>, id: &Name) -> Option<Arc<str>> {
        self.by_id.get(&(thread.cloned(), id.clone())).cloned()
    }

    fn remember(&mut self, thread: Option<&Name>, id: &Name, text: &str) {
        let key = (thread.cloned(), id.clone());
        self.bytes += text.len() + id.0.len();
        if let Some(old) = self.by_id.insert(key.clone(), text.into()) {
            self.bytes -= old.len() + id.0.len();
        } else {
            self.order.push_back(key);
        }
        while self.bytes > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.by_id.remove(&oldest).map_or(0, |text| text.len() + oldest.1.0.len());
        }
    }
}
