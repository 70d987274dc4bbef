//! Gathering the training set: reads every source, maps its labels, and keeps for each head the rows that decide it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::data::{Labelled, label_columns, labelled};
use super::recipe::{Recipe, Source};
use super::threads::answer_parents;
use crate::error::{Error, Result};
use crate::label::{PARENT_STANCES, TARGET_STANCES};
use crate::model::SourceNote;
use crate::read;
use crate::read::fields::Fields;
use crate::read::rows::{BadRow, Options, Row};
use crate::text::clean::Clean;
use crate::text::quotes;
use crate::text::targets::{self, Finder, NamedTarget, Remembered};
use crate::text::words::Words;

/// Rows that decide one label.
#[derive(Debug, Clone, Default)]
pub struct LabelRows {
    /// Numbers of the texts.
    pub rows: Vec<u32>,
    /// Targets, 0..1.
    pub targets: Vec<f32>,
}

impl LabelRows {
    /// How many rows have the label.
    pub fn positives(&self) -> usize {
        self.targets.iter().filter(|t| **t >= 0.5).count()
    }

    /// How many rows the rarer of having it and not having it has.
    pub fn rarer(&self) -> usize {
        self.positives().min(self.targets.len() - self.positives())
    }
}

/// Rows with a class.
#[derive(Debug, Clone, Default)]
pub struct ClassRows {
    /// The classes.
    pub classes: Vec<String>,
    /// Numbers of the texts.
    pub rows: Vec<u32>,
    /// The class of each.
    pub truth: Vec<usize>,
}

/// The training set.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The texts.
    pub texts: Vec<String>,
    /// The text that each answers.
    pub parents: Vec<Option<String>>,
    /// What must stay in one fold.
    pub groups: Vec<String>,
    /// The source of each text.
    pub sources: Vec<usize>,
    /// The weight of each text beside others of its source.
    pub weights: Vec<f32>,
    /// The weight of each source's rows beside the others'.
    pub source_weights: Vec<f64>,
    /// Names of the corpora that `sources` numbers.
    pub corpora: Vec<String>,
    /// For each source whether its targets may get heads of their own.
    pub own_targets: Vec<bool>,
    /// Whether labels are calibrated on the rows of each source.
    pub calibrates: Vec<bool>,
    /// Notes on the files.
    pub notes: Vec<SourceNote>,
    /// By label.
    pub labels: BTreeMap<String, LabelRows>,
    /// By source and its own label, for first-stage heads.
    pub by_source: BTreeMap<(usize, String), LabelRows>,
    /// By label, the sources and their labels that teach it.
    pub teachers: BTreeMap<String, BTreeSet<(usize, String)>>,
    /// Stance toward the parent.
    pub reply: ClassRows,
    /// The text that opens the thread of a reply with a stance, by the number of the reply.
    pub roots: BTreeMap<u32, String>,
    /// Stance toward targets.
    pub stance: ClassRows,
    /// The target of each row of `stance`.
    pub targets: Vec<String>,
    /// For each row of `stance` the number of the text that holds what it says beside the names of its target, where it has one.
    pub beside: Vec<Option<u32>>,
    /// Targets that are known by name and aliases.
    pub known_targets: Vec<NamedTarget>,
}

