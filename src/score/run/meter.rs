//! What is read of an input, counted and hashed on its way: no input is read twice for its hash.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::write::hashed;

/// Counts and hashes the bytes of an input, compressed as they are. Clones are handles to the same input.
#[derive(Clone, Default)]
pub struct Meter(Arc<Shared>);

#[derive(Default)]
struct Shared {
    bytes: AtomicU64,
    /// Held while it is waited for: whoever asks what was read does not wait, too.
    input: Mutex<Option<Box<dyn Read + Send>>>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    is_read: bool,
    bytes: u64,
    hash: Option<Sha256>,
    /// What the first bytes should be, until they have been read.
    expected: Option<Expected>,
    differs: bool,
}

/// The start of an input as an earlier run read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Meter {
    /// For an input of which the start is known, if it was read before.
    pub fn new(is_hashed: bool, expected: Option<Expected>) -> Self {
        let expected = expected.filter(|_| is_hashed);
        let inner = Inner { hash: is_hashed.then(Sha256::new), expected, ..Inner::default() };
        Self(Arc::new(Shared { inner: Mutex::new(inner), ..Shared::default() }))
    }

    /// What reads `input` through this meter.
    pub fn through(&self, input: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        if let (Ok(mut own), Ok(mut inner)) = (locked(&self.0.input), self.inner()) {
            *own = Some(input);
            inner.is_read = true;
        }
        Box::new(Metered(self.clone()))
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// How many bytes were read, and their SHA-256; `None` if the input is not hashed or not read through this.
    pub fn so_far(&self) -> (u64, Option<String>) {
        let Ok(inner) = self.inner() else { return (self.bytes(), None) };
        let hash = inner.hash.as_ref().filter(|_| inner.is_read);
        (inner.bytes, hash.map(|hash| hex::encode(hash.clone().finalize())))
    }

    /// True if the input turned out not to be what it was.
    pub fn differs(&self) -> bool {
        self.inner().is_ok_and(|inner| inner.differs)
    }

    /// True if less was read than an earlier run had read.
    pub fn is_short(&self) -> bool {
        self.inner().is_ok_and(|inner| inner.expected.is_some())
    }

    /// Reads what the reader left behind the end of its data.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn drain(&self) -> io::Result<()> {
        io::copy(&mut Metered(self.clone()), &mut io::sink()).map(drop)
    }

    fn inner(&self) -> io::Result<MutexGuard<'_, Inner>> {
        locked(&self.0.inner)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> io::Result<MutexGuard<'_, T>> {
    mutex.lock().map_err(|_| io::Error::other("a reader of this input ended in a panic"))
}

struct Metered(Meter);

impl Read for Metered {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut input = locked(&self.0.0.input)?;
        let Some(input) = &mut *input else { return Ok(0) };
        let n = input.read(out)?;
        let mut inner = self.0.inner()?;
        inner.add(out.get(..n).unwrap_or_default());
        self.0.0.bytes.store(inner.bytes, Ordering::Relaxed);
        Ok(n)
    }
}

impl Inner {
    fn add(&mut self, bytes: &[u8]) {
        let before = self.bytes;
        self.bytes += bytes.len() as u64;
        let Some(hash) = &mut self.hash else { return };
        let mut rest = bytes;
        if let Some(expected) = self.expected.take_if(|expected| before + bytes.len() as u64 >= expected.bytes) {
            let (first, behind) = bytes.split_at(usize::try_from(expected.bytes - before).unwrap_or_default());
            hash.update(first);
            self.differs = hex::encode(hash.clone().finalize()) != expected.sha256;
            rest = behind;
        }
        hash.update(rest);
    }
}

/// SHA-256 of a file in hexadecimal.
///
/// # Errors
/// `Io` if it cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let digest = File::open(path).and_then(|mut file| hashed(&mut file)).map_err(|e| Error::io(path, e))?;
    Ok(hex::encode(digest.finalize()))
}

/// When a file was last written, in nanoseconds since 1970.
pub fn modified(path: &Path) -> Option<u64> {
    let since = path.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(text: &str, expected: Option<Expected>) -> Meter {
        let meter = Meter::new(true, expected);
        let mut input = meter.through(Box::new(Cursor::new(text.to_owned())));
        input.read_exact(&mut [0; 4]).unwrap();
        meter.drain().unwrap();
        meter
    }

    #[test]
    fn the_start_of_an_input_is_known_again_wherever_blocks_end() {
        let whole = read("one two three", None);
        assert_eq!((whole.bytes(), whole.so_far().1.unwrap().len()), (13, 64));
        for end in 1..=13 {
            let sha256 = hex::encode(Sha256::digest(&b"one two three"[..end]));
            let expected = Expected { bytes: end as u64, sha256 };
            let same = read("one two three", Some(expected.clone()));
            assert!(!same.differs() && !same.is_short() && same.so_far() == whole.so_far(), "{end}");
            assert!(read("One two three", Some(expected.clone())).differs(), "{end}");
            assert_eq!(read("one t", Some(expected)).is_short(), end > 5);
        }
    }
}
