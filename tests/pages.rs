//! Reads invented pages, threads drawn at random, arbitrary text, and (where they lie beside the project) real pages.

use std::fmt::Write as _;
use std::path::PathBuf;

use polemic::read::page;
use polemic::text::quotes;
use polemic::thread::{Repairs, Thread};
use proptest::prelude::*;

fn fixture(name: &str) -> (Thread, Repairs) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pages").join(name);
    page::read(&std::fs::read_to_string(path).expect("the fixture is part of the project"))
}

/// A real page, or nothing where the shared folder is not there.
fn real(name: &str) -> Option<(Thread, Repairs)> {
    let shared = std::env::var("POLEMIC_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let text = std::fs::read_to_string(PathBuf::from(shared).join("pages").join(name)).ok()?;
    Some(page::read(&text))
}

fn depths(thread: &Thread) -> Vec<u32> {
    thread.comments.iter().map(|comment| comment.depth).collect()
}

fn authors(thread: &Thread) -> Vec<&str> {
    thread.comments.iter().map(|comment| comment.author.as_deref().unwrap_or_default()).collect()
}

fn texts(thread: &Thread) -> Vec<&str> {
    thread.comments.iter().map(|comment| comment.text.as_str()).collect()
}

#[test]
fn signed_wordpress_thread_under_an_article_with_a_list() {
    let (thread, repairs) = fixture("wordpress_signed.txt");
    assert_eq!(depths(&thread), [0, 1, 2, 0]);
    assert_eq!(authors(&thread), ["Orla Fenwick", "Bram \"Rivet\" Oduya", "Orla Fenwick", "Quill42"]);
    assert_eq!(
        thread.comments[2].text,
        "Three things I would rather pay for:\n\n- buses\n- a ferry\n- fewer consultants"
    );
    assert_eq!(thread.comments[3].created.as_deref(), Some("March 3, 2019 at 9:12 am"));
    assert_eq!(thread.comments[2].id, "1.1.1");
    assert!(repairs.is_empty() && !thread.flat);
    assert_eq!(thread.story.title.as_deref(), Some("Harbour Bridge Reopens After Nine Months of Repairs"));
    let body = thread.story.body.expect("the page has an article");
    assert!(body.starts_with("The old harbour bridge") && body.ends_with("while the bridge was closed."), "{body}");
    assert!(body.contains("1. First, the steel"));
}

#[test]
fn numbered_replies_and_numbers_set_flush_right() {
    let (thread, repairs) = fixture("wordpress_numbered_replies.txt");
    assert_eq!(depths(&thread), [0, 1, 1, 2, 0, 0]);
    assert_eq!(
        thread.comments[0].text,
        "I work six days a week. When am I supposed to go?\n\nSundays were the only quiet hours we had."
    );
    assert_eq!(thread.comments[3].parent, Some(2));
    assert!(repairs.is_empty());
}

#[test]
fn a_list_in_an_article_is_no_thread() {
    let (thread, repairs) = fixture("article_with_list.txt");
    assert_eq!(texts(&thread), [""; 0]);
    assert!(repairs.is_empty());
    let body = thread.story.body.expect("the page has an article");
    assert!(body.contains("5. Do you have help?") && body.ends_with("single day."), "{body}");
}

#[test]
fn wpdiscuz_thread_with_labels_and_dates() {
    let (thread, repairs) = fixture("wpdiscuz_tagged.txt");
    assert_eq!(authors(&thread), ["Mirela T.", "Old Stoker (retired)", "Mirela T.", "pax_9"]);
    let expected = ["About time", "I drove the last one.\n\nRain all night", "Lovely", "who needs a bed in a train"];
    assert_eq!(texts(&thread), expected);
    assert_eq!(thread.comments[3].created.as_deref(), Some("2 years ago"));
    assert_eq!(repairs.missing_comments, 1);
    assert_eq!(thread.story.title.as_deref(), Some("Night Trains Return to the Valley Line"));
}

#[test]
fn wpdiscuz_thread_of_bare_names() {
    let (thread, repairs) = fixture("wpdiscuz_bare.txt");
    let expected = ["Krümel", "Anton van der Brot", "Krümel", "Z3no", "Anton van der Brot", "Hefe “Teig” Maier"];
    assert_eq!(authors(&thread), expected);
    assert_eq!(thread.comments[0].text, "Two per cent of very little is very little.\n\nStill nothing");
    assert_eq!(thread.comments[4].text, "As I said:\n\nBake your own");
    assert!(repairs.is_empty() && thread.flat);
    assert_eq!(thread.story.title.as_deref(), Some("Bakery Strike Enters Its Second Week"));
}

#[test]
fn tabs_carriage_returns_and_hard_spaces() {
    let page = "A Short Headline About Something\r\n\r\n1 Comment\r\n\r\n\u{a0} 1.\u{a0}I say so!\u{200b} \r\n\r\n\t\u{2022} And you?\u{a0}\r\n\r\n\t\t\u{2022} Me too\r\n";
    let (thread, _) = page::read(page);
    assert_eq!(texts(&thread), ["I say so!", "And you?", "Me too"]);
    assert_eq!(depths(&thread), [0, 1, 2]);
}

#[test]
fn pages_with_nothing_to_read() {
    for page in
        ["", "\n\r\n\t \u{feff}", "Subscribe\nNotify of\nguest\n0 Comments\nOldest", "0\n2,500\nLeave a comment"]
    {
        let (thread, repairs) = page::read(page);
        assert!(thread.comments.is_empty() && repairs.is_empty(), "{page:?}");
    }
    let (thread, repairs) = page::read("Subscribe\nNotify of\nguest\n7 Comments\nOldest\nView all comments\n");
    assert!(thread.comments.is_empty());
    assert_eq!(repairs.missing_comments, 7);
}

#[test]
fn a_menu_entry_that_counts_comments_heads_no_thread() {
    let page =
        "Cake Without Sugar Is Possible After All\n\n  • 80 Comments\n\n  • Share It!\n\n  • Yum It!\n\n  • Send It!\n";
    assert!(page::read(page).0.comments.is_empty());
}

#[test]
fn huge_pages_are_read() {
    let furniture = "Notify of\nguest\n5000 Comments\nOldest\nView all comments\n";
    let names = format!("{furniture}{}", "Ann Bee\n\n".repeat(200_000));
    let list = "  1. a!\n\n    • b?\n\n".repeat(100_000);
    let deep: Vec<String> = (0..1_800).map(|depth| format!("{}• you\n\n", " ".repeat(depth))).collect();
    let deep = deep.concat();
    for page in [names, list, format!("3 Comments\n\n{deep}"), "x".repeat(2 << 20), "“".repeat(1 << 20)] {
        page::read(&page);
    }
}

#[test]
fn quotes_of_huge_texts_are_found() {
    for unit in ["ha ", "he said \"so so\" ", "One two three four five. ", "\"", "a b c. ", "> x\n"] {
        let text = unit.repeat((1 << 20) / unit.len());
        let found = quotes::find(&text, Some(&text), &[]);
        assert!(found.iter().all(|range| text.get(range.clone()).is_some()), "{unit}");
    }
}

#[test]
fn real_wordpress_page() {
    let Some((thread, repairs)) = real("000_e6d5d59d73a97e43.txt") else { return };
    assert_eq!(depths(&thread), [0, 1, 2, 3, 4, 2, 3, 4, 0, 0, 0, 0, 1, 2]);
    let parents: Vec<Option<usize>> = thread.comments.iter().map(|comment| comment.parent).collect();
    assert_eq!(parents[..8], [None, Some(0), Some(1), Some(2), Some(3), Some(1), Some(5), Some(6)]);
    assert_eq!(parents[8..], [None, None, None, None, Some(11), Some(12)]);
    let paragraphs: Vec<usize> = texts(&thread).iter().map(|text| text.split("\n\n").count()).collect();
    assert_eq!((thread.comments.len(), paragraphs[1], paragraphs[2]), (14, 2, 3));
    assert!(repairs.is_empty() && !thread.flat && authors(&thread).iter().all(|author| author.is_empty()));
}

#[test]
fn real_page_without_a_thread() {
    let Some((thread, repairs)) = real("001_eaaaeda038b29fde.txt") else { return };
    assert!(thread.comments.is_empty() && repairs.is_empty());
    assert!(thread.story.title.is_some() && thread.story.body.is_some_and(|body| body.split("\n\n").count() >= 18));
}

#[test]
fn real_wpdiscuz_page() {
    let Some((thread, repairs)) = real("003_3b642546244e536a.txt") else { return };
    let authors = authors(&thread);
    assert_eq!((authors.len(), authors.first(), authors.last()), (16, Some(&"dutchnational"), Some(&"Thegr8rambino")));
    assert!(repairs.is_empty() && thread.flat);
    assert!(thread.story.title.as_ref().is_some_and(|title| title.starts_with("Update On Situation")));
    assert!(
        thread.story.body.is_some_and(|body| body.starts_with("The article is") && body.ends_with("Al-Qaryatayn."))
    );
}

/// A sentence of made-up words, sometimes a single one, sometimes without a capital.
fn sentence() -> impl Strategy<Value = String> {
    (prop::collection::vec("[b-z]{3,9}", 1..14), prop::sample::select(vec![".", "!", "?", "!!", "…"]), any::<bool>())
        .prop_map(|(words, end, capital)| {
            let text = words.join(" ");
            let first = text.chars().next().map(|c| if capital { c.to_ascii_uppercase() } else { c });
            format!("{}{}{end}", first.unwrap_or('x'), text.get(1..).unwrap_or_default())
        })
}

fn paragraphs() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::collection::vec(sentence(), 1..4).prop_map(|all| all.join(" ")), 1..4)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z][b-z]{4,9}( [A-Z][b-z]{4,9}){0,2}",
        "[b-z]{4,9}[0-9]{1,3}",
        "[0-9]{2}[b-z]{4,9}",
        "[A-Z][b-z]{3,7}_[A-Z][b-z]{3,7}",
        "[A-Z][b-z]{3,7} “[A-Z][b-z]{4,7}” [A-Z][b-z]{3,7}",
        "[B-Z]{3,4} \\([A-Z][b-z]{3,6} or [A-Z][b-z]{3,6}\\)",
    ]
}

