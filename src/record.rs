//! Records: what is written for every comment, the same in every format. The schema is documented in docs/records.md.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::thread::Status;

/// A story or thread.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StoryRecord {
    /// The source's id of the thread, or the name of the page.
    pub thread_id: Option<String>,
    /// Headline.
    pub title: Option<String>,
    /// Address of its page.
    pub url: Option<String>,
}

/// A comment as `threads` writes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CommentRecord {
    /// The source's id or the position in the thread.
    pub id: String,
    /// The source's id of the thread, or the name of the page.
    pub thread_id: Option<String>,
    /// The comment answered; null for a root and in a flat thread.
    pub parent_id: Option<String>,
    /// 0 for a root.
    pub depth: u32,
    /// Display name.
    pub author: Option<String>,
    /// RFC 3339 where the source allows.
    pub created: Option<String>,
    /// Whether the source shows it.
    pub status: Status,
    /// Headline of the story.
    pub title: Option<String>,
    /// Address of the story.
    pub url: Option<String>,
    /// The text as written; null where it is left out.
    pub text: Option<String>,
    /// Why the text is left out.
    pub omitted: Option<String>,
    /// The parts of the text that are quoted.
    pub quotes: Vec<String>,
    /// Addresses that the text links to.
    pub links: Vec<String>,
}

/// A scored comment as `score` writes it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoreRecord {
    /// The source's id or the position in the thread.
    pub id: String,
    /// The source's id of the thread, or the name of the page.
    pub thread_id: Option<String>,
    /// The comment answered.
    pub parent_id: Option<String>,
    /// 0 for a root.
    pub depth: u32,
    /// Display name.
    pub author: Option<String>,
    /// RFC 3339 where the source allows.
    pub created: Option<String>,
    /// Whether the source shows it.
    pub status: Status,
    /// The text, if asked for.
    pub text: Option<String>,
    /// Label and probability; null where the comment could not be scored, or the label leaves it open.
    pub scores: Vec<(String, Option<f32>)>,
    /// Why all scores are null.
    pub unscored: Option<String>,
    /// Labels that leave the comment open, and why.
    pub open: Vec<(String, String)>,
    /// Class and probability of the stance toward the parent.
    pub parent: Option<Classes>,
    /// For each target class and probability; no class where the model has nothing to tell them by.
    pub targets: Vec<(String, Classes)>,
    /// For each target the class that is decided, or why none is.
    pub toward: Vec<(String, Toward)>,
    /// The words behind the scores, if asked for.
    pub explain: Option<Value>,
    /// `name@version` of the model.
    pub model: String,
}

/// A place in the original text, end exclusive, in bytes of UTF-8 and in UTF-16 code units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// First UTF-16 code unit.
    pub utf16_start: usize,
    /// UTF-16 code unit after the last.
    pub utf16_end: usize,
}

/// Words that mention a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// As written.
    pub text: String,
    /// Where they stand.
    #[serde(flatten)]
    pub span: Span,
}

/// What is decided of the stance toward a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Toward {
    /// The class; null where none is decided.
    pub stance: Option<String>,
    /// Why none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The text has a name of the target.
    pub mentioned: bool,
    /// Where it has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
}

/// Classes and their probabilities.
pub type Classes = Vec<(String, f32)>;

/// A probability as records write it: six decimals.
pub fn rounded(p: f32) -> f64 {
    (f64::from(p) * 1e6).round() / 1e6
}

/// Named values in their order.
struct Map<'a, V>(&'a [(String, V)]);

impl<V: Serialize> Serialize for Map<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn classes(classes: &Classes) -> Vec<(String, f64)> {
    classes.iter().map(|(name, p)| (name.clone(), rounded(*p))).collect()
}

struct Stance<'a>(&'a ScoreRecord);

impl Serialize for Stance<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(parent) = &self.0.parent {
            map.serialize_entry("parent", &Map(&classes(parent)))?;
        }
        if !self.0.targets.is_empty() {
            let targets: Vec<(String, Value)> = self
                .0
                .targets
                .iter()
                .filter(|(_, classes)| !classes.is_empty())
                .map(|(name, c)| (name.clone(), classes(c).into_iter().map(|(k, v)| (k, Value::from(v))).collect()))
                .collect();
            map.serialize_entry("targets", &Map(&targets))?;
            map.serialize_entry("toward", &Map(&self.0.toward))?;
        }
        map.end()
    }
}

impl Serialize for ScoreRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("thread_id", &self.thread_id)?;
        map.serialize_entry("parent_id", &self.parent_id)?;
        map.serialize_entry("depth", &self.depth)?;
        map.serialize_entry("author", &self.author)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("status", self.status.name())?;
        if let Some(text) = &self.text {
            map.serialize_entry("text", text)?;
        }
        let scores: Vec<(String, Option<f64>)> =
            self.scores.iter().map(|(name, p)| (name.clone(), p.map(rounded))).collect();
        map.serialize_entry("scores", &Map(&scores))?;
        if let Some(reason) = &self.unscored {
            let reasons: Vec<(String, &str)> =
                self.scores.iter().map(|(name, _)| (name.clone(), reason.as_str())).collect();
            map.serialize_entry("unscored", &Map(&reasons))?;
        } else if !self.open.is_empty() {
            map.serialize_entry("unscored", &Map(&self.open))?;
        }
        if self.parent.is_some() || !self.targets.is_empty() {
            map.serialize_entry("stance", &Stance(self))?;
        }
        if let Some(explain) = &self.explain {
            map.serialize_entry("explain", explain)?;
        }
        map.serialize_entry("model", &self.model)?;
        map.end()
    }
}
