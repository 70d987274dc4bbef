//! Files of lines that a later run can go on with: called `NAME.partial` until they are whole, cut back to what is known to be safe when
//! they are taken up again, and packed on the way if their name asks for it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::Output;
use super::partial::beside;
use crate::error::{Error, Result};

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// gzip, a member for each part that is safe.
    Gzip,
    /// Zstandard, a frame for each part that is safe.
    Zstd,
}

impl Packing {
    /// By the ending of a file's name.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|e| e.to_str()).map(str::to_lowercase).as_deref() {
            Some("gz") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// How much of a file is safe on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of these bytes in hexadecimal, of files that are hashed.
    pub sha256: Option<String>,
}

/// A file of lines that grows. Clones are handles to the same file.
#[derive(Clone)]
pub struct Growing(Arc<Mutex<State>>);

struct State {
    target: PathBuf,
    path: PathBuf,
    file: File,
    packer: Packer,
    bytes: u64,
    hash: Option<Sha256>,
    is_named: bool,
}

enum Packer {
    None,
    Gzip(Option<GzEncoder<Vec<u8>>>),
    Zstd(Option<zstd::Encoder<'static, Vec<u8>>>),
}

impl Growing {
    /// An empty file that will be at `target`, in place of one that is there.
    ///
    /// # Errors
    /// `Io` if it cannot be created, `Input` if another run is writing it.
    pub fn create(target: &Path, is_hashed: bool) -> Result<Self> {
        let target = resolved(target);
        let path = beside(&target).map_err(|e| Error::io(&target, e))?;
        let failed = |e| Error::io(&path, e);
        // Not truncated before it is known that no other run is writing it.
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        lock(&file, &path)?;
        file.set_len(0).map_err(failed)?;
        Ok(Self::new(target, path, file, &Mark::default(), is_hashed.then(Sha256::new)))
    }

    /// The file that an unfinished run left, cut back to `mark`.
    ///
    /// # Errors
    /// `Input` if it is not what it was when the mark was made, or another run is writing it; `Io` if it cannot be read.
    pub fn reopen(target: &Path, mark: &Mark) -> Result<Self> {
        let target = resolved(target);
        let path = beside(&target).map_err(|e| Error::io(&target, e))?;
        let failed = |e| Error::io(&path, e);
        let changed = |what: &str| {
            Error::input(path.display(), format!("{what}: start again without --resume, with --overwrite"))
        };
        let mut file = File::options().read(true).write(true).open(&path).map_err(failed)?;
        lock(&file, &path)?;
        if file.metadata().map_err(failed)?.len() < mark.bytes {
            return Err(changed("is shorter than the unfinished run left it"));
        }
        file.set_len(mark.bytes).map_err(failed)?;
        let mut hash = None;
        if let Some(expected) = &mark.sha256 {
            let digest = hashed(&mut file).map_err(failed)?;
            if hex::encode(digest.clone().finalize()) != *expected {
                return Err(changed("is not what the unfinished run wrote"));
            }
            hash = Some(digest);
        }
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self::new(target, path, file, mark, hash))
    }

    /// Gives a file its name that was whole, if the run ended before it could.
    ///
    /// # Errors
    /// `Io` if that fails.
    pub fn name_whole(target: &Path) -> Result<()> {
        let target = resolved(target);
        let path = beside(&target).map_err(|e| Error::io(&target, e))?;
        if path.exists() { fs::rename(&path, &target).map_err(|e| Error::io(&path, e)) } else { Ok(()) }
    }

    fn new(target: PathBuf, path: PathBuf, file: File, mark: &Mark, hash: Option<Sha256>) -> Self {
        let packer = match Packing::of(&target) {
            Packing::None => Packer::None,
            Packing::Gzip => Packer::Gzip(None),
            Packing::Zstd => Packer::Zstd(None),
        };
        Self(Arc::new(Mutex::new(State { target, path, file, packer, bytes: mark.bytes, hash, is_named: false })))
    }

    /// A destination that writes to the end of it.
    pub fn output(&self) -> Output {
        let name = self.state().map_or_else(|_| String::new(), |state| state.path.display().to_string());
        Output { name, to: Box::new(self.clone()) }
    }

    /// True if the bytes depend on where the marks are.
    pub fn is_packed(&self) -> bool {
        self.state().is_ok_and(|state| !matches!(state.packer, Packer::None))
    }

    /// Makes sure that all that was written is on the disk.
    ///
    /// # Errors
    /// `Io` if that fails.
    pub fn mark(&self) -> Result<Mark> {
        let mut state = self.state().map_err(|e| Error::io(Path::new("output"), e))?;
        state.end_frame().and_then(|()| state.file.sync_data()).map_err(|e| Error::io(&state.path, e))?;
        let sha256 = state.hash.as_ref().map(|hash| hex::encode(hash.clone().finalize()));
        Ok(Mark { bytes: state.bytes, sha256 })
    }

