//! `polemic score` and `polemic threads` on pages, rows and hostile input, as a user runs them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{lines, model, page, polemic, run, scored, write};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn field<'a>(records: &'a [Value], name: &str) -> Vec<&'a Value> {
    records.iter().map(|r| &r[name]).collect()
}

fn labels() -> Vec<&'static str> {
    model().manifest.labels.iter().map(|l| l.name.as_str()).collect()
}

fn rows(n: usize) -> Vec<Value> {
    let text =
        |i: usize| format!("Comment {i}: the tram was late, {}", ["you clown!", "thanks.", "why?", "I agree"][i % 4]);
    let parent = |i: usize| (!i.is_multiple_of(3)).then(|| format!("r{}", i - i % 3));
    (0..n).map(|i| json!({"id": format!("r{i}"), "parent_id": parent(i), "text": text(i)})).collect()
}

#[test]
fn a_page_gives_one_record_a_comment_with_the_documented_keys_in_their_order() {
    let records = run(polemic().args(["score", "--to", "jsonl"]).arg(page("wordpress_signed.txt"))).records();
    assert_eq!(field(&records, "id"), ["1", "1.1", "1.1.1", "2"]);
    assert_eq!(field(&records, "parent_id"), [&json!(null), &json!("1"), &json!("1.1"), &json!(null)]);
    assert_eq!(field(&records, "depth"), [0, 1, 2, 0]);
    assert_eq!(records[0]["thread_id"], "wordpress_signed.txt");
    let root = ["id", "thread_id", "parent_id", "depth", "author", "created", "status", "scores", "model"];
    let reply = ["id", "thread_id", "parent_id", "depth", "author", "created", "status", "scores", "stance", "model"];
    assert_eq!((keys(&records[0]), keys(&records[1])), (root.to_vec(), reply.to_vec()));
    for record in &records {
        assert_eq!(keys(&record["scores"]), labels());
        assert!(record["scores"].as_object().unwrap().values().all(|p| (0.0..=1.0).contains(&p.as_f64().unwrap())));
        assert_eq!(record["model"], "small@0.1.0");
    }
    let stance = records[1]["stance"]["parent"].as_object().unwrap();
    assert_eq!(stance.keys().collect::<Vec<_>>(), ["support", "deny", "query", "comment"]);
    assert!((stance.values().map(|p| p.as_f64().unwrap()).sum::<f64>() - 1.0).abs() < 1e-4);
}

#[test]
fn a_flat_thread_has_no_parents_and_no_stance_toward_them() {
    let records = run(polemic().args(["score", "--to", "jsonl"]).arg(page("wpdiscuz_bare.txt"))).records();
    assert_eq!(records.len(), 6);
    assert!(records.iter().all(|r| r["parent_id"].is_null() && r["depth"] == 0 && r.get("stance").is_none()));
}

#[test]
fn a_page_without_comments_is_no_error_and_its_article_is_not_scored() {
    for verb in ["score", "threads"] {
        let ran = run(polemic().arg(verb).arg(page("article_with_list.txt")));
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{verb}");
        assert!(ran.err.contains("article_with_list.txt: no comments found"), "{}", ran.err);
    }
}

#[test]
fn what_cannot_be_scored_is_null_with_its_reason_and_spares_its_neighbours() {
    let german = "Das ist doch wirklich eine sehr schlechte Entscheidung, denn die Brücke wurde erst vor wenigen Jahren \
                  gebaut und niemand im Rathaus hat jemals die Anwohner gefragt, ob sie das überhaupt wollen.";
    let fine = "What a pathetic excuse, you clown.";
    let long = "late again ".repeat(500);
    let texts = [fine, "", " \n\t", "> you said so\n> twice", &long, german, fine];
    let rows: Vec<Value> = texts.iter().enumerate().map(|(i, t)| json!({"id": i, "text": t})).collect();
    let records = scored(&rows, &["--max-text", "4000"]).records();
    let reasons = [None, Some("empty"), Some("empty"), Some("only quoted"), Some("--max-text"), Some("deu"), None];
    assert_eq!(records.len(), reasons.len());
    for (record, reason) in records.iter().zip(reasons) {
        let scores = record["scores"].as_object().unwrap();
        assert_eq!(scores.keys().collect::<Vec<_>>(), labels());
        match reason {
            Some(reason) => {
                assert!(scores.values().all(Value::is_null), "{record}");
                assert_eq!(keys(&record["unscored"]), labels());
                assert!(record["unscored"]["insult"].as_str().unwrap().contains(reason), "{record}");
                assert!(record.get("stance").is_none());
            }
            None => assert!(scores.values().all(Value::is_number) && record.get("unscored").is_none(), "{record}"),
        }
    }
    assert_eq!(records[0]["scores"], records[6]["scores"]);
}

