//! `polemic train` as a user runs it: what becomes a head, what is refused and why, and that a failure leaves nothing behind.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use polemic::model::Model;
use polemic::model::scoring::{Item, Scratch};
use polemic::read::rows::Options;
use polemic::train::gather::gather;
use polemic::train::recipe::Recipe;
use serde_json::{Value, json};

use crate::support::{Ran, bare, bus_row, lines, names, project, run, trained, write};

/// A folder with data, and the model that is trained there.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        write(self.0.path(), name, content)
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("m")
    }

    fn train(&self, data: &Path, flags: &[&str]) -> Ran {
        run(bare().arg("train").arg(data).arg("-o").arg(self.out()).args(flags))
    }

    /// Trains and gives the names of the labels.
    fn labels(&self, data: &Path, flags: &[&str]) -> Vec<String> {
        let ran = self.train(data, flags);
        assert_eq!(ran.code, 0, "{}", ran.err);
        Model::open(&self.out()).unwrap().manifest.labels.into_iter().map(|l| l.name).collect()
    }

    /// Fails as it should, and leaves nothing but the files that were there.
    fn refused(&self, data: &Path, flags: &[&str]) -> String {
        let before = names(self.0.path());
        let ran = self.train(data, flags);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert_eq!(names(self.0.path()), before, "something was left behind");
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran.err
    }
}

fn row(i: usize) -> Value {
    let (text, rude) = bus_row(i);
    json!({"id": i, "text": text, "labels": {"rude": u8::from(rude)}})
}

fn rows(n: usize) -> Vec<Value> {
    (0..n).map(row).collect()
}

/// A table of `text` and the columns that `cells` makes of a row's number and rudeness.
fn table(header: &str, cells: impl Fn(usize, bool) -> String) -> String {
    let line = |i| {
        let (text, rude) = bus_row(i);
        format!("{text},{}\n", cells(i, rude))
    };
    format!("text,{header}\n{}", (0..200).map(line).collect::<String>())
}

#[test]
fn a_label_with_too_few_rows_gets_no_head_and_train_says_so() {
    let place = Place::new();
    let mut rows = rows(200);
    for (i, row) in rows.iter_mut().enumerate() {
        row["labels"]["rare"] = u8::from(i < 30).into();
        row["labels"]["always"] = 1.into();
    }
    let data = place.file("d.jsonl", lines(&rows));
    let ran = place.train(&data, &[]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("no head for `rare`: 30 rows have it and 170 do not, 60 of each"), "{}", ran.err);
    assert!(ran.err.contains("no head for `always`: 200 rows have it and 0 do not"), "{}", ran.err);
    assert_eq!(Model::open(&place.out()).unwrap().manifest.labels.len(), 1);
    assert_eq!(place.labels(&data, &["--min-rows", "30"]), ["rare", "rude"]);
    assert_eq!(place.labels(&data, &["--min-rows", "31"]), ["rude"]);
    fs::remove_dir_all(place.out()).unwrap();
    assert!(place.refused(&data, &["--min-rows", "101"]).contains("nothing to train"));
    assert!(place.refused(&data, &["--min-rows", "1"]).contains("must be 2 or more"));
}

#[test]
fn labels_of_tables_are_found_under_plain_and_prefixed_names() {
    let place = Place::new();
    let csv = table("rude,calm,label.blunt,labels.odd,likes,page", |i, rude| {
        let half = if rude { "0.75" } else { "0" };
        format!("{},{},{half},{},{i},{}", u8::from(rude), !rude, if i % 3 == 0 { "yes" } else { "no" }, i % 7)
    });
    let data = place.file("d.csv", &csv);
    assert_eq!(place.labels(&data, &[]), ["blunt", "calm", "odd", "rude"]);
    let semicolons = place.file("e.csv", csv.replace(',', ";"));
    assert_eq!(place.labels(&semicolons, &[]).len(), 4);
}

