//! A floor under the quality of training: a model trained on our own comments, in the seconds that a test may take, tells our held-out
//! comments apart. What better models reach stands in docs/accuracy.md.

use polemic::model::scoring::{Item, Scratch};
use polemic::train::metrics;
use serde_json::Value;

use crate::support::{model, project};

fn held_out() -> Vec<Value> {
    let text = std::fs::read_to_string(project("training-data/test.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_model_trained_on_our_own_comments_beats_its_floors_on_held_out_threads() {
    let mut scratch = Scratch::default();
    let rows: Vec<(Value, Vec<f32>)> = held_out()
        .into_iter()
        .filter_map(|row| {
            let item = Item { text: row["text"].as_str()?, parent: row["parent_text"].as_str(), ..Item::default() };
            let scores = model().score(&item, &mut scratch).ok()?.labels;
            Some((row, scores))
        })
        .collect();
    assert!(rows.len() > 500);
    let floors = [("incivility", 0.74), ("insult", 0.78), ("attack_on_commenter", 0.74), ("constructive", 0.78)];
    for (label, floor) in floors {
        let k = model().label(label).unwrap();
        let truth: Vec<bool> = rows.iter().map(|(row, _)| row["labels"][label] == 1).collect();
        let z: Vec<f64> = rows.iter().map(|(_, scores)| f64::from(scores[k])).collect();
        let auc = metrics::binary(&z, &truth, 0.5).roc_auc.unwrap();
        assert!(auc >= floor, "AUC of {label} is {auc:.3}, below {floor}");
    }
}
