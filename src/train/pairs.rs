//! Heads for any target: one design over texts and targets together, fitted out of fold on targets that they were not fitted on.

use std::collections::HashMap;

use linfa::prelude::*;
use ndarray::Array1;
use rayon::prelude::*;

use super::fit::Run;
use super::gather::ClassRows;
use super::heads::{Head, Shared};
use crate::error::{Error, Result};
use crate::features::design::Design;
use crate::features::pair::{Sensed, Senses, Sensing};
use crate::features::rows::Rows;
use crate::features::style;
use crate::features::vectors::Vectors;
use crate::features::vocabulary::NO_PAIR;
use crate::model::logistic::SparseLogistic;
use crate::model::target::{COPIES, PairHead, Seen, Target, dense_width};
use crate::text::polarity::{Mark, Role};
use crate::text::words::hash;

/// Copies that hold word pairs and vectors: plain, signed, turned round.
const RICH: usize = 3;
/// How much looser than others these fits may end: closer ones cost four times the time and moved no prediction.
const LOOSER: f64 = 20.0;
/// What a standardised dense number counts.
const DENSE_STRENGTH: f32 = 0.2;

/// Texts and targets as one design, and what is needed to read its weights.
pub(super) struct Pairs {
    design: Design,
    place: Place,
    /// Mean and spread of the dense numbers.
    moments: Vec<(f32, f32)>,
    parting: Parting,
}

/// The folds of the rows' targets and of their texts.
pub(super) struct Parting {
    pub targets: Vec<usize>,
    pub texts: Vec<usize>,
}

/// Where the columns of each block begin.
#[derive(Clone, Copy)]
struct Place {
    words: usize,
    own: usize,
    pairs: usize,
    pair_count: usize,
    vectors: usize,
    dimension: usize,
    style: usize,
    dense: usize,
    width: usize,
}

impl Place {
    fn of(shared: &Shared, dense: usize) -> Self {
        let (own, pair_count, dimension) =
            (shared.vocabulary.own(), shared.vocabulary.pair_names.len(), shared.vectors.ncols());
        let pairs = COPIES * own;
        let vectors = pairs + RICH * pair_count;
        let style = vectors + RICH * dimension;
        let from = style + style::COUNT;
        Self { words: 0, own, pairs, pair_count, vectors, dimension, style, dense: from, width: from + dense }
    }
}

/// What one word of a text counts in each copy.
fn factors(mark: Mark, sign: f32) -> [f32; COPIES - 1] {
    let negated = f32::from(mark.negated);
    let acted = if mark.acted { -sign } else { sign };
    [1.0, sign, acted, negated, negated * sign]
}

