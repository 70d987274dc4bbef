//! Folders of `ConvoKit` corpora: utterances line by line, and the titles of conversations. Pickles and binary meta
//! fields are never read.

use std::fs::File;
use std::io::{BufRead, Read};
use std::path::Path;

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::read::bytes::{Damage, Source};
use crate::read::entry::{Entry, Reader, StoryRow};
use crate::read::fields::{self, Fields, Role};
use crate::read::format::{Content, Format, Head, Opened};
use crate::read::json::{Element, Elements, elements, parse};
use crate::read::rows::{BadRow, Options, Row};
use crate::thread::Story;
use crate::write::{MARK, UNKNOWN};

/// A `ConvoKit` corpus.
pub struct ConvoKit;

/// The utterances; the second is the old layout.
const UTTERANCES: [&str; 2] = ["utterances.jsonl", "utterances.json"];

const CONVERSATIONS: &str = "conversations.json";

/// Meta fields that hold the title of a conversation, beside those that tables have it in.
const TITLES: [&str; 3] = ["page_title", "op-title", "movie_name"];

/// Meta fields of utterances in which our writer keeps what an utterance has no field for.
const OURS: [&str; 6] = ["thread_id", "parent_id", "created", "status", "quotes", "links"];

impl Format for ConvoKit {
    fn name(&self) -> &'static str {
        "convokit"
    }

    fn about(&self) -> &'static str {
        "folder of a ConvoKit corpus (utterances.jsonl, conversations.json)"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        head.folder.is_some_and(|folder| UTTERANCES.iter().any(|name| folder.join(name).is_file()))
    }

    fn open(&self, input: Opened, options: &Options) -> Result<Box<dyn Reader>> {
        let Content::Folder(folder) = input.content else {
            return Err(Error::input(&input.name, "is no ConvoKit corpus: it is no folder"));
        };
        let there = UTTERANCES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        let utterances = there
            .ok_or_else(|| Error::input(&input.name, "is no ConvoKit corpus: there is no utterances.jsonl in it"))?;
        // The old layout is one array.
        let utterances = source(&utterances)?;
        let damage = utterances.damage();
        let utterances = elements(utterances, options.max_line);
        let conversations = folder.join(CONVERSATIONS);
        let conversations =
            conversations.is_file().then(|| Conversations::open(&conversations, options)).transpose()?;
        let is_ours = is_ours(&folder.join("corpus.json"), options);
        let (options, fields) = (options.clone(), Fields::default());
        Ok(Box::new(Corpus { conversations, utterances, options, is_ours, fields, damage }))
    }
}

fn source(path: &Path) -> Result<Source> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    Source::from_reader(&path.display().to_string(), Box::new(file))
}

/// True for a corpus that our writer wrote, even if it went through `ConvoKit` since.
fn is_ours(path: &Path, options: &Options) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let corpus = std::io::BufReader::new(file).take(options.max_document as u64);
    serde_json::from_reader::<_, Marked>(corpus).is_ok_and(|Marked(is_marked)| is_marked)
}

/// The entries of a corpus: the stories first.
struct Corpus {
    conversations: Option<Conversations>,
    utterances: Box<dyn Elements>,
    options: Options,
    is_ours: bool,
    /// Of the last utterance.
    fields: Fields,
    damage: Damage,
}

impl Reader for Corpus {
    fn next_entry(&mut self) -> Option<std::result::Result<Entry, BadRow>> {
        while let Some(conversations) = &mut self.conversations {
            match conversations.next_conversation() {
                Some(Ok(conversation)) => {
                    if let Some(story) = conversation.story(self.is_ours) {
                        return Some(Ok(Entry::Story(story)));
                    }
                }
                Some(Err(what)) => {
                    let line = conversations.line;
                    self.conversations = None;
                    let what = format!("{CONVERSATIONS}: {what}; the titles from here on are not read");
                    return Some(Err(BadRow { line, what, raw: String::new(), fatal: false }));
                }
                None => self.conversations = None,
            }
        }
        Some(self.utterances.next_element()?.and_then(|element| self.utterance(element)))
    }

    fn mapping(&self) -> Vec<(&'static str, String)> {
        self.fields.mapping()
    }

    fn damage(&self) -> Option<Damage> {
        Some(self.damage.clone())
    }
}

