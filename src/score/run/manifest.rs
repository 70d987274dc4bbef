//! The manifest of a finished run: what was read, with what, and what came of it. It names no machine.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::journal::{Asked, InputNote, Journal, with_ending, write_json};
use super::outputs::Kept;
use super::tally::Tally;
use crate::error::Result;

/// Version of the manifest.
pub const FORMAT: u32 = 1;

/// A finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub run: u32,
    /// Version of the program.
    pub polemic: String,
    /// When it began and ended, in UTC (RFC 3339).
    pub started: String,
    /// See `started`.
    pub finished: String,
    /// How many times it was cut off and taken up again.
    pub resumed: u32,
    /// `name@version` of the model.
    pub model: String,
    /// SHA-256 of the model's manifest, which holds those of its files.
    pub model_sha256: String,
    /// Settings by their flags, defaults included.
    pub options: serde_json::Map<String, serde_json::Value>,
    /// The inputs, in their order.
    pub inputs: Vec<InputNote>,
    /// The files written.
    pub outputs: Vec<Kept>,
    /// Counts.
    pub counts: Tally,
}

impl Manifest {
    /// Of a run that is whole.
    pub fn of(journal: &Journal, finished: String) -> Self {
        let Asked { model, model_sha256, options, .. } = journal.asked.clone();
        let inputs = journal.inputs.iter().map(|note| InputNote { modified: None, ..note.clone() });
        Self {
            run: FORMAT,
            polemic: journal.polemic.clone(),
            started: journal.started.clone(),
            finished,
            resumed: journal.resumed,
            model,
            model_sha256,
            options,
            inputs: inputs.collect(),
            outputs: journal.outputs.clone(),
            counts: journal.tally.clone(),
        }
    }

    /// Where the manifest of a run stands that writes to `output`.
    pub fn path(output: &Path) -> PathBuf {
        with_ending(output, ".run.json")
    }

    /// Writes it whole or not at all.
    ///
    /// # Errors
    /// `Io` if that fails.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }
}
