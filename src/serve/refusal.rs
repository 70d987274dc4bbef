//! What a client is told that is turned away, in the words of its contract.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::app::App;
use super::limits::{RETRY_AFTER, Why};
use super::metrics::Face;
use super::policy::Fail;
use super::reply;
use super::v1::problem::Problem;

const INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const BUSY: &str = "The service is busy. Please try again in a second.";
const SLOW: &str = "The request took too long.";
const RATE: &str = "Too many requests with this key. Please slow down.";
/// What Google says, word by word: clients look for it.
const QUOTA: &str = "Quota exceeded for quota metric 'Analysis requests (AnalyzeComment)' and limit 'Analysis requests \
    (AnalyzeComment) per minute' of service 'commentanalyzer.googleapis.com' for consumer 'project_number:0'.";

/// The answer to a request that is turned away.
pub fn refusal(face: Face, why: Why, app: &App) -> Response {
    let (status, message) = match why {
        Why::Busy => (StatusCode::SERVICE_UNAVAILABLE, BUSY),
        Why::Rate => (StatusCode::TOO_MANY_REQUESTS, RATE),
        Why::Slow => (StatusCode::SERVICE_UNAVAILABLE, SLOW),
    };
    let mut response = match face {
        // Coral lets a comment through where its phase fails; a policy may say otherwise.
        Face::Coral if app.policy.load().fail() == Fail::Closed => {
            return reply::json(StatusCode::OK, &json!({"status": "SYSTEM_WITHHELD"}));
        }
        Face::Perspective => reply::json(status, &google(why)),
        Face::OpenAi => reply::json(status, &open_ai(why, message)),
        Face::Akismet => akismet(status, message),
        Face::Coral | Face::V1 | Face::Other => Problem::new(status, message).into_response(),
    };
    let (name, value) = RETRY_AFTER;
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

/// The answer to a request that did not arrive in time. Its connection has half a request in it and is closed.
pub fn too_slow(face: Face) -> Response {
    let status = StatusCode::REQUEST_TIMEOUT;
    let mut response = match face {
        Face::Perspective => {
            let detail = json!({"@type": INFO, "reason": "REQUEST_TIMEOUT", "domain": "polemic"});
            let error = json!({"code": 408, "message": SLOW, "status": "DEADLINE_EXCEEDED", "details": [detail]});
            reply::json(status, &json!({"error": error}))
        }
        Face::OpenAi => reply::json(status, &open_ai(Why::Slow, SLOW)),
        Face::Akismet => akismet(status, SLOW),
        Face::Coral | Face::V1 | Face::Other => Problem::new(status, SLOW).into_response(),
    };
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn google(why: Why) -> Value {
    let metadata = json!({"service": "commentanalyzer.googleapis.com"});
    match why {
        Why::Rate => {
            let info = json!({"@type": INFO, "reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com", "metadata": metadata});
            let link = json!({"description": "Request a higher quota limit.", "url": "https://cloud.google.com/docs/quotas/help/request_increase"});
            let help = json!({"@type": "type.googleapis.com/google.rpc.Help", "links": [link]});
            json!({"error": {"code": 429, "message": QUOTA, "status": "RESOURCE_EXHAUSTED", "details": [info, help]}})
        }
        Why::Busy | Why::Slow => {
            let info = json!({"@type": INFO, "reason": "SERVICE_BUSY", "domain": "polemic"});
            json!({"error": {"code": 503, "message": BUSY, "status": "UNAVAILABLE", "details": [info]}})
        }
    }
}

fn open_ai(why: Why, message: &str) -> Value {
    let (kind, code) = match why {
        Why::Rate => ("requests", json!("rate_limit_exceeded")),
        Why::Busy | Why::Slow => ("server_error", Value::Null),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

/// Anything but `true` and `false` makes an Akismet client hold the comment and ask again later.
fn akismet(status: StatusCode, message: &'static str) -> Response {
    let mut response = reply::text(status, message);
    response.headers_mut().insert("x-akismet-debug-help", HeaderValue::from_static(message));
    response
}
