//! What is written reads back the same, stays whole or is not there, and is what other programs expect of it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use polemic::read;
use polemic::read::entry::Entry;
use polemic::read::rows::{BadRow, Options};
use polemic::record::{CommentRecord, Mention, ScoreRecord, Span, StoryRecord, Toward};
use polemic::thread::{Stated, Status, Story, Thread};
use polemic::write::{CommentWriter, ConvoKit, Csv, Jsonl, Output, Parquet, ScoreWriter, Shape, Sqlite};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;
use tempfile::tempdir;

const FORMATS: [&str; 4] = ["jsonl", "csv", "parquet", "convokit"];

fn output(path: &Path) -> Output {
    Output { name: path.display().to_string(), to: Box::new(File::create(path).unwrap()) }
}

pub(crate) fn writer(format: &str, path: &Path) -> Box<dyn CommentWriter> {
    match format {
        "jsonl" => Box::new(Jsonl::new(output(path))),
        "csv" => Box::new(Csv::of_comments(output(path)).unwrap()),
        "parquet" => Box::new(Parquet::of_comments(output(path)).unwrap()),
        "sqlite" => Box::new(Sqlite::of_comments(path).unwrap()),
        _ => Box::new(ConvoKit::of_comments(path).unwrap()),
    }
}

pub(crate) fn score_writer(format: &str, path: &Path) -> Box<dyn ScoreWriter> {
    match format {
        "csv" => Box::new(Csv::of_scores(output(path), shape()).unwrap()),
        "parquet" => Box::new(Parquet::of_scores(output(path), shape()).unwrap()),
        "sqlite" => Box::new(Sqlite::of_scores(path, shape()).unwrap()),
        _ => Box::new(ConvoKit::of_scores(path, shape()).unwrap()),
    }
}

pub(crate) fn write(format: &str, path: &Path, records: &[CommentRecord]) {
    let mut writer = writer(format, path);
    records.iter().for_each(|record| writer.write(record).unwrap());
    writer.finish().unwrap();
}

pub(crate) fn entries(path: &Path) -> Vec<Result<Entry, BadRow>> {
    let mut input = read::open(Some(path), &Options::default()).unwrap();
    std::iter::from_fn(|| input.reader.next_entry()).collect()
}

/// The comments of a source, thread by thread, as `threads` would write them.
pub(crate) fn read_back(path: &Path) -> Vec<CommentRecord> {
    let mut stories: HashMap<Option<String>, Story> = HashMap::new();
    let mut threads: Vec<(Option<String>, Vec<Stated>)> = Vec::new();
    for entry in entries(path) {
        match entry.unwrap() {
            Entry::Story(row) => drop(stories.insert(row.thread_id, row.story)),
            Entry::Comment(row) => {
                if row.title.is_some() || row.url.is_some() {
                    let story = Story { title: row.title, url: row.url, body: None };
                    stories.insert(row.thread_id.clone(), story);
                }
                match threads.iter_mut().find(|(id, _)| *id == row.thread_id) {
                    Some((_, stated)) => stated.push(row.stated),
                    None => threads.push((row.thread_id, vec![row.stated])),
                }
            }
            other => panic!("{other:?}"),
        }
    }
    let mut records = Vec::new();
    for (thread_id, stated) in threads {
        let (thread, _) = Thread::build(stated);
        let story = stories.get(&thread_id).cloned().unwrap_or_default();
        records.extend(thread.comments.iter().map(|comment| CommentRecord {
            id: comment.id.clone(),
            thread_id: thread_id.clone(),
            parent_id: comment.parent.map(|p| thread.comments[p].id.clone()),
            depth: comment.depth,
            author: comment.author.clone(),
            created: comment.created.clone(),
            status: comment.status,
            title: story.title.clone(),
            url: story.url.clone(),
            text: Some(comment.text.clone()),
            omitted: None,
            quotes: comment.quotes.iter().map(|range| comment.text[range.clone()].to_owned()).collect(),
            links: comment.links.clone(),
        }));
    }
    records
}

pub(crate) fn comment(thread: &str, id: &str, parent: Option<&str>, text: &str) -> CommentRecord {
    CommentRecord {
        id: id.into(),
        thread_id: Some(thread.into()),
        parent_id: parent.map(str::to_owned),
        depth: u32::from(parent.is_some()),
        author: Some("Ines".into()),
        text: Some(text.into()),
        ..CommentRecord::default()
    }
}

