//! Fitting one head: out of fold for what it is trusted with later, then on all rows; and what it says of a text.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use linfa::prelude::*;
use ndarray::Array1;
use rayon::prelude::*;

use super::heads::{Blocks, Head, Matrix, Shared, Task};
use super::metrics;
use super::recipe::Settings;
use super::stack::{Origin, Place, Said, Stacked};
use crate::error::Result;
use crate::features::style;
use crate::model::logistic::SparseLogistic;
use crate::model::peaks;
use crate::model::scoring::{is_long, windows};

/// What naive Bayes scaling leaves a word that tells nothing (Wang & Manning 2012 scale by the log-count ratio alone, which silences it).
const BAYES_FLOOR: f64 = 0.3;

/// How a head is held down.
#[derive(Debug, Clone, Copy, Default)]
struct Choice {
    l2: f64,
    bayes: bool,
}

/// A choice and what came of it out of fold: its AUC, the parameters of each fold, what they say of the other rows.
#[derive(Default)]
struct Trial {
    auc: f64,
    choice: Choice,
    fitted: Vec<Vec<f64>>,
    said: Vec<Said>,
}

impl Shared {
    /// Fits a head: out of fold on every fold but one, then on all rows, starting from the mean of the others. Of several L2 strengths
    /// and scalings those with the best AUC out of fold are taken.
    pub fn fit(&self, task: &Task<'_>, settings: &Settings, stop: &Arc<AtomicBool>) -> Result<Head> {
        let (head, said) = self.fit_and_say(task, settings, stop)?;
        let highest = |said: &Said| said.windows.iter().copied().reduce(f32::max).unwrap_or(said.whole);
        Ok(Head {
            out_of_fold: said.iter().map(|said| said.whole.into()).collect(),
            out_of_fold_highest: said.iter().map(|said| highest(said).into()).collect(),
            ..self.unstacked(head, task.stack)
        })
    }

    /// Fits a first-stage head and lets it say what it thinks of every text.
    pub fn fit_first_stage(
        &self,
        task: &Task<'_>,
        pooled: bool,
        settings: &Settings,
        stop: &Arc<AtomicBool>,
    ) -> Result<Stacked> {
        let (head, own) = self.fit_and_say(task, settings, stop)?;
        let words = self.folded(&head);
        let rows: Vec<u32> = (0..self.texts.len() as u32).collect();
        let mut said: Vec<Said> = rows.par_iter().map(|&row| self.say(row, &head, &words, task)).collect();
        for (&row, own) in task.rows.iter().zip(own) {
            said[row as usize] = own;
        }
        Ok(Stacked::new(Origin::Fitted(Box::new(head)), said, pooled))
    }

    fn fit_and_say(&self, task: &Task<'_>, settings: &Settings, stop: &Arc<AtomicBool>) -> Result<(Head, Vec<Said>)> {
        let matrix = self.matrix(task);
        let folds: Vec<usize> = task.rows.iter().map(|&r| self.folds[r as usize]).collect();
        let bayes = if task.bayes.is_empty() { &[false] } else { task.bayes };
        let choices: Vec<Choice> =
            bayes.iter().flat_map(|&bayes| task.l2.iter().map(move |&l2| Choice { l2, bayes })).collect();
        let mut best: Option<Trial> = None;
        for &choice in &choices {
            let warm = best.as_ref().map(|best| &best.fitted);
            let fitted: Vec<Vec<f64>> = (0..settings.folds)
                .into_par_iter()
                .map(|fold| {
                    let weights =
                        task.weights.iter().zip(&folds).map(|(&w, &f)| if f == fold { 0.0 } else { w }).collect();
                    let initial = warm.and_then(|warm| warm.get(fold)).cloned();
                    self.parameters(&matrix, task, choice, weights, initial, settings, stop)
                })
                .collect::<Result<_>>()?;
            let said = self.say_out_of_fold(&matrix, task, &folds, &fitted);
            let auc = if choices.len() > 1 { auc(task.targets, &said) } else { 0.0 };
            if best.as_ref().is_none_or(|best| auc > best.auc) {
                best = Some(Trial { auc, choice, fitted, said });
            }
        }
        let Trial { choice, fitted, mut said, .. } = best.unwrap_or_default();
        let n = fitted.len() as f64;
        let mean = (0..=matrix.design.width()).map(|i| fitted.iter().map(|p| p[i]).sum::<f64>() / n).collect();
        let parameters = self.parameters(&matrix, task, choice, task.weights.to_vec(), Some(mean), settings, stop)?;
        let head = self.head(&matrix, task, &parameters);
        // What the head was not fitted on is told by the head itself.
        if task.weights.contains(&0.0) {
            let words = self.folded(&head);
            let held_out = task.rows.iter().zip(task.weights).zip(&mut said).filter(|((_, w), _)| **w == 0.0);
            held_out.for_each(|((&row, _), said)| *said = self.say(row, &head, &words, task));
        }
        Ok((head, said))
    }

