//! What makes scoring fast changes nothing: packed rows and plain ones, lines and records, few threads and many.

use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch, Unscored};
use polemic::score::batch::{Job, Scorer, Scoring};
use polemic::score::lines::Lines;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{model, project, shipped};

/// Texts of our own, and what hostile ones are made of.
fn texts() -> Vec<String> {
    let rows = std::fs::read_to_string(project("training-data/test.jsonl")).unwrap();
    let texts =
        rows.lines().filter_map(|row| serde_json::from_str::<Value>(row).ok()?["text"].as_str().map(str::to_owned));
    let hostile = [
        "",
        " \n\t ",
        "...",
        "!!!???!?",
        "y0u @re an 1d10t, f**k*ng i d i o t!!!",
        "id\u{200b}iot \u{ff49}diot caf\u{e9}\u{301} \u{1f600}\u{fe0f} \u{202e}gnirts",
        "&amp;lt;b&gt; <b>you</b> <script>idiot</script> &#105;diot &notanentity; a < b",
        "\"You clown,\" he said. > quoted\n> twice\n\u{201c}liar\u{201d} she wrote",
        "https://a.example/x?y=1,http:// www. www.b.example. @joe_x @ @@ _under_ don't 'tis it\u{2019}s",
        "\u{0}\u{1}\u{7f} \u{e000} \u{10ffff}",
        "aaa aaaa AAAA!!! NOOOO yesss 3rd 100mm A55 U.S.A.",
    ];
    let long = ["nice day all ".repeat(80), "you idiot ".repeat(200), "x".repeat(5000), "\u{301}".repeat(500)];
    texts.chain(hostile.map(str::to_owned)).chain(long).collect()
}

/// The same scores to the last bit, by a scratch that has seen other texts before.
fn agree(model: &Model, item: &Item<'_>, scratch: &mut Scratch) {
    let fast = model.score(item, scratch);
    let plain = model.score_plainly(item, &mut Scratch::default());
    match (fast, plain) {
        (Ok(fast), Ok(plain)) => {
            let bits = |numbers: &[f32]| numbers.iter().map(|p| p.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&fast.labels), bits(&plain.labels), "{:?}", item.text);
            assert_eq!(fast.parent.as_deref().map(bits), plain.parent.as_deref().map(bits), "{:?}", item.text);
            assert_eq!(fast.targets, plain.targets, "{:?}", item.text);
        }
        (fast, plain) => assert_eq!(fast, plain, "{:?}", item.text),
    }
}

#[test]
fn packed_rows_give_the_scores_of_plain_ones_with_and_without_a_parent() {
    let texts = texts();
    for model in [model(), shipped()] {
        let mut scratch = Scratch::default();
        for (i, text) in texts.iter().enumerate() {
            let parent = texts.get(i.wrapping_sub(1)).map(String::as_str);
            agree(model, &Item { text, ..Item::default() }, &mut scratch);
            agree(
                model,
                &Item { text, parent, root: texts.first().map(String::as_str), ..Item::default() },
                &mut scratch,
            );
            agree(model, &Item { text, stance_of_roots: true, ..Item::default() }, &mut scratch);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packed_rows_give_the_scores_of_plain_ones_whatever_the_text(
        text in "(\\PC{0,8}|[a-z' ]{0,12}|you |idiot|!\\?|\n> |\"|<b>|&amp;|\u{200b}){0,60}",
        parent in proptest::option::of("(\\PC{0,8}|[a-z' ]{0,12}|said |\n){0,30}"),
    ) {
        agree(model(), &Item { text: &text, parent: parent.as_deref(), ..Item::default() }, &mut Scratch::default());
    }
}

#[test]
fn lines_are_the_records_as_json() {
    let texts = texts();
    let ids: Vec<String> = (0..texts.len()).map(|i| format!("id \"{i}\" \u{e9}\n")).collect();
    let jobs: Vec<Job<'_>> = texts
        .iter()
        .zip(&ids)
        .enumerate()
        .map(|(i, (text, id))| Job {
            id,
            text,
            thread_id: (i % 3 > 0).then_some("t\\1"),
            parent_id: (i % 2 > 0).then_some("p"),
            depth: i as u32 % 7,
            author: (i % 4 > 0).then_some("Jo \u{1}"),
            created: (i % 5 > 0).then_some("2026-01-02T03:04:05Z"),
            parent: texts.get(i.wrapping_sub(1)).filter(|_| i % 2 > 0).map(String::as_str),
            ..Job::default()
        })
        .collect();
    for model in [model(), shipped()] {
        let plain = Scorer::new(model, 1 << 20);
        let all = Scorer { with_text: true, undecided: true, explain: true, ..plain.clone() };
        let short = Scorer { max_text: 40, with_text: true, ..plain.clone() };
        for scorer in [plain, all, short] {
            let records = scorer.score(&jobs);
            for (line, record) in Lines::new(&scorer).score_all(&jobs).iter().zip(&records) {
                assert_eq!(std::str::from_utf8(&line.json).unwrap(), serde_json::to_string(record).unwrap() + "\n");
                let scores: Vec<_> = record.scores.iter().map(|(_, p)| *p).collect();
                assert_eq!(line.unscored.map(Unscored::reason), record.unscored);
                assert!(line.unscored.is_some() || line.scores == scores);
            }
        }
    }
}

#[test]
fn scores_are_the_same_whatever_the_number_of_threads() {
    let texts = texts();
    let jobs: Vec<Job<'_>> =
        texts.iter().cycle().take(2000).map(|text| Job { id: "x", text, ..Job::default() }).collect();
    let scorer = Scorer::new(model(), 1 << 20);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Lines::new(&scorer).score_all(&jobs))
    };
    assert_eq!(with(1), with(7));
}
