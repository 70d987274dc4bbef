//! What must be equal: our regression and linfa-logistic's, factored and plain rows, folded and unfolded words, shares and logits.

use std::ops::Range;

use linfa::prelude::*;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use polemic::error::{ErrorKind, Result};
use polemic::features::design::Design;
use polemic::features::rows::Rows;
use polemic::features::vocabulary::{self, Vocabulary};
use polemic::model::explain::{Explanation, Kind};
use polemic::model::fold::Table;
use polemic::model::logistic::{FittedSparseLogistic, SparseLogistic, sigmoid};
use polemic::model::scoring::{Item, Scratch};
use polemic::text::tokenizer::Subwords;
use polemic::text::words::hash;
use polemic::train::recipe::Recipe;
use proptest::prelude::*;
use rayon::prelude::*;

use crate::common::generator;
use crate::support::{bus_row, model, trained, write};

/// Numbers in -1..1 that f32 holds exactly.
fn noise(seed: u32) -> impl FnMut() -> f64 {
    let mut next = generator(seed);
    move || f64::from(next() % 2048) / 1024.0 - 1.0
}

/// Rows of noise, and whether a line with some noise leaves them above.
fn drawn(n: usize, width: usize, seed: u32) -> (Array2<f64>, Vec<bool>) {
    let mut next = noise(seed);
    let rows = Array2::from_shape_fn((n, width), |_| next());
    let line: Vec<f64> = (0..width).map(|_| next() * 2.0).collect();
    let truth =
        rows.outer_iter().map(|row| row.iter().zip(&line).map(|(a, b)| a * b).sum::<f64>() + next() > 0.4).collect();
    (rows, truth)
}

fn fit(
    rows: &Array2<f64>,
    targets: &[f64],
    weights: Option<Vec<f32>>,
    params: &SparseLogistic,
) -> Result<FittedSparseLogistic> {
    let data = DatasetBase::new(Design::dense(rows), Array1::from(targets.to_vec()));
    match weights {
        Some(weights) => params.fit(&data.with_weights(Array1::from(weights))),
        None => params.fit(&data),
    }
}

fn exact(alpha: f64) -> SparseLogistic {
    SparseLogistic::default().alpha(alpha).max_iterations(5000).tolerance(2e-9)
}

fn numbers(truth: &[bool]) -> Vec<f64> {
    truth.iter().map(|&t| f64::from(u8::from(t))).collect()
}

fn largest_difference(a: &FittedSparseLogistic, b: &FittedSparseLogistic) -> f64 {
    let weights = a.weights.iter().zip(&b.weights).map(|(a, b)| (a - b).abs());
    weights.fold((a.intercept - b.intercept).abs(), f64::max)
}

#[test]
fn on_dense_data_our_weights_are_those_of_linfa_logistic() {
    for (n, width, seed, alpha) in [(200, 5, 1, 1.0), (300, 12, 2, 0.1), (400, 20, 3, 10.0), (150, 3, 4, 100.0)] {
        let (rows, truth) = drawn(n, width, seed);
        let ours = fit(&rows, &numbers(&truth), None, &exact(alpha)).unwrap();
        let data = Dataset::new(rows, Array1::from(truth));
        let params = LogisticRegression::default().alpha(alpha).max_iterations(5000).gradient_tolerance(1e-9);
        let theirs = params.fit(&data).unwrap();
        // Which class linfa-logistic calls positive is its own affair.
        let sign = if theirs.labels().pos.class { 1.0 } else { -1.0 };
        let theirs = FittedSparseLogistic {
            weights: theirs.params().iter().map(|w| sign * w).collect(),
            intercept: sign * theirs.intercept(),
        };
        let apart = largest_difference(&ours, &theirs);
        assert!(apart < 1e-6, "alpha {alpha}: {apart:e}\n{ours:?}\n{theirs:?}");
        assert!(ours.weights.iter().any(|w| w.abs() > 0.01), "nothing was learnt");
    }
}

