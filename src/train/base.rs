//! A base model: its first-stage heads say something of every text, and a new model's heads learn what that is worth.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use super::stack::{Origin, Said, Stacked};
use crate::error::Result;
use crate::features::style;
use crate::model::scoring::{Scratch, windows};
use crate::model::{FirstStage, Model, SourceNote, file};
use crate::text::tokenizer::Subwords;

/// The first-stage heads of a model, for `train --base`.
#[derive(Debug)]
pub struct Base {
    /// The model, its weights being those of the first-stage heads.
    model: Model,
}

impl Base {
    /// The base in a model folder; `None` if that model travels without first-stage heads.
    ///
    /// # Errors
    /// A folder that is no sound model.
    pub fn open(folder: &Path) -> Result<Option<Self>> {
        Ok(file::first_stage(folder)?.map(|model| Self { model }))
    }

    /// The base model's name and version.
    pub fn id(&self) -> String {
        self.model.id()
    }

    /// The base model's subword tokenizer, which the new model must share for the heads to fold.
    pub fn subwords(&self) -> Option<&Subwords> {
        self.model.subwords.as_ref()
    }

    /// The base model's scale of style features, shared likewise.
    pub fn style(&self) -> style::Scale {
        self.model.manifest.style
    }

    /// The numbers of the heads that never saw the files `notes`, which a new model is about to learn from: what a head says of its own
    /// training rows is too good to learn from.
    pub fn strangers(&self, notes: &[SourceNote]) -> Vec<usize> {
        let known: BTreeMap<&str, &str> =
            self.model.manifest.sources.iter().map(|s| (s.sha256.as_str(), s.name.as_str())).collect();
        let seen: Vec<&str> = notes.iter().filter_map(|note| known.get(note.sha256.as_str()).copied()).collect();
        let heads = self.model.manifest.first_stage.iter().enumerate();
        heads.filter(|(_, head)| !seen.contains(&head.source.as_str())).map(|(k, _)| k).collect()
    }

    /// The heads.
    pub fn heads(&self) -> &[FirstStage] {
        &self.model.manifest.first_stage
    }

    /// What the heads `wanted` say of `texts`, whose parts `quoted` are not the writer's; `pooled` of them with their local maxima.
    pub fn say(
        &self,
        texts: &[String],
        quoted: &[Vec<Range<usize>>],
        wanted: &[usize],
        pooled: &[usize],
    ) -> Vec<Stacked> {
        let said: Vec<Vec<Said>> = texts
            .par_iter()
            .zip(quoted)
            .map_init(Scratch::default, |scratch, (text, quoted)| self.say_of(text, quoted, wanted, scratch))
            .collect();
        let mut by_head: Vec<Vec<Said>> = wanted.iter().map(|_| Vec::with_capacity(texts.len())).collect();
        for text in said {
            by_head.iter_mut().zip(text).for_each(|(head, said)| head.push(said));
        }
        let heads = wanted.iter().zip(by_head);
        heads.map(|(&k, said)| Stacked::new(Origin::Base(k), said, pooled.contains(&k))).collect()
    }

    fn say_of(&self, text: &str, quoted: &[Range<usize>], wanted: &[usize], scratch: &mut Scratch) -> Vec<Said> {
        let sums = self.model.sums(text, quoted, scratch);
        let n = sums.len();
        let all = 0..n;
        let windows = if n > 0 { windows(n) } else { Vec::new() };
        let windows = if windows.len() == 1 { Vec::new() } else { windows };
        let of_windows: Vec<Vec<f32>> = windows.iter().map(|w| sums.logits(w).to_vec()).collect();
        let whole = sums.logits(&all).to_vec();
        wanted
            .iter()
            .map(|&k| Said {
                whole: whole[k],
                windows: of_windows.iter().map(|z| z[k]).collect(),
                peaks: sums.peaks(&all, k).map(|peak| peak.value),
                window_peaks: windows.iter().map(|w| sums.peaks(w, k).map(|peak| peak.value)).collect(),
            })
            .collect()
    }

    /// Words that the base has weights for.
    pub fn words(&self) -> &[String] {
        &self.model.weights.names
    }

    /// The base model's folded tables.
    pub fn weights(&self) -> &crate::model::Weights {
        &self.model.weights
    }

    /// What each head says of a word, known to it or not.
    pub fn word(&self, word: &str, scratch: &mut Scratch) -> Vec<f32> {
        let mut row = vec![0.0; self.model.weights.columns];
        self.model.say_word(word, scratch, &mut row);
        row
    }
}
