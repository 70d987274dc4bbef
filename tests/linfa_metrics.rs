//! Why the figures are not linfa's: where linfa 0.8 is right the two agree, and where it is not is pinned here, so that
//! an upgrade that mends it is noticed.

use crate::common::{fixture, generator, names};
use linfa::dataset::Pr;
use linfa::metrics::{BinaryClassification, ToConfusionMatrix};
use ndarray::{Array1, array};
use polemic::train::metrics::{binary, multiclass};

/// linfa counts in `f32`.
fn assert_near(linfa: f32, ours: f64) {
    assert!((f64::from(linfa) - ours).abs() < 1e-5, "linfa {linfa}, ours {ours}");
}

fn linfa_auc(scores: &[f64], truth: &[bool]) -> f32 {
    let scores: Vec<Pr> = scores.iter().map(|&score| Pr::new(score as f32)).collect();
    scores.as_slice().roc(truth).unwrap().area_under_curve()
}

fn stances() -> (Vec<usize>, Vec<usize>) {
    let mut next = generator(21);
    (0..150)
        .map(|_| {
            let (class, guess) = (next() as usize % 3, next() as usize % 5);
            (class, if guess < 3 { guess } else { class })
        })
        .unzip()
}

#[test]
fn roc_auc_agrees_on_ties_above_zero() {
    for (levels, seed) in [(4, 3), (16, 4), (1000, 5)] {
        let (scores, truth) = fixture(200, levels, seed, 2);
        let scores: Vec<f64> = scores.iter().map(|score| 0.25 + score / 2.0).collect();
        assert_near(linfa_auc(&scores, &truth), binary(&scores, &truth, 0.5).roc_auc.unwrap());
    }
}

#[test]
fn linfa_loses_the_area_of_scores_of_zero() {
    let (scores, truth) = ([0.0, 0.0, 0.5, 0.5], [true, false, true, false]);
    assert_eq!(binary(&scores, &truth, 0.5).roc_auc, Some(0.5));
    assert_near(linfa_auc(&scores, &truth), 0.375);
}

#[test]
fn linfa_ties_scores_that_are_very_small() {
    let (scores, truth) = ([1e-12, 2e-12], [false, true]);
    assert_eq!(binary(&scores, &truth, 0.5).roc_auc, Some(1.0));
    assert_near(linfa_auc(&scores, &truth), 0.0);
}

#[test]
fn linfa_answers_nan_for_one_class_alone() {
    assert!(linfa_auc(&[0.2, 0.7], &[true, true]).is_nan());
}

#[test]
fn classes_agree_when_linfa_is_called_on_the_truth() {
    let (truth, predicted) = stances();
    let ours = multiclass(&names(3), &truth, &predicted);
    let linfa = Array1::from(truth).confusion_matrix(Array1::from(predicted)).unwrap();
    assert_near(linfa.accuracy(), ours.accuracy);
    for (theirs, class) in linfa.split_one_vs_all().iter().zip(&ours.per_class) {
        assert_near(theirs.precision(), class.precision);
        assert_near(theirs.recall(), class.recall);
        assert_near(theirs.f1_score(), class.f1);
    }
}

#[test]
fn linfa_swaps_precision_and_recall_when_called_on_the_prediction() {
    let (truth, predicted) = stances();
    let ours = multiclass(&names(3), &truth, &predicted);
    let linfa = Array1::from(predicted).confusion_matrix(Array1::from(truth)).unwrap();
    for (theirs, class) in linfa.split_one_vs_all().iter().zip(&ours.per_class) {
        assert_near(theirs.precision(), class.recall);
        assert_near(theirs.recall(), class.precision);
    }
}

#[test]
fn linfa_takes_the_f1_of_averages_for_the_average_f1() {
    let (truth, predicted) = ([0, 0, 0, 0, 1, 2], [0, 0, 1, 2, 1, 2]);
    let linfa = array![0, 0, 0, 0, 1, 2].confusion_matrix(array![0, 0, 1, 2, 1, 2]).unwrap();
    assert!((f64::from(linfa.f1_score()) - multiclass(&names(3), &truth, &predicted).macro_f1).abs() > 0.05);
}

#[test]
fn linfa_answers_nan_for_a_class_that_is_never_predicted() {
    let linfa = array![0, 1, 2, 2].confusion_matrix(array![0, 1, 1, 1]).unwrap();
    assert!(linfa.f1_score().is_nan());
    let ours = multiclass(&names(3), &[0, 1, 2, 2], &[0, 1, 1, 1]);
    assert!((ours.macro_f1 - 0.5).abs() < 1e-12);
}
