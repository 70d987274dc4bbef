//! The table of recognised field names, and what a row says by them: a comment and the thread it belongs to.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::read::entry::CommentRow;
use crate::read::rows::{Options, Row};
use crate::read::time::{self, Zone};
use crate::thread::{Comment, Stated, Status};

/// What a field of a row can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The comment's id.
    Id,
    /// The id of the comment it answers.
    ParentId,
    /// Who wrote it.
    Author,
    /// When it was written.
    Created,
    /// What was written.
    Text,
    /// The id of the thread.
    ThreadId,
    /// The headline above the thread.
    Title,
    /// The text of the comment it answers.
    ParentText,
    /// What the comment is about.
    Target,
    /// The quoted parts of the text.
    Quotes,
    /// The address of the story.
    Url,
    /// What the text links to.
    Links,
    /// Whether the comment is shown.
    Status,
}

/// The recognised names of each role; the first that a row has is taken.
const TABLE: [(Role, &[&str]); 13] = [
    (Role::Id, &["id", "comment_id", "cid", "_id"]),
    (
        Role::ParentId,
        &["parent_id", "parent", "reply_to", "in_reply_to", "in_reply_to_id", "parent_comment_id", WORDPRESS_PARENT],
    ),
    (
        Role::Author,
        &["author", "user", "username", "user_name", "by", "speaker", "author_name", "comment_author", "name"],
    ),
    (
        Role::Created,
        &[
            "created",
            "created_at",
            "created_utc",
            "time",
            "timestamp",
            "date",
            "ts",
            "published_at",
            "comment_date",
            WORDPRESS_UTC,
        ],
    ),
    (
        Role::Text,
        &["text", "comment_text", "comment", "body", "content", "message", "comment_content", "tweet", "comment_body"],
    ),
    (
        Role::ThreadId,
        &[
            "thread_id",
            "thread",
            "link_id",
            "conversation_id",
            "root_id",
            "story_id",
            "article_id",
            "topic_id",
            "post_id",
            "root",
        ],
    ),
    (Role::Title, &["title", "thread_title", "headline", "story_title"]),
    (Role::ParentText, &["parent_text", "parent_body", "parent_comment"]),
    (Role::Target, &["target"]),
    (Role::Quotes, &["quotes"]),
    (Role::Url, &["url", "story_url", "article_url", "page_url", "thread_url"]),
    (Role::Links, &["links"]),
    (Role::Status, &["status", "comment_approved"]),
];

/// In this column, `WordPress` writes 0 where there is no parent.
const WORDPRESS_PARENT: &str = "comment_parent";

/// This column holds UTC without saying so in its values.
const WORDPRESS_UTC: &str = "comment_date_gmt";

/// Column names shown in a message before it is cut short.
const COLUMNS_SHOWN: usize = 30;

/// Quotes looked for in one text. Each is a search through it, and a hostile row could list millions.
const QUOTES_MAX: usize = 1000;

/// Role and rank of every name of the table, in lower case, as written there and without separators.
static ROLES: LazyLock<HashMap<String, (Role, usize)>> = LazyLock::new(|| {
    let entries =
        || TABLE.iter().flat_map(|(role, names)| names.iter().enumerate().map(|(i, name)| (*name, (*role, i))));
    let mut roles: HashMap<String, (Role, usize)> = entries().map(|(name, at)| (name.to_owned(), at)).collect();
    for (name, at) in entries() {
        roles.entry(bare(name)).or_insert(at);
    }
    roles
});

/// The role of the field called `name`, if it is a recognised name. Case, `_`, `-` and spaces make no difference.
pub fn role(name: &str) -> Option<Role> {
    ranked(name).map(|(role, _)| role)
}

/// The recognised names of `role`, by precedence.
pub fn names(role: Role) -> &'static [&'static str] {
    TABLE.iter().find(|(r, _)| *r == role).map_or(&[], |(_, names)| names)
}

fn ranked(name: &str) -> Option<(Role, usize)> {
    let name = name.to_lowercase();
    ROLES.get(&name).or_else(|| ROLES.get(&bare(&name))).copied()
}

fn bare(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect()
}

