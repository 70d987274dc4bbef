//! Rows gathered into whole threads, for those who need to see a thread at once.

use std::collections::HashMap;

use super::fields::{CommentRow, Fields, comment};
use super::rows::{BadRow, Options, RowReader};
use crate::error::{Error, Result};
use crate::thread::{Repairs, Stated, Story, Thread};

/// Reads every comment of `rows`; `bad` is told of rows that cannot be used.
///
/// # Errors
/// An input that breaks off (a damaged archive, an unclosed quote).
pub fn comments(
    name: &str,
    rows: &mut dyn RowReader,
    options: &Options,
    bad: &mut dyn FnMut(BadRow),
    mut each: impl FnMut(CommentRow) -> Result<()>,
) -> Result<()> {
    let header = rows.header().cloned();
    while let Some(row) = rows.next_row() {
        let row = match row {
            Ok(row) => row,
            Err(row) if row.fatal => return Err(Error::input(format!("{name}:{}", row.line), row.what)),
            Err(row) => {
                bad(row);
                continue;
            }
        };
        let fields = header.clone().unwrap_or_else(|| Fields::choose(row.fields.keys().map(String::as_str), options));
        match comment(&row, &fields) {
            Ok(comment) => each(comment)?,
            Err(what) => bad(BadRow { line: row.line, what, raw: row.raw, fatal: false }),
        }
    }
    Ok(())
}

/// Gathers rows into threads by their thread's id, in the order in which threads begin. Parents may stand after their replies.
pub fn gather(comments: Vec<CommentRow>) -> (Vec<Thread>, Repairs) {
    let mut places: HashMap<Option<String>, usize> = HashMap::new();
    let mut threads: Vec<(Option<String>, Option<String>, Vec<Stated>)> = Vec::new();
    for mut row in comments {
        row.stated.comment.parent_text = row.parent_text;
        row.stated.comment.target = row.target;
        let place = *places.entry(row.thread_id.clone()).or_insert_with(|| {
            threads.push((row.thread_id.clone(), row.title.clone(), Vec::new()));
            threads.len() - 1
        });
        threads[place].2.push(row.stated);
    }
    let mut repairs = Repairs::default();
    let build = |(id, title, stated)| {
        let (mut thread, mended) = Thread::build(stated);
        repairs.merge(mended);
        thread.id = id;
        thread.story = Story { title, ..Story::default() };
        thread
    };
    (threads.into_iter().map(build).collect(), repairs)
}
