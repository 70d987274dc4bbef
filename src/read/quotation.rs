//! Parents by quotation: where a source does not say who answers whom, a comment answers the one that it quotes.

use std::collections::VecDeque;

use crate::read::entry::{CommentRow, Entry, Reader};
use crate::read::rows::BadRow;
use crate::text::phrases::Phrases;
use crate::text::quotes;

/// Words of an earlier comment that must be quoted in a row.
const FEWEST_WORDS: usize = 5;
/// Comments before one that may be what it quotes.
const LOOKED_BACK: usize = 500;
/// Quoted lines of a comment that are looked for, and words of each: they tell, and more would only take time.
const LINES: usize = 20;
const WORDS: usize = 60;
/// Bytes of text, and comments, of a thread that are held back at most; a longer one is looked at in pieces.
const HELD_BYTES: usize = 16 << 20;
const HELD: usize = 20_000;

/// Finds the parents of comments in threads whose comments state none. It sees the comments of a thread that stand
/// together; as soon as one states its parent, all pass as they are.
pub(super) struct ByQuotation {
    inner: Box<dyn Reader>,
    /// Whether comments without a thread belong to one.
    is_one_thread: bool,
    /// Entries of the thread at hand, held back until it ends.
    held: Vec<Entry>,
    bytes: usize,
    thread: Option<String>,
    /// The thread at hand states parents.
    states_parents: bool,
    ready: VecDeque<Result<Entry, BadRow>>,
}

impl ByQuotation {
    pub(super) fn new(inner: Box<dyn Reader>, is_one_thread: bool) -> Self {
        let (held, ready) = (Vec::new(), VecDeque::new());
        Self { inner, is_one_thread, held, bytes: 0, thread: None, states_parents: false, ready }
    }

    /// Takes an entry, which becomes ready now or when its thread ends.
    fn take(&mut self, entry: Entry) {
        let Entry::Comment(row) = &entry else {
            return if self.held.is_empty() { self.ready.push_back(Ok(entry)) } else { self.held.push(entry) };
        };
        if row.thread_id != self.thread {
            self.release();
            self.thread.clone_from(&row.thread_id);
            self.states_parents = false;
        }
        self.states_parents |= row.stated.parent_id.is_some() || row.parent_text.is_some();
        let has_thread = row.thread_id.is_some() || self.is_one_thread;
        if self.states_parents || self.inner.states_parents() || !has_thread {
            self.ready.extend(self.held.drain(..).map(Ok));
            return self.ready.push_back(Ok(entry));
        }
        self.bytes += row.stated.comment.text.len();
        self.held.push(entry);
        if self.bytes > HELD_BYTES || self.held.len() >= HELD {
            self.release();
        }
    }

    /// Looks for parents among the entries held back and lets them go.
    fn release(&mut self) {
        let mut rows: Vec<&mut CommentRow> = Vec::new();
        for entry in &mut self.held {
            if let Entry::Comment(row) = entry {
                rows.push(row);
            }
        }
        if !self.inner.states_parents() {
            find_parents(&mut rows);
        }
        self.bytes = 0;
        self.ready.extend(self.held.drain(..).map(Ok));
    }
}

impl Reader for ByQuotation {
    fn next_entry(&mut self) -> Option<Result<Entry, BadRow>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(entry);
            }
            match self.inner.next_entry() {
                Some(Ok(entry)) => self.take(entry),
                Some(Err(bad)) => {
                    self.release();
                    self.ready.push_back(Err(bad));
                }
                None if self.held.is_empty() => return None,
                None => self.release(),
            }
        }
    }

    fn mapping(&self) -> Vec<(&'static str, String)> {
        self.inner.mapping()
    }
}

fn find_parents(rows: &mut [&mut CommentRow]) {
    let quoted: Vec<Vec<String>> = rows.iter().map(|row| quotations(row)).collect();
    if quoted.iter().all(Vec::is_empty) {
        return;
    }
    let mut phrases: Vec<Option<Phrases>> = rows.iter().map(|_| None).collect();
    for at in 0..rows.len() {
        let Some(quotations) = quoted.get(at).filter(|quotations| !quotations.is_empty()) else { continue };
        let mut best = (FEWEST_WORDS - 1, None);
        // Backwards: who quotes what was quoted before answers the last one who did.
        for before in (at.saturating_sub(LOOKED_BACK)..at).rev() {
            let (Some(row), Some(phrases)) = (rows.get(before), phrases.get_mut(before)) else { continue };
            let phrases = phrases.get_or_insert_with(|| Phrases::new(&row.stated.comment.text));
            let held = quotations.iter().map(|quotation| phrases.held(quotation)).max().unwrap_or_default();
            if held > best.0 {
                best = (held, Some(row.stated.comment.id.clone()));
            }
        }
        if let (Some(row), Some(parent)) = (rows.get_mut(at), best.1) {
            row.stated.parent_id = Some(parent);
            row.parent_by_quotation = true;
        }
    }
}

