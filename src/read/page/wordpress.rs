//! Finds a `WordPress` comment thread in a page saved as text: a list of comments, replies as lists inside it.
//!
//! An article may hold a list of its own, so a list counts as a thread only where several signs agree (see [`Evidence`]).

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::read::page::Found;
use crate::read::page::lines::{self, Line};
use crate::read::page::signature;
use crate::thread::Comment;

/// What the signs must add up to.
const ENOUGH: i32 = 5;
/// How many numbers a list may skip where a comment was taken out of it.
const LARGEST_GAP: u32 = 20;
/// Non-blank lines above a list that may hold the thread's heading.
const HEADING_REACH: usize = 3;

/// How a list item is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Mark {
    Number(u32),
    Bullet(char),
}

impl Mark {
    /// The mark without its number: items of one list share it.
    fn kind(self) -> Self {
        match self {
            Self::Number(_) => Self::Number(0),
            bullet @ Self::Bullet(_) => bullet,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Number(_))
    }

    /// True if this mark may follow `last` in one list.
    fn follows(self, last: Self) -> bool {
        match (last, self) {
            (Self::Number(last), Self::Number(this)) => this > last && this - last <= LARGEST_GAP,
            (last, this) => last == this,
        }
    }

    /// True if this mark may stand first in a list of replies.
    fn opens_replies(self) -> bool {
        matches!(self, Self::Number(1) | Self::Bullet(_))
    }
}

/// One item of a list and the lines that are its own.
#[derive(Debug)]
struct Item<'a> {
    mark: Mark,
    indent: usize,
    parent: Option<usize>,
    /// The item's lines, `""` where a blank one stood.
    lines: Vec<&'a str>,
}

/// A list that may be a thread: the lines it covers and what it says.
struct List<'a> {
    lines: Range<usize>,
    items: Vec<Item<'a>>,
    comments: Vec<Comment>,
    /// Pingbacks, which a page counts as comments and which are none.
    pingbacks: usize,
    authored: bool,
}

/// The heading above a list.
struct Heading {
    line: usize,
    stated: Option<usize>,
}

/// Finds the thread among the lines of a page.
pub fn find(lines: &[Line]) -> Option<Found> {
    let marks: Vec<Option<(Mark, &str)>> = lines.iter().map(mark).collect();
    let prose_ahead = prose_ahead(lines);
    let mut best: Option<(i32, Found)> = None;
    let mut at = 0;
    while at < lines.len() {
        if marks[at].is_none() {
            at += 1;
            continue;
        }
        let run = run(lines, &marks, at);
        at = run.end.max(at + 1);
        if let Some((score, found)) = judge(lines, &marks, run, &prose_ahead)
            && best.as_ref().is_none_or(|(top, _)| score > *top)
        {
            best = Some((score, found));
        }
    }
    best.map(|(_, found)| found)
}

/// For every line: whether running text stands from it on, before the next line that closes the content.
fn prose_ahead(lines: &[Line]) -> Vec<bool> {
    let mut ahead = false;
    let mut found: Vec<bool> = lines
        .iter()
        .rev()
        .map(|line| {
            ahead = !lines::ends_content(&line.text) && (ahead || lines::is_prose(&line.text));
            ahead
        })
        .collect();
    found.reverse();
    found
}

/// Reads the marker off a line: `12.`, `12)`, `•`. Plain characters count only where the line is indented.
fn mark<'a>(line: &'a Line) -> Option<(Mark, &'a str)> {
    let text = line.text.as_ref();
    let first = text.chars().next()?;
    if first.is_ascii_digit() {
        // `1. November 2023 um 11:54 Uhr` is a date.
        if lines::is_date(text) {
            return None;
        }
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = text.get(..digits).filter(|digits| digits.len() <= 5)?.parse().ok()?;
        let rest = text.get(digits..)?.strip_prefix(['.', ')'])?;
        return opens_text(rest).map(|rest| (Mark::Number(number), rest));
    }
    let bullet =
        is_drawn_bullet(first) || (line.indent > 0 && matches!(first, '*' | '-' | '+' | 'o' | '#' | '@' | '–'));
    let rest = text.get(first.len_utf8()..)?;
    bullet.then(|| opens_text(rest)).flatten().map(|rest| (Mark::Bullet(first), rest))
}

/// What stands behind a marker, if white space or the end of the line divides them.
fn opens_text(rest: &str) -> Option<&str> {
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}

fn is_drawn_bullet(c: char) -> bool {
    matches!(c, '•' | '◦' | '▪' | '■' | '○' | '●' | '‣' | '∙' | '⁃')
}