/// Reads a file of labelled rows. `bad` is told of every row that cannot be used.
///
/// # Errors
/// An input that cannot be used at all.
pub fn read_file(
    path: &Path,
    options: &Options,
    bad: &mut dyn FnMut(BadRow),
    mut each: impl FnMut(Labelled, &Row),
) -> Result<()> {
    let mut reader = read::open_rows(path, options)?;
    let header = reader.header().cloned();
    let mut use_row = |row: &Row, fields: &Fields, plain: &BTreeSet<String>, bad: &mut dyn FnMut(BadRow)| match labelled(
        row, fields, plain,
    ) {
        Ok(labelled) if labelled.row.stated.comment.text.len() > options.max_text => {
            let what = format!("the text is longer than --max-text ({} bytes)", options.max_text);
            bad(BadRow { line: row.line, what, raw: row.raw.clone(), fatal: false });
        }
        Ok(labelled) => each(labelled, row),
        Err(what) => bad(BadRow { line: row.line, what, raw: row.raw.clone(), fatal: false }),
    };
    // A table's label columns are known once all its cells have been seen.
    let mut table: Vec<Row> = Vec::new();
    while let Some(row) = reader.next_row() {
        match (row, &header) {
            (Ok(row), Some(_)) => table.push(row),
            (Ok(row), None) => {
                let fields = Fields::choose(row.fields.keys().map(String::as_str), options);
                use_row(&row, &fields, &BTreeSet::new(), bad);
            }
            (Err(row), _) if row.fatal => {
                return Err(Error::input(format!("{}:{}", path.display(), row.line), row.what));
            }
            (Err(row), _) => bad(row),
        }
    }
    if let Some(fields) = header {
        let plain = label_columns(table.iter(), &fields);
        table.iter().for_each(|row| use_row(row, &fields, &plain, bad));
    }
    Ok(())
}

fn file_hash(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(|e| Error::io(path, e))? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hex::encode(hash.finalize()))
}

/// Reads every source of a recipe, and the examples of its targets. `known` are targets that are known without it.
///
/// # Errors
/// A source that cannot be used at all, or that maps a label which none of its rows has; a list of targets that cannot be used.
pub fn gather(
    recipe: &Recipe,
    known: &[NamedTarget],
    options: &Options,
    bad: &mut dyn FnMut(&Path, BadRow),
) -> Result<Gathered> {
    let listed = recipe.settings.targets.as_deref().map(targets::open).transpose()?.unwrap_or_default();
    let mut out = Gathered { known_targets: targets::merged(known, &listed)?, ..Gathered::default() };
    let names = Names::of(&out.known_targets);
    let (mut reply, mut stance) = (Vec::new(), Vec::new());
    let examples = listed.iter().filter_map(|target| Some((Source::examples(target.examples.as_ref()?), Some(target))));
    let examples: Vec<(Source, Option<&NamedTarget>)> = examples.collect();
    let sources = recipe.sources.iter().map(|source| (source, None));
    for (source, of) in sources.chain(examples.iter().map(|(source, of)| (source, *of))) {
        let corpus = source.corpus();
        let number = out.corpora.iter().position(|c| *c == corpus).unwrap_or_else(|| {
            out.corpora.push(corpus.clone());
            out.source_weights.push(source.weight);
            out.own_targets.push(source.own_targets && source.weight > 0.0);
            out.calibrates.push(source.calibrate);
            out.corpora.len() - 1
        });
        let mut rows: Vec<Labelled> = Vec::new();
        read_file(&source.path, options, &mut |row| bad(&source.path, row), |row, _| rows.push(row))?;
        answer_parents(&mut rows);
        check_mapping(source, &rows)?;
        rows.iter_mut().for_each(|row| names.unify(row));
        if let Some(target) = of {
            keep_examples(target, &mut rows, &source.path)?;
        }
        out.note_teachers(source, number, &rows);
        out.notes.push(SourceNote {
            name: corpus,
            licence: source.licence.clone(),
            rows: rows.len(),
            sha256: file_hash(&source.path)?,
        });
        for (i, mut row) in rows.into_iter().enumerate() {
            soften(&mut row, recipe.settings.soft as f32);
            out.push(row, source, number, i, &mut reply, &mut stance);
        }
    }
    out.reply = classes(reply, &PARENT_STANCES);
    out.targets = stance.iter().map(|(_, (target, _)): &(u32, (String, String))| target.clone()).collect();
    out.stance = classes(stance.into_iter().map(|(row, (_, class))| (row, class)).collect(), &TARGET_STANCES);
    out.add_beside();
    Ok(out)
}

/// What the known targets are called.
struct Names(HashMap<String, String>);

