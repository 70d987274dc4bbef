//! Reads who wrote a comment, and when, off the lines that head it.

use crate::read::page::lines;

/// Who wrote a comment and when, and how many of its lines say so.
pub struct Signature {
    /// The name.
    pub author: String,
    /// The date, as the page says it.
    pub created: Option<String>,
    /// Lines of the comment that are not its text.
    pub lines: usize,
}

/// Reads the lines that head a comment: `Ann says:`, `Ann on March 3, 2019 said:`, or a name above a date.
pub fn read(item: &[&str]) -> Option<Signature> {
    let mut filled = item.iter().enumerate().filter(|(_, line)| !line.is_empty() && !lines::is_control(line));
    let (first, text) = filled.next()?;
    let next = filled.next();
    let date_below = next.filter(|(_, line)| lines::is_date(line));
    let signed = name_before_verb(text).filter(|(name, _)| date_below.is_some() || is_plain_name(name));
    let signed = signed.or_else(|| name_before_date(text));
    let (author, date) = match signed {
        Some(signed) => signed,
        None if date_below.is_some() && is_bare_name(text) => (*text, None),
        None => return None,
    };
    let below = date_below.filter(|_| date.is_none());
    Some(Signature {
        author: author.to_owned(),
        created: date.or(below.map(|(_, line)| *line)).map(str::to_owned),
        lines: below.map_or(first, |(line, _)| line) + 1,
    })
}

/// Splits `Ann on March 3, 2019 at 4:05 pm said:` into name and date.
fn name_before_verb(text: &str) -> Option<(&str, Option<&str>)> {
    const VERBS: [&str; 16] = [
        " says",
        " said",
        " wrote",
        " writes",
        " sagt",
        " sagte",
        " schrieb",
        " schreibt",
        " dit",
        " a dit",
        " dice",
        " dijo",
        " ha detto",
        " disse",
        " diz",
        " zegt",
    ];
    if text.chars().count() > 120 {
        return None;
    }
    let head = text.strip_suffix(':')?.trim_end();
    let split = |verb: &&str| {
        let at = head.len().checked_sub(verb.len())?;
        head.get(at..).filter(|tail| tail.eq_ignore_ascii_case(verb)).and_then(|_| head.get(..at))
    };
    // The longest verb first, so that `a dit` is not cut at `dit`.
    let signed = VERBS.iter().filter_map(split).min_by_key(|name| name.len())?.trim();
    let dated = signed.match_indices([' ']).find_map(|(at, _)| {
        let (name, behind) = signed.split_at(at);
        let date = ["on ", "am ", "le ", "el ", "op ", "il ", "em "]
            .iter()
            .find_map(|word| behind.trim().strip_prefix(word))?;
        lines::is_date(date).then_some((name, Some(date)))
    });
    let (name, date) = dated.unwrap_or((signed, None));
    (!name.is_empty()).then_some((name, date))
}

/// True for a name that needs no date below it to be believed.
fn is_plain_name(text: &str) -> bool {
    text.split_whitespace().count() <= 8 && !lines::ends_sentence(text)
}

/// Splits `Ann June 3, 2019 at 4:05 pm Reply` into name and date. Only a date with its time is sure not to be text.
fn name_before_date(text: &str) -> Option<(&str, Option<&str>)> {
    if text.chars().count() > 200 {
        return None;
    }
    let (head, last) = text.rsplit_once(char::is_whitespace)?;
    let text = if lines::is_control(last) { head } else { text };
    let text = text.trim_end_matches([' ', '-', '–', '|', '·']);
    text.match_indices(char::is_whitespace).take(25).find_map(|(at, _)| {
        let (name, date) = (text.get(..at)?.trim_end(), text.get(at..)?.trim_start());
        let numbers = date.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()).count();
        (numbers >= 3 && lines::is_date(date)).then_some((name, Some(date)))
    })
}

fn is_bare_name(text: &str) -> bool {
    text.chars().count() <= 50 && text.split_whitespace().count() <= 6 && !text.ends_with([':', ',', '!', '?', ';'])
}
