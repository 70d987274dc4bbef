//! Text of inputs: finds out the encoding, refuses binary content, and gives callers plain UTF-8.

use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::{Error, Result};

/// Bytes read at a time, and looked at to guess an encoding.
const BLOCK: usize = 64 * 1024;

/// How many well-formed UTF-8 characters must stand against one malformed sequence for a text to count as damaged
/// UTF-8. In a legacy encoding, bytes that happen to form UTF-8 are the exception.
const UTF8_MAJORITY: usize = 4;

/// Bytes in which a text must declare its encoding, as HTML asks for.
const DECLARED_WITHIN: usize = 1024;

/// First bytes of contents that are no text, with what they are and what to do about it.
const SIGNATURES: [(&[u8], &str, &str); 19] = [
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", GIVE_TEXT),
    (b"\xff\xd8\xff", "a JPEG picture", GIVE_TEXT),
    (b"GIF87a", "a GIF picture", GIVE_TEXT),
    (b"GIF89a", "a GIF picture", GIVE_TEXT),
    (b"%PDF-", "a PDF document", "export its text or save the page as HTML"),
    (b"PK\x03\x04", "a ZIP archive (.docx and .xlsx are such, too)", "unpack it, or save the table as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (.xls, .doc)", "save it as CSV or text"),
    (b"\x7fELF", "a program (ELF)", GIVE_TEXT),
    (b"\x04\x22\x4d\x18", "an lz4 archive", "unpack it with `lz4 -d`"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"\x1f\x8b\x08", "gzip inside of compressed data", "unpack it once"),
    (b"BZh91AY&SY", "bzip2 inside of compressed data", "unpack it once"),
    (b"\xfd7zXZ\0", "xz inside of compressed data", "unpack it once"),
    (b"ARROW1\0\0", "an Arrow file", "save it as Parquet"),
    (b"\x28\xb5\x2f\xfd", "zstd inside of compressed data", "unpack it once"),
    (b"\xff\xfe\0\0", "UTF-32 text", "convert it to UTF-8 with `iconv -f UTF-32 -t UTF-8`"),
    (b"\0\0\xfe\xff", "UTF-32 text", "convert it to UTF-8 with `iconv -f UTF-32 -t UTF-8`"),
];

const GIVE_TEXT: &str = "give comments as JSON lines, CSV, TSV or a saved page";

/// An opened input as UTF-8 text, decoded while it is read.
pub struct Source {
    name: String,
    reader: Utf8Reader,
}

/// How many malformed byte sequences of a text were read as U+FFFD so far.
#[derive(Debug, Clone, Default)]
pub struct Damage(Arc<AtomicU64>);

impl Damage {
    /// The count.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Source {
    /// Reads `input`, decompressed, which messages call `name`.
    ///
    /// # Errors
    /// `Io` if the first bytes cannot be read, `Input` if they are binary.
    pub fn from_reader(name: &str, input: Box<dyn Read + Send>) -> Result<Self> {
        let unreadable = |e| Error::io(Path::new(name), e);
        let mut blocks = Blocks::new(input);
        let mut raw = Vec::new();
        blocks.fill(&mut raw, BLOCK);
        if raw.is_empty()
            && let Some(failure) = blocks.failure.take()
        {
            return Err(unreadable(failure));
        }
        if let Some(what) = binary(&raw) {
            return Err(Error::input(name, what));
        }
        let marked = Encoding::for_bom(&raw).or_else(|| unmarked_utf16(&raw).map(|encoding| (encoding, 0)));
        if let Some((_, mark)) = marked {
            raw.drain(..mark);
        }
        let decoder = marked.map(|(encoding, _)| encoding.new_decoder_without_bom_handling());
        let declared = declared(&raw);
        let damage = Damage::default();
        let mut reader =
            Utf8Reader { blocks, raw, decoder, declared, text: String::new(), at: 0, finished: false, damage };
        reader.decode();
        Ok(Self { name: name.to_owned(), reader })
    }

    /// The path as given, or "standard input".
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of the first 64 KiB, counted before decoding. Looking at it consumes nothing.
    pub fn head(&self) -> &str {
        &self.reader.text
    }

    /// The encoding of the head, by its WHATWG name; `UTF-8` where it is plain ASCII.
    pub fn encoding(&self) -> &'static str {
        self.reader.decoder.as_ref().map_or(UTF_8, Decoder::encoding).name()
    }

    /// Counts malformed bytes while the text is read.
    pub fn damage(&self) -> Damage {
        self.reader.damage.clone()
    }

    /// The whole text from its start, head included, without a byte order mark. Malformed bytes read as U+FFFD. A
    /// damaged or truncated archive gives an error that says where, after what could be read.
    pub fn into_reader(self) -> Box<dyn BufRead + Send> {
        Box::new(self.reader)
    }
}

