//! The figures: against scikit-learn, against their definitions on random rows, and where they have no value.

use crate::common::{brute_average_precision, brute_best_f1, brute_roc_auc, close, fixture, generator, names};
use polemic::train::metrics::{binary, multiclass};
use proptest::prelude::*;

/// One call of scikit-learn 1.9.1 (ECE: numpy, from the definition) on a fixture.
struct Reference {
    fixture: (usize, u32, u32, u32),
    threshold: f64,
    positives: u64,
    roc_auc: f64,
    average_precision: f64,
    f1: f64,
    precision: f64,
    recall: f64,
    best_f1: f64,
    best_threshold: f64,
    brier: f64,
    ece: f64,
}

const REFERENCES: [Reference; 3] = [
    Reference {
        fixture: (12, 4, 7, 1),
        threshold: 0.5,
        positives: 5,
        roc_auc: 0.985_714_285_714_285_7,
        average_precision: 0.966_666_666_666_666_7,
        f1: 0.833_333_333_333_333_4,
        precision: 0.714_285_714_285_714_3,
        recall: 1.0,
        best_f1: 0.909_090_909_090_909_1,
        best_threshold: 0.75,
        brier: 0.078_125,
        ece: 0.104_166_666_666_666_66,
    },
    Reference {
        fixture: (300, 16, 42, 3),
        threshold: 0.25,
        positives: 43,
        roc_auc: 0.724_640_304_044_882_8,
        average_precision: 0.291_962_055_009_733_1,
        f1: 0.305_343_511_450_381_7,
        precision: 0.182_648_401_826_484,
        recall: 0.930_232_558_139_534_9,
        best_f1: 0.4,
        best_threshold: 0.75,
        brier: 0.263_255_208_333_333_3,
        ece: 0.327_916_666_666_666_63,
    },
    Reference {
        fixture: (1000, 64, 3, 8),
        threshold: 0.4,
        positives: 65,
        roc_auc: 0.679_276_018_099_547_6,
        average_precision: 0.120_020_891_200_598_33,
        f1: 0.161_585_365_853_658_54,
        precision: 0.089_678_510_998_307_95,
        recall: 0.815_384_615_384_615_4,
        best_f1: 0.198_067_632_850_241_54,
        best_threshold: 0.656_25,
        brier: 0.309_765_136_718_75,
        ece: 0.431_031_25,
    },
];

#[test]
fn binary_agrees_with_scikit_learn() {
    for reference in &REFERENCES {
        let (n, levels, seed, lean) = reference.fixture;
        let (scores, truth) = fixture(n, levels, seed, lean);
        let figures = binary(&scores, &truth, reference.threshold);
        assert_eq!((figures.n, figures.positives), (n as u64, reference.positives));
        close(figures.roc_auc.unwrap(), reference.roc_auc);
        close(figures.average_precision.unwrap(), reference.average_precision);
        close(figures.f1, reference.f1);
        close(figures.precision, reference.precision);
        close(figures.recall, reference.recall);
        close(figures.best_f1, reference.best_f1);
        close(figures.best_threshold, reference.best_threshold);
        close(figures.brier, reference.brier);
        close(figures.ece, reference.ece);
    }
}

#[test]
fn multiclass_agrees_with_scikit_learn() {
    let mut next = generator(11);
    let (mut truth, mut predicted) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let (class, guess) = (next() as usize % 3, next() as usize % 6);
        truth.push(class);
        predicted.push(if guess < 3 { guess } else { class });
    }
    let figures = multiclass(&names(3), &truth, &predicted);
    assert_eq!(figures.n, 200);
    close(figures.macro_f1, 0.682_561_944_834_034_7);
    close(figures.accuracy, 0.685);
    assert_eq!(figures.confusion, [[50, 16, 8], [7, 38, 13], [7, 12, 49]]);
    let second = &figures.per_class[1];
    assert_eq!((second.class.as_str(), second.n), ("class 1", 58));
    close(second.precision, 0.575_757_575_757_575_8);
    close(second.recall, 0.655_172_413_793_103_4);
    close(second.f1, 0.612_903_225_806_451_6);
}

#[test]
fn macro_f1_counts_classes_seen_on_either_side_only() {
    // Class 2 is only predicted, class 4 never hit, class 3 absent from both: scikit-learn averages 0.75, 0.5, 0, 0.
    let figures = multiclass(&names(5), &[0, 0, 0, 1, 1, 4, 4, 0], &[0, 1, 0, 1, 2, 0, 2, 0]);
    close(figures.macro_f1, 0.3125);
    close(figures.accuracy, 0.5);
    assert_eq!((figures.per_class[3].n, figures.per_class[3].f1), (0, 0.0));
}

#[test]
fn multiclass_without_usable_rows_is_undefined() {
    for figures in [
        multiclass(&names(2), &[], &[]),
        multiclass(&[], &[], &[]),
        multiclass(&[], &[0], &[0]),
        multiclass(&names(2), &[0, 2], &[2, 0]),
    ] {
        assert_eq!(figures.n, 0);
        assert!(figures.macro_f1.is_nan() && figures.accuracy.is_nan());
    }
}

#[test]
fn one_class_alone_has_no_roc_auc() {
    let negatives = binary(&[0.2, 0.7], &[false, false], 0.5);
    assert_eq!((negatives.roc_auc, negatives.average_precision), (None, None));
    assert_eq!((negatives.f1, negatives.best_f1, negatives.best_threshold), (0.0, 0.0, 0.5));
    close(negatives.brier, 0.265);

    let positives = binary(&[0.2, 0.7], &[true, true], 0.5);
    assert_eq!((positives.roc_auc, positives.average_precision), (None, Some(1.0)));
    assert_eq!((positives.best_f1, positives.best_threshold), (1.0, 0.2));
    close(positives.recall, 0.5);
}