    /// Gives it its name: it is whole. Call [`mark`](Self::mark) before.
    ///
    /// # Errors
    /// `Io` if that fails.
    pub fn name(&self) -> Result<()> {
        let mut state = self.state().map_err(|e| Error::io(Path::new("output"), e))?;
        if !state.is_named {
            state
                .file
                .sync_all()
                .and_then(|()| fs::rename(&state.path, &state.target))
                .map_err(|e| Error::io(&state.target, e))?;
            state.is_named = true;
        }
        Ok(())
    }

    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        self.0.lock().map_err(|_| io::Error::other("a writer of this file ended in a panic"))
    }
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.state()?.write(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl State {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let packed = match &mut self.packer {
            Packer::None => return self.put(bytes),
            Packer::Gzip(frame) => {
                let frame = frame.get_or_insert_with(|| GzEncoder::new(Vec::new(), flate2::Compression::default()));
                frame.write_all(bytes)?;
                std::mem::take(frame.get_mut())
            }
            Packer::Zstd(frame) => {
                let frame = match frame {
                    Some(frame) => frame,
                    None => frame.insert(zstd::Encoder::new(Vec::new(), zstd::DEFAULT_COMPRESSION_LEVEL)?),
                };
                frame.write_all(bytes)?;
                std::mem::take(frame.get_mut())
            }
        };
        self.put(&packed)
    }

    /// Ends what is being packed, so that the file can be read up to here.
    fn end_frame(&mut self) -> io::Result<()> {
        // A packed file of nothing still has a frame, else it would be none.
        if self.bytes == 0 {
            self.write(&[])?;
        }
        let packed = match &mut self.packer {
            Packer::None => return Ok(()),
            Packer::Gzip(frame) => frame.take().map_or_else(|| Ok(Vec::new()), GzEncoder::finish)?,
            Packer::Zstd(frame) => frame.take().map_or_else(|| Ok(Vec::new()), zstd::Encoder::finish)?,
        };
        self.put(&packed)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        Ok(())
    }
}

/// Where a link points to: the file is to be replaced, not the link.
fn resolved(target: &Path) -> PathBuf {
    if target.is_symlink() { target.canonicalize().unwrap_or_else(|_| target.to_owned()) } else { target.to_owned() }
}

fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(Error::input(path.display(), "another run is writing it: wait for it, or name another output"))
        }
        // Some network file systems have no locks.
        _ => Ok(()),
    }
}

/// Removes a file, unless another run is writing it.
///
/// # Errors
/// `Input` if one is, `Io` if it cannot be removed.
pub fn remove_unless_written(path: &Path) -> Result<()> {
    let failed = |e| Error::io(path, e);
    let file = File::open(path).map_err(failed)?;
    lock(&file, path)?;
    fs::remove_file(path).map_err(failed)
}

/// The hash of a file, from its start.
pub fn hashed(file: &mut (impl Read + Seek)) -> io::Result<Sha256> {
    file.rewind()?;
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(digest),
            n => digest.update(block.get(..n).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(path: &Path) -> String {
        let file = Box::new(File::open(path).unwrap());
        let (mut text, _) = crate::read::unpack::unpack(file, crate::read::unpack::Limits::default()).unwrap();
        let mut out = String::new();
        text.read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn a_file_that_is_taken_up_again_has_the_bytes_of_one_written_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
            let (once, twice) = (folder.path().join(name), folder.path().join(format!("b{name}")));
            let mut whole = Growing::create(&once, true).unwrap();
            whole.write_all(b"one\n").unwrap();
            whole.mark().unwrap();
            whole.write_all(b"two\n").unwrap();
            let expected = whole.mark().unwrap();
            whole.name().unwrap();

            let mut broken = Growing::create(&twice, true).unwrap();
            broken.write_all(b"one\n").unwrap();
            let mark = broken.mark().unwrap();
            broken.write_all(b"tw").unwrap();
            drop(broken);
            let mut again = Growing::reopen(&twice, &mark).unwrap();
            again.write_all(b"two\n").unwrap();
            assert_eq!(again.mark().unwrap(), expected);
            assert!(!twice.exists(), "it has its name only once it is whole");
            again.name().unwrap();
            assert_eq!(fs::read(&once).unwrap(), fs::read(&twice).unwrap(), "{name}");
            assert_eq!(unpacked(&twice), "one\ntwo\n", "{name}");
        }
    }

    #[test]
    fn what_was_altered_in_between_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let mut file = Growing::create(&path, true).unwrap();
        file.write_all(b"one\n").unwrap();
        let mark = file.mark().unwrap();
        assert!(Growing::create(&path, true).err().unwrap().to_string().contains("another run"));
        drop(file);
        let partial = beside(&path).unwrap();
        fs::write(&partial, "One\n").unwrap();
        assert!(Growing::reopen(&path, &mark).err().unwrap().to_string().contains("--overwrite"));
        fs::write(&partial, "one").unwrap();
        assert!(Growing::reopen(&path, &mark).err().unwrap().to_string().contains("shorter"));
    }

    #[test]
    fn an_empty_packed_file_can_be_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.gz", "a.zst"] {
            let path = folder.path().join(name);
            let file = Growing::create(&path, false).unwrap();
            file.mark().unwrap();
            file.name().unwrap();
            assert_eq!((unpacked(&path), fs::read(&path).unwrap().is_empty()), (String::new(), false));
        }
    }
}
