//! What comments may be for or against: named targets, the words that they go by, and where a text has these.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::words::{Words, hash};
use crate::error::{Error, Result};

/// What a target is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A thing, plan or claim. The stance toward it can be told without examples, with abstention.
    #[default]
    Topic,
    /// A person.
    Person,
    /// A nation or its government.
    Nation,
    /// A party, force, company or other group.
    Group,
}

impl Kind {
    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Person => "person",
            Self::Nation => "nation",
            Self::Group => "group",
        }
    }
}

/// A target, as `targets.toml` and a model's manifest describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTarget {
    /// What it is called in every record.
    pub name: String,
    /// Other words and phrases by which a comment may mention it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it is.
    #[serde(default)]
    pub kind: Kind,
    /// How what is said counts for it, where its words do not tell: 1, or -1 for a target that is against something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polarity: Option<i8>,
    /// A file of labelled rows that teach it; no part of a manifest.
    #[serde(skip)]
    pub examples: Option<PathBuf>,
}

impl NamedTarget {
    /// A topic that goes by its name alone.
    pub fn topic(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The name and the aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// True if `name` is its name or an alias, whatever the case.
    pub fn is_called(&self, name: &str) -> bool {
        let wanted = key(name);
        self.names().any(|own| own == name || key(own) == wanted)
    }
}

/// The one of `targets` that goes by a name.
pub fn named<'t>(targets: &'t [NamedTarget], name: &str) -> Option<&'t NamedTarget> {
    targets.iter().find(|target| target.name == name).or_else(|| targets.iter().find(|target| target.is_called(name)))
}

/// The targets of two lists. One that goes by the name of an earlier one takes its place.
///
/// # Errors
/// `Settings` if another target goes by one of its aliases.
pub fn merged(earlier: &[NamedTarget], later: &[NamedTarget]) -> Result<Vec<NamedTarget>> {
    let mut all = earlier.to_vec();
    for target in later {
        let place = all.iter().position(|known| key(&known.name) == key(&target.name));
        let clash = all
            .iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != place)
            .find_map(|(_, known)| target.names().find(|name| known.is_called(name)).map(|name| (name, known)));
        if let Some((name, known)) = clash {
            let what = format!(
                "`{name}` is a name of the target `{}`, which the model has: call `{}` the same, or leave that name out",
                known.name, target.name
            );
            return Err(Error::settings(what));
        }
        match place.and_then(|place| all.get_mut(place)) {
            Some(known) => *known = target.clone(),
            None => all.push(target.clone()),
        }
    }
    Ok(all)
}

/// `targets.toml` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    #[serde(default, rename = "target")]
    targets: Vec<Spanned<ListedTarget>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedTarget {
    name: Spanned<String>,
    #[serde(default)]
    aliases: Vec<Spanned<String>>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    kind: Kind,
    polarity: Option<Spanned<i8>>,
    examples: Option<Spanned<PathBuf>>,
}

/// Reads a `targets.toml`. Files of examples are looked for beside it.
///
/// # Errors
/// `Input`, with the line, for a file that is no such list, a name without a word, a name or alias that stands twice, or examples that
/// are not there.
pub fn open(path: &Path) -> Result<Vec<NamedTarget>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let wrong = |at: Range<usize>, what: String| {
        let line = text.get(..at.start).unwrap_or_default().matches('\n').count() + 1;
        Error::input(format!("{}:{line}", path.display()), what)
    };
    let listed: Listed = toml::from_str(&text)
        .map_err(|e| wrong(e.span().unwrap_or_default(), format!("no list of targets: {}", e.message())))?;
    if listed.targets.is_empty() {
        return Err(wrong(0..0, "there is no [[target]] in it".to_owned()));
    }
    let mut taken: HashMap<String, String> = HashMap::new();
    let mut out = Vec::new();
    for target in listed.targets.into_iter().map(Spanned::into_inner) {
        let name = target.name.get_ref().clone();
        for called in std::iter::once(&target.name).chain(&target.aliases) {
            let key = key(called.get_ref());
            if key.is_empty() {
                let what = format!("`{}` has no word in it: name what a comment may say", called.get_ref());
                return Err(wrong(called.span(), what));
            }
            if let Some(other) = taken.insert(key, name.clone()) {
                let what = format!("`{}` stands twice, under `{other}` and `{name}`: leave one out", called.get_ref());
                return Err(wrong(called.span(), what));
            }
        }
        if let Some(polarity) = target.polarity.as_ref().filter(|p| !matches!(p.get_ref(), 1 | -1)) {
            let what = format!("polarity is 1 or -1 (the target is against something), not {}", polarity.get_ref());
            return Err(wrong(polarity.span(), what));
        }
        let examples = target.examples.as_ref().map(|examples| {
            let file = path.parent().unwrap_or(Path::new(".")).join(examples.get_ref());
            if file.is_file() {
                return Ok(file);
            }
            let what = format!("no file {}: examples are looked for beside this file", file.display());
            Err(wrong(examples.span(), what))
        });
        out.push(NamedTarget {
            name,
            aliases: target.aliases.into_iter().map(Spanned::into_inner).collect(),
            description: target.description,
            kind: target.kind,
            polarity: target.polarity.map(Spanned::into_inner),
            examples: examples.transpose()?,
        });
    }
    Ok(out)
}

