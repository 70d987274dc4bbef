//! Limits of an audit, so that it can sit among the checks of every change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Audit;
use super::attacks::ATTACKS;
use super::names::NameSwaps;
use super::robustness::Robustness;
use super::subgroups::{Subgroup, Subgroups};
use super::suite::Suite;
use crate::error::{Error, Result};

/// The limits of a file; those that are absent are not checked.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Lowest area among the rows of an identity.
    pub subgroup_auc_min: Option<f64>,
    /// Lowest area of background positives against subgroup negatives.
    pub bpsn_auc_min: Option<f64>,
    /// Lowest area of background negatives against subgroup positives.
    pub bnsp_auc_min: Option<f64>,
    /// Largest distance of a term's false-positive rate from the mean of the terms.
    pub fpr_gap_max: Option<f64>,
    /// Largest distance of the mean probabilities of two origins of names.
    pub name_gap_max: Option<f64>,
    /// Lowest share of catches that padding leaves.
    pub padding_kept_min: Option<f64>,
    /// Lowest pass rate of every class of functional tests that has no limit of its own.
    pub functional_min: Option<f64>,
    /// Lowest pass rate by class, or by `class/label`.
    pub functional: BTreeMap<String, f64>,
    /// Largest drop of the area by attack: `leet_drop_max`.
    pub attacks: BTreeMap<String, f64>,
}

/// A file of limits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    limits: Limits,
}

/// What became of a limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// The limit as the file names it.
    pub limit: String,
    /// Where it stands.
    pub bound: f64,
    /// The figure of these: a label and what of it was measured. `None` where nothing was.
    pub of: Option<String>,
    /// The figure.
    pub figure: Option<f64>,
    /// Whether it keeps the limit.
    pub verdict: Verdict,
}

/// Whether a figure keeps its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It does; of several figures the one nearest to the limit is told.
    Held,
    /// It does not; all that do not are told.
    Passed,
    /// There is no figure: no data, or too few rows.
    Unmeasured,
}

/// Which side of a bound is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    AtLeast,
    AtMost,
}

/// A figure and what it is of.
type Figure = (String, f64);

/// A limit by its name, side and bound, and where its figures are.
type Simple = (&'static str, Side, Option<f64>, fn(&Audit) -> Vec<Figure>);

impl Limits {
    /// Reads a file of limits.
    ///
    /// # Errors
    /// A file that is none, or one with a limit that is not known or not a number from 0 to 1.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::parse(&text).map_err(|what| Error::input(path.display(), format!("not a file of limits: {what}")))
    }

    /// Reads limits.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let limits = toml::from_str::<File>(text).map_err(|e| e.to_string())?.limits;
        if let Some(name) = limits.attacks.keys().find(|name| attack_of(name).is_none()) {
            let known: Vec<String> = ATTACKS.iter().map(|attack| attack.name.to_owned() + DROP).collect();
            return Err(format!("limits.attacks.{name}: expected one of {}", known.join(", ")));
        }
        let named = limits.simple().into_iter().filter_map(|(name, _, bound, _)| Some((name.to_owned(), bound?)));
        let tables = limits.functional.iter().chain(&limits.attacks).map(|(name, bound)| (name.clone(), *bound));
        match named.chain(tables).find(|(_, bound)| !(0.0..=1.0).contains(bound)) {
            Some((name, bound)) => Err(format!("{name} = {bound}: expected a number from 0 to 1")),
            None => Ok(limits),
        }
    }

    /// Holds an audit against the limits.
    ///
    /// # Errors
    /// A class of functional tests that no suite has.
    pub(super) fn check(&self, audit: &Audit, suites: &[Suite]) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        for (name, side, bound, figures) in self.simple() {
            checks.extend(bound.map(|bound| verdicts(name, side, bound, figures(audit))).into_iter().flatten());
        }
        let classes = by_class(audit);
        if let Some(bound) = self.functional_min {
            let others = classes.iter().filter(|(name, _)| !self.functional.contains_key(name) && !name.contains('/'));
            checks.extend(verdicts("functional_min", Side::AtLeast, bound, others.cloned().collect()));
        }
        let tests = suites.iter().flat_map(|suite| &suite.tests);
        let known: BTreeSet<&str> = tests.map(|test| test.class.as_str()).collect();
        for (name, &bound) in &self.functional {
            let stem = name.split('/').next().unwrap_or_default();
            if !known.contains(stem) {
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                let what = format!("limits.functional: there is no class `{stem}`; there are {known}");
                return Err(Error::settings(what));
            }
            let class = classes.iter().filter(|(class, _)| class == name).cloned().collect();
            checks.extend(verdicts(&format!("functional.{name}"), Side::AtLeast, bound, class));
        }
        for (name, &bound) in &self.attacks {
            let drops = attack_of(name).map(|attack| drops(audit, attack)).unwrap_or_default();
            checks.extend(verdicts(&format!("attacks.{name}"), Side::AtMost, bound, drops));
        }
        Ok(checks)
    }

    /// The limits with a name of their own.
    fn simple(&self) -> [Simple; 6] {
        [
            ("subgroup_auc_min", Side::AtLeast, self.subgroup_auc_min, |audit| areas(audit, |s| s.subgroup_auc.auc)),
            ("bpsn_auc_min", Side::AtLeast, self.bpsn_auc_min, |audit| areas(audit, |s| s.bpsn_auc.auc)),
            ("bnsp_auc_min", Side::AtLeast, self.bnsp_auc_min, |audit| areas(audit, |s| s.bnsp_auc.auc)),
            ("fpr_gap_max", Side::AtMost, self.fpr_gap_max, term_gaps),
            ("name_gap_max", Side::AtMost, self.name_gap_max, name_gaps),
            ("padding_kept_min", Side::AtLeast, self.padding_kept_min, kept),
        ]
    }
}

