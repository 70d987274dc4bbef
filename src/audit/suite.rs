//! Suites of functional tests: templates, what is filled into them, and what a model should make of it.
//!
//! In the manner of `CheckList` (Ribeiro, Wu, Guestrin & Singh 2020) and `HateCheck` (Röttger et al. 2021). The format is described in
//! docs/audit.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The suite that `polemic audit` runs unless another is given.
const HARD_CASES: &str = include_str!("../../training-data/functional/hard-cases.toml");
/// Its name.
pub const BUILT_IN: &str = "hard-cases";

/// A suite, checked and ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// The tests, in the order of the file.
    pub tests: Vec<Test>,
}

/// Cases of one class with one expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The class it belongs to.
    pub class: String,
    /// What it tests.
    pub about: String,
    /// The labels it is about; each is counted on its own.
    pub labels: Vec<String>,
    /// What a model should say.
    pub expectation: Expectation,
    /// The cases, a template's after another's.
    pub cases: Vec<Case>,
}

/// What a model should say of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expectation {
    /// A probability below this.
    Below(Bound),
    /// A probability of this or more.
    Above(Bound),
    /// The probabilities of a pair differ by at most this.
    DiffersAtMost(f64),
    /// The second text of a pair is higher than the first by at least this.
    RisesAtLeast(f64),
}

/// A bound of a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// The model's own threshold of the label.
    Threshold,
    /// A number, 0 to 1.
    Number(f64),
}

/// A filled template.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The number of its template in the test.
    pub template: usize,
    /// The text.
    pub text: String,
    /// The second text of a pair.
    pub other: Option<String>,
    /// The text that it answers.
    pub parent: Option<String>,
}

/// A file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    fillers: BTreeMap<String, Vec<String>>,
    #[serde(rename = "test")]
    tests: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    class: String,
    about: String,
    labels: Vec<String>,
    below: Option<WrittenBound>,
    above: Option<WrittenBound>,
    differs: Option<Differs>,
    parent: Option<String>,
    #[serde(default)]
    templates: Vec<String>,
    #[serde(default)]
    pairs: Vec<(String, String)>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum WrittenBound {
    Number(f64),
    Name(String),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Differs {
    Most(f64),
    Least(f64),
}

impl Suite {
    /// The built-in suite if it is named, else that of a file.
    ///
    /// # Errors
    /// A file that is no suite.
    pub fn find(path: &Path) -> Result<Self> {
        if path == Path::new(BUILT_IN) && !path.exists() {
            return Self::built_in();
        }
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::parse(&text).map_err(|what| Error::input(path.display(), format!("not a suite of tests: {what}")))
    }

    /// The suite of hard cases that is part of the program.
    ///
    /// # Errors
    /// None: a test reads it.
    pub fn built_in() -> Result<Self> {
        Self::parse(HARD_CASES).map_err(|what| Error::input(BUILT_IN, what))
    }

    /// Reads a suite and fills its templates.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        if let Some((name, _)) = file.fillers.iter().find(|(_, list)| list.is_empty()) {
            return Err(format!("the fillers `{name}` are empty"));
        }
        let tests = file
            .tests
            .iter()
            .map(|test| read(test, &file.fillers).map_err(|what| format!("test of class `{}`: {what}", test.class)));
        Ok(Self { tests: tests.collect::<std::result::Result<_, _>>()?, name: file.name })
    }
}

fn read(test: &Written, fillers: &BTreeMap<String, Vec<String>>) -> std::result::Result<Test, String> {
    if test.labels.is_empty() {
        return Err("it names no labels".into());
    }
    let expectation = match (&test.below, &test.above, test.differs) {
        (Some(bound), None, None) => Expectation::Below(bound.read()?),
        (None, Some(bound), None) => Expectation::Above(bound.read()?),
        (None, None, Some(Differs::Most(by))) => Expectation::DiffersAtMost(by),
        (None, None, Some(Differs::Least(by))) => Expectation::RisesAtLeast(by),
        _ => return Err("it needs one of `below`, `above` and `differs`".into()),
    };
    let are_pairs = matches!(expectation, Expectation::DiffersAtMost(_) | Expectation::RisesAtLeast(_));
    if are_pairs == test.pairs.is_empty() || are_pairs != test.templates.is_empty() {
        return Err("`differs` takes `pairs`, the others take `templates`".into());
    }
    let single = test.templates.iter().map(|text| (text.as_str(), None));
    let pairs = test.pairs.iter().map(|(first, second)| (first.as_str(), Some(second.as_str())));
    let mut cases = Vec::new();
    for (template, (text, other)) in single.chain(pairs).enumerate() {
        let parent = test.parent.as_deref();
        let lists = lists([Some(text), other, parent].into_iter().flatten(), fillers)?;
        let count = lists.iter().map(|list| fillers.get(*list).map_or(0, Vec::len)).max().unwrap_or(1);
        for turn in 0..count {
            let fill = |text: &str| filled(text, fillers, turn);
            cases.push(Case { template, text: fill(text), other: other.map(fill), parent: parent.map(fill) });
        }
    }
    Ok(Test { class: test.class.clone(), about: test.about.clone(), labels: test.labels.clone(), expectation, cases })
}

