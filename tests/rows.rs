//! Reads hostile and ordinary inputs as a user would give them, from bytes to rows and comments.

use std::io::{BufRead, Cursor, Read, Write};

use polemic::error::{ErrorKind, Result};
use polemic::read;
use polemic::read::bytes::Source;
use polemic::read::entry::CommentRow;
use polemic::read::fields::{Fields, comment};
use polemic::read::format::{self, Content, Opened};
use polemic::read::rows::{BadRow, Options, Row, RowReader};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn opened(name: &str, input: impl Read + Send + 'static) -> Result<Opened> {
    Opened::from_reader(name, Box::new(input), &Options::default())
}

fn source(name: &str, bytes: &[u8]) -> Result<Source> {
    match opened(name, Cursor::new(bytes.to_vec()))?.content {
        Content::Text(source) => Ok(source),
        Content::Binary(_) | Content::Folder(_) => panic!("{name} is no text"),
    }
}

fn open_with(name: &str, bytes: &[u8], options: &Options) -> Result<Box<dyn RowReader>> {
    let input = opened(name, Cursor::new(bytes.to_vec()))?;
    let open = format::find_table(&input, options)?;
    open(input, options)
}

/// The name of the format that an input is read in.
fn format_of(name: &str, text: &str) -> &'static str {
    let input = opened(name, Cursor::new(text.as_bytes().to_vec())).unwrap();
    format::find(&input, &Options::default()).unwrap().name()
}

fn read_with(name: &str, bytes: &[u8], options: &Options) -> (Vec<Row>, Vec<BadRow>) {
    let mut reader = open_with(name, bytes, options).unwrap();
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    while let Some(row) = reader.next_row() {
        assert!(!bad.last().is_some_and(|b: &BadRow| b.fatal), "a row after a fatal one");
        row.map_or_else(|b| bad.push(b), |r| rows.push(r));
    }
    assert!(reader.next_row().is_none());
    (rows, bad)
}

fn read(name: &str, bytes: &[u8]) -> (Vec<Row>, Vec<BadRow>) {
    read_with(name, bytes, &Options::default())
}

fn texts(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.fields["text"].as_str().unwrap()).collect()
}

fn refusal(name: &str, bytes: &[u8], options: &Options) -> String {
    match open_with(name, bytes, options) {
        Ok(_) => panic!("{name} was accepted"),
        Err(error) => error.to_string(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Lines that hardly compress, so that cutting the archive cuts the text.
fn noisy_lines(n: u64) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state
    };
    (0..n)
        .map(|i| format!("{{\"id\":{i},\"text\":\"{:x}{:x}{:x}\"}}\n", next(), next(), next()))
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn compressed_input_of_several_members_reads_as_one() {
    let (a, b) = ("{\"text\":\"a\"}\n", "{\"text\":\"b\"}\n");
    for pack in [gzip, zstd, bzip2, xz] {
        let bytes = [pack(a.as_bytes()), pack(b.as_bytes())].concat();
        let (rows, bad) = read("c", &bytes);
        assert_eq!((texts(&rows), bad.len()), (vec!["a", "b"], 0));
    }
}

#[test]
fn a_wide_zstd_window_is_accepted() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.write_all(b"{\"text\":\"a\"}\n").unwrap();
    let (rows, bad) = read("c", &encoder.finish().unwrap());
    assert_eq!((texts(&rows), bad.len()), (vec!["a"], 0));
}

#[test]
fn a_truncated_archive_gives_its_rows_and_then_says_where_it_ends() {
    let text = noisy_lines(20_000);
    let csv: Vec<String> = text.lines().map(|line| line[20..50].replace('"', "")).collect();
    let csv = format!("id,text\n1,{}\n", csv.join("\n1,"));
    for (pack, kind) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstd, "zstd")] {
        for content in [&text, &csv] {
            let mut bytes = pack(content.as_bytes());
            bytes.truncate(bytes.len() / 2);
            let (rows, bad) = read("c", &bytes);
            assert!(rows.len() > 5000, "{} rows", rows.len());
            let [bad] = bad.as_slice() else { panic!("{bad:?}") };
            assert!(bad.fatal && bad.what.contains(kind) && bad.what.contains("cut off after"), "{}", bad.what);
            let header = u64::from(content.starts_with("id"));
            assert_eq!(bad.line, rows.len() as u64 + 1 + header);
        }
    }
}

