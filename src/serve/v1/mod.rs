//! Our own face: scores, explanations and decisions with all that the model says, for one comment, many, whole threads or a stream.

mod answer;
mod explain;
mod feedback;
mod models;
pub mod problem;
mod request;
mod score;
pub mod stream;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::sync::Semaphore;

use super::app::App;
use super::keys::{Caller, presented};
use super::reply;
use models::Described;
use problem::Problem;

/// Streams at a time. Their work is done in turn with all other long work; this bounds what they keep.
const STREAMS: usize = 64;

/// What this face keeps.
#[derive(Debug)]
pub struct V1 {
    streams: Arc<Semaphore>,
    described: Mutex<Option<Described>>,
}

impl Default for V1 {
    fn default() -> Self {
        Self { streams: Arc::new(Semaphore::new(STREAMS)), described: Mutex::default() }
    }
}

/// The routes of this face.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/score", post(score))
        .route("/v1/explain", post(explain))
        .route("/v1/feedback", post(feedback))
        .route("/v1/models", get(list))
        .route("/v1/models/reload", post(reload))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
}

async fn score(State(app): State<Arc<App>>, RawQuery(query): RawQuery, request: Request) -> Result<Response, Problem> {
    admitted(&app, request.headers(), query.as_deref())?;
    if stream::is_stream(request.headers()) {
        return stream::score(app, request.into_body()).await;
    }
    let body = whole(&app, Bytes::from_request(request, &()).await)?;
    score::score(&app, &body).await
}

async fn explain(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    admitted(&app, &headers, query.as_deref())?;
    explain::explain(&app, &whole(&app, body)?).await
}

async fn feedback(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let caller = admitted(&app, &headers, query.as_deref())?;
    feedback::keep(&app, caller, &whole(&app, body)?).await
}

async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    admitted(&app, &headers, query.as_deref())?;
    let (loaded, policy) = (app.model.load_full(), app.policy.load_full());
    let known = || app.v1.described.lock().unwrap_or_else(PoisonError::into_inner);
    let current = known().as_ref().filter(|described| described.is_of(&loaded, &policy)).map(Described::body);
    if let Some(body) = current {
        return Ok(reply::bytes(StatusCode::OK, reply::JSON, body));
    }
    let described = tokio::task::spawn_blocking(move || Described::new(&loaded, &policy)).await;
    let described =
        described.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the model could not be described"))?;
    let body = described.body();
    *known() = Some(described);
    Ok(reply::bytes(StatusCode::OK, reply::JSON, body))
}

/// Reads model, keys and policy again. Only for holders of a key: where any key is accepted, nobody is known.
async fn reload(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    admitted(&app, &headers, query.as_deref())?;
    if app.keys.load().are_open() {
        let what = "reloading by HTTP needs a server with --keys: send the process SIGHUP instead";
        return Err(Problem::new(StatusCode::FORBIDDEN, what));
    }
    let again = Arc::clone(&app);
    let reloaded = tokio::task::spawn_blocking(move || again.reload()).await;
    match reloaded {
        Ok(Ok(())) => {
            let (model, policy) = (app.model.load_full(), app.policy.load_full());
            Ok(reply::json(StatusCode::OK, &json!({"model": model.id, "policy": policy.version()})))
        }
        Ok(Err(error)) => {
            tracing::warn!("not reloaded, all stays as it was: {error:#}");
            Err(Problem::new(StatusCode::CONFLICT, format!("not reloaded, all stays as it was: {error:#}")))
        }
        Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the reload broke off")),
    }
}

async fn nowhere() -> Response {
    Problem::new(StatusCode::NOT_FOUND, "nothing is here: /openapi.json lists what there is").into_response()
}

async fn wrong_method() -> Response {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not by this method: /openapi.json lists what there is")
        .into_response()
}

/// Whose request it is.
fn admitted(app: &App, headers: &HeaderMap, query: Option<&str>) -> Result<Caller, Problem> {
    app.keys.load().caller(presented(headers, query).as_deref()).ok_or_else(Problem::key)
}

/// The body, which is JSON whatever its content type says.
fn whole(app: &App, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(app.options.max_body),
        _ => Problem::bad("the body broke off"),
    })
}

/// An answer in JSON, with a header that keeps it out of caches: it is about a comment.
fn ok(body: Vec<u8>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], reply::bytes(StatusCode::OK, reply::JSON, body)).into_response()
}
