//! Long runs of `polemic score`: killed, stopped, out of room, in shards, and line by line.

/// Full disks, signals, pipes.
mod endings;
/// A line in, a line out.
mod follow;
/// What is written beside the output.
mod manifest;
/// Killed runs that go on.
mod resume;
/// Numbered files.
mod shards;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Ran, model_folder};

/// Rows of JSON: replies near and far, repeated and empty texts, and a row that is cut off here and there.
fn jsonl(n: usize) -> String {
    let tones =
        ["you pathetic clown!", "thanks for asking.", "why would anybody want that?", "I agree with all of it."];
    let mut lines = String::new();
    for i in 0..n {
        let mut row = json!({
            "id": format!("r{i}"),
            "thread_id": format!("t{}", i * 7 % 211),
            "author": format!("reader {}", i % 97),
            "text": format!("Number {i}, \"the tram\" was late, {}", tones[i * i % 4]),
        });
        if i % 3 != 0 {
            row["parent_id"] = format!("r{}", i.saturating_sub(i * i % 5000)).into();
            row["thread_id"] = format!("t{}", i.saturating_sub(i * i % 5000) * 7 % 211).into();
        }
        if i % 501 == 0 {
            row["text"] = Value::from("");
        }
        lines += &row.to_string();
        lines.push('\n');
        if i % 700 == 699 {
            lines += "{\"id\": \"cut\n";
        }
    }
    lines
}

/// The same as a table.
fn csv(n: usize) -> String {
    let row = |i: usize| format!("s{i},t{},\"Row {i}, the \"\"ferry\"\"\nsank, you clown\"\n", i % 13);
    "id,thread_id,text\n".to_owned() + &(0..n).map(row).collect::<String>()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A folder with inputs of several kinds, one of which is not there.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), jsonl(9000)).unwrap();
    fs::write(folder.path().join("b.csv.gz"), gzip(&csv(6000))).unwrap();
    folder
}

const INPUTS: [&str; 3] = ["a.jsonl", "missing.jsonl", "b.csv.gz"];

/// The program, in a folder, as `std` starts it.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_polemic"));
    command.current_dir(folder).env("POLEMIC_MODEL", model_folder()).arg("score");
    command
}

fn run(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

/// Runs with these flags in a shell that lets no file grow over so many KiB.
fn run_in_little_room(folder: &Path, kib: u32, flags: &[&str]) -> Ran {
    let script = format!("ulimit -f {kib}; exec \"$0\" score \"$@\"");
    let mut bash = Command::new("bash");
    bash.current_dir(folder).env("POLEMIC_MODEL", model_folder());
    run(bash.args(["-c", &script, env!("CARGO_BIN_EXE_polemic")]).args(flags))
}

/// The contents of all files of a folder but manifests, which tell the time.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = crate::support::names(folder)
        .into_iter()
        .filter(|name| !name.ends_with(".run.json"))
        .map(|name| (PathBuf::from(&name), fs::read(folder.join(&name)).unwrap()))
        .collect();
    files.sort();
    files
}

fn json_file(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
