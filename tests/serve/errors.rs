use polemic::serve::Options;
use serde_json::{Value, json};

use super::asking::{CIVIL, RUDE, Service, service, toxicity_of};

const GERMAN: &str =
    "Die Fähre fährt heute nicht, weil der Wind zu stark ist, und niemand hat uns vorher etwas davon gesagt.";

/// Status, message and error type of a refusal by 400.
fn refused(body: &Value) -> (String, Value) {
    let (code, status, message, detail) = service().analyze(body).error();
    assert_eq!((code, status.as_str()), (400, "INVALID_ARGUMENT"));
    (message, detail)
}

fn refused_as(body: &Value, error_type: &str, message: &str) {
    let (said, detail) = refused(body);
    assert_eq!((said.as_str(), detail["errorType"].as_str()), (message, Some(error_type)), "{body}");
    assert_eq!(detail["@type"], "type.googleapis.com/google.commentanalyzer.v1alpha1.Error");
}

#[allow(clippy::needless_pass_by_value, reason = "written in place")]
fn asking(text: &str, attributes: Value) -> Value {
    json!({"comment": {"text": text}, "requestedAttributes": attributes})
}

#[test]
fn an_empty_comment_is_refused_however_it_is_empty() {
    let empty = "Comment must be non-empty.";
    for body in [
        toxicity_of(""),
        toxicity_of(" \n\t"),
        toxicity_of("..."),
        toxicity_of("> only a quote"),
        json!({}),
        json!({"comment": null}),
        json!({"comment": {}}),
    ] {
        refused_as(&body, "COMMENT_EMPTY", empty);
    }
    for headers in [&[][..], &[("content-type", "application/x-www-form-urlencoded")]] {
        let answer = service().post("/v1alpha1/comments:analyze?key=K", headers, "");
        assert_eq!((answer.error().2.as_str(), &answer.error().3["errorType"]), (empty, &json!("COMMENT_EMPTY")));
    }
}

#[test]
fn a_comment_of_more_than_20480_bytes_is_refused_with_both_numbers() {
    let text = "é".repeat(10_241);
    refused_as(
        &toxicity_of(&text),
        "COMMENT_TOO_LONG",
        "Comment text was too many bytes. Value (20482) exceeded limit (20480).",
    );
}

#[test]
fn attributes_must_be_asked_for_and_known() {
    let missing = "Missing requested_attributes";
    refused_as(&asking(RUDE, json!({})), "NO_REQUESTED_ATTRIBUTES", missing);
    refused_as(&asking(RUDE, json!(null)), "NO_REQUESTED_ATTRIBUTES", missing);
    refused_as(&json!({"comment": {"text": RUDE}}), "NO_REQUESTED_ATTRIBUTES", missing);
    refused_as(
        &asking(RUDE, json!({"TOXICITY": {}, "NOPE": {}})),
        "INVALID_REQUEST",
        "Unknown requested attribute: NOPE",
    );
    refused_as(&asking(RUDE, json!({"toxicity": {}})), "INVALID_REQUEST", "Unknown requested attribute: toxicity");
    refused_as(
        &asking(RUDE, json!({"SPAM": {}, "FLIRTATION": {}})),
        "INVALID_REQUEST",
        "Unknown requested attribute: SPAM",
    );
}

#[test]
fn only_probabilities_are_given() {
    for kind in ["RAW", "PERCENTILE", "STD_DEV_SCORE"] {
        let message = format!("Requested score type {kind} is not supported by attribute TOXICITY");
        refused_as(&asking(RUDE, json!({"TOXICITY": {"scoreType": kind}})), "INVALID_REQUEST", &message);
    }
    service().analyze(&asking(RUDE, json!({"TOXICITY": {"scoreType": "SCORE_TYPE_UNSPECIFIED"}}))).ok();
}