#[test]
fn rows_that_carry_a_parents_text_or_a_target_are_scored_with_them() {
    let row = json!({"id": "a", "text": "No, that is simply not true.", "author": "Ann"});
    let with = |key: &str, value: &str| {
        let mut row = row.clone();
        row[key] = value.into();
        row
    };
    let rows = [
        row.clone(),
        with("parent_text", "The bridge is safe."),
        with("parent_text", "No, that is simply not true. Is it?"),
        with("target", "the ferry"),
    ];
    let records = scored(&rows, &[]).records();
    assert!(records[0].get("stance").is_none());
    assert_eq!(records[1]["depth"], 1);
    assert_ne!(records[1]["stance"]["parent"], records[2]["stance"]["parent"]);
    let targets = &records[3]["stance"]["targets"];
    assert_eq!((keys(&records[3]["stance"]), keys(targets)), (vec!["targets", "toward"], vec!["the ferry"]));
    assert_eq!(keys(&targets["the ferry"]), ["favor", "against", "none"]);
    assert_eq!(records[0]["scores"]["insult"], records[1]["scores"]["insult"], "insult judges a comment alone");

    let asked = scored(&[row], &["--target", "the ferry", "--target", "Russia"]).records();
    assert_eq!(keys(&asked[0]["stance"]["targets"]), ["the ferry", "Russia"]);
}

#[test]
fn parents_may_stand_after_their_replies() {
    let root = json!({"id": "root", "text": "The mayor has sold the harbour."});
    let reply = json!({"id": "reply", "parent_id": "root", "text": "Did she? Where did you read that?"});
    let deep = json!({"id": "deep", "parent_id": "reply", "text": "In the paper, on page two."});
    let forward = scored(&[root.clone(), reply.clone(), deep.clone()], &[]).records();
    let backward = scored(&[deep, reply, root], &[]).records();
    assert_eq!(field(&backward, "depth"), [2, 1, 0]);
    assert_eq!(forward.iter().rev().collect::<Vec<_>>(), backward.iter().collect::<Vec<_>>());
}

#[test]
fn repeated_ids_rings_and_comments_that_answer_themselves_end() {
    let row = |id: &str, parent: &str| json!({"id": id, "parent_id": parent, "text": "so it goes round"});
    let rows = [row("a", "b"), row("b", "c"), row("c", "a"), row("d", "d"), row("a", "gone"), row("e", "a")];
    let ran = scored(&rows, &[]);
    assert_eq!(ran.records().len(), 6);
    assert!(ran.err.contains("replies to a comment that is not here"), "{}", ran.err);
    let ran = run(polemic().args(["score", "--to", "tree"]).write_stdin(lines(&rows)));
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("1 repeated ids") && ran.err.contains("2 replies in a ring"), "{}", ran.err);
}

#[test]
fn several_files_and_standard_input_follow_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let csv = write(folder.path(), "a.csv", "id,text\nx,first of all\ny,second\n");
    let ran = run(polemic().args(["score", "--to", "jsonl"]).args([&page("wordpress_signed.txt"), &csv]));
    assert_eq!(field(&ran.records(), "id"), ["1", "1.1", "1.1.1", "2", "x", "y"]);
    let piped = run(polemic().args(["score", "--to", "jsonl", "-"]).pipe_stdin(&csv).unwrap());
    assert_eq!(field(&piped.records(), "id"), ["x", "y"]);
}

