//! JSON in ASCII alone: Python reads files in the encoding of the system, which is not UTF-8 everywhere.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
            let (plain, other) = rest.split_at(start);
            to.write_all(plain.as_bytes())?;
            let mut characters = other.chars();
            if let Some(c) = characters.next() {
                c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(to, "\\u{unit:04x}"))?;
            }
            rest = characters.as_str();
        }
        to.write_all(rest.as_bytes())
    }
}

/// Writes `value`.
pub(super) fn write(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(to, Ascii)).map_err(io::Error::from)
}
