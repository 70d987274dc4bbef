//! Parquet as others write it, and damaged.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, DictionaryArray, Float64Array, Int64Array, LargeStringArray, ListArray,
    RecordBatch, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray, TimestampSecondArray,
};
use arrow::datatypes::{DataType, Field, Int8Type, Int32Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use polemic::read;
use polemic::read::entry::Entry;
use polemic::read::rows::Options;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::writers::{comment, entries, harbour, write, writer};

/// A table of the types that pandas, Polars and Spark write.
fn table() -> RecordBatch {
    let texts: DictionaryArray<Int8Type> = ["Slow", "Slower", "Slow"].into_iter().collect();
    let number = Arc::new(Field::new("votes", DataType::Int64, true));
    let blob = Arc::new(Field::new("blob", DataType::Binary, true));
    let structure = StructArray::from(vec![
        (number, Arc::new(Int64Array::from(vec![Some(7), None, None])) as ArrayRef),
        (blob, Arc::new(BinaryArray::from_opt_vec(vec![Some(b"x"), None, None])) as ArrayRef),
    ]);
    let tags = vec![Some(vec![Some(1), None]), Some(vec![]), None];
    let created = TimestampMicrosecondArray::from(vec![Some(1_700_000_000_500_000), None, Some(-1_000_000)])
        .with_timezone("Europe/Oslo");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("comment_id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("parent_id", Arc::new(Float64Array::from(vec![None, Some(1.0), Some(f64::NAN)]))),
        ("text", Arc::new(texts)),
        ("author", Arc::new(LargeStringArray::from(vec![Some("Ole"), None, Some("Ana")]))),
        ("title", Arc::new(StringViewArray::from(vec!["Ferry, a title that is longer than a view"; 3]))),
        ("created_at", Arc::new(created)),
        ("seen", Arc::new(TimestampSecondArray::from(vec![1_700_000_000; 3]))),
        ("day", Arc::new(Date32Array::from(vec![19_000; 3]))),
        ("blob", Arc::new(BinaryArray::from_vec(vec![b"\x00"; 3]))),
        ("more", Arc::new(structure)),
        ("tags", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(tags))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

#[test]
fn tables_of_others_are_read() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("out.parquet");
    for packed in
        [Compression::SNAPPY, Compression::GZIP(GzipLevel::default()), Compression::LZ4_RAW, Compression::UNCOMPRESSED]
    {
        let properties = WriterProperties::builder().set_compression(packed).build();
        let mut writer =
            ArrowWriter::try_new(File::create(&path).unwrap(), table().schema(), Some(properties)).unwrap();
        writer.write(&table()).unwrap();
        writer.close().unwrap();

        let mut rows = read::open_rows(&path, &Options::default()).unwrap();
        let rows: Vec<Value> =
            std::iter::from_fn(|| rows.next_row()).map(|row| Value::Object(row.unwrap().fields)).collect();
        let first = json!({"comment_id": 1, "text": "Slow", "author": "Ole", 
            "created_at": "2023-11-14T22:13:20.5Z", "seen": "2023-11-14T22:13:20", "day": "2022-01-08",
            "title": "Ferry, a title that is longer than a view", "more": {"votes": 7}, "tags": [1, null]});
        assert_eq!(rows[0], first, "{packed}");
        assert_eq!((rows.len(), &rows[1]["tags"], rows[1].get("author")), (3, &json!([]), None));

        let mut input = read::open(Some(&path), &Options::default()).unwrap();
        let Some(Ok(Entry::Comment(_))) = input.reader.next_entry() else { panic!("a comment") };
        let Some(Ok(Entry::Comment(second))) = input.reader.next_entry() else { panic!("a comment") };
        assert_eq!((second.stated.comment.id.as_str(), second.stated.parent_id.as_deref()), ("2", Some("1")));
        assert!(input.reader.mapping().contains(&("created", "created_at".into())));
    }
}

#[test]
fn a_table_without_a_text_says_which_columns_it_has() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("out.parquet");
    let batch = RecordBatch::try_from_iter([("score", Arc::new(StringArray::from(vec!["a"])) as ArrayRef)]).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let error = read::open(Some(&path), &Options::default()).err().unwrap().to_string();
    assert!(error.contains("out.parquet") && error.contains("score") && error.contains("--text-column"), "{error}");
}

#[test]
fn a_row_that_is_too_long_is_left_out_and_the_next_is_read() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("out.parquet");
    write("parquet", &path, &[comment("t", "a", None, &"long ".repeat(1000)), comment("t", "b", None, "short")]);
    let mut rows = read::open_rows(&path, &Options { max_line: 1000, ..Options::default() }).unwrap();
    let bad = rows.next_row().unwrap().unwrap_err();
    assert!(bad.line == 2 && bad.raw.len() <= 200 && !bad.fatal, "{bad:?}");
    assert_eq!(rows.next_row().unwrap().unwrap().line, 3);
    assert!(rows.next_row().is_none());
}

#[test]
fn long_tables_are_written_in_row_groups() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("out.parquet");
    let mut writer = writer("parquet", &path);
    for i in 0..70_000u32 {
        writer.write(&comment("t", &i.to_string(), None, "Short")).unwrap();
    }
    writer.finish().unwrap();
    let file = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let groups = file.metadata().row_groups();
    assert_eq!(groups.iter().map(RowGroupMetaData::num_rows).collect::<Vec<_>>(), [65_536, 4_464]);
    assert_eq!(entries(&path).len(), 70_000);
}

#[test]
fn damaged_parquet_is_an_error_and_no_panic() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("out.parquet");
    write("parquet", &path, &harbour());
    let whole = fs::read(&path).unwrap();
    let read = |bytes: &[u8]| -> Result<usize, String> {
        fs::write(&path, bytes).unwrap();
        let mut input = read::open(Some(&path), &Options::default()).map_err(|e| e.to_string())?;
        let entries = std::iter::from_fn(|| input.reader.next_entry());
        entries.take(1000).try_fold(0, |n, entry| entry.map(|_| n + 1).map_err(|bad| bad.what))
    };
    assert_eq!(read(&whole), Ok(harbour().len()));
    for cut in (4..whole.len()).step_by(7) {
        let error = read(&whole[..cut]).unwrap_err();
        assert!(error.contains("out.parquet") && error.contains("damaged"), "{error}");
    }
    let mut refused = 0;
    for at in (4..whole.len()).step_by(9) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        refused += usize::from(read(&bytes).is_err());
    }
    assert!(refused > whole.len() / 36, "{refused} of {}", whole.len());
}
