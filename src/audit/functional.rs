//! Running functional tests: pass rates by class, and what fails.

use serde::Serialize;

use super::draft::{Draft, of_label, score};
use super::rate::Rate;
use super::suite::{Bound, Case, Expectation, Suite, Test};
use super::{Question, label_name, threshold};
use crate::model::Model;

/// What a model makes of a suite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Functional {
    /// The suite.
    pub suite: String,
    /// Its classes, in the order of the suite.
    pub classes: Vec<Class>,
    /// Labels of the suite that the model lacks: their cases were left out.
    pub left_out: Vec<String>,
}

/// What a model makes of one class of cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// The class.
    pub class: String,
    /// What it tests.
    pub about: String,
    /// Cases that were passed, of all its labels.
    pub passed: Rate,
    /// The same by label.
    pub labels: Vec<ClassLabel>,
}

/// What a model makes of one class of cases for one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassLabel {
    /// The label.
    pub label: String,
    /// Cases that were passed.
    pub passed: Rate,
    /// Cases that the model did not score. They pass where nothing should be found.
    pub unscored: u64,
    /// Some of the cases that failed, from the first to the last at even steps.
    pub failures: Vec<Failure>,
}

/// A case that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    /// The text.
    pub text: String,
    /// The second text of a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// The probability of the label; `None` if it was not scored.
    pub p: Option<f64>,
    /// That of the second text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_p: Option<f64>,
    /// What was expected, in words.
    pub expected: String,
}

/// Runs a suite.
pub(super) fn run(model: &Model, question: &Question, suite: &Suite) -> Functional {
    let mut out = Functional { suite: suite.name.clone(), classes: Vec::new(), left_out: Vec::new() };
    for test in &suite.tests {
        let scored = Scored::new(model, test);
        for label in &test.labels {
            match model.label(label) {
                Some(k) => out.class(test).add(label_name(model, k), scored.results(model, k)),
                None if out.left_out.contains(label) => {}
                None => out.left_out.push(label.clone()),
            }
        }
    }
    for class in &mut out.classes {
        let sum = |count: fn(&Rate) -> u64| class.labels.iter().map(|label| count(&label.passed)).sum();
        class.passed = Rate::of(sum(|rate| rate.hits), sum(|rate| rate.n));
        for label in &mut class.labels {
            label.failures = evenly(std::mem::take(&mut label.failures), question.failures);
        }
    }
    out
}

impl Functional {
    fn class(&mut self, test: &Test) -> &mut Class {
        let place = self.classes.iter().position(|class| class.class == test.class).unwrap_or_else(|| {
            let (class, about) = (test.class.clone(), test.about.clone());
            self.classes.push(Class { class, about, passed: Rate::of(0, 0), labels: Vec::new() });
            self.classes.len() - 1
        });
        &mut self.classes[place]
    }
}

impl Class {
    fn add(&mut self, label: &str, results: Vec<Outcome>) {
        let place = self.labels.iter().position(|known| known.label == label).unwrap_or_else(|| {
            let label = label.to_owned();
            self.labels.push(ClassLabel { label, passed: Rate::of(0, 0), unscored: 0, failures: Vec::new() });
            self.labels.len() - 1
        });
        let entry = &mut self.labels[place];
        let failed = results.iter().filter(|result| result.failure.is_some()).count() as u64;
        let n = results.len() as u64;
        entry.passed = Rate::of(entry.passed.hits + n - failed, entry.passed.n + n);
        entry.unscored += results.iter().filter(|result| result.is_unscored).count() as u64;
        entry.failures.extend(results.into_iter().filter_map(|result| result.failure));
    }
}

/// What became of a case.
struct Outcome {
    is_unscored: bool,
    failure: Option<Failure>,
}

/// The cases of a test with their probabilities.
struct Scored<'a> {
    test: &'a Test,
    first: Vec<Option<Vec<f32>>>,
    second: Vec<Option<Vec<f32>>>,
}