/// A name as it is compared: its words, lower case, without hyphens and marks; in capitals where only these tell it from a common word.
pub fn key(name: &str) -> String {
    let parts = parts(name);
    let parts: Vec<&str> = parts.iter().map(|part| part.spelled.as_str()).collect();
    parts.join(" ")
}

/// A word of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    spelled: String,
    /// Only in capitals: `US` is no `us`.
    in_capitals: bool,
}

/// Words that some name is spelled like, but for the capitals.
const COMMON: &[&str] = &[
    "a", "ad", "all", "am", "an", "and", "any", "are", "as", "at", "be", "big", "but", "by", "can", "did", "do", "end",
    "fed", "for", "get", "go", "has", "he", "her", "him", "his", "how", "i", "if", "in", "is", "it", "its", "let",
    "mad", "may", "me", "my", "new", "no", "not", "now", "of", "off", "on", "one", "or", "our", "out", "pa", "pet",
    "pm", "pip", "she", "so", "the", "to", "too", "up", "us", "was", "we", "what", "who", "why", "will", "you",
];

fn parts(name: &str) -> Vec<Part> {
    let words = Words::of(name);
    let all = words.iter().filter(|word| word.is_text);
    all.map(|word| {
        let lower = words.lower(word);
        let in_capitals = word.shouted && COMMON.contains(&lower);
        Part { spelled: if in_capitals { lower.to_uppercase() } else { lower.to_owned() }, in_capitals }
    })
    .collect()
}

/// Stems of words: endings and possessives make no difference.
pub struct Stems(Stemmer);

impl Default for Stems {
    fn default() -> Self {
        Self(Stemmer::create(Algorithm::English))
    }
}

impl Stems {
    /// The stem of a lower-case word, by its hash.
    pub fn of(&self, lower: &str) -> u64 {
        hash(&self.0.stem(lower))
    }
}

/// Words whose stems are remembered.
const REMEMBERED: usize = 1 << 15;

/// Stems, remembered from text to text.
#[derive(Debug, Clone, Default)]
pub struct Remembered(FxHashMap<u64, u64>);

impl Remembered {
    /// The stem of a lower-case word of this hash.
    pub fn of(&mut self, hash: u64, lower: &str) -> u64 {
        if self.0.len() > REMEMBERED {
            self.0.clear();
        }
        *self.0.entry(hash).or_insert_with(|| Stems::default().of(lower))
    }

    /// The stems of a text's words.
    pub fn all(&mut self, words: &Words) -> Vec<u64> {
        words.iter().map(|word| self.of(word.hash, words.lower(word))).collect()
    }
}

/// Finds the names of targets in texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finder {
    /// The names, by the stem of their first word.
    names: HashMap<u64, Vec<Name>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Name {
    target: usize,
    /// Stem of each word, and whether it must be in capitals.
    words: Vec<(u64, bool)>,
}

impl Finder {
    /// For the names and aliases of targets, in their order.
    pub fn of(targets: &[NamedTarget]) -> Self {
        let stems = Stems::default();
        let mut out = Self::default();
        for (target, named) in targets.iter().enumerate() {
            for name in named.names() {
                let stem = |part: &Part| (stems.of(&part.spelled.to_lowercase()), part.in_capitals);
                let words: Vec<(u64, bool)> = parts(name).iter().map(stem).collect();
                if let Some((first, _)) = words.first() {
                    out.names.entry(*first).or_default().push(Name { target, words });
                }
            }
        }
        // Of names that begin alike the longest is tried first.
        out.names.values_mut().for_each(|names| names.sort_by_key(|name| std::cmp::Reverse(name.words.len())));
        out
    }

    /// The stems that names begin with, and whether all of these only in capitals.
    pub fn openings(&self) -> impl Iterator<Item = (u64, bool)> {
        let in_capitals = |name: &Name| name.words.first().is_some_and(|(_, in_capitals)| *in_capitals);
        self.names.iter().map(move |(stem, names)| (*stem, names.iter().all(in_capitals)))
    }

    /// The places of names in a text, in its order: the number of the target and its words. Of names that overlap the longest counts.
    /// `stems` are those of `words`.
    pub fn find(&self, words: &Words, stems: &[u64]) -> Vec<(usize, Range<usize>)> {
        let all = words.iter().as_slice();
        // Hyphens and dots join: `US-led`, `U.S.`.
        let telling: Vec<usize> = (0..all.len()).filter(|&i| all[i].is_text).collect();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(&first) = telling.get(at) {
            let rest = &telling[at..];
            let is_here = |name: &&Name| {
                rest.len() >= name.words.len()
                    && name.words.iter().zip(rest).all(|(&(stem, in_capitals), &i)| {
                        stems.get(i) == Some(&stem) && (!in_capitals || stands_out(words, &telling, i))
                    })
                    && is_one_phrase(words, &rest[..name.words.len()])
            };
            let name = stems.get(first).and_then(|stem| self.names.get(stem)?.iter().find(is_here));
            if let Some(name) = name {
                found.push((name.target, first..rest[name.words.len() - 1] + 1));
            }
            at += name.map_or(1, |name| name.words.len());
        }
        found
    }
}

