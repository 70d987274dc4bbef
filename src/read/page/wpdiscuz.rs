//! Finds a wpDiscuz comment thread in a page saved as text: names and paragraphs under a block of controls.
//!
//! Nothing marks a line as a name there. Every line that could be one is scored, and the split into comments with
//! the best sum is taken, with as many comments as the page states where that is possible.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::ops::Range;

use crate::read::page::Found;
use crate::read::page::lines::{self, Line};
use crate::read::page::names;
use crate::thread::Comment;

/// A name that scores less is not believed even where the stated number of comments asks for it.
const FLOOR: i64 = -25;
/// A name that scores more is believed even beyond the stated number of comments.
const CERTAIN: i64 = 90;
/// Lines between two controls of one block.
const BLOCK_GAP: usize = 4;
/// Lines above the block that may state the number of comments.
const COUNT_REACH: usize = 12;

/// What a line of the block of controls is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Control {
    Subscribe,
    Notify,
    Guest,
    Count,
    Sort,
    Inline,
    ViewAll,
}

/// The block of controls: where it is, and the number of comments it states.
struct Block {
    lines: Range<usize>,
    stated: Option<usize>,
}

/// A paragraph of the thread, which may be a name.
#[derive(Debug, Default)]
struct Unit<'a> {
    lines: Vec<&'a str>,
    /// The date, or other word about the comment, that stands directly below.
    tag: Option<&'a str>,
    /// A comment's buttons stand directly above.
    after_controls: bool,
}

/// Finds the thread among the lines of a page.
pub fn find(lines: &[Line]) -> Option<Found> {
    let block = block(lines)?;
    let found = Found { start: block.lines.start, flat: true, ..Found::default() };
    if block.stated == Some(0) {
        return Some(found);
    }
    let (region, complete) = region(lines, block.lines.end);
    let units = units(region);
    // A page that offers to load more shows fewer than it states.
    let names = names(&units, block.stated.filter(|_| complete));
    let comments = comments(&units, &names);
    let missing = block.stated.unwrap_or(0).saturating_sub(comments.len());
    Some(Found { comments, missing, ..found })
}

/// What the lines of the block say, in the languages whose pages were seen.
const CONTROLS: [(Control, &[&str]); 6] = [
    (
        Control::Subscribe,
        &[
            "subscribe",
            "abonnieren",
            "s'abonner",
            "suscribir",
            "suscribirse",
            "iscriviti",
            "abonneer",
            "подписаться",
            "subskrybuj",
            "inscrever se",
        ],
    ),
    (
        Control::Notify,
        &[
            "notify of",
            "notify me of",
            "benachrichtige mich bei",
            "benachrichtigung von",
            "benachrichtige bei",
            "notification pour",
            "notificar de",
            "notifica di",
            "notificami",
            "laat het weten als er",
            "abonneren op",
            "уведомить о",
            "powiadom o",
        ],
    ),
    (Control::Guest, &["guest", "gast", "invité", "invitado", "ospite", "гость", "gość", "convidado"]),
    (
        Control::Sort,
        &[
            "oldest",
            "newest",
            "newest most voted",
            "most voted",
            "newest oldest most voted",
            "oldest newest most voted",
            "newest oldest",
            "älteste",
            "neuste",
            "neueste",
            "neuste meistgewählte",
            "neueste meistbewertet",
            "neueste am besten bewertet",
            "meistbewertet",
            "neueste älteste meiste bewertungen",
            "neuste älteste beste bewertung",
            "le plus ancien",
            "le plus récent",
            "le plus récent le plus populaire",
            "el más antiguo",
            "más antiguo",
            "más reciente",
            "más reciente más votado",
            "el más reciente",
            "el más nuevo más votado",
            "vecchi",
            "il più vecchio",
            "nuovi più votati",
            "più recenti le più votate",
            "oudste",
            "nieuwste",
            "nieuwste meest gestemd",
            "старые",
            "новые популярные",
            "mais antigos",
            "mais antigo",
            "mais recente mais votado",
            "mais novos mais votados",
            "najstarsze",
            "najnowsze najwięcej głosów",
        ],
    ),
    (
        Control::Inline,
        &[
            "inline feedback",
            "inline feedbacks",
            "commentaires en ligne",
            "comentarios en línea",
            "feedback in linea",
            "межтекстовые отзывы",
            "feedbacks embutidos",
            "opinie w linii",
        ],
    ),
    (
        Control::ViewAll,
        &[
            "view all comments",
            "alle kommentare anzeigen",
            "afficher tous les commentaires",
            "voir tous les commentaires",
            "ver todos los comentarios",
            "vedi tutti i commenti",
            "guarda tutti i commenti",
            "bekijk alle reacties",
            "alle reacties bekijken",
            "посмотреть все комментарии",
            "ver todos os comentários",
            "zobacz wszystkie komentarze",
        ],
    ),
];

