//! Saved HTML pages with the comments under a story.

mod disqus;
mod generic;
mod outline;
mod page;
mod parts;
mod story;
mod wordpress;
mod wpdiscuz;

use crate::error::{Error, Result};
use crate::read::entry::{Entry, Reader, StoryRow, Whole};
use crate::read::format::{Format, Head, Opened};
use crate::read::rows::Options;
use outline::Root;
use page::Page;

/// A saved page of a browser.
pub struct Html;

/// How each kind of thread is found. The first that finds comments reads the page, so those that are surer stand first.
const FAMILIES: [fn(&Page) -> Vec<Root>; 4] = [wpdiscuz::roots, wordpress::roots, disqus::roots, generic::roots];

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn about(&self) -> &'static str {
        "saved web page (HTML) with comments: WordPress, wpDiscuz, Disqus, Drupal and others"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        opens_html(head.text)
            || (matches!(head.extension().as_str(), "html" | "htm" | "xhtml") && head.text.contains('<'))
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        let whole = input.page(options)?;
        let Some(page) = Page::read(&whole.text) else {
            let what = "a page of more than 8 million elements, which no thread has: save the thread alone";
            return Err(Error::input(&whole.name, what));
        };
        let (entries, states_parents) = entries(&page, whole.file);
        Ok(Box::new(Whole { entries: entries.into_iter(), states_parents }))
    }
}

/// What a page states, and whether its markup says who answers whom.
fn entries(page: &Page, file: Option<String>) -> (Vec<Entry>, bool) {
    let story = story::story(page);
    let thread_id = story.url.clone().or(file);
    let mut entries = vec![Entry::Story(StoryRow { thread_id: thread_id.clone(), story })];
    let mut comments = FAMILIES.iter().map(|roots| outline::entries(page, roots(page), thread_id.as_deref()));
    let (comments, states_parents) = comments.find(|(comments, _)| !comments.is_empty()).unwrap_or_default();
    entries.extend(comments);
    let found = entries.len() as u64 - 1;
    let announced = wpdiscuz::announced(page).or_else(|| story::announced(page));
    // A page without any comment may have them loaded by a script: the number is then no news about a thread that was
    // read.
    if let Some(missing) = announced.and_then(|announced| announced.checked_sub(found)).filter(|&n| n > 0 && found > 0)
    {
        entries.push(Entry::Missing(missing));
    }
    (entries, states_parents)
}

/// What pages and pieces of them begin with.
const TAGS: [&str; 18] = [
    "<!doctype html",
    "<html",
    "<head",
    "<body",
    "<meta",
    "<title",
    "<link",
    "<script",
    "<style",
    "<div",
    "<section",
    "<article",
    "<main",
    "<ol",
    "<ul",
    "<p",
    "<h1",
    "<table",
];

/// True for text that begins as an HTML page or a piece of one, also behind comments.
fn opens_html(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("<!--") {
            let Some((_, behind)) = comment.split_once("-->") else { return false };
            rest = behind;
        } else if let Some(declaration) = rest.strip_prefix("<?xml") {
            let Some((_, behind)) = declaration.split_once("?>") else { return false };
            rest = behind;
        } else {
            break;
        }
    }
    let starts = |tag: &str| {
        rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
            && rest.get(tag.len()..).is_some_and(|behind| behind.starts_with(|c: char| !c.is_ascii_alphanumeric()))
    };
    TAGS.into_iter().any(starts)
}
