//! The manifest beside the output, and what a run says of itself.

use std::fs;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{INPUTS, folder, json_file, program, run};
use crate::support::{model, model_folder, names};

#[test]
fn a_manifest_says_what_was_read_with_what_and_what_came_of_it() {
    let folder = folder();
    let parquet = run(program(folder.path()).args(["b.csv.gz", "-o", "c.parquet", "--with-text", "--no-manifest"]));
    assert_eq!(parquet.code, 0, "{}", parquet.err);
    let more = ["c.parquet", "-o", "x.jsonl", "--explain", "--max-text", "40"];
    let ran = run(program(folder.path()).args(INPUTS).args(more));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("3 of 4 inputs were scored"), "{}", ran.err);
    let manifest = json_file(folder.path().join("x.jsonl.run.json"));
    let records: Vec<Value> = fs::read_to_string(folder.path().join("x.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();

    let inputs = manifest["inputs"].as_array().unwrap();
    let of = |key: &str| inputs.iter().map(|input| input[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("name"), ["a.jsonl", "missing.jsonl", "b.csv.gz", "c.parquet"].map(Value::from));
    assert_eq!(of("comments"), [9000, 0, 6000, 6000]);
    assert_eq!(of("rejected"), [12, 0, 0, 0]);
    assert!(inputs[1]["error"].as_str().unwrap().contains("No such file") && inputs[1].get("sha256").is_none());
    for input in [&inputs[0], &inputs[2], &inputs[3]] {
        let bytes = fs::read(folder.path().join(input["name"].as_str().unwrap())).unwrap();
        assert_eq!(input["sha256"], hex::encode(Sha256::digest(&bytes)), "{input}");
        assert_eq!((&input["bytes"], input.get("error"), input.get("modified")), (&json!(bytes.len()), None, None));
    }

    let counts = &manifest["counts"];
    let without = |record: &&Value| record["scores"]["insult"].is_null();
    let unscored = records.iter().filter(without).count();
    assert_eq!((&counts["rows"], &counts["rejected"]), (&json!(21_000), &json!(12)));
    assert_eq!(counts["scored"], 21_000 - unscored);
    let reasons = counts["unscored"].as_object().unwrap();
    assert_eq!(reasons.keys().collect::<Vec<_>>(), ["empty", "longer than --max-text"]);
    assert_eq!(reasons.values().map(|n| n.as_u64().unwrap()).sum::<u64>(), unscored as u64);
    for head in &model().manifest.labels {
        let reaches = |r: &&Value| r["scores"][&head.name].as_f64().is_some_and(|p| p >= f64::from(head.threshold));
        assert_eq!(counts["labels"][&head.name], records.iter().filter(reaches).count(), "{}", head.name);
    }
    assert!(counts["uncivil"].as_u64().unwrap() >= counts["labels"]["insult"].as_u64().unwrap());

    assert_eq!((&manifest["model"], &manifest["polemic"]), (&json!("small@0.1.0"), &json!(env!("CARGO_PKG_VERSION"))));
    let hash = hex::encode(Sha256::digest(fs::read(model_folder().join("manifest.json")).unwrap()));
    assert_eq!(manifest["model_sha256"], hash);
    assert_eq!((&manifest["options"]["explain"], &manifest["options"]["max-text"]), (&json!(true), &json!(40)));
    assert_eq!(manifest["outputs"][0]["rows"], 21_000);
    let times = ["started", "finished"].map(|key| manifest[key].as_str().unwrap().to_owned());
    assert!(times[0] < times[1] && times.iter().all(|time| time.ends_with('Z')), "{times:?}");
    let here = folder.path().display().to_string();
    assert!(!manifest.to_string().contains(&here), "the manifest knows nothing of the machine");
}

#[test]
fn every_format_has_a_manifest_and_streams_have_none() {
    let folder = folder();
    for (to, output) in
        [("jsonl", "a.out"), ("sqlite", "b.out"), ("parquet", "c.out"), ("convokit", "d"), ("tree", "e.txt")]
    {
        let ran = run(program(folder.path()).args(["b.csv.gz", "--to", to, "-o", output]));
        assert_eq!(ran.code, 0, "{to}: {}", ran.err);
        assert_eq!(json_file(folder.path().join(format!("{output}.run.json")))["counts"]["rows"], 6000, "{to}");
    }
    let before = names(folder.path());
    assert_eq!(run(program(folder.path()).arg("b.csv.gz")).out.lines().count(), 6000);
    assert_eq!(run(program(folder.path()).args(["b.csv.gz", "-o", "/dev/null"])).code, 0);
    assert_eq!(run(program(folder.path()).args(["b.csv.gz", "-o", "a.out", "--no-manifest"])).code, 0);
    assert_eq!(names(folder.path()), before);
}

#[test]
fn pipes_are_quiet_and_files_get_one_line() {
    let folder = folder();
    let ran = run(program(folder.path()).arg("b.csv.gz"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let ran = run(program(folder.path()).args(["b.csv.gz", "-o", "x.jsonl"]));
    assert!(ran.err.starts_with("6,000 comments") && ran.err.trim_end().ends_with("in x.jsonl"), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    let ran = run(program(folder.path()).args(["b.csv.gz", "-o", "x.jsonl", "--quiet"]));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn without_context_every_comment_is_scored_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        json!({"id": "a", "thread_id": "t", "text": "The bridge is not safe, they say in the paper."}),
        json!({"id": "b", "thread_id": "t", "parent_id": "a", "text": "Did you even read it, you clown?"}),
        json!({"id": "c", "thread_id": "t", "parent_text": "Is it safe?", "text": "No, that is simply not true."}),
    ];
    let alone: Vec<Value> = rows.iter().map(|row| json!({"id": row["id"], "text": row["text"]})).collect();
    fs::write(folder.path().join("rows.jsonl"), crate::support::lines(&rows)).unwrap();
    fs::write(folder.path().join("alone.jsonl"), crate::support::lines(&alone)).unwrap();
    let with = run(program(folder.path()).arg("rows.jsonl")).records();
    let without = run(program(folder.path()).args(["rows.jsonl", "--no-context"])).records();
    let expected = run(program(folder.path()).arg("alone.jsonl")).records();
    for (found, expected) in without.iter().zip(&expected) {
        assert_eq!((&found["scores"], found.get("stance")), (&expected["scores"], None));
    }
    assert_eq!(without.iter().map(|r| r["depth"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(without[1]["parent_id"], "a", "who answers whom is still said");
    assert!(with[1]["stance"].is_object());
    let tree = run(program(folder.path()).args(["rows.jsonl", "--no-context", "--to", "tree"]));
    assert!(tree.code == 0 && !tree.out.contains("deny"), "{}", tree.out);
}
