//! XML exports: what is read of `WordPress` and Disqus files, and what becomes of damaged and hostile ones.

mod exports;

use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use polemic::read;
use polemic::read::entry::{CommentRow, Entry, StoryRow};
use polemic::read::format::Opened;
use polemic::read::rows::{BadRow, Options};
use polemic::read::xml::{Node, Xml};
use polemic::thread::{Status, Thread};
use proptest::prelude::*;

/// What a source states.
#[derive(Default)]
struct Said {
    format: &'static str,
    stories: Vec<StoryRow>,
    comments: Vec<CommentRow>,
    pingbacks: usize,
    bad: Vec<BadRow>,
}

impl Said {
    fn comment(&self, id: &str) -> &CommentRow {
        self.comments.iter().find(|row| row.stated.comment.id == id).unwrap_or_else(|| panic!("no comment {id}"))
    }

    fn count(&self, status: Status) -> usize {
        self.comments.iter().filter(|row| row.stated.comment.status == status).count()
    }

    fn replies(&self) -> usize {
        self.comments.iter().filter(|row| row.stated.parent_id.is_some()).count()
    }

    fn fatal(&self) -> &BadRow {
        self.bad.last().filter(|bad| bad.fatal).unwrap_or_else(|| panic!("no fatal bad row in {:?}", self.bad))
    }
}

fn read_with(input: impl Read + Send + 'static, options: &Options) -> polemic::error::Result<Said> {
    let opened = Opened::from_reader("input", Box::new(input), options)?;
    let read::Input { format, mut reader, .. } = read::input(opened, options)?;
    let mut said = Said { format: format.name(), ..Said::default() };
    while let Some(entry) = reader.next_entry() {
        assert!(!said.bad.iter().any(|bad| bad.fatal), "an entry after a fatal bad row");
        match entry {
            Ok(Entry::Story(row)) => said.stories.push(row),
            Ok(Entry::Comment(row)) => said.comments.push(*row),
            Ok(Entry::Pingback) => said.pingbacks += 1,
            Ok(Entry::Missing(n)) => panic!("{n} missing"),
            Err(bad) => said.bad.push(bad),
        }
    }
    assert!(reader.next_entry().is_none(), "an entry after the end");
    Ok(said)
}

fn read(text: &str) -> Said {
    read_with(Cursor::new(text.as_bytes().to_vec()), &Options::default()).unwrap()
}

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/xml");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn wxr(inside: &str) -> String {
    format!("<rss xmlns:wp=\"http://wordpress.org/export/1.2/\"><channel>{inside}</channel></rss>")
}

fn wxr_comment(id: &str, content: &str) -> String {
    format!(
        "<wp:comment><wp:comment_id>{id}</wp:comment_id><wp:comment_content>{content}</wp:comment_content></wp:comment>"
    )
}

fn disqus(inside: &str) -> String {
    format!("<disqus xmlns=\"http://disqus.com\" xmlns:dsq=\"http://disqus.com/disqus-internals\">{inside}</disqus>")
}

fn text(row: &CommentRow) -> &str {
    row.stated.comment.text.trim()
}

#[test]
fn a_wordpress_export_is_read_with_its_replies_and_their_states() {
    let said = read(&fixture("wxr-1.2.xml"));
    assert_eq!((said.format, said.bad.len(), said.pingbacks), ("wxr", 0, 2));
    let stories: Vec<_> =
        said.stories.iter().map(|row| (row.thread_id.as_deref(), row.story.title.as_deref())).collect();
    assert_eq!(stories, [(Some("41"), Some("Trams & ferries: who pays?")), (Some("2"), Some("About"))]);
    assert_eq!(said.stories[0].story.url.as_deref(), Some("https://harbour.example/2024/05/trams/"));
    let seen: Vec<_> = said
        .comments
        .iter()
        .map(|row| {
            let comment = &row.stated.comment;
            (comment.id.as_str(), row.stated.parent_id.as_deref(), comment.author.as_deref(), comment.status)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("101", None, Some("Maud Okafor"), Status::Published),
            ("102", Some("101"), Some("Piet"), Status::Pending),
            ("103", None, Some("sales"), Status::Spam),
            ("104", Some("102"), Some("O'Hara"), Status::Deleted),
            ("107", Some("104"), Some("Lena"), Status::Published),
        ]
    );
    let created: Vec<_> = said.comments.iter().map(|row| row.stated.comment.created.as_deref().unwrap()).collect();
    assert_eq!(created[..2], ["2024-05-02T09:30:00Z", "2024-05-02T12:00:00"]);
    assert!(said.comments.iter().all(|row| row.thread_id.as_deref() == Some("41")));
    assert!(text(said.comment("107")).contains("a[b[0]]> 1"), "{}", text(said.comment("107")));
}