impl Run<'_> {
    /// The design of all rows with a target.
    pub(super) fn pairs(
        &self,
        shared: &Shared,
        vectors: Option<&Vectors>,
        rows: &ClassRows,
        parting: Parting,
    ) -> Pairs {
        let sensing = Sensing::new(vectors);
        let mut senses = Senses::default();
        let words = shared.vocabulary.words().iter().map(String::as_str);
        sensing.read(words.map(|word| (hash(word), word)), &mut senses, &mut Vec::new());
        let roles: Vec<Role> = shared.vocabulary.words().iter().map(|word| Role::of(word)).collect();
        let targets: HashMap<&str, Target> =
            self.data.targets.iter().map(|name| (name.as_str(), self.target(name, &sensing))).collect();
        let width = dense_width(vectors);
        let dense: Vec<Vec<f32>> = rows
            .rows
            .par_iter()
            .zip(&self.data.targets)
            .map_init(Seen::default, |seen, (&row, target)| {
                let words = &shared.texts[row as usize].types;
                let text = Sensed { senses: &senses, words };
                seen.read(words.iter().map(|&id| roles[id as usize]), text);
                let mut out = Vec::with_capacity(width);
                seen.dense(text, &targets[target.as_str()], &mut out);
                out
            })
            .collect();
        let moments = moments(&dense, width);
        let place = Place::of(shared, width);
        let mut design = Rows::new(place.width);
        let mut none = Rows::new(0);
        let mut seen = Seen::default();
        let mut entries = Vec::new();
        for ((&row, target), dense) in rows.rows.iter().zip(&self.data.targets).zip(&dense) {
            let words = &shared.texts[row as usize].types;
            seen.read(words.iter().map(|&id| roles[id as usize]), Sensed { senses: &senses, words });
            entries.clear();
            place.text(shared, row, &seen.marks, &targets[target.as_str()], &mut entries);
            entries.extend(dense.iter().zip(&moments).enumerate().map(|(i, (v, (mean, deviation)))| {
                ((place.dense + i) as u32, (v - mean) / deviation * DENSE_STRENGTH)
            }));
            design.push(entries.iter().copied());
            none.push([]);
        }
        let design = Design::new(none, Rows::new(0), ndarray::Array2::zeros((0, 0)), design);
        Pairs { design, place, moments, parting }
    }

    /// Fits a head on the rows with a truth; its columns are added to `heads`. Returns its out-of-fold logits of all rows, too.
    pub(super) fn pair_head(
        &self,
        shared: &Shared,
        pairs: &Pairs,
        rows: &ClassRows,
        truth: &[Option<bool>],
        heads: &mut Vec<Head>,
    ) -> Result<(PairHead, Vec<f64>)> {
        let some: Vec<usize> = (0..truth.len()).filter(|&i| truth[i].is_some()).collect();
        let classes: Vec<usize> = some.iter().map(|&i| usize::from(truth[i] == Some(true))).collect();
        let of_some = self.class_weights(&some.iter().map(|&i| rows.rows[i]).collect::<Vec<_>>(), &classes, 2);
        let mut weights = vec![0.0f32; truth.len()];
        some.iter().zip(of_some).for_each(|(&i, w)| weights[i] = w);
        let targets: Array1<f64> = truth.iter().map(|t| f64::from(u8::from(*t == Some(true)))).collect();
        let fit = |weights: Vec<f32>, initial: Option<Vec<f64>>| -> Result<Vec<f64>> {
            let mut params = SparseLogistic::default()
                .alpha(self.settings.l2_targets)
                .max_iterations(self.settings.max_iterations)
                .tolerance(self.settings.tolerance * LOOSER)
                .stop(self.stop.clone());
            if let Some(initial) = initial {
                params = params.initial(initial);
            }
            let data = DatasetBase::new(pairs.design.clone(), targets.clone()).with_weights(Array1::from(weights));
            Ok(params.fit(&data)?.into_parameters())
        };
        let mut out_of_fold = vec![0.0; truth.len()];
        let mut mean = vec![0.0; pairs.place.width + 1];
        let folds = self.settings.folds;
        let fitted: Vec<Vec<f64>> = (0..folds)
            .into_par_iter()
            .map(|fold| {
                let Parting { targets, texts } = &pairs.parting;
                let folds = targets.iter().zip(texts);
                let keep = |(&w, (&of_target, &of_text)): (&f32, (&usize, &usize))| {
                    if of_target == fold || of_text == fold { 0.0 } else { w }
                };
                fit(weights.iter().zip(folds).map(keep).collect(), None)
            })
            .collect::<Result<_>>()
            .map_err(|e| Error::settings(format!("stance toward any target: {e}")))?;
        for (fold, parameters) in fitted.iter().enumerate() {
            let (w, b) = parameters.split_at(pairs.place.width);
            let z = pairs.design.product(w);
            let intercept = b.first().copied().unwrap_or_default();
            (0..z.len()).filter(|&i| pairs.parting.texts[i] == fold).for_each(|i| out_of_fold[i] = z[i] + intercept);
            mean.iter_mut().zip(parameters).for_each(|(m, p)| *m += p / folds as f64);
        }
        let parameters = fit(weights, Some(mean))?;
        let (w, b) = parameters.split_at(pairs.place.width);
        let z = pairs.design.product(w);
        let intercept = b.first().copied().unwrap_or_default();
        (0..z.len()).filter(|&i| self.is_held_out(rows.rows[i])).for_each(|i| out_of_fold[i] = z[i] + intercept);
        Ok((pairs.head(shared, &parameters, heads), out_of_fold))
    }
}

