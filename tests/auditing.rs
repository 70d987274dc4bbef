//! `polemic audit` as a user runs it: figures by identity, names, suites, attacks, limits and exit codes.

use std::collections::BTreeSet;
use std::path::Path;

use polemic::audit::suite::Suite;
use polemic::label;
use serde_json::{Value, json};

use crate::support::{Ran, lines, polemic, project, run, scored, write};

/// Runs the audit on rows (none: without data) with further files in its folder.
fn audit(rows: &[Value], files: &[(&str, &str)], flags: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let mut command = polemic();
    command.current_dir(folder.path()).arg("audit").args(["--resamples", "20"]).args(flags);
    for (name, content) in files {
        write(folder.path(), name, content);
    }
    if !rows.is_empty() {
        command.arg(write(folder.path(), "d.jsonl", lines(rows)));
    }
    run(&mut command)
}

fn figures(rows: &[Value], files: &[(&str, &str)], flags: &[&str]) -> Value {
    let ran = audit(rows, files, &[flags, &["--to", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// Civil and rude comments, of which every third mentions somebody.
fn rows() -> Vec<Value> {
    let subjects = ["the ferry", "my bus", "this bridge", "a muslim baker", "the school", "our Jewish neighbour"];
    let ends = ["and thanks for asking", "you pathetic clown", "says the report", "shut up, you idiot"];
    let row = |i: usize| {
        let text = format!("I waited {} minutes for {} {}", i % 17, subjects[i % 6], ends[(i / 2 + i) % 4]);
        json!({"text": text, "labels": {"insult": u8::from((i / 2 + i) % 2 == 1)}})
    };
    (0..160).map(row).collect()
}

/// The area under the ROC curve, by all pairs.
fn area(rows: &[(f64, bool)]) -> f64 {
    let of = |truth| rows.iter().filter(move |row| row.1 == truth).map(|row| row.0);
    let wins =
        of(true).flat_map(|p| of(false).map(move |n| if p > n { 1.0 } else { f64::from(u8::from(p >= n)) / 2.0 }));
    wins.sum::<f64>() / (of(true).count() * of(false).count()) as f64
}

#[test]
fn areas_by_identity_are_those_of_the_rows_that_they_are_said_to_be_of() {
    let mut rows = rows();
    for (i, row) in rows.iter_mut().enumerate() {
        row["identities"] = if i % 5 < 2 { json!(["sailor"]) } else { json!([]) };
    }
    let found = figures(&rows, &[], &["--label", "insult"]);
    let subgroup = &found["subgroups"][0]["identities"];
    assert_eq!(subgroup.as_array().unwrap().len(), 1, "the list counts only where a row states nothing: {subgroup}");
    assert_eq!(subgroup[0]["identity"], "sailor");
    let records = scored(&rows, &[]).records();
    let scored = rows.iter().zip(&records).enumerate();
    let scored: Vec<(usize, f64, bool)> = scored
        .map(|(i, (row, record))| (i, record["scores"]["insult"].as_f64().unwrap(), row["labels"]["insult"] == 1))
        .collect();
    let of = |keep: fn(bool, bool) -> bool| {
        let kept = scored.iter().filter(|(i, _, truth)| keep(i % 5 < 2, *truth));
        area(&kept.map(|(_, p, truth)| (*p, *truth)).collect::<Vec<_>>())
    };
    for (name, expected) in [
        ("subgroup_auc", of(|inside, _| inside)),
        ("bpsn_auc", of(|inside, truth| inside != truth)),
        ("bnsp_auc", of(|inside, truth| inside == truth)),
    ] {
        let figure = subgroup[0][name]["auc"].as_f64().unwrap();
        // Records round to six decimals, which may make a tie of a win.
        assert!((figure - expected).abs() < 0.01, "{name}: {figure} for {expected}");
    }
}

#[test]
fn terms_are_found_in_the_text_and_their_gaps_are_to_the_mean_of_terms() {
    let found = figures(&rows(), &[], &["--label", "insult", "--min-rows", "5", "--at-fpr", "0.3"]);
    let label = &found["subgroups"][0];
    let terms = label["terms"].as_array().unwrap();
    let names: Vec<&str> = terms.iter().map(|term| term["term"].as_str().unwrap()).collect();
    assert_eq!(names, ["muslim", "jewish"]);
    let gaps: f64 = terms.iter().map(|term| term["gap"].as_f64().unwrap()).sum();
    assert!(gaps.abs() < 1e-9);
    let overall = &label["false_positives"];
    assert!(overall["rate"].as_f64().unwrap() <= 0.3 && overall["n"] == 80, "{overall}");
    let other = [("own.toml", "[[identity]]\nname = \"trade\"\ngroup = \"work\"\nterms = [\"baker\"]")];
    let found = figures(&rows(), &other, &["--min-rows", "5", "--identities", "own.toml"]);
    assert_eq!(found["subgroups"][0]["terms"].as_array().unwrap().len(), 1);
    assert_eq!(found["subgroups"][0]["identities"][0]["group"], "work");
}

#[test]
fn attacks_change_the_heaviest_word_of_every_positive_row() {
    let found = figures(&rows(), &[], &["--label", "insult"]);
    let label = &found["robustness"][0];
    assert_eq!((&label["positives"], &label["negatives"]), (&json!(80), &json!(80)));
    let attacks = label["attacks"].as_array().unwrap();
    assert_eq!(attacks.len(), 8);
    let drop = |name: &str| attacks.iter().find(|a| a["attack"] == name).unwrap()["drop"].as_f64().unwrap();
    assert!(attacks.iter().all(|attack| attack["changed"] == 80), "{attacks:?}");
    assert!(drop("zero_width").abs() < 1e-9, "clean text has no zero width characters");
    assert!(drop("swap") >= 0.0, "a scrambled word weighs no more: {}", drop("swap"));
    let padding = &label["padding"];
    assert_eq!(padding["padded"].as_array().unwrap().len(), 3);
    assert_eq!(padding["caught"]["n"], 80);
}

#[test]
fn names_are_compared_by_origin() {
    let list = "frames = [\"You are {name}.\", \"{name} is here.\"]\n\
                [[origin]]\nname = \"rude\"\ngiven = [\"idiot\", \"clown\"]\n\
                [[origin]]\nname = \"plain\"\ngiven = [\"Berit\", \"Anna\"]";
    let found = figures(&[], &[("n.toml", list)], &["--names", "n.toml", "--label", "insult"]);
    let frames = &found["names"][0]["frames"];
    assert_eq!((&frames["texts"], &frames["origins"][0]["origin"]), (&json!(2), &json!("rude")));
    assert!(frames["gap"].as_f64().unwrap() > 0.0);
    assert_eq!(found["names"][0]["lowest"][0]["origin"], "plain");
    // In comments of the data, the name that stands there is replaced.
    let mut rows = rows();
    rows.push(json!({"text": "Thank you, Berit.", "labels": {"insult": 0}}));
    let found = figures(&rows, &[("n.toml", list)], &["--names", "n.toml", "--label", "insult"]);
    // "clown" and "idiot" stand in the rude rows as they are.
    assert_eq!(found["names"][0]["comments"]["texts"], 81);
}

/// A suite in which everything passes in one class and everything fails in the other.
const SUITE: &str = r#"
    name = "ours"
    [fillers]
    thing = ["ferry", "bus", "bridge"]
    [[test]]
    class = "sure"
    about = "what cannot fail"
    labels = ["insult"]
    above = 0.0
    templates = ["The {thing} is late."]
    [[test]]
    class = "hopeless"
    about = "what cannot pass"
    labels = ["insult", "no_such_label"]
    above = 1.0
    templates = ["The {thing} is late.", "Early."]
"#;

#[test]
fn suites_are_counted_by_class_and_failures_are_shown() {
    let found = figures(&[], &[("s.toml", SUITE)], &["--suite", "s.toml"]);
    let suite = &found["functional"][0];
    assert_eq!(
        suite["classes"][0]["passed"],
        json!({"n": 3, "hits": 3, "rate": 1.0, "interval": suite["classes"][0]["passed"]["interval"]})
    );
    assert_eq!((&suite["classes"][1]["passed"]["n"], &suite["classes"][1]["passed"]["hits"]), (&json!(4), &json!(0)));
    assert_eq!(suite["left_out"], json!(["no_such_label"]));
    let ran = audit(&[], &[("s.toml", SUITE)], &["--suite", "s.toml", "--show-failures", "2"]);
    assert!(ran.out.contains("hopeless (what cannot pass), failing:"), "{}", ran.out);
    assert_eq!(ran.out.matches("not 1.000 or more: ").count(), 2);
    let (ours, both) = (&["--suite", "s.toml"], &["--suite", "s.toml", "--suite", "hard-cases"]);
    assert_eq!(audit(&[], &[("s.toml", SUITE)], ours).out.matches("== functional tests").count(), 1);
    assert_eq!(audit(&[], &[("s.toml", SUITE)], both).out.matches("== functional tests").count(), 2);
}

#[test]
fn limits_decide_the_exit_code_and_are_named() {
    let with = |limits: &str| {
        audit(&[], &[("s.toml", SUITE), ("l.toml", limits)], &["--suite", "s.toml", "--limits", "l.toml"])
    };
    let held = with("[limits.functional]\nsure = 0.9\nhopeless = 0.0");
    assert_eq!(held.code, 0, "{}", held.err);
    let passed = with("[limits]\nname_gap_max = 0.0\n[limits.functional]\nsure = 0.9\n\"hopeless/insult\" = 0.5");
    assert_eq!(passed.code, 1);
    assert!(passed.err.contains("limit passed: functional.hopeless/insult = 0.5: 0.000"), "{}", passed.err);
    assert!(passed.err.contains("limit passed: name_gap_max = 0"), "{}", passed.err);
    assert!(!passed.err.contains("sure") && passed.out.contains("PASSED"), "{}", passed.err);
    let unmeasured = with("[limits]\nbpsn_auc_min = 0.8\n[limits.attacks]\nleet_drop_max = 0.1");
    assert_eq!(unmeasured.code, 0);
    assert!(unmeasured.err.contains("limit not checked: bpsn_auc_min"), "{}", unmeasured.err);
    for (limits, said) in [
        ("[limits.functional]\nshure = 0.9", "there is no class `shure`; there are hopeless, sure"),
        ("[limits]\nbpsn = 0.8", "unknown field `bpsn`"),
    ] {
        let ran = with(limits);
        assert!(ran.code == 2 && ran.err.contains(said), "{limits}: {} {}", ran.code, ran.err);
    }
    let data = audit(&rows(), &[("l.toml", "[limits.attacks]\nzero_width_drop_max = 0.0")], &["--limits", "l.toml"]);
    assert_eq!(data.code, 0, "{}", data.err);
}

#[test]
fn what_cannot_be_audited_is_an_error_with_a_remedy() {
    for (rows, flags, said) in [
        (Vec::new(), vec!["--label", "insullt"], "the model has no label `insullt`; it has incivility"),
        (Vec::new(), vec!["--suite", "none.toml"], "none.toml"),
        (Vec::new(), vec!["--at-fpr", "10"], "expected a share from 0 to 1"),
        (rows(), vec!["--label", "incivility"], "--map incivility=NAME"),
        (rows(), vec!["--min-rows", "90"], "lower --min-rows"),
    ] {
        let ran = audit(&rows, &[], &flags);
        assert!(ran.code == 2 && ran.err.contains(said), "{flags:?}: {}", ran.err);
    }
    let mapped = figures(&rows(), &[], &["--map", "incivility=insult", "--label", "incivility"]);
    assert_eq!(mapped["subgroups"][0]["label"], "incivility");
}

#[test]
fn the_same_seed_gives_the_same_audit_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let data = write(folder.path(), "d.jsonl", lines(&rows()));
    let with = |threads: &str, seed: &str| {
        let mut command = polemic();
        command.env("RAYON_NUM_THREADS", threads).arg("audit").arg(&data);
        run(command.args(["--to", "json", "--resamples", "20", "--seed", seed])).out
    };
    let one = with("1", "7");
    assert_eq!(one, with("3", "7"));
    assert_ne!(one, with("1", "8"));
}

#[test]
fn the_hard_cases_are_as_many_as_promised_and_ask_for_labels_of_the_product() {
    let suite = Suite::find(Path::new("hard-cases")).unwrap();
    assert_eq!(suite, Suite::find(&project("training-data/functional/hard-cases.toml")).unwrap());
    let templates: usize =
        suite.tests.iter().map(|test| test.cases.iter().map(|c| c.template).collect::<BTreeSet<_>>().len()).sum();
    let cases: usize = suite.tests.iter().map(|test| test.cases.len()).sum();
    assert!(templates >= 40 && cases >= 25 * templates, "{templates} templates, {cases} cases");
    for test in &suite.tests {
        assert!(test.labels.iter().all(|l| label::find(l).is_some()), "{}: {:?}", test.class, test.labels);
        let texts: BTreeSet<_> = test.cases.iter().map(|case| (&case.text, &case.other, &case.parent)).collect();
        assert_eq!(texts.len(), test.cases.len(), "{}: a case stands twice", test.class);
    }
}
