//! `polemic doctor`: asks a running server what its clients would ask, and says which of their expectations hold.

mod others;
mod own;
mod perspective;
mod probe;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use anyhow::{Result, bail};
use serde_json::json;

use probe::{Finding, Outcome, Probe};

const EXAMPLES: &str = "\
Examples:
  polemic doctor
  polemic doctor --url https://moderation.example.org --key \"$KEY\" --json
  POLEMIC_CORAL_SECRET=… polemic doctor --url http://127.0.0.1:8787

Nothing that it sends is kept as feedback. Exit code 1 if something is red.";

/// Arguments of `polemic doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Address of the server. Plain http: ask a server behind a TLS proxy at its own address.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
    url: String,
    /// An API key that the server should accept.
    #[arg(long, value_name = "KEY", env = "POLEMIC_KEY", hide_env_values = true)]
    key: Option<String>,
    /// The secret shared with Coral.
    #[arg(long, value_name = "SECRET", env = "POLEMIC_CORAL_SECRET", hide_env_values = true)]
    coral_secret: Option<String>,
    /// Longest time to wait for an answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    timeout: u64,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// Asks and reports.
pub fn run(args: &Args) -> Result<ExitCode> {
    if !args.url.starts_with("http://") {
        bail!("--url {}: only plain http is spoken; ask a server behind a TLS proxy at its own address", args.url);
    }
    let timeout = Duration::from_secs(args.timeout.max(1));
    let mut probe = Probe::new(&args.url, args.key.clone(), args.coral_secret.clone(), timeout);
    if probe.check("service", "is there", own::is_there) {
        own::operations(&mut probe);
        perspective::all(&mut probe);
        others::open_ai(&mut probe);
        others::akismet(&mut probe);
        others::coral(&mut probe);
        own::v1(&mut probe);
    }
    let red = probe.findings.iter().filter(|finding| matches!(finding.outcome, Outcome::Red(_))).count();
    let mut out = anstream::stdout();
    if args.json {
        let findings: Vec<_> = probe.findings.iter().map(Finding::to_json).collect();
        let report = json!({"url": args.url, "red": red, "findings": findings});
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        print(&mut out, &probe.findings)?;
        let of = probe.findings.len();
        writeln!(
            out,
            "{}",
            if red == 0 { format!("all well: {of} checks") } else { format!("{red} of {of} checks failed") }
        )?;
    }
    Ok(if red == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(out: &mut dyn Write, findings: &[Finding]) -> Result<()> {
    let mut face = "";
    for finding in findings {
        if finding.face != face {
            face = finding.face;
            writeln!(out, "{face}")?;
        }
        let (color, mark, words) = match &finding.outcome {
            Outcome::Green(words) => (AnsiColor::Green, "ok  ", words),
            Outcome::Red(words) => (AnsiColor::Red, "FAIL", words),
            Outcome::Left(words) => (AnsiColor::Yellow, "-   ", words),
        };
        let style = Style::new().fg_color(Some(color.into()));
        let words = if words.is_empty() { String::new() } else { format!(": {}", crate::report::printable(words)) };
        writeln!(out, "  {style}{mark}{style:#} {}{words}", finding.what)?;
    }
    Ok(())
}
