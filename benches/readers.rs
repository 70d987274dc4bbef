//! How fast each reader is, and how much memory it takes at most: `cargo bench --bench readers`.
//!
//! Every input holds the same invented comments of about 300 bytes, written as the format wants them. divan prints bytes of
//! input a second (unpacked ones; for Parquet those of the file), and under `max alloc` the largest amount of memory that a run held beside its input.
#![allow(clippy::expect_used)] // A benchmark without its inputs has nothing to go on with.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use polemic::read::{self, Input, format::Opened, rows::Options};
use polemic::record::CommentRecord;
use polemic::write::{CommentWriter, ConvoKit, Parquet};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Comments of an input that is read as it comes; documents that are read whole get a tenth.
const COMMENTS: usize = 30_000;
/// Comments of a thread.
const THREAD: usize = 50;

const WORDS: &str = "The second ferry was late again this morning & nobody at the harbour office could say why, although the \
                     notice promised an answer within the hour. I waited with some forty others, most of them on their way \
                     to work, and we shared the one bench that the council has left us <b>since March</b>. ";

/// The text of a comment, which differs from the others a little.
fn text(i: usize) -> String {
    format!("{WORDS}Number {i}, {}.", ["thanks", "why?", "no", "shame on them"][i % 4])
}

fn parent(i: usize) -> Option<usize> {
    (!i.is_multiple_of(THREAD)).then(|| i - 1 - i % 3 % (i % THREAD).max(1))
}

/// Lines of JSON, one a comment.
fn lines(line: impl Fn(usize) -> Value) -> Vec<u8> {
    (0..COMMENTS).map(|i| line(i).to_string() + "\n").collect::<String>().into_bytes()
}

fn jsonl() -> Vec<u8> {
    lines(|i| json!({"id": i, "thread_id": i / THREAD, "parent_id": parent(i), "author": "Ann", "text": text(i)}))
}

fn reddit() -> Vec<u8> {
    lines(|i| {
        let parent = parent(i).map_or_else(|| format!("t3_s{}", i / THREAD), |p| format!("t1_c{p}"));
        json!({"id": format!("c{i}"), "parent_id": parent, "link_id": format!("t3_s{}", i / THREAD), "author": "ann",
               "subreddit": "ferries", "created_utc": 1_700_000_000 + i, "score": 1, "body": text(i)})
    })
}

fn hackernews() -> Vec<u8> {
    lines(|i| {
        json!({"id": i + 1, "type": "comment", "by": "ann", "parent": parent(i).map_or(0, |p| p + 1),
                     "time": 1_700_000_000 + i, "text": text(i)})
    })
}

fn csv() -> Vec<u8> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["id", "thread_id", "parent_id", "author", "text"]).expect("written");
    for i in 0..COMMENTS {
        let parent = parent(i).map(|p| p.to_string()).unwrap_or_default();
        table.write_record([&i.to_string(), &(i / THREAD).to_string(), &parent, "Ann", &text(i)]).expect("written");
    }
    table.into_inner().expect("written")
}

fn wxr() -> Vec<u8> {
    let mut out = "<?xml version=\"1.0\"?><rss xmlns:wp=\"http://wordpress.org/export/1.2/\"><channel>".to_owned();
    for i in 0..COMMENTS {
        if i % THREAD == 0 {
            let close = if i == 0 { "" } else { "</item>" };
            let id = i / THREAD;
            let _ = write!(out, "{close}<item><title>Story {id}</title><wp:post_id>{id}</wp:post_id>");
        }
        let parent = parent(i).map_or(0, |p| p + 1);
        let _ = writeln!(
            out,
            "<wp:comment><wp:comment_id>{}</wp:comment_id><wp:comment_author><![CDATA[Ann]]></wp:comment_author>\
             <wp:comment_date_gmt>2024-05-01 10:00:00</wp:comment_date_gmt><wp:comment_content><![CDATA[{}]]></wp:comment_content>\
             <wp:comment_approved>1</wp:comment_approved><wp:comment_type></wp:comment_type>\
             <wp:comment_parent>{parent}</wp:comment_parent></wp:comment>",
            i + 1,
            text(i)
        );
    }
    (out + "</item></channel></rss>").into_bytes()
}

fn disqus() -> Vec<u8> {
    let mut out = "<?xml version=\"1.0\"?><disqus xmlns=\"http://disqus.com\" \
                   xmlns:dsq=\"http://disqus.com/disqus-internals\">"
        .to_owned();
    for id in 0..COMMENTS / THREAD {
        let _ = writeln!(
            out,
            "<thread dsq:id=\"{id}\"><link>https://harbour.example/{id}</link><title>{id}</title></thread>"
        );
    }
    for i in 0..COMMENTS {
        let parent = parent(i).map_or_else(String::new, |p| format!("<parent dsq:id=\"{p}\"/>"));
        let _ = writeln!(
            out,
            "<post dsq:id=\"{i}\"><message><![CDATA[<p>{}</p>]]></message><createdAt>2024-05-01T10:00:00Z</createdAt>\
             <isDeleted>false</isDeleted><isSpam>false</isSpam><author><name>Ann</name></author>\
             <thread dsq:id=\"{}\"/>{parent}</post>",
            text(i),
            i / THREAD
        );
    }
    (out + "</disqus>").into_bytes()
}

