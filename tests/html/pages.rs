//! Pages of each kind of thread.

use std::path::{Path, PathBuf};

use polemic::thread::{Stated, Status, Thread};

use super::Read;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/html").join(name)
}

fn read(name: &str) -> Read {
    Read::file(&fixture(name))
}

/// Author and time of each comment.
fn said_by<'a>(read: &'a Read) -> Vec<(&'a str, &'a str)> {
    let said =
        |s: &'a Stated| (s.comment.author.as_deref().unwrap_or("-"), s.comment.created.as_deref().unwrap_or("-"));
    read.comments.iter().map(said).collect()
}

#[test]
fn wordpress_html5_gives_threads_pingbacks_and_what_waits_for_moderation() {
    let read = read("wordpress-html5.html");
    let url = "https://harbour-post.example/ferry-timetable/";
    assert_eq!(read.story.thread_id.as_deref(), Some(url));
    assert_eq!(read.story.story.url.as_deref(), Some(url));
    assert_eq!(read.story.story.title.as_deref(), Some("New ferry timetable & what it means"));
    assert_eq!(read.tree(), [("101", "-"), ("104", "101"), ("105", "104"), ("106", "-")]);
    assert_eq!((read.pingbacks, read.missing), (2, 2), "8 announced, 4 and 2 pings found");
    assert_eq!(
        said_by(&read),
        [
            ("Marta Lindqvist", "2024-05-02T06:15:00Z"),
            ("Tom O’Dea", "2024-05-02T07:00:00Z"),
            ("-", "2024-05-02T09:30:00Z"),
            ("Ines", "2024-05-03T08:00:00Z"),
        ],
        "and a mail address is no name"
    );
    let first = &read.comments[0].comment;
    assert_eq!(first.text, "Twice a day is not a service.\nIt is a souvenir.\n\nSee what they promised 🙂");
    assert_eq!(first.links, ["https://islands.example/2019"]);
    let second = &read.comments[1].comment;
    assert_eq!(&second.text[second.quotes[0].clone()], "Twice a day is not a service.");
    assert_eq!(read.comments[2].comment.status, Status::Pending);
    assert_eq!(read.comments[2].comment.text, "In March it was broken, Tom.");
    assert_eq!(read.text("106"), "My grandmother rowed, and 1 < 2 oars.");
}

#[test]
fn wordpress_xhtml_gives_bare_paragraphs_without_what_stands_around_them() {
    let read = read("wordpress-xhtml.html");
    assert_eq!(
        read.story.thread_id.as_deref(),
        Some("wordpress-xhtml.html"),
        "a page without an address goes by its file"
    );
    assert_eq!(read.tree(), [("11", "-"), ("12", "11"), ("13", "-")]);
    assert_eq!(read.missing, 0);
    assert_eq!(said_by(&read)[1], ("Bäcker Jörn", "12. März 2021 um 19:00 Uhr"));
    assert_eq!(read.text("11"), "Bei mir ist der Teig davongelaufen.\n\nWas mache ich falsch?");
}

#[test]
fn old_and_odd_themes_of_wordpress_are_read() {
    let old = read("wordpress-old.html");
    assert_eq!(old.tree(), [("3", "-"), ("4", "-")]);
    assert_eq!(said_by(&old), [("Lena", "April 7th, 2007 at 6:12 pm"), ("Ruud", "April 8th, 2007 at 9:40 am")]);
    assert_eq!((old.text("3"), old.text("4")), ("Best wind in years.", "Mine is still in the tree."));

    let list = read("wordpress-list.html");
    assert_eq!(list.tree(), [("21", "-"), ("22", "-")]);
    assert_eq!(said_by(&list)[0], ("Abe", "2015-06-02T22:25:00"));
    assert_eq!(list.text("22"), "Too little.");

    let block = read("wordpress-block.html");
    assert_eq!(block.tree(), [("31", "-"), ("32", "31")]);
    assert_eq!(said_by(&block), [("Ola", "2023-02-01T11:00:00Z"), ("Per", "2023-02-02T11:00:00Z")]);
    assert_eq!(block.text("31"), "Slate lasts longer.");
}

#[test]
fn wpdiscuz_ids_say_who_answers_whom() {
    let new = read("wpdiscuz7.html");
    assert_eq!(new.tree(), [("501", "-"), ("502", "501"), ("504", "502"), ("503", "499")]);
    assert_eq!(said_by(&new)[0], ("Kay", "30 January, 2025 7:55 pm"), "not three days ago");
    assert_eq!((new.text("501"), new.text("502")), ("Five coins to cross?", "Swim, then."));
    assert_eq!(new.missing, 5, "9 announced, 4 found");
    let (_, repairs) = Thread::build(new.comments);
    assert_eq!(repairs.missing_parents, [["503".to_owned(), "499".to_owned()]]);

    let old = read("wpdiscuz5.html");
    assert_eq!(old.tree(), [("71", "-"), ("72", "71")]);
    assert_eq!(said_by(&old), [("Irmi", "1 Monat her"), ("Gustl", "3 Wochen her")]);
    assert_eq!((old.text("71"), old.text("72")), ("Bei uns heißen sie Maroni.", "Keschtn!"));
}

