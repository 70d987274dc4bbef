use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use super::server::{Server, keys};
use crate::support::{polemic, run, write};

fn doctor(url: &str, flags: &[&str]) -> (i32, Value) {
    let ran = run(polemic().args(["doctor", "--json", "--url", url]).args(flags));
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err)))
}

fn red(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["outcome"] == "red").map(Value::to_string).collect()
}

#[test]
fn our_own_server_is_green_on_every_face() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = keys(folder.path());
    let policy = write(
        folder.path(),
        "policy.toml",
        "version = \"1\"\n[labels.insult]\nhold = 0.2\n[coral]\nsecret = \"hush\"\n",
    );
    let db = folder.path().join("f.db");
    let server = Server::start(&["--keys", &file, "--policy", policy.to_str().unwrap(), "--db", db.to_str().unwrap()]);
    let (code, report) = doctor(&server.url, &["--key", key, "--coral-secret", "hush"]);
    assert_eq!(red(&report), Vec::<String>::new());
    assert_eq!((code, &report["red"]), (0, &Value::from(0)));
    let faces: std::collections::BTreeSet<&str> =
        report["findings"].as_array().unwrap().iter().map(|f| f["face"].as_str().unwrap()).collect();
    assert_eq!(faces.into_iter().collect::<Vec<_>>(), ["Akismet", "Coral", "OpenAI", "Perspective", "service", "v1"]);
    let ran = run(polemic().args(["feedback", "export", "--db", db.to_str().unwrap()]));
    assert_eq!(ran.out, "", "what the doctor sends is kept nowhere");
    let open = Server::start(&[]);
    assert_eq!(red(&doctor(&open.url, &[]).1), Vec::<String>::new());
}

#[test]
fn a_wrong_key_and_a_wrong_server_are_red() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = keys(folder.path());
    let server = Server::start(&["--keys", &file]);
    let (code, report) = doctor(&server.url, &["--key", "another"]);
    assert!(code == 1 && red(&report).len() > 10, "{report:#}");
    // A server of something else.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let (code, report) = doctor(&url, &[]);
    assert_eq!((code, red(&report).len()), (1, 1), "{report:#}");
    let ran = run(polemic().args(["doctor", "--url", "https://moderation.example"]));
    assert!(ran.code == 2 && ran.err.contains("plain http"), "{}", ran.err);
}
