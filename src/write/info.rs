//! Scores beside an existing `ConvoKit` corpus: a file `info.FIELD.jsonl` for each label, as `load_info` of `ConvoKit`
//! wants them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::columns::score;
use super::partial::Partial;
use super::{ScoreWriter, Shape, ascii};
use crate::error::{Error, Result};
use crate::record::{Classes, ScoreRecord, rounded};

/// The field that says which model scored an utterance. Where its file stands, the others are ours, too.
const MODEL: &str = "polemic_model";

/// The field that says why an utterance has no scores.
const UNSCORED: &str = "polemic_unscored";

/// Writes the files. Nothing else in the corpus is touched.
pub struct Info {
    shape: Shape,
    files: Vec<InfoFile>,
}

/// What a file says of each utterance.
enum Field {
    Label(usize),
    Parent,
    Target(usize),
    Toward,
    Unscored,
    Model,
}

struct InfoFile {
    field: Field,
    name: String,
    to: BufWriter<File>,
    partial: Partial,
}

impl Info {
    /// Files in the corpus at `folder`, one for each label and stance. They are called by their names once they are
    /// whole, and take the place of those that an earlier run wrote. Targets that single rows name have none.
    ///
    /// # Errors
    /// `Input` if the folder is no corpus, if it has such a file that Polemic did not write, or if a label cannot be
    /// the name of a file; `Io` if the files cannot be created.
    pub fn new(folder: &Path, shape: Shape) -> Result<Self> {
        if !["utterances.jsonl", "utterances.json"].iter().any(|name| folder.join(name).is_file()) {
            return Err(Error::input(folder.display(), "no ConvoKit corpus: there is no utterances.jsonl in it"));
        }
        let mut fields: Vec<(Field, String)> =
            shape.labels.iter().enumerate().map(|(i, label)| (Field::Label(i), label.clone())).collect();
        if !shape.parent.is_empty() {
            fields.push((Field::Parent, "stance_parent".to_owned()));
        }
        fields
            .extend(shape.targets.iter().enumerate().map(|(i, target)| (Field::Target(i), format!("stance_{target}"))));
        if !shape.targets.is_empty() {
            fields.push((Field::Toward, "stance_toward".to_owned()));
        }
        fields.push((Field::Unscored, UNSCORED.to_owned()));
        fields.push((Field::Model, MODEL.to_owned()));
        let is_ours = folder.join(file_name(MODEL)).exists();
        let files = fields.into_iter().map(|(field, name)| InfoFile::create(folder, field, &name, is_ours));
        Ok(Self { files: files.collect::<Result<_>>()?, shape })
    }
}

fn file_name(field: &str) -> String {
    format!("info.{field}.jsonl")
}

impl InfoFile {
    fn create(folder: &Path, field: Field, name: &str, may_replace: bool) -> Result<Self> {
        if name.contains(['/', '\\', '\0', ':']) {
            return Err(Error::input(folder.display(), format!("the field `{name}` cannot be the name of a file")));
        }
        let path = folder.join(file_name(name));
        if path.exists() && !may_replace {
            let what = "is there already and was not written by Polemic: move it away to add these scores";
            return Err(Error::input(path.display(), what));
        }
        let unwritable = |e| Error::io(&path, e);
        let partial = Partial::file(&path).map_err(unwritable)?;
        let to = BufWriter::new(File::create(partial.path()).map_err(unwritable)?);
        Ok(Self { field, name: path.display().to_string(), partial, to })
    }

    fn line(&mut self, id: &str, value: &Value) -> Result<()> {
        ascii::write(&mut self.to, &json!({"id": id, "value": value}))
            .and_then(|()| self.to.write_all(b"\n"))
            .map_err(|e| Error::io(Path::new(&self.name), e))
    }

    fn finish(&mut self) -> Result<()> {
        self.to.flush().and_then(|()| self.partial.finish()).map_err(|e| Error::io(Path::new(&self.name), e))
    }
}

impl ScoreWriter for Info {
    fn write(&mut self, record: &ScoreRecord) -> Result<()> {
        for file in &mut self.files {
            let value = match file.field {
                Field::Label(i) => {
                    self.shape.labels.get(i).and_then(|label| score(record, i, label)).map(rounded).into()
                }
                Field::Parent => record.parent.as_ref().map_or(Value::Null, object),
                Field::Target(i) => {
                    let target = self.shape.targets.get(i);
                    let found = record.targets.iter().find(|(name, _)| Some(name) == target);
                    found.map_or(Value::Null, |(_, classes)| object(classes))
                }
                Field::Toward => record.toward.iter().map(|(name, toward)| (name.clone(), json!(toward))).collect(),
                Field::Unscored => match &record.unscored {
                    Some(reason) => reason.as_str().into(),
                    None => continue,
                },
                Field::Model => record.model.as_str().into(),
            };
            file.line(&record.id, &value)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.files.iter_mut().try_for_each(InfoFile::finish)
    }
}

fn object(classes: &Classes) -> Value {
    let classes: Map<String, Value> = classes.iter().map(|(class, p)| (class.clone(), rounded(*p).into())).collect();
    Value::Object(classes)
}
