//! How a text speaks of a target: whether it takes up the target's words or words like them, and whether it affirms them.

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::FxHashMap;

use super::relation::{cosine, dot};
use super::vectors::Vectors;
use crate::text::polarity::{Mark, Role, is_negative_action};
use crate::text::words::hash;

/// How many numbers say how near a text is to a target.
pub const RELATED: usize = 15;
/// How many say what the text does to the target's words.
pub const AFFIRMED: usize = 4;

/// Words more frequent than this say nothing of what a text is about.
const COMMON: f32 = 150.0;
/// Shorter words say nothing either where there are no vectors to tell how frequent they are.
const SHORT: usize = 4;
/// Hinges of the nearness, above which it counts once more.
const HINGES: [f32; 2] = [0.5, 0.75];

/// Words whose sense is remembered.
const REMEMBERED: usize = 1 << 13;

/// What is known of some words: their stems, how much they say, their directions. Remembered from text to text.
#[derive(Debug, Clone, Default)]
pub struct Senses {
    /// Places of words by their hashes.
    places: FxHashMap<u64, u32>,
    stems: Vec<u64>,
    weights: Vec<f32>,
    units: Vec<f32>,
    dimension: usize,
}

impl Senses {
    /// How many words there are.
    pub fn len(&self) -> usize {
        self.stems.len()
    }

    /// True without words.
    pub fn is_empty(&self) -> bool {
        self.stems.is_empty()
    }

    /// Numbers a direction has; 0 without vectors.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The direction of a word; 0 where it has none.
    pub fn unit(&self, word: u32) -> &[f32] {
        let from = word as usize * self.dimension;
        &self.units[from..from + self.dimension]
    }
}

/// Finds the sense of words.
pub struct Sensing<'v> {
    stemmer: Stemmer,
    vectors: Option<&'v Vectors>,
}

impl<'v> Sensing<'v> {
    /// By these vectors, else by the length of words.
    pub fn new(vectors: Option<&'v Vectors>) -> Self {
        Self { stemmer: Stemmer::create(Algorithm::English), vectors }
    }

    /// Finds the senses of words (lower case, each with its hash), and puts their places among `senses` into `places`, in their order.
    pub fn read<'a>(&self, words: impl Iterator<Item = (u64, &'a str)>, senses: &mut Senses, places: &mut Vec<u32>) {
        if senses.len() > REMEMBERED {
            *senses = Senses::default();
        }
        senses.dimension = self.vectors.map_or(0, Vectors::dimension);
        places.clear();
        places.extend(words.map(|(hash, word)| match senses.places.get(&hash) {
            Some(&place) => place,
            None => self.add(hash, word, senses),
        }));
    }

    fn add(&self, hashed: u64, word: &str, senses: &mut Senses) -> u32 {
        let place = senses.len() as u32;
        senses.places.insert(hashed, place);
        senses.stems.push(hash(&self.stemmer.stem(word)));
        senses.weights.push(self.weight(word));
        let from = senses.units.len();
        senses.units.resize(from + senses.dimension, 0.0);
        let unit = &mut senses.units[from..];
        if self.vectors.is_some_and(|v| v.add_hashed(hashed, word, 1.0, unit)) {
            let norm = unit.iter().map(|v| v * v).sum::<f32>().sqrt();
            unit.iter_mut().for_each(|v| *v /= norm.max(f32::MIN_POSITIVE));
        }
        place
    }

    /// How much a word says of what a text is about: 0 for the most frequent, else by the logarithm of its rank.
    fn weight(&self, word: &str) -> f32 {
        if !word.chars().any(char::is_alphanumeric) {
            return 0.0;
        }
        match self.vectors {
            Some(vectors) => (vectors.rank(word).unwrap_or(vectors.len()) as f32 / COMMON).max(1.0).ln(),
            None => f32::from(word.len() >= SHORT),
        }
    }
}

/// Some words, by their places among [`Senses`].
#[derive(Clone, Copy)]
pub struct Sensed<'a> {
    /// What is known.
    pub senses: &'a Senses,
    /// The words, in order.
    pub words: &'a [u32],
}

impl<'a> Sensed<'a> {
    fn weight(self, word: u32) -> f32 {
        self.senses.weights[word as usize]
    }

    fn unit(self, word: u32) -> &'a [f32] {
        self.senses.unit(word)
    }

    fn stem(self, word: u32) -> u64 {
        self.senses.stems[word as usize]
    }

    /// The mean direction of the words, each counting for what it says.
    fn mean(self) -> Vec<f32> {
        let mut sum = vec![0.0; self.senses.dimension];
        self.add_up(|word| self.weight(word), &mut sum);
        sum
    }

    /// Adds the directions of the words, each times its `factor`.
    pub fn add_up(self, factor: impl Fn(u32) -> f32, sum: &mut [f32]) {
        pulp::Arch::new().dispatch(AddUp { text: self, factor, sum });
    }
}