impl Corpus {
    fn utterance(&mut self, element: Element) -> std::result::Result<Entry, BadRow> {
        let Element { line, raw } = element;
        let fields = match parse(line, &raw)? {
            Value::Object(fields) => fields,
            other => {
                let what = format!("{} stands where an utterance is expected", fields::kind(&other));
                return Err(BadRow { line, what, raw, fatal: false });
            }
        };
        let mut row = Row { line, fields, raw };
        self.fields = self.choose(&row.fields);
        self.mend(&mut row.fields);
        let comment = fields::comment(&row, &self.fields);
        comment.map(Entry::from).map_err(|what| BadRow { line, what, raw: row.raw, fatal: false })
    }

    /// Where an utterance has what. Old corpora say `user` and `root`.
    fn choose(&self, utterance: &Map<String, Value>) -> Fields {
        let first = |given: &Option<String>, names: &[&str]| {
            let there = names.iter().find(|name| utterance.contains_key(**name)).or(names.first());
            given.clone().or_else(|| there.map(|name| (*name).to_owned()))
        };
        let ours = |name: &str| self.is_ours.then(|| name.to_owned());
        Fields {
            id: first(&self.options.id, &["id"]),
            // The order in which ConvoKit looks.
            parent_id: first(&self.options.parent, &["reply_to", "reply-to"]),
            author: first(&self.options.author, &["speaker", "user"]),
            created: first(&self.options.created, &["timestamp"]),
            text: first(&self.options.text, &["text"]),
            thread_id: first(&self.options.thread, &["conversation_id", "root"]),
            status: ours("status"),
            quotes: ours("quotes"),
            links: ours("links"),
            ..Fields::default()
        }
    }

    /// Puts in place what our writer had to keep elsewhere. An utterance without a text is part of the tree all the
    /// same.
    fn mend(&self, utterance: &mut Map<String, Value>) {
        let Some(Value::Object(meta)) = utterance.remove("meta").filter(|_| self.is_ours) else {
            return self.fill_text(utterance);
        };
        for (name, value) in meta.into_iter().filter(|(name, _)| OURS.contains(&name.as_str())) {
            let field = match name.as_str() {
                "thread_id" => &self.fields.thread_id,
                "parent_id" => &self.fields.parent_id,
                "created" => &self.fields.created,
                "status" => &self.fields.status,
                "quotes" => &self.fields.quotes,
                _ => &self.fields.links,
            };
            utterance.extend(field.clone().map(|field| (field, value)));
        }
        let is_unknown = |field: &String| utterance.get(field).is_some_and(|name| name == UNKNOWN);
        if let Some(field) = self.fields.author.as_ref().filter(|field| is_unknown(field)) {
            utterance.remove(field);
        }
        self.fill_text(utterance);
    }

    fn fill_text(&self, utterance: &mut Map<String, Value>) {
        if let Some(text) =
            self.fields.text.as_ref().and_then(|field| utterance.get_mut(field)).filter(|text| text.is_null())
        {
            *text = Value::from("");
        }
    }
}

/// The members of `conversations.json`, one after the other: the file may be larger than the memory.
struct Conversations {
    input: Box<dyn BufRead + Send>,
    /// The longest one accepted, in bytes.
    max: u64,
    line: u64,
    is_open: bool,
}

impl Conversations {
    fn open(path: &Path, options: &Options) -> Result<Self> {
        Ok(Self { input: source(path)?.into_reader(), max: options.max_document as u64, line: 1, is_open: false })
    }

    /// The next conversation; `None` at the end. Nothing can follow an error.
    fn next_conversation(&mut self) -> Option<std::result::Result<Conversation, String>> {
        loop {
            return match self.punctuation() {
                Ok(Some(b'{')) if !self.is_open => {
                    self.is_open = true;
                    continue;
                }
                Ok(Some(b',')) if self.is_open => continue,
                Ok(Some(b'}')) if self.is_open => None,
                Ok(Some(b'"')) if self.is_open => Some(self.member()),
                Ok(Some(other)) => {
                    Some(Err(format!("`{}` stands where a conversation is expected", other.escape_ascii())))
                }
                Ok(None) => Some(Err("the file ends before its last `}`: it is cut off".to_owned())),
                Err(error) => Some(Err(error.to_string())),
            };
        }
    }

