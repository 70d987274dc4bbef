//! What is decided of a scored comment: pass, nudge, review or hold, with the reasons.

use std::path::Path;

use anyhow::{Result, bail};

use super::scorer::Loaded;
use crate::label::{self, Group};
use crate::model::scoring::{Scores, Unscored};

/// What to do with a comment, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Publish.
    Pass,
    /// Ask the author to think again.
    Nudge,
    /// Publish and show to a moderator.
    Review,
    /// Show to a moderator before it is published.
    Hold,
}

/// Whose comment it is and where it stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The site.
    pub site: Option<&'a str>,
    /// The author's role, as the platform names it.
    pub role: Option<&'a str>,
}

/// A label that reached its threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The label.
    pub label: String,
    /// Its probability.
    pub probability: f32,
    /// The threshold that it reached.
    pub threshold: f32,
}

/// What is decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// Why, the strongest reason first.
    pub reasons: Vec<Reason>,
    /// `name@version` of the model.
    pub model: String,
    /// Version of the policy.
    pub policy: String,
}

/// The rules in force.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Secrets of Coral's external moderation phase.
    pub coral_secrets: Vec<String>,
}

impl Policy {
    /// Reads a policy file.
    pub fn open(path: &Path) -> Result<Self> {
        bail!("{}: policy files are not read yet", path.display())
    }

    /// Decides on a comment: hold where a label of incivility reaches its own threshold.
    pub fn decide(&self, loaded: &Loaded, scores: Result<&Scores, Unscored>, _: &Subject<'_>) -> Decision {
        let mut reasons: Vec<Reason> = Vec::new();
        for (k, (head, &p)) in
            loaded.model.manifest.labels.iter().zip(scores.iter().flat_map(|s| &s.labels)).enumerate()
        {
            let counts = label::find(&head.name).is_none_or(|l| l.group == Group::Incivility);
            if counts && p >= head.threshold && loaded.model.left_open(k, p).is_none() {
                reasons.push(Reason { label: head.name.clone(), probability: p, threshold: head.threshold });
            }
        }
        reasons.sort_by(|a, b| (b.probability / b.threshold).total_cmp(&(a.probability / a.threshold)));
        let action = if reasons.is_empty() { Action::Pass } else { Action::Hold };
        Decision { action, reasons, model: loaded.id.clone(), policy: "default".to_owned() }
    }
}
