//! Scoring in parallel: comments in, records out, in the same order whatever the number of threads.

use std::ops::Range;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::model::Model;
use crate::model::asked::Asked;
use crate::model::explain::{Explanation, Utf16};
use crate::model::multinomial::likeliest;
use crate::model::scoring::{Item, Scores, Scratch, Unscored};
use crate::model::target::{TargetScore, Undecided};
use crate::record::{Mention, ScoreRecord, Toward, rounded};
use crate::thread::{Comment, Status, Thread};
use crate::write::Shape;

/// Comments a worker takes at a time.
const SHARE: usize = 32;
/// Shares written out for each label by `--explain`; the others are summed up as `rest`.
const SHOWN: usize = 10;

/// What every comment of a run is scored with.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a wish of the user")]
pub struct Scorer<'m> {
    /// The model.
    pub model: &'m Model,
    /// Longest text scored, in bytes.
    pub max_text: usize,
    /// Deleted and spam comments are scored, too, if their status is among these.
    pub include: Vec<Status>,
    /// Targets asked for, mentioned or not; empty: that of the row.
    pub targets: Vec<String>,
    /// Targets asked for where a comment mentions them; absent: those of the model, if no others are asked for.
    pub set: Option<&'m Asked>,
    /// Comments without a parent get a stance, too, if the model learned such.
    pub stance_of_roots: bool,
    /// Records carry the probabilities of experimental labels that leave the comment open, too.
    pub undecided: bool,
    /// Records carry the text.
    pub with_text: bool,
    /// Records carry the words behind the scores.
    pub explain: bool,
}

/// A comment with what is needed to score it.
#[derive(Debug, Clone, Default)]
pub struct Job<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its thread.
    pub thread_id: Option<&'a str>,
    /// The id of its parent.
    pub parent_id: Option<&'a str>,
    /// 0 for a root.
    pub depth: u32,
    /// Display name.
    pub author: Option<&'a str>,
    /// When it was written.
    pub created: Option<&'a str>,
    /// Whether the source shows it.
    pub status: Status,
    /// The text.
    pub text: &'a str,
    /// What the source marks as quoted.
    pub quotes: &'a [Range<usize>],
    /// The parent's text.
    pub parent: Option<&'a str>,
    /// The text of the comment that opens its thread.
    pub root: Option<&'a str>,
    /// The target that the row names.
    pub target: Option<&'a str>,
}

impl<'m> Scorer<'m> {
    /// Nothing asked for but the labels and stances of the model, of texts of at most `max_text` bytes.
    pub fn new(model: &'m Model, max_text: usize) -> Self {
        Self {
            model,
            max_text,
            include: Vec::new(),
            targets: Vec::new(),
            set: None,
            stance_of_roots: false,
            undecided: false,
            with_text: false,
            explain: false,
        }
    }

    /// The columns of a table of these records.
    pub fn shape(&self) -> Shape {
        let manifest = &self.model.manifest;
        let set = match self.set {
            Some(set) => set.targets.iter().map(|target| target.named.name.clone()).collect(),
            None if self.targets.is_empty() => manifest.targets_known().into_iter().map(|known| known.name).collect(),
            None => Vec::new(),
        };
        let others = set.into_iter().filter(|name| !self.targets.contains(name));
        Shape {
            labels: manifest.labels.iter().map(|l| l.name.clone()).collect(),
            parent: manifest.parent.as_ref().map(|p| p.step.classes.clone()).unwrap_or_default(),
            targets: self.targets.iter().cloned().chain(others).collect(),
            target: manifest.targets.as_ref().map(|t| t.classes.clone()).unwrap_or_default(),
            text: self.with_text,
            explain: self.explain,
        }
    }

    /// Scores comments, in their order.
    pub fn score(&self, jobs: &[Job<'_>]) -> Vec<ScoreRecord> {
        self.score_all(jobs)
    }
}

/// Gives something for every comment, in their order.
pub trait Scoring {
    /// What it gives.
    type Outcome;

