//! The stances of a comment toward targets: which it is asked about, where it mentions them, and what is decided.

use std::ops::Range;

use super::Model;
use super::asked::{Asked, AskedTarget};
use super::scoring::{Item, Scratch};
use super::target::{PairHead, TargetScore, TargetStance, Undecided, beside_inputs, step_inputs};
use crate::features::pair::{Sensed, Sensing};
use crate::label::TARGET_STANCES;
use crate::text::clean::Clean;
use crate::text::polarity::Role;
use crate::text::targets::{Kind, NamedTarget, Remembered, beside};
use crate::text::words::Words;

/// A target that a comment is asked about.
pub(super) struct Wanted<'a> {
    /// The name that it was asked by.
    pub name: &'a str,
    pub target: &'a AskedTarget,
    /// The words that mention it.
    pub mentions: Vec<Range<usize>>,
}

impl Model {
    /// The stances toward the targets asked for, and toward those of the set that the text mentions.
    pub(super) fn target_stances(&self, item: &Item<'_>, scratch: &mut Scratch) -> Vec<TargetScore> {
        let set = item.set.unwrap_or(&self.asked);
        if item.targets.is_empty() && !set.may_be_mentioned(&scratch.words, &scratch.memory.rows, &mut scratch.stems) {
            return Vec::new();
        }
        let new = self.new_targets(item, set);
        let wanted = wanted(item, set, &new, &scratch.words, &mut scratch.stems);
        let head = self.manifest.targets.as_ref();
        if let Some(head) = head.filter(|_| !wanted.is_empty()) {
            // These heads look at single words and at columns that the fast way leaves out.
            self.target_logits(head, item.text, scratch);
            self.see(scratch);
        }
        let clean = wanted.iter().any(|one| !one.mentions.is_empty()).then(|| Clean::new(item.text));
        let mut dense = Vec::new();
        let scored = wanted.into_iter().map(|Wanted { name, target, mentions }| {
            let words = mentions.clone();
            let source =
                |clean: &Clean<'_>| mentions.iter().map(|words| scratch.words.source(clean, words.clone())).collect();
            let mentions: Vec<Range<usize>> = clean.as_ref().map(source).unwrap_or_default();
            let (probabilities, undecided) = match head {
                Some(head) => self.toward(head, target, &words, scratch, &mut dense),
                None => (Vec::new(), Some(untold(target))),
            };
            TargetScore { target: name.to_owned(), probabilities, undecided, mentions }
        });
        scored.collect()
    }

    /// Targets asked for that are not in the set.
    pub(super) fn new_targets(&self, item: &Item<'_>, set: &Asked) -> Asked {
        let new = item.targets.iter().filter(|name| set.named(name).is_none());
        let new: Vec<NamedTarget> = new.map(|name| NamedTarget::topic(name)).collect();
        if new.is_empty() { Asked::default() } else { self.asked(&new) }
    }

    /// Reads the words in `scratch` in the way that targets look at them.
    pub(super) fn see(&self, scratch: &mut Scratch) {
        let words = &scratch.words;
        let read = words.iter().map(|word| (word.hash, words.lower(word)));
        Sensing::new(self.vectors.as_ref()).read(read, &mut scratch.senses, &mut scratch.places);
        let text = Sensed { senses: &scratch.senses, words: &scratch.places };
        scratch.seen.read(words.iter().map(|w| Role::of(words.lower(w))), text);
    }

    /// What the heads make of the text in `scratch`: the inputs of the last step. `dense` is scratch.
    pub(super) fn toward_inputs(
        &self,
        head: &TargetStance,
        target: &AskedTarget,
        mentions: &[Range<usize>],
        scratch: &mut Scratch,
        dense: &mut Vec<f32>,
    ) -> Vec<f32> {
        let text = Sensed { senses: &scratch.senses, words: &scratch.places };
        scratch.seen.dense(text, &target.read, dense);
        let logit =
            |pair: &PairHead| self.pair_logit(pair, &target.read, dense, &scratch.seen, &scratch.sums, &scratch.text);
        let (side, about) = (logit(&head.any.side), head.any.about.as_ref().map(logit));
        let own = target
            .own
            .and_then(|own| head.own.get(own))
            .and_then(|own| scratch.text.whole.get(own.first_column..own.first_column + head.classes.len()));
        let mut inputs = step_inputs(own.unwrap_or_default(), side, about);
        if let Some(first) = head.beside {
            let logits = self.beside(mentions, scratch).map(|(mut beside, _)| {
                let logits = self.whole(&mut beside.sums);
                scratch.beside = Some(beside);
                logits
            });
            let logits = logits.as_ref().and_then(|logits| logits.get(first..first + head.classes.len()));
            inputs.extend(beside_inputs(logits, head.classes.len()));
        }
        inputs
    }

