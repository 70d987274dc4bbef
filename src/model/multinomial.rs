//! A multinomial regression over few dense inputs, linfa-logistic's own: the last step of both stances.

use linfa::prelude::*;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A multinomial regression over dense inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Multinomial {
    /// The classes.
    pub classes: Vec<String>,
    /// For each class one weight an input.
    pub weights: Vec<Vec<f32>>,
    /// One intercept a class.
    pub intercepts: Vec<f32>,
}

impl Multinomial {
    /// Takes the first inputs, one a class, as the logits of the classes; those that are not `present` are never likely.
    pub fn of_logits(classes: &[String], present: &[bool], inputs: usize) -> Self {
        let of_class = |class: usize| (0..inputs).map(|input| f32::from(u8::from(input == class))).collect();
        Self {
            classes: classes.to_vec(),
            weights: (0..classes.len()).map(of_class).collect(),
            intercepts: present.iter().map(|present| if *present { 0.0 } else { f32::MIN / 2.0 }).collect(),
        }
    }

    /// Fits on `inputs` (rows × inputs) and class numbers. linfa-logistic takes no weights, so rows that should count more stand
    /// several times. At most `iterations` of L-BFGS.
    pub fn fit(
        classes: &[String],
        inputs: &Array2<f64>,
        truth: &[usize],
        weights: &[f32],
        alpha: f64,
        iterations: u64,
    ) -> Result<Self> {
        let (mean, deviation) = moments(inputs);
        let repeated = repeated(weights);
        let mut rows = inputs.select(Axis(0), &repeated);
        for mut row in rows.outer_iter_mut() {
            row.iter_mut().zip(&mean).zip(&deviation).for_each(|((v, m), d)| *v = (*v - m) / d);
        }
        let targets: Array1<usize> = repeated.iter().map(|&i| truth[i]).collect();
        let mut out = Self {
            classes: classes.to_vec(),
            weights: vec![vec![0.0; mean.len()]; classes.len()],
            intercepts: vec![f32::MIN / 2.0; classes.len()],
        };
        // linfa-logistic panics without two classes, as where a fold leaves one: then that class is all there is to say.
        if targets.iter().all(|class| Some(class) == targets.first()) {
            let only = targets.first().copied();
            (0..classes.len()).filter(|class| only.is_none_or(|o| o == *class)).for_each(|c| out.intercepts[c] = 0.0);
            return Ok(out);
        }
        let fitted = MultiLogisticRegression::default()
            .alpha(alpha)
            .max_iterations(iterations)
            .gradient_tolerance(1e-4)
            .fit(&Dataset::new(rows, targets))
            .map_err(|e| Error::settings(format!("the stance regression could not be fitted: {e}")))?;

        for (column, &class) in fitted.classes().iter().enumerate() {
            let mut intercept = fitted.intercept()[column];
            for (input, weight) in fitted.params().column(column).iter().enumerate() {
                let weight = weight / deviation[input];
                intercept -= weight * mean[input];
                out.weights[class][input] = weight as f32;
            }
            out.intercepts[class] = intercept as f32;
        }
        Ok(out)
    }

    /// Log-odds of the classes, up to a number that all share.
    pub fn logits(&self, inputs: &[f32]) -> Vec<f32> {
        self.weights
            .iter()
            .zip(&self.intercepts)
            .map(|(weights, intercept)| intercept + weights.iter().zip(inputs).map(|(w, v)| w * v).sum::<f32>())
            .collect()
    }

    /// Probabilities of the classes, adding up to 1.
    pub fn probabilities(&self, inputs: &[f32]) -> Vec<f32> {
        softmax(self.logits(inputs))
    }
}

/// Log-odds of classes as probabilities.
pub fn softmax(mut logits: Vec<f32>) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::MIN, f32::max);
    logits.iter_mut().for_each(|z| *z = (*z - highest).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|p| *p /= sum);
    logits
}

/// The class of the highest probability, the first of several alike.
pub fn likeliest(p: &[f32]) -> usize {
    (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b]).then(b.cmp(&a))).unwrap_or_default()
}

/// Mean and standard deviation (1 where it is 0) of each column.
fn moments(inputs: &Array2<f64>) -> (Vec<f64>, Vec<f64>) {
    let n = inputs.nrows().max(1) as f64;
    let mean: Vec<f64> = inputs.axis_iter(Axis(1)).map(|c| c.sum() / n).collect();
    let deviation = inputs
        .axis_iter(Axis(1))
        .zip(&mean)
        .map(|(c, m)| (c.iter().map(|v| (v - m).powi(2)).sum::<f64>() / n).sqrt())
        .map(|d| if d > 1e-9 { d } else { 1.0 })
        .collect();
    (mean, deviation)
}

/// Most times that a row stands.
const MOST_REPEATS: f64 = 24.0;

/// Row numbers, each about as often as its weight asks, the lightest once.
fn repeated(weights: &[f32]) -> Vec<usize> {
    let lightest = weights.iter().copied().filter(|w| *w > 0.0).fold(f32::INFINITY, f32::min);
    let mut owed = 0.0;
    let mut rows = Vec::new();
    for (i, &weight) in weights.iter().enumerate() {
        // What rounding leaves over goes to the rows that follow.
        owed += f64::from(weight / lightest).clamp(0.0, MOST_REPEATS);
        while owed >= 1.0 {
            rows.push(i);
            owed -= 1.0;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavier_rows_stand_more_often() {
        let rows = repeated(&[2.0, 5.0, 2.0, 3.0]);
        assert_eq!([0, 1, 2, 3].map(|i| rows.iter().filter(|r| **r == i).count()), [1, 2, 1, 2]);
    }

    #[test]
    fn a_class_that_no_row_has_gets_no_probability() {
        let classes = ["a", "b", "never"].map(str::to_owned);
        let inputs = Array2::from_shape_fn((60, 1), |(i, _)| i as f64);
        let truth: Vec<usize> = (0..60).map(|i| usize::from(i > 25)).collect();
        let step = Multinomial::fit(&classes, &inputs, &truth, &[1.0; 60], 1.0, 300).unwrap();
        let p = step.probabilities(&[50.0]);
        assert!(p[1] > 0.9 && p[2] == 0.0, "{p:?}");
    }
}
