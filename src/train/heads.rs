//! Fitting one head: its design matrix, out-of-fold logits, and its weights under the names of the whole vocabulary.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use linfa::prelude::*;
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;

use super::recipe::{self, Settings};
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
    /// First-stage heads; none until they are fitted.
    pub stack: Vec<Stacked>,
}

/// A first-stage head and what it says of every text: its out-of-fold logits where it was fitted, else those of the whole fit.
pub struct Stacked {
    /// The head.
    pub head: Head,
    /// Logits of whole texts.
    pub whole: Vec<f32>,
    /// Logits of the windows of long texts, by text.
    pub windows: Vec<Box<[f32]>>,
}

/// Which features a head uses beside words and pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// N-grams, subwords, vectors and style: what a text says, whoever it answers.
    Text,
    /// Start features: how a reply opens.
    Reply,
    /// The same, and n-grams, subwords and vectors.
    ReplyText,
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
    /// First-stage heads whose logits are further inputs, by number.
    pub stack: &'a [usize],
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
    /// One weight a first-stage head of the task; folded into the others by [`Shared::fit`].
    stack: Vec<f32>,
    /// Out-of-fold logits of the task's rows.
    pub out_of_fold: Vec<f64>,
    /// The same of their highest windows.
    pub out_of_fold_highest: Vec<f64>,
}

/// What a start feature counts.
const START_STRENGTH: f32 = 0.3;
/// What a first-stage logit counts once it has the spread 1.
const STACK_STRENGTH: f64 = 0.12;

/// A design matrix and the numbers its columns have in the whole vocabulary.
struct Matrix {
    design: Design,
    types: Vec<u32>,
    direct: Vec<u32>,
    /// Mean and spread of each first-stage head over the task's rows.
    moments: Vec<(f64, f64)>,
}

/// Where the direct features begin: style, sources, start features, pairs.
struct Direct {
    sources: usize,
    starts: usize,
    pairs: usize,
    stack: usize,
    width: usize,
}

impl Shared {
    fn direct(&self) -> Direct {
        let sources = style::COUNT;
        let starts = sources + self.source_count;
        let pairs = starts + self.start_names.len();
        let stack = pairs + self.vocabulary.pair_names.len();
        Direct { sources, starts, pairs, stack, width: stack + self.stack.len() }
    }