impl WrittenBound {
    fn read(&self) -> std::result::Result<Bound, String> {
        match self {
            Self::Number(p) if (0.0..=1.0).contains(p) => Ok(Bound::Number(*p)),
            Self::Name(name) if name == "threshold" => Ok(Bound::Threshold),
            _ => Err("a bound is \"threshold\" or a number from 0 to 1".into()),
        }
    }
}

/// The filler lists that some texts name in braces.
fn lists<'a>(
    texts: impl Iterator<Item = &'a str>,
    fillers: &BTreeMap<String, Vec<String>>,
) -> std::result::Result<BTreeSet<&'a str>, String> {
    let mut named = BTreeSet::new();
    for text in texts {
        for part in text.split('{').skip(1) {
            let Some((name, _)) = part.split_once('}') else { return Err(format!("`{text}`: a brace stays open")) };
            let name = name.strip_prefix(ARTICLE).unwrap_or(name);
            if !fillers.contains_key(name) {
                return Err(format!("`{text}`: there are no fillers `{name}`"));
            }
            named.insert(name);
        }
    }
    Ok(named)
}

/// What asks for an indefinite article before a filler: `{a:insult}`.
const ARTICLE: &str = "a:";

/// A template with the fillers of one turn: lists that are shorter than the longest begin anew. A filler at the start of a text is
/// capitalised.
fn filled(template: &str, fillers: &BTreeMap<String, Vec<String>>, turn: usize) -> String {
    let mut out = String::new();
    let mut parts = template.split('{');
    out.extend(parts.next());
    for part in parts {
        let Some((name, rest)) = part.split_once('}') else { continue };
        let (article, name) = name.strip_prefix(ARTICLE).map_or((false, name), |name| (true, name));
        let list = fillers.get(name).map(Vec::as_slice).unwrap_or_default();
        let filler = list.get(turn % list.len().max(1)).map(String::as_str).unwrap_or_default();
        let starts = out.is_empty();
        if article {
            out.push_str(if filler.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) {
                "an "
            } else {
                "a "
            });
        }
        out.push_str(filler);
        if starts {
            out = capitalised(&out);
        }
        out.push_str(rest);
    }
    out
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = r#"
        name = "s"
        [fillers]
        thing = ["idiot", "fool"]
        who = ["He", "she", "the mayor"]
        [[test]]
        class = "c"
        about = "what it tests"
        labels = ["insult"]
        above = "threshold"
        templates = ["{who} is {a:thing}.", "Plain."]
    "#;

    #[test]
    fn every_filler_of_the_longest_list_stands_once_in_a_template() {
        let suite = Suite::parse(SUITE).unwrap();
        let texts: Vec<&str> = suite.tests[0].cases.iter().map(|case| case.text.as_str()).collect();
        assert_eq!(texts, ["He is an idiot.", "She is a fool.", "The mayor is an idiot.", "Plain."]);
    }

    #[test]
    fn what_is_wrong_with_a_suite_is_said() {
        for (old, new, said) in [
            ("{who}", "{whom}", "no fillers `whom`"),
            ("{who}", "{who", "a brace stays open"),
            ("\"threshold\"", "1.5", "a number from 0 to 1"),
            ("above = \"threshold\"", "", "it needs one of `below`, `above` and `differs`"),
            ("above = \"threshold\"", "differs = { most = 0.1 }", "takes `pairs`"),
            ("labels = [\"insult\"]", "labels = []", "names no labels"),
            ("class =", "klass =", "unknown field `klass`"),
        ] {
            let error = Suite::parse(&SUITE.replace(old, new)).unwrap_err();
            assert!(error.contains(said), "{new}: {error}");
        }
    }
}