/// What the name of an attack's limit ends in.
const DROP: &str = "_drop_max";

fn attack_of(limit: &str) -> Option<&str> {
    let name = limit.strip_suffix(DROP)?;
    ATTACKS.iter().any(|attack| attack.name == name).then_some(name)
}

fn areas(audit: &Audit, area: fn(&Subgroup) -> Option<f64>) -> Vec<Figure> {
    let of_label = |label: &Subgroups| -> Vec<Figure> {
        let each = label.identities.iter();
        each.filter_map(|s| Some((format!("{}: {}", label.label, s.identity), area(s)?))).collect()
    };
    audit.subgroups.iter().flat_map(of_label).collect()
}

fn term_gaps(audit: &Audit) -> Vec<Figure> {
    let of_label = |label: &Subgroups| -> Vec<Figure> {
        label.terms.iter().map(|term| (format!("{}: {}", label.label, term.term), term.gap.abs())).collect()
    };
    audit.subgroups.iter().flat_map(of_label).collect()
}

fn name_gaps(audit: &Audit) -> Vec<Figure> {
    let of_label = |label: &NameSwaps| -> Vec<Figure> {
        let frames = (format!("{}: sentences", label.label), label.frames.gap);
        let comments = label.comments.iter().map(|c| (format!("{}: comments", label.label), c.gap));
        std::iter::once(frames).chain(comments).collect()
    };
    audit.names.iter().flat_map(of_label).collect()
}

fn kept(audit: &Audit) -> Vec<Figure> {
    let of_label = |label: &Robustness| -> Vec<Figure> {
        let each = label.padding.padded.iter();
        each.filter_map(|p| Some((format!("{}: {} comments", label.label, p.comments), p.kept?))).collect()
    };
    audit.robustness.iter().flat_map(of_label).collect()
}

fn drops(audit: &Audit, attack: &str) -> Vec<Figure> {
    let each = audit.robustness.iter().flat_map(|label| label.attacks.iter().map(move |attacked| (label, attacked)));
    let of = each.filter(|(_, attacked)| attacked.attack == attack);
    of.filter_map(|(label, attacked)| Some((label.label.clone(), attacked.drop?))).collect()
}

/// The pass rate of every class, and of every `class/label`.
fn by_class(audit: &Audit) -> Vec<Figure> {
    let mut rates = Vec::new();
    for class in audit.functional.iter().flat_map(|suite| &suite.classes) {
        rates.extend(class.passed.rate.map(|rate| (class.class.clone(), rate)));
        for label in &class.labels {
            rates.extend(label.passed.rate.map(|rate| (format!("{}/{}", class.class, label.label), rate)));
        }
    }
    rates
}

/// The figures that pass a limit; if none does, the one nearest to it.
fn verdicts(limit: &str, side: Side, bound: f64, mut figures: Vec<Figure>) -> Vec<Check> {
    let check = |figure: Option<Figure>, verdict| {
        let (of, figure) = figure.unzip();
        Check { limit: limit.to_owned(), bound, of, figure, verdict }
    };
    figures.sort_by(|(_, a), (_, b)| if side == Side::AtLeast { a.total_cmp(b) } else { b.total_cmp(a) });
    let is_beyond = |figure: f64| if side == Side::AtLeast { figure < bound } else { figure > bound };
    let passed: Vec<Check> =
        figures.iter().filter(|(_, f)| is_beyond(*f)).map(|f| check(Some(f.clone()), Verdict::Passed)).collect();
    if !passed.is_empty() {
        return passed;
    }
    match figures.into_iter().next() {
        Some(nearest) => vec![check(Some(nearest), Verdict::Held)],
        None => vec![check(None, Verdict::Unmeasured)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_that_passes_a_limit_is_named_and_a_figure_at_the_limit_holds() {
        let figures = || vec![("a".to_owned(), 0.9), ("b".to_owned(), 0.5), ("c".to_owned(), 0.6)];
        let of = |checks: Vec<Check>| checks.into_iter().map(|c| (c.of.unwrap(), c.verdict)).collect::<Vec<_>>();
        let passed = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), Verdict::Passed)).collect::<Vec<_>>();
        assert_eq!(of(verdicts("x", Side::AtLeast, 0.7, figures())), passed(&["b", "c"]));
        assert_eq!(of(verdicts("x", Side::AtMost, 0.55, figures())), passed(&["a", "c"]));
        assert_eq!(of(verdicts("x", Side::AtLeast, 0.5, figures())), [("b".to_owned(), Verdict::Held)]);
        assert_eq!(verdicts("x", Side::AtLeast, 0.5, Vec::new())[0].verdict, Verdict::Unmeasured);
    }

    #[test]
    fn limits_that_mean_nothing_are_refused() {
        for (text, said) in [
            ("[limits]\nbpsn_min = 0.8", "unknown field `bpsn_min`"),
            ("[limits]\nbpsn_auc_min = 80", "from 0 to 1"),
            ("[limits.attacks]\nleet = 0.03", "expected one of leet_drop_max"),
            ("[limits.functional]\nx = 1.5", "from 0 to 1"),
            ("bpsn_auc_min = 0.8", "unknown field"),
        ] {
            let error = Limits::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert!(Limits::parse(include_str!("../../training-data/limits.toml")).is_ok());
    }
}
