//! The contracts of the service, every rule that a real client relies on, through the router as requests go through it.

/// Akismet: words and headers.
mod akismet;
/// A service in this process, and what is asked of it.
mod asking;
/// Perspective's batches and discovery document.
mod batch;
/// Coral's external moderation phase.
mod coral;
/// Perspective's errors, word by word.
mod errors;
/// Anything as a body, anywhere.
mod hostile;
/// Keys: hashed, and wherever clients put them.
mod keys;
/// OpenAI's moderations.
mod openai;
/// Perspective's answers.
mod perspective;
/// The command: ready, asked, reloaded, stopped.
mod running;
/// Perspective's feedback.
mod suggestions;
