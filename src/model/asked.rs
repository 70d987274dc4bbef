//! The targets that comments are asked about: each read once for a model, and found where a comment mentions it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

use rustc_hash::FxHashMap;

use super::target::{Target, TargetStance};
use crate::features::pair::Sensing;
use crate::features::vectors::Vectors;
use crate::text::targets::{Finder, Kind, NamedTarget, Remembered, key, named};
use crate::text::words::{Word, Words};

/// Targets, read for one model. A comment is asked about those that it mentions.
#[derive(Debug, Default)]
pub struct Asked {
    /// In the order of the set.
    pub targets: Vec<AskedTarget>,
    finder: Finder,
    by_name: HashMap<String, usize>,
    /// Stems without one of which no text mentions any of them, and whether only in capitals.
    openings: FxHashMap<u64, bool>,
    /// For every row of the model's words whether its stem is one of these: found out when a text has the word.
    rows: Vec<AtomicU8>,
}

/// What is known of a row.
const NOT_YET: u8 = 0;
const OPENS: u8 = 1;
const OPENS_IN_CAPITALS: u8 = 2;
const OPENS_NOTHING: u8 = 3;

/// A target, read for one model.
#[derive(Debug)]
pub struct AskedTarget {
    /// What it is and what it is called.
    pub named: NamedTarget,
    /// The number of its own heads, if the model has such.
    pub own: Option<usize>,
    /// Its words, by the name that the model knows it by.
    pub read: Target,
    /// Stems of the telling words of a topic, all of which a comment must have if it does not have a name as it stands.
    telling: Vec<u64>,
}

impl Asked {
    /// Reads targets. `known` are those of the model, which its own heads go by; `rows` is the number of its words.
    pub fn of(
        targets: &[NamedTarget],
        head: Option<&TargetStance>,
        known: &[NamedTarget],
        vectors: Option<&Vectors>,
        rows: usize,
    ) -> Self {
        let sensing = Sensing::new(vectors);
        let read = |target: &NamedTarget| AskedTarget::read(target, head, known, &sensing);
        let names = targets.iter().enumerate().flat_map(|(i, target)| target.names().map(move |name| (key(name), i)));
        let (targets, finder): (Vec<AskedTarget>, _) = (targets.iter().map(read).collect(), Finder::of(targets));
        // A topic is spoken of by all of its telling words: without the first there is no need to look for the others.
        let telling = targets.iter().filter_map(|target| Some((*target.telling.first()?, false)));
        let openings = finder.openings().chain(telling).collect();
        let rows = (0..rows).map(|_| AtomicU8::new(NOT_YET)).collect();
        Self { targets, finder, by_name: names.collect(), openings, rows }
    }

    /// False if no text with these words mentions a target; `rows` are those of the words that have one.
    pub fn may_be_mentioned(&self, words: &Words, rows: &[Option<u32>], stems: &mut Remembered) -> bool {
        let opens = |(word, row): (&Word, &Option<u32>)| {
            let mut look = || match self.openings.get(&stems.of(word.hash, words.lower(word))) {
                Some(false) => OPENS,
                Some(true) => OPENS_IN_CAPITALS,
                None => OPENS_NOTHING,
            };
            let found = match row.and_then(|row| self.rows.get(row as usize)) {
                None => look(),
                Some(known) => match known.load(Ordering::Relaxed) {
                    NOT_YET => {
                        let found = look();
                        known.store(found, Ordering::Relaxed);
                        found
                    }
                    found => found,
                },
            };
            found == OPENS || found == OPENS_IN_CAPITALS && word.shouted
        };
        let texts = words.iter().zip(rows).filter(|(word, _)| word.is_text);
        !self.openings.is_empty() && texts.into_iter().any(opens)
    }

    /// The target that goes by a name.
    pub fn named(&self, name: &str) -> Option<usize> {
        let exactly = self.targets.iter().position(|target| target.named.name == name);
        exactly.or_else(|| self.by_name.get(&key(name)).copied())
    }

    /// The targets that a text mentions, by number, with the words that do; `stems` are those of its words.
    pub fn mentioned(&self, words: &Words, stems: &[u64]) -> BTreeMap<usize, Vec<Range<usize>>> {
        let mut places: Vec<Vec<Range<usize>>> = vec![Vec::new(); self.targets.len()];
        for (target, range) in self.finder.find(words, stems) {
            places.get_mut(target).into_iter().for_each(|places| places.push(range.clone()));
        }
        let with_topics = self
            .targets
            .iter()
            .zip(places)
            .map(|(target, places)| if places.is_empty() { target.by_telling_words(stems) } else { places });
        with_topics.enumerate().filter(|(_, places)| !places.is_empty()).collect()
    }
}

impl AskedTarget {
    /// Reads a target; see [`Asked::of`].
    pub fn read(
        target: &NamedTarget,
        head: Option<&TargetStance>,
        known: &[NamedTarget],
        sensing: &Sensing<'_>,
    ) -> Self {
        // A user may call by other names what the model knows. An alias that both have is too little to go by: `US` may be another's.
        let by_alias = || known.iter().find(|known| target.is_called(&known.name));
        let entry = named(known, &target.name).or_else(by_alias);
        let is_own = |own: &str| entry.map_or_else(|| target.is_called(own), |entry| entry.name == own);
        let own = head.and_then(|head| head.own.iter().position(|own| is_own(&own.name)));
        let name = own.and_then(|own| head?.own.get(own)).map_or(target.name.as_str(), |own| own.name.as_str());
        let mut read = Target::read(name, sensing);
        if let Some(polarity) = target.polarity.or(entry.and_then(|entry| entry.polarity)) {
            read.sign = f32::from(polarity);
        }
        let telling = if target.kind == Kind::Topic { read.telling() } else { Vec::new() };
        Self { named: target.clone(), own, read, telling }
    }

    /// The words of a text that mention it, looked for alone.
    pub fn mentions(&self, words: &Words) -> Vec<Range<usize>> {
        let stems = Remembered::default().all(words);
        let found = Finder::of(std::slice::from_ref(&self.named)).find(words, &stems);
        let names: Vec<Range<usize>> = found.into_iter().map(|(_, words)| words).collect();
        if names.is_empty() { self.by_telling_words(&stems) } else { names }
    }

    /// The words by which a text speaks of a topic without its name: all telling ones, in any order and form.
    pub fn by_telling_words(&self, stems: &[u64]) -> Vec<Range<usize>> {
        if self.telling.is_empty() || !self.telling.iter().all(|stem| stems.contains(stem)) {
            return Vec::new();
        }
        let mut places: Vec<Range<usize>> = Vec::new();
        for (i, _) in stems.iter().enumerate().filter(|(_, stem)| self.telling.contains(stem)) {
            match places.last_mut().filter(|last| last.end == i) {
                Some(last) => last.end = i + 1,
                None => places.push(i..i + 1),
            }
        }
        places
    }
}
