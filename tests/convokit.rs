//! Corpora that are what `ConvoKit` expects, and corpora of others.

use std::fs;
use std::path::Path;

use polemic::read;
use polemic::read::entry::Entry;
use polemic::read::rows::{BadRow, Options};
use polemic::record::StoryRecord;
use polemic::thread::Status;
use polemic::write::{Info, ScoreWriter, Shape};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::writers::{comment, entries, harbour, read_back, score_writer, scored, shape, unscored, write, writer};

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_root_opens_a_conversation_of_a_corpus() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("corpus");
    write("convokit", &folder, &harbour());
    let utterances = lines(&folder.join("utterances.jsonl"));
    let said = |name: &str| -> Vec<&Value> { utterances.iter().map(|utterance| &utterance[name]).collect() };
    assert_eq!(said("id"), ["k1", "k2", "k3", "k4", "t1", "t2", "p1"]);
    assert_eq!(said("conversation_id"), ["k1", "k1", "k1", "k4", "t1", "t1", "p1"]);
    assert_eq!(
        said("reply-to"),
        [&Value::Null, &json!("k1"), &json!("k2"), &Value::Null, &Value::Null, &json!("t1"), &Value::Null]
    );
    assert_eq!(said("speaker")[..2], ["Ines", "[unknown]"]);
    assert_eq!(said("timestamp")[..2], [&json!(1_709_278_200), &Value::Null]);
    assert_eq!(utterances[1]["meta"]["created"], "2024-03-01T09:30:00");
    assert_eq!(utterances[3]["meta"]["status"], "deleted");
    assert_eq!(
        json_of(&folder.join("speakers.json")),
        json!({"Ines": {"meta": {}, "vectors": []}, "[unknown]": {"meta": {}, "vectors": []}})
    );
    let conversations = json_of(&folder.join("conversations.json"));
    assert_eq!(conversations.as_object().unwrap().keys().collect::<Vec<_>>(), ["k1", "k4", "t1", "p1"]);
    assert_eq!(conversations["k4"]["meta"]["title"], "Harbour bridge stays shut until May");
    assert_eq!(conversations["k4"]["meta"]["thread_id"], "harbour");
    let index = json_of(&folder.join("index.json"));
    for utterance in &utterances {
        for name in utterance["meta"].as_object().unwrap().keys() {
            assert!(index["utterances-index"][name].is_array(), "{name}");
        }
    }
    assert!(json_of(&folder.join("corpus.json")).is_object());
    // Python reads in the encoding of the system.
    assert!(fs::read(folder.join("conversations.json")).unwrap().is_ascii());
}

#[test]
fn ids_that_stand_twice_in_a_corpus_get_their_threads_id() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("corpus");
    let records = [
        comment("a", "1", None, "One"),
        comment("a", "2", Some("1"), "Two"),
        comment("b", "1", None, "Eins"),
        comment("b", "2", Some("1"), "Zwei"),
        comment("b", "1", Some("2"), "Noch einmal"),
        comment("c", "b/1", None, "Taken"),
    ];
    write("convokit", &folder, &records);
    let utterances = lines(&folder.join("utterances.jsonl"));
    let links: Vec<(&Value, &Value, &Value)> =
        utterances.iter().map(|u| (&u["id"], &u["reply-to"], &u["conversation_id"])).collect();
    let none = &Value::Null;
    let expected = ["1", "2", "b/1~3", "b/2", "b/1~5", "b/1"].map(Value::from);
    let [first, second, eins, zwei, again, taken] = &expected;
    assert_eq!(
        links,
        [
            (first, none, first),
            (second, first, first),
            (eins, none, eins),
            (zwei, eins, eins),
            (again, zwei, eins),
            (taken, none, taken)
        ]
    );
    assert_eq!(utterances[2]["meta"]["id"], "1");
    assert_eq!(read_back(&folder).len(), 6);
}

#[test]
fn replies_before_their_parents_and_without_them_and_in_rings_make_whole_conversations() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("corpus");
    let records = [
        comment("t", "late", Some("root"), "Newest first"),
        comment("t", "root", None, "Oldest"),
        comment("t", "orphan", Some("gone"), "To whom?"),
        comment("t", "self", Some("self"), "To me"),
        comment("t", "x", Some("y"), "Ring"),
        comment("t", "y", Some("x"), "Ring"),
        comment("t", "tail", Some("x"), "Below the ring"),
    ];
    write("convokit", &folder, &records);
    let utterances = lines(&folder.join("utterances.jsonl"));
    let conversations: Vec<&Value> = utterances.iter().map(|u| &u["conversation_id"]).collect();
    assert_eq!(conversations, ["root", "root", "orphan", "self", "x", "x", "x"]);
    for utterance in &utterances {
        assert_eq!(utterance["reply-to"].is_null(), utterance["id"] == utterance["conversation_id"], "{utterance}");
    }
    assert_eq!(utterances[2]["meta"]["parent_id"], "gone");
}

