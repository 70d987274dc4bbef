use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};
use ureq::Agent;

use super::server::{Server, keys};
use crate::support::{bus_row, polemic, run};

fn export(db: &str, flags: &[&str]) -> crate::support::Ran {
    run(polemic().args(["feedback", "export", "--db", db]).args(flags))
}

#[test]
fn a_killed_server_has_lost_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("feedback.db");
    let db = db.to_str().unwrap();
    let mut acknowledged: HashSet<String> = HashSet::new();
    for round in 0..3 {
        let mut server = Server::start(&["--db", db]);
        let (url, seen, stop) = (server.url.clone(), Mutex::new(HashSet::new()), AtomicBool::new(false));
        thread::scope(|scope| {
            for client in 0..8 {
                let (url, seen, stop) = (&url, &seen, &stop);
                scope.spawn(move || {
                    let agent = Agent::new_with_defaults();
                    for i in 0.. {
                        let id = format!("{round}-{client}-{i}");
                        let body = json!({"id": id, "text": format!("the text of {id}"), "labels": {"insult": i % 2}});
                        let sent = agent.post(format!("{url}/v1/feedback")).send(body.to_string());
                        match sent {
                            Ok(answer) if answer.status() == 201 => drop(seen.lock().unwrap().insert(id)),
                            _ if stop.load(Ordering::SeqCst) => return,
                            other => panic!("{other:?}"),
                        }
                    }
                });
            }
            while seen.lock().unwrap().len() < 150 {
                thread::yield_now();
            }
            // From here on a refusal is no surprise; what was acknowledged until the end counts.
            stop.store(true, Ordering::SeqCst);
            server.child.kill().unwrap();
            server.child.wait().unwrap();
        });
        acknowledged.extend(seen.into_inner().unwrap());
    }
    let rows = export(db, &[]).records();
    let there: HashSet<String> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let lost: Vec<&String> = acknowledged.difference(&there).collect();
    assert!(acknowledged.len() >= 450 && lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(rows.iter().all(|row| row["text"] == format!("the text of {}", row["id"].as_str().unwrap())));
}

#[test]
fn the_last_decision_counts_conflicts_are_told_and_training_reads_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("f.db");
    let db = db.to_str().unwrap();
    let (file, key) = keys(folder.path());
    let server = Server::start(&["--db", db, "--keys", &file]);
    let tell =
        |body: &Value| server.send("/v1/feedback", &[("authorization", &format!("Bearer {key}"))], body.to_string());
    for i in 0..120 {
        let (text, rude) = bus_row(i);
        let body = json!({"id": i, "site": "s", "text": format!("{text}, bus {i}"), "labels": {"own_label": u8::from(rude)},
            "decision": if rude { "rejected" } else { "approved" }, "parent_id": i.checked_sub(1)});
        let answer = tell(&body);
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.json()["new_labels"], json!(["own_label", "rejected"]));
    }
    let again = json!({"id": 1, "site": "s", "text": format!("{}, bus 1", bus_row(1).0), "decision": "approved", "parent_id": 0});
    assert_eq!(tell(&again).status, 201);
    let out = folder.path().join("decisions.jsonl");
    let ran = export(db, &["-o", out.to_str().unwrap(), "--as", "rejected=removed"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("121 decisions on 120 comments"), "{}", ran.err);
    assert!(
        ran.err.contains("decided in different ways, the last one counts: 1 of s: removed 1, then 0"),
        "{}",
        ran.err
    );
    let rows: Vec<Value> =
        std::fs::read_to_string(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = rows.iter().find(|row| row["id"] == "1").unwrap();
    assert_eq!(first["labels"], json!({"own_label": 1.0, "removed": 0.0}));
    assert!(first["parent_text"].as_str().unwrap().ends_with("bus 0"), "{first}");
    let stats = run(polemic().args(["feedback", "stats", "--db", db, "--json"])).out;
    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["labels"]["rejected"], json!({"have_it": 59, "have_it_not": 61}));
    let model = folder.path().join("taught");
    let ran = run(polemic().args(["train", "--add"]).arg(&out).arg("-o").arg(&model));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let taught = polemic::model::Model::open(&model).unwrap();
    assert!(taught.label("own_label").is_some() && taught.label("removed").is_some());
}

#[test]
fn nothing_is_acknowledged_that_is_not_kept() {
    let server = Server::start(&[]);
    let body = json!({"text": "you clown", "labels": {"insult": 1}});
    assert!(server.post("/v1/feedback", &body).problem(409).contains("--db FILE"));
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("f.db");
    let server = Server::start(&["--db", db.to_str().unwrap()]);
    for (body, words) in [
        (json!({"text": "a"}), "neither `labels` nor a `decision`"),
        (json!({"text": " ", "decision": "rejected"}), "`text` is empty"),
        (json!({"text": "a", "labels": {"insult": 2}}), "`labels.insult` should be a number from 0 to 1"),
        (json!({"text": "a", "labels": {"In Sult": 1}}), "is no label"),
        (json!({"text": "a", "decision": "deleted"}), "unknown variant `deleted`"),
    ] {
        let problem = server.post("/v1/feedback", &body).problem(400);
        assert!(problem.contains(words), "{problem}");
    }
    assert_eq!(export(db.to_str().unwrap(), &[]).records().len(), 0);
}

#[test]
fn a_file_that_is_no_feedback_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ran = export(folder.path().join("missing.db").to_str().unwrap(), &[]);
    assert!(ran.code == 2 && ran.err.contains("missing.db"), "{}", ran.err);
    let ran = run(polemic().args(["feedback", "stats", "--since", "yesterday"]));
    assert!(ran.code == 2 && ran.err.contains("2026-11-01"), "{}", ran.err);
}