impl<'a> Scored<'a> {
    fn new(model: &Model, test: &'a Test) -> Self {
        let draft =
            |text: &str, case: &Case| Draft { text: text.to_owned(), quotes: Vec::new(), parent: case.parent.clone() };
        let first: Vec<Draft> = test.cases.iter().map(|case| draft(&case.text, case)).collect();
        let second = test.cases.iter().filter_map(|case| case.other.as_ref().map(|other| draft(other, case)));
        Self { test, first: score(model, &first), second: score(model, &second.collect::<Vec<_>>()) }
    }

    fn results(&self, model: &Model, k: usize) -> Vec<Outcome> {
        let second = self.second.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        let cases = self.test.cases.iter().zip(&self.first).zip(second);
        let outcomes = cases.map(|((case, first), second)| {
            let (p, other_p) = (of_label(first.as_ref(), k), of_label(second, k));
            let is_unscored = p.is_none() || (case.other.is_some() && other_p.is_none());
            let failure = (!holds(self.test.expectation, p, other_p, threshold(model, k))).then(|| Failure {
                text: case.text.clone(),
                other: case.other.clone(),
                p,
                other_p,
                expected: in_words(self.test.expectation, threshold(model, k)),
            });
            Outcome { is_unscored, failure }
        });
        outcomes.collect()
    }
}

/// Whether a model says what it should. A text without scores has no label.
fn holds(expectation: Expectation, p: Option<f64>, other_p: Option<f64>, threshold: f64) -> bool {
    match expectation {
        Expectation::Below(bound) => p.is_none_or(|p| p < bound.value(threshold)),
        Expectation::Above(bound) => p.is_some_and(|p| p >= bound.value(threshold)),
        Expectation::DiffersAtMost(by) => p.zip(other_p).is_some_and(|(p, other)| (p - other).abs() <= by),
        Expectation::RisesAtLeast(by) => p.zip(other_p).is_some_and(|(p, other)| other - p >= by),
    }
}

impl Bound {
    fn value(self, threshold: f64) -> f64 {
        match self {
            Self::Threshold => threshold,
            Self::Number(p) => p,
        }
    }
}

fn in_words(expectation: Expectation, threshold: f64) -> String {
    match expectation {
        Expectation::Below(bound) => format!("below {:.3}", bound.value(threshold)),
        Expectation::Above(bound) => format!("{:.3} or more", bound.value(threshold)),
        Expectation::DiffersAtMost(by) => format!("a difference of at most {by:.3}"),
        Expectation::RisesAtLeast(by) => format!("the second higher by at least {by:.3}"),
    }
}

/// At most `most` of `all`, from the first on at even steps.
fn evenly<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let n = all.len();
    if n <= most {
        return all;
    }
    let mut wanted = (0..most).map(|i| i * n / most).peekable();
    all.into_iter().enumerate().filter_map(|(i, item)| wanted.next_if_eq(&i).map(|_| item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_scored_has_no_label() {
        assert!(holds(Expectation::Below(Bound::Threshold), None, None, 0.5));
        assert!(!holds(Expectation::Above(Bound::Threshold), None, None, 0.5));
        assert!(!holds(Expectation::DiffersAtMost(1.0), Some(0.5), None, 0.5));
    }

    #[test]
    fn a_threshold_belongs_to_the_flagged() {
        assert!(!holds(Expectation::Below(Bound::Threshold), Some(0.5), None, 0.5));
        assert!(holds(Expectation::Above(Bound::Threshold), Some(0.5), None, 0.5));
        assert!(holds(Expectation::Above(Bound::Number(0.2)), Some(0.3), None, 0.5));
        assert!(holds(Expectation::RisesAtLeast(0.2), Some(0.1), Some(0.4), 0.5));
        assert!(!holds(Expectation::RisesAtLeast(0.2), Some(0.4), Some(0.1), 0.5));
    }

    #[test]
    fn examples_are_taken_from_first_to_last() {
        assert_eq!(evenly((0..10).collect(), 3), [0, 3, 6]);
        assert_eq!(evenly((0..2).collect(), 3), [0, 1]);
        assert!(evenly(vec![1], 0).is_empty());
    }
}
