//! Subwords: a `WordPiece` tokenizer trained on the training text. The only file that names the `tokenizers` crate.
//!
//! Schuster & Nakajima 2012; the pieces inside a word carry `##`.

use std::collections::BTreeMap;
use std::path::Path;

use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainerBuilder};
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{AddedToken, Model, Tokenizer, TokenizerBuilder, Trainer};

use crate::error::{Error, Result};

const UNKNOWN: &str = "[UNK]";
/// Pieces of words longer than this are not looked at.
const LONGEST_WORD: usize = 64;
/// Most characters that subwords are made of: the commonest ones.
const ALPHABET: usize = 200;
/// What begins a piece inside a word.
const INSIDE: &str = "##";

/// Splits lower-case words into subwords.
#[derive(Debug, Clone)]
pub struct Subwords {
    tokenizer: Tokenizer,
    unknown: Option<u32>,
}

impl Subwords {
    /// Learns up to `size` subwords from lower-case words joined by blanks.
    pub fn train<'a>(texts: impl Iterator<Item = &'a str> + Clone + Send, size: usize) -> Result<Self> {
        let alphabet = alphabet(texts.clone());
        // The trainer numbers characters in the order of a hash map, and breaks ties by number: it learns the same subwords from the
        // same texts only if every character has its number from the start.
        let first = std::iter::once(UNKNOWN.to_owned());
        let inside = alphabet.iter().map(|c| format!("{INSIDE}{c}"));
        let numbered = first.chain(alphabet.iter().map(char::to_string)).chain(inside);
        let mut trainer = WordPieceTrainerBuilder::new()
            .vocab_size(size)
            .min_frequency(2)
            .show_progress(false)
            .special_tokens(numbered.map(|token| AddedToken::from(token, true)).collect())
            .continuing_subword_prefix(INSIDE.to_owned())
            .build();
        let is_known = |word: &&str| !word.is_empty() && word.chars().all(|c| alphabet.binary_search(&c).is_ok());
        let split = |text: &str| Ok(text.split(' ').filter(is_known).map(str::to_owned).collect());
        trainer.feed(texts, split).map_err(|e| wrong(&e))?;
        let mut model = WordPiece::builder().unk_token(UNKNOWN.into()).build().map_err(|e| wrong(&e))?;
        trainer.train(&mut model).map_err(|e| wrong(&e))?;
        let tokenizer: Tokenizer = TokenizerBuilder::<
            _,
            tokenizers::NormalizerWrapper,
            _,
            tokenizers::PostProcessorWrapper,
            tokenizers::DecoderWrapper,
        >::new()
        .with_model(tokenizers::ModelWrapper::from(model))
        .with_pre_tokenizer(Some(tokenizers::PreTokenizerWrapper::from(WhitespaceSplit)))
        .build()
        .map_err(|e| wrong(&e))?
        .into();
        Ok(Self::new(tokenizer))
    }

    /// Reads `tokenizer.json`.
    pub fn open(path: &Path) -> Result<Self> {
        let tokenizer = Tokenizer::from_file(path).map_err(|e| Error::model(path, e.to_string()))?;
        Ok(Self::new(tokenizer))
    }

    /// Writes `tokenizer.json`.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.tokenizer.save(path, true).map_err(|e| Error::model(path, e.to_string()))
    }

    fn new(tokenizer: Tokenizer) -> Self {
        let unknown = tokenizer.token_to_id(UNKNOWN);
        Self { tokenizer, unknown }
    }

    /// How many subwords there are; ids are below this.
    pub fn len(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// True if nothing was learnt.
    pub fn is_empty(&self) -> bool {
        self.len() <= 1
    }

    /// Appends the ids of the subwords of one lower-case word; a word that cannot be split has none.
    pub fn split(&self, word: &str, ids: &mut Vec<u32>) {
        if word.len() > LONGEST_WORD {
            return;
        }
        let tokens = self.tokenizer.get_model().tokenize(word).unwrap_or_default();
        ids.extend(tokens.iter().map(|t| t.id).filter(|id| Some(*id) != self.unknown));
    }
}

/// The commonest characters of words, in their own order.
fn alphabet<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<char> {
    let mut counts: BTreeMap<char, u64> = BTreeMap::new();
    for c in texts.flat_map(str::chars).filter(|c| *c != ' ') {
        *counts.entry(c).or_insert(0) += 1;
    }
    let mut characters: Vec<(char, u64)> = counts.into_iter().collect();
    // Stable: of characters as common as each other the first are kept.
    characters.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    characters.truncate(ALPHABET);
    let mut characters: Vec<char> = characters.into_iter().map(|(c, _)| c).collect();
    characters.sort_unstable();
    characters
}

fn wrong(error: &tokenizers::Error) -> Error {
    Error::settings(format!("the subword tokenizer could not be trained: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trained_tokenizer_reads_back_and_splits_alike() {
        let text = "walking talked walked talking walker talker walk talk walks talks".repeat(20);
        let subwords = Subwords::train(std::iter::once(text.as_str()), 60).unwrap();
        let dir = tempfile::tempdir().unwrap();
        subwords.save(&dir.path().join("tokenizer.json")).unwrap();
        let again = Subwords::open(&dir.path().join("tokenizer.json")).unwrap();
        for word in ["walk", "talkings", "ж", ""] {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            subwords.split(word, &mut a);
            again.split(word, &mut b);
            assert_eq!(a, b, "{word}");
        }
        assert!(subwords.len() > 10);
    }
}