    /// Scores comments.
    fn score_all(&self, jobs: &[Job<'_>]) -> Vec<Self::Outcome>;
}

impl Scoring for Scorer<'_> {
    type Outcome = ScoreRecord;

    fn score_all(&self, jobs: &[Job<'_>]) -> Vec<ScoreRecord> {
        let id = self.model.id();
        let mut records = Vec::with_capacity(jobs.len());
        jobs.par_iter()
            .with_min_len(SHARE)
            .map_init(|| self.model.worker(), |worker, job| self.record(job, &id, worker))
            .collect_into_vec(&mut records);
        records
    }
}

impl<'a> Job<'a> {
    /// A comment by itself, of a thread: without its place there.
    pub(super) fn alone(comment: &'a Comment, thread_id: Option<&'a str>) -> Self {
        Self {
            id: &comment.id,
            thread_id,
            depth: comment.depth,
            author: comment.author.as_deref(),
            created: comment.created.as_deref(),
            status: comment.status,
            text: &comment.text,
            quotes: &comment.quotes,
            target: comment.target.as_deref(),
            ..Self::default()
        }
    }
}

impl Scorer<'_> {
    /// Scores a whole thread, in reading order.
    pub fn score_thread(&self, thread: &Thread) -> Vec<ScoreRecord> {
        // A parent stands before its answers.
        let mut roots: Vec<usize> = Vec::with_capacity(thread.comments.len());
        for (i, comment) in thread.comments.iter().enumerate() {
            roots.push(comment.parent.and_then(|parent| roots.get(parent).copied()).unwrap_or(i));
        }
        let jobs: Vec<Job<'_>> =
            thread.comments.iter().zip(roots).map(|(c, root)| job_of(thread, c, &thread.comments[root])).collect();
        self.score(&jobs)
    }

    fn record(&self, job: &Job<'_>, model: &str, scratch: &mut Scratch) -> ScoreRecord {
        let scored = self.scores(job, scratch);
        self.record_of(job, model, scored, scratch)
    }

    /// The scores of a comment.
    pub(super) fn scores(&self, job: &Job<'_>, scratch: &mut Scratch) -> Result<Scores, Unscored> {
        if self.is_left_out(job.status) {
            Err(Unscored::Status(job.status))
        } else if job.text.len() > self.max_text {
            Err(Unscored::TooLong)
        } else {
            self.with_item(job, |item| self.model.score(item, scratch))
        }
    }

    /// What is asked of the model.
    fn with_item<T>(&self, job: &Job<'_>, ask: impl FnOnce(&Item<'_>) -> T) -> T {
        let own = job.target.map(|target| [target.to_owned()]);
        ask(&Item {
            text: job.text,
            quotes: job.quotes,
            parent: job.parent.map(|text| cut(text, self.max_text)),
            root: job.root.map(|text| cut(text, self.max_text)),
            stance_of_roots: self.stance_of_roots,
            targets: own.as_ref().map_or(&self.targets, |own| own.as_slice()),
            set: self.set,
        })
    }

    /// The record of a comment with these scores.
    pub(super) fn record_of(
        &self,
        job: &Job<'_>,
        model: &str,
        scored: Result<Scores, Unscored>,
        scratch: &mut Scratch,
    ) -> ScoreRecord {
        let explain = match &scored {
            Ok(_) if self.explain => self
                .with_item(job, |item| self.model.explain(item, scratch))
                .ok()
                .map(|explanations| explained(self.model, &explanations)),
            _ => None,
        };
        let mut record = ScoreRecord {
            id: job.id.to_owned(),
            thread_id: job.thread_id.map(str::to_owned),
            parent_id: job.parent_id.map(str::to_owned),
            depth: job.depth,
            author: job.author.map(str::to_owned),
            created: job.created.map(str::to_owned),
            status: job.status,
            text: (self.with_text && job.text.len() <= self.max_text).then(|| job.text.to_owned()),
            explain,
            model: model.to_owned(),
            ..ScoreRecord::default()
        };
        self.fill(&mut record, job.text, scored);
        record
    }