#[test]
fn compressed_data_teach_the_same() {
    let place = Place::new();
    let plain = lines(&rows(200));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(plain.as_bytes()).unwrap();
    let files = [
        place.file("d.jsonl", &plain),
        place.file("d.jsonl.gz", gz.finish().unwrap()),
        place.file("d.jsonl.zst", zstd::encode_all(plain.as_bytes(), 1).unwrap()),
    ];
    let weights = files.map(|file| {
        assert_eq!(place.labels(&file, &[]), ["rude"]);
        fs::read(place.out().join("weights.safetensors")).unwrap()
    });
    assert!(weights[0] == weights[1] && weights[0] == weights[2]);
}

#[test]
fn bad_rows_are_counted_and_kept_and_the_rest_is_learnt() {
    let place = Place::new();
    let bad = [
        "{\"text\": \"cut off\", \"labels\": {\"ru",
        "{\"text\": \"a\", \"labels\": {\"rude\": NaN}}",
        "{\"text\": \"a\", \"labels\": {\"rude\": 1.5}}",
        "{\"text\": \"a\", \"labels\": {\"rude\": \"very\"}}",
        "{\"text\": \"a\", \"labels\": [\"rude\"]}",
        "{\"labels\": {\"rude\": 1}}",
        "{\"text\": 7, \"labels\": {\"rude\": 1}}",
    ];
    let data = place.file("d.jsonl", lines(&rows(200)) + &bad.join("\n") + "\n");
    let rejects = place.0.path().join("rejects.jsonl");
    for (strict, code) in [(&[][..], 0), (&["--strict"][..], 2)] {
        let ran = place.train(&data, &[&["--rejects", rejects.to_str().unwrap()], strict].concat());
        assert_eq!(ran.code, code, "{}", ran.err);
        assert!(ran.err.contains("d.jsonl:201:") && ran.err.contains("7 rows could not be used"), "{}", ran.err);
        assert!(ran.err.contains("the label `rude` is 1.5: expected a number 0..1"), "{}", ran.err);
        let kept = fs::read_to_string(&rejects).unwrap();
        let kept: Vec<Value> = kept.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let places: Vec<u64> = kept.iter().map(|k| k["line"].as_u64().unwrap()).collect();
        assert_eq!(places, (201..=207).collect::<Vec<_>>());
        assert!(kept.iter().zip(bad).all(|(k, bad)| k["row"] == bad && !k["reason"].as_str().unwrap().is_empty()));
        assert_eq!(Model::open(&place.out()).unwrap().manifest.labels[0].rows, 200);
    }
}

#[test]
fn a_cell_without_a_number_is_a_bad_row_and_the_column_still_a_label() {
    let place = Place::new();
    let cell = |i, rude| if i == 7 { "NaN".to_owned() } else { u8::from(rude).to_string() };
    let data = place.file("d.csv", table("rude", cell));
    let ran = place.train(&data, &[]);
    assert!(ran.code == 0 && ran.err.contains("d.csv:9: the label `rude` is NaN"), "{}", ran.err);
    let prefixed =
        place.file("e.csv", table("label.rude", |i, rude| if i == 7 { "7".to_owned() } else { cell(0, rude) }));
    let ran = place.train(&prefixed, &[]);
    assert!(ran.code == 0 && ran.err.contains("the label `rude` is 7: expected a number 0..1"), "{}", ran.err);
}

