//! The story of a page, and what it says of its comments as a whole.

use super::page::{Element, Page};
use crate::thread::Story;

/// The headline and address of the page.
pub(super) fn story(page: &Page) -> Story {
    let headline = || {
        let article = page.elements().find(|element| matches!(element.name(), "article" | "main"));
        let inside = article.and_then(|article| page.elements().find(|e| e.name() == "h1" && article.holds(e.at)));
        inside.map(text)
    };
    let title = || page.elements().find(|element| element.name() == "title").map(text);
    let canonical = || {
        let link = page
            .elements()
            .find(|element| element.name() == "link" && element.attribute("rel") == Some("canonical"))?;
        link.attribute("href").map(str::to_owned)
    };
    let is_address = |url: &String| url.starts_with("http://") || url.starts_with("https://");
    let filled = |said: &String| !said.is_empty();
    Story {
        title: meta(page, "og:title").or_else(|| headline().filter(filled)).or_else(title).filter(filled),
        url: canonical().filter(is_address).or_else(|| meta(page, "og:url").filter(is_address)),
        body: None,
    }
}

/// The number of comments that the heading above them states, if it is beyond doubt: `74 Comments`, `Kommentare (74)`.
///
/// A page of several that share a thread holds only some, and is no reason to miss the others.
pub(super) fn announced(page: &Page) -> Option<u64> {
    let is_divided = page.elements().any(|element| {
        let names_pages = element.has_word(&["navigation", "nav", "pagination", "pages"]);
        names_pages && element.joined_classes().any(|class| class.contains("comment"))
            || element.attribute("href").is_some_and(|href| href.contains("/comment-page-") || href.contains("cpage="))
    });
    if is_divided {
        return None;
    }
    let mut comments_to = 0;
    let heading = page.elements().find(|element| {
        if element.attribute("id") == Some("comments") {
            comments_to = comments_to.max(element.end());
        }
        let is_heading = matches!(element.name(), "h1" | "h2" | "h3" | "h4") && element.at < comments_to;
        is_heading || element.has_class("comments-title") || element.has_class("comment-title")
    });
    heading.and_then(|heading| stated(&text(heading)))
}

/// The number in a heading that says nothing else but what is counted.
fn stated(heading: &str) -> Option<u64> {
    let counted =
        |said: &str| said.split_whitespace().count() == 1 && said.chars().all(|c| c.is_alphabetic() || c == ':');
    let (before, rest) = heading.split_at(heading.find(|c: char| c.is_ascii_digit())?);
    let end = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, ',' | '.'))).unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(end);
    // `1,234` and `1.234` are whole numbers in headings.
    let number = digits.replace([',', '.'], "").parse().ok()?;
    let (before, behind) = (before.trim_end_matches(['(', '[']).trim(), behind.trim_start_matches([')', ']']).trim());
    ((before.is_empty() && counted(behind)) || (counted(before) && behind.is_empty())).then_some(number)
}

fn meta(page: &Page, name: &str) -> Option<String> {
    let says = |e: &Element| e.name() == "meta" && [e.attribute("property"), e.attribute("name")].contains(&Some(name));
    let content = page
        .elements()
        .filter(says)
        .find_map(|e| e.attribute("content").map(str::trim).filter(|said| !said.is_empty()));
    content.map(str::to_owned)
}

fn text(element: Element) -> String {
    element.text(|_| false).split_whitespace().collect::<Vec<_>>().join(" ")
}