#[test]
fn disqus_keeps_the_place_of_what_was_deleted() {
    let read = read("disqus.html");
    assert_eq!(read.tree(), [("4001", "-"), ("4002", "4001"), ("4003", "4001"), ("4004", "4003")]);
    assert_eq!(said_by(&read)[1], ("bo", "Tuesday, March 5, 2019 5:00 PM"));
    assert_eq!(read.text("4001"), "Lost three ewes.\n\nThanks a lot.");
    assert_eq!((read.comments[2].comment.status, read.text("4003")), (Status::Deleted, ""));
    assert_eq!(read.text("4004"), "Glad that is gone.");
}

#[test]
fn other_pages_are_read_by_what_repeats_in_them() {
    let drupal = read("drupal.html");
    assert_eq!(drupal.tree(), [("810", "-"), ("811", "810"), ("812", "811"), ("813", "-")]);
    assert_eq!(said_by(&drupal)[1], ("Quentin", "Fri, 01/03/2020 - 11:30"));
    assert_eq!((drupal.text("810"), drupal.text("811")), ("Sold to whom?", "A hotel."));

    let microdata = read("microdata.html");
    assert_eq!(microdata.tree(), [("77", "-"), ("78", "77")]);
    assert_eq!(said_by(&microdata), [("Yusuf", "2022-10-01T10:00:00Z"), ("Zoe", "2022-10-01T11:00:00Z")]);
    assert_eq!(microdata.text("77"), "It rattles.");

    let plain = read("plain-divs.html");
    assert_eq!(plain.tree(), [("a1f", "-"), ("b2c", "a1f"), ("c3d", "b2c")]);
    assert_eq!(said_by(&plain)[0], ("Vik", "2024-05-04T10:00:00"));
    assert_eq!(plain.text("a1f"), "Fence it.");
}

#[test]
fn replies_with_a_mark_of_their_own_are_comments_of_the_same_thread() {
    let one = |kind: &str, name: &str, inside: &str| {
        format!(
            "<div class='{kind}'><span class='{kind}-author'>{name}</span><span class='{kind}-date'>4 May 2024</span>\
             <div class='{kind}-text'>So says {name}.</div>{inside}</div>"
        )
    };
    let replies = format!("<div class='replies'>{}{}</div>", one("reply", "Bo", ""), one("reply", "Cy", ""));
    let read = Read::html(&format!("<html>{}{}</html>", one("comment", "Al", &replies), one("comment", "Di", "")));
    assert_eq!(read.tree(), [("1", "-"), ("1.1", "1"), ("1.2", "1"), ("2", "-")]);
    assert_eq!((read.text("1"), read.text("1.2")), ("So says Al.", "So says Cy."));
}

#[test]
fn a_page_without_comments_is_a_story_alone() {
    let read = read("no-comments.html");
    assert_eq!(read.story.story.title.as_deref(), Some("Nothing to say"));
    assert_eq!((read.comments.len(), read.pingbacks, read.missing), (0, 0, 0));
}

#[test]
fn depth_says_who_answers_whom_where_the_nesting_is_broken() {
    let item = |id: u32, depth: u32, close: &str| {
        format!("<div class='comment depth-{depth}' id='comment-{id}'><b class=fn>A{id}</b><p>Text {id}.</p>{close}")
    };
    let tree = [("1", "-"), ("2", "1"), ("3", "2"), ("4", "1"), ("5", "-")];
    for (close, how) in [("</div>", "all beside each other"), ("", "each inside of the one before")] {
        let depths = [(1, 1), (2, 2), (3, 3), (4, 2), (5, 1)];
        let page: String = depths.iter().map(|(id, depth)| item(*id, *depth, close)).collect();
        let read = Read::html(&format!("<html><body>{page}"));
        assert_eq!(read.tree(), tree, "{how}");
        assert_eq!(read.text("3"), "Text 3.", "{how}");
    }
    // A theme that gives all comments the same depth: there the nesting is all there is.
    let page = format!("<html>{}<ul class=children>{}</ul></div>", item(1, 1, ""), item(2, 1, "</div>"));
    assert_eq!(Read::html(&page).tree(), [("1", "-"), ("2", "1")]);
}

#[test]
fn headings_are_believed_only_where_they_leave_no_doubt() {
    let page = |heading: &str, rest: &str| {
        let comment = "<li id=comment-1><cite class=fn>A</cite><p>Text.</p></li>";
        Read::html(&format!("<html><div id=comments><h2>{heading}</h2><ol>{comment}</ol></div>{rest}")).missing
    };
    assert_eq!(page("12 Comments", ""), 11);
    assert_eq!(page("Kommentare (1.012)", ""), 1011);
    assert_eq!(page("1 Comment", ""), 0);
    assert_eq!(page("Top 10 replies to “12 Monkeys”", ""), 0);
    assert_eq!(page("12 Comments on page 3 of 4", ""), 0);
    assert_eq!(page("12 Comments", "<nav class='comment-navigation'><a href='/x/comment-page-2/'>Older</a></nav>"), 0);
}

#[test]
fn pages_are_known_by_their_start_or_their_name() {
    for html in [
        "<!-- saved from url -->\n\n<!DOCTYPE HTML>\n<p>x",
        "  <HTML lang=en>",
        "<?xml version='1.0'?><html>",
        "<div class=x>y",
    ] {
        assert_eq!(Read::html(html).comments.len(), 0);
    }
}
