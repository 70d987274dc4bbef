//! What clients of Perspective expect.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use super::probe::{Answer, Checked, Probe, ensure};

const FACE: &str = "Perspective";
const ANALYZE: &str = "/v1alpha1/comments:analyze";
const SUGGEST: &str = "/v1alpha1/comments:suggestscore";
/// How long Coral waits.
const CORAL: Duration = Duration::from_millis(800);
/// Requests that the latency is taken of.
const TIMED: usize = 50;
/// Longest text, in bytes.
const LONGEST: usize = 20_480;

/// All checks of this face.
pub fn all(probe: &mut Probe) {
    probe.check(FACE, "scores, spans, both languages", scores);
    probe.check(FACE, "offsets are UTF-16 code units", offsets);
    probe.check(FACE, "a span a sentence with spanAnnotations", sentences);
    probe.check(FACE, "clientToken comes back", token);
    probe.check(FACE, "answers without the version, and to an escaped colon", paths);
    probe.check(
        FACE,
        "reads JSON without a content type, as a form, with unquoted keys and snake_case names",
        leniency,
    );
    probe.check(FACE, "details[0] on an empty body", empty_body);
    probe.check(FACE, "errors have their exact words", errors);
    probe.check(FACE, "a key that is not known is refused before the body is read", key);
    probe.check(FACE, "suggestscore refuses what has no scores", suggest);
    probe.check(FACE, "discovery documents point here", discovery);
    probe.check(FACE, "pages of other origins may ask (CORS)", cors);
    probe.check(FACE, "answers in the 800 ms that Coral waits", latency);
}

fn request(text: &str) -> Value {
    json!({"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"], "doNotStore": true})
}

fn analyze(probe: &Probe, body: &Value) -> Result<Answer, String> {
    probe.ask(
        Method::POST,
        &probe.with_key(ANALYZE),
        &[("content-type", "application/json".to_owned())],
        &body.to_string(),
    )
}

fn score(answer: &Value) -> Result<f64, String> {
    let score = &answer["attributeScores"]["TOXICITY"]["summaryScore"];
    let value = score["value"].as_f64().filter(|value| (0.0..=1.0).contains(value));
    ensure(score["type"] == "PROBABILITY", || "summaryScore.type is not PROBABILITY".into())?;
    value.ok_or_else(|| "attributeScores.TOXICITY.summaryScore.value is no number from 0 to 1".into())
}

fn scores(probe: &Probe) -> Checked {
    let answer = analyze(probe, &request("Thank you, that was a helpful answer."))?.of_status(200)?;
    let content = answer.header("content-type").to_ascii_lowercase();
    ensure(content.starts_with("application/json"), || format!("content type {content}"))?;
    let answer = answer.json()?;
    let mild = score(&answer)?;
    for field in ["languages", "detectedLanguages"] {
        ensure(answer[field].as_array().is_some_and(|list| !list.is_empty()), || format!("no `{field}`"))?;
    }
    let spans = answer["attributeScores"]["TOXICITY"]["spanScores"].as_array().map_or(0, Vec::len);
    ensure(spans == 1, || format!("{spans} spanScores instead of one for the whole text"))?;
    let rude = score(&analyze(probe, &request("You are a stupid idiot and a liar."))?.of_status(200)?.json()?)?;
    ensure(rude > mild, || format!("an insult has {rude}, a thank-you {mild}"))?;
    let model = answer["polemic"]["model"].as_str().unwrap_or("no model named");
    Ok(format!("{model}; an insult {rude:.2}, a thank-you {mild:.2}"))
}

fn span_end(answer: &Value, at: usize) -> Option<u64> {
    answer["attributeScores"]["TOXICITY"]["spanScores"][at]["end"].as_u64()
}

fn offsets(probe: &Probe) -> Checked {
    let answer = analyze(probe, &request("you idiot 😀"))?.of_status(200)?.json()?;
    let end = span_end(&answer, 0);
    ensure(end == Some(12), || format!("`you idiot 😀` ends at {end:?} instead of 12"))?;
    Ok(String::new())
}

fn sentences(probe: &Probe) -> Checked {
    let mut body = request("That was a good read. You are an idiot.");
    body["spanAnnotations"] = true.into();
    let answer = analyze(probe, &body)?.of_status(200)?.json()?;
    ensure(span_end(&answer, 1) == Some(39), || "no second span that ends at 39".into())?;
    Ok(String::new())
}

fn token(probe: &Probe) -> Checked {
    let mut body = request("hello there");
    body["clientToken"] = "doctor".into();
    let answer = analyze(probe, &body)?.of_status(200)?.json()?;
    ensure(answer["clientToken"] == "doctor", || "it does not".into())?;
    let without = analyze(probe, &request("hello there"))?.json()?;
    ensure(without["clientToken"].is_null(), || "there is one that was not sent".into())?;
    Ok(String::new())
}

fn paths(probe: &Probe) -> Checked {
    let body = request("hello there").to_string();
    for path in ["/comments:analyze", "/v1alpha1/comments%3Aanalyze"] {
        let path = probe.with_key(path);
        score(&probe.ask(Method::POST, &path, &[], &body)?.of_status(200)?.json()?)?;
    }
    Ok(String::new())
}

