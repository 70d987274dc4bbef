//! `polemic serve`: the moderation service.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use super::site::SiteModel;
use crate::serve::log::{self, Format, Level};
use crate::serve::{self, Options};

/// The variable that holds the secret of Coral's external moderation phase.
const CORAL_SECRET: &str = "POLEMIC_CORAL_SECRET";

const EXAMPLES: &str = "\
Examples:
  polemic serve
  polemic keys add newsroom --file keys.txt
  polemic serve --listen 0.0.0.0:8787 --keys keys.txt --public-url https://moderation.example.org
  polemic serve --model news-en --profile site.toml --policy policy.toml --db feedback.db

Try it:
  curl 127.0.0.1:8787/v1alpha1/comments:analyze -d '{\"comment\":{\"text\":\"you clown\"},\"requestedAttributes\":{\"TOXICITY\":{}}}'

Signals: SIGTERM and Ctrl-C finish what was taken and end; SIGHUP reads model, keys and policy again without dropping a request.
TLS is for a proxy in front of it. Coral's secret may also stand in POLEMIC_CORAL_SECRET.";

/// Arguments of `polemic serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Address to listen on; others than this machine's own reach it only if you say so, as 0.0.0.0:8787.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = Options::default().listen)]
    listen: SocketAddr,
    #[command(flatten)]
    model: SiteModel,
    /// Accept only the API keys of this file (`polemic keys add`) [default: any key and none].
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Decide by the thresholds and actions of this file [default: each label's own threshold].
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Keep feedback in this SQLite database [default: feedback is answered and not kept].
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Address by which clients reach the service, for the discovery document [default: the host they ask for].
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Most bytes of a request's body.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().max_body)]
    max_body: usize,
    /// Longest time to send a request and to answer it, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().timeout.as_secs())]
    timeout: u64,
    /// Most connections at a time; further ones wait.
    #[arg(long, value_name = "N", default_value_t = Options::default().max_connections)]
    max_connections: usize,
    /// Most requests answered at a time; further ones are turned away with 503.
    #[arg(long, value_name = "N", default_value_t = Options::default().max_requests)]
    max_requests: usize,
    /// Most requests a second with one API key; further ones get 429 [default: any number].
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,
    /// How the log on standard error is written. It never holds the text of a comment.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    log_format: Format,
    /// How much is logged; debug: every request.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t)]
    log: Level,
}

/// Serves until told to stop.
pub fn run(args: Args) -> Result<ExitCode> {
    log::begin(args.log_format, args.log);
    let options = Options {
        listen: args.listen,
        keys: args.keys,
        policy: args.policy,
        db: args.db,
        public_url: args.public_url.map(|url| url.trim_end_matches('/').to_owned()),
        coral_secret: std::env::var(CORAL_SECRET).ok().filter(|secret| !secret.is_empty()),
        max_body: args.max_body,
        timeout: Duration::from_secs(args.timeout.max(1)),
        max_connections: args.max_connections.max(1),
        max_requests: args.max_requests.max(1),
        rate: args.rate,
    };
    let model = args.model;
    serve::run(Box::new(move || model.open()), options, |address, app| {
        let open = if app.keys.load().are_open() { ", any API key" } else { "" };
        anstream::println!("polemic serve: http://{address} · model {}{open}", app.model.load().id);
    })?;
    Ok(ExitCode::SUCCESS)
}