#[test]
fn an_old_export_without_a_version_and_cdata_is_read() {
    let said = read(&fixture("wxr-1.0.xml"));
    assert_eq!((said.format, said.bad.len(), said.comments.len()), ("wxr", 0, 1));
    assert_eq!(said.stories[0].story.title.as_deref(), Some("Nets – a story"));
    assert!(
        text(&said.comments[0]).starts_with("Cod & haddock, 5 € a kilo: café prices &"),
        "{}",
        text(&said.comments[0])
    );
}

#[test]
fn no_address_of_a_person_is_handed_on() {
    for name in ["wxr-1.2.xml", "disqus.xml"] {
        let said = read(&fixture(name));
        let everything = format!("{:?}{:?}{:?}", said.stories, said.comments, said.bad);
        for private in ["mail.example", "pills.example", "192.0.2", "~me", "ada-mail", "owner"] {
            assert!(!everything.contains(private), "{private} in {name}");
        }
    }
    // An address in angle brackets that nobody escaped reads as a tag.
    let said = read(&wxr("<item><wp:comment><wp:comment_content>write <me@mail.example> now</wp:comment_content>"));
    assert!(!format!("{:?}", said.fatal()).contains("mail.example"));
}

#[test]
fn a_disqus_export_is_read_and_threads_about_one_page_become_one() {
    let said = read(&fixture("disqus.xml"));
    assert_eq!((said.format, said.bad.len()), ("disqus", 0));
    let stories: Vec<_> =
        said.stories.iter().map(|row| (row.thread_id.as_deref(), row.story.title.as_deref())).collect();
    let expected = [(Some("900"), Some("The ferry & the fog")), (Some("902"), None), (Some("903"), Some("Nets"))];
    assert_eq!(stories, expected);
    let seen: Vec<_> = said
        .comments
        .iter()
        .map(|row| {
            let comment = &row.stated.comment;
            (comment.id.as_str(), row.stated.parent_id.as_deref(), row.thread_id.as_deref(), comment.status)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("1", None, Some("900"), Status::Published),
            ("2", Some("1"), Some("900"), Status::Published),
            ("3", None, Some("900"), Status::Deleted),
            ("4", Some("3"), Some("900"), Status::Published),
            ("5", None, Some("902"), Status::Spam),
            ("6", None, Some("903"), Status::Deleted),
            ("7", None, Some("902"), Status::Published),
            ("8", None, Some("1337"), Status::Published),
        ]
    );
    let authors: Vec<_> = said.comments.iter().map(|row| row.stated.comment.author.as_deref()).collect();
    assert_eq!(authors[..3], [Some("Ada"), Some("bo"), Some("Cy")]);
    assert_eq!(said.comment("2").stated.comment.created.as_deref(), Some("2019-02-02T11:00:00Z"));
    assert_eq!(text(said.comment("4")), "Still here");
}

