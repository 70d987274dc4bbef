//! Model folders: saved whole or not at all, refused with a remedy when they are not whole, found in the places that are named.

use std::fs;
use std::path::Path;

use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch};
use serde_json::Value;

use crate::support::{
    bare, bus_row, lines, model, model_folder, names, polemic, project, run, small_recipe, trained, write,
};

/// A copy of the small model in a folder of its own.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names(model_folder()) {
        fs::copy(model_folder().join(&name), folder.path().join(&name)).unwrap();
    }
    folder
}

/// The message with which the program refuses a model.
fn refusal(folder: &Path) -> String {
    let ran = run(bare().args(["explain", "you clown", "--model"]).arg(folder));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    ran.err
}

fn edit(folder: &Path, change: impl FnOnce(&mut Value)) {
    let path = folder.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(path, manifest.to_string()).unwrap();
}

#[test]
fn a_missing_file_is_named_with_what_to_do() {
    for name in ["weights.safetensors", "tokenizer.json"] {
        let folder = copy();
        fs::remove_file(folder.path().join(name)).unwrap();
        let said = refusal(folder.path());
        assert!(said.contains(name) && said.contains("missing: copy the whole folder"), "{said}");
    }
}

#[test]
fn an_altered_or_cut_off_file_is_named_with_what_to_do() {
    for name in ["weights.safetensors", "tokenizer.json"] {
        let whole = fs::read(model_folder().join(name)).unwrap();
        let mut altered = whole.clone();
        altered[whole.len() / 2] ^= 1;
        for content in [&altered[..], &whole[..whole.len() / 2], &[]] {
            let folder = copy();
            fs::write(folder.path().join(name), content).unwrap();
            let said = refusal(folder.path());
            assert!(said.contains(name) && said.contains("SHA-256") && said.contains("copy the folder anew"), "{said}");
        }
    }
}

#[test]
fn a_newer_format_asks_for_an_update() {
    let folder = copy();
    edit(folder.path(), |manifest| {
        *manifest = serde_json::json!({"format": 4, "heads": "in a shape that this program does not know"});
    });
    let said = refusal(folder.path());
    assert!(
        said.contains("format 4 is newer than this program reads (3)") && said.contains("update polemic"),
        "{said}"
    );
}

#[test]
fn a_folder_without_a_manifest_or_with_another_programs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(folder.path()).contains("no folder with a manifest.json"));
    assert!(Model::open(folder.path()).unwrap_err().to_string().contains("this is not a model folder"));
    for text in ["{}", "[1, 2]", "not json", ""] {
        write(folder.path(), "manifest.json", text);
        let said = refusal(folder.path());
        assert!(said.contains("manifest.json") && said.contains("not a manifest"), "{said}");
    }
}

#[test]
fn a_manifest_whose_heads_do_not_fit_the_weights_is_refused() {
    for path in ["/labels", "/parent/step/weights", "/parent/step/classes", "/targets/any/step/intercepts"] {
        let folder = copy();
        edit(folder.path(), |manifest| {
            let list = manifest.pointer_mut(path).unwrap().as_array_mut().unwrap();
            let first = list[0].clone();
            list.extend(std::iter::repeat_n(first, 100));
        });
        let said = refusal(folder.path());
        assert!(said.contains("do not fit together"), "{path}: {said}");
    }
}

#[test]
fn what_is_saved_opens_and_scores_the_same() {
    let mut recipe = small_recipe();
    recipe.settings.subwords = 500;
    let before = trained(&recipe).unwrap();
    let folder = tempfile::tempdir().unwrap();
    before.save(&folder.path().join("m"), &[("CARD.md", "A card.\n".into())]).unwrap();
    let after = Model::open(&folder.path().join("m")).unwrap();
    assert_eq!(before.weights, after.weights);
    let (mut a, mut b) = (Scratch::default(), Scratch::default());
    for text in ["you pathetic clown", "Unheardofword, frobnicated!!!", "No. The ferry was late.", "é \u{1f600} 42"] {
        let parent = Some("Is the ferry late?");
        let targets = ["Russia".to_owned()];
        let item = Item { text, parent, targets: &targets, ..Item::default() };
        assert_eq!(before.score(&item, &mut a).unwrap(), after.score(&item, &mut b).unwrap());
    }
    assert_eq!(names(folder.path()), ["m"], "nothing else is left beside the model");
}

#[test]
fn a_model_that_is_there_is_replaced_whole() {
    let folder = copy();
    write(folder.path(), "evaluation.json", "{}");
    model().save(folder.path(), &[("CARD.md", "new".into())]).unwrap();
    assert_eq!(names(folder.path()), ["CARD.md", "manifest.json", "tokenizer.json", "weights.safetensors"]);
    Model::open(folder.path()).unwrap();
}

#[test]
fn what_is_no_model_is_never_replaced() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("photos")).unwrap();
    write(&home.path().join("photos"), "cat.jpg", "miaow");
    let rows: Vec<Value> = (0..200)
        .map(bus_row)
        .map(|(text, rude)| serde_json::json!({"text": text, "labels": {"rude": u8::from(rude)}}))
        .collect();
    let data = write(home.path(), "data.jsonl", lines(&rows));
    let before = fs::read(&data).unwrap();
    for (place, why) in [("photos", "no model"), ("data.jsonl", "this is a file"), ("data.jsonl/m", "")] {
        let place = home.path().join(place);
        let ran = run(bare().arg("train").arg(&data).arg("-o").arg(&place));
        assert_eq!(ran.code, 2);
        assert!(
            ran.err.contains(why) && ran.err.contains(place.to_str().unwrap().trim_end_matches("/m")),
            "{}",
            ran.err
        );
        assert!(model().save(&place, &[]).is_err());
    }
    let here = run(bare().current_dir(home.path()).args(["train", "data.jsonl", "-o", "."]));
    assert!(here.code == 2 && here.err.contains("a model needs a folder of its own"), "{}", here.err);
    assert_eq!(names(home.path()), ["data.jsonl", "photos"]);
    assert_eq!((fs::read(&data).unwrap(), names(&home.path().join("photos"))), (before, vec!["cat.jpg".to_owned()]));
}

