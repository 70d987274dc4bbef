//! The report: what the terminal shows and what a program reads.

use crate::common::{fixture, generator};
use polemic::report::evaluation::{Evaluation, Group, LabelFigures, StanceFigures};
use polemic::train::bootstrap::{binary_intervals, multiclass_intervals};
use polemic::train::metrics::{binary, multiclass};

fn label(name: &str, scores: &[f64], truth: &[bool]) -> LabelFigures {
    let figures = binary(scores, truth, 0.5);
    LabelFigures {
        label: name.to_owned(),
        against: None,
        scored: figures.n,
        unscored: 0,
        figures,
        intervals: binary_intervals(scores, truth, 0.5, 200, 1),
        decided: None,
        ece_own_intercept: Some(0.042),
        reliability: None,
    }
}

fn stance(name: &str, truth: &[usize], predicted: &[usize]) -> StanceFigures {
    let classes = ["favour", "against", "none"].map(str::to_owned);
    StanceFigures {
        name: name.to_owned(),
        unscored: 0,
        figures: multiclass(&classes, truth, predicted),
        intervals: multiclass_intervals(3, truth, predicted, 200, 1),
        decided: None,
    }
}

fn evaluation(labels: Vec<LabelFigures>, stances: Vec<StanceFigures>) -> Evaluation {
    Evaluation {
        model: "stock".to_owned(),
        data: vec!["a.csv".to_owned(), "b.jsonl".to_owned()],
        groups: vec![Group { name: None, labels, stances }],
    }
}

fn line<'a>(table: &'a str, start: &str) -> &'a str {
    table.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_else(|| panic!("no {start} in\n{table}"))
}

#[test]
fn the_label_table_shows_every_figure_once() {
    let (scores, truth) = fixture(300, 16, 42, 3);
    let mut toxic = label("toxic", &scores, &truth);
    toxic.against = Some("toxicity".to_owned());
    toxic.unscored = 4;
    toxic.intervals.roc_auc = Some((0.642, 0.802));
    let table = evaluation(vec![toxic], vec![]).table();
    assert!(table.starts_with("Model: stock\nData:  a.csv, b.jsonl\n\n"));
    let row: Vec<&str> =
        line(&table, "toxic / toxicity").split("  ").map(str::trim).filter(|c| !c.is_empty()).collect();
    assert_eq!(row[..5], ["toxic / toxicity", "300", "43", "0.725 [0.642, 0.802]", "0.292"]);
    assert_eq!(row[6..], ["0.400 (0.750)", "0.263", "0.328 (0.042)"]);
    assert!(row[5].ends_with(" (0.500)"));
    assert!(table.ends_with("\nnote: toxic / toxicity: 4 rows without a score left out\n"), "{table}");
}

#[test]
fn what_is_undefined_is_a_dash_and_null() {
    let report = evaluation(vec![label("threat", &[0.25; 40], &[false; 40]), label("empty", &[], &[])], vec![]);
    let table = report.table();
    assert_eq!(
        line(&table, "threat").split_whitespace().collect::<Vec<_>>(),
        ["threat", "40", "0", "-", "-", "-", "-", "0.062", "0.250", "(0.042)"]
    );
    assert_eq!(line(&table, "empty").split_whitespace().filter(|cell| *cell == "-").count(), 6);
    assert!(!table.contains("NaN"));

    let json = report.to_json();
    let labels = &json["groups"][0]["labels"];
    assert!(labels[0]["figures"]["roc_auc"].is_null() && labels[0]["intervals"]["roc_auc"].is_null());
    assert!(labels[1]["figures"]["brier"].is_null());
    assert_eq!(labels[0]["intervals"]["brier"], serde_json::json!([0.0625, 0.0625]));
    assert!(json["groups"][0]["name"].is_null());
}

#[test]
fn few_rows_of_a_class_are_noted_and_thirty_are_not() {
    let rows = |positives: usize, negatives: usize| {
        let truth: Vec<bool> = (0..positives + negatives).map(|row| row < positives).collect();
        (vec![0.5; truth.len()], truth)
    };
    let notes = |positives, negatives| {
        let (scores, truth) = rows(positives, negatives);
        let table = evaluation(vec![label("insult", &scores, &truth)], vec![]).table();
        table.lines().filter(|line| line.starts_with("note: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(notes(30, 30), [""; 0]);
    assert_eq!(notes(29, 30), ["note: insult: too few positives for firm figures (29)"]);
    assert_eq!(notes(30, 0), ["note: insult: too few negatives for firm figures (0)"]);
}

#[test]
fn stances_show_their_classes_and_confusions() {
    let mut next = generator(11);
    let (mut truth, mut predicted) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let (class, guess) = (next() as usize % 3, next() as usize % 6);
        truth.push(class);
        predicted.push(if guess < 3 { guess } else { class });
    }
    let mut parent = stance("parent", &truth, &predicted);
    parent.intervals.macro_f1 = Some((0.6, 0.75));
    parent.intervals.accuracy = None;
    let rare = stance("nuclear power", &[0, 0, 1], &[0, 1, 0]);
    let table = evaluation(vec![], vec![parent, rare]).table();
    assert!(table.contains("\nStance on parent: macro-F1 0.683 [0.600, 0.750], accuracy 0.685, n 200\n"), "{table}");
    let cells = |start: &str| line(&table, start).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cells("against"), ["against", "58", "0.576", "0.655", "0.613", "7", "38", "13"]);
    assert!(table.contains("note: stance on nuclear power: too few rows of favour for firm figures (2)\n"));
    assert!(!table.contains("note: stance on parent"));

    let last = table.rsplit("Stance on nuclear power").next().unwrap();
    assert_eq!(line(last, "none").split_whitespace().collect::<Vec<_>>(), ["none", "0", "-", "-", "-", "0", "0", "0"]);
}

#[test]
fn names_from_the_data_cannot_steer_the_terminal() {
    let mut report = evaluation(vec![label("toxic", &[0.5; 60], &[true; 60])], vec![]);
    report.groups[0].name = Some("\u{1b}[2Jred\u{202e}\nnews".to_owned());
    report.groups[0].labels[0].label = "x".repeat(1000);
    let table = report.table();
    assert!(table.contains("== \u{fffd}[2Jred\u{fffd}\u{fffd}news ==\n"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() < 200 && !line.contains('\u{1b}')));
    assert_eq!(report.to_json()["groups"][0]["name"], "\u{1b}[2Jred\u{202e}\nnews");
}

#[test]
fn an_evaluation_of_nothing_is_a_heading() {
    let report = Evaluation { model: "m".to_owned(), data: vec![], groups: vec![] };
    assert_eq!(report.table(), "Model: m\nData:  \n");
}
