//! How a reply relates to its parent: shared words, similarity, quoting, cue phrases, questions.

use std::collections::HashSet;

use super::vectors::Vectors;
use crate::text::cues::{self, Cue};
use crate::text::words::Words;

/// How many relation features there are.
pub const COUNT: usize = 25;

/// Their names, for explanations.
pub const NAMES: [&str; COUNT] = [
    "shares words with the parent",
    "takes up the parent's words",
    "similar to the parent",
    "quotes the parent",
    "agreeing phrases",
    "denying phrases",
    "asking phrases",
    "negations",
    "hedges",
    "thanks",
    "opens agreeing",
    "opens denying",
    "opens asking",
    "opens with a negation",
    "opens hedging",
    "opens with thanks",
    "ends in a question",
    "questions",
    "length of the reply",
    "length of the parent",
    "the parent asks",
    "the parent denies",
    "the parent negates",
    "exclamations",
    "says you",
];

/// Kinds of cue that are counted here: those up to [`Cue::Thanks`]. The others are for stance alone ([`super::context`]).
const CUES: usize = Cue::Thanks as usize + 1;
/// Words of fewer bytes say too little to count as shared.
const SHORTEST_SHARED: usize = 4;

/// The relation of a reply to its parent. `quotes`: the reply quotes something. Without vectors the similarity is 0.
pub fn of(reply: &Words, parent: &Words, quotes: bool, vectors: Option<&Vectors>) -> [f32; COUNT] {
    let (own, theirs) = (content(reply), content(parent));
    let shared = own.intersection(&theirs).count() as f32;
    let (cues, parent_cues) = (cues::count(reply), cues::count(parent));
    let log = |n: u16| f32::from(n).ln_1p();
    let count = |words: &Words, names: &[&str]| words.iter().filter(|w| names.contains(&words.lower(w))).count() as f32;

    let mut out = [0.0; COUNT];
    out[0] = shared / own.len().max(1) as f32;
    out[1] = shared / theirs.len().max(1) as f32;
    out[2] = vectors.map_or(0.0, |v| cosine(&mean(reply, v), &mean(parent, v)));
    out[3] = f32::from(quotes);
    for kind in 0..CUES {
        out[4 + kind] = log(cues.all[kind]);
        out[10 + kind] = log(cues.start[kind]);
    }
    out[16] = f32::from(reply.iter().last().is_some_and(|w| matches!(reply.lower(w), "?" | "??" | "?!")));
    out[17] = count(reply, &["?", "??", "?!"]).ln_1p();
    out[18] = (reply.len() as f32).ln_1p();
    out[19] = (parent.len() as f32).ln_1p();
    out[20] = f32::from(count(parent, &["?", "??", "?!"]) > 0.0);
    out[21] = log(parent_cues.all[Cue::Deny as usize]);
    out[22] = log(parent_cues.all[Cue::Negation as usize]);
    out[23] = count(reply, &["!", "!!", "?!"]).ln_1p();
    out[24] = count(reply, &["you", "your", "you're", "u", "ur", "yours", "yourself"]).ln_1p();
    out
}

/// The longer words of a text.
pub(super) fn content(words: &Words) -> HashSet<u64> {
    words.iter().filter(|w| w.is_text && words.lower(w).len() >= SHORTEST_SHARED).map(|w| w.hash).collect()
}

/// The mean vector of the longer words of a text.
pub fn mean(words: &Words, vectors: &Vectors) -> Vec<f32> {
    let mut sum = vec![0.0; vectors.dimension()];
    for word in words.iter().filter(|w| w.is_text && words.lower(w).len() >= SHORTEST_SHARED) {
        vectors.add(words.lower(word), 1.0, &mut sum);
    }
    sum
}

/// The cosine of two vectors, 0 where one of them is 0.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
