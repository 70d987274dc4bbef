//! The result of an audit as tables for the terminal.

use comfy_table::Table;

use super::evaluation::{STYLE, UNDEFINED, lines, number, shown, with_interval};
use super::printable;
use crate::audit::Audit;
use crate::audit::functional::{Class, Failure, Functional};
use crate::audit::limits::{Check, Verdict};
use crate::audit::names::{NameMean, NameSwaps};
use crate::audit::rate::Rate;
use crate::audit::robustness::Robustness;
use crate::audit::subgroups::{Area, Subgroups};

/// Terms listed of each label: those farthest from the mean.
const TERMS: usize = 12;

/// Tables for the terminal. Ends in a line feed; plain text without colours, control characters in names and texts shown as `\u{fffd}`.
pub fn table(audit: &Audit) -> String {
    let mut parts = vec![format!("Model: {}\n", printable(&audit.model))];
    if !audit.data.is_empty() {
        let data: Vec<String> = audit.data.iter().map(|file| printable(file)).collect();
        parts.push(format!("Data:  {}\n", data.join(", ")));
    }
    for label in &audit.subgroups {
        parts.push(identities(label));
        parts.extend(terms(label));
    }
    for label in &audit.robustness {
        parts.push(attacks(label));
        parts.push(padding(label));
    }
    parts.extend(names(&audit.names));
    for suite in &audit.functional {
        parts.push(functional(suite));
        parts.extend(suite.classes.iter().filter_map(failures));
    }
    if !audit.limits.is_empty() {
        parts.push(limits(&audit.limits));
    }
    parts.join("\n")
}

fn with_header<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(header);
    table
}

fn area(area: &Area) -> String {
    with_interval(area.auc, area.interval)
}

fn rate(rate: &Rate) -> String {
    with_interval(rate.rate, rate.interval)
}

fn identities(label: &Subgroups) -> String {
    let title = format!(
        "== {}: identities ==\n{} rows, {} positive, ROC AUC {}; flagged at {:.3}: {} of the rows without the label\n",
        shown(&label.label),
        label.rows,
        label.positives,
        area(&label.roc_auc),
        label.threshold,
        rate(&label.false_positives),
    );
    if label.identities.is_empty() {
        return title + "no identity is mentioned in enough rows (--min-rows)\n";
    }
    let mut table = with_header(["identity", "positive", "negative", "subgroup AUC [95 %]", "BPSN AUC", "BNSP AUC"]);
    for subgroup in &label.identities {
        table.add_row([
            shown(&subgroup.identity),
            subgroup.positives.to_string(),
            subgroup.negatives.to_string(),
            area(&subgroup.subgroup_auc),
            area(&subgroup.bpsn_auc),
            area(&subgroup.bnsp_auc),
        ]);
    }
    title + &lines(table)
}

fn terms(label: &Subgroups) -> Option<String> {
    let mean = label.mean_of_terms?;
    let mut terms: Vec<_> = label.terms.iter().collect();
    terms.sort_by(|a, b| b.gap.abs().total_cmp(&a.gap.abs()));
    let mut table = with_header(["term", "negative", "flagged", "false-positive rate [95 %]", "gap"]);
    for term in terms.iter().take(TERMS) {
        table.add_row([
            shown(&term.term),
            term.false_positives.n.to_string(),
            term.false_positives.hits.to_string(),
            rate(&term.false_positives),
            format!("{:+.3}", term.gap),
        ]);
    }
    let more = terms.len().saturating_sub(TERMS);
    let more = if more > 0 { format!("and {more} terms nearer to the mean\n") } else { String::new() };
    Some(format!("{}: terms, mean of them {mean:.3}\n{}{more}", shown(&label.label), lines(table)))
}

fn attacks(label: &Robustness) -> String {
    let mut table = with_header(["attack", "example", "changed", "ROC AUC [95 %]", "drop"]);
    table.add_row(["none", "stupid", UNDEFINED, &area(&label.clean), UNDEFINED]);
    for attack in &label.attacks {
        table.add_row([
            shown(&attack.attack),
            printable(&attack.example),
            attack.changed.to_string(),
            area(&attack.area),
            attack.drop.map_or_else(|| UNDEFINED.to_owned(), |drop| format!("{drop:+.3}")),
        ]);
    }
    let title = format!(
        "== {}: attacks on the heaviest word of {} positive rows (against {} negative) ==\n",
        shown(&label.label),
        label.positives,
        label.negatives
    );
    title + &lines(table)
}

