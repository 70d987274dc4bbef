//! Answers of the faces: a status, a content type, a body.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

/// As Google names it; all JSON of the service goes by this name.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");
/// Plain text.
pub const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// An answer of some content type.
pub fn bytes(status: StatusCode, content_type: HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => bytes(status, JSON, body),
        // Only a map with keys that are no strings can fail, and none of ours has such.
        Err(_) => bytes(StatusCode::INTERNAL_SERVER_ERROR, JSON, r#"{"error":{"code":500,"message":"internal"}}"#),
    }
}

/// A text answer.
pub fn text(status: StatusCode, body: &'static str) -> Response {
    bytes(status, TEXT, body)
}
