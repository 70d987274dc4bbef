//! The columns of tables and the cells of a record: the same names in CSV, Parquet, `SQLite` and `ConvoKit`.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use super::{CommentWriter, ScoreWriter, Shape};
use crate::error::Result;
use crate::record::{Classes, CommentRecord, ScoreRecord, StoryRecord, rounded};

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Real,
    /// A list of texts; in JSON where a format has no lists.
    Texts,
}

/// What a column says something of, for formats that keep it in several places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Which comment it is, of which thread.
    Key,
    Comment,
    Story,
    Score,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
    pub about: About,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    Real(f64),
    Texts(&'a [String]),
}

/// The columns of a table.
pub(super) struct Layout {
    pub columns: Vec<Column>,
    pub shape: Shape,
}

/// A record as a row: its cells, in the order of the columns, and what formats need to know beside them.
pub(super) struct Row<'a> {
    pub id: &'a str,
    pub thread_id: Option<&'a str>,
    pub parent_id: Option<&'a str>,
    pub author: Option<&'a str>,
    pub created: Option<&'a str>,
    pub text: Option<&'a str>,
    /// The headline, where the record repeats it.
    pub title: Option<&'a str>,
    /// The address of the story, where the record repeats it.
    pub url: Option<&'a str>,
    /// `name@version` of the model, in scored rows.
    pub model: Option<&'a str>,
    /// The record of a scored row.
    pub record: Option<&'a ScoreRecord>,
    pub cells: Vec<Cell<'a>>,
}

/// A format that writes rows, and so comments as well as scores.
pub(super) trait Table {
    /// The columns it was opened with.
    fn layout(&self) -> &Layout;
    /// Takes note of a story.
    fn put_story(&mut self, _story: &StoryRecord) -> Result<()> {
        Ok(())
    }
    /// Writes a row.
    fn put(&mut self, row: &Row<'_>) -> Result<()>;
    /// Hands on whole rows that are held back, in formats of lines.
    fn flush_lines(&mut self) -> Result<()> {
        Ok(())
    }
    /// Writes what is still held back.
    fn close(&mut self) -> Result<()>;
}

impl<T: Table> ScoreWriter for T {
    fn story(&mut self, story: &StoryRecord) -> Result<()> {
        self.put_story(story)
    }

    fn write(&mut self, record: &ScoreRecord) -> Result<()> {
        let row = scored(&self.layout().shape, record);
        self.put(&row)
    }

    fn flush(&mut self) -> Result<()> {
        self.flush_lines()
    }

    fn finish(&mut self) -> Result<()> {
        self.close()
    }
}

impl<T: Table> CommentWriter for T {
    fn story(&mut self, story: &StoryRecord) -> Result<()> {
        self.put_story(story)
    }

    fn write(&mut self, record: &CommentRecord) -> Result<()> {
        self.put(&comment(record))
    }

    fn finish(&mut self) -> Result<()> {
        self.close()
    }
}

impl Layout {
    /// The columns of comments.
    pub fn of_comments() -> Self {
        use {
            About::{Comment, Key, Story},
            Kind::{Integer, Text, Texts},
        };
        let columns = [
            ("id", Text, Key),
            ("thread_id", Text, Key),
            ("parent_id", Text, Comment),
            ("depth", Integer, Comment),
            ("author", Text, Comment),
            ("created", Text, Comment),
            ("status", Text, Comment),
            ("title", Text, Story),
            ("url", Text, Story),
            ("text", Text, Comment),
            ("omitted", Text, Comment),
            ("quotes", Texts, Comment),
            ("links", Texts, Comment),
        ];
        let columns = columns.map(|(name, kind, about)| Column { name: name.to_owned(), kind, about });
        Self { columns: columns.into(), shape: Shape::default() }
    }

    /// The columns of scored comments of this shape.
    pub fn of_scores(shape: Shape) -> Self {
        let mut layout = Self { columns: Vec::new(), shape: Shape::default() };
        layout.push("id", Kind::Text, About::Key);
        layout.push("thread_id", Kind::Text, About::Key);
        layout.push("parent_id", Kind::Text, About::Comment);
        layout.push("depth", Kind::Integer, About::Comment);
        for name in ["author", "created", "status"] {
            layout.push(name, Kind::Text, About::Comment);
        }
        if shape.text {
            layout.push("text", Kind::Text, About::Comment);
        }
        shape.labels.iter().for_each(|label| layout.push(label, Kind::Real, About::Score));
        layout.push("unscored", Kind::Text, About::Score);
        layout.push_classes("parent", &shape.parent);
        shape.targets.iter().for_each(|target| layout.push_target(target, &shape.target));
        // A row may name a target of its own.
        if !shape.target.is_empty() {
            layout.push("target", Kind::Text, About::Score);
            layout.push_target("target", &shape.target);
        }
        if shape.explain {
            layout.push("explain", Kind::Text, About::Score);
        }
        layout.push("model", Kind::Text, About::Score);
        layout.make_names_unique();
        layout.shape = shape;
        layout
    }

    fn push(&mut self, name: &str, kind: Kind, about: About) {
        self.columns.push(Column { name: name.to_owned(), kind, about });
    }

    fn push_classes(&mut self, of: &str, classes: &[String]) {
        classes.iter().for_each(|class| self.push(&format!("stance_{of}_{class}"), Kind::Real, About::Score));
    }

    fn push_target(&mut self, target: &str, classes: &[String]) {
        self.push_classes(target, classes);
        self.push(&format!("{TOWARD}{target}"), Kind::Text, About::Score);
        self.push(&format!("{MENTIONS}{target}"), Kind::Integer, About::Score);
    }

