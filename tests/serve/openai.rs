use polemic::serve::Options;
use serde_json::{Value, json};

use super::asking::{CIVIL, RUDE, Service, service};
use crate::support::model;

const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

fn moderate(input: &Value) -> Value {
    let body = json!({"input": input, "model": "omni-moderation-latest"}).to_string();
    service().post("/v1/moderations", &[("authorization", "Bearer any")], body).ok()
}

#[test]
fn a_result_has_all_thirteen_categories_as_numbers() {
    let answer = moderate(&json!(RUDE));
    assert!(answer["id"].as_str().unwrap().starts_with("modr-"));
    assert_eq!((&answer["model"], answer["results"].as_array().unwrap().len()), (&json!(model().id()), 1));
    let result = &answer["results"][0];
    for category in CATEGORIES {
        assert!(result["categories"][category].is_boolean(), "{category}");
        assert!(result["category_scores"][category].is_number(), "{category}");
        assert_eq!(result["category_applied_input_types"][category], json!(["text"]));
    }
    assert_eq!(result["flagged"], true);
    assert_eq!(result["categories"]["harassment"], true);
}

#[test]
fn categories_are_our_labels_and_those_without_are_named() {
    let answer = moderate(&json!([RUDE, CIVIL]));
    let unmodelled: Vec<&str> =
        answer["polemic"]["unmodelled"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    for category in ["illicit", "self-harm", "sexual/minors", "violence/graphic"] {
        assert!(unmodelled.contains(&category));
    }
    assert!(!unmodelled.contains(&"harassment"));
    for result in answer["results"].as_array().unwrap() {
        let scores = &result["category_scores"];
        for category in &unmodelled {
            assert_eq!((&scores[category], &result["categories"][category]), (&json!(0.0), &json!(false)));
        }
        let number = |label: &str| scores[format!("incivility/{label}")].as_f64().unwrap_or(0.0);
        let largest = ["insult", "attack_on_commenter", "toxicity"].map(number).into_iter().fold(0.0, f64::max);
        assert_eq!(scores["harassment"].as_f64(), Some(largest));
        assert!(scores["incivility/insult"].is_number() && result["categories"]["incivility/insult"].is_boolean());
    }
    assert_eq!(answer["results"][1]["flagged"], false);
}

#[test]
fn strings_have_a_result_each_and_content_objects_one_in_all() {
    let many = moderate(&json!([CIVIL, RUDE, ""]));
    let flagged: Vec<&Value> = many["results"].as_array().unwrap().iter().map(|r| &r["flagged"]).collect();
    assert_eq!(flagged, [&json!(false), &json!(true), &json!(false)], "in their order");
    assert_eq!(many["results"][2]["polemic"]["unscored"], "empty");
    let parts = json!([{"type": "text", "text": CIVIL}, {"type": "image_url", "image_url": {"url": "http://x.example/a.png"}}, {"type": "text", "text": RUDE}]);
    let one = moderate(&parts);
    assert_eq!((one["results"].as_array().unwrap().len(), &one["results"][0]["flagged"]), (1, &json!(true)));
    assert_eq!(one["polemic"]["unread"], json!(["image_url"]), "what is not looked at is said");
}

#[test]
fn errors_have_openais_shape() {
    for body in ["{}", "{\"input\": null}", "{\"input\": 7}", "{\"input\": []}", "", "no json", "{\"input\": [1, 2]}"] {
        let answer = service().post("/v1/moderations", &[], body);
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status.as_u16(), &error["type"], &error["param"]),
            (400, &json!("invalid_request_error"), &json!("input")),
            "{body}"
        );
        assert!(error["message"].is_string() && error["code"].is_null());
    }
    let (locked, _folder) = Service::locked(Options::default());
    let body = json!({"input": RUDE}).to_string();
    let refused = locked.post("/v1/moderations", &[("authorization", "Bearer wrong")], body.as_str());
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    locked.post("/v1/moderations", &[("authorization", "Bearer sesame")], body).ok();
}
