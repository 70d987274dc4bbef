//! Discourse, remark42, Commento, Isso and the Internet Argument Corpus.

use polemic::thread::Status;
use serde_json::{Value, json};

use super::{as_array, fixture, read, rewritten};

#[test]
fn a_topic_of_discourse_is_read_with_its_opening_post() {
    for text in rewritten(&fixture("discourse_topic.json")) {
        let read = read("44.json", text);
        assert_eq!(read.format, "discourse");
        assert_eq!(
            read.parents(),
            [
                ("310", None),
                ("312", Some("310")),
                ("315", Some("312")),
                ("316", Some("315")),
                ("317", None),
                ("318", Some("post-number-4")),
                ("319", None),
            ]
        );
        let [story] = read.stories.as_slice() else { panic!("one story") };
        assert_eq!(story.thread_id.as_deref(), Some("44"));
        assert_eq!(story.story.title.as_deref(), Some("Kiln, room 4"));
        assert!(story.story.body.as_deref().is_some_and(|body| body.contains("Who fixes it?")));
        assert_eq!(read.created("310"), Some("2021-02-03T15:00:00Z"));
        assert_eq!(read.text("312"), "Not the one who broke it, *for sure*.");
        assert!(read.text("315").contains("So it was you.") && !read.text("315").contains("[quote"));
        assert_eq!((read.status("316"), read.text("316")), (Status::Deleted, ""));
        assert_eq!((read.status("318"), read.text("318")), (Status::Pending, ""));
        assert_eq!(read.status("319"), Status::Deleted);
        assert!(read.text("319").contains("call the fitter"));
        assert_eq!(read.missing, 2);
        assert!(read.bad.is_empty());
        assert_eq!(read.thread().1.missing_parents, [["318".to_owned(), "post-number-4".to_owned()]]);
    }
}

fn posts() -> Vec<Value> {
    let mut topic: Value = serde_json::from_str(&fixture("discourse_topic.json")).unwrap();
    let Value::Array(posts) = topic["post_stream"]["posts"].take() else { panic!("posts") };
    posts
}

#[test]
fn posts_of_discourse_find_their_parents_however_they_come() {
    let parents = [
        ("310", None),
        ("312", Some("310")),
        ("315", Some("312")),
        ("316", Some("315")),
        ("317", None),
        ("318", Some("post-number-4")),
        ("319", None),
    ];
    let posts = posts();
    let lines: Vec<String> = posts.iter().map(Value::to_string).collect();
    let lines = lines.join("\n");
    for text in [lines.clone(), as_array(&lines), json!({"posts": posts}).to_string()] {
        let read = read("posts.json", text);
        assert_eq!((read.format, read.parents().as_slice()), ("discourse", parents.as_slice()));
        assert!(read.comments.iter().all(|row| row.thread_id.as_deref() == Some("44")));
    }
    let newest_first: Vec<&Value> = posts.iter().rev().collect();
    let read = read("posts.json", json!({"latest_posts": newest_first}).to_string());
    assert!(read.parents().iter().rev().eq(&parents));
}

#[test]
fn pages_of_a_topic_of_discourse_add_up() {
    let posts = posts();
    let stream = [310, 311, 312, 315, 316, 317, 318, 319];
    let page =
        |posts: &[Value]| json!({"id": 44, "title": "Kiln, room 4", "post_stream": {"posts": posts, "stream": stream}});
    let (first, second) = posts.split_at(3);
    let pages = format!("{}\n{}\n", page(first), page(second));
    let read = read("pages.ndjson", pages);
    assert_eq!((read.comments.len(), read.missing), (7, 0));
    assert_eq!(read.stories.len(), 2);
    assert_eq!(read.comment("315").stated.parent_id.as_deref(), Some("312"));
}

#[test]
fn lists_of_topics_of_discourse_hold_stories_alone() {
    let list = json!({"users": [{"id": 1, "username": "joana"}], "topic_list": {"per_page": 30, "topics": [
        {"id": 44, "title": "Kiln, room 4", "posts_count": 10}, {"id": 45, "fancy_title": "Clay &amp; glaze"}, 5]}});
    let read = read("latest.json", list.to_string());
    let titles: Vec<_> = read.stories.iter().map(|row| row.story.title.as_deref()).collect();
    assert_eq!(titles, [Some("Kiln, room 4"), Some("Clay & glaze")]);
    assert_eq!((read.comments.len(), read.missing, read.bad.len()), (0, 0, 1));
}

#[test]
fn other_answers_of_discourse_hold_no_comments_and_say_so() {
    for other in [json!({"success": true}), json!({"post_action_users": [{"id": 1, "username": "joana"}]})] {
        let read = read("other.json", other.to_string());
        assert!(read.comments.is_empty() && read.bad[0].what.contains("no field with the comment's text"));
    }
}

#[test]
fn a_tree_of_remark42_is_read_in_reading_order() {
    for text in rewritten(&fixture("remark42_tree.json")) {
        let read = read("tree.json", text);
        assert_eq!(read.format, "remark42");
        assert_eq!(read.parents(), [("r1", None), ("r2", Some("r1")), ("r3", Some("r2")), ("r4", Some("r1"))]);
        assert_eq!(read.text("r1"), "The **map** is upside down.");
        assert_eq!(read.text("r3"), "That was uncalled for.");
        assert_eq!((read.status("r2"), read.author("r2")), (Status::Deleted, None));
        assert_eq!((read.author("r1"), read.created("r1")), (Some("Ulla"), Some("2020-06-01T10:00:00Z")));
        assert_eq!(read.comment("r1").title.as_deref(), Some("The northern walk"));
        assert_eq!(read.comment("r3").thread_id.as_deref(), Some("https://walks.example/north"));
        assert_eq!(read.comment("r3").url, read.comment("r3").thread_id);
        assert_eq!(read.missing, 3);
    }
}

