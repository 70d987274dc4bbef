//! The result of an evaluation: as JSON for programs and as tables for the terminal.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use serde::Serialize;
use serde_json::Value;

use super::printable;
use super::reliability::{Bin, diagram};
use crate::train::bootstrap::{BinaryIntervals, Interval, MulticlassIntervals};
use crate::train::metrics::{Binary, ClassFigures, Multiclass};

/// Rows of a class below which a note warns of its figures.
const FIRM: u64 = 30;

/// What stands where a figure is undefined.
pub(super) const UNDEFINED: &str = "-";

/// Longest name shown, in characters.
const LONGEST_NAME: usize = 40;

/// Only a line under the header.
pub(super) const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// How well one model does on one body of data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Name of the model.
    pub model: String,
    /// The files it was evaluated on.
    pub data: Vec<String>,
    /// The figures, of all rows or by value of a field.
    pub groups: Vec<Group>,
}

/// The figures of some of the rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The value of the field that these rows share; `None` for all rows.
    pub name: Option<String>,
    /// Figures of each label.
    pub labels: Vec<LabelFigures>,
    /// Figures of the stance towards the parent comment and towards each target.
    pub stances: Vec<StanceFigures>,
}

/// The figures of one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelFigures {
    /// The label of the model.
    pub label: String,
    /// The label of the data that it was compared with, where the two are named differently.
    pub against: Option<String>,
    /// Rows with a score and a truth; the figures are theirs.
    pub scored: u64,
    /// Rows with a truth that the model gave no score.
    pub unscored: u64,
    /// The figures.
    pub figures: Binary,
    /// Their 95 % bootstrap intervals.
    pub intervals: BinaryIntervals,
    /// The expected calibration error once the rows have an intercept of their own, fitted on other rows than it is measured on: what
    /// remains when the base rate is right. `None` where the rows cannot be parted.
    pub ece_own_intercept: Option<f64>,
    /// Of an experimental label, which leaves rows open: what it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Spoken>,
    /// The bins of the reliability diagram, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Vec<Bin>>,
}

/// What an experimental label decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spoken {
    /// Share of the scored rows that it decides.
    pub coverage: f64,
    /// Share of these that it decides rightly; `None` if it decides none.
    pub accuracy: Option<f64>,
    /// Of the rows that it says have the label, the share that has it; `None` if it says so of none.
    pub precision: Option<f64>,
}

/// The figures of one stance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StanceFigures {
    /// `parent`, or the name of the target.
    pub name: String,
    /// Rows with a truth that the model gave no stance.
    pub unscored: u64,
    /// The figures.
    pub figures: Multiclass,
    /// Their 95 % bootstrap intervals.
    pub intervals: MulticlassIntervals,
    /// What the model decides; of targets only, as of the stance toward the parent it decides always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// The stances that a model decides, as it decides none that it is not sure enough of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Decided {
    /// Rows that it decides.
    pub n: u64,
    /// Their share of all rows with a truth, those without a score among them.
    pub coverage: f64,
    /// Share of them that is right; `None` where there are none.
    pub accuracy: Option<f64>,
    /// Share of all rows whose text has a name of the target.
    pub mentioned: f64,
}

/// The name under which the figures of all targets together stand.
pub const ALL_TARGETS: &str = "all targets";

impl StanceFigures {
    /// True if they are of one target.
    fn is_of_target(&self) -> bool {
        self.decided.is_some() && self.name != ALL_TARGETS
    }
}

