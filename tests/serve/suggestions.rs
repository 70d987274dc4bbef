use polemic::serve::Options;
use polemic::serve::feedback::export::{Wanted, export};
use serde_json::{Value, json};

use super::asking::{Answer, RUDE, Service, service};

const PATH: &str = "/v1alpha1/comments:suggestscore?key=any";

fn suggest(service: &Service, body: &Value) -> Answer {
    service.post(PATH, &[("content-type", "application/json")], body.to_string())
}

fn suggestion() -> Value {
    json!({"comment": {"text": RUDE}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}})
}

#[test]
fn the_answer_has_the_token_and_both_languages() {
    let mut body = suggestion();
    body["clientToken"] = json!("comment:8");
    body["languages"] = json!(["en-GB"]);
    let answer = suggest(service(), &body).ok();
    assert_eq!(answer["clientToken"], "comment:8");
    assert_eq!((&answer["requestedLanguages"], &answer["detectedLanguages"]), (&json!(["en-GB"]), &json!(["en"])));
    assert_eq!(answer["polemic"]["stored"], false, "nobody is told that it was kept where there is no file");
    let answer = suggest(service(), &suggestion()).ok();
    assert!(answer.get("clientToken").is_none() && answer["requestedLanguages"].is_array());
}

#[test]
fn a_suggestion_must_have_a_text_and_known_attributes_with_values() {
    for (field, value, message) in [
        ("attributeScores", json!({}), "Missing attribute_scores"),
        ("attributeScores", json!(null), "Missing attribute_scores"),
        ("attributeScores", json!({"NOPE": {"summaryScore": {"value": 1}}}), "Unknown requested attribute: NOPE"),
        (
            "attributeScores",
            json!({"TOXICITY": {}}),
            "Attribute TOXICITY needs a summary_score with a value from 0 to 1",
        ),
        (
            "attributeScores",
            json!({"TOXICITY": {"summaryScore": {"value": 7}}}),
            "Attribute TOXICITY needs a summary_score with a value from 0 to 1",
        ),
        ("comment", json!({"text": ""}), "Comment must be non-empty."),
    ] {
        let mut body = suggestion();
        body[field] = value;
        let (code, status, said, _) = suggest(service(), &body).error();
        assert_eq!((code, status.as_str(), said.as_str()), (400, "INVALID_ARGUMENT", message), "{body}");
    }
}

#[test]
fn what_coral_sends_for_a_decision_becomes_training_data() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("feedback.db");
    let service = Service::with(Options { db: Some(db.clone()), ..Options::default() });
    let ids = json!({"url": "https://site.example/a", "reply_to_id_Coral_comment_id": "7", "Coral_comment_id": "8"});
    let body = json!({"comment": {"text": RUDE}, "context": {"entries": [{"text": ids.to_string()}]},
        "attributeScores": {"SEVERE_TOXICITY": {"summaryScore": {"value": 1}}, "LIKELY_TO_REJECT": {"summaryScore": {"value": 1}}},
        "communityId": "Coral:https://site.example", "clientToken": "comment:8"});
    assert_eq!(suggest(&service, &body).ok()["polemic"]["stored"], true);
    let mut rows = Vec::new();
    export(&db, &Wanted::default(), |row| {
        rows.push(row);
        Ok(())
    })
    .unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (&row["text"], &row["id"], &row["thread_id"]),
        (&json!(RUDE), &json!("comment:8"), &json!("https://site.example/a"))
    );
    assert_eq!(row["parent_id"], "comment:7");
    assert!(row.to_string().contains("severe_toxicity") && row.to_string().contains("likely_to_reject"), "{row}");
    assert!(row["parent_text"].is_null(), "ids are no text: {row}");
}
