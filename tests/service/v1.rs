use serde_json::{Value, json};

use super::server::{Server, keys};
use crate::support::{polemic, run, scored, write};

const RUDE: &str = "You pathetic clown, you clearly cannot read 😀";

#[test]
fn scores_are_those_of_the_command() {
    let server = Server::start(&[]);
    let texts =
        [RUDE, "Thanks, that was helpful.", "Russia and the United States are both to blame for this.", "...", ""];
    for text in texts {
        let answer = server.post("/v1/score", &json!({"text": text, "id": "1"})).ok();
        let record = if text.is_empty() {
            continue;
        } else {
            scored(&[json!({"text": text, "id": "1"})], &[]).records().remove(0)
        };
        for field in ["id", "scores", "unscored", "stance", "model"] {
            assert_eq!(answer.get(field), record.get(field), "{field} of {text:?}");
        }
        assert!(answer.get("decision").is_none(), "nobody wrote a policy");
    }
    let empty = server.post("/v1/score", &json!({"text": ""})).ok();
    assert!(empty["scores"]["insult"].is_null() && empty["unscored"]["insult"] == "empty", "{empty}");
}

#[test]
fn replies_of_a_thread_are_scored_with_the_text_they_answer() {
    let server = Server::start(&[]);
    let parent = "The bridge is safe, and here is the report of the inspectors.";
    let reply = "No, that is simply wrong.";
    let comments = json!([
        {"id": 1, "thread_id": "a", "text": parent},
        {"id": 2, "thread_id": "a", "parent_id": "1", "text": reply},
        {"id": 3, "thread_id": "b", "parent_id": 1, "text": reply},
        {"id": 4, "parent_text": parent, "text": reply},
    ]);
    let answer = server.post("/v1/score", &json!({"comments": comments})).ok();
    let stance = |i: usize| answer["comments"][i]["stance"]["parent"].clone();
    assert!(stance(0).is_null() && stance(1).is_object());
    assert!(stance(3).is_object());
    assert!(stance(2).is_null(), "ids count within their thread");
    assert_eq!(answer["comments"][1]["id"], "2");
}

#[test]
fn explanations_are_those_of_the_command_and_add_up() {
    let server = Server::start(&[]);
    let answer = server.post("/v1/explain", &json!({"text": RUDE, "labels": ["insult"]})).ok();
    let ran = run(polemic().args(["explain", RUDE, "--label", "insult", "--json"]));
    let own: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["labels"][0]["shares"], own["labels"][0]["shares"]);
    let label = &answer["labels"][0];
    let sum: f64 = label["shares"].as_array().unwrap().iter().map(|share| share["share"].as_f64().unwrap()).sum();
    assert!((sum + label["base"].as_f64().unwrap() - label["logit"].as_f64().unwrap()).abs() < 1e-3);
    let problem = server.post("/v1/explain", &json!({"text": RUDE, "labels": ["insullt"]})).problem(400);
    assert!(problem.contains("no label `insullt`"), "{problem}");
}

#[test]
fn a_policy_decides_and_says_why_and_by_which_words() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "version = \"7\"\n[labels.insult]\nhold = 0.01\n[site.calm.labels.insult]\nhold = \"never\"";
    let policy = write(folder.path(), "policy.toml", policy);
    let server = Server::start(&["--policy", policy.to_str().unwrap()]);
    let decide = |more: Value| {
        let mut body = json!({"text": RUDE});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.post("/v1/score", &body).ok()["decision"].clone()
    };
    let decision = decide(json!({"explain": true}));
    assert_eq!(
        (&decision["action"], &decision["policy"], &decision["model"]),
        (&json!("hold"), &json!("7"), &json!("small@0.1.0"))
    );
    let reason = &decision["reasons"][0];
    assert_eq!((&reason["label"], &reason["threshold"]), (&json!("insult"), &json!(0.01)));
    let words: Vec<&str> = reason["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| &RUDE[span["start"].as_u64().unwrap() as usize..span["end"].as_u64().unwrap() as usize])
        .collect();
    assert!(words.contains(&"clown"), "{words:?}");
    assert_eq!(decide(json!({"site": "calm"}))["action"], "pass");
    let staff = decide(json!({"role": "moderator"}));
    assert_eq!((&staff["action"], &staff["exempt"]), (&json!("pass"), &json!(true)));
    let many = server.post("/v1/score", &json!({"comments": [{"text": RUDE}, {"text": RUDE, "site": "calm"}]})).ok();
    assert_eq!(
        (&many["comments"][0]["decision"]["action"], &many["comments"][1]["decision"]["action"]),
        (&json!("hold"), &json!("pass"))
    );
    let metrics = server.get("/metrics").text;
    assert!(metrics.contains("polemic_decisions_total{action=\"hold\"} 2"), "{metrics}");
}

#[test]
fn models_say_what_labels_are_and_where_they_begin() {
    let server = Server::start(&[]);
    let answer = server.get("/v1/models").ok();
    let labels = answer["models"][0]["labels"].as_array().unwrap();
    let insult = labels.iter().find(|label| label["name"] == "insult").unwrap();
    for field in
        ["meaning", "threshold", "base_rate", "experimental", "trained_on", "auc_out_of_fold", "measured_on", "policy"]
    {
        assert!(!insult[field].is_null(), "{field} of {insult}");
    }
    assert_eq!(insult["perspective"], "INSULT");
    assert!(insult["policy"]["review"].is_number());
    assert_eq!(answer["policy"], json!({"version": "default", "is_default": true, "fail": "open"}));
    assert_eq!(answer, server.get("/v1/models").ok());
}

#[test]
fn what_makes_no_sense_gets_a_problem_with_its_remedy() {
    let server = Server::start(&[]);
    let problem = |body: &str| server.send("/v1/score", &[("content-type", "application/json")], body).problem(400);
    for (body, words) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("7", "invalid type"),
        (r#"{"txt":"a"}"#, "unknown field `txt`"),
        (r#"{"comments":[{"id":"1"}]}"#, "comments[0] has no `text`"),
    ] {
        assert!(problem(body).contains(words), "{body}: {}", problem(body));
    }
    assert!(server.get("/v1/nothing").problem(404).contains("/openapi.json"));
    assert_eq!(server.get("/v1/score").status, 405);
}

#[test]
fn without_a_known_key_nothing_of_ours_answers_but_health() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = keys(folder.path());
    let server = Server::start(&["--keys", &file]);
    for path in ["/v1/score", "/v1/explain", "/v1/feedback", "/v1/models/reload"] {
        let refused = server.send(path, &[("authorization", "Bearer wrong")], "not even JSON");
        assert!(refused.problem(401).contains("Authorization: Bearer"));
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    assert_eq!(server.get("/v1/models").status, 401);
    assert_eq!(server.get(&format!("/v1/models?key={key}")).status, 200);
    for path in ["/", "/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn the_page_may_do_nothing_but_ask_this_server() {
    let server = Server::start(&[]);
    let page = server.get("/");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("connect-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe-inline"));
    assert!(
        page.text.contains("<html lang=\"en\">") && !page.text.contains("https://") && !page.text.contains("//cdn")
    );
    assert!(page.header("set-cookie").is_empty());
}
