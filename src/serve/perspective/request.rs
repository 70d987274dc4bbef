//! Requests of the Perspective face. Every field has its name in camel case and, as Google's JSON mapping has it, in snake case; null
//! is the same as absent.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::error::Refused;

/// Most bytes of a comment.
pub const LONGEST: usize = 20_480;

/// A body of `comments:analyze`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Analyze {
    /// What to score.
    pub comment: Option<Entry>,
    /// What it answers.
    pub context: Option<Context>,
    /// What to give, in the client's order.
    #[serde(alias = "requested_attributes")]
    pub requested_attributes: Option<InOrder<Wanted>>,
    /// The languages of the text, as the client says.
    pub languages: Option<Vec<String>>,
    /// Echoed.
    #[serde(alias = "client_token")]
    pub client_token: Option<String>,
    /// One span a sentence.
    #[serde(alias = "span_annotations")]
    pub span_annotations: Option<bool>,
    /// Leave out what the language has not, rather than refuse.
    #[serde(alias = "drop_unsupported_attributes")]
    pub drop_unsupported_attributes: Option<bool>,
}

/// A text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// As written.
    pub text: Option<String>,
    /// `PLAIN_TEXT` or `HTML`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// What a comment answers.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Context {
    entries: Option<Vec<Entry>>,
    #[serde(alias = "article_and_parent_comment")]
    article_and_parent_comment: Option<Article>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Article {
    #[serde(alias = "parent_comment")]
    parent_comment: Option<Entry>,
}

/// How an attribute is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Wanted {
    /// `PROBABILITY`, the only one that is given.
    #[serde(alias = "score_type")]
    pub score_type: Option<String>,
    /// Scores below it are left out.
    #[serde(alias = "score_threshold")]
    pub score_threshold: Option<f64>,
}

/// A body of `comments:suggestscore`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Suggest {
    /// The text that was scored.
    pub comment: Option<Entry>,
    /// What it answers.
    pub context: Option<Context>,
    /// What it should have been.
    #[serde(alias = "attribute_scores")]
    pub attribute_scores: Option<InOrder<Suggested>>,
    /// The languages of the text.
    pub languages: Option<Vec<String>>,
    /// Whose comments they are.
    #[serde(alias = "community_id")]
    pub community_id: Option<String>,
    /// Echoed.
    #[serde(alias = "client_token")]
    pub client_token: Option<String>,
}

/// What an attribute should have been.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Suggested {
    /// Of the whole text.
    #[serde(alias = "summary_score")]
    pub summary_score: Option<Value>,
}

/// A score.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Value {
    /// 0..1.
    pub value: Option<f64>,
}

impl Entry {
    /// Whether it is HTML.
    pub fn is_html(&self) -> bool {
        self.kind.as_deref() == Some("HTML")
    }

    /// The text that is to be scored.
    pub fn checked(entry: Option<&Self>) -> Result<(&Self, &str), Refused> {
        let text = entry.and_then(|entry| Some((entry, entry.text.as_deref()?)));
        let (entry, text) = text.filter(|(_, text)| !text.trim().is_empty()).ok_or_else(Refused::empty)?;
        if text.len() > LONGEST {
            return Err(Refused::too_long(text.len(), LONGEST));
        }
        match entry.kind.as_deref() {
            None | Some("" | "TEXT_TYPE_UNSPECIFIED" | "PLAIN_TEXT" | "HTML") => Ok((entry, text)),
            Some(_) => Err(Refused::request("Comment type must be PLAIN_TEXT or HTML")),
        }
    }
}

impl Context {
    /// The text that the comment answers: the parent comment, or the first entry, which is where Coral writes ids as JSON instead.
    pub fn parent(&self) -> Result<Option<&str>, Refused> {
        let entries = self.entries.as_deref().unwrap_or_default();
        let entry = match (&self.article_and_parent_comment, entries.first()) {
            (Some(_), Some(_)) => return Err(Refused::both_contexts()),
            (Some(article), None) => article.parent_comment.as_ref(),
            (None, entry) => entry,
        };
        let text = entry.and_then(|entry| entry.text.as_deref()).map(str::trim);
        Ok(text.filter(|text| !text.is_empty() && !is_object(text)))
    }

    /// The ids that Coral writes instead of a text.
    pub fn coral(&self) -> Option<CoralIds> {
        let text = self.entries.as_deref()?.first()?.text.as_deref()?;
        serde_json::from_str(text).ok()
    }
}

/// What Coral writes into its context, as JSON. It names comments as `comment:ID` elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CoralIds {
    /// Address of the story.
    pub url: Option<String>,
    /// The comment that is answered.
    #[serde(rename = "reply_to_id_Coral_comment_id")]
    pub reply_to: Option<String>,
}

fn is_object(text: &str) -> bool {
    text.starts_with('{') && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
}

/// The entries of an object in the order they came in. Where a name comes twice, the first counts.
#[derive(Debug)]
pub struct InOrder<T>(pub Vec<(String, T)>);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Entries<T> {
            type Value = InOrder<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder<T>, A::Error> {
                let mut entries: Vec<(String, T)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if entries.iter().any(|(known, _)| *known == name) {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        entries.push((name, map.next_value::<Option<T>>()?.unwrap_or_default()));
                    }
                    // Far more than Perspective has; a hostile body must not make the search above quadratic.
                    if entries.len() > 256 {
                        return Err(serde::de::Error::custom("too many attributes"));
                    }
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}
