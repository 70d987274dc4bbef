//! Reddit: lines of comments and submissions, and listings.

use polemic::read::rows::Options;
use polemic::thread::Status;
use serde_json::json;

use super::{as_array, fixture, read, read_with, rewritten};

#[test]
fn lines_of_comments_become_a_thread_with_its_submission() {
    let read = read("RC.ndjson", fixture("reddit_pushshift.ndjson"));
    assert_eq!(read.format, "reddit");
    assert_eq!(
        read.parents(),
        [
            ("j0000a1", None),
            ("j0000a2", Some("j0000a1")),
            ("j0000a3", Some("j0000a2")),
            ("j0000a4", Some("j0000a3")),
            ("j0000a5", None),
            ("j0000a6", None),
            ("j0000a7", Some("j0000a5")),
            ("j0000a8", Some("j0000a5")),
        ]
    );
    assert!(read.comments.iter().all(|row| row.thread_id.as_deref() == Some("zk41aa")));
    let [story] = read.stories.as_slice() else { panic!("one story") };
    assert_eq!(story.thread_id.as_deref(), Some("zk41aa"));
    assert_eq!(story.story.title.as_deref(), Some("The new ferry timetable & what it breaks"));
    assert_eq!(
        story.story.url.as_deref(),
        Some("https://www.reddit.com/r/harbourtown/comments/zk41aa/the_new_ferry_timetable/")
    );
    assert_eq!(story.story.body.as_deref(), Some("They cut the 7:10. >40 minutes more for the school run."));
}

#[test]
fn entities_are_undone_and_quoted_lines_stay() {
    let read = read("RC.ndjson", fixture("reddit_pushshift.ndjson"));
    assert_eq!(read.text("j0000a1"), ">They cut the 7:10\n\nNo, they moved it to 7:25 & told nobody.");
}

#[test]
fn times_and_authors_are_read_in_every_notation() {
    let read = read("RC.ndjson", fixture("reddit_pushshift.ndjson"));
    assert_eq!(read.created("j0000a1"), Some("2022-12-13T02:55:00Z"));
    assert_eq!(read.created("j0000a2"), Some("2022-12-13T02:56:40Z"));
    assert_eq!(read.author("j0000a2"), Some("old_pilot"));
    assert_eq!(read.author("j0000a6"), Some("cheap_tickets_4u"));
    assert_eq!(read.author("j0000a3"), None);
}

#[test]
fn what_is_gone_keeps_its_place_without_the_notice() {
    let read = read("RC.ndjson", fixture("reddit_pushshift.ndjson"));
    for id in ["j0000a3", "j0000a5", "j0000a8"] {
        assert_eq!((read.status(id), read.text(id)), (Status::Deleted, ""), "{id}");
    }
    assert_eq!((read.status("j0000a7"), read.text("j0000a7")), (Status::Deleted, "Same post again"));
    assert_eq!(read.status("j0000a6"), Status::Spam);
}

#[test]
fn rows_that_are_no_comments_are_refused_with_line_and_reason() {
    let read = read("RC.ndjson", fixture("reddit_pushshift.ndjson"));
    assert_eq!(
        read.refusals(),
        [
            "neither a comment (it has no `body`) nor a submission (it has no `title` and `selftext`)",
            "`body` is a list, a string is expected"
        ]
    );
    assert_eq!(read.bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [10, 11]);
    assert!(read.bad.iter().all(|bad| !bad.fatal && bad.raw.is_empty()));
}

#[test]
fn an_array_of_rows_reads_like_its_lines() {
    let lines = fixture("reddit_pushshift.ndjson");
    let by_line = read("RC.ndjson", lines.clone());
    let in_array = read("RC.json", as_array(&lines));
    assert_eq!((by_line.comments, by_line.stories), (in_array.comments, in_array.stories));
    assert_eq!(in_array.bad.len(), 2);
}

#[test]
fn a_submission_that_praw_dumped_among_its_comments_is_a_story() {
    let lines = [
        json!({"id": "s1", "name": "t3_s1", "link_id": "", "parent_id": "", "title": "CMV: maps", "body": "Maps lie."}),
        json!({"id": "c1", "name": "t1_c1", "link_id": "t3_s1", "parent_id": "t3_s1", "title": "CMV: maps",
            "body": "No."}),
    ];
    let read = read("cmv.ndjson", format!("{}\n{}\n", lines[0], lines[1]));
    assert_eq!(read.parents(), [("c1", None)]);
    assert_eq!(read.comment("c1").title.as_deref(), Some("CMV: maps"));
    assert_eq!(read.stories[0].story.body.as_deref(), Some("Maps lie."));
    assert_eq!(read.stories[0].story.url.as_deref(), Some("https://www.reddit.com/comments/s1"));
}

#[test]
fn comments_inside_of_a_submission_are_read() {
    let thread = json!({"id": "s1", "name": "t3_s1", "title": "Maps", "selftext": "[removed]",
        "permalink": "/r/m/comments/s1/maps/",
    "comments": [
        {"id": "c1", "name": "t1_c1", "parent_id": "t3_s1", "body": "No.", "replies": ["c2"]},
        {"id": "c2", "parent_id": "t1_c1", "body": "Yes."},
        {"children": ["c8", "c9"], "count": 2, "id": "c8", "name": "t1_c8", "parent_id": "t3_s1"},
    ]});
    let read = read("threads.jsonl", thread.to_string());
    assert_eq!(read.parents(), [("c1", None), ("c2", Some("c1"))]);
    assert!(read.comments.iter().all(|row| row.thread_id.as_deref() == Some("s1")));
    assert_eq!((read.missing, read.stories[0].story.body.as_deref()), (2, None));
}

