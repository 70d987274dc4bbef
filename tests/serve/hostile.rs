use std::sync::OnceLock;
use std::time::Duration;

use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::asking::{Service, runtime};

/// Every route that takes a body.
const ROUTES: [&str; 12] = [
    "/v1alpha1/comments:analyze",
    "/comments:analyze?key=%ff",
    "/v1alpha1/comments:suggestscore",
    "/batch",
    "/v1/moderations",
    "/1.1/verify-key",
    "/1.1/comment-check",
    "/1.1/submit-spam",
    "/1.1/submit-ham",
    "/coral/moderate",
    "/nowhere",
    "/%ff/%2e%2e/$discovery",
];

fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(Service::new)
}

/// Asks and makes sure that an answer comes, and that it blames the client if anyone.
fn ask(path: &str, headers: &[(&str, &str)], body: Vec<u8>) {
    let mut request = axum::http::Request::builder().method(Method::POST).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(axum::body::Body::from(body)).unwrap();
    let answer = service().send(request);
    assert!(answer.status.as_u16() < 500, "{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
}

const HEADERS: [&[(&str, &str)]; 4] = [
    &[],
    &[("content-type", "application/json"), ("authorization", "Bearer \t"), ("x-coral-signature", "sha256=")],
    &[("content-type", "application/x-www-form-urlencoded"), ("host", "..:")],
    &[("content-type", "multipart/mixed; boundary=b"), ("content-length", "7")],
];

/// JSON of the names that the contracts have, with anything as value.
fn request() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "comment",
        "text",
        "type",
        "context",
        "entries",
        "articleAndParentComment",
        "parentComment",
        "requestedAttributes",
        "TOXICITY",
        "scoreThreshold",
        "scoreType",
        "languages",
        "clientToken",
        "spanAnnotations",
        "attributeScores",
        "summaryScore",
        "value",
        "input",
        "body",
        "author",
        "role",
        "site",
        "id",
        "dropUnsupportedAttributes",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(Value::from),
        Just(json!("HTML")),
        Just(json!("you clown. Why?")),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|entries| entries
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_anywhere_is_answered_and_never_our_fault(body in request(), route in 0..ROUTES.len(), headers in 0..HEADERS.len()) {
        ask(ROUTES[route], HEADERS[headers], body.to_string().into_bytes());
    }

    #[test]
    fn any_bytes_anywhere_are_answered_and_never_our_fault(
        body in prop::collection::vec(any::<u8>(), 0..400), route in 0..ROUTES.len(), headers in 0..HEADERS.len(),
    ) {
        ask(ROUTES[route], HEADERS[headers], body);
    }

    #[test]
    fn any_text_asked_properly_is_scored_or_refused(text in "\\PC{0,300}", html in any::<bool>(), spans in any::<bool>()) {
        let body = json!({"comment": {"text": text, "type": if html { "HTML" } else { "PLAIN_TEXT" }}, "spanAnnotations": spans,
            "requestedAttributes": {"TOXICITY": {}, "INSULT": {}}});
        let answer = service().analyze(&body);
        if answer.status == 200 {
            let units = text.encode_utf16().count() as u64;
            let answer = answer.json();
            let list = answer["attributeScores"]["TOXICITY"]["spanScores"].as_array().unwrap();
            let mut at = 0;
            prop_assert!(!list.is_empty());
            for span in list {
                let (begin, end) = (span["begin"].as_u64().unwrap(), span["end"].as_u64().unwrap());
                prop_assert!(at <= begin && begin < end && end <= units, "{answer}");
                at = end;
            }
        } else {
            answer.error();
        }
    }
}

#[test]
fn deep_and_large_bodies_end_soon() {
    for body in [
        "[".repeat(1 << 20),
        "{\"a\":".repeat(1 << 18),
        "{a:".repeat(1 << 18),
        "\\u".repeat(1 << 20),
        "--b\n".repeat(1 << 19),
        "a=b&".repeat(1 << 19),
        "/*".repeat(1 << 20),
    ] {
        for route in ROUTES {
            for headers in HEADERS {
                ask(route, headers, body.clone().into_bytes());
            }
        }
    }
}

#[test]
fn a_long_text_does_not_keep_short_ones_waiting() {
    let long =
        json!({"input": vec!["The ferry and the bus and the tram are late again. ".repeat(2000); 20]}).to_string();
    let service = service();
    let slow: Vec<_> = (0..4)
        .map(|_| {
            let long = long.clone();
            std::thread::spawn(move || service.post("/v1/moderations", &[], long).status)
        })
        .collect();
    let short = runtime().block_on(async {
        tokio::time::timeout(
            Duration::from_mins(1),
            tokio::task::spawn_blocking(move || service.get("/$discovery/rest").status),
        )
        .await
    });
    assert_eq!(short.unwrap().unwrap(), 200);
    assert!(slow.into_iter().all(|thread| thread.join().unwrap() == 200));
}
