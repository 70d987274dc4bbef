use polemic::model::scoring::{Item, Scratch};
use polemic::record::rounded;
use serde_json::{Value, json};

use super::asking::{CIVIL, RUDE, Service, service, toxicity_of};
use crate::support::model;

/// What the library gives a label.
fn probability(label: &str, item: &Item<'_>) -> f64 {
    let scores = model().score(item, &mut Scratch::default()).unwrap();
    rounded(scores.labels[model().label(label).unwrap()])
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn an_answer_is_the_contracts_key_by_key() {
    let answer = service().analyze(&toxicity_of(RUDE));
    let p = probability("toxicity", &Item { text: RUDE, ..Item::default() });
    let id = model().id();
    let expected = format!(
        "{{\"attributeScores\":{{\"TOXICITY\":{{\"spanScores\":[{{\"begin\":0,\"end\":{},\"score\":{{\"value\":{p},\"type\":\
         \"PROBABILITY\"}}}}],\"summaryScore\":{{\"value\":{p},\"type\":\"PROBABILITY\"}}}}}},\"languages\":[\"en\"],\
         \"detectedLanguages\":[\"en\"],\"polemic\":{{\"model\":\"{id}\"}}}}",
        RUDE.len()
    );
    assert_eq!(answer.text(), expected);
    assert_eq!(answer.header("content-type"), "application/json; charset=UTF-8");
}

#[test]
fn every_address_that_clients_ask_answers() {
    for prefix in ["/v1alpha1", ""] {
        for method in ["comments:analyze", "comments%3Aanalyze", "comments%3aanalyze"] {
            let path = format!("{prefix}/{method}?key=K&alt=json&prettyPrint=false&fields=x&$.xgafv=2&quotaUser=u");
            let answer = service().post(&path, &[("content-type", "application/json")], toxicity_of(RUDE).to_string());
            assert!(answer.ok()["attributeScores"]["TOXICITY"].is_object(), "{path}");
        }
    }
}

#[test]
fn offsets_are_utf16_units_of_the_text_as_sent() {
    let answer = service().analyze(&toxicity_of("you idiot 😀")).ok();
    assert_eq!(answer["attributeScores"]["TOXICITY"]["spanScores"][0]["end"], 12);
}

#[test]
fn with_span_annotations_every_sentence_has_a_span_of_its_own() {
    let text = "  Thanks 😀 for the map! You are a pathetic clown... \nWhy?";
    let mut body = toxicity_of(text);
    body["spanAnnotations"] = json!(true);
    let answer = service().analyze(&body).ok();
    let scores = &answer["attributeScores"]["TOXICITY"];
    let spans = scores["spanScores"].as_array().unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let sentences: Vec<String> = spans
        .iter()
        .map(|span| {
            let at = |end: &str| usize::try_from(span[end].as_u64().unwrap()).unwrap();
            String::from_utf16(&units[at("begin")..at("end")]).unwrap()
        })
        .collect();
    assert_eq!(sentences, ["Thanks 😀 for the map!", "You are a pathetic clown...", "Why?"]);
    for (sentence, span) in sentences.iter().zip(spans) {
        assert_eq!(span["score"]["value"], probability("toxicity", &Item { text: sentence, ..Item::default() }));
    }
    assert_eq!(scores["summaryScore"]["value"], probability("toxicity", &Item { text, ..Item::default() }));
}

#[test]
fn without_span_annotations_one_span_is_the_whole_text() {
    for annotations in [json!(false), json!(null)] {
        let mut body = toxicity_of("One. Two 😀. Three.");
        body["spanAnnotations"] = annotations;
        let answer = service().analyze(&body).ok();
        let spans = &answer["attributeScores"]["TOXICITY"]["spanScores"];
        assert_eq!((spans.as_array().unwrap().len(), &spans[0]["begin"], &spans[0]["end"]), (1, &json!(0), &json!(19)));
    }
}

#[test]
fn languages_mirror_the_request_and_are_found_without_one() {
    for (asked, mirrored) in [
        (json!(null), json!(["en"])),
        (json!([]), json!(["en"])),
        (json!(["en"]), json!(["en"])),
        (json!(["en-GB"]), json!(["en-GB"])),
        (json!(["es", "en"]), json!(["es", "en"])),
    ] {
        for text in [CIVIL, "lol", "😀", "http://example.org/"] {
            let mut body = toxicity_of(text);
            body["languages"] = asked.clone();
            let answer = service().analyze(&body).ok();
            assert_eq!((&answer["languages"], &answer["detectedLanguages"]), (&mirrored, &json!(["en"])), "{text}");
        }
    }
}

#[test]
fn a_client_token_comes_back_only_if_it_was_sent() {
    let mut body = toxicity_of(RUDE);
    assert!(service().analyze(&body).ok().get("clientToken").is_none());
    body["clientToken"] = json!("comment:\"7\" 😀");
    assert_eq!(service().analyze(&body).ok()["clientToken"], "comment:\"7\" 😀");
}

#[test]
fn attributes_come_in_the_order_asked_for_and_twins_and_older_names_are_the_same() {
    let asked = json!({"TOXICITY_FAST": {}, "INSULT": {"scoreType": "PROBABILITY"}, "TOXICITY": {}, "TOXICITY_EXPERIMENTAL": null});
    let answer = service().analyze(&json!({"comment": {"text": RUDE}, "requestedAttributes": asked})).ok();
    let scores = &answer["attributeScores"];
    assert_eq!(keys(scores), ["TOXICITY_FAST", "INSULT", "TOXICITY", "TOXICITY_EXPERIMENTAL"]);
    for twin in ["TOXICITY_FAST", "TOXICITY_EXPERIMENTAL"] {
        assert_eq!(scores[twin], scores["TOXICITY"]);
    }
    assert!(answer["polemic"].get("unsupported").is_none());
}

#[test]
fn an_attribute_without_a_label_is_left_out_and_named() {
    let asked = json!({"FLIRTATION": {}, "TOXICITY": {}, "SPAM": {}});
    let answer = service().analyze(&json!({"comment": {"text": RUDE}, "requestedAttributes": asked})).ok();
    assert_eq!(keys(&answer["attributeScores"]), ["TOXICITY"]);
    assert_eq!(answer["polemic"]["unsupported"], json!(["FLIRTATION", "SPAM"]));
}

#[test]
fn a_label_that_leaves_the_comment_open_is_left_out_and_named() {
    let experimental = model().manifest.labels.iter().enumerate().find_map(|(k, head)| {
        let attribute = polemic::label::find(&head.name)?.perspective?;
        let scores =
            |text| model().score(&Item { text, ..Item::default() }, &mut Scratch::default()).unwrap().labels[k];
        let text = [RUDE, CIVIL, "All of them do it, every one."]
            .into_iter()
            .find(|t| model().left_open(k, scores(t)).is_some())?;
        Some((attribute, text))
    });
    let Some((attribute, text)) = experimental else { return };
    let asked = json!({attribute: {}, "TOXICITY": {}});
    let answer = service().analyze(&json!({"comment": {"text": text}, "requestedAttributes": asked})).ok();
    assert_eq!(
        (keys(&answer["attributeScores"]), &answer["polemic"]["unsupported"]),
        (vec!["TOXICITY"], &json!([attribute]))
    );
    let alone = service().analyze(&json!({"comment": {"text": text}, "requestedAttributes": {attribute: {}}}));
    assert!(alone.error().2.contains(attribute), "{}", alone.text());
}

#[test]
fn scores_below_the_clients_threshold_are_absent() {
    for (threshold, there) in [(0.0, true), (1.0, false)] {
        let asked = json!({"TOXICITY": {"scoreThreshold": threshold}});
        let answer = service().analyze(&json!({"comment": {"text": CIVIL}, "requestedAttributes": asked})).ok();
        assert_eq!(answer["attributeScores"].get("TOXICITY").is_some(), there, "{threshold}");
        assert!(answer["attributeScores"].is_object() && answer["polemic"].get("unsupported").is_none());
    }
}

#[test]
fn bodies_are_read_whatever_their_content_type_says() {
    let json = toxicity_of(RUDE).to_string();
    let expected = service().analyze(&toxicity_of(RUDE)).body;
    let unquoted = format!("{{comment: {{text: \"{RUDE}\"}},\n requestedAttributes: {{TOXICITY:{{}}}} }}");
    let snake = json!({"comment": {"text": RUDE}, "requested_attributes": {"TOXICITY": {"score_type": "PROBABILITY"}}, "do_not_store": true}).to_string();
    for body in [&json, &unquoted, &snake] {
        for headers in [
            &[][..],
            &[("content-type", "application/json;charset=utf-8")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "text/plain")],
        ] {
            let answer = service().post("/v1alpha1/comments:analyze?key=K", headers, body.as_str());
            assert_eq!(answer.body, expected, "{body} {headers:?}: {}", answer.text());
        }
    }
}

