//! The discovery document of the Comment Analyzer API: Google's Python client builds itself from it, so that one address is all that changes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;

use super::app::App;
use super::keys::presented;
use super::perspective::{Refused, cors};
use super::reply;

/// Written by us after what the contract has; the addresses are put in by [`document`].
const DOCUMENT: &str = include_str!("discovery.json");

/// The routes: where Google's clients look of themselves, and where callers point them.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/$discovery/rest", get(answer))
        .route("/%24discovery/rest", get(answer))
        .route("/discovery/v1/apis/commentanalyzer/v1alpha1/rest", get(answer))
        .layer(cors())
}

// No key is asked for, since it holds nothing that is not public; but clients ask here whether theirs is good.
async fn answer(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let key = presented(&headers, query.as_deref());
    if key.is_some() && app.keys.load().caller(key.as_deref()).is_none() {
        return Refused::key().into_response();
    }
    let here = app.options.public_url.clone().unwrap_or_else(|| asked(&headers, app.options.listen));
    reply::json(StatusCode::OK, &document(&here))
}

/// The document for a service that is reached at `url` (without a slash at its end).
fn document(url: &str) -> Value {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    for field in ["rootUrl", "baseUrl"] {
        document[field] = format!("{url}/").into();
    }
    document
}

/// The address that the client asked; a proxy that ends TLS says so in `X-Forwarded-Proto`.
fn asked(headers: &HeaderMap, listen: std::net::SocketAddr) -> String {
    let named = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme =
        if named(header::HeaderName::from_static("x-forwarded-proto")) == Some("https") { "https" } else { "http" };
    named(header::HOST).map_or_else(|| format!("{scheme}://{listen}"), |host| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document = document("http://here:1");
        assert_eq!((&document["rootUrl"], &document["baseUrl"]), (&"http://here:1/".into(), &"http://here:1/".into()));
        let text = document.to_string();
        for (at, _) in text.match_indices("\"$ref\":\"") {
            let name = text[at + 8..].split('"').next().unwrap();
            assert!(document["schemas"][name].is_object(), "{name}");
        }
    }
}
