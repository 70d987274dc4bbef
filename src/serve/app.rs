//! What all faces share (model, keys, policy, feedback), and the router that puts them together.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use super::feedback::Feedback;
use super::keys::Keys;
use super::limits::{self, Gate, Rates};
use super::metrics::Metrics;
use super::operations;
use super::perspective;
use super::policy::Policy;
use super::scorer::Loaded;
use super::v1::{self, V1};
use super::{Options, akismet, batch, coral, discovery, openai};
use crate::model::Model;

/// Opens the model, at the start and at every reload.
pub type Opener = Box<dyn Fn() -> Result<Model> + Send + Sync>;

/// The state of the service.
pub struct App {
    /// The model in use. A request takes it once and keeps it to its end, so that a reload drops none.
    pub model: ArcSwap<Loaded>,
    /// Who may ask.
    pub keys: ArcSwap<Keys>,
    /// What is decided.
    pub policy: ArcSwap<Policy>,
    /// Where moderators' decisions go, if anywhere.
    pub feedback: Option<Feedback>,
    /// How much is done at a time.
    pub gate: Gate,
    /// How often each key may ask.
    pub rates: Rates,
    /// What is counted.
    pub metrics: Metrics,
    /// What our own face keeps.
    pub v1: V1,
    /// As started.
    pub options: Options,
    /// Comments that Akismet clients asked about.
    pub(super) akismet_checks: AtomicU64,
    /// Long work waits for one of these, so that it takes no more than the cores there are.
    pub(super) long_work: Semaphore,
    open: Opener,
}

impl App {
    /// Opens the model and the files that `options` names.
    pub fn new(open: Opener, options: Options) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let model = open()?;
        Ok(Self {
            keys: ArcSwap::from_pointee(keys(&options)?),
            policy: ArcSwap::from_pointee(policy(&options, &model)?),
            model: ArcSwap::from_pointee(Loaded::new(model)),
            feedback: options.db.as_deref().map(Feedback::open).transpose().context("--db")?,
            gate: Gate::default(),
            rates: Rates::new(options.rate),
            metrics: Metrics::default(),
            v1: V1::default(),
            long_work: Semaphore::new(cores),
            akismet_checks: AtomicU64::new(0),
            options,
            open,
        })
    }

    /// Reads model, keys and policy again. Requests that have begun end with what they began with; if a file cannot be used, all stays
    /// as it is.
    pub fn reload(&self) -> Result<()> {
        let (model, keys) = ((self.open)()?, keys(&self.options)?);
        let policy = policy(&self.options, &model)?;
        self.model.store(Arc::new(Loaded::new(model)));
        self.keys.store(Arc::new(keys));
        self.policy.store(Arc::new(policy));
        self.metrics.reloaded();
        Ok(())
    }
}

fn keys(options: &Options) -> Result<Keys> {
    options.keys.as_deref().map_or_else(|| Ok(Keys::default()), Keys::open).context("--keys")
}

fn policy(options: &Options, model: &Model) -> Result<Policy> {
    let open = |path| Policy::open(path, model).context("--policy");
    options.policy.as_deref().map_or_else(|| Ok(Policy::default()), open)
}

/// All faces on one router.
pub fn router(app: Arc<App>) -> Router {
    let limit = DefaultBodyLimit::max(app.options.max_body);
    Router::new()
        .merge(perspective::routes())
        .merge(discovery::routes())
        .merge(batch::routes())
        .merge(openai::routes())
        .merge(akismet::routes())
        .merge(coral::routes())
        .merge(v1::routes())
        .merge(operations::routes())
        .layer(limit)
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(Arc::clone(&app), limits::guard))
        .with_state(app)
}
