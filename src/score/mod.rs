//! Scoring many comments: whole threads, or rows as they come.

pub mod batch;
pub mod lines;
pub mod queue;
pub mod stream;
