//! The service as a process: our own face, policy, feedback, limits, reloads, logs, and what `polemic doctor` says of it.

/// What the doctor finds.
mod doctor;
/// Feedback: durable, exported, learned from.
mod feedback;
/// What is too much, too slow or too often.
mod limits;
/// What the log holds and what it never holds.
mod logs;
/// Answers keep to openapi.json, whatever is asked.
mod openapi;
/// Model and policy change under load.
mod reload;
/// A server process and what is asked of it.
mod server;
/// Lines in, lines out.
mod streaming;
/// Scores, explanations, decisions.
mod v1;
