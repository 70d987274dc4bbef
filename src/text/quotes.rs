//! Finds what a comment quotes: text that is not its writer's own words.
//!
//! Four things count: what the source marks as quoted, lines behind `>`, sentences repeated from the comment that is
//! answered, and reported speech. Words in quotation marks without any of these are the writer's own: scare quotes
//! and irony are what a reader of tone must not lose.

use std::ops::Range;

use super::phrases::{Phrases, Word, words};

/// Words a sentence must have to count as repeated and not as said twice.
const SENTENCE_WORDS: usize = 4;
/// Words in quotation marks that must be found in the parent to count as quoted from it.
const MARKED_WORDS: usize = 3;
/// Words in quotation marks that a reporting verb makes reported speech: a single one is a label.
const SPOKEN_WORDS: usize = 2;
/// How far before a quotation its verb may stand, and how far behind.
const VERB_BEFORE: usize = 4;
const VERB_BEHIND: usize = 2;

/// Byte ranges of `text` that are quoted: sorted, apart, on character boundaries. `parent` is the text answered,
/// `marked` what the source itself marks.
pub fn find(text: &str, parent: Option<&str>, marked: &[Range<usize>]) -> Vec<Range<usize>> {
    let bare = text.is_ascii() && memchr::memchr3(b'"', b'>', b'&', text.as_bytes()).is_none();
    if bare && parent.is_none() && marked.is_empty() {
        return Vec::new();
    }
    let paragraphs = paragraphs(text);
    let mut quoted: Vec<Range<usize>> = marked.iter().map(|range| within(text, range)).collect();
    if memchr::memchr2(b'>', b'&', text.as_bytes()).is_some() {
        quoted.extend(angled_lines(text));
    }
    let in_marks = in_quotation_marks(text, &paragraphs);
    quoted.extend(in_marks.iter().filter(|span| is_reported(text, &paragraphs, span)).cloned());
    if let Some(parent) = parent {
        let parent = Phrases::new(parent);
        quoted.extend(
            in_marks.into_iter().filter(|span| parent.held(text.get(span.clone()).unwrap_or_default()) >= MARKED_WORDS),
        );
        quoted.extend(repeated(text, &paragraphs, &parent));
    }
    joined(quoted)
}

/// Sorts ranges and joins those that overlap or touch.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// The range cut to the text and widened to character boundaries.
fn within(text: &str, range: &Range<usize>) -> Range<usize> {
    let mut start = range.start.min(text.len());
    let mut end = range.end.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// The lines of the text without white space at their ends: each is a paragraph, or part of one that was set in lines.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let lead = line.len() - line.trim_start().len();
        let body = line.trim();
        if !body.is_empty() {
            found.push(start + lead..start + lead + body.len());
        }
        start += line.len();
    }
    found
}

/// Lines that begin with `>` or `&gt;`, but for arrows and faces such as `>:(`.
fn angled_lines(text: &str) -> Vec<Range<usize>> {
    let mut lines = paragraphs(text);
    lines.retain(|line| {
        let line = text.get(line.clone()).unwrap_or_default();
        let rest = line.strip_prefix('>').or_else(|| line.strip_prefix("&gt;"));
        rest.is_some_and(|rest| !rest.starts_with([':', '=', '_', '.', '<']))
    });
    lines
}

/// A sentence: where it stands, and how many words the text has up to its end.
struct Sentence {
    at: Range<usize>,
    words_end: usize,
}

/// Whole sentences that stand in the parent, one after the other as there.
fn repeated(text: &str, paragraphs: &[Range<usize>], parent: &Phrases) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for paragraph in paragraphs {
        let body = text.get(paragraph.clone()).unwrap_or_default();
        let words = words(body, paragraph.start);
        let sentences = sentences(text, paragraph, &words);
        let (mut at, mut first_word) = (0, 0);
        while let Some(sentence) = sentences.get(at) {
            let longest = parent.longest(words.get(first_word..).unwrap_or_default());
            // As many whole sentences as the common words reach over.
            let whole = sentences.get(at..).unwrap_or_default();
            let count = whole.iter().take_while(|sentence| sentence.words_end - first_word <= longest).count();
            let last = count.checked_sub(1).and_then(|last| whole.get(last));
            match last {
                Some(last) if last.words_end - first_word >= SENTENCE_WORDS => {
                    found.push(sentence.at.start..last.at.end);
                    first_word = last.words_end;
                    at += count;
                }
                _ => {
                    first_word = sentence.words_end;
                    at += 1;
                }
            }
        }
    }
    found
}

