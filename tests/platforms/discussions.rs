//! Hacker News and `YouTube`.

use polemic::thread::Status;
use serde_json::json;

use super::{as_array, fixture, read, rewritten};

#[test]
fn items_of_hacker_news_find_their_thread() {
    let lines = fixture("hackernews_items.ndjson");
    for (name, text) in [("items.ndjson", lines.clone()), ("items.json", as_array(&lines))] {
        let read = read(name, text);
        assert_eq!(read.format, "hackernews");
        assert_eq!(
            read.parents(),
            [
                ("701", None),
                ("702", Some("701")),
                ("703", Some("702")),
                ("704", None),
                ("705", Some("9999")),
                ("706", Some("705")),
                ("802", None),
            ]
        );
        let threads: Vec<_> = read.comments.iter().map(|row| row.thread_id.as_deref()).collect();
        assert_eq!(threads, [Some("700"), Some("700"), Some("700"), Some("700"), None, None, Some("800")]);
        assert_eq!((read.status("703"), read.status("704")), (Status::Deleted, Status::Deleted));
        assert_eq!(read.text("704"), "Try my site instead");
        assert_eq!(read.created("701"), Some("2017-07-14T02:41:40Z"));
        assert_eq!(
            read.refusals(),
            ["null: the API has no such item", "an option of a poll, not a comment", "a user, not an item"]
        );
        let titles: Vec<_> = read.stories.iter().map(|row| row.story.title.as_deref()).collect();
        assert_eq!(titles, [Some("Show HN: A spreadsheet that says \"no\""), Some("Poll: tabs")]);
        assert_eq!(read.stories[0].story.url.as_deref(), Some("https://sheet.example/no"));
        assert_eq!(read.stories[1].story.url.as_deref(), Some("https://news.ycombinator.com/item?id=800"));
        assert_eq!(read.stories[1].story.body.as_deref(), Some("Which one?"));
    }
}

#[test]
fn comments_that_stories_state_beyond_those_held_are_missing() {
    // 8 are stated; of the 7 here, 2 are gone and count for nothing.
    assert_eq!(read("items.ndjson", fixture("hackernews_items.ndjson")).missing, 3);
    let story = json!({"id": 1, "type": "story", "by": "a", "time": 1, "title": "t", "descendants": 40});
    assert_eq!(read("story.json", story.to_string()).missing, 40);
}

#[test]
fn a_tree_of_algolia_is_read_in_reading_order() {
    for text in rewritten(&fixture("hackernews_algolia.json")) {
        let read = read("900.json", text);
        assert_eq!(read.format, "hackernews");
        assert_eq!(read.parents(), [("901", None), ("902", Some("901")), ("903", Some("902")), ("904", None)]);
        assert_eq!((read.status("902"), read.text("902"), read.author("902")), (Status::Deleted, "", None));
        assert!(read.comments.iter().all(|row| row.thread_id.as_deref() == Some("900")));
        assert_eq!(read.created("903"), Some("2019-03-04T10:07:00Z"));
        assert_eq!(read.stories[0].story.url.as_deref(), Some("https://news.ycombinator.com/item?id=900"));
        assert!(read.bad.is_empty() && read.missing == 0);
    }
}

#[test]
fn search_results_of_algolia_are_read() {
    let page = json!({"hits": [
        {"objectID": "31", "author": "ann", "comment_text": "So be it.", "created_at": "2020-01-01T00:00:00Z",
            "created_at_i": 1_577_836_800, "parent_id": 30, "story_id": 30, "story_title": "Ask", "story_url": null},
        {"objectID": "32", "author": "bo", "comment_text": "So what?", "created_at_i": 1_577_836_801, "parent_id": 31,
            "story_id": 30, "story_title": "Ask"},
    ], "nbHits": 2, "page": 0});
    let read = read("search.json", page.to_string());
    assert_eq!(read.parents(), [("31", None), ("32", Some("31"))]);
    assert_eq!(read.comment("31").title.as_deref(), Some("Ask"));
    assert_eq!(read.text("32"), "So what?");
}

#[test]
fn a_user_of_hacker_news_holds_no_comment_and_says_so() {
    let user =
        json!({"about": "I test things", "created": 1_100_000_000, "id": "hana", "karma": 512, "submitted": [1, 2]});
    let read = read("hana.json", serde_json::to_string_pretty(&user).unwrap());
    assert_ne!(read.format, "hackernews");
    assert!(read.comments.is_empty() && read.bad[0].what.contains("no field with the comment's text"));
}

#[test]
fn threads_of_youtube_are_read_with_their_replies() {
    let page = fixture("youtube_threads.json");
    let [line, pretty] = rewritten(&page);
    for text in [format!("[{page},{page}]"), format!("{line}\n{line}\n"), pretty.clone() + &pretty] {
        let read = read("comments.json", text);
        assert_eq!(read.format, "youtube");
        assert_eq!(
            read.parents()[..4],
            [("Ugx1", None), ("Ugx1.r1", Some("Ugx1")), ("Ugx1.r2", Some("Ugx1")), ("Ugx2", None)]
        );
        assert_eq!(read.comments.len(), 8);
        assert!(read.comments.iter().all(|row| row.thread_id.as_deref() == Some("vid-00000a1")));
        assert_eq!(read.text("Ugx1"), "The bridge at 2:14 isn't \"restored\"");
        assert_eq!(read.text("Ugx1.r1"), "It is, look at the rivets");
        assert_eq!(read.author("Ugx1.r1"), Some("@rivet.counter"));
        assert_eq!((read.status("Ugx1.r2"), read.status("Ugx2")), (Status::Spam, Status::Pending));
        // Five replies stated, two here, twice.
        assert_eq!(read.missing, 6);
        assert_eq!(read.stories.len(), 1);
        assert_eq!(read.stories[0].story.url.as_deref(), Some("https://www.youtube.com/watch?v=vid-00000a1"));
        assert_eq!(read.refusals(), ["a comment without `textOriginal` and `textDisplay`"; 2]);
    }
}

#[test]
fn replies_of_youtube_that_come_on_their_own_are_no_longer_missing() {
    let page = rewritten(&fixture("youtube_threads.json"))[0].clone();
    let reply = |n: u32, status: &str| {
        json!({"kind": "youtube#comment", "id": format!("Ugx1.x{n}"), "snippet": {"parentId": "Ugx1",
            "videoId": "vid-00000a1", "textOriginal": "Hear, hear", "moderationStatus": status}})
    };
    let replies =
        json!({"kind": "youtube#commentListResponse", "items": [reply(1, "rejected"), reply(2, "published")]});
    let read = read("comments.ndjson", format!("{page}\n{replies}\n{}\n", reply(3, "published")));
    assert_eq!((read.missing, read.comments.len()), (0, 7));
    assert_eq!(read.comment("Ugx1.x2").stated.parent_id.as_deref(), Some("Ugx1"));
    assert_eq!(read.status("Ugx1.x1"), Status::Deleted);
}

#[test]
fn a_single_comment_of_youtube_is_read() {
    let comment = json!({"id": "Ugz", "snippet": {"textDisplay": "Fine by me", "authorDisplayName": "Al",
        "publishedAt": "2020-02-02T00:00:00Z"}});
    let read = read("comment.json", comment.to_string());
    assert_eq!((read.format, read.text("Ugz")), ("youtube", "Fine by me"));
    assert_eq!((read.comment("Ugz").thread_id.as_deref(), read.stories.len()), (None, 0));
}