/// A tree of replies: every comment answers the one before it, in threads of [`THREAD`], with `children` under a key.
fn trees(n: usize, node: impl Fn(usize, Vec<Value>) -> Value) -> Vec<Value> {
    let thread = |start: usize| {
        let chain = (start..(start + THREAD).min(n)).rev();
        chain.fold(Vec::new(), |children, i| vec![node(i, children)])
    };
    (0..n).step_by(THREAD).flat_map(thread).collect()
}

fn reddit_listing() -> Vec<u8> {
    let listing = |children: Vec<Value>| json!({"kind": "Listing", "data": {"children": children}});
    let node = |i: usize, children: Vec<Value>| {
        let replies = if children.is_empty() { json!("") } else { listing(children) };
        json!({"kind": "t1", "data": {"id": format!("c{i}"), "parent_id": "t3_s", "link_id": "t3_s", "author": "ann",
               "body": text(i), "created_utc": 1_700_000_000.0, "replies": replies}})
    };
    let story = json!({"kind": "t3", "data": {"id": "s", "name": "t3_s", "title": "Ferries", "selftext": ""}});
    json!([listing(vec![story]), listing(trees(COMMENTS / 10, node))]).to_string().into_bytes()
}

fn algolia() -> Vec<u8> {
    let node = |i: usize, children: Vec<Value>| {
        json!({"id": i + 2, "type": "comment", "author": "ann", "story_id": 1, "parent_id": 1, "created_at_i": 1_700_000_000,
               "created_at": "2023-11-14T22:13:20Z", "text": text(i), "children": children})
    };
    json!({"id": 1, "type": "story", "title": "Ferries", "author": "bo", "created_at_i": 1, "story_id": 1,
           "created_at": "2023-11-14T22:13:20Z", "children": trees(COMMENTS / 10, node)})
    .to_string()
    .into_bytes()
}

fn youtube() -> Vec<u8> {
    let item = |i: usize| {
        json!({"kind": "youtube#commentThread", "id": format!("t{i}"), "snippet": {"videoId": "v", "totalReplyCount": 0,
               "topLevelComment": {"id": format!("t{i}"), "snippet": {"textOriginal": text(i), "textDisplay": text(i),
               "authorDisplayName": "Ann", "publishedAt": "2024-05-01T10:00:00Z"}}}})
    };
    let items: Vec<Value> = (0..COMMENTS / 10).map(item).collect();
    json!({"kind": "youtube#commentThreadListResponse", "items": items}).to_string().into_bytes()
}

fn discourse() -> Vec<u8> {
    let post = |i: usize| {
        json!({"id": 1000 + i, "username": "ann", "created_at": "2024-05-01T10:00:00Z", "cooked": format!("<p>{}</p>", text(i)),
               "post_number": i + 1, "post_type": 1, "reply_to_post_number": parent(i).map(|p| p + 1), "topic_id": 7})
    };
    let posts: Vec<Value> = (0..COMMENTS / 10).map(post).collect();
    json!({"post_stream": {"posts": posts}, "id": 7, "title": "Ferries", "slug": "ferries"}).to_string().into_bytes()
}

fn remark42() -> Vec<u8> {
    let node = |i: usize, replies: Vec<Value>| {
        json!({"comment": {"id": format!("c{i}"), "pid": "", "text": text(i), "user": {"name": "Ann"},
               "locator": {"site": "harbour", "url": "https://harbour.example/1"}, "time": "2024-05-01T10:00:00Z"},
               "replies": replies})
    };
    json!({"comments": trees(COMMENTS / 10, node)}).to_string().into_bytes()
}

fn commento() -> Vec<u8> {
    let comment = |i: usize| {
        json!({"commentHex": format!("{i:x}"), "domain": "harbour.example", "url": "/1", "commenterHex": "a", "markdown": text(i),
               "html": "", "parentHex": parent(i).map_or_else(|| "root".to_owned(), |p| format!("{p:x}")), "state": "approved",
               "creationDate": "2024-05-01T10:00:00Z", "deleted": false})
    };
    let comments: Vec<Value> = (0..COMMENTS / 10).map(comment).collect();
    json!({"version": 1, "comments": comments, "commenters": [{"commenterHex": "a", "name": "Ann"}]})
        .to_string()
        .into_bytes()
}

fn isso() -> Vec<u8> {
    let comment = |i: usize| json!({"id": i, "author": "Ann", "created": "2024-05-01 10:00:00", "text": text(i)});
    let thread = |t: usize| {
        let comments: Vec<Value> = (t * THREAD..(t + 1) * THREAD).map(comment).collect();
        json!({"id": format!("/{t}"), "title": "Ferries", "comments": comments})
    };
    let threads: Vec<Value> = (0..COMMENTS / THREAD).map(thread).collect();
    Value::from(threads).to_string().into_bytes()
}