/// The lines of the list that begins at `start`: until a line stands at its margin that is not its next item.
fn run(lines: &[Line], marks: &[Option<(Mark, &str)>], start: usize) -> Range<usize> {
    let Some((mut last, _)) = marks[start] else { return start..start };
    let mut margin = lines[start].indent;
    let mut end = start + 1;
    for at in start + 1..lines.len() {
        let line = &lines[at];
        if line.is_blank() {
            continue;
        }
        if lines::ends_content(&line.text) {
            break;
        }
        if line.indent <= margin {
            match marks[at] {
                Some((mark, _)) if mark.follows(last) && margin - line.indent <= 3 => {
                    // Numbers are often set flush right, so that `10.` begins further left than `9.`.
                    margin = line.indent;
                    last = mark;
                }
                _ if lines::is_control(&line.text) || lines::is_date(&line.text) => {}
                _ => break,
            }
        }
        end = at + 1;
    }
    start..end
}

/// The comments of a run of lines, if it is a thread, and how sure that is.
fn judge(
    lines: &[Line],
    marks: &[Option<(Mark, &str)>],
    run: Range<usize>,
    prose_ahead: &[bool],
) -> Option<(i32, Found)> {
    let heading = heading(lines, run.start);
    let list = list(lines, marks, run);
    let stated = heading.as_ref().and_then(|heading| heading.stated);
    let score = Evidence { lines, list: &list, heading: heading.as_ref(), prose_ahead }.sum();
    // Bulleted lists are what menus are made of: they need the thread's own words, not signs.
    let numbered = list.items.first().is_some_and(|item| item.mark.is_number());
    let sure = score >= ENOUGH && (numbered || heading.is_some() || list.authored);
    if !sure || stated == Some(0) || list.comments.is_empty() {
        return None;
    }
    let missing = stated.unwrap_or(0).saturating_sub(list.comments.len() + list.pingbacks);
    let flat = list.comments.iter().all(|comment| comment.parent.is_none());
    let start = heading.map_or(list.lines.start, |heading| heading.line);
    Some((score, Found { start, comments: list.comments, missing, flat }))
}

/// The heading of the thread close above its first item.
fn heading(lines: &[Line], start: usize) -> Option<Heading> {
    const BARE: [&str; 14] = [
        "comments",
        "responses",
        "replies",
        "reader comments",
        "discussion",
        "kommentare",
        "commentaires",
        "comentarios",
        "comentários",
        "commenti",
        "reacties",
        "komentarze",
        "комментарии",
        "user comments",
    ];
    let above = lines.get(..start)?.iter().enumerate().rev().filter(|(_, line)| !line.is_blank());
    // A menu's entry `• 80 Comments` leads to a thread and does not head it.
    above.take(HEADING_REACH).find_map(|(at, line)| {
        let stated = lines::comment_count(&line.text);
        let bare = line.text.len() <= 60 && BARE.contains(&lines::key(&line.text).as_str());
        ((stated.is_some() || bare) && mark(line).is_none()).then_some(Heading { line: at, stated })
    })
}

