//! What the comparison of two models says has changed, and on whom.

use polemic::model::Model;
use polemic::read::entry::CommentRow;
use polemic::thread::{Comment, Stated};
use polemic::train::compare::{Comparison, Question, compare};
use polemic::train::data::Labelled;

use crate::support::{bus_row, model_folder};

/// Comments about buses by three authors in two threads, labelled where `i` is even.
fn rows() -> Vec<Labelled> {
    let row = |i: usize| {
        let (text, rude) = bus_row(i);
        let author = Some(["Ann", "Ben", "\u{1b}Cem"][i % 3].to_owned());
        let comment = Comment { text: format!("{text} {i}"), author, ..Comment::default() };
        let stated = Stated { comment, parent_id: None };
        let row = CommentRow { stated, thread_id: Some(format!("t{}", i % 2)), ..CommentRow::default() };
        let labels = if i % 4 < 2 { vec![("insult".to_owned(), f32::from(u8::from(rude)))] } else { Vec::new() };
        Labelled { row, labels, weight: 1.0, ..Labelled::default() }
    };
    (0..120).map(row).collect()
}

/// The same model, with other thresholds.
fn with(thresholds: &[(&str, f32)]) -> Model {
    let mut model = Model::open(model_folder()).unwrap();
    for head in &mut model.manifest.labels {
        head.threshold = thresholds.iter().find(|(name, _)| *name == head.name).map_or(2.0, |(_, t)| *t);
    }
    model
}

fn between(old: &Model, new: &Model, terms: &[&str], examples: usize) -> Comparison {
    let terms: Vec<String> = terms.iter().map(|t| (*t).to_owned()).collect();
    let rows = rows();
    let question = Question { rows: &rows, trained_on: true, terms: &terms, examples, max_text: 1 << 20 };
    compare(old, new, &question)
}

#[test]
fn a_model_decides_as_itself() {
    let (old, new) = (with(&[("insult", 0.3)]), with(&[("insult", 0.3)]));
    let found = between(&old, &new, &["harbour"], 5);
    assert_eq!((found.comments, found.all.changed, found.unscored), (120, 0, 0));
    assert!(found.authors.is_empty() && found.terms.is_empty() && found.examples.is_empty());
    assert!(found.labels.iter().all(|label| label.before == label.after && label.now_yes + label.now_no == 0));
}

#[test]
fn changed_decisions_are_counted_by_label_author_thread_and_term() {
    let found = between(&with(&[]), &with(&[("insult", 0.0)]), &["harbour", "NORTH Gate", "arbour", "gate north"], 0);
    assert_eq!((found.all.changed, found.all.now_yes, found.all.now_no), (120, 120, 0));
    let insult = found.labels.iter().find(|label| label.label == "insult").unwrap();
    assert_eq!((insult.labelled, insult.now_yes), (60, 120));
    // Every second comment is rude: those are right now, the others were right before.
    assert_eq!((insult.now_right, insult.now_wrong), (30, 30));
    assert_eq!((insult.before.f1, insult.after.f1), (Some(0.0), Some(2.0 / 3.0)));
    let names = |list: &[polemic::train::compare::Changed]| list.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found.authors), ["\u{1b}Cem", "Ann", "Ben"]);
    assert!(found.authors.iter().all(|author| (author.comments, author.changed) == (40, 40)));
    assert_eq!(names(&found.threads), ["t0", "t1"]);
    assert_eq!(names(&found.terms), ["NORTH Gate", "harbour"]);
    assert!(found.examples.is_empty());

    let back = between(&with(&[("insult", 0.0)]), &with(&[]), &[], 0);
    assert_eq!((back.all.now_yes, back.all.now_no), (0, 120));
}

#[test]
fn the_tables_show_texts_only_if_asked_and_cannot_steer_the_terminal() {
    let found = between(&with(&[]), &with(&[("insult", 0.0)]), &["harbour"], 0);
    let table = found.table();
    assert!(table.starts_with("small@0.1.0 → small@0.1.0: 120 of 120 comments are decided otherwise"), "{table}");
    assert!(table.contains("trained on these comments") && table.contains("(all comments)"), "{table}");
    assert!(!table.contains("leaves from") && !table.contains('\u{1b}'), "{table}");
    let found = between(&with(&[]), &with(&[("insult", 0.0)]), &[], 2);
    assert_eq!((found.examples.len(), found.table().matches("leaves from").count()), (2, 2));
    assert_eq!(found.to_json()["labels"][0]["label"], "incivility");
}

#[test]
fn labels_that_only_one_model_has_are_named() {
    let old = Model::open(model_folder()).unwrap();
    let mut new = Model::open(model_folder()).unwrap();
    let place = new.label("sarcasm").or(new.label("insult")).unwrap();
    let lost = new.manifest.labels[place].name.clone();
    new.manifest.labels[place].name = "brand_new".into();
    let found = between(&old, &new, &[], 0);
    assert_eq!((found.lost, found.gained), (vec![lost], vec!["brand_new".to_owned()]));
}
