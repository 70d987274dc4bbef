//! The moderation service: one process that answers, by HTTP and from one model, in the words of several services that clients already
//! speak to. Every contract is a face, one file each; all go through the same model, keys, policy and feedback.

mod akismet;
pub mod app;
pub mod attributes;
mod batch;
mod coral;
mod discovery;
pub mod feedback;
pub mod keys;
mod languages;
mod lenient;
pub mod limits;
mod listen;
pub mod log;
pub mod metrics;
mod openai;
mod operations;
mod perspective;
pub mod policy;
mod refusal;
pub mod reply;
pub mod scorer;
mod v1;

use std::net::SocketAddr;
use std::num::{NonZero, NonZeroU32};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use app::{App, Opener};

/// How the service is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// File of hashed API keys; absent: any key and none is accepted.
    pub keys: Option<PathBuf>,
    /// Policy file; absent: each label's own threshold.
    pub policy: Option<PathBuf>,
    /// Database of feedback; absent: feedback is not kept.
    pub db: Option<PathBuf>,
    /// Address by which clients reach the service, without a slash at its end; absent: what their `Host` header says.
    pub public_url: Option<String>,
    /// Secret of Coral's external moderation phase, if the policy file names none.
    pub coral_secret: Option<String>,
    /// Most bytes of a request's body.
    pub max_body: usize,
    /// Longest time to send a request and to answer it.
    pub timeout: Duration,
    /// Most connections at a time; further ones wait to be accepted.
    pub max_connections: usize,
    /// Most requests answered at a time; further ones are turned away.
    pub max_requests: usize,
    /// Requests a second for each key; absent: any number.
    pub rate: Option<NonZeroU32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            keys: None,
            policy: None,
            db: None,
            public_url: None,
            coral_secret: None,
            max_body: 4 << 20,
            timeout: Duration::from_secs(10),
            max_connections: 4096,
            max_requests: 512,
            rate: None,
        }
    }
}

/// Opens everything, then serves until the process is told to stop (Ctrl-C, SIGTERM); what was taken by then is finished.
/// `ready` hears the address once connections are accepted.
///
/// # Errors
/// A model, key, policy or database file that cannot be used, or an address that cannot be listened on.
pub fn run(open: Opener, options: Options, ready: impl FnOnce(SocketAddr, &App)) -> Result<()> {
    let app = Arc::new(App::new(open, options)?);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores)
        .enable_all()
        .build()
        .context("the runtime could not be started")?;
    runtime.block_on(async {
        let address = app.options.listen;
        let listener = tokio::net::TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("--listen {address}: is the port in use?"))?;
        ready(listener.local_addr()?, &app);
        listen::serve(listener, app).await;
        Ok(())
    })
}
