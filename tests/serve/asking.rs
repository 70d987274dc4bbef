use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use polemic::model::Model;
use polemic::serve::Options;
use polemic::serve::app::{App, router};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use crate::support::model_folder;

/// A text of the training data's worst kind, which the small model is sure about.
pub const RUDE: &str = "you pathetic clown, you are a disgusting idiot and a liar";
/// A text that no model minds.
pub const CIVIL: &str = "Thank you for the timetable. The ferry leaves at ten.";

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// A service with the small model.
pub struct Service {
    pub app: Arc<App>,
    router: Router,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// JSON of an answer that must be good.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Code, status, message and first detail of Google's envelope, which must be whole.
    pub fn error(&self) -> (u16, String, String, Value) {
        let error = &self.json()["error"];
        assert_eq!(error["code"], self.status.as_u16());
        assert!(error["details"].as_array().is_some_and(|details| !details.is_empty()), "{error}");
        assert!(error["details"][0]["@type"].is_string(), "{error}");
        let word = |name: &str| error[name].as_str().unwrap().to_owned();
        (self.status.as_u16(), word("status"), word("message"), error["details"][0].clone())
    }
}

impl Service {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        // The writer of feedback wants a runtime to answer to.
        let _guard = runtime().enter();
        let app = Arc::new(App::new(Box::new(|| Ok(Model::open(model_folder())?)), options).unwrap());
        Self { router: router(Arc::clone(&app)), app }
    }

    /// The same with keys: the only one is `sesame`, of `newsroom`.
    pub fn locked(options: Options) -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.txt");
        std::fs::write(&keys, format!("# ours\n\n{}", polemic::serve::keys::line("newsroom", "sesame"))).unwrap();
        (Self::with(Options { keys: Some(keys), ..options }), folder)
    }

    pub fn send(&self, request: Request<Body>) -> Answer {
        let router = self.router.clone();
        runtime().block_on(async move {
            let (head, body) = router.oneshot(request).await.unwrap().into_parts();
            let body = to_bytes(body, 64 << 20).await.unwrap().to_vec();
            Answer { status: head.status, headers: head.headers, body }
        })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).header("host", "here:8787").body(Body::empty()).unwrap())
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.into())).unwrap())
    }

    /// `comments:analyze`.
    pub fn analyze(&self, body: &Value) -> Answer {
        self.post("/v1alpha1/comments:analyze?key=any", &[("content-type", "application/json")], body.to_string())
    }
}

/// A request for the toxicity of a text.
pub fn toxicity_of(text: &str) -> Value {
    json!({"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}})
}

/// A service that all tests without settings share.
pub fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(Service::new)
}

/// A file in a folder of its own.
pub fn file(name: &str, content: &str) -> (PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (path, folder)
}
