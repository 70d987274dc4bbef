//! Exact explanations of stances toward targets: what each word adds to the likeliest class, and which words mention the target.

use std::ops::Range;

use serde::Serialize;

use super::Model;
use super::asked::AskedTarget;
use super::explain::{Kind, Original, Share};
use super::multinomial::{Multinomial, likeliest};
use super::scoring::{Item, Scratch, Unscored};
use super::target::{PairHead, TargetStance};
use super::toward::{Wanted, wanted};
use crate::features::style;
use crate::record::Mention;

/// Why the likeliest stance toward a target has the logit it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetExplanation {
    /// The target.
    pub target: String,
    /// The class that is decided; null where none is.
    pub stance: Option<String>,
    /// Why none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The words that mention it.
    pub mentions: Vec<Mention>,
    /// The likeliest class; absent where the model has nothing to tell it by.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub likeliest: Option<Likeliest>,
}

/// The likeliest class, and what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Likeliest {
    /// The class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
    /// Its logit less the mean of the others': `base` and all shares add up to it.
    pub logit: f32,
    /// What it has before any word.
    pub base: f32,
    /// The shares, largest first by size.
    pub shares: Vec<Share>,
}

/// Numbers a column has in a sum.
type Counts = Vec<(usize, f32)>;

impl Model {
    /// Explains the stances toward the targets that [`Model::score`] gives of a comment.
    pub fn explain_targets(&self, item: &Item<'_>, scratch: &mut Scratch) -> Result<Vec<TargetExplanation>, Unscored> {
        let scores = self.score(item, scratch)?;
        let set = item.set.unwrap_or(&self.asked);
        let new = self.new_targets(item, set);
        let text = Original::new(item.text);
        let style = self.manifest.style.apply(&style::of(item.text, &scratch.quoted, &scratch.words));
        let wanted = wanted(item, set, &new, &scratch.words, &mut scratch.stems);
        let explained = wanted.into_iter().zip(scores.targets).map(|(Wanted { name, target, mentions }, found)| {
            let mention = |place: &Range<usize>| text.mention(place.clone());
            let classes = self.manifest.targets.as_ref().map(|head| head.classes.as_slice()).unwrap_or_default();
            let best = likeliest(&found.probabilities);
            let class = found.probabilities.get(best).copied().zip(classes.get(best));
            let parts = class.map(|(probability, class)| (probability, class.clone()));
            TargetExplanation {
                target: name.to_owned(),
                stance: class.filter(|_| found.undecided.is_none()).map(|(_, class)| class.clone()),
                reason: found.undecided.map(super::target::Undecided::reason),
                mentions: found.mentions.iter().map(mention).collect(),
                likeliest: parts.zip(self.manifest.targets.as_ref()).map(|((probability, class), head)| {
                    let (logit, base, shares) =
                        self.target_shares(head, target, &mentions, best, &text, &style, scratch);
                    Likeliest { class, probability, logit, base, shares }
                }),
            }
        });
        Ok(explained.collect())
    }

