//! Stance toward the parent: sparse heads per class, then a multinomial step over their logits, the relation to the parent and what
//! blocks of context the training chose.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Model;
use super::multinomial::Multinomial;
use super::scoring::{Item, Scratch};
use crate::features::context::{Block, Reply};
use crate::features::vectors::Vectors;
use crate::features::{relation, starts, style};
use crate::text::clean::Clean;
use crate::text::quotes;
use crate::text::words::Words;

/// Stance toward the parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParentStance {
    /// Column of the first class's sparse head; the others follow.
    pub first_column: usize,
    /// Blocks of context among the inputs, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<Block>,
    /// True if comments that open a thread were among the training rows, so that the model can say how such a comment stands to
    /// what it reports.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub roots: bool,
    /// Over the sparse logits, the relation and the context.
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

    /// How many dense inputs the step has.
    pub fn inputs(&self) -> usize {
        self.step.classes.len() + relation::COUNT + self.context.iter().map(|b| b.width()).sum::<usize>()
    }
}

/// What is read of the surroundings of a reply, reusable from reply to reply.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The parent's words, but for what it quotes; none of a comment that answers nothing.
    pub parent: Words,
    parent_quotes: Vec<Range<usize>>,
    root: Words,
}

impl Surroundings {
    /// Reads the parent.
    pub fn read(&mut self, parent: Option<&str>) {
        let parent = parent.unwrap_or_default();
        self.parent_quotes = quotes::find(parent, None, &[]);
        self.parent.read(&Clean::new(parent), &self.parent_quotes);
    }

    /// The dense inputs of a stance: the `relation` to the parent, which has been [read](Self::read), then `blocks`. `own` are the words
    /// of the reply beside its `quoted` ranges.
    pub fn dense(
        &mut self,
        item: &Item<'_>,
        (own, quoted): (&Words, &[Range<usize>]),
        relation: &[f32; relation::COUNT],
        blocks: &[Block],
        vectors: Option<&Vectors>,
    ) -> Vec<f32> {
        let mut out = relation.to_vec();
        let asks_for = |block: Block| blocks.contains(&block);
        let root = item.root.filter(|_| item.parent.is_some() && asks_for(Block::Thread));
        if let Some(root) = root {
            self.root.read(&Clean::new(root), &quotes::find(root, None, &[]));
        }
        let own_style = || style::of(item.text, quoted, own);
        let parent_style = || style::of(item.parent.unwrap_or_default(), &self.parent_quotes, &self.parent);
        let reply = Reply {
            own,
            parent: &self.parent,
            has_parent: item.parent.is_some(),
            root: root.map(|_| &self.root),
            style: &if asks_for(Block::Style) { own_style() } else { [0.0; style::COUNT] },
            parent_style: &if asks_for(Block::ParentStyle) { parent_style() } else { [0.0; style::COUNT] },
            relation,
        };
        blocks.iter().for_each(|block| block.add(&reply, vectors, &mut out));
        out
    }
}

impl Model {
    /// The probabilities of the stances toward the parent, for the words in `scratch`; `None` without a head, or without a parent
    /// unless the stance of roots is asked for and known.
    pub(super) fn parent_stance(
        &self,
        item: &Item<'_>,
        relation: Option<&[f32; relation::COUNT]>,
        scratch: &mut Scratch,
    ) -> Option<Vec<f32>> {
        let head = self.manifest.parent.as_ref()?;
        if item.parent.is_none() && !(item.stance_of_roots && head.roots) {
            return None;
        }
        let mut inputs = self.parent_logits(head.first_column, scratch);
        let Scratch { words, quoted, surroundings, .. } = scratch;
        let vectors = self.vectors.as_ref();
        let alone = || relation::of(words, &Words::default(), !quoted.is_empty(), vectors);
        let relation = relation.copied().unwrap_or_else(alone);
        if item.parent.is_none() {
            surroundings.read(None);
        }
        inputs.extend(surroundings.dense(item, (words, quoted), &relation, &head.context, vectors));
        Some(head.step.probabilities(&inputs))
    }

    /// The sparse logits of the stances toward the parent: words, pairs and start features.
    fn parent_logits(&self, first: usize, scratch: &mut Scratch) -> Vec<f32> {
        let mut logits = scratch.text.parent.clone();
        scratch.names.clear();
        starts::of(&scratch.words, &mut scratch.names);
        for found in scratch.names.iter().filter_map(|&name| self.weights.starts.find(name)) {
            self.weights.starts.add_from(found, first, &mut logits);
        }
        logits
    }
}
