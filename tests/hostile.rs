//! Hostile files as a user would give them to the command: a clear error or a counted repair, and never a panic.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{lines, polemic, run};

fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_archive_that_expands_without_end_is_stopped_with_the_way_around() {
    let folder = tempfile::tempdir().unwrap();
    // 80 MiB of nothing in 80 KiB.
    let bomb = gzip(&[b"{\"text\":\"first\"}\n".as_slice(), &vec![b' '; 80 << 20]].concat());
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    let path = file(folder.path(), "bomb.jsonl.gz", bomb);
    let ran = run(polemic().args(["threads", "--to", "jsonl"]).arg(&path));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("more than 500 times its size") && ran.err.contains("--max-expansion"), "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 1, "what stands before it is written");
    let ran = run(polemic().args(["threads", "--to", "jsonl", "--max-expansion", "2000"]).arg(&path));
    assert_eq!((ran.code, ran.records().len()), (0, 1), "{}", ran.err);
}

#[test]
fn a_truncated_archive_gives_what_it_holds_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Value> = (0..20_000_u64).map(|i| json!({"id": i, "text": format!("{:x}", i.pow(3))})).collect();
    let whole = gzip(lines(&rows).as_bytes());
    let path = file(folder.path(), "cut.jsonl.gz", &whole[..whole.len() / 2]);
    for verb in ["threads", "score"] {
        let ran = run(polemic().args([verb, "--to", "jsonl"]).arg(&path));
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("cut off after"), "{}", ran.err);
        assert!(ran.out.lines().count() > 5000, "{verb}: {}", ran.out.lines().count());
    }
}

#[test]
fn malformed_bytes_are_read_as_replacement_characters_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = "{\"id\":1,\"text\":\"Grüße aus der schönen Küche: überfällige Höhenflüge für Zögerer\"}\n{\"id\":2,\"text\":\"half a ".as_bytes().to_vec();
    bytes.extend(b"\xff\xfe character\"}\n");
    let path = file(folder.path(), "mixed.jsonl", bytes);
    let ran = run(polemic().args(["threads", "--to", "jsonl"]).arg(&path));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("2 malformed byte sequences"), "{}", ran.err);
    assert!(ran.records()[1]["text"].as_str().unwrap().contains('\u{fffd}'));
}

#[test]
fn a_text_longer_than_the_limit_gets_null_and_the_reason_everywhere() {
    let row = |id: &str, text: &str| json!({"id": id, "text": text, "labels": {"insult": 1}}).to_string() + "\n";
    let rows = row("1", &"long words ".repeat(20)) + &row("2", "short");
    let limit = ["--max-text", "100"];
    let threads = run(polemic().args(["threads", "--to", "jsonl"]).args(limit).write_stdin(rows.clone())).records();
    assert_eq!(threads[0]["text"], Value::Null);
    assert_eq!(threads[0]["omitted"], "longer than --max-text (100 bytes)");
    assert_eq!((&threads[1]["text"], &threads[1]["omitted"]), (&json!("short"), &Value::Null));
    let scores =
        run(polemic().args(["score", "--to", "jsonl", "--with-text"]).args(limit).write_stdin(rows.clone())).records();
    assert_eq!((&scores[0]["text"], &scores[0]["scores"]["insult"]), (&Value::Null, &Value::Null));
    assert!(scores[0]["unscored"]["insult"].as_str().unwrap().contains("--max-text"));
    let folder = tempfile::tempdir().unwrap();
    let labelled = file(folder.path(), "rows.jsonl", rows);
    for verb in ["train", "evaluate"] {
        let mut command = polemic();
        command.arg(verb).arg(&labelled).args(limit);
        if verb == "train" {
            command.arg("-o").arg(folder.path().join("model"));
        }
        let ran = run(&mut command);
        assert!(ran.err.contains("longer than --max-text (100 bytes)"), "{verb}: {}", ran.err);
    }
}

#[test]
fn addresses_of_people_reach_no_output() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects.jsonl");
    let rows = [
        json!({"id": 1, "author": "ann@mail.example", "email": "ann@mail.example", "ip": "192.0.2.7", "text": "Hello"}),
        json!({"id": 2, "author": "192.0.2.7", "text": "Hello again"}),
        json!({"id": 4, "author": "192.0.2.7@mail.example", "text": "Hello there"}),
        json!({"id": 5, "author": "ann@mail.example@mail.example", "text": "Hello to you"}),
        json!({"id": 3, "author": "Cy", "email": "cy@mail.example", "ip": "2001:db8::7", "text": 5}),
    ];
    for verb in ["threads", "score"] {
        let ran = run(polemic().args([verb, "--to", "jsonl", "--rejects"]).arg(&rejects).write_stdin(lines(&rows)));
        let everything = ran.out.clone() + &ran.err + &std::fs::read_to_string(&rejects).unwrap();
        for private in ["mail.example", "192.0.2.7", "2001:db8"] {
            assert!(!everything.contains(private), "{private} in {everything}");
        }
        let authors: Vec<Value> = ran.records().iter().map(|record| record["author"].clone()).collect();
        assert_eq!(authors, [json!("ann"), Value::Null, Value::Null, json!("ann")]);
    }
}

#[test]
fn deleted_and_spam_comments_are_marked_and_scored_only_when_asked_for() {
    let rows = lines(&[
        json!({"id": "1", "text": "you clown", "status": "spam"}),
        json!({"id": "2", "text": "[removed]"}),
        json!({"id": "3", "text": "you clown", "status": "pending"}),
    ]);
    let ran = run(polemic().args(["score", "--to", "jsonl"]).write_stdin(rows.clone()));
    let statuses: Vec<Value> = ran.records().iter().map(|r| r["status"].clone()).collect();
    assert_eq!(statuses, ["spam", "deleted", "pending"]);
    let reasons: Vec<Value> = ran.records().iter().map(|r| r["unscored"]["insult"].clone()).collect();
    assert_eq!(reasons, [json!("spam"), json!("deleted"), Value::Null]);
    assert!(ran.err.contains("1 comments marked as deleted, 1 comments marked as spam"), "{}", ran.err);
    let ran = run(polemic().args(["score", "--to", "jsonl", "--include", "spam"]).write_stdin(rows.clone()));
    assert!(ran.records()[0]["scores"]["insult"].is_number() && ran.records()[1]["scores"]["insult"].is_null());
    let ran = run(polemic().args(["score", "--include", "pending"]).write_stdin(rows.clone()));
    assert!(ran.code == 2 && ran.err.contains("expected deleted or spam"), "{}", ran.err);
}
