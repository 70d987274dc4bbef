//! HTML of a comment as text: markup undone, paragraphs kept, quotes and links apart.

pub(crate) mod flow {
    //! The flow of text that elements make: which of them break lines, quote, link, keep white space or do not show.

    use std::collections::HashMap;

    use html5ever::LocalName;

    use super::{Fragment, Newlines};

    /// Looks up an attribute of an element by its name.
    pub(crate) type Attributes<'a, 'b> = &'b dyn Fn(&str) -> Option<&'a str>;

    /// Writes the text of elements as they open and close. Elements may be left open, closed twice or never, in any order and to any depth.
    pub(crate) struct Flow {
        out: Fragment,
        newlines: Newlines,
        /// What will separate the next word from the text before it, if there is one.
        gap: Gap,
        /// Line breaks of the HTML itself since the last word, where they count.
        breaks: usize,
        /// White space since the last word or line break.
        blank: String,
        /// The open elements that change how text is written.
        open: Vec<(LocalName, Effect)>,
        /// How many elements of each name are in `open`.
        counts: HashMap<LocalName, u32>,
        hidden: u32,
        verbatim: u32,
        quoting: u32,
        /// How many of the quotations are those of Discourse.
        asides: u32,
        /// Where the quotation in progress begins, once it has a word.
        quote: Option<usize>,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Gap {
        None,
        Line,
        Paragraph,
    }

    /// What an element does to the text in it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Effect {
        None,
        Hide,
        Verbatim,
        Quote,
        QuoteAside,
    }

    impl Flow {
        pub(crate) fn new(newlines: Newlines) -> Self {
            Self {
                out: Fragment::default(),
                newlines,
                gap: Gap::None,
                breaks: 0,
                blank: String::new(),
                open: Vec::new(),
                counts: HashMap::new(),
                hidden: 0,
                verbatim: 0,
                quoting: 0,
                asides: 0,
                quote: None,
            }
        }

        /// An element opens.
        pub(crate) fn start(&mut self, name: &LocalName, attribute: Attributes) {
            self.separate(name);
            match &**name {
                "img" if self.hidden == 0 => self.picture(attribute),
                "a" if self.hidden == 0 => self.out.links.extend(attribute("href").and_then(address)),
                _ => {}
            }
            if is_followed(name) {
                let effect = self.effect(name, attribute);
                self.count(effect, 1);
                *self.counts.entry(name.clone()).or_default() += 1;
                self.open.push((name.clone(), effect));
            }
        }

        /// An element closes, and all that were opened in it and left open.
        pub(crate) fn end(&mut self, name: &LocalName) {
            self.separate(name);
            // Without the count, every end tag that closes nothing would cost a search of all open elements.
            while self.counts.get(name).is_some_and(|&count| count > 0) {
                let Some((closed, effect)) = self.open.pop() else { break };
                if let Some(count) = self.counts.get_mut(&closed) {
                    *count -= 1;
                }
                self.count(effect, -1);
                if closed == *name {
                    break;
                }
            }
        }

        /// Text, entities decoded.
        pub(crate) fn text(&mut self, said: &str) {
            if self.hidden > 0 {
                return;
            }
            let mut rest = said;
            while !rest.is_empty() {
                let word_at = rest.find(|c| !is_blank(c)).unwrap_or(rest.len());
                let (blank, after) = rest.split_at(word_at);
                self.blank(blank);
                let (word, next) = after.split_at(after.find(is_blank).unwrap_or(after.len()));
                if !word.is_empty() {
                    self.word(word);
                }
                rest = next;
            }
        }

        /// All that was written.
        pub(crate) fn finish(mut self) -> Fragment {
            self.close_quote();
            self.out
        }

        fn blank(&mut self, blank: &str) {
            for c in blank.chars() {
                if c == '\n' && (self.verbatim > 0 || self.newlines == Newlines::Keep) {
                    self.breaks += 1;
                    self.blank.clear();
                } else if self.verbatim > 0 {
                    self.blank.push(c);
                } else if self.blank.is_empty() {
                    self.blank.push(' ');
                }
            }
        }

        fn word(&mut self, word: &str) {
            let text = &mut self.out.text;
            if !text.is_empty() {
                let lines = match self.gap {
                    Gap::None => 0,
                    Gap::Line => 1,
                    Gap::Paragraph => 2,
                };
                let lines = lines.max(if self.verbatim > 0 { self.breaks } else { self.breaks.min(2) });
                text.extend(std::iter::repeat_n('\n', lines));
                if self.verbatim > 0 {
                    text.push_str(&self.blank);
                } else if lines == 0 && !self.blank.is_empty() {
                    text.push(' ');
                }
            }
            self.gap = Gap::None;
            self.breaks = 0;
            self.blank.clear();
            if self.quoting > 0 {
                self.quote.get_or_insert(text.len());
            }
            text.push_str(word);
        }

