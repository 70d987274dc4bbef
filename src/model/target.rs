//! Stance toward targets: own heads of targets with enough examples, and a pair of heads for any target, whether the text is about it
//! and which side it takes.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::multinomial::{Multinomial, likeliest};
use crate::features::pair::{AFFIRMED, RELATED, Sensed, Senses, Sensing, affirmed, related, telling, topic_words};
use crate::features::vectors::Vectors;
use crate::text::polarity::{self, Mark, Role, marks};
use crate::text::targets::Kind;
use crate::text::words::{Words, hash};

/// Stance toward named targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetStance {
    /// The classes.
    pub classes: Vec<String>,
    /// The heads for any target.
    pub any: AnyTarget,
    /// Targets with heads of their own.
    pub own: Vec<OwnTarget>,
    /// Column of the first of the heads, one a class, that look at what is said beside the name of a target, whichever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<usize>,
    /// Training rows.
    pub rows: usize,
    /// Macro-F1 on rows that the heads were not fitted on, of targets that they were not fitted on but for those with own heads.
    pub macro_f1_out_of_fold: f32,
}

/// Heads for any target, from what the text says and how it speaks of the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnyTarget {
    /// Whether the text takes a side on the target at all; absent where no training row says of one that it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<PairHead>,
    /// Which side it takes.
    pub side: PairHead,
    /// Over the logits of both.
    pub step: Multinomial,
    /// How many targets they were fitted on.
    pub targets: usize,
    /// What it is worth on targets that it was not fitted on.
    pub trust: Trust,
}

/// A target with heads of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnTarget {
    /// Its name.
    pub name: String,
    /// Column of the first class.
    pub first_column: usize,
    /// Over the logits of the own heads and of those for any target.
    pub step: Multinomial,
    /// Training rows.
    pub rows: usize,
    /// What it is worth on rows that it was not fitted on.
    pub trust: Trust,
}

/// From which probability a stance is decided, and what that was worth out of fold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// The lowest probability of the likeliest class at which it is decided; above 1 where no threshold reaches the precision.
    pub threshold: f32,
    /// Share of the rows that reach it.
    pub coverage: f32,
    /// Share of these whose class is the likeliest one.
    pub accuracy_at_coverage: f32,
    /// The same over all rows.
    pub accuracy: f32,
}

/// A head over a text and a target. Its word weights fold into [`COPIES`] columns; the sign is that of the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairHead {
    /// Column of the first copy.
    pub first_column: usize,
    /// One weight a number of [`dense`].
    pub dense: Vec<f32>,
}

/// Columns of a [`PairHead`]: all words, times the sign, times the sign and turned round in sentences about negative actions, words
/// under negation, those times the sign, and the words of the target.
pub const COPIES: usize = 6;
/// Numbers of [`dense`] that do not depend on the vectors.
const FIXED: usize = RELATED + 2 * AFFIRMED + 1;

/// How many numbers [`dense`] has.
pub fn dense_width(vectors: Option<&Vectors>) -> usize {
    FIXED + 3 * vectors.map_or(0, Vectors::dimension)
}

/// Targets from which on their heads are asked about others.
const FEWEST_TARGETS: usize = 10;

impl AnyTarget {
    /// True if the heads were fitted on enough targets to be asked about one that was not among them.
    pub fn is_told(&self) -> bool {
        self.targets >= FEWEST_TARGETS
    }
}

impl TargetStance {
    /// The same for weights with `by` more columns before its own.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Self {
        self.any.side.first_column += by;
        self.any.about.iter_mut().for_each(|head| head.first_column += by);
        self.beside.iter_mut().for_each(|column| *column += by);
        self.own.iter_mut().for_each(|own| own.first_column += by);
        self
    }

    /// The first column of its heads.
    pub fn first_column(&self) -> usize {
        let pairs = std::iter::once(&self.any.side).chain(&self.any.about).map(|head| head.first_column);
        let own = self.own.iter().map(|own| own.first_column).chain(self.beside);
        pairs.chain(own).min().unwrap_or_default()
    }

    /// The own heads of a target.
    pub fn own(&self, target: &str) -> Option<&OwnTarget> {
        self.own.iter().find(|own| own.name == target)
    }
}

/// What a text says of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetScore {
    /// Its name.
    pub target: String,
    /// Probabilities of the classes; empty where the model has nothing to tell them by.
    pub probabilities: Vec<f32>,
    /// Why no class is decided; absent where the likeliest is.
    pub undecided: Option<Undecided>,
    /// Bytes of the text that mention it.
    pub mentions: Vec<Range<usize>>,
}

/// Why a stance is not decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Undecided {
    /// The likeliest is that the text says nothing of the target, and it does not mention it.
    NotAbout,
    /// The likeliest class is not likely enough.
    Uncertain {
        /// The probability that decisions of the asked precision need; above 1 where none does.
        needs: f32,
        /// That of the likeliest class.
        has: f32,
    },
    /// There are no examples of this target, and those of others told nothing of targets that were not among them.
    NoExamples,
    /// There are no examples of it, and of such targets nothing can be told without.
    Untold(Kind),
}