#[test]
fn training_again_gives_the_same_bytes_on_any_number_of_threads() {
    let home = tempfile::tempdir().unwrap();
    // More characters than the tokenizer keeps, many as rare as each other.
    let rows: String = (0..400u32)
        .map(|i| {
            let rare: String = [i, i * 7 % 400].iter().filter_map(|c| char::from_u32(0x4e00 + c)).collect();
            let (text, rude) = bus_row(i as usize);
            serde_json::json!({"text": format!("{text} {rare}"), "labels": {"rude": u8::from(rude)}}).to_string() + "\n"
        })
        .collect();
    let wide = write(home.path(), "wide.jsonl", rows);
    let own = project("training-data/train.jsonl");
    let mut all = Vec::new();
    for (run_of, threads) in ["1", "4", "2", "1"].into_iter().enumerate() {
        let place = home.path().join(run_of.to_string()).join("m");
        let flags = ["--min-rows", "40", "--vectors", "none", "--threads", threads, "-o"];
        let ran = run(bare().arg("train").args([&own, &wide]).args(flags).arg(&place));
        assert_eq!(ran.code, 0, "{}", ran.err);
        all.push(names(&place).into_iter().map(|n| (fs::read(place.join(&n)).unwrap(), n)).collect::<Vec<_>>());
    }
    assert_eq!(all[0].len(), 4);
    for other in &all[1..] {
        for ((a, name), (b, _)) in all[0].iter().zip(other) {
            assert!(a == b, "{name} differs");
        }
    }
}

#[test]
fn models_are_listed_and_found_by_name_version_folder_and_variable() {
    let home = tempfile::tempdir().unwrap();
    let place = |name: &str, version: &str| {
        let path = home.path().join("polemic/models").join(name).join(version);
        fs::create_dir_all(&path).unwrap();
        for file in names(model_folder()) {
            fs::copy(model_folder().join(&file), path.join(&file)).unwrap();
        }
        edit(&path, |m| {
            m["name"] = name.into();
            m["version"] = version.into();
        });
    };
    [("forum", "0.9.0"), ("forum", "0.10.0"), ("news", "1.0.0")].into_iter().for_each(|(n, v)| place(n, v));
    let with = |args: &[&str], variable: &str| {
        run(bare().env("XDG_DATA_HOME", home.path()).env("POLEMIC_MODEL", variable).args(args))
    };

    let listed = with(&["models", "--json"], "");
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let models = listed["models"].as_array().unwrap();
    let ids: Vec<String> = models.iter().map(|m| format!("{}@{}", m["name"], m["version"]).replace('"', "")).collect();
    assert_eq!(ids, ["forum@0.10.0", "forum@0.9.0", "news@1.0.0"], "the newest version first");
    assert_eq!(models[0]["default"], true);
    assert_eq!(models[0]["sha256"].as_str().unwrap().len(), 64);
    assert!(models[0]["licence"].is_string() && models[0]["labels"][0]["name"] == "incivility");
    assert_eq!(listed["looked_in"].as_array().unwrap().len(), 3);
    let table = with(&["models"], "").out;
    assert!(
        table.contains("forum@0.10.0  (default)") && table.contains("looked for by --model, then POLEMIC_MODEL"),
        "{table}"
    );

    let used = |args: &[&str], variable: &str| {
        let ran = with(&[&["explain", "hello there"], args].concat(), variable);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.lines().last().unwrap().to_owned()
    };
    assert_eq!(used(&[], ""), "model forum@0.10.0");
    assert_eq!(used(&["--model", "news"], ""), "model news@1.0.0");
    assert_eq!(used(&["--model", "forum@0.9.0"], "news"), "model forum@0.9.0", "--model goes before the variable");
    assert_eq!(used(&[], "news"), "model news@1.0.0");
    assert_eq!(used(&[], model_folder().to_str().unwrap()), "model small@0.1.0");
}

#[test]
fn where_no_model_is_found_the_message_names_all_places_and_the_remedy() {
    let ran = run(bare().args(["explain", "hello"]));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for place in ["debug/models", "polemic/models", "--model", "POLEMIC_MODEL", "polemic train"] {
        assert!(ran.err.contains(place), "{place}: {}", ran.err);
    }
    let named = run(polemic().args(["explain", "hello", "--model", "nobody@1.0.0"]));
    assert!(named.code == 2 && named.err.contains("no model `nobody@1.0.0`"), "{}", named.err);
    let none = run(bare().arg("models"));
    assert!(
        none.code == 0 && none.out.contains("no models found") && none.out.contains("POLEMIC_MODEL"),
        "{}",
        none.out
    );
}

#[cfg(unix)]
#[test]
fn other_users_may_read_a_saved_model() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("plain")).unwrap();
    model().save(&home.path().join("m"), &[]).unwrap();
    assert_eq!(mode(&home.path().join("m")), mode(&home.path().join("plain")));
}
