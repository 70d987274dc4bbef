//! The one error type of the library: what went wrong, where, and what to do about it.

use std::fmt;
use std::io;
use std::path::Path;

/// Result of every fallible function of the library.
pub type Result<T> = std::result::Result<T, Error>;

/// An error with its place. Small to return; [`Error::kind`] says more.
#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

/// What went wrong. Every message names the place and, where there is one, the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be opened, read or written.
    #[error("{place}: {cause}")]
    Io {
        /// The file, or "standard input".
        place: String,
        /// What the operating system said. Part of the message, so no `source` beside it.
        cause: io::Error,
    },
    /// An input cannot be used at all (binary, without a text column, …).
    #[error("{place}: {what}")]
    Input {
        /// The file, with the line where there is one.
        place: String,
        /// What is wrong and how to mend it.
        what: String,
    },
    /// A model folder is missing, altered, incomplete or of a newer format.
    #[error("model {place}: {what}")]
    Model {
        /// The model folder or the file in it.
        place: String,
        /// What is wrong and how to mend it.
        what: String,
    },
    /// A setting (flag, recipe key, hyperparameter) has no meaning as given.
    #[error("{0}")]
    Settings(String),
    /// The optimiser stopped before it reached the tolerance.
    #[error(
        "the fit did not converge in {iterations} iterations (gradient {gradient:.1e}, tolerance {tolerance:.1e}): \
         raise max_iterations or the L2 strength"
    )]
    NotConverged {
        /// Iterations done.
        iterations: u64,
        /// Largest component of the gradient that was left, per unit of row weight.
        gradient: f64,
        /// The tolerance it should have reached.
        tolerance: f64,
    },
    /// linfa refused a data set or a parameter.
    #[error("linfa: {0}")]
    Linfa(String),
    /// The user stopped the run.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// An I/O error at `path`.
    pub fn io(path: &Path, cause: io::Error) -> Self {
        ErrorKind::Io { place: path.display().to_string(), cause }.into()
    }

    /// An input that cannot be used.
    pub fn input(place: impl fmt::Display, what: impl Into<String>) -> Self {
        ErrorKind::Input { place: place.to_string(), what: what.into() }.into()
    }

    /// A model folder that cannot be used.
    pub fn model(path: &Path, what: impl Into<String>) -> Self {
        ErrorKind::Model { place: path.display().to_string(), what: what.into() }.into()
    }

    /// A setting that has no meaning.
    pub fn settings(what: impl Into<String>) -> Self {
        ErrorKind::Settings(what.into()).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// Without a `source`: messages already say the cause, and whoever prints the chain would say it twice.
impl std::error::Error for Error {}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

// linfa's `Fit` asks that an implementor's error can hold linfa's own.
impl From<linfa::Error> for Error {
    fn from(error: linfa::Error) -> Self {
        ErrorKind::Linfa(error.to_string()).into()
    }
}