impl Names {
    fn of(targets: &[NamedTarget]) -> Self {
        let names =
            targets.iter().flat_map(|target| target.names().map(|name| (targets::key(name), target.name.clone())));
        Self(names.collect())
    }

    /// Lets a row call the targets as they are called; of two stances toward the same the first counts.
    fn unify(&self, row: &mut Labelled) {
        if self.0.is_empty() {
            return;
        }
        let mut seen = BTreeSet::new();
        for (target, _) in &mut row.stances {
            if let Some(name) = self.0.get(&targets::key(target)) {
                target.clone_from(name);
            }
        }
        row.stances.retain(|(target, _)| seen.insert(target.clone()));
    }
}

/// Leaves of a file of examples what it says of their target. Rows that name no target are about it.
fn keep_examples(target: &NamedTarget, rows: &mut Vec<Labelled>, path: &Path) -> Result<()> {
    for row in rows.iter_mut() {
        row.stances.extend(row.untargeted.take().map(|stance| (target.name.clone(), stance)));
        row.stances.retain(|(name, _)| *name == target.name);
        row.labels.clear();
    }
    rows.retain(|row| !row.stances.is_empty());
    if rows.is_empty() {
        let what = format!(
            "no examples of `{}` in it: rows need `text` and `stance`, and `target` if about others, too",
            target.name
        );
        return Err(Error::input(path.display(), what));
    }
    Ok(())
}

fn check_mapping(source: &Source, rows: &[Labelled]) -> Result<()> {
    let Some(mapping) = &source.labels else { return Ok(()) };
    let present: BTreeSet<&str> = rows.iter().flat_map(|r| r.labels.iter().map(|(name, _)| name.as_str())).collect();
    for name in mapping.values().flat_map(super::recipe::OneOrMore::names) {
        if !present.contains(name.as_str()) {
            let there = present.iter().copied().collect::<Vec<_>>().join(", ");
            return Err(Error::input(
                source.path.display(),
                format!("no row has the label `{name}`; the labels here are: {there}"),
            ));
        }
    }
    Ok(())
}

impl Gathered {
    /// True if a source's label teaches one of `labels`.
    pub fn teaches(&self, key: &(usize, String), labels: &[(&str, &LabelRows)]) -> bool {
        labels.iter().any(|(name, _)| self.teachers.get(*name).is_some_and(|own| own.contains(key)))
    }

    /// Adds what is said beside the names of known targets as texts of their own.
    fn add_beside(&mut self) {
        let finder = Finder::of(&self.known_targets);
        let mut stems = Remembered::default();
        self.beside = vec![None; self.targets.len()];
        for place in 0..self.targets.len() {
            let row = self.stance.rows[place] as usize;
            let Some(target) = self.known_targets.iter().position(|known| known.name == self.targets[place]) else {
                continue;
            };
            let (text, parent) = (self.texts[row].as_str(), self.parents[row].as_deref());
            let mut words = Words::default();
            words.read(&Clean::new(text), &quotes::find(text, parent, &[]));
            let found = finder.find(&words, &stems.all(&words));
            let mentions: Vec<Range<usize>> =
                found.into_iter().filter(|(found, _)| *found == target).map(|(_, words)| words).collect();
            if mentions.is_empty() {
                continue;
            }
            self.beside[place] = Some(self.texts.len() as u32);
            self.texts.push(targets::beside(&words, &mentions).0);
            self.parents.push(None);
            self.groups.push(self.groups[row].clone());
            self.sources.push(self.sources[row]);
            self.weights.push(self.weights[row]);
        }
    }

    fn note_teachers(&mut self, source: &Source, number: usize, rows: &[Labelled]) {
        let mut note = |ours: &str, theirs: &str| {
            self.teachers.entry(ours.to_owned()).or_default().insert((number, theirs.to_owned()));
        };
        match &source.labels {
            Some(mapping) => {
                mapping.iter().for_each(|(ours, from)| from.names().iter().for_each(|theirs| note(ours, theirs)));
            }
            None => rows.iter().flat_map(|r| &r.labels).for_each(|(name, _)| note(name, name)),
        }
    }

