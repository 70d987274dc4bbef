//! Targets from a file, through the program: names and aliases in comments, examples, additions to a model, and what is written.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch};
use polemic::text::targets::NamedTarget;
use polemic::train::recipe::Recipe;

use crate::support::{Ran, lines, model, model_folder, names, polemic, run, scored, trained, write};

const LIST: &str = r#"
[[target]]
name = "Ostrel"
kind = "nation"
aliases = ["US", "the Hill", "Ostrelians"]

[[target]]
name = "Ines Vandersloot"
kind = "person"
aliases = ["Vandersloot"]

[[target]]
name = "night trains"
"#;

/// A folder with a list of targets.
fn list(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "targets.toml", text);
    (folder, path)
}

/// What `score` says of one text.
fn toward(text: &str, flags: &[&str]) -> Value {
    let (_folder, path) = list(LIST);
    let flags = [&["--targets", path.to_str().unwrap()], flags].concat();
    scored(&[json!({"text": text})], &flags).records().remove(0)["stance"]["toward"].take()
}

#[test]
fn a_list_that_cannot_be_used_is_refused_with_line_and_remedy() {
    let head = "[[target]]\nname = \"trams\"\n";
    for (rest, words) in [
        ("alias = [\"tram\"]\n", &[":3: ", "unknown field `alias`", "`aliases`"][..]),
        ("kind = \"people\"\n", &[":3: ", "unknown variant `people`", "`topic`, `person`"]),
        ("aliases = [\"lines\", \"TRAMS\"]\n", &[":3: ", "`TRAMS` stands twice", "leave one out"]),
        ("[[target]]\nname = \"Trams\"\n", &[":4: ", "`Trams` stands twice, under `trams` and `Trams`"]),
        ("[[target]]\nname = \" ?! \"\n", &[":4: ", "has no word in it"]),
        ("polarity = 2\n", &[":3: ", "polarity is 1 or -1"]),
        ("examples = \"gone.jsonl\"\n", &[":3: ", "no file", "gone.jsonl", "beside this file"]),
        ("[[target\n", &[":3: ", "no list of targets"]),
    ] {
        let (_folder, path) = list(&format!("{head}{rest}"));
        let ran =
            run(polemic().args(["score", "--to", "jsonl", "--targets"]).arg(&path).write_stdin("{\"text\":\"a\"}\n"));
        assert!(ran.code == 2 && words.iter().all(|word| ran.err.contains(word)), "{rest}\n{}", ran.err);
    }
    let (_folder, path) = list("# nothing\n");
    let ran = run(polemic().args(["explain", "a", "--targets"]).arg(&path));
    assert!(ran.code == 2 && ran.err.contains("there is no [[target]] in it"), "{}", ran.err);
}

#[test]
fn mentions_are_places_in_the_text_as_it_is_written() {
    let text = "Caf\u{e9} &amp; US-led 😀 talks &mdash; on the <b>Hill</b>, the Ostrelians' own; it is with us";
    let found = toward(text, &[]);
    let mentions = found["Ostrel"]["mentions"].as_array().unwrap();
    let said: Vec<&str> = mentions.iter().map(|mention| mention["text"].as_str().unwrap()).collect();
    assert_eq!(said, ["US", "the <b>Hill", "Ostrelians"], "{found}");
    let units: Vec<u16> = text.encode_utf16().collect();
    for mention in mentions {
        let at = |key: &str| mention[key].as_u64().unwrap() as usize;
        assert_eq!(text[at("start")..at("end")], mention["text"]);
        assert_eq!(String::from_utf16(&units[at("utf16_start")..at("utf16_end")]).unwrap(), mention["text"]);
    }
    assert_eq!(found.as_object().unwrap().len(), 1, "{found}");
}

#[test]
fn without_examples_nothing_is_told_of_persons_and_nations_but_that_they_are_mentioned() {
    let found = toward("Vandersloot is the worst thing that ever happened to Ostrel", &[]);
    assert_eq!(found["Ines Vandersloot"]["reason"], "no examples of this person");
    assert_eq!(found["Ostrel"]["reason"], "no examples of this nation");
    for target in ["Ines Vandersloot", "Ostrel"] {
        assert_eq!((&found[target]["stance"], &found[target]["mentioned"]), (&Value::Null, &json!(true)));
    }
}

