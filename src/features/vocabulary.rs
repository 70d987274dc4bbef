//! The vocabulary of a training set: word types, their own features, word pairs, and how much each counts (idf).
//!
//! A word type's features are the word itself (if two texts hold it), its character n-grams and its subwords; their values hold the
//! idf `ln((1+N)/(1+df))/3`. They depend on the type alone, which is why they fold into one number a head and word.

use std::collections::HashMap;

use ndarray::Array2;
use rayon::prelude::*;

use super::rows::Rows;
use super::vectors::Vectors;
use super::{compounds, grams, starts, style};
use crate::text::clean::Clean;
use crate::text::tokenizer::Subwords;
use crate::text::words::{Words, hash, pair};

/// Fewest texts that hold a word with a weight of its own.
const FEWEST_WORD: u32 = 2;
/// Fewest texts that hold a pair.
const FEWEST_PAIR: u32 = 3;
/// Fewest word types that hold an n-gram or subword.
const FEWEST_PART: u32 = 3;
/// Strength of n-grams and subwords beside whole words.
const PART_STRENGTH: f32 = 0.35;
/// Strength of vectors, once every dimension has the spread 1 over texts.
const VECTOR_STRENGTH: f32 = 0.1;
/// Texts looked at to learn that spread.
const SPREAD_SAMPLE: usize = 20_000;
/// A pair that has no feature.
pub const NO_PAIR: u32 = u32::MAX;

/// The words of one training text, before the vocabulary is known.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Hashes of the words in order.
    pub words: Box<[u64]>,
    /// Names of the start features.
    pub starts: Box<[u64]>,
    /// Style, not standardised.
    pub style: [f32; style::COUNT],
}

/// The same, numbered by the vocabulary.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// Word types in order.
    pub types: Box<[u32]>,
    /// For each word but the last the number of the pair it opens, or [`NO_PAIR`].
    pub pairs: Box<[u32]>,
}

/// Names of word types by their hash.
pub type Names = HashMap<u64, String>;

/// Splits texts into words, in parallel. Each item is a text and the ranges of it that are quoted.
pub fn read<'a, I>(texts: I) -> (Vec<Tokens>, Names)
where
    I: IndexedParallelIterator<Item = (&'a str, Vec<std::ops::Range<usize>>)>,
{
    let parts: Vec<(Vec<Tokens>, Names)> = texts
        .fold_chunks(4096, <(Vec<Tokens>, Names)>::default, |(mut all, mut names), (text, quotes)| {
            let mut words = Words::default();
            words.read(&Clean::new(text), &quotes);
            let mut start_names = Vec::new();
            starts::of(&words, &mut start_names);
            for word in &words {
                names.entry(word.hash).or_insert_with(|| words.lower(word).to_owned());
            }
            all.push(Tokens {
                words: words.iter().map(|w| w.hash).collect(),
                starts: start_names.into(),
                style: style::of(text, &quotes, &words),
            });
            (all, names)
        })
        .collect();
    let mut all = Vec::new();
    let mut names = Names::new();
    for (part, part_names) in parts {
        all.extend(part);
        names.extend(part_names);
    }
    (all, names)
}

/// What a training set knows of words.
#[derive(Debug)]
pub struct Vocabulary {
    names: Vec<String>,
    ids: HashMap<u64, u32>,
    frequency: Vec<u32>,
    texts: usize,
    /// Names of the pairs by number.
    pub pair_names: Vec<u64>,
    /// The idf of the pairs by number.
    pub pair_idf: Vec<f32>,
    pairs: HashMap<u64, u32>,
    own: usize,
    gram_columns: HashMap<u64, u32>,
    gram_names: Vec<u64>,
    gram_idf: Vec<f32>,
    subwords: Option<Subwords>,
    subword_idf: Vec<f32>,
}

fn idf(texts: usize, frequency: u64) -> f32 {
    let (texts, frequency) = (texts as f64, frequency.min(texts as u64) as f64);
    (((1.0 + texts) / (1.0 + frequency)).ln() / 3.0) as f32
}

/// How many texts hold each name, by counting each name once a text.
fn document_frequency<'a, I: Iterator<Item = u64>>(
    texts: &'a [Tokens],
    names: impl Fn(&'a Tokens) -> I + Sync,
) -> HashMap<u64, u32> {
    let count = |chunk: &'a [Tokens]| {
        let mut counts: HashMap<u64, u32> = HashMap::new();
        let mut once: Vec<u64> = Vec::new();
        for text in chunk {
            once.clear();
            once.extend(names(text));
            once.sort_unstable();
            once.dedup();
            for &name in &once {
                *counts.entry(name).or_insert(0) += 1;
            }
        }
        counts
    };
    texts.par_chunks(16_384).map(count).reduce(HashMap::new, |mut a, mut b| {
        if a.len() < b.len() {
            std::mem::swap(&mut a, &mut b);
        }
        for (name, n) in b {
            *a.entry(name).or_insert(0) += n;
        }
        a
    })
}

