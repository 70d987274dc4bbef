//! The face of OpenAI's moderation endpoint: its thirteen categories, and our own labels beside them.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use rand::random;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::app::App;
use super::keys::presented;
use super::policy::{Action, Decision, Policy, Subject};
use super::scorer::Loaded;
use super::{lenient, reply};
use crate::label::{self, Group};
use crate::model::scoring::{Item, Scores, Unscored};
use crate::record::rounded;

/// Most bytes of one text.
const LONGEST: usize = 1 << 20;

/// How the labels of a category go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    /// Any of them is enough: the largest probability.
    Any,
    /// All are needed: the smallest.
    All,
}

/// The categories, and the labels that they stand for. Those without one are 0.0, since clients demand a number, and named in `unmodelled`.
#[rustfmt::skip]
const CATEGORIES: &[(&str, Join, &[&str])] = &[
    ("harassment", Join::Any, &["insult", "attack_on_commenter", "toxicity"]),
    ("harassment/threatening", Join::Any, &["threat"]),
    ("hate", Join::Any, &["identity_attack"]),
    ("hate/threatening", Join::All, &["threat", "identity_attack"]),
    ("illicit", Join::Any, &[]),
    ("illicit/violent", Join::Any, &[]),
    ("self-harm", Join::Any, &[]),
    ("self-harm/instructions", Join::Any, &[]),
    ("self-harm/intent", Join::Any, &[]),
    ("sexual", Join::Any, &["sexually_explicit"]),
    ("sexual/minors", Join::Any, &[]),
    ("violence", Join::Any, &["threat"]),
    ("violence/graphic", Join::Any, &[]),
];

/// The route of this face.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/v1/moderations", post(moderations))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    input: Option<Input>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Texts(Vec<String>),
    Parts(Vec<Part>),
}

/// A part of one input: text, or something that is not read.
#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

async fn moderations(State(app): State<Arc<App>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    if app.keys.load().caller(presented(&headers, None).as_deref()).is_none() {
        return refused(StatusCode::UNAUTHORIZED, "Incorrect API key provided.", None, Some("invalid_api_key"));
    }
    let Ok(body) = body else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "The body could not be read, or is too large.", None, None);
    };
    let input = match lenient::read::<Request>(&body) {
        Ok(Request { input: Some(input) }) => input,
        Ok(_) => return bad_input("Missing required parameter: 'input'."),
        Err(what) => return bad_input(&format!("Invalid input: {what}.")),
    };
    let (texts, unread) = texts(input);
    if texts.is_empty() {
        return bad_input("'input' must not be empty.");
    }
    let (loaded, policy) = (app.model.load_full(), app.policy.load_full());
    let bytes = texts.iter().map(String::len).sum();
    let results: Vec<Value> =
        app.work(bytes, || texts.iter().map(|text| result(&loaded, &policy, text)).collect()).await;
    app.metrics.scored(texts.len() as u64);
    let unmodelled: Vec<&str> =
        CATEGORIES.iter().filter(|category| heads(&loaded, category).is_empty()).map(|(name, ..)| *name).collect();
    let mut polemic = json!({"model": loaded.id, "policy": policy.version(), "unmodelled": unmodelled});
    if !unread.is_empty() {
        polemic["unread"] = json!(unread);
    }
    let id = format!("modr-{:016x}", random::<u64>());
    reply::json(StatusCode::OK, &json!({"id": id, "model": loaded.id, "results": results, "polemic": polemic}))
}

fn bad_input(what: &str) -> Response {
    refused(StatusCode::BAD_REQUEST, what, Some("input"), None)
}

fn refused(status: StatusCode, message: &str, param: Option<&str>, code: Option<&str>) -> Response {
    let error = json!({"message": message, "type": "invalid_request_error", "param": param, "code": code});
    reply::json(status, &json!({"error": error}))
}

/// The texts to score, one a result, and the kinds of parts that are not read.
fn texts(input: Input) -> (Vec<String>, Vec<String>) {
    match input {
        Input::Text(text) => (vec![text], Vec::new()),
        Input::Texts(texts) => (texts, Vec::new()),
        Input::Parts(parts) if parts.is_empty() => (Vec::new(), Vec::new()),
        Input::Parts(parts) => {
            let mut unread: Vec<String> = parts.iter().filter(|p| p.text.is_none()).map(|p| p.kind.clone()).collect();
            unread.dedup();
            let texts: Vec<String> = parts.into_iter().filter_map(|part| part.text).collect();
            (vec![texts.join("\n\n")], unread)
        }
    }
}

/// The numbers of a category's labels; none unless the model has what the category needs.
fn heads(loaded: &Loaded, (_, join, labels): &(&str, Join, &[&str])) -> Vec<usize> {
    let heads: Vec<usize> = labels.iter().filter_map(|label| loaded.model.label(label)).collect();
    if *join == Join::All && heads.len() < labels.len() { Vec::new() } else { heads }
}

/// The result of one text.
fn result(loaded: &Loaded, policy: &Policy, text: &str) -> Value {
    let scored =
        if text.len() > LONGEST { Err(Unscored::TooLong) } else { loaded.score(&Item { text, ..Item::default() }) };
    let decision = policy.decide(loaded, scored.as_ref().map_err(|reason| *reason), &Subject::default());
    let (mut categories, mut numbers, mut types) = (Map::new(), Map::new(), Map::new());
    for category in CATEGORIES {
        let (is_met, p) = of_category(loaded, scored.as_ref().ok(), &decision, category);
        categories.insert(category.0.into(), is_met.into());
        numbers.insert(category.0.into(), rounded(p).into());
        types.insert(category.0.into(), json!(["text"]));
    }
    if let Ok(scored) = &scored {
        for (k, (head, &p)) in loaded.model.manifest.labels.iter().zip(&scored.labels).enumerate() {
            if loaded.model.left_open(k, p).is_none() {
                let name = full_name(&head.name);
                categories.insert(name.clone(), (p >= head.threshold).into());
                numbers.insert(name, rounded(p).into());
            }
        }
    }
    json!({
        "flagged": decision.action >= Action::Review,
        "categories": categories,
        "category_scores": numbers,
        "category_applied_input_types": types,
        "polemic": decision,
    })
}

/// Whether a category is met, by the policy, and its probability.
fn of_category(
    loaded: &Loaded,
    scores: Option<&Scores>,
    decision: &Decision,
    category: &(&str, Join, &[&str]),
) -> (bool, f32) {
    let heads = heads(loaded, category);
    let (_, join, labels) = category;
    let Some(scores) = scores.filter(|_| !heads.is_empty()) else { return (false, 0.0) };
    let all = heads.iter().filter_map(|&k| scores.labels.get(k).copied());
    let calls = |label: &str| decision.reasons.iter().any(|r| r.label == label && r.action >= Action::Review);
    match join {
        Join::Any => (labels.iter().any(|label| calls(label)), all.fold(0.0, f32::max)),
        Join::All => (labels.iter().all(|label| calls(label)), all.fold(1.0, f32::min)),
    }
}

/// A label of ours with its group, as `incivility/insult`; one that is not ours stands in `own`.
fn full_name(label: &str) -> String {
    let group = match label::find(label).map(|known| known.group) {
        Some(Group::Incivility) => "incivility",
        Some(Group::Rhetoric) => "rhetoric",
        None => "own",
    };
    format!("{group}/{label}")
}