pub(crate) fn harbour() -> Vec<CommentRecord> {
    let story = |record| CommentRecord {
        title: Some("Harbour bridge stays shut until May".into()),
        url: Some("https://kurier.example/harbour?x=1&y=ä".into()),
        ..record
    };
    vec![
        story(CommentRecord {
            created: Some("2024-03-01T07:30:00Z".into()),
            links: vec!["https://port.example/plan".into(), "https://port.example/b".into()],
            ..comment("harbour", "k1", None, "Three months! See the plan.\n\nAnd who pays?")
        }),
        story(CommentRecord {
            author: None,
            created: Some("2024-03-01T09:30:00".into()),
            quotes: vec!["who pays?".into()],
            ..comment("harbour", "k2", Some("k1"), "> who pays?\nWe do.")
        }),
        story(CommentRecord {
            depth: 2,
            created: Some("yesterday".into()),
            ..comment("harbour", "k3", Some("k2"), "")
        }),
        story(CommentRecord { status: Status::Deleted, ..comment("harbour", "k4", None, "[deleted]") }),
        CommentRecord { created: Some("1961-08-13T00:00:00Z".into()), ..comment("tram", "t1", None, "=SUM(A1:A9)") },
        CommentRecord { status: Status::Pending, ..comment("tram", "t2", Some("t1"), "+1") },
        CommentRecord { thread_id: None, ..comment("", "p1", None, "no thread, \"quoted\", and a\ttab") },
    ]
}

pub(crate) fn shape() -> Shape {
    Shape {
        labels: vec!["toxicity".into(), "Text".into()],
        parent: vec!["support".into(), "deny".into()],
        targets: vec!["bridge".into()],
        target: vec!["favor".into(), "against".into()],
        text: true,
        explain: false,
    }
}

pub(crate) fn scored(thread: &str, id: &str, parent: Option<&str>) -> ScoreRecord {
    ScoreRecord {
        id: id.into(),
        thread_id: Some(thread.into()),
        parent_id: parent.map(str::to_owned),
        depth: u32::from(parent.is_some()),
        text: Some("Typical of this mayor.".into()),
        scores: vec![("toxicity".into(), Some(0.123_456_7)), ("Text".into(), Some(1.0))],
        parent: parent.map(|_| vec![("support".into(), 0.25), ("deny".into(), 0.75)]),
        targets: vec![
            ("bridge".into(), vec![("favor".into(), 0.1), ("against".into(), 0.9)]),
            ("ferry".into(), vec![("favor".into(), 0.5), ("against".into(), 0.5)]),
        ],
        toward: vec![
            ("bridge".into(), toward(Some("against"), 2)),
            ("ferry".into(), Toward { reason: Some("too uncertain".into()), ..toward(None, 0) }),
        ],
        model: "news-en@0.1.0".into(),
        ..ScoreRecord::default()
    }
}

/// A stance, and a target that is mentioned so many times.
fn toward(stance: Option<&str>, mentions: usize) -> Toward {
    let mention = Mention { text: "mayor".into(), span: Span { start: 16, end: 21, utf16_start: 16, utf16_end: 21 } };
    Toward {
        stance: stance.map(str::to_owned),
        reason: None,
        mentioned: mentions > 0,
        mentions: vec![mention; mentions],
    }
}

pub(crate) fn unscored(thread: &str, id: &str) -> ScoreRecord {
    ScoreRecord {
        scores: vec![("toxicity".into(), None), ("Text".into(), None)],
        unscored: Some("language".into()),
        targets: Vec::new(),
        toward: Vec::new(),
        ..scored(thread, id, None)
    }
}

#[test]
fn comments_read_back_as_they_were_written() {
    for format in FORMATS {
        let dir = tempdir().unwrap();
        let path = dir.path().join(format!("out.{format}"));
        // In CSV, no text and an empty text are the same, and a row needs a text.
        let records: Vec<CommentRecord> =
            harbour().into_iter().filter(|c| format != "csv" || c.text.as_deref() != Some("")).collect();
        write(format, &path, &records);
        assert_eq!(read_back(&path), records, "{format}");
    }
}