fn pair_hashes(words: &[u64]) -> impl Iterator<Item = u64> + '_ {
    words.windows(2).map(|w| pair(w[0], w[1]))
}

impl Vocabulary {
    /// Learns the vocabulary of `texts`. `subwords` may be absent.
    pub fn learn(texts: &[Tokens], names: &Names, subwords: Option<Subwords>) -> Self {
        let n = texts.len();
        let mut types: Vec<(&str, u64, u32)> = document_frequency(texts, |t| t.words.iter().copied())
            .into_iter()
            .filter_map(|(hash, df)| names.get(&hash).map(|name| (name.as_str(), hash, df)))
            .collect();
        types.par_sort_unstable_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(b.0)));
        let own = types.partition_point(|(_, _, df)| *df >= FEWEST_WORD);

        let mut pairs: Vec<(u64, u32)> = document_frequency(texts, |t| pair_hashes(&t.words))
            .into_iter()
            .filter(|(_, df)| *df >= FEWEST_PAIR)
            .collect();
        pairs.par_sort_unstable();

        let (gram_names, gram_idf) = Self::learn_grams(&types, n);
        let subword_idf = subwords.as_ref().map_or_else(Vec::new, |s| Self::learn_subwords(&types, n, s));
        Self {
            texts: n,
            ids: types.iter().enumerate().map(|(i, (_, hash, _))| (*hash, i as u32)).collect(),
            frequency: types.iter().map(|(_, _, df)| *df).collect(),
            names: types.iter().map(|(name, _, _)| (*name).to_owned()).collect(),
            pairs: pairs.iter().enumerate().map(|(i, (name, _))| (*name, i as u32)).collect(),
            pair_names: pairs.iter().map(|(name, _)| *name).collect(),
            pair_idf: pairs.iter().map(|(_, df)| idf(n, u64::from(*df))).collect(),
            own,
            gram_columns: gram_names.iter().enumerate().map(|(i, name)| (*name, i as u32)).collect(),
            gram_names,
            gram_idf,
            subwords,
            subword_idf,
        }
    }

    fn learn_grams(types: &[(&str, u64, u32)], texts: usize) -> (Vec<u64>, Vec<f32>) {
        let mut counts: HashMap<u64, (u32, u64)> = HashMap::new();
        let mut found = Vec::new();
        for (name, _, df) in types {
            found.clear();
            grams::of(name, &mut found);
            found.sort_unstable();
            found.dedup();
            for &gram in &found {
                let count = counts.entry(gram).or_insert((0, 0));
                count.0 += 1;
                count.1 += u64::from(*df);
            }
        }
        let mut kept: Vec<(u64, u64)> = counts
            .into_iter()
            .filter(|(_, (types, _))| *types >= FEWEST_PART)
            .map(|(gram, (_, df))| (gram, df))
            .collect();
        kept.par_sort_unstable();
        kept.into_iter().map(|(gram, df)| (gram, idf(texts, df))).unzip()
    }

    fn learn_subwords(types: &[(&str, u64, u32)], texts: usize, subwords: &Subwords) -> Vec<f32> {
        let mut frequency = vec![0u64; subwords.len()];
        let mut ids = Vec::new();
        for (name, _, df) in types {
            ids.clear();
            subwords.split(name, &mut ids);
            for &id in &ids {
                frequency[id as usize] += u64::from(*df);
            }
        }
        frequency.into_iter().map(|df| idf(texts, df)).collect()
    }

    /// Number of word types.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True without word types.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The word types, most frequent first.
    pub fn words(&self) -> &[String] {
        &self.names
    }

    /// Word types that two texts or more hold, so that they have weights of their own: those with lower numbers.
    pub fn own(&self) -> usize {
        self.own
    }

    /// How many texts hold word type `id`.
    pub fn frequency(&self, id: usize) -> u32 {
        self.frequency[id]
    }

    /// The number of the word type of this name.
    pub fn id(&self, name: u64) -> Option<u32> {
        self.ids.get(&name).copied()
    }

    /// True if `word` is one of the `most` commonest word types with a weight of their own.
    pub fn knows(&self, word: &str, most: usize) -> bool {
        self.ids.get(&hash(word)).is_some_and(|&id| (id as usize) < self.own.min(most))
    }

    /// The subword tokenizer.
    pub fn subwords(&self) -> Option<&Subwords> {
        self.subwords.as_ref()
    }

    /// Names and idf-scaled values of all n-grams, in the order of their columns.
    pub fn grams(&self) -> impl Iterator<Item = (u64, f32)> + '_ {
        self.gram_names.iter().zip(&self.gram_idf).map(|(name, idf)| (*name, idf * PART_STRENGTH))
    }

    /// Values of the subwords, in the order of their columns.
    pub fn subword_values(&self) -> impl Iterator<Item = f32> + '_ {
        self.subword_idf.iter().map(|idf| idf * PART_STRENGTH)
    }

    /// First column of n-grams and of subwords, and the number of all columns of type features.
    pub fn columns(&self) -> (usize, usize, usize) {
        let grams = self.own;
        let subwords = grams + self.gram_names.len();
        (grams, subwords, subwords + self.subword_idf.len())
    }

    /// Numbers the words of a text.
    pub fn number(&self, tokens: &Tokens) -> Numbered {
        Numbered {
            types: tokens.words.iter().filter_map(|hash| self.ids.get(hash).copied()).collect(),
            pairs: pair_hashes(&tokens.words).map(|name| self.pairs.get(&name).copied().unwrap_or(NO_PAIR)).collect(),
        }
    }

    /// Appends the parts of a word, known or not: columns of n-grams and subwords with their values.
    pub fn parts(&self, word: &str, out: &mut Vec<(u32, f32)>) {
        let (first_gram, first_subword, _) = self.columns();
        let mut names = Vec::new();
        grams::of(word, &mut names);
        for name in names {
            if let Some(&column) = self.gram_columns.get(&name) {
                out.push((first_gram as u32 + column, self.gram_idf[column as usize] * PART_STRENGTH));
            }
        }
        if let Some(subwords) = &self.subwords {
            let mut ids = Vec::new();
            subwords.split(word, &mut ids);
            out.extend(
                ids.into_iter().map(|id| (first_subword as u32 + id, self.subword_idf[id as usize] * PART_STRENGTH)),
            );
        }
    }

    /// Word types × their features: the word itself, its n-grams, its subwords; and those of the words that `compounds` reads in it.
    pub fn type_rows(&self, compounds: Option<&Vectors>) -> Rows {
        let (_, _, width) = self.columns();
        let mut rows = Rows::new(width);
        let mut parts = Vec::new();
        for name in &self.names {
            parts.clear();
            self.features(name, &mut parts);
            for part in compounds.into_iter().flat_map(|vectors| compounds::split(name, vectors)) {
                self.features(part, &mut parts);
            }
            rows.push(parts.iter().copied());
        }
        rows
    }

    /// Appends a word's features: the word itself, if it has a weight of its own, and its parts.
    fn features(&self, word: &str, out: &mut Vec<(u32, f32)>) {
        if let Some(id) = self.id(hash(word)).filter(|id| (*id as usize) < self.own) {
            out.push((id, idf(self.texts, u64::from(self.frequency[id as usize]))));
        }
        self.parts(word, out);
    }

    /// Word types × dimensions of `vectors`, and the factor each dimension was multiplied by. With `compounds`, words run together get
    /// the sum of their words.
    pub fn vector_rows(&self, vectors: &Vectors, compounds: bool, texts: &[Numbered]) -> (Array2<f32>, Vec<f32>) {
        let dimension = vectors.dimension();
        let mut rows = Array2::<f32>::zeros((self.len(), dimension));
        for (name, mut row) in self.names.iter().zip(rows.outer_iter_mut()) {
            if let Some(row) = row.as_slice_mut() {
                vectors.add(name, 1.0, row);
                let parts = if compounds { compounds::split(name, vectors) } else { Vec::new() };
                parts.into_iter().for_each(|part| {
                    vectors.add(part, 1.0, row);
                });
            }
        }
        let factors = spread(&rows, texts).into_iter().map(|sd| VECTOR_STRENGTH / sd).collect::<Vec<f32>>();
        for mut row in rows.outer_iter_mut() {
            row.iter_mut().zip(&factors).for_each(|(v, f)| *v *= f);
        }
        (rows, factors)
    }
}

