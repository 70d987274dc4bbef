use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::support::model_folder;

/// A running server; killed with the test.
pub struct Server {
    pub child: Child,
    pub url: String,
    agent: Agent,
    log: Option<JoinHandle<String>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body of an answer of status 200.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The detail of a problem of some status.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!((self.status, self.kind.as_str()), (status, "application/problem+json"), "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], status);
        problem["detail"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one with the small model on a port of its own.
    pub fn start(flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_polemic"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .env("POLEMIC_MODEL", model_folder())
            .env_remove("POLEMIC_CORAL_SECRET")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut err = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            err.read_to_string(&mut log).unwrap();
            log
        });
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
        let Some(address) = address else { panic!("not ready: {}", log.join().unwrap()) };
        let timeout = Some(Duration::from_mins(2));
        let agent = Agent::config_builder().timeout_global(timeout).http_status_as_error(false).build().into();
        Self { child, url: format!("http://{address}"), agent, log: Some(log) }
    }

    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.url)).call().unwrap())
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(path, &[("content-type", "application/json")], body.to_string())
    }

    pub fn send(&self, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body.as_ref()).unwrap())
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Stops it and gives its log.
    pub fn log(mut self) -> String {
        self.signal("-TERM");
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let text = response.body_mut().read_to_string().unwrap();
    let headers = response.headers().clone();
    let kind = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
    Answer { status: response.status().as_u16(), kind, headers, text }
}

/// A file of keys with one key, and the key.
pub fn keys(folder: &std::path::Path) -> (String, &'static str) {
    let key = "a-key-of-the-tests";
    let path = crate::support::write(folder, "keys.txt", polemic::serve::keys::line("tests", key));
    (path.to_str().unwrap().to_owned(), key)
}
