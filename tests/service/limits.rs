use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::server::{Server, keys};

const TOXICITY: &str = r#"{"comment":{"text":"you clown"},"requestedAttributes":{"TOXICITY":{}}}"#;

#[test]
fn each_contract_says_in_its_own_words_that_a_key_asks_too_often() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = keys(folder.path());
    let server = Server::start(&["--keys", &file, "--rate", "1"]);
    let bearer = format!("Bearer {key}");
    let bearer = [("authorization", bearer.as_str())];
    let refused = |path: &str, body: &str| {
        // The bucket holds one request and fills within a second: one of a few in a row is too many.
        let mut answers = (0..50).map(|_| server.send(path, &bearer, body));
        answers.find(|answer| answer.status == 429).unwrap()
    };
    let google = refused("/v1alpha1/comments:analyze", TOXICITY);
    let error = &google.json()["error"];
    assert_eq!((&error["code"], &error["status"]), (&json!(429), &json!("RESOURCE_EXHAUSTED")));
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("Quota exceeded for quota metric 'Analysis requests (AnalyzeComment)'")
    );
    assert_eq!(error["details"][0]["reason"], "RATE_LIMIT_EXCEEDED");
    assert_eq!(error["details"][1]["@type"], "type.googleapis.com/google.rpc.Help");
    assert_eq!(google.header("retry-after"), "1");
    assert_eq!(refused("/v1/moderations", r#"{"input":"a"}"#).json()["error"]["code"], "rate_limit_exceeded");
    assert!(refused("/v1/score", r#"{"text":"a"}"#).problem(429).contains("Too many requests"));
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn what_is_too_long_is_refused_and_the_next_request_is_answered() {
    let server = Server::start(&["--max-body", "20000"]);
    let long = json!({"text": "a".repeat(20_001)}).to_string();
    assert!(server.send("/v1/score", &[], &long).problem(413).contains("longer than 20000 bytes"));
    let google = server.send("/v1alpha1/comments:analyze", &[], &long);
    assert_eq!(google.status, 400, "{}", google.text);
    assert!(google.json()["error"]["details"][0].is_object());
    // Without its length stated, too.
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = "POST /v1/score HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    write!(stream, "{head}{:x}\r\n{long}\r\n0\r\n\r\n", long.len()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(server.post("/v1/score", &json!({"text": "a"})).status, 200);
}

#[test]
fn whoever_sends_too_slowly_is_told_and_takes_nobodys_place() {
    let server = Server::start(&["--timeout", "1", "--max-requests", "1"]);
    let mut slow: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    for stream in &mut slow {
        let head = "POST /v1alpha1/comments:analyze HTTP/1.1\r\nHost: here\r\nContent-Length: 500\r\n\r\n{\"comm";
        stream.write_all(head.as_bytes()).unwrap();
    }
    for _ in 0..20 {
        assert_eq!(server.send("/v1alpha1/comments:analyze", &[], TOXICITY).status, 200);
    }
    for mut stream in slow {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("DEADLINE_EXCEEDED"), "{answer}");
    }
    assert!(server.get("/metrics").text.contains("polemic_requests_refused_total{reason=\"slow\"} 20"));
}

#[test]
fn a_request_in_pieces_is_put_together() {
    let server = Server::start(&[]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    let body = json!({"text": "you pathetic clown ".repeat(300)}).to_string();
    let head =
        format!("POST /v1/score HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    for piece in [head.as_bytes(), body.as_bytes()].concat().chunks(97) {
        stream.write_all(piece).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"scores\""), "{answer}");
}