        /// The line break that an element makes where it opens and where it closes.
        fn separate(&mut self, name: &str) {
            if self.hidden > 0 {
                return;
            }
            let gap = match name {
                // A line break on an empty line leaves that line empty.
                "br" if self.gap >= Gap::Line => Gap::Paragraph,
                "p" | "blockquote" | "pre" | "hr" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "aside" | "article"
                | "section" | "table" | "figure" => Gap::Paragraph,
                "br" | "div" | "li" | "ul" | "ol" | "dl" | "dt" | "dd" | "tr" | "caption" | "figcaption" | "address"
                | "details" | "summary" | "fieldset" | "form" | "header" | "footer" | "main" | "nav" | "center" | "dir"
                | "menu" | "tbody" | "thead" | "tfoot" | "body" | "html" | "head" => Gap::Line,
                "td" | "th" => return self.blank(" "),
                _ => return,
            };
            self.gap = self.gap.max(gap);
            self.blank.clear();
        }

        fn effect(&self, name: &str, attribute: Attributes) -> Effect {
            let has_class =
                |wanted: &str| attribute("class").is_some_and(|c| c.split_ascii_whitespace().any(|c| c == wanted));
            match name {
                "script" | "style" | "template" | "noscript" | "iframe" | "noembed" | "noframes" | "textarea" | "title" => {
                    Effect::Hide
                }
                // The bar above a quotation of Discourse: who is quoted.
                "div" if self.asides > 0 && has_class("title") => Effect::Hide,
                "aside" if has_class("quote") => Effect::QuoteAside,
                "blockquote" | "q" => Effect::Quote,
                "pre" | "code" => Effect::Verbatim,
                _ => Effect::None,
            }
        }

        fn count(&mut self, effect: Effect, change: i32) {
            let changed = |count: u32| count.saturating_add_signed(change);
            match effect {
                Effect::None => {}
                Effect::Hide => self.hidden = changed(self.hidden),
                Effect::Verbatim => self.verbatim = changed(self.verbatim),
                Effect::Quote => self.quoting = changed(self.quoting),
                Effect::QuoteAside => {
                    self.quoting = changed(self.quoting);
                    self.asides = changed(self.asides);
                }
            }
            if self.quoting == 0 {
                self.close_quote();
            }
        }

        fn close_quote(&mut self) {
            if let Some(from) = self.quote.take() {
                self.out.quotes.push(from..self.out.text.len());
            }
        }

        /// A picture that stands for a character.
        fn picture(&mut self, attribute: Attributes) {
            let Some(alt) = attribute("alt") else { return };
            let class = attribute("class").unwrap_or_default();
            if ["emoji", "smil", "emoticon"].iter().any(|stem| class.contains(stem)) || is_emoji(alt) {
                self.text(alt);
            }
        }
    }

    /// White space that counts as one blank. The no-break space is among it: editors write it to show two blanks or an empty paragraph.
    fn is_blank(c: char) -> bool {
        c.is_ascii_whitespace() || c == '\u{a0}'
    }

    /// True for elements whose end matters: blocks, because they end what was left open in them, and those with an [`Effect`].
    fn is_followed(name: &str) -> bool {
        matches!(
            name,
            "p" | "div"
                | "blockquote"
                | "q"
                | "pre"
                | "code"
                | "aside"
                | "article"
                | "section"
                | "li"
                | "ul"
                | "ol"
                | "td"
                | "th"
                | "table"
                | "script"
                | "style"
                | "template"
                | "noscript"
                | "iframe"
                | "noembed"
                | "noframes"
                | "textarea"
                | "title"
        )
    }

    /// The address of a link if it leads to a page elsewhere; never that of a mailbox or of a picture made of one.
    fn address(href: &str) -> Option<String> {
        let href = href.trim();
        let starts = |prefix: &str| href.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let is_page = ["http://", "https://", "//"].into_iter().any(|prefix| starts(prefix) && href.len() > prefix.len());
        (is_page && !href.contains("gravatar.com/")).then(|| href.to_owned())
    }

    /// True for one or more pictographs.
    fn is_emoji(alt: &str) -> bool {
        let is_picture = |c| matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
        alt.contains(is_picture) && !alt.contains(char::is_alphabetic)
    }
}
pub(crate) mod mend {
    //! Mends HTML before html5ever reads it: `<` that opens no tag, tags that never close, and tags with more attributes than any has.

    use std::borrow::Cow;

    use memchr::memchr;

    /// Attributes of a tag beyond which it is left out: html5ever compares each with all before it.
    const MAX_ATTRIBUTES: usize = 512;

