//! The same sentence under names of many origins: whose name costs something.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use serde::Serialize;

use super::data::Data;
use super::draft::{Draft, of_label, score};
use super::rate::Rate;
use super::{Question, label_name, threshold};
use crate::model::Model;
use crate::text::clean::Clean;
use crate::text::terms::{Names, Origin};
use crate::text::words::Words;
use crate::train::bootstrap::{Interval, interval};

/// Comments of the data that names are swapped in: the first that hold one.
const COMMENTS: usize = 200;
/// Names of each origin that are put into a comment; the next ones into the next.
const SWAPS: usize = 3;
/// Names listed at either end.
const ENDS: usize = 5;
/// What stands for the name in a sentence.
const PLACE: &str = "{name}";

/// Names in the same sentences, for one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NameSwaps {
    /// The label.
    pub label: String,
    /// In the sentences of the list.
    pub frames: Swapped,
    /// The names with the highest means in them, the highest first.
    pub highest: Vec<NameMean>,
    /// The names with the lowest means in them, the lowest first.
    pub lowest: Vec<NameMean>,
    /// In comments of the data that hold a name of the list; `None` if too few do.
    pub comments: Option<Swapped>,
}

/// What swapping names does to some texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Swapped {
    /// Texts that names were put into.
    pub texts: u64,
    /// By origin, the highest first.
    pub origins: Vec<OriginMean>,
    /// The highest mean less the lowest, in probability.
    pub gap: f64,
}

/// The names of an origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OriginMean {
    /// The origin.
    pub origin: String,
    /// The mean probability of the label over all its texts.
    pub mean: f64,
    /// Its 95 % bootstrap interval: over the names where every name stands in every text, else over the texts.
    pub interval: Option<Interval>,
    /// Texts with its names that are flagged at the model's threshold.
    pub flagged: Rate,
}

/// One name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NameMean {
    /// The name.
    pub name: String,
    /// Its origin.
    pub origin: String,
    /// The mean probability of the label over the texts that it was put into.
    pub mean: f64,
}

/// A text with one of the names in it.
struct Swap {
    origin: usize,
    /// What is drawn anew by the bootstrap: the name, or the text.
    unit: usize,
    draft: Draft,
}

/// Measures the labels.
pub(super) fn measure(model: &Model, question: &Question, labels: &[usize], data: &Data) -> Vec<NameSwaps> {
    let list = &question.names;
    let frames = Scored::new(model, list.frames.len(), in_frames(list));
    let holders = holding_names(list, data);
    let comments = Scored::new(model, holders.len(), in_comments(list, &holders));
    let enough = comments.texts as u64 >= question.min_rows.max(1);
    let each = labels.iter().map(|&k| {
        let names = frames.names(list, k);
        NameSwaps {
            label: label_name(model, k).to_owned(),
            frames: frames.origins(model, question, k),
            highest: names.iter().rev().take(ENDS).cloned().collect(),
            lowest: names.iter().take(ENDS).cloned().collect(),
            comments: enough.then(|| comments.origins(model, question, k)),
        }
    });
    each.collect()
}

/// Every name in every sentence.
fn in_frames(list: &Names) -> Vec<Swap> {
    let mut swaps = Vec::new();
    for (origin, entry) in list.origins.iter().enumerate() {
        for (unit, name) in entry.given.iter().enumerate() {
            let drafts = list.frames.iter().map(|frame| Draft::of(frame.replace(PLACE, name)));
            swaps.extend(drafts.map(|draft| Swap { origin, unit, draft }));
        }
    }
    swaps
}

/// A comment and the places of a name in it.
type Holder<'a> = (&'a Draft, Vec<Range<usize>>);