#[test]
fn a_comment_is_asked_about_what_it_mentions_and_about_what_is_named() {
    let found = toward("I waited for the train all night", &["--target", "Vandersloot", "--target", "trams"]);
    let asked: Vec<(&String, &Value)> = found.as_object().unwrap().iter().map(|(k, v)| (k, &v["mentioned"])).collect();
    let expected = [("Vandersloot", false), ("trams", false), ("night trains", true)];
    let expected: Vec<(String, Value)> = expected.map(|(name, there)| (name.to_owned(), json!(there))).into();
    assert_eq!(asked, expected.iter().map(|(name, there)| (name, there)).collect::<Vec<_>>());
    assert!(toward("Nothing of that kind", &[]).is_null());
}

#[test]
fn the_heads_of_a_target_are_found_by_any_of_its_names() {
    let text = "ISIS murdered my whole village, may they rot";
    let p = |flags: &[&str]| {
        let record = scored(&[json!({"text": text})], flags).records().remove(0);
        let targets = record["stance"]["targets"].as_object().unwrap();
        assert_eq!(targets.len(), 1, "{record}");
        let (name, p) = targets.iter().next().unwrap();
        (name.clone(), p.clone())
    };
    let (name, by_mention) = p(&[]);
    assert_eq!(name, "Islamic State");
    assert_eq!(p(&["--target", "daesh"]), ("daesh".to_owned(), by_mention.clone()));
    let (_folder, path) =
        list("[[target]]\nname = \"the caliphate\"\nkind = \"group\"\naliases = [\"ISIS\", \"Islamic State\"]\n");
    assert_eq!(p(&["--targets", path.to_str().unwrap()]), ("the caliphate".to_owned(), by_mention));
}

/// Twelve examples of a scheme, half of which call it by another name or by none.
fn examples() -> String {
    let good = ["is a joy", "makes us proud", "helps the old", "is useful", "was a joy to see", "helps families"];
    let bad = ["is a shame", "ruins shops", "hurts the old", "is useless", "was a shame to see", "hurts families"];
    let rows = good.iter().zip(bad).enumerate().flat_map(|(i, (good, bad))| {
        let (one, other) = if i % 2 == 0 { ("Skyway", "cable car") } else { ("cable car", "Skyway") };
        [
            json!({"text": format!("Case {i}: the {one} {good}."), "stance": "favor", "labels": {"insult": 1}}),
            json!({"text": format!("Case {i}: the {other} {bad}."), "stance": "against", "target": "cable car"}),
            json!({"text": format!("Case {i}: the trams {bad}."), "stance": "favor", "target": "trams"}),
        ]
    });
    lines(&rows.collect::<Vec<_>>())
}

const SKYWAY: &str = "[[target]]\nname = \"Skyway\"\naliases = [\"cable car\"]\nexamples = \"skyway.jsonl\"\n";

fn add(folder: &Path, text: &str, out: &str) -> Ran {
    write(folder, "targets.toml", text);
    let mut command = polemic();
    command.args(["train", "--base"]).arg(model_folder()).args(["--vectors", "none", "--targets"]);
    run(command.arg(folder.join("targets.toml")).arg("-o").arg(folder.join(out)))
}