/// Directions to be added up in the widest instructions there are.
struct AddUp<'a, F> {
    text: Sensed<'a>,
    factor: F,
    sum: &'a mut [f32],
}

impl<F: Fn(u32) -> f32> pulp::WithSimd for AddUp<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { text, factor, sum } = self;
        for &word in text.words {
            let factor = factor(word);
            sum.iter_mut().zip(text.unit(word)).for_each(|(sum, v)| *sum += v * factor);
        }
    }
}

/// The words by which a target is known in a text: all that say something, without negative actions (those say what to do with it).
pub fn topic_words<'a>(words: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    words.filter(|word| !is_negative_action(word))
}

/// How near a text is to a target. `similarities` is scratch.
pub fn related(text: Sensed<'_>, target: Sensed<'_>, similarities: &mut Vec<f32>) -> [f32; RELATED] {
    let mut out = [0.0; RELATED];
    similarities.clear();
    similarities.resize(text.words.len(), 0.0);
    let (mut total, mut wanted, mut exact) = (0.0f32, 0u32, 0u32);
    let (mut nearest, mut covered) = (Extremes::default(), Extremes::default());
    for &word in target.words.iter().filter(|w| target.weight(**w) > 0.0) {
        let (mut best, mut same) = (0.0f32, false);
        for (&own, highest) in text.words.iter().zip(similarities.iter_mut()) {
            if text.weight(own) <= 0.0 {
                continue;
            }
            let equal = text.stem(own) == target.stem(word);
            let near = if equal { 1.0 } else { dot(text.unit(own), target.unit(word)) };
            exact += u32::from(equal);
            same |= equal;
            best = best.max(near);
            *highest = highest.max(near);
        }
        let weight = target.weight(word);
        total += weight;
        wanted += 1;
        nearest.add(best, weight);
        covered.add(f32::from(same), weight);
    }
    let all = total.max(f32::MIN_POSITIVE);
    out[..6].copy_from_slice(&[
        nearest.sum / all,
        nearest.lowest(),
        nearest.highest,
        covered.sum / all,
        covered.lowest(),
        covered.highest,
    ]);
    similarities.sort_unstable_by(|a, b| b.total_cmp(a));
    for (place, most) in [(6, 1), (7, 3), (8, 8)] {
        out[place] = similarities.iter().take(most).sum::<f32>() / most as f32;
    }
    out[9] = (exact as f32).ln_1p();
    out[10] = cosine(&text.mean(), &target.mean());
    out[11] = (wanted as f32).ln_1p();
    out[12] = (out[0] - HINGES[0]).max(0.0);
    out[13] = (out[0] - HINGES[1]).max(0.0);
    out[14] = (text.words.len() as f32).ln_1p();
    out
}

#[derive(Default)]
struct Extremes {
    sum: f32,
    low: Option<f32>,
    highest: f32,
}

impl Extremes {
    fn add(&mut self, value: f32, weight: f32) {
        self.sum += value * weight;
        self.low = Some(self.low.map_or(value, |low| low.min(value)));
        self.highest = self.highest.max(value);
    }

    fn lowest(&self) -> f32 {
        self.low.unwrap_or_default()
    }
}

/// Stems of the words of a target that say something.
pub fn telling(target: Sensed<'_>) -> Vec<u64> {
    target.words.iter().filter(|word| target.weight(**word) > 0.0).map(|word| target.stem(*word)).collect()
}

/// How often the text affirms and negates the target's words, how often it names negative actions (logarithms), and whether oddly.
pub fn affirmed(text: Sensed<'_>, target: Sensed<'_>, roles: &[Role], marks: &[Mark]) -> [f32; AFFIRMED] {
    let wanted = |word: u32| target.words.iter().any(|t| target.weight(*t) > 0.0 && target.stem(*t) == text.stem(word));
    let (mut plain, mut negated) = (0u32, 0u32);
    for (_, mark) in text.words.iter().zip(marks).filter(|(word, _)| wanted(**word)) {
        if mark.negated { negated += 1 } else { plain += 1 }
    }
    let actions = roles.iter().filter(|r| **r == Role::NegativeAction).count() as u32;
    let log = |n: u32| (n as f32).ln_1p();
    [log(plain), log(negated), log(actions), (actions % 2) as f32]
}
