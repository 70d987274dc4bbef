//! Reading JSON as clients send it: without a content type, cut in the middle of an emoji, with keys that are not quoted.

use serde::de::DeserializeOwned;

/// Most brackets that may stand open at a time; nothing that a client means nests deeper.
const DEEPEST: usize = 64;

/// Reads a body; an empty one is an empty object. JSON first, then with halves of surrogate pairs and bytes that are no UTF-8 replaced by
/// U+FFFD, then as JSON5: the official curl sample of Perspective leaves its keys unquoted.
///
/// # Errors
/// What is wrong with it as JSON; it names a place and no text.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = body.trim_ascii();
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).or_else(|error| {
        if deepest(body) > DEEPEST {
            return Err("nested too deeply".to_owned());
        }
        let mended = mended(body);
        serde_json::from_str(&mended)
            .or_else(|_| json5::from_str(&mended))
            .map_err(|_| format!("line {}, column {}: {}", error.line(), error.column(), kind(&error)))
    })
}

/// What kind of error it is. Its own words may hold words of the text.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "the JSON breaks off",
        serde_json::error::Category::Data => "a field has another type than it should",
        _ => "no JSON",
    }
}

/// How many brackets stand open at once, at most; those within strings count, too.
fn deepest(body: &[u8]) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for byte in body {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// The body as text. Half a surrogate pair (`\ud83d` alone: JavaScript writes such where a text was cut) becomes U+FFFD, which has the
/// same length in UTF-16.
fn mended(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let used = match unit(from) {
            Some(0xd800..=0xdbff) if matches!(from.get(6..).and_then(unit), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => 0,
            Some(_) => 6,
            None => 1 + from.chars().nth(1).map_or(0, char::len_utf8),
        };
        if used == 0 {
            out.push_str("\\ufffd");
        }
        let (kept, after) = from.split_at(if used == 0 { 6 } else { used });
        out.push_str(if used == 0 { "" } else { kept });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The UTF-16 code unit that `text` begins with as `\uXXXX`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_clients_send_is_read() {
        for (body, meant) in [
            (&b""[..], json!({})),
            (b" {\"a\": 1} ", json!({"a": 1})),
            (
                b"{comment: {text: \"it's\"}, languages: [\"en\"],}",
                json!({"comment": {"text": "it's"}, "languages": ["en"]}),
            ),
            (br#"{"t": "cut \ud83d"}"#, json!({"t": "cut \u{fffd}"})),
            (
                br#"{"t": "whole \ud83d\ude00, \\ud83d and \udc00\ud83d"}"#,
                json!({"t": "whole 😀, \\ud83d and \u{fffd}\u{fffd}"}),
            ),
            (b"{\"t\": \"\xff\"}", json!({"t": "\u{fffd}"})),
        ] {
            assert_eq!(read::<Value>(body), Ok(meant), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn what_is_no_json_is_told_without_its_text() {
        assert_eq!(read::<Value>(b"you clown").unwrap_err(), "line 1, column 1: no JSON");
        assert!(
            read::<Vec<String>>(b"{\"secret\": 1}").unwrap_err().ends_with("a field has another type than it should")
        );
        assert!(read::<Value>(&b"[".repeat(1 << 20)).unwrap_err().contains("deeply"));
        assert!(read::<Value>("{a:".repeat(1 << 20).as_bytes()).unwrap_err().contains("deeply"));
    }
}
