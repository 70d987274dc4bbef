//! The threads that labelled rows form: what each row answers and which comment opened its thread.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::data::Labelled;
use crate::read::entry::CommentRow;

/// Gives rows the text of their parent and of the comment that opens their thread, where the file holds these but the row does not.
pub fn answer_parents(rows: &mut [Labelled]) {
    // Ids are unique within their thread only.
    let key = |row: &Labelled, id: &str| (row.row.thread_id.clone(), id.to_owned());
    let wanted: BTreeSet<_> =
        rows.iter().filter_map(|r| r.row.stated.parent_id.as_ref().map(|parent| key(r, parent))).collect();
    let mut texts: HashMap<_, String> = HashMap::new();
    for row in rows.iter() {
        let key = key(row, &row.row.stated.comment.id);
        if wanted.contains(&key) {
            texts.entry(key).or_insert_with(|| row.row.stated.comment.text.clone());
        }
    }
    let roots = roots(rows);
    for (row, root) in rows.iter_mut().zip(roots) {
        if row.row.parent_text.is_none() {
            row.row.parent_text =
                row.row.stated.parent_id.as_ref().and_then(|parent| texts.get(&key(row, parent)).cloned());
        }
        row.root_text = root;
    }
}

/// The text of the comment that opens the thread of each reply with a stance.
fn roots(rows: &[Labelled]) -> Vec<Option<String>> {
    let comments: Vec<&CommentRow> = rows.iter().map(|r| &r.row).collect();
    let text = |at: usize| comments.get(at).map(|c| c.stated.comment.text.clone());
    let asked = |at: usize| rows.get(at).is_some_and(|r| r.reply_stance.is_some());
    let openings = openings(&comments).into_iter().enumerate();
    openings.map(|(i, root)| root.filter(|&root| root != i && asked(i)).and_then(text)).collect()
}

/// For each row the one that opens its thread: the end of its chain of parents, else the only row of its thread that answers nothing.
fn openings(rows: &[&CommentRow]) -> Vec<Option<usize>> {
    let answers = |row: &CommentRow| row.stated.parent_id.is_some() || row.parent_text.is_some();
    let mut index: HashMap<(Option<&str>, &str), usize> = HashMap::new();
    let mut only: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        index.entry((row.thread_id.as_deref(), &row.stated.comment.id)).or_insert(i);
        if let Some(thread) = row.thread_id.as_deref().filter(|_| !answers(row)) {
            only.entry(thread).and_modify(|one| *one = None).or_insert(Some(i));
        }
    }
    let mut found: Vec<Option<Option<usize>>> = vec![None; rows.len()];
    for start in 0..rows.len() {
        let mut path = Vec::new();
        let mut at = start;
        let opening = loop {
            if let Some(known) = found[at] {
                break known;
            }
            // Stands until the chain has ended: a chain that runs in a ring has no opening.
            found[at] = Some(None);
            path.push(at);
            let row = rows[at];
            let thread = row.thread_id.as_deref();
            match row.stated.parent_id.as_deref().and_then(|parent| index.get(&(thread, parent))) {
                Some(&parent) => at = parent,
                None if !answers(row) => break Some(at),
                None => break thread.and_then(|thread| only.get(thread).copied().flatten()),
            }
        };
        path.into_iter().for_each(|at| found[at] = Some(opening));
    }
    found.into_iter().map(Option::flatten).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::{Comment, Stated};

    fn row(thread: &str, id: &str, parent: Option<&str>, parent_text: Option<&str>) -> CommentRow {
        let comment = Comment { id: id.into(), ..Comment::default() };
        CommentRow {
            stated: Stated { comment, parent_id: parent.map(str::to_owned) },
            thread_id: Some(thread.into()),
            parent_text: parent_text.map(str::to_owned),
            ..CommentRow::default()
        }
    }

    #[test]
    fn a_thread_is_opened_by_the_end_of_the_chain_or_by_its_only_root() {
        let rows = [
            row("a", "3", Some("2"), None),
            row("a", "1", None, None),
            row("a", "2", Some("1"), None),
            row("a", "9", None, None),
            row("a", "4", None, Some("a text that is not here")),
            row("b", "5", None, Some("another")),
            row("b", "6", None, None),
            row("c", "7", Some("8"), None),
            row("c", "8", Some("7"), None),
        ];
        let found = openings(&rows.iter().collect::<Vec<_>>());
        let expected = [Some(1), Some(1), Some(1), Some(3), None, Some(6), Some(6), None, None];
        assert_eq!(found, expected, "two roots in a leave 4 open; c is a ring");
    }
}
