//! Folding: from the weights of all heads to the tables of a model.

use std::collections::{BTreeSet, HashSet};

use rayon::prelude::*;

use super::base::Base;
use super::heads::{Head, Shared};
use super::stack::Origin;
use crate::features::style;
use crate::features::vectors::Vectors;
use crate::model::fold::Table;
use crate::model::scoring::Scratch;
use crate::model::{Weights, peaks};
use crate::text::words::hash;

/// What the tables are folded from.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// Vocabulary and first-stage heads.
    pub shared: &'a Shared,
    /// Word vectors.
    pub vectors: Option<&'a Vectors>,
    /// What each of their dimensions is multiplied by.
    pub factors: &'a [f32],
    /// The base model that some first-stage heads come from.
    pub base: Option<&'a Base>,
    /// Words that count nothing for neutral heads.
    pub neutral: &'a HashSet<String>,
}

/// How many rows the tables may have.
#[derive(Clone, Copy)]
pub struct Room {
    /// Words of the training set, the commonest; the words of vectors and base come beside them.
    pub words: usize,
    /// Whether they do.
    pub others: bool,
    /// Word pairs.
    pub pairs: usize,
    /// Character n-grams.
    pub grams: usize,
}

/// Folds `heads` into tables, keeping the rows that matter most. Heads with local maxima bring the columns of the pooled heads along.
pub fn fold(parts: Parts<'_>, heads: &[Head], room: Room) -> Weights {
    let pools: Vec<usize> =
        heads.iter().flat_map(|h| h.pools.iter().map(|(k, _)| *k)).collect::<BTreeSet<_>>().into_iter().collect();
    // A pooled head speaks for all labels, so it has nothing to say of neutral words either.
    let neutral = heads.iter().any(|head| head.neutral);
    let pooled: Vec<Head> = pools
        .iter()
        .map(|&k| match &parts.shared.stack[k].origin {
            Origin::Fitted(head) => Head { neutral, ..Head::clone(head) },
            Origin::Base(column) => Head { neutral, base: vec![(*column, 1.0)], ..Head::default() },
        })
        .collect();
    let count = |head: &Head, k: usize| {
        head.pools.iter().find(|(pool, _)| *pool == k).map_or([0.0; peaks::COUNT], |(_, counts)| *counts)
    };
    let pool_weights = heads.iter().flat_map(|head| pools.iter().flat_map(|&k| count(head, k))).collect();
    let columns: Vec<&Head> = heads.iter().chain(&pooled).collect();
    Weights { pools: pools.len(), pool_weights, ..Columns::new(parts, &columns).fold(room) }
}

/// All columns of the tables to be.
struct Columns<'a> {
    parts: Parts<'a>,
    heads: &'a [&'a Head],
    /// For each head what the base model's columns count for it; empty without a base.
    of_base: Vec<Vec<f32>>,
}

