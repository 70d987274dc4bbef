//! Stance toward the parent: sparse heads per class, then a multinomial step over their logits and the relation to the parent.

use serde::{Deserialize, Serialize};

use super::multinomial::Multinomial;
use crate::features::relation;

/// Stance toward the parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParentStance {
    /// Column of the first class's sparse head; the others follow.
    pub first_column: usize,
    /// Over the sparse logits and the relation.
    pub step: Multinomial,
    /// Training rows.
    pub rows: usize,
    /// Macro-F1 on rows that the heads were not fitted on.
    pub macro_f1_out_of_fold: f32,
}

impl ParentStance {
    /// The same for weights with `by` more columns before its own.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Self {
        self.first_column += by;
        self
    }
}

/// The dense inputs of [`ParentStance`]: logits of the classes, relation. Style tells the corpora apart rather than the stances.
pub fn parent_inputs(logits: &[f32], relation: &[f32; relation::COUNT]) -> Vec<f32> {
    logits.iter().chain(relation).copied().collect()
}
