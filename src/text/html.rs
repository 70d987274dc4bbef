//! HTML of a comment as text: markup undone, paragraphs kept, quotes and links apart.

pub(crate) mod flow;
pub(crate) mod mend;

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
    /// Byte ranges of `text` that stood in a quotation (`blockquote`, `q`, Discourse's `aside.quote`), in order and
    /// apart.
    pub quotes: Vec<Range<usize>>,
    /// Addresses that the text links to (`http`, `https` and those that begin with `//`), in order.
    pub links: Vec<String>,
}

/// Reads a piece of HTML. Never fails: what is not markup is text, and what never closes ends with the piece. Text
/// without any markup comes back as it is.
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
pub(crate) fn raw_kind(name: &str) -> Option<RawKind> {
    match name {
        "script" => Some(ScriptData),
        "style" | "iframe" | "noembed" | "noframes" | "noscript" | "xmp" => Some(Rawtext),
        "title" | "textarea" => Some(Rcdata),
        _ => None,
    }
}