#[test]
fn twelve_examples_add_a_target_to_a_model_and_change_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "skyway.jsonl", examples());
    let ran = add(folder.path(), SKYWAY, "site");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let new = Model::open(&folder.path().join("site")).unwrap();
    let head = new.manifest.targets.as_ref().unwrap();
    let old = model().manifest.targets.as_ref().unwrap();
    assert_eq!(head.own.len(), old.own.len() + 1);
    assert_eq!(head.own("Skyway").unwrap().rows, 12, "rows about other targets are no examples");
    assert!(head.own("Skyway").unwrap().trust.threshold > 1.0, "twelve rows prove nothing");
    assert_eq!(new.manifest.labels, model().manifest.labels, "labels of an examples file teach nothing");
    let known: Vec<&str> = new.manifest.known_targets.iter().map(|known| known.name.as_str()).collect();
    assert_eq!((known.len(), known.last()), (10, Some(&"Skyway")));

    let texts =
        ["You clown, the Russians lied to you.", "The cable car is a joy: it makes us proud and helps families."];
    for text in texts {
        let item = Item { text, parent: Some("It was the Americans."), ..Item::default() };
        let score = |model: &Model| model.score(&item, &mut Scratch::default()).unwrap();
        let (before, after) = (score(model()), score(&new));
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.02);
        assert!(close(&before.labels, &after.labels) && close(&before.parent.unwrap(), &after.parent.unwrap()));
        for stance in &before.targets {
            let same = after.targets.iter().find(|other| other.target == stance.target).unwrap();
            assert!(close(&stance.probabilities, &same.probabilities) && stance.mentions == same.mentions);
        }
    }
    let item = Item { text: texts[1], ..Item::default() };
    let found = new.score(&item, &mut Scratch::default()).unwrap().targets;
    assert_eq!((found[0].target.as_str(), &texts[1][found[0].mentions[0].clone()]), ("Skyway", "cable car"));
    assert!(found[0].probabilities[0] > found[0].probabilities[1], "{found:?}");

    let listed = run(polemic().env("POLEMIC_MODEL", folder.path().join("site")).arg("models"));
    assert!(listed.out.contains("Skyway (topic): 12 examples"), "{}", listed.out);
    let again = run(polemic()
        .args(["train", "--base"])
        .arg(folder.path().join("site"))
        .args(["--vectors", "none", "--targets"])
        .arg(folder.path().join("targets.toml"))
        .arg("-o")
        .arg(folder.path().join("again")));
    assert_eq!(again.code, 0, "{}", again.err);
    let again = Model::open(&folder.path().join("again")).unwrap();
    assert_eq!(again.manifest.targets.unwrap().own.len(), old.own.len() + 1, "it is taught anew, not twice");
}

#[test]
fn additions_that_mean_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "skyway.jsonl", examples().replace("favor", "pro"));
    let ran = add(folder.path(), SKYWAY, "a");
    assert!(ran.code == 2 && ran.err.contains("Skyway: the model has no stance `pro`; it has favor"), "{}", ran.err);
    let ran = add(folder.path(), &SKYWAY.replace("cable car", "Moscow"), "b");
    assert!(ran.code == 2 && ran.err.contains("`Moscow` is a name of the target `Russia`"), "{}", ran.err);
    write(folder.path(), "skyway.jsonl", lines(&[json!({"text": "a", "target": "trams", "stance": "favor"})]));
    let ran = add(folder.path(), SKYWAY, "c");
    assert!(ran.code == 2 && ran.err.contains("no examples of `Skyway` in it"), "{}", ran.err);
    let ran = add(folder.path(), "[[target]]\nname = \"Skyway\"\n", "d");
    assert!(ran.code == 2 && ran.err.contains("no labelled rows"), "{}", ran.err);
    assert_eq!(names(folder.path()), ["skyway.jsonl", "targets.toml"]);
}

#[test]
fn rows_about_an_alias_teach_the_target() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "skyway.jsonl", examples());
    write(folder.path(), "targets.toml", SKYWAY);
    let stance = |i: usize| if i.is_multiple_of(2) { "favor" } else { "against" };
    let row = |i| json!({"text": format!("row {i} of it"), "target": "CABLE CARS", "stance": stance(i)});
    let more: Vec<Value> = (0..8).map(row).collect();
    let more = write(folder.path(), "more.jsonl", lines(&more).replace("CABLE CARS", "Cable Car"));
    let mut recipe = Recipe::of_files(&[more]);
    recipe.settings.targets = Some(folder.path().join("targets.toml"));
    recipe.settings.subwords = 0;
    let head = trained(&recipe).unwrap().manifest.targets.unwrap();
    assert_eq!(head.own.iter().map(|own| (own.name.as_str(), own.rows)).collect::<Vec<_>>(), [("Skyway", 20)]);
}

#[test]
fn shares_of_a_stance_add_up_to_its_log_odds() {
    let text =
        "The mullahs of Tehran do not care. \u{2014} They never helped, and Moscow &amp; the Russians lied to us all.";
    let targets = ["trams".to_owned()];
    for targets in [&targets[..], &[]] {
        let item = Item { text, targets, ..Item::default() };
        let mut scratch = Scratch::default();
        let found = model().explain_targets(&item, &mut scratch).unwrap();
        let scores = model().score(&item, &mut scratch).unwrap().targets;
        assert_eq!(found.len(), scores.len());
        for (explained, scored) in found.iter().zip(&scores) {
            assert_eq!((&explained.target, explained.stance.is_some()), (&scored.target, scored.undecided.is_none()));
            let found = explained.likeliest.as_ref().unwrap();
            let sum = found.base + found.shares.iter().map(|share| share.share).sum::<f32>();
            assert!((sum - found.logit).abs() < 1e-3, "{sum} {}", found.logit);
            let logs: Vec<f32> = scored.probabilities.iter().map(|p| p.ln()).collect();
            let best = logs.iter().copied().fold(f32::MIN, f32::max);
            let others = (logs.iter().sum::<f32>() - best) / (logs.len() - 1) as f32;
            assert!((best - others - found.logit).abs() < 1e-2, "{best} {others} {}", found.logit);
            let spans = found.shares.iter().filter_map(|share| Some((share.span?, &share.text)));
            assert!(spans.clone().count() > 10);
            spans.for_each(|(span, word)| assert_eq!(text[span.start..span.end], *word));
        }
    }
}

