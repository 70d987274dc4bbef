//! `polemic models`: what is there, and where models are looked for.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::model::Model;
use crate::model::file::{self, VARIABLE, list, places, read_manifest};
use crate::model::target::OwnTarget;
use crate::record::rounded;
use crate::report::printable;
use crate::text::targets::NamedTarget;

/// Arguments of `polemic models`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  polemic models --json")]
pub struct Args {
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// Lists models.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut out = anstream::stdout();
    let chosen = file::find(None);
    if let (Err(error), Ok(_)) = (&chosen, std::env::var(VARIABLE)) {
        anstream::eprintln!("polemic: {VARIABLE}: {error}");
    }
    let chosen = chosen.ok();
    let mut entries = Vec::new();
    let mut folders: Vec<_> = places().iter().flat_map(|place| list(place)).collect();
    if let Some(chosen) = chosen.iter().find(|c| !folders.contains(c)) {
        folders.insert(0, chosen.clone());
    }
    for folder in folders {
        let is_default = chosen.as_ref() == Some(&folder);
        match entry(&folder, is_default) {
            Ok(entry) => entries.push(entry),
            Err(error) => anstream::eprintln!("polemic: {error:#}"),
        }
    }
    let places: Vec<String> = places().iter().map(|p| p.display().to_string()).collect();
    if args.json {
        writeln!(
            out,
            "{}",
            serde_json::to_string_pretty(&json!({"models": entries, "looked_in": places, "variable": VARIABLE}))?
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for e in &entries {
        let text = |key: &str| e[key].as_str().unwrap_or_default().to_owned();
        let default = if e["default"] == true { "  (default)" } else { "" };
        writeln!(out, "{}@{}{default}\n  folder   {}", text("name"), text("version"), text("folder"))?;
        writeln!(out, "  sha256   {}\n  licence  {}", text("sha256"), text("licence"))?;
        let labels = e["labels"].as_array().into_iter().flatten();
        let labels: Vec<String> = labels
            .map(|l| {
                let mark = if l["experimental"] == true { "?" } else { "" };
                format!("{}{mark}", l["name"].as_str().unwrap_or_default())
            })
            .collect();
        writeln!(out, "  labels   {}", labels.join(", "))?;
        let stance: Vec<&str> = e["stance"].as_array().into_iter().flatten().filter_map(|s| s.as_str()).collect();
        if !stance.is_empty() {
            writeln!(out, "  stance   {}", stance.join(", "))?;
        }
        for (i, target) in e["targets"].as_array().into_iter().flatten().enumerate() {
            let start = if i == 0 { "targets" } else { "" };
            writeln!(out, "  {start:<8} {}", target_line(target))?;
        }
    }
    if entries.is_empty() {
        writeln!(out, "no models found")?;
    }
    writeln!(out, "looked for by --model, then {VARIABLE}, then in: {}", places.join(", "))?;
    if entries.iter().any(|e| e["labels"].as_array().into_iter().flatten().any(|l| l["experimental"] == true)) {
        writeln!(out, "a label with ? is experimental: it rests on thin data, and leaves comments open (null)")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A target and what its heads are worth.
fn target_line(target: &Value) -> String {
    let text = |key: &str| printable(target[key].as_str().unwrap_or_default());
    let aliases: Vec<&str> = target["aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut line = format!("{} ({})", text("name"), text("kind"));
    if target["rows"].is_null() {
        line += ": no examples";
    } else {
        let share = |key: &str| target[key].as_f64().unwrap_or_default();
        let _ = write!(
            line,
            ": {} examples, right in {:.2}; decides {:.2}, right in {:.2} of these",
            target["rows"],
            share("accuracy"),
            share("coverage"),
            share("accuracy_at_coverage")
        );
    }
    if !aliases.is_empty() {
        let _ = write!(line, "; also {}", printable(&aliases.join(", ")));
    }
    line
}

fn target(known: &NamedTarget, own: Option<&OwnTarget>) -> Value {
    let mut target = json!(known);
    if let Some(own) = own {
        target["rows"] = own.rows.into();
        target["accuracy"] = rounded(own.trust.accuracy).into();
        target["coverage"] = rounded(own.trust.coverage).into();
        target["accuracy_at_coverage"] = rounded(own.trust.accuracy_at_coverage).into();
    }
    target
}

fn entry(folder: &Path, is_default: bool) -> Result<serde_json::Value> {
    let manifest = read_manifest(folder)?;
    let labels: Vec<_> = manifest
        .labels
        .iter()
        .map(|l| json!({"name": l.name, "experimental": l.experimental, "threshold": l.threshold, "doubt": l.doubt}))
        .collect();
    let mut stance = Vec::new();
    stance.extend(manifest.parent.iter().map(|p| format!("toward the parent ({})", p.step.classes.join(", "))));
    stance.extend(
        manifest
            .targets
            .iter()
            .map(|t| format!("toward targets ({}; {} with own heads)", t.classes.join(", "), t.own.len())),
    );
    let own = |name: &str| manifest.targets.as_ref().and_then(|head| head.own(name));
    let known = manifest.targets_known();
    let targets: Vec<Value> = known.iter().map(|known| target(known, own(&known.name))).collect();
    Ok(json!({
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "folder": folder.display().to_string(),
        "sha256": Model::hash(folder)?,
        "licence": manifest.licence,
        "labels": labels,
        "stance": stance,
        "targets": targets,
        "default": is_default,
    }))
}