/// Which field of a row holds what: the names as the row writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The comment's id.
    pub id: Option<String>,
    /// The parent's id.
    pub parent_id: Option<String>,
    /// The author.
    pub author: Option<String>,
    /// The time of writing.
    pub created: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// The thread's id.
    pub thread_id: Option<String>,
    /// The headline.
    pub title: Option<String>,
    /// The parent's text.
    pub parent_text: Option<String>,
    /// The target.
    pub target: Option<String>,
    /// The quoted parts.
    pub quotes: Option<String>,
    /// The story's address.
    pub url: Option<String>,
    /// What the text links to.
    pub links: Option<String>,
    /// Whether the comment is shown.
    pub status: Option<String>,
}

impl Fields {
    /// Chooses among the field names of a row: what `options` says, else the table's first name that the row has. A
    /// field that `options` gives a role takes no other. A name that only `options` knows is kept as it is there.
    pub fn choose<'a>(row: impl Iterator<Item = &'a str> + Clone, options: &Options) -> Self {
        let mut fields = Self::default();
        for (role, _, wanted) in options.overrides() {
            *fields.slot(role) = Some(find(row.clone(), wanted).unwrap_or(wanted).to_owned());
        }
        let taken: Vec<String> = options.overrides().filter_map(|(role, ..)| fields.slot(role).clone()).collect();
        let mut best: HashMap<Role, usize> = HashMap::new();
        for name in row.filter(|name| !taken.iter().any(|t| t == name)) {
            let Some((role, rank)) = ranked(name) else { continue };
            if options.overrides().any(|(overridden, ..)| overridden == role) {
                continue;
            }
            let so_far = best.entry(role).or_insert(usize::MAX);
            if rank < *so_far {
                *so_far = rank;
                *fields.slot(role) = Some(name.to_owned());
            }
        }
        fields
    }

    /// Chooses among the columns of a table, which must include a text column and every column `options` names.
    /// `place` names the table in messages.
    ///
    /// # Errors
    /// `Input` that lists the columns if one is missing.
    pub fn of_header(place: &str, columns: &[String], options: &Options) -> Result<Self> {
        let row = columns.iter().map(String::as_str);
        for (_, flag, wanted) in options.overrides() {
            if find(row.clone(), wanted).is_none() {
                let columns = listed(columns);
                return Err(Error::input(place, format!("no column `{wanted}` for {flag}; the columns are {columns}")));
            }
        }
        let fields = Self::choose(row, options);
        if fields.text.is_none() {
            let what = format!(
                "no column with the comments' text; the columns are {}: name one with --text-column",
                listed(columns)
            );
            return Err(Error::input(place, what));
        }
        Ok(fields)
    }

    /// Pairs of role and field, for people.
    pub fn mapping(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("id", &self.id),
            ("thread_id", &self.thread_id),
            ("parent_id", &self.parent_id),
            ("author", &self.author),
            ("created", &self.created),
            ("status", &self.status),
            ("title", &self.title),
            ("url", &self.url),
            ("text", &self.text),
            ("quotes", &self.quotes),
            ("links", &self.links),
            ("parent_text", &self.parent_text),
            ("target", &self.target),
        ];
        all.into_iter().filter_map(|(role, field)| Some((role, field.clone()?))).collect()
    }

    fn slot(&mut self, role: Role) -> &mut Option<String> {
        match role {
            Role::Id => &mut self.id,
            Role::ParentId => &mut self.parent_id,
            Role::Author => &mut self.author,
            Role::Created => &mut self.created,
            Role::Text => &mut self.text,
            Role::ThreadId => &mut self.thread_id,
            Role::Title => &mut self.title,
            Role::ParentText => &mut self.parent_text,
            Role::Target => &mut self.target,
            Role::Quotes => &mut self.quotes,
            Role::Url => &mut self.url,
            Role::Links => &mut self.links,
            Role::Status => &mut self.status,
        }
    }
}

/// The field that a user means by `wanted`.
fn find<'a>(mut row: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<&'a str> {
    row.clone().find(|name| *name == wanted).or_else(|| row.find(|name| name.eq_ignore_ascii_case(wanted)))
}

/// Column names for a message.
fn listed(columns: &[String]) -> String {
    let mut shown: Vec<String> = columns.iter().take(COLUMNS_SHOWN).map(|c| c.chars().take(40).collect()).collect();
    if columns.len() > COLUMNS_SHOWN {
        shown.push(format!("… ({} in all)", columns.len()));
    }
    shown.join(", ")
}