#[test]
fn only_what_does_not_tell_pages_apart_is_left_out_of_their_addresses() {
    let same = [
        "http://quay.example/a",
        "https://quay.example/a/",
        "HTTPS://www.quay.example/a#top",
        "//quay.example/a?utm_source=x&utm_campaign=y",
        " https://quay.example/a/?ref=z ",
    ];
    let others = [
        "http://quay.example/A",
        "http://quay.example/a?p=1",
        "http://quay.example/a?p=2&ref=z",
        "http://quay.example/a?reference=1",
        "http://blog.quay.example/a",
        "http://quay.example/a#!/1",
        "http://quay.example/a#!/2",
        "",
        "",
    ];
    let all = same.iter().chain(&others).enumerate();
    let thread = |(i, link): (usize, &&str)| {
        let link = link.replace('&', "&amp;");
        format!("<thread dsq:id=\"{i}\"><link>{link}</link></thread>")
    };
    let threads = all.map(thread).collect::<Vec<_>>().concat();
    let said = read(&disqus(&threads));
    assert_eq!(said.stories.len(), 1 + others.len());
    assert_eq!(said.stories[0].thread_id.as_deref(), Some("0"));
}

#[test]
fn a_thread_that_stands_after_its_posts_keeps_them() {
    let page = "<link>https://quay.example/a</link>";
    let said = read(&disqus(&format!(
        "<thread dsq:id=\"1\">{page}</thread><post dsq:id=\"5\"><thread dsq:id=\"2\"/></post>\
         <thread dsq:id=\"2\">{page}</thread>\
         <post dsq:id=\"6\"><thread dsq:id=\"2\"/></post>"
    )));
    let threads: Vec<_> = said.comments.iter().map(|row| row.thread_id.as_deref()).collect();
    assert_eq!(threads, [Some("2"), Some("2")]);
    assert_eq!(said.stories.len(), 2);
}

#[test]
fn exports_are_known_by_their_content() {
    let undeclared = "<rss><channel><item><wp:post_id>1</wp:post_id></item></channel></rss>";
    let renamed = "<rss xmlns:ns0='http://wordpress.org/export/1.2/'><channel><item><ns0:post_id>7</ns0:post_id>\
                   <ns0:comment><ns0:comment_id>1</ns0:comment_id></ns0:comment></item></channel></rss>";
    let disqus_renamed = "<n:disqus xmlns:n='http://disqus.com' xmlns:d='http://disqus.com/disqus-internals'>\
                          <n:thread d:id='3'><n:title>A</n:title></n:thread></n:disqus>";
    for (input, format) in [
        (undeclared.to_owned(), "wxr"),
        (renamed.to_owned(), "wxr"),
        (wxr(""), "wxr"),
        (format!("\u{feff}\n\n{}", wxr("")), "wxr"),
        (disqus_renamed.to_owned(), "disqus"),
        (format!("`{}", disqus("")), "disqus"),
        (format!("<!DOCTYPE disqus [<!ENTITY a \"b\">]>{}", disqus("")), "disqus"),
    ] {
        let said = read(&input);
        assert_eq!((said.format, said.bad.len()), (format, 0), "{input}");
    }
    assert_eq!(read(renamed).comments[0].thread_id.as_deref(), Some("7"));
    assert_eq!(read(disqus_renamed).stories[0].thread_id.as_deref(), Some("3"));
    for other in [
        "<rss version=\"2.0\"><channel><item><title>A feed</title></item></channel></rss>",
        "<!DOCTYPE html><html><body>&lt;rss <a href=\"http://wordpress.org/export/\">x</a></body></html>",
        "{\"text\": \"<disqus>\"}",
        "Someone pasted <disqus xmlns=\"http://disqus.com\"> into a page.",
    ] {
        assert!(!["wxr", "disqus"].contains(&read(other).format), "{other}");
    }
}

#[test]
fn elements_of_an_item_may_stand_in_any_order() {
    let comment = wxr_comment("1", "first");
    let item = "<title>Late</title><link>https://a.example/</link><wp:post_id>9</wp:post_id>";
    let said =
        read(&wxr(&format!("<item>{item}</item><item>{comment}{item}{comment}</item><item>{item}{comment}</item>")));
    let threads: Vec<_> = said.comments.iter().map(|row| row.thread_id.as_deref().unwrap()).collect();
    assert_eq!(threads, ["item-2", "item-2", "9"]);
    let stories: Vec<_> = said.stories.iter().map(|row| row.thread_id.as_deref().unwrap()).collect();
    assert_eq!(stories, ["9", "item-2", "9"]);
    assert!(said.stories.iter().all(|row| row.story.title.as_deref() == Some("Late")));
    let said = read(&wxr(&format!("<item><link>https://a.example/</link>{comment}</item>{comment}")));
    let threads: Vec<_> = said.comments.iter().map(|row| row.thread_id.as_deref()).collect();
    assert_eq!(threads, [Some("https://a.example/"), None]);
}

