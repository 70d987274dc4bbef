//! The policy as it is written: `policy.toml`. What is more particular wins: the role at the site before the role, before the site,
//! before what holds for anyone anywhere, each action of each label by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::{Akismet, Bounds, Fail, Levels, Named, Policy, Rules, Thresholds, folded, site_name};
use crate::error::{Error, Result};
use crate::model::Model;

/// How a file says that an action never happens.
const NEVER: &str = "never";
/// The label of `[akismet]` where it names none: the first of these that the model has.
const AKISMET: [&str; 2] = ["toxicity", "incivility"];

/// A policy file with its text, which errors point into.
pub struct File {
    text: String,
    read: Read,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    version: Spanned<String>,
    #[serde(default)]
    fail: Fail,
    staff: Option<Vec<String>>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    site: BTreeMap<String, Place>,
    #[serde(default)]
    role: BTreeMap<String, Role>,
    coral: Option<Coral>,
    akismet: Option<AkismetTable>,
}

/// What holds on one site.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    role: BTreeMap<String, Role>,
}

/// What holds for one role.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    #[serde(default)]
    labels: Labels,
}

type Labels = BTreeMap<Spanned<String>, Wanted>;

/// Thresholds of one label; what is absent is inherited.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    nudge: Option<Spanned<toml::Value>>,
    review: Option<Spanned<toml::Value>>,
    hold: Option<Spanned<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coral {
    /// One, or a list of two while one replaces the other. A plain value, so that no message of the parser shows it.
    secret: Spanned<toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AkismetTable {
    label: Option<Spanned<String>>,
    hold: Option<Spanned<toml::Value>>,
    discard: Option<Spanned<toml::Value>>,
}

/// Where in the file something is wrong, and what.
struct Mistake(Option<Range<usize>>, String);

type Found<T> = std::result::Result<T, Mistake>;

impl File {
    /// Reads a file.
    pub fn open(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        match toml::from_str(&text) {
            Ok(read) => Ok(Self { text, read }),
            // The error's own text shows the line, which may hold the secret.
            Err(error) => Err(at(path, &text, &Mistake(error.span(), error.message().to_owned()))),
        }
    }

    /// The policy for a model.
    pub fn policy(self, path: &Path, model: &Model) -> Result<Policy> {
        self.read(model).map_err(|mistake| at(path, &self.text, &mistake))
    }

    fn read(&self, model: &Model) -> Found<Policy> {
        let Read { version, fail, staff, labels, site, role, coral, akismet } = &self.read;
        if version.get_ref().trim().is_empty() {
            return Err(Mistake(Some(version.span()), "`version` is empty: decisions are known by it".into()));
        }
        let named = self.read.labels(model)?;
        let anywhere = Layers { named: &named, anyone: labels, roles: role, site: None };
        let everywhere = anywhere.levels()?;
        let mut sites = HashMap::new();
        for (name, place) in site {
            sites.insert(site_name(name).to_owned(), Layers { site: Some(place), ..anywhere }.levels()?);
        }
        let mut policy = Policy {
            version: version.get_ref().clone(),
            fail: *fail,
            rules: Some(Rules { labels: named, everywhere, sites }),
            ..Policy::default()
        };
        if let Some(staff) = staff {
            policy.staff = staff.iter().map(|role| folded(role)).collect();
        }
        if let Some(Coral { secret }) = coral {
            let mistake = || {
                Mistake(Some(secret.span()), "`secret` should be the one that Coral shows, or a list of such".into())
            };
            policy.coral_secrets = secrets(secret.get_ref()).ok_or_else(mistake)?;
        }
        if let Some(table) = akismet {
            policy.akismet = table.read(model)?;
        }
        Ok(policy)
    }
}

impl Read {
    /// All labels that the file names, each once, with their places in the model.
    fn labels(&self, model: &Model) -> Found<Vec<Named>> {
        let roles = self.role.values().chain(self.site.values().flat_map(|place| place.role.values()));
        let tables = std::iter::once(&self.labels)
            .chain(self.site.values().map(|place| &place.labels))
            .chain(roles.map(|role| &role.labels));
        let mut named: BTreeMap<usize, Named> = BTreeMap::new();
        for label in tables.flat_map(Labels::keys) {
            let label = place(label, model)?;
            named.insert(label.at, label);
        }
        Ok(named.into_values().collect())
    }
}

/// What is laid over one another for a site.
#[derive(Clone, Copy)]
struct Layers<'a> {
    named: &'a [Named],
    anyone: &'a Labels,
    roles: &'a BTreeMap<String, Role>,
    site: Option<&'a Place>,
}

