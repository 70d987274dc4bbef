//! Cue phrases: short lists of words that agree, deny, doubt, ask or report, found in one pass.
//!
//! The lists were written for this project from what a reader expects of a reply. Those of [`Cue::Dispute`], [`Cue::Ask`] and
//! [`Cue::Report`] were then extended by phrases that told the classes apart in at least three of six groups of events of
//! `RumourEval` 2019 (train and dev; never its test).

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::words::Words;

/// What a cue phrase does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    /// "exactly", "well said": sides with what was said.
    Agree,
    /// "nonsense", "not true": goes against it.
    Deny,
    /// "source?", "how do you know": wants to know more.
    Query,
    /// "not", "never": turns what follows round.
    Negation,
    /// "seems", "perhaps": holds back.
    Hedge,
    /// "thanks", "please".
    Thanks,
    /// "not confirmed", "get it right": says that a claim is wrong or that whoever made it had better not.
    Dispute,
    /// "is it true", "any news": asks about a claim.
    Ask,
    /// "breaking", "police say": passes news on.
    Report,
}

/// How many kinds of cue there are.
pub const KINDS: usize = 9;

const AGREE: &[&str] = &[
    "agree",
    "agreed",
    "i agree",
    "exactly",
    "absolutely",
    "indeed",
    "yes",
    "yep",
    "yup",
    "yeah",
    "true",
    "very true",
    "so true",
    "this",
    "well said",
    "good point",
    "great point",
    "you are right",
    "you're right",
    "spot on",
    "well put",
    "my thoughts",
    "couldn't agree more",
    "+ 1",
    "amen",
    "same here",
    "correct",
    "right on",
    "precisely",
    "confirmed",
    "of course",
];
const DENY: &[&str] = &[
    "no",
    "nope",
    "nah",
    "wrong",
    "false",
    "fake",
    "untrue",
    "not true",
    "nonsense",
    "rubbish",
    "bullshit",
    "bs",
    "lie",
    "lies",
    "liar",
    "lying",
    "hoax",
    "disagree",
    "i disagree",
    "incorrect",
    "not correct",
    "actually",
    "myth",
    "debunked",
    "garbage",
    "propaganda",
    "ridiculous",
    "you are wrong",
    "you're wrong",
    "not really",
    "stop",
    "doubt",
    "doubtful",
    "misleading",
    "rumor",
    "that is not",
    "that's not",
    "isn't true",
    "never happened",
    "didn't happen",
    "no evidence",
    "no proof",
    "lol no",
    "give me a break",
];
const QUERY: &[&str] = &[
    "source",
    "sources",
    "proof",
    "evidence",
    "link",
    "who",
    "what",
    "when",
    "where",
    "why",
    "how",
    "which",
    "really ?",
    "is it",
    "is this",
    "is that",
    "are you",
    "do you",
    "did you",
    "does anyone",
    "anyone know",
    "any news",
    "any idea",
    "how do you know",
    "confirm",
    "verified",
    "says who",
    "what about",
    "can you",
    "could you",
    "have you",
];
const NEGATION: &[&str] = &[
    "not",
    "never",
    "none",
    "nobody",
    "nothing",
    "cannot",
    "can't",
    "don't",
    "doesn't",
    "didn't",
    "isn't",
    "aren't",
    "wasn't",
    "weren't",
    "won't",
    "wouldn't",
    "shouldn't",
    "couldn't",
    "haven't",
    "hasn't",
    "without",
    "neither",
    "nor",
];
const HEDGE: &[&str] = &[
    "maybe",
    "perhaps",
    "seems",
    "seem",
    "apparently",
    "allegedly",
    "reportedly",
    "probably",
    "possibly",
    "might",
    "could be",
    "i think",
    "i guess",
    "i believe",
    "in my opinion",
    "imo",
    "not sure",
];
const THANKS: &[&str] =
    &["thanks", "thank you", "please", "sorry", "welcome", "appreciate", "kudos", "congratulations", "rip", "prayers"];

