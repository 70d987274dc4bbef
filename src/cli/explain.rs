//! `polemic explain`: the words behind the scores of one comment.

use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::common::{self, Rejects};
use super::site::SiteModel;
use crate::model::Model;
use crate::model::asked::Asked;
use crate::model::explain::{Explanation, Kind, Share};
use crate::model::explain_target::{Likeliest, TargetExplanation};
use crate::model::scoring::{Item, Scratch, Unscored};
use crate::read;
use crate::read::entry::Entry;
use crate::read::rows::Options;
use crate::record::rounded;
use crate::report::printable;
use crate::text::targets;

const EXAMPLES: &str = "\
Examples:
  polemic explain \"typical drivel from a clown\"
  polemic explain \"no, that is wrong\" --parent \"The bridge is safe.\"
  echo \"you clown\" | polemic explain - --json
  polemic explain --file comments.jsonl --label insult > shares.jsonl";

/// Arguments of `polemic explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The comment; - reads it from standard input.
    #[arg(value_name = "TEXT", allow_hyphen_values = true, required_unless_present = "file")]
    text: Option<String>,
    /// Explain every comment of a file in any format that `score` reads; writes one JSON object a line.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "parent"])]
    file: Option<PathBuf>,
    /// The comment that it answers.
    #[arg(long, value_name = "TEXT")]
    parent: Option<String>,
    #[command(flatten)]
    model: SiteModel,
    /// Only these labels (repeatable).
    #[arg(long, value_name = "NAME")]
    label: Vec<String>,
    /// Explain the stance toward this target, mentioned or not (repeatable).
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Explain the stance toward the targets of this file that the comment mentions [default: the model's].
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
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
    let set = args.targets.as_deref().map(targets::open).transpose()?.map(|targets| model.asked(&targets));
    if let Some(file) = &args.file {
        return explain_file(args, &model, set.as_ref(), file);
    }
    let text = match args.text.as_deref().unwrap_or_default() {
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
    let parent = args.parent.as_deref();
    let item = Item { text: &text, parent, targets: &args.target, set: set.as_ref(), ..Item::default() };
    let mut scratch = Scratch::default();
    let mut out = anstream::stdout();
    if args.json {
        let mut record = json!({"text": text});
        explain_into(&mut record, args, &model, &item, &mut scratch);
        writeln!(out, "{}", serde_json::to_string_pretty(&record)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    match model.explain(&item, &mut scratch) {
        Ok(explanations) => {
            let wanted = wanted(args, &explanations);
            print(&mut out, &model, &wanted, args.top)?;
            if let Some(stance) = stance(&model, &item, &mut scratch) {
                let classes: Vec<String> =
                    stance.iter().map(|(class, p)| format!("{class} {:.1}%", p * 100.0)).collect();
                writeln!(out, "stance toward the parent: {}", classes.join(", "))?;
            }
            for target in model.explain_targets(&item, &mut scratch).unwrap_or_default() {
                print_target(&mut out, &target, args.top)?;
            }
            writeln!(out, "model {}", model.id())?;
        }
        Err(reason) => writeln!(out, "not scored: {}", reason.reason())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Explains every comment of a file, one JSON object a line.
fn explain_file(args: &Args, model: &Model, set: Option<&Asked>, file: &Path) -> Result<ExitCode> {
    let options = Options { max_text: args.max_text, ..Options::default() };
    let rejects = Rejects::default().open()?;
    let mut input = read::open(Some(file), &options)?;
    let mut scratch = Scratch::default();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut failed = None;
    let (census, cut) = common::each_entry(&mut input, &rejects, |entry| {
        let Entry::Comment(row) = entry else { return Ok(()) };
        let comment = &row.stated.comment;
        let mut record = json!({"id": comment.id, "text": comment.text});
        let item = Item {
            text: &comment.text,
            quotes: &comment.quotes,
            parent: row.parent_text.as_deref(),
            targets: &args.target,
            set,
            ..Item::default()
        };
        if comment.text.len() > args.max_text {
            record["unscored"] = Unscored::TooLong.reason().into();
        } else {
            explain_into(&mut record, args, model, &item, &mut scratch);
        }
        if failed.is_none() {
            failed = writeln!(out, "{record}").err();
        }
        Ok(())
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    out.flush()?;
    common::tell(&input, &census, cut.is_some());
    match cut {
        Some(error) => Err(error.into()),
        None => Ok(rejects.finish()),
    }
}

/// Adds to a record the shares of the labels asked for, or why there are none.
fn explain_into(record: &mut Value, args: &Args, model: &Model, item: &Item<'_>, scratch: &mut Scratch) {
    match model.explain(item, scratch) {
        Ok(explanations) => {
            record["labels"] = json!(wanted(args, &explanations));
            if let Some(stance) = stance(model, item, scratch) {
                let classes: Map<String, Value> =
                    stance.into_iter().map(|(class, p)| (class, rounded(p).into())).collect();
                record["stance"] = json!({"parent": classes});
            }
            let targets = model.explain_targets(item, scratch).unwrap_or_default();
            if !targets.is_empty() {
                record["targets"] = json!(targets);
            }
        }
        Err(reason) => record["unscored"] = reason.reason().into(),
    }
    record["model"] = model.id().into();
}

fn wanted<'e>(args: &Args, explanations: &'e [Explanation]) -> Vec<&'e Explanation> {
    explanations.iter().filter(|e| args.label.is_empty() || args.label.contains(&e.label)).collect()
}

/// The stances toward the parent and their probabilities.
fn stance(model: &Model, item: &Item<'_>, scratch: &mut Scratch) -> Option<Vec<(String, f32)>> {
    let scored = model.score(item, scratch).ok()?.parent?;
    let head = model.manifest.parent.as_ref()?;
    Some(head.step.classes.iter().cloned().zip(scored).collect())
}

fn print(out: &mut dyn Write, model: &Model, wanted: &[&Explanation], top: usize) -> Result<()> {
    for e in wanted {
        let head = model.manifest.labels.iter().find(|l| l.name == e.label);
        let threshold = head.map_or(0.5, |h| h.threshold);
        let experimental = if head.is_some_and(|h| h.experimental) { ", experimental" } else { "" };
        let is_open = head.and_then(|h| h.doubt).is_some_and(|doubt| doubt.leaves_open(e.probability));
        let verdict = match e.probability >= threshold {
            _ if is_open => "left open",
            true => "yes",
            false => "no",
        };
        writeln!(
            out,
            "{:<22} {:>6.1}%  {verdict} (threshold {:.1}%{experimental})  logit {:+.3}",
            e.label,
            e.probability * 100.0,
            threshold * 100.0,
            e.logit
        )?;
        writeln!(out, "  {:+8.3}  base", e.base)?;
        print_shares(out, &e.shares, top)?;
    }
    Ok(())
}

fn print_target(out: &mut dyn Write, target: &TargetExplanation, top: usize) -> Result<()> {
    let decided = match (&target.stance, &target.reason) {
        (Some(stance), _) => stance.clone(),
        (None, reason) => format!("not decided ({})", reason.as_deref().unwrap_or_default()),
    };
    writeln!(out, "stance toward {}: {decided}", printable(&target.target))?;
    let mentions: Vec<String> = target.mentions.iter().map(|mention| printable(&mention.text)).collect();
    if !mentions.is_empty() {
        writeln!(out, "  mentioned by: {}", mentions.join(", "))?;
    }
    if let Some(Likeliest { class, probability, logit, base, shares }) = &target.likeliest {
        writeln!(
            out,
            "  likeliest {class} {:.1}%  logit {logit:+.3} against the mean of the others",
            probability * 100.0
        )?;
        writeln!(out, "  {base:+8.3}  base")?;
        print_shares(out, shares, top)?;
    }
    Ok(())
}

fn print_shares(out: &mut dyn Write, shares: &[Share], top: usize) -> Result<()> {
    for share in shares.iter().take(top) {
        let kind = match share.kind {
            Kind::Word | Kind::Target => "",
            Kind::Pair => " (pair)",
            Kind::Style => " (style)",
            Kind::Relation => " (relation to the parent)",
        };
        writeln!(out, "  {:+8.3}  {}{kind}", share.share, printable(&share.text))?;
    }
    if let Some(rest) = shares.get(top..).filter(|rest| !rest.is_empty()) {
        writeln!(out, "  {:+8.3}  {} smaller shares", rest.iter().map(|s| s.share).sum::<f32>(), rest.len())?;
    }
    Ok(())
}
