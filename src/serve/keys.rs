//! API keys: hashed at rest, compared in constant time, taken from wherever a client puts them.
//!
//! A file of keys has one a line: a name and the SHA-256 of the key in hexadecimal. Keys are random and long (`polemic keys add`), so a
//! plain hash is enough: there is nothing to guess.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use axum::http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::error::{Error, Result};

/// The keys that are accepted.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Name and hash; absent: everybody is let in.
    known: Option<Vec<(String, [u8; 32])>>,
}

/// Whose request it is: the number of the key; all callers are number 0 where no keys are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Caller(pub u32);

impl Keys {
    /// Reads a file of keys.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is no name with a hash.
    pub fn open(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let mut known = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line.split_once(char::is_whitespace).and_then(|(name, hash)| {
                let mut bytes = [0; 32];
                hex::decode_to_slice(hash.trim(), &mut bytes).ok()?;
                Some((name.to_owned(), bytes))
            });
            let place = format!("{}:{}", path.display(), number + 1);
            known.push(key.ok_or_else(|| {
                Error::input(
                    place,
                    "expected a name and the SHA-256 of a key; `polemic keys add NAME` writes such lines",
                )
            })?);
        }
        Ok(Self { known: Some(known) })
    }

    /// True if anybody is let in.
    pub fn are_open(&self) -> bool {
        self.known.is_none()
    }

    /// Whose key it is; `None` if it is nobody's.
    pub fn caller(&self, key: Option<&str>) -> Option<Caller> {
        let Some(known) = &self.known else { return Some(Caller(0)) };
        let hash: [u8; 32] = Sha256::digest(key?.as_bytes()).into();
        // All keys are compared, whichever it is: the time tells nothing.
        let mut found = u32::MAX;
        let mut any = Choice::from(0);
        for (number, (_, known)) in (0u32..).zip(known) {
            let same = known.ct_eq(&hash);
            found.conditional_assign(&number, same);
            any |= same;
        }
        bool::from(any).then_some(Caller(found))
    }

    /// The name of a caller's key.
    pub fn name(&self, caller: Caller) -> Option<&str> {
        self.known.as_ref()?.get(caller.0 as usize).map(|(name, _)| name.as_str())
    }
}

/// The line of a key in a file of keys.
pub fn line(name: &str, key: &str) -> String {
    format!("{name} {}\n", hex::encode(Sha256::digest(key.as_bytes())))
}

/// The key that comes with a request: `?key=`, `X-Goog-Api-Key` or `Authorization: Bearer`.
pub fn presented<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Option<Cow<'a, str>> {
    parameter(query, "key").or_else(|| {
        let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = || {
            let (scheme, key) = named(header::AUTHORIZATION.as_str())?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        };
        named("x-goog-api-key").or_else(bearer).map(Cow::Borrowed)
    })
}

/// The value of a parameter of a query, decoded.
pub fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    percent_decode_str(value).decode_utf8().ok().filter(|value| !value.is_empty())
}

/// The key in the sub-domain of the host a client asked for: `KEY.host`.
pub fn of_sub_domain(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    // The sub-domain of an IP address is none.
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok() || name.starts_with('[');
    name.split_once('.').map(|(key, _)| key).filter(|key| !is_address && !key.is_empty())
}