#[test]
fn a_damaged_archive_is_called_damaged() {
    let mut bytes = gzip(noisy_lines(5000).as_bytes());
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    let (_, bad) = read("c", &bytes);
    let last = bad.last().unwrap();
    assert!(last.fatal && last.what.contains("damaged"), "{}", last.what);
}

#[test]
fn an_archive_cut_in_its_header_is_refused_at_once() {
    let message = refusal("c.gz", &gzip(b"{}")[..5], &Options::default());
    assert!(message.starts_with("c.gz: ") && message.contains("cut off after 0"), "{message}");
}

#[test]
fn utf16_and_byte_order_marks() {
    let text = "{\"text\":\"Grüße 😀\"}\r\n{\"text\":\"b\"}";
    let utf16 = |unit: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        "\u{feff}".repeat(usize::from(mark)).encode_utf16().chain(text.encode_utf16()).flat_map(unit).collect()
    };
    for bytes in [
        text.as_bytes().to_vec(),
        format!("\u{feff}{text}").into_bytes(),
        utf16(u16::to_le_bytes, true),
        utf16(u16::to_be_bytes, true),
        utf16(u16::to_le_bytes, false),
        gzip(&utf16(u16::to_le_bytes, true)),
    ] {
        let (rows, bad) = read("c", &bytes);
        assert_eq!((texts(&rows), bad.len()), (vec!["Grüße 😀", "b"], 0));
        assert_eq!(rows[0].raw, "{\"text\":\"Grüße 😀\"}");
    }
}

#[test]
fn a_windows_1252_table_keeps_its_umlauts() {
    let table = "Nr;author;text\r\n1;J\u{f6}rg;Sch\u{f6}ne Gr\u{fc}\u{df}e aus M\u{fc}nchen \u{2013} 5 \u{20ac}\r\n";
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(table);
    let (rows, bad) = read("kommentare.csv", &bytes);
    assert_eq!((texts(&rows), bad.len()), (vec!["Schöne Grüße aus München – 5 €"], 0));
    assert_eq!((rows[0].fields["author"].as_str(), rows[0].line), (Some("Jörg"), 2));
}

#[test]
fn empty_input_is_refused() {
    for bytes in [b"".as_slice(), b"\xef\xbb\xbf", &gzip(b""), &zstd(b""), b"\r\n\r\n"] {
        assert!(refusal("a.csv", bytes, &Options::default()).contains("nothing to read"));
    }
}

#[test]
fn binary_content_is_named_with_a_remedy() {
    for (bytes, name) in [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), "PNG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"\x7fELF\x02\x01", "ELF"),
        (b"text,\0\x01\x02\x03abc", "NUL byte at offset 5"),
        (b"\xff\xfe\0\0t\0\0\0", "UTF-32"),
    ] {
        for bytes in [bytes.to_vec(), gzip(bytes)] {
            let message = source("a.csv", &bytes).err().unwrap().to_string();
            assert!(message.starts_with("a.csv: looks like ") && message.contains(name), "{message}");
        }
    }
    let twice = source("a.gz", &gzip(&gzip(b"a"))).err().unwrap().to_string();
    assert!(twice.contains("gzip inside"), "{twice}");
}

#[test]
fn files_are_opened_by_path_and_errors_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    std::fs::write(&file, "{\"text\":\"a\"}").unwrap();
    assert!(read::open(Some(&file), &Options::default()).unwrap().reader.next_entry().unwrap().is_ok());
    let error = read::open(Some(folder.path()), &Options::default()).err().unwrap();
    assert!(error.to_string().contains("no ConvoKit corpus"), "{error}");
    let absent = folder.path().join("absent");
    let error = read::open(Some(&absent), &Options::default()).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Io { .. }));
    assert!(error.to_string().starts_with(&absent.display().to_string()), "{error}");
}

