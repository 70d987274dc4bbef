//! What our own faces are asked.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::problem::Problem;

/// A comment to score.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Comment<'a> {
    /// The client's name of it.
    pub id: Option<Name>,
    /// The text as written.
    #[serde(borrow)]
    pub text: Option<Cow<'a, str>>,
    /// The comment answered; its text is looked for among those of the request.
    pub parent_id: Option<Name>,
    /// The text of the comment answered, where that is not among them.
    #[serde(borrow)]
    pub parent_text: Option<Cow<'a, str>>,
    /// Ids are looked up within one thread.
    pub thread_id: Option<Name>,
    /// The site, as the policy names it.
    #[serde(borrow)]
    pub site: Option<Cow<'a, str>>,
    /// The author's role, as the policy names it.
    #[serde(borrow)]
    pub role: Option<Cow<'a, str>>,
    /// Targets to give the stance toward, mentioned or not.
    pub targets: Vec<String>,
    /// Give the words behind the scores, too.
    pub explain: bool,
    /// Give the probabilities of experimental labels that leave the comment open, too.
    pub undecided: bool,
    /// Many comments, whole threads; then all else but `site`, `targets`, `explain` and `undecided` is absent.
    #[serde(borrow)]
    pub comments: Option<Vec<Comment<'a>>>,
}

impl<'a> Comment<'a> {
    /// Reads a body.
    pub fn read(body: &'a [u8]) -> Result<Self, Problem> {
        let comment: Self = serde_json::from_slice(body).map_err(|e| Problem::bad(format!("the body: {e}")))?;
        let Some(comments) = &comment.comments else { return comment.checked("`text`") };
        let own =
            [comment.text.is_some(), comment.id.is_some(), comment.parent_id.is_some(), comment.parent_text.is_some()];
        if own.contains(&true) || comment.thread_id.is_some() || comment.role.is_some() {
            return Err(Problem::bad("either one comment (`text`, …) or several (`comments`), not both"));
        }
        for (i, inner) in comments.iter().enumerate() {
            if inner.comments.is_some() {
                return Err(Problem::bad(format!(
                    "comments[{i}] holds `comments`: say who answers whom by `parent_id`"
                )));
            }
            if inner.text.is_none() {
                return Err(Problem::bad(format!("comments[{i}] has no `text`")));
            }
        }
        Ok(comment)
    }

    fn checked(self, field: &str) -> Result<Self, Problem> {
        if self.text.is_some() {
            Ok(self)
        } else {
            Err(Problem::bad(format!("{field} is missing: the comment to score")))
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Bytes of text to be looked at.
    pub fn bytes(&self) -> usize {
        self.text().len() + self.parent_text.as_deref().map_or(0, str::len)
    }
}

/// An id: a string, or a whole number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(pub String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string or a whole number")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
        Ok(Name(name.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, name: u64) -> Result<Name, E> {
        Ok(Name(name.to_string()))
    }

    fn visit_i64<E: de::Error>(self, name: i64) -> Result<Name, E> {
        Ok(Name(name.to_string()))
    }

    /// Some languages have but one kind of number, and write 7 as 7.0.
    fn visit_f64<E: de::Error>(self, name: f64) -> Result<Name, E> {
        if name.fract() == 0.0 {
            return Ok(Name(format!("{name:.0}")));
        }
        Err(E::invalid_type(de::Unexpected::Float(name), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comment_or_many_are_read_and_nonsense_is_named() {
        assert_eq!(Comment::read(br#"{"text":"a","id":7}"#).unwrap().id, Some(Name("7".into())));
        assert_eq!(Comment::read(br#"{"text":"a","id":7.0}"#).unwrap().id, Some(Name("7".into())));
        assert_eq!(Comment::read(br#"{"comments":[{"text":"a"}],"site":"s"}"#).unwrap().comments.unwrap().len(), 1);
        for (body, words) in [
            (r#"{"txt":"a"}"#, "unknown field `txt`"),
            ("{}", "`text` is missing"),
            ("", "EOF"),
            (r#"{"text":"a","comments":[]}"#, "not both"),
            (r#"{"comments":[{"id":"1"}]}"#, "comments[0] has no `text`"),
            (r#"{"comments":[{"text":"a","comments":[]}]}"#, "parent_id"),
            (r#"{"text":"a","id":1.5}"#, "a string or a whole number"),
        ] {
            let problem = Comment::read(body.as_bytes()).unwrap_err();
            assert!(problem.detail().contains(words), "{body}: {}", problem.detail());
        }
    }
}