impl<'a> Columns<'a> {
    fn new(parts: Parts<'a>, heads: &'a [&'a Head]) -> Self {
        let dense = |head: &Head, width: usize| {
            let mut counts = vec![0.0; width];
            head.base.iter().for_each(|(column, a)| counts[*column] += a);
            counts
        };
        let width = parts.base.map(Base::columns);
        let of_base = width.map_or_else(Vec::new, |width| heads.iter().map(|head| dense(head, width)).collect());
        Self { parts, heads, of_base }
    }

    /// Adds to a row of the columns what the base's row counts for them.
    fn add_base(&self, base_row: &[f32], row: &mut [f32]) {
        for (value, counts) in row.iter_mut().zip(&self.of_base) {
            *value += counts.iter().zip(base_row).map(|(a, v)| a * v).sum::<f32>();
        }
    }

    fn fold(&self, room: Room) -> Weights {
        let Parts { shared, base, .. } = self.parts;
        let width = self.heads.len();
        let (names, words) = self.words(room);
        let (_, first_subword, _) = shared.vocabulary.columns();

        let subword_rows = shared.vocabulary.subword_values().enumerate().map(|(i, value)| {
            let mut row = self.type_row(first_subword + i, value);
            self.add_table_row(|weights| &weights.subwords, i as u64, &mut row);
            (i as u64, row)
        });
        let mut bias: Vec<f32> = self.heads.iter().map(|h| h.bias).collect();
        let mut style: Vec<f32> = (0..style::COUNT)
            .flat_map(|i| self.heads.iter().map(move |h| h.style.get(i).copied().unwrap_or_default()))
            .collect();
        if let Some(base) = base {
            self.add_base(&base.bias(), &mut bias);
            let rows = style.chunks_exact_mut(width.max(1)).enumerate();
            rows.for_each(|(i, row)| self.add_base(&base.style_row(i), row));
        }
        Weights {
            columns: width,
            bias,
            style,
            words: Table::build(width, words.into_iter()),
            names,
            pairs: Table::build(width, most_useful(self.pairs(), room.pairs).into_iter()),
            grams: Table::build(width, most_useful(self.grams(), room.grams).into_iter()),
            subwords: Table::build(width, subword_rows),
            starts: Table::build(width, self.starts().filter(|(_, row)| row.iter().any(|w| *w != 0.0))),
            ..Weights::default()
        }
    }

    /// The words in the order of their rows: the training set's, then those of the vectors and of the base.
    fn words(&self, room: Room) -> (Vec<String>, Vec<(u64, Vec<f32>)>) {
        let Parts { shared, vectors, base, .. } = self.parts;
        let vocabulary = &shared.vocabulary;
        let own = vocabulary.own().min(room.words);
        let mut names: Vec<&str> = vocabulary.words()[..own].iter().map(String::as_str).collect();
        let of_vectors = vectors.into_iter().flat_map(Vectors::words);
        let of_base = base.into_iter().flat_map(Base::words);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let others = of_vectors.chain(of_base).filter(|w| !vocabulary.knows(w, own) && seen.insert(w) && is_word(w));
        names.extend(others.take(if room.others { usize::MAX } else { 0 }));
        let rows = names
            .par_iter()
            .enumerate()
            .map_init(Default::default, |scratch, (id, name)| (hash(name), self.word(id, name, scratch)))
            .collect();
        (names.into_iter().map(str::to_owned).collect(), rows)
    }

    fn word(&self, id: usize, name: &str, scratch: &mut (Scratch, Scratch)) -> Vec<f32> {
        let Parts { shared, vectors, factors, base, neutral } = self.parts;
        let mut features = Vec::new();
        let mut vector = vec![0.0; factors.len()];
        if shared.vocabulary.words().get(id).is_some_and(|word| word == name) {
            features.extend(shared.types.row(id).map(|(c, v)| (c as u32, v)));
            vector = shared.vectors.row(id).to_vec();
        } else {
            shared.vocabulary.parts(name, &mut features);
            if let Some(vectors) = vectors {
                vectors.add(name, 1.0, &mut vector);
                vector.iter_mut().zip(factors).for_each(|(v, f)| *v *= f);
            }
        }
        let mut row: Vec<f32> = self.heads.iter().map(|head| word_weight(head, &features, &vector)).collect();
        if let Some(base) = base {
            self.add_base(&base.word(name, scratch), &mut row);
        }
        if neutral.contains(name) {
            row.iter_mut().zip(self.heads).filter(|(_, head)| head.neutral).for_each(|(weight, _)| *weight = 0.0);
        }
        row
    }

    /// A row of the columns' weights on one type feature of the given value.
    fn type_row(&self, column: usize, value: f32) -> Vec<f32> {
        self.heads.iter().map(|h| h.types.get(column).copied().unwrap_or_default() * value).collect()
    }

    fn add_table_row(&self, table: fn(&Weights) -> &Table, name: u64, row: &mut [f32]) {
        if let Some(base) = self.parts.base {
            self.add_base(&base.table_row(table, name), row);
        }
    }

    /// The base's names in a table that are not among our own.
    fn others(&self, table: fn(&Weights) -> &Table, own: &BTreeSet<u64>) -> Vec<u64> {
        let names = self.parts.base.map_or_else(Vec::new, |base| base.table_names(table));
        names.into_iter().filter(|name| !own.contains(name)).collect()
    }

    /// The rows of all pairs, of the training set or the base, and how much they are used.
    fn pairs(&self) -> impl Iterator<Item = ((u64, Vec<f32>), f32)> {
        let vocabulary = &self.parts.shared.vocabulary;
        let others = self.others(|weights| &weights.pairs, &vocabulary.pair_names.iter().copied().collect());
        // How much the base's training set used what only the base knows is not kept: count it as rare.
        let rare = vocabulary.pair_idf.iter().copied().fold(0.0, f32::max);
        let ours = vocabulary.pair_names.iter().zip(&vocabulary.pair_idf).enumerate();
        let ours = ours.map(|(i, (&name, &idf))| (name, Some(i), idf));
        ours.chain(others.into_iter().map(move |name| (name, None, rare))).map(|(name, id, idf)| {
            let weight = |h: &&Head| id.and_then(|id| h.pairs.get(id)).copied().unwrap_or_default();
            let mut row: Vec<f32> = self.heads.iter().map(weight).collect();
            self.add_table_row(|weights| &weights.pairs, name, &mut row);
            // The idf is ln(N/df)/3: e^(-3·idf) is the share of texts that hold the pair.
            ((name, row), (-3.0 * idf).exp().sqrt())
        })
    }

    /// The rows of all character n-grams, likewise.
    fn grams(&self) -> impl Iterator<Item = ((u64, Vec<f32>), f32)> {
        let vocabulary = &self.parts.shared.vocabulary;
        let (first_gram, ..) = vocabulary.columns();
        let others = self.others(|weights| &weights.grams, &vocabulary.grams().map(|(name, _)| name).collect());
        let ours = vocabulary.grams().enumerate();
        let ours = ours.map(move |(i, (name, value))| (name, self.type_row(first_gram + i, value)));
        ours.chain(others.into_iter().map(|name| (name, vec![0.0; self.heads.len()]))).map(|(name, mut row)| {
            self.add_table_row(|weights| &weights.grams, name, &mut row);
            ((name, row), 1.0)
        })
    }

    /// The rows of all start features, likewise.
    fn starts(&self) -> impl Iterator<Item = (u64, Vec<f32>)> {
        let names = &self.parts.shared.start_names;
        let others = self.others(|weights| &weights.starts, &names.iter().copied().collect());
        let ours = names.iter().enumerate().map(|(i, &name)| (name, Some(i)));
        ours.chain(others.into_iter().map(|name| (name, None))).map(|(name, id)| {
            let weight = |h: &&Head| id.and_then(|id| h.starts.get(id)).copied().unwrap_or_default();
            let mut row: Vec<f32> = self.heads.iter().map(weight).collect();
            self.add_table_row(|weights| &weights.starts, name, &mut row);
            (name, row)
        })
    }
}

/// True for what the text layer would read as one word; vectors name much that it would not.
fn is_word(name: &str) -> bool {
    let words = crate::text::words::Words::of(name);
    words.len() == 1 && words.iter().all(|w| words.lower(w) == name)
}

fn word_weight(head: &Head, features: &[(u32, f32)], vector: &[f32]) -> f32 {
    let own: f32 = features.iter().map(|(c, v)| head.types.get(*c as usize).copied().unwrap_or_default() * v).sum();
    own + head.vector.iter().zip(vector).map(|(g, e)| g * e).sum::<f32>()
}

/// The `most` rows whose largest weight times use is largest, by name.
fn most_useful(rows: impl Iterator<Item = ((u64, Vec<f32>), f32)>, most: usize) -> Vec<(u64, Vec<f32>)> {
    let mut rows: Vec<(f32, (u64, Vec<f32>))> = rows
        .map(|(row, used)| (row.1.iter().fold(0.0f32, |m, w| m.max(w.abs())) * used, row))
        .filter(|(use_of, _)| *use_of > 0.0)
        .collect();
    rows.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.0.cmp(&b.1.0)));
    rows.truncate(most);
    let mut rows: Vec<(u64, Vec<f32>)> = rows.into_iter().map(|(_, row)| row).collect();
    rows.par_sort_unstable_by_key(|(name, _)| *name);
    rows
}