impl Layers<'_> {
    fn levels(&self) -> Found<Levels> {
        let lay = |thresholds: &mut Thresholds, labels| lay(thresholds, labels, self.named);
        let mut anyone = vec![Bounds::NEVER; self.named.len()];
        lay(&mut anyone, self.anyone)?;
        if let Some(site) = self.site {
            lay(&mut anyone, &site.labels)?;
        }
        let at_site = self.site.into_iter().flat_map(|site| &site.role);
        let names: BTreeSet<String> = self.roles.iter().chain(at_site).map(|(name, _)| folded(name)).collect();
        let mut levels = Levels { anyone, ..Levels::default() };
        for name in names {
            let mut thresholds = levels.anyone.clone();
            for roles in [Some(self.roles), self.site.map(|site| &site.role)].into_iter().flatten() {
                for (_, role) in roles.iter().filter(|(other, _)| folded(other) == name) {
                    lay(&mut thresholds, &role.labels)?;
                }
            }
            levels.roles.insert(name, thresholds);
        }
        Ok(levels)
    }
}

/// Lays one table of labels over thresholds.
fn lay(thresholds: &mut Thresholds, labels: &Labels, named: &[Named]) -> Found<()> {
    for (label, wanted) in labels {
        let [nudge, review, hold] = [&wanted.nudge, &wanted.review, &wanted.hold].map(|value| bound(value.as_ref()));
        let (nudge, review, hold) = (nudge?, review?, hold?);
        if let Some(wrong) = [(nudge, review), (review, hold), (nudge, hold)]
            .into_iter()
            .find(|(milder, stricter)| milder.zip(*stricter).is_some_and(|(m, s)| m > s && m.is_finite()))
        {
            let (milder, stricter) = (wrong.0.unwrap_or_default(), wrong.1.unwrap_or_default());
            let what = format!(
                "`{}`: a milder action begins at {milder}, a stricter one at {stricter}, so the milder one never happens: order \
                 nudge ≤ review ≤ hold",
                label.get_ref()
            );
            return Err(Mistake(Some(label.span()), what));
        }
        let at = named.iter().position(|known| known.name == *label.get_ref());
        let Some(bounds) = at.and_then(|at| thresholds.get_mut(at)) else { continue };
        let Bounds { nudge: old_nudge, review: old_review, hold: old_hold } = *bounds;
        *bounds = Bounds {
            nudge: nudge.unwrap_or(old_nudge),
            review: review.unwrap_or(old_review),
            hold: hold.unwrap_or(old_hold),
        };
    }
    Ok(())
}

/// The place of a label among those of the model.
fn place(label: &Spanned<String>, model: &Model) -> Found<Named> {
    let found = model.label(label.get_ref()).map(|at| Named { name: label.get_ref().clone(), at });
    found.ok_or_else(|| {
        let there: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
        let what = format!("no label `{}` in the model {}; it has {}", label.get_ref(), model.id(), there.join(", "));
        Mistake(Some(label.span()), what)
    })
}

/// A threshold: a number 0..1 or "never".
fn bound(value: Option<&Spanned<toml::Value>>) -> Found<Option<f32>> {
    let Some(value) = value else { return Ok(None) };
    let number = match value.get_ref() {
        toml::Value::Float(p) => Some(*p),
        toml::Value::Integer(0) => Some(0.0),
        toml::Value::Integer(1) => Some(1.0),
        toml::Value::String(word) if word == NEVER => return Ok(Some(f32::INFINITY)),
        _ => None,
    };
    let number = number.filter(|p| (0.0..=1.0).contains(p));
    let what = || format!("a threshold should be a number from 0 to 1, as 0.7, or \"{NEVER}\"");
    number.map(|p| Some(p as f32)).ok_or_else(|| Mistake(Some(value.span()), what()))
}

/// One secret or several, none of them empty.
fn secrets(value: &toml::Value) -> Option<Vec<String>> {
    let one = |value: &toml::Value| value.as_str().filter(|secret| !secret.is_empty()).map(str::to_owned);
    match value {
        toml::Value::Array(list) => list.iter().map(one).collect(),
        value => Some(vec![one(value)?]),
    }
}

impl AkismetTable {
    fn read(&self, model: &Model) -> Found<Akismet> {
        let label = match &self.label {
            Some(label) => Ok(place(label, model)?),
            None => AKISMET
                .iter()
                .find_map(|&name| Some(Named { name: name.to_owned(), at: model.label(name)? }))
                .ok_or_else(|| {
                    let what = format!("[akismet] needs a `label`: the model {} has none of {AKISMET:?}", model.id());
                    Mistake(self.hold.as_ref().or(self.discard.as_ref()).map(Spanned::span), what)
                }),
        }?;
        let (hold, discard) = (bound(self.hold.as_ref())?, bound(self.discard.as_ref())?);
        if let (Some(hold), Some(discard)) = (hold, discard)
            && discard < hold
        {
            let what =
                format!("`discard` = {discard} is below `hold` = {hold}: what is thrown away should be the worst");
            return Err(Mistake(self.discard.as_ref().map(Spanned::span), what));
        }
        Ok(Akismet { label: Some(label), hold, discard })
    }
}

/// The error for a mistake: file and line.
fn at(path: &Path, text: &str, Mistake(span, what): &Mistake) -> Error {
    let start = span.as_ref().and_then(|span| text.get(..span.start));
    match start.map(|before| before.matches('\n').count() + 1) {
        Some(line) => Error::input(format!("{}:{line}", path.display()), what.as_str()),
        None => Error::input(path.display(), what.as_str()),
    }
}
