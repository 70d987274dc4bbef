//! How a reply relates to its parent: shared words, similarity, quoting, cue phrases, questions.

use super::vectors::Vectors;
use crate::text::cues::{self, Cue};
use crate::text::words::{Kind, Word, Words};

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
/// What ends a question.
const ASKS: [Kind; 2] = [Kind::Question, Kind::Both];
/// Whoever is spoken to.
const YOU: [&str; 7] = ["you", "your", "you're", "u", "ur", "yours", "yourself"];
/// Words of fewer bytes say too little to count as shared.
const SHORTEST_SHARED: usize = 4;

/// The relation of a reply to its parent. `quotes`: the reply quotes something. Without vectors the similarity is 0.
pub fn of(reply: &Words, parent: &Words, quotes: bool, vectors: Option<&Vectors>) -> [f32; COUNT] {
    let (own, theirs) = (content(reply), content(parent));
    let shared = shared(&own, &theirs) as f32;
    let (cues, parent_cues) = (cues::count(reply), cues::count(parent));
    let log = |n: u16| f32::from(n).ln_1p();
    let count = |words: &Words, kinds: &[Kind]| words.iter().filter(|w| kinds.contains(&w.kind)).count() as f32;

    let mut out = [0.0; COUNT];
    out[0] = shared / own.len().max(1) as f32;
    out[1] = shared / theirs.len().max(1) as f32;
    out[2] = vectors.map_or(0.0, |v| cosine(&mean(reply, v), &mean(parent, v)));
    out[3] = f32::from(quotes);
    for kind in 0..CUES {
        out[4 + kind] = log(cues.all[kind]);
        out[10 + kind] = log(cues.start[kind]);
    }
    out[16] = f32::from(reply.iter().last().is_some_and(|w| ASKS.contains(&w.kind)));
    out[17] = count(reply, &ASKS).ln_1p();
    out[18] = (reply.len() as f32).ln_1p();
    out[19] = (parent.len() as f32).ln_1p();
    out[20] = f32::from(count(parent, &ASKS) > 0.0);
    out[21] = log(parent_cues.all[Cue::Deny as usize]);
    out[22] = log(parent_cues.all[Cue::Negation as usize]);
    out[23] = count(reply, &[Kind::Exclamation, Kind::Both]).ln_1p();
    let says_you = |w: &&Word| YOU.contains(&reply.lower(w));
    out[24] = (reply.iter().filter(|w| w.kind == Kind::Letters).filter(says_you).count() as f32).ln_1p();
    out
}

/// The longer words of a text, each once, in the order of their hashes.
pub(super) fn content(words: &Words) -> Vec<u64> {
    let mut content: Vec<u64> = longer(words).map(|w| w.hash).collect();
    content.sort_unstable();
    content.dedup();
    content
}

/// How many words two texts have in common, of their [contents](content).
pub(super) fn shared(a: &[u64], b: &[u64]) -> usize {
    let mut b = b.iter().peekable();
    let is_there = |word: &&u64| {
        while b.next_if(|other| other < word).is_some() {}
        b.peek() == Some(word)
    };
    a.iter().filter(is_there).count()
}

fn longer(words: &Words) -> impl Iterator<Item = &Word> {
    words.iter().filter(|w| w.is_text && words.lower(w).len() >= SHORTEST_SHARED)
}

/// The mean vector of the longer words of a text.
pub fn mean(words: &Words, vectors: &Vectors) -> Vec<f32> {
    let mut sum = vec![0.0; vectors.dimension()];
    for word in longer(words) {
        vectors.add_hashed(word.hash, words.lower(word), 1.0, &mut sum);
    }
    sum
}

/// The cosine of two vectors, 0 where one of them is 0.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}

/// The product of two vectors, sixteen numbers at a time.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANE: usize = 16;
    let (a, last_a) = a.as_chunks::<LANE>();
    let (b, last_b) = b.as_chunks::<LANE>();
    let mut sums = [0.0; LANE];
    for (a, b) in a.iter().zip(b) {
        for k in 0..LANE {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f32>() + last_a.iter().zip(last_b).map(|(a, b)| a * b).sum::<f32>()
}