const DISPUTE: &[&str] = &[
    "not confirmed",
    "unconfirmed",
    "no confirmation",
    "is not true",
    "isn't true",
    "not true",
    "simply not",
    "this is not",
    "that is not",
    "that's not",
    "it's not",
    "not the",
    "not according",
    "not what",
    "no he",
    "no she",
    "no it",
    "no they",
    "no i",
    "no you",
    "no ,",
    "no .",
    "there is no",
    "there's no",
    "there was no",
    "no such",
    "has not",
    "hasn't",
    "did not",
    "didn't",
    "was not",
    "wasn't",
    "does not",
    "doesn't",
    "never said",
    "never happened",
    "get it right",
    "get your facts",
    "the facts",
    "facts",
    "check your",
    "made up",
    "make up",
    "making up",
    "fabricated",
    "photoshop",
    "photoshopped",
    "satire",
    "conspiracy",
    "debunked",
    "hoax",
    "fake",
    "false",
    "lie",
    "lies",
    "liar",
    "lying",
    "bs",
    "bullshit",
    "crap",
    "nope",
    "wrong",
    "incorrect",
    "inaccurate",
    "misinformation",
    "disinformation",
    "irresponsible",
    "stop spreading",
    "delete",
    "retract",
    "misleading",
    "contrary",
    "mistaken",
    "alive",
    "don't believe",
];
const ASK: &[&str] = &[
    "is it true",
    "is that true",
    "is this true",
    "is it",
    "is that",
    "is this",
    "any news",
    "any word",
    "any source",
    "any proof",
    "any evidence",
    "any update",
    "do you know",
    "do we know",
    "does anyone",
    "anyone know",
    "can you",
    "can someone",
    "could you",
    "how do you",
    "how do we",
    "how many",
    "what about",
    "what is",
    "what are",
    "what's",
    "where is",
    "where are",
    "source ?",
    "link ?",
    "proof ?",
    "news ?",
    "yet ?",
    "really ?",
    "true ?",
    "right ?",
    "know ?",
    "this ?",
    "are you",
    "are we",
    "have you",
    "did you",
    "did they",
    "was it",
    "was he",
    "is he",
    "is she",
    "was there",
    "is there",
    "who is",
    "why would",
    "why did",
    "if so",
    "explain",
    "you mean",
    "what makes you",
    "wait",
];
const REPORT: &[&str] = &[
    "breaking",
    "update",
    "reports",
    "report",
    "reported",
    "reportedly",
    "confirmed",
    "confirms",
    "according to",
    "at least",
    "police say",
    "says",
    "just in",
    "developing",
    "latest",
    "via",
    "rt",
    "more :",
    "officials",
    "official",
    "sources say",
    "killed",
    "injured",
    "agreed",
    "exactly",
    "i saw",
    "i heard",
];

const LISTS: [(Cue, &[&str]); KINDS] = [
    (Cue::Agree, AGREE),
    (Cue::Deny, DENY),
    (Cue::Query, QUERY),
    (Cue::Negation, NEGATION),
    (Cue::Hedge, HEDGE),
    (Cue::Thanks, THANKS),
    (Cue::Dispute, DISPUTE),
    (Cue::Ask, ASK),
    (Cue::Report, REPORT),
];

struct Automaton {
    find: AhoCorasick,
    kind: Vec<usize>,
}

// The patterns are fixed at compile time; a test builds the automaton, so an empty one is never met in practice.
static AUTOMATON: LazyLock<Option<Automaton>> = LazyLock::new(|| {
    let mut kind = Vec::new();
    let mut patterns = Vec::new();
    for (i, (_, list)) in LISTS.iter().enumerate() {
        for phrase in *list {
            patterns.push(format!(" {phrase} "));
            kind.push(i);
        }
    }
    // Every phrase begins with a blank, which is no start to look for.
    let builder = &mut AhoCorasick::builder();
    let builder = builder.match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::DFA)).prefilter(false);
    let find = builder.build(patterns).ok()?;
    Some(Automaton { find, kind })
});

/// How often each kind of cue occurs in a text, and among its first words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the whole text, by [`Cue`].
    pub all: [u16; KINDS],
    /// Among the first six words.
    pub start: [u16; KINDS],
}

/// Counts the cue phrases of a text. Phrases may overlap.
pub fn count(words: &Words) -> Counts {
    let mut counts = Counts::default();
    let Some(automaton) = AUTOMATON.as_ref() else { return counts };
    let text = words.joined();
    let start = memchr::memchr_iter(b' ', text.as_bytes()).nth(6).unwrap_or(text.len());
    for found in automaton.find.find_overlapping_iter(text) {
        let kind = automaton.kind[found.pattern().as_usize()];
        counts.all[kind] = counts.all[kind].saturating_add(1);
        if found.end() <= start + 1 {
            counts.start[kind] = counts.start[kind].saturating_add(1);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_are_whole_words_and_may_touch() {
        let counts = count(&Words::of("No, not true. Nowhere does it say who paid."));
        assert_eq!(counts.all[Cue::Deny as usize], 2, "no / not true, but not nowhere");
        assert_eq!(counts.start[Cue::Deny as usize], 2);
        assert_eq!(counts.all[Cue::Query as usize], 1);
        assert_eq!(counts.start[Cue::Query as usize], 0);
        assert_eq!(count(&Words::of("agree agree agree")).all[Cue::Agree as usize], 3);
    }
}
