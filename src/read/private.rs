//! Keeps e-mail and IP addresses of commenters out of every output.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// An e-mail address, or what may be an IP address of version 4 or 6.
const ADDRESS: &str = r"(?<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?<ip>\b[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f]\b)";

// The pattern is a constant, and a test compiles it.
static ADDRESSES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ADDRESS).ok());

/// Replaces every address in `text` by what `shown` makes of it; `true` stands for an e-mail address.
fn replaced(text: &str, shown: impl Fn(bool, &str) -> String) -> Cow<'_, str> {
    let Some(addresses) = &*ADDRESSES else { return Cow::Borrowed("") };
    addresses.replace_all(text, |found: &Captures<'_>| {
        let (is_email, address) = (found.name("email").is_some(), &found[0]);
        if is_email || address.parse::<IpAddr>().is_ok() { shown(is_email, address) } else { address.to_owned() }
    })
}

/// A row as it may be shown: addresses replaced by `[e-mail]` and `[ip]`.
pub fn redacted(row: &str) -> Cow<'_, str> {
    replaced(row, |is_email, _| if is_email { "[e-mail]" } else { "[ip]" }.to_owned())
}

/// Addresses within addresses that a name may hold: no person's does, and a hostile one could hold millions.
const MOST_NESTED: usize = 8;

/// An author's name as it may be shown: of an e-mail address the part before `@`, and no IP address, which wikis show as name.
pub fn name(author: &str) -> Option<String> {
    let local = |address: &str| address.split('@').next().unwrap_or_default().to_owned();
    let once = |name: &str| {
        replaced(name, |is_email, address| if is_email { local(address) } else { "[ip]".to_owned() }).into_owned()
    };
    let mut shown = author.to_owned();
    // What is left of an address may be one, too: `192.0.2.17@example.org`, `ann@example.org@example.net`.
    for _ in 0..MOST_NESTED {
        let less = once(&shown);
        if less == shown {
            return (shown.trim() != "[ip]").then_some(shown);
        }
        shown = less;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_no_names() {
        for (author, shown) in [
            ("Ann Berg", Some("Ann Berg")),
            ("ann.berg+news@example.org", Some("ann.berg+news")),
            ("Ann <ann@example.org>", Some("Ann <ann>")),
            ("192.0.2.17", None),
            ("2001:db8::1", None),
            ("192.0.2.17@example.org", None),
            ("ann@example.org@example.net", Some("ann")),
            (&"a@b.c".repeat(1000), None),
            ("Ann (192.0.2.17)", Some("Ann ([ip])")),
            ("@ann", Some("@ann")),
            ("v1.2.3", Some("v1.2.3")),
            ("10:45", Some("10:45")),
        ] {
            assert_eq!(name(author).as_deref(), shown, "{author}");
        }
    }

    #[test]
    fn rows_are_shown_without_addresses() {
        let row =
            r#"{"mail":"ann@example.org","ip":"192.0.2.17","v6":"2001:db8:0:0:0:0:0:1","text":5,"at":"10:45:12"}"#;
        let shown = r#"{"mail":"[e-mail]","ip":"[ip]","v6":"[ip]","text":5,"at":"10:45:12"}"#;
        assert_eq!(redacted(row), shown);
    }
}