/// The first comments that hold a name of the list, and where the first name that they hold stands.
fn holding_names<'a>(list: &Names, data: &'a Data) -> Vec<Holder<'a>> {
    let known: HashSet<&str> = list.origins.iter().flat_map(|origin| origin.given.iter().map(String::as_str)).collect();
    let holders = data.rows.iter().filter(|row| row.scores.is_some()).filter_map(|row| {
        let text = &row.draft.text;
        let clean = Clean::new(text);
        let words = Words::of(text);
        let written = |place: &Range<usize>| text.get(place.clone()).unwrap_or_default();
        let places = (0..words.len()).map(|i| words.source(&clean, i..i + 1));
        let mut named: Vec<Range<usize>> = places.filter(|place| known.contains(written(place))).collect();
        let first = written(named.first()?).to_owned();
        named.retain(|place| written(place) == first);
        Some((&row.draft, named))
    });
    holders.take(COMMENTS).collect()
}

/// Some names of every origin in each comment.
fn in_comments(list: &Names, holders: &[Holder<'_>]) -> Vec<Swap> {
    let mut swaps = Vec::new();
    for (unit, (draft, places)) in holders.iter().enumerate() {
        for (origin, entry) in list.origins.iter().enumerate() {
            let names = entry.given.iter().cycle().skip(unit * SWAPS % entry.given.len().max(1)).take(SWAPS);
            swaps.extend(names.map(|name| Swap { origin, unit, draft: draft.replaced(places, |_| name.clone()) }));
        }
    }
    swaps
}

/// Texts with their scores.
struct Scored {
    texts: usize,
    /// Origin, unit and probabilities.
    swaps: Vec<(usize, usize, Vec<f32>)>,
}

impl Scored {
    fn new(model: &Model, texts: usize, swaps: Vec<Swap>) -> Self {
        let (places, drafts): (Vec<(usize, usize)>, Vec<Draft>) =
            swaps.into_iter().map(|swap| ((swap.origin, swap.unit), swap.draft)).unzip();
        let scores = score(model, &drafts).into_iter();
        let swaps = places.into_iter().zip(scores).filter_map(|((origin, unit), p)| Some((origin, unit, p?))).collect();
        Self { texts, swaps }
    }

    /// The probabilities of a label by unit, of one origin.
    fn units(&self, origin: usize, k: usize) -> BTreeMap<usize, Vec<f64>> {
        let mut units: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for (_, unit, p) in self.swaps.iter().filter(|(other, ..)| *other == origin) {
            units.entry(*unit).or_default().extend(of_label(Some(p), k));
        }
        units
    }

    fn origins(&self, model: &Model, question: &Question, k: usize) -> Swapped {
        let threshold = threshold(model, k);
        let origins = question.names.origins.iter().enumerate().filter_map(|(place, entry)| {
            let units = self.units(place, k);
            let means: Vec<f64> = units.values().filter_map(|values| mean(values)).collect();
            let of_rows =
                |rows: &[usize]| mean(&rows.iter().filter_map(|&row| means.get(row).copied()).collect::<Vec<_>>());
            Some(OriginMean {
                origin: entry.name.clone(),
                mean: mean(&means)?,
                interval: interval(means.len(), question.resamples, question.seed, of_rows),
                flagged: Rate::among(units.values().flatten().map(|p| *p >= threshold)),
            })
        });
        let mut origins: Vec<OriginMean> = origins.collect();
        origins.sort_by(|a, b| b.mean.total_cmp(&a.mean));
        let gap = origins.first().zip(origins.last()).map_or(0.0, |(highest, lowest)| highest.mean - lowest.mean);
        Swapped { texts: self.texts as u64, origins, gap }
    }

    /// The mean of every name, the lowest first; of texts whose units are names.
    fn names(&self, list: &Names, k: usize) -> Vec<NameMean> {
        let of_origin = |(place, entry): (usize, &Origin)| {
            let named = self.units(place, k).into_iter().filter_map(|(unit, values)| {
                Some(NameMean {
                    name: entry.given.get(unit)?.clone(),
                    origin: entry.name.clone(),
                    mean: mean(&values)?,
                })
            });
            named.collect::<Vec<_>>()
        };
        let mut names: Vec<NameMean> = list.origins.iter().enumerate().flat_map(of_origin).collect();
        names.sort_by(|a, b| a.mean.total_cmp(&b.mean));
        names
    }
}

/// The mean of some numbers; `None` if there are none.
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
