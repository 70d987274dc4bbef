//! The face of Akismet: `true` holds a comment, `false` lets it pass. Forms in, bare words out.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use super::app::App;
use super::feedback::Event;
use super::keys::{Caller, of_sub_domain, parameter, presented};
use super::policy::{Decision, Subject, Verdict};
use super::reply;
use crate::model::scoring::Item;

/// Authors and addresses that Akismet's documentation has clients test with: always `true`.
const TEST_AUTHORS: [&str; 3] = ["viagra-test-123", "akismet-guaranteed-spam", "akismet-guaranteed-spam@example.com"];
const THANKS: &str = "Thanks for making the web a better place.";
const DEBUG: HeaderName = HeaderName::from_static("x-akismet-debug-help");

/// The routes of this face.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/1.1/verify-key", post(verify_key))
        .route("/1.1/comment-check", post(comment_check))
        .route("/1.1/submit-spam", post(submit_spam))
        .route("/1.1/submit-ham", post(submit_ham))
        .route("/1.2/usage-limit", get(usage_limit))
}

type Form = Result<Bytes, BytesRejection>;

/// The fields of a form, in their order.
struct Fields<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Fields<'a> {
    fn of(body: &'a [u8]) -> Self {
        Self(form_urlencoded::parse(body).collect())
    }

    /// The first field of a name, if it is not empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, value)| field == name && !value.is_empty()).map(|(_, value)| &**value)
    }
}

/// Whose request it is: the key stands in the form, before the host, or where other clients have it.
fn caller(app: &App, headers: &HeaderMap, fields: &Fields<'_>) -> Option<Caller> {
    let keys = app.keys.load();
    let own = fields.get("api_key").or_else(|| fields.get("key"));
    let key = own.or_else(|| of_sub_domain(headers)).map(Cow::Borrowed).or_else(|| presented(headers, None));
    keys.caller(key.as_deref())
}

async fn verify_key(State(app): State<Arc<App>>, headers: HeaderMap, body: Form) -> Response {
    let Ok(body) = body else { return malformed("The form could not be read.") };
    match caller(&app, &headers, &Fields::of(&body)) {
        Some(_) => reply::text(StatusCode::OK, "valid"),
        None => invalid(),
    }
}

async fn comment_check(State(app): State<Arc<App>>, headers: HeaderMap, body: Form) -> Response {
    let Ok(body) = body else { return malformed("The form could not be read.") };
    let fields = Fields::of(&body);
    let Some(_) = caller(&app, &headers, &fields) else { return invalid() };
    if fields.get("blog").is_none() {
        return malformed("Missing required field: blog.");
    }
    app.akismet_checks.fetch_add(1, Ordering::Relaxed);
    let is_test = ["comment_author", "comment_author_email"].iter().filter_map(|name| fields.get(name));
    if is_test.clone().any(|author| TEST_AUTHORS.contains(&author)) {
        return reply::text(StatusCode::OK, "true");
    }
    // Whoever may edit the site may say what they like on it, whatever the policy.
    if fields.get("user_role").is_some_and(|role| role.eq_ignore_ascii_case("administrator")) {
        return reply::text(StatusCode::OK, "false");
    }
    let text = fields.get("comment_content").unwrap_or_default();
    let loaded = app.model.load_full();
    let scored = app.work(text.len(), || loaded.score(&Item { text, ..Item::default() })).await;
    let scored = scored.as_ref().map_err(|reason| *reason);
    let subject = Subject { site: fields.get("blog"), role: fields.get("user_role") };
    let policy = app.policy.load_full();
    let verdict = policy.verdict(&loaded, scored, &subject);
    let mut response = reply::text(StatusCode::OK, if verdict == Verdict::Ham { "false" } else { "true" });
    if verdict == Verdict::Discard {
        response.headers_mut().insert("x-akismet-pro-tip", HeaderValue::from_static("discard"));
    }
    let decision = policy.decide(&loaded, scored, &subject);
    app.metrics.scored(1);
    app.metrics.decided(&decision);
    explain(&mut response, &decision);
    response
}

/// Says in headers why.
fn explain(response: &mut Response, decision: &Decision) {
    let reasons: Vec<String> = decision
        .reasons
        .iter()
        .map(|reason| format!("{}={:.3}>={:.3}", reason.label, reason.probability, reason.threshold))
        .collect();
    let values = [
        ("x-polemic-model", decision.model.as_str()),
        ("x-polemic-policy", decision.policy.as_str()),
        ("x-polemic-action", decision.action.name()),
        ("x-polemic-reasons", &reasons.join(", ")),
        ("x-polemic-unscored", decision.unscored.as_deref().unwrap_or_default()),
    ];
    for (name, value) in values {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}

async fn submit_spam(State(app): State<Arc<App>>, headers: HeaderMap, body: Form) -> Response {
    submit(&app, &headers, body, 1.0).await
}

async fn submit_ham(State(app): State<Arc<App>>, headers: HeaderMap, body: Form) -> Response {
    submit(&app, &headers, body, 0.0).await
}

/// Keeps what a moderator says: 1 for spam, 0 for ham. The answer comes once it is durable.
async fn submit(app: &App, headers: &HeaderMap, body: Form, value: f64) -> Response {
    let Ok(body) = body else { return malformed("The form could not be read.") };
    let fields = Fields::of(&body);
    let Some(caller) = caller(app, headers, &fields) else { return invalid() };
    let (Some(blog), Some(text)) = (fields.get("blog"), fields.get("comment_content")) else {
        return malformed("Missing required field: blog or comment_content.");
    };
    let owned = |name: &str| fields.get(name).map(str::to_owned);
    if let Some(feedback) = &app.feedback {
        let event = Event {
            face: "akismet",
            text: text.to_owned(),
            labels: vec![("spam".to_owned(), value)],
            site: Some(blog.to_owned()),
            thread_id: owned("permalink"),
            language: owned("blog_lang"),
            key: app.keys.load().name(caller).map(str::to_owned),
            model: app.model.load().id.clone(),
            ..Event::default()
        };
        if feedback.record(event).await.is_err() {
            let mut response = malformed("The comment could not be stored. Please send it again.");
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return response;
        }
    }
    let mut response = reply::text(StatusCode::OK, THANKS);
    let stored = if app.feedback.is_some() { "true" } else { "false" };
    response.headers_mut().insert("x-polemic-stored", HeaderValue::from_static(stored));
    response
}

async fn usage_limit(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let key = parameter(query.as_deref(), "api_key");
    let key =
        key.or_else(|| of_sub_domain(&headers).map(Cow::Borrowed)).or_else(|| presented(&headers, query.as_deref()));
    if app.keys.load().caller(key.as_deref()).is_none() {
        return invalid();
    }
    let usage = app.akismet_checks.load(Ordering::Relaxed);
    reply::json(StatusCode::OK, &json!({"limit": "none", "usage": usage, "percentage": 0, "throttled": false}))
}

fn invalid() -> Response {
    reply::text(StatusCode::OK, "invalid")
}

/// Neither `true` nor `false`: clients then hold the comment and ask again later.
fn malformed(what: &'static str) -> Response {
    let mut response = reply::text(StatusCode::OK, what);
    response.headers_mut().insert(DEBUG, HeaderValue::from_static(what));
    response
}
