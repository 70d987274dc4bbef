//! Google's HTTP batching for the Perspective face: up to 100 requests as the parts of one `multipart/mixed` body, each answered as if it
//! had come alone.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::post;
use memchr::memmem;

use super::app::App;
use super::perspective::{self, Refused};
use super::reply;

/// Most parts, as Google has it.
const MOST: usize = 100;
/// Most headers of a part.
const MOST_HEADERS: usize = 64;
/// Stands between the parts of an answer. JSON has no bare line breaks, so no part can hold it as a line.
const BOUNDARY: &str = "batch_polemic";

/// The routes: of the discovery document, and Google's own.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/batch", post(batch))
        .route("/batch/commentanalyzer/v1alpha1", post(batch))
        .layer(perspective::cors())
}

async fn batch(State(app): State<Arc<App>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let refused = |what: &str| Refused::request(what).into_response();
    let Ok(body) = body else { return refused("The batch could not be read, or is too large.") };
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(boundary) = content_type.and_then(boundary) else {
        return refused("A batch is multipart/mixed with a boundary.");
    };
    let parts = parts(&body, boundary);
    if parts.is_empty() || parts.len() > MOST {
        return refused("A batch has 1 to 100 parts.");
    }
    let mut out = Vec::new();
    for part in parts {
        let (id, response) = match read(part) {
            Some(part) => (part.id, answer(&app, part).await),
            None => (None, refused("The part is no HTTP request.")),
        };
        write(&mut out, id, response, app.options.max_body).await;
    }
    out.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let content_type = HeaderValue::from_static("multipart/mixed; boundary=batch_polemic");
    reply::bytes(StatusCode::OK, content_type, out)
}

/// The boundary that a content type of `multipart/mixed` names.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let is_mixed = kind.trim().eq_ignore_ascii_case("multipart/mixed");
    let named = parameters.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    let mut named = named.filter(|(name, _)| name.eq_ignore_ascii_case("boundary"));
    named.next().map(|(_, value)| value.trim_matches('"')).filter(|boundary| is_mixed && !boundary.is_empty())
}

/// What stands between the boundaries; more than [`MOST`] only so far as to see that there are.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let line = format!("--{boundary}");
    let mut starts = memmem::find_iter(body, line.as_bytes()).filter(|&at| at == 0 || body.get(at - 1) == Some(&b'\n'));
    let mut parts = Vec::new();
    let mut open = starts.next();
    while let Some(start) = open
        && parts.len() <= MOST
    {
        let next = starts.next();
        let part = body.get(start + line.len()..next.unwrap_or(body.len())).unwrap_or_default();
        if part.starts_with(b"--") {
            break;
        }
        parts.push(part.trim_ascii());
        open = next;
    }
    parts
}

/// A request of a batch.
struct Part<'a> {
    /// Its `Content-ID`.
    id: Option<&'a str>,
    /// Path and query.
    uri: Uri,
    /// Its own headers.
    headers: HeaderMap,
    body: &'a [u8],
}

/// Reads a part: headers of its own, then a request line, headers and a body.
fn read(part: &[u8]) -> Option<Part<'_>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let httparse::Status::Complete((used, own)) = httparse::parse_headers(part, &mut headers).ok()? else {
        return None;
    };
    let id = own.iter().find(|header| header.name.eq_ignore_ascii_case("content-id"));
    let id = id.and_then(|header| std::str::from_utf8(header.value).ok());
    let inner = part.get(used..)?.trim_ascii_start();
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    // The part was trimmed, so that one without a body may lack the empty line after its headers.
    let mut whole = inner.to_vec();
    whole.extend_from_slice(b"\r\n\r\n");
    let httparse::Status::Complete(head) = request.parse(&whole).ok()? else { return None };
    let mut headers = HeaderMap::new();
    for header in request.headers.iter() {
        headers.append(HeaderName::try_from(header.name).ok()?, HeaderValue::from_bytes(header.value).ok()?);
    }
    let uri: Uri = request.path?.parse().ok()?;
    Some(Part { id, uri, headers, body: inner.get(head.min(inner.len())..)? })
}

async fn answer(app: &App, part: Part<'_>) -> Response {
    let body = Bytes::copy_from_slice(part.body);
    perspective::answer(app, part.uri.path(), part.uri.query(), &part.headers, Ok(body)).await
}

/// Writes an answer as a part. Its name is that of the request, as Google gives it: `<response-…>`.
async fn write(out: &mut Vec<u8>, id: Option<&str>, response: Response, most: usize) {
    let (head, body) = response.into_parts();
    // Our own answers are whole and small.
    let body = to_bytes(body, most.saturating_mul(16)).await.unwrap_or_default();
    let mut text = format!("--{BOUNDARY}\r\nContent-Type: application/http\r\n");
    if let Some(id) = id {
        let id = id.trim().strip_prefix('<').map_or_else(|| format!("response-{id}"), |id| format!("<response-{id}"));
        let _ = write!(text, "Content-ID: {id}\r\n");
    }
    let _ = write!(text, "\r\nHTTP/1.1 {}\r\n", head.status);
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let _ = write!(text, "Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(&body);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_whatever_the_line_ends() {
        let body = b"preamble\n--b\nContent-ID: <1>\n\nPOST /x?key=a HTTP/1.1\nHost: h\n\n{}\r\n--b\r\n\r\nPOST /y HTTP/1.1\r\n--b--\r\nafter";
        let found = parts(body, "b");
        assert_eq!(found.len(), 2);
        let first = read(found[0]).unwrap();
        assert_eq!((first.id, first.uri.query(), first.body), (Some("<1>"), Some("key=a"), &b"{}"[..]));
        assert_eq!(boundary("multipart/mixed; boundary=\"=a=\""), Some("=a="));
        assert_eq!(boundary("multipart/form-data; boundary=a"), None);
        assert!(read(b"no request").is_none());
    }
}
