//! Limits that a user sets with `--fail-on`.

use anyhow::Result;

use crate::error::Error;
use crate::model::Model;
use crate::record::ScoreRecord;
use crate::score::lines::Line;

/// A probability of a label that no comment may reach.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    /// Number of the label.
    k: usize,
    p: f32,
}

impl Limit {
    /// From `LABEL` or `LABEL=P`.
    pub(super) fn parse(text: &str, model: &Model) -> Result<Self> {
        let (label, p) = text.split_once('=').map_or((text, None), |(label, p)| (label, Some(p)));
        let Some(k) = model.label(label) else {
            let there: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
            return Err(Error::settings(format!(
                "--fail-on {text}: no label `{label}`; the model has {}",
                there.join(", ")
            ))
            .into());
        };
        let p = match p {
            None => model.manifest.labels[k].threshold,
            Some(p) => match p.parse::<f32>() {
                Ok(p) if (0.0..=1.0).contains(&p) => p,
                _ => return Err(Error::settings(format!("--fail-on {text}: `{p}` is no probability 0..1")).into()),
            },
        };
        Ok(Self { k, p })
    }

    /// True if a comment reaches it.
    pub(super) fn is_passed(&self, record: &ScoreRecord) -> bool {
        record.scores.get(self.k).is_some_and(|(_, p)| self.is_reached(*p))
    }

    /// The same for a comment's line.
    pub(super) fn is_passed_by(&self, line: &Line) -> bool {
        line.scores.get(self.k).is_some_and(|p| self.is_reached(*p))
    }

    fn is_reached(&self, p: Option<f32>) -> bool {
        p.is_some_and(|p| p >= self.p)
    }
}
