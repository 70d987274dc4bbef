use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde_json::json;
use ureq::Agent;

use super::server::{Server, keys};
use crate::support::write;

fn policy(version: u32) -> String {
    format!("version = \"{version}\"\n[labels.insult]\nhold = 0.5\n")
}

#[test]
fn model_and_policy_change_under_load_and_no_request_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = keys(folder.path());
    let rules = write(folder.path(), "policy.toml", policy(0));
    let server = Server::start(&["--keys", &file, "--policy", rules.to_str().unwrap()]);
    let bearer = format!("Bearer {key}");
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
                while !stop.load(Ordering::SeqCst) {
                    let request = agent.post(format!("{}/v1/score", server.url)).header("authorization", &bearer);
                    let mut answer = request.send(json!({"text": "you pathetic clown"}).to_string()).unwrap();
                    let text = answer.body_mut().read_to_string().unwrap();
                    assert!(answer.status() == 200 && text.contains("\"policy\":\""), "{text}");
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for version in 1..=8 {
            write(folder.path(), "policy.toml", policy(version));
            if version % 2 == 0 {
                server.signal("-HUP");
            } else {
                let answer = server.send("/v1/models/reload", &[("authorization", &bearer)], "").ok();
                assert_eq!(answer, json!({"model": "small@0.1.0", "policy": version.to_string()}));
            }
            let before = answered.load(Ordering::SeqCst);
            let now = version.to_string();
            while server.get("/readyz").ok()["policy"] != now.as_str() || answered.load(Ordering::SeqCst) < before + 20
            {
                thread::yield_now();
            }
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert!(answered.into_inner() >= 160);
}

#[test]
fn a_file_that_cannot_be_used_leaves_all_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = keys(folder.path());
    let rules = write(folder.path(), "policy.toml", policy(1));
    let server = Server::start(&["--keys", &file, "--policy", rules.to_str().unwrap()]);
    write(folder.path(), "policy.toml", "version = \"2\"\n[labels.insullt]\nhold = 0.5\n");
    let bearer = format!("Bearer {key}");
    let refused = server.send("/v1/models/reload", &[("authorization", &bearer)], "").problem(409);
    assert!(refused.contains("policy.toml:2") && refused.contains("insullt"), "{refused}");
    assert_eq!(server.get("/readyz").ok()["policy"], "1");
    let log = server.log();
    assert!(log.contains("not reloaded"), "{log}");
}

#[test]
fn where_any_key_is_accepted_nobody_may_reload_by_http() {
    let server = Server::start(&[]);
    assert!(server.send("/v1/models/reload", &[], "").problem(403).contains("SIGHUP"));
}
