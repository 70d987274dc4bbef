//! The tests of the whole program in one binary, one module a subject.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

/// Bootstrap intervals against brute force and known laws.
mod bootstrap;
/// Figures by slow definitions, for others to compare with.
mod common;
/// Tables and JSON of an evaluation.
mod evaluation;
/// The direction of the layers.
mod layers;
/// Where linfa's metrics are right, ours agree; where not, why we have our own.
mod linfa_metrics;
/// Figures against scikit-learn's.
mod metrics;
/// Saved pages and quotes.
mod pages;
/// JSON lines, CSV, compression, encodings, hostile bytes.
mod rows;
/// The list of public corpora and the recipe.
mod sources;