#[test]
fn an_explanation_names_the_words_that_mention_a_target() {
    let ran = run(polemic().args(["explain", "Moscow lied, and Putin knew.", "--label", "insult"]));
    assert!(
        ran.out.contains("stance toward Russia: ") && ran.out.contains("  mentioned by: Moscow, Putin\n"),
        "{}",
        ran.out
    );
    let ran = run(polemic().args(["explain", "Moscow lied.", "--json"]));
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let target = &json["targets"][0];
    assert_eq!((&target["target"], &target["mentions"][0]["end"]), (&json!("Russia"), &json!(6)));
    assert!(target["shares"].as_array().unwrap().len() > 1 && target["class"].is_string(), "{target}");
}

#[test]
fn every_format_says_what_is_mentioned_and_decided() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        lines(&[json!({"id": "7", "text": "Moscow and Putin, again."}), json!({"id": "8", "text": "Good morning."})]);
    let input = write(folder.path(), "in.jsonl", rows);
    let ran = |to: &str, name: &str| {
        let path = folder.path().join(name);
        let ran = run(polemic().args(["score", "--to", to, "-o"]).arg(&path).arg(&input));
        assert_eq!(ran.code, 0, "{}", ran.err);
        path
    };
    let csv = std::fs::read_to_string(ran("csv", "s.csv")).unwrap();
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "mentions_Russia").unwrap();
    let cells: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').nth(column).unwrap()).collect();
    assert_eq!(cells, ["2", "0"]);
    let db = rusqlite::Connection::open(ran("sqlite", "s.db")).unwrap();
    let query = "SELECT id, target, mentions, p_favor + p_against + p_none FROM comments JOIN stances USING (n)";
    let found = db.query_row(query, [], |r| {
        Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, u32>(2)?, r.get::<_, f64>(3)?))
    });
    let (id, target, mentions, sum) = found.unwrap();
    assert_eq!((id.as_str(), target.as_str(), mentions), ("7", "Russia", 2));
    assert!((sum - 1.0).abs() < 1e-5);
    let corpus = ran("convokit", "corpus");
    let utterances = std::fs::read_to_string(corpus.join("utterances.jsonl")).unwrap();
    let first: Value = serde_json::from_str(utterances.lines().next().unwrap()).unwrap();
    assert_eq!(first["meta"]["mentions_Russia"], 2);
    let ran = run(polemic().args(["score", "--to", "info"]).arg(&corpus));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let info = std::fs::read_to_string(corpus.join("info.stance_toward.jsonl")).unwrap();
    let first: Value = serde_json::from_str(info.lines().next().unwrap()).unwrap();
    assert_eq!(first["value"]["Russia"]["mentioned"], true);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Wherever a name stands, it is found there, whatever stands around it.
    #[test]
    fn a_name_is_found_where_it_stands(before in "[a-z \u{e9}😀.!&;\u{200b}-]{0,40}", after in "[a-z \u{e9}😀.!&;-]{0,40}") {
        let set = model().asked(&[NamedTarget { aliases: vec!["Zorvath Qix".into()], ..NamedTarget::topic("x9 y9 z9") }]);
        let text = format!("{before} good\nZorvath Qix's\ngood {after}");
        let item = Item { text: &text, set: Some(&set), ..Item::default() };
        if let Ok(scores) = model().score(&item, &mut Scratch::default()) {
            let said: Vec<&str> = scores.targets.iter().flat_map(|t| &t.mentions).map(|place| &text[place.clone()]).collect();
            prop_assert_eq!(said, ["Zorvath Qix's"]);
        }
    }
}
