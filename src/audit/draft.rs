//! Texts that are made up or changed, and their scores.

use std::ops::Range;

use rayon::prelude::*;

use crate::model::Model;
use crate::model::scoring::{Item, Scratch};

/// Texts a worker takes at a time.
const SHARE: usize = 32;

/// A text to score.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// Bytes of it that the source marks as quoted.
    pub quotes: Vec<Range<usize>>,
    /// The text it answers.
    pub parent: Option<String>,
}

impl Draft {
    /// A text that stands alone.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// As the model takes it.
    pub fn item(&self) -> Item<'_> {
        Item { text: &self.text, quotes: &self.quotes, parent: self.parent.as_deref(), ..Item::default() }
    }

    /// The text with every place of `places` (sorted, apart) replaced; what is quoted stays marked.
    #[must_use]
    pub fn replaced(&self, places: &[Range<usize>], with: impl Fn(&str) -> String) -> Self {
        let mut out = self.clone();
        for place in places.iter().rev() {
            let Some(old) = self.text.get(place.clone()) else { continue };
            let new = with(old);
            out.text.replace_range(place.clone(), &new);
            let moved = |at: usize| if at >= place.end { at + new.len() - place.len() } else { at };
            out.quotes.iter_mut().for_each(|quote| *quote = moved(quote.start)..moved(quote.end));
        }
        out
    }

    /// The text with `more` after it.
    #[must_use]
    pub fn followed_by<'a>(&self, more: impl Iterator<Item = &'a str>) -> Self {
        let mut out = self.clone();
        for text in more {
            out.text.push(' ');
            out.text.push_str(text);
        }
        out
    }
}

/// The probabilities of every label of every text, in their order; `None` for what the model does not score.
pub(super) fn score(model: &Model, drafts: &[Draft]) -> Vec<Option<Vec<f32>>> {
    drafts
        .par_iter()
        .with_min_len(SHARE)
        .map_init(Scratch::default, |scratch, draft| model.score(&draft.item(), scratch).ok().map(|s| s.labels))
        .collect()
}

/// The probability of one label.
pub(super) fn of_label(labels: Option<&Vec<f32>>, k: usize) -> Option<f64> {
    labels.and_then(|p| p.get(k)).map(|&p| f64::from(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stay_where_they_are_when_the_text_around_them_changes() {
        let text = "a fool said \"x\", a fool";
        let draft = Draft { text: text.into(), quotes: std::iter::once(12..15).collect(), parent: None };
        for new in ["f", "foooool"] {
            let changed = draft.replaced(&[2..6, 19..23], |_| new.to_owned());
            assert_eq!(changed.text, format!("a {new} said \"x\", a {new}"));
            assert_eq!(&changed.text[changed.quotes[0].clone()], "\"x\"");
        }
    }
}
