//! The flow of text that elements make: which of them break lines, quote, link, keep white space or do not show.

use std::collections::HashMap;

use html5ever::LocalName;

use super::{Fragment, Newlines};

/// Looks up an attribute of an element by its name.
pub(crate) type Attributes<'a, 'b> = &'b dyn Fn(&str) -> Option<&'a str>;

/// Writes the text of elements as they open and close. Elements may be left open, closed twice or never, in any order
/// and to any depth.
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

/// White space that counts as one blank. The no-break space is among it: editors write it to show two blanks or an
/// empty paragraph.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{a0}'
}

/// True for elements whose end matters: blocks, because they end what was left open in them, and those with an
/// [`Effect`].
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
    const PICTURES: [std::ops::RangeInclusive<char>; 4] =
        ['\u{2190}'..='\u{21ff}', '\u{2300}'..='\u{27bf}', '\u{2b00}'..='\u{2bff}', '\u{1f000}'..='\u{1faff}'];
    let is_picture = |c| PICTURES.iter().any(|range| range.contains(&c));
    alt.contains(is_picture) && !alt.contains(char::is_alphabetic)
}