    fn matrix(&self, task: &Task<'_>) -> Matrix {
        let Task { rows, blocks, .. } = *task;
        let place = self.direct();
        let moments: Vec<(f64, f64)> = task.stack.iter().map(|&k| moments(&self.stack[k].whole, rows)).collect();
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
                    let stack = task.stack.iter().zip(&moments).map(|(&k, (mean, deviation))| {
                        let z = (f64::from(self.stack[k].whole[row as usize]) - mean) / deviation * STACK_STRENGTH;
                        ((place.stack + k) as u32, z as f32)
                    });
                    direct.push(style.chain(std::iter::once(source)).chain(pairs).chain(stack));
                }
                Blocks::Reply | Blocks::ReplyText => {
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
        }
    }

    /// Fits a head: out of fold on every fold but one, then on all rows, starting from the mean of the others.
    pub fn fit(&self, task: &Task<'_>, settings: &Settings, stop: &Arc<AtomicBool>) -> Result<Head> {
        let (head, logits) = self.fit_and_predict(task, settings, stop)?;
        Ok(Head {
            out_of_fold: logits.iter().map(|z| z.whole.into()).collect(),
            out_of_fold_highest: logits
                .iter()
                .map(|z| z.windows.iter().copied().reduce(f32::max).unwrap_or(z.whole).into())
                .collect(),
            ..self.unstacked(head, task.stack)
        })
    }

    /// Fits a first-stage head and lets it say what it thinks of every text.
    pub fn fit_first_stage(&self, task: &Task<'_>, settings: &Settings, stop: &Arc<AtomicBool>) -> Result<Stacked> {
        let (head, own) = self.fit_and_predict(task, settings, stop)?;
        let words = self.folded(&head);
        let rows: Vec<u32> = (0..self.texts.len() as u32).collect();
        let mut logits: Vec<TextLogits> = rows.par_iter().map(|&row| self.logits(row, &head, &words, task)).collect();
        for (&row, z) in task.rows.iter().zip(own) {
            logits[row as usize] = z;
        }
        let whole = logits.iter().map(|z| z.whole).collect();
        Ok(Stacked { head, whole, windows: logits.into_iter().map(|z| z.windows).collect() })
    }

    fn fit_and_predict(
        &self,
        task: &Task<'_>,
        settings: &Settings,
        stop: &Arc<AtomicBool>,
    ) -> Result<(Head, Vec<TextLogits>)> {
        let matrix = self.matrix(task);
        let folds: Vec<usize> = task.rows.iter().map(|&r| self.folds[r as usize]).collect();
        let fitted: Vec<Vec<f64>> = (0..settings.folds)
            .into_par_iter()
            .map(|fold| {
                let weights = task.weights.iter().zip(&folds).map(|(&w, &f)| if f == fold { 0.0 } else { w }).collect();
                self.parameters(&matrix, task, weights, None, settings, stop)
            })
            .collect::<Result<_>>()?;
        let mut out_of_fold = vec![TextLogits::default(); task.rows.len()];
        for (fold, parameters) in fitted.iter().enumerate() {
            let head = self.head(&matrix, task, parameters);
            let words = self.folded(&head);
            for (i, &row) in task.rows.iter().enumerate().filter(|(i, _)| folds[*i] == fold) {
                out_of_fold[i] = self.logits(row, &head, &words, task);
            }
        }
        let n = fitted.len() as f64;
        let mean = (0..=matrix.design.width()).map(|i| fitted.iter().map(|p| p[i]).sum::<f64>() / n).collect();
        let parameters = self.parameters(&matrix, task, task.weights.to_vec(), Some(mean), settings, stop)?;
        Ok((self.head(&matrix, task, &parameters), out_of_fold))
    }

    /// The folded word table of one head: a number a word type.
    fn folded(&self, head: &Head) -> Vec<f32> {
        (0..self.types.len())
            .into_par_iter()
            .map(|id| {
                let own: f32 = self.types.row(id).map(|(column, value)| head.types[column] * value).sum();
                own + self.vectors.row(id).iter().zip(&head.vector).map(|(e, g)| e * g).sum::<f32>()
            })
            .collect()
    }

    /// A head whose first-stage inputs are folded in: each is linear in the same features, so its weights just add up.
    fn unstacked(&self, mut head: Head, stack: &[usize]) -> Head {
        let weights = std::mem::take(&mut head.stack);
        for (&k, a) in stack.iter().zip(weights) {
            let first = &self.stack[k].head;
            let add = |to: &mut Vec<f32>, from: &[f32]| {
                to.resize(to.len().max(from.len()), 0.0);
                to.iter_mut().zip(from).for_each(|(to, from)| *to += a * from);
            };
            add(&mut head.types, &first.types);
            add(&mut head.vector, &first.vector);
            add(&mut head.style, &first.style);
            add(&mut head.pairs, &first.pairs);
            head.bias += a * first.bias;
        }
        head
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
        let mut params = SparseLogistic::default()
            .alpha(task.l2)
            .max_iterations(settings.max_iterations)
            .tolerance(settings.tolerance)
            .stop(stop.clone());
        for (columns, strength) in self.blocks(matrix, &settings.l2_blocks) {
            params = params.block(columns, strength);
        }
        if let Some(initial) = initial {
            params = params.initial(initial);
        }
        let targets: Array1<f64> = task.targets.iter().map(|&t| f64::from(t)).collect();
        let data = DatasetBase::new(matrix.design.clone(), targets).with_weights(Array1::from(weights));
        Ok(params.fit(&data)?.into_parameters())
    }

    /// The columns of each block of features, and its multiple of the L2 strength.
    fn blocks(&self, matrix: &Matrix, strengths: &recipe::Blocks) -> [(Range<usize>, f64); 7] {
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
            (column(place.stack)..matrix.design.width(), strengths.stack),
        ]
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
        let mut of_stack = Vec::new();
        for (&column, &w) in matrix.direct.iter().zip(rest) {
            let column = column as usize;
            if column < place.sources {
                head.style[column] = w as f32;
            } else if column < place.starts {
                of_source[column - place.sources] = w;
            } else if column < place.pairs {
                head.starts[column - place.starts] = w as f32 * START_STRENGTH;
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
        head.bias = bias as f32;
        head
    }

    /// The logits of a text and of its windows, by the folded words of a head.
    fn logits(&self, row: u32, head: &Head, words: &[f32], task: &Task<'_>) -> TextLogits {
        let text = &self.texts[row as usize];
        let base = head.bias
            + match task.blocks {
                Blocks::Text => self.styles[row as usize].iter().zip(&head.style).map(|(v, w)| v * w).sum::<f32>(),
                Blocks::Reply | Blocks::ReplyText => {
                    self.starts[row as usize].iter().map(|&id| head.starts[id as usize]).sum()
                }
            };
        let pair = |i: usize| head.pairs.get(text.pairs[i] as usize).copied().unwrap_or_default();
        let logit = |range: Range<usize>| {
            let pairs: f32 = (range.start..range.end.saturating_sub(1)).map(pair).sum();
            let n = range.len().max(1) as f32;
            base + (range.map(|i| words[text.types[i] as usize]).sum::<f32>() + pairs) / n.sqrt()
        };
        let first = |of: &dyn Fn(&Stacked) -> f32| -> f32 {
            task.stack.iter().zip(&head.stack).map(|(&k, a)| a * of(&self.stack[k])).sum()
        };
        let n = text.types.len();
        let whole = logit(0..n) + first(&|s| s.whole[row as usize]);
        let windows = windows(n);
        let windows = if windows.len() == 1 { Vec::new() } else { windows };
        let of_window = |(w, range)| logit(range) + first(&|s| s.windows[row as usize][w]);
        TextLogits { whole, windows: windows.into_iter().enumerate().map(of_window).collect() }
    }
}

/// What a head says of a text and, if it is long, of its windows.
#[derive(Debug, Clone, Default)]
struct TextLogits {
    whole: f32,
    windows: Box<[f32]>,
}

/// Mean and standard deviation (1 where it is 0) of the values of some rows.
fn moments(values: &[f32], rows: &[u32]) -> (f64, f64) {
    let n = rows.len().max(1) as f64;
    let value = |&row: &u32| f64::from(values[row as usize]);
    let mean = rows.iter().map(value).sum::<f64>() / n;
    let deviation = (rows.iter().map(|r| (value(r) - mean).powi(2)).sum::<f64>() / n).sqrt();
    (mean, if deviation > 1e-9 { deviation } else { 1.0 })
}

/// Distinct numbers and how often each occurs.
fn counted(ids: &[u32], scratch: &mut Vec<u32>) -> Vec<(u32, f32)> {
    scratch.clear();
    scratch.extend_from_slice(ids);
    scratch.sort_unstable();
    scratch.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as f32)).collect()
}
