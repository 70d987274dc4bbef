//! Reports for people: the thread as a tree, figures as tables.

pub mod audit;
pub mod comparison;
pub mod evaluate;
pub mod evaluation;
pub mod profile;
pub mod reliability;
pub mod tree;

/// The text with every character replaced that could steer the terminal: names and texts come from the data.
pub fn printable(text: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