fn control(text: &str) -> Option<Control> {
    if text.len() > 120 {
        return None;
    }
    let key = lines::key(text);
    let named = CONTROLS.iter().find(|(_, words)| words.contains(&key.as_str())).map(|(control, _)| *control);
    named.or_else(|| lines::comment_count(text).map(|_| Control::Count))
}

/// Finds the block of controls: three kinds of them or more close together, one of them wpDiscuz's own.
fn block(lines: &[Line]) -> Option<Block> {
    let mut at = 0;
    while at < lines.len() {
        let Some(first) = lines[at..].iter().position(|line| control(&line.text).is_some()) else { break };
        let start = at + first;
        let mut kinds = HashSet::new();
        // The older releases' sort line is like no other site's.
        let mut full_sort = false;
        let mut last = start;
        let mut end = start;
        for (below, line) in lines.iter().enumerate().skip(start) {
            if below - last > BLOCK_GAP {
                break;
            }
            let Some(kind) = control(&line.text) else { continue };
            // Labels such as `Guest` stand under the names as well: once the list is open they are no part of the block.
            let opens = matches!(kind, Control::Subscribe | Control::Notify | Control::Guest);
            if opens && kinds.contains(&Control::Sort) {
                break;
            }
            kinds.insert(kind);
            full_sort |= kind == Control::Sort && line.text.split_whitespace().count() >= 4;
            last = below;
            if !opens {
                end = below + 1;
            }
        }
        let own = [Control::Notify, Control::Inline, Control::Sort, Control::ViewAll];
        let own = own.iter().filter(|kind| kinds.contains(kind)).count();
        let enough = if full_sort { 1 } else { 3 };
        if kinds.len() >= enough && own >= 1 && end > start {
            let above = start.saturating_sub(COUNT_REACH);
            let stated = lines[above..end].iter().rev().find_map(|line| lines::comment_count(&line.text));
            return Some(Block { lines: start..end, stated });
        }
        at = last + 1;
    }
    None
}

/// The lines of the thread, the foot of the page cut off, and whether they are all the page states.
fn region<'a>(lines: &'a [Line<'a>], start: usize) -> (&'a [Line<'a>], bool) {
    const MORE: [&str; 8] = [
        "load more comments",
        "load more",
        "view more comments",
        "show more comments",
        "mehr kommentare laden",
        "weitere kommentare laden",
        "charger plus de commentaires",
        "cargar más comentarios",
    ];
    const ENDS: [&str; 4] = ["wpdiscuz", "insert", "einfügen", "insérer"];
    let below = lines.get(start..).unwrap_or_default();
    let mut complete = true;
    let end = below.iter().position(|line| {
        if line.text.len() > 120 {
            return false;
        }
        let key = lines::key(&line.text);
        let more = MORE.contains(&key.as_str());
        complete &= !more;
        more || ENDS.contains(&key.as_str())
            || key.starts_with("would love your thoughts")
            || lines::ends_content(&line.text)
    });
    (below.get(..end.unwrap_or(below.len())).unwrap_or(below), complete)
}

/// True for a line that tells about a comment and is no part of it: buttons, labels, votes.
fn is_about_comment(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-', '−']).unwrap_or(text);
    let votes = digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit());
    let bare = !text.contains(char::is_alphanumeric) && text.chars().count() <= 3 && !text.contains(['?', '!', '…']);
    votes || bare || text == "x" || lines::is_control(text)
}

