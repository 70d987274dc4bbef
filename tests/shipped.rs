//! The model in models/: it opens, has the labels it is said to have, and decides plain cases as its codebook does.

use polemic::label;
use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch};

use crate::support::shipped;

/// The labels that speak against a comment and that it reaches the threshold of, experimental ones apart.
fn labels(model: &Model, text: &str, parent: Option<&str>) -> Vec<String> {
    let item = Item { text, parent, ..Item::default() };
    let scores = model.score(&item, &mut Scratch::default()).unwrap();
    let heads = model.manifest.labels.iter().zip(scores.labels);
    let speaks_against = |name: &str| name != "constructive";
    heads
        .filter(|(head, p)| !head.experimental && speaks_against(&head.name) && *p >= head.threshold)
        .map(|(head, _)| head.name.clone())
        .collect()
}

#[test]
fn its_labels_are_the_products_and_every_source_has_a_licence() {
    let model = shipped();
    let names: Vec<&str> = model.manifest.labels.iter().map(|l| l.name.as_str()).collect();
    assert!(names.iter().all(|name| label::find(name).is_some()), "{names:?}");
    for wanted in [
        "incivility",
        "toxicity",
        "insult",
        "profanity",
        "identity_attack",
        "sexism",
        "ad_hominem",
        "whataboutism",
        "constructive",
        "condescending",
    ] {
        assert!(names.contains(&wanted), "{wanted}");
    }
    assert_eq!(model.manifest.parent.as_ref().unwrap().step.classes, label::PARENT_STANCES);
    assert!(model.manifest.sources.iter().all(|s| s.licence.is_some() && s.rows > 0));
}

#[test]
fn plain_insults_are_found_alone_and_padded() {
    let model = shipped();
    let insult = "Only a brain-dead idiot like you could believe this garbage.";
    assert!(labels(model, insult, None).contains(&"insult".to_owned()));
    let padding = "The council met on Tuesday to discuss the plan for the new road. The report lists the cost of each part of the work \
                   and the dates on which it should be done. Several members asked for more time to read the annex. ";
    let padded = format!("{}{insult} {}", padding.repeat(2), padding.repeat(2));
    assert!(!labels(model, &padded, None).is_empty(), "{:?}", labels(model, &padded, None));
}

#[test]
fn civil_comments_stay_unmarked() {
    let model = shipped();
    for text in [
        "Thank you, that was helpful. Do you have the link to the study?",
        "The mayor's idea is badly thought out and will cost us millions.",
        "The rebels killed 40 soldiers and bombed the bridge near the town.",
        "My jewish neighbours brought us soup when we were ill.",
        "I voted the other way, but the numbers on page 12 are right.",
    ] {
        assert!(labels(model, text, None).is_empty(), "{text}: {:?}", labels(model, text, None));
    }
}

#[test]
fn nobody_is_marked_for_what_he_quotes() {
    let model = shipped();
    let parent = "You are a pathetic moron and a liar.";
    let text = format!("> {parent}\n\nNo need for that tone. The figures are on page 12 of the report.");
    assert!(labels(model, &text, Some(parent)).is_empty());
}

#[test]
fn it_knows_the_targets_of_war_news_and_has_heads_that_others_can_learn_from() {
    let model = shipped();
    let targets = model.manifest.targets.as_ref().unwrap();
    let names: Vec<&str> = targets.own.iter().map(|own| own.name.as_str()).collect();
    assert!(["Russia", "SDF", "Israel", "Turkey"].iter().all(|target| names.contains(target)), "{names:?}");
    assert!(model.manifest.first_stage.len() > 30);
}