/// What a non-text content looks like and what to do, or `None` for text.
fn binary(raw: &[u8]) -> Option<String> {
    if let Some((_, what, remedy)) = SIGNATURES.iter().find(|(signature, ..)| raw.starts_with(signature)) {
        return Some(format!("looks like {what}, not text: {remedy}"));
    }
    if Encoding::for_bom(raw).is_some_and(|(encoding, _)| encoding != UTF_8) || unmarked_utf16(raw).is_some() {
        return None;
    }
    let nul = raw.iter().position(|&b| b == 0)?;
    Some(format!("looks like binary data, not text (a NUL byte at offset {nul}): {GIVE_TEXT}"))
}

/// UTF-16 without a byte order mark, known by nearly every second byte being NUL and the others Latin text.
fn unmarked_utf16(raw: &[u8]) -> Option<&'static Encoding> {
    let is_text = |b: u8| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0xa0..);
    let (mut little, mut big, mut pairs) = (0, 0, 0);
    for pair in raw.chunks_exact(2) {
        pairs += 1;
        match *pair {
            [b, 0] if is_text(b) => little += 1,
            [0, b] if is_text(b) => big += 1,
            _ => {}
        }
    }
    let mostly = |n: usize| pairs > 1 && n * 10 >= pairs * 9;
    if mostly(little) {
        Some(UTF_16LE)
    } else if mostly(big) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Reads in blocks and keeps an error back until what came before it has been used.
struct Blocks {
    input: Box<dyn Read + Send>,
    ended: bool,
    failure: Option<io::Error>,
}

impl Blocks {
    fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, ended: false, failure: None }
    }

    /// Appends to `raw` until it holds `size` bytes or the input ends or fails.
    fn fill(&mut self, raw: &mut Vec<u8>, size: usize) {
        let wanted = size.saturating_sub(raw.len());
        if self.ended || wanted == 0 {
            return;
        }
        match (&mut self.input).take(wanted as u64).read_to_end(raw) {
            Ok(n) => self.ended = n < wanted,
            Err(failure) => {
                self.ended = true;
                self.failure = Some(failure);
            }
        }
    }
}

/// Decodes blocks to UTF-8. While all is ASCII the encoding stays open: the first other byte may come late.
struct Utf8Reader {
    blocks: Blocks,
    raw: Vec<u8>,
    decoder: Option<Decoder>,
    /// What an XML declaration or an HTML page says of itself. Many say so wrongly: text that is UTF-8 is UTF-8.
    declared: Option<&'static Encoding>,
    text: String,
    at: usize,
    finished: bool,
    damage: Damage,
}

impl Utf8Reader {
    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        if self.blocks.ended {
            self.finished = true;
            return self.blocks.failure.take().map_or(Ok(()), Err);
        }
        self.raw.clear();
        self.blocks.fill(&mut self.raw, BLOCK);
        self.decode();
        Ok(())
    }

    /// Appends the decoded block to the text.
    fn decode(&mut self) {
        if self.decoder.is_none() && !self.raw.is_ascii() {
            let encoding = guess(&mut self.raw, &mut self.blocks, self.declared);
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
        }
        match &mut self.decoder {
            Some(decoder) => {
                // `decode_to_string` never grows the string, so it must have room for the worst case.
                self.text.reserve(decoder.max_utf8_buffer_length(self.raw.len()).unwrap_or_default());
                let before = self.text.len();
                let (_, _, malformed) = decoder.decode_to_string(&self.raw, &mut self.text, self.blocks.ended);
                if malformed {
                    let new = self.text.get(before..).unwrap_or_default();
                    let replaced = new.matches(char::REPLACEMENT_CHARACTER).count();
                    self.damage.0.fetch_add(replaced as u64, Ordering::Relaxed);
                }
            }
            None => self.text.push_str(&String::from_utf8_lossy(&self.raw)),
        }
    }
}

impl Read for Utf8Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Utf8Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at >= self.text.len() && !self.finished {
            self.refill()?;
        }
        Ok(self.text.as_bytes().get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.at += n;
    }
}

