//! Stance toward targets: what a user sees of polarity, unseen targets and abstention.

use std::io::Write;

use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch};
use polemic::model::target::{TargetScore, Undecided};
use polemic::train::recipe::Recipe;

use crate::support::trained;

const THINGS: [&str; 12] = [
    "zoos",
    "trams",
    "whaling",
    "lotteries",
    "fireworks",
    "scooters",
    "dams",
    "arcades",
    "casinos",
    "pylons",
    "canals",
    "drones",
];
const GOOD: [&str; 4] = ["bring joy", "help families", "are useful", "make us proud"];
const BAD: [&str; 4] = ["do harm", "hurt families", "are cruel", "make us sick"];

/// Rows about things that should be kept or banned: who praises them is for keeping and against banning.
fn model(things: &[&str]) -> Model {
    let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    for (i, thing) in things.iter().enumerate() {
        for j in 0..16 {
            let (good, ban) = (j % 2 == 0, (i + j / 2) % 2 == 0);
            let says = if good { GOOD[j / 4] } else { BAD[j / 4] };
            let target = if ban { format!("We should ban {thing}") } else { format!("We should fund {thing}") };
            let stance = if good == ban { "against" } else { "favor" };
            writeln!(file, r#"{{"text":"case {i} {j}: {thing} {says}","target":"{target}","stance":"{stance}"}}"#)
                .unwrap();
        }
    }
    let mut recipe = Recipe::of_files(&[file.path().to_owned()]);
    recipe.settings.subwords = 0;
    recipe.settings.min_rows = 15;
    trained(&recipe).unwrap()
}

fn toward(model: &Model, text: &str, target: &str) -> TargetScore {
    let targets = [target.to_owned()];
    let item = Item { text, targets: &targets, ..Item::default() };
    model.score(&item, &mut Scratch::default()).unwrap().targets.remove(0)
}

#[test]
fn praise_is_against_a_ban_and_for_a_subsidy_of_what_was_never_seen() {
    let model = model(&THINGS);
    let classes = &model.manifest.targets.as_ref().unwrap().classes;
    let favor = classes.iter().position(|c| c == "favor").unwrap();
    let p = |text: &str, target: &str| toward(&model, text, target).probabilities[favor];
    assert!(p("skateparks bring joy", "We should fund skateparks") > 0.6);
    assert!(p("skateparks bring joy", "We should ban skateparks") < 0.4);
    assert!(p("skateparks hurt families", "We should ban skateparks") > 0.6);
    let decided = toward(&model, "skateparks are cruel", "We should ban skateparks");
    assert!(decided.undecided.is_none(), "{decided:?}");
}

#[test]
fn of_an_unseen_target_a_model_of_few_targets_says_nothing() {
    let model = model(&THINGS[..3]);
    let found = toward(&model, "skateparks bring joy", "We should fund skateparks");
    assert!(found.probabilities.is_empty());
    assert_eq!(found.undecided, Some(Undecided::NoExamples));
}
