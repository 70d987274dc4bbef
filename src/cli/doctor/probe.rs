//! Asking a server, and keeping what was found.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::http::{HeaderMap, Method, Request};
use ureq::{Agent, Body, SendBody};

/// Most bytes of an answer that are read.
const MOST: u64 = 8 << 20;

/// What came of a check: words for people.
pub enum Outcome {
    /// As clients expect.
    Green(String),
    /// Not as clients expect.
    Red(String),
    /// Not asked.
    Left(String),
}

/// A check and what came of it.
pub struct Finding {
    /// The contract.
    pub face: &'static str,
    /// What is expected.
    pub what: &'static str,
    /// What was found.
    pub outcome: Outcome,
}

impl Finding {
    /// In JSON.
    pub fn to_json(&self) -> Value {
        let (outcome, words) = match &self.outcome {
            Outcome::Green(words) => ("green", words),
            Outcome::Red(words) => ("red", words),
            Outcome::Left(words) => ("left", words),
        };
        json!({"face": self.face, "check": self.what, "outcome": outcome, "found": words})
    }
}

/// What a check says: words for people, or what is wrong.
pub type Checked = Result<String, String>;

/// A server under examination.
pub struct Probe {
    agent: Agent,
    /// Its address, without a slash at its end.
    pub base: String,
    /// A key that it should accept.
    pub key: Option<String>,
    /// The secret shared with Coral.
    pub secret: Option<String>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// An answer.
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub text: String,
    /// How long it took.
    pub after: Duration,
}

impl Answer {
    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.text).map_err(|_| format!("no JSON but {}", self.shown()))
    }

    /// Makes sure of the status.
    pub fn of_status(self, wanted: u16) -> Result<Self, String> {
        if self.status == wanted {
            Ok(self)
        } else {
            Err(format!("{} instead of {wanted}: {}", self.status, self.shown()))
        }
    }

    /// The start of the body.
    fn shown(&self) -> String {
        self.text.chars().take(120).collect()
    }
}

impl Probe {
    /// Of a server.
    pub fn new(base: &str, key: Option<String>, secret: Option<String>, timeout: Duration) -> Self {
        let agent =
            Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).max_redirects(0).build();
        let base = base.trim_end_matches('/').to_owned();
        Self { agent: agent.into(), base, key, secret, findings: Vec::new() }
    }

    /// Makes a check; true if it is as expected.
    pub fn check(&mut self, face: &'static str, what: &'static str, check: impl FnOnce(&Self) -> Checked) -> bool {
        let checked = check(self);
        let is_green = checked.is_ok();
        let outcome = checked.map_or_else(Outcome::Red, Outcome::Green);
        self.findings.push(Finding { face, what, outcome });
        is_green
    }

    /// Leaves a check out.
    pub fn leave(&mut self, face: &'static str, what: &'static str, why: &str) {
        self.findings.push(Finding { face, what, outcome: Outcome::Left(why.to_owned()) });
    }

    /// `path` with the key as Perspective's clients send it.
    pub fn with_key(&self, path: &str) -> String {
        let Some(key) = &self.key else { return path.to_owned() };
        let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
        format!("{path}{}key={key}", if path.contains('?') { '&' } else { '?' })
    }

    /// The header of a key.
    pub fn bearer(&self) -> Vec<(&'static str, String)> {
        self.key.iter().map(|key| ("authorization", format!("Bearer {key}"))).collect()
    }

    /// Asks.
    pub fn get(&self, path: &str) -> Result<Answer, String> {
        self.ask(Method::GET, path, &[], "")
    }

    /// Sends JSON, with a key in the header.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        let headers = [self.bearer(), vec![("content-type", "application/json".to_owned())]].concat();
        self.ask(Method::POST, path, &headers, &body.to_string())
    }

    /// Sends a body as it is.
    pub fn ask(&self, method: Method, path: &str, headers: &[(&str, String)], body: &str) -> Result<Answer, String> {
        let has_body = method == Method::POST;
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let begun = Instant::now();
        let answer = if has_body {
            let request = request.body(SendBody::from_owned_reader(std::io::Cursor::new(body.as_bytes().to_vec())));
            request.map_err(|e| e.to_string()).map(|request| self.agent.run(request))
        } else {
            request.body(()).map_err(|e| e.to_string()).map(|request| self.agent.run(request))
        };
        let mut answer: ureq::http::Response<Body> = answer?.map_err(|e| e.to_string())?;
        let text = answer.body_mut().with_config().limit(MOST).read_to_string().map_err(|e| e.to_string())?;
        let after = begun.elapsed();
        Ok(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), text, after })
    }
}

/// What is wrong, unless something holds.
pub fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
