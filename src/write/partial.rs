//! Files and folders that have their name only when they are whole: until then they are called `NAME.partial`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Where something is written before it is whole.
pub(super) struct Partial {
    target: PathBuf,
    path: PathBuf,
    /// The files written into it, if it is a folder.
    files: Option<&'static [&'static str]>,
    is_named: bool,
}

impl Partial {
    /// A file that will be at `target`, in place of one that is there. What an interrupted run left is removed.
    pub fn file(target: &Path) -> io::Result<Self> {
        if target.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "a folder has this name: name a file"));
        }
        let partial = Self { target: target.to_owned(), path: beside(target)?, files: None, is_named: false };
        partial.remove()?;
        Ok(partial)
    }

    /// A folder that will be at `target`, with no other files than `files` in it. What an interrupted run left is
    /// removed.
    pub fn folder(target: &Path, files: &'static [&'static str]) -> io::Result<Self> {
        let is_empty = match fs::read_dir(target) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if !is_empty {
            let what = "there is something in it already: name a new or an empty folder";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        let partial = Self { target: target.to_owned(), path: beside(target)?, files: Some(files), is_named: false };
        partial.remove()?;
        fs::create_dir(&partial.path)?;
        Ok(partial)
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name.
    pub fn finish(&mut self) -> io::Result<()> {
        match self.files {
            Some(_) => match fs::remove_dir(&self.target) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
            // The name must not outlive a power cut that the content does not.
            None => File::options().write(true).open(&self.path)?.sync_all()?,
        }
        fs::rename(&self.path, &self.target)?;
        self.is_named = true;
        Ok(())
    }

    /// Removes what was written, and nothing that was not.
    fn remove(&self) -> io::Result<()> {
        let there = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        let Some(files) = self.files else { return there(fs::remove_file(&self.path)) };
        for file in files {
            there(fs::remove_file(self.path.join(file)))?;
        }
        there(fs::remove_dir(&self.path))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_named {
            // It is called partial: whoever finds it there knows.
            drop(self.remove());
        }
    }
}

/// What `target` is called until it is whole.
pub(super) fn beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name();
    let mut name = name
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this is no name for something new"))?
        .to_owned();
    name.push(".partial");
    Ok(target.with_file_name(name))
}
