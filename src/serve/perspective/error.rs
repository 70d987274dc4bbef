//! Errors in Google's envelope. Clients read `message` word by word and `details[0]` without looking whether it is there.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::reply;

const OWN: &str = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error";
const INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";

/// A request that is not answered, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    code: StatusCode,
    status: &'static str,
    message: String,
    detail: Value,
}

impl Refused {
    fn invalid(message: impl Into<String>, detail: Value) -> Self {
        Self { code: StatusCode::BAD_REQUEST, status: "INVALID_ARGUMENT", message: message.into(), detail }
    }

    fn own(message: impl Into<String>, error_type: &str) -> Self {
        Self::invalid(message, json!({"@type": OWN, "errorType": error_type}))
    }

    /// No key, or one that is not known.
    pub fn key() -> Self {
        let metadata = json!({"service": "commentanalyzer.googleapis.com"});
        let detail =
            json!({"@type": INFO, "reason": "API_KEY_INVALID", "domain": "googleapis.com", "metadata": metadata});
        Self::invalid("API key not valid. Please pass a valid API key.", detail)
    }

    /// A text without anything to score.
    pub fn empty() -> Self {
        Self::own("Comment must be non-empty.", "COMMENT_EMPTY")
    }

    /// A text of more than `limit` bytes.
    pub fn too_long(bytes: usize, limit: usize) -> Self {
        let message = format!("Comment text was too many bytes. Value ({bytes}) exceeded limit ({limit}).");
        Self::own(message, "COMMENT_TOO_LONG")
    }

    /// Nothing is asked for.
    pub fn no_attributes() -> Self {
        Self::own("Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES")
    }

    /// An attribute that Perspective does not know, or that the model has no label for where no other is asked for.
    pub fn unknown_attribute(name: &str) -> Self {
        Self::own(format!("Unknown requested attribute: {name}"), "INVALID_REQUEST")
    }

    /// The only attributes asked for leave this comment open.
    pub fn left_open(name: &str, reason: &str) -> Self {
        Self::own(format!("Attribute {name} leaves this comment open: {reason}"), "INVALID_REQUEST")
    }

    /// Only probabilities are given.
    pub fn score_type(name: &str, score_type: &str) -> Self {
        let message = format!("Requested score type {score_type} is not supported by attribute {name}");
        Self::own(message, "INVALID_REQUEST")
    }

    /// Two contexts.
    pub fn both_contexts() -> Self {
        let message = "Context can have either entries or article_and_parent_comment, but both fields were populated.";
        Self::own(message, "INVALID_REQUEST")
    }

    /// A field that means nothing as given.
    pub fn request(message: impl Into<String>) -> Self {
        Self::own(message, "INVALID_REQUEST")
    }

    /// Another language than the model's: one that the client named (`named`) or one that was found.
    pub fn language(attribute: &str, languages: &[String], named: bool) -> Self {
        let message = format!("Attribute {attribute} does not support request languages: {}", languages.join(", "));
        let field = if named { "requestedLanguages" } else { "detectedLanguages" };
        let error_type = "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE";
        let error = json!({field: languages, "attribute": attribute});
        Self::invalid(
            message,
            json!({"@type": OWN, "errorType": error_type, "languageNotSupportedByAttributeError": error}),
        )
    }

    /// A body that is no JSON of the right form.
    pub fn json(what: &str) -> Self {
        Self::own(format!("Invalid JSON payload received. {what}"), "INVALID_REQUEST")
    }

    /// A body of more than `limit` bytes.
    pub fn payload(limit: usize) -> Self {
        Self::own(format!("Request payload size exceeds the limit: {limit} bytes."), "INVALID_REQUEST")
    }

    /// A method that there is not.
    pub fn method(path: &str) -> Self {
        Self {
            code: StatusCode::NOT_FOUND,
            status: "NOT_FOUND",
            ..Self::own(format!("The requested URL {path} was not found on this server."), "INVALID_REQUEST")
        }
    }

    /// Feedback that could not be kept.
    pub fn not_kept() -> Self {
        Self {
            code: StatusCode::SERVICE_UNAVAILABLE,
            status: "UNAVAILABLE",
            message: "The suggested score could not be stored. Please try again.".to_owned(),
            detail: json!({"@type": INFO, "reason": "STORAGE_UNAVAILABLE", "domain": "polemic"}),
        }
    }

    /// As it goes over the wire.
    pub fn into_response(self) -> Response {
        let Self { code, status, message, detail } = self;
        let error = json!({"code": code.as_u16(), "message": message, "status": status, "details": [detail]});
        reply::json(code, &json!({"error": error}))
    }
}
