//! Words run together, from vectors and training rows to a score.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use polemic::features::vectors::Vectors;
use polemic::model::scoring::{Item, Scratch};
use polemic::read::rows::Options;
use polemic::train::fit::{Given, train};
use polemic::train::recipe::Recipe;
use serde_json::json;

use crate::support::{Heard, lines, write};

#[test]
fn a_hashtag_says_what_its_words_say_though_no_row_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let words = "stuff 0 0.1\ngreat 1 0.1\nawful -1 0.1\nsplendid 1 0.1\nhorrid -1 0.1\nthing 0.1 0.2\n";
    let file = write(folder.path(), "vectors.txt", words);
    let vectors = Vectors::read_text(&file, 100, |_| true).unwrap();
    let rows: Vec<_> = (0..80)
        .map(|i| {
            let (word, good) = if i % 2 == 0 { ("great", 1) } else { ("awful", 0) };
            json!({"text": format!("{word} stuff , case {i}"), "labels": {"praise": good}})
        })
        .collect();
    let mut recipe = Recipe::of_files(&[write(folder.path(), "rows.jsonl", lines(&rows))]);
    recipe.settings.min_rows = 20;
    recipe.settings.subwords = 0;
    let given = Given { vectors: Some(vectors), ..Given::default() };
    let stop = Arc::new(AtomicBool::new(false));
    let model = train(&recipe, &Options::default(), given, &Heard::default(), &stop).unwrap();
    let p = |text: &str| model.score(&Item { text, ..Item::default() }, &mut Scratch::default()).unwrap().labels[0];
    assert!(p("#splendidthing") > p("#horridthing") + 0.1, "{} {}", p("#splendidthing"), p("#horridthing"));
}
