//! Decompresses inputs: gzip, zstd, bzip2 and xz by their first bytes, with a stated limit on how far data may expand.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// The largest zstd window accepted, as a power of two: what `zstd --ultra --long=31` writes, and Pushshift's dumps.
const ZSTD_WINDOW_LOG_MAX: u32 = 31;

/// Memory that xz may take, in bytes: its strongest preset needs 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

/// Bytes that any archive may expand to, whatever its ratio.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// How much a source may make of few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many times its size an archive may expand to, once that is more than 64 MiB.
    pub expansion: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { expansion: 500 }
    }
}

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one or several members.
    Gzip,
    /// Zstandard.
    Zstd,
    /// bzip2, of one or several streams.
    Bzip2,
    /// xz, of one or several streams.
    Xz,
}

impl Compression {
    /// Its name; `none` for none.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// By the first bytes of a file.
    fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or a skippable frame as `pzstd` and seekable archives put first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::None,
        }
    }
}

/// Decompresses `input` if its first bytes say that it is compressed. A damaged or truncated archive, and one that expands past the
/// limit, gives an error that says where, after what could be read.
///
/// # Errors
/// If the first bytes cannot be read.
pub fn unpack(mut input: Box<dyn Read + Send>, limits: Limits) -> io::Result<(Box<dyn BufRead + Send>, Compression)> {
    let mut magic = Vec::new();
    (&mut input).take(6).read_to_end(&mut magic)?;
    let compression = Compression::of(&magic);
    let packed = Arc::new(AtomicU64::new(0));
    let whole = Counted { inner: Cursor::new(magic).chain(input), count: Arc::clone(&packed) };
    let whole = BufReader::with_capacity(BLOCK, whole);
    let decoder: Box<dyn Read + Send> = match compression {
        Compression::None => return Ok((Box::new(whole), compression)),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(whole)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(whole)),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)
                .map_err(io::Error::from)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(whole, stream))
        }
    };
    let unpacked = Unpacked { kind: compression.name(), inner: decoder, bytes: 0, packed, limits };
    Ok((Box::new(BufReader::with_capacity(BLOCK, unpacked)), compression))
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Decompressed data; says in its errors how far it came, and stops where it expands too far.
struct Unpacked {
    kind: &'static str,
    inner: Box<dyn Read + Send>,
    bytes: u64,
    packed: Arc<AtomicU64>,
    limits: Limits,
}

impl Unpacked {
    fn placed(&self, error: io::Error) -> io::Error {
        let Self { kind, bytes, .. } = self;
        // An error of the disk, not of the data, or a call to try again.
        if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        let what = if error.kind() == io::ErrorKind::UnexpectedEof {
            format!("the {kind} data is cut off after {bytes} decompressed bytes: get the whole file")
        } else {
            format!("the {kind} data is damaged after {bytes} decompressed bytes ({error})")
        };
        io::Error::new(error.kind(), what)
    }
}

impl Read for Unpacked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out).map_err(|e| self.placed(e))?;
        self.bytes += n as u64;
        let packed = self.packed.load(Ordering::Relaxed);
        if self.bytes > ALWAYS_ALLOWED && self.bytes / self.limits.expansion.max(1) > packed {
            let Self { kind, bytes, limits, .. } = self;
            let what = format!(
                "the {kind} data makes more than {} times its size ({packed} bytes became {bytes}): it may be a bomb; if it is not, raise \
                 --max-expansion",
                limits.expansion
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(n)
    }
}