#[test]
fn a_corpus_of_a_long_chain_has_one_conversation() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("corpus");
    let mut writer = writer("convokit", &folder);
    for i in 0..50_000u32 {
        let parent = i.checked_sub(1).map(|p| p.to_string());
        writer.write(&comment("t", &i.to_string(), parent.as_deref(), "On and on")).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(json_of(&folder.join("conversations.json")).as_object().unwrap().len(), 1);
    assert_eq!(read_back(&folder).last().unwrap().depth, 49_999);
}

#[test]
fn scores_are_meta_fields_of_a_corpus() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("corpus");
    let mut writer = score_writer("convokit", &folder);
    writer.story(&StoryRecord { thread_id: Some("t".into()), title: Some("Bridge".into()), url: None }).unwrap();
    writer.write(&scored("t", "a", None)).unwrap();
    writer.write(&unscored("t", "b")).unwrap();
    writer.finish().unwrap();
    let utterances = lines(&folder.join("utterances.jsonl"));
    assert_eq!(utterances[0]["meta"]["toxicity"], json!(0.123_457));
    assert_eq!(utterances[0]["text"], "Typical of this mayor.");
    assert_eq!(utterances[1]["meta"]["toxicity"], Value::Null);
    assert_eq!(utterances[1]["meta"]["unscored"], "language");
    assert_eq!(json_of(&folder.join("corpus.json"))["polemic"]["model"], "news-en@0.1.0");
    assert_eq!(json_of(&folder.join("conversations.json"))["a"]["meta"]["title"], "Bridge");
}

fn foreign_corpus() -> TempDir {
    let dir = tempdir().unwrap();
    let utterances = [
        json!({"id": "u1", "root": "u1", "user": "Ole", "text": "Why is the ferry late?", "reply-to": null,
            "timestamp": "1700000000.0",
            "meta": {"status": "deleted", "parent_id": "u9", "parsed": "<##bin{0&&@**>"}}),
        json!({"id": "u2", "root": "u1", "user": "Ana", "text": "[removed]", "reply_to": "u1", "reply-to": "u9",
            "timestamp": 1_700_000_060.0}),
        json!({"id": "u3", "root": "u1", "user": "[unknown]", "text": null, "reply-to": "u3", "timestamp": null}),
        json!({"id": "u4", "root": "u1", "user": null, "text": "Where?", "reply-to": "gone", "timestamp": 12}),
    ];
    let lines: Vec<String> = utterances.iter().map(|utterance| format!("{utterance}\n")).collect();
    fs::write(dir.path().join("utterances.jsonl"), lines.concat()).unwrap();
    fs::write(dir.path().join("parsed-bin.p"), b"\x80\x04cos\nsystem\n").unwrap();
    let conversations = r#"{"u1": {"vectors": [], "meta": {"score": 5, "title": "Ferry",
        "url": "https://a.example/f", "thread_id": "x"}},
        "u5": {"page_title": "Old layout", "title": "<##bin{0&&@**>"}, "u6": null, "u7": {"meta": {"title": 5}}}"#;
    fs::write(dir.path().join("conversations.json"), conversations).unwrap();
    dir
}

#[test]
fn corpora_of_others_are_read() {
    let dir = foreign_corpus();
    let entries: Vec<Entry> = entries(dir.path()).into_iter().map(Result::unwrap).collect();
    let stories: Vec<(Option<&str>, Option<&str>)> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Story(row) => Some((row.thread_id.as_deref(), row.story.title.as_deref())),
            _ => None,
        })
        .collect();
    assert_eq!(stories, [(Some("u1"), Some("Ferry")), (Some("u5"), Some("Old layout"))]);
    let comments = read_back(dir.path());
    let said: Vec<_> = comments
        .iter()
        .map(|c| (c.id.as_str(), c.parent_id.as_deref(), c.author.as_deref(), c.created.as_deref(), c.status))
        .collect();
    assert_eq!(
        said,
        [
            ("u1", None, Some("Ole"), Some("2023-11-14T22:13:20Z"), Status::Published),
            ("u2", Some("u1"), Some("Ana"), Some("2023-11-14T22:14:20Z"), Status::Deleted),
            ("u3", None, Some("[unknown]"), None, Status::Published),
            ("u4", None, None, Some("12"), Status::Published),
        ]
    );
}

#[test]
fn the_old_layout_of_a_corpus_is_read() {
    let dir = tempdir().unwrap();
    let utterances = r#"[{"id": "a", "root": "a", "user": "Bo", "text": "Hm"},
        {"id": "b", "root": "a", "user": "Cy", "text": "Ha", "reply-to": "a"}]"#;
    fs::write(dir.path().join("utterances.json"), utterances).unwrap();
    let read = read_back(dir.path());
    assert_eq!((read[1].parent_id.as_deref(), read[1].author.as_deref()), (Some("a"), Some("Cy")));
}

