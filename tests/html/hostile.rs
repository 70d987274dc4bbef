//! Pages that are broken or made to break their reader.

use std::io::Cursor;

use polemic::read::format::{self, Opened};
use polemic::read::rows::Options;
use polemic::thread::Thread;
use proptest::prelude::*;

use super::Read;

const MANY: usize = 100_000;

#[test]
fn elements_to_any_depth_are_read() {
    for piece in
        ["<div>", "<table><tr><td>", "<ul><li class=comment>", "<b class=x>", "<div class=comment><div class=indented>"]
    {
        assert_eq!(Read::html(&format!("<html>{}", piece.repeat(MANY))).comments.len(), 0);
    }
    // Formatting that is never closed must not be opened again in every paragraph.
    let read = Read::html(&format!("<html>{}{}", "<i a=1>".repeat(MANY), "<p>x".repeat(MANY)));
    assert!(read.comments.is_empty());
}

#[test]
fn replies_to_any_depth_keep_their_parents() {
    let deep: Vec<String> = (1..=MANY)
        .map(|i| format!("<ul class=children><li class='comment depth-{i}' id=comment-{i}><b class=fn>a</b><div class=comment-content>x{i}</div>"))
        .collect();
    let read = Read::html(&format!("<html>{}", deep.concat()));
    assert_eq!(read.text("99999"), "x99999");
    let (thread, repairs) = Thread::build(read.comments);
    assert!(repairs.is_empty());
    assert_eq!(thread.comments.last().map(|comment| comment.depth), Some(MANY as u32 - 1));

    let nameless =
        "<div class=comment><b class=author>a</b><i class=date>2020</i><div class=comment-text>x</div>".repeat(MANY);
    let (thread, _) = Thread::build(Read::html(&format!("<html>{nameless}")).comments);
    assert_eq!(thread.comments.last().map(|comment| comment.depth), Some(MANY as u32 - 1));
}

#[test]
fn ids_that_collide_are_told_apart_and_reported() {
    let item = |text: &str| format!("<li id=comment-5><b class=fn>A</b><p>{text}</p></li>");
    let read = Read::html(&format!("<html><ol>{}{}</ol>", item("one"), item("two")));
    let (thread, repairs) = Thread::build(read.comments);
    let texts: Vec<&str> = thread.comments.iter().map(|comment| comment.text.as_str()).collect();
    assert_eq!(texts, ["one", "two"]);
    assert_eq!(repairs.duplicate_ids, ["5"]);
}

#[test]
fn a_page_cut_anywhere_is_read_up_to_there() {
    let whole = include_str!("../fixtures/html/wordpress-html5.html");
    let mut most = 0;
    for end in (0..whole.len()).step_by(37).filter(|&end| whole.is_char_boundary(end)) {
        let read = Read::html(&format!("<html>{}", &whole[..end]));
        // The last tag may be cut so short that it looks like text.
        let whole = read.comments.iter().filter(|s| s.comment.created.is_some() && !s.comment.text.is_empty()).count();
        assert!(whole >= most, "a longer piece holds no fewer comments");
        most = whole;
    }
    assert_eq!(most, 4);
}

#[test]
fn malformed_bytes_do_not_end_a_page() {
    let page = "<html><li id=comment-5><b class=fn>Jörg Müßig</b><p>Schöne Grüße aus Köln, ";
    let read = Read::bytes(&[page.as_bytes(), b"one \xff byte</p><li id=comment-6><p>And on."].concat());
    assert_eq!(read.text("5"), "Schöne Grüße aus Köln, one \u{fffd} byte");
    assert_eq!(read.text("6"), "And on.");
}

#[test]
fn a_page_beyond_the_limit_is_refused_with_the_limit() {
    let options = Options { max_document: 1000, ..Options::default() };
    let input = Box::new(Cursor::new(format!("<html>{}", "x".repeat(1000)).into_bytes()));
    let opened = Opened::from_reader("page.html", input, &options).unwrap();
    let refused = format::find(&opened, &options).unwrap().open(opened, &options).err().unwrap();
    assert!(refused.to_string().contains("page.html") && refused.to_string().contains("1000 bytes"), "{refused}");
}

#[test]
fn marks_and_attributes_without_number_are_bounded() {
    let marks: Vec<String> = (0..20_000u32)
        .map(|i| {
            let letters: String =
                [i / 676 % 26, i / 26 % 26, i % 26].iter().map(|n| char::from(b'a' + *n as u8)).collect();
            format!("<div class='comment-{letters}x'>")
        })
        .collect();
    assert!(Read::html(&format!("<html>{}", marks.concat())).comments.is_empty());
    let attributes: Vec<String> = (0..MANY).map(|i| format!("a{i} ")).collect();
    assert!(Read::html(&format!("<html><p {}>", attributes.concat())).comments.is_empty());
    let headings = format!("{}{}", "<p id=comments></p>".repeat(MANY), "<h2>x</h2>".repeat(MANY));
    assert!(Read::html(&format!("<html>{headings}")).comments.is_empty());
}

proptest! {
    #[test]
    fn nothing_panics_and_all_comments_have_a_place(html in r#"(<li class="comment depth-[1-4]" id="comment-[1-5]">|<div id='wpd-comm-[1-4]_[0-4]'>|<div class="comment">|<div class="reply">|<ul class=children>|<div class=indented>|<dt class="comment depth-1" id=comment-[6-9]>|<dd>|<b class=fn>|<p>|<div class=comment-content>|<time datetime="2020-01-01T00:00:00Z">|<cite>|</li>|</div>|</ul>|</p>|</b>|<table>|<td>|</table>|<a id=comment-[1-3]></a>|says:|ü| |x){0,60}"#) {
        let read = Read::html(&format!("<html>{html}"));
        let count = read.comments.len();
        for stated in &read.comments {
            let comment = &stated.comment;
            prop_assert!(!comment.id.is_empty());
            prop_assert!(comment.quotes.iter().all(|range| comment.text.get(range.clone()).is_some()));
        }
        let (thread, _) = Thread::build(read.comments);
        prop_assert_eq!(thread.comments.len(), count);
    }
}
