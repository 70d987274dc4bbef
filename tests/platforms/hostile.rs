//! Input that no platform writes: wrong types, trees without end, cut files.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{fixture, read};

const FIXTURES: [&str; 10] = [
    "reddit_pushshift.ndjson",
    "reddit_thread.json",
    "hackernews_items.ndjson",
    "hackernews_algolia.json",
    "youtube_threads.json",
    "discourse_topic.json",
    "remark42_tree.json",
    "remark42_backup.ndjson",
    "commento.json",
    "isso.json",
];

/// A chain of `depth` replies: `open` before each, `close` behind each, in a document between `before` and `after`.
fn chain(depth: usize, before: &str, open: impl Fn(usize) -> String, close: &str, after: &str) -> String {
    let mut text = before.to_owned();
    (0..depth).for_each(|n| text.write_str(&open(n)).unwrap());
    text + &close.repeat(depth) + after
}

/// The format's name and a tree of it that is `depth` replies deep.
fn trees(depth: usize) -> [(&'static str, String); 3] {
    let listing = |n: usize| {
        format!(
            r#"{{"kind":"Listing","data":{{"children":[{{"kind":"t1","data":{{"id":"i{n}","body":"No {n}.","replies":"#
        )
    };
    let item = |n: usize| {
        format!(
            r#",{{"id":{n},"type":"comment","author":"ann","created_at_i":1551693600,"text":"No {n}.","children":[null"#
        )
    };
    let node = |n: usize| {
        format!(r#",{{"comment":{{"id":"i{n}","pid":"","text":"No {n}.","locator":{{"url":"u"}}}},"replies":[0"#)
    };
    [
        ("reddit-listing", chain(depth, "", listing, "}}]}}", "").replace(r#""replies":}"#, r#""replies":""}"#)),
        (
            "hackernews",
            chain(
                depth,
                r#"{"id":900000000,"type":"story","author":"bo","created_at_i":1,"children":[null"#,
                item,
                "]}",
                "]}",
            ),
        ),
        (
            "remark42",
            chain(depth, r#"{"comments":[{"comment":{"id":"a","pid":"","text":"","locator":{}}}"#, node, "]}", "]}"),
        ),
    ]
}

#[test]
fn a_thousand_replies_in_a_row_are_read() {
    for (format, text) in trees(1000) {
        let read = read("deep.json", text);
        assert_eq!(read.format, format);
        let (thread, repairs) = read.thread();
        let depth = thread.comments.iter().map(|comment| comment.depth).max();
        assert_eq!(depth, Some(999), "{format}: {:?}", read.bad.first());
        assert!(repairs.is_empty(), "{format}");
        let last = thread.comments.last().map(|comment| comment.text.as_str());
        assert_eq!(last, Some("No 999."), "{format}");
    }
}

#[test]
fn a_tree_without_end_is_refused() {
    for (format, text) in trees(100_000) {
        let read = read("deep.json", text);
        assert_eq!((read.format, read.comments.len()), (format, 0));
        assert_eq!(read.refusals(), ["nested deeper than 10000 levels"]);
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{{\"kind\":\"Listing\",\"data\":{}0{}}}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(read("deep.json", text).refusals(), ["nested deeper than 10000 levels"]);
    }
}

#[test]
fn deep_nesting_where_no_reply_stands_does_no_harm() {
    for (open, close) in [("[", "]"), ("{\"$a\":", "}"), ("[{\"a\":[", "]}]")] {
        let depth = 9_000 / open.matches(['[', '{']).count();
        let deep = format!("{}0{}", open.repeat(depth), close.repeat(depth));
        for text in [
            format!(
                r#"{{"kind":"Listing","data":{{"children":[{{"kind":"t1","data":{{"body":"Yes.","x":{deep}}}}}]}}}}"#
            ),
            format!(r#"{{"id":1,"type":"comment","by":"ann","text":"Yes.","time":{deep}}}"#),
            format!(r#"{{"post_number":{deep},"topic_id":1,"raw":"Yes."}}"#),
            format!(r#"{{"comments":[{{"commentHex":{deep},"markdown":"Yes."}}]}}"#),
            // An error behind it drops what was read.
            format!(r#"{{"comments":[{{"commentHex":{deep},"markdown":"Yes."}}],x"#),
        ] {
            let read = read("deep.json", text.clone());
            assert!(read.comments.len() == 1 || read.bad.len() == 1, "{}", &text[..40]);
        }
    }
}

#[test]
fn a_cut_document_gives_an_error_that_says_so() {
    for name in FIXTURES.into_iter().filter(|name| !name.ends_with("ndjson")) {
        let whole: Value = serde_json::from_str(&fixture(name)).unwrap();
        for text in [whole.to_string(), fixture(name)] {
            let end = text.floor_char_boundary(text.len() * 2 / 3);
            let read = read(name, &text[..end]);
            let last = read.bad.last().expect("an error");
            assert!(last.fatal && last.raw.is_empty(), "{name}: {last:?}");
            assert!(last.what.contains("ends inside of") || last.what.contains("cut off"), "{name}: {last:?}");
        }
    }
    let read = read("RC.ndjson", &fixture("reddit_pushshift.ndjson")[..1500]);
    assert!(read.bad.last().is_some_and(|last| last.fatal) && read.comments.len() > 1);
}

#[test]
fn a_cut_line_among_others_loses_nothing_else() {
    let lines = fixture("reddit_pushshift.ndjson").replacen(r#""created_utc":"1670900100","score":12}"#, "", 1);
    let read = read("RC.ndjson", lines);
    assert_eq!((read.comments.len(), read.bad.len()), (7, 3));
    assert!(read.bad.iter().all(|bad| !bad.fatal));
}

/// Puts `other` in the place of every value of `value` in turn, and hands each outcome on.
fn replaced(value: &Value, other: &Value, each: &mut impl FnMut(&Value, &str)) {
    fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| pointers(v, &format!("{at}/{i}"), found)),
            Value::Object(map) => map.iter().for_each(|(key, v)| pointers(v, &format!("{at}/{key}"), found)),
            _ => {}
        }
    }
    let mut places = Vec::new();
    pointers(value, "", &mut places);
    // Not the whole: that is another input.
    for place in places.into_iter().skip(1) {
        let mut changed = value.clone();
        if let Some(at) = changed.pointer_mut(&place) {
            *at = other.clone();
        }
        each(&changed, &place);
    }
}

#[test]
fn a_value_of_another_type_loses_no_comment_without_a_word() {
    let others =
        [json!(null), json!(true), json!(-7), json!(1e300), json!("\u{0}é"), json!([]), json!({}), json!([[{}]])];
    for name in FIXTURES.into_iter().chain(["iac_4711.json"]).filter(|name| !name.ends_with("ndjson")) {
        let whole: Value = serde_json::from_str(&fixture(name)).unwrap();
        let before = read(name, whole.to_string());
        for other in &others {
            replaced(&whole, other, &mut |changed, place| {
                let read = read(name, changed.to_string());
                let leaf = !whole.pointer(place).is_some_and(|value| value.is_array() || value.is_object());
                let all = read.comments.len() >= before.comments.len() || read.bad.len() > before.bad.len();
                // A moderator's action that says nothing is no comment.
                let silent = place == "/post_stream/posts/5/cooked" && other.is_null();
                assert!(!leaf || all || silent || read.format != before.format, "{name}: {other} at {place}");
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_document_never_panics(
        which in 0..FIXTURES.len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6usize), 1..6),
    ) {
        let mut bytes = fixture(FIXTURES[which]).into_bytes();
        for (from, to, change) in cuts {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            match change {
                0 => bytes[from] = b"{}[]\",:0\\\n"[to % 10],
                1 => { bytes.remove(from); }
                2 => bytes.truncate(from.max(60)),
                3 => bytes.swap(from, to),
                4 => { let piece = bytes[from.min(to)..from.max(to)].to_vec(); bytes.splice(from..from, piece); }
                _ => bytes[from] = 0xff,
            }
        }
        let _ = read(FIXTURES[which], bytes);
    }
}
