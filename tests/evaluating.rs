//! `polemic evaluate` as a user runs it: tables, JSON, mappings, groups, and that it measures what `score` says.

use serde_json::{Value, json};

use crate::support::{Ran, lines, polemic, project, run, scored};

fn evaluate(rows: &[Value], flags: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let data = crate::support::write(folder.path(), "d.jsonl", lines(rows));
    run(polemic().arg("evaluate").arg(data).args(["--resamples", "50"]).args(flags))
}

fn figures(rows: &[Value], flags: &[&str]) -> Value {
    let ran = evaluate(rows, &[flags, &["--json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The rows of our test file, and what `score` says of them.
fn own() -> (Vec<Value>, Vec<Value>) {
    let text = std::fs::read_to_string(project("training-data/test.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let records = scored(&rows, &[]).records();
    (rows, records)
}

/// Rows whose `insult` is what the model says, or the opposite.
fn judged(agree: bool) -> Vec<Value> {
    let (rows, records) = own();
    let insult = |r: &Value| r["scores"]["insult"].as_f64().unwrap();
    let mut all: Vec<f64> = records.iter().map(insult).collect();
    all.sort_by(f64::total_cmp);
    let middle = all[all.len() / 2];
    let judge = |(row, record): (&Value, &Value)| json!({"text": row["text"], "parent_text": row["parent_text"], "labels": {"insult": u8::from((insult(record) >= middle) == agree)}});
    rows.iter().zip(&records).map(judge).collect()
}

#[test]
fn perfect_and_hopeless_scores_get_the_figures_they_deserve() {
    for (agree, auc) in [(true, 1.0), (false, 0.0)] {
        let rows = judged(agree);
        let found = &figures(&rows, &[])["groups"][0]["labels"][0];
        assert_eq!((&found["label"], &found["scored"]), (&json!("insult"), &json!(rows.len())));
        assert_eq!(found["figures"]["roc_auc"], auc);
        assert_eq!(found["intervals"]["roc_auc"], json!([auc, auc]));
        let best = found["figures"]["best_f1"].as_f64().unwrap();
        assert!(if agree { best > 0.999 } else { best < 0.7 }, "{best}");
    }
}

#[test]
fn the_stance_table_counts_what_score_says() {
    let (rows, records) = own();
    let json = figures(&rows, &[]);
    let stances = json["groups"][0]["stances"].as_array().unwrap();
    let parent = stances.iter().find(|s| s["name"] == "parent").unwrap();
    let classes = ["support", "deny", "query", "comment"];
    let mut expected = vec![vec![0u64; 4]; 4];
    for (row, record) in rows.iter().zip(&records) {
        let Some(truth) = row["reply_stance"].as_str() else { continue };
        let p = classes.map(|c| record["stance"]["parent"][c].as_f64().unwrap());
        let best = (0..4).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap();
        expected[classes.iter().position(|c| *c == truth).unwrap()][best] += 1;
    }
    assert_eq!(parent["figures"]["confusion"], json!(expected));
    assert_eq!(parent["figures"]["n"], expected.iter().flatten().sum::<u64>());
    assert!(parent["figures"]["macro_f1"].as_f64().unwrap() > 0.3);
}

#[test]
fn the_table_has_a_line_a_label_and_a_matrix_of_stances() {
    let (rows, _) = own();
    let ran = evaluate(&rows, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let line =
        |start: &str| ran.out.lines().find(|l| l.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{}", ran.out));
    let header = line("label");
    for column in ["n", "positives", "ROC AUC [95 %]", "AP", "F1 (at)", "best F1 (at)", "Brier", "ECE (own)"] {
        assert!(header.contains(column), "{header}");
    }
    let cells: Vec<&str> = line("incivility").split_whitespace().collect();
    assert_eq!(cells[1..3], ["536", "129"]);
    assert!(line("Stance on parent").contains("macro-F1") && line("true class").contains("as deny"), "{}", ran.out);
    assert!(ran.out.starts_with("Model: small@0.1.0\n"));
}

#[test]
fn labels_are_compared_under_another_name() {
    let rows: Vec<Value> = judged(true)
        .into_iter()
        .map(
            |r| json!({"text": r["text"], "parent_text": r["parent_text"], "labels": {"nasty": r["labels"]["insult"]}}),
        )
        .collect();
    let found = &figures(&rows, &["--map", "insult=nasty"])["groups"][0]["labels"];
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!((&found[0]["label"], &found[0]["against"]), (&json!("insult"), &json!("nasty")));
    assert_eq!(found[0]["figures"]["roc_auc"], 1.0);
    assert!(evaluate(&rows, &["--map", "insult=nasty"]).out.contains("insult / nasty"));
    for (map, words) in [
        ("insullt=nasty", "the model has no label `insullt`; it has incivility"),
        ("insult=nasti", "no row has the label `nasti`"),
        ("insult", "expected OURS=THEIRS"),
    ] {
        let ran = evaluate(&rows, &["--map", map]);
        assert!(ran.code == 2 && ran.err.contains(words), "{}", ran.err);
    }
}

#[test]
fn figures_are_split_by_a_field() {
    let (rows, _) = own();
    let json = figures(&rows, &["--by", "meta.topic"]);
    let groups = json["groups"].as_array().unwrap();
    let n: u64 = groups.iter().map(|g| g["labels"][0]["scored"].as_u64().unwrap()).sum();
    assert_eq!(n, rows.len() as u64);
    for group in groups {
        let name = group["name"].as_str().unwrap();
        let rows = rows.iter().filter(|r| r["meta"]["topic"] == name).count();
        assert_eq!(group["labels"][0]["scored"], rows, "{name}");
    }
    let none = figures(&rows, &["--by", "meta.nothing"]);
    assert_eq!(none["groups"][0]["name"], "(none)");
}

#[test]
fn what_cannot_be_scored_or_read_is_counted() {
    let mut rows = judged(true);
    rows.push(json!({"text": "", "labels": {"insult": 0}}));
    rows.push(json!({"text": "a", "labels": {"insult": 3}}));
    let ran = evaluate(&rows, &[]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("note: insult: 1 row without a score left out"), "{}", ran.out);
    assert!(ran.err.contains("1 rows could not be used"), "{}", ran.err);
    assert_eq!(evaluate(&rows, &["--strict"]).code, 2);
    let empty = evaluate(&[], &[]);
    assert!(empty.code == 2 && empty.err.contains("nothing to read"), "{}", empty.err);
}