#[test]
fn the_head_is_seen_without_being_consumed() {
    let text = noisy_lines(3000);
    let source = source("a", text.as_bytes()).unwrap();
    assert!(source.head().len() >= 64 * 1024 && text.starts_with(source.head()));
    assert!(source.into_reader().lines().map(|line| line.unwrap() + "\n").eq(text.split_inclusive('\n')));
}

#[test]
fn bad_lines_are_counted_explained_and_passed() {
    let deep = format!("{{\"text\":{}", "[".repeat(100_000));
    let lines: [(&str, &str); 9] = [
        ("{\"text\":\"a\", \"score\": NaN}", "column 23: NaN is no JSON number"),
        ("{\"text\":\"é\", \"score\": -Infinity}", "column 24: Infinity is no"),
        ("{\"text\":\"a\", \"b\": Infinity, \"c\": 1}", "column 19: Infinity is no"),
        ("[1, 2]", "a list stands where an object"),
        ("{\"text\":\"cut of", "column 15: the row ends inside"),
        ("{'text': 'a'}", "column 2: a single quote"),
        ("{\"text\": \"\\ud800 lone\"}", "half a surrogate pair"),
        ("{\"text\": \"a\"} trailing", "trailing characters"),
        (&deep, "nested deeper"),
    ];
    let mut input = "{\"text\": \"first\"}\r\n\r\n".to_owned();
    for (line, _) in lines {
        input += line;
        input += "\r\n";
    }
    input += "\u{feff}{\"text\": \"last\", \"text\": \"wins\"}";
    let (rows, bad) = read("a", input.as_bytes());
    assert_eq!(texts(&rows), ["first", "wins"]);
    assert_eq!((rows[0].line, rows[1].line), (1, 12));
    for (i, (bad, (line, what))) in bad.iter().zip(lines).enumerate() {
        assert!(bad.what.contains(what), "{line:.80}: {}", bad.what);
        assert_eq!((bad.line, bad.fatal, bad.raw.as_str()), (i as u64 + 3, false, line));
    }
    assert_eq!(bad.len(), lines.len());
}

#[test]
fn a_huge_line_is_refused_and_the_next_is_read() {
    let options = Options { max_line: 1024, ..Options::default() };
    let start = Cursor::new(b"{\"text\":\"a\"}\n{\"text\":\"".to_vec());
    let huge = std::io::repeat(b'x').take(1 << 30);
    let end = Cursor::new(b"\"}\n{\"text\":\"b\"}\n".to_vec());
    let input = opened("a", start.chain(huge).chain(end)).unwrap();
    let open = format::find_table(&input, &options).unwrap();
    let mut reader = open(input, &options).unwrap();
    assert_eq!(reader.next_row().unwrap().unwrap().line, 1);
    let bad = reader.next_row().unwrap().unwrap_err();
    assert!(bad.what.contains("longer than 1024 bytes") && bad.raw.len() < 1000 && !bad.fatal && bad.line == 2);
    assert_eq!(reader.next_row().unwrap().unwrap().line, 3);
    assert!(reader.next_row().is_none());
}

#[test]
fn the_limit_is_exact_and_counts_no_line_end() {
    let line = "{\"text\":\"0123456789\"}";
    for (max_line, expected) in [(line.len(), (2, 0)), (line.len() - 1, (0, 2))] {
        let options = Options { max_line, ..Options::default() };
        for input in [format!("{line}\n{line}"), format!("{line}\r\n{line}\r\n"), format!("[{line},{line}]")] {
            let (rows, bad) = read_with("a", input.as_bytes(), &options);
            assert_eq!((rows.len(), bad.len()), expected, "{input}");
            let last = rows.last().map_or_else(|| bad[1].line, |row| row.line);
            assert_eq!(last, if input.starts_with('[') { 1 } else { 2 }, "{input}");
        }
    }
}