#[test]
fn a_backup_of_remark42_is_read_behind_its_first_line() {
    let lines = fixture("remark42_backup.ndjson");
    let read = read("backup.ndjson", lines.clone());
    assert_eq!((read.format, read.parents()), ("remark42", vec![("r1", None), ("r4", Some("r1"))]));
    assert_eq!(read.refusals(), ["`text` is a number, a string is expected"]);
    assert_eq!(read.bad[0].line, 4);
}

#[test]
fn a_backup_of_remark42_with_many_users_is_recognised() {
    let users: Vec<Value> = (0..5000).map(|n| json!({"id": format!("user_{n}"), "verified": true})).collect();
    let meta = json!({"version": 1, "users": users, "posts": null});
    let lines = fixture("remark42_backup.ndjson");
    let comments = lines.split_once('\n').unwrap().1;
    assert_eq!(read("backup.ndjson", format!("{meta}\n{comments}")).comments.len(), 2);
}

#[test]
fn a_plain_list_of_remark42_is_read() {
    let lines = fixture("remark42_backup.ndjson");
    let comments = lines.split_once('\n').unwrap().1;
    let array = as_array(comments);
    for text in [array.clone(), format!("{{\"comments\": {array}, \"info\": {{\"count\": 2}}}}")] {
        assert_eq!(read("list.json", text).parents(), [("r1", None), ("r4", Some("r1"))]);
    }
}

#[test]
fn an_export_of_commento_is_read() {
    for text in rewritten(&fixture("commento.json")) {
        let read = read("commento.json", text);
        assert_eq!(read.format, "commento");
        assert_eq!(read.parents(), [("aa01", None), ("aa02", Some("aa01")), ("aa03", Some("aa02")), ("aa04", None)]);
        assert_eq!((read.author("aa01"), read.author("aa02")), (Some("Olga"), None));
        assert_eq!(read.text("aa01"), "Too sour for me.");
        assert!(read.text("aa02").contains("Then bake"));
        assert_eq!((read.status("aa02"), read.status("aa04")), (Status::Pending, Status::Pending));
        assert_eq!((read.status("aa03"), read.text("aa03")), (Status::Deleted, ""));
        assert_eq!(read.comment("aa01").thread_id.as_deref(), Some("bakery.example/rye"));
        assert_eq!(read.comment("aa04").url.as_deref(), Some("bakery.example/spelt"));
        assert_eq!(read.created("aa01"), Some("2021-01-02T03:04:05.678Z"));
        assert_eq!(read.refusals(), ["a comment without `markdown` and `html`"]);
    }
}

#[test]
fn threads_of_isso_are_read() {
    for text in rewritten(&fixture("isso.json")) {
        let read = read("isso.json", text);
        assert_eq!(read.format, "isso");
        assert_eq!(read.parents(), [("0", None), ("1", Some("0")), ("2", None), ("3", None), ("0", None)]);
        let titles: Vec<_> = read.stories.iter().map(|row| row.story.title.as_deref()).collect();
        assert_eq!(titles, [Some("Fog & frost 100%"), Some("Rain")]);
        assert_eq!(read.comments[4].thread_id.as_deref(), Some("/walks/rain/"));
        assert_eq!((read.author("0"), read.author("1")), (Some("Piet"), None));
        assert_eq!(read.created("1"), Some("2018-11-05T08:00:00Z"));
        assert_eq!((read.status("2"), read.status("3")), (Status::Pending, Status::Deleted));
        assert_eq!(read.refusals(), ["`text` is a number, a string is expected"]);
    }
}

#[test]
fn no_address_of_a_person_leaves_an_export() {
    for name in ["commento.json", "isso.json", "remark42_tree.json", "remark42_backup.ndjson", "discourse_topic.json"] {
        let text = fixture(name);
        // Whole, and cut off in the middle of what must not be shown.
        let cut = text.rfind('@').or_else(|| text.find("gravatar")).unwrap();
        for text in [text.clone(), text[..cut + 5].to_owned()] {
            let said = format!("{:?}", read(name, text));
            for private in
                ["192.0.2.", "198.51.100.", "gravatar", "email_", "ulla@", "olga@", "piet@", "bot@", "lost@", "flour@"]
            {
                assert!(!said.contains(private), "{name}: {private}");
            }
        }
    }
}

#[test]
fn a_discussion_of_the_argument_corpus_is_read() {
    for text in rewritten(&fixture("iac_4711.json")) {
        let read = read("discussions/4711.json", text);
        assert_eq!(read.format, "iac");
        assert_eq!(read.parents(), [("501", None), ("502", Some("501")), ("503", Some("499"))]);
        assert!(read.comments.iter().all(|row| row.thread_id.as_deref() == Some("4711")));
        assert_eq!(read.text("502"), "Originally posted by harbour_jo\n I say yes.\n No & never.");
        assert_eq!((read.author("502"), read.author("503")), (Some("cat_person"), None));
        assert_eq!(read.created("501"), Some("2004-11-09T11:33:20Z"));
        assert_eq!(
            read.refusals(),
            ["a post without text (its fourth element)", "a string stands where a post (a list) is expected"]
        );
        let [story] = read.stories.as_slice() else { panic!("one story") };
        assert_eq!(story.thread_id.as_deref(), Some("4711"));
        assert_eq!(story.story.title.as_deref(), Some("Dogs on the ferry"));
        assert_eq!(story.story.url.as_deref(), Some("http://forum.example/ferry/4711-dogs.html"));
    }
}