#[test]
fn damaged_titles_of_a_corpus_are_reported_and_its_comments_read() {
    for damaged in [
        "{\"u1\": {\"meta\": {\"title\": \"Fer",
        "",
        "[]",
        "{\"u1\" 5}",
        "{\"u1\": 5}",
        "{\"u1\": {\"meta\": {}}",
        "\0\0",
    ] {
        let dir = foreign_corpus();
        fs::write(dir.path().join("conversations.json"), damaged).unwrap();
        let Ok(mut input) = read::open(Some(dir.path()), &Options::default()) else {
            assert_eq!(damaged, "\0\0");
            continue;
        };
        let entries: Vec<_> = std::iter::from_fn(|| input.reader.next_entry()).collect();
        let bad: Vec<&BadRow> = entries.iter().filter_map(|entry| entry.as_ref().err()).collect();
        assert!(
            matches!(bad[..], [BadRow { fatal: false, .. }]) && bad[0].what.contains("conversations.json"),
            "{damaged}: {bad:?}"
        );
        assert_eq!(entries.len(), 5, "{damaged}");
    }
}

#[test]
fn scores_are_added_beside_a_corpus() {
    let dir = foreign_corpus();
    let before = fs::read(dir.path().join("utterances.jsonl")).unwrap();
    for _ in 0..2 {
        let mut info = Info::new(dir.path(), shape()).unwrap();
        info.write(&scored("u1", "u1", None)).unwrap();
        info.write(&scored("u1", "u2", Some("u1"))).unwrap();
        info.write(&unscored("u1", "ü3")).unwrap();
        assert!(dir.path().join("info.toxicity.jsonl.partial").exists());
        info.finish().unwrap();
    }
    let file = |name: &str| lines(&dir.path().join(format!("info.{name}.jsonl")));
    let value = |id: &str, value: Value| json!({"id": id, "value": value});
    assert_eq!(
        file("toxicity"),
        [value("u1", json!(0.123_457)), value("u2", json!(0.123_457)), value("ü3", Value::Null)]
    );
    assert_eq!(file("stance_parent")[1], value("u2", json!({"support": 0.25, "deny": 0.75})));
    assert_eq!(file("polemic_unscored"), [value("ü3", json!("language"))]);
    assert_eq!(file("polemic_model").len(), 3);
    assert_eq!(fs::read(dir.path().join("utterances.jsonl")).unwrap(), before);
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().extension().unwrap() == "partial")
        .collect();
    assert!(left.is_empty());
}

#[test]
fn scores_of_others_beside_a_corpus_stay() {
    let dir = foreign_corpus();
    let theirs = dir.path().join("info.toxicity.jsonl");
    fs::write(&theirs, "{\"id\": \"u1\", \"value\": 0.5}\n").unwrap();
    let error = Info::new(dir.path(), shape()).err().unwrap().to_string();
    assert!(error.contains("info.toxicity.jsonl"), "{error}");
    assert_eq!(lines(&theirs)[0]["value"], 0.5);
    let odd = Shape { labels: vec!["a/b".into()], ..Shape::default() };
    assert!(Info::new(dir.path(), odd).err().unwrap().to_string().contains("a/b"));
    assert!(Info::new(&dir.path().join("no"), shape()).err().unwrap().to_string().contains("utterances.jsonl"));
}

#[test]
fn broken_utterances_are_reported_and_the_others_read() {
    let dir = tempdir().unwrap();
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let mut lines =
        format!("{{\"id\": \"a\", \"text\": \"Fine\", \"meta\": {{\"parsed\": {deep}}}}}\n[1]\n{{\"id\": \"b\"}}\n")
            .into_bytes();
    lines.extend(b"{\"id\": \"c\", \"text\": \"caf\xe9\"}\n{\"id\": \"d\", \"text\": \"cut o");
    fs::write(dir.path().join("utterances.jsonl"), lines).unwrap();
    let read: Vec<(u64, bool)> =
        entries(dir.path()).into_iter().map(|e| e.map_or_else(|bad| (bad.line, false), |_| (0, true))).collect();
    assert_eq!(read, [(1, false), (2, false), (3, false), (0, true), (5, false)]);
}

#[test]
fn the_utterances_alone_are_read_by_the_names_of_their_fields() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("corpus");
    write("convokit", &folder, &harbour());
    let read = read_back(&folder.join("utterances.jsonl"));
    let second = read.iter().find(|comment| comment.id == "k2").unwrap();
    assert_eq!((second.parent_id.as_deref(), second.thread_id.as_deref()), (Some("k1"), Some("k1")));
    assert_eq!(read[0].author.as_deref(), Some("Ines"));
}
