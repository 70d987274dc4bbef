//! HTML of comments as text.

use polemic::text::html::{Fragment, Newlines, fragment};
use proptest::prelude::*;

fn text(html: &str) -> String {
    fragment(html, Newlines::Collapse).text
}

fn quoted(html: &str) -> Vec<String> {
    let Fragment { text, quotes, .. } = fragment(html, Newlines::Collapse);
    quotes.into_iter().map(|range| text[range].to_owned()).collect()
}

#[test]
fn text_without_markup_comes_back_as_it_is() {
    for plain in ["", "  two\n lines ", "a > b, isn't it?", "naïve \u{3000}日本語\r\n"] {
        for newlines in [Newlines::Collapse, Newlines::Keep] {
            assert_eq!(fragment(plain, newlines), Fragment { text: plain.to_owned(), ..Fragment::default() });
        }
    }
}

#[test]
fn blocks_and_line_breaks_separate_paragraphs_and_lines() {
    for (html, expected) in [
        ("<p>One\n  and two.</p>\n<p>Three</p>", "One and two.\n\nThree"),
        ("One<br>two<br/>three<br /><br />four", "One\ntwo\nthree\n\nfour"),
        ("<p>One</p><p>&nbsp;</p><p></p><p>two</p>", "One\n\ntwo"),
        ("<div>One</div><div><br></div><div>two</div><div>three</div>", "One\n\ntwo\nthree"),
        (
            "Three things:<ul><li>bread</li>\n<li>salt<li>wine</ul>and time",
            "Three things:\nbread\nsalt\nwine\nand time",
        ),
        ("<b>bo</b>ld <i> and </i> slanted", "bold and slanted"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("  <p> padded\t</p>  ", "padded"),
        ("no<wbr>break and a&nbsp;&nbsp;gap", "nobreak and a gap"),
    ] {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn entities_are_decoded_once() {
    assert_eq!(
        text("R&amp;D &lt;b&gt; &quot;x&quot; &#8217;n&#x27; caf&eacute; &hellip; &amp;amp; &unknown;"),
        "R&D <b> \"x\" ’n' café … &amp; &unknown;"
    );
    assert_eq!(text("R&D and AT&T"), "R&D and AT&T");
}

#[test]
fn what_is_no_markup_stays_text() {
    for said in [
        "I <3 R&D",
        "a < b and b > c",
        "</3 that's over",
        "x<5 && y>3",
        "if x <y then it ends",
        "a <b and c, but no more",
        "<- see above, <<< <> <! <?",
        "<",
        "a</ b",
    ] {
        assert_eq!(text(said), said);
    }
    assert_eq!(text("<p>she <3 you</p><p>1 < 2</p>"), "she <3 you\n\n1 < 2");
}

#[test]
fn what_is_never_closed_ends_with_the_piece() {
    for (html, expected) in [
        ("<p>One <b>two <i>three", "One two three"),
        ("cut here <a href=\"https://a.example/pa", "cut here"),
        ("cut here</p", "cut here"),
        ("cut here <figure class=\"x", "cut here"),
        ("<a href=\"https://a.example>one</a> and <b>two</b> and </b class='x>three", "one and two and three"),
        ("seen<!-- not seen <b>", "seen"),
        ("seen<script>not(\"seen\")", "seen"),
        ("</div></p></b>text</blockquote></li>", "text"),
    ] {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn scripts_styles_templates_and_comments_are_no_text() {
    let html = "<style>p{color:red}</style>a<script>if(a<b){document.write('<p>x')}</script><template>t<b>u</b></template>b\
        <!-- c > d --><noscript><img src=x></noscript><iframe src=x>y</iframe>c<![CDATA[ & d]]>";
    assert_eq!(text(html), "abc & d");
}

#[test]
fn pictures_that_stand_for_characters_are_characters() {
    for (html, expected) in [
        ("nice <img class=\"emoji\" alt=\"🙂\" src=\"x.svg\">!", "nice 🙂!"),
        ("nice <img src='x' class='wp-smiley' alt=';-)' />", "nice ;-)"),
        ("nice <img src=\"x\" alt=\"❤️\">", "nice ❤️"),
        ("see <img src=\"x\" alt=\"a cat on a mat\"> there", "see there"),
    ] {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn quotations_are_known_by_their_place_in_the_text() {
    for (html, expected) in [
        ("<blockquote><p>You are late.</p><p>Again.</p></blockquote><p>No.</p>", vec!["You are late.\n\nAgain."]),
        ("He said <q>never</q>, then <q>maybe</q>.", vec!["never", "maybe"]),
        ("<blockquote>a<blockquote>b</blockquote>c</blockquote>d<blockquote>e</blockquote>", vec!["a\n\nb\n\nc", "e"]),
        ("x<blockquote></blockquote>y", vec![]),
        ("<div><blockquote>open</div>outside", vec!["open"]),
        (
            "<aside class=\"quote no-group\" data-username=\"ola\"><div class=\"title\"><img class=\"avatar\" alt=\"\"> ola:</div>\
            <blockquote><p>First.</p></blockquote></aside><p>Second.</p>",
            vec!["First."],
        ),
    ] {
        assert_eq!(quoted(html), expected, "{html}");
    }
    let html = "<aside class=\"quote\"><div class=\"title\"> ola:</div><blockquote>First.</blockquote></aside>Second.";
    assert_eq!(text(html), "First.\n\nSecond.");
    assert_eq!(text("[quote=\"ola\"]First.[/quote] <b>Second</b>."), "[quote=\"ola\"]First.[/quote] Second.");
}

#[test]
fn links_to_pages_are_kept_and_no_others() {
    let html = "<a href=\"https://a.example/x?a=1&amp;b=2\">one</a> <A HREF=' //b.example '>two</A> <a href=HTTP://c.example>3</a>\
        <a href=\"mailto:ann@a.example\">write</a> <a href=\"/about\">rel</a> <a href=\"#c\">#</a> <a href=\"javascript:x()\">j</a>\
        <a href=\"https://secure.gravatar.com/0bc83cb571cd1c50ba6f3e8a78ef1346\">g</a> <a>none</a> <a href=\"https://\">e</a>";
    let found = fragment(html, Newlines::Collapse);
    assert_eq!(found.links, ["https://a.example/x?a=1&b=2", "//b.example", "HTTP://c.example"]);
    assert_eq!(found.text, "one two 3write rel # jg none e");
}

#[test]
fn preformatted_text_keeps_its_lines() {
    let html = "<p>So:</p><pre><code>fn main() {\n    print()\n\n\n}\n</code></pre><p>and  <code>a\nb</code>\n.</p>";
    assert_eq!(text(html), "So:\n\nfn main() {\n    print()\n\n\n}\n\nand a\nb .");
}

#[test]
fn line_breaks_of_the_html_count_where_they_are_kept() {
    for (html, expected) in [
        ("One\ntwo\r\n\r\n<b>three</b>", "One\ntwo\n\nthree"),
        ("One<br />\ntwo\n \n\n\n<i>three</i>", "One\ntwo\n\nthree"),
        ("<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n\nc", "a\nb\n\nc"),
    ] {
        assert_eq!(fragment(html, Newlines::Keep).text, expected, "{html:?}");
    }
}

#[test]
fn hostile_markup_is_read_in_one_go() {
    let many = |piece: &str| piece.repeat(100_000);
    assert_eq!(text(&format!("{}deep{}", many("<div>"), many("</div>"))), "deep");
    assert_eq!(text(&format!("{}deep", many("<blockquote><q><b class=x>"))), "deep");
    assert_eq!(quoted(&format!("{}deep", many("<blockquote>"))), ["deep"]);
    assert_eq!(text(&format!("{}x{}", many("<div>"), many("</p></q></li>"))), "x");
    assert_eq!(text(&many("<")), many("<"));
    assert_eq!(text(&many("<x ")), many("<x ").trim_end());
    assert_eq!(text(&format!("a {}", many("<a href=\""))), "a");
    assert_eq!(text(&format!("a {}b", many("<a href='\">"))), "a b");
    let attributes: Vec<String> = (0..100_000).map(|i| format!("x{i}=\">\"")).collect();
    assert_eq!(text(&format!("a <b {}>b", attributes.concat())), "a b");
    assert_eq!(text(&many("<!--")), "");
    assert_eq!(text(&many("<script>")), "");
    assert_eq!(text(&many("&")), many("&"));
}

proptest! {
    #[test]
    fn nothing_panics_and_quotes_are_in_order(html in r#"(<|>|</|/|!--|--|blockquote|q |q>|p>|br>|pre>|code>|script>|aside class="quote">|div class="title">|a href="https://x|"|'|=| |\n|&|&lt;|&#|ü|word|😀){0,60}"#) {
        for newlines in [Newlines::Collapse, Newlines::Keep] {
            let Fragment { text, quotes, links } = fragment(&html, newlines);
            let mut last = 0;
            for range in quotes {
                prop_assert!(last <= range.start && range.start < range.end && text.get(range.clone()).is_some(), "{:?}", text);
                last = range.end;
            }
            prop_assert!(text.len() <= html.len() && links.len() <= html.len());
        }
    }

    #[test]
    fn escaped_text_comes_back(words in prop::collection::vec("[\\PC&&[^ \u{a0}\u{feff}]]{1,12}", 1..12)) {
        let said = words.join(" ");
        let escaped = said.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        prop_assert_eq!(text(&escaped), said.clone());
        let written = format!("<p>{escaped}</p>");
        prop_assert_eq!(text(&written), said);
    }
}
