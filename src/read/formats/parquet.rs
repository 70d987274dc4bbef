//! Rows of Parquet files.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::LazyLock;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::file::metadata::ParquetMetaData;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::read::entry::Reader;
use crate::read::fields::Fields;
use crate::read::format::{Content, Format, Head, OpenTable, Opened};
use crate::read::rows::{BadRow, Comments, Options, Row, RowReader};

/// Parquet tables.
pub struct Parquet;

/// Rows decoded together, where they are short.
const BATCH_ROWS: usize = 1024;

/// Bytes decoded together, as far as the average row of a row group says it.
const BATCH_BYTES: i64 = 16 << 20;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn about(&self) -> &'static str {
        "Parquet table"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        head.is_parquet
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Comments::new(open_rows(input, options)?, options)))
    }

    fn table(&self) -> Option<OpenTable> {
        Some(open_rows)
    }
}

fn open_rows(input: Opened, options: &Options) -> Result<Box<dyn RowReader>> {
    match input.content {
        Content::Binary(file) => Ok(Box::new(ParquetRows::open(&input.name, file, options)?)),
        Content::Text(_) | Content::Folder(_) => {
            Err(Error::input(&input.name, "is no Parquet file: it does not start with PAR1"))
        }
    }
}

/// The rows of a file, read by the batch.
struct ParquetRows {
    batches: ParquetRecordBatchReader,
    ready: VecDeque<Map<String, Value>>,
    fields: Fields,
    /// Of the last row. The first row is on line 2 as in a table with a header.
    line: u64,
    max: usize,
    done: bool,
}

impl ParquetRows {
    /// Reads the columns' names and chooses among them. Binary columns are left out.
    fn open(name: &str, file: File, options: &Options) -> Result<Self> {
        let damaged = |what| Error::input(name, format!("is damaged or no Parquet file: {what}"));
        let file = contained(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(damaged)?;
        let readable = file.schema().fields().iter().enumerate().filter(|(_, field)| is_readable(field.data_type()));
        let (roots, columns): (Vec<usize>, Vec<String>) = readable.map(|(i, field)| (i, field.name().clone())).unzip();
        let fields = Fields::of_header(name, &columns, options)?;
        let mask = ProjectionMask::roots(file.parquet_schema(), roots);
        let rows = batch_rows(file.metadata());
        let batches = contained(|| file.with_projection(mask).with_batch_size(rows).build()).map_err(damaged)?;
        Ok(Self { batches, ready: VecDeque::new(), fields, line: 1, max: options.max_line, done: false })
    }
}

thread_local! {
    /// True while a panic of this thread is caught and told as an error.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics that are caught here from being printed; all others are, as before.
static QUIET: LazyLock<()> = LazyLock::new(|| {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        if !CONTAINED.get() {
            before(panic);
        }
    }));
});

/// Does `work` with the decoder, which panics on some kinds of damage where others are errors.
fn contained<T, E: ToString>(work: impl FnOnce() -> std::result::Result<T, E>) -> std::result::Result<T, String> {
    LazyLock::force(&QUIET);
    CONTAINED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(false);
    done.map_or_else(|_| Err("its parts contradict each other".to_owned()), |done| done.map_err(|e| e.to_string()))
}

/// Rows to decode together: fewer where they are long.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let longest = metadata.row_groups().iter().map(|group| group.total_byte_size() / group.num_rows().max(1)).max();
    let fitting = BATCH_BYTES / longest.unwrap_or(1).max(1);
    usize::try_from(fitting).unwrap_or(1).clamp(1, BATCH_ROWS)
}

impl RowReader for ParquetRows {
    fn next_row(&mut self) -> Option<std::result::Result<Row, BadRow>> {
        while self.ready.is_empty() && !self.done {
            match contained(|| self.batches.next().map(|batch| rows(&batch?)).transpose()).transpose() {
                Some(Ok(rows)) => self.ready = rows,
                Some(Err(error)) => {
                    self.done = true;
                    let what = format!("the file is damaged, or packed in a way that is not read here: {error}");
                    return Some(Err(BadRow::broken(self.line + 1, "", &what)));
                }
                None => self.done = true,
            }
        }
        let fields = self.ready.pop_front()?;
        self.line += 1;
        let raw = serde_json::to_string(&fields).unwrap_or_default();
        Some(if raw.len() > self.max {
            Err(BadRow::too_long(self.line, &raw, self.max))
        } else {
            Ok(Row { line: self.line, fields, raw })
        })
    }

    fn header(&self) -> Option<&Fields> {
        Some(&self.fields)
    }
}