#[test]
fn snake_case_names_mean_the_same() {
    let text = "One thing. Another.";
    let camel = json!({"comment": {"text": text}, "context": {"articleAndParentComment": {"parentComment": {"text": "No, never."}}},
        "requestedAttributes": {"TOXICITY": {"scoreType": "PROBABILITY", "scoreThreshold": 0.0}, "SPAM": {}},
        "spanAnnotations": true, "clientToken": "t", "dropUnsupportedAttributes": true, "languages": ["en"]});
    let snake = json!({"comment": {"text": text}, "context": {"article_and_parent_comment": {"parent_comment": {"text": "No, never."}}},
        "requested_attributes": {"TOXICITY": {"score_type": "PROBABILITY", "score_threshold": 0.0}, "SPAM": {}},
        "span_annotations": true, "client_token": "t", "drop_unsupported_attributes": true, "languages": ["en"]});
    assert_eq!(service().analyze(&camel).ok(), service().analyze(&snake).ok());
}

#[test]
fn a_text_cut_within_an_emoji_is_scored() {
    let body = r#"{"comment":{"text":"you clown \ud83d"},"requestedAttributes":{"TOXICITY":{}}}"#;
    let answer = service().post("/comments:analyze", &[], body).ok();
    assert_eq!(answer["attributeScores"]["TOXICITY"]["spanScores"][0]["end"], 11);
}

