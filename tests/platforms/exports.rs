//! Real exports, where they are at hand: counts that were counted by other means.

use std::path::Path;

use polemic::read;
use polemic::read::rows::Options;
use polemic::thread::Status;

use super::collect;

/// File, format, comments, replies, deleted, missing, stories, bad rows.
type Counts = (&'static str, &'static str, usize, usize, usize, u64, usize, usize);

#[rustfmt::skip]
const EXPORTS: [Counts; 32] = [
    ("reddit_ndjson/cmv-threads-400.ndjson", "reddit", 1400, 1300, 11, 0, 13, 0),
    ("reddit_listing_json/reddit-1d7lzf-raw.json", "reddit-listing", 16, 12, 0, 0, 1, 0),
    ("reddit_listing_json/reddit-5vvv51-raw.json", "reddit-listing", 18, 9, 0, 0, 1, 0),
    ("reddit_listing_json/reddit-1d7lzf-structure.json", "jsonl", 0, 0, 0, 0, 0, 1),
    ("reddit_listing_json/reddit-5vvv51-structure.json", "jsonl", 0, 0, 0, 0, 0, 1),
    ("hackernews_json/item-121003.json", "hackernews", 0, 0, 0, 16, 1, 0),
    ("hackernews_json/item-126809.json", "hackernews", 0, 0, 0, 54, 1, 0),
    ("hackernews_json/item-160705.json", "hackernews", 0, 0, 0, 0, 0, 1),
    ("hackernews_json/item-192327.json", "hackernews", 0, 0, 0, 0, 1, 0),
    ("hackernews_json/item-2921983.json", "hackernews", 1, 1, 0, 0, 0, 0),
    ("hackernews_json/item-8863.json", "hackernews", 0, 0, 0, 71, 1, 0),
    ("hackernews_json/item-jl.json", "jsonl", 0, 0, 0, 0, 0, 1),
    ("youtube_api_json/rounak28-commentThreads.json", "youtube", 98, 0, 0, 6, 1, 0),
    ("discourse_json/category_latest_topics.json", "discourse", 0, 0, 0, 0, 2, 0),
    ("discourse_json/latest.json", "discourse", 0, 0, 0, 0, 3, 0),
    ("discourse_json/topics_created_by.json", "discourse", 0, 0, 0, 0, 1, 0),
    ("discourse_json/post.json", "discourse", 1, 0, 0, 0, 1, 0),
    ("discourse_json/posts_before.json", "discourse", 3, 0, 0, 0, 3, 0),
    ("discourse_json/posts_latest.json", "discourse", 4, 0, 0, 0, 3, 0),
    ("discourse_json/topic.json", "discourse", 4, 1, 0, 0, 1, 0),
    ("discourse_json/topic_posts.json", "discourse", 1, 0, 0, 0, 0, 0),
    ("discourse_json/post_action_users.json", "jsonl", 0, 0, 0, 0, 0, 1),
    ("discourse_json/topic_invite_user.json", "jsonl", 0, 0, 0, 0, 0, 1),
    ("remark42_json/remark42-tree.json", "remark42", 12, 8, 0, 0, 0, 0),
    ("remark42_json/remark42-tree_bench.json", "remark42", 58, 31, 0, 0, 0, 0),
    ("remark42_json/remark42-tree_del.json", "remark42", 9, 7, 1, 0, 0, 0),
    ("commento_json/remark42-api-commento.json", "commento", 7, 2, 0, 0, 0, 0),
    ("commento_json/remark42-commento.json", "commento", 3, 1, 0, 0, 0, 0),
    ("isso_json/isso-generic.json", "isso", 2, 0, 0, 0, 2, 0),
    ("iac_4forums_json/10.json", "iac", 62, 61, 0, 0, 1, 0),
    ("iac_4forums_json/1000.json", "iac", 19, 18, 0, 0, 1, 0),
    ("iac_4forums_json/10016.json", "iac", 298, 297, 0, 0, 1, 0),
];

#[test]
fn real_exports_hold_what_they_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/exports");
    if !folder.is_dir() {
        return;
    }
    for (file, format, comments, replies, deleted, missing, stories, bad) in EXPORTS {
        let mut input = read::open(Some(&folder.join(file)), &Options::default()).expect(file);
        let read = collect(input.format, input.reader.as_mut());
        let counts = (
            file,
            read.format,
            read.comments.len(),
            read.replies(),
            read.count(Status::Deleted),
            read.missing,
            read.stories.len(),
            read.bad.len(),
        );
        assert_eq!(counts, (file, format, comments, replies, deleted, missing, stories, bad));
        assert_eq!(read.count(Status::Spam) + read.count(Status::Pending), 0, "{file}");
    }
}