/// The rows of a batch. A null is no field.
fn rows(batch: &RecordBatch) -> std::result::Result<VecDeque<Map<String, Value>>, ArrowError> {
    let columns: Vec<ArrayRef> = batch.columns().iter().map(plain).collect::<std::result::Result<_, _>>()?;
    let schema = batch.schema();
    let names = || schema.fields().iter().map(|field| field.name());
    (0..batch.num_rows()).map(|i| object(names().map(String::as_str).zip(&columns), i)).collect()
}

/// A dictionary's values in place of their numbers.
fn plain(column: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Dictionary(_, value) => cast(column, value),
        _ => Ok(column.clone()),
    }
}

fn object<'a>(
    columns: impl Iterator<Item = (&'a str, &'a ArrayRef)>,
    i: usize,
) -> std::result::Result<Map<String, Value>, ArrowError> {
    let cells = columns.map(|(name, column)| Ok((name.to_owned(), value(column, i)?)));
    cells.filter(|cell| !matches!(cell, Ok((_, Value::Null)))).collect()
}

/// True for what can be said in JSON.
fn is_readable(kind: &DataType) -> bool {
    match kind {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => false,
        DataType::List(of) | DataType::LargeList(of) | DataType::FixedSizeList(of, _) => is_readable(of.data_type()),
        DataType::Dictionary(_, of) => is_readable(of),
        _ => true,
    }
}

/// Cell `i` as JSON; null for what cannot be said in it.
fn value(column: &ArrayRef, i: usize) -> std::result::Result<Value, ArrowError> {
    if column.is_null(i) {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(i).into(),
        DataType::LargeUtf8 => column.as_string::<i64>().value(i).into(),
        DataType::Utf8View => column.as_string_view().value(i).into(),
        DataType::Boolean => column.as_boolean().value(i).into(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(i).into(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(i).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(i).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(i).into(),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(i).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(i).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(i).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(i).into(),
        DataType::Float16 => f64::from(column.as_primitive::<Float16Type>().value(i)).into(),
        DataType::Float32 => f64::from(column.as_primitive::<Float32Type>().value(i)).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(i).into(),
        DataType::Timestamp(unit, zone) => timestamp(column, i, *unit, zone.is_some()),
        DataType::Date32 => days(column.as_primitive::<Date32Type>().value(i).into()),
        DataType::Date64 => days(column.as_primitive::<Date64Type>().value(i).div_euclid(86_400_000)),
        DataType::List(_) => list(&column.as_list::<i32>().value(i))?,
        DataType::LargeList(_) => list(&column.as_list::<i64>().value(i))?,
        DataType::FixedSizeList(..) => list(&column.as_fixed_size_list().value(i))?,
        DataType::Struct(_) => structure(column.as_struct(), i)?,
        DataType::Map(..) => {
            let entries = column.as_map().value(i);
            (0..entries.len()).map(|at| structure(&entries, at)).collect::<std::result::Result<_, _>>()?
        }
        DataType::Dictionary(..) => value(&plain(&column.slice(i, 1))?, 0)?,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => Value::Null,
        // Decimals, times of day, durations.
        _ => ArrayFormatter::try_new(column, &FormatOptions::default())?.value(i).try_to_string()?.into(),
    })
}

fn list(items: &ArrayRef) -> std::result::Result<Value, ArrowError> {
    let items = plain(items)?;
    (0..items.len()).map(|i| value(&items, i)).collect()
}

fn structure(fields: &StructArray, i: usize) -> std::result::Result<Value, ArrowError> {
    object(fields.column_names().into_iter().zip(fields.columns()), i).map(Value::Object)
}

/// RFC 3339: in UTC if the column is adjusted to it, else without an offset.
fn timestamp(column: &ArrayRef, i: usize, unit: TimeUnit, is_utc: bool) -> Value {
    let instant = match unit {
        TimeUnit::Second => Timestamp::from_second(column.as_primitive::<TimestampSecondType>().value(i)),
        TimeUnit::Millisecond => {
            Timestamp::from_millisecond(column.as_primitive::<TimestampMillisecondType>().value(i))
        }
        TimeUnit::Microsecond => {
            Timestamp::from_microsecond(column.as_primitive::<TimestampMicrosecondType>().value(i))
        }
        TimeUnit::Nanosecond => {
            Timestamp::from_nanosecond(column.as_primitive::<TimestampNanosecondType>().value(i).into())
        }
    };
    instant.map_or(Value::Null, |instant| {
        if is_utc { instant.to_string() } else { TimeZone::UTC.to_datetime(instant).to_string() }.into()
    })
}

/// The date so many days after 1970 began.
fn days(days: i64) -> Value {
    let instant = days.checked_mul(86_400).and_then(|seconds| Timestamp::from_second(seconds).ok());
    instant.map_or(Value::Null, |instant| TimeZone::UTC.to_datetime(instant).date().to_string().into())
}
