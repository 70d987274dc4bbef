//! One head: the design matrix of its rows, and its weights under the numbers of the whole vocabulary.

use std::collections::HashMap;
use std::ops::Range;

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::recipe;
use super::stack::{Place, Stacked};
use crate::features::design::Design;
use crate::features::rows::Rows;
use crate::features::style;
use crate::features::vocabulary::{NO_PAIR, Numbered, Vocabulary};
use crate::model::peaks;

/// What all heads share: the numbered texts and the features of their words.
pub struct Shared {
    /// The vocabulary.
    pub vocabulary: Vocabulary,
    /// The texts.
    pub texts: Vec<Numbered>,
    /// Start features of each text, by number; only of rows with a stance toward the parent.
    pub starts: Vec<Box<[u32]>>,
    /// Names of the start features.
    pub start_names: Vec<u64>,
    /// What surrounds each reply with a stance, as its heads see it; empty for all other texts.
    pub surroundings: Vec<Box<[f32]>>,
    /// Style of each text, as a head sees it.
    pub styles: Vec<[f32; style::COUNT]>,
    /// The same for its windows.
    pub window_styles: Vec<[f32; style::COUNT]>,
    /// Word types × features.
    pub types: Rows,
    /// Word types × vector dimensions.
    pub vectors: Array2<f32>,
    /// The fold of each text.
    pub folds: Vec<usize>,
    /// The source of each text.
    pub sources: Vec<usize>,
    /// How many sources there are.
    pub source_count: usize,
    /// For each text the number of its first window among those of all texts.
    pub window_starts: Vec<usize>,
    /// First-stage heads; those fitted here once they are.
    pub stack: Vec<Stacked>,
    /// For columns of the base model the numbers, among `stack`, of the pooled heads that they look at, and what these count.
    pub base_pools: HashMap<usize, Vec<(usize, [f32; peaks::COUNT])>>,
}

/// Which features a head uses beside words and pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Blocks {
    /// N-grams, subwords, vectors and style: what a text says, whoever it answers.
    #[default]
    Text,
    /// Start features: how a reply opens.
    Reply,
    /// The same, and n-grams, subwords and vectors.
    ReplyText,
}

/// What one head is fitted on.
#[derive(Clone, Copy, Default)]
pub struct Task<'a> {
    /// Numbers of the texts.
    pub rows: &'a [u32],
    /// Targets, 0..1.
    pub targets: &'a [f32],
    /// Row weights.
    pub weights: &'a [f32],
    /// Features.
    pub blocks: Blocks,
    /// L2 strengths to choose from out of fold.
    pub l2: &'a [f64],
    /// First-stage heads whose logits are further inputs, by number.
    pub stack: &'a [usize],
    /// First-stage heads whose local maxima are further inputs, by number.
    pub pools: &'a [usize],
    /// Whether words and pairs that tell the classes apart pay less L2 (naive Bayes scaling): the answers to choose from out of fold.
    /// Empty: they do not.
    pub bayes: &'a [bool],
}

/// A fitted head. Weights stand under the numbers of the whole vocabulary.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// One weight a type feature.
    pub types: Vec<f32>,
    /// One weight a vector dimension.
    pub vector: Vec<f32>,
    /// One weight a style feature.
    pub style: Vec<f32>,
    /// One weight a pair, idf included.
    pub pairs: Vec<f32>,
    /// One weight a start feature.
    pub starts: Vec<f32>,
    /// One weight a number of the surroundings.
    pub surroundings: Vec<f32>,
    /// The intercept, with the source indicators at their mean.
    pub bias: f32,
    /// One weight a first-stage head of the task; folded into the others by [`Shared::fit`].
    pub(super) stack: Vec<f32>,
    /// Neutral words count nothing for it.
    pub neutral: bool,
    /// Columns of the base model's first-stage table and what they count.
    pub base: Vec<(usize, f32)>,
    /// First-stage heads by number and what their local maxima count.
    pub pools: Vec<(usize, [f32; peaks::COUNT])>,
    /// Out-of-fold logits of the task's rows.
    pub out_of_fold: Vec<f64>,
    /// The same of their highest windows.
    pub out_of_fold_highest: Vec<f64>,
}

/// What a start feature counts.
const START_STRENGTH: f32 = 0.3;
/// What a first-stage logit counts once it has the spread 1.
const STACK_STRENGTH: f64 = 0.12;
/// What a local maximum counts once it has the spread 1.
const PEAK_STRENGTH: f64 = 0.24;

/// A design matrix and the numbers its columns have in the whole vocabulary.
pub(super) struct Matrix {
    pub(super) design: Design,
    pub(super) types: Vec<u32>,
    pub(super) direct: Vec<u32>,
    /// Mean and spread of each first-stage head over the task's rows.
    moments: Vec<(f64, f64)>,
    /// The same of each local maximum.
    peak_moments: Vec<[(f64, f64); peaks::COUNT]>,
}

