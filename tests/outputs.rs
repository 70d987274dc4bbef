//! The formats that `threads` and `score` write, through the command.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{polemic, run};

const EXPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/xml/wxr-1.2.xml");

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The ids, parents and texts of `records`.
fn core(records: &[Value]) -> Vec<[Value; 3]> {
    records.iter().map(|r| ["id", "parent_id", "text"].map(|key| r[key].clone())).collect()
}

#[test]
fn threads_in_every_format_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let plain = run(polemic().args(["threads", "--to", "jsonl", EXPORT])).records();
    assert!(plain.len() > 3 && plain[0]["title"] == "Trams & ferries: who pays?", "{plain:?}");
    for (name, to) in [("a.jsonl", None), ("a.csv", None), ("a.parquet", None), ("corpus", Some("convokit"))] {
        let path = folder.path().join(name);
        let mut command = polemic();
        command.args(["threads", EXPORT, "-o"]).arg(&path);
        if let Some(to) = to {
            command.args(["--to", to]);
        }
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        let again = run(polemic().args(["threads", "--to", "jsonl"]).arg(&path)).records();
        assert_eq!(core(&again), core(&plain), "{name}");
        for key in ["title", "url", "status", "created", "author", "quotes", "links"] {
            let of = |records: &[Value]| records.iter().map(|r| r[key].clone()).collect::<Vec<_>>();
            assert_eq!(of(&again), of(&plain), "{key} in {name}");
        }
    }
}

#[test]
fn a_database_answers_sql_about_stories_and_scores() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.db");
    let ran = run(polemic().args(["score", EXPORT, "-o"]).arg(&path));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let db = rusqlite::Connection::open(&path).unwrap();
    let query =
        "SELECT stories.title, count(*), count(scores.insult) FROM scores JOIN stories USING (thread_id) GROUP BY 1";
    let row = db.query_row(query, [], |r| Ok((r.get::<_, String>(0)?, r.get::<_, u32>(1)?, r.get::<_, u32>(2)?)));
    let (title, comments, scored) = row.unwrap();
    assert_eq!((title.as_str(), comments), ("Trams & ferries: who pays?", 5));
    assert_eq!(scored, 3, "deleted and spam comments have no score");
    let text: String = db.query_row("SELECT text FROM comments WHERE id = '101'", [], |r| r.get(0)).unwrap();
    assert!(!text.is_empty());
}

#[test]
fn scores_are_put_beside_a_corpus_without_touching_it() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    run(polemic().args(["threads", EXPORT, "--to", "convokit", "-o"]).arg(&corpus));
    let before = std::fs::read(corpus.join("utterances.jsonl")).unwrap();
    let ran = run(polemic().args(["score", "--to", "info"]).arg(&corpus));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(std::fs::read(corpus.join("utterances.jsonl")).unwrap(), before);
    let values = lines(&corpus.join("info.insult.jsonl"));
    assert_eq!(values.len(), 5);
    assert!(values[0]["value"].is_number() && values[0]["id"] == json!("101"), "{values:?}");
}

#[test]
fn formats_that_are_no_stream_ask_for_a_path() {
    for (to, what) in [("sqlite", "name a file"), ("convokit", "name a new folder"), ("info", "one ConvoKit corpus")] {
        let ran = run(polemic().args(["score", "--to", to, EXPORT]));
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(what), "{}", ran.err);
    }
    let ran = run(polemic().args(["threads", "--to", "info", EXPORT]));
    assert!(ran.code == 2 && ran.err.contains("use `polemic score`"), "{}", ran.err);
}

#[test]
fn what_holds_no_comment_in_any_format_is_an_error() {
    for (input, what) in
        [("{\"user\": 5, \"name\": \"Ann\"}\n", "no comment in it could be read as jsonl"), ("", "nothing to read")]
    {
        for verb in ["threads", "score"] {
            let ran = run(polemic().arg(verb).write_stdin(input));
            assert!(ran.code == 2 && ran.err.contains(what), "{}", ran.err);
        }
    }
}

#[test]
fn a_flat_page_and_a_table_of_threads_find_parents_by_quotation() {
    let said = "Nobody at the harbour office picks up the telephone.";
    let quoting = format!("> {said}\n\nThey did when I called.");
    let rows = |parent: bool| -> String {
        let row = |id: &str, text: &str| {
            let mut row = json!({"id": id, "thread_id": "t", "text": text});
            if parent {
                row["parent_id"] = Value::Null;
            }
            row
        };
        crate::support::lines(&[row("1", said), row("2", "Hm."), row("3", &quoting)])
    };
    for verb in ["threads", "score"] {
        let ran = run(polemic().args([verb, "--to", "jsonl"]).write_stdin(rows(false)));
        let parents: Vec<Value> = ran.records().iter().map(|r| r["parent_id"].clone()).collect();
        assert_eq!(parents.iter().filter(|p| **p == json!("1")).count(), 1, "{verb}: {parents:?}");
        assert!(ran.err.contains("1 replies known by what they quote alone"), "{}", ran.err);
        let ran = run(polemic().args([verb, "--to", "jsonl"]).write_stdin(rows(true)));
        assert!(ran.records().iter().all(|r| r["parent_id"].is_null()), "a column of parents has the word");
    }
    let page = format!(
        "<!doctype html><title>Ferries</title><ol class=\"commentlist\">{}</ol>",
        [
            format!("<p>{said}</p>"),
            "<p>Hm.</p>".into(),
            format!("<blockquote><p>{said}</p></blockquote><p>They did.</p>")
        ]
        .iter()
        .enumerate()
        .map(|(i, text)| {
            format!(
                "<li id=\"comment-{i}\" class=\"comment\"><cite class=\"fn\">Ann {i}</cite>\
                     <div class=\"comment-content\">{text}</div></li>"
            )
        })
        .collect::<Vec<_>>()
        .concat()
    );
    let records = run(polemic().args(["threads", "--to", "jsonl"]).write_stdin(page)).records();
    assert_eq!((records.len(), records[1]["parent_id"].clone()), (3, records[0]["id"].clone()), "{records:?}");
    assert_eq!(records[1]["quotes"][0], said);
}