#[test]
fn an_input_that_cannot_be_read_is_named_and_the_others_are_scored() {
    let ran = run(polemic().args(["score", "missing.jsonl"]).arg(page("wordpress_signed.txt")));
    assert_eq!((ran.code, ran.out.lines().count()), (2, 4));
    assert_eq!(ran.err.matches("No such file").count(), 1, "{}", ran.err);
    assert!(ran.err.contains("missing.jsonl") && ran.err.contains("1 of 2 inputs were scored"), "{}", ran.err);
    let binary = run(polemic().arg("score").write_stdin([0u8, 159, 1, 2, 0, 0, 7].repeat(90)));
    assert_eq!((binary.code, binary.out.as_str()), (2, ""));
    assert!(binary.err.contains("binary") && binary.err.contains("give comments as"), "{}", binary.err);
}

#[test]
fn csv_has_one_column_a_label_and_class() {
    let rows = [
        json!({"id": "1", "text": "Buses, \"trams\"\nand ferries"}),
        json!({"id": "2", "parent_id": "1", "text": "What about bikes?", "author": "Bo, the rider"}),
        json!({"id": "3", "text": ""}),
    ];
    let ran = run(polemic().args(["score", "--to", "csv", "--with-text"]).write_stdin(lines(&rows)));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut table = csv::Reader::from_reader(ran.out.as_bytes());
    let header = table.headers().unwrap().clone();
    let mut expected = vec!["id", "thread_id", "parent_id", "depth", "author", "created", "status", "text"];
    expected.extend(labels());
    expected.push("unscored");
    expected.extend(["support", "deny", "query", "comment"].map(|c| ["stance_parent_", c].concat().leak() as &str));
    assert_eq!(header.iter().take(expected.len()).collect::<Vec<_>>(), expected);
    assert_eq!(header.iter().next_back(), Some("model"));
    let records: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| records[row].get(header.iter().position(|h| h == name).unwrap()).unwrap();
    assert_eq!((cell(0, "text"), cell(1, "author")), ("Buses, \"trams\"\nand ferries", "Bo, the rider"));
    assert_eq!((cell(0, "stance_parent_deny"), cell(2, "insult"), cell(2, "unscored")), ("", "", "empty"));
    let jsonl = scored(&rows, &[]).records();
    assert_eq!(cell(1, "insult"), jsonl[1]["scores"]["insult"].to_string());
    let deny = jsonl[1]["stance"]["parent"]["deny"].to_string();
    assert_eq!(cell(1, "stance_parent_deny"), deny);
}

#[test]
fn a_tree_shows_names_labels_that_stand_out_and_a_summary() {
    let ran = run(polemic().args(["score", "--to", "tree"]).arg(page("wordpress_signed.txt")));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "Harbour Bridge Reopens After Nine Months of Repairs");
    assert!(lines[1].starts_with("Orla Fenwick") && lines[2].starts_with("  Bram \"Rivet\" Oduya"), "{}", ran.out);
    assert!(lines[3].starts_with("    Orla Fenwick") && lines[4].starts_with("Quill42"), "{}", ran.out);
    assert!(lines[5].starts_with("4 comments") && lines[5].ends_with("(small@0.1.0)"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "no colours when piped");
}

#[test]
fn control_characters_of_a_comment_do_not_reach_the_terminal() {
    let row = json!({"id": "1", "author": "\u{1b}[31mEve", "text": "look \u{1b}]0;title\u{7} here"});
    let ran = run(polemic().args(["score", "--to", "tree"]).write_stdin(lines(&[row])));
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{7}'), "{:?}", ran.out);
}