/// Where the direct features begin: style, sources, start features, pairs, first-stage logits, local maxima, surroundings.
pub(super) struct Direct {
    sources: usize,
    starts: usize,
    pub(super) pairs: usize,
    pub(super) stack: usize,
    peaks: usize,
    surroundings: usize,
    width: usize,
}

impl Shared {
    pub(super) fn direct(&self) -> Direct {
        let sources = style::COUNT;
        let starts = sources + self.source_count;
        let pairs = starts + self.start_names.len();
        let stack = pairs + self.vocabulary.pair_names.len();
        let peaks = stack + self.stack.len();
        let surroundings = peaks + self.stack.len() * peaks::COUNT;
        let width = surroundings + self.surroundings.iter().map(|numbers| numbers.len()).max().unwrap_or_default();
        Direct { sources, starts, pairs, stack, peaks, surroundings, width }
    }

    pub(super) fn matrix(&self, task: &Task<'_>) -> Matrix {
        let Task { rows, blocks, .. } = *task;
        let place = self.direct();
        let whole = |row: &u32| Place::Whole(*row as usize);
        let moments: Vec<(f64, f64)> =
            task.stack.iter().map(|&k| moments_of(rows, |row| self.stack[k].logit(whole(row)))).collect();
        let peak_moments: Vec<[(f64, f64); peaks::COUNT]> = task
            .pools
            .iter()
            .map(|&k| std::array::from_fn(|size| moments_of(rows, |row| self.stack[k].peaks(*row as usize)[size])))
            .collect();
        let mut words = Rows::new(self.vocabulary.len());
        let mut direct = Rows::new(place.width);
        let mut counts: Vec<u32> = Vec::new();
        for &row in rows {
            let text = &self.texts[row as usize];
            let scale = (text.types.len().max(1) as f32).sqrt().recip();
            words.push(counted(&text.types, &mut counts).into_iter().map(|(id, n)| (id, n * scale)));
            let pairs = counted(&text.pairs, &mut counts).into_iter().filter(|(id, _)| *id != NO_PAIR);
            let pairs = pairs
                .map(|(id, n)| ((place.pairs + id as usize) as u32, n * scale * self.vocabulary.pair_idf[id as usize]));
            let source = ((place.sources + self.sources[row as usize]) as u32, 1.0);
            match blocks {
                Blocks::Text => {
                    let style = self.styles[row as usize].iter().enumerate().map(|(i, &v)| (i as u32, v));
                    let at = whole(&row);
                    let stack = task.stack.iter().zip(&moments).map(|(&k, (mean, deviation))| {
                        let z = (f64::from(self.stack[k].logit(at)) - mean) / deviation * STACK_STRENGTH;
                        ((place.stack + k) as u32, z as f32)
                    });
                    let peaks = task.pools.iter().zip(&peak_moments).flat_map(|(&k, moments)| {
                        let values = self.stack[k].peaks(row as usize);
                        (0..peaks::COUNT).map(move |size| {
                            let (mean, deviation) = moments[size];
                            let z = (f64::from(values[size]) - mean) / deviation * PEAK_STRENGTH;
                            ((place.peaks + k * peaks::COUNT + size) as u32, z as f32)
                        })
                    });
                    direct.push(style.chain(std::iter::once(source)).chain(pairs).chain(stack).chain(peaks));
                }
                Blocks::Reply | Blocks::ReplyText => {
                    let starts = self.starts[row as usize].iter().map(|&id| (place.starts as u32 + id, START_STRENGTH));
                    let around = self.surroundings[row as usize].iter().enumerate();
                    let around = around.map(|(i, &v)| ((place.surroundings + i) as u32, v));
                    direct.push(std::iter::once(source).chain(starts).chain(pairs).chain(around));
                }
            }
        }
        let (words, kept) = words.compacted();
        let mut types = Rows::new(self.types.width());
        let own = self.vocabulary.own();
        for &id in &kept {
            let of_word = |(column, value): (usize, f32)| (column as u32, value);
            match blocks {
                Blocks::Text | Blocks::ReplyText => types.push(self.types.row(id as usize).map(of_word)),
                Blocks::Reply => types.push(self.types.row(id as usize).filter(|(c, _)| *c < own).map(of_word)),
            }
        }
        let vectors = match blocks {
            Blocks::Text | Blocks::ReplyText => {
                self.vectors.select(Axis(0), &kept.iter().map(|&id| id as usize).collect::<Vec<_>>())
            }
            Blocks::Reply => Array2::zeros((kept.len(), 0)),
        };
        let (types, type_columns) = types.compacted();
        let (direct, direct_columns) = direct.compacted();
        Matrix {
            design: Design::new(words, types, vectors, direct),
            types: type_columns,
            direct: direct_columns,
            moments,
            peak_moments,
        }
    }

    /// The folded word table of one head: a number a word type.
    pub(super) fn folded(&self, head: &Head) -> Vec<f32> {
        (0..self.types.len())
            .into_par_iter()
            .map(|id| {
                let own: f32 = self.types.row(id).map(|(column, value)| head.types[column] * value).sum();
                own + self.vectors.row(id).iter().zip(&head.vector).map(|(e, g)| e * g).sum::<f32>()
            })
            .collect()
    }

