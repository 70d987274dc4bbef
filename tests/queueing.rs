//! `polemic queue` as a user runs it: the same every time, none twice, the uncertain first, and ready to be labelled.

use std::collections::BTreeSet;

use polemic::model::Model;
use serde_json::{Value, json};

use crate::support::{Ran, bus_row, lines, page, polemic, project, run, write};

fn comments() -> Vec<Value> {
    let text = std::fs::read_to_string(project("training-data/train.jsonl")).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        json!({"id": row["id"], "text": row["text"], "parent_text": row["parent_text"]})
    };
    text.lines().map(row).collect()
}

fn queue(rows: &[Value], flags: &[&str]) -> Ran {
    run(polemic().arg("queue").args(flags).write_stdin(lines(rows)))
}

fn texts(picked: &[Value]) -> Vec<String> {
    picked.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

fn uncertainty(row: &Value) -> f64 {
    row["why"]["uncertainty"].as_f64().unwrap()
}

#[test]
fn the_same_comments_are_picked_whatever_the_number_of_threads() {
    let rows = comments();
    let picked = queue(&rows, &["-n", "40"]);
    let records = picked.records();
    assert_eq!(records.len(), 40);
    assert_eq!(picked.out, queue(&rows, &["-n", "40", "--threads", "1"]).out);
    assert_eq!(texts(&records).into_iter().collect::<BTreeSet<_>>().len(), 40);
    assert!(picked.err.contains(&format!("40 of {} comments picked", rows.len())), "{}", picked.err);
    let few = queue(&rows[..30], &["-n", "40"]).records();
    assert!(few.len() > 20 && few.len() <= 30);
}

#[test]
fn uncertain_comments_come_before_others() {
    let rows = comments();
    let picked = queue(&rows, &["-n", "40", "--label", "insult"]).records();
    let random = queue(&rows, &["-n", "300", "--label", "insult", "--random"]).records();
    let mean = |rows: &[Value]| rows.iter().map(uncertainty).sum::<f64>() / rows.len() as f64;
    assert!(mean(&picked) > 1.5 * mean(&random), "{} {}", mean(&picked), mean(&random));
    let most = random.iter().map(uncertainty).fold(0.0, f64::max);
    assert!(uncertainty(&picked[0]) >= most, "the first one is the least certain of all");
    // What is stated is what `score` says: near to the threshold on the scale of log-odds.
    let model = Model::open(crate::support::model_folder()).unwrap();
    let threshold = f64::from(model.manifest.labels[model.label("insult").unwrap()].threshold);
    let logit = |p: f64| (p / (1.0 - p)).ln();
    for row in picked.iter().filter(|row| row["scores"]["insult"].as_f64().unwrap() > 1e-3) {
        let distance = (logit(row["scores"]["insult"].as_f64().unwrap()) - logit(threshold)).abs();
        assert!((uncertainty(row) - 2.0 / (1.0 + distance.exp())).abs() < 1e-2, "{row}");
        assert_eq!((&row["why"]["label"], &row["why"]["picked"]), (&json!("insult"), &json!("uncertain")));
    }
}

#[test]
fn near_duplicates_of_a_comment_are_picked_once() {
    let mut rows = comments();
    let first = queue(&rows, &["-n", "1"]).records()[0]["text"].as_str().unwrap().to_owned();
    rows.extend((0..60).map(|i| json!({"text": format!("{first} {i}")})));
    rows.extend((0..60).map(|_| json!({"text": format!("  {}", first.to_uppercase().to_lowercase())})));
    let picked = texts(&queue(&rows, &["-n", "60"]).records());
    let start = first.to_lowercase();
    assert_eq!(picked.iter().filter(|text| text.trim().to_lowercase().starts_with(&start)).count(), 1);
    assert_eq!(picked.len(), 60);
}

#[test]
fn labelled_comments_are_left_out_by_text_and_by_their_place_in_a_thread() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Value> = (0..40)
        .map(|i| json!({"id": i.to_string(), "thread_id": "t", "text": format!("{} {i}", bus_row(i).0)}))
        .collect();
    let labelled = [
        json!({"text": rows[3]["text"].as_str().unwrap().to_uppercase(), "labels": {"insult": 1}}),
        json!({"id": "7", "thread_id": "t", "text": "since edited"}),
        json!({"id": "11", "text": "another eleventh comment"}),
        json!({"id": "12", "thread_id": "u", "text": "another twelfth comment"}),
    ];
    let file = write(folder.path(), "l.jsonl", lines(&labelled));
    let ran = queue(&rows, &["-n", "40", "--random", "--labelled", file.to_str().unwrap()]);
    let ids: BTreeSet<String> = ran.records().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 38, "{}", ran.err);
    assert!(!ids.contains("3") && !ids.contains("7") && ids.contains("11") && ids.contains("12"));
    assert!(ran.err.contains("38 of 40 comments picked, 2 had been labelled"), "{}", ran.err);
}