    fn push(
        &mut self,
        row: Labelled,
        source: &Source,
        number: usize,
        place: usize,
        reply: &mut Vec<(u32, String)>,
        stance: &mut Vec<(u32, (String, String))>,
    ) {
        let at = self.texts.len() as u32;
        let group = group(&row, number, place);
        let theirs = if source.weight > 0.0 { row.labels.clone() } else { Vec::new() };
        let labels = mapped(&theirs, source);
        let of_roots = source.stance_of_roots;
        let reply_stance =
            row.reply_stance.filter(|_| source.reply_stance && (of_roots || row.row.parent_text.is_some()));
        let wanted = |class: &String| source.stances.as_ref().is_none_or(|stances| stances.contains(class));
        let stances: Vec<_> = row.stances.into_iter().filter(|(_, class)| source.stance && wanted(class)).collect();
        if theirs.is_empty() && reply_stance.is_none() && stances.is_empty() {
            return;
        }
        for (name, target) in theirs {
            let rows = self.by_source.entry((number, name)).or_default();
            rows.rows.push(at);
            rows.targets.push(target);
        }
        for (name, target) in labels {
            let rows = self.labels.entry(name).or_default();
            rows.rows.push(at);
            rows.targets.push(target);
        }
        self.roots.extend(row.root_text.filter(|_| reply_stance.is_some()).map(|root| (at, root)));
        reply.extend(reply_stance.map(|class| (at, class)));
        stance.extend(stances.into_iter().map(|s| (at, s)));
        let comment = row.row.stated.comment;
        self.groups.push(group);
        self.texts.push(comment.text);
        self.parents.push(row.row.parent_text);
        self.sources.push(number);
        self.weights.push(row.weight);
    }
}

/// Moves labels toward the share of annotators who saw them, never past the middle: what counts as having the label stays.
fn soften(row: &mut Labelled, by: f32) {
    for (name, value) in &mut row.labels {
        if let Some(soft) = row.soft.get(name) {
            let softened = (1.0 - by) * *value + by * soft;
            *value = if *value >= 0.5 { softened.max(0.5) } else { softened.min(0.499) };
        }
    }
}

/// What must stay in one fold with the row at `place` of a source: its thread, else its author, else its text.
pub fn group(row: &Labelled, source: usize, place: usize) -> String {
    let comment = &row.row.stated.comment;
    // Names of different corpora must not meet.
    match (&row.row.thread_id, &comment.author) {
        (Some(thread), _) => format!("{source} thread {thread}"),
        (None, Some(author)) => format!("{source} author {author}"),
        (None, None) if comment.text.trim().is_empty() => format!("{source} row {place}"),
        (None, None) => comment.text.trim().to_lowercase(),
    }
}

/// A row's labels under the model's names.
fn mapped(labels: &[(String, f32)], source: &Source) -> Vec<(String, f32)> {
    let Some(mapping) = &source.labels else { return labels.to_vec() };
    let find = |name: &String| labels.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    mapping
        .iter()
        .filter_map(|(name, from)| Some((name.clone(), from.names().iter().filter_map(find).reduce(f32::max)?)))
        .collect()
}

/// Class numbers: in the order of `known` where all classes are among them, else by name.
fn classes(rows: Vec<(u32, String)>, known: &[&str]) -> ClassRows {
    let present: BTreeSet<&str> = rows.iter().map(|(_, class)| class.as_str()).collect();
    let classes: Vec<String> = if present.iter().all(|c| known.contains(c)) {
        known.iter().filter(|c| present.contains(*c)).map(|c| (*c).to_owned()).collect()
    } else {
        present.iter().map(|c| (*c).to_owned()).collect()
    };
    let number = |class: &String| classes.iter().position(|c| c == class).unwrap_or_default();
    let truth = rows.iter().map(|(_, class)| number(class)).collect();
    ClassRows { rows: rows.into_iter().map(|(row, _)| row).collect(), truth, classes }
}
