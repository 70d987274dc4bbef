use hmac::{Hmac, KeyInit, Mac};
use polemic::serve::Options;
use serde_json::{Value, json};
use sha2::Sha256;

use super::asking::{Answer, CIVIL, RUDE, Service, file, service};

const PATH: &str = "/coral/moderate";

/// A body as Coral writes it: pretty-printed, so that only the raw bytes carry the signature.
fn body(text: &str, role: &str) -> String {
    let body = json!({"action": "NEW", "comment": {"body": text, "parentID": null}, "author": {"id": "u", "role": role},
        "story": {"id": "s", "url": "https://site.example/a"}, "site": {"id": "site"}, "tenantID": "t", "tenantDomain": "site.example"});
    serde_json::to_string_pretty(&body).unwrap()
}

fn signature(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn moderate(service: &Service, text: &str, role: &str) -> Answer {
    service.post(PATH, &[("content-type", "application/json")], body(text, role))
}

#[test]
fn a_civil_comment_and_staff_have_no_content() {
    for (text, role) in [(CIVIL, "COMMENTER"), ("", "COMMENTER"), (RUDE, "STAFF"), (RUDE, "MODERATOR"), (RUDE, "ADMIN")]
    {
        let answer = moderate(service(), text, role);
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0), "{text} {role}");
    }
}

/// What Coral's schema of answers takes, as far as ours go.
fn check_schema(answer: &Value) {
    if let Some(status) = answer.get("status") {
        assert!(["NONE", "APPROVED", "REJECTED", "PREMOD", "SYSTEM_WITHHELD"].contains(&status.as_str().unwrap()));
    }
    for action in answer["actions"].as_array().unwrap() {
        assert_eq!(action["actionType"], "FLAG");
        assert!(["COMMENT_DETECTED_TOXIC", "COMMENT_DETECTED_SPAM"].contains(&action["reason"].as_str().unwrap()));
    }
    assert!(answer.get("tags").is_none(), "Coral refuses an empty list of tags");
    if let Some(reason) = answer.pointer("/moderationAction/rejectionReason") {
        assert!(reason.as_object().unwrap().values().all(|value| !value.as_str().unwrap().is_empty()));
    }
}

#[test]
fn a_held_comment_is_withheld_and_flagged_with_a_statement_of_reasons() {
    let answer = moderate(service(), RUDE, "COMMENTER").ok();
    check_schema(&answer);
    assert_eq!(answer["status"], "SYSTEM_WITHHELD");
    assert_eq!(answer["actions"], json!([{"actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC"}]));
    let reason = &answer["moderationAction"]["rejectionReason"];
    let explanation = reason["detailedExplanation"].as_str().unwrap();
    assert!(
        reason["code"].is_string() && explanation.contains("small@0.1.0") && explanation.contains("policy default"),
        "{explanation}"
    );
    assert_eq!((&answer["polemic"]["model"], &answer["polemic"]["action"]), (&json!("small@0.1.0"), &json!("hold")));
}

#[test]
fn a_comment_to_review_is_flagged_and_its_status_left_to_coral() {
    let text = "version = \"7\"\n[labels.toxicity]\nreview = 0.000001\n";
    let (policy, _folder) = file("policy.toml", text);
    let service = Service::with(Options { policy: Some(policy), ..Options::default() });
    let answer = moderate(&service, CIVIL, "COMMENTER").ok();
    check_schema(&answer);
    assert!(answer.get("status").is_none() && answer["actions"].as_array().unwrap().len() == 1, "{answer}");
}

#[test]
fn html_is_read_as_its_text_and_quotes_are_not_the_authors() {
    let quoted = format!("<blockquote><p>{RUDE}</p></blockquote><p>{CIVIL}</p>");
    assert_eq!(moderate(service(), &quoted, "COMMENTER").status, 204);
    assert_eq!(moderate(service(), &format!("<p>{RUDE}</p>"), "COMMENTER").ok()["status"], "SYSTEM_WITHHELD");
}

#[test]
fn with_a_secret_the_raw_bytes_must_be_signed() {
    let options = Options { coral_secret: Some("open".into()), ..Options::default() };
    let service = Service::with(options);
    let raw = body(RUDE, "COMMENTER");
    let ask = |header: &str, body: &str| service.post(PATH, &[("x-coral-signature", header)], body).status.as_u16();
    let good = signature("open", &raw);
    assert_eq!(ask(&good, &raw), 200);
    assert_eq!(ask(&format!("{},{good}", signature("old", &raw)), &raw), 200, "while Coral rotates it sends several");
    assert_eq!(ask(&format!("{good}, {}", signature("old", &raw)), &raw), 200);
    let compact = serde_json::from_str::<Value>(&raw).unwrap().to_string();
    for (header, body) in [
        (good.as_str(), compact.as_str()),
        (&signature("old", &raw), &raw),
        ("", &raw),
        (&good[7..], &raw),
        ("sha256=", &raw),
        ("sha256=zz", &raw),
    ] {
        assert_eq!(ask(header, body), 401, "{header}");
    }
    assert_eq!(service.post(PATH, &[], raw).status, 401);
}

#[test]
fn where_keys_are_asked_for_a_secret_is_needed() {
    let (service, _folder) = Service::locked(Options::default());
    assert_eq!(moderate(&service, RUDE, "COMMENTER").status, 401);
}

#[test]
fn what_is_no_comment_is_refused() {
    for body in ["no json", "[", "{\"comment\": 7}"] {
        assert_eq!(service().post(PATH, &[], body).status, 400, "{body}");
    }
}
