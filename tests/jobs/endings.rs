//! Runs that do not come to their end: no room, a signal, a reader that goes away. Nothing is half there as if it were whole.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use super::{folder, jsonl, program, run, run_in_little_room};
use crate::support::names;

#[test]
fn a_full_disk_is_told_with_its_path_and_leaves_nothing_that_looks_whole() {
    let folder = folder();
    for (output, kib, left) in [
        ("x.jsonl", 500, true),
        ("x.csv.gz", 100, true),
        ("x.db", 300, false),
        ("x.parquet", 100, false),
        ("x.txt", 20, true),
    ] {
        let to = if output == "x.txt" { &["--to", "tree"][..] } else { &[] };
        let flags = ["a.jsonl", "-o", output, "--with-text"];
        let ran = run_in_little_room(folder.path(), kib, &[&flags, to].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{output}: {}", ran.err);
        assert!(ran.err.contains(output) && ran.err.contains("make room"), "{output}: {}", ran.err);
        assert!(!folder.path().join(output).exists(), "{output}");
        assert!(!folder.path().join(format!("{output}.run.json")).exists(), "{output}");
        assert_eq!(folder.path().join(format!("{output}.partial")).exists(), left, "{output}");
    }
    for (to, place) in [("x.jsonl", "x.jsonl.partial"), ("/dev/full", "/dev/full")] {
        if !Path::new("/dev/full").exists() {
            continue;
        }
        let ran = if to == place {
            run(program(folder.path()).args(["a.jsonl", "-o", to]))
        } else {
            run_in_little_room(folder.path(), 500, &["a.jsonl", "-o", to, "--overwrite"])
        };
        assert!(ran.code == 2 && ran.err.contains(&format!("polemic: {place}: ")), "{}", ran.err);
    }
}

#[test]
fn an_output_is_replaced_only_by_one_that_is_whole() {
    let folder = folder();
    for output in ["x.jsonl", "x.db", "x.parquet"] {
        fs::write(folder.path().join(output), "of last week").unwrap();
        assert_eq!(run_in_little_room(folder.path(), 100, &["a.jsonl", "-o", output]).code, 2);
        assert_eq!(fs::read_to_string(folder.path().join(output)).unwrap(), "of last week", "{output}");
    }
    let link = folder.path().join("link.jsonl");
    fs::write(folder.path().join("target.jsonl"), "of last week").unwrap();
    std::os::unix::fs::symlink("target.jsonl", &link).unwrap();
    assert_eq!(run(program(folder.path()).args(["b.csv.gz", "-o", "link.jsonl"])).code, 0);
    assert!(link.is_symlink(), "what a link points to is replaced, not the link");
    assert_eq!(fs::read_to_string(folder.path().join("target.jsonl")).unwrap().lines().count(), 6000);
}

/// A run on standard input that has more to come.
fn waiting(folder: &Path, flags: &[&str], text: &str) -> (Child, BufReader<ChildStderr>) {
    let mut program = program(folder);
    program.args(flags).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    (child, said)
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Waits until the run says this.
fn wait_for(said: &mut BufReader<ChildStderr>, what: &str) {
    let mut line = String::new();
    while !line.contains(what) {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "{what}");
    }
}

/// Waits until a journal has marked comments.
fn wait_for_mark(journal: &Path) {
    while !fs::read_to_string(journal).is_ok_and(|text| text.contains("\"rows\": 4096")) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn an_interrupted_run_says_how_to_go_on_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let text = jsonl(9000);
    let half = &text[..text.len() / 2 + 50_000];
    for output in ["x.jsonl", "x.jsonl.gz"] {
        let flags = ["-o", output, "--checkpoint", "4096", "--rejects", "rejects"];
        let (mut child, mut said) = waiting(folder.path(), &flags, half);
        wait_for_mark(&folder.path().join(format!("{output}.partial.json")));
        interrupt(&child);
        wait_for(&mut said, "stopping");
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{output}");
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("4096 comments are safe: the same command with --resume"), "{rest}");
        assert!(!folder.path().join(output).exists());

        let feed = |flags: &[&str]| {
            let (mut child, mut said) = waiting(folder.path(), flags, &text);
            drop(child.stdin.take());
            said.read_to_string(&mut String::new()).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(0));
        };
        feed(&[&flags[..], &["--resume"]].concat());
        let rejects = fs::read(folder.path().join("rejects")).unwrap();
        let whole = format!("whole-{output}");
        feed(&["-o", &whole, "--checkpoint", "4096", "--rejects", "rejects"]);
        assert!(fs::read(folder.path().join(output)).unwrap() == fs::read(folder.path().join(&whole)).unwrap());
        assert!(rejects == fs::read(folder.path().join("rejects")).unwrap());
    }
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut said) = waiting(folder.path(), &["-o", "x.jsonl", "--checkpoint", "1"], &jsonl(6000));
    wait_for_mark(&folder.path().join("x.jsonl.partial.json"));
    interrupt(&child);
    wait_for(&mut said, "again to end at once");
    interrupt(&child);
    // Its input is still open.
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names(folder.path()), ["x.jsonl.partial", "x.jsonl.partial.json"]);
}

#[test]
fn an_interrupted_stream_ends_with_a_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut said) = waiting(folder.path(), &[], &jsonl(600));
    // Nothing is scored before a chunk is full, so that the first thing to be seen is the rejected row, if the input is long enough.
    child.stdin.as_mut().unwrap().write_all(jsonl(1400).as_bytes()).unwrap();
    wait_for(&mut said, "cut off");
    interrupt(&child);
    wait_for(&mut said, "stopping");
    drop(child.stdin.take());
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(out.ends_with("}\n") && out.lines().count() >= 600, "{}", out.lines().count());
}

#[test]
fn a_reader_that_goes_away_ends_a_stream_of_lines_quietly() {
    let folder = folder();
    for flags in ["--follow < a.jsonl", "a.jsonl --to csv"] {
        let script = format!("'{}' score {flags} | head -n 1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_polemic"));
        let mut bash = Command::new("bash");
        bash.current_dir(folder.path()).env("POLEMIC_MODEL", crate::support::model_folder());
        let ran = run(bash.args(["-c", &script]));
        assert_eq!((ran.code, ran.out.lines().count()), (0, 1), "{}", ran.err);
        assert!(!ran.err.contains("pipe"), "{}", ran.err);
    }
}

#[test]
fn two_runs_do_not_write_one_output() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, _said) = waiting(folder.path(), &["-o", "x.jsonl", "--checkpoint", "1"], &jsonl(6000));
    wait_for_mark(&folder.path().join("x.jsonl.partial.json"));
    let before = fs::read(folder.path().join("x.jsonl.partial")).unwrap();
    for (flag, said) in [("--resume", "another run is writing it"), ("--overwrite", "another run is writing it")] {
        let ran = run(program(folder.path()).args(["-o", "x.jsonl", "--checkpoint", "1", flag]).stdin(Stdio::null()));
        assert!(ran.code == 2 && ran.err.contains(said), "{}", ran.err);
        assert!(fs::read(folder.path().join("x.jsonl.partial")).unwrap() == before);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