/// Reads the comment out of `row` by the names in `fields`.
///
/// # Errors
/// The reason, for people, why the row states no comment: no text, a text that is no string, an id that is no
/// string or number.
pub fn comment(row: &Row, fields: &Fields) -> std::result::Result<CommentRow, String> {
    let value = |name: &Option<String>| name.as_ref().and_then(|name| row.fields.get(name));
    let id_in = |name: &Option<String>| match (name, value(name)) {
        (Some(name), Some(value)) => scalar(value).map_err(|kind| unexpected(name, kind, "a string or a number")),
        _ => Ok(None),
    };
    let string = |name: &Option<String>| value(name).and_then(|v| scalar(v).ok().flatten());
    let stated = status(string(&fields.status).as_deref());
    let text = text(row, fields, stated)?;
    let parent_id = id_in(&fields.parent_id)?;
    let no_parent = parent_id.as_deref() == Some("0") && is_called(fields.parent_id.as_ref(), WORDPRESS_PARENT);
    let zone = if is_called(fields.created.as_ref(), WORDPRESS_UTC) { Zone::Utc } else { Zone::Unknown };
    let comment = Comment {
        id: id_in(&fields.id)?.unwrap_or_default(),
        author: string(&fields.author),
        created: string(&fields.created).map(|said| time::rfc3339(&said, zone)),
        quotes: value(&fields.quotes).map_or_else(Vec::new, |quotes| ranges(&unpacked(quotes), text)),
        links: value(&fields.links).map_or_else(Vec::new, |links| strings(&unpacked(links))),
        status: if is_gone(text) { Status::Deleted } else { stated },
        text: text.to_owned(),
        ..Comment::default()
    };
    Ok(CommentRow {
        stated: Stated { comment, parent_id: parent_id.filter(|_| !no_parent) },
        thread_id: id_in(&fields.thread_id)?,
        title: string(&fields.title),
        url: string(&fields.url),
        parent_text: string(&fields.parent_text),
        target: string(&fields.target),
        ..CommentRow::default()
    })
}

/// What Reddit leaves of a comment that is gone; its dumps reach users in every format.
pub(crate) fn is_gone(text: &str) -> bool {
    matches!(text.trim(), "[deleted]" | "[removed]")
}

/// The status that a field states in our words or in those of common platforms; what is not known counts as shown.
fn status(said: Option<&str>) -> Status {
    match said.map(|said| said.trim().to_lowercase()).as_deref() {
        Some("pending" | "hold" | "unapproved" | "0") => Status::Pending,
        Some("spam") => Status::Spam,
        Some("deleted" | "removed" | "trash") => Status::Deleted,
        _ => Status::Published,
    }
}

/// A list as it is, or as a cell of a table writes it: in JSON.
fn unpacked(list: &Value) -> Cow<'_, Value> {
    match list {
        Value::String(cell) if cell.starts_with('[') => {
            serde_json::from_str(cell).map_or(Cow::Borrowed(list), Cow::Owned)
        }
        _ => Cow::Borrowed(list),
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The text; of a comment that is gone there may be none left.
fn text<'a>(row: &'a Row, fields: &Fields, status: Status) -> std::result::Result<&'a str, String> {
    let Some(name) = &fields.text else {
        return Err(format!("no field with the comment's text (looked for {})", names(Role::Text).join(", ")));
    };
    match row.fields.get(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) if matches!(status, Status::Deleted | Status::Spam) => Ok(""),
        Some(other) => Err(unexpected(name, kind(other), "a string")),
        None => Err(format!("the field `{name}` is missing or empty")),
    }
}

fn is_called(name: Option<&String>, known: &str) -> bool {
    name.is_some_and(|name| bare(&name.to_lowercase()) == bare(known))
}

fn unexpected(name: &str, kind: &str, expected: &str) -> String {
    format!("the field `{name}` is {kind}, {expected} is expected")
}

/// A JSON value's kind, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A string or number as a string; `None` for null and blank. `MongoDB` wraps these: `{"$oid": "…"}`.
pub(crate) fn scalar(value: &Value) -> std::result::Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(s) => Ok((!s.trim().is_empty()).then(|| s.clone())),
        // Tables with gaps write their integers as 12.0, and the ids they refer to as 12.
        Value::Number(n) => Ok(Some(n.to_string().trim_end_matches(".0").to_owned())),
        Value::Object(fields) => match fields.iter().next() {
            Some((key, wrapped)) if fields.len() == 1 && key.starts_with('$') => scalar(wrapped),
            _ => Err(kind(value)),
        },
        Value::Bool(_) | Value::Array(_) => Err(kind(value)),
    }
}

