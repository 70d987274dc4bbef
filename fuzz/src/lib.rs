//! What the fuzz targets call: inputs are read as a user reads them, and what users rely on is asserted.

use std::collections::HashSet;
use std::io::{Cursor, Read};
use std::ops::Range;

use polemic::read;
use polemic::read::entry::Entry;
use polemic::read::format::{self, Opened};
use polemic::read::rows::Options;
use polemic::read::threads::Gatherer;
use polemic::read::unpack::{self, Limits};
use polemic::text::clean::Clean;
use polemic::text::html::{self, Newlines};
use polemic::text::quotes::find;
use polemic::thread::{Comment, Thread};

/// Entries and rows that are read of an input at most.
const MOST: usize = 20_000;

/// What divides an input of ConvoKit into `utterances.jsonl`, `conversations.json` and `corpus.json`.
const NEXT_FILE: &[u8] = b"\n--\n";

/// What divides an input of [`quotes`] into the text and the text it answers.
const PARENT: &str = "\n--\n";

/// Bytes that an archive may expand to, whatever its ratio.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// Reads `data` as an input of `format`, with the limits of the command and with small ones.
pub fn read(format: &str, data: &[u8]) {
    let usual = Options { format: Some(format.to_owned()), ..Options::default() };
    let small = Options { max_line: 4096, max_document: 4096, max_text: 4096, ..usual.clone() };
    for options in [usual, small] {
        if format == "convokit" {
            folder(data, &options);
        } else {
            entries(open("fuzz", data, &options), &options);
        }
    }
}

/// Reads `data` as a user does who does not say what it is, under names of which some say it.
pub fn recognise(data: &[u8]) {
    let options = Options::default();
    for name in ["fuzz", "fuzz.csv", "fuzz.tsv", "fuzz.json.gz"] {
        entries(open(name, data, &options), &options);
        let Some(opened) = open(name, data, &options) else { return };
        let table = format::find_table(&opened, &options);
        let Ok(mut rows) = table.and_then(|rows| rows(opened, &options)) else { continue };
        let rows = std::iter::from_fn(|| rows.next_row()).take(MOST);
        let fatal = rows.map(|row| row.is_err_and(|bad| bad.fatal));
        assert!(fatal.skip_while(|fatal| !fatal).count() <= 1, "a row after a fatal one");
    }
}

/// Expands `data` with a low limit.
pub fn unpack(data: &[u8]) {
    let limits = Limits { expansion: 2 };
    let Ok((mut unpacked, _)) = unpack::unpack(Box::new(Cursor::new(data.to_vec())), limits) else { return };
    let (mut block, mut bytes) = (vec![0; 1 << 16], 0);
    while let Ok(n @ 1..) = unpacked.read(&mut block) {
        bytes += n as u64;
        assert!(bytes <= ALWAYS_ALLOWED, "an archive of {} bytes became {bytes}", data.len());
    }
}

/// Reads `data` as the HTML of a comment.
pub fn fragment(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for newlines in [Newlines::Collapse, Newlines::Keep] {
        let fragment = html::fragment(&text, newlines);
        assert_ranges(&fragment.text, &fragment.quotes);
        for link in fragment.links {
            assert!(["http:", "https:", "//"].iter().any(|start| link.to_lowercase().starts_with(start)), "{link}");
        }
    }
}

/// Looks for quotations in `data`: a text and, behind a line of `--`, the text it answers. Its first two bytes say what its
/// source marks as quoted.
pub fn quotes(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (text, parent) = text.split_once(PARENT).map_or((&*text, None), |(text, parent)| (text, Some(parent)));
    let byte = |at: usize| data.get(at).copied().unwrap_or_default().into();
    let marked = [Range { start: byte(0), end: byte(1) }, byte(1)..usize::MAX];
    for marked in [[].as_slice(), &marked] {
        assert_ranges(text, &find(text, parent, marked));
    }
}

