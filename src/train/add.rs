//! Adding to a model: labels that the new rows teach are fitted anew, with what the model said of them as an input; all else is kept.

use super::base::Base;
use super::heads::{Head, Shared};
use super::stack::Origin;
use crate::model::reply::ParentStance;
use crate::model::target::TargetStance;
use crate::model::{LabelHead, Model, SourceNote};

/// The heads of a model that was added to.
pub struct Added {
    /// The labels: the model's in their order, then those it did not have.
    pub labels: Vec<LabelHead>,
    /// All heads, the labels first.
    pub heads: Vec<Head>,
    /// Stance toward the parent, as it was.
    pub parent: Option<ParentStance>,
    /// Stance toward targets, as it was.
    pub targets: Option<TargetStance>,
    /// Where the rows of either training came from.
    pub sources: Vec<SourceNote>,
}

/// Puts newly fitted labels into the model that they were fitted for.
pub fn added(base: &Base, shared: &Shared, labels: Vec<LabelHead>, heads: Vec<Head>, sources: &[SourceNote]) -> Added {
    let model: &Model = base.model();
    let mut fitted: Vec<(LabelHead, Head)> = labels.into_iter().zip(heads).collect();
    let mut out = Added {
        labels: Vec::new(),
        heads: Vec::new(),
        parent: None,
        targets: None,
        sources: [&model.manifest.sources, sources].concat(),
    };
    let columns = base.own_columns();
    for (label, column) in model.manifest.labels.iter().zip(columns.clone()) {
        let (label, head) = match fitted.iter().position(|(new, _)| new.name == label.name) {
            Some(place) => fitted.remove(place),
            None => (label.clone(), copied(base, shared, column)),
        };
        out.labels.push(label);
        out.heads.push(head);
    }
    let new = fitted.len();
    for (label, head) in fitted {
        out.labels.push(label);
        out.heads.push(head);
    }
    let others = columns.skip(model.manifest.labels.len());
    out.heads.extend(others.map(|column| copied(base, shared, column)));
    out.parent = model.manifest.parent.clone().map(|parent| parent.shifted(new));
    out.targets = model.manifest.targets.clone().map(|targets| targets.shifted(new));
    out
}

/// A column of the base as it is.
fn copied(base: &Base, shared: &Shared, column: usize) -> Head {
    let stacked = |column: usize| shared.stack.iter().position(|s| matches!(s.origin, Origin::Base(k) if k == column));
    let pools = base.pooled_columns().zip(base.pool_counts(column));
    Head {
        base: vec![(column, 1.0)],
        pools: pools.filter_map(|(pool, counts)| Some((stacked(pool)?, counts))).collect(),
        ..Head::default()
    }
}
