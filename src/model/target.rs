//! Stance toward targets: sparse heads per class, then a multinomial step over their logits and how the text speaks of the target.

use serde::{Deserialize, Serialize};

use super::multinomial::Multinomial;
use crate::features::relation;
use crate::features::vectors::Vectors;
use crate::text::words::Words;

/// Stance toward named targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetStance {
    /// Column of the first class's head over all targets together.
    pub first_column: usize,
    /// Targets with heads of their own, and the column of the first class of each.
    pub own: Vec<(String, usize)>,
    /// Over the shared and own logits and how the text speaks of the target.
    pub step: Multinomial,
    /// Training rows.
    pub rows: usize,
    /// Macro-F1 on rows that the heads were not fitted on.
    pub macro_f1_out_of_fold: f32,
}

impl TargetStance {
    /// The same for weights with `by` more columns before its own.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Self {
        self.first_column += by;
        self.own.iter_mut().for_each(|(_, first)| *first += by);
        self
    }

    /// Column of the first class of a target's own heads.
    pub fn own_column(&self, target: &str) -> Option<usize> {
        self.own.iter().find(|(name, _)| name == target).map(|(_, column)| *column)
    }
}

/// How many numbers say how a text speaks of a target.
pub const MENTION: usize = 5;

/// The share of the target's longer words that the text holds, whether it holds any, how often, the similarity of text and target,
/// and the length of the text.
pub fn mention(text: &Words, target: &Words, vectors: Option<&Vectors>) -> [f32; MENTION] {
    let wanted: Vec<u64> = target.iter().filter(|w| w.is_text && target.lower(w).len() > 2).map(|w| w.hash).collect();
    let found = wanted.iter().filter(|h| text.iter().any(|w| w.hash == **h)).count();
    let times = text.iter().filter(|w| wanted.contains(&w.hash)).count();
    let similarity = vectors.map_or(0.0, |v| relation::cosine(&relation::mean(text, v), &relation::mean(target, v)));
    [
        found as f32 / wanted.len().max(1) as f32,
        f32::from(found > 0),
        (times as f32).ln_1p(),
        similarity,
        (text.len() as f32).ln_1p(),
    ]
}

/// The dense inputs of [`TargetStance`]: shared logits, own logits (0 without own heads), whether there are own heads, mention.
pub fn target_inputs(shared: &[f32], own: Option<&[f32]>, mention: &[f32; MENTION]) -> Vec<f32> {
    let mut inputs = shared.to_vec();
    match own {
        Some(own) => inputs.extend_from_slice(own),
        None => inputs.extend(std::iter::repeat_n(0.0, shared.len())),
    }
    inputs.push(if own.is_some() { 1.0 } else { 0.0 });
    inputs.extend_from_slice(mention);
    inputs
}