#[test]
fn a_soft_label_is_two_rows_that_share_its_weight() {
    let (rows, truth) = drawn(200, 6, 5);
    let soft: Vec<f64> = truth.iter().enumerate().map(|(i, &t)| if t { 0.75 } else { [0.0, 0.25][i % 2] }).collect();
    let once = fit(&rows, &soft, None, &exact(2.0)).unwrap();
    let twice = ndarray::concatenate![ndarray::Axis(0), rows, rows];
    let hard: Vec<f64> = std::iter::repeat_n(1.0, 200).chain(std::iter::repeat_n(0.0, 200)).collect();
    let weights = soft.iter().copied().chain(soft.iter().map(|t| 1.0 - t)).map(|w| w as f32).collect();
    let split = fit(&twice, &hard, Some(weights), &exact(2.0)).unwrap();
    assert!(largest_difference(&once, &split) < 1e-6);
    let rounded = fit(&rows, &numbers(&truth), None, &exact(2.0)).unwrap();
    assert!(largest_difference(&once, &rounded) > 0.1, "soft is not hard");
}

#[test]
fn a_row_of_weight_two_is_the_row_twice_and_one_of_weight_none_is_not_there() {
    let (rows, truth) = drawn(90, 4, 6);
    let targets = numbers(&truth);
    let weights = (0..90).map(|i| [1.0, 2.0, 0.0][i % 3]).collect();
    let weighted = fit(&rows, &targets, Some(weights), &exact(1.0)).unwrap();
    let places: Vec<usize> = (0..90).flat_map(|i| std::iter::repeat_n(i, [1, 2, 0][i % 3])).collect();
    let repeated: Vec<f64> = places.iter().map(|&i| targets[i]).collect();
    let plain = fit(&rows.select(ndarray::Axis(0), &places), &repeated, None, &exact(1.0)).unwrap();
    assert!(largest_difference(&weighted, &plain) < 1e-6);
}

#[test]
fn a_stronger_block_is_held_down_and_the_others_are_not() {
    let (rows, truth) = drawn(300, 6, 7);
    let free = fit(&rows, &numbers(&truth), None, &exact(1.0)).unwrap();
    let held = fit(&rows, &numbers(&truth), None, &exact(1.0).tolerance(1e-7).block(0..3, 1e4)).unwrap();
    assert!(held.weights[..3].iter().all(|w| w.abs() < 0.02) && held.weights[3..].iter().any(|w| w.abs() > 0.1));
    let same = fit(&rows, &numbers(&truth), None, &exact(1e3).block(0..6, 1e-3)).unwrap();
    assert!(largest_difference(&free, &same) < 1e-6);
}

#[test]
fn scaled_columns_are_fitted_like_columns_that_came_that_way() {
    let (rows, truth) = drawn(300, 4, 12);
    let scales = [0.3, 1.0, 2.5, 4.0];
    let mut multiplied = rows.clone();
    multiplied.columns_mut().into_iter().zip(scales).for_each(|(mut column, s)| column *= s);
    let params = exact(2.0).scaling(scales.to_vec());
    let found = fit(&rows, &numbers(&truth), None, &params).unwrap();
    let mut plain = fit(&multiplied, &numbers(&truth), None, &exact(2.0)).unwrap();
    plain.weights.iter_mut().zip(scales).for_each(|(w, s)| *w *= s);
    assert!(largest_difference(&found, &plain) < 1e-4, "{found:?} {plain:?}");
    let again = params.initial(found.clone().into_parameters()).max_iterations(3);
    assert!(largest_difference(&fit(&rows, &numbers(&truth), None, &again).unwrap(), &found) < 1e-4);
    for scales in [vec![1.0; 3], vec![1.0, 0.0, 1.0, 1.0]] {
        assert!(fit(&rows, &numbers(&truth), None, &exact(1.0).scaling(scales)).is_err());
    }
}