#[test]
fn ids_that_collide_are_handed_on_and_mended_by_the_thread() {
    let item = format!("<item><wp:post_id>9</wp:post_id>{}{}</item>", wxr_comment("1", "one"), wxr_comment("1", "two"));
    let said = read(&wxr(&format!("{item}{item}")));
    assert!(said.comments.iter().all(|row| row.thread_id.as_deref() == Some("9")));
    let (thread, repairs) = Thread::build(said.comments.into_iter().map(|row| row.stated).collect());
    assert_eq!((thread.comments.len(), repairs.duplicate_ids.len()), (4, 3));

    let thread = "<thread dsq:id=\"1\"><link>https://a.example/x</link></thread>\
                  <thread dsq:id=\"1\"><link>https://a.example/y</link></thread>";
    let said =
        read(&disqus(&format!("{thread}<post dsq:id=\"2\"><thread dsq:id=\"1\"/><parent dsq:id=\"2\"/></post>")));
    assert_eq!((said.stories.len(), said.comments[0].thread_id.as_deref()), (2, Some("1")));
}

#[test]
fn entities_of_a_dtd_are_never_expanded() {
    let entity = |i: u32| format!("<!ENTITY a{i} \"{}\">", format!("&a{};", i - 1).repeat(10));
    let dtd = format!("<!ENTITY a0 \"ha\">{}", (1..60).map(entity).collect::<Vec<_>>().concat());
    let laughs = format!("<!DOCTYPE rss [{dtd}<!ENTITY me SYSTEM \"file:///etc/passwd\">]>");
    let item = format!("<item>{}</item>", wxr_comment("1", "A &a59; and &me; &undefined; &#0; &#xD800; R&D &lt;3"));
    let said = read(&format!("{laughs}{}", wxr(&item)));
    assert_eq!(said.bad, []);
    for kept in ["&a59;", "&me;", "&undefined;", "R&D", "<3"] {
        assert!(text(&said.comments[0]).contains(kept), "{kept} in {}", text(&said.comments[0]));
    }
    assert!(text(&said.comments[0]).len() < 100);

    let endless = format!("<!DOCTYPE rss [{}]>{}", "<!ENTITY a \"b\">".repeat(10_000), wxr(""));
    let options = Options { format: Some("wxr".to_owned()), ..Options::default() };
    let said = read_with(Cursor::new(endless.into_bytes()), &options).unwrap();
    assert!(said.fatal().what.contains("a tag or DTD of more than 65536 bytes"), "{}", said.fatal().what);
}

#[test]
fn characters_that_xml_forbids_do_not_stop_the_reading() {
    let item = format!("<item>{}</item>", wxr_comment("1", "bell \u{7} &#7; &#xFFFF; \u{fffe} ]]> done"));
    let said = read(&wxr(&item));
    assert!(said.fatal().what.contains("`]]>` stands in plain text"), "{}", said.fatal().what);
    assert!(text(&said.comments[0]).starts_with("bell") && text(&said.comments[0]).ends_with("]]> done"));
    let mut bytes =
        wxr(&format!("<item>{}</item>", wxr_comment("1", "Grüße aus dem Süden, größer als früher @"))).into_bytes();
    let at = bytes.iter().position(|b| *b == b'@').unwrap();
    bytes[at] = 0xff;
    let said = read_with(Cursor::new(bytes), &Options::default()).unwrap();
    assert!(text(&said.comments[0]).contains('\u{fffd}'));
}