fn iac() -> Vec<u8> {
    let post = |i: usize| json!([i, null, "ann", text(i), {}, parent(i), null, 1_100_000_000 + i]);
    let posts: Vec<Value> = (0..COMMENTS / 10).map(post).collect();
    json!([posts, {}]).to_string().into_bytes()
}

fn html() -> Vec<u8> {
    let mut out = "<!doctype html><title>Ferries</title><article><h1>Ferries</h1></article><ol class=\"comment-list\">"
        .to_owned();
    for i in 0..COMMENTS / 10 {
        let _ = writeln!(
            out,
            "<li id=\"comment-{i}\" class=\"comment depth-1\"><article id=\"div-comment-{i}\" class=\"comment-body\">\
             <footer class=\"comment-meta\"><div class=\"comment-author vcard\"><b class=\"fn\">Ann</b></div>\
             <div class=\"comment-metadata\"><time datetime=\"2024-05-01T10:00:00+00:00\">May 1</time></div></footer>\
             <div class=\"comment-content\"><p>{}</p></div></article></li>",
            text(i)
        );
    }
    (out + "</ol>").into_bytes()
}

fn page_text() -> Vec<u8> {
    std::fs::read(root().join("examples/harbour-bridge.txt")).expect("the example is there")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files for the formats that are read from disk.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fn write(mut to: impl CommentWriter) {
    for i in 0..COMMENTS {
        let id = format!("c{i}");
        let parent_id = parent(i).map(|p| format!("c{p}"));
        let record = CommentRecord {
            id,
            parent_id,
            text: Some(text(i)),
            author: Some("Ann".into()),
            ..CommentRecord::default()
        };
        to.write(&record).expect("written");
    }
    to.finish().expect("written");
}

fn parquet() -> PathBuf {
    let path = FOLDER.path().join("comments.parquet");
    let file = std::fs::File::create(&path).expect("created");
    write(
        Parquet::of_comments(polemic::write::Output { name: "comments.parquet".into(), to: Box::new(file) })
            .expect("opened"),
    );
    path
}

fn convokit() -> PathBuf {
    let path = FOLDER.path().join("corpus");
    write(ConvoKit::of_comments(&path).expect("opened"));
    path
}

/// Reads to the end.
fn drain(mut input: Input) -> u64 {
    let mut n = 0;
    while let Some(entry) = input.reader.next_entry() {
        entry.expect("a sound input");
        n += 1;
    }
    n
}

#[divan::bench(sample_count = 20, args = ["jsonl", "csv", "reddit", "hackernews", "wxr", "disqus", "reddit-listing", "algolia", "youtube", "discourse",
    "remark42", "commento", "isso", "iac", "html", "page-text", "jsonl.gz", "jsonl.zst", "jsonl.bz2", "jsonl.xz"])]
fn read_bytes(bencher: Bencher, name: &str) {
    let bytes: Arc<[u8]> = made(name).into();
    let count = BytesCount::new(if name.contains('.') { jsonl().len() } else { bytes.len() });
    let open = || {
        let input = Box::new(Cursor::new(Arc::clone(&bytes)));
        let opened = Opened::from_reader("input", input, &Options::default()).expect("an input");
        read::input(opened, &Options::default()).expect("a known format")
    };
    bencher.counter(count).bench(|| drain(open()));
}

#[divan::bench(sample_count = 20, args = ["parquet", "convokit"])]
fn read_path(bencher: Bencher, name: &str) {
    let path = if name == "parquet" { parquet() } else { convokit() };
    let file = if path.is_dir() { path.join("utterances.jsonl") } else { path.clone() };
    let size = file.metadata().expect("written").len();
    let open = || read::open(Some(&path), &Options::default()).expect("a known format");
    bencher.counter(BytesCount::new(size)).bench(|| drain(open()));
    let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
}

fn made(name: &str) -> Vec<u8> {
    match name {
        "csv" => csv(),
        "reddit" => reddit(),
        "hackernews" => hackernews(),
        "wxr" => wxr(),
        "disqus" => disqus(),
        "reddit-listing" => reddit_listing(),
        "algolia" => algolia(),
        "youtube" => youtube(),
        "discourse" => discourse(),
        "remark42" => remark42(),
        "commento" => commento(),
        "isso" => isso(),
        "iac" => iac(),
        "html" => html(),
        "page-text" => page_text(),
        "jsonl.gz" => packed(
            flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default()),
            flate2::write::GzEncoder::finish,
        ),
        "jsonl.zst" => zstd::encode_all(jsonl().as_slice(), 3).expect("packed"),
        "jsonl.bz2" => packed(
            bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default()),
            bzip2::write::BzEncoder::finish,
        ),
        "jsonl.xz" => packed(liblzma::write::XzEncoder::new(Vec::new(), 6), liblzma::write::XzEncoder::finish),
        _ => jsonl(),
    }
}

fn packed<W: std::io::Write>(mut encoder: W, finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>) -> Vec<u8> {
    encoder.write_all(&jsonl()).expect("packed");
    finish(encoder).expect("packed")
}
