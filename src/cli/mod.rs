//! The command line: one file a verb; what was typed becomes what is meant, the library does the rest.

mod audit;
mod calibrate;
mod common;
mod destination;
mod doctor;
mod evaluate;
mod explain;
mod feedback;
mod inspect;
mod keys;
mod models;
mod queue;
mod score;
mod serve;
mod site;
mod threads;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  polemic inspect dump.xml                    what a file is and holds
  polemic score page.txt                      the thread of a saved page, labelled
  polemic score dump.jsonl.zst > scores.jsonl one record a comment
  polemic explain \"you clown\"                 the words behind each score
  polemic train labelled.csv -o my-model      a model of your own
  polemic evaluate test.jsonl --model my-model
  polemic audit test.jsonl --limits limits.toml
  polemic queue dump.jsonl -o to-label.jsonl  the comments most worth labelling
  polemic calibrate labelled.jsonl -o site.toml
  polemic serve                               scores by HTTP, for clients of Perspective and others
  polemic feedback export --db feedback.db -o decisions.jsonl

Exit codes: 0 done, 1 a limit that you set was passed (--fail-on, --limits), 2 an input that cannot be used.";

/// Reads comment threads and says of every comment how uncivil it is, what rhetoric it uses and where it stands.
///
/// Offline: nothing leaves the machine.
#[derive(Debug, Parser)]
#[command(name = "polemic", version, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Score the comments of pages, dumps or standard input.
    Score(score::Args),
    /// Show the threads alone: who answers whom.
    Threads(threads::Args),
    /// Say what a file is and what is in it.
    Inspect(inspect::Args),
    /// Explain the scores of one comment, word by word.
    Explain(explain::Args),
    /// Train a model from labelled rows or a recipe.
    Train(train::Args),
    /// Measure a model on labelled rows.
    Evaluate(evaluate::Args),
    /// Audit a model: identities, names, functional tests, attacks.
    Audit(audit::Args),
    /// Fit a model's probabilities and thresholds to a site.
    Calibrate(calibrate::Args),
    /// Pick the comments most worth labelling.
    Queue(queue::Args),
    /// Answer moderation requests by HTTP, in the words of Perspective, OpenAI, Akismet and Coral.
    Serve(serve::Args),
    /// Make API keys for `polemic serve`.
    Keys(keys::Args),
    /// Take out what moderators told the service: training data, figures.
    Feedback(feedback::Args),
    /// Ask a running server what its clients would ask, and say what is not as they expect.
    Doctor(doctor::Args),
    /// List the models that are found here.
    Models(models::Args),
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.verb {
        Verb::Score(args) => score::run(&args),
        Verb::Threads(args) => threads::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Train(args) => train::run(args),
        Verb::Evaluate(args) => evaluate::run(&args),
        Verb::Audit(args) => audit::run(&args),
        Verb::Calibrate(args) => calibrate::run(&args),
        Verb::Queue(args) => queue::run(&args),
        Verb::Feedback(args) => feedback::run(&args),
        Verb::Doctor(args) => doctor::run(&args),
        Verb::Serve(args) => serve::run(args),
        Verb::Keys(args) => keys::run(&args),
        Verb::Models(args) => models::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) if common::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("polemic: {error:#}");
            ExitCode::from(2)
        }
    }
}
