//! What a new model decides otherwise than the old one, as tables.

use serde_json::Value;

use super::evaluation::{lines, number, shown, table as under};
use super::printable;
use crate::train::compare::{Changed, Comparison, Figures};

/// Authors, threads and terms shown of each.
const SHOWN: usize = 10;

impl Comparison {
    /// The fields as they are named in [`Comparison`].
    pub fn to_json(&self) -> Value {
        // Text, numbers and lists only: there is nothing in it that JSON could refuse.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Tables for the terminal. Ends in a line feed; no text of a comment unless examples were asked for.
    pub fn table(&self) -> String {
        let all = &self.all;
        let mut head = format!(
            "{} → {}: {} of {} comments are decided otherwise ({} gain a label, {} lose one)\n",
            shown(&self.old),
            shown(&self.new),
            all.changed,
            self.comments,
            all.now_yes,
            all.now_no
        );
        if self.trained_on {
            head += "The new model was trained on these comments: its figures here flatter it.\n";
        }
        let mut parts = vec![head];
        for (what, names) in [("no longer there", &self.lost), ("new", &self.gained)] {
            let names: Vec<String> = names.iter().map(|name| shown(name)).collect();
            parts.extend((!names.is_empty()).then(|| format!("Labels {what}: {}\n", names.join(", "))));
        }
        parts.push(self.labels());
        for (what, changed) in [("author", &self.authors), ("thread", &self.threads), ("term", &self.terms)] {
            parts.extend((!changed.is_empty()).then(|| people(what, changed, all)));
        }
        parts.extend(self.examples.iter().map(|example| {
            let (before, after) = (100.0 * example.before, 100.0 * example.after);
            format!("{} {before:.1}% → {after:.1}%\n  {}\n", shown(&example.label), printable(&example.text))
        }));
        parts.join("\n")
    }

    fn labels(&self) -> String {
        let mut table = under(["label", "labelled", "ROC AUC", "F1", "now yes", "now no", "now right", "now wrong"]);
        for change in &self.labels {
            let figures = |of: fn(&Figures) -> Option<f64>| match (of(&change.before), of(&change.after)) {
                (None, None) => number(None),
                (before, after) => format!("{} → {}", number(before), number(after)),
            };
            let experimental = if change.experimental { " (experimental)" } else { "" };
            table.add_row([
                format!("{}{experimental}", shown(&change.label)),
                change.labelled.to_string(),
                figures(|f| f.roc_auc),
                figures(|f| f.f1),
                change.now_yes.to_string(),
                change.now_no.to_string(),
                change.now_right.to_string(),
                change.now_wrong.to_string(),
            ]);
        }
        lines(table)
    }
}

/// The most changed ones, and the share of their comments that are beside that of all.
fn people(what: &str, changed: &[Changed], all: &Changed) -> String {
    let mut table = under([what, "comments", "changed", "share", "now yes", "now no"]);
    let share = |c: &Changed| format!("{:.1}%", 100.0 * c.changed as f64 / c.comments.max(1) as f64);
    let cells = |name: String, c: &Changed| {
        [name, c.comments.to_string(), c.changed.to_string(), share(c), c.now_yes.to_string(), c.now_no.to_string()]
    };
    for one in changed.iter().take(SHOWN) {
        table.add_row(cells(shown(&one.name), one));
    }
    table.add_row(cells("(all comments)".to_owned(), all));
    let more = changed.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("{more} more with a change\n") } else { String::new() };
    lines(table) + &more
}