/// Byte ranges of `text`, in order and apart, by a list of quoted strings or of `[start, end]` pairs in bytes. What is
/// not in the text is left out; words quoted twice are their first two places.
fn ranges(quotes: &Value, text: &str) -> Vec<Range<usize>> {
    let list = if let Value::Array(list) = quotes { list.as_slice() } else { std::slice::from_ref(quotes) };
    let mut searched: HashMap<&str, usize> = HashMap::new();
    let mut found: Vec<Range<usize>> = Vec::new();
    for quote in list.iter().take(QUOTES_MAX) {
        let range = match quote {
            Value::String(words) if !words.trim().is_empty() => {
                let from = searched.entry(words).or_insert(0);
                let start = text.get(*from..).and_then(|rest| rest.find(words)).map(|at| *from + at);
                *from = start.map_or(text.len(), |start| start + words.len());
                start.map(|start| start..start + words.len())
            }
            Value::Array(pair) => match pair.as_slice() {
                [start, end] => start.as_u64().zip(end.as_u64()).map(|(start, end)| start as usize..end as usize),
                _ => None,
            },
            _ => None,
        };
        found.extend(range.filter(|range| text.get(range.clone()).is_some_and(|part| !part.is_empty())));
    }
    found.sort_by_key(|range| (range.start, range.end));
    found.dedup_by(|next, range| {
        let overlaps = next.start < range.end;
        if overlaps {
            range.end = range.end.max(next.end);
        }
        overlaps
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(value: Value) -> Row {
        let Value::Object(fields) = value else { panic!("an object") };
        Row { line: 1, fields, raw: String::new() }
    }

    fn read(value: Value) -> std::result::Result<CommentRow, String> {
        let row = row(value);
        comment(&row, &Fields::choose(row.fields.keys().map(String::as_str), &Options::default()))
    }

    #[test]
    fn names_are_found_whatever_their_case_and_separators() {
        for (name, expected) in [
            ("comment_ID", Role::Id),
            ("Comment Text", Role::Text),
            ("createdAt", Role::Created),
            ("reply-to", Role::ParentId),
            ("USERNAME", Role::Author),
        ] {
            assert_eq!(role(name), Some(expected), "{name}");
        }
        assert_eq!(role("texture"), None);
    }

    #[test]
    fn precedence_is_the_tables_order_not_the_rows() {
        let fields = Fields::choose(["_id", "body", "ID", "Text"].into_iter(), &Options::default());
        assert_eq!((fields.id.as_deref(), fields.text.as_deref()), (Some("ID"), Some("Text")));
    }

    #[test]
    fn an_overridden_column_takes_no_second_role() {
        let options = Options { text: Some("title".into()), ..Options::default() };
        let fields = Fields::choose(["text", "Title"].into_iter(), &options);
        assert_eq!((fields.text.as_deref(), fields.title), (Some("Title"), None));
    }

    #[test]
    fn only_wordpress_means_no_parent_by_zero() {
        let parent = |value| read(value).unwrap().stated.parent_id;
        assert_eq!(parent(json!({"text": "a", "comment_parent": "0"})), None);
        assert_eq!(parent(json!({"text": "a", "parent": 0})), Some("0".into()));
        assert_eq!(parent(json!({"text": "a", "parent": ""})), None);
        assert_eq!(parent(json!({"text": "a", "parent": null})), None);
        assert_eq!(parent(json!({"text": "a", "parent": 12.0})), Some("12".into()));
    }

    #[test]
    fn quotes_are_found_in_the_text() {
        let quoted =
            read(json!({"text": "> no\n> no\nyes é", "quotes": ["no", "no", "absent", [10, 13], [14, 15], "es"]}));
        assert_eq!(quoted.unwrap().stated.comment.quotes, [2..4, 7..9, 10..13]);
    }

    #[test]
    fn refusals_say_why() {
        assert!(read(json!({"id": 1})).unwrap_err().contains("comment_text"));
        assert!(read(json!({"text": 5})).unwrap_err().contains("`text` is a number"));
        assert!(read(json!({"text": "a", "id": [1]})).unwrap_err().contains("`id` is a list"));
    }
}
