//! Figures by identity: who is ranked worse, and who is flagged without cause.
//!
//! The three areas under the ROC curve are those of Borkan, Dixon, Sorensen, Thain & Vasserman (2019), "Nuanced Metrics for Measuring
//! Unintended Bias with Real Data for Text Classification"; the false-positive rates by term those of Dixon et al. (2018).

use serde::Serialize;

use super::data::{Judged, Mentioned};
use super::rate::{Rate, threshold_at};
use super::{Question, label_name, threshold};
use crate::model::Model;
use crate::train::bootstrap::{Interval, binary_intervals};
use crate::train::metrics::binary;

/// The figures of one label by identity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subgroups {
    /// The label.
    pub label: String,
    /// Rows with a truth and a score.
    pub rows: u64,
    /// Rows of them that have the label.
    pub positives: u64,
    /// Area over all rows.
    pub roc_auc: Area,
    /// The threshold at or above which a row counts as flagged.
    pub threshold: f64,
    /// Flagged rows among those without the label.
    pub false_positives: Rate,
    /// Identities with enough rows, in the order of the list.
    pub identities: Vec<Subgroup>,
    /// Their terms with enough rows without the label.
    pub terms: Vec<TermRate>,
    /// The mean of the terms' false-positive rates, each term counting once.
    pub mean_of_terms: Option<f64>,
}

/// The rows that mention an identity, among themselves and against the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subgroup {
    /// The identity.
    pub identity: String,
    /// What kind of identity it is.
    pub group: Option<String>,
    /// Rows that mention it and have the label.
    pub positives: u64,
    /// Rows that mention it and do not have the label.
    pub negatives: u64,
    /// Rows that mention it among themselves: low where the label is told badly among them.
    pub subgroup_auc: Area,
    /// Background positive, subgroup negative: low where civil rows that mention the identity score like uncivil rows that do not.
    pub bpsn_auc: Area,
    /// Background negative, subgroup positive: low where uncivil rows that mention the identity score like civil rows that do not.
    pub bnsp_auc: Area,
}

/// An area under a ROC curve with its interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Area {
    /// The area, 0 to 1; `None` where there are too few rows.
    pub auc: Option<f64>,
    /// Its 95 % bootstrap interval.
    pub interval: Option<Interval>,
}

/// How often civil rows with a term are flagged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermRate {
    /// The term.
    pub term: String,
    /// The identity that it names.
    pub identity: String,
    /// Flagged rows among those that hold it and do not have the label.
    pub false_positives: Rate,
    /// Its rate less the mean of the terms.
    pub gap: f64,
}

/// Measures one label.
pub(super) fn measure(
    model: &Model,
    question: &Question,
    k: usize,
    judged: &[Judged<'_>],
    identities: &[Mentioned],
) -> Subgroups {
    let threshold = match question.at_rate {
        Some(share) => threshold_at(share, judged.iter().filter(|row| !row.truth).map(|row| row.p)),
        None => threshold(model, k),
    };
    let flagged = |row: &Judged<'_>| row.p >= threshold;
    let mut terms: Vec<TermRate> = Vec::new();
    for mentioned in identities {
        for (term, rows) in &mentioned.terms {
            let with_term = judged.iter().filter(|row| !row.truth && rows.contains(&row.row));
            let false_positives = Rate::among(with_term.map(flagged));
            if false_positives.n >= question.min_rows {
                let identity = mentioned.identity.clone();
                terms.push(TermRate { term: term.clone(), identity, false_positives, gap: 0.0 });
            }
        }
    }
    let rates: Vec<f64> = terms.iter().filter_map(|term| term.false_positives.rate).collect();
    let mean_of_terms = (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64);
    for term in &mut terms {
        term.gap = term.false_positives.rate.zip(mean_of_terms).map_or(0.0, |(rate, mean)| rate - mean);
    }
    Subgroups {
        label: label_name(model, k).to_owned(),
        rows: judged.len() as u64,
        positives: judged.iter().filter(|row| row.truth).count() as u64,
        roc_auc: area(question, judged, |_| true),
        threshold,
        false_positives: Rate::among(judged.iter().filter(|row| !row.truth).map(flagged)),
        identities: identities.iter().filter_map(|mentioned| subgroup(question, judged, mentioned)).collect(),
        terms,
        mean_of_terms,
    }
}

/// The figures of an identity; `None` where neither class has enough rows.
fn subgroup(question: &Question, judged: &[Judged<'_>], mentioned: &Mentioned) -> Option<Subgroup> {
    let inside = |row: &Judged<'_>| mentioned.rows.contains(&row.row);
    let count = |truth: bool| judged.iter().filter(|row| row.truth == truth && inside(row)).count() as u64;
    let (positives, negatives) = (count(true), count(false));
    let (enough_positives, enough_negatives) = (positives >= question.min_rows, negatives >= question.min_rows);
    let only = |enough: bool, keep: &dyn Fn(&Judged<'_>) -> bool| {
        if enough { area(question, judged, keep) } else { Area::default() }
    };
    (enough_positives || enough_negatives).then(|| Subgroup {
        identity: mentioned.identity.clone(),
        group: mentioned.group.clone(),
        positives,
        negatives,
        subgroup_auc: only(enough_positives && enough_negatives, &inside),
        bpsn_auc: only(enough_negatives, &|row| row.truth != inside(row)),
        bnsp_auc: only(enough_positives, &|row| row.truth == inside(row)),
    })
}

/// The area under the ROC curve of some of the rows.
fn area(question: &Question, judged: &[Judged<'_>], keep: impl Fn(&Judged<'_>) -> bool) -> Area {
    let (scores, truth): (Vec<f64>, Vec<bool>) =
        judged.iter().filter(|row| keep(row)).map(|row| (row.p, row.truth)).unzip();
    area_of(&scores, &truth, question)
}

/// The area under the ROC curve with its interval.
pub(super) fn area_of(scores: &[f64], truth: &[bool], question: &Question) -> Area {
    let intervals = binary_intervals(scores, truth, 0.5, question.resamples, question.seed);
    Area { auc: binary(scores, truth, 0.5).roc_auc, interval: intervals.roc_auc }
}
