//! Which model to use, and how it is fitted to a site.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::common::ModelChoice;
use crate::model::Model;
use crate::model::profile::Profile;

/// A model, with a site's profile and base rates.
#[derive(Debug, Clone, Default, clap::Args, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SiteModel {
    #[command(flatten)]
    #[serde(skip)]
    model: ModelChoice,
    /// Fit the model to a site: a file of `polemic calibrate`.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Calibrate to another share of comments with LABEL; without one, of uncivil comments, which moves all labels of incivility alike
    /// (repeatable) [default: the profile's, else the model's].
    #[arg(long, value_name = "[LABEL=]RATE", value_parser = base_rate)]
    base_rate: Vec<(Option<String>, f64)>,
}

impl SiteModel {
    /// The file of a site's profile.
    pub fn profile(&self) -> Option<&Path> {
        self.profile.as_deref()
    }

    /// Finds and opens the model, then fits it: the profile first, then the rate without a label, then those of labels.
    pub fn open(&self) -> Result<Model> {
        let mut model = self.model.open()?;
        if let Some(path) = &self.profile {
            Profile::open(path)?.apply(&mut model).with_context(|| path.display().to_string())?;
        }
        let (named, general): (Vec<_>, Vec<_>) = self.base_rate.iter().partition(|(label, _)| label.is_some());
        for (label, rate) in general.into_iter().chain(named) {
            model.set_base_rate(label.as_deref(), *rate).context("--base-rate")?;
        }
        Ok(model)
    }
}

fn base_rate(text: &str) -> Result<(Option<String>, f64), String> {
    match text.split_once('=') {
        Some(_) => rate(text).map(|(label, rate)| (Some(label), rate)),
        None => share(text).map(|rate| (None, rate)),
    }
}

/// A label and a rate, as `insult=.05`.
pub(super) fn rate(text: &str) -> Result<(String, f64), String> {
    let (label, rate) = text.split_once('=').filter(|(label, _)| !label.is_empty()).ok_or("expected LABEL=RATE")?;
    Ok((label.to_owned(), share(rate)?))
}

/// A number between 0 and 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share < 1.0);
    number.ok_or_else(|| format!("`{text}` is no number between 0 and 1, as .07"))
}
