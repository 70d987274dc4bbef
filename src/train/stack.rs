//! Stacking: what first-stage heads say of every text, whether they were fitted here or come with a base model.

use super::heads::Head;
use crate::model::peaks;

/// A first-stage head and what it says of every text: out of fold where it was fitted, else the whole fit.
#[derive(Debug)]
pub struct Stacked {
    /// Where its weights are.
    pub origin: Origin,
    /// Logits of whole texts.
    pub whole: Vec<f32>,
    /// Logits of the windows of long texts, text after text.
    pub windows: Vec<f32>,
    /// Its local maxima in every text, where it is one of the pooled heads.
    pub peaks: Option<Vec<[f32; peaks::COUNT]>>,
}

/// Where the weights of a first-stage head are.
#[derive(Debug)]
pub enum Origin {
    /// Fitted in this run.
    Fitted(Box<Head>),
    /// This column of the base model's first-stage table.
    Base(usize),
}

/// A text or one of its windows.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// A whole text, by its number.
    Whole(usize),
    /// A window, by its number among those of all texts.
    Window(usize),
}

/// What one head says of one text.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Logit of the whole text.
    pub whole: f32,
    /// Logits of its windows, none for a short text.
    pub windows: Vec<f32>,
    /// Its local maxima.
    pub peaks: [f32; peaks::COUNT],
}

impl Stacked {
    /// A head from what it says of every text, in their order.
    pub fn new(origin: Origin, said: Vec<Said>, pooled: bool) -> Self {
        let mut out = Self { origin, whole: Vec::new(), windows: Vec::new(), peaks: pooled.then(Vec::new) };
        for text in said {
            out.whole.push(text.whole);
            out.windows.extend(text.windows);
            if let Some(peaks) = &mut out.peaks {
                peaks.push(text.peaks);
            }
        }
        out
    }

    /// The logit of a text or window.
    pub fn logit(&self, place: Place) -> f32 {
        match place {
            Place::Whole(row) => self.whole[row],
            Place::Window(window) => self.windows[window],
        }
    }

    /// The peaks of a text; 0 for a head that is not pooled.
    pub fn peaks(&self, row: usize) -> [f32; peaks::COUNT] {
        self.peaks.as_ref().map_or([0.0; peaks::COUNT], |peaks| peaks[row])
    }
}
