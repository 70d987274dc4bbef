//! The formats, one file each. A new one is a file here and a line in [`FORMATS`].

mod commento;
mod convokit;
mod csv;
mod discourse;
mod disqus;
mod hackernews;
mod html;
mod iac;
mod isso;
pub(super) mod jsonl;
mod page_text;
mod parquet;
mod reddit;
mod reddit_listing;
mod remark42;
mod wxr;
mod youtube;

use crate::read::format::Format;

/// All formats. The first that recognises an input reads it, so those that recognise less stand above those that recognise more.
pub const FORMATS: &[&dyn Format] = &[
    &convokit::ConvoKit,
    &parquet::Parquet,
    &wxr::WxrFormat,
    &disqus::DisqusFormat,
    &reddit_listing::RedditListing,
    &reddit::Reddit,
    &hackernews::HackerNews,
    &youtube::YouTube,
    &discourse::Discourse,
    &remark42::Remark42,
    &commento::Commento,
    &isso::Isso,
    &iac::Iac,
    &jsonl::Jsonl,
    &html::Html,
    &csv::CsvFormat,
    &page_text::PageText,
];