/// The encoding of the block `raw`, which holds a byte beyond ASCII. Reads on where such a byte stands only at the end.
fn guess(raw: &mut Vec<u8>, blocks: &mut Blocks, declared: Option<&'static Encoding>) -> &'static Encoding {
    loop {
        let (well_formed, malformed) = utf8_census(raw, blocks.ended);
        if well_formed + malformed == 0 && !blocks.ended {
            blocks.fill(raw, raw.len() + BLOCK);
            continue;
        }
        if well_formed >= UTF8_MAJORITY * malformed {
            return UTF_8;
        }
        if let Some(declared) = declared.filter(|encoding| *encoding != UTF_8 && encoding.is_ascii_compatible()) {
            return declared;
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(raw, blocks.ended);
        return detector.guess(None, Utf8Detection::Deny);
    }
}

/// The encoding that `<?xml encoding="…"?>` or `<meta charset=…>` names near the start of `raw`.
fn declared(raw: &[u8]) -> Option<&'static Encoding> {
    let start = raw.get(..raw.len().min(DECLARED_WITHIN)).unwrap_or_default();
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    let text = start.trim_start();
    if !text.starts_with('<') {
        return None;
    }
    let is_xml = text.starts_with("<?xml");
    let key = if is_xml { "encoding=" } else { "charset=" };
    let scope = if is_xml { text.split("?>").next().unwrap_or_default() } else { text };
    let value = scope.split_once(key)?.1.trim_start_matches(['"', '\'']);
    let label = value.split(['"', '\'', ' ', ';', '>', '/', '?']).next()?;
    Encoding::for_label(label.as_bytes())
}

/// How many characters beyond ASCII are well-formed UTF-8 and how many sequences are not. The last sequence does not
/// count unless the input ends there: the block may have cut it.
fn utf8_census(raw: &[u8], ended: bool) -> (usize, usize) {
    let (mut well_formed, mut malformed) = (0, 0);
    let mut chunks = raw.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        well_formed += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        let may_be_cut = chunks.peek().is_none() && !ended;
        malformed += usize::from(!chunk.invalid().is_empty() && !may_be_cut);
    }
    (well_formed, malformed)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(bytes: &[u8]) -> (String, &'static str) {
        let source = Source::from_reader("t", Box::new(Cursor::new(bytes.to_vec()))).unwrap();
        let encoding = source.encoding();
        let mut text = String::new();
        source.into_reader().read_to_string(&mut text).unwrap();
        (text, encoding)
    }

    #[test]
    fn a_legacy_byte_after_the_first_block_still_decides_the_encoding() {
        let mut bytes = b"plain words of a comment\n".repeat(8000);
        bytes.extend(b"Gr\xfc\xdfe aus K\xf6ln, sch\xf6ne Stra\xdfe\n");
        assert!(read(&bytes).0.ends_with("Grüße aus Köln, schöne Straße\n"));
    }

    #[test]
    fn a_character_cut_by_the_block_is_read_whole() {
        for shift in 0..4 {
            let text = format!("{}{}", "x".repeat(BLOCK - shift), "é€😀".repeat(BLOCK / 4));
            assert_eq!(read(text.as_bytes()).0, text);
        }
    }

    #[test]
    fn a_legacy_byte_at_the_very_end_of_a_block_is_no_cut_utf8() {
        let mut bytes = vec![b'x'; BLOCK - 1];
        bytes.extend(b"\xe9t\xe9 \xe0 la plage, o\xf9 \xeates-vous ?");
        assert!(read(&bytes).0.ends_with("été à la plage, où êtes-vous ?"));
        assert_eq!(read(b"un caf\xe9").0, "un café");
    }

    #[test]
    fn mostly_utf8_stays_utf8() {
        let mut bytes = "schöne Grüße aus der Küche, für alle\n".as_bytes().to_vec();
        bytes.extend(b"one stray \x92 byte");
        let (text, encoding) = read(&bytes);
        assert_eq!(encoding, "UTF-8");
        assert!(text.contains("schöne Grüße") && text.ends_with("one stray \u{fffd} byte"));
    }

    #[test]
    fn a_declared_encoding_is_believed_where_the_text_is_no_utf8() {
        let (text, encoding) =
            read(b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><a>\xef\xf0\xe8\xe2\xe5\xf2</a>");
        assert!(text.contains("привет") && encoding == "windows-1251");
        let (text, encoding) = read("<html><meta charset='iso-8859-1'>Grüße aus Köln".as_bytes());
        assert!(text.ends_with("Grüße aus Köln") && encoding == "UTF-8");
    }

    #[test]
    fn malformed_bytes_are_counted() {
        let bytes = "schöne Grüße aus der Küche, für alle\n".repeat(4000).into_bytes();
        let bytes = [bytes, b"one \x92 and two \xff\n".to_vec()].concat();
        let source = Source::from_reader("t", Box::new(Cursor::new(bytes))).unwrap();
        let damage = source.damage();
        let mut text = String::new();
        source.into_reader().read_to_string(&mut text).unwrap();
        assert_eq!(damage.count(), 2);
    }

    #[test]
    fn utf16_without_a_mark_is_text() {
        let bytes: Vec<u8> = "{\"text\": \"hello\"}\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(&bytes), ("{\"text\": \"hello\"}\n".to_owned(), "UTF-16BE"));
    }
}