/// What a comment quotes, line by line: a quotation is often cut between its paragraphs.
fn quotations(row: &CommentRow) -> Vec<String> {
    let comment = &row.stated.comment;
    if comment.quotes.is_empty() && !comment.text.contains(['>', '"', '“']) {
        return Vec::new();
    }
    let quoted = quotes::find(&comment.text, None, &comment.quotes);
    let lines = quoted.iter().filter_map(|range| comment.text.get(range.clone())).flat_map(str::lines);
    let long = lines.filter(|line| line.split_whitespace().take(FEWEST_WORDS).count() == FEWEST_WORDS);
    long.take(LINES).map(|line| line.split_whitespace().take(WORDS).collect::<Vec<_>>().join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::{Comment, Stated};

    struct Given(std::vec::IntoIter<Entry>);

    impl Reader for Given {
        fn next_entry(&mut self) -> Option<Result<Entry, BadRow>> {
            self.0.next().map(Ok)
        }

        fn states_parents(&self) -> bool {
            false
        }
    }

    fn comment(id: &str, thread: Option<&str>, parent: Option<&str>, text: &str) -> Entry {
        let comment = Comment { id: id.to_owned(), text: text.to_owned(), ..Comment::default() };
        let stated = Stated { comment, parent_id: parent.map(str::to_owned) };
        CommentRow { stated, thread_id: thread.map(str::to_owned), ..CommentRow::default() }.into()
    }

    fn parents(entries: Vec<Entry>, is_one_thread: bool) -> Vec<(String, Option<String>)> {
        let mut reader = ByQuotation::new(Box::new(Given(entries.into_iter())), is_one_thread);
        let mut found = Vec::new();
        while let Some(entry) = reader.next_entry() {
            if let Entry::Comment(row) = entry.unwrap() {
                found.push((row.stated.comment.id, row.stated.parent_id));
            }
        }
        found
    }

    const FERRY: &str = "The last ferry leaves at nine and nobody told us so.";

    #[test]
    fn who_quotes_a_comment_answers_it_and_the_last_who_said_it() {
        let quoting = format!("> {FERRY}\n\nIt was in the paper.");
        let twice = format!(
            "> The last ferry leaves at nine and nobody told us so.\n> It was in the paper.\n\nWhich one?\n{FERRY}"
        );
        let entries = vec![
            comment("1", Some("a"), None, FERRY),
            comment("2", Some("a"), None, "> the last ferry\n\nToo short to tell."),
            comment("3", Some("a"), None, &quoting),
            comment("4", Some("a"), None, &twice),
            comment("5", Some("b"), None, &quoting),
        ];
        let found = parents(entries, false);
        let of = |id: &str| found.iter().find(|(i, _)| i == id).unwrap().1.clone();
        assert_eq!((of("1"), of("2"), of("3"), of("5")), (None, None, Some("1".into()), None));
        assert_eq!(of("4"), Some("3".into()));
    }

    #[test]
    fn a_thread_that_states_parents_is_left_as_it_is() {
        let quoting = format!("> {FERRY}\n\nIt was in the paper.");
        let entries = || {
            vec![
                comment("1", None, None, FERRY),
                comment("2", None, None, &quoting),
                comment("3", None, Some("2"), "Yes."),
                comment("4", None, None, &quoting),
            ]
        };
        let none_but_3 = [None, None, Some("2".to_owned()), None];
        let found: Vec<Option<String>> = parents(entries(), true).into_iter().map(|(_, parent)| parent).collect();
        assert_eq!(found, none_but_3);
        let mut flat = entries();
        flat.remove(2);
        let found: Vec<Option<String>> = parents(flat.clone(), true).into_iter().map(|(_, parent)| parent).collect();
        assert_eq!(found, [None, Some("1".to_owned()), Some("2".to_owned())]);
        let rows: Vec<Option<String>> = parents(flat, false).into_iter().map(|(_, parent)| parent).collect();
        assert_eq!(rows, [None, None, None], "rows of a table without threads");
    }
}