impl Place {
    /// The entries of a text's words, and of the target's.
    fn text(self, shared: &Shared, row: u32, marks: &[Mark], target: &Target, out: &mut Vec<(u32, f32)>) {
        let text = &shared.texts[row as usize];
        let scale = (text.types.len().max(1) as f32).sqrt().recip();
        let idf = |id: u32| shared.types.row(id as usize).next().map_or(0.0, |(_, v)| v);
        let mut vectors = vec![0.0; RICH * self.dimension];
        for (&id, &mark) in text.types.iter().zip(marks) {
            let factors = factors(mark, target.sign);
            if (id as usize) < self.own {
                let value = scale * idf(id);
                let of_copy = factors.iter().enumerate().filter(|(_, f)| **f != 0.0);
                out.extend(of_copy.map(|(copy, f)| ((self.words + copy * self.own + id as usize) as u32, value * f)));
            }
            let vector = shared.vectors.row(id as usize);
            for (sum, factor) in vectors.chunks_exact_mut(self.dimension.max(1)).zip(factors) {
                sum.iter_mut().zip(vector).for_each(|(s, v)| *s += v * factor * scale);
            }
        }
        for (&pair, &mark) in text.pairs.iter().zip(marks.iter().skip(1)).filter(|(pair, _)| **pair != NO_PAIR) {
            let value = scale * shared.vocabulary.pair_idf[pair as usize];
            let of_copy = factors(mark, target.sign).into_iter().take(RICH).enumerate();
            out.extend(
                of_copy.map(|(copy, f)| ((self.pairs + copy * self.pair_count + pair as usize) as u32, value * f)),
            );
        }
        out.extend(vectors.into_iter().enumerate().map(|(i, v)| ((self.vectors + i) as u32, v)));
        let own = (target.words.len().max(1) as f32).sqrt().recip();
        for id in
            target.words.iter().filter_map(|w| shared.vocabulary.id(w.hash)).filter(|id| (*id as usize) < self.own)
        {
            out.push(((self.words + (COPIES - 1) * self.own + id as usize) as u32, own * idf(id)));
        }
        out.extend(shared.styles[row as usize].iter().enumerate().map(|(i, &v)| ((self.style + i) as u32, v)));
    }
}

impl Pairs {
    /// The rows whose out-of-fold logits come from a fit on other targets.
    pub(super) fn unseen(&self) -> Vec<bool> {
        self.parting.targets.iter().zip(&self.parting.texts).map(|(a, b)| a == b).collect()
    }

    /// Splits weights into the heads of the copies and the dense weights.
    fn head(&self, shared: &Shared, parameters: &[f64], heads: &mut Vec<Head>) -> PairHead {
        let Place { own, pair_count, dimension, .. } = self.place;
        let first_column = heads.len();
        let numbers = |from: usize, n: usize| parameters[from..from + n].iter().map(|&w| w as f32);
        let mut bias = parameters.last().copied().unwrap_or_default() as f32;
        let standardised = numbers(self.place.dense, self.place.width - self.place.dense);
        let dense: Vec<f32> = standardised
            .zip(&self.moments)
            .map(|(w, (mean, deviation))| {
                let weight = w * DENSE_STRENGTH / deviation;
                bias -= weight * mean;
                weight
            })
            .collect();
        for copy in 0..COPIES {
            let mut head = Head::default();
            head.types.resize(shared.types.width(), 0.0);
            let of_words = numbers(self.place.words + copy * own, own);
            head.types.iter_mut().zip(of_words).for_each(|(to, w)| *to = w);
            if copy < RICH {
                let of_pairs = numbers(self.place.pairs + copy * pair_count, pair_count);
                head.pairs = of_pairs.zip(&shared.vocabulary.pair_idf).map(|(w, idf)| w * idf).collect();
                head.vector = numbers(self.place.vectors + copy * dimension, dimension).collect();
            }
            if copy == 0 {
                head.style = numbers(self.place.style, style::COUNT).collect();
                head.bias = bias;
            }
            heads.push(head);
        }
        PairHead { first_column, dense }
    }
}

/// Mean and spread (1 where it is 0) of each number.
fn moments(rows: &[Vec<f32>], width: usize) -> Vec<(f32, f32)> {
    let n = rows.len().max(1) as f64;
    (0..width)
        .into_par_iter()
        .map(|i| {
            let mean = rows.iter().map(|r| f64::from(r[i])).sum::<f64>() / n;
            let spread = (rows.iter().map(|r| (f64::from(r[i]) - mean).powi(2)).sum::<f64>() / n).sqrt();
            (mean as f32, if spread > 1e-6 { spread as f32 } else { 1.0 })
        })
        .collect()
}
