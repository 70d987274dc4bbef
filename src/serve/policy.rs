//! The policy: what is done about a comment with given scores. Thresholds by label, site and author role, and who is never held.
//!
//! Scores are the model's, decisions are the site's. A decision says which model, which policy and which thresholds made it, so that it
//! can be explained to whoever it concerns (statement of reasons, Regulation (EU) 2022/2065, article 17).

mod file;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::scorer::Loaded;
use crate::error;
use crate::label::{self, Group};
use crate::model::scoring::{Scores, Unscored};
use crate::model::{LabelHead, Model};
use crate::record::{Span, rounded};
use file::File;

/// The version of the policy that holds where none is given.
pub const DEFAULT_VERSION: &str = "default";
/// Roles that are staff unless the policy names others: Coral's, and `WordPress`'s `administrator`.
const STAFF: [&str; 4] = ["staff", "moderator", "admin", "administrator"];
/// Labels without a text of their own that speak against a comment: what feedback teaches.
const LEARNED: [&str; 2] = ["rejected", "spam"];
/// Without a policy a comment is held where a label is more likely than not.
const MORE_LIKELY_THAN_NOT: f32 = 0.5;

/// What is done about a comment, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is published.
    Pass,
    /// It is published if its author, asked to think it over, leaves it as it is.
    Nudge,
    /// It is published, and a moderator looks at it.
    Review,
    /// It is not shown before a moderator has looked at it.
    Hold,
}

impl Action {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Nudge, Self::Review, Self::Hold];

    /// As policies and answers write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Nudge => "nudge",
            Self::Review => "review",
            Self::Hold => "hold",
        }
    }
}

/// What is done about a comment that could not be scored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fail {
    /// It passes.
    #[default]
    Open,
    /// It is held.
    Closed,
}

/// Whose comment it is, and where it stands. What is not known is absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The site: what the client calls it (an id, an address, a community).
    pub site: Option<&'a str>,
    /// The author's role, as the platform names it; upper and lower case are the same.
    pub role: Option<&'a str>,
}

/// What a policy decides, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// What is to be done.
    pub action: Action,
    /// The labels that reached a threshold, those that call for the strictest action first.
    pub reasons: Vec<Reason>,
    /// The author is staff, which is never held.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exempt: bool,
    /// Why the comment has no scores, where the policy decided without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unscored: Option<String>,
    /// `name@version` of the model.
    pub model: String,
    /// Version of the policy.
    pub policy: String,
}

/// One label that reached a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The label.
    pub label: String,
    /// Its probability, 0..1.
    #[serde(serialize_with = "as_probability")]
    pub probability: f32,
    /// The threshold that it reached: that of `action`.
    #[serde(serialize_with = "as_probability")]
    pub threshold: f32,
    /// The strictest action that it calls for.
    pub action: Action,
    /// Where the words stand that speak for the label, if these were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn as_probability<S: serde::Serializer>(p: &f32, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_f64(rounded(*p))
}

/// What Akismet clients are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No spam.
    Ham,
    /// Spam: to be held.
    Spam,
    /// The worst: may be thrown away unseen.
    Discard,
}

/// The rules in force.
#[derive(Clone)]
pub struct Policy {
    /// Secrets of Coral's external moderation phase.
    pub coral_secrets: Vec<String>,
    version: String,
    staff: HashSet<String>,
    fail: Fail,
    /// Absent: what each label's own threshold calls for.
    rules: Option<Rules>,
    akismet: Akismet,
}

/// Thresholds by site and role, one a label that the policy names.
#[derive(Debug, Clone, Default)]
struct Rules {
    labels: Vec<Named>,
    everywhere: Levels,
    sites: HashMap<String, Levels>,
}

/// A label, and where it stands in the model that the policy was read for.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    at: usize,
}

