//! Logistic regression on sparse, factored rows: a linfa citizen (`Records`, `ParamGuard`, `Fit`, `PredictInplace`).
//!
//! Minimises `Σ vᵢ·logloss(tᵢ, b + xᵢ·w) + ½·α·Σ λ_j·w_j²` by L-BFGS (argmin, the solver under linfa-logistic), with soft targets
//! `t` in 0..1, row weights `v`, an L2 strength per block of columns and a free intercept. linfa-logistic's own objective is the
//! case of dense rows, weights 1 and λ 1, and a test holds this fit to its weights.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use argmin::core::{CostFunction, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use linfa::ParamGuard;
use linfa::dataset::{AsSingleTargets, Records};
use linfa::prelude::*;
use ndarray::Array1;
use rayon::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::features::design::Design;

/// Vectors L-BFGS remembers.
const MEMORY: usize = 8;
/// Evaluations without a lower cost after which the line search is stopped: argmin's has no limit of its own and, where rounding
/// hides any descent, no end.
const PATIENCE: u32 = 40;
/// Times the search starts anew from its best point after the line search gave up.
const ATTEMPTS: usize = 4;
/// Rows whose losses are summed by one thread; fixed, so that the sum does not depend on the number of threads.
const CHUNK: usize = 4096;

/// Settings of a fit. Unchecked; `check` (or `fit`) makes sure that they mean something.
#[derive(Debug, Clone)]
pub struct SparseLogistic(ValidSparseLogistic);

/// Checked settings of a fit.
#[derive(Debug, Clone)]
pub struct ValidSparseLogistic {
    alpha: f64,
    blocks: Vec<(Range<usize>, f64)>,
    scaling: Option<Vec<f64>>,
    max_iterations: u64,
    tolerance: f64,
    initial: Option<Vec<f64>>,
    stop: Option<Arc<AtomicBool>>,
}

impl Default for SparseLogistic {
    fn default() -> Self {
        Self(ValidSparseLogistic {
            alpha: 1.0,
            blocks: Vec::new(),
            scaling: None,
            max_iterations: 500,
            tolerance: 1e-5,
            initial: None,
            stop: None,
        })
    }
}

impl SparseLogistic {
    /// L2 strength on the summed loss (1/C of scikit-learn). Default 1.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.0.alpha = alpha;
        self
    }

    /// Multiplies the L2 strength of some columns; columns that are not named keep 1.
    #[must_use]
    pub fn block(mut self, columns: Range<usize>, strength: f64) -> Self {
        self.0.blocks.push((columns, strength));
        self
    }

    /// Multiplies each column by a number above 0 before the fit. The weights returned are those of the columns as they came, so this
    /// only shifts what L2 holds down: a column scaled by 2 pays a quarter.
    #[must_use]
    pub fn scaling(mut self, scaling: Vec<f64>) -> Self {
        self.0.scaling = Some(scaling);
        self
    }

    /// Most iterations; reaching them is [`ErrorKind::NotConverged`]. Default 500.
    #[must_use]
    pub fn max_iterations(mut self, n: u64) -> Self {
        self.0.max_iterations = n;
        self
    }

    /// The largest component of the gradient at the end, per unit of row weight. Default 1e-5.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.0.tolerance = tolerance;
        self
    }

    /// Starts from these weights, the intercept last.
    #[must_use]
    pub fn initial(mut self, weights: Vec<f64>) -> Self {
        self.0.initial = Some(weights);
        self
    }

    /// Gives up with [`ErrorKind::Interrupted`] once this is true.
    #[must_use]
    pub fn stop(mut self, stop: Arc<AtomicBool>) -> Self {
        self.0.stop = Some(stop);
        self
    }
}

impl ParamGuard for SparseLogistic {
    type Checked = ValidSparseLogistic;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        if !self.0.alpha.is_finite() || self.0.alpha < 0.0 {
            return Err(Error::settings(format!("the L2 strength must be 0 or more, not {}", self.0.alpha)));
        }
        if let Some((_, strength)) = self.0.blocks.iter().find(|(_, s)| !s.is_finite() || *s < 0.0) {
            return Err(Error::settings(format!("the L2 strength of a block must be 0 or more, not {strength}")));
        }
        if self.0.scaling.iter().flatten().any(|s| !positive(*s)) {
            return Err(Error::settings("the scales of columns must be above 0"));
        }
        if !positive(self.0.tolerance) || self.0.max_iterations == 0 {
            return Err(Error::settings("tolerance and max_iterations must be above 0"));
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl Records for Design {
    type Elem = f64;

    fn nsamples(&self) -> usize {
        self.len()
    }

    fn nfeatures(&self) -> usize {
        self.width()
    }
}

/// A fitted regression.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedSparseLogistic {
    /// One weight a column of the design.
    pub weights: Vec<f64>,
    /// The intercept.
    pub intercept: f64,
}

impl FittedSparseLogistic {
    /// Logits of rows.
    pub fn logits(&self, rows: &Design) -> Vec<f64> {
        let mut z = rows.product(&self.weights);
        z.iter_mut().for_each(|z| *z += self.intercept);
        z
    }