#[test]
fn the_columns_have_the_same_names_everywhere() {
    let dir = tempdir().unwrap();
    let names = |format: &str| dir.path().join(format!("scores.{format}"));
    for format in ["csv", "sqlite", "parquet"] {
        let mut writer = score_writer(format, &names(format));
        writer.write(&scored("t", "a", None)).unwrap();
        writer.finish().unwrap();
    }
    let csv = fs::read_to_string(names("csv")).unwrap();
    let header = csv.lines().next().unwrap();
    let expected = "id,thread_id,parent_id,depth,author,created,status,text,toxicity,Text~2,unscored,\
                    stance_parent_support,stance_parent_deny,stance_bridge_favor,stance_bridge_against,\
                    stance_toward_bridge,mentions_bridge,target,stance_target_favor,stance_target_against,\
                    stance_toward_target,mentions_target,model";
    assert_eq!(header, expected);
    let row = csv.lines().nth(1).unwrap();
    assert_eq!(
        row,
        "a,t,,0,,,published,Typical of this mayor.,0.123457,1,,,,0.1,0.9,against,2,ferry,0.5,0.5,,0,news-en@0.1.0"
    );

    let mut rows = read::open_rows(&names("parquet"), &Options::default()).unwrap();
    let row = rows.next_row().unwrap().unwrap();
    let keys: Vec<&String> = row.fields.keys().collect();
    let empty = [
        "parent_id",
        "author",
        "created",
        "unscored",
        "stance_parent_support",
        "stance_parent_deny",
        "stance_toward_target",
    ];
    let filled: Vec<&str> = expected.split(',').filter(|name| !empty.contains(name)).collect();
    assert_eq!(keys, filled);
    assert_eq!((row.line, &row.fields["toxicity"]), (2, &json!(0.123_457)));

    let db = Connection::open(names("sqlite")).unwrap();
    let columns = |table: &str| -> Vec<String> {
        let mut select = db.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let of_comments = ["n", "id", "thread_id", "parent_id", "depth", "author", "created", "status", "text"];
    assert_eq!(columns("comments"), of_comments);
    let scores: Vec<&str> = ["n", "id", "thread_id"].into_iter().chain(expected.split(',').skip(8)).collect();
    assert_eq!(columns("scores"), scores);
    assert_eq!(columns("stances"), ["n", "target", "stance", "reason", "mentions", "p_favor", "p_against"]);
    let of_comment = "SELECT group_concat(target || ':' || ifnull(stance, reason) || ':' || mentions || ':' || p_against, ' ') \
                      FROM comments JOIN stances USING (n) WHERE id = 'a' ORDER BY target";
    let found: String = db.query_row(of_comment, [], |row| row.get(0)).unwrap();
    assert_eq!(found, "bridge:against:2:0.9 ferry:too uncertain:0:0.5");
}

/// Thread, title, toxicity, why it is unscored, text.
type Joined = (String, Option<String>, Option<f64>, Option<String>, String);

#[test]
fn a_database_joins_comments_scores_and_stories() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("out.db");
    let mut writer = Sqlite::of_scores(&path, shape()).unwrap();
    let mut no_thread = scored("", "a", None);
    no_thread.thread_id = None;
    for record in [scored("t", "a", None), unscored("t", "a"), scored("u", "a", None), no_thread] {
        ScoreWriter::write(&mut writer, &record).unwrap();
    }
    let story = StoryRecord { thread_id: Some("t".into()), title: Some("Bridge".into()), url: None };
    ScoreWriter::story(&mut writer, &story).unwrap();
    ScoreWriter::story(&mut writer, &StoryRecord { title: None, ..story }).unwrap();
    ScoreWriter::finish(&mut writer).unwrap();

    let db = Connection::open(&path).unwrap();
    let mut select = db
        .prepare(
            "SELECT c.thread_id, title, toxicity, unscored, c.text FROM comments c JOIN scores s USING (n) \
             JOIN stories USING (thread_id) WHERE c.id = 'a' ORDER BY n",
        )
        .unwrap();
    let rows: Vec<Joined> = select
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let text = "Typical of this mayor.".to_owned();
    assert_eq!(
        rows,
        [
            ("t".into(), Some("Bridge".into()), Some(0.123_457), None, text.clone()),
            ("t".into(), Some("Bridge".into()), None, Some("language".into()), text.clone()),
            ("u".into(), None, Some(0.123_457), None, text.clone()),
            (String::new(), None, Some(0.123_457), None, text),
        ]
    );
    let about =
        |key: &str| -> String { db.query_row("SELECT value FROM polemic WHERE key = ?", [key], |r| r.get(0)).unwrap() };
    assert_eq!((about("schema"), about("model")), ("1".into(), "news-en@0.1.0".into()));
    let plan: String = db
        .query_row("EXPLAIN QUERY PLAN SELECT * FROM comments WHERE thread_id = 't' AND parent_id = 'a'", [], |r| {
            r.get(3)
        })
        .unwrap();
    assert!(plan.contains("comments_parent"), "{plan}");
}

#[test]
fn lists_in_a_database_are_json() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("out.db");
    write("sqlite", &path, &harbour());
    let db = Connection::open(&path).unwrap();
    let links: i64 = db
        .query_row("SELECT COUNT(*) FROM comments, json_each(links) WHERE comments.id = 'k1'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(links, 2);
}

#[test]
fn what_was_interrupted_has_no_name() {
    for format in ["sqlite", "convokit"] {
        let dir = tempdir().unwrap();
        let path = dir.path().join("out");
        // Left behind by a run that was killed.
        std::mem::forget(writer(format, &path));
        assert!(!path.exists() && dir.path().join("out.partial").exists(), "{format}");
        // Given up because of an error elsewhere.
        let mut given_up = writer(format, &path);
        harbour().iter().for_each(|record| given_up.write(record).unwrap());
        drop(given_up);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{format}");
        write(format, &path, &harbour());
        let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["out"], "{format}");
    }
}

