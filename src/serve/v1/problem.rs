//! Errors of our own faces: RFC 9457 problem details.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::serve::limits::RETRY_AFTER;
use crate::serve::reply;

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A request that is not answered, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    /// A problem with its place and remedy.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// The request makes no sense as it is.
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// No key, or one that is not known.
    pub fn key() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "no known API key: send it as `Authorization: Bearer KEY`")
    }

    /// A body that is longer than `most` bytes.
    pub fn too_large(most: usize) -> Self {
        let detail =
            format!("the body is longer than {most} bytes: send fewer comments at a time, or stream them as NDJSON");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// What is wrong, in words.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// As it goes over the wire.
    pub fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body =
            json!({"type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail});
        let mut response = reply::bytes(self.status, PROBLEM, body.to_string());
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let (name, value) = RETRY_AFTER;
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_response()
    }
}