/// Reads the items of a run of lines and makes comments of them.
fn list<'a>(lines: &'a [Line], marks: &[Option<(Mark, &'a str)>], run: Range<usize>) -> List<'a> {
    let style = Style::of(lines, marks, &run);
    let mut items = items(lines, marks, run.clone(), &style);
    let signed = items.iter().filter(|item| signature::read(&item.lines).is_some()).count();
    let authored = signed > 0 && signed * 2 > items.len();
    if authored {
        items = fold_unsigned(items);
    }
    let (comments, pingbacks) = comments(&items);
    List { lines: run, items, comments, pingbacks, authored }
}

/// How the items of one list are set, so that a comment's own dashes and numbers are told from them.
struct Style {
    /// Items stand behind a blank line.
    spaced: bool,
    /// The marks in use at each column.
    at_column: HashMap<usize, Mark>,
}

impl Style {
    fn of(lines: &[Line], marks: &[Option<(Mark, &str)>], run: &Range<usize>) -> Self {
        let marked: Vec<usize> = run.clone().skip(1).filter(|at| marks[*at].is_some()).collect();
        let after_blank = marked.iter().filter(|at| lines[**at - 1].is_blank()).count();
        let spaced = after_blank * 3 >= marked.len() * 2;

        let mut counts: HashMap<(usize, Mark), usize> = HashMap::new();
        for at in marked.into_iter().filter(|at| !spaced || lines[*at - 1].is_blank()) {
            if let Some((mark, _)) = marks[at] {
                *counts.entry((lines[at].indent, mark.kind())).or_default() += 1;
            }
        }
        let drawn = counts.keys().any(|(_, mark)| matches!(mark, Mark::Bullet(c) if is_drawn_bullet(*c)));
        let mut best: HashMap<usize, (usize, Mark)> = HashMap::new();
        for ((column, mark), count) in counts {
            // Whoever prints `•` for replies does not print `-` as well.
            if drawn && matches!(mark, Mark::Bullet(c) if !is_drawn_bullet(c)) {
                continue;
            }
            let rank = (count, mark.is_number());
            if best.get(&column).is_none_or(|(top, other)| rank > (*top, other.is_number())) {
                best.insert(column, (count, mark));
            }
        }
        Self { spaced, at_column: best.into_iter().map(|(column, (_, mark))| (column, mark)).collect() }
    }

    fn allows(&self, line: &Line, after_blank: bool, mark: Mark) -> bool {
        (after_blank || !self.spaced) && self.at_column.get(&line.indent) == Some(&mark.kind())
    }
}

/// Splits a run of lines into items and finds what each one answers.
fn items<'a>(lines: &'a [Line], marks: &[Option<(Mark, &'a str)>], run: Range<usize>, style: &Style) -> Vec<Item<'a>> {
    let mut items: Vec<Item> = Vec::new();
    // The item that the line above belongs to, its parent, and so on to the root, outermost first.
    let mut open: Vec<usize> = Vec::new();
    // The newest item among the replies to an item (or, under `None`, among the roots).
    let mut newest: HashMap<Option<usize>, Mark> = HashMap::new();
    for at in run.clone() {
        let line = &lines[at];
        if line.is_blank() {
            if let Some(item) = open.last().and_then(|last| items.get_mut(*last)) {
                item.lines.push("");
            }
            continue;
        }
        if let Some((mark, rest)) = marks[at] {
            let is_first = at == run.start;
            let after_blank = is_first || lines[at - 1].is_blank();
            let depth = open.iter().take_while(|item| items[**item].indent < line.indent).count();
            let parent = depth.checked_sub(1).map(|above| open[above]);
            let fits = newest.get(&parent).map_or(is_first || mark.opens_replies(), |last| mark.follows(*last));
            if is_first || (style.allows(line, after_blank, mark) && fits) {
                open.truncate(depth);
                open.push(items.len());
                newest.insert(parent, mark);
                items.push(Item { mark, indent: line.indent, parent, lines: vec![rest] });
                continue;
            }
        }
        // Text belongs to the innermost item that it is indented under.
        let depth = open.iter().take_while(|item| items[**item].indent < line.indent).count();
        open.truncate(depth.max(1));
        if let Some(item) = open.last().and_then(|last| items.get_mut(*last)) {
            item.lines.push(&line.text);
        }
    }
    items
}

/// In a signed thread an item without a signature is a list inside a comment: gives its lines to the item above it.
fn fold_unsigned(items: Vec<Item>) -> Vec<Item> {
    let mut kept: Vec<Item> = Vec::with_capacity(items.len());
    let mut place: Vec<usize> = Vec::with_capacity(items.len());
    for mut item in items {
        item.parent = item.parent.and_then(|parent| place.get(parent).copied());
        let whole = signature::read(&item.lines).is_some() || is_pingback(&item.lines);
        match kept.last_mut() {
            Some(above) if !whole => {
                above.lines.push("");
                above.lines.append(&mut item.lines);
            }
            _ => kept.push(item),
        }
        place.push(kept.len() - 1);
    }
    kept
}

fn is_pingback(item: &[&str]) -> bool {
    let first = item.iter().find(|line| !line.is_empty());
    first.is_some_and(|line| {
        let key = lines::key(line.get(..40).unwrap_or(line));
        (key.starts_with("pingback") || key.starts_with("trackback")) && line.contains(':')
    })
}

/// Makes comments of items; pingbacks are left out, counted, and their replies become roots.
fn comments(items: &[Item]) -> (Vec<Comment>, usize) {
    let mut comments: Vec<Comment> = Vec::with_capacity(items.len());
    let mut place: Vec<Option<usize>> = Vec::with_capacity(items.len());
    let mut pingbacks = 0;
    for item in items {
        if is_pingback(&item.lines) {
            pingbacks += 1;
            place.push(None);
            continue;
        }
        let signed = signature::read(&item.lines);
        let text = text(item.lines.get(signed.as_ref().map_or(0, |signed| signed.lines)..).unwrap_or_default());
        let parent = item.parent.and_then(|parent| place.get(parent).copied().flatten());
        let depth = parent.and_then(|parent| comments.get(parent)).map_or(0, |parent| parent.depth + 1);
        let (author, created) = signed.map_or((None, None), |signed| (Some(signed.author), signed.created));
        place.push(Some(comments.len()));
        comments.push(Comment { parent, depth, author, created, text, ..Comment::default() });
    }
    (comments, pingbacks)
}

/// Joins lines to paragraphs; a blank line divides them.
fn text(item: &[&str]) -> String {
    let mut text = String::new();
    let mut after_blank = false;
    for line in item {
        if line.is_empty() || lines::is_control(line) {
            after_blank = true;
            continue;
        }
        if !text.is_empty() {
            text.push_str(if after_blank { "\n\n" } else { "\n" });
        }
        text.push_str(line);
        after_blank = false;
    }
    text
}

/// The signs that a list is a thread and not part of an article. None decides alone but the thread's own words.
struct Evidence<'a> {
    lines: &'a [Line<'a>],
    list: &'a List<'a>,
    heading: Option<&'a Heading>,
    prose_ahead: &'a [bool],
}

impl Evidence<'_> {
    fn sum(&self) -> i32 {
        self.own_words() + self.place() + self.shape() + self.voice()
    }

    /// A heading that announces comments, and signatures. A list in an article has neither.
    fn own_words(&self) -> i32 {
        5 * i32::from(self.heading.is_some()) + 5 * i32::from(self.list.authored)
    }

    /// A thread stands behind the article, and nothing but furniture behind it.
    fn place(&self) -> i32 {
        let behind = self.lines.get(self.list.lines.end..).unwrap_or_default();
        let mut filled = behind.iter().filter(|line| !line.is_blank());
        let closed = filled.next().is_none_or(|line| lines::ends_content(&line.text));
        let goes_on = self.prose_ahead.get(self.list.lines.end).copied().unwrap_or(false);
        let before = self.lines.get(..self.list.lines.start).unwrap_or_default();
        // `Three things to know:` announces a list.
        let announced = before.iter().rev().find(|line| !line.is_blank()).is_some_and(|line| line.text.ends_with(':'));
        let listed = before.iter().rev().find(|line| !line.is_blank()).is_some_and(|line| heads_a_list(&line.text));
        i32::from(closed) - 4 * i32::from(goes_on) - 2 * i32::from(announced) - 4 * i32::from(listed)
    }

    /// Replies, several comments, several paragraphs, whole sentences.
    fn shape(&self) -> i32 {
        let comments = &self.list.comments;
        let depth = comments.iter().map(|comment| comment.depth).max().unwrap_or(0);
        let words: usize = comments.iter().map(|comment| comment.text.split_whitespace().count()).sum();
        let long = words >= 15 * comments.len();
        let paragraphs = comments.iter().any(|comment| comment.text.contains("\n\n"));
        let closed = comments.iter().filter(|comment| lines::ends_sentence(&comment.text)).count();
        i32::from(comments.len() >= 3)
            + i32::from(long)
            + i32::from(paragraphs)
            + i32::try_from(depth.min(2)).unwrap_or(2)
            + i32::from(depth > 0)
            // Headlines, links and ingredients have no full stop.
            - 3 * i32::from(closed * 2 < comments.len())
    }

    /// Commenters speak of themselves, to each other, ask and exclaim.
    fn voice(&self) -> i32 {
        let comments = &self.list.comments;
        let speaking = comments.iter().filter(|comment| speaks(&comment.text)).count();
        match speaking * 100 / comments.len().max(1) {
            60.. => 3,
            40.. => 2,
            25.. => 1,
            0 if comments.len() >= 4 => -2,
            _ => 0,
        }
    }
}

/// True for headings of lists that sites put under their articles.
fn heads_a_list(text: &str) -> bool {
    const OPENINGS: [&str; 12] = [
        "most read",
        "most popular",
        "most viewed",
        "trending",
        "related",
        "sources",
        "references",
        "notes",
        "footnotes",
        "ingredients",
        "further reading",
        "see also",
    ];
    let key = lines::key(text.get(..60).unwrap_or(text));
    text.split_whitespace().take(7).count() <= 6 && OPENINGS.iter().any(|opening| key.starts_with(opening))
}

fn speaks(text: &str) -> bool {
    let told: HashSet<&str> = HashSet::from([
        "i", "i'm", "im", "i've", "i'd", "i'll", "my", "me", "you", "your", "you're", "u", "lol", "haha", "yeah",
        "yes", "thanks", "agree", "ich", "je", "yo", "du", "tu",
    ]);
    text.contains(['!', '?']) || lines::words(text).any(|word| told.contains(word.as_str()))
}