#[test]
fn text_and_explanations_are_added_when_asked_for() {
    let row = json!({"id": "1", "text": "you pathetic clown, go away"});
    let record = &scored(&[row], &["--with-text", "--explain"]).records()[0];
    assert_eq!(
        keys(record),
        ["id", "thread_id", "parent_id", "depth", "author", "created", "status", "text", "scores", "explain", "model"]
    );
    let over: Vec<&str> = model()
        .manifest
        .labels
        .iter()
        .map(|l| (l, record["scores"][&l.name].as_f64().unwrap()))
        .filter(|(l, p)| *p >= f64::from(l.threshold))
        .map(|(l, _)| l.name.as_str())
        .collect();
    assert!(!over.is_empty());
    assert_eq!(keys(&record["explain"]), over, "labels that reach their threshold are explained");
    let sum = |e: &Value| e["shares"].as_array().unwrap().iter().map(|s| s["share"].as_f64().unwrap()).sum::<f64>();
    for label in over {
        let e = &record["explain"][label];
        let rest = e["base"].as_f64().unwrap() + e["rest"].as_f64().unwrap() + sum(e);
        assert!((rest - e["logit"].as_f64().unwrap()).abs() < 1e-4, "{label}: {e}");
    }
}

#[test]
fn a_limit_that_is_reached_gives_exit_code_1_and_all_records() {
    let rows = rows(8);
    for (limit, code) in [("insult=0", 1), ("insult=1", 0), ("incivility=0.0000001", 1)] {
        let ran = scored(&rows, &["--fail-on", limit]);
        assert_eq!((ran.code, ran.out.lines().count()), (code, 8), "{limit}: {}", ran.err);
    }
    let unscored = scored(&[json!({"text": ""})], &["--fail-on", "insult=0"]);
    assert_eq!(unscored.code, 0, "no score reaches no limit");
    for (limit, words) in
        [("insullt", "no label `insullt`"), ("insult=2", "`2` is no probability 0..1"), ("insult=nan", "`nan`")]
    {
        let ran = scored(&rows, &["--fail-on", limit]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    assert!(scored(&rows, &["--fail-on", "x"]).err.contains("the model has incivility, toxicity, insult"));
}

#[test]
fn the_same_bytes_come_out_whatever_the_number_of_threads() {
    let rows = rows(9000);
    let on = |n: &str| scored(&rows, &["--threads", n]).out;
    let one = on("1");
    let ids: Vec<String> = one.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["id"].to_string()).collect();
    assert_eq!(ids, (0..9000).map(|i| format!("\"r{i}\"")).collect::<Vec<_>>(), "in the order of the rows");
    assert!(one == on("2") && one == on("4"));
}

#[test]
fn bad_rows_are_counted_and_kept_and_strict_makes_them_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let input = "{\"id\":1,\"text\":\"fine\"}\n{\"id\":2,\"text\":\n{\"id\":3}\n{\"id\":4,\"text\":\"fine too\"}\n";
    let rejects = folder.path().join("bad.jsonl");
    for (strict, code) in [(&[][..], 0), (&["--strict"][..], 2)] {
        let ran =
            run(polemic().args(["score", "--to", "jsonl", "--rejects"]).arg(&rejects).args(strict).write_stdin(input));
        assert_eq!((ran.code, ran.out.lines().count()), (code, 2));
        assert!(ran.err.contains("standard input:2:") && ran.err.contains("2 rows could not be used"), "{}", ran.err);
        let kept = std::fs::read_to_string(&rejects).unwrap();
        let kept: Vec<Value> = kept.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(field(&kept, "line"), [2, 3]);
        assert_eq!((&kept[1]["row"], &kept[1]["place"]), (&json!("{\"id\":3}"), &json!("standard input")));
        assert!(kept.iter().all(|k| !k["reason"].as_str().unwrap().is_empty()));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(folder.path(), "rows.jsonl", lines(&rows(20_000)));
    let script =
        format!("'{}' score '{}' | head -n 1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_polemic"), input.display());
    let mut bash = assert_cmd::Command::new("bash");
    let ran = run(bash.args(["-c", &script]).env("POLEMIC_MODEL", crate::support::model_folder()));
    assert_eq!((ran.code, ran.out.lines().count()), (0, 1), "{}", ran.err);
}

