//! What our own faces promise.

use serde_json::{Value, json};
use ureq::http::Method;

use super::probe::{Checked, Probe, ensure};

const SERVICE: &str = "service";
const V1: &str = "v1";

/// Whether anybody answers.
pub fn is_there(probe: &Probe) -> Checked {
    let answer = probe.get("/healthz")?.of_status(200)?;
    Ok(format!("{:.1?}", answer.after))
}

/// Health, metrics, the page.
pub fn operations(probe: &mut Probe) {
    probe.check(SERVICE, "takes requests", |probe| {
        let answer = probe.get("/readyz")?.of_status(200)?.json()?;
        let name = |field: &str| answer[field].as_str().unwrap_or("?").to_owned();
        Ok(format!("model {}, policy {}", name("model"), name("policy")))
    });
    probe.check(SERVICE, "metrics", |probe| {
        let answer = probe.get("/metrics")?.of_status(200)?;
        ensure(answer.text.contains("polemic_requests"), || "nothing of ours in them".into())?;
        Ok(String::new())
    });
    probe.check(SERVICE, "openapi.json", |probe| {
        let answer = probe.get("/openapi.json")?.of_status(200)?.json()?;
        Ok(format!("{} paths", answer["paths"].as_object().map_or(0, serde_json::Map::len)))
    });
    probe.check(SERVICE, "the page, with a policy that lets nothing else in", |probe| {
        let answer = probe.get("/")?.of_status(200)?;
        let policy = answer.header("content-security-policy");
        ensure(policy.contains("default-src 'none'"), || format!("Content-Security-Policy: {policy:?}"))?;
        Ok(String::new())
    });
}

/// All checks of our own face.
pub fn v1(probe: &mut Probe) {
    probe.check(V1, "scores a thread, replies by their parents", |probe| {
        let body = json!({"comments": [{"id": "1", "text": "The bridge is safe."}, {"id": 2, "parent_id": 1, "text": "No, that is wrong."}]});
        let answer = probe.post("/v1/score", &body)?.of_status(200)?.json()?;
        let comments = answer["comments"].as_array().map_or(0, Vec::len);
        ensure(comments == 2 && answer["comments"][1]["id"] == "2", || format!("{comments} answers instead of 2"))?;
        ensure(answer["comments"][0]["scores"].is_object(), || "no `scores`".into())?;
        let decision = answer["comments"][0]["decision"]["action"].as_str();
        Ok(decision.map_or_else(|| "no policy is set".into(), |action| format!("the policy says {action}")))
    });
    probe.check(V1, "streams, and goes on after a bad line", |probe| {
        let headers = [probe.bearer(), vec![("content-type", "application/x-ndjson".to_owned())]].concat();
        let lines = "{\"text\":\"hello there\"}\n{\"txt\":1}\n{\"text\":\"you idiot\"}\n";
        let answer = probe.ask(Method::POST, "/v1/score", &headers, lines)?.of_status(200)?;
        let rows: Vec<Value> = answer.text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let [first, second, third] = rows.as_slice() else { return Err(format!("{} lines instead of 3", rows.len())) };
        ensure(first["scores"].is_object() && third["scores"].is_object(), || "lines without scores".into())?;
        ensure(second["line"] == 2 && second["error"].is_string(), || format!("the bad line has {second}"))?;
        Ok(String::new())
    });
    probe.check(V1, "explanations add up", |probe| {
        let answer =
            probe.post("/v1/explain", &json!({"text": "You are a stupid idiot 😀"}))?.of_status(200)?.json()?;
        let labels = answer["labels"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure(!labels.is_empty(), || "no labels".into())?;
        for label in labels {
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            let shares = label["shares"].as_array().into_iter().flatten().map(|share| number(&share["share"]));
            let off = (number(&label["base"]) + shares.sum::<f64>() - number(&label["logit"])).abs();
            ensure(off < 1e-2, || format!("{} is off by {off}", label["label"]))?;
        }
        Ok(format!("{} labels", labels.len()))
    });
    probe.check(V1, "says what was measured", |probe| {
        let answer = probe.ask(Method::GET, "/v1/models", &probe.bearer(), "")?.of_status(200)?.json()?;
        let labels = answer["models"][0]["labels"].as_array().map(Vec::as_slice).unwrap_or_default();
        let measured =
            labels.iter().filter(|label| label["measured_on"].as_array().is_some_and(|on| !on.is_empty())).count();
        ensure(!labels.is_empty(), || "no labels".into())?;
        Ok(format!("{} labels, {measured} of them with figures", labels.len()))
    });
    probe.check(V1, "errors are problem details", |probe| {
        let answer = probe.post("/v1/score", &json!({"txt": "hello"}))?.of_status(400)?;
        let kind = answer.header("content-type");
        ensure(kind.starts_with("application/problem+json"), || format!("content type {kind}"))?;
        ensure(answer.json()?["detail"].is_string(), || "no `detail`".into())?;
        Ok(String::new())
    });
}