#[test]
fn an_array_of_objects_is_read_element_by_element() {
    let input = "[\n {\"text\": \"a ]}\\\" {\"},\n {\"text\": \"b\",\n  \"n\": [1, {}]}\n , 5, {\"text\": NaN}, \"s\", {\"text\":\"c\"} ]\n";
    let (rows, bad) = read("a.json", input.as_bytes());
    assert_eq!(texts(&rows), ["a ]}\" {", "b", "c"]);
    assert_eq!(rows.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3, 5]);
    assert_eq!(rows[1].raw, "{\"text\": \"b\",\n  \"n\": [1, {}]}");
    let bad: Vec<_> = bad.iter().map(|b| (b.line, b.what.as_str(), b.fatal)).collect();
    assert!(matches!(bad[..], [(5, _, false), (5, nan, false), (5, _, false)] if nan.contains("NaN")), "{bad:?}");
}

#[test]
fn a_cut_off_array_is_fatal() {
    for input in ["[{\"text\":\"a\"},", "[{\"text\":\"a\"}, {\"text\":\"b"] {
        let (rows, bad) = read("a", input.as_bytes());
        assert_eq!((texts(&rows), bad.len()), (vec!["a"], 1));
        assert!(bad[0].fatal && bad[0].what.contains("ends"), "{}", bad[0].what);
    }
}

#[test]
fn an_array_element_nested_deep_does_no_harm() {
    let input = format!("[{{\"text\":{}{}}},{{\"text\":\"b\"}}]", "[".repeat(100_000), "]".repeat(100_000));
    let (rows, bad) = read("a", input.as_bytes());
    assert_eq!((texts(&rows), bad.len()), (vec!["b"], 1));
}

#[test]
fn objects_over_several_lines_are_read() {
    let (rows, bad) = read("a", b"{\n  \"text\": \"a\"\n}\n{\n  \"text\": \"b\"\n}\n");
    assert_eq!((texts(&rows), bad.len(), rows[1].line), (vec!["a", "b"], 0, 4));
}

#[test]
fn a_ragged_table_loses_only_its_ragged_rows() {
    let input =
        "\u{feff}id,Comment Text,text\r\n1,x,a\r\n\r\n2,\"y\r\nz\",b\r\n3,c\r\n4,x,\"d \"\"q\"\"\",extra\r\n5,,e";
    let (rows, bad) = read("a", input.as_bytes());
    assert_eq!(texts(&rows), ["a", "b", "e"]);
    assert_eq!(rows.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 4, 8]);
    assert_eq!((rows[1].fields["Comment Text"].as_str(), rows[1].raw.as_str()), (Some("y\r\nz"), "2,\"y\r\nz\",b"));
    assert!(!rows[2].fields.contains_key("Comment Text"));
    assert_eq!(
        bad.iter().map(|b| (b.line, b.raw.as_str())).collect::<Vec<_>>(),
        [(6, "3,c"), (7, "4,x,\"d \"\"q\"\"\",extra")]
    );
    assert!(bad[0].what.contains("2 cells, but the header has 3") && !bad[0].fatal);
}

#[test]
fn an_open_quote_is_reported_not_swallowed() {
    let (rows, bad) = read("a.csv", b"id,text\n1,a\n2,\"b\n3,c\n4,d\n");
    assert_eq!((texts(&rows), bad.len()), (vec!["a"], 1));
    assert!(bad[0].fatal && bad[0].line == 3 && bad[0].what.contains("never closed"));

    let options = Options { max_line: 1000, ..Options::default() };
    let long = format!("id,text\n1,a\n2,\"b\n{}", "3,c\n".repeat(100_000));
    let (_, bad) = read_with("a.csv", long.as_bytes(), &options);
    assert!(bad[0].fatal && bad[0].line == 3 && bad[0].what.contains("longer than 1000"), "{}", bad[0].what);
}

