//! For those who run the service: health, metrics, what there is to ask, and a page to try it on.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::app::App;
use super::feedback::Feedback;
use super::reply;

const OPENAPI: &str = include_str!("openapi.json");
const PAGE: &str = include_str!("page.html");
const METRICS: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What the page may do: its own style and script, by their hashes, and ask this server. Nothing else, and nobody may frame it.
static ALLOWED: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |tag: &str| {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        let inside =
            PAGE.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).map_or("", |(inside, _)| inside);
        BASE64_STANDARD.encode(Sha256::digest(inside.as_bytes()))
    };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash("style"),
        hash("script")
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(|| async { reply::text(StatusCode::OK, "ok\n") }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(|| async { reply::bytes(StatusCode::OK, reply::JSON, OPENAPI) }))
}

async fn page() -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, ALLOWED.clone()),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, reply::bytes(StatusCode::OK, HeaderValue::from_static("text/html; charset=utf-8"), PAGE)).into_response()
}

/// Ready as soon as it listens; not while it turns requests away.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let is_ready = !app.gate.is_overrun();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    reply::json(
        status,
        &json!({"ready": is_ready, "model": app.model.load().id, "policy": app.policy.load().version()}),
    )
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let (model, policy) = (app.model.load_full(), app.policy.load_full());
    let kept = app.feedback.as_ref().map_or(0, Feedback::written);
    let text = app.metrics.text(app.gate.in_flight(), app.gate.lag(), kept, &model.id, policy.version());
    reply::bytes(StatusCode::OK, METRICS, text)
}