#[test]
fn html_is_scored_as_its_text_and_offsets_are_of_the_source() {
    let toxicity = |html: &str| {
        let mut body = toxicity_of(html);
        body["comment"]["type"] = json!("HTML");
        service().analyze(&body).ok()["attributeScores"]["TOXICITY"].clone()
    };
    let html = "<p>You are a <b>pathetic</b> clown &amp; a liar</p>";
    let scores = toxicity(html);
    let plain = "You are a pathetic clown & a liar";
    assert_eq!(scores["summaryScore"]["value"], probability("toxicity", &Item { text: plain, ..Item::default() }));
    assert_eq!(scores["spanScores"][0]["end"], html.len());
    let quoted = format!("<blockquote><p>{RUDE}</p></blockquote><p>{CIVIL}</p>");
    let value = |scores: &Value| scores["summaryScore"]["value"].as_f64().unwrap();
    assert!(value(&toxicity(&quoted)) < value(&toxicity(&format!("<p>{RUDE}</p><p>{CIVIL}</p>"))) / 2.0);
}

#[test]
fn the_parent_is_read_in_either_context_and_coral_s_ids_are_none() {
    // Attacks on commenters are told by how a reply relates to its parent.
    let attribute = "ATTACK_ON_COMMENTER";
    let reply = "No, you are wrong about the bridge, did you even look?";
    let parent = "The bridge is safe, I looked at it and you are wrong.";
    let ask = |context: Value| {
        let asked = json!({"TOXICITY": {}, attribute: {}});
        service().analyze(&json!({"comment": {"text": reply}, "context": context, "requestedAttributes": asked})).ok()
    };
    let alone = ask(json!(null));
    let ids = json!({"url": "https://site.example/a", "reply_to_id_Coral_comment_id": "7", "Coral_comment_id": "8"});
    assert_eq!(ask(json!({"entries": [{"text": ids.to_string()}]})), alone);
    assert_eq!(ask(json!({"entries": []})), alone);
    let entries = ask(json!({"entries": [{"text": parent, "type": "PLAIN_TEXT"}, {"text": "the article"}]}));
    let article =
        ask(json!({"articleAndParentComment": {"article": {"text": "x"}, "parentComment": {"text": parent}}}));
    assert_eq!(entries, article);
    assert_eq!(entries["polemic"]["parent"], true);
    if let Some(k) = model().label("attack_on_commenter")
        && model().manifest.labels[k].calibration.relation.is_some()
    {
        assert_ne!(entries["attributeScores"][attribute], alone["attributeScores"][attribute]);
    }
}

#[test]
fn long_texts_up_to_the_limit_are_scored() {
    let text = "The timetable changes. ".repeat(1000);
    let mut body = toxicity_of(&text[..20_480]);
    body["spanAnnotations"] = json!(true);
    let answer = service().analyze(&body).ok();
    assert!(answer["attributeScores"]["TOXICITY"]["spanScores"].as_array().unwrap().len() > 800);
}

#[test]
fn pages_of_other_origins_may_ask() {
    for (path, method) in
        [("/v1alpha1/comments:analyze?key=K", "POST"), ("/batch", "POST"), ("/$discovery/rest", "GET")]
    {
        let preflight = axum::http::Request::options(path)
            .header("origin", "https://demo.example")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "content-type")
            .body(axum::body::Body::empty())
            .unwrap();
        let answer = service().send(preflight);
        assert!(answer.status.is_success(), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(answer.header("access-control-allow-methods").contains(method));
        assert!(answer.header("access-control-allow-headers").contains("content-type"));
    }
    for (body, status) in [(toxicity_of(RUDE).to_string(), 200), (String::new(), 400)] {
        let answer = service().post("/v1alpha1/comments:analyze", &[("origin", "https://demo.example")], body);
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (status, "*"));
    }
}

#[test]
fn a_reload_changes_the_model_for_the_next_request_only() {
    let service = Service::new();
    let before = service.app.model.load_full();
    service.app.reload().unwrap();
    assert!(!std::sync::Arc::ptr_eq(&before, &service.app.model.load_full()));
    service.analyze(&toxicity_of(RUDE)).ok();
}
