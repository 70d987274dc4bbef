//! What our own faces answer for a comment: the fields of docs/records.md that a comment's scores have, and the policy's decision.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::request::{Comment, Name};
use crate::model::Model;
use crate::model::explain::{Explanation, Kind};
use crate::model::scoring::{Item, Scores, Scratch, Unscored};
use crate::model::target::TargetScore;
use crate::read::rows::Options;
use crate::record::{Span, rounded};
use crate::score::batch;
use crate::serve::policy::{Decision, Policy, Subject};
use crate::serve::scorer::Loaded;

/// Words shown for a reason.
const WORDS: usize = 5;

/// Where a comment stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The text of the comment answered.
    pub parent: Option<&'a str>,
    /// The text of the comment that opens the thread.
    pub root: Option<&'a str>,
    /// The site, unless the comment names one.
    pub site: Option<&'a str>,
    /// Targets, unless the comment names some.
    pub targets: &'a [String],
    /// Words behind the scores are asked for.
    pub explain: bool,
    /// Probabilities that leave a comment open are asked for.
    pub undecided: bool,
}

/// The answer for a comment.
pub struct Answer<'a> {
    loaded: &'a Loaded,
    id: Option<&'a Name>,
    text: &'a str,
    scored: Result<Scores, Unscored>,
    explain: Option<Value>,
    undecided: bool,
    /// What the policy says, if there is one.
    pub decision: Option<Decision>,
}

/// Scores a comment and decides on it.
pub fn answer<'a>(
    loaded: &'a Loaded,
    policy: &Policy,
    comment: &'a Comment<'_>,
    around: &Surroundings<'_>,
    scratch: &mut Scratch,
) -> Answer<'a> {
    let text = comment.text();
    let targets = if comment.targets.is_empty() { around.targets } else { &comment.targets };
    let parent = comment.parent_text.as_deref().or(around.parent);
    let item = Item { text, parent, root: around.root, targets, ..Item::default() };
    let model = &loaded.model;
    let is_too_long = text.len() > Options::default().max_text;
    let scored = if is_too_long { Err(Unscored::TooLong) } else { model.score(&item, scratch) };
    let wants_words = (comment.explain || around.explain) && scored.is_ok();
    let explained = wants_words.then(|| model.explain(&item, scratch).ok()).flatten();
    let decision = (!policy.is_default()).then(|| {
        let site = comment.site.as_deref().or(around.site);
        let subject = Subject { site, role: comment.role.as_deref() };
        let mut decision = policy.decide(loaded, scored.as_ref().map_err(|why| *why), &subject);
        for reason in &mut decision.reasons {
            reason.spans = explained.iter().flatten().find(|e| e.label == reason.label).map(spans).unwrap_or_default();
        }
        decision
    });
    let explain = explained.map(|explained| batch::explained(model, &explained));
    Answer {
        loaded,
        id: comment.id.as_ref(),
        text,
        scored,
        explain,
        undecided: comment.undecided || around.undecided,
        decision,
    }
}

/// Where the words stand that speak most for a label.
fn spans(explanation: &Explanation) -> Vec<Span> {
    let words = explanation.shares.iter().filter(|share| share.kind == Kind::Word && share.share > 0.0);
    words.filter_map(|share| share.span).take(WORDS).collect()
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(Name(id)) = self.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("scores", &Probabilities(self))?;
        if self.leaves_open() {
            map.serialize_entry("unscored", &Reasons(self))?;
        }
        if let Ok(scores) = &self.scored
            && (scores.parent.is_some() || !scores.targets.is_empty())
        {
            let Model { manifest, .. } = &self.loaded.model;
            let classes = manifest.parent.as_ref().map(|head| head.step.classes.as_slice()).unwrap_or_default();
            let parent = scores.parent.as_ref().map(|p| Classes(classes, p));
            let of_target = manifest.targets.as_ref().map(|head| head.classes.as_slice()).unwrap_or_default();
            map.serialize_entry(
                "stance",
                &Stance { parent, classes: of_target, targets: &scores.targets, text: self.text },
            )?;
        }
        if let Some(explain) = &self.explain {
            map.serialize_entry("explain", explain)?;
        }
        if let Some(decision) = &self.decision {
            map.serialize_entry("decision", decision)?;
        }
        map.serialize_entry("model", &self.loaded.id)?;
        map.end()
    }
}

impl Answer<'_> {
    /// Label by label its probability, and whether it leaves the comment open.
    fn labels(&self) -> impl Iterator<Item = (&str, Option<f32>, bool)> {
        let heads = self.loaded.model.manifest.labels.iter().enumerate();
        heads.map(|(k, head)| {
            let p = self.scored.as_ref().ok().and_then(|scores| scores.labels.get(k).copied());
            let is_open = !self.undecided && head.doubt.zip(p).is_some_and(|(doubt, p)| doubt.leaves_open(p));
            (head.name.as_str(), p, is_open)
        })
    }

    fn leaves_open(&self) -> bool {
        self.labels().any(|(_, p, is_open)| p.is_none() || is_open)
    }
}

/// Label to probability; null where the label leaves the comment open.
struct Probabilities<'a>(&'a Answer<'a>);

impl Serialize for Probabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.labels().map(|(name, p, is_open)| (name, p.filter(|_| !is_open).map(rounded))))
    }
}

/// Label to the reason why it has no probability.
struct Reasons<'a>(&'a Answer<'a>);

impl Serialize for Reasons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = self.0.scored.as_ref().err().map(|why| why.reason());
        let open = self.0.labels().enumerate().filter(|(_, (_, p, is_open))| p.is_none() || *is_open);
        serializer.collect_map(open.map(|(k, (name, p, _))| {
            let own = || self.0.loaded.model.left_open(k, p.unwrap_or_default()).unwrap_or_default();
            (name, whole.clone().unwrap_or_else(own))
        }))
    }
}

/// Class to probability.
struct Classes<'a>(&'a [String], &'a [f32]);

impl Serialize for Classes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(self.1.iter().map(|p| rounded(*p))))
    }
}

struct Stance<'a> {
    parent: Option<Classes<'a>>,
    classes: &'a [String],
    targets: &'a [TargetScore],
    text: &'a str,
}

impl Serialize for Stance<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(parent) = &self.parent {
            map.serialize_entry("parent", parent)?;
        }
        if !self.targets.is_empty() {
            map.serialize_entry("targets", &Targets(self))?;
            map.serialize_entry("toward", &Toward(self))?;
        }
        map.end()
    }
}

struct Targets<'a>(&'a Stance<'a>);

impl Serialize for Targets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.0.targets.iter().filter(|target| !target.probabilities.is_empty());
        serializer.collect_map(known.map(|target| (&target.target, Classes(self.0.classes, &target.probabilities))))
    }
}

struct Toward<'a>(&'a Stance<'a>);

impl Serialize for Toward<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Stance { classes, targets, text, .. } = self.0;
        serializer.collect_map(targets.iter().map(|found| (&found.target, batch::toward(classes, found, text))))
    }
}