impl Evaluation {
    /// The fields as they are named here; an interval is `[low, high]`, what is undefined is `null`.
    pub fn to_json(&self) -> Value {
        // Text, numbers and lists only: there is nothing in it that JSON could refuse.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Tables for the terminal, with notes on figures that should not be trusted. Ends in a line feed; plain text
    /// without colours, control characters in names shown as `\u{fffd}`.
    pub fn table(&self) -> String {
        let data: Vec<String> = self.data.iter().map(|file| printable(file)).collect();
        let mut parts = vec![format!("Model: {}\nData:  {}\n", printable(&self.model), data.join(", "))];
        for group in &self.groups {
            parts.extend(group.name.as_ref().map(|name| format!("== {} ==\n", shown(name))));
            if !group.labels.is_empty() {
                parts.push(label_table(&group.labels));
            }
            let diagrams =
                group.labels.iter().filter_map(|label| Some((label_name(label), label.reliability.as_ref()?)));
            parts.extend(diagrams.map(|(name, bins)| format!("{name}: predicted and observed\n{}", diagram(bins))));
            parts.extend(group.stances.iter().filter(|stance| !stance.is_of_target()).map(stance_table));
            parts.extend(target_table(&group.stances));
            parts.extend(notes(group));
        }
        parts.join("\n")
    }
}

fn label_table(labels: &[LabelFigures]) -> String {
    let mut table =
        table(["label", "n", "positives", "ROC AUC [95 %]", "AP", "F1 (at)", "best F1 (at)", "Brier", "ECE (own)"]);
    for label in labels {
        let figures = &label.figures;
        let f1_at = |f1: f64, threshold: f64| {
            if figures.positives == 0 { UNDEFINED.to_owned() } else { format!("{f1:.3} ({threshold:.3})") }
        };
        table.add_row([
            label_name(label),
            figures.n.to_string(),
            figures.positives.to_string(),
            with_interval(figures.roc_auc, label.intervals.roc_auc),
            number(figures.average_precision),
            f1_at(figures.f1, figures.threshold),
            f1_at(figures.best_f1, figures.best_threshold),
            number(Some(figures.brier)),
            format!("{} ({})", number(Some(figures.ece)), number(label.ece_own_intercept)),
        ]);
    }
    lines(table)
}

/// A line of the figures over all classes, and a table of each class with its row of the confusion matrix.
fn stance_table(stance: &StanceFigures) -> String {
    let figures = &stance.figures;
    let mut table = Table::new();
    table.load_style(STYLE);
    let predicted = figures.classes.iter().map(|class| format!("as {}", shown(class)));
    table.set_header(["true class", "n", "precision", "recall", "F1"].map(str::to_owned).into_iter().chain(predicted));
    for (place, (class, confused)) in figures.per_class.iter().zip(&figures.confusion).enumerate() {
        let predictions: u64 = figures.confusion.iter().filter_map(|row| row.get(place)).sum();
        let row = [
            shown(&class.class),
            class.n.to_string(),
            number((predictions > 0).then_some(class.precision)),
            number((class.n > 0).then_some(class.recall)),
            number((predictions + class.n > 0).then_some(class.f1)),
        ];
        table.add_row(row.into_iter().chain(confused.iter().map(u64::to_string)));
    }
    let decided = stance.decided.map_or_else(String::new, |decided| {
        format!(", decided {:.3} and right in {} of these", decided.coverage, number(decided.accuracy))
    });
    format!(
        "Stance on {}: macro-F1 {}, accuracy {}, n {}{decided}\n{}",
        shown(&stance.name),
        with_interval(Some(figures.macro_f1), stance.intervals.macro_f1),
        with_interval(Some(figures.accuracy), stance.intervals.accuracy),
        figures.n,
        lines(table),
    )
}

/// A line a target; `None` without targets.
fn target_table(stances: &[StanceFigures]) -> Option<String> {
    let mut table = table(["target", "n", "macro-F1 [95 %]", "accuracy", "mentioned", "decided", "right of these"]);
    let of_targets = stances.iter().filter(|stance| stance.is_of_target());
    for (stance, decided) in of_targets.filter_map(|stance| Some((stance, stance.decided?))) {
        table.add_row([
            shown(&stance.name),
            stance.figures.n.to_string(),
            with_interval(Some(stance.figures.macro_f1), stance.intervals.macro_f1),
            number(Some(stance.figures.accuracy)),
            number(Some(decided.mentioned)),
            number(Some(decided.coverage)),
            number(decided.accuracy),
        ]);
    }
    (table.row_count() > 0).then(|| lines(table))
}

/// What the reader should know before trusting the figures of a group; `None` if there is nothing.
fn notes(group: &Group) -> Option<String> {
    let labels = group.labels.iter().flat_map(|label| {
        let (name, figures) = (label_name(label), &label.figures);
        [
            left_out(&name, label.unscored),
            few(&name, figures.positives, "positives"),
            few(&name, figures.n - figures.positives.min(figures.n), "negatives"),
            label.decided.map(|decided| of_decided(&name, &decided)),
        ]
    });
    let with_classes = group.stances.iter().filter(|stance| !stance.is_of_target());
    let stances = with_classes.flat_map(|stance| {
        let name = format!("stance on {}", shown(&stance.name));
        let class = |class: &ClassFigures| few(&name, class.n, &format!("rows of {}", shown(&class.class)));
        let mut notes: Vec<_> = stance.figures.per_class.iter().map(class).collect();
        notes.insert(0, left_out(&name, stance.unscored));
        notes
    });
    let notes: String = labels.chain(stances).flatten().collect();
    (!notes.is_empty()).then_some(notes)
}

fn of_decided(name: &str, decided: &Spoken) -> String {
    let of_yes = decided.precision.map(|p| format!(", {p:.3} where it says yes")).unwrap_or_default();
    let accuracy = number(decided.accuracy);
    format!("note: {name} is experimental: decides {:.3} of the rows, right in {accuracy}{of_yes}\n", decided.coverage)
}

fn left_out(name: &str, unscored: u64) -> Option<String> {
    let rows = if unscored == 1 { "row" } else { "rows" };
    (unscored > 0).then(|| format!("note: {name}: {unscored} {rows} without a score left out\n"))
}

fn few(name: &str, n: u64, of: &str) -> Option<String> {
    (n < FIRM).then(|| format!("note: {name}: too few {of} for firm figures ({n})\n"))
}

/// The label, and what it was compared with if that is named differently.
fn label_name(label: &LabelFigures) -> String {
    match &label.against {
        Some(against) if *against != label.label => format!("{} / {}", shown(&label.label), shown(against)),
        _ => shown(&label.label),
    }
}

pub(super) fn number(figure: Option<f64>) -> String {
    figure.filter(|figure| figure.is_finite()).map_or_else(|| UNDEFINED.to_owned(), |figure| format!("{figure:.3}"))
}

pub(super) fn with_interval(figure: Option<f64>, interval: Option<Interval>) -> String {
    match interval {
        Some((low, high)) => format!("{} [{low:.3}, {high:.3}]", number(figure)),
        None => number(figure),
    }
}

/// An empty table under a header.
pub(super) fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(header);
    table
}

/// The lines of a table, names to the left and figures to the right, without spaces at the ends.
pub(super) fn lines(mut table: Table) -> String {
    // Nine columns fit about a hundred characters only if packed.
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 1));
    });
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt() + "\n"
}

/// A name as it may stand in a table: printable and not too long.
pub(super) fn shown(name: &str) -> String {
    let name = printable(name);
    if name.chars().count() <= LONGEST_NAME {
        return name;
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}
