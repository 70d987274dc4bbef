//! Is a text in the model's language? Only a long text that is plainly in another one is refused: short texts never are.

use super::words::Words;

/// Texts of fewer letters are taken to be in the model's language.
const FEWEST_LETTERS: usize = 60;
/// Share of words found among the model's commonest from which no further look is taken.
const ENOUGH_COMMON: f32 = 0.15;

/// The language most of `texts` are in, as an ISO 639-3 code, if four of five long ones agree.
pub fn dominant<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    let mut all = 0;
    for language in texts.filter_map(of).take(500) {
        *counts.entry(language).or_default() += 1;
        all += 1;
    }
    let (language, n) = counts.into_iter().max_by_key(|(_, n)| *n)?;
    (n * 5 >= all * 4).then(|| language.to_owned())
}

/// The language of a text that is long enough to tell, as an ISO 639-3 code.
pub fn of(text: &str) -> Option<&'static str> {
    if text.chars().filter(|c| c.is_alphabetic()).take(FEWEST_LETTERS).count() < FEWEST_LETTERS {
        return None;
    }
    whatlang::detect(text).filter(whatlang::Info::is_reliable).map(|info| info.lang().code())
}

/// The other language a text is in (ISO 639-3), or `None` if it may be scored by a model of `language`.
/// `common` is the number of its words that are among the commonest of the model's.
pub fn other_than(language: &str, text: &str, words: &Words, common: usize) -> Option<&'static str> {
    let texts = words.iter().filter(|w| w.is_text).count();
    if common as f32 >= ENOUGH_COMMON * texts as f32 && texts > 0 {
        return None;
    }
    of(text).filter(|code| *code != language)
}