const ARTICLE: &str = "Ferry Fares Rise Again in Spring\n\nThe ferry company said on Monday that it will ask more for every crossing from spring on.\n\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        page::read(&text);
    }

    #[test]
    fn any_lines_that_look_like_threads_are_read(parts in prop::collection::vec(prop::sample::select(vec![
        "\n", "\n\n", " ", "\t", "1. ", "2.", "• ", "- ", "o ", "Ann says:", "March 3, 2019 at 4:05 pm", "3 years ago", "Reply",
        "Subscribe", "Notify of", "guest", "2 Comments", "Oldest", "View all comments", "wpDiscuz", "x", "Ann", "é“", "text.",
    ]), 0..80)) {
        let (thread, _) = page::read(&parts.concat());
        for (at, comment) in thread.comments.iter().enumerate() {
            prop_assert!(comment.parent.is_none_or(|parent| parent < at && thread.comments[parent].depth + 1 == comment.depth));
        }
    }

    #[test]
    fn wordpress_threads_read_back(
        comments in prop::collection::vec((0usize..6, name(), paragraphs()), 1..20),
        step in 2usize..6,
        bullet in prop::sample::select(vec!['•', '*', '-', '◦', 'o', '+']),
        signed in any::<bool>(),
    ) {
        let mut page = format!("{ARTICLE}{} thoughts on “Ferry Fares Rise Again in Spring”\n\n", comments.len());
        let (mut roots, mut last) = (0, None);
        let mut expected = Vec::new();
        for (wish, name, paragraphs) in &comments {
            let depth = last.map_or(0, |last: usize| (*wish).min(last + 1));
            last = Some(depth);
            let margin = " ".repeat(2 + depth * step);
            roots += usize::from(depth == 0);
            let mark = if depth == 0 { format!("{roots}.") } else { bullet.to_string() };
            let inner = format!("{margin}{}", " ".repeat(step.min(2)));
            let head = if signed { format!("{name} says:\n{inner}March 3, 2019 at 4:05 pm\n\n{inner}") } else { String::new() };
            let _ = write!(page, "{margin}{mark} {head}{}\n\n", paragraphs.join(&format!("\n\n{inner}")));
            if signed {
                let _ = write!(page, "{inner}Reply\n\n");
            }
            expected.push((depth as u32, signed.then(|| name.clone()), paragraphs.join("\n\n")));
        }
        page.push_str("Leave a Reply\n\nYour email address will not be published.\n");
        let (thread, repairs) = page::read(&page);
        let found: Vec<_> = thread.comments.iter().map(|c| (c.depth, c.author.clone(), c.text.clone())).collect();
        prop_assert_eq!(found, expected, "{}", page);
        prop_assert!(repairs.is_empty());
    }

    #[test]
    fn wpdiscuz_threads_read_back(comments in prop::collection::vec((name(), paragraphs()), 1..20)) {
        let mut page = format!("{ARTICLE}Subscribe\nNotify of\nguest\n{} Comments\nOldest\nNewest Most Voted\nInline Feedbacks\nView all comments\n", comments.len());
        for (name, paragraphs) in &comments {
            let _ = write!(page, "{name}\n\n{}\n\n", paragraphs.join("\n\n"));
        }
        page.push_str("16\n0\nWould love your thoughts, please comment.x\n()\nx");
        let (thread, repairs) = page::read(&page);
        let found: Vec<_> = thread.comments.iter().map(|c| (c.author.clone().unwrap_or_default(), c.text.clone())).collect();
        let expected: Vec<_> = comments.iter().map(|(name, paragraphs)| (name.clone(), paragraphs.join("\n\n"))).collect();
        prop_assert_eq!(found, expected, "{}", page);
        prop_assert!(repairs.is_empty());
    }

    #[test]
    fn quoted_ranges_are_sound(
        parts in prop::collection::vec(prop::sample::select(vec![
            "“", "”", "\"", "„", "é", " ", "\n", "> ", ". ", "he said ", "trams are late ", "one two three four. ", "😀",
        ]), 0..40),
        noise in any::<String>(),
        marked in prop::collection::vec((0usize..200, 0usize..200), 0..4),
    ) {
        let text = parts.concat() + &noise;
        let marked: Vec<_> = marked.into_iter().map(|(start, end)| start..end).collect();
        let found = quotes::find(&text, Some("One two three four. trams are late é"), &marked);
        let mut end = 0;
        for range in found {
            prop_assert!(range.start >= end && range.start < range.end && text.get(range.clone()).is_some());
            end = range.end;
        }
    }
}
