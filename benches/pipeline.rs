//! Reading, tokenizing, featurizing, scoring, explaining and training (`cargo bench`), on comments mixed from `training-data/`.
#![allow(clippy::expect_used)] // A benchmark without its inputs has nothing to go on with.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use polemic::features::vocabulary::{self, Numbered, Vocabulary};
use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch};
use polemic::read;
use polemic::read::entry::{CommentRow, Entry};
use polemic::read::rows::{BadRow, Options};
use polemic::score::batch::{Job, Scorer};
use polemic::text::clean::Clean;
use polemic::text::words::Words;
use polemic::train::fit::{Given, Watch, train};
use polemic::train::recipe::Recipe;
use rayon::prelude::*;

/// Comments of one batch.
const COMMENTS: usize = 512;
/// Longest text scored, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// Distinct comments of natural length, the same in every run.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let own: Vec<String> = ["train.jsonl", "test.jsonl"]
        .into_iter()
        .flat_map(|name| comments(&file(name)))
        .map(|row| row.stated.comment.text)
        .collect();
    (0..COMMENTS).map(|i| mixed(&own[i % own.len()], &own[(i * 31 + 7) % own.len()])).collect()
});

/// A small model of the labels, stances and targets of `train.jsonl`, without word vectors.
static MODEL: LazyLock<Model> = LazyLock::new(trained);

fn main() {
    divan::main();
}

#[divan::bench]
fn reading_jsonl(bencher: Bencher) {
    let path = file("train.jsonl");
    let bytes = std::fs::metadata(&path).expect("training-data/train.jsonl is there").len();
    let rows = comments(&path).len();
    bencher.counter(BytesCount::new(bytes)).counter(ItemsCount::new(rows)).bench(|| comments(black_box(&path)));
}

#[divan::bench]
fn tokenizing(bencher: Bencher) {
    let mut words = Words::default();
    per_comment(bencher)
        .bench_local(|| TEXTS.iter().map(|text| read_words(&mut words, black_box(text))).sum::<usize>());
}

#[divan::bench]
fn featurizing(bencher: Bencher) {
    per_comment(bencher).bench(|| {
        let (tokens, names) = vocabulary::read(TEXTS.par_iter().map(|text| (text.as_str(), Vec::new())));
        let vocabulary = Vocabulary::learn(&tokens, &names, None);
        tokens.iter().map(|t| vocabulary.number(t)).collect::<Vec<Numbered>>()
    });
}

#[divan::bench]
fn scoring_batch(bencher: Bencher) {
    let jobs: Vec<Job<'_>> = TEXTS.iter().map(|text| Job { text, ..Job::default() }).collect();
    score(bencher, &jobs);
}

#[divan::bench]
fn scoring_batch_with_parents(bencher: Bencher) {
    let parents = TEXTS.iter().cycle().skip(1);
    let reply = |(text, parent): (&'static String, &'static String)| Job {
        text,
        depth: 1,
        parent: Some(parent.as_str()),
        ..Job::default()
    };
    let jobs: Vec<Job<'_>> = TEXTS.iter().zip(parents).map(reply).collect();
    score(bencher, &jobs);
}

#[divan::bench]
fn scoring_one(bencher: Bencher) {
    let (model, mut scratch) = (&*MODEL, Scratch::default());
    let item = Item { text: &TEXTS[0], ..Item::default() };
    bencher.counter(ItemsCount::new(1u8)).bench_local(|| model.score(black_box(&item), &mut scratch));
}

#[divan::bench]
fn explaining_one(bencher: Bencher) {
    let (model, mut scratch) = (&*MODEL, Scratch::default());
    let item = Item { text: &TEXTS[0], ..Item::default() };
    bencher.counter(ItemsCount::new(1u8)).bench_local(|| model.explain(black_box(&item), &mut scratch));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn training(bencher: Bencher) {
    bencher.counter(ItemsCount::new(comments(&file("train.jsonl")).len())).bench(trained);
}

/// A bench over all of [`TEXTS`], counted in bytes and in comments.
fn per_comment<'a, 'b>(bencher: Bencher<'a, 'b>) -> Bencher<'a, 'b> {
    let bytes: usize = TEXTS.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).counter(ItemsCount::new(TEXTS.len()))
}

fn read_words(words: &mut Words, text: &str) -> usize {
    words.read(&Clean::new(text), &[]);
    words.len()
}

fn score(bencher: Bencher, jobs: &[Job<'_>]) {
    let scorer = Scorer::new(&MODEL, MAX_TEXT);
    per_comment(bencher).bench(|| scorer.score(black_box(jobs)));
}

fn trained() -> Model {
    let recipe = Recipe::of_files(&[file("train.jsonl")]);
    train(&recipe, &Options::default(), Given::default(), &Silent, &Arc::new(AtomicBool::new(false)))
        .expect("the model is trained")
}

/// The rows of a JSONL file as comments.
fn comments(path: &Path) -> Vec<CommentRow> {
    let mut reader = read::open(Some(path), &Options::default()).expect("the training data are there").reader;
    std::iter::from_fn(|| reader.next_entry())
        .map(|entry| match entry.expect("a row that can be read") {
            Entry::Comment(row) => *row,
            other => panic!("no comment: {other:?}"),
        })
        .collect()
}

/// The first half of one comment and the second half of another.
fn mixed(a: &str, b: &str) -> String {
    let half = |text: &str| text.split_whitespace().count().div_ceil(2);
    let words: Vec<&str> = a.split_whitespace().take(half(a)).chain(b.split_whitespace().skip(half(b))).collect();
    words.join(" ")
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("training-data").join(name)
}

/// Training without a word.
struct Silent;

impl Watch for Silent {
    fn step(&self, _done: usize, _of: usize, _what: &str) {}
    fn note(&self, _what: &str) {}
    fn bad_row(&self, _file: &Path, _row: BadRow) {}
}
