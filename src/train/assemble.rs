//! Folding: from the weights of all heads to the tables of a model.

use rayon::prelude::*;

use super::heads::{Head, Shared};
use crate::features::style;
use crate::features::vectors::Vectors;
use crate::model::Weights;
use crate::model::fold::Table;
use crate::text::words::hash;

/// Folds `heads` into tables, keeping the `pairs` and `grams` that matter most. `factors` are those of the vector dimensions.
pub fn fold(
    shared: &Shared,
    heads: &[Head],
    vectors: Option<&Vectors>,
    factors: &[f32],
    pairs: usize,
    grams: usize,
) -> Weights {
    let columns = heads.len();
    let mut names: Vec<String> = Vec::new();
    let vocabulary = &shared.vocabulary;
    names.extend(vocabulary.words()[..vocabulary.own()].iter().cloned());
    names.extend(
        vectors.into_iter().flat_map(Vectors::words).filter(|w| !vocabulary.knows(w) && is_word(w)).map(str::to_owned),
    );

    let rows: Vec<(u64, Vec<f32>)> = names
        .par_iter()
        .enumerate()
        .map(|(id, name)| {
            let mut features = Vec::new();
            if id < vocabulary.own() {
                features.extend(shared.types.row(id).map(|(c, v)| (c as u32, v)));
            } else {
                vocabulary.parts(name, &mut features);
            }
            let mut vector = vec![0.0; factors.len()];
            if let Some(vectors) = vectors {
                vectors.add(name, 1.0, &mut vector);
                vector.iter_mut().zip(factors).for_each(|(v, f)| *v *= f);
            }
            (hash(name), heads.iter().map(|head| word_weight(head, &features, &vector)).collect())
        })
        .collect();

    let (first_gram, first_subword, _) = vocabulary.columns();
    let part = |column: usize, value: f32| -> Vec<f32> {
        heads.iter().map(|h| h.types.get(column).copied().unwrap_or_default() * value).collect()
    };
    let gram_rows = vocabulary.grams().enumerate().map(|(i, (name, value))| (name, part(first_gram + i, value)));
    let subword_rows =
        vocabulary.subword_values().enumerate().map(|(i, value)| (i as u64, part(first_subword + i, value)));
    let pair_row = |i: usize| heads.iter().map(|h| h.pairs.get(i).copied().unwrap_or_default()).collect();
    // The idf is ln(N/df)/3: e^(-3·idf) is the share of texts that hold the pair.
    let pair_rows = vocabulary.pair_names.iter().zip(&vocabulary.pair_idf).enumerate().map(|(i, (&name, &idf))| {
        let row: Vec<f32> = pair_row(i);
        ((name, row), (-3.0 * idf).exp().sqrt())
    });
    let start_row = |i: usize| heads.iter().map(|h| h.starts.get(i).copied().unwrap_or_default()).collect();
    let start_rows = shared.start_names.iter().enumerate().map(|(i, &name)| (name, start_row(i)));

    Weights {
        columns,
        bias: heads.iter().map(|h| h.bias).collect(),
        style: (0..style::COUNT)
            .flat_map(|i| heads.iter().map(move |h| h.style.get(i).copied().unwrap_or_default()))
            .collect(),
        words: Table::build(columns, rows.into_iter()),
        names,
        pairs: Table::build(columns, most_useful(pair_rows, pairs).into_iter()),
        grams: Table::build(columns, most_useful(gram_rows.map(|row| (row, 1.0)), grams).into_iter()),
        subwords: Table::build(columns, subword_rows),
        starts: Table::build(columns, start_rows.filter(|(_, row): &(u64, Vec<f32>)| row.iter().any(|w| *w != 0.0))),
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
