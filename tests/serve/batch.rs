use std::fmt::Write as _;

use polemic::serve::Options;
use serde_json::{Value, json};

use super::asking::{RUDE, Service, service, toxicity_of};

#[test]
fn the_discovery_document_leads_to_the_host_that_was_asked() {
    for path in [
        "/$discovery/rest?version=v1alpha1",
        "/$discovery/rest?version=v1alpha1&key=K",
        "/discovery/v1/apis/commentanalyzer/v1alpha1/rest",
    ] {
        let document = service().get(path).ok();
        assert_eq!(
            (&document["rootUrl"], &document["baseUrl"]),
            (&json!("http://here:8787/"), &json!("http://here:8787/"))
        );
        assert_eq!(document["resources"]["comments"]["methods"]["analyze"]["path"], "v1alpha1/comments:analyze");
        assert_eq!(document["batchPath"], "batch");
    }
}

#[test]
fn the_discovery_document_leads_to_the_public_address_where_there_is_one() {
    let service =
        Service::with(Options { public_url: Some("https://moderation.example".into()), ..Options::default() });
    assert_eq!(service.get("/$discovery/rest").ok()["rootUrl"], "https://moderation.example/");
}

#[test]
fn the_discovery_document_tells_a_wrong_key() {
    let (service, _folder) = Service::locked(Options::default());
    assert_eq!(service.get("/$discovery/rest?version=v1alpha1&key=wrong").error().3["reason"], "API_KEY_INVALID");
    service.get("/$discovery/rest?version=v1alpha1&key=sesame").ok();
    service.get("/$discovery/rest?version=v1alpha1").ok();
}

/// A batch as Google's Python client writes it.
fn batch(bodies: &[String], key: &str) -> String {
    let mut out = String::new();
    for (i, body) in bodies.iter().enumerate() {
        let _ = write!(
            out,
            "--===============7==\nContent-Type: application/http\nMIME-Version: 1.0\nContent-Transfer-Encoding: binary\n\
             Content-ID: <5f + {i}>\n\nPOST /v1alpha1/comments:analyze?key={key}&alt=json HTTP/1.1\n\
             Content-Type: application/json\nMIME-Version: 1.0\nHost: here\ncontent-length: {}\n\n{body}\n",
            body.len()
        );
    }
    out + "--===============7==--\n"
}

const MIXED: &[(&str, &str)] = &[("content-type", "multipart/mixed; boundary=\"===============7==\"")];

#[test]
fn every_part_of_a_batch_is_answered_in_order_under_its_name() {
    let bodies = [toxicity_of(RUDE).to_string(), "{}".into(), toxicity_of("thank you").to_string()];
    for path in ["/batch", "/batch/commentanalyzer/v1alpha1"] {
        let answer = service().post(path, MIXED, batch(&bodies, "K"));
        assert_eq!(answer.status, 200);
        let boundary = answer.header("content-type").split("boundary=").nth(1).unwrap().to_owned();
        let text = answer.text();
        let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
        assert_eq!((parts.len(), parts[0], parts[4].trim()), (5, "", "--"));
        for (i, (part, code)) in parts[1..4].iter().zip([200, 400, 200]).enumerate() {
            assert!(part.contains(&format!("Content-ID: <response-5f + {i}>\r\n")), "{part}");
            let (head, body) = part.split_once("HTTP/1.1 ").unwrap().1.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&code.to_string()), "{head}");
            let body: Value = serde_json::from_str(body.trim()).unwrap();
            assert_eq!(body["error"].is_object(), code == 400);
        }
        let alone = service().analyze(&toxicity_of(RUDE));
        assert!(text.contains(alone.text()), "a part is answered as a request alone is");
    }
}

#[test]
fn keys_of_a_batch_are_those_of_its_parts() {
    let (service, _folder) = Service::locked(Options::default());
    let bodies = [toxicity_of(RUDE).to_string()];
    assert!(service.post("/batch", MIXED, batch(&bodies, "sesame")).text().contains("attributeScores"));
    assert!(service.post("/batch", MIXED, batch(&bodies, "wrong")).text().contains("API_KEY_INVALID"));
}

#[test]
fn a_batch_has_one_to_a_hundred_parts() {
    let bodies = |n: usize| vec![toxicity_of("hm").to_string(); n];
    assert_eq!(
        service().post("/batch", MIXED, batch(&bodies(100), "K")).text().matches("attributeScores").count(),
        100
    );
    for (headers, body) in [
        (MIXED, batch(&bodies(101), "K")),
        (MIXED, batch(&[], "K")),
        (MIXED, String::new()),
        (&[], batch(&bodies(1), "K")),
    ] {
        assert_eq!(service().post("/batch", headers, body).error().0, 400);
    }
    let broken = service().post("/batch", MIXED, "--===============7==\n\nGET\n--===============7==--");
    assert!(broken.status == 200 && broken.text().contains("HTTP/1.1 400"), "{}", broken.text());
}