#[test]
fn data_that_cannot_be_used_are_refused_with_what_is_missing() {
    let place = Place::new();
    let no_text = place.file("a.csv", table("rude", |_, _| "1".into()).replacen("text", "number", 1));
    let said = place.refused(&no_text, &[]);
    assert!(said.contains("a.csv") && said.contains("--text-column") && said.contains("number, rude"), "{said}");
    let unlabelled = place.file("b.jsonl", "{\"text\":\"a\"}\n");
    assert!(place.refused(&unlabelled, &[]).contains("no labelled rows"));
    let page = place.file("c.txt", fs::read(project("tests/fixtures/pages/wpdiscuz_bare.txt")).unwrap());
    assert!(place.refused(&page, &[]).contains("expected JSON lines, CSV"));
    let said = place.refused(&place.0.path().join("missing.jsonl"), &[]);
    assert!(said.contains("missing.jsonl: No such file"), "{said}");
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[test]
fn recipes_that_mean_nothing_are_refused() {
    let place = Place::new();
    place.file("d.jsonl", lines(&rows(200)));
    let source = "[[source]]\npath = \"d.jsonl\"\n";
    for (recipe, words) in [
        (
            format!("{source}labels = {{ insult = \"nasty\" }}\n"),
            &["d.jsonl", "no row has the label `nasty`", "rude"][..],
        ),
        ("[[source]]\npath = \"gone.jsonl\"\n".to_owned(), &["no file gone.jsonl", "--data"]),
        (format!("[settings]\nfoldz = 3\n{source}"), &["foldz", "folds", "r.toml"]),
        (format!("[settings]\nl2 = -1.0\n{source}"), &["settings.l2 must be above 0"]),
        (format!("[settings]\ntolerance = nan\n{source}"), &["settings.tolerance must be above 0"]),
        (format!("{source}weight = nan\n"), &["source.weight", "0 or more"]),
        (format!("{source}weight = -1.0\n"), &["source.weight", "0 or more"]),
        (format!("[label.rood]\nexperimental = true\n{source}"), &["[label.rood]", "the labels are: rude"]),
        (format!("[label.rude]\nbase_rate = 1.5\n{source}"), &["label.rude.base_rate"]),
        (format!("[model]\nversion = \"one\"\n{source}"), &["`one` is no version"]),
        ("[settings]\nfolds = 3\n".to_owned(), &["no data to train on"]),
        (
            format!("[settings]\nmax_iterations = 1\n{source}"),
            &["rude: the fit did not converge in 1 iterations", "raise max_iterations"],
        ),
        ("not toml".to_owned(), &["not a recipe"]),
    ] {
        let path = place.file("r.toml", &recipe);
        let said = place.refused(&path, &[]);
        assert!(words.iter().all(|w| said.contains(w)), "{recipe}\n{said}");
    }
    assert!(place.refused(&place.0.path().join("gone.toml"), &[]).contains("gone.toml"));
}

#[test]
fn a_recipe_maps_labels_and_is_kept_with_all_defaults() {
    let place = Place::new();
    place.file("d.jsonl", lines(&rows(200)));
    let recipe = "[model]\nname = \"mine\"\nversion = \"2.1.0\"\nlicence = \"CC0-1.0\"\n[label.insult]\nexperimental = true\n\
                  [[source]]\npath = \"d.jsonl\"\nlicence = \"MIT\"\nlabels = { insult = [\"rude\"] }\n";
    let path = place.file("r.toml", recipe);
    assert_eq!(place.labels(&path, &[]), ["insult"]);
    let manifest = Model::open(&place.out()).unwrap().manifest;
    assert_eq!(
        (manifest.name.as_str(), manifest.version.as_str(), manifest.licence.as_str()),
        ("mine", "2.1.0", "CC0-1.0")
    );
    assert!(manifest.labels[0].experimental && manifest.sources[0].licence.as_deref() == Some("MIT"));
    assert_eq!((manifest.sources[0].rows, manifest.sources[0].sha256.len()), (200, 64));
    let kept = fs::read_to_string(place.out().join("recipe.toml")).unwrap();
    assert!(["seed = 1", "min_rows = 60", "name = \"mine\""].iter().all(|w| kept.contains(w)), "{kept}");
    assert!(!kept.contains("path = \"/"), "no folders of this machine");
}

#[test]
fn an_experimental_label_leaves_comments_open_and_says_why() {
    let place = Place::new();
    // A third of the rows is labelled against its words, in an order that no word tells.
    let noisy = |i: usize| {
        let (text, rude) = bus_row(i);
        json!({"id": i, "text": text, "labels": {"odd": u8::from(rude != ((i / 7).is_multiple_of(3)))}})
    };
    let data = place.file("d.jsonl", lines(&(0..400).map(noisy).collect::<Vec<_>>()));
    let recipe = "[label.odd]\nexperimental = true\nbase_rate = 0.2\n[[source]]\npath = \"d.jsonl\"\n";
    let ran = place.train(&place.file("r.toml", recipe), &[]);
    assert!(ran.err.contains("experimental: decides 0."), "{}", ran.err);
    let doubt = Model::open(&place.out()).unwrap().manifest.labels[0].doubt.unwrap();
    assert!(doubt.coverage < 1.0 && doubt.below < doubt.above, "{doubt:?}");

    let scored = |flags: &[&str]| run(bare().arg("score").arg(&data).arg("-m").arg(place.out()).args(flags)).records();
    let (open, all) = (scored(&["--to", "jsonl"]), scored(&["--to", "jsonl", "--undecided"]));
    let is_open = |record: &Value| record["scores"]["odd"].is_null();
    assert!(open.iter().any(is_open) && !all.iter().any(is_open));
    for (open, all) in open.iter().zip(&all) {
        let p = all["scores"]["odd"].as_f64().unwrap() as f32;
        assert_eq!(is_open(open), doubt.leaves_open(p));
        let reason = open["unscored"]["odd"].as_str();
        assert_eq!(reason.is_some_and(|r| r.starts_with("experimental, decides")), is_open(open), "{open}");
    }
    let ran = run(bare().arg("evaluate").arg(&data).arg("-m").arg(place.out()).args(["--resamples", "10"]));
    assert!(ran.out.contains("odd is experimental: decides 0."), "{}", ran.out);
}

#[test]
fn a_threshold_for_macro_f1_is_higher_for_a_frequent_label() {
    let place = Place::new();
    let noisy = |i: usize| {
        let (text, rude) = bus_row(i);
        json!({"id": i, "text": text, "labels": {"odd": u8::from(rude || (i / 7).is_multiple_of(2))}})
    };
    place.file("d.jsonl", lines(&(0..400).map(noisy).collect::<Vec<_>>()));
    let threshold = |aim: &str| {
        let recipe = format!("[settings]\nthresholds = \"{aim}\"\n[[source]]\npath = \"d.jsonl\"\n");
        let ran = place.train(&place.file("r.toml", recipe), &[]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        Model::open(&place.out()).unwrap().manifest.labels[0].threshold
    };
    assert!(threshold("macro_f1") > threshold("f1"));
}

fn probability(model: &Model, text: &str) -> f32 {
    model.score(&Item { text, ..Item::default() }, &mut Scratch::default()).unwrap().labels[0]
}

#[test]
fn soft_labels_and_weights_of_sources_matter() {
    let place = Place::new();
    let with = |name: &str, value: &dyn Fn(bool) -> f32| {
        let soft = |i| {
            let (text, rude) = bus_row(i);
            json!({"text": text, "labels": {"rude": value(rude)}})
        };
        place.file(name, lines(&(0..200).map(soft).collect::<Vec<_>>()))
    };
    let hard = with("hard.jsonl", &|rude| f32::from(u8::from(rude)));
    let soft = with("soft.jsonl", &|rude| if rude { 0.5 } else { 0.0 });
    let turned = with("turned.jsonl", &|rude| f32::from(u8::from(!rude)));
    let base = |recipe: Recipe| trained(&recipe).unwrap().weights;
    assert_ne!(base(Recipe::of_files(std::slice::from_ref(&hard))), base(Recipe::of_files(&[soft])));
    let trusting = |of_hard: f64| {
        let mut recipe = Recipe::of_files(&[hard.clone(), turned.clone()]);
        recipe.sources[0].weight = of_hard;
        probability(&trained(&recipe).unwrap(), "number 3 leaves from north gate, you pathetic clown")
    };
    assert!(trusting(20.0) > trusting(0.05) + 0.01, "{} {}", trusting(20.0), trusting(0.05));
}

#[test]
fn rows_count_by_their_weight() {
    let place = Place::new();
    let text = "number 3 leaves from north gate, you pathetic clown";
    let trusting = |right: f64, wrong: f64| {
        let both = |i: usize| {
            let (text, rude) = bus_row(i / 2);
            let (value, weight) = if i.is_multiple_of(2) { (rude, right) } else { (!rude, wrong) };
            json!({"text": text, "weight": weight, "labels": {"rude": u8::from(value)}})
        };
        let data = place.file("d.jsonl", lines(&(0..400).map(both).collect::<Vec<_>>()));
        probability(&trained(&Recipe::of_files(&[data])).unwrap(), text)
    };
    assert!(trusting(4.0, 0.25) > trusting(0.25, 4.0) + 0.1, "{} {}", trusting(4.0, 0.25), trusting(0.25, 4.0));
    let odd = place.file("odd.jsonl", lines(&rows(200)) + "{\"text\":\"a\",\"weight\":-1,\"labels\":{\"rude\":1}}\n");
    let ran = place.train(&odd, &[]);
    assert!(ran.code == 0 && ran.err.contains("`weight` should be a number above 0"), "{}", ran.err);
}

#[test]
fn stance_that_depends_on_the_thread_alone_is_trained_without_a_panic() {
    let place = Place::new();
    let reply = |i: usize, thread: &str| {
        json!({"thread_id": thread, "text": bus_row(i).0, "parent_text": "When does it leave?", "target": "buses",
            "reply_stance": (["support", "deny"][i % 2]), "stance": (["favor", "against"][i % 2])})
    };
    for (name, threads) in [("one.jsonl", ["t", "t"]), ("two.jsonl", ["a", "b"])] {
        let data = place.file(name, lines(&(0..200).map(|i| reply(i, threads[i % 2])).collect::<Vec<_>>()));
        let ran = place.train(&data, &[]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let manifest = Model::open(&place.out()).unwrap().manifest;
        assert_eq!(manifest.parent.unwrap().step.classes, ["support", "deny"]);
        assert_eq!(manifest.targets.unwrap().own[0].name, "buses");
    }
}

#[test]
fn replies_find_the_parent_of_their_own_thread() {
    let place = Place::new();
    let mut rows = Vec::new();
    for thread in ["a", "b"] {
        let row = |id: u8, parent: Value| json!({"thread_id": thread, "id": id, "parent_id": parent, "text": format!("{thread}{id}"), "reply_stance": "deny", "labels": {"x": 1}});
        rows.extend([row(1, json!(null)), row(2, json!(1)), row(3, json!(2))]);
    }
    let data = place.file("d.jsonl", lines(&rows));
    let gathered = gather(&Recipe::of_files(&[data]), &[], &Options::default(), &mut |_, _| ()).unwrap();
    let parents: Vec<Option<&str>> = gathered.parents.iter().map(Option::as_deref).collect();
    assert_eq!(parents, [None, Some("a1"), Some("a2"), None, Some("b1"), Some("b2")]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};
    let place = Place::new();
    // Much text and no progress to speak of: it is still fitting when the signal comes.
    let text = |i: usize| (0..60).map(|k| format!("w{}", (i * 31 + k * k * 7) % 9000)).collect::<Vec<_>>().join(" ");
    let row = |i: usize| json!({"text": format!("{} {}", text(i), bus_row(i).0), "labels": {"a": i % 2, "b": i % 3 / 2, "c": i % 5 / 4, "d": i % 7 / 6}});
    let data = place.file("d.jsonl", lines(&(0..12_000).map(row).collect::<Vec<_>>()));
    let template = bare();
    let mut command = Command::new(template.get_program());
    command.env_remove("POLEMIC_MODEL").env("XDG_DATA_HOME", place.0.path()).current_dir(place.0.path());
    command.args(["train", "--vectors", "none", "-o"]).arg(place.out()).arg(&data);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    // Its first words come once it listens for the signal.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{said}");
    assert!(said.contains("interrupted"), "{said}");
    assert_eq!(names(place.0.path()), ["d.jsonl"]);
}

#[test]
fn a_column_of_numbers_in_parquet_is_a_label_as_in_csv() {
    let place = Place::new();
    let rows: Vec<(String, bool)> = (0..200).map(bus_row).collect();
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(text, _)| text)));
    let rude: ArrayRef = Arc::new(Float64Array::from_iter_values(rows.iter().map(|(_, rude)| f64::from(*rude))));
    let batch = RecordBatch::try_from_iter([("text", texts), ("rude", rude)]).unwrap();
    let path = place.0.path().join("rows.parquet");
    let mut writer = ArrowWriter::try_new(fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_eq!(place.labels(&path, &[]), ["rude"]);
}
