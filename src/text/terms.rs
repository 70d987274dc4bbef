//! Word lists: terms of identity, names of many origins.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde::Deserialize;

use super::words::Words;
use crate::error::{Error, Result};

/// The list that is used unless another is given.
const IDENTITIES: &str = include_str!("../../training-data/identities.toml");
/// The same for names.
const NAMES: &str = include_str!("../../training-data/names.toml");

/// Identities and the words they are named with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identities {
    /// In the order of the list.
    #[serde(rename = "identity")]
    pub list: Vec<Identity>,
}

/// People who are named with the same words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What they are called here.
    pub name: String,
    /// What kind of identity it is: gender, religion.
    pub group: String,
    /// The words and phrases, in any case.
    pub terms: Vec<String>,
}

/// Names of many origins and sentences to put them into.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Sentences with `{name}`.
    pub frames: Vec<String>,
    /// Where names are common.
    #[serde(rename = "origin")]
    pub origins: Vec<Origin>,
}

/// Given names that are common in one part of the world.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What it is called.
    pub name: String,
    /// The names, one word each.
    pub given: Vec<String>,
}

impl Default for Identities {
    // The list is part of the program, and a test reads it.
    fn default() -> Self {
        toml::from_str(IDENTITIES).unwrap_or(Self { list: Vec::new() })
    }
}

impl Default for Names {
    fn default() -> Self {
        toml::from_str(NAMES).unwrap_or(Self { frames: Vec::new(), origins: Vec::new() })
    }
}

impl Identities {
    /// Reads a list.
    ///
    /// # Errors
    /// A file that is no such list, an empty one, or a term that stands under two identities.
    pub fn open(path: &Path) -> Result<Self> {
        let found: Self = open(path, "list of identities")?;
        let mut seen = BTreeSet::new();
        let mut terms = found.list.iter().flat_map(|identity| &identity.terms);
        if let Some(twice) = terms.find(|term| !seen.insert(key(term))) {
            return Err(Error::input(path.display(), format!("the term `{twice}` stands twice")));
        }
        if seen.is_empty() || seen.contains("") {
            return Err(Error::input(path.display(), "a list of identities needs terms, each with a word in it"));
        }
        Ok(found)
    }

    /// The terms that are one word, lower case.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.list.iter().flat_map(|identity| &identity.terms).map(|term| key(term)).filter(|term| !term.contains(' '))
    }

    /// The terms, ready to be found in texts.
    pub fn finder(&self) -> Finder {
        let terms = self.list.iter().enumerate().flat_map(|(identity, entry)| {
            entry.terms.iter().enumerate().map(move |(term, text)| (key(text), Term { identity, term }))
        });
        let terms: HashMap<String, Term> = terms.collect();
        let longest = terms.keys().map(|term| term.split(' ').count()).max().unwrap_or(0);
        Finder { terms, longest }
    }
}

impl Names {
    /// Reads a list.
    ///
    /// # Errors
    /// A file that is no such list, or one without two origins or without sentences that hold `{name}`.
    pub fn open(path: &Path) -> Result<Self> {
        let found: Self = open(path, "list of names")?;
        let wrong = |what: &str| Err(Error::input(path.display(), what));
        if found.origins.len() < 2 || found.origins.iter().any(|origin| origin.given.is_empty()) {
            return wrong("a list of names needs two origins or more, each with `given` names");
        }
        if found.frames.is_empty() || !found.frames.iter().all(|frame| frame.contains("{name}")) {
            return wrong("a list of names needs `frames`: sentences with {name} in them");
        }
        Ok(found)
    }
}

fn open<T: for<'de> Deserialize<'de>>(path: &Path, what: &str) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    toml::from_str(&text).map_err(|e| Error::input(path.display(), format!("not a {what}: {e}")))
}

/// The words of a text without hyphens: `African-American` is a phrase of two words.
fn words(text: &Words) -> Vec<&str> {
    text.iter().map(|word| text.lower(word)).filter(|word| *word != "-").collect()
}

/// A term as it is looked up.
fn key(term: &str) -> String {
    words(&Words::of(term)).join(" ")
}

/// A term by its identity and its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// Place in [`Identities::list`].
    pub identity: usize,
    /// Place in [`Identity::terms`].
    pub term: usize,
}

/// Finds terms in texts.
#[derive(Debug, Clone)]
pub struct Finder {
    terms: HashMap<String, Term>,
    /// Words of the longest term.
    longest: usize,
}

impl Finder {
    /// The terms of a text, each once; of those that overlap the longest.
    pub fn find(&self, text: &str) -> BTreeSet<Term> {
        let text = Words::of(text);
        let words = words(&text);
        let mut found = BTreeSet::new();
        let mut at = 0;
        while at < words.len() {
            let most = self.longest.min(words.len() - at);
            let longest = (1..=most).rev().find_map(|n| {
                let phrase = words.get(at..at + n)?.join(" ");
                Some((n, *self.terms.get(&phrase)?))
            });
            at += longest.map_or(1, |(n, _)| n);
            found.extend(longest.map(|(_, term)| term));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_term_counts_and_words_are_whole() {
        let identity = |name: &str, terms: &[&str]| Identity {
            name: name.into(),
            group: "g".into(),
            terms: terms.iter().map(|t| (*t).to_owned()).collect(),
        };
        let list = Identities {
            list: vec![
                identity("american", &["American"]),
                identity("african american", &["black", "African American"]),
            ],
        };
        let found = |text: &str| list.finder().find(text).into_iter().map(|t| (t.identity, t.term)).collect::<Vec<_>>();
        assert_eq!(found("An AFRICAN-AMERICAN vote"), [(1, 1)]);
        assert_eq!(found("an African American, and a black one"), [(1, 0), (1, 1)]);
        assert_eq!(found("Americana and blackened, (american)"), [(0, 0)]);
    }

    #[test]
    fn the_lists_of_the_program_are_whole() {
        let (identities, names) = (Identities::default(), Names::default());
        assert!(identities.list.len() >= 30 && names.origins.len() >= 10 && names.frames.len() >= 10);
        let terms = identities.list.iter().map(|i| i.terms.len()).sum::<usize>();
        assert_eq!(identities.finder().terms.len(), terms, "a term stands twice or is empty");
        let given: Vec<&String> = names.origins.iter().flat_map(|o| &o.given).collect();
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len(), "a name stands twice");
        assert!(given.iter().all(|name| Words::of(name).len() == 1));
        assert!(names.frames.iter().all(|frame| frame.contains("{name}")));
    }
}