    /// A label of a user's own may be called as another column is. Case makes no difference to databases.
    fn make_names_unique(&mut self) {
        let is_named = |column: &Column| {
            column.kind == Kind::Real || column.name.starts_with(TOWARD) || column.name.starts_with(MENTIONS)
        };
        let fixed = |column: &&Column| !is_named(column);
        let mut taken: HashSet<String> =
            self.columns.iter().filter(fixed).map(|column| column.name.to_lowercase()).collect();
        for column in self.columns.iter_mut().filter(|column| is_named(column)) {
            let mut name = column.name.clone();
            for times in 2.. {
                if taken.insert(name.to_lowercase()) {
                    break;
                }
                name = format!("{}~{times}", column.name);
            }
            column.name = name;
        }
    }
}

impl<'a> Cell<'a> {
    fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Cow::Borrowed(text)))
    }

    fn real(p: Option<f32>) -> Self {
        p.map_or(Self::Null, |p| Self::Real(rounded(p)))
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::from(text.as_ref()),
            Self::Integer(n) => Value::from(*n),
            Self::Real(x) => Value::from(*x),
            Self::Texts(texts) => Value::from(*texts),
        }
    }
}

fn comment(record: &CommentRecord) -> Row<'_> {
    let (thread_id, parent_id) = (record.thread_id.as_deref(), record.parent_id.as_deref());
    let (author, created, text) = (record.author.as_deref(), record.created.as_deref(), record.text.as_deref());
    let (title, url) = (record.title.as_deref(), record.url.as_deref());
    let cells = vec![
        Cell::text(Some(&record.id)),
        Cell::text(thread_id),
        Cell::text(parent_id),
        Cell::Integer(record.depth.into()),
        Cell::text(author),
        Cell::text(created),
        Cell::text(Some(record.status.name())),
        Cell::text(title),
        Cell::text(url),
        Cell::text(text),
        Cell::text(record.omitted.as_deref()),
        Cell::Texts(&record.quotes),
        Cell::Texts(&record.links),
    ];
    Row { id: &record.id, thread_id, parent_id, author, created, text, title, url, model: None, record: None, cells }
}

fn scored<'a>(shape: &Shape, record: &'a ScoreRecord) -> Row<'a> {
    let (thread_id, parent_id) = (record.thread_id.as_deref(), record.parent_id.as_deref());
    let (author, created, text) = (record.author.as_deref(), record.created.as_deref(), record.text.as_deref());
    let mut cells = vec![
        Cell::text(Some(&record.id)),
        Cell::text(thread_id),
        Cell::text(parent_id),
        Cell::Integer(record.depth.into()),
        Cell::text(author),
        Cell::text(created),
        Cell::text(Some(record.status.name())),
    ];
    if shape.text {
        cells.push(Cell::text(text));
    }
    cells.extend(shape.labels.iter().enumerate().map(|(i, label)| Cell::real(score(record, i, label))));
    cells.push(Cell::text(record.unscored.as_deref()));
    cells.extend(classes(&shape.parent, record.parent.as_ref()));
    for target in &shape.targets {
        cells.extend(toward(&shape.target, record, target));
    }
    if !shape.target.is_empty() {
        let own =
            record.targets.iter().map(|(name, _)| name.as_str()).find(|name| !shape.targets.iter().any(|t| t == name));
        cells.push(Cell::text(own));
        cells.extend(toward(&shape.target, record, own.unwrap_or_default()));
    }
    if shape.explain {
        cells.push(record.explain.as_ref().map_or(Cell::Null, |explain| Cell::Text(explain.to_string().into())));
    }
    cells.push(Cell::text(Some(&record.model)));
    let (title, url, model) = (None, None, Some(record.model.as_str()));
    let id = &record.id;
    Row { id, thread_id, parent_id, author, created, text, title, url, model, record: Some(record), cells }
}

/// Before the name of a target: the class that is decided.
const TOWARD: &str = "stance_toward_";
/// Before the name of a target: how often the comment mentions it.
const MENTIONS: &str = "mentions_";

/// The cells of a target.
fn toward<'a>(wanted: &[String], record: &'a ScoreRecord, target: &str) -> Vec<Cell<'a>> {
    let p = record.targets.iter().find(|(name, _)| name == target).map(|(_, classes)| classes);
    let found = record.toward.iter().find(|(name, _)| name == target).map(|(_, toward)| toward);
    let mut cells = classes(wanted, p);
    cells.push(Cell::text(found.and_then(|toward| toward.stance.as_deref())));
    // What a comment does not mention it was not asked about.
    let is_scored = record.unscored.is_none() && !target.is_empty();
    cells.push(match found {
        Some(toward) => Cell::Integer((toward.mentions.len() as u32).into()),
        None if is_scored => Cell::Integer(0),
        None => Cell::Null,
    });
    cells
}

/// The probability of the label number `i`, at which place records also have it.
pub(super) fn score(record: &ScoreRecord, i: usize, label: &str) -> Option<f32> {
    let there = record.scores.get(i).filter(|(name, _)| name == label);
    there.or_else(|| record.scores.iter().find(|(name, _)| name == label)).and_then(|(_, p)| *p)
}

fn classes<'a>(wanted: &[String], found: Option<&Classes>) -> Vec<Cell<'a>> {
    let p = |class: &String| found?.iter().find(|(name, _)| name == class).map(|(_, p)| *p);
    wanted.iter().map(|class| Cell::real(p(class))).collect()
}