#[test]
fn a_damaged_export_gives_what_stands_before_the_damage_and_says_what_it_is() {
    let item = format!("<item>\n<wp:post_id>9</wp:post_id>\n{}\n", wxr_comment("1", "whole"));
    let start = format!("{}{item}", wxr("").replace("</channel></rss>", ""));
    for (damage, what) in [
        ("</channel>", "<channel> ends where <item> must end first"),
        ("<wp:comment><wp:comment_content>half", "5 elements still open: it is cut off"),
        ("<wp:comment><wp:comment_content><![CDATA[never", "a CDATA section is open to the end"),
        ("<!-- never", "a comment is open to the end"),
        ("<title", "cut off"),
        ("<a href='", "cut off"),
        ("</item></channel></rss></rss>", "<rss> ends but never began"),
        ("<!ELEMENT a>", "damaged"),
    ] {
        let said = read(&format!("{start}{damage}"));
        assert!(said.fatal().what.contains(what), "{damage}: {}", said.fatal().what);
        assert_eq!((said.fatal().line, said.fatal().raw.as_str()), (4, ""), "{damage}");
        assert_eq!((said.comments.len(), said.stories.len()), (1, 1), "{damage}");
    }
}

#[test]
fn an_export_cut_off_anywhere_says_so() {
    for name in ["wxr-1.0.xml", "disqus.xml"] {
        let whole = fixture(name);
        let options = Options { format: Some(read(&whole).format.to_owned()), ..Options::default() };
        let all = read(&whole).comments;
        for end in 1..=whole.len() {
            let Ok(said) = read_with(Cursor::new(whole.as_bytes()[..end].to_vec()), &options) else { continue };
            let is_whole = end >= whole.trim_end().len();
            assert_eq!(said.bad.len(), usize::from(!is_whole), "{name} cut at {end}: {:?}", said.bad);
            assert!(is_whole || said.fatal().what.contains("cut off"), "{name} cut at {end}: {:?}", said.bad);
            assert_eq!(said.comments, all[..said.comments.len()], "{name} cut at {end}");
            assert!(!is_whole || said.comments.len() == all.len());
        }
    }
}

#[test]
fn endless_elements_are_passed_over_and_reported() {
    const GIGABYTE: u64 = 1 << 30;
    let options = Options { max_line: 1 << 20, ..Options::default() };
    let before = "<item><content:encoded>";
    let after = format!("</content:encoded><wp:post_id>9</wp:post_id>{}", wxr_comment("1", "small"));
    let whole =
        wxr(&format!("{before}@{after}<wp:comment><wp:comment_content>@</wp:comment_content></wp:comment>@</item>"));
    let parts: Vec<String> = whole.split('@').map(str::to_owned).collect();
    let endless = |open: &'static str, n: u64, close: &'static str| {
        Cursor::new(open).chain(io::repeat(b'\n').take(n)).chain(Cursor::new(close))
    };
    let input = Cursor::new(parts[0].clone())
        .chain(endless("<![CDATA[", GIGABYTE / 4, "]]>"))
        .chain(Cursor::new(parts[1].clone()))
        .chain(endless("<![CDATA[", GIGABYTE / 2, "]]> more"))
        .chain(Cursor::new(parts[2].clone()))
        .chain(endless("<!--", GIGABYTE / 4, "-->"));
    let said =
        read_with(input.chain(Cursor::new(format!("{}{}", wxr_comment("2", "last"), parts[3]))), &options).unwrap();
    let ids: Vec<_> = said.comments.iter().map(|row| row.stated.comment.id.as_str()).collect();
    assert_eq!((ids, said.bad.len()), (vec!["1", "2"], 1));
    let bad = &said.bad[0];
    assert_eq!((bad.fatal, bad.line), (false, 1 + GIGABYTE / 4));
    assert!(bad.what.contains("more than 1048576 bytes of text"), "{}", bad.what);

    let input = Cursor::new(format!("{}<a b='", wxr("").replace("</channel></rss>", ""))).chain(io::repeat(b'x'));
    let said = read_with(input, &options).unwrap();
    assert!(said.fatal().what.contains("a tag or DTD of more than 65536 bytes"), "{}", said.fatal().what);
}