fn padding(label: &Robustness) -> String {
    let padding = &label.padding;
    let mut table = with_header(["civil comments behind", "caught [95 %]", "kept", "false positives"]);
    table.add_row(["0", &rate(&padding.caught), UNDEFINED, UNDEFINED]);
    for padded in &padding.padded {
        table.add_row([
            padded.comments.to_string(),
            rate(&padded.caught),
            number(padded.kept),
            number(padded.false_positives.rate),
        ]);
    }
    let title = format!(
        "== {}: padding of {} short positive rows, flagged at {:.3} (3 % false positives) ==\n",
        shown(&label.label),
        padding.caught.n,
        padding.threshold
    );
    title + &lines(table)
}

/// The means of all labels by origin, in the order of the first label; their gaps and outermost names.
fn names(labels: &[NameSwaps]) -> Option<String> {
    let first = labels.first()?;
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(std::iter::once("origin".to_owned()).chain(labels.iter().map(|label| shown(&label.label))));
    for origin in &first.frames.origins {
        let mean = |label: &NameSwaps| {
            let same = label.frames.origins.iter().find(|other| other.origin == origin.origin);
            number(same.map(|same| same.mean))
        };
        table.add_row(std::iter::once(shown(&origin.origin)).chain(labels.iter().map(mean)));
    }
    table.add_row(std::iter::once("gap".to_owned()).chain(labels.iter().map(|label| number(Some(label.frames.gap)))));
    let title = format!("== names in {} sentences: mean probability ==\n", first.frames.texts);
    Some(title + &lines(table) + &labels.iter().map(ends).collect::<String>())
}

/// The names at either end, and what swapping does in comments.
fn ends(label: &NameSwaps) -> String {
    let list = |names: &[NameMean]| -> String {
        names.iter().map(|name| format!("{} {:.3}", shown(&name.name), name.mean)).collect::<Vec<_>>().join(", ")
    };
    let name = shown(&label.label);
    let in_comments = label.comments.as_ref().map(|comments| {
        let texts = comments.texts;
        let of = comments.origins.first().zip(comments.origins.last());
        let of = of.map(|(highest, lowest)| format!(" ({} to {})", shown(&highest.origin), shown(&lowest.origin)));
        format!("{name}: gap {:.3}{} in {texts} comments of the data\n", comments.gap, of.unwrap_or_default())
    });
    let names = format!("{name}: highest {}; lowest {}\n", list(&label.highest), list(&label.lowest));
    names + &in_comments.unwrap_or_default()
}

fn functional(suite: &Functional) -> String {
    let mut table = with_header(["class", "label", "cases", "passed", "pass rate [95 %]"]);
    for class in &suite.classes {
        let several = class.labels.len() > 1;
        if several {
            let all = &class.passed;
            table.add_row([shown(&class.class), String::new(), all.n.to_string(), all.hits.to_string(), rate(all)]);
        }
        for label in &class.labels {
            table.add_row([
                if several { String::new() } else { shown(&class.class) },
                shown(&label.label),
                label.passed.n.to_string(),
                label.passed.hits.to_string(),
                rate(&label.passed),
            ]);
        }
    }
    let labels: Vec<String> = suite.left_out.iter().map(|label| shown(label)).collect();
    let note = format!("note: left out, as the model lacks them: {}\n", labels.join(", "));
    let note = if labels.is_empty() { "" } else { &note };
    format!("== functional tests: {} ==\n{}{note}", shown(&suite.suite), lines(table))
}

/// Failing examples of a class; `None` if there are none to show.
fn failures(class: &Class) -> Option<String> {
    let p = |p: Option<f64>| p.map_or_else(|| "not scored".to_owned(), |p| format!("{p:.3}"));
    let line = |label: &str, failure: &Failure| {
        let text = |text: &str| printable(&text.replace('\n', " "));
        let other = failure.other.as_ref().map(|other| format!("  and {}  {}\n", p(failure.other_p), text(other)));
        let (said, expected) = (p(failure.p), &failure.expected);
        format!("  {label} {said}, not {expected}: {}\n{}", text(&failure.text), other.unwrap_or_default())
    };
    let all = class.labels.iter().flat_map(|label| label.failures.iter().map(|f| line(&shown(&label.label), f)));
    let all: String = all.collect();
    (!all.is_empty()).then(|| format!("{} ({}), failing:\n{all}", shown(&class.class), printable(&class.about)))
}

fn limits(checks: &[Check]) -> String {
    let mut table = with_header(["limit", "", "of", "figure", "bound"]);
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Held => "held",
            Verdict::Passed => "PASSED",
            Verdict::Unmeasured => "not measured",
        };
        let of = check.of.as_deref().map(shown).unwrap_or_default();
        table.add_row([shown(&check.limit), verdict.to_owned(), of, number(check.figure), number(Some(check.bound))]);
    }
    format!("== limits ==\n{}", lines(table))
}
