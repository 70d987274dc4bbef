//! The first element of a JSON input, as far as its head shows it: enough to tell formats apart.

use serde_json::Value;

/// Bytes of the head that are looked at: formats show themselves early.
const WITHIN: usize = 64 * 1024;

/// Levels that are looked at: formats show themselves far above.
const DEEPEST: usize = 100;

/// The first element of `head`: of an array its first element, of lines the first. Where the head ends inside, what is missing is
/// null or absent. `None` if the head is not JSON.
pub fn first(head: &str) -> Option<Value> {
    let head = head.get(..head.floor_char_boundary(WITHIN)).unwrap_or_default();
    let start = match head.strip_prefix('[').map(str::trim_start) {
        Some(inside) if inside.starts_with(['{', '[']) => inside,
        Some(_) => return None,
        None => head,
    };
    if !start.starts_with(['{', '[']) {
        return None;
    }
    let completed = complete(start);
    serde_json::Deserializer::from_str(&completed).into_iter::<Value>().next()?.ok()
}

/// What may come next in an unfinished JSON text.
#[derive(Clone, Copy, PartialEq)]
enum Expects {
    Key,
    Colon,
    Value,
    /// A comma or the end.
    More,
}

/// The start of a JSON text, completed so that it parses: cut after the last thing that is whole, everything open closed.
fn complete(start: &str) -> String {
    let mut open: Vec<u8> = Vec::new();
    let mut expects = Expects::Value;
    // Up to where the text is well formed, and what is expected there. Every bracket moves it, so `open` is what is open there.
    let mut whole = (0, Expects::Value);
    let mut string: Option<usize> = None;
    let mut escaped = false;
    for (at, byte) in start.bytes().enumerate() {
        if string.is_some() {
            if byte == b'"' && !escaped {
                string = None;
                expects = if expects == Expects::Key { Expects::Colon } else { Expects::More };
                whole = (at + 1, expects);
            }
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'"' => string = Some(at),
            b'{' | b'[' => {
                if open.len() == DEEPEST {
                    break;
                }
                open.push(byte);
                expects = if byte == b'{' { Expects::Key } else { Expects::Value };
                whole = (at + 1, Expects::More);
            }
            b'}' | b']' => {
                open.pop();
                expects = Expects::More;
                whole = (at + 1, expects);
                if open.is_empty() {
                    break;
                }
            }
            b':' => expects = Expects::Value,
            b',' => {
                // The value before the comma is whole: numbers and words end here.
                whole = (at, Expects::More);
                expects = if open.last() == Some(&b'{') { Expects::Key } else { Expects::Value };
            }
            _ => {}
        }
    }
    let (end, expects) = whole;
    let mut text = start.get(..end).unwrap_or_default().to_owned();
    if expects == Expects::Colon {
        text.push_str(":null");
    }
    text.extend(open.iter().rev().map(|bracket| if *bracket == b'{' { '}' } else { ']' }));
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cut_off_head_shows_what_it_has() {
        for (head, expected) in [
            (r#"{"a": 1, "b": "long te"#, json!({"a": 1, "b": null})),
            (r#"{"a": {"b": [1, {"c": true"#, json!({"a": {"b": [1, {"c": null}]}})),
            (r#"{"a": {"b": [1, {"c""#, json!({"a": {"b": [1, {"c": null}]}})),
            (r#"[{"a": "x\"y"}, {"b"#, json!({"a": "x\"y"})),
            ("[[[1, null, \"Ann\", \"te", json!([[1, null, "Ann"]])),
            ("{\"a\": 1}\n{\"b\": 2}", json!({"a": 1})),
            ("{\n  \"a\": [", json!({"a": []})),
            ("{", json!({})),
        ] {
            assert_eq!(first(head), Some(expected), "{head}");
        }
        for head in ["", "[deleted]", "text", "[", "{{template}}", "\"a\""] {
            assert_eq!(first(head), None, "{head}");
        }
    }
}