#[test]
fn nothing_is_written_over_a_corpus_or_after_the_end() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("corpus");
    fs::create_dir(&folder).unwrap();
    write("convokit", &folder, &harbour());
    let error = ConvoKit::of_comments(&folder).err().unwrap().to_string();
    assert!(error.contains("corpus") && error.contains("empty folder"), "{error}");
    assert!(Sqlite::of_comments(&folder).err().unwrap().to_string().contains("folder"));
    let missing = Sqlite::of_comments(&dir.path().join("no/such/place.db")).err().unwrap().to_string();
    assert!(missing.contains("place.db"), "{missing}");
    let mut db = writer("sqlite", &dir.path().join("out.db"));
    db.finish().unwrap();
    assert!(db.write(&harbour()[0]).unwrap_err().to_string().contains("finished"));
}

/// A disk with room for so many bytes.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_reported_with_the_name() {
    for room in [0, 1000] {
        for format in ["jsonl", "csv", "parquet"] {
            let output = Output { name: "E:/stick/out".into(), to: Box::new(Disk(room)) };
            let written = match format {
                "jsonl" => write_many(&mut Jsonl::new(output)),
                "csv" => Csv::of_comments(output).and_then(|mut csv| write_many(&mut csv)),
                _ => Parquet::of_comments(output).and_then(|mut parquet| write_many(&mut parquet)),
            };
            let error = written.unwrap_err().to_string();
            assert!(error.contains("E:/stick/out") && error.contains("no space left"), "{format}: {error}");
        }
    }
}

fn write_many(writer: &mut dyn CommentWriter) -> polemic::error::Result<()> {
    (0..3000).try_for_each(|i| writer.write(&comment("t", &i.to_string(), None, &format!("Text {i}"))))?;
    writer.finish()
}

/// Texts that could break a format: line ends, quotes, NUL, characters that some take for line ends, formulas, markers
/// of `ConvoKit`.
fn hostile() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a",
        " ",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\"",
        "\"\"",
        "'",
        ",",
        ";",
        "\0",
        "\u{1}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{fffd}",
        "\u{10ffff}",
        "👩🏽‍🚒",
        "ä",
        "=1+1",
        "@x",
        "-",
        "\\",
        "\\u0000",
        "\\N",
        "NULL",
        "null",
        "[",
        "]",
        "{",
        "[\"a\"]",
        "<##bin{0&&@**>",
        "]]>",
        "--",
        "🇩",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..8).prop_map(|parts| parts.concat())
}

/// A thread id and comments with distinct ids, each of which may answer an earlier one. Texts start with a letter: none
/// is blank.
fn threads() -> impl Strategy<Value = Vec<CommentRecord>> {
    let fields = (
        hostile(),
        hostile(),
        prop::option::of(hostile()),
        prop::collection::vec(hostile(), 0..3),
        any::<prop::sample::Index>(),
        0..4usize,
    );
    prop::collection::vec(fields, 1..6).prop_map(|rows| {
        let mut records: Vec<CommentRecord> = Vec::new();
        for (i, (id, text, author, links, parent, status)) in rows.into_iter().enumerate() {
            let parent = (i > 0).then(|| parent.index(i + 1)).filter(|p| *p < i).map(|p| records[p].clone());
            let text = format!("t{text}");
            records.push(CommentRecord {
                id: format!("{id}#{i}"),
                thread_id: Some("t\"1".into()),
                parent_id: parent.as_ref().map(|p| p.id.clone()),
                depth: parent.as_ref().map_or(0, |p| p.depth + 1),
                author: author.filter(|author| !author.trim().is_empty()),
                quotes: vec![text.clone()],
                text: Some(text),
                links,
                status: Status::ALL[status],
                title: Some("H\"1\n2".into()),
                ..CommentRecord::default()
            });
        }
        records.sort_by_key(|record| record.id.clone());
        records
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_texts_read_back_as_they_were_written(records in threads()) {
        for format in FORMATS {
            let dir = tempdir().unwrap();
            let path = dir.path().join(format!("out.{format}"));
            write(format, &path, &records);
            let mut expected = records.clone();
            if format == "csv" {
                expected.iter_mut().for_each(without_nul);
            }
            let mut read = read_back(&path);
            read.sort_by_key(|record| record.id.clone());
            expected.sort_by_key(|record| record.id.clone());
            prop_assert_eq!(read, expected, "{}", format);
        }
    }
}

/// As CSV has it: a NUL would make a binary file of the table.
fn without_nul(record: &mut CommentRecord) {
    let CommentRecord { id, parent_id, author, text, quotes, links, .. } = record;
    let optional = [parent_id, author, text].into_iter().flatten();
    optional.chain([id]).chain(quotes).chain(links).for_each(|said| *said = said.replace('\0', "\u{fffd}"));
}
