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
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::post;
use tower_http::cors::{Any, CorsLayer};

use super::app::App;
use super::keys::{Caller, presented};
use super::reply;
pub(super) use error::Refused;

/// Where clients ask, with and without the version: the address that Coral's administrators enter has none. Some clients escape the colon.
const PREFIXES: [&str; 2] = ["/v1alpha1", ""];
const COLONS: [&str; 3] = [":", "%3A", "%3a"];

/// The routes of this face.
pub fn routes() -> Router<Arc<App>> {
    let mut routes = Router::new();
    for prefix in PREFIXES {
        for colon in COLONS {
            for method in ["analyze", "suggestscore"] {
                routes = routes.route(&format!("{prefix}/comments{colon}{method}"), post(route));
            }
        }
    }
    routes.layer(cors())
}

/// Pages of other origins may ask, as they may at Google's: demos in the browser do.
pub(super) fn cors() -> CorsLayer {
    let headers = [header::CONTENT_TYPE, header::AUTHORIZATION, HeaderName::from_static("x-goog-api-key")];
    CorsLayer::new().allow_origin(Any).allow_methods([Method::GET, Method::POST]).allow_headers(headers)
}

async fn route(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(&app, uri.path(), uri.query(), &headers, body).await
}

/// Answers a request to one of the two methods.
pub(super) async fn answer(
    app: &App,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let answered = match admitted(app, headers, query, body) {
        Ok((_, body)) if path.ends_with("analyze") => analyze::analyze(app, &body).await,
        Ok((caller, body)) if path.ends_with("suggestscore") => suggest::suggest(app, caller, &body).await,
        Ok(_) => Err(Refused::method(path)),
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