    /// The HTML with every `<` that opens no markup as `&lt;`. As a browser would, html5ever takes `</3` for a comment, and drops all that
    /// follows a tag that is never closed: a cut tag is dropped alone here, and text stays text.
    pub(crate) fn mend(html: &str) -> Cow<'_, str> {
        let mut mended = Mended { html, done: 0, out: String::new() };
        let mut at = 0;
        while let Some(found) = memchr(b'<', html.as_bytes().get(at..).unwrap_or_default()) {
            at += found;
            let rest = &html[at..];
            at += match opens(rest) {
                Opens::Nothing => {
                    mended.replace(at, 1, "&lt;");
                    1
                }
                Opens::Declaration => 2,
                Opens::Comment => rest.find("-->").map_or(rest.len(), |end| end + 3),
                Opens::Tag => match Tag::read(rest) {
                    Some(tag) if tag.attributes > MAX_ATTRIBUTES => {
                        mended.replace(at, tag.len, "");
                        tag.len
                    }
                    Some(tag) => tag.len + raw_text(rest, tag.len),
                    None => {
                        mended.without_quotation_marks(at);
                        break;
                    }
                },
            };
        }
        mended.finish()
    }

    struct Mended<'a> {
        html: &'a str,
        /// Bytes of `html` that are in `out`.
        done: usize,
        out: String,
    }

    impl<'a> Mended<'a> {
        fn replace(&mut self, at: usize, len: usize, by: &str) {
            self.out.push_str(&self.html[self.done..at]);
            self.out.push_str(by);
            self.done = at + len;
        }

        /// Mends the rest from a tag that never closes: its quotation marks, or others before, are not in pairs. So from here on they mean
        /// nothing in tags.
        fn without_quotation_marks(&mut self, mut at: usize) {
            while let Some(found) = memchr(b'<', self.html.as_bytes().get(at..).unwrap_or_default()) {
                at += found;
                let rest = &self.html[at..];
                if opens(rest) != Opens::Tag {
                    self.replace(at, 1, "&lt;");
                    at += 1;
                    continue;
                }
                let Some(end) = rest.find('>') else {
                    let rest_mended = if is_cut_tag(rest) { String::new() } else { rest.replace('<', "&lt;") };
                    return self.replace(at, rest.len(), &rest_mended);
                };
                let len = end + 1;
                self.replace(at, len, &rest[..len].replace(['"', '\''], ""));
                at += len;
            }
        }

        fn finish(mut self) -> Cow<'a, str> {
            if self.done == 0 {
                return Cow::Borrowed(self.html);
            }
            self.out.push_str(&self.html[self.done..]);
            Cow::Owned(self.out)
        }
    }

    /// What a `<` opens.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Opens {
        Nothing,
        Tag,
        Comment,
        Declaration,
    }

    fn opens(rest: &str) -> Opens {
        match rest.as_bytes() {
            [b'<', b'!', b'-', b'-', ..] => Opens::Comment,
            [b'<', b'!', b'd' | b'D' | b'[', ..] => Opens::Declaration,
            [b'<', b'?', letter, ..] if letter.is_ascii_alphabetic() => Opens::Declaration,
            [b'<', letter, ..] | [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => Opens::Tag,
            _ => Opens::Nothing,
        }
    }

    /// A whole tag.
    struct Tag {
        /// Its bytes from `<` to `>`.
        len: usize,
        attributes: usize,
    }

    impl Tag {
        /// Reads the tag that starts `rest`, by the states of the HTML standard; `None` if it never closes.
        fn read(rest: &str) -> Option<Self> {
            enum State {
                TagName,
                Before,
                Name,
                After,
                Equals,
                Unquoted,
                Quoted(u8),
            }
            let (mut state, mut attributes) = (State::TagName, 0);
            for (at, &byte) in rest.as_bytes().iter().enumerate().skip(1) {
                let is_blank = byte.is_ascii_whitespace();
                state = match (state, byte) {
                    (State::Quoted(mark), _) if mark == byte => State::Before,
                    (State::Quoted(mark), _) => State::Quoted(mark),
                    (_, b'>') => return Some(Self { len: at + 1, attributes }),
                    (State::TagName, b'/') if at == 1 => State::TagName,
                    (State::TagName | State::Unquoted, _) if is_blank => State::Before,
                    (State::TagName | State::Before | State::Name | State::After, b'/') => State::Before,
                    (State::Before, _) if is_blank => State::Before,
                    (State::Name | State::After, _) if is_blank => State::After,
                    (State::Name | State::After, b'=') => State::Equals,
                    (State::Before | State::After, _) => {
                        attributes += 1;
                        State::Name
                    }
                    (State::Equals, _) if is_blank => State::Equals,
                    (State::Equals, b'"' | b'\'') => State::Quoted(byte),
                    (State::Equals, _) => State::Unquoted,
                    (state @ (State::TagName | State::Name | State::Unquoted), _) => state,
                };
            }
            None
        }
    }

    /// Bytes of the content behind a start tag of `len` bytes that holds no tags.
    fn raw_text(rest: &str, len: usize) -> usize {
        const RAW: [&str; 9] = ["script", "style", "textarea", "title", "iframe", "noscript", "xmp", "noembed", "noframes"];
        let name = name(rest);
        let Some(raw) = RAW.into_iter().find(|raw| raw.eq_ignore_ascii_case(name)) else { return 0 };
        let content = rest.get(len..).unwrap_or_default();
        let ends = |at: &usize| {
            let end = content.get(at + 2..at + 2 + raw.len());
            content[*at..].starts_with("</") && end.is_some_and(|end| end.eq_ignore_ascii_case(raw))
        };
        content.match_indices('<').map(|(at, _)| at).find(ends).unwrap_or(content.len())
    }

    /// The name of the start tag at the start of `rest`; empty for an end tag.
    fn name(rest: &str) -> &str {
        let name = rest.get(1..).unwrap_or_default();
        name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
    }

    /// True if `rest` is a tag that was cut off rather than text with a `<`.
    fn is_cut_tag(rest: &str) -> bool {
        const COMMON: [&str; 30] = [
            "a",
            "abbr",
            "b",
            "blockquote",
            "br",
            "cite",
            "code",
            "del",
            "div",
            "em",
            "h1",
            "h2",
            "h3",
            "hr",
            "i",
            "img",
            "ins",
            "li",
            "ol",
            "p",
            "pre",
            "q",
            "s",
            "small",
            "span",
            "strike",
            "strong",
            "table",
            "u",
            "ul",
        ];
        let inside = rest.trim_start_matches(['<', '/']);
        let (name, behind) = inside.split_at(inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len()));
        let is_element = COMMON.iter().any(|common| common.eq_ignore_ascii_case(name));
        is_element && (behind.contains('=') || behind.trim_matches([' ', '/', '\n', '\t', '\r']).is_empty())
    }
}

