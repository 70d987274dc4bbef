//! Character n-grams inside a word (Bojanowski et al. 2017): 2 to 5 characters of `" word "`, by hash.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Keeps the names of n-grams apart from those of words.
const SEED: u64 = 1;
/// Words of more characters give the n-grams of their first ones only.
const LONGEST_WORD: usize = 48;

/// Appends the names of the n-grams of one lower-case word. Punctuation and single characters have none.
pub fn of(word: &str, names: &mut Vec<u64>) {
    if !word.starts_with(char::is_alphanumeric) {
        return;
    }
    let padded: String =
        std::iter::once(' ').chain(word.chars().take(LONGEST_WORD)).chain(std::iter::once(' ')).collect();
    let ends: Vec<usize> = padded.char_indices().map(|(i, _)| i).chain(std::iter::once(padded.len())).collect();
    let characters = ends.len() - 1;
    for size in 2..=5usize.min(characters) {
        for window in ends.windows(size + 1) {
            names.push(xxh3_64_with_seed(&padded.as_bytes()[window[0]..window[size]], SEED));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_word_has_the_n_grams_of_its_padded_form() {
        let mut names = Vec::new();
        super::of("abc", &mut names);
        // " abc ": 4 of two, 3 of three, 2 of four, 1 of five characters
        assert_eq!(names.len(), 10);
        names.clear();
        super::of("!!", &mut names);
        assert!(names.is_empty());
    }
}