/// Cleans `data` and maps every part of the clean text back.
pub fn clean(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    let clean = Clean::new(&source);
    let ends: Vec<usize> = clean.text().char_indices().map(|(at, _)| at).chain([clean.text().len()]).collect();
    let mut last = 0;
    for pair in ends.windows(2) {
        let back = clean.source(pair[0]..pair[1]);
        assert!(source.get(back.clone()).is_some_and(|part| !part.is_empty()), "{back:?} in {source:?}");
        assert!(last <= back.start, "{back:?} after {last}");
        last = back.start;
        assert!(source.get(clean.source(0..pair[1])).is_some());
        assert!(source.get(clean.source(pair[0]..pair[0])).is_some_and(str::is_empty));
    }
}

fn open(name: &str, data: &[u8], options: &Options) -> Option<Opened> {
    Opened::from_reader(name, Box::new(Cursor::new(data.to_vec())), options).ok()
}

/// Reads the files that `data` holds as the folder of a corpus.
fn folder(data: &[u8], options: &Options) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let mut rest = data;
    for name in ["utterances.jsonl", "conversations.json", "corpus.json"] {
        let end = rest.windows(NEXT_FILE.len()).position(|bytes| bytes == NEXT_FILE);
        if std::fs::write(folder.path().join(name), &rest[..end.unwrap_or(rest.len())]).is_err() {
            return;
        }
        let Some(end) = end else { break };
        rest = &rest[end + NEXT_FILE.len()..];
    }
    entries(Opened::open(Some(folder.path()), options).ok(), options);
}

/// Reads the entries and threads of an input and asserts what holds for all formats.
fn entries(opened: Option<Opened>, options: &Options) {
    let Some(Ok(mut input)) = opened.map(|opened| read::input(opened, options)) else { return };
    let mut gatherer = Gatherer::default();
    for _ in 0..MOST {
        match input.reader.next_entry() {
            Some(Ok(entry)) => {
                if let Entry::Comment(row) = &entry {
                    assert_comment(&row.stated.comment);
                }
                gatherer.take(entry).expect("a thread fits into the memory");
            }
            Some(Err(bad)) if bad.fatal => {
                assert!(input.reader.next_entry().is_none(), "an entry after a fatal row: {}", bad.what);
                break;
            }
            Some(Err(_)) => {}
            None => {
                assert!(input.reader.next_entry().is_none(), "an entry after the last");
                break;
            }
        }
    }
    input.reader.mapping();
    let each = &mut |thread, _| {
        assert_thread(&thread);
        Ok(())
    };
    gatherer.finish(each).expect("threads in memory");
}

fn assert_comment(comment: &Comment) {
    assert!(!comment.id.is_empty(), "a comment without an id: {comment:?}");
    assert_ranges(&comment.text, &comment.quotes);
    if let Some(author) = &comment.author {
        assert!(!holds_email(author), "the address of {author:?}");
        assert!(author.parse::<std::net::IpAddr>().is_err(), "the address of {author:?}");
    }
}

/// Quotations are parts of the text, in order and apart.
fn assert_ranges(text: &str, ranges: &[Range<usize>]) {
    let mut last = 0;
    for range in ranges {
        assert!(text.get(range.clone()).is_some_and(|quote| !quote.is_empty()), "{range:?} in {text:?}");
        assert!(last <= range.start, "{ranges:?} in {text:?}");
        last = range.end;
    }
}

/// True for `name@host.domain` anywhere in `text`.
fn holds_email(text: &str) -> bool {
    let is_name = |c: char| c.is_alphabetic() || c.is_ascii_digit() || matches!(c, '_' | '-');
    text.match_indices('@').any(|(at, _)| {
        let host = &text[at + 1..];
        let domain = host.trim_start_matches(is_name);
        text[..at].ends_with(|c: char| is_name(c) || matches!(c, '.' | '+'))
            && domain.len() < host.len()
            && domain.strip_prefix('.').is_some_and(|rest| rest.starts_with(is_name))
    })
}

/// A parent stands before its replies and one level above them, and every id stands once.
fn assert_thread(thread: &Thread) {
    let mut ids = HashSet::new();
    for (at, comment) in thread.comments.iter().enumerate() {
        assert!(ids.insert(&comment.id), "{:?} stands twice", comment.id);
        let depth = comment.parent.map_or(0, |parent| {
            assert!(parent < at, "{:?} stands before its parent", comment.id);
            thread.comments[parent].depth + 1
        });
        assert_eq!(comment.depth, depth, "of {:?}", comment.id);
    }
}
