use serde_json::{Value, json};

use super::server::{Server, keys};

/// A word that stands nowhere but in what is sent.
const MARK: &str = "quillbramble";

#[test]
fn no_text_and_no_key_is_ever_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = keys(folder.path());
    let db = folder.path().join("f.db");
    let server =
        Server::start(&["--keys", &file, "--db", db.to_str().unwrap(), "--log", "debug", "--log-format", "json"]);
    let bearer = format!("Bearer {key}");
    let bearer = [("authorization", bearer.as_str())];
    let text = format!("you {MARK} clown");
    let comment = json!({"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}}).to_string();
    let bodies = [
        (format!("/v1alpha1/comments:analyze?key={key}"), comment.clone()),
        (format!("/v1alpha1/comments:analyze?key={key}"), comment.replace("TOXICITY", MARK)),
        (format!("/v1alpha1/comments:analyze?key={MARK}"), comment),
        ("/v1/score".to_owned(), json!({"text": text, "explain": true}).to_string()),
        ("/v1/score".to_owned(), format!("{{\"{MARK}\":1}}")),
        ("/v1/score".to_owned(), format!("\"{MARK}\"")),
        ("/v1/explain".to_owned(), json!({"text": text}).to_string()),
        ("/v1/feedback".to_owned(), json!({"text": text, "decision": "rejected"}).to_string()),
        ("/v1/moderations".to_owned(), json!({"input": text}).to_string()),
        ("/1.1/comment-check".to_owned(), format!("api_key={key}&blog=b&comment_content={MARK}")),
        ("/coral/moderate".to_owned(), format!("{{\"comment\":{{\"body\":\"{MARK}")),
    ];
    for (path, body) in &bodies {
        server.send(path, &bearer, body);
    }
    server.send(
        "/v1/score",
        &[bearer[0], ("content-type", "application/x-ndjson")],
        format!("{MARK}\n{{\"text\":\"{MARK}\"}}\n"),
    );
    let log = server.log();
    let requests: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let paths: Vec<&str> = requests.iter().filter_map(|line| line["path"].as_str()).collect();
    assert_eq!(paths.len(), bodies.len() + 1, "{log}");
    assert!(requests.iter().any(|line| line["path"] == "/v1/score" && line["status"] == 400));
    assert!(!log.contains(MARK) && !log.contains(key), "{log}");
}