    #[allow(clippy::too_many_arguments, reason = "all that a text was read into")]
    /// Logit, base and shares of the class number `best`, for the text that was just scored.
    fn target_shares(
        &self,
        head: &TargetStance,
        target: &AskedTarget,
        mentions: &[Range<usize>],
        best: usize,
        text: &Original<'_>,
        style: &[f32; style::COUNT],
        scratch: &mut Scratch,
    ) -> (f32, f32, Vec<Share>) {
        let mut dense = Vec::new();
        let inputs = self.toward_inputs(head, target, mentions, scratch, &mut dense);
        let own = target.own.and_then(|own| head.own.get(own));
        let step = own.map_or(&head.any.step, |own| &own.step);
        let (logit, counts) = contrast(step, best, &inputs);
        let n_own = own.map_or(0, |_| head.classes.len());
        let (of_own, of_any) = counts.split_at(n_own.min(counts.len()));
        let pairs: Vec<(&PairHead, f32)> =
            [Some(&head.any.side), head.any.about.as_ref()].into_iter().flatten().zip(of_any.iter().copied()).collect();

        let first = own.map_or(0, |own| own.first_column);
        let mut columns: Counts = of_own.iter().enumerate().map(|(k, count)| (first + k, *count)).collect();
        for (pair, count) in &pairs {
            columns.extend([(pair.first_column, *count), (pair.first_column + 1, count * target.read.sign)]);
        }
        let n_any = 1 + usize::from(head.any.about.is_some());
        let of_beside = of_any.get(n_any..).unwrap_or_default();
        let n = scratch.words.len();
        let (mut words, mut closed) = (vec![0.0; n], vec![0.0; n]);
        let mut styles = [0.0; style::COUNT];
        for (column, count) in columns {
            let (of_words, of_pairs) = self.word_shares(column, &(0..n), &scratch.sums);
            words.iter_mut().zip(of_words).for_each(|(sum, share)| *sum += count * share);
            closed.iter_mut().zip(of_pairs).for_each(|(sum, share)| *sum += count * share);
            for (i, sum) in styles.iter_mut().enumerate() {
                *sum += count * style[i] * self.weights.style[i * self.weights.columns + column];
            }
        }
        let scale = (n.max(1) as f32).sqrt();
        for (i, mark) in scratch.seen.marks.iter().enumerate().take(n) {
            for (pair, count) in &pairs {
                let first = pair.first_column;
                let sign = target.read.sign;
                let factors = [
                    (first + 2, if mark.acted { -sign } else { sign }),
                    (first + 3, f32::from(mark.negated)),
                    (first + 4, sign * f32::from(mark.negated)),
                ];
                for (column, factor) in factors {
                    words[i] += count * factor * scratch.sums.word(i, column) / scale;
                    closed[i] += count * factor * scratch.sums.pair(i, column) / scale;
                }
            }
        }

        let mut near = of_beside.first().zip(inputs.get(n_own + n_any)).map_or(0.0, |(count, named)| count * named);
        if let (Some(first), Some(counts), Some((beside, places))) =
            (head.beside, of_beside.get(1..), self.beside(mentions, scratch))
        {
            for (k, count) in counts.iter().enumerate() {
                let (of_words, of_pairs) = self.word_shares(first + k, &(0..places.len()), &beside.sums);
                for ((place, word), pair) in places.iter().zip(of_words).zip(of_pairs) {
                    let to = place.and_then(|place| words.get_mut(place)).unwrap_or(&mut near);
                    *to += count * (word + pair);
                }
            }
            scratch.beside = Some(beside);
        }

        let mut shares = Vec::new();
        for i in 0..n {
            text.push(&mut shares, Kind::Word, &scratch.words, i..i + 1, words[i]);
            if i > 0 {
                text.push(&mut shares, Kind::Pair, &scratch.words, i - 1..i + 1, closed[i]);
            }
        }
        near += pairs
            .iter()
            .map(|(pair, count)| count * pair.dense.iter().zip(&dense).map(|(w, v)| w * v).sum::<f32>())
            .sum::<f32>();
        let named = styles.iter().zip(style::NAMES).map(|(share, name)| (Kind::Style, *share, name));
        let named = named.chain([(Kind::Target, near, "how it speaks of the target")]);
        shares.extend(named.filter(|(_, share, _)| *share != 0.0).map(|(kind, share, name)| Share {
            kind,
            text: name.to_owned(),
            share,
            span: None,
        }));
        let base = logit - shares.iter().map(|share| share.share).sum::<f32>();
        shares.sort_by(|a, b| b.share.abs().total_cmp(&a.share.abs()));
        (logit, base, shares)
    }
}

/// The logit of a class less the mean of the others', and what each input counts in it.
fn contrast(step: &Multinomial, best: usize, inputs: &[f32]) -> (f32, Vec<f32>) {
    // A class that no row had has the lowest intercept there is.
    let others: Vec<usize> =
        (0..step.intercepts.len()).filter(|&c| c != best && step.intercepts[c] > f32::MIN / 4.0).collect();
    let n = others.len().max(1) as f32;
    let less_mean = |value: &dyn Fn(usize) -> f32| value(best) - others.iter().map(|&c| value(c)).sum::<f32>() / n;
    let logits = step.logits(inputs);
    // A step may look at the first of the inputs only.
    let weight = |c: usize, j: usize| step.weights[c].get(j).copied().unwrap_or_default();
    let counts = (0..inputs.len()).map(|j| less_mean(&|c| weight(c, j))).collect();
    (less_mean(&|c| logits[c]), counts)
}
