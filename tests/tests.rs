//! The tests of the whole program in one binary, one module a subject.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

/// `polemic audit` end to end.
mod auditing;
/// Bootstrap intervals against brute force and known laws.
mod bootstrap;
/// Base rates, profiles and thresholds for a site.
mod calibrating;
/// Figures by slow definitions, for others to compare with.
mod common;
/// What a new model decides otherwise than the old one.
mod comparing;
/// Words run together, from vectors to a score.
mod compounds;
/// ConvoKit corpora in and out.
mod convokit;
/// Our regression is linfa-logistic's, folded is unfolded, shares add up.
mod equalities;
/// `polemic evaluate` end to end.
mod evaluating;
/// Tables and JSON of an evaluation.
mod evaluation;
mod fast;
/// Bombs, cuts, malformed bytes and private addresses through the command.
mod hostile;
/// HTML of comments, and saved pages.
mod html;
/// `polemic inspect` end to end.
mod inspecting;
/// Long runs: killed, stopped, out of room, in shards, line by line.
mod jobs;
/// The direction of the layers.
mod layers;
/// Where linfa's metrics are right, ours agree; where not, why we have our own.
mod linfa_metrics;
/// Figures against scikit-learn's.
mod metrics;
/// Model folders: saved whole, opened only whole, found where they are said to be.
mod model_files;
/// Words spelled to deceive.
mod normalizing;
/// The formats that `threads` and `score` write.
mod outputs;
/// Saved pages and quotes.
mod pages;
/// Parquet files in and out.
mod parquet;
/// JSON of Reddit, Hacker News, YouTube and comment systems.
mod platforms;
/// `polemic queue` end to end.
mod queueing;
/// Stance toward the parent end to end.
mod replies;
/// JSON lines, CSV, compression, encodings, hostile bytes.
mod rows;
/// `polemic score` and `polemic threads` end to end.
mod scoring;
/// The contracts of `polemic serve`.
mod serve;
/// The service as a process.
mod service;
/// The model in models/.
mod shipped;
/// The list of public corpora and the recipe.
mod sources;
/// A small model and the program.
mod stacking;
mod support;
/// Targets from a file: names, aliases, examples, and what is written of them.
mod target_files;
/// Stance toward targets: polarity, unseen targets, abstention.
mod targets;
/// `polemic train` end to end.
mod training;
/// Our own training data keep to their codebook.
mod training_data;
/// What is written reads back the same.
mod writers;
/// WordPress and Disqus exports.
mod xml;