    /// The columns of each block of features, and its multiple of the L2 strength.
    pub(super) fn blocks(&self, matrix: &Matrix, strengths: &recipe::Blocks) -> [(Range<usize>, f64); 9] {
        let place = self.direct();
        let own = matrix.types.partition_point(|&c| (c as usize) < self.vocabulary.own());
        let vectors = matrix.types.len();
        let direct = matrix.design.width() - matrix.direct.len();
        let column = |from: usize| direct + matrix.direct.partition_point(|&c| (c as usize) < from);
        [
            (0..own, strengths.words),
            (own..vectors, strengths.parts),
            (vectors..direct, strengths.vectors),
            (direct..column(place.sources), strengths.style),
            (column(place.sources)..column(place.starts), strengths.sources),
            (column(place.starts)..column(place.stack), strengths.pairs),
            (column(place.stack)..column(place.peaks), strengths.stack),
            (column(place.peaks)..column(place.surroundings), strengths.peaks),
            (column(place.surroundings)..matrix.design.width(), 1.0),
        ]
    }

    /// Weights under the numbers of the whole vocabulary; the sources' mean joins the intercept.
    pub(super) fn head(&self, matrix: &Matrix, task: &Task<'_>, parameters: &[f64]) -> Head {
        let place = self.direct();
        let mut head = Head {
            types: vec![0.0; self.types.width()],
            style: vec![0.0; style::COUNT],
            pairs: vec![0.0; self.vocabulary.pair_names.len()],
            starts: vec![0.0; self.start_names.len()],
            surroundings: vec![0.0; place.width - place.surroundings],
            ..Head::default()
        };
        let (on_types, rest) = parameters.split_at(matrix.types.len());
        let (on_vectors, rest) = rest.split_at(rest.len() - 1 - matrix.direct.len());
        for (&column, &w) in matrix.types.iter().zip(on_types) {
            head.types[column as usize] = w as f32;
        }
        head.vector = on_vectors.iter().map(|&w| w as f32).collect();
        let mut of_source = vec![0.0; self.source_count];
        let (mut of_stack, mut of_peaks) = (Vec::new(), Vec::new());
        for (&column, &w) in matrix.direct.iter().zip(rest) {
            let column = column as usize;
            if column < place.sources {
                head.style[column] = w as f32;
            } else if column < place.starts {
                of_source[column - place.sources] = w;
            } else if column < place.pairs {
                head.starts[column - place.starts] = w as f32 * START_STRENGTH;
            } else if column >= place.surroundings {
                head.surroundings[column - place.surroundings] = w as f32;
            } else if column >= place.peaks {
                of_peaks.push(w);
            } else if column >= place.stack {
                of_stack.push(w);
            } else {
                head.pairs[column - place.pairs] = w as f32 * self.vocabulary.pair_idf[column - place.pairs];
            }
        }
        let total: f64 = task.weights.iter().map(|&w| f64::from(w)).sum();
        let by_source: f64 =
            task.rows.iter().zip(task.weights).map(|(&r, &w)| f64::from(w) * of_source[self.sources[r as usize]]).sum();
        let mut bias = parameters.last().copied().unwrap_or_default() + by_source / total.max(f64::MIN_POSITIVE);
        // Back from standardised first-stage logits to the logits themselves.
        for (w, (mean, deviation)) in of_stack.into_iter().zip(&matrix.moments) {
            let a = w * STACK_STRENGTH / deviation;
            bias -= a * mean;
            head.stack.push(a as f32);
        }
        // The columns stand in the order of the pooled heads' numbers, as do those of the logits.
        let of_peaks = of_peaks.chunks_exact(peaks::COUNT);
        for ((&k, weights), moments) in task.pools.iter().zip(of_peaks).zip(&matrix.peak_moments) {
            let mut counts = [0.0; peaks::COUNT];
            for ((count, w), (mean, deviation)) in counts.iter_mut().zip(weights).zip(moments) {
                let a = w * PEAK_STRENGTH / deviation;
                bias -= a * mean;
                *count = a as f32;
            }
            head.pools.push((k, counts));
        }
        head.bias = bias as f32;
        head
    }
}

/// Mean and standard deviation (1 where it is 0) of a value of some rows.
fn moments_of(rows: &[u32], value: impl Fn(&u32) -> f32) -> (f64, f64) {
    let n = rows.len().max(1) as f64;
    let mean = rows.iter().map(|row| f64::from(value(row))).sum::<f64>() / n;
    let deviation = (rows.iter().map(|row| (f64::from(value(row)) - mean).powi(2)).sum::<f64>() / n).sqrt();
    (mean, if deviation > 1e-9 { deviation } else { 1.0 })
}

/// Distinct numbers and how often each occurs.
fn counted(ids: &[u32], scratch: &mut Vec<u32>) -> Vec<(u32, f32)> {
    scratch.clear();
    scratch.extend_from_slice(ids);
    scratch.sort_unstable();
    scratch.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as f32)).collect()
}