#[test]
fn a_table_without_a_text_column_is_refused_with_its_columns() {
    let table = b"nr;wer;was\n1;Ann;Hallo\n";
    let message = refusal("a.csv", table, &Options::default());
    assert!(message.contains("nr, wer, was") && message.contains("--text-column"), "{message}");
    let absent = Options { text: Some("wos".into()), ..Options::default() };
    let message = refusal("a.csv", table, &absent);
    assert!(message.contains("no column `wos`") && message.contains("nr, wer, was"), "{message}");

    let named = Options { text: Some("Was".into()), author: Some("wer".into()), ..Options::default() };
    let mut reader = open_with("a.csv", table, &named).unwrap();
    let fields = reader.header().unwrap().clone();
    let said = comment(&reader.next_row().unwrap().unwrap(), &fields).unwrap().stated.comment;
    assert_eq!((said.text.as_str(), said.author.as_deref()), ("Hallo", Some("Ann")));
}

#[test]
fn columns_of_one_name_lose_no_cells() {
    let (rows, _) = read("a.csv", b"text,text,,\na,b,c,d\n");
    assert_eq!(
        Value::from(rows[0].fields.clone()),
        json!({"text": "a", "text~2": "b", "column 3": "c", "column 4": "d"})
    );
}

#[test]
fn an_empty_cell_of_the_chosen_column_is_no_reason_to_take_another() {
    let mut reader = open_with("a.csv", b"text,body\n,other\n", &Options::default()).unwrap();
    let fields = reader.header().unwrap().clone();
    let reason = comment(&reader.next_row().unwrap().unwrap(), &fields).unwrap_err();
    assert!(reason.contains("`text` is missing or empty"), "{reason}");
}

#[test]
fn a_wordpress_export_becomes_comments() {
    let table = "comment_ID,comment_post_ID,comment_author,comment_date_gmt,comment_content,comment_parent\n\
                 7,3,Ann,2020-05-01 10:00:00,Hello,0\n8,3,Ben,2020-05-01 10:05:00,No,7\n";
    let mut reader = open_with("export", table.as_bytes(), &Options::default()).unwrap();
    let fields = reader.header().unwrap().clone();
    let comments: Vec<CommentRow> =
        std::iter::from_fn(|| reader.next_row()).map(|row| comment(&row.unwrap(), &fields).unwrap()).collect();
    assert_eq!((comments[0].stated.comment.id.as_str(), &comments[0].stated.parent_id), ("7", &None));
    assert_eq!(comments[1].stated.parent_id.as_deref(), Some("7"));
    assert_eq!(comments[1].stated.comment.created.as_deref(), Some("2020-05-01T10:05:00Z"));
}

#[test]
fn a_page_has_no_rows() {
    assert!(refusal("a", b"<html>", &Options::default()).contains("no labelled rows"));
}

#[test]
fn content_decides_before_the_name() {
    for (name, head, expected) in [
        ("a.txt", "\u{feff}\n {\"text\": \"a\"}\n", "jsonl"),
        ("a.csv", "{\"text\": \"a\"}\n", "jsonl"),
        ("a", "{\"text\": NaN}\n", "jsonl"),
        ("a", "{\"te\\\"xt\" : \"cut off", "jsonl"),
        ("a", "[\n  {\"text\": \"a\"},", "jsonl"),
        ("a.JSONL.gz", "oops\n{\"text\": 1}", "jsonl"),
        ("a", "{{template}}: text", "page-text"),
        ("a", "[deleted]\nReply\n", "page-text"),
        ("a", "{\"quoted\"} is how I start", "page-text"),
        ("a", "id,text\n1,a\n", "csv"),
        ("a", "id\ttext\n1\ta, b\n", "csv"),
        ("a", "id;text\n1;a, b\n", "csv"),
        ("a", "label,author\n1,Ann\n0,Ben\n", "csv"),
        ("a", "By Ann, date\nShe said, in short, no.\n", "page-text"),
        ("a", "Home, Text\nAn article about things\nby Ann\n", "page-text"),
        ("a.csv.zst", "words\nno delimiter\n", "csv"),
        ("a.csv", "Kommentar;Nummer\nja, nein;1\n", "csv"),
        ("a.tsv", "words\n", "csv"),
        ("a.html", "<!doctype html><title>a, text</title>", "html"),
    ] {
        assert_eq!(format_of(name, head), expected, "{name}: {head}");
    }
}