#[test]
fn an_id_in_base_36_is_found_whatever_number_writes_it() {
    let row = |parent: serde_json::Value| {
        json!({"id": "zz", "link_id": "t3_abc", "parent_id": parent, "subreddit": "m", "body": "x"}).to_string()
    };
    for (parent, expected) in [
        (json!(35), Some("z")),
        (json!(36), Some("10")),
        (json!(u64::MAX), Some("3w5e11264sgsf")),
        (json!(36.0), Some("10")),
        (json!(13368), None),
        (json!("abc"), None),
        (json!("t3_abc"), None),
        (json!("t1_abd"), Some("abd")),
        (json!(-5), None),
        (json!(1.5), None),
        (json!(true), None),
    ] {
        assert_eq!(read("a.ndjson", row(parent.clone())).parents(), [("zz", expected)], "{parent}");
    }
}

#[test]
fn a_table_with_named_columns_stays_a_table() {
    let lines = fixture("reddit_pushshift.ndjson");
    let options = Options { text: Some("author".into()), ..Options::default() };
    let read = read_with("RC.ndjson", lines, &options);
    assert!(read.comments.iter().any(|row| row.stated.comment.text == "Marta_Quay"));
}

#[test]
fn a_table_made_of_reddit_comments_stays_a_table() {
    let row =
        json!({"id": "c1", "link_id": "t3_s1", "parent_id": "t1_c0", "title": "CMV: maps", "text": "No.", "rude": 1});
    let read = read("labelled.jsonl", row.to_string());
    assert_eq!((read.format, read.text("c1")), ("jsonl", "No."));
}

#[test]
fn labels_beside_the_fields_of_reddit_can_be_read_as_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("RC.ndjson");
    std::fs::write(&path, fixture("reddit_pushshift.ndjson")).unwrap();
    let mut rows = polemic::read::open_rows(&path, &Options::default()).unwrap();
    let row = std::iter::from_fn(|| rows.next_row()).nth(1).unwrap().unwrap();
    assert_eq!(row.fields.get("score"), Some(&json!(12)));
}

#[test]
fn a_listing_is_read_in_reading_order() {
    for text in rewritten(&fixture("reddit_thread.json")) {
        let read = read("thread.json", text);
        assert_eq!(read.format, "reddit-listing");
        assert_eq!(
            read.parents(),
            [("c1", None), ("c2", Some("c1")), ("c3", Some("c2")), ("c4", Some("c1")), ("c5", None)]
        );
        assert_eq!(read.text("c1"), "A lane > a painted stripe.");
        assert_eq!((read.status("c2"), read.text("c2")), (Status::Deleted, ""));
        assert_eq!(read.missing, 12);
        let [story] = read.stories.as_slice() else { panic!("one story") };
        assert_eq!(
            story.story.url.as_deref(),
            Some("https://www.reddit.com/r/ringroad/comments/q7bike/should_the_ring_road_get_a_bike_lane/")
        );
        assert_eq!((story.thread_id.as_deref(), story.story.body.as_deref()), (Some("q7bike"), None));
        assert!(read.bad.is_empty() && read.thread().1.is_empty());
    }
}

#[test]
fn a_listing_of_a_user_is_read() {
    let listing = json!({"kind": "Listing", "data": {"after": "t1_x", "children": [
        {"kind": "t1", "data": {"id": "a", "parent_id": "t1_9", "link_id": "t3_s1", "body": "Hm.", "link_title": "One",
            "link_permalink": "https://www.reddit.com/r/m/comments/s1/one/", "replies": ""}},
        {"kind": "t1", "data": {"id": "b", "parent_id": "t3_s2", "link_id": "t3_s2", "body": "Ha.",
            "link_title": "Two"}},
        {"kind": "t3", "data": {"id": "s3", "title": "Three", "selftext": "Text."}},
        {"kind": "t5", "data": {"id": "m"}},
        {"kind": "t1", "data": {"id": "c"}},
        {"kind": "t1", "data": "c"},
        7,
    ]}});
    let read = read("user.json", listing.to_string());
    assert_eq!(read.parents(), [("a", Some("9")), ("b", None)]);
    assert_eq!(read.comment("a").title.as_deref(), Some("One"));
    assert_eq!(read.comment("a").url.as_deref(), Some("https://www.reddit.com/r/m/comments/s1/one/"));
    assert_eq!(read.comment("b").thread_id.as_deref(), Some("s2"));
    assert_eq!(read.stories.len(), 1);
    assert_eq!(
        read.refusals(),
        [
            "a thing of kind `t5`: neither a comment (t1) nor a submission (t3)",
            "a comment without `body`",
            "a string stands where the `data` of a thing is expected",
            "a number stands where a comment or submission of Reddit is expected",
        ]
    );
}

#[test]
fn replies_of_a_comment_that_is_refused_are_read() {
    let listing = json!({"kind": "Listing", "data": {"children": [{"kind": "t1", "data": {"id": "a", "body": 5,
        "replies": {"kind": "Listing", "data": {"children": [
            {"kind": "t1", "data": {"id": "b", "body": "Yes."}}]}}}}]}});
    let read = read("thread.json", listing.to_string());
    assert_eq!(read.parents(), [("b", Some("a"))]);
    assert_eq!(read.bad.len(), 1);
    assert_eq!(read.thread().1.missing_parents.len(), 1);
}
