//! The journal of an unfinished run: what is safe on the disk, and what the run was asked to do, so that another can go on with it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::outputs::Kept;
use super::tally::Tally;
use crate::error::{Error, Result};

/// Version of the journal.
pub const FORMAT: u32 = 1;

/// What a run was asked to do. Another can go on with it only if it is asked the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// `name@version` of the model.
    pub model: String,
    /// SHA-256 of the model's manifest, which holds those of its files.
    pub model_sha256: String,
    /// Names of the inputs, in their order.
    pub inputs: Vec<String>,
    /// Settings by their flags, defaults included.
    pub options: Map<String, Value>,
}

impl Asked {
    /// What is asked otherwise in `other`, for people.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.model != other.model {
            found.push(format!("the model was {}, now it is {}", self.model, other.model));
        } else if self.model_sha256 != other.model_sha256 {
            found.push(format!("the model {} has other weights now", self.model));
        }
        if self.inputs != other.inputs {
            found.push(format!("the inputs were {}", self.inputs.join(" ")));
        }
        let null = Value::Null;
        let names: std::collections::BTreeSet<&String> = self.options.keys().chain(other.options.keys()).collect();
        for name in names {
            let of = |asked: &'_ Self| asked.options.get(name).unwrap_or(&null).to_string();
            if of(self) != of(other) {
                found.push(format!("--{name} was {}, now it is {}", of(self), of(other)));
            }
        }
        found
    }
}

/// An input that was read, or is being read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputNote {
    /// Its path as given, or "standard input".
    pub name: String,
    /// Its format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Bytes read, compressed as they are.
    pub bytes: u64,
    /// SHA-256 of these bytes in hexadecimal; of a corpus that of its utterances. Absent where the input could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// When the file was last written, in nanoseconds since 1970; only in journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<u64>,
    /// Comments read from it.
    pub comments: u64,
    /// Rows of it that could not be used.
    pub rejected: u64,
    /// Replies whose parent was not at hand.
    pub missing_parents: u64,
    /// Malformed byte sequences read as U+FFFD.
    pub malformed: u64,
    /// Why it could not be used, or not to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// True while it is being read; only in journals.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

/// What is safe of an unfinished run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// [`FORMAT`].
    pub journal: u32,
    /// Version of the program.
    pub polemic: String,
    /// What the run was asked to do.
    pub asked: Asked,
    /// When it began, in UTC (RFC 3339).
    pub started: String,
    /// How many times it was taken up again.
    pub resumed: u32,
    /// The inputs begun, in their order.
    pub inputs: Vec<InputNote>,
    /// The outputs begun.
    pub outputs: Vec<Kept>,
    /// Length of the file of rejected rows.
    pub rejects_bytes: Option<u64>,
    /// Counts.
    pub tally: Tally,
    /// True once everything is written and only names are missing.
    pub is_whole: bool,
}

impl Journal {
    /// Where the journal of a run stands that writes to `output`.
    pub fn path(output: &Path) -> PathBuf {
        with_ending(output, ".partial.json")
    }

    /// Reads a journal; `None` if there is none.
    ///
    /// # Errors
    /// `Io` if it cannot be read, `Input` if it is none or a newer program wrote it.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path, error)),
        };
        let remedy = "start again with --overwrite";
        let journal: Self = serde_json::from_str(&text)
            .map_err(|e| Error::input(path.display(), format!("no journal of an unfinished run ({e}): {remedy}")))?;
        if journal.journal != FORMAT || journal.polemic != env!("CARGO_PKG_VERSION") {
            let what = format!("polemic {} wrote this journal: go on with that version, or {remedy}", journal.polemic);
            return Err(Error::input(path.display(), what));
        }
        Ok(Some(journal))
    }

    /// Writes it whole or not at all.
    ///
    /// # Errors
    /// `Io` if that fails; the old one is still there then.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }
}

/// The path with `ending` behind its name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Writes JSON to a file, whole or not at all.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let new = with_ending(path, ".new");
    let put = || -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(value)?;
        text.push(b'\n');
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    put().map_err(|e| {
        // A piece of it is of no use to anybody.
        drop(fs::remove_file(&new));
        Error::io(path, e)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(options: Value) -> Asked {
        let Value::Object(options) = options else { panic!() };
        Asked { model: "m@1".into(), model_sha256: "ab".into(), inputs: vec!["a".into()], options }
    }

    #[test]
    fn what_is_asked_otherwise_is_named_by_its_flag() {
        let first = asked(json!({"explain": false, "include": []}));
        assert!(first.differences(&first.clone()).is_empty());
        let other = asked(json!({"explain": true, "max-text": 5}));
        assert_eq!(
            first.differences(&other),
            [
                "--explain was false, now it is true",
                "--include was [], now it is null",
                "--max-text was null, now it is 5"
            ]
        );
        let other = Asked { model_sha256: "cd".into(), ..first.clone() };
        assert_eq!(first.differences(&other), ["the model m@1 has other weights now"]);
    }

    #[test]
    fn a_journal_reads_back_and_one_of_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = Journal::path(&folder.path().join("out.jsonl"));
        assert_eq!(Journal::read(&path).unwrap(), None);
        let mut journal =
            Journal { journal: FORMAT, polemic: env!("CARGO_PKG_VERSION").into(), resumed: 2, ..Journal::default() };
        journal.write(&path).unwrap();
        assert_eq!(Journal::read(&path).unwrap().as_ref(), Some(&journal));
        journal.polemic = "9.9.9".into();
        journal.write(&path).unwrap();
        assert!(Journal::read(&path).err().unwrap().to_string().contains("polemic 9.9.9"));
        fs::write(&path, "{}").unwrap();
        assert!(Journal::read(&path).err().unwrap().to_string().contains("--overwrite"));
    }
}
