//! `--follow` in lock step: a line is answered before the next is written.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use super::{program, run};

/// A program that waits for lines.
struct Peer {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Peer {
    fn new(flags: &[&str]) -> Self {
        let mut program = program(&std::env::temp_dir());
        program.arg("--follow").args(flags).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = program.spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from }
    }

    fn write(&mut self, bytes: &[u8]) {
        let to = self.to.as_mut().unwrap();
        to.write_all(bytes).unwrap();
        to.flush().unwrap();
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn ask(&mut self, row: &Value) -> Value {
        self.write(format!("{row}\n").as_bytes());
        self.answer()
    }

    fn end(mut self) -> i32 {
        self.to = None;
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn every_line_is_answered_before_the_next_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects.jsonl");
    let mut peer = Peer::new(&["--rejects", rejects.to_str().unwrap()]);
    let root = json!({"id": "a", "thread_id": "t", "text": "The bridge is not safe, they say in the paper."});
    let reply = json!({"id": "b", "thread_id": "t", "parent_id": "a", "text": "Who says so? You clown!"});
    let (first, second) = (peer.ask(&root), peer.ask(&reply));
    assert_eq!((&first["id"], &first["depth"], &second["depth"]), (&json!("a"), &json!(0), &json!(1)));
    assert!(second["stance"]["parent"].is_object(), "the parent is remembered: {second}");

    peer.write(b"\n{\"id\": \"c\", \"text\": \n");
    let bad = peer.answer();
    assert!(bad["line"] == 4 && bad["error"].as_str().unwrap().contains("cut off"), "{bad}");
    assert_eq!(peer.ask(&json!([1, 2]))["error"], "a list stands where an object {…} is expected");
    assert_eq!(peer.ask(&json!({"id": 7, "text": 5}))["line"], 6);
    let kept = fs::read_to_string(&rejects).unwrap();
    assert_eq!(kept.lines().count(), 3, "rejected rows are there while the stream goes on: {kept}");
    peer.write(b"{\"text\": \"the last has no end of line\"}");
    assert_eq!(peer.end(), 0);
}

#[test]
fn answers_are_the_records_that_a_file_of_the_lines_gives() {
    let rows: Vec<Value> = (0..60)
        .map(|i| {
            let mut row =
                json!({"id": format!("{i}"), "text": format!("Number {i} is late, {}", ["you clown", "why?"][i % 2])});
            if i % 3 > 0 {
                row["parent_id"] = format!("{}", i - 1).into();
            }
            row
        })
        .collect();
    let expected = crate::support::scored(&rows, &[]).records();
    let mut peer = Peer::new(&[]);
    let found: Vec<Value> = rows.iter().map(|row| peer.ask(row)).collect();
    assert_eq!(found, expected);
    assert_eq!(peer.end(), 0);
    let mut limited = Peer::new(&["--fail-on", "insult=0"]);
    limited.ask(&rows[0]);
    assert_eq!(limited.end(), 1);
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory_and_the_stream_goes_on() {
    let mut peer = Peer::new(&[]);
    peer.write(b"{\"id\": 1, \"text\": \"");
    let block = b"you clown ".repeat(100_000);
    (0..300).for_each(|_| peer.write(&block));
    peer.write(b"\"}\n");
    let bad = peer.answer();
    assert_eq!((&bad["line"], bad["error"].as_str()), (&json!(1), Some("the row is longer than 67108864 bytes")));
    assert_eq!(peer.ask(&json!({"id": 2, "text": "and on it goes"}))["id"], "2");
    if let Ok(status) = fs::read_to_string(format!("/proc/{}/status", peer.child.id())) {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib < 250 << 10, "300 MB of line took {kib} KiB");
    }
    assert_eq!(peer.end(), 0);
}

#[test]
fn follow_is_for_lines_of_standard_input() {
    let folder = super::folder();
    for (flags, said) in [
        (&["--follow", "a.jsonl"][..], "reads standard input"),
        (&["--follow", "--to", "csv"], "JSON lines"),
        (&["--follow", "--format", "csv"], "JSON lines"),
        (&["--follow", "-o", "x.jsonl"], "cannot be used with"),
    ] {
        let ran = run(program(folder.path()).args(flags).stdin(Stdio::null()));
        assert!(ran.code == 2 && ran.err.contains(said), "{flags:?}: {}", ran.err);
    }
}
