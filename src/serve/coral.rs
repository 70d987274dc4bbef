//! Coral's external moderation phase: Coral asks, signed, before it publishes a comment, and does what the answer says.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::app::App;
use super::policy::{Action, Decision, Subject};
use super::{lenient, reply};
use crate::model::scoring::{Item, Scores, Unscored};
use crate::text::html::{Newlines, fragment};

/// Codes of Coral's reasons for rejection by label, the most serious first; other labels are offensive.
#[rustfmt::skip]
const CODES: &[(&str, &str)] = &[
    ("identity_attack", "HATE_SPEECH"), ("sexism", "HATE_SPEECH"), ("threat", "ABUSIVE"),
    ("attack_on_commenter", "HARASSMENT_BULLYING"), ("attack_on_author", "HARASSMENT_BULLYING"), ("insult", "ABUSIVE"),
    ("spam", "SPAM"),
];

/// The route of this face.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/coral/moderate", post(moderate))
}

/// What Coral sends. It names no comment and only the id of a parent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    comment: Comment,
    author: Author,
    site: Site,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Comment {
    body: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Author {
    role: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Site {
    id: Option<String>,
}

async fn moderate(State(app): State<Arc<App>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let Ok(body) = body else { return refused(StatusCode::PAYLOAD_TOO_LARGE, "the body could not be read") };
    if !is_signed(&app, &headers, &body) {
        return refused(StatusCode::UNAUTHORIZED, "X-Coral-Signature is missing or of another secret");
    }
    let request: Request = match lenient::read(&body) {
        Ok(request) => request,
        Err(what) => return refused(StatusCode::BAD_REQUEST, &what),
    };
    let text = request.comment.body.as_deref().unwrap_or_default();
    let loaded = app.model.load_full();
    let scored: Result<Scores, Unscored> = app
        .work(text.len(), || {
            // The phase is set to send either; plain text without markup stays as it is.
            let html = fragment(text, Newlines::Keep);
            loaded.score(&Item { text: &html.text, quotes: &html.quotes, ..Item::default() })
        })
        .await;
    let subject = Subject { site: request.site.id.as_deref(), role: request.author.role.as_deref() };
    let decision = app.policy.load().decide(&loaded, scored.as_ref().map_err(|reason| *reason), &subject);
    app.metrics.scored(1);
    app.metrics.decided(&decision);
    answer(&decision)
}

fn refused(status: StatusCode, what: &str) -> Response {
    reply::json(status, &json!({"error": {"code": status.as_u16(), "message": what}}))
}

/// True if one of the signatures is by one of our secrets, over the bytes as they came. Without a secret all are taken, unless keys are
/// asked for: then this must be no way around them.
fn is_signed(app: &App, headers: &HeaderMap, body: &[u8]) -> bool {
    let policy = app.policy.load();
    let secrets: Vec<&String> = policy.coral_secrets.iter().chain(&app.options.coral_secret).collect();
    if secrets.is_empty() {
        return app.keys.load().are_open();
    }
    let header = headers.get("x-coral-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signatures = header.split(',').filter_map(|one| hex::decode(one.trim().strip_prefix("sha256=")?).ok());
    // Coral signs with at most a few; a hostile header must not make us hash the body a thousand times.
    signatures.take(8).any(|signature| {
        secrets.iter().any(|secret| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
            mac.is_ok_and(|mac| mac.chain_update(body).verify_slice(&signature).is_ok())
        })
    })
}

/// A decision in Coral's words. To review is to flag and leave the status to Coral, to hold is to withhold; nothing to say is no content.
fn answer(decision: &Decision) -> Response {
    if decision.action < Action::Review {
        return StatusCode::NO_CONTENT.into_response();
    }
    let deciding = decision.reasons.iter().filter(|reason| reason.action == decision.action);
    let labels: Vec<&str> = deciding.map(|reason| reason.label.as_str()).collect();
    let mut body = Map::new();
    if decision.action == Action::Hold {
        body.insert("status".into(), json!("SYSTEM_WITHHELD"));
    }
    let flag = |reason: &str| json!({"actionType": "FLAG", "reason": reason});
    let actions: Vec<Value> = match labels.as_slice() {
        [] => Vec::new(),
        labels if labels.iter().all(|label| *label == "spam") => vec![flag("COMMENT_DETECTED_SPAM")],
        _ => vec![flag("COMMENT_DETECTED_TOXIC")],
    };
    body.insert("actions".into(), json!(actions));
    if decision.action == Action::Hold && !labels.is_empty() {
        let code = CODES.iter().find(|(label, _)| labels.contains(label)).map_or("OFFENSIVE", |(_, code)| code);
        let reason = json!({"code": code, "detailedExplanation": explanation(decision)});
        body.insert("moderationAction".into(), json!({"status": "SYSTEM_WITHHELD", "rejectionReason": reason}));
    }
    // Coral strips what it does not know; others may log it.
    body.insert("polemic".into(), json!(decision));
    reply::bytes(StatusCode::OK, reply::JSON, Body::from(Value::Object(body).to_string()))
}

/// Why, for the author: the statement of reasons. Never empty.
fn explanation(decision: &Decision) -> String {
    let reasons: Vec<String> = decision
        .reasons
        .iter()
        .map(|r| format!("{} {:.2} (from {:.2} on: {})", r.label, r.probability, r.threshold, r.action.name()))
        .collect();
    format!("{}. Decided by machine: model {}, policy {}.", reasons.join(", "), decision.model, decision.policy)
}