#[test]
fn threads_have_their_own_schema() {
    let records = run(polemic().args(["threads", "--to", "jsonl"]).arg(page("wordpress_signed.txt"))).records();
    let expected = [
        "id",
        "thread_id",
        "parent_id",
        "depth",
        "author",
        "created",
        "status",
        "title",
        "url",
        "text",
        "omitted",
        "quotes",
        "links",
    ];
    assert!(records.iter().all(|r| keys(r) == expected));
    assert_eq!(field(&records, "depth"), [0, 1, 2, 0]);
    let rows = [
        json!({"id": "a", "text": "The bridge is not safe at all, they say."}),
        json!({"id": "b", "parent_id": "a", "text": "> The bridge is not safe at all, they say.\n\nWho says?"}),
    ];
    let records = run(polemic().arg("threads").write_stdin(lines(&rows))).records();
    assert_eq!((&records[0]["author"], &records[0]["quotes"]), (&json!(null), &json!([])));
    assert!(records[1]["quotes"][0].as_str().unwrap().contains("The bridge is not safe"), "{}", records[1]);
}

#[test]
fn repairs_are_said_or_written_as_json() {
    let row = |id: &str, parent: Value| json!({"id": id, "parent_id": parent, "text": "hm"});
    let rows = lines(&[row("a", json!(null)), row("a", json!("a")), row("b", json!("gone")), row("c", json!("c"))]);
    let ran = run(polemic().arg("threads").write_stdin(rows.clone()));
    for said in ["1 replies to a comment that is not here", "1 replies in a ring", "1 repeated ids"] {
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("repairs.json");
    let quiet = run(polemic().args(["threads", "--repairs"]).arg(&path).write_stdin(rows));
    assert_eq!((quiet.err.as_str(), &quiet.out), ("", &ran.out));
    let repairs: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(
        repairs,
        json!({"missing_parents": [["b", "gone"]], "cycles": ["c"], "duplicate_ids": ["a"], "missing_comments": 0, "not_listed": 0})
    );
    assert_eq!(field(&ran.records(), "id"), ["a", "a~2", "b", "c"]);
}

#[test]
fn an_id_that_is_made_up_is_none_of_the_source() {
    let row = |id: &str, parent: Option<&str>| json!({"id": id, "parent_id": parent, "text": "hm"});
    let rows = lines(&[row("a", None), row("a", None), row("a~2", None), row("b", Some("a~2")), row("a", None)]);
    let records = run(polemic().arg("threads").write_stdin(rows)).records();
    assert_eq!(field(&records, "id"), ["a", "a~3", "a~2", "b", "a~4"]);
    assert_eq!(records[3]["parent_id"], "a~2");
}

#[test]
fn a_chain_of_100_000_replies_is_read_and_scored() {
    let mut input = String::new();
    for i in 0..100_000 {
        let parent = if i == 0 { "null".to_owned() } else { format!("\"c{}\"", i - 1) };
        let _ = writeln!(input, "{{\"id\":\"c{i}\",\"parent_id\":{parent},\"text\":\"no\"}}");
    }
    let input = input + "{\"parent_id\":\"c2\",\"text\":\"nameless\"}\n";
    for verb in ["threads", "score"] {
        let ran = run(polemic().args([verb, "--to", "jsonl"]).write_stdin(input.clone()));
        assert_eq!(ran.code, 0, "{}", ran.err);
        let depths: BTreeSet<u64> = ran.records().iter().map(|r| r["depth"].as_u64().unwrap()).collect();
        assert_eq!(depths.last(), Some(&99_999), "{verb}");
        if verb == "threads" {
            let nameless = "{\"id\":\"100001\",\"thread_id\":null,\"parent_id\":\"c2\",\"depth\":3";
            assert!(ran.out.contains(nameless));
        }
    }
}

#[test]
fn an_input_is_never_overwritten_and_nothing_is_created_for_a_missing_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.jsonl");
    std::fs::write(&file, "{\"text\":\"hello there\"}\n").unwrap();
    let ran = run(polemic().arg("score").arg(&file).arg("-o").arg(&file));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("is an input and the output"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"text\":\"hello there\"}\n");
    let (missing, out) = (dir.path().join("missing.jsonl"), dir.path().join("out.jsonl"));
    let ran = run(polemic().arg("score").arg(&missing).arg("-o").arg(&out));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(!out.exists());
}
