//! What clients of OpenAI's moderation endpoint, of Akismet, and Coral expect.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use ureq::http::Method;

use super::probe::{Answer, Probe, ensure};

const OPEN_AI: &str = "OpenAI";
const AKISMET: &str = "Akismet";
const CORAL: &str = "Coral";

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

/// All checks of OpenAI's face.
pub fn open_ai(probe: &mut Probe) {
    probe.check(OPEN_AI, "all 13 categories, with numbers", |probe| {
        let answer =
            probe.post("/v1/moderations", &json!({"input": "You are a stupid idiot."}))?.of_status(200)?.json()?;
        ensure(answer["id"].is_string() && answer["model"].is_string(), || "no id or model".into())?;
        let result = &answer["results"][0];
        ensure(result["flagged"].is_boolean(), || "no `flagged`".into())?;
        for category in CATEGORIES {
            let is_there = result["categories"][category].is_boolean()
                && result["category_scores"][category].is_number()
                && result["category_applied_input_types"][category].is_array();
            ensure(is_there, || format!("`{category}` is missing or of another type"))?;
        }
        Ok(String::new())
    });
    probe.check(OPEN_AI, "one result a text, one for a list of parts", |probe| {
        let count = |input: Value| -> Result<usize, String> {
            let answer = probe.post("/v1/moderations", &json!({"input": input}))?.of_status(200)?.json()?;
            Ok(answer["results"].as_array().map_or(0, Vec::len))
        };
        let texts = count(json!(["a good day", "a bad day"]))?;
        let parts = count(json!([{"type": "text", "text": "a good day"}, {"type": "text", "text": "a bad day"}]))?;
        ensure((texts, parts) == (2, 1), || format!("{texts} and {parts} instead of 2 and 1"))?;
        Ok(String::new())
    });
    probe.check(OPEN_AI, "errors have `message` and `type`", |probe| {
        let answer = probe.post("/v1/moderations", &json!({}))?.of_status(400)?.json()?;
        let error = &answer["error"];
        ensure(error["message"].is_string() && error["type"].is_string(), || "they have not".into())?;
        Ok(String::new())
    });
}

fn form(probe: &Probe, path: &str, fields: &[(&str, &str)]) -> Result<Answer, String> {
    let own = probe.key.as_deref().unwrap_or("any");
    let all = [("api_key", own), ("key", own), ("blog", "https://doctor.example/"), ("user_ip", "192.0.2.1")];
    let mut body = form_urlencoded::Serializer::new(String::new());
    all.iter().chain(fields).for_each(|(name, value)| {
        body.append_pair(name, value);
    });
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    probe.ask(Method::POST, path, &headers, &body.finish())
}

/// All checks of Akismet's face. Nothing is submitted: that would be kept as feedback.
pub fn akismet(probe: &mut Probe) {
    probe.check(AKISMET, "the key is valid", |probe| {
        let answer = form(probe, "/1.1/verify-key", &[])?.of_status(200)?;
        ensure(answer.text == "valid", || format!("{:?}", answer.text))?;
        Ok(String::new())
    });
    probe.check(AKISMET, "answers exactly `true` or `false`", |probe| {
        let check = |fields: &[(&str, &str)]| -> Result<String, String> {
            Ok(form(probe, "/1.1/comment-check", fields)?.of_status(200)?.text)
        };
        let plain = check(&[("comment_content", "Thank you, a good read.")])?;
        ensure(plain == "false", || format!("{plain:?} for a thank-you"))?;
        let test = check(&[("comment_content", "Hello."), ("comment_author", "viagra-test-123")])?;
        ensure(test == "true", || format!("{test:?} for the author viagra-test-123"))?;
        let own = check(&[("comment_content", "Hello."), ("user_role", "administrator")])?;
        ensure(own == "false", || format!("{own:?} for an administrator"))?;
        Ok(String::new())
    });
    probe.check(AKISMET, "says what is missing in X-akismet-debug-help", |probe| {
        let key = probe.key.as_deref().unwrap_or("any");
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("api_key", key).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        let answer = probe.ask(Method::POST, "/1.1/comment-check", &headers, &body)?;
        ensure(!["true", "false"].contains(&answer.text.as_str()), || format!("{:?} without a blog", answer.text))?;
        ensure(!answer.header("x-akismet-debug-help").is_empty(), || "no such header".into())?;
        Ok(String::new())
    });
    probe.check(AKISMET, "usage-limit", |probe| {
        let key = probe.key.as_deref().unwrap_or("any");
        let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
        let answer = probe.get(&format!("/1.2/usage-limit?api_key={key}"))?.of_status(200)?.json()?;
        ensure(answer["limit"].is_string() && answer["throttled"] == false, || answer.to_string())?;
        Ok(String::new())
    });
}

/// All checks of Coral's face.
pub fn coral(probe: &mut Probe) {
    let Some(secret) = probe.secret.clone() else {
        probe.leave(CORAL, "external moderation phase", "not asked: give its secret with --coral-secret");
        return;
    };
    probe.check(CORAL, "answers a signed request as Coral's schema wants it", |probe| {
        let answer = signed(probe, &secret, "You are a stupid idiot and a liar.")?;
        if answer.status == 204 {
            return Ok("no opinion on an insult: see the policy's thresholds".into());
        }
        let answer = answer.of_status(200)?.json()?;
        let statuses = ["NONE", "APPROVED", "REJECTED", "PREMOD", "SYSTEM_WITHHELD"];
        let status = answer.get("status");
        let is_known = status.is_none_or(|status| status.as_str().is_some_and(|status| statuses.contains(&status)));
        ensure(is_known, || format!("status {status:?}"))?;
        ensure(answer.get("tags").is_none_or(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty())), || {
            "empty `tags`".into()
        })?;
        let action = &answer["actions"][0];
        ensure(action.is_null() || action["actionType"] == "FLAG", || format!("action {action}"))?;
        Ok(format!("an insult: {}", status.and_then(Value::as_str).unwrap_or("flagged")))
    });
    probe.check(CORAL, "refuses a signature with another secret", |probe| {
        let answer = signed(probe, "surely-another-secret", "Hello.")?;
        ensure(answer.status >= 400, || format!("status {}: is the server's secret set?", answer.status))?;
        Ok(String::new())
    });
}

fn signed(probe: &Probe, secret: &str, text: &str) -> Result<Answer, String> {
    let body = json!({"action": "NEW", "comment": {"body": text, "parentID": null}, "author": {"id": "a", "role": "COMMENTER"},
        "story": {"id": "s", "url": "https://doctor.example/s"}, "site": {"id": "doctor"}, "tenantID": "t", "tenantDomain": "doctor.example"});
    // As Coral writes it: with two spaces.
    let body = serde_json::to_string_pretty(&body).map_err(|e| e.to_string())?;
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|e| e.to_string())?;
    let signature = hex::encode(mac.chain_update(body.as_bytes()).finalize().into_bytes());
    let headers =
        [("content-type", "application/json".to_owned()), ("x-coral-signature", format!("sha256={signature}"))];
    probe.ask(Method::POST, "/coral/moderate", &headers, &body)
}
