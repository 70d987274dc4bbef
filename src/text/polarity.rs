//! Which way words point: what stands under a negation, what speaks of doing away with something, and whether a target asks for that.
//!
//! "We should ban cloning" is favoured by whoever speaks ill of cloning, so that what a text says counts the other way round.

use std::sync::LazyLock;

/// Words that turn round what follows.
const NEGATORS: &[&str] = &[
    "not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot", "cant", "dont", "doesnt",
    "didnt", "isnt", "arent", "wasnt", "werent", "wont", "wouldnt", "shouldnt", "couldnt", "aint", "hardly", "barely",
    "lack", "lacks",
];
/// Words that end the scope of a negation.
const ENDS: &[&str] = &["but", "however", "although", "though", "because", "yet"];
/// How many words a negation turns round.
const SCOPE: usize = 4;

/// Stems of words for doing away with something, holding it down or going against it; all forms begin with the stem.
const STEMS: &[&str] = &[
    "abandon",
    "abolish",
    "abolit",
    "anti",
    "ban",
    "banish",
    "bann",
    "boycott",
    "cancel",
    "ceas",
    "censor",
    "close",
    "closing",
    "combat",
    "condemn",
    "criminaliz",
    "criminalis",
    "curb",
    "cut",
    "cutting",
    "defund",
    "delet",
    "deny",
    "denying",
    "deport",
    "destr",
    "dismantl",
    "disallow",
    "disband",
    "discontinu",
    "discourag",
    "dissol",
    "ditch",
    "drop",
    "elimin",
    "end",
    "ended",
    "ending",
    "eradic",
    "exclu",
    "expel",
    "fight",
    "fighting",
    "forbid",
    "forego",
    "forgo",
    "halt",
    "limit",
    "limiting",
    "oppos",
    "outlaw",
    "overturn",
    "phase",
    "prevent",
    "prohibit",
    "quit",
    "quitting",
    "reduc",
    "refus",
    "reject",
    "remov",
    "renounc",
    "repeal",
    "repress",
    "restrict",
    "revok",
    "scrap",
    "shut",
    "shutting",
    "stop",
    "stopp",
    "suppress",
    "suspend",
    "terminat",
    "veto",
    "withdraw",
];
/// Stems that count only as they stand: the words that begin with them mean something else.
const WHOLE: &[&str] = &[
    "ban", "bans", "block", "blocks", "blocked", "blocking", "close", "closing", "cut", "cuts", "drop", "end", "ends",
    "against", "anti", "fight", "phase", "quit", "shut",
];

/// The stems by their first byte, and whether each counts only as it stands.
static ACTIONS: LazyLock<Vec<Vec<(&str, bool)>>> = LazyLock::new(|| {
    let mut by_initial = vec![Vec::new(); 256];
    let stems = STEMS.iter().filter(|stem| !WHOLE.contains(stem)).map(|stem| (*stem, false));
    for (stem, whole) in stems.chain(WHOLE.iter().map(|stem| (*stem, true))) {
        by_initial[stem.bytes().next().unwrap_or_default() as usize].push((stem, whole));
    }
    by_initial
});

/// True for a word that speaks of doing away with something or going against it (lower case).
pub fn is_negative_action(word: &str) -> bool {
    let initial = word.bytes().next().unwrap_or_default();
    ACTIONS.get(initial as usize).is_some_and(|actions| {
        actions.iter().any(|(stem, whole)| if *whole { word == *stem } else { word.starts_with(stem) })
    })
}

/// What else a target says against something, as it stands between blanks.
const AGAINST: &[&str] = &[
    "more harm than good",
    "is harmful",
    "are harmful",
    "is bad",
    "are bad",
    "is wrong",
    "are wrong",
    "a crime",
    "criminal offence",
    "criminal offense",
    "be illegal",
    "made illegal",
    "be punished",
    "fight for",
];

/// How what is said counts for a target: -1 if it names an odd number of negative actions or negations, else 1. `target` is lower
/// case, with a blank before and after each word.
pub fn sign(target: &str) -> f32 {
    let words = target.split(' ').filter(|word| is_negative_action(word) || is_negator(word)).count();
    // Whoever fights for something is for it: there the phrase takes back what the word has turned round.
    let phrases = AGAINST.iter().filter(|phrase| target.contains(&format!(" {phrase} "))).count();
    if (words + phrases) % 2 == 1 { -1.0 } else { 1.0 }
}

fn is_negator(word: &str) -> bool {
    NEGATORS.contains(&word) || word.ends_with("n't")
}

/// What a word does to those around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    Plain,
    /// Turns round the next words.
    Negator,
    /// Ends a negation.
    End,
    /// Ends a sentence, and a negation with it.
    Stop,
    /// Speaks of doing away with something.
    NegativeAction,
}

impl Role {
    /// The role of a word (lower case).
    pub fn of(word: &str) -> Self {
        if is_negator(word) {
            Self::Negator
        } else if matches!(word, "." | "!" | "?" | "!!" | "??" | "?!" | "...") {
            Self::Stop
        } else if ENDS.contains(&word) || word.chars().all(|c| !c.is_alphanumeric()) {
            Self::End
        } else if is_negative_action(word) {
            Self::NegativeAction
        } else {
            Self::Plain
        }
    }
}

/// How a word of a text is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Stands under a negation.
    pub negated: bool,
    /// Its sentence names an odd number of negative actions: what it says is said of the action, not of what that acts upon.
    pub acted: bool,
}

/// Marks the words of a text by their roles.
pub fn marks(roles: &[Role], out: &mut Vec<Mark>) {
    out.clear();
    let (mut left, mut start) = (0, 0);
    let mut odd = false;
    for (i, role) in roles.iter().enumerate() {
        let negated = left > 0 && !matches!(role, Role::End | Role::Stop);
        out.push(Mark { negated, acted: false });
        left = match role {
            Role::Negator => SCOPE,
            Role::End | Role::Stop => 0,
            _ => left.saturating_sub(1),
        };
        odd ^= *role == Role::NegativeAction;
        if *role == Role::Stop || i + 1 == roles.len() {
            out.iter_mut().skip(start).for_each(|mark| mark.acted = odd);
            (start, odd) = (i + 1, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_ask_for_an_end_count_the_other_way_round() {
        let is_turned = |target: &str| sign(&format!(" {target} ")) < 0.0;
        assert!(is_turned("we should ban human cloning"));
        assert!(is_turned("the vow of celibacy should be abandoned"));
        assert!(!is_turned("we should not ban human cloning"));
        assert!(is_turned("we should fight for the abolition of nuclear weapons"));
        assert!(is_turned("foster care brings more harm than good"));
        assert!(!is_turned("bank closures"));
        assert!(!is_turned("entrapment should be legalized"));
    }

    #[test]
    fn a_negation_reaches_four_words_and_stops_at_a_comma() {
        let words = ["i", "don't", "like", "it", ",", "keep", "it", ".", "stop", "it", "now"];
        let roles: Vec<Role> = words.iter().map(|w| Role::of(w)).collect();
        let mut found = Vec::new();
        marks(&roles, &mut found);
        let negated: Vec<&str> = words.iter().zip(&found).filter(|(_, m)| m.negated).map(|(w, _)| *w).collect();
        assert_eq!(negated, ["like", "it"]);
        assert!(!found[0].acted && found[9].acted);
    }
}