#[test]
fn scores_that_are_all_equal_are_worth_nothing() {
    for score in [0.0, 0.5, 1.0] {
        let figures = binary(&[score; 4], &[true, false, false, false], 0.5);
        assert_eq!((figures.roc_auc, figures.average_precision), (Some(0.5), Some(0.25)));
        close(figures.best_f1, 0.4);
        close(figures.ece, (score - 0.25).abs());
    }
}

#[test]
fn of_thresholds_with_the_same_best_f1_the_highest_is_told() {
    // One of two found without error, or both with two errors: 2/3 either way.
    let figures = binary(&[0.9, 0.5, 0.5, 0.4], &[true, false, false, true], 0.5);
    close(figures.best_f1, 2.0 / 3.0);
    close(figures.best_threshold, 0.9);
}

#[test]
fn no_rows_and_one_row_do_not_panic() {
    let empty = binary(&[], &[], 0.5);
    assert_eq!((empty.n, empty.roc_auc, empty.average_precision, empty.f1), (0, None, None, 0.0));
    assert!(empty.brier.is_nan() && empty.ece.is_nan());

    let one = binary(&[0.8], &[true], 0.5);
    assert_eq!((one.n, one.roc_auc, one.average_precision, one.f1), (1, None, Some(1.0), 1.0));
    close(one.brier, 0.04);
    close(one.ece, 0.2);
}

#[test]
fn nan_is_the_lowest_score_and_never_flagged() {
    // Ranked 0.9 + > 0.1 − > NaN +: of two pairs one is won.
    let figures = binary(&[f64::NAN, 0.1, 0.9], &[true, false, true], 0.05);
    assert_eq!(figures.roc_auc, Some(0.5));
    close(figures.average_precision.unwrap(), 5.0 / 6.0);
    close(figures.recall, 0.5);
    close(figures.best_threshold, 0.9);
    close(figures.brier, (1.0 + 0.01 + 0.01) / 3.0);

    let nothing = binary(&[f64::NAN; 2], &[true, false], 0.5);
    assert_eq!((nothing.roc_auc, nothing.best_f1, nothing.best_threshold), (Some(0.5), 0.0, 0.5));
    close(binary(&[0.5], &[true], f64::NAN).f1, 0.0);
}

#[test]
fn zero_and_minus_zero_tie() {
    assert_eq!(binary(&[0.0, -0.0], &[true, false], 0.5).roc_auc, Some(0.5));
}

#[test]
fn a_score_on_the_edge_of_a_calibration_bin_belongs_to_the_lower_one() {
    // 0.2 = 3/15 closes bin 3, so 0.19 shares it (gaps cancel: |0.39 − 1| / 2) and 0.21 does not (0.2 / 2 + 0.79 / 2).
    close(binary(&[0.19, 0.2], &[true, false], 0.5).ece, 0.305);
    close(binary(&[0.21, 0.2], &[true, false], 0.5).ece, 0.495);
}

/// Rows with many ties (scores are multiples of 1/8) or next to none.
fn rows() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    let score = prop_oneof![(0..=8_u8).prop_map(|eighth| f64::from(eighth) / 8.0), 0.0..=1.0];
    prop::collection::vec((score, any::<bool>()), 0..60).prop_map(|rows| rows.into_iter().unzip())
}

proptest! {
    #[test]
    fn figures_match_their_definitions((scores, truth) in rows()) {
        let figures = binary(&scores, &truth, 0.5);
        prop_assert!(same(figures.roc_auc, brute_roc_auc(&scores, &truth)));
        prop_assert!(same(figures.average_precision, brute_average_precision(&scores, &truth)));
        prop_assert!(same(Some(figures.best_f1), Some(brute_best_f1(&scores, &truth))));
        prop_assert!(same(Some(binary(&scores, &truth, figures.best_threshold).f1), Some(figures.best_f1)));
    }

    #[test]
    fn ranks_alone_decide_roc_auc((scores, truth) in rows()) {
        let auc = binary(&scores, &truth, 0.5).roc_auc;
        // Of eighths and their cubes every value is exact, so that ties stay ties and others stay apart.
        let eighths: Vec<f64> = scores.iter().map(|score| (score * 8.0).round() / 8.0).collect();
        let cubed: Vec<f64> = eighths.iter().map(|score| score.powi(3)).collect();
        prop_assert_eq!(binary(&cubed, &truth, 0.5).roc_auc, binary(&eighths, &truth, 0.5).roc_auc);
        let doubled: Vec<f64> = scores.iter().map(|score| score * 2.0).collect();
        prop_assert_eq!(binary(&doubled, &truth, 0.5).roc_auc, auc);
        let negated: Vec<f64> = scores.iter().map(|score| -score).collect();
        prop_assert!(same(binary(&negated, &truth, 0.5).roc_auc, auc.map(|auc| 1.0 - auc)));
    }

    #[test]
    fn the_order_of_rows_does_not_matter((scores, truth) in rows()) {
        let (mut backwards, mut truth_backwards) = (scores.clone(), truth.clone());
        backwards.reverse();
        truth_backwards.reverse();
        prop_assert_eq!(
            format!("{:?}", binary(&scores, &truth, 0.3)),
            format!("{:?}", binary(&backwards, &truth_backwards, 0.3))
        );
    }
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-12,
        (a, b) => a.is_none() && b.is_none(),
    }
}