#[test]
fn a_random_sample_depends_on_the_seed_and_not_on_the_order() {
    let mut rows = comments();
    let sample = |rows: &[Value], seed: &str| texts(&queue(rows, &["-n", "100", "--random", "--seed", seed]).records());
    let (one, two) = (sample(&rows, "1"), sample(&rows, "2"));
    rows.reverse();
    assert_eq!(one, sample(&rows, "1"));
    let both = one.iter().filter(|text| two.contains(text)).count();
    // 100 of some 690: two samples share about 14.
    assert!((3..35).contains(&both), "{both}");
    let record = &queue(&rows, &["-n", "1", "--random"]).records()[0];
    assert_eq!(record["why"]["picked"], "random");
}

#[test]
fn what_is_picked_teaches_once_its_labels_are_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Value> = (0..240)
        .map(|i| json!({"id": format!("c{i}"), "text": bus_row(i).0 + &format!(" stop {}", i * 7), "parent_id": (i > 0).then(|| format!("c{}", i - 1))}))
        .collect();
    let mut picked = queue(&rows, &["-n", "150", "--label", "insult", "--label", "toxicity"]).records();
    assert!(picked.len() >= 60, "{}", picked.len());
    assert!(picked.iter().all(|row| row["labels"] == json!({"toxicity": null, "insult": null})
        || row["labels"] == json!({"insult": null, "toxicity": null})));
    assert!(picked.iter().filter(|row| row["parent_text"].is_string()).count() >= picked.len() - 1);
    for row in &mut picked {
        let i: usize = row["id"].as_str().unwrap()[1..].parse().unwrap();
        row["labels"]["insult"] = u8::from(bus_row(i).1).into();
    }
    let file = write(folder.path(), "feedback.jsonl", lines(&picked));
    let out = folder.path().join("m");
    let ran = run(crate::support::bare().arg("train").arg(file).arg("-o").arg(&out).args(["--min-rows", "10"]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let labels: Vec<String> = Model::open(&out).unwrap().manifest.labels.into_iter().map(|l| l.name).collect();
    assert_eq!(labels, ["insult"]);
}

#[test]
fn pages_are_read_and_mistakes_are_named() {
    let path = page("wordpress_numbered_replies.txt");
    let ran = run(polemic().arg("queue").arg(&path).args(["-n", "3"]));
    assert_eq!(ran.records().len(), 3, "{}", ran.err);
    for (flags, words) in [
        (&["--label", "insullt"][..], "no label `insullt` in the model small@0.1.0"),
        (&["-n", "0"], "nothing to pick"),
        (&["-o", path.to_str().unwrap()], "is an input and the output"),
    ] {
        let ran = run(polemic().arg("queue").arg(&path).args(flags));
        assert!(ran.code == 2 && ran.err.contains(words), "{}", ran.err);
    }
}
