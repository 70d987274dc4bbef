//! Fitting one head: its design matrix, out-of-fold logits, and its weights under the names of the whole vocabulary.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use linfa::prelude::*;
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;

use super::recipe::Settings;
use crate::error::Result;
use crate::features::design::Design;
use crate::features::rows::Rows;
use crate::features::style;
use crate::features::vocabulary::{NO_PAIR, Numbered, Vocabulary};
use crate::model::logistic::SparseLogistic;
use crate::model::scoring::windows;

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
    /// Style of each text, as a head sees it.
    pub styles: Vec<[f32; style::COUNT]>,
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
}

/// Which features a head uses beside words and pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// N-grams, subwords, vectors and style: what a text says, whoever it answers.
    Text,
    /// Start features: how a reply opens.
    Reply,
}

/// What one head is fitted on.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// Numbers of the texts.
    pub rows: &'a [u32],
    /// Targets, 0..1.
    pub targets: &'a [f32],
    /// Row weights.
    pub weights: &'a [f32],
    /// Features.
    pub blocks: Blocks,
    /// L2 strength.
    pub l2: f64,
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
    /// The intercept, with the source indicators at their mean.
    pub bias: f32,
    /// Out-of-fold logits of the task's rows.
    pub out_of_fold: Vec<f64>,
    /// The same of their highest windows.
    pub out_of_fold_highest: Vec<f64>,
}

/// What a start feature counts.
const START_STRENGTH: f32 = 0.3;

/// A design matrix and the numbers its columns have in the whole vocabulary.
struct Matrix {
    design: Design,
    words: Vec<u32>,
    types: Vec<u32>,
    direct: Vec<u32>,
}

/// Where the direct features begin: style, sources, start features, pairs.
struct Direct {
    sources: usize,
    starts: usize,
    pairs: usize,
    width: usize,
}

impl Shared {
    fn direct(&self) -> Direct {
        let sources = style::COUNT;
        let starts = sources + self.source_count;
        let pairs = starts + self.start_names.len();
        Direct { sources, starts, pairs, width: pairs + self.vocabulary.pair_names.len() }
    }

