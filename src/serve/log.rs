//! What the service tells of its own doings, on standard error. Never the text of a comment, never a key.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// What failed.
    Error,
    /// What may fail.
    Warn,
    /// Starts, reloads, ends.
    #[default]
    Info,
    /// Every request: method, path, status, microseconds.
    Debug,
}

/// Begins to log; what is told by the libraries below us is left out.
pub fn begin(format: Format, level: Level) {
    let most = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let ours = Targets::new().with_target("polemic", most);
    let lines = fmt().with_max_level(most).with_target(false).with_writer(std::io::stderr);
    // A second call in one process (tests) keeps what the first one set.
    let _ = match format {
        Format::Text => lines.with_ansi(std::io::stderr().is_terminal()).finish().with(ours).try_init(),
        Format::Json => lines.json().flatten_event(true).finish().with(ours).try_init(),
    };
}
