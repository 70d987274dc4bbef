//! The face of Perspective (Comment Analyzer `v1alpha1`): `comments:analyze` and `comments:suggestscore`.
//!
//! Key order, spans that are always there, both fields of languages and the words of errors are what real clients rely on.

mod analyze;
mod answer;
mod error;
mod request;
mod sentences;
mod suggest;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use tower_http::cors::{Any, CorsLayer};

use super::app::App;
use super::keys::{Caller, presented};
use super::reply;
use error::Refused;

/// Where clients ask, with and without the version: the address that Coral's administrators enter has none. Some clients escape the colon.
const PREFIXES: [&str; 2] = ["/v1alpha1", ""];
const COLONS: [&str; 3] = [":", "%3A", "%3a"];

/// The routes of this face, open to pages of other origins, as Google's are.
pub fn routes() -> Router<Arc<App>> {
    let mut routes = Router::new();
    for prefix in PREFIXES {
        for colon in COLONS {
            routes = routes
                .route(&format!("{prefix}/comments{colon}analyze"), post(analyze))
                .route(&format!("{prefix}/comments{colon}suggestscore"), post(suggestscore));
        }
    }
    let headers = [header::CONTENT_TYPE, header::AUTHORIZATION, "x-goog-api-key".parse().unwrap_or(header::ACCEPT)];
    routes.layer(CorsLayer::new().allow_origin(Any).allow_methods([Method::POST]).allow_headers(headers))
}

async fn analyze(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let answered = match admitted(&app, &headers, query.as_deref(), body) {
        Ok((_, body)) => analyze::analyze(&app, &body).await,
        Err(refused) => Err(refused),
    };
    answered.unwrap_or_else(Refused::into_response)
}

async fn suggestscore(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let answered = match admitted(&app, &headers, query.as_deref(), body) {
        Ok((caller, body)) => suggest::suggest(&app, caller, &body).await,
        Err(refused) => Err(refused),
    };
    answered.unwrap_or_else(Refused::into_response)
}

/// The key is looked at before the body: a client asks with an empty one whether its key is good.
fn admitted(
    app: &App,
    headers: &HeaderMap,
    query: Option<&str>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(Caller, Bytes), Refused> {
    let caller = app.keys.load().caller(presented(headers, query).as_deref()).ok_or_else(Refused::key)?;
    match body {
        Ok(body) => Ok((caller, body)),
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Refused::payload(app.options.max_body)),
        Err(_) => Err(Refused::json("the body could not be read")),
    }
}

/// An answer in JSON that is written already.
fn ok(body: Vec<u8>) -> Response {
    reply::bytes(StatusCode::OK, reply::JSON, body)
}
