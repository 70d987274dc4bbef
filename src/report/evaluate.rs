//! Measuring a model on labelled rows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::evaluation::{ALL_TARGETS, Decided, Evaluation, Group, LabelFigures, Spoken, StanceFigures};
use super::reliability::reliability;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::calibrate::logit;
use crate::model::doubt::Doubt;
use crate::model::multinomial::likeliest;
use crate::model::scoring::Scores;
use crate::model::target::TargetScore;
use crate::read::rows::{BadRow, Options};
use crate::text::targets::named;
use crate::train::bootstrap::{binary_intervals, multiclass_intervals};
use crate::train::data::Labelled;
use crate::train::metrics::{binary, multiclass};
use crate::train::scored;
use crate::train::site::Evidence;

/// Decides the bootstrap's draws.
const SEED: u64 = 1;
/// Rows of a target below which it is not listed on its own.
const FEWEST: usize = 20;

/// What to measure.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Files of labelled rows.
    pub data: Vec<PathBuf>,
    /// Label of the model → label of the rows.
    pub map: Vec<(String, String)>,
    /// Split the figures by this field (`meta.corpus`).
    pub by: Option<String>,
    /// Draws of the bootstrap.
    pub resamples: usize,
    /// Longest text scored, in bytes.
    pub max_text: usize,
    /// Also give the bins of a reliability diagram.
    pub reliability: bool,
}

/// A row with its truth and its scores.
struct Measured {
    group: Option<String>,
    truth: Labelled,
    fold: usize,
    scores: Option<Scores>,
}

/// Scores all rows and compares.
///
/// # Errors
/// Data that cannot be used, or a mapping to labels that are not there.
pub fn evaluate(
    model: &Model,
    question: &Question,
    options: &Options,
    bad: &mut dyn FnMut(&std::path::Path, BadRow),
) -> Result<Evaluation> {
    let mut groups: Vec<Option<String>> = Vec::new();
    let rows = scored::read(&question.data, options, bad, |row| {
        groups.push(question.by.as_ref().map(|by| field(&row.fields, by)));
    })?;
    if rows.is_empty() {
        return Err(Error::settings("no labelled rows to measure on"));
    }
    check(model, question, &rows)?;
    let scores = scored::score(model, &rows, question.max_text);
    let rows: Vec<Measured> = rows
        .into_iter()
        .zip(scores)
        .zip(groups)
        .enumerate()
        .map(|(place, ((truth, scores), group))| Measured {
            group,
            fold: scored::fold_of(&truth, place),
            truth,
            scores,
        })
        .collect();

    let mut groups: BTreeMap<Option<String>, Vec<&Measured>> = BTreeMap::new();
    for row in &rows {
        groups.entry(row.group.clone()).or_default().push(row);
    }
    let groups = groups.into_iter().map(|(name, rows)| figures(model, question, name, &rows)).collect();
    let groups: Vec<Group> = groups;
    if groups.iter().all(|g| g.labels.is_empty() && g.stances.is_empty()) {
        let ours: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
        let what = format!(
            "no row has a label or stance of the model, which has {}: compare others with --map",
            ours.join(", ")
        );
        return Err(Error::settings(what));
    }
    let data = question.data.iter().map(|p| p.display().to_string()).collect();
    Ok(Evaluation { model: model.id(), data, groups })
}

fn check(model: &Model, question: &Question, rows: &[Labelled]) -> Result<()> {
    for (ours, theirs) in &question.map {
        if model.label(ours).is_none() {
            let there: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
            return Err(Error::settings(format!(
                "--map {ours}={theirs}: the model has no label `{ours}`; it has {}",
                there.join(", ")
            )));
        }
        if !rows.iter().any(|r| r.labels.iter().any(|(name, _)| name == theirs)) {
            return Err(Error::settings(format!("--map {ours}={theirs}: no row has the label `{theirs}`")));
        }
    }
    Ok(())
}

/// A field's value by its path; "(none)" where the row lacks it.
fn field(fields: &serde_json::Map<String, Value>, path: &str) -> String {
    let mut parts = path.split('.');
    let first = parts.next().and_then(|p| fields.get(p));
    match parts.fold(first, |value, part| value?.get(part)) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Null) | None => "(none)".into(),
        Some(other) => other.to_string(),
    }
}

fn figures(model: &Model, question: &Question, name: Option<String>, rows: &[&Measured]) -> Group {
    let labels = model.manifest.labels.iter().enumerate();
    let labels = labels.map(|(k, head)| {
        let mapped: Vec<&str> =
            question.map.iter().filter(|(ours, _)| *ours == head.name).map(|(_, theirs)| theirs.as_str()).collect();
        let names = if mapped.is_empty() { vec![head.name.as_str()] } else { mapped };
        names.into_iter().filter_map(|theirs| label_figures(question, head, k, theirs, rows)).collect::<Vec<_>>()
    });
    Group { name, labels: labels.flatten().collect(), stances: stances(model, question, rows) }
}

