//! Real exports, where they are at hand, against counts taken by other means.

use std::path::{Path, PathBuf};

use polemic::read::entry::CommentRow;
use polemic::read::rows::Options;
use polemic::thread::Status;

use super::read_with;

/// What a real file holds, counted in it by other means (Python's `ElementTree`, and regular expressions where it is
/// malformed). Comments are without pingbacks; replies are comments with a stated parent.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    stories: usize,
    comments: usize,
    replies: usize,
    pending: usize,
    spam: usize,
    deleted: usize,
    pingbacks: usize,
    fatal: bool,
}

#[test]
fn real_exports_are_read_in_full() {
    let given = std::env::var_os("POLEMIC_EXPORTS").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/exports"));
    if !folder.is_dir() {
        return;
    }
    // Stories, comments, replies, pending, spam, deleted, pingbacks, whether reading stops at a fatal bad row.
    for (file, numbers, fatal) in [
        ("wordpress_wxr/isso-wordpress.xml", [3, 8, 3, 0, 0, 0, 0], false),
        // 381 comment elements, 175 of them pingbacks and trackbacks.
        ("wordpress_wxr/real-timothyfitz-wordpress.xml", [24, 206, 4, 0, 0, 0, 175], false),
        // 33 comment elements, 4 of them pingbacks.
        ("wordpress_wxr/wpimporter-theme-unit-test-data.xml", [186, 29, 10, 3, 0, 0, 4], false),
        ("wordpress_wxr/wptt-themeunittestdata.wordpress.xml", [186, 29, 10, 3, 0, 0, 4], false),
        ("wordpress_wxr/wpimporter-cdata-edge.xml", [1, 0, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-multiple-cdata.xml", [1, 0, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-crazy-cdata-escaped.xml", [1, 0, 0, 0, 0, 0, 0], false),
        // A `]]>` in plain text: read to the end, and reported there.
        ("wordpress_wxr/wpimporter-crazy-cdata.xml", [1, 0, 0, 0, 0, 0, 0], true),
        ("wordpress_wxr/wpimporter-invalid-version-tag.xml", [0, 0, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-missing-version-tag.xml", [0, 0, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-malformed.xml", [0, 0, 0, 0, 0, 0, 0], true),
        ("wordpress_wxr/wpimporter-malformed-simple.xml", [1, 0, 0, 0, 0, 0, 0], true),
        ("wordpress_wxr/wpimporter-namespace-edge-cases.xml", [6, 0, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-post-content-blank-lines.xml", [1, 0, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-small-export.xml", [11, 1, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-test-serialized-comment-meta.xml", [1, 1, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-valid-wxr-1.0.xml", [6, 1, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-valid-wxr-1.1.xml", [2, 1, 0, 0, 0, 0, 0], false),
        ("wordpress_wxr/wpimporter-wxr-utf-8-challenges.xml", [1, 0, 0, 0, 0, 0, 0], false),
        ("disqus_xml/isso-disqus.xml", [3, 6, 2, 0, 0, 1, 0], false),
        // One of the six posts has no id.
        ("disqus_xml/remark42-disqus.xml", [2, 6, 0, 0, 1, 0, 0], false),
        ("disqus_xml/remark42-disqus-deleted-post.xml", [2, 6, 0, 0, 1, 1, 0], false),
        ("disqus_xml/remark42-disqus-deleted-thread.xml", [2, 6, 0, 0, 1, 3, 0], false),
        // 569 threads, two of them about one page.
        ("disqus_xml/real-tl3shi-disqus.xml", [568, 2693, 439, 0, 0, 6, 0], false),
    ] {
        let said = read_with(std::fs::File::open(folder.join(file)).unwrap(), &Options::default()).unwrap();
        assert_eq!(said.format, if file.starts_with("disqus") { "disqus" } else { "wxr" }, "{file}");
        let counts = Counts {
            stories: said.stories.len(),
            comments: said.comments.len(),
            replies: said.replies(),
            pending: said.count(Status::Pending),
            spam: said.count(Status::Spam),
            deleted: said.count(Status::Deleted),
            pingbacks: said.pingbacks,
            fatal: !said.bad.is_empty(),
        };
        let [stories, comments, replies, pending, spam, deleted, pingbacks] = numbers;
        assert_eq!(
            counts,
            Counts { stories, comments, replies, pending, spam, deleted, pingbacks, fatal },
            "{file}: {:?}",
            said.bad
        );
        assert!(!fatal || said.fatal().line > 1, "{file}");
        let private = |row: &CommentRow| {
            row.stated.comment.author.as_deref().is_some_and(|name| name.contains("example.invalid"))
        };
        assert!(!said.comments.iter().any(private), "{file}");
    }
}
