//! Stance toward the parent, from training rows to records: roots, threads, and what a recipe may choose.

use polemic::features::context::Block;
use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch};
use polemic::train::recipe::{Recipe, Source};
use serde_json::{Value, json};

use crate::support::{bare, lines, run, trained, write};

/// Threads of a report and two answers. Reports support what they report; answers agree or deny by the words that open them.
fn threads(n: usize) -> Vec<Value> {
    let colours = ["red", "green", "blue", "white", "black"];
    let thread = |i: usize| {
        let thing = format!("the {} bridge number {}", colours[i % 5], i % 7);
        let row = |id: usize, text: String, stance: &str, parent: Option<usize>| {
            let mut row = json!({"thread_id": format!("t{i}"), "id": id, "text": text, "reply_stance": stance});
            if let Some(parent) = parent {
                row["parent_id"] = json!(parent);
            }
            row
        };
        let (agrees, denies) = if i.is_multiple_of(2) { (1, 2) } else { (2, 1) };
        [
            row(0, format!("breaking : {thing} is closed , police say"), "support", None),
            row(agrees, format!("yes , exactly , {thing} was shut when i came"), "support", Some(0)),
            row(denies, format!("no , that is not true , {thing} is open"), "deny", Some(0)),
        ]
    };
    (0..n).flat_map(thread).collect()
}

fn recipe_of(rows: &[Value], folder: &std::path::Path) -> Recipe {
    let mut recipe = Recipe::of_files(&[write(folder, "rows.jsonl", lines(rows))]);
    recipe.settings.min_rows = 20;
    recipe
}

fn model_of(rows: &[Value], change: impl Fn(&mut Recipe)) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let mut recipe = recipe_of(rows, folder.path());
    change(&mut recipe);
    trained(&recipe).unwrap()
}

fn stance(model: &Model, item: &Item<'_>) -> Option<String> {
    let p = model.score(item, &mut Scratch::default()).unwrap().parent?;
    let best = (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap();
    Some(model.manifest.parent.as_ref().unwrap().step.classes[best].clone())
}

#[test]
fn a_root_has_a_stance_only_if_it_is_asked_for_and_was_learned() {
    let rows = threads(40);
    let knows = model_of(&rows, |_| ());
    let root = Item { text: "breaking : the old bridge is closed , police say", ..Item::default() };
    assert_eq!(stance(&knows, &root), None);
    assert_eq!(stance(&knows, &Item { stance_of_roots: true, ..root }).as_deref(), Some("support"));
    let ignorant = model_of(&rows, |recipe| recipe.sources[0].stance_of_roots = false);
    assert_eq!(stance(&ignorant, &Item { stance_of_roots: true, ..root }), None);
    let reply = Item { text: "no , that is not true", parent: Some("the bridge is closed"), ..Item::default() };
    assert_eq!(stance(&ignorant, &reply).as_deref(), Some("deny"));
}

#[test]
fn score_and_evaluate_say_the_same_of_roots() {
    let folder = tempfile::tempdir().unwrap();
    let rows = threads(40);
    let data = write(folder.path(), "d.jsonl", lines(&rows));
    let place = folder.path().join("m");
    let trained = run(bare().arg("train").arg(&data).args(["--min-rows", "20", "--vectors", "none", "-o"]).arg(&place));
    assert_eq!(trained.code, 0, "{}", trained.err);
    let score = |flags: &[&str]| {
        run(bare().arg("score").arg(&data).args(["--to", "jsonl", "--model"]).arg(&place).args(flags)).records()
    };
    let classed = |records: &[Value]| records.iter().filter(|r| r["stance"]["parent"].is_object()).count();
    assert_eq!(classed(&score(&[])), 80);
    assert_eq!(classed(&score(&["--stance-of-roots"])), 120);
    let figures = run(bare().arg("evaluate").arg(&data).args(["--json", "--resamples", "0", "--model"]).arg(&place));
    let figures: Value = serde_json::from_str(&figures.out).unwrap();
    assert_eq!(figures["groups"][0]["stances"][0]["figures"]["n"], 120);
}

#[test]
fn a_model_without_roots_refuses_to_class_them() {
    let folder = tempfile::tempdir().unwrap();
    let answers: Vec<Value> = threads(40).into_iter().filter(|row| row.get("parent_id").is_some()).collect();
    let with_parents = answers.into_iter().map(|mut row| {
        row["parent_text"] = json!("the bridge is closed");
        row
    });
    let data = write(folder.path(), "d.jsonl", lines(&with_parents.collect::<Vec<_>>()));
    let place = folder.path().join("m");
    assert_eq!(run(bare().arg("train").arg(&data).args(["--min-rows", "20", "-o"]).arg(&place)).code, 0);
    let ran = run(bare().arg("score").arg(&data).args(["--stance-of-roots", "--model"]).arg(&place));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("learned no stance of comments without a parent"), "{}", ran.err);
}

#[test]
fn a_recipe_names_the_blocks_and_the_folder_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let rows = threads(40);
    let model = model_of(&rows, |recipe| {
        recipe.settings.reply.context = Some(vec![Block::Thread, Block::Cues, Block::Thread]);
        recipe.settings.reply.text = true;
    });
    assert_eq!(model.manifest.parent.as_ref().unwrap().context, [Block::Cues, Block::Thread]);
    let place = folder.path().join("m");
    model.save(&place, &[]).unwrap();
    let opened = Model::open(&place).unwrap();
    let (parent, root) = (Some("yes , exactly"), Some("the blue bridge is closed"));
    let item = Item { text: "no , that is not true , the bridge is open", parent, root, ..Item::default() };
    let score = |model: &Model| model.score(&item, &mut Scratch::default()).unwrap().parent.unwrap();
    assert_eq!(score(&model), score(&opened));
    assert_ne!(
        score(&opened),
        opened.score(&Item { root: parent, ..item }, &mut Scratch::default()).unwrap().parent.unwrap()
    );
}

#[test]
fn rows_of_weight_nothing_teach_nothing_but_choose_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let rows = threads(60);
    // In the held-out rows nobody supports but for those that say so plainly, and their words must not be learned.
    let held_out: Vec<Value> = (0..80)
        .map(|i| {
            let text = format!("zebra {i} , yes , exactly , the bridge was shut when i came");
            json!({"thread_id": format!("h{i}"), "id": "1", "parent_text": "the bridge is closed", "text": text,
                "reply_stance": if i % 8 == 0 { "support" } else { "deny" }})
        })
        .collect();
    let mut recipe = recipe_of(&rows, folder.path());
    let alone = trained(&recipe).unwrap();
    recipe.sources.push(Source::file(&write(folder.path(), "held-out.jsonl", lines(&held_out))));
    recipe.sources[1].weight = 0.0;
    let model = trained(&recipe).unwrap();
    let p = |model: &Model, text: &str| {
        let item = Item { text, parent: Some("the bridge is closed"), ..Item::default() };
        let stance = model.manifest.parent.as_ref().unwrap();
        let deny = stance.step.classes.iter().position(|class| class == "deny").unwrap();
        model.score(&item, &mut Scratch::default()).unwrap().parent.unwrap()[deny]
    };
    assert!(p(&model, "yes , exactly") > p(&alone, "yes , exactly"), "chosen where most deny");
    assert!((p(&model, "zebra") - p(&model, "quagga")).abs() < 0.05, "a word of held-out rows says nothing");
}