/// Splits a paragraph behind `.`, `!`, `?` and the marks that close with them, where white space follows.
fn sentences(text: &str, paragraph: &Range<usize>, words: &[Word]) -> Vec<Sentence> {
    let body = text.get(paragraph.clone()).unwrap_or_default();
    let mut found = Vec::new();
    let mut start = paragraph.start;
    let mut counted = 0;
    let mut closing = false;
    let mut push = |start: usize, end: usize| {
        while words.get(counted).is_some_and(|word| word.at.start < end) {
            counted += 1;
        }
        if start < end {
            found.push(Sentence { at: start..end, words_end: counted });
        }
    };
    for (at, c) in body.char_indices() {
        let here = paragraph.start + at;
        if closing && c.is_whitespace() {
            push(start, here);
            start = here + c.len_utf8();
            closing = false;
        } else if matches!(c, '.' | '!' | '?' | '…') {
            closing = true;
        } else if c.is_whitespace() && start == here {
            start = here + c.len_utf8();
        } else if !is_quotation_mark(c) && !matches!(c, ')' | ']' | '\'' | '’') {
            closing = false;
        }
    }
    push(start, paragraph.end);
    found
}

fn is_quotation_mark(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»' | '‟')
}

/// Spans in double quotation marks, the marks included. A mark left open ends with its paragraph.
fn in_quotation_marks(text: &str, paragraphs: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for paragraph in paragraphs {
        let body = text.get(paragraph.clone()).unwrap_or_default();
        let mut open: Option<(usize, char)> = None;
        // All marks are `"` or begin with one of two bytes.
        for at in memchr::memchr3_iter(b'"', 0xc2, 0xe2, body.as_bytes()) {
            let Some(c) = body.get(at..).and_then(|rest| rest.chars().next()) else { continue };
            match open {
                Some((start, mark)) if closes(mark, c) => {
                    found.push(paragraph.start + start..paragraph.start + at + c.len_utf8());
                    open = None;
                }
                // Inches and seconds stand behind their number; a quotation begins behind a gap.
                None if matches!(c, '“' | '„' | '«' | '‟')
                    || (c == '"' && !body[..at].ends_with(char::is_alphanumeric)) =>
                {
                    open = Some((at, c));
                }
                _ => {}
            }
        }
    }
    found
}

fn closes(open: char, c: char) -> bool {
    match open {
        '“' => matches!(c, '”' | '"'),
        '„' => matches!(c, '“' | '”' | '"'),
        '«' => c == '»',
        '‟' => matches!(c, '”' | '"'),
        _ => matches!(c, '"' | '”'),
    }
}

/// True if a verb of saying is attached to a span in quotation marks.
fn is_reported(text: &str, paragraphs: &[Range<usize>], span: &Range<usize>) -> bool {
    let inner = text.get(span.clone()).unwrap_or_default();
    if words(inner, 0).len() < SPOKEN_WORDS {
        return false;
    }
    let here = paragraphs.partition_point(|paragraph| paragraph.end <= span.start);
    let Some(paragraph) = paragraphs.get(here) else { return false };
    let before = text.get(paragraph.start..span.start).unwrap_or_default();
    let behind = text.get(span.end..paragraph.end).unwrap_or_default();
    // A quotation set as a paragraph of its own is announced by the end of the one above.
    let announced = before.is_empty() && behind.len() <= 1;
    let above = here.checked_sub(1).filter(|_| announced).and_then(|above| paragraphs.get(above));
    let above = above.and_then(|above| text.get(above.clone())).unwrap_or_default();
    says_before(before, false) || says_before(above, true) || (speech_goes_on(inner) && says_behind(behind))
}

/// True unless the quotation closes with a full stop, behind which a new sentence begins.
fn speech_goes_on(quotation: &str) -> bool {
    !quotation.trim_end_matches(is_quotation_mark).ends_with('.')
}

/// True if one of the last words before a quotation reports speech. `past_stop` looks over a closing full stop.
fn says_before(before: &str, past_stop: bool) -> bool {
    let before = if past_stop { before.trim_end_matches(['.', ':', ' ']) } else { before };
    // A sentence or another quotation that ends here has its own verb.
    let stop = before.rfind(|c: char| matches!(c, '.' | '!' | '?' | ';' | '…') || is_quotation_mark(c));
    let clause = before.get(stop.unwrap_or(0)..).unwrap_or_default();
    let mut last = [""; VERB_BEFORE];
    for (slot, word) in last.iter_mut().zip(clause.rsplit(is_gap).filter(has_letters)) {
        *slot = word;
    }
    last.iter().enumerate().any(|(at, word)| {
        let earlier = last.get(at + 1).copied().unwrap_or_default();
        reports(word, earlier)
    }) || puts_it(&last)
}

/// True if one of the first words behind a quotation reports speech.
fn says_behind(behind: &str) -> bool {
    let stop = behind.find(|c: char| matches!(c, '.' | '!' | '?' | ';' | '…') || is_quotation_mark(c));
    let clause = behind.get(..stop.unwrap_or(behind.len())).unwrap_or_default();
    clause.split(is_gap).filter(has_letters).take(VERB_BEHIND).any(|word| reports(word, ""))
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ':' | '(' | ')' | '—' | '–' | '/')
}