/// The word that stands for the name of a target in [`beside`].
const NAME: &str = "xtargetx";
/// Words on either side of a name that are said of the target.
const BESIDE: usize = 5;

/// What is said beside the names of a target, as a text of its own with the names masked: the same whichever target it is said of. With
/// the place of each of its words in `words`, where it has one.
pub fn beside(words: &Words, mentions: &[Range<usize>]) -> (String, Vec<Option<usize>>) {
    let all = words.iter().as_slice();
    let is_near = |i: usize| mentions.iter().any(|name| i + BESIDE >= name.start && i < name.end + BESIDE);
    let (mut text, mut places) = (String::new(), Vec::new());
    for (i, word) in all.iter().enumerate().filter(|(i, _)| is_near(*i)) {
        let (said, place) = match mentions.iter().find(|name| name.contains(&i)) {
            Some(name) if name.start == i => (NAME, None),
            Some(_) => continue,
            None => (words.lower(word), Some(i)),
        };
        text.push_str(said);
        text.push(' ');
        places.push(place);
    }
    (text, places)
}

/// True if a word is in capitals and those beside it are not: a text in capitals has none that tells `US` from `us`.
fn stands_out(words: &Words, telling: &[usize], i: usize) -> bool {
    let all = words.iter().as_slice();
    let Ok(at) = telling.binary_search(&i) else { return false };
    let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten().filter_map(|k| telling.get(k));
    let (mut others, mut shouted) = (0, 0);
    for &k in beside {
        others += 1;
        shouted += usize::from(all[k].shouted);
    }
    all[i].shouted && (others == 0 || shouted < others)
}

/// True if nothing but hyphens and single dots stands between these words.
fn is_one_phrase(words: &Words, places: &[usize]) -> bool {
    let all = words.iter().as_slice();
    let joins = |i: usize| matches!(words.lower(&all[i]), "-" | ".");
    places.windows(2).all(|pair| (pair[0] + 1..pair[1]).all(joins))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> Vec<NamedTarget> {
        let target = |name: &str, aliases: &[&str]| NamedTarget {
            aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
            ..NamedTarget::topic(name)
        };
        vec![
            target("United States", &["US", "U.S.", "Uncle Sam", "Americans"]),
            target("Islamic State", &["IS", "ISIS"]),
            target("Islam", &["Islamic"]),
        ]
    }

    fn found(text: &str) -> Vec<(usize, String)> {
        let words = Words::of(text);
        let stems = Stems::default();
        let stems: Vec<u64> = words.iter().map(|w| stems.of(words.lower(w))).collect();
        let clean = crate::text::clean::Clean::new(text);
        let places = Finder::of(&set()).find(&words, &stems);
        places.into_iter().map(|(t, range)| (t, text[words.source(&clean, range)].to_owned())).collect()
    }

    #[test]
    fn names_are_found_whole_in_any_case_and_form() {
        assert_eq!(found("uncle  sam's dogs, AMERICAN dogs"), [(0, "uncle  sam's".into()), (0, "AMERICAN".into())]);
        assert_eq!(found("The U.S. and isis' men"), [(0, "U.S".into()), (1, "isis".into())]);
        assert_eq!(found("uncle, Sam is here. Crisis!"), []);
    }

    #[test]
    fn short_names_that_are_common_words_need_their_capitals() {
        assert_eq!(found("it is us or them"), []);
        assert_eq!(found("THIS IS ALL ABOUT US"), []);
        assert_eq!(found("the US-led attack on IS"), [(0, "US".into()), (1, "IS".into())]);
    }

    #[test]
    fn the_longest_name_counts() {
        assert_eq!(found("the Islamic State, the Islamic world"), [(1, "Islamic State".into()), (2, "Islamic".into())]);
    }

    #[test]
    fn a_later_target_takes_the_place_of_one_of_its_name_but_not_its_aliases() {
        let mine = [NamedTarget { aliases: vec!["Washington".into()], ..NamedTarget::topic("united states") }];
        let all = merged(&set(), &mine).unwrap();
        assert_eq!((all.len(), all[0].aliases.as_slice()), (3, mine[0].aliases.as_slice()));
        let clash = [NamedTarget { aliases: vec!["isis".into()], ..NamedTarget::topic("a goddess") }];
        assert!(
            merged(&set(), &clash).unwrap_err().to_string().contains("`isis` is a name of the target `Islamic State`")
        );
    }
}