    /// All parameters, the intercept last: the shape [`SparseLogistic::initial`] takes.
    pub fn into_parameters(self) -> Vec<f64> {
        let mut parameters = self.weights;
        parameters.push(self.intercept);
        parameters
    }
}

impl<T: AsSingleTargets<Elem = f64>> Fit<Design, T, Error> for ValidSparseLogistic {
    type Object = FittedSparseLogistic;

    fn fit(&self, dataset: &DatasetBase<Design, T>) -> Result<Self::Object> {
        let rows = dataset.records();
        let targets: Vec<f64> = dataset.as_single_targets().to_vec();
        if targets.iter().any(|t| !(0.0..=1.0).contains(t)) {
            return Err(Error::settings("targets of a logistic regression must lie in 0..1"));
        }
        let weights = match dataset.weights() {
            Some(weights) => weights.iter().map(|&w| f64::from(w)).collect(),
            None => vec![1.0; targets.len()],
        };
        let width = rows.width();
        let mut l2 = vec![self.alpha; width];
        for (columns, strength) in &self.blocks {
            l2.get_mut(columns.clone()).into_iter().flatten().for_each(|l| *l = self.alpha * strength);
        }
        let scaling = match &self.scaling {
            Some(scaling) if scaling.len() != width => {
                return Err(Error::settings(format!("{} scales for {width} columns", scaling.len())));
            }
            scaling => scaling.as_deref(),
        };
        let initial = match &self.initial {
            Some(initial) if initial.len() == width + 1 => unscaled(initial, scaling),
            Some(initial) => {
                return Err(Error::settings(format!("{} initial weights for {} columns", initial.len(), width + 1)));
            }
            None => vec![0.0; width + 1],
        };
        let total: f64 = weights.iter().sum();
        let problem = Problem {
            rows,
            targets: &targets,
            weights: &weights,
            l2: &l2,
            scaling,
            stop: self.stop.as_deref(),
            last: Mutex::new(None),
            best: Mutex::new(Best { cost: f64::INFINITY, parameters: None, stale: 0 }),
        };
        let mut fitted = self.minimise(&problem, initial, total.max(f64::MIN_POSITIVE))?;
        fitted.weights.iter_mut().zip(scaling.into_iter().flatten()).for_each(|(w, s)| *w *= s);
        Ok(fitted)
    }
}

impl ValidSparseLogistic {
    /// Runs L-BFGS, once more from the best point where the line search gave up, and holds the result to the tolerance.
    fn minimise(&self, problem: &Problem<'_>, initial: Vec<f64>, total: f64) -> Result<FittedSparseLogistic> {
        let interrupted = || problem.stop.is_some_and(|s| s.load(Ordering::Relaxed));
        let mut parameters = initial;
        let (mut iterations, mut largest) = (0, f64::INFINITY);
        for _ in 0..ATTEMPTS {
            let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
                .with_tolerance_cost(0.0)
                .and_then(|s| s.with_tolerance_grad(self.tolerance * total))
                .map_err(|e| Error::settings(e.to_string()))?;
            let left = self.max_iterations.saturating_sub(iterations);
            let run = Executor::new(problem, solver).configure(|s| s.param(parameters.clone()).max_iters(left)).run();
            if interrupted() {
                return Err(ErrorKind::Interrupted.into());
            }
            // An error of the line search: rounding hides any further descent from here with the curvature remembered.
            iterations += run.as_ref().map_or(0, |r| r.state().get_iter());
            if let Some(best) = problem.best() {
                parameters = best;
            }
            let gradient = problem.gradient(&parameters).map_err(|_| ErrorKind::Interrupted)?;
            largest = gradient.iter().fold(0.0, |m: f64, g| m.max(g.abs())) / total;
            if largest <= self.tolerance {
                let intercept = parameters.pop().unwrap_or_default();
                return Ok(FittedSparseLogistic { weights: parameters, intercept });
            }
            if iterations >= self.max_iterations {
                break;
            }
        }
        Err(ErrorKind::NotConverged { iterations, gradient: largest, tolerance: self.tolerance }.into())
    }
}

impl PredictInplace<Design, Array1<f64>> for FittedSparseLogistic {
    fn predict_inplace(&self, rows: &Design, y: &mut Array1<f64>) {
        y.iter_mut().zip(self.logits(rows)).for_each(|(y, z)| *y = sigmoid(z));
    }