fn has_letters(word: &&str) -> bool {
    word.contains(char::is_alphanumeric)
}

/// True for a verb of saying. `so-called` and `so called` name, they do not report.
fn reports(word: &str, earlier: &str) -> bool {
    const VERBS: [&str; 78] = [
        "say",
        "says",
        "said",
        "saying",
        "tell",
        "tells",
        "told",
        "telling",
        "write",
        "writes",
        "wrote",
        "written",
        "writing",
        "call",
        "calls",
        "called",
        "calling",
        "claim",
        "claims",
        "claimed",
        "claiming",
        "ask",
        "asks",
        "asked",
        "asking",
        "reply",
        "replies",
        "replied",
        "replying",
        "answered",
        "stated",
        "stating",
        "argue",
        "argues",
        "argued",
        "arguing",
        "add",
        "adds",
        "added",
        "adding",
        "quote",
        "quotes",
        "quoted",
        "quoting",
        "shout",
        "shouts",
        "shouted",
        "shouting",
        "yelled",
        "yelling",
        "screamed",
        "screaming",
        "chanted",
        "chanting",
        "tweet",
        "tweets",
        "tweeted",
        "posted",
        "posting",
        "declared",
        "declares",
        "insisted",
        "insists",
        "announced",
        "announces",
        "labelled",
        "labeled",
        "labelling",
        "labeling",
        "dubbed",
        "commented",
        "remarked",
        "noted",
        "explained",
        "warned",
        "admitted",
        "according",
        "responded",
    ];
    word.len() <= 12 && VERBS.contains(&word.to_lowercase().as_str()) && !earlier.eq_ignore_ascii_case("so")
}

/// True for `as Ann put it`, read backwards.
fn puts_it(last: &[&str]) -> bool {
    last.windows(2).any(|pair| {
        matches!(pair, [it, put] if it.eq_ignore_ascii_case("it")
            && (put.eq_ignore_ascii_case("put") || put.eq_ignore_ascii_case("puts") || put.eq_ignore_ascii_case("putting")))
    })
}

#[cfg(test)]
mod tests {
    use super::{Range, find};

    fn quoted<'a>(text: &'a str, parent: Option<&str>) -> Vec<&'a str> {
        find(text, parent, &[]).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn marked_ranges_are_cut_to_the_text_and_to_characters() {
        let text = "Zoë says no";
        assert_eq!(find(text, None, &[3..4, 5..900, Range { start: 7, end: 2 }]), vec![2..4, 5..12]);
    }

    #[test]
    fn angled_lines_are_quoted_whole() {
        let text = "> the trams never come\nThey do.\n  &gt; says who\n>:( no";
        assert_eq!(quoted(text, None), ["> the trams never come", "&gt; says who"]);
    }

    #[test]
    fn sentences_of_the_parent_are_quoted_wherever_they_stand() {
        let parent = "I doubt it. The council didn't count the trams, or the riders! So there.";
        let text = "The council didn’t count the trams, or the riders.\n\nIt did. Twice, in fact.";
        assert_eq!(quoted(text, Some(parent)), ["The council didn’t count the trams, or the riders."]);
        let text = "You wrote this: fine.\n\nthe riders! so there";
        assert_eq!(quoted(text, Some(parent)), ["the riders! so there"]);
        assert_eq!(quoted("So there. I doubt it.", Some(parent)), [""; 0], "short sentences are said twice");
        let text = "The council didn't count the trams, because it cannot count.";
        assert_eq!(quoted(text, Some(parent)), [""; 0], "half a sentence is the writer's own");
    }

    #[test]
    fn reported_speech_is_quoted() {
        for text in [
            "Then he said “nobody rides it”",
            "“nobody rides it,” she wrote last week",
            "You called me \"nobody rides it\" twice.",
            "as the mayor put it: “nobody rides it”.",
            "People calling trams \"nobody rides it\" are odd",
            "This is what he says today.\n\n“nobody rides it”",
        ] {
            let found = quoted(text, None);
            assert!(found.len() == 1 && found[0].contains("nobody rides it"), "{text}: {found:?}");
        }
    }

    #[test]
    fn irony_stays_with_its_writer() {
        for text in [
            "Those “fighters” again",
            "he called them \"fighters\"",
            "what a \"great success story\" that was",
            "the so-called “moderate rebels” of the council",
            "the so called “moderate rebels” of the council",
            "“Never again for me.” He says a lot.",
            "a 6\" pipe said nothing about the 9\" one",
        ] {
            assert_eq!(quoted(text, None), [""; 0], "{text}");
        }
    }

    #[test]
    fn words_in_marks_that_the_parent_wrote_are_quoted() {
        let parent = "It is a Great Success, story or not.";
        assert_eq!(quoted("Some \"great success story\"? No.", Some(parent)), ["\"great success story\""]);
        assert_eq!(quoted("A \"great success\"? No.", Some(parent)), [""; 0]);
    }
}