    fn matrix(&self, rows: &[u32], blocks: Blocks) -> Matrix {
        let place = self.direct();
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
                    direct.push(style.chain(std::iter::once(source)).chain(pairs));
                }
                Blocks::Reply => {
                    let starts = self.starts[row as usize].iter().map(|&id| (place.starts as u32 + id, START_STRENGTH));
                    direct.push(std::iter::once(source).chain(starts).chain(pairs));
                }
            }
        }
        let (words, kept) = words.compacted();
        let mut types = Rows::new(self.types.width());
        let own = self.vocabulary.own();
        for &id in &kept {
            let of_word = |(column, value): (usize, f32)| (column as u32, value);
            match blocks {
                Blocks::Text => types.push(self.types.row(id as usize).map(of_word)),
                Blocks::Reply => types.push(self.types.row(id as usize).filter(|(c, _)| *c < own).map(of_word)),
            }
        }
        let vectors = match blocks {
            Blocks::Text => self.vectors.select(Axis(0), &kept.iter().map(|&id| id as usize).collect::<Vec<_>>()),
            Blocks::Reply => Array2::zeros((kept.len(), 0)),
        };
        let (types, type_columns) = types.compacted();
        let (direct, direct_columns) = direct.compacted();
        Matrix {
            design: Design::new(words, types, vectors, direct),
            words: kept,
            types: type_columns,
            direct: direct_columns,
        }
    }

    /// Fits a head: out of fold on every fold but one, then on all rows, starting from the mean of the others.
    pub fn fit(&self, task: &Task<'_>, settings: &Settings, stop: &Arc<AtomicBool>) -> Result<Head> {
        let matrix = self.matrix(task.rows, task.blocks);
        let folds: Vec<usize> = task.rows.iter().map(|&r| self.folds[r as usize]).collect();
        let fitted: Vec<Vec<f64>> = (0..settings.folds)
            .into_par_iter()
            .map(|fold| {
                let weights = task.weights.iter().zip(&folds).map(|(&w, &f)| if f == fold { 0.0 } else { w }).collect();
                self.parameters(&matrix, task, weights, None, settings, stop)
            })
            .collect::<Result<_>>()?;

        let mut out_of_fold = vec![0.0; task.rows.len()];
        let mut highest = vec![0.0; task.rows.len()];
        for (fold, parameters) in fitted.iter().enumerate() {
            let head = self.head(&matrix, task, parameters);
            let words = matrix.design.fold(&parameters[..matrix.design.width()]);
            let words: HashMap<u32, f32> = matrix.words.iter().zip(words).map(|(&id, f)| (id, f as f32)).collect();
            for (i, &row) in task.rows.iter().enumerate().filter(|(i, _)| folds[*i] == fold) {
                (out_of_fold[i], highest[i]) = self.logits(row, &head, &words, task.blocks);
            }
        }
        let n = fitted.len() as f64;
        let mean = (0..=matrix.design.width()).map(|i| fitted.iter().map(|p| p[i]).sum::<f64>() / n).collect();
        let parameters = self.parameters(&matrix, task, task.weights.to_vec(), Some(mean), settings, stop)?;
        Ok(Head { out_of_fold, out_of_fold_highest: highest, ..self.head(&matrix, task, &parameters) })
    }

    fn parameters(
        &self,
        matrix: &Matrix,
        task: &Task<'_>,
        weights: Vec<f32>,
        initial: Option<Vec<f64>>,
        settings: &Settings,
        stop: &Arc<AtomicBool>,
    ) -> Result<Vec<f64>> {
        let place = self.direct();
        let first = matrix.design.width() - matrix.direct.len();
        let column = |from: usize| first + matrix.direct.partition_point(|&c| (c as usize) < from);
        let mut params = SparseLogistic::default()
            .alpha(task.l2)
            .block(column(place.sources)..column(place.starts), settings.l2_sources)
            .max_iterations(settings.max_iterations)
            .tolerance(settings.tolerance)
            .stop(stop.clone());
        if let Some(initial) = initial {
            params = params.initial(initial);
        }
        let targets: Array1<f64> = task.targets.iter().map(|&t| f64::from(t)).collect();
        let data = DatasetBase::new(matrix.design.clone(), targets).with_weights(Array1::from(weights));
        Ok(params.fit(&data)?.into_parameters())
    }

    /// Weights under the numbers of the whole vocabulary; the sources' mean joins the intercept.
    fn head(&self, matrix: &Matrix, task: &Task<'_>, parameters: &[f64]) -> Head {
        let place = self.direct();
        let mut head = Head {
            types: vec![0.0; self.types.width()],
            style: vec![0.0; style::COUNT],
            pairs: vec![0.0; self.vocabulary.pair_names.len()],
            starts: vec![0.0; self.start_names.len()],
            ..Head::default()
        };
        let (on_types, rest) = parameters.split_at(matrix.types.len());
        let (on_vectors, rest) = rest.split_at(rest.len() - 1 - matrix.direct.len());
        for (&column, &w) in matrix.types.iter().zip(on_types) {
            head.types[column as usize] = w as f32;
        }
        head.vector = on_vectors.iter().map(|&w| w as f32).collect();
        let mut of_source = vec![0.0; self.source_count];
        for (&column, &w) in matrix.direct.iter().zip(rest) {
            let column = column as usize;
            if column < place.sources {
                head.style[column] = w as f32;
            } else if column < place.starts {
                of_source[column - place.sources] = w;
            } else if column < place.pairs {
                head.starts[column - place.starts] = w as f32 * START_STRENGTH;
            } else {
                head.pairs[column - place.pairs] = w as f32 * self.vocabulary.pair_idf[column - place.pairs];
            }
        }
        let total: f64 = task.weights.iter().map(|&w| f64::from(w)).sum();
        let by_source: f64 =
            task.rows.iter().zip(task.weights).map(|(&r, &w)| f64::from(w) * of_source[self.sources[r as usize]]).sum();
        head.bias = (parameters.last().copied().unwrap_or_default() + by_source / total.max(f64::MIN_POSITIVE)) as f32;
        head
    }

    /// The logit of a text and that of its highest window.
    fn logits(&self, row: u32, head: &Head, words: &HashMap<u32, f32>, blocks: Blocks) -> (f64, f64) {
        let text = &self.texts[row as usize];
        let base = match blocks {
            Blocks::Text => self.styles[row as usize].iter().zip(&head.style).map(|(v, w)| v * w).sum::<f32>(),
            Blocks::Reply => self.starts[row as usize].iter().map(|&id| head.starts[id as usize]).sum(),
        } + head.bias;
        let word = |i: usize| words.get(&text.types[i]).copied().unwrap_or_default();
        let pair = |i: usize| head.pairs.get(text.pairs[i] as usize).copied().unwrap_or_default();
        let logit = |range: Range<usize>| {
            let pairs: f32 = (range.start..range.end.saturating_sub(1)).map(pair).sum();
            let n = range.len().max(1) as f32;
            f64::from(base + (range.map(word).sum::<f32>() + pairs) / n.sqrt())
        };
        let n = text.types.len();
        let whole = logit(0..n);
        let windows = windows(n);
        let highest = if windows.len() == 1 { whole } else { windows.into_iter().map(logit).fold(f64::MIN, f64::max) };
        (whole, highest)
    }
}

/// Distinct numbers and how often each occurs.
fn counted(ids: &[u32], scratch: &mut Vec<u32>) -> Vec<(u32, f32)> {
    scratch.clear();
    scratch.extend_from_slice(ids);
    scratch.sort_unstable();
    scratch.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as f32)).collect()
}
