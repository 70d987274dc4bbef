//! The lines of a page saved as text, cleaned, and the words that site furniture is made of.

use std::borrow::Cow;

/// One line: how far it is indented, and its text without the white space at either end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Columns before the text; a tab goes to the next multiple of eight.
    pub indent: usize,
    /// The text; empty for a blank line.
    pub text: Cow<'a, str>,
}

impl Line<'_> {
    /// True where nothing stands on the line.
    pub fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
}

/// Splits a page into lines.
pub fn split(page: &str) -> Vec<Line<'_>> {
    page.lines().map(clean).collect()
}

fn clean(raw: &str) -> Line<'_> {
    let body = raw.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
    let indent = raw[..raw.len() - body.len()].chars().filter(|c| !is_invisible(*c)).fold(0, |column, c| match c {
        '\t' => column / 8 * 8 + 8,
        _ => column + 1,
    });
    let body = body.trim_end_matches(|c: char| c.is_whitespace() || is_invisible(c));
    // Joiners inside a word belong to the spelling (Persian, emoji); the other invisible characters never do.
    let text = if body.contains(is_stray) { Cow::Owned(body.replace(is_stray, "")) } else { Cow::Borrowed(body) };
    Line { indent, text }
}

fn is_invisible(c: char) -> bool {
    is_stray(c) || matches!(c, '\u{200C}' | '\u{200D}')
}

fn is_stray(c: char) -> bool {
    matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// The words of a text in lower case, without punctuation; an apostrophe stays inside its word as `'`.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
        .map(|word| word.trim_matches(['\'', '’']).replace('’', "'").to_lowercase())
        .filter(|word| !word.is_empty())
}

/// The words joined by single spaces: equal for lines that differ in case, punctuation and spacing only.
pub fn key(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}

/// True if the text closes as a sentence does, quotation marks and brackets behind it aside.
pub fn ends_sentence(text: &str) -> bool {
    let text = text.trim_end_matches(['"', '”', '“', '’', '\'', '»', ')', ']', ' ', '\u{a0}']);
    text.ends_with(['.', '!', '?', '…', '。', '！', '？'])
}

/// True for a paragraph of running text, as against a heading, a caption or a menu entry.
pub fn is_prose(text: &str) -> bool {
    let count = text.split_whitespace().take(30).count();
    count >= 30 || (count >= 10 && (ends_sentence(text) || text.ends_with(':')))
}

/// The number that a line such as `16 Comments`, `Comments (16)`, `One thought on “…”` states.
pub fn comment_count(text: &str) -> Option<usize> {
    const NOUNS: [&str; 24] = [
        "comment",
        "comments",
        "response",
        "responses",
        "reply",
        "replies",
        "thought",
        "thoughts",
        "kommentar",
        "kommentare",
        "kommentarer",
        "commentaire",
        "commentaires",
        "comentario",
        "comentarios",
        "comentário",
        "comentários",
        "commento",
        "commenti",
        "reactie",
        "reacties",
        "komentarz",
        "komentarze",
        "komentarzy",
    ];
    if text.len() > 300 {
        return None;
    }
    let found: Vec<String> = words(text).take(8).collect();
    let noun = |word: &String| NOUNS.contains(&word.as_str()) || word.starts_with("комментари");
    match found.as_slice() {
        // `Comments (16)`, `Comments: 16`
        [first, number] if noun(first) => number.parse().ok(),
        // `16 Comments`, `14 thoughts on “Title”`: with the noun in second place only `on` and the like may follow.
        [number, second, rest @ ..] if noun(second) => {
            let named =
                rest.first().is_none_or(|word| matches!(word.as_str(), "on" | "to" | "zu" | "sur" | "en" | "su"));
            named.then(|| spelled(number)).flatten()
        }
        // `1,204 Comments`
        [thousands, hundreds, third] if noun(third) && hundreds.len() == 3 => {
            format!("{thousands}{hundreds}").parse().ok()
        }
        _ => None,
    }
}

fn spelled(number: &str) -> Option<usize> {
    match number {
        "no" | "zero" => Some(0),
        "one" | "ein" | "un" | "una" | "une" => Some(1),
        digits => digits.parse().ok(),
    }
}

/// True for a line that says when: `March 3, 2019 at 4:05 pm`, `3 years ago`, `12.03.2019 um 14:22 Uhr`.
pub fn is_date(text: &str) -> bool {
    const SMALL: [&str; 44] = [
        "at", "on", "am", "pm", "um", "uhr", "h", "of", "de", "del", "à", "a", "las", "le", "il", "y", "the", "st",
        "nd", "rd", "th", "posted", "edited", "last", "say", "says", "op", "om", "alle", "ore", "date", "hace", "vor",
        "fa", "about", "an", "один", "в", "г", "em", "às", "o", "przed", "il",
    ];
    const AGO: [&str; 10] = ["ago", "vor", "hace", "fa", "geleden", "назад", "atrás", "temu", "siden", "il"];
    const UNITS: [&str; 36] = [
        "second", "minute", "hour", "day", "week", "month", "year", "sekunde", "stunde", "tag", "woche", "monat",
        "jahr", "seconde", "heure", "jour", "semaine", "mois", "année", "segundo", "minuto", "hora", "día", "semana",
        "mes", "año", "ora", "ore", "giorn", "settiman", "anno", "anni", "jaar", "maand", "лет", "год",
    ];
    if text.len() > 80 {
        return false;
    }
    let found: Vec<String> = words(text).collect();
    let is_unit = |word: &str| UNITS.iter().any(|unit| word.starts_with(unit) && word.len() <= unit.len() + 3);
    let relative = found.iter().any(|w| AGO.contains(&w.as_str())) && found.iter().any(|w| is_unit(w));
    let known = |word: &str| {
        is_number(word)
            || is_month_or_day(word)
            || SMALL.contains(&word)
            || (relative && (is_unit(word) || AGO.contains(&word)))
    };
    let numbers = found.iter().filter(|word| is_number(word)).count();
    if numbers == 0 || !found.iter().all(|word| known(word)) {
        return false;
    }
    let named = found.iter().any(|w| is_month_or_day(w)) && (numbers >= 2 || found.len() <= 3);
    relative || named || is_numeric_date(text)
}