    fn default_target(&self, rows: &Design) -> Array1<f64> {
        Array1::zeros(rows.len())
    }
}

/// The logistic function.
pub fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Weights of columns as they came, the intercept last, as weights of scaled columns.
fn unscaled(initial: &[f64], scaling: Option<&[f64]>) -> Vec<f64> {
    let mut out = initial.to_vec();
    out.iter_mut().zip(scaling.into_iter().flatten()).for_each(|(w, s)| *w /= s);
    out
}

struct Problem<'a> {
    rows: &'a Design,
    targets: &'a [f64],
    weights: &'a [f64],
    l2: &'a [f64],
    scaling: Option<&'a [f64]>,
    stop: Option<&'a AtomicBool>,
    /// The last point looked at and the logits there.
    last: Mutex<Option<(Vec<f64>, Vec<f64>)>>,
    /// The lowest cost seen and where: argmin keeps its state to itself when the line search fails.
    best: Mutex<Best>,
}

struct Best {
    cost: f64,
    parameters: Option<Vec<f64>>,
    /// Evaluations since then.
    stale: u32,
}

impl Problem<'_> {
    fn best(&self) -> Option<Vec<f64>> {
        self.best.lock().ok().and_then(|mut best| {
            best.stale = 0;
            best.parameters.clone()
        })
    }

    /// Keeps the best point; an error once many have been no better.
    fn remember(&self, cost: f64, parameters: &[f64]) -> std::result::Result<(), argmin::core::Error> {
        let Ok(mut best) = self.best.lock() else { return Ok(()) };
        if cost < best.cost {
            *best = Best { cost, parameters: Some(parameters.to_vec()), stale: 0 };
            return Ok(());
        }
        best.stale += 1;
        if best.stale > PATIENCE { Err(argmin::core::Error::msg("no lower cost in sight")) } else { Ok(()) }
    }

    fn logits(&self, parameters: &[f64]) -> std::result::Result<Vec<f64>, argmin::core::Error> {
        if self.stop.is_some_and(|s| s.load(Ordering::Relaxed)) {
            return Err(argmin::core::Error::msg("interrupted"));
        }
        // Cost and gradient are asked for at the same point, one after the other.
        if let Ok(last) = self.last.lock()
            && let Some((_, z)) = last.as_ref().filter(|(at, _)| at == parameters)
        {
            return Ok(z.clone());
        }
        let (intercept, weights) = split(parameters);
        let mut z = match self.scaling {
            Some(scaling) => self.rows.product(&weights.iter().zip(scaling).map(|(w, s)| w * s).collect::<Vec<_>>()),
            None => self.rows.product(weights),
        };
        z.iter_mut().for_each(|z| *z += intercept);
        if let Ok(mut last) = self.last.lock() {
            *last = Some((parameters.to_vec(), z.clone()));
        }
        Ok(z)
    }
}

fn split(parameters: &[f64]) -> (f64, &[f64]) {
    parameters.split_last().map_or((0.0, parameters), |(intercept, weights)| (*intercept, weights))
}

/// `ln(1 + eᶻ) − t·z`, without overflow.
fn log_loss(z: f64, t: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p() - t * z
}

impl CostFunction for &Problem<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Self::Param) -> std::result::Result<f64, argmin::core::Error> {
        let z = self.logits(parameters)?;
        let parts: Vec<f64> = z
            .par_chunks(CHUNK)
            .zip(self.targets.par_chunks(CHUNK))
            .zip(self.weights.par_chunks(CHUNK))
            .map(|((z, t), v)| z.iter().zip(t).zip(v).map(|((&z, &t), &v)| v * log_loss(z, t)).sum())
            .collect();
        let (_, weights) = split(parameters);
        let penalty: f64 = weights.iter().zip(self.l2).map(|(w, l)| l * w * w).sum();
        let cost = parts.iter().sum::<f64>() + 0.5 * penalty;
        self.remember(cost, parameters)?;
        Ok(cost)
    }
}

impl Gradient for &Problem<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Self::Param) -> std::result::Result<Vec<f64>, argmin::core::Error> {
        let mut residual = self.logits(parameters)?;
        for ((z, &t), &v) in residual.iter_mut().zip(self.targets).zip(self.weights) {
            *z = v * (sigmoid(*z) - t);
        }
        let mut gradient = self.rows.transposed_product(&residual);
        gradient.iter_mut().zip(self.scaling.into_iter().flatten()).for_each(|(g, s)| *g *= s);
        let (_, weights) = split(parameters);
        for ((g, w), l) in gradient.iter_mut().zip(weights).zip(self.l2) {
            *g += l * w;
        }
        gradient.push(residual.iter().sum());
        Ok(gradient)
    }
}