impl Named {
    /// Its place in a model: the same but for the moment in which the model changes.
    fn place(&self, model: &Model) -> Option<usize> {
        let labels = &model.manifest.labels;
        labels.get(self.at).filter(|head| head.name == self.name).map(|_| self.at).or_else(|| model.label(&self.name))
    }
}

/// The thresholds of a site.
#[derive(Debug, Clone, Default)]
struct Levels {
    anyone: Thresholds,
    roles: HashMap<String, Thresholds>,
}

/// For each label of the policy what nudge, review and hold begin at; infinite where nothing reaches them.
type Thresholds = Vec<Bounds>;

/// Where nudge, review and hold begin.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    nudge: f32,
    review: f32,
    hold: f32,
}

impl Bounds {
    const NEVER: Self = Self { nudge: f32::INFINITY, review: f32::INFINITY, hold: f32::INFINITY };

    /// The strictest action that a probability calls for, and its threshold.
    fn reached(&self, p: f32) -> Option<(Action, f32)> {
        let sides = [(Action::Hold, self.hold), (Action::Review, self.review), (Action::Nudge, self.nudge)];
        sides.into_iter().find(|(_, bound)| p >= *bound)
    }
}

/// What Akismet's answers rest on: the policy's own decision, unless a threshold is named.
#[derive(Debug, Clone, Default)]
struct Akismet {
    label: Option<Named>,
    hold: Option<f32>,
    discard: Option<f32>,
}

impl Default for Policy {
    /// The policy that holds where none is given: review from a label's own threshold on, hold where the label is also more likely than
    /// not. For labels of incivility that are not experimental.
    fn default() -> Self {
        Self {
            coral_secrets: Vec::new(),
            version: DEFAULT_VERSION.to_owned(),
            staff: STAFF.iter().map(|role| folded(role)).collect(),
            fail: Fail::Open,
            rules: None,
            akismet: Akismet::default(),
        }
    }
}

impl std::fmt::Debug for Policy {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("version", &self.version).field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Policy {
    /// Reads a policy for a model.
    ///
    /// # Errors
    /// A file that cannot be read; one that is no policy; a label that the model does not have: with line and remedy.
    pub fn open(path: &Path, model: &Model) -> error::Result<Self> {
        File::open(path)?.policy(path, model)
    }

    /// Its version, as decisions name it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// True if nobody wrote one.
    pub fn is_default(&self) -> bool {
        self.rules.is_none()
    }

    /// What is done about comments that cannot be scored.
    pub fn fail(&self) -> Fail {
        self.fail
    }

    /// True if the role is one of staff.
    pub fn is_staff(&self, role: Option<&str>) -> bool {
        role.is_some_and(|role| self.staff.contains(&folded(role)))
    }

    /// Decides on a comment. A label that leaves the comment open gives no reason.
    pub fn decide(&self, loaded: &Loaded, scores: Result<&Scores, Unscored>, subject: &Subject<'_>) -> Decision {
        let mut decision = Decision {
            action: Action::Pass,
            reasons: Vec::new(),
            exempt: self.is_staff(subject.role),
            unscored: None,
            model: loaded.id.clone(),
            policy: self.version.clone(),
        };
        match scores {
            Ok(scores) if !decision.exempt => {
                decision.reasons = self.reasons(&loaded.model, &scores.labels, subject);
                decision.action = decision.reasons.first().map_or(Action::Pass, |reason| reason.action);
            }
            Ok(_) => {}
            Err(why) => {
                let is_held = self.fail == Fail::Closed && !decision.exempt;
                decision.action = if is_held { Action::Hold } else { Action::Pass };
                decision.unscored = Some(why.reason());
            }
        }
        decision
    }

