//! Tells an article's headline and paragraphs from the furniture that stands around them.

use std::collections::HashMap;

use crate::read::page::lines::{self, Line};
use crate::thread::Story;

/// Headlines longer than this many words were never seen; what is longer is text.
const LONGEST_HEADLINE: usize = 30;
/// By how much a later line must beat an earlier one: headlines stand above links to other headlines.
const MARGIN: i32 = 2;
/// Lines above the article that are looked at for the headline.
const LINES_ABOVE: usize = 400;

/// Reads the story off the lines above a thread, or off a whole page that has none.
pub fn read(lines: &[Line]) -> Story {
    let lines = &lines[..end_of_article(lines)];
    let first_prose = lines.iter().position(|line| lines::is_prose(&line.text));
    let headline = headline(lines, first_prose.unwrap_or(lines.len()));
    let title = headline.and_then(|at| lines.get(at)).map(|line| line.text.clone().into_owned());
    let body = body(lines, headline.map_or(0, |at| at + 1), title.as_deref());
    Story { title, url: None, body: (!body.is_empty()).then_some(body) }
}

/// The line where what is not the article begins: the first closing line behind the first paragraphs.
fn end_of_article(lines: &[Line]) -> usize {
    let Some(first) = lines.iter().position(|line| lines::is_prose(&line.text)) else { return lines.len() };
    // Sharing links stand above the article as well, so a closing line counts only behind running text.
    let closing = lines.iter().skip(first).position(|line| lines::ends_content(&line.text));
    closing.map_or(lines.len(), |at| first + at)
}

/// The line that looks most like a headline among those above the first paragraph; the first one in doubt.
fn headline(lines: &[Line], first_prose: usize) -> Option<usize> {
    let above = &lines[..first_prose.min(lines.len()).min(LINES_ABOVE)];
    let keys: Vec<String> = above.iter().map(|line| lines::key(&line.text)).collect();
    let mut best: Option<(i32, usize)> = None;
    for (at, line) in above.iter().enumerate().filter(|(_, line)| !line.is_blank()) {
        let dense = |other: Option<usize>| other.and_then(|o| lines.get(o)).is_some_and(|line| !line.is_blank());
        let mut score = headline_score(&line.text);
        // Menus are dense; a headline stands alone.
        score -= i32::from(dense(at.checked_sub(1))) + i32::from(dense(Some(at + 1)));
        // Pages repeat their headline: in the window title, the breadcrumbs, above and below a picture.
        if keys.iter().enumerate().any(|(other, key)| other != at && says_the_same(key, &keys[at])) {
            score += 3;
        }
        if score > 0 && best.is_none_or(|(top, _)| score >= top + MARGIN) {
            best = Some((score, at));
        }
    }
    best.map(|(_, at)| at)
}

/// True if one line is the other, or the other with a site's name behind it.
fn says_the_same(key: &str, headline: &str) -> bool {
    headline.contains(' ') && headline.len() >= 12 && key.starts_with(headline)
}

fn headline_score(text: &str) -> i32 {
    let all: Vec<&str> = text.split_whitespace().take(LONGEST_HEADLINE + 1).collect();
    let mut score = match all.len() {
        0 | 1 => return -9,
        2 | 3 => 0,
        4 => 2,
        5..=20 => 3,
        21..=LONGEST_HEADLINE => 1,
        _ => return -9,
    };
    let long: Vec<&&str> = all.iter().filter(|word| word.chars().count() > 3).collect();
    let capital = long.iter().filter(|word| word.starts_with(char::is_uppercase)).count();
    score += i32::from(capital * 3 >= long.len() * 2);
    let shouted = !text.chars().any(char::is_lowercase) && text.chars().any(char::is_uppercase);
    score -= 2 * i32::from(shouted);
    score -= i32::from(lines::ends_sentence(text) && !text.ends_with('?'));
    if is_site_furniture(text) || lines::is_date(text) || is_byline(text) || text.starts_with(['•', '*', '◦']) {
        score -= 6;
    }
    score
}

fn is_byline(text: &str) -> bool {
    let key = lines::key(text);
    [
        "by ",
        "posted by ",
        "posted on ",
        "published ",
        "updated ",
        "written by ",
        "von ",
        "par ",
        "photo ",
        "photograph ",
    ]
    .iter()
    .any(|opening| key.starts_with(opening))
}

/// True for lines that ask the reader for something, or lead elsewhere.
fn is_site_furniture(text: &str) -> bool {
    const PHRASES: [&str; 26] = [
        "sign up",
        "sign in",
        "log in",
        "newsletter",
        "subscribe",
        "donate",
        "cookie",
        "skip to",
        "click to",
        "click here",
        "follow us",
        "share this",
        "share on",
        "advertisement",
        "privacy policy",
        "terms of",
        "search for",
        "read more",
        "support us",
        "your inbox",
        "days left until",
        "main menu",
        "min read",
        "minutes read",
        "minute read",
        "all rights reserved",
    ];
    let key = lines::key(text);
    text.chars().count() <= 120 && PHRASES.iter().any(|phrase| key.contains(phrase))
}

/// The article's paragraphs from line `from` on, joined by blank lines.
fn body(lines: &[Line], from: usize, title: Option<&str>) -> String {
    let title = title.map(lines::key);
    let mut times: HashMap<&str, usize> = HashMap::new();
    for line in lines {
        *times.entry(line.text.as_ref()).or_default() += 1;
    }
    let last_prose = lines.iter().rposition(|line| lines::is_prose(&line.text)).unwrap_or(0);
    let belongs = |at: usize, text: &str| {
        if lines::is_prose(text) {
            return true;
        }
        let count = text.split_whitespace().count();
        let repeated = count <= 6 && times.get(text).is_some_and(|n| *n > 1);
        let furniture = repeated || is_site_furniture(text) || is_byline(text) || lines::is_date(text);
        // A heading between two paragraphs is the article's own; behind the last one it leads elsewhere.
        let placed = lines::ends_sentence(text) || count >= 8 || (at < last_prose && count >= 3);
        placed && !furniture && title.as_deref() != Some(lines::key(text).as_str())
    };

    let mut body = String::new();
    let mut after_blank = true;
    for (at, line) in lines.iter().enumerate().skip(from) {
        if line.is_blank() || !belongs(at, &line.text) {
            after_blank = true;
            continue;
        }
        if !body.is_empty() {
            body.push_str(if after_blank { "\n\n" } else { "\n" });
        }
        body.push_str(&line.text);
        after_blank = false;
    }
    body
}
