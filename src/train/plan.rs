//! What a training set suffices for: the labels, stances and targets with enough rows.

use std::collections::BTreeMap;

use super::fit::Watch;
use super::gather::{ClassRows, Gathered, LabelRows};
use super::recipe::{Recipe, Settings};
use crate::error::{Error, Result};
use crate::label;

/// The heads that the data suffice for.
pub struct Plan<'a> {
    /// Labels and their rows, in the product's order.
    pub labels: Vec<(&'a str, &'a LabelRows)>,
    /// Stance toward the parent.
    pub reply: bool,
    /// Stance toward targets.
    pub stance: bool,
    /// Targets with heads of their own.
    pub own_targets: Vec<&'a str>,
    /// Source and label of every first-stage head.
    pub first_stage: Vec<&'a (usize, String)>,
}

impl<'a> Plan<'a> {
    /// Looks at what there is; `watch` is told what does not suffice.
    ///
    /// # Errors
    /// Settings for a label that no row has, or nothing to train.
    pub fn of(data: &'a Gathered, recipe: &Recipe, watch: &dyn Watch) -> Result<Self> {
        if let Some(unknown) = recipe.labels.keys().find(|name| !data.labels.contains_key(*name)) {
            let there = data.labels.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(Error::settings(format!("[label.{unknown}]: no row has this label; the labels are: {there}")));
        }
        let mut labels = Vec::new();
        for (name, rows) in &data.labels {
            let positives = rows.targets.iter().filter(|t| **t >= 0.5).count();
            let negatives = rows.targets.len() - positives;
            let fewest = recipe.labels.get(name).and_then(|l| l.min_rows).unwrap_or(recipe.settings.min_rows);
            if positives.min(negatives) < fewest {
                watch.note(&format!(
                    "no head for `{name}`: {positives} rows have it and {negatives} do not, {fewest} of each are needed (--min-rows)"
                ));
            } else {
                labels.push((name.as_str(), rows));
            }
        }
        labels.sort_by_key(|(name, _)| label::LABELS.iter().position(|l| l.key == *name).unwrap_or(usize::MAX));
        let fewest = recipe.settings.min_rows;
        let own_targets = own_targets(data, recipe.settings.min_examples);
        let enough = |rows: &ClassRows, what: &str, others: bool| {
            let classes = class_counts(rows);
            let fit = classes.iter().filter(|n| **n >= fewest).count() >= 2;
            if !fit && !others && !rows.rows.is_empty() {
                watch.note(&format!(
                    "no head for {what}: two classes need {fewest} rows each, there are {} (--min-rows)",
                    rows.classes.iter().zip(&classes).map(|(c, n)| format!("{c} {n}")).collect::<Vec<_>>().join(", ")
                ));
            }
            fit || others
        };
        let mut plan = Self {
            labels,
            reply: enough(&data.reply, "stance toward the parent", false),
            stance: enough(&data.stance, "stance toward targets", !own_targets.is_empty()),
            own_targets,
            first_stage: Vec::new(),
        };
        plan.first_stage = first_stage(data, fewest, &plan.labels, &recipe.settings);
        if plan.labels.is_empty() && !plan.reply && !plan.stance {
            return Err(Error::settings(
                "nothing to train: no label, stance or reply_stance has enough rows (see the notes above)",
            ));
        }
        Ok(plan)
    }

    /// How many fits the plan has.
    pub fn steps(&self) -> usize {
        self.first_stage.len()
            + self.labels.len()
            + usize::from(self.reply)
            + usize::from(self.stance) * (1 + self.own_targets.len())
    }
}

fn class_counts(rows: &ClassRows) -> Vec<usize> {
    let mut counts = vec![0; rows.classes.len()];
    rows.truth.iter().for_each(|&c| counts[c] += 1);
    counts
}

/// Fewest examples in each of two classes of a target that somebody took the trouble to list.
const FEWEST_LISTED: usize = 5;

/// Targets of which two classes have enough rows.
fn own_targets(data: &Gathered, fewest: usize) -> Vec<&str> {
    let mut counts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let may = |row: u32| data.own_targets[data.sources[row as usize]];
    let rows = data.targets.iter().zip(&data.stance.truth).zip(&data.stance.rows);
    for ((target, &class), _) in rows.filter(|(_, row)| may(**row)) {
        counts.entry(target).or_insert_with(|| vec![0; data.stance.classes.len()])[class] += 1;
    }
    counts
        .into_iter()
        .filter(|(target, n)| {
            let is_listed = data.known_targets.iter().any(|known| known.name == **target);
            let fewest = if is_listed { fewest.min(FEWEST_LISTED) } else { fewest };
            n.iter().filter(|n| **n >= fewest).count() >= 2
        })
        .map(|(target, _)| target)
        .collect()
}

/// Sources' labels with enough rows of either class.
/// With stacking a head for every source and label; without, for those that teach a label, to look at their local maxima.
fn first_stage<'a>(
    data: &'a Gathered,
    fewest: usize,
    labels: &[(&str, &LabelRows)],
    settings: &Settings,
) -> Vec<&'a (usize, String)> {
    let enough = data.by_source.iter().filter(|(_, rows)| rows.rarer() >= fewest).map(|(key, _)| key);
    if settings.stack {
        return enough.collect();
    }
    let mut teachers: Vec<&(usize, String)> = enough.filter(|key| data.teaches(key, labels)).collect();
    teachers.sort_by_key(|key| std::cmp::Reverse(data.by_source[*key].rarer()));
    teachers.truncate(settings.pools);
    teachers
}