    /// Moderators see to pending comments; deleted and spam ones are settled.
    fn is_left_out(&self, status: Status) -> bool {
        matches!(status, Status::Deleted | Status::Spam) && !self.include.contains(&status)
    }

    fn fill(&self, record: &mut ScoreRecord, text: &str, scored: Result<Scores, Unscored>) {
        let manifest = &self.model.manifest;
        let names = manifest.labels.iter().map(|l| l.name.clone());
        match scored {
            Ok(found) => {
                for (k, (name, p)) in names.zip(found.labels).enumerate() {
                    let open = self.model.left_open(k, p).filter(|_| !self.undecided);
                    record.scores.push((name.clone(), open.is_none().then_some(p)));
                    record.open.extend(open.map(|reason| (name, reason)));
                }
                let with = |classes: &[String], p: Vec<f32>| classes.iter().cloned().zip(p).collect();
                record.parent = manifest.parent.as_ref().zip(found.parent).map(|(head, p)| with(&head.step.classes, p));
                let classes = manifest.targets.as_ref().map(|t| t.classes.as_slice()).unwrap_or_default();
                for found in found.targets {
                    record.toward.push((found.target.clone(), toward(classes, &found, text)));
                    record.targets.push((found.target, with(classes, found.probabilities)));
                }
            }
            Err(reason) => {
                record.scores = names.map(|name| (name, None)).collect();
                record.unscored = Some(reason.reason());
            }
        }
    }
}

/// The explanations of the labels that a comment reaches the threshold of.
pub fn explained(model: &Model, explanations: &[Explanation]) -> Value {
    let mut out = Map::new();
    for (head, e) in model.manifest.labels.iter().zip(explanations).filter(|(head, e)| e.probability >= head.threshold)
    {
        let (shown, rest) = e.shares.split_at(e.shares.len().min(SHOWN));
        let rest: f32 = rest.iter().map(|s| s.share).sum();
        let shares = serde_json::to_value(shown).unwrap_or_default();
        let (logit, base) = (rounded(e.logit), rounded(e.base));
        let mut label = json!({"logit": logit, "base": base, "shares": shares, "rest": rounded(rest)});
        if let (Some(window), Value::Object(label)) = (&e.window, &mut label) {
            label.insert("window".into(), json!({"start": window.start, "end": window.end}));
        }
        out.insert(head.name.clone(), label);
    }
    Value::Object(out)
}

/// What is decided of the stance toward a target.
pub fn toward(classes: &[String], found: &TargetScore, text: &str) -> Toward {
    let likeliest = classes.get(likeliest(&found.probabilities)).cloned();
    Toward {
        stance: likeliest.filter(|_| found.undecided.is_none()),
        reason: found.undecided.map(Undecided::reason),
        mentioned: !found.mentions.is_empty(),
        mentions: mentions(text, &found.mentions),
    }
}

/// The words at some places of a text.
fn mentions(text: &str, places: &[Range<usize>]) -> Vec<Mention> {
    if places.is_empty() {
        return Vec::new();
    }
    let units = Utf16::of(text);
    let mention =
        |place: &Range<usize>| Some(Mention { text: text.get(place.clone())?.to_owned(), span: units.span(place) });
    places.iter().filter_map(mention).collect()
}

/// The job of a comment in its thread.
fn job_of<'a>(thread: &'a Thread, comment: &'a Comment, root: &'a Comment) -> Job<'a> {
    let parent = comment.parent.map(|p| &thread.comments[p]);
    Job {
        parent_id: parent.map(|p| p.id.as_str()),
        parent: comment.parent_text.as_deref().or(parent.map(|p| p.text.as_str())),
        root: parent.map(|_| root.text.as_str()),
        ..Job::alone(comment, thread.id.as_deref())
    }
}

/// The start of a text, at most `most` bytes: a parent is looked at for its words, and its first ones do.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}
