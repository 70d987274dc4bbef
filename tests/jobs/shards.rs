//! Shards: whole threads in each, or complete one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{contents, folder, json_file, program, run};
use crate::support::names;

#[test]
fn the_threads_of_a_dump_are_whole_in_one_shard_and_the_index_says_what_is_in_each() {
    let folder = folder();
    let ran = run(program(folder.path()).args(["a.jsonl", "b.csv.gz", "-o", "scores/", "--shards", "4"]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let whole = run(program(folder.path()).args(["a.jsonl", "b.csv.gz"]));
    let rows: Vec<&str> = whole.out.lines().collect();
    let scores = folder.path().join("scores");
    let shards: Vec<String> = (0..4).map(|i| format!("comments-{i:05}-of-00004.jsonl")).collect();
    let mut expected = shards.clone();
    expected.extend(["comments.jsonl.run.json", "comments.jsonl.shards.json"].map(str::to_owned));
    assert_eq!(names(&scores), expected);
    let index = json_file(scores.join("comments.jsonl.shards.json"));
    assert_eq!(index["parted_by"], "thread");
    let mut threads: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let mut found = 0;
    for (i, name) in shards.iter().enumerate() {
        let text = fs::read_to_string(scores.join(name)).unwrap();
        let entry = &index["shards"][i];
        let places: Vec<usize> = text.lines().map(|line| rows.iter().position(|row| *row == line).unwrap()).collect();
        assert!(places.is_sorted() && !places.is_empty(), "in the order of the input");
        assert_eq!(
            *entry,
            json!({
                "shard": i, "name": name, "rows": places.len(), "first_row": places[0] + 1, "last_row": places.last().unwrap() + 1,
                "bytes": text.len(), "sha256": hex::encode(Sha256::digest(&text)),
            })
        );
        found += places.len();
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            threads.entry(record["thread_id"].to_string()).or_default().insert(i);
        }
    }
    assert_eq!(found, rows.len());
    assert!(threads.len() > 200 && threads.values().all(|shards| shards.len() == 1));
}

#[test]
fn shards_of_rows_put_together_are_the_output_in_one_piece() {
    let folder = folder();
    for (ending, count) in [("jsonl", 4), ("csv", 4)] {
        let name = format!("x.{ending}");
        let flags = ["a.jsonl", "b.csv.gz", "-q", "-o"];
        assert_eq!(run(program(folder.path()).args(flags).arg(&name)).code, 0);
        let whole = fs::read_to_string(folder.path().join(&name)).unwrap();
        fs::remove_file(folder.path().join(&name)).unwrap();
        assert_eq!(run(program(folder.path()).args(flags).arg(&name).args(["--shard-rows", "4000"])).code, 0);
        let index = json_file(folder.path().join(format!("{name}.shards.json")));
        let shards = index["shards"].as_array().unwrap();
        assert_eq!((shards.len(), index["parted_by"].as_str()), (count, Some("rows")));
        let mut together = String::new();
        let mut next = 1;
        for shard in shards {
            assert_eq!(shard["first_row"], next);
            next = shard["last_row"].as_u64().unwrap() + 1;
            let text = fs::read_to_string(folder.path().join(shard["name"].as_str().unwrap())).unwrap();
            let header = whole.lines().next().filter(|_| ending == "csv" && !together.is_empty());
            together += header.map_or(text.as_str(), |header| text.strip_prefix(header).unwrap().trim_start());
        }
        assert!(together == whole, "{ending}");
    }
}

#[test]
fn a_database_of_a_later_shard_knows_the_story_of_its_comments() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: u32| json!({"id": i, "thread_id": "t", "title": "Trams", "text": format!("number {i}")}).to_string();
    fs::write(folder.path().join("a.jsonl"), (0..9000).map(row).collect::<Vec<_>>().join("\n")).unwrap();
    let ran = run(program(folder.path()).args(["a.jsonl", "-o", "x.db", "--shard-rows", "1"]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let count = "SELECT title, count(*) FROM comments JOIN stories USING (thread_id) GROUP BY 1";
    let counts = (0..3).map(|i| {
        let db = rusqlite::Connection::open(folder.path().join(format!("x-{i:05}.db"))).unwrap();
        db.query_row(count, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?))).unwrap()
    });
    let trams = |n: u32| ("Trams".to_owned(), n);
    assert_eq!(counts.collect::<Vec<_>>(), [trams(4096), trams(4096), trams(808)]);
}

#[test]
fn shards_of_another_run_are_not_mixed_with_those_of_this_one() {
    let folder = folder();
    let flags = |n: &'static str| ["b.csv.gz", "-o", "x.jsonl", "-q", "--shards", n];
    assert_eq!(run(program(folder.path()).args(flags("3"))).code, 0);
    let before = contents(folder.path());
    let ran = run(program(folder.path()).args(flags("2")));
    assert!(
        ran.code == 2 && ran.err.contains("x-00000-of-00003.jsonl: a shard of another run is there"),
        "{}",
        ran.err
    );
    assert!(contents(folder.path()) == before);
    assert_eq!(run(program(folder.path()).args(flags("2")).arg("--overwrite")).code, 0);
    let shards: Vec<String> = names(folder.path()).into_iter().filter(|name| name.starts_with("x-")).collect();
    assert_eq!(shards, ["x-00000-of-00002.jsonl", "x-00001-of-00002.jsonl"]);
}

#[test]
fn shards_need_a_place_and_a_format_of_rows() {
    let folder = folder();
    for (flags, said) in [
        (&["--shards", "2"][..], "--output"),
        (&["--shards", "2", "-o", "/dev/null"], "--output"),
        (&["--shards", "2", "--to", "convokit", "-o", "x"], "name one of these with --to"),
        (&["--shards", "0", "-o", "x"], "0 is not in 1..=512"),
        (&["-o", "x.parquet.gz"], "leave off the last ending"),
    ] {
        let ran = run(program(folder.path()).arg("a.jsonl").args(flags));
        assert!(ran.code == 2 && ran.err.contains(said), "{flags:?}: {}", ran.err);
    }
}