    /// What is said beside the names of a target, summed up, with the place of each of its words in the text.
    pub(super) fn beside(
        &self,
        mentions: &[Range<usize>],
        scratch: &mut Scratch,
    ) -> Option<(Box<Scratch>, Vec<Option<usize>>)> {
        if mentions.is_empty() {
            return None;
        }
        let (text, places) = beside(&scratch.words, mentions);
        let mut own = scratch.beside.take().unwrap_or_default();
        self.sums(&text, &[], &mut own);
        Some((own, places))
    }

    /// What the heads for any target make of a text and a target, whether it has own heads or not; nothing of a text without words.
    pub fn any_target(&self, item: &Item<'_>, target: &NamedTarget, scratch: &mut Scratch) -> Option<Vec<f32>> {
        let head = self.manifest.targets.as_ref()?;
        self.read(item, scratch).ok()?;
        self.text_logits(item.text, scratch);
        self.see(scratch);
        let sensing = Sensing::new(self.vectors.as_ref());
        let target = AskedTarget::read(target, None, &self.manifest.known_targets, &sensing);
        let mentions = target.mentions(&scratch.words);
        Some(self.toward_inputs(head, &target, &mentions, scratch, &mut Vec::new()))
    }

    /// Probabilities of the classes, and why none is decided.
    fn toward(
        &self,
        head: &TargetStance,
        target: &AskedTarget,
        mentions: &[Range<usize>],
        scratch: &mut Scratch,
        dense: &mut Vec<f32>,
    ) -> (Vec<f32>, Option<Undecided>) {
        let own = target.own.and_then(|own| head.own.get(own));
        // What was never measured on a target that the heads had not seen is not told of one.
        if own.is_none() && !(head.any.is_told() && target.named.kind == Kind::Topic) {
            return (Vec::new(), Some(untold(target)));
        }
        let inputs = self.toward_inputs(head, target, mentions, scratch, dense);
        let (step, trust) = own.map_or((&head.any.step, &head.any.trust), |own| (&own.step, &own.trust));
        let p = step.probabilities(&inputs);
        let none = head.classes.iter().position(|class| class == TARGET_STANCES[2]);
        let undecided = trust.undecided(&p, none, !mentions.is_empty());
        (p, undecided)
    }
}

/// Without heads that could tell.
fn untold(target: &AskedTarget) -> Undecided {
    match target.named.kind {
        Kind::Topic => Undecided::NoExamples,
        kind => Undecided::Untold(kind),
    }
}

/// What a text is asked about: the targets asked for, and those of the set that it mentions.
pub(super) fn wanted<'a>(
    item: &Item<'a>,
    set: &'a Asked,
    new: &'a Asked,
    words: &Words,
    stems: &mut Remembered,
) -> Vec<Wanted<'a>> {
    if set.targets.is_empty() && new.targets.is_empty() {
        return Vec::new();
    }
    let stems = stems.all(words);
    let (mut in_set, in_new) = (set.mentioned(words, &stems), new.mentioned(words, &stems));
    let by_name = |name: &'a String| {
        let (asked, mentioned) = if set.named(name).is_some() { (set, &in_set) } else { (new, &in_new) };
        let i = asked.named(name)?;
        Some(Wanted { name, target: asked.targets.get(i)?, mentions: mentioned.get(&i).cloned().unwrap_or_default() })
    };
    let mut wanted: Vec<Wanted<'a>> = item.targets.iter().filter_map(by_name).collect();
    if item.targets.is_empty() || item.set.is_some() {
        in_set.retain(|i, _| !item.targets.iter().any(|name| set.named(name) == Some(*i)));
        let rest = in_set.into_iter().filter_map(|(i, mentions)| Some((set.targets.get(i)?, mentions)));
        wanted.extend(rest.map(|(target, mentions)| Wanted { name: &target.named.name, target, mentions }));
    }
    wanted
}
