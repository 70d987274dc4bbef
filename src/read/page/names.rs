//! Tells display names from one-line paragraphs by their shape alone.

use crate::read::page::lines;

/// How much a line looks like a name, in tenths of what would settle it; `None` if it cannot be one.
pub fn likeness(text: &str) -> Option<i64> {
    let length = text.chars().take(61).count();
    let words: Vec<&str> = text.split_whitespace().take(9).collect();
    if length > 60 || words.len() > 8 || text.contains("://") || text.starts_with(['>', '•', '©']) {
        return None;
    }
    let mut score = match words.len() {
        1 => 15,
        2 => 20,
        3 => 10,
        4 => 0,
        5 => -15,
        _ => -40,
    };
    score -= if length > 35 { 15 } else { 0 };
    score += sentence_marks(text, &words);
    score += words_of_a_sentence(text, &words);
    Some(score + spelling(&words))
}

/// Punctuation that sentences have and names have not.
fn sentence_marks(text: &str, words: &[&str]) -> i64 {
    let mut score = 0;
    let last = words.last().copied().unwrap_or_default();
    // `John D.`, `Sam Jr.` and `H.H.` end as sentences do.
    let initial = last.len() <= 3 && last.starts_with(char::is_uppercase) && words.len() > 1
        || last.len() <= 6 && last.matches('.').count() >= 2 && last.chars().all(|c| c == '.' || c.is_uppercase());
    if text.ends_with([',', ':', ';']) || (lines::ends_sentence(text) && !(initial && text.ends_with('.'))) {
        score -= 60;
    }
    score -= if text.contains(['?', '!', '…']) { 30 } else { 0 };
    score -= if text.contains(", ") || text.contains(": ") || text.contains(". ") && !initial { 15 } else { 0 };
    score - if text.starts_with(['"', '“', '«', '-', '–', '*', '•', '#']) { 15 } else { 0 }
}

/// Small words that sentences are made of, and answers that stand alone.
fn words_of_a_sentence(text: &str, words: &[&str]) -> i64 {
    const SMALL: [&str; 90] = [
        "a", "an", "is", "are", "was", "were", "be", "been", "to", "of", "in", "on", "at", "and", "or", "not", "no",
        "you", "your", "i", "he", "she", "it", "we", "they", "this", "that", "what", "who", "why", "how", "my", "me",
        "so", "too", "very", "just", "all", "for", "with", "but", "if", "do", "does", "did", "have", "has", "will",
        "can", "more", "another", "here", "there", "well", "really", "don't", "it's", "i'm", "his", "her", "their",
        "than", "then", "from", "by", "as", "the", "und", "der", "die", "das", "ist", "nicht", "ich", "ein", "eine",
        "es", "sehr", "et", "est", "c'est", "pas", "je", "y", "que", "el", "la", "los", "muy", "es",
    ];
    const ANSWERS: [&str; 34] = [
        "lol",
        "yes",
        "no",
        "exactly",
        "agreed",
        "thanks",
        "wow",
        "true",
        "nonsense",
        "this",
        "ok",
        "okay",
        "indeed",
        "amen",
        "haha",
        "nope",
        "yep",
        "yeah",
        "bravo",
        "correct",
        "right",
        "wrong",
        "lies",
        "rubbish",
        "thank you",
        "well said",
        "good point",
        "so true",
        "me too",
        "sad",
        "danke",
        "genau",
        "merci",
        "gracias",
    ];
    if ANSWERS.contains(&lines::key(text).as_str()) {
        return -45;
    }
    // What stands in brackets or quotation marks is a part of the name of its own: `RTA (Bob or Al)`.
    if has_particles(words) {
        return 0;
    }
    let outside = words.iter().take_while(|word| !word.starts_with(['(', '[', '“', '"']));
    let small: Vec<&&str> = outside.filter(|word| SMALL.contains(&lines::key(word).as_str())).collect();
    let capital = small.iter().filter(|word| word.starts_with(char::is_uppercase)).fold(0, |sum, _| sum + 1);
    let plain = small.iter().filter(|word| !word.starts_with(char::is_uppercase)).fold(0, |sum, _| sum + 1);
    -20 * plain - 7 * capital
}

/// True for `Anton van der Brot`: capitals at both ends, and between them only what stands inside names.
fn has_particles(words: &[&str]) -> bool {
    const PARTICLES: [&str; 18] = [
        "van", "von", "der", "den", "de", "di", "da", "del", "du", "la", "le", "el", "bin", "al", "ten", "ter", "zu",
        "the",
    ];
    let capital = |word: &&str| word.starts_with(char::is_uppercase);
    let [first, inner @ .., last] = words else { return false };
    !inner.is_empty()
        && capital(first)
        && capital(last)
        && inner.iter().all(|word| capital(word) || PARTICLES.contains(word))
}

/// Capitals, digits and underscores as names have them.
fn spelling(words: &[&str]) -> i64 {
    let letters = |word: &&&str| word.contains(char::is_alphabetic);
    let spelled: Vec<&&str> = words.iter().filter(letters).collect();
    let capital = |word: &&&&str| {
        let mut letters = word.trim_start_matches(|c: char| !c.is_alphanumeric()).chars();
        letters.next().is_some_and(|c| c.is_uppercase() || !c.is_lowercase())
    };
    let capitals = spelled.iter().filter(capital).count();
    let mixed = words.iter().any(|word| {
        let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
        let digits = inner.contains(|c: char| c.is_ascii_digit()) && inner.contains(char::is_alphabetic);
        let camel = inner.chars().zip(inner.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
        digits || camel || inner.contains('_')
    });
    let cased = match (capitals, spelled.len()) {
        _ if has_particles(words) => 20,
        (_, 0 | 1) => 10,
        (all, of) if all == of => 20,
        (0, _) => 0,
        // `Good thinking`: a capital, then none, as a sentence is written.
        _ => -10,
    };
    cased + if mixed { 25 } else { 0 }
}
