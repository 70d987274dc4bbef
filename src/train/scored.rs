//! Labelled rows with what a model says of them: what evaluation, a site's calibration and the comparison of two models look at.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::data::Labelled;
use super::gather::{group, read_file};
use super::split::fold;
use super::threads::answer_parents;
use crate::error::Result;
use crate::model::Model;
use crate::model::scoring::{Item, Scores, Scratch};
use crate::read::rows::{BadRow, Options, Row};

/// Parts that figures on held-out rows are made over.
pub const FOLDS: usize = 10;
/// Decides the folds.
const SEED: u64 = 1;

/// Reads labelled rows; replies get their parent's text where the file holds it. `each` sees every row as it stands in its file.
///
/// # Errors
/// An input that cannot be used at all.
pub fn read(
    files: &[PathBuf],
    options: &Options,
    bad: &mut dyn FnMut(&Path, BadRow),
    mut each: impl FnMut(&Row),
) -> Result<Vec<Labelled>> {
    let mut rows = Vec::new();
    for path in files {
        let mut file: Vec<Labelled> = Vec::new();
        read_file(path, options, &mut |row| bad(path, row), |labelled, row| {
            each(row);
            file.push(labelled);
        })?;
        answer_parents(&mut file);
        rows.append(&mut file);
    }
    Ok(rows)
}

/// Scores rows in parallel, also toward the targets that they name; `None` where the model has no scores for a row.
pub fn score(model: &Model, rows: &[Labelled], max_text: usize) -> Vec<Option<Scores>> {
    rows.par_iter().map_init(Scratch::default, |scratch, row| score_row(model, row, max_text, scratch)).collect()
}

fn score_row(model: &Model, row: &Labelled, max_text: usize, scratch: &mut Scratch) -> Option<Scores> {
    let comment = &row.row.stated.comment;
    if comment.text.len() > max_text {
        return None;
    }
    let targets: Vec<String> = row.stances.iter().map(|(target, _)| target.clone()).collect();
    let parent = row.row.parent_text.as_deref();
    let item = Item {
        text: &comment.text,
        quotes: &comment.quotes,
        parent,
        root: row.root_text.as_deref(),
        // Rows that state a stance of theirs are asked for it.
        stance_of_roots: true,
        targets: &targets,
        ..Item::default()
    };
    model.score(&item, scratch).ok()
}

/// The fold of a row, below [`FOLDS`]: rows of one thread, else of one author, else of one text, stay together.
pub fn fold_of(row: &Labelled, place: usize) -> usize {
    fold(&group(row, 0, place), SEED, FOLDS)
}

/// The value, 0 or 1, of a row's label; `None` where the row leaves it open.
pub fn truth(row: &Labelled, label: &str) -> Option<bool> {
    row.labels.iter().find(|(name, _)| name == label).map(|(_, value)| *value >= 0.5)
}