/// Standard deviation of each dimension of `n^-½ Σ vectors` over a sample of texts, 1 where it does not vary.
fn spread(vectors: &Array2<f32>, texts: &[Numbered]) -> Vec<f32> {
    let d = vectors.ncols();
    let step = (texts.len() / SPREAD_SAMPLE).max(1);
    let (mut sum, mut squares, mut n) = (vec![0.0f64; d], vec![0.0f64; d], 0.0f64);
    let mut text_sum = vec![0.0f32; d];
    for text in texts.iter().step_by(step).filter(|t| !t.types.is_empty()) {
        text_sum.fill(0.0);
        for &id in &text.types {
            text_sum.iter_mut().zip(vectors.row(id as usize)).for_each(|(s, v)| *s += v);
        }
        let scale = (text.types.len() as f32).sqrt().recip();
        for (i, s) in text_sum.iter().enumerate() {
            let v = f64::from(s * scale);
            sum[i] += v;
            squares[i] += v * v;
        }
        n += 1.0;
    }
    let deviation = |i: usize| (squares[i] / n - (sum[i] / n).powi(2)).max(0.0).sqrt() as f32;
    (0..d).map(|i| if n > 0.0 && deviation(i) > 1e-6 { deviation(i) } else { 1.0 }).collect()
}