    /// What an Akismet client is told of a comment.
    pub fn verdict(&self, loaded: &Loaded, scores: Result<&Scores, Unscored>, subject: &Subject<'_>) -> Verdict {
        if self.is_staff(subject.role) {
            return Verdict::Ham;
        }
        let label = self.akismet.label.as_ref().and_then(|label| label.place(&loaded.model));
        let p = label.zip(scores.ok()).and_then(|(k, scores)| scores.labels.get(k).copied());
        let reaches = |bound: Option<f32>| bound.zip(p).is_some_and(|(bound, p)| p >= bound);
        let is_held = match (self.akismet.hold, p) {
            (Some(_), Some(_)) => reaches(self.akismet.hold),
            _ => self.decide(loaded, scores, subject).action == Action::Hold,
        };
        match (reaches(self.akismet.discard), is_held) {
            (true, _) => Verdict::Discard,
            (false, true) => Verdict::Spam,
            (false, false) => Verdict::Ham,
        }
    }

    /// Where each action begins for a label of the model, for anyone anywhere, the mildest first. Empty for a label that decides nothing.
    pub fn bounds(&self, head: &LabelHead) -> Vec<(Action, f32)> {
        let bounds = match &self.rules {
            None => own_bounds(head),
            Some(rules) => {
                let at = rules.labels.iter().position(|label| label.name == head.name);
                at.and_then(|at| rules.everywhere.anyone.get(at)).copied().unwrap_or(Bounds::NEVER)
            }
        };
        let all = [(Action::Nudge, bounds.nudge), (Action::Review, bounds.review), (Action::Hold, bounds.hold)];
        all.into_iter().filter(|(_, bound)| bound.is_finite()).collect()
    }

    /// The labels that reach a threshold, those that call for the strictest action first.
    fn reasons(&self, model: &Model, scores: &[f32], subject: &Subject<'_>) -> Vec<Reason> {
        let reason = |k: usize, bounds: Bounds| {
            let (head, &probability) = model.manifest.labels.get(k).zip(scores.get(k))?;
            let (action, threshold) = bounds.reached(probability)?;
            let is_open = head.doubt.is_some_and(|doubt| doubt.leaves_open(probability));
            let reason = || Reason { label: head.name.clone(), probability, threshold, action, spans: Vec::new() };
            (!is_open).then(reason)
        };
        let mut reasons: Vec<Reason> = match &self.rules {
            None => {
                model.manifest.labels.iter().enumerate().filter_map(|(k, head)| reason(k, own_bounds(head))).collect()
            }
            Some(rules) => {
                let labels = rules.labels.iter().zip(rules.thresholds(subject));
                labels.filter_map(|(label, bounds)| reason(label.place(model)?, *bounds)).collect()
            }
        };
        reasons.sort_by(|a, b| b.action.cmp(&a.action).then(b.probability.total_cmp(&a.probability)));
        reasons
    }
}

impl Rules {
    fn thresholds(&self, subject: &Subject<'_>) -> &Thresholds {
        let site = subject.site.and_then(|site| self.sites.get(site_name(site)));
        let levels = site.unwrap_or(&self.everywhere);
        let role = subject.role.filter(|_| !levels.roles.is_empty());
        role.and_then(|role| levels.roles.get(&folded(role))).unwrap_or(&levels.anyone)
    }
}

/// What a label calls for without a policy.
fn own_bounds(head: &LabelHead) -> Bounds {
    let is_against = match label::find(&head.name) {
        Some(known) => known.group == Group::Incivility,
        None => LEARNED.contains(&head.name.as_str()),
    };
    if is_against && !head.experimental {
        Bounds { review: head.threshold, hold: head.threshold.max(MORE_LIKELY_THAN_NOT), ..Bounds::NEVER }
    } else {
        Bounds::NEVER
    }
}

/// Roles are the same whatever their case.
fn folded(role: &str) -> String {
    role.trim().to_ascii_lowercase()
}

/// A site's address is the same with a slash at its end.
fn site_name(site: &str) -> &str {
    site.trim().trim_end_matches('/')
}

#[cfg(test)]
#[path = "policy/tests.rs"]
mod tests;