#[test]
fn elements_without_end_are_reported_at_a_bounded_depth() {
    for (inside, line) in
        [("<a>\n".repeat(100_000), 999), (format!("<item>{}", "<content:encoded>\n".repeat(100_000)), 998)]
    {
        let said = read(&wxr(&inside));
        assert!(said.fatal().what.contains("nested deeper than 1000 levels"), "{}", said.fatal().what);
        assert_eq!(said.fatal().line, line);
    }
    let reply = |i: u32| format!("<post dsq:id=\"{i}\"><thread dsq:id=\"1\"/><parent dsq:id=\"{}\"/></post>", i - 1);
    let said = read(&disqus(&(1..=100_000).map(reply).collect::<String>()));
    assert_eq!((said.comments.len(), said.bad.len()), (100_000, 0));
}

#[test]
fn where_blocks_end_changes_nothing() {
    const BLOCK: usize = 64 * 1024;
    for name in ["wxr-1.2.xml", "disqus.xml"] {
        let inside = fixture(name);
        let all = read(&inside).comments;
        for shift in (0..inside.len()).step_by(7) {
            let padding = " ".repeat(BLOCK - shift);
            let long = inside.replacen("<item>\n", &format!("{padding}<item>\n"), 1);
            let long = long.replacen("<post", &format!("{padding}<post"), 1);
            let said = read(&long);
            assert_eq!((said.bad.len(), &said.comments), (0, &all), "{name} shifted by {shift}");
        }
        let texts = |capacity| {
            let mut xml = Xml::new(BufReader::with_capacity(capacity, inside.as_bytes()), BLOCK);
            let mut texts = Vec::new();
            loop {
                match xml.next_node().unwrap() {
                    Node::Start(tag) if matches!(tag.local(), "title" | "message" | "comment_content" | "link") => {
                        texts.push(xml.text().unwrap());
                    }
                    Node::Start(_) | Node::End => {}
                    Node::Eof => return texts,
                }
            }
        };
        for capacity in 1..12 {
            assert_eq!(texts(capacity), texts(BLOCK), "{name} by {capacity} bytes");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_end_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 1..400),
        format in prop::sample::select(vec!["wxr", "disqus"]),
    ) {
        let options = Options { format: Some(format.to_owned()), ..Options::default() };
        let _ = read_with(Cursor::new(bytes), &options);
    }

    #[test]
    fn any_markup_ends_without_a_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "/", "!", "?", "-", "--", "[", "]", "]]>", "<![CDATA[", "<!--", "-->", "<!DOCTYPE", "<!ENTITY",
            "<!", "<?", "?>", "&", ";", "&#", "x", "=", "'", "\"", " ", "\n", "é", "%", "<item>", "</item>", "<a/>",
            "<wp:comment>", "</wp:comment>", "<wp:comment_content>", "<rss xmlns:wp='http://wordpress.org/export/'>",
            "<post id='1'>", "</post>", "<thread id='2'/>", "xmlns:a='b'", "xmlns='",
        ]), 1..60),
        format in prop::sample::select(vec!["wxr", "disqus"]),
    ) {
        let options = Options { format: Some(format.to_owned()), ..Options::default() };
        let _ = read_with(Cursor::new(parts.concat().into_bytes()), &options);
    }

    #[test]
    fn an_edited_export_ends_without_a_panic(
        name in prop::sample::select(vec!["wxr-1.2.xml", "wxr-1.0.xml", "disqus.xml"]),
        at in any::<prop::sample::Index>(), length in 0usize..60, with in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let whole = fixture(name);
        let options = Options { format: Some(read(&whole).format.to_owned()), max_line: 200, ..Options::default() };
        let mut bytes = whole.into_bytes();
        let from = at.index(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, with);
        if let Ok(said) = read_with(Cursor::new(bytes), &options) {
            prop_assert!(said.comments.len() <= 9);
        }
    }
}
