use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::asking::{RUDE, toxicity_of};
use crate::support::model_folder;

/// A running command; it is killed with the test.
struct Running {
    child: Child,
    address: String,
    said: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(flags: &[&str]) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_polemic"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(flags)
        .env("POLEMIC_MODEL", model_folder())
        .env_remove("POLEMIC_CORAL_SECRET")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let address = said.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    Running { child, address, said }
}

impl Running {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream
    }

    fn signal(&self, name: &str) {
        let killed = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }
}

fn request(body: &str, close: bool) -> String {
    let connection = if close { "close" } else { "keep-alive" };
    format!(
        "POST /v1alpha1/comments:analyze?key=K HTTP/1.1\r\nHost: here\r\nConnection: {connection}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn the_command_says_where_it_is_ready_and_with_what_and_answers_there() {
    let running = start(&[]);
    assert!(running.said.contains("small@0.1.0") && running.said.contains("127.0.0.1"), "{}", running.said);
    let mut stream = running.connect();
    stream.write_all(request(&toxicity_of(RUDE).to_string(), true).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\"TOXICITY\""), "{answer}");
}

#[cfg(unix)]
#[test]
fn told_to_stop_it_finishes_what_it_took_and_ends() {
    let mut running = start(&[]);
    let body = toxicity_of(RUDE).to_string();
    let whole = request(&body, false);
    let (first, rest) = whole.split_at(whole.len() - 10);
    let mut stream = running.connect();
    stream.write_all(first.as_bytes()).unwrap();
    // Its head was taken once another request on a later connection is answered.
    let mut other = running.connect();
    other.write_all(request(&body, true).as_bytes()).unwrap();
    other.read_to_end(&mut Vec::new()).unwrap();
    running.signal("-TERM");
    std::thread::sleep(Duration::from_millis(200));
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_hangup_reads_all_files_again_and_drops_no_connection() {
    let running = start(&[]);
    let mut stream = running.connect();
    let mut ask = || {
        stream.write_all(request(&toxicity_of(RUDE).to_string(), false).as_bytes()).unwrap();
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    };
    assert!(ask().contains("200 OK"));
    for _ in 0..3 {
        running.signal("-HUP");
        for _ in 0..20 {
            assert!(ask().contains("200 OK"));
        }
    }
}

#[test]
fn an_address_in_use_and_a_missing_file_are_told() {
    let running = start(&[]);
    let mut command = crate::support::polemic();
    let ran = crate::support::run(command.args(["serve", "--listen", &running.address]));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--listen") && ran.err.contains(&running.address), "{}", ran.err);
    let ran = crate::support::run(crate::support::polemic().args(["serve", "--keys", "missing.txt"]));
    assert!(ran.code == 2 && ran.err.contains("missing.txt"), "{}", ran.err);
}
