//! What else bears on the stance of a reply, in blocks that a model may use or leave out: how it asks and disputes, its place in the
//! thread, the marks of its platform, how it and its parent are typed.
//!
//! Blocks are chosen where a model is trained: what tells stances apart in one corpus may tell only the corpora apart in several.

use serde::{Deserialize, Serialize};

use super::relation::{self, content, cosine, mean, shared};
use super::style;
use super::vectors::Vectors;
use crate::text::cues::{self, Cue};
use crate::text::words::{URL, USER, Words};

/// A block of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// Phrases that dispute, ask and report; question words at the opening.
    Cues,
    /// Whether there is a parent, whether it opens the thread, what the reply shares with the comment that does.
    Thread,
    /// Mentions, links, hashtags, retweets.
    Marks,
    /// Style of the reply.
    Style,
    /// Style of the parent.
    ParentStyle,
}

/// All blocks, in the order of their features.
pub const BLOCKS: [Block; 5] = [Block::Cues, Block::Thread, Block::Marks, Block::Style, Block::ParentStyle];

const ASKING: &[&str] = &[
    "who", "what", "when", "where", "why", "how", "which", "whose", "is", "are", "was", "were", "do", "does", "did",
    "can", "could", "would", "will", "should", "has", "have", "any", "anyone", "really", "isn't", "aren't", "don't",
    "doesn't", "didn't",
];
const QUESTION_MARKS: &[&str] = &["?", "??", "?!"];
/// Words at the opening of a reply among which a question word or `RT` is looked for.
const OPENING: usize = 3;

/// A reply and what stands around it.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// Its own words.
    pub own: &'a Words,
    /// Those of its parent; none if it answers nothing, or nothing that is known.
    pub parent: &'a Words,
    /// True if it has a parent.
    pub has_parent: bool,
    /// The words of the comment that opens the thread, where that is known.
    pub root: Option<&'a Words>,
    /// Its style.
    pub style: &'a [f32; style::COUNT],
    /// Its parent's style.
    pub parent_style: &'a [f32; style::COUNT],
    /// Its relation to the parent.
    pub relation: &'a [f32; relation::COUNT],
}

impl Block {
    /// How many features it has.
    pub const fn width(self) -> usize {
        match self {
            Self::Cues => 10,
            Self::Thread => 7 + relation::COUNT,
            Self::Marks => 5,
            Self::Style | Self::ParentStyle => style::COUNT,
        }
    }

    /// Appends the features of `reply`. Without vectors, similarities are 0.
    pub fn add(self, reply: &Reply<'_>, vectors: Option<&Vectors>, out: &mut Vec<f32>) {
        match self {
            Self::Cues => out.extend(cues_of(reply.own)),
            Self::Thread => thread(reply, vectors, out),
            Self::Marks => out.extend(marks(reply.own)),
            Self::Style => out.extend(reply.style),
            Self::ParentStyle => out.extend(reply.parent_style),
        }
    }
}

fn cues_of(own: &Words) -> [f32; Block::Cues.width()] {
    let log = |n: u16| f32::from(n).ln_1p();
    let found = cues::count(own);
    let mut out = [0.0; Block::Cues.width()];
    for (i, cue) in [Cue::Dispute, Cue::Ask, Cue::Report].into_iter().enumerate() {
        out[2 * i] = log(found.all[cue as usize]);
        out[2 * i + 1] = log(found.start[cue as usize]);
    }
    // Whoever is addressed comes first and says nothing.
    let said = || own.iter().map(|w| own.lower(w)).filter(|w| *w != USER);
    let asks = said().any(|w| QUESTION_MARKS.contains(&w));
    out[6] = f32::from(said().next().is_some_and(|w| ASKING.contains(&w)));
    out[7] = f32::from(asks && said().take(OPENING).any(|w| ASKING.contains(&w)));
    out[8] = f32::from(said().rfind(|w| *w != URL).is_some_and(|w| QUESTION_MARKS.contains(&w)));
    out[9] = f32::from(asks);
    out
}

fn thread(reply: &Reply<'_>, vectors: Option<&Vectors>, out: &mut Vec<f32>) {
    let asks = reply.own.iter().any(|w| QUESTION_MARKS.contains(&reply.own.lower(w)));
    let absent = f32::from(!reply.has_parent);
    let parent_opens = reply.has_parent && reply.root.is_some_and(|root| root.joined() == reply.parent.joined());
    out.extend([absent, absent * f32::from(asks), f32::from(parent_opens), f32::from(reply.root.is_some())]);
    match reply.root {
        Some(root) => {
            let (own, first) = (content(reply.own), content(root));
            let shared = shared(&own, &first) as f32;
            let similar = vectors.map_or(0.0, |v| cosine(&mean(reply.own, v), &mean(root, v)));
            out.extend([shared / own.len().max(1) as f32, shared / first.len().max(1) as f32, similar]);
        }
        None => out.extend([0.0; 3]),
    }
    // What agrees with the opening of a thread is not what agrees with an answer to it.
    out.extend(reply.relation.iter().map(|v| v * f32::from(parent_opens)));
}

fn marks(own: &Words) -> [f32; Block::Marks.width()] {
    let count = |name: &str| own.iter().filter(|w| own.lower(w) == name).count() as f32;
    let opens = |name: &str| f32::from(own.iter().take(2 * OPENING).any(|w| own.lower(w) == name));
    [count(USER).ln_1p(), f32::from(count(URL) > 0.0), count("#").ln_1p(), opens("rt"), opens(USER)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(block: Block, own: &str, parent: Option<&str>, root: Option<&str>) -> Vec<f32> {
        let (own, parent_words) = (Words::of(own), Words::of(parent.unwrap_or_default()));
        let root = root.map(Words::of);
        let relation = relation::of(&own, &parent_words, false, None);
        let style = [0.0; style::COUNT];
        let reply = Reply {
            own: &own,
            parent: &parent_words,
            has_parent: parent.is_some(),
            root: root.as_ref(),
            style: &style,
            parent_style: &style,
            relation: &relation,
        };
        let mut out = Vec::new();
        block.add(&reply, None, &mut out);
        out
    }

    #[test]
    fn every_block_has_the_width_it_states() {
        for block in BLOCKS {
            assert_eq!(features(block, "@joe is it true?", Some("yes"), None).len(), block.width(), "{block:?}");
        }
    }

    #[test]
    fn the_place_in_the_thread_is_told_from_the_texts() {
        let place = |parent, root| features(Block::Thread, "is that so?", parent, root)[..4].to_vec();
        assert_eq!(place(None, None), [1.0, 1.0, 0.0, 0.0], "a root that asks");
        assert_eq!(place(Some("It burns."), Some("it burns.")), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(place(Some("It burns."), Some("Fire!")), [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(place(Some("It burns."), None), [0.0; 4]);
    }

    #[test]
    fn a_question_opens_behind_whoever_is_addressed() {
        let asks = |text| features(Block::Cues, text, Some("It burns."), None)[6..].to_vec();
        assert_eq!(asks("@joe @ann is there a source? https://a.example/x"), [1.0; 4]);
        assert_eq!(asks("@joe nobody asked what it was."), [0.0; 4]);
    }
}