impl Undecided {
    /// The reason in words.
    pub fn reason(self) -> String {
        match self {
            Self::NotAbout => "not about the target".to_owned(),
            Self::Uncertain { needs, has } if needs > 1.0 => {
                format!("too uncertain: no probability suffices, has {has:.2}")
            }
            Self::Uncertain { needs, has } => format!("too uncertain: needs {needs:.2}, has {has:.2}"),
            Self::NoExamples => "no examples of this target".to_owned(),
            Self::Untold(kind) => format!("no examples of this {}", kind.name()),
        }
    }
}

impl Trust {
    /// Why `p` decides nothing, if it does not. `none` is the class of texts that take no side.
    pub fn undecided(&self, p: &[f32], none: Option<usize>, mentioned: bool) -> Option<Undecided> {
        let best = likeliest(p);
        let has = p.get(best).copied().unwrap_or_default();
        if !mentioned && Some(best) == none {
            Some(Undecided::NotAbout)
        } else if has < self.threshold {
            Some(Undecided::Uncertain { needs: self.threshold, has })
        } else {
            None
        }
    }
}

/// A target, read.
#[derive(Debug)]
pub struct Target {
    /// All its words.
    pub words: Words,
    /// Those by which a text may take it up.
    senses: Senses,
    places: Vec<u32>,
    mean: Vec<f32>,
    /// How what is said counts for it: 1 or -1.
    pub sign: f32,
}

impl Target {
    /// Reads a target's name.
    pub fn read(name: &str, sensing: &Sensing<'_>) -> Self {
        let words = Words::of(name);
        let mut senses = Senses::default();
        let mut places = Vec::new();
        let telling = topic_words(words.iter().map(|w| words.lower(w)));
        sensing.read(telling.map(|word| (hash(word), word)), &mut senses, &mut places);
        let sign = polarity::sign(words.joined());
        let mut mean = vec![0.0; senses.dimension()];
        let n = (places.len().max(1) as f32).sqrt();
        for &place in &places {
            mean.iter_mut().zip(senses.unit(place)).for_each(|(m, v)| *m += v / n);
        }
        Self { words, senses, places, mean, sign }
    }

    /// Stems of the words by which a text may take it up.
    pub fn telling(&self) -> Vec<u64> {
        telling(self.sensed())
    }

    fn sensed(&self) -> Sensed<'_> {
        Sensed { senses: &self.senses, words: &self.places }
    }
}

/// The words of a text in the way that targets look at them. Reusable.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// What each word does.
    pub roles: Vec<Role>,
    /// How each is to be taken.
    pub marks: Vec<Mark>,
    similarities: Vec<f32>,
    sum: Vec<f32>,
}

impl Seen {
    /// Reads the roles of the words of a text; `senses` are theirs.
    pub fn read(&mut self, roles: impl Iterator<Item = Role>, text: Sensed<'_>) {
        self.roles.clear();
        self.roles.extend(roles);
        marks(&self.roles, &mut self.marks);
        self.sum.clear();
        self.sum.resize(text.senses.dimension(), 0.0);
        text.add_up(|_| 1.0, &mut self.sum);
        let n = (text.words.len().max(1) as f32).sqrt();
        self.sum.iter_mut().for_each(|s| *s /= n);
    }

    /// How a text speaks of a target: nearness, affirmation with and without the sign, the sign, and three numbers a dimension of the
    /// vectors: product and distance of both means, and the target's mean.
    pub fn dense(&mut self, text: Sensed<'_>, target: &Target, out: &mut Vec<f32>) {
        out.clear();
        out.extend(related(text, target.sensed(), &mut self.similarities));
        let affirmed = affirmed(text, target.sensed(), &self.roles, &self.marks);
        out.extend(affirmed);
        out.extend(affirmed.map(|v| v * target.sign));
        out.push(target.sign);
        out.extend(self.sum.iter().zip(&target.mean).map(|(a, b)| a * b));
        out.extend(self.sum.iter().zip(&target.mean).map(|(a, b)| (a - b).abs()));
        out.extend(&target.mean);
    }
}

/// What is said beside the name of a target, for the last step of one with own heads: whether it is named, then a logit a class.
pub fn beside_inputs(logits: Option<&[f32]>, classes: usize) -> Vec<f32> {
    let named = f32::from(logits.is_some());
    std::iter::once(named)
        .chain(logits.unwrap_or_default().iter().copied().chain(std::iter::repeat(0.0)).take(classes))
        .collect()
}

/// The inputs of the last step: the own logits, if there are any, then those for any target.
pub fn step_inputs(own: &[f32], side: f32, about: Option<f32>) -> Vec<f32> {
    own.iter().copied().chain([side]).chain(about).collect()
}