/// Divides the lines into paragraphs; lines about a comment divide as blank ones do.
fn units<'a>(lines: &'a [Line<'a>]) -> Vec<Unit<'a>> {
    let mut units: Vec<Unit> = Vec::new();
    let mut fresh = true;
    let mut after_controls = false;
    for line in lines {
        let text = line.text.as_ref();
        let dated = !text.is_empty() && lines::is_date(text);
        if dated || is_about_comment(text) {
            // `Guest` or `Reply to Ann` may stand between a name and its date; votes and buttons close a comment.
            if !text.is_empty() && tags_a_name(text, dated) {
                if let Some(unit) = units.last_mut() {
                    unit.tag = if dated { Some(text) } else { unit.tag.or(Some("")) };
                }
            } else if !text.is_empty() {
                after_controls = true;
            }
            fresh = true;
        } else if fresh {
            units.push(Unit { lines: vec![text], tag: None, after_controls });
            fresh = false;
            after_controls = false;
        } else if let Some(unit) = units.last_mut() {
            unit.lines.push(text);
        }
    }
    units
}

/// True for lines that stand between a name and its text, as against those that stand under the text.
fn tags_a_name(text: &str, dated: bool) -> bool {
    let key = lines::key(text);
    dated
        || control(text) == Some(Control::Guest)
        || ["author", "admin", "member", "mitglied", "editor", "autor", "auteur", "autore", "moderator"]
            .contains(&key.as_str())
        || ["reply to ", "antwort an ", "antwort auf ", "répondre à ", "responder a ", "rispondi a "]
            .iter()
            .any(|opening| key.starts_with(opening))
}

/// The units that are names, in order.
fn names(units: &[Unit], stated: Option<usize>) -> Vec<usize> {
    let mut times: HashMap<&str, i64> = HashMap::new();
    for unit in units.iter().filter(|unit| unit.lines.len() == 1) {
        *times.entry(unit.lines[0]).or_default() += 1;
    }
    let tags = units.iter().filter(|unit| unit.tag.is_some()).count();
    let tagged_names = units.iter().filter(|unit| unit.tag.is_some() && name_shape(unit).is_some()).count();
    let tagged = tags >= 2 && tagged_names * 3 >= tags * 2;

    let score = |at: usize, unit: &Unit| -> Option<i64> {
        let shape = name_shape(unit)?;
        let next = units.get(at + 1)?;
        let before = at.checked_sub(1).and_then(|before| units.get(before));
        let recurring = match times.get(unit.lines[0]).copied().unwrap_or(1) {
            1 => 0,
            2 => 25,
            _ => 40,
        };
        // Where the page prints a date under each name, a line without one is text.
        let tag = if tagged { if unit.tag.is_some() { 100 } else { -80 } } else { 0 };
        let reads_on = if name_shape(next).is_some_and(|other| other >= shape) { -10 } else { 5 };
        let finished = before.map_or(0, |before| closing_score(before.lines.last().copied().unwrap_or_default()));
        Some(shape + recurring + tag + reads_on + finished + 30 * i64::from(unit.after_controls))
    };
    let scores: Vec<Option<i64>> = units.iter().enumerate().map(|(at, unit)| score(at, unit)).collect();

    // A thread begins with a name; what stands above the first possible one is a notice of the site.
    let Some(first) = scores.iter().position(|score| score.is_some_and(|score| score > FLOOR)) else {
        return Vec::new();
    };
    let mut open = scores;
    for at in 0..=(first + 1).min(open.len() - 1) {
        open[at] = None;
    }
    let mut names = vec![first];
    names.extend(best_apart(&open, stated.map(|stated| stated.saturating_sub(1))));
    names.sort_unstable();
    names
}

/// How well the paragraph above a name ends a comment.
fn closing_score(text: &str) -> i64 {
    match text {
        text if text.ends_with([':', ',', ';']) => -20,
        text if lines::ends_sentence(text) => 5,
        _ => 0,
    }
}

/// How much a unit looks like a name; `None` if it cannot be one.
fn name_shape(unit: &Unit) -> Option<i64> {
    let &[text] = unit.lines.as_slice() else { return None };
    names::likeness(text)
}

/// Chooses units of which no two are neighbours, with the best sum: as many as `wanted` where the scores bear it,
/// else as many as gain. Taking the best one and, when a better pair shows, swapping it for its neighbours gives
/// the best choice of every size in turn, in `n log n`.
fn best_apart(scores: &[Option<i64>], wanted: Option<usize>) -> Vec<usize> {
    /// A row of units of which every second one is taken, or would be once this node is chosen.
    struct Node {
        score: i64,
        row: Range<usize>,
        before: Option<usize>,
        after: Option<usize>,
        alive: bool,
    }
    let mut nodes: Vec<Node> = Vec::new();
    for (at, score) in scores.iter().enumerate() {
        let Some(score) = *score else { continue };
        let this = nodes.len();
        let before = nodes.last().filter(|node| node.row.end == at).map(|_| this - 1);
        if let Some(before) = before {
            nodes[before].after = Some(this);
        }
        nodes.push(Node { score, row: at..at + 1, before, after: None, alive: true });
    }
    let mut heap: BinaryHeap<(i64, Reverse<usize>)> =
        nodes.iter().enumerate().map(|(i, node)| (node.score, Reverse(i))).collect();

    let mut flips = vec![false; scores.len() + 1];
    let mut taken = 0;
    while let Some((score, Reverse(this))) = heap.pop() {
        if !nodes[this].alive || nodes[this].score != score {
            continue;
        }
        let least = match wanted {
            Some(wanted) if taken < wanted => FLOOR,
            Some(_) => CERTAIN,
            None => 1,
        };
        if score < least {
            break;
        }
        taken += 1;
        // Choosing a row turns it over: what was taken is given back, what lay between is taken.
        let row = nodes[this].row.clone();
        flips[row.start] ^= true;
        flips[row.end] ^= true;

        let (before, after) = (nodes[this].before, nodes[this].after);
        let outer_before = before.and_then(|node| nodes[node].before);
        let outer_after = after.and_then(|node| nodes[node].after);
        for side in [before, after].into_iter().flatten() {
            nodes[side].alive = false;
        }
        if let (Some(before), Some(after)) = (before, after) {
            let node = &nodes[before];
            let (left, left_score) = (node.row.start, node.score);
            let (right, right_score) = (nodes[after].row.end, nodes[after].score);
            let node = &mut nodes[this];
            node.row = left..right;
            node.score = left_score + right_score - score;
            node.before = outer_before;
            node.after = outer_after;
            heap.push((node.score, Reverse(this)));
        } else {
            nodes[this].alive = false;
        }
        // The neighbours beyond now border on the joined row, or, at the end of a row of candidates, on nothing.
        let joined = nodes[this].alive.then_some(this);
        if let Some(outer) = outer_before {
            nodes[outer].after = joined;
        }
        if let Some(outer) = outer_after {
            nodes[outer].before = joined;
        }
    }
    let mut inside = false;
    (0..scores.len())
        .filter(|at| {
            inside ^= flips[*at];
            inside
        })
        .collect()
}

/// Makes comments of the units between the names.
fn comments(units: &[Unit], names: &[usize]) -> Vec<Comment> {
    let ends = names.iter().skip(1).copied().chain([units.len()]);
    names
        .iter()
        .zip(ends)
        .filter_map(|(name, end)| {
            let (unit, paragraphs) = units.get(*name..end)?.split_first()?;
            let paragraphs: Vec<String> = paragraphs.iter().map(|unit| unit.lines.join("\n")).collect();
            Some(Comment {
                author: unit.lines.first().map(|name| (*name).to_owned()),
                created: unit.tag.filter(|tag| !tag.is_empty()).map(str::to_owned),
                text: paragraphs.join("\n\n"),
                ..Comment::default()
            })
        })
        .collect()
}