    /// Skips white space; takes the byte that follows unless it opens a string.
    fn punctuation(&mut self) -> std::io::Result<Option<u8>> {
        while let Some(&byte) = self.input.fill_buf()?.first() {
            if byte != b'"' {
                self.input.consume(1);
            }
            self.line += u64::from(byte == b'\n');
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
        }
        Ok(None)
    }

    fn member(&mut self) -> std::result::Result<Conversation, String> {
        let id: String = self.value()?;
        match self.punctuation() {
            Ok(Some(b':')) => Ok(Conversation { id, ..self.value()? }),
            Ok(_) => Err(format!("no `:` after \"{id}\"")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Reads a string or an object: values with an end of their own, so that no byte after them is taken.
    fn value<T: DeserializeOwned>(&mut self) -> std::result::Result<T, String> {
        let mut limited = self.input.by_ref().take(self.max);
        let value = T::deserialize(&mut serde_json::Deserializer::from_reader(&mut limited));
        let is_too_long = limited.limit() == 0;
        value.map_err(|error| {
            let max = self.max;
            if is_too_long { format!("a conversation is longer than {max} bytes") } else { error.to_string() }
        })
    }
}

/// What is read of a conversation.
#[derive(Default)]
struct Conversation {
    id: String,
    story: Story,
    /// Our writer says here which thread it belongs to; with null, if to none that has an id.
    thread_id: Option<String>,
    says_thread: bool,
}

impl Conversation {
    /// Its story, if it says anything of it.
    fn story(self, is_ours: bool) -> Option<StoryRow> {
        let thread_id = if is_ours && self.says_thread { self.thread_id } else { Some(self.id) };
        (self.story != Story::default()).then_some(StoryRow { thread_id, story: self.story })
    }
}

impl<'de> Deserialize<'de> for Conversation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(ConversationVisitor)
    }
}

struct ConversationVisitor;

impl<'de> Visitor<'de> for ConversationVisitor {
    type Value = Conversation;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a conversation {…}")
    }

    fn visit_unit<E: de::Error>(self) -> std::result::Result<Conversation, E> {
        Ok(Conversation::default())
    }

    /// In the old layout, the meta fields stand in the conversation itself.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Conversation, A::Error> {
        let mut read = Conversation::default();
        while let Some(key) = map.next_key::<String>()? {
            let role = fields::role(&key);
            if key == "meta" {
                let Conversation { story, thread_id, says_thread, .. } = map.next_value()?;
                read.story.title = read.story.title.or(story.title);
                read.story.url = read.story.url.or(story.url);
                (read.thread_id, read.says_thread) = (thread_id, says_thread);
            } else if role == Some(Role::Title) || TITLES.contains(&key.as_str()) {
                let Said(title) = map.next_value()?;
                read.story.title = read.story.title.or(title);
            } else if role == Some(Role::Url) {
                let Said(url) = map.next_value()?;
                read.story.url = read.story.url.or(url);
            } else if key == "thread_id" {
                let Said(thread_id) = map.next_value()?;
                (read.thread_id, read.says_thread) = (thread_id, true);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(read)
    }
}

/// A string that says something; what else may stand in its place is not kept.
struct Said(Option<String>);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(SaidVisitor)
    }
}

/// How a meta field starts whose value is in a pickle.
const BINARY: &str = "<##bin{";

struct SaidVisitor;

impl<'de> Visitor<'de> for SaidVisitor {
    type Value = Said;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: de::Error>(self, said: &str) -> std::result::Result<Said, E> {
        let says = !said.trim().is_empty() && !said.starts_with(BINARY);
        Ok(Said(says.then(|| said.to_owned())))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> std::result::Result<Said, E> {
        Ok(Said(None))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> std::result::Result<Said, E> {
        Ok(Said(None))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> std::result::Result<Said, E> {
        Ok(Said(None))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> std::result::Result<Said, E> {
        Ok(Said(None))
    }

    fn visit_unit<E: de::Error>(self) -> std::result::Result<Said, E> {
        Ok(Said(None))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> std::result::Result<Said, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| Said(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Said, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Said(None))
    }
}

/// Whether `corpus.json` has our mark.
struct Marked(bool);

impl<'de> Deserialize<'de> for Marked {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_map(MarkedVisitor)
    }
}

struct MarkedVisitor;

impl<'de> Visitor<'de> for MarkedVisitor {
    type Value = Marked;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Marked, A::Error> {
        let mut is_marked = false;
        while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            is_marked |= key == MARK;
        }
        Ok(Marked(is_marked))
    }
}