#[test]
fn a_fit_that_does_not_converge_is_an_error_with_a_remedy() {
    let (rows, truth) = drawn(300, 10, 8);
    let error = fit(&rows, &numbers(&truth), None, &SparseLogistic::default().max_iterations(1)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotConverged { iterations: 1, .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("1 iterations") && said.contains("raise max_iterations"), "{said}");
}

#[test]
fn targets_and_settings_without_meaning_are_refused() {
    let (rows, truth) = drawn(20, 2, 9);
    for wrong in [f64::NAN, 1.5, -0.1] {
        let mut targets = numbers(&truth);
        targets[3] = wrong;
        assert!(fit(&rows, &targets, None, &SparseLogistic::default()).is_err());
    }
    for params in [
        exact(-1.0),
        exact(f64::NAN),
        exact(1.0).max_iterations(0),
        exact(1.0).tolerance(0.0),
        exact(1.0).initial(vec![0.0]),
    ] {
        assert!(matches!(fit(&rows, &numbers(&truth), None, &params).unwrap_err().kind(), ErrorKind::Settings(_)));
    }
}

#[test]
fn a_fit_is_the_same_bit_by_bit_on_any_number_of_threads() {
    let (rows, truth) = drawn(10_000, 8, 10);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let fitted = pool.install(|| fit(&rows, &numbers(&truth), None, &SparseLogistic::default()).unwrap());
        fitted.into_parameters().into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(on(1), on(4));
}

/// A sparse matrix, some of its entries repeated.
fn sparse(rows: usize, width: usize) -> impl Strategy<Value = Vec<Vec<(u32, f32)>>> {
    let entry = (0..width.max(1) as u32, (-8i8..8).prop_map(|v| f32::from(v) / 4.0));
    prop::collection::vec(prop::collection::vec(entry, 0..if width == 0 { 1 } else { 5 }), rows)
}

fn rows_of(entries: &[Vec<(u32, f32)>], width: usize) -> Rows {
    let mut rows = Rows::new(width);
    entries.iter().for_each(|row| rows.push(row.iter().copied()));
    rows
}

fn dense_of(entries: &[Vec<(u32, f32)>], width: usize) -> Array2<f64> {
    let mut dense = Array2::zeros((entries.len(), width));
    for (r, row) in entries.iter().enumerate() {
        row.iter().for_each(|&(c, v)| dense[(r, c as usize)] += f64::from(v));
    }
    dense
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn factored_rows_multiply_like_the_matrix_they_stand_for(
        (words, types, direct) in (1usize..9).prop_flat_map(|n| (sparse(n, 7), sparse(7, 5), sparse(n, 4))),
        vectors in prop::collection::vec(-3i8..3, 7 * 3),
        w in prop::collection::vec(-2.0f64..2.0, 5 + 3 + 4),
    ) {
        let vectors = Array2::from_shape_fn((7, 3), |(r, c)| f32::from(vectors[r * 3 + c]));
        let counts = dense_of(&words, 7);
        let plain = ndarray::concatenate![
            ndarray::Axis(1), counts.dot(&dense_of(&types, 5)), counts.dot(&vectors.mapv(f64::from)), dense_of(&direct, 4)
        ];
        let design = Design::new(rows_of(&words, 7), rows_of(&types, 5), vectors, rows_of(&direct, 4));
        prop_assert_eq!((design.len(), design.width()), (plain.nrows(), plain.ncols()));
        let expected = plain.dot(&Array1::from(w.clone()));
        for (a, b) in design.product(&w).iter().zip(&expected) {
            prop_assert!((a - b).abs() < 1e-9);
        }
        let r: Vec<f64> = w.iter().cycle().take(design.len()).copied().collect();
        for (a, b) in design.transposed_product(&r).iter().zip(&plain.t().dot(&Array1::from(r.clone()))) {
            prop_assert!((a - b).abs() < 1e-9);
        }
    }
}

/// The words of texts, folded into a quantised table, sum up to what the features themselves say.
#[test]
fn folded_words_score_like_the_features_they_were_folded_from() {
    let texts: Vec<String> = (0..300).map(|i| format!("{} walkers{} walking{}", bus_row(i).0, i % 50, i % 3)).collect();
    let (tokens, names) = vocabulary::read(texts.par_iter().map(|t| (t.as_str(), Vec::<Range<usize>>::new())));
    let subwords = Subwords::train(texts.iter().map(String::as_str), 200).unwrap();
    let vocabulary = Vocabulary::learn(&tokens, &names, Some(subwords));
    let numbered: Vec<_> = tokens.iter().map(|t| vocabulary.number(t)).collect();
    let mut words = Rows::new(vocabulary.len());
    let mut none = Rows::new(0);
    for text in &numbered {
        let scale = (text.types.len() as f32).sqrt().recip();
        words.push(text.types.iter().map(|&t| (t, scale)));
        none.push([]);
    }
    let mut next = noise(11);
    let vectors = Array2::from_shape_fn((vocabulary.len(), 4), |_| next() as f32);
    let design = Design::new(words, vocabulary.type_rows(None), vectors, none);
    let heads: Vec<Vec<f64>> = (0..3).map(|_| (0..design.width()).map(|_| next()).collect()).collect();
    let folded: Vec<Vec<f64>> = heads.iter().map(|w| design.fold(w)).collect();
    let row = |id: usize| folded.iter().map(|f| f[id] as f32).collect::<Vec<f32>>();
    let table = Table::build(3, vocabulary.words().iter().enumerate().map(|(id, name)| (hash(name), row(id))));
    assert!(vocabulary.len() > 60 && vocabulary.own() > 40);
    for (k, w) in heads.iter().enumerate() {
        for (z, text) in design.product(w).into_iter().zip(&tokens) {
            let scale = (text.words.len() as f64).sqrt().recip();
            let (mut sum, mut bound) = (vec![0.0f32; 3], 1e-4);
            for &word in &text.words {
                let found = table.find(word).unwrap();
                table.add(found, &mut sum);
                let largest = row(found as usize).into_iter().fold(0.0f32, |m, v| m.max(v.abs()));
                bound += f64::from(largest) / 127.0 * 0.51 * scale;
            }
            assert!((z - f64::from(sum[k]) * scale).abs() <= bound, "{z} {} {bound}", f64::from(sum[k]) * scale);
        }
    }
}

fn explained(text: &str, parent: Option<&str>) -> (Vec<f32>, Vec<Explanation>) {
    let item = Item { text, parent, ..Item::default() };
    let mut scratch = Scratch::default();
    (model().score(&item, &mut scratch).unwrap().labels, model().explain(&item, &mut scratch).unwrap())
}

fn check_sum(explanations: &[Explanation], probabilities: &[f32]) {
    for (e, p) in explanations.iter().zip(probabilities) {
        let sum = e.base + e.shares.iter().map(|s| s.share).sum::<f32>();
        assert!((sum - e.logit).abs() < 1e-4, "{}: {sum} is not {}", e.label, e.logit);
        assert!((sigmoid(f64::from(e.logit)) - f64::from(*p)).abs() < 1e-6, "{}", e.label);
        assert!((e.probability - p).abs() < 1e-6);
    }
}

#[test]
fn shares_and_base_add_up_and_no_word_hides_in_the_base() {
    let short =
        ["You pathetic clown!", "Thanks. The bus was late again, as I said.", "Frobnicated unheardofs?! no", "a"];
    let bases: Vec<Vec<f32>> = short
        .iter()
        .map(|text| {
            let (p, explanations) = explained(text, None);
            check_sum(&explanations, &p);
            explanations.iter().map(|e| e.base).collect()
        })
        .collect();
    for base in &bases {
        assert!(base.iter().zip(&bases[0]).all(|(a, b)| (a - b).abs() < 1e-3), "{base:?}\n{:?}", bases[0]);
    }
    for text in [short[0], &"The tram is late again, you clown. ".repeat(12)] {
        for parent in [None, Some("The tram was early.")] {
            let (p, explanations) = explained(text, parent);
            check_sum(&explanations, &p);
        }
    }
}

#[test]
fn all_texts_that_a_window_decides_have_the_same_base() {
    let padding =
        "The library opens at nine and closes at six, as it did last year, and there is a table for children. ";
    let decided: Vec<Vec<Option<f32>>> = ["You pathetic clown and fool! ", "Shut up, you stupid little liar! "]
        .iter()
        .map(|insult| {
            let text = format!("{insult}{}", padding.repeat(20));
            let base = |e: &Explanation| {
                let window = e.window.as_ref()?;
                assert!(text.get(window.clone()).is_some());
                Some(e.base)
            };
            explained(&text, None).1.iter().map(base).collect()
        })
        .collect();
    let both: Vec<(f32, f32)> = decided[0].iter().zip(&decided[1]).filter_map(|(a, b)| (*a).zip(*b)).collect();
    assert!(!both.is_empty());
    assert!(both.iter().all(|(a, b)| (a - b).abs() < 1e-3), "{both:?}");
}

/// Spans lie within the text, on characters, and hold what the share says; UTF-16 offsets are those of the same place.
fn check_spans(text: &str, explanations: &[Explanation]) {
    for share in explanations.iter().flat_map(|e| &e.shares) {
        let Some(span) = share.span else {
            assert!(matches!(share.kind, Kind::Style | Kind::Relation));
            continue;
        };
        assert_eq!(text.get(span.start..span.end), Some(share.text.as_str()));
        assert!(!share.text.is_empty());
        let units = |end: usize| text[..end].encode_utf16().count();
        assert_eq!((span.utf16_start, span.utf16_end), (units(span.start), units(span.end)));
    }
}

#[test]
fn spans_are_right_among_emoji_entities_and_loose_accents() {
    let text = "\u{1f600}\u{1f600} you&#39;re a cafe\u{301} clown &amp; \u{1d5dc}diot, <b>bad</b> n\u{200b}o\u{fe0f}!!";
    let (_, explanations) = explained(text, None);
    check_spans(text, &explanations);
    let words: Vec<&str> =
        explanations[0].shares.iter().filter(|s| s.kind == Kind::Word).map(|s| s.text.as_str()).collect();
    assert!(words.contains(&"clown") && words.contains(&"bad"), "{words:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn hostile_text_is_scored_and_explained_soundly(
        parts in prop::collection::vec(prop_oneof![
            any::<String>(),
            prop::sample::select(vec![
                " ", "you ", "clown", "&amp;", "&#x1F600;", "&lt;b", "<i>", "</", "\u{1f468}\u{200d}\u{1f469}", "e\u{301}\u{308}", "\u{fb01}",
                "\u{130}", "\u{df}", "\u{202e}", "\u{feff}", "\n> ", "\"", "http://x", "@a", "...", "?!", "\u{0}", "\u{fffd}", "no no ",
            ]).prop_map(str::to_owned),
        ], 0..60),
        parent in prop::option::of(any::<String>()),
    ) {
        let text = parts.concat();
        let item = Item { text: &text, parent: parent.as_deref(), ..Item::default() };
        let mut scratch = Scratch::default();
        let scored = model().score(&item, &mut scratch);
        let explained = model().explain(&item, &mut scratch);
        prop_assert_eq!(scored.is_ok(), explained.is_ok());
        if let (Ok(scored), Ok(explained)) = (scored, explained) {
            prop_assert!(scored.labels.iter().all(|p| (0.0..=1.0).contains(p)));
            check_sum(&explained, &scored.labels);
            check_spans(&text, &explained);
        }
    }
}

#[test]
fn padding_does_not_hide_an_insult() {
    let clean = [
        "The bus was late again today.",
        "We walked along the harbour in the rain.",
        "Thanks for asking the council about it.",
        "They say that the new line opens in spring.",
        "My sister works at the market on Mondays.",
    ];
    let abuse = [
        "You are a pathetic clown.",
        "What a stupid moron you are.",
        "Shut up, you worthless idiot.",
        "Only a brainless fool says so.",
    ];
    let row = |i: usize| {
        let rude = i.is_multiple_of(3);
        let mut text: Vec<&str> = (0..i % 13).map(|k| clean[(i + k * (i % 4 + 1)) % 5]).collect();
        text.insert((i / 3) % (text.len() + 1), if rude { abuse[(i / 3) % 4] } else { clean[(i + 2) % 5] });
        serde_json::json!({"text": text.join(" "), "labels": {"insult": u8::from(rude)}}).to_string() + "\n"
    };
    let folder = tempfile::tempdir().unwrap();
    let data = write(folder.path(), "rows.jsonl", (0..600).map(row).collect::<String>());
    let model = trained(&Recipe::of_files(&[data])).unwrap();
    let p = |text: &str| model.score(&Item { text, ..Item::default() }, &mut Scratch::default()).unwrap().labels[0];
    let padding: Vec<&str> = (0..20).map(|i| clean[i % 5]).collect();
    let padding = padding.join(" ");
    for insult in abuse {
        let (alone, before, after) = (p(insult), p(&format!("{insult} {padding}")), p(&format!("{padding} {insult}")));
        assert!(alone > 0.8, "{insult}: {alone}");
        assert!(before > 0.8 * alone && after > 0.8 * alone, "{insult}: alone {alone}, before {before}, after {after}");
    }
    assert!(p(&padding) < 0.1 && p(clean[0]) < 0.1, "{} {}", p(&padding), p(clean[0]));
}