use std::cell::RefCell;
use std::ops::Range;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use flow::Flow;

/// What line breaks in the HTML itself mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newlines {
    /// White space, as in any HTML page.
    Collapse,
    /// Line breaks: `WordPress` stores comments so and makes paragraphs of them when it shows them.
    Keep,
}

/// A piece of HTML as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The text, entities decoded, paragraphs joined by `\n\n`, lines by `\n`.
    pub text: String,
    /// Byte ranges of `text` that stood in a quotation (`blockquote`, `q`, Discourse's `aside.quote`), in order and apart.
    pub quotes: Vec<Range<usize>>,
    /// Addresses that the text links to (`http`, `https` and those that begin with `//`), in order.
    pub links: Vec<String>,
}

/// Reads a piece of HTML. Never fails: what is not markup is text, and what never closes ends with the piece. Text without any markup
/// comes back as it is.
pub fn fragment(html: &str, newlines: Newlines) -> Fragment {
    if !html.contains(['<', '&']) {
        return Fragment { text: html.to_owned(), ..Fragment::default() };
    }
    let tokenizer = Tokenizer::new(Sink { flow: RefCell::new(Flow::new(newlines)) }, TokenizerOpts::default());
    let queue = BufferQueue::default();
    for chunk in chunks(&mend::mend(html)) {
        queue.push_back(StrTendril::from_slice(chunk));
        // The sink never stops the tokenizer, so each chunk is read whole.
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    tokenizer.sink.flow.into_inner().finish()
}

/// Bytes handed to html5ever at a time: its strings hold no more than 4 GiB.
const CHUNK: usize = 1 << 20;

/// `html` in pieces that html5ever takes.
pub(crate) fn chunks(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let (chunk, after) = rest.split_at_checked(rest.floor_char_boundary(CHUNK))?;
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Writes tokens as text. There is no need of a tree: what counts is which elements are open.
struct Sink {
    flow: RefCell<Flow>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut flow = self.flow.borrow_mut();
        match token {
            Token::CharacterTokens(text) => flow.text(&text),
            Token::TagToken(tag) => match tag.kind {
                TagKind::StartTag => {
                    flow.start(&tag.name, &|name| attribute(&tag, name));
                    if let Some(kind) = raw_kind(&tag.name) {
                        return TokenSinkResult::RawData(kind);
                    }
                }
                TagKind::EndTag => flow.end(&tag.name),
            },
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        // A CDATA section that an export left in is text, not a comment.
        true
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// How the content of an element is read that holds no elements.
fn raw_kind(name: &str) -> Option<RawKind> {
    match name {
        "script" => Some(ScriptData),
        "style" | "iframe" | "noembed" | "noframes" | "noscript" | "xmp" => Some(Rawtext),
        "title" | "textarea" => Some(Rcdata),
        _ => None,
    }
}
