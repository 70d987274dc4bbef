//! A scored thread as an indented tree for the terminal: who, how it stands to its parent, what stands out, the first words.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::printable;
use crate::model::Model;
use crate::record::ScoreRecord;
use crate::thread::Thread;

/// Levels that are indented; deeper replies stand below one another.
const DEEPEST: u32 = 12;
/// Fewest columns left for the first words.
const FEWEST: usize = 24;
/// Columns of an author's name.
const LONGEST_NAME: usize = 24;

const NAME: Style = Style::new().bold();
const WORDS: Style = Style::new().dimmed();
const STANCE: Style = AnsiColor::Cyan.on_default();
const OUT: Style = AnsiColor::Yellow.on_default();
const FAR_OUT: Style = AnsiColor::Red.on_default().bold();

/// The tree, `width` columns wide, with colours that a writer may strip.
pub fn tree(model: &Model, thread: &Thread, records: &[ScoreRecord], width: usize) -> String {
    let mut out = String::new();
    if let Some(title) = &thread.story.title {
        let _ = writeln!(out, "{NAME}{}{NAME:#}", printable(title));
    }
    for (comment, record) in thread.comments.iter().zip(records) {
        line(&mut out, model, &comment.text, record, width);
    }
    let _ = writeln!(out, "{}", summary(model, thread, records));
    out
}

/// Labels of a record that reach their threshold, most probable first; experimental ones only if nothing else is asked.
pub fn standing_out<'a>(model: &'a Model, record: &ScoreRecord) -> Vec<(&'a str, f32, bool)> {
    let heads = model.manifest.labels.iter();
    let mut out: Vec<(&str, f32, bool)> = heads
        .zip(&record.scores)
        .filter_map(|(head, (_, p))| {
            let p = (*p)?;
            (p >= head.threshold).then_some((head.name.as_str(), p, head.experimental))
        })
        .collect();
    out.sort_by(|a, b| a.2.cmp(&b.2).then(b.1.total_cmp(&a.1)));
    out
}

fn line(out: &mut String, model: &Model, text: &str, record: &ScoreRecord, width: usize) {
    let indent = "  ".repeat(record.depth.min(DEEPEST) as usize);
    let name = cut(&printable(record.author.as_deref().unwrap_or(&record.id)), LONGEST_NAME);
    let mut used = indent.chars().count() + name.chars().count();
    let _ = write!(out, "{indent}{NAME}{name}{NAME:#}");
    let mut tag = |style: Style, text: String| {
        used += text.chars().count() + 1;
        let _ = write!(out, " {style}{text}{style:#}");
    };
    if let Some((class, p)) = record.parent.iter().flatten().max_by(|a, b| a.1.total_cmp(&b.1)) {
        tag(STANCE, format!("{class} {}", percent(*p)));
    }
    let decided = |target: &String| record.toward.iter().any(|(name, t)| name == target && t.stance.is_some());
    for (target, classes) in record.targets.iter().filter(|(target, _)| decided(target)) {
        if let Some((class, p)) = classes.iter().max_by(|a, b| a.1.total_cmp(&b.1)) {
            tag(STANCE, format!("{}: {class} {}", printable(target), percent(*p)));
        }
    }
    for (label, p, experimental) in standing_out(model, record) {
        let style = if p >= 0.5 && !experimental { FAR_OUT } else { OUT };
        tag(style, format!("{label}{} {}", if experimental { "?" } else { "" }, percent(p)));
    }
    if let Some(reason) = &record.unscored {
        tag(OUT, format!("not scored: {reason}"));
    }
    let left = width.saturating_sub(used + 2).max(FEWEST);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(out, "  {WORDS}{}{WORDS:#}", cut(&printable(&words), left));
}

fn summary(model: &Model, thread: &Thread, records: &[ScoreRecord]) -> String {
    let replies = thread.comments.iter().filter(|c| c.parent.is_some()).count();
    let mut out = format!("{} comments", records.len());
    if replies > 0 {
        let _ = write!(out, ", {replies} replies");
    }
    for head in model.manifest.labels.iter().filter(|h| !h.experimental) {
        let n = records
            .iter()
            .filter(|r| r.scores.iter().any(|(l, p)| *l == head.name && p.is_some_and(|p| p >= head.threshold)))
            .count();
        if n > 0 {
            let _ = write!(out, ", {n} {}", head.name);
        }
    }
    let unscored = records.iter().filter(|r| r.unscored.is_some()).count();
    if unscored > 0 {
        let _ = write!(out, ", {unscored} not scored");
    }
    let _ = write!(out, " ({})", model.id());
    out
}

fn percent(p: f32) -> String {
    format!("{:.0}%", p * 100.0)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
