//! A run that was killed goes on, and nobody can tell from its output.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use polemic::score::run::journal::{Asked, Journal};
use polemic::score::run::manifest::Manifest;

use super::{INPUTS, contents, csv, folder, gzip, json_file, jsonl, program, run, run_in_little_room};

/// Every format that can be gone on with: the output, and its flags.
const KINDS: [(&str, &[&str]); 6] = [
    ("out/x.jsonl", &[]),
    ("out/x.csv", &["--explain"]),
    ("out/x.jsonl.gz", &[]),
    ("out/x.csv.zst", &["--no-context"]),
    ("out/x.jsonl", &["--shards", "3"]),
    ("out/x.parquet", &["--shard-rows", "3000"]),
];

fn flags<'a>(output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut flags = INPUTS.to_vec();
    flags.extend(["-o", output, "--rejects", "out/rejects", "--checkpoint", "1", "-q"]);
    flags.extend(more);
    flags
}

/// Bytes of all outputs.
fn size(folder: &Path) -> u64 {
    fs::read_dir(folder).map_or(0, |files| files.flatten().filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum())
}

/// Kills the program once it has written so many bytes; true if it was still running.
fn kill_at(child: &mut Child, out: &Path, bytes: u64) -> bool {
    while size(out) < bytes {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

#[test]
fn a_run_that_is_killed_again_and_again_writes_the_bytes_of_one_that_is_not() {
    let mut random = crate::common::generator(7);
    for (output, more) in KINDS {
        let (whole, broken) = (folder(), folder());
        let out = broken.path().join("out");
        for folder in [&whole, &broken] {
            fs::create_dir(folder.path().join("out")).unwrap();
        }
        assert_eq!(run(program(whole.path()).args(flags(output, more))).code, 2, "an input is missing");
        let expected = contents(&whole.path().join("out"));
        assert!(expected.iter().all(|(name, _)| !name.to_string_lossy().contains("partial")), "{expected:?}");
        let bytes = size(&whole.path().join("out"));
        let mut points: Vec<u64> = (0..3).map(|_| bytes * u64::from(random() % 1000) / 1000).collect();
        points.sort_unstable();
        let mut kills = 0;
        for point in points {
            let mut program = program(broken.path());
            let mut child = program.args(flags(output, more)).arg("--resume").stderr(Stdio::null()).spawn().unwrap();
            kills += u32::from(kill_at(&mut child, &out, point));
        }
        let last = run(program(broken.path()).args(flags(output, more)).arg("--resume"));
        assert_eq!(last.code, 2, "{output} {more:?}: {}", last.err);
        assert!(kills > 0, "{output} {more:?}: was never killed");
        let found = contents(&out);
        let names = |files: &[(std::path::PathBuf, Vec<u8>)]| files.iter().map(|f| f.0.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected), "{output} {more:?}");
        assert!(found == expected, "{output} {more:?}: the bytes differ after {kills} kills");
        let manifests = [&whole, &broken].map(|folder| json_file(folder.path().join(format!("{output}.run.json"))));
        for key in ["inputs", "outputs", "counts", "options"] {
            assert_eq!(manifests[0][key], manifests[1][key], "{key} of {output}");
        }
    }
}

/// A run that has no room, with one mark at 4,096 comments.
fn cut_run() -> tempfile::TempDir {
    let folder = folder();
    let ran = run_in_little_room(folder.path(), 4000, &["a.jsonl", "b.csv.gz", "-o", "x.jsonl", "--checkpoint", "1"]);
    assert_eq!(ran.code, 2);
    let said = ["x.jsonl.partial: File too large", "make room; 4096 comments are safe", "--resume"];
    assert!(said.iter().all(|said| ran.err.contains(said)), "{}", ran.err);
    assert!(!folder.path().join("x.jsonl").exists());
    folder
}

fn again(folder: &Path, flags: &[&str]) -> crate::support::Ran {
    run(program(folder).args(["a.jsonl", "b.csv.gz", "-o", "x.jsonl", "--checkpoint", "1"]).args(flags))
}

#[test]
fn an_unfinished_run_is_never_overwritten_without_a_word() {
    let folder = cut_run();
    fs::write(folder.path().join("x.jsonl"), "of last week\n").unwrap();
    let before = contents(folder.path());
    let ran = again(folder.path(), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let said = ["x.jsonl.partial.json", "an unfinished run", "4096 comments", "--resume", "--overwrite"];
    assert!(said.iter().all(|said| ran.err.contains(said)), "{}", ran.err);
    assert!(contents(folder.path()) == before);
    assert_eq!(again(folder.path(), &["--overwrite"]).code, 0);
    assert_eq!(fs::read_to_string(folder.path().join("x.jsonl")).unwrap().lines().count(), 15_000);
    assert_eq!(json_file(folder.path().join("x.jsonl.run.json"))["resumed"], 0);
}

#[test]
fn what_is_asked_otherwise_is_named_and_nothing_is_touched() {
    let folder = cut_run();
    let before = contents(folder.path());
    for (flags, said) in [
        (&["--resume", "--explain"][..], "--explain was false, now it is true"),
        (
            &["--resume", "--no-context", "--max-text", "9"],
            "--max-text was 1048576, now it is 9; --no-context was false",
        ),
        (&["--resume", "c.jsonl"], "the inputs were a.jsonl b.csv.gz"),
        (&["--resume", "--base-rate", "0.2"], "--base-rate was [], now it is [[null,0.2]]"),
    ] {
        let ran = again(folder.path(), flags);
        assert!(ran.code == 2 && ran.err.contains(said) && ran.err.contains("--overwrite"), "{}", ran.err);
        assert!(contents(folder.path()) == before, "{flags:?}");
    }
}

#[test]
fn an_input_or_output_that_changed_is_not_gone_on_with() {
    let changed = |name: &str, content: &[u8], said: &str| {
        let folder = cut_run();
        fs::write(folder.path().join(name), content).unwrap();
        let ran = again(folder.path(), &["--resume"]);
        assert!(ran.code == 2 && ran.err.contains(said), "{name}: {}", ran.err);
        assert!(!folder.path().join("x.jsonl").exists() && folder.path().join("x.jsonl.partial.json").exists());
    };
    let not_read = "a.jsonl: is not what the unfinished run read";
    changed("a.jsonl", jsonl(9000).replacen("tram", "Tram", 1).as_bytes(), not_read);
    changed("a.jsonl", jsonl(100).as_bytes(), not_read);
    changed("a.jsonl", b"", "nothing to read");
    changed("x.jsonl.partial", b"{}\n", "is shorter than the unfinished run left it");
    changed("x.jsonl.partial.json", b"{}\n", "no journal of an unfinished run");
    // What had not been read may change: the output is that of a run on what there is now.
    let folder = cut_run();
    fs::write(folder.path().join("b.csv.gz"), gzip(&csv(10))).unwrap();
    assert_eq!(again(folder.path(), &["--resume"]).code, 0);
    assert_eq!(fs::read_to_string(folder.path().join("x.jsonl")).unwrap().lines().count(), 9010);
}

#[test]
fn an_input_that_was_read_before_must_be_what_it_was() {
    let folder = folder();
    let flags = ["b.csv.gz", "a.jsonl", "-o", "x.jsonl", "--checkpoint", "1"];
    let ran = run_in_little_room(folder.path(), 6000, &flags);
    assert!(ran.err.contains("6000 comments are safe"), "{}", ran.err);
    let content = fs::read(folder.path().join("b.csv.gz")).unwrap();
    fs::write(folder.path().join("b.csv.gz"), gzip(&csv(5999))).unwrap();
    let ran = run(program(folder.path()).args(flags).arg("--resume"));
    assert!(ran.code == 2 && ran.err.contains("b.csv.gz: is not what the unfinished run read"), "{}", ran.err);
    // Written anew with the same content it is the same.
    fs::write(folder.path().join("b.csv.gz"), content).unwrap();
    let ran = run(program(folder.path()).args(flags).arg("--resume"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(folder.path().join("x.jsonl")).unwrap().lines().count(), 15_000);
}

#[test]
fn a_run_that_was_killed_while_it_named_its_output_is_finished_by_the_next() {
    let folder = folder();
    let flags = ["b.csv.gz", "-o", "x.jsonl", "-q"];
    assert_eq!(run(program(folder.path()).args(flags)).code, 0);
    let expected = contents(folder.path());
    let path = |name: &str| folder.path().join(name);
    let done: Manifest = serde_json::from_value(json_file(path("x.jsonl.run.json"))).unwrap();
    let (model, model_sha256, options) = (done.model.clone(), done.model_sha256.clone(), done.options.clone());
    let inputs = done.inputs.iter().map(|input| input.name.clone()).collect();
    let journal = Journal {
        journal: 1,
        polemic: done.polemic.clone(),
        asked: Asked { model, model_sha256, inputs, options },
        inputs: done.inputs.clone(),
        outputs: done.outputs.clone(),
        tally: done.counts.clone(),
        is_whole: true,
        ..Journal::default()
    };
    for is_named in [false, true] {
        journal.write(&path("x.jsonl.partial.json")).unwrap();
        fs::remove_file(path("x.jsonl.run.json")).unwrap();
        if !is_named {
            fs::rename(path("x.jsonl"), path("x.jsonl.partial")).unwrap();
        }
        let ran = run(program(folder.path()).args(flags).arg("--resume"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{is_named}");
        assert!(contents(folder.path()) == expected, "{is_named}");
        assert_eq!(json_file(path("x.jsonl.run.json"))["counts"]["rows"], 6000);
    }
    // And once more there is nothing to do.
    let ran = run(program(folder.path()).args(flags).arg("--resume"));
    assert!(ran.code == 0 && ran.err.contains("this run is finished, with 6000 comments"), "{}", ran.err);
    let ran = run(program(folder.path()).args(flags).args(["--resume", "--explain"]));
    assert!(ran.code == 2 && ran.err.contains("no unfinished run of it"), "{}", ran.err);
}

#[test]
fn formats_that_are_whole_or_not_there_say_what_to_do_instead() {
    let folder = folder();
    for flags in
        [&["-o", "x.parquet"][..], &["-o", "x.db"], &["--to", "convokit", "-o", "x"], &["-o", "x.db", "--shards", "2"]]
    {
        let ran = run(program(folder.path()).args(["a.jsonl", "--resume"]).args(flags));
        assert!(ran.code == 2 && ran.err.contains("--shard-rows ROWS"), "{flags:?}: {}", ran.err);
    }
    let ran = run(program(folder.path()).args(["a.jsonl", "--resume"]));
    assert!(ran.code == 2 && ran.err.contains("--output"), "{}", ran.err);
}