fn label_figures(
    question: &Question,
    head: &crate::model::LabelHead,
    k: usize,
    theirs: &str,
    rows: &[&Measured],
) -> Option<LabelFigures> {
    let (mut scores, mut folds, mut truth, mut unscored) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for row in rows {
        let Some(value) = scored::truth(&row.truth, theirs) else { continue };
        match &row.scores {
            Some(found) => {
                scores.push(f64::from(found.labels[k]));
                folds.push(row.fold);
                truth.push(value);
            }
            None => unscored += 1,
        }
    }
    let logits = scores.iter().map(|&p| logit(p)).collect();
    let site = Evidence { logits, truth: truth.clone(), folds };
    let threshold = f64::from(head.threshold);
    (!scores.is_empty()).then(|| LabelFigures {
        label: head.name.clone(),
        against: (theirs != head.name).then(|| theirs.to_owned()),
        scored: scores.len() as u64,
        unscored,
        figures: binary(&scores, &truth, threshold),
        intervals: binary_intervals(&scores, &truth, threshold, question.resamples, SEED),
        decided: head.doubt.map(|doubt| spoken(&doubt, &scores, &truth)),
        ece_own_intercept: site.ece_with_own_offset(),
        reliability: question.reliability.then(|| reliability(&scores, &truth)),
    })
}

fn spoken(doubt: &Doubt, scores: &[f64], truth: &[bool]) -> Spoken {
    let rows = scores.iter().map(|&p| p as f32).zip(truth).filter(|(p, _)| !doubt.leaves_open(*p));
    let (mut all, mut right, mut yes, mut right_yes) = (0u32, 0u32, 0u32, 0u32);
    for (p, &truth) in rows {
        let says = p >= doubt.above;
        all += 1;
        right += u32::from(says == truth);
        yes += u32::from(says);
        right_yes += u32::from(says && truth);
    }
    let share = |part: u32, whole: u32| (whole > 0).then(|| f64::from(part) / f64::from(whole));
    Spoken {
        coverage: f64::from(all) / scores.len().max(1) as f64,
        accuracy: share(right, all),
        precision: share(right_yes, yes),
    }
}

fn stances(model: &Model, question: &Question, rows: &[&Measured]) -> Vec<StanceFigures> {
    let mut out = Vec::new();
    if let Some(head) = &model.manifest.parent {
        let pairs = rows.iter().filter_map(|row| {
            Some((row.truth.reply_stance.as_ref()?, row.scores.as_ref().and_then(|s| s.parent.as_ref())))
        });
        out.extend(stance_figures("parent", &head.step.classes, pairs, question));
    }
    if let Some(head) = &model.manifest.targets {
        let known = &model.manifest.known_targets;
        let all = rows.iter().flat_map(|row| {
            row.truth.stances.iter().map(move |(target, class)| {
                let found = row.scores.as_ref().and_then(|s| s.targets.iter().find(|t| t.target == *target));
                (named(known, target).map_or(target, |known| &known.name), class, found)
            })
        });
        let all: Vec<(&String, &String, Option<&TargetScore>)> = all.collect();
        let mut figures = |name: &str, answers: &[(&String, Option<&TargetScore>)]| {
            let pairs =
                answers.iter().map(|(class, t)| (*class, t.map(|t| &t.probabilities).filter(|p| !p.is_empty())));
            let found = stance_figures(name, &head.classes, pairs, question);
            out.extend(found.map(|found| StanceFigures { decided: Some(decided(&head.classes, answers)), ..found }));
        };
        figures(ALL_TARGETS, &all.iter().map(|(_, class, found)| (*class, *found)).collect::<Vec<_>>());
        let mut by_target: BTreeMap<&String, Vec<(&String, Option<&TargetScore>)>> = BTreeMap::new();
        for (target, class, found) in &all {
            by_target.entry(target).or_default().push((class, *found));
        }
        if by_target.len() > 1 {
            for (target, answers) in by_target.into_iter().filter(|(_, answers)| answers.len() >= FEWEST) {
                figures(target, &answers);
            }
        }
    }
    out
}

/// What is decided of rows, and how often that is right.
fn decided(classes: &[String], answers: &[(&String, Option<&TargetScore>)]) -> Decided {
    let decisions: Vec<bool> = answers
        .iter()
        .filter_map(|(truth, found)| {
            let found = found.filter(|found| found.undecided.is_none())?;
            Some(classes.get(likeliest(&found.probabilities))? == *truth)
        })
        .collect();
    let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
    let right = decisions.iter().filter(|right| **right).count();
    let mentioned = answers.iter().filter(|(_, found)| found.is_some_and(|found| !found.mentions.is_empty())).count();
    Decided {
        n: decisions.len() as u64,
        coverage: share(decisions.len(), answers.len()),
        accuracy: (!decisions.is_empty()).then(|| share(right, decisions.len())),
        mentioned: share(mentioned, answers.len()),
    }
}

/// The class of a row and the probabilities it got.
type Answer<'a> = (&'a String, Option<&'a Vec<f32>>);

fn stance_figures<'a>(
    name: &str,
    classes: &[String],
    pairs: impl Iterator<Item = Answer<'a>>,
    question: &Question,
) -> Option<StanceFigures> {
    let (mut truth, mut predicted, mut unscored) = (Vec::new(), Vec::new(), 0);
    for (class, p) in pairs {
        let place = classes.iter().position(|c| c == class);
        let best = p.and_then(|p| (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b]).then(b.cmp(&a))));
        match (place, best) {
            (Some(place), Some(best)) => {
                truth.push(place);
                predicted.push(best);
            }
            _ => unscored += 1,
        }
    }
    (!truth.is_empty()).then(|| StanceFigures {
        name: name.to_owned(),
        unscored,
        figures: multiclass(classes, &truth, &predicted),
        intervals: multiclass_intervals(classes.len(), &truth, &predicted, question.resamples, SEED),
        decided: None,
    })
}
