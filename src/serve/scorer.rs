//! The model in use and how requests score with it: at once where that takes a fraction of a millisecond, beside the other
//! requests where it takes longer.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use super::app::App;
use super::attributes::Attributes;
use super::languages;
use crate::model::Model;
use crate::model::scoring::{Item, Scores, Scratch, Unscored};

/// Texts up to so many bytes in all are scored on the spot.
const SHORT: usize = 4096;

/// A model that is being served.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub model: Model,
    /// `name@version`.
    pub id: String,
    /// Which attributes of Perspective it gives.
    pub attributes: Attributes,
    /// Its language in two letters, if it has one.
    pub language: Option<String>,
}

impl Loaded {
    /// Makes a model ready to be served.
    pub fn new(model: Model) -> Self {
        let attributes = Attributes::of(&model);
        let language = model.manifest.language.as_deref().map(languages::short);
        Self { id: model.id(), attributes, language, model }
    }

    /// Does something that needs a scratch.
    pub fn with_scratch<T>(&self, work: impl FnOnce(&Model, &mut Scratch) -> T) -> T {
        work(&self.model, &mut self.model.worker())
    }

    /// Scores one comment.
    pub fn score(&self, item: &Item<'_>) -> Result<Scores, Unscored> {
        self.with_scratch(|model, scratch| model.score(item, scratch))
    }
}

impl App {
    /// Does work on `bytes` of text: short work on the spot, long work in turn and so that other requests are answered meanwhile.
    pub async fn work<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        // In a runtime of one thread there is nobody to hand the other requests to.
        if bytes <= SHORT || Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            return work();
        }
        let _turn = self.long_work.acquire().await;
        block_in_place(work)
    }
}
