//! What workers reuse from comment to comment: handed out by the model that it was filled for, and given back.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use super::Model;
use super::scoring::Scratch;

/// Scratches that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Workers(Mutex<Vec<Scratch>>);

/// A scratch, given back when it is dropped.
#[derive(Debug)]
pub struct Worker<'m> {
    scratch: Scratch,
    workers: &'m Workers,
}

impl Workers {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model {
    /// A scratch for this model, one that has been used before if there is any: it remembers the words that it looked up.
    pub fn worker(&self) -> Worker<'_> {
        let scratch = self.workers.idle().pop().unwrap_or_default();
        Worker { scratch, workers: &self.workers }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.workers.idle().push(std::mem::take(&mut self.scratch));
    }
}

impl Deref for Worker<'_> {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.scratch
    }
}

impl DerefMut for Worker<'_> {
    fn deref_mut(&mut self) -> &mut Scratch {
        &mut self.scratch
    }
}
