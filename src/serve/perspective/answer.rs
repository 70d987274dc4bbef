//! The answer of `comments:analyze`, in the order of keys that clients have always seen.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use crate::record::rounded;

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer<'a> {
    /// By attribute.
    pub attribute_scores: Scores<'a>,
    /// As asked for, else as found.
    pub languages: &'a [String],
    /// As found.
    pub detected_languages: &'a [String],
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<&'a str>,
    /// What Perspective had no field for.
    pub polemic: Polemic<'a>,
}

/// What Perspective had no field for.
#[derive(Debug, Serialize)]
pub struct Polemic<'a> {
    /// `name@version` of the model.
    pub model: &'a str,
    /// Attributes that were asked for and are not given, because the model has no label for them or leaves this comment open.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub unsupported: &'a [&'static str],
    /// True if the parent that came as context was read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parent: bool,
}

/// Scores by attribute.
#[derive(Debug)]
pub struct Scores<'a> {
    /// Name and probability of the whole text.
    pub summary: &'a [Scored],
    /// The spans.
    pub spans: &'a [Span],
}

/// An attribute that is given.
#[derive(Debug)]
pub struct Scored {
    /// Its name.
    pub name: &'static str,
    /// The number of the label.
    pub head: usize,
    /// Probability of the whole text.
    pub probability: f32,
}

/// A part of the text, in UTF-16 code units, end exclusive.
#[derive(Debug)]
pub struct Span {
    /// First code unit.
    pub begin: usize,
    /// Code unit after the last.
    pub end: usize,
    /// One probability a label of the model; empty: those of the whole text.
    pub labels: Vec<f32>,
}

impl Serialize for Scores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.summary.len()))?;
        for scored in self.summary {
            map.serialize_entry(scored.name, &Attribute { scored, spans: self.spans })?;
        }
        map.end()
    }
}

struct Attribute<'a> {
    scored: &'a Scored,
    spans: &'a [Span],
}

impl Serialize for Attribute<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("spanScores", &Spans(self))?;
        map.serialize_entry("summaryScore", &Score::of(self.scored.probability))?;
        map.end()
    }
}

struct Spans<'a>(&'a Attribute<'a>);

impl Serialize for Spans<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Attribute { scored, spans } = self.0;
        let mut list = serializer.serialize_seq(Some(spans.len()))?;
        for span in *spans {
            let probability = span.labels.get(scored.head).copied().unwrap_or(scored.probability);
            list.serialize_element(&SpanScore { begin: span.begin, end: span.end, score: Score::of(probability) })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct SpanScore {
    begin: usize,
    end: usize,
    score: Score,
}

#[derive(Serialize)]
struct Score {
    value: f64,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Score {
    fn of(probability: f32) -> Self {
        Self { value: rounded(probability), kind: "PROBABILITY" }
    }
}
