//! `/v1/feedback`: what somebody decided about a comment, kept before it is acknowledged.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::request::Name;
use crate::label;
use crate::serve::app::App;
use crate::serve::feedback::{Event, Refused};
use crate::serve::keys::Caller;
use crate::serve::reply;

/// The label that a bare decision teaches.
const REJECTED: &str = "rejected";
/// Longest name of a label.
const LONGEST: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    /// Label to what it should have been: a number 0..1 or a truth value.
    #[serde(default)]
    labels: Map<String, Value>,
    /// What was done with the comment.
    #[serde(default)]
    decision: Option<Done>,
    #[serde(default)]
    id: Option<Name>,
    #[serde(default)]
    thread_id: Option<Name>,
    #[serde(default)]
    parent_id: Option<Name>,
    #[serde(default)]
    parent_text: Option<String>,
    #[serde(default)]
    site: Option<String>,
    #[serde(default)]
    moderator: Option<String>,
    #[serde(default)]
    language: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Done {
    Approved,
    Rejected,
}

/// Keeps feedback; the answer comes once it is durable.
pub async fn keep(app: &App, caller: Caller, body: &[u8]) -> Result<Response, Problem> {
    let request: Request<'_> = serde_json::from_slice(body).map_err(|e| Problem::bad(format!("the body: {e}")))?;
    let loaded = app.model.load_full();
    let labels = labels(&request)?;
    let is_new = |name: &&String| loaded.model.label(name).is_none() && label::find(name).is_none();
    let new: Vec<String> = labels.iter().map(|(name, _)| name).filter(is_new).cloned().collect();
    let Some(feedback) = &app.feedback else {
        return Err(Problem::new(StatusCode::CONFLICT, "feedback is not kept here: start the server with --db FILE"));
    };
    let name = |name: Option<Name>| name.map(|Name(name)| name);
    let event = Event {
        face: "v1",
        text: request.text.into_owned(),
        parent: request.parent_text,
        labels,
        site: request.site,
        client_token: name(request.id),
        thread_id: name(request.thread_id),
        parent_id: name(request.parent_id),
        language: request.language,
        moderator: request.moderator,
        key: app.keys.load().name(caller).map(str::to_owned),
        model: loaded.id.clone(),
    };
    let id = feedback.record(event).await.map_err(|refused| {
        if refused != Refused::Full {
            tracing::error!("{refused}");
        }
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, refused.to_string())
    })?;
    let mut answer = json!({"feedback": id, "model": loaded.id});
    if !new.is_empty() {
        // A misspelt label would teach nothing and nobody would know.
        answer["new_labels"] = json!(new);
    }
    Ok(reply::json(StatusCode::CREATED, &answer))
}

/// What the feedback says of each label.
fn labels(request: &Request<'_>) -> Result<Vec<(String, f64)>, Problem> {
    if request.text.trim().is_empty() {
        return Err(Problem::bad("`text` is empty: there is nothing to learn from"));
    }
    let mut labels = Vec::with_capacity(request.labels.len());
    for (name, value) in &request.labels {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(is_name) {
            return Err(Problem::bad(format!(
                "`labels`: {name:?} is no label: a-z, 0-9 and _, {LONGEST} characters at most"
            )));
        }
        let number = value.as_f64().or_else(|| value.as_bool().map(|is_true| f64::from(u8::from(is_true))));
        let number = number.filter(|number| (0.0..=1.0).contains(number));
        let number = number.ok_or_else(|| Problem::bad(format!("`labels.{name}` should be a number from 0 to 1")))?;
        labels.push((name.clone(), number));
    }
    if let Some(done) = request.decision {
        labels.retain(|(name, _)| name != REJECTED);
        labels.push((REJECTED.to_owned(), f64::from(u8::from(matches!(done, Done::Rejected)))));
    }
    if labels.is_empty() {
        return Err(Problem::bad("neither `labels` nor a `decision` (approved, rejected): there is nothing to learn"));
    }
    Ok(labels)
}
