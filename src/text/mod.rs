//! From raw text to words: cleaning, quotes, the one definition of a word, subwords and cue phrases.

pub mod clean;
pub mod cues;
pub mod html;
pub mod language;
pub mod normalize;
pub(crate) mod phrases;
pub mod polarity;
pub mod quotes;
pub mod targets;
pub mod terms;
pub mod tokenizer;
pub mod words;
