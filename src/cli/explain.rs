//! `polemic explain`: the words behind the scores of one comment.

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::common::ModelChoice;
use crate::model::Model;
use crate::model::explain::{Explanation, Kind};
use crate::model::scoring::{Item, Scratch};
use crate::read::rows::Options;
use crate::record::rounded;
use crate::report::printable;

const EXAMPLES: &str = "\
Examples:
  polemic explain \"typical drivel from a clown\"
  polemic explain \"no, that is wrong\" --parent \"The bridge is safe.\"
  echo \"you clown\" | polemic explain - --json";

/// Arguments of `polemic explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The comment; - reads it from standard input.
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: String,
    /// The comment that it answers.
    #[arg(long, value_name = "TEXT")]
    parent: Option<String>,
    #[command(flatten)]
    model: ModelChoice,
    /// Only these labels (repeatable).
    #[arg(long, value_name = "NAME")]
    label: Vec<String>,
    /// Shares shown for each label.
    #[arg(long, value_name = "N", default_value_t = 8)]
    top: usize,
    /// Write JSON: every share, with byte and UTF-16 offsets into the text.
    #[arg(long)]
    json: bool,
    /// Longest text explained, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().max_text)]
    max_text: usize,
}

/// Explains and prints.
pub fn run(args: &Args) -> Result<ExitCode> {
    let model = args.model.open()?;
    if let Some(unknown) = args.label.iter().find(|l| model.label(l).is_none()) {
        let there: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
        bail!("--label {unknown}: the model has no such label; it has {}", there.join(", "));
    }
    let text = match args.text.as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin().take(args.max_text as u64 + 1).read_to_string(&mut text)?;
            text.trim_end_matches(['\n', '\r']).to_owned()
        }
        text => text.to_owned(),
    };
    if text.len() > args.max_text {
        bail!("the text is longer than --max-text {}", args.max_text);
    }
    let item = Item { text: &text, parent: args.parent.as_deref(), ..Item::default() };
    let mut scratch = Scratch::default();
    let mut out = anstream::stdout();
    let scored = match model.score(&item, &mut scratch) {
        Ok(scored) => scored,
        Err(reason) => {
            if args.json {
                writeln!(out, "{}", json!({"unscored": reason.reason(), "model": model.id()}))?;
            } else {
                writeln!(out, "not scored: {}", reason.reason())?;
            }
            return Ok(ExitCode::SUCCESS);
        }
    };
    let explanations = model.explain(&item, &mut scratch).unwrap_or_default();
    let wanted: Vec<&Explanation> =
        explanations.iter().filter(|e| args.label.is_empty() || args.label.contains(&e.label)).collect();
    let stance: Option<Vec<(String, f32)>> = model
        .manifest
        .parent
        .as_ref()
        .zip(scored.parent)
        .map(|(head, p)| head.step.classes.iter().cloned().zip(p).collect());
    if args.json {
        let mut record = json!({"text": text, "labels": wanted, "model": model.id()});
        if let (Some(stance), Value::Object(record)) = (stance, &mut record) {
            let classes: Map<String, Value> = stance.into_iter().map(|(class, p)| (class, rounded(p).into())).collect();
            record.insert("stance".into(), json!({"parent": classes}));
        }
        writeln!(out, "{}", serde_json::to_string_pretty(&record)?)?;
    } else {
        print(&mut out, &model, &wanted, stance.as_deref(), args.top)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(
    out: &mut dyn Write,
    model: &Model,
    wanted: &[&Explanation],
    stance: Option<&[(String, f32)]>,
    top: usize,
) -> Result<()> {
    for e in wanted {
        let head = model.manifest.labels.iter().find(|l| l.name == e.label);
        let threshold = head.map_or(0.5, |h| h.threshold);
        let experimental = if head.is_some_and(|h| h.experimental) { ", experimental" } else { "" };
        let verdict = if e.probability >= threshold { "yes" } else { "no" };
        writeln!(
            out,
            "{:<22} {:>6.1}%  {verdict} (threshold {:.1}%{experimental})  logit {:+.3}",
            e.label,
            e.probability * 100.0,
            threshold * 100.0,
            e.logit
        )?;
        writeln!(out, "  {:+8.3}  base", e.base)?;
        for share in e.shares.iter().take(top) {
            let kind = match share.kind {
                Kind::Word => "",
                Kind::Pair => " (pair)",
                Kind::Style => " (style)",
                Kind::Relation => " (relation to the parent)",
            };
            writeln!(out, "  {:+8.3}  {}{kind}", share.share, printable(&share.text))?;
        }
        if let Some(rest) = e.shares.get(top..).filter(|rest| !rest.is_empty()) {
            writeln!(out, "  {:+8.3}  {} smaller shares", rest.iter().map(|s| s.share).sum::<f32>(), rest.len())?;
        }
    }
    if let Some(stance) = stance {
        let classes: Vec<String> = stance.iter().map(|(class, p)| format!("{class} {:.1}%", p * 100.0)).collect();
        writeln!(out, "stance toward the parent: {}", classes.join(", "))?;
    }
    writeln!(out, "model {}", model.id())?;
    Ok(())
}
