//! `polemic inspect` end to end.

use serde_json::{Value, json};

use crate::support::{lines, polemic, run};

fn rows() -> String {
    let row = |id: usize, parent: Value, author: &str| {
        let text =
            format!("The ferry is late again and nobody at the harbour office answers the telephone, number {id}.");
        json!({"id": id, "parent_id": parent, "author": author, "created": "2024-05-01T10:00:00Z", "body": text})
    };
    let rows = [
        row(1, Value::Null, "Ann"),
        row(2, json!(1), "Ben"),
        row(3, json!(1), "Ann"),
        json!({"id": 4, "body": "[deleted]"}),
        json!({"id": 5}),
    ];
    lines(&rows)
}

#[test]
fn a_file_is_described_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.jsonl");
    std::fs::write(&path, rows()).unwrap();
    let ran = run(polemic().arg("inspect").arg(&path));
    assert_eq!(ran.code, 0, "{}", ran.err);
    for said in [
        "jsonl: JSON lines",
        "compression none, encoding UTF-8",
        "text = body",
        "4, of these 2 replies; 1 thread, 2 authors",
        "1 deleted, 1 unusable",
        "eng 100%",
        "scoring",
        "2 -> 1 Ben: The ferry is late",
    ] {
        assert!(ran.out.contains(said), "{said} is not in {}", ran.out);
    }
}

#[test]
fn a_file_is_described_as_json_and_its_start_alone() {
    let ran = run(polemic().args(["inspect", "--json", "--first", "2"]).write_stdin(rows()));
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found["counts"]["comments"], 2);
    assert_eq!((&found["partial"], &found["format"], &found["bytes"]), (&json!(true), &json!("jsonl"), &Value::Null));
    assert_eq!(found["fields"]["author"], "author");
}

#[test]
fn where_a_file_breaks_off_is_said() {
    let ran = run(polemic().args(["inspect", "--format", "csv"]).write_stdin("id,text\n1,fine\n2,\"open"));
    assert!(ran.out.contains("broken off") && ran.out.contains("never closed"), "{}", ran.out);
}

#[test]
fn the_fields_of_a_platform_are_named() {
    let export = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/xml/wxr-1.2.xml");
    let ran = run(polemic().args(["inspect", export]));
    for said in
        ["wxr: WordPress", "text = wp:comment_content", "2 pingbacks (no comments)", "1 deleted, 1 spam, 1 pending"]
    {
        assert!(ran.out.contains(said), "{said} is not in {}", ran.out);
    }
}