#[test]
fn the_delimiter_is_found() {
    for (name, table) in [
        ("a", "id,text\n1,a\n"),
        ("a", "id\ttext\n1\ta, b\n"),
        ("a", "id;text\n1;a, b\n"),
        ("a.csv", "id;text\nja, nein;1\n"),
        ("a.tsv", "id\ttext\n1\ta, b\n"),
    ] {
        let columns = open_with(name, table.as_bytes(), &Options::default()).unwrap().header().cloned().unwrap();
        assert_eq!((columns.id.as_deref(), columns.text.as_deref()), (Some("id"), Some("text")), "{table}");
    }
}

fn drain(name: &str, bytes: &[u8]) {
    for format in [None, Some("jsonl"), Some("csv")] {
        let options = Options { max_line: 300, format: format.map(str::to_owned), ..Options::default() };
        let Ok(mut reader) = open_with(name, bytes, &options) else { continue };
        let header = reader.header().cloned();
        while let Some(row) = reader.next_row() {
            let Ok(row) = row else { continue };
            let chosen = || Fields::choose(row.fields.keys().map(String::as_str), &options);
            let _ = comment(&row, &header.clone().unwrap_or_else(chosen));
        }
    }
}

/// Pieces that mean something to one of the readers, in any order.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ";",
            "\t",
            "\"",
            "\\",
            "\n",
            "\r\n",
            ":",
            "\"text\":",
            "\"a\"",
            "id,text\n",
            "NaN",
            "\u{feff}",
            "\\ud800",
            "{\"text\":\"a\"}",
            "\"created\":1e999",
            "\"quotes\":[[0,1],\"a\"]",
            "é",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in fragments(), cut in any::<prop::sample::Index>(), pack in 0..3) {
        let mut bytes = match pack { 0 => bytes, 1 => gzip(&bytes), _ => zstd(&bytes) };
        drain("a", &bytes);
        bytes.truncate(cut.index(bytes.len() + 1));
        drain("a.csv", &bytes);
    }

    #[test]
    fn json_rows_come_back_as_written(
        objects in prop::collection::vec(prop::collection::btree_map("[a-zA-Z_é\"\\\\]{1,8}", ".{0,40}|[\\x00-\\x1f]{1,3}", 1..5), 1..20),
        pretty in any::<bool>(),
    ) {
        let objects: Vec<Map<String, Value>> =
            objects.into_iter().map(|o| o.into_iter().map(|(k, v)| (k, Value::from(v))).collect()).collect();
        let lines: String = objects.iter().map(|o| serde_json::to_string(o).unwrap() + "\n").collect();
        let array = if pretty { serde_json::to_string_pretty(&objects) } else { serde_json::to_string(&objects) }.unwrap();
        for input in [lines.as_bytes(), array.as_bytes(), &gzip(lines.as_bytes())] {
            let (rows, bad) = read("a", input);
            prop_assert_eq!(bad.len(), 0);
            prop_assert_eq!(rows.into_iter().map(|r| r.fields).collect::<Vec<_>>(), objects.clone());
        }
    }

    #[test]
    fn tables_come_back_as_written(
        cells in prop::collection::vec(prop::array::uniform3("[^\\x00\u{feff}]{1,20}|[\",;\t\r\n a]{1,8}"), 1..20),
        delimiter in prop::sample::select(vec![b',', b';', b'\t']),
        crlf in any::<bool>(),
    ) {
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).terminator(end).from_writer(Vec::new());
        writer.write_record(["id", "author", "text"]).unwrap();
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let input = writer.into_inner().unwrap();
        let (rows, bad) = read("a.csv", &input);
        prop_assert_eq!(bad, vec![]);
        let back: Vec<[String; 3]> = rows
            .iter()
            .map(|r| ["id", "author", "text"].map(|name| r.fields[name].as_str().unwrap().to_owned()))
            .collect();
        prop_assert_eq!(back, cells);
        let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
        prop_assert!(lines.is_sorted() && lines[0] == 2);
    }
}