#[test]
fn two_contexts_are_one_too_many() {
    let mut body = toxicity_of(RUDE);
    body["context"] = json!({"entries": [{"text": "a"}], "articleAndParentComment": {"parentComment": {"text": "b"}}});
    let message = "Context can have either entries or article_and_parent_comment, but both fields were populated.";
    refused_as(&body, "INVALID_REQUEST", message);
}

#[test]
fn a_language_that_was_named_and_is_not_the_models_is_refused_as_requested() {
    let mut body = asking(CIVIL, json!({"INSULT": {}, "TOXICITY": {}}));
    body["languages"] = json!(["it", "und"]);
    let message = "Attribute INSULT does not support request languages: it, und";
    refused_as(&body, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE", message);
    let (_, detail) = refused(&body);
    let expected = json!({"requestedLanguages": ["it", "und"], "attribute": "INSULT"});
    assert_eq!(detail["languageNotSupportedByAttributeError"], expected);
}

#[test]
fn a_long_text_plainly_in_another_language_is_refused_as_detected() {
    for languages in [json!(null), json!(["en"])] {
        let mut body = toxicity_of(GERMAN);
        body["languages"] = languages;
        let message = "Attribute TOXICITY does not support request languages: de";
        refused_as(&body, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE", message);
        let (_, detail) = refused(&body);
        let expected = json!({"detectedLanguages": ["de"], "attribute": "TOXICITY"});
        assert_eq!(detail["languageNotSupportedByAttributeError"], expected);
    }
}

#[test]
fn with_drop_unsupported_attributes_another_language_has_no_scores_and_is_no_error() {
    for (text, languages, found) in [(GERMAN, json!(null), json!(["de"])), (CIVIL, json!(["fr"]), json!(["fr"]))] {
        let body = json!({"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}, "INSULT": {}},
            "languages": languages, "dropUnsupportedAttributes": true});
        let answer = service().analyze(&body).ok();
        assert_eq!((&answer["attributeScores"], &answer["detectedLanguages"]), (&json!({}), &found));
        assert_eq!(answer["polemic"]["unsupported"], json!(["TOXICITY", "INSULT"]));
    }
}

#[test]
fn what_is_no_json_is_refused_with_details_and_without_its_words() {
    for body in
        ["secretword {", "[1,2", "{\"comment\": \"secretword\"}", "{\"comment\":{\"text\":7}}", "null", "\u{0}", "[]"]
    {
        let answer = service().post("/v1alpha1/comments:analyze?key=K", &[], body);
        assert_eq!(answer.error().0, 400, "{body}");
        assert!(!answer.text().contains("secretword"), "{}", answer.text());
    }
}

#[test]
fn a_bad_key_is_refused_before_the_body_is_looked_at() {
    let (service, _folder) = Service::locked(Options::default());
    for path in ["/v1alpha1/comments:analyze?key=wrong", "/v1alpha1/comments:analyze", "/comments:suggestscore?key="] {
        for body in ["", "no json", &toxicity_of(RUDE).to_string()] {
            let (code, status, message, detail) = service.post(path, &[], body).error();
            assert_eq!((code, status.as_str()), (400, "INVALID_ARGUMENT"));
            assert_eq!(message, "API key not valid. Please pass a valid API key.");
            let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
                "domain": "googleapis.com", "metadata": {"service": "commentanalyzer.googleapis.com"}});
            assert_eq!(detail, info, "{path} {body}");
        }
    }
    let good = service.post("/v1alpha1/comments:analyze?key=sesame", &[], "");
    assert_eq!(good.error().3["errorType"], "COMMENT_EMPTY", "a good key with an empty body is told by the body");
}

#[test]
fn a_body_that_is_too_large_is_refused_in_the_envelope() {
    let service = Service::with(Options { max_body: 30_000, ..Options::default() });
    let answer = service.analyze(&toxicity_of(&"a ".repeat(20_000)));
    assert_eq!(answer.error().0, 400);
    assert!(answer.error().2.contains("30000 bytes"), "{}", answer.text());
}
