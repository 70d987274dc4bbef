//! The formats, one file each. A new one is a file here and a line in [`FORMATS`].

mod csv;
mod disqus;
mod jsonl;
mod page_text;
mod wxr;

use crate::read::format::Format;

/// All formats. The first that recognises an input reads it, so those that recognise less stand above those that recognise more.
pub const FORMATS: &[&dyn Format] = &[&wxr::WxrFormat, &disqus::DisqusFormat, &jsonl::Jsonl, &csv::CsvFormat, &page_text::PageText];
