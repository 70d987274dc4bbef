use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::server::Server;

const NDJSON: [(&str, &str); 1] = [("content-type", "application/x-ndjson")];

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_in_is_a_line_out_in_order_and_a_bad_one_stops_nothing() {
    let server = Server::start(&[]);
    let long = format!("{{\"text\":\"{}\"}}", "a".repeat(2 << 20));
    let body = [
        r#"{"id":"1","text":"you clown"}"#,
        "{",
        "",
        r#"{"txt":1}"#,
        &long,
        r#"{"comments":[]}"#,
        "\u{0}",
        r#"{"id":"8","text":"thank you"}"#,
    ];
    let answer = server.send("/v1/score", &NDJSON, body.join("\n"));
    assert_eq!((answer.status, answer.kind.as_str()), (200, "application/x-ndjson"));
    let rows = lines(&answer.text);
    assert_eq!(rows.len(), body.len(), "{}", answer.text);
    for (i, row) in rows.iter().enumerate() {
        if i == 0 || i == 7 {
            assert_eq!(row["id"], (i + 1).to_string());
            assert!(row["scores"].is_object());
        } else {
            assert_eq!(row["line"], i + 1);
            assert!(row["error"].is_string());
        }
    }
    assert!(rows[4]["error"].as_str().unwrap().contains("longer than"));
}

#[test]
fn many_lines_are_all_answered_and_replies_find_their_parents() {
    let server = Server::start(&[]);
    let line = |i: usize| match i % 2 {
        0 => json!({"id": i, "text": format!("The toll of {i} is fair.")}),
        _ => json!({"id": i, "parent_id": i - 1, "text": "No, it is not."}),
    };
    let body = crate::support::lines(&(0..5000).map(line).collect::<Vec<_>>());
    let rows = lines(&server.send("/v1/score", &NDJSON, body).text);
    assert_eq!(rows.len(), 5000);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row["id"], i.to_string());
        assert_eq!(row["stance"]["parent"].is_object(), i % 2 == 1, "{row}");
    }
    assert!(server.get("/metrics").text.contains("polemic_comments_scored_total 5000"));
}

#[test]
fn each_answer_comes_before_the_next_line_is_sent() {
    let server = Server::start(&[]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = "POST /v1/score HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut seen = String::new();
    for i in 0..20 {
        let line = format!("{}\n", json!({"id": i, "text": "you clown"}));
        write!(stream, "{:x}\r\n{line}\r\n", line.len()).unwrap();
        // Heads and sizes of chunks come by, too.
        while !seen.contains(&format!("{{\"id\":\"{i}\"")) {
            seen.clear();
            assert!(answers.read_line(&mut seen).unwrap() > 0, "ended before answer {i}");
        }
    }
}

#[test]
fn a_client_that_breaks_off_costs_nobody_anything() {
    let server = Server::start(&[]);
    for _ in 0..200 {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let head = "POST /v1/score HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-ndjson\r\nContent-Length: 999\r\n\r\n{\"text\":\"a\"}\n";
        stream.write_all(head.as_bytes()).unwrap();
    }
    // More than there may be streams at a time: those that broke off have given their places back.
    let answered = (0..200).any(|_| server.send("/v1/score", &NDJSON, "{\"text\":\"a\"}\n").status == 200);
    assert!(answered);
}