    fn say_out_of_fold(&self, matrix: &Matrix, task: &Task<'_>, folds: &[usize], fitted: &[Vec<f64>]) -> Vec<Said> {
        let mut out = vec![Said::default(); task.rows.len()];
        for (fold, parameters) in fitted.iter().enumerate() {
            let head = self.head(matrix, task, parameters);
            let words = self.folded(&head);
            for (i, &row) in task.rows.iter().enumerate().filter(|(i, _)| folds[*i] == fold) {
                out[i] = self.say(row, &head, &words, task);
            }
        }
        out
    }

    /// A head whose first-stage inputs are folded in: each is linear in the same features, so its weights just add up.
    fn unstacked(&self, mut head: Head, stack: &[usize]) -> Head {
        let weights = std::mem::take(&mut head.stack);
        for (&k, a) in stack.iter().zip(weights) {
            let first = match &self.stack[k].origin {
                Origin::Fitted(first) => first,
                Origin::Base(column) => {
                    head.base.push((*column, a));
                    self.add_base_pools(*column, a, &mut head);
                    continue;
                }
            };
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

    /// A column of the base model may itself look at local maxima: they count for the head as well.
    fn add_base_pools(&self, column: usize, a: f32, head: &mut Head) {
        for (pool, counts) in self.base_pools.get(&column).into_iter().flatten() {
            let place = head.pools.iter().position(|(k, _)| k == pool).unwrap_or_else(|| {
                head.pools.push((*pool, [0.0; peaks::COUNT]));
                head.pools.len() - 1
            });
            head.pools[place].1.iter_mut().zip(counts).for_each(|(sum, count)| *sum += a * count);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one call of the solver, its settings beside its data")]
    fn parameters(
        &self,
        matrix: &Matrix,
        task: &Task<'_>,
        choice: Choice,
        weights: Vec<f32>,
        initial: Option<Vec<f64>>,
        settings: &Settings,
        stop: &Arc<AtomicBool>,
    ) -> Result<Vec<f64>> {
        let mut params = SparseLogistic::default()
            .alpha(choice.l2)
            .max_iterations(settings.max_iterations)
            .tolerance(settings.tolerance)
            .stop(stop.clone());
        for (columns, strength) in self.blocks(matrix, &settings.l2_blocks) {
            params = params.block(columns, strength);
        }
        if choice.bayes {
            params = params.scaling(self.bayes(matrix, task, &weights));
        }
        if let Some(initial) = initial {
            params = params.initial(initial);
        }
        let targets: Array1<f64> = task.targets.iter().map(|&t| f64::from(t)).collect();
        let data = DatasetBase::new(matrix.design.clone(), targets).with_weights(Array1::from(weights));
        Ok(params.fit(&data)?.into_parameters())
    }

    /// How much each column counts by naive Bayes: words and pairs by what their counts in either class say, all else 1.
    fn bayes(&self, matrix: &Matrix, task: &Task<'_>, weights: &[f32]) -> Vec<f64> {
        let mut scaling = vec![1.0; matrix.design.width()];
        let own = self.vocabulary.own();
        let pairs = self.vocabulary.pair_names.len();
        let words = ratios(own, self.occurrences(task, weights, |text| &text.types));
        for (scale, &column) in scaling.iter_mut().zip(&matrix.types) {
            if let Some(ratio) = words.get(column as usize) {
                *scale = BAYES_FLOOR + ratio.abs();
            }
        }
        let place = self.direct();
        let ratios = ratios(pairs, self.occurrences(task, weights, |text| &text.pairs));
        let direct = matrix.design.width() - matrix.direct.len();
        for (scale, &column) in scaling[direct..].iter_mut().zip(&matrix.direct) {
            let pair = (column as usize).checked_sub(place.pairs).filter(|_| (column as usize) < place.stack);
            if let Some(ratio) = pair.and_then(|pair| ratios.get(pair)) {
                *scale = BAYES_FLOOR + ratio.abs();
            }
        }
        scaling
    }

    /// Ids of the texts in the fit, each with the class of its text.
    fn occurrences<'s>(
        &'s self,
        task: &'s Task<'_>,
        weights: &'s [f32],
        ids: impl Fn(&'s crate::features::vocabulary::Numbered) -> &'s [u32] + 's,
    ) -> impl Iterator<Item = (u32, bool)> + 's {
        let rows = task.rows.iter().zip(task.targets).zip(weights).filter(|(_, w)| **w > 0.0);
        rows.flat_map(move |((&row, &target), _)| {
            ids(&self.texts[row as usize]).iter().map(move |&id| (id, target >= 0.5))
        })
    }

    /// What a head says of a text and of its windows, by its folded words.
    fn say(&self, row: u32, head: &Head, words: &[f32], task: &Task<'_>) -> Said {
        let row = row as usize;
        let text = &self.texts[row];
        let base = |styles: &[[f32; style::COUNT]]| {
            head.bias
                + match task.blocks {
                    Blocks::Text => styles[row].iter().zip(&head.style).map(|(v, w)| v * w).sum::<f32>(),
                    Blocks::Reply | Blocks::ReplyText => {
                        let starts: f32 = self.starts[row].iter().map(|&id| head.starts[id as usize]).sum();
                        let around = self.surroundings[row].iter().zip(&head.surroundings);
                        starts + around.map(|(v, w)| v * w).sum::<f32>()
                    }
                }
        };
        let word = |i: usize| words[text.types[i] as usize];
        let pair = |i: usize| head.pairs.get(text.pairs[i - 1] as usize).copied().unwrap_or_default();
        let local: f32 = head
            .pools
            .iter()
            .flat_map(|(k, counts)| self.stack[*k].peaks(row).into_iter().zip(counts))
            .map(|(peak, count)| peak * count)
            .sum();
        let linear = |range: Range<usize>, place: Place| {
            let root = (range.len().max(1) as f32).sqrt();
            let pairs: f32 = (range.start + 1..range.end).map(pair).sum();
            let first: f32 = task.stack.iter().zip(&head.stack).map(|(&k, a)| a * self.stack[k].logit(place)).sum();
            (range.map(word).sum::<f32>() + pairs) / root + first + local
        };
        let n = text.types.len();
        let of_window = base(&self.window_styles);
        let window = |(w, range)| of_window + linear(range, Place::Window(self.window_starts[row] + w));
        Said {
            whole: base(&self.styles) + linear(0..n, Place::Whole(row)),
            peaks: peaks::SIZES.map(|size| peaks::highest(0..n, size, word, pair).value),
            windows: if is_long(n) { windows(n).enumerate().map(window).collect() } else { Vec::new() },
        }
    }
}

/// AUC of what a head says.
fn auc(targets: &[f32], said: &[Said]) -> f64 {
    let z: Vec<f64> = said.iter().map(|said| said.whole.into()).collect();
    let truth: Vec<bool> = targets.iter().map(|t| *t >= 0.5).collect();
    metrics::binary(&z, &truth, 0.5).roc_auc.unwrap_or(0.5)
}

/// For each id below `n` the log ratio of its smoothed shares of all occurrences in either class.
fn ratios(n: usize, occurrences: impl Iterator<Item = (u32, bool)>) -> Vec<f64> {
    let mut counts = vec![[1.0f64; 2]; n];
    for (id, class) in occurrences {
        if let Some(count) = counts.get_mut(id as usize) {
            count[usize::from(class)] += 1.0;
        }
    }
    let total = counts.iter().fold([0.0; 2], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
    counts.iter().map(|count| ((count[1] / total[1]) / (count[0] / total[0])).ln()).collect()
}