fn leniency(probe: &Probe) -> Checked {
    let form = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    let plain = request("hello there").to_string();
    let unquoted = r#"{comment: {text: "hello there"}, languages: ["en"], requestedAttributes: {TOXICITY:{}} }"#;
    let snake = r#"{"comment":{"text":"hello there"},"requested_attributes":{"TOXICITY":{}},"do_not_store":true}"#;
    for (what, headers, body) in [
        ("no content type", &[][..], plain.as_str()),
        ("a form", &form, &plain),
        ("unquoted keys", &form, unquoted),
        ("snake_case", &[], snake),
    ] {
        let answer = probe.ask(Method::POST, &probe.with_key(ANALYZE), headers, body)?.of_status(200);
        score(&answer.map_err(|e| format!("{what}: {e}"))?.json()?).map_err(|e| format!("{what}: {e}"))?;
    }
    Ok(String::new())
}

/// The first detail of an error, if it is in Google's envelope.
fn detail(answer: &Answer) -> Result<Value, String> {
    let error = &answer.json()?["error"];
    ensure(error["message"].is_string() && error["status"].is_string(), || "no error.message or error.status".into())?;
    ensure(error["code"] == answer.status, || format!("error.code {} with status {}", error["code"], answer.status))?;
    Some(error["details"][0].clone()).filter(Value::is_object).ok_or_else(|| "no error.details[0]".into())
}

fn empty_body(probe: &Probe) -> Checked {
    let form = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    let answer = probe.ask(Method::POST, &probe.with_key(ANALYZE), &form, "")?.of_status(400)?;
    detail(&answer)?;
    Ok(String::new())
}

fn errors(probe: &Probe) -> Checked {
    let long = "a ".repeat(LONGEST / 2 + 1);
    let too_long = format!("Comment text was too many bytes. Value ({}) exceeded limit ({LONGEST}).", long.len());
    let mut foreign = request("hello there");
    foreign["languages"] = json!(["it"]);
    let with = |attributes: Value| json!({"comment": {"text": "hello there"}, "requestedAttributes": attributes, "languages": ["en"]});
    for (body, message, kind) in [
        (request(""), "Comment must be non-empty.", "COMMENT_EMPTY"),
        (request(&long), too_long.as_str(), "COMMENT_TOO_LONG"),
        (with(json!({})), "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
        (with(json!({"NOPE": {}})), "Unknown requested attribute: NOPE", "INVALID_REQUEST"),
        (
            with(json!({"TOXICITY": {"scoreType": "RAW"}})),
            "Requested score type RAW is not supported by attribute TOXICITY",
            "INVALID_REQUEST",
        ),
        (foreign, "Attribute TOXICITY does not support request languages: it", "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"),
    ] {
        let answer = analyze(probe, &body)?.of_status(400)?;
        let found = detail(&answer)?;
        let said = answer.json()?["error"]["message"].clone();
        ensure(said == message, || format!("{said} instead of \"{message}\""))?;
        ensure(found["errorType"] == kind, || format!("{} instead of {kind}", found["errorType"]))?;
    }
    Ok(String::new())
}

fn key(probe: &Probe) -> Checked {
    let answer = probe.ask(Method::POST, &format!("{ANALYZE}?key=surely-not-a-key"), &[], "")?.of_status(400)?;
    let detail = detail(&answer)?;
    if detail["reason"] == "API_KEY_INVALID" {
        let message = answer.json()?["error"]["message"].clone();
        let wanted = "API key not valid. Please pass a valid API key.";
        ensure(message == wanted, || format!("{message} instead of \"{wanted}\""))?;
        return Ok(String::new());
    }
    ensure(probe.key.is_none(), || "any key is accepted, though one was given to ask with".into())?;
    Ok("any key is accepted here".into())
}

fn suggest(probe: &Probe) -> Checked {
    let body = json!({"comment": {"text": "hello there"}, "attributeScores": {}});
    let answer = probe.ask(Method::POST, &probe.with_key(SUGGEST), &[], &body.to_string())?.of_status(400)?;
    detail(&answer)?;
    Ok(String::new())
}

fn discovery(probe: &Probe) -> Checked {
    for path in ["/$discovery/rest?version=v1alpha1", "/discovery/v1/apis/commentanalyzer/v1alpha1/rest"] {
        let document = probe.get(path)?.of_status(200)?.json()?;
        let root = document["rootUrl"].as_str().unwrap_or_default();
        ensure(!root.is_empty(), || format!("{path} has no rootUrl"))?;
        ensure(!root.contains("googleapis.com"), || format!("{path} points to {root}"))?;
        if root.trim_end_matches('/') != probe.base {
            return Ok(format!("they point to {root}, as --public-url says"));
        }
    }
    Ok(String::new())
}

fn cors(probe: &Probe) -> Checked {
    let headers = [
        ("origin", "https://demo.example".to_owned()),
        ("access-control-request-method", "POST".to_owned()),
        ("access-control-request-headers", "content-type".to_owned()),
    ];
    let answer = probe.ask(Method::OPTIONS, ANALYZE, &headers, "")?;
    ensure(answer.status < 300, || format!("status {}", answer.status))?;
    ensure(!answer.header("access-control-allow-origin").is_empty(), || "no Access-Control-Allow-Origin".into())?;
    Ok(String::new())
}

fn latency(probe: &Probe) -> Checked {
    let text = "I read the report twice and I still cannot see how the toll pays for the bridge, you clown. ".repeat(4);
    let mut times = Vec::with_capacity(TIMED);
    for _ in 0..TIMED {
        times.push(analyze(probe, &request(&text))?.of_status(200)?.after);
    }
    times.sort();
    let (middle, most) = (times.get(TIMED / 2).copied().unwrap_or_default(), times.last().copied().unwrap_or_default());
    ensure(most < CORAL, || format!("{most:.1?} at most, {middle:.1?} in the middle"))?;
    Ok(format!("{middle:.1?} in the middle, {most:.1?} at most, of {TIMED}"))
}