/// `12.03.2019`, `2019-03-12`, `3/12/19`, with or without a time behind it.
fn is_numeric_date(text: &str) -> bool {
    let head = text.split([' ', ',', '\u{a0}', 'T']).next().unwrap_or_default();
    ['.', '-', '/'].iter().any(|separator| {
        let parts: Vec<&str> = head.split(*separator).collect();
        parts.len() == 3 && parts.iter().all(|part| matches!(part.len(), 1 | 2 | 4) && part.parse::<u16>().is_ok())
    })
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let tail = &word[digits.len()..];
    !digits.is_empty()
        && digits.len() <= 4
        && digits.bytes().all(|b| b.is_ascii_digit())
        && matches!(tail, "" | "st" | "nd" | "rd" | "th" | "am" | "pm" | "h")
}

/// Months and days of the languages whose pages were seen, in full.
const MONTHS_AND_DAYS: [&str; 96] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "januar",
    "jänner",
    "februar",
    "märz",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "janvier",
    "février",
    "mars",
    "avril",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
    "gennaio",
    "febbraio",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "settembre",
    "ottobre",
    "dicembre",
    "januari",
    "februari",
    "maart",
    "mei",
    "augustus",
    "janeiro",
    "fevereiro",
    "março",
    "maio",
    "junho",
    "julho",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
];
/// The same, cut short.
const CUT_SHORT: [&str; 20] = [
    "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue", "wed", "thu",
    "fri", "sat", "sun", "okt",
];

fn is_month_or_day(word: &str) -> bool {
    MONTHS_AND_DAYS.contains(&word) || CUT_SHORT.contains(&word)
}

/// True for a line that is a control of a comment, never its text: `Reply`, `Log in to Reply`, `Reply to Ann`.
pub fn is_control(text: &str) -> bool {
    const WHOLE: [&str; 46] = [
        "reply",
        "log in to reply",
        "login to reply",
        "antworten",
        "antwort",
        "répondre",
        "responder",
        "rispondi",
        "beantwoorden",
        "reageren",
        "odpowiedz",
        "ответить",
        "svar",
        "permalink",
        "edit",
        "report",
        "report comment",
        "flag",
        "like",
        "dislike",
        "upvote",
        "downvote",
        "share",
        "loading",
        "like loading",
        "post author",
        "author",
        "admin",
        "member",
        "guest",
        "gast",
        "invité",
        "invitado",
        "ospite",
        "editor",
        "moderator",
        "autor",
        "auteur",
        "autore",
        "mitglied",
        "advertisement",
        "hide replies",
        "view replies",
        "quote",
        "your comment is awaiting moderation",
        "vote up vote down",
    ];
    const OPENINGS: [&str; 14] = [
        "liked by ",
        "likeliked by ",
        "reply to ",
        "in reply to ",
        "antwort an ",
        "antwort auf ",
        "antworten auf ",
        "répondre à ",
        "responder a ",
        "rispondi a ",
        "beantwoorden aan ",
        "view replies ",
        "last edited ",
        "share on ",
    ];
    if text.chars().count() > 70 {
        return false;
    }
    let key = key(text);
    if WHOLE.contains(&key.as_str()) {
        return true;
    }
    // `Reply to Mirela T.` closes with an initial, `Reply to them already!` is somebody's text.
    let initial = text.rsplit(' ').next().is_some_and(|last| last.len() <= 3 && last.starts_with(char::is_uppercase));
    OPENINGS.iter().any(|opening| key.starts_with(opening)) && (initial || !ends_sentence(text))
}

/// True for a line that stands between an article's end and the foot of its page: the article, or a thread, is over.
pub fn ends_content(text: &str) -> bool {
    const WHOLE: [&str; 34] = [
        "leave a reply",
        "leave a reply cancel reply",
        "leave a comment",
        "leave a comment cancel reply",
        "cancel reply",
        "add a comment",
        "post a comment",
        "write a comment",
        "join the discussion",
        "join the conversation",
        "be the first to comment",
        "start the discussion",
        "comments are closed",
        "comments closed",
        "no comments yet",
        "related posts",
        "related articles",
        "related stories",
        "related",
        "you may also like",
        "you might also like",
        "more from this author",
        "share this",
        "all rights reserved",
        "schreibe einen kommentar",
        "kommentar hinterlassen",
        "laisser un commentaire",
        "deja una respuesta",
        "deja un comentario",
        "lascia un commento",
        "geef een reactie",
        "deixe um comentário",
        "post navigation",
        "recent posts",
    ];
    if text.chars().count() > 90 {
        return false;
    }
    let key = key(text);
    WHOLE.contains(&key.as_str())
        || key.starts_with("copyright ")
        || text.starts_with('©')
        || key.ends_with(" all rights reserved")
        || key.starts_with("leave a reply to ")
        || comment_count(text) == Some(0)
}
