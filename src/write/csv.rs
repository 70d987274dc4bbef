//! CSV with a header: one column a label, `stance_parent_CLASS`, `stance_TARGET_CLASS`; nulls are empty cells.

use std::io::Write;

use csv::Writer;

use super::{CommentWriter, Output, ScoreWriter, Shape};
use crate::error::Result;
use crate::record::{Classes, CommentRecord, ScoreRecord, rounded};

/// Writes a table.
pub struct Csv {
    name: String,
    to: Writer<Box<dyn Write + Send>>,
    shape: Shape,
}

impl Csv {
    /// A table of scored comments; writes its header.
    pub fn of_scores(output: Output, shape: Shape) -> Result<Self> {
        let mut header: Vec<String> = ["id", "thread_id", "parent_id", "depth", "author", "created", "status"].map(str::to_owned).into();
        if shape.text {
            header.push("text".into());
        }
        header.extend(shape.labels.iter().cloned());
        header.push("unscored".into());
        header.extend(shape.parent.iter().map(|class| format!("stance_parent_{class}")));
        for target in &shape.targets {
            header.extend(shape.target.iter().map(|class| format!("stance_{target}_{class}")));
        }
        // A row may name a target of its own.
        if !shape.target.is_empty() {
            header.push("target".into());
            header.extend(shape.target.iter().map(|class| format!("stance_target_{class}")));
        }
        if shape.explain {
            header.push("explain".into());
        }
        header.push("model".into());
        Self::with_header(output, shape, &header)
    }

    /// A table of comments; writes its header.
    pub fn of_comments(output: Output) -> Result<Self> {
        let header = ["id", "parent_id", "depth", "author", "created", "text", "quotes"].map(str::to_owned);
        Self::with_header(output, Shape::default(), &header)
    }

    fn with_header(output: Output, shape: Shape, header: &[String]) -> Result<Self> {
        let mut csv = Self { name: output.name, to: Writer::from_writer(output.to), shape };
        csv.row(header)?;
        Ok(csv)
    }

    fn row(&mut self, cells: &[String]) -> Result<()> {
        self.to.write_record(cells).map_err(|e| Output::error(&self.name, e.into()))
    }

    fn flush(&mut self) -> Result<()> {
        self.to.flush().map_err(|e| Output::error(&self.name, e))
    }
}

fn number(p: Option<f32>) -> String {
    p.map(|p| rounded(p).to_string()).unwrap_or_default()
}

fn class_cells(wanted: &[String], found: Option<&Classes>) -> Vec<String> {
    let p = |class: &String| found.and_then(|f| f.iter().find(|(name, _)| name == class)).map(|(_, p)| *p);
    wanted.iter().map(|class| number(p(class))).collect()
}

impl ScoreWriter for Csv {
    fn write(&mut self, record: &ScoreRecord) -> Result<()> {
        let text = |s: &Option<String>| s.clone().unwrap_or_default();
        let mut cells = vec![
            record.id.clone(),
            text(&record.thread_id),
            text(&record.parent_id),
            record.depth.to_string(),
            text(&record.author),
            text(&record.created),
            record.status.name().to_owned(),
        ];
        if self.shape.text {
            cells.push(text(&record.text));
        }
        cells.extend(record.scores.iter().map(|(_, p)| number(*p)));
        cells.push(text(&record.unscored));
        cells.extend(class_cells(&self.shape.parent, record.parent.as_ref()));
        let of_target =
            |target: &String| record.targets.iter().find(|(name, _)| name == target).map(|(_, classes)| classes);
        for target in &self.shape.targets {
            cells.extend(class_cells(&self.shape.target, of_target(target)));
        }
        if !self.shape.target.is_empty() {
            let own = record.targets.iter().find(|(name, _)| !self.shape.targets.contains(name));
            cells.push(own.map(|(name, _)| name.clone()).unwrap_or_default());
            cells.extend(class_cells(&self.shape.target, own.map(|(_, classes)| classes)));
        }
        if self.shape.explain {
            cells.push(record.explain.as_ref().map(ToString::to_string).unwrap_or_default());
        }
        cells.push(record.model.clone());
        self.row(&cells)
    }

    fn finish(&mut self) -> Result<()> {
        self.flush()
    }
}

impl CommentWriter for Csv {
    fn write(&mut self, record: &CommentRecord) -> Result<()> {
        let text = |s: &Option<String>| s.clone().unwrap_or_default();
        let quotes = serde_json::Value::from(record.quotes.clone());
        self.row(&[
            record.id.clone(),
            text(&record.parent_id),
            record.depth.to_string(),
            text(&record.author),
            text(&record.created),
            text(&record.text),
            if record.quotes.is_empty() { String::new() } else { quotes.to_string() },
        ])
    }

    fn finish(&mut self) -> Result<()> {
        self.flush()
    }
}
