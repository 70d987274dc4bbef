//! Stacking: first-stage heads, local maxima and base models fold into tables that score as the heads did, and a model that is added
//! to keeps what the new rows do not teach.

use std::path::Path;
use std::sync::Arc;

use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch};
use polemic::read::rows::Options;
use polemic::train::base::Base;
use polemic::train::fit::{Given, train};
use polemic::train::recipe::Recipe;
use serde_json::{Value, json};

use crate::support::{Heard, model, model_folder, polemic, project};

/// Texts that no model here was trained on: short, long, quoting, with words and signs that nobody knows.
const TEXTS: [&str; 7] = [
    "You absolute clown, nobody asked you.",
    "Thanks, that was the clearest account of the budget that I have read.",
    "Frobnicators zzyzx the quuxly?! ... ok",
    "> you are trash\nI would not put it like that.",
    "idiot",
    "LOL SURE, and the moon is made of cheese!!! https://site.example/x @someone",
    "The tram was late again this morning and the driver said nothing at all, so we stood in the rain for half an hour and watched three \
     of them pass on the other side. Somebody ought to answer for that. Whoever planned this junction is a complete moron and a liar, and I \
     say that as one who voted for the thing. Still, the new stops are fine, the benches are dry, and the signs can be read at night.",
];

fn scores(model: &Model, text: &str) -> Vec<(String, f32)> {
    let scores = model.score(&Item { text, ..Item::default() }, &mut Scratch::default()).unwrap();
    model.manifest.labels.iter().map(|l| l.name.clone()).zip(scores.labels).collect()
}

fn rows(folder: &Path, name: &str, rows: impl Iterator<Item = Value>) -> std::path::PathBuf {
    let path = folder.join(name);
    let lines: Vec<String> = rows.map(|row| row.to_string()).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

/// Decisions of a site at which talk of trams is not wanted.
fn decisions(folder: &Path) -> std::path::PathBuf {
    let row = |i: usize| {
        let text = if i.is_multiple_of(2) {
            format!("the tram number {i} again, always the tram")
        } else {
            format!("the bakery at number {i} again")
        };
        json!({"text": text, "author": format!("a{i}"), "labels": {"insult": (i + 1) % 2, "unwanted": (i + 1) % 2}})
    };
    rows(folder, "decisions.jsonl", (0..80).map(row))
}

fn quick(data: &Path) -> Recipe {
    let mut recipe = Recipe::of_files(&[data.to_owned()]);
    recipe.settings.min_rows = 20;
    recipe
}

#[test]
fn the_small_model_of_the_tests_has_first_stage_heads_and_local_maxima() {
    assert!(model().weights.pools > 0);
    assert!(Base::open(model_folder()).unwrap().heads().len() > 10);
}

#[test]
fn a_model_that_is_added_to_keeps_all_that_the_rows_do_not_teach() {
    let place = tempfile::tempdir().unwrap();
    let base = Base::open(model_folder()).unwrap();
    let given = Given { vectors: None, base: Some(base), keep: true };
    let recipe = quick(&decisions(place.path()));
    let new = train(&recipe, &Options::default(), given, &Heard::default(), &Arc::default()).unwrap();
    new.save(&place.path().join("new"), &[]).unwrap();
    let new = Model::open(&place.path().join("new")).unwrap();
    assert_eq!(new.manifest.labels.len(), model().manifest.labels.len() + 1);
    assert_eq!(new.manifest.labels.last().unwrap().name, "unwanted");
    assert_eq!(new.manifest.first_stage, model().manifest.first_stage);
    for text in TEXTS {
        for ((name, old), (new_name, new)) in scores(model(), text).into_iter().zip(scores(&new, text)) {
            assert_eq!(name, new_name);
            // The tables are quantised once more.
            let logit = |p: f32| (p / (1.0 - p)).ln();
            assert!(name == "insult" || (logit(old) - logit(new)).abs() < 0.15, "{name}: {old} {new} for {text}");
        }
        let stance = |m: &Model| {
            let item = Item { text, parent: Some("The tram is never late."), ..Item::default() };
            m.score(&item, &mut Scratch::default()).unwrap().parent.unwrap()
        };
        let (old, new) = (stance(model()), stance(&new));
        assert!(old.iter().zip(&new).all(|(a, b)| (a - b).abs() < 0.03), "{old:?} {new:?} for {text}");
    }
    let score = |text: &str| scores(&new, text).last().unwrap().1;
    let (tram, bakery) = ("the tram number 200 again, always the tram", "the bakery at number 201 again");
    assert!(score(tram) > score(bakery) + 0.3, "{} {}", score(tram), score(bakery));
}

#[test]
fn rows_that_a_base_has_seen_teach_nothing_through_it() {
    let base = Base::open(model_folder()).unwrap();
    assert_eq!(base.strangers(&[]).len(), base.heads().len());
    assert!(base.strangers(&model().manifest.sources).is_empty());
}

/// With few rows of its own a label gains much from what the base knows.
#[test]
fn few_rows_gain_from_a_base() {
    let place = tempfile::tempdir().unwrap();
    let own: Vec<Value> = std::fs::read_to_string(project("training-data/test.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let row = |row: &Value| json!({"text": row["text"], "thread_id": row["thread_id"], "labels": {"rude": row["labels"]["incivility"]}});
    let data = rows(place.path(), "rude.jsonl", own.iter().map(row));
    let auc = |base: Option<Base>| {
        let given = Given { base, ..Given::default() };
        let model = train(&quick(&data), &Options::default(), given, &Heard::default(), &Arc::default()).unwrap();
        model.manifest.labels[0].auc_out_of_fold
    };
    let (without, with) = (auc(None), auc(Some(Base::open(model_folder()).unwrap())));
    assert!(with > without + 0.02, "{without} without a base, {with} with one");
}

#[test]
fn train_adds_decisions_to_the_model_that_is_found() {
    let place = tempfile::tempdir().unwrap();
    let (data, out) = (decisions(place.path()), place.path().join("site"));
    let ran = polemic().args(["train", "--add"]).arg(&data).arg("-o").arg(&out).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success() && said.contains("adds to small@"), "{said}");
    assert!(said.contains("80 comments are decided otherwise"), "{said}");
    let new = Model::open(&out).unwrap();
    assert!(new.label("unwanted").is_some() && new.label("insult").is_some() && new.manifest.parent.is_some());
}
