//! Ways to write a word so that people read it and filters do not.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// One way to hide a word.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    /// What it is called in results and limits.
    pub name: &'static str,
    /// Writes a word that way; the same if it cannot.
    pub write: fn(&str, &mut ChaCha8Rng) -> String,
}

/// All attacks.
pub const ATTACKS: [Attack; 8] = [
    Attack { name: "leet", write: leet },
    Attack { name: "spacing", write: spacing },
    Attack { name: "homoglyphs", write: homoglyphs },
    Attack { name: "zero_width", write: zero_width },
    Attack { name: "repeats", write: repeats },
    Attack { name: "censoring", write: censoring },
    Attack { name: "deletion", write: deletion },
    Attack { name: "swap", write: swap },
];

/// Most times that a repeated letter stands.
const MOST_REPEATS: usize = 5;

/// `1d10t`: digits and signs for the letters they look like.
fn leet(word: &str, _: &mut ChaCha8Rng) -> String {
    let digit = |c: char| match c.to_ascii_lowercase() {
        'a' => '4',
        'e' => '3',
        'i' => '1',
        'o' => '0',
        's' => '5',
        't' => '7',
        _ => c,
    };
    word.chars().map(digit).collect()
}

/// `i d i o t`.
fn spacing(word: &str, _: &mut ChaCha8Rng) -> String {
    joined(word, " ")
}

/// `іdіоt` with letters of Cyrillic.
fn homoglyphs(word: &str, _: &mut ChaCha8Rng) -> String {
    let twin = |c: char| match c {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'h' => 'һ',
        'i' => 'і',
        'j' => 'ј',
        'o' => 'о',
        'p' => 'р',
        's' => 'ѕ',
        'x' => 'х',
        'y' => 'у',
        'A' => 'А',
        'B' => 'В',
        'C' => 'С',
        'E' => 'Е',
        'H' => 'Н',
        'I' => 'І',
        'K' => 'К',
        'M' => 'М',
        'O' => 'О',
        'P' => 'Р',
        'S' => 'Ѕ',
        'T' => 'Т',
        'X' => 'Х',
        _ => c,
    };
    word.chars().map(twin).collect()
}

/// A zero width space between all letters.
fn zero_width(word: &str, _: &mut ChaCha8Rng) -> String {
    joined(word, "\u{200B}")
}

/// `idiooot`: one letter several times.
fn repeats(word: &str, random: &mut ChaCha8Rng) -> String {
    let letters: Vec<char> = word.chars().collect();
    let vowels: Vec<usize> =
        (0..letters.len()).filter(|&i| letters.get(i).is_some_and(|c| "aeiouAEIOU".contains(*c))).collect();
    let place = match vowels.len() {
        0 => letters.len().saturating_sub(1),
        n => vowels.get(random.random_range(0..n)).copied().unwrap_or_default(),
    };
    let times = random.random_range(3..=MOST_REPEATS);
    let repeat = |(i, c): (usize, &char)| std::iter::repeat_n(*c, if i == place { times } else { 1 });
    letters.iter().enumerate().flat_map(repeat).collect()
}

/// `i***t`: all but the first and last letter masked.
fn censoring(word: &str, _: &mut ChaCha8Rng) -> String {
    let last = word.chars().count().saturating_sub(1);
    word.chars().enumerate().map(|(i, c)| if i == 0 || i == last { c } else { '*' }).collect()
}

/// `idot`: a letter inside the word left out.
fn deletion(word: &str, random: &mut ChaCha8Rng) -> String {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < 3 {
        return word.to_owned();
    }
    let place = random.random_range(1..letters.len() - 1);
    letters.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, c)| c).collect()
}

/// `idoit`: two neighbours inside the word exchanged, two that differ if there are any. A word of three letters exchanges its last two.
fn swap(word: &str, random: &mut ChaCha8Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let last = if letters.len() > 3 { letters.len().saturating_sub(2) } else { letters.len().saturating_sub(1) };
    let places: Vec<usize> = (1..last).filter(|&i| letters.get(i) != letters.get(i + 1)).collect();
    if !places.is_empty()
        && let Some(&place) = places.get(random.random_range(0..places.len()))
    {
        letters.swap(place, place + 1);
    }
    letters.into_iter().collect()
}

fn joined(word: &str, between: &str) -> String {
    let letters: Vec<String> = word.chars().map(String::from).collect();
    letters.join(between)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn written(name: &str, word: &str, seed: u64) -> String {
        let attack = ATTACKS.iter().find(|attack| attack.name == name).unwrap();
        (attack.write)(word, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn words_are_written_as_they_are_said_to_be() {
        for (name, out) in [
            ("leet", "1d107"),
            ("spacing", "i d i o t"),
            ("homoglyphs", "іdіоt"),
            ("zero_width", "i\u{200B}d\u{200B}i\u{200B}o\u{200B}t"),
            ("censoring", "i***t"),
        ] {
            assert_eq!(written(name, "idiot", 1), out);
        }
    }

    #[test]
    fn typos_stay_inside_the_word_and_differ_by_seed() {
        let all = |name| (0..30).map(|seed| written(name, "idiot", seed)).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(all("deletion").into_iter().collect::<Vec<_>>(), ["idit", "idot", "iiot"]);
        assert_eq!(all("swap").into_iter().collect::<Vec<_>>(), ["idoit", "iidot"]);
        assert!(all("repeats").iter().all(|word| word.len() >= 7 && (word.contains("iii") || word.contains("ooo"))));
    }

    #[test]
    fn short_words_and_other_scripts_are_no_trouble() {
        for attack in ATTACKS {
            for word in ["", "a", "ab", "bob", "ооо", "🤡", "ßß"] {
                let _ = written(attack.name, word, 3);
            }
        }
        assert_eq!(written("swap", "ass", 1), "ass");
        assert_eq!(written("swap", "fat", 1), "fta");
    }
}
