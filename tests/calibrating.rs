//! Base rates, profiles and thresholds as a user meets them: what moves and by how much, what stays, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use polemic::model::Model;
use polemic::model::profile::Profile;
use polemic::train::threshold::{Choice, for_precision};
use serde_json::{Value, json};

use crate::common::generator;
use crate::support::{Ran, lines, model_folder, polemic, project, run, scored, write};

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn is_kept(slope: f64) -> bool {
    (slope - 1.0).abs() < f64::EPSILON
}

/// The texts of our own training data, with their parents.
fn texts() -> Vec<Value> {
    let read = |name: &str| fs::read_to_string(project(name)).unwrap();
    let text = read("training-data/test.jsonl") + &read("training-data/train.jsonl");
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        json!({"text": row["text"], "parent_text": row["parent_text"]})
    };
    text.lines().map(row).collect()
}

/// The model's probabilities of a label.
fn probabilities(rows: &[Value], label: &str, flags: &[&str]) -> Vec<f64> {
    scored(rows, flags).records().iter().map(|r| r["scores"][label].as_f64().unwrap()).collect()
}

/// Rows of a site where the label's logit is the model's plus `offset`: truths are drawn from such probabilities.
fn site(label: &str, offset: f64, seed: u32) -> Vec<Value> {
    let mut rows = texts();
    let mut next = generator(seed);
    for (row, p) in rows.iter_mut().zip(probabilities(&texts(), label, &[])) {
        let p = 1.0 / (1.0 + (-(logit(p) + offset)).exp());
        row["labels"] = json!({ label: u8::from(f64::from(next() % 10_000) < p * 10_000.0) });
    }
    rows
}

/// A folder with labelled rows and the profile fitted on them.
struct Site {
    folder: tempfile::TempDir,
    data: PathBuf,
}

impl Site {
    fn new(rows: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = write(folder.path(), "d.jsonl", lines(rows));
        Self { folder, data }
    }

    fn profile(&self) -> PathBuf {
        self.folder.path().join("site.toml")
    }

    fn calibrate(&self, flags: &[&str]) -> Ran {
        run(polemic().arg("calibrate").arg(&self.data).arg("-o").arg(self.profile()).args(flags))
    }

    fn fitted(&self, flags: &[&str]) -> Profile {
        let ran = self.calibrate(flags);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        Profile::open(&self.profile()).unwrap()
    }
}

#[test]
fn a_base_rate_moves_one_label_by_the_prior_shift_and_no_decision() {
    let rows = texts()[..80].to_vec();
    let old = Model::open(model_folder()).unwrap();
    let head = &old.manifest.labels[old.label("insult").unwrap()];
    let by = logit(0.4) - logit(f64::from(head.base_rate));
    let (before, after) = (scored(&rows, &[]).records(), scored(&rows, &["--base-rate", "insult=.4"]).records());
    let mut new = Model::open(model_folder()).unwrap();
    new.set_base_rate(Some("insult"), 0.4).unwrap();
    let threshold = f64::from(new.manifest.labels[new.label("insult").unwrap()].threshold);
    for (before, after) in before.iter().zip(&after) {
        let p = |record: &Value, label: &str| record["scores"][label].as_f64().unwrap();
        let (old, new) = (p(before, "insult"), p(after, "insult"));
        assert!((logit(new) - logit(old) - by).abs() < 0.02 || old < 1e-3, "{old} {new}");
        assert_eq!(old >= f64::from(head.threshold), new >= threshold, "{old} {new}");
        assert_eq!(before["scores"]["toxicity"], after["scores"]["toxicity"]);
    }
}

#[test]
fn a_base_rate_without_a_label_moves_incivility_and_not_rhetoric() {
    let rows = texts()[..40].to_vec();
    let model = Model::open(model_folder()).unwrap();
    let rate = |name: &str| f64::from(model.manifest.labels[model.label(name).unwrap()].base_rate);
    let (before, after) = (scored(&rows, &[]).records(), scored(&rows, &["--base-rate", "0.02"]).records());
    let by = logit(0.02) - logit(rate("incivility"));
    for (before, after) in before.iter().zip(&after) {
        let p = |record: &Value, label: &str| record["scores"][label].as_f64().unwrap();
        for label in ["incivility", "insult", "toxicity"] {
            let (old, new) = (p(before, label), p(after, label));
            assert!((logit(new) - logit(old) - by).abs() < 0.02 || new < 1e-3, "{label} {old} {new}");
        }
        assert_eq!(before["scores"]["ad_hominem"], after["scores"]["ad_hominem"]);
    }
    // A label of its own wins, in whatever order they are given.
    let both = ["--base-rate", "insult=.4", "--base-rate", ".02"];
    let alone = probabilities(&rows, "insult", &["--base-rate", "insult=.4"]);
    let pairs = probabilities(&rows, "insult", &both).into_iter().zip(alone);
    pairs.for_each(|(both, alone)| assert!((both - alone).abs() < 5e-6, "{both} {alone}"));
}

#[test]
fn explanations_follow_the_base_rate_in_their_base_alone() {
    let explain = |flags: &[&str]| -> Value {
        let ran = run(polemic().args(["explain", "what a pathetic clown", "--label", "insult", "--json"]).args(flags));
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()["labels"][0].clone()
    };
    let (before, after) = (explain(&[]), explain(&["--base-rate", "insult=.5"]));
    assert_eq!(before["shares"], after["shares"]);
    let moved = |field: &str| after[field].as_f64().unwrap() - before[field].as_f64().unwrap();
    assert!((moved("base") - moved("logit")).abs() < 1e-4 && moved("base").abs() > 0.1);
}

#[test]
fn rates_that_mean_nothing_are_refused() {
    for (flag, words) in [
        ("1.5", "is no number between 0 and 1"),
        ("insult=0", "is no number between 0 and 1"),
        ("insullt=.1", "the model has no such label"),
        ("=.1", "expected LABEL=RATE"),
    ] {
        let ran = scored(&texts()[..1], &["--base-rate", flag]);
        assert!(ran.code == 2 && ran.err.contains(words), "{}", ran.err);
    }
}

#[test]
fn a_known_rate_becomes_the_mean_probability_of_the_comments() {
    let comments = texts();
    let place = Site::new(&comments);
    let profile = place.fitted(&["--rate", "insult=.07", "--rate", "incivility=.11"]);
    assert_eq!(profile.labels.keys().collect::<Vec<_>>(), ["incivility", "insult"]);
    let flag = place.profile();
    for (label, rate) in [("insult", 0.07), ("incivility", 0.11)] {
        let p = probabilities(&comments, label, &["--profile", flag.to_str().unwrap()]);
        let mean = p.iter().sum::<f64>() / p.len() as f64;
        assert!((mean - rate).abs() < 1e-3, "{label} {mean}");
    }
    // The base rate is then the profile's: asking for it once more changes nothing.
    let again = ["--profile", flag.to_str().unwrap(), "--base-rate", "insult=.07"];
    assert_eq!(probabilities(&comments[..9], "insult", &again[..2]), probabilities(&comments[..9], "insult", &again));
}

#[test]
fn a_profile_finds_the_offset_of_a_site_and_fits_it_better() {
    let place = Site::new(&site("insult", 1.5, 7));
    let profile = place.fitted(&[]);
    let insult = &profile.labels["insult"];
    assert!((insult.offset - 1.5).abs() < 0.35 && is_kept(insult.slope), "{insult:?}");
    let (before, after) = (insult.before.unwrap(), insult.after.unwrap());
    assert!(after.log_loss < before.log_loss && after.ece < before.ece, "{before:?} {after:?}");

    // On other comments of the same site, too.
    let fresh = Site::new(&site("insult", 1.5, 8));
    let ece = |flags: &[&str]| {
        let ran = run(polemic().arg("evaluate").arg(&fresh.data).args(["--resamples", "20", "--json"]).args(flags));
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let label = json["groups"][0]["labels"][0].clone();
        (label["figures"]["ece"].as_f64().unwrap(), label["ece_own_intercept"].as_f64().unwrap())
    };
    let (plain, with) = (ece(&[]), ece(&["--profile", place.profile().to_str().unwrap()]));
    assert!(with.0 < plain.0 && plain.1 < plain.0, "{plain:?} {with:?}");
    assert!((with.1 - plain.1).abs() < 0.02, "an offset does not change what remains without it: {plain:?} {with:?}");
}

#[test]
fn a_slope_is_fitted_from_enough_rows_only() {
    let place = Site::new(&site("insult", 1.0, 9));
    assert!((place.fitted(&["--slope"]).labels["insult"].slope - 1.0).abs() < 0.3);
    let few = Site::new(&site("insult", 1.0, 9)[..400]);
    let ran = few.calibrate(&["--slope"]);
    assert!(ran.code == 0 && ran.out.contains("note: insult: too few rows for a slope"), "{}{}", ran.out, ran.err);
    assert!(is_kept(Profile::open(&few.profile()).unwrap().labels["insult"].slope));
}

#[test]
fn a_profile_is_refused_by_another_model() {
    let place = Site::new(&site("insult", 0.5, 3));
    place.fitted(&[]);
    let profile = place.profile();
    for (name, with, words) in [
        ("small", "retrained", "was made for another training of small@0.1.0"),
        ("other", "trained", "was made for small@0.1.0, and this is other@0.1.0"),
    ] {
        let other = place.folder.path().join(name);
        copy_model(model_folder(), &other, name, with);
        let ran = scored(&texts()[..1], &["--model", other.to_str().unwrap(), "--profile", profile.to_str().unwrap()]);
        assert!(ran.code == 2 && ran.err.contains(words) && ran.err.contains("polemic calibrate"), "{}", ran.err);
    }
    for (content, words) in [
        ("format = 2\nmodel = \"m\"\nmanifest = \"\"\n", "newer than this program reads"),
        ("format = 1\n", "not a profile"),
        ("{", "not a profile"),
    ] {
        let file = write(place.folder.path(), "bad.toml", content);
        let ran = scored(&texts()[..1], &["--profile", file.to_str().unwrap()]);
        assert!(ran.code == 2 && ran.err.contains(words), "{}", ran.err);
    }
    let text = fs::read_to_string(&profile).unwrap().replace("slope = 1.0", "slope = -1.0");
    let file = write(place.folder.path(), "turned.toml", text);
    let ran = scored(&texts()[..1], &["--profile", file.to_str().unwrap()]);
    assert!(ran.code == 2 && ran.err.contains("slope above 0"), "{}", ran.err);
}

/// A model that says of itself that it is another one.
fn copy_model(from: &Path, to: &Path, name: &str, description: &str) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    let path = to.join("manifest.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    (manifest["name"], manifest["description"]) = (name.into(), description.into());
    fs::write(path, manifest.to_string()).unwrap();
}

/// Scores that are right as often as they say.
fn honest(n: usize, seed: u32) -> (Vec<f64>, Vec<bool>) {
    let mut next = generator(seed);
    (0..n)
        .map(|_| {
            let (score, draw) = (next() % 10_000, next() % 10_000);
            (f64::from(score) / 10_000.0, draw < score)
        })
        .unzip()
}

#[test]
fn a_threshold_for_a_precision_holds_on_other_rows() {
    for (seed, wanted) in [(1, 0.7), (2, 0.8), (3, 0.9)] {
        let (scores, truth) = honest(2_000, seed);
        let Choice::Reached(reached) = for_precision(&scores, &truth, wanted) else { panic!("not reached") };
        let (low, high) = reached.precision_interval;
        assert!(reached.precision >= wanted && low < reached.precision && reached.precision < high);
        let (scores, truth) = honest(20_000, seed + 100);
        let flagged = || scores.iter().zip(&truth).filter(|(score, _)| **score >= reached.threshold);
        let precision = flagged().filter(|(_, truth)| **truth).count() as f64 / flagged().count() as f64;
        assert!((precision - wanted).abs() < 0.03 && precision > low, "{precision} for {wanted}");
    }
}

#[test]
fn decisions_follow_the_threshold_of_the_profile() {
    let rows = site("insult", 0.0, 5);
    let place = Site::new(&rows);
    let found = place.fitted(&["--precision", ".5", "--label", "insult"]).labels["insult"].precision.clone().unwrap();
    assert!(found.precision >= 0.5 && found.held_out.is_some());
    let profile = place.profile();
    let mut model = Model::open(model_folder()).unwrap();
    Profile::open(&profile).unwrap().apply(&mut model).unwrap();
    let threshold = f64::from(model.manifest.labels[model.label("insult").unwrap()].threshold);
    let p = probabilities(&rows, "insult", &["--profile", profile.to_str().unwrap()]);
    assert_eq!(p.iter().filter(|p| **p >= threshold).count(), found.flagged);
    let least = rows.iter().zip(&p).min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0.clone();
    let flags = ["--profile", profile.to_str().unwrap(), "--fail-on", "insult"];
    assert_eq!((scored(&rows, &flags).code, scored(&[least], &flags).code), (1, 0));
}

#[test]
fn a_precision_that_cannot_be_had_is_said_and_exits_with_1() {
    // Labels that have nothing to do with the scores.
    let mut next = generator(11);
    let mut rows = texts();
    rows.iter_mut()
        .for_each(|row| row["labels"] = json!({"insult": u8::from(next().is_multiple_of(4)), "toxicity": 0}));
    let place = Site::new(&rows);
    let ran = place.calibrate(&["--precision", ".99"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("note: insult: no threshold reaches the precision: the highest is 0."), "{}", ran.out);
    assert!(ran.out.contains("note: toxicity: too few rows for a precision: 0 have it"), "{}", ran.out);
    assert!(Profile::open(&place.profile()).unwrap().labels["insult"].precision.is_none());
}

#[test]
fn data_that_say_too_little_leave_no_profile() {
    let rows = site("insult", 0.0, 2);
    for (rows, flags, words) in [
        (&rows[..30], &[][..], "30 rows are too few, 50 are needed"),
        (&rows[..60], &["--label", "insullt"], "no label `insullt` in the model small@0.1.0; it has incivility"),
        (
            &rows[..60],
            &["--map", "toxicity=nasty", "--label", "toxicity"],
            "no label of the model has 50 labelled rows",
        ),
        (&rows[..60], &["--rate", "insult=.1", "--precision", ".9"], "cannot be used with"),
        (&rows[..30], &["--rate", "insult=.1"], "fewer than 50 comments with scores"),
    ] {
        let place = Site::new(rows);
        let ran = place.calibrate(flags);
        assert!(ran.code == 2 && ran.err.contains(words), "{}", ran.err);
        assert!(!place.profile().exists());
    }
    let place = Site::new(&rows);
    let ran = run(polemic().arg("calibrate").arg(&place.data).arg("-o").arg(&place.data));
    assert!(ran.code == 2 && ran.err.contains("is an input and the output"), "{}", ran.err);
}

#[test]
fn rows_that_the_queue_picked_for_being_uncertain_are_noted() {
    let mut rows = site("insult", 0.0, 4);
    rows[..60].iter_mut().for_each(|row| row["why"] = json!({"picked": "uncertain"}));
    rows[60..80].iter_mut().for_each(|row| row["why"] = json!({"picked": "random"}));
    let ran = Site::new(&rows).calibrate(&[]);
    let noted = format!("note: 60 of {} rows were picked for being uncertain", rows.len());
    assert!(ran.code == 0 && ran.err.contains(&noted), "{}", ran.err);
}

#[test]
fn a_reliability_diagram_is_drawn_and_written() {
    let rows = site("insult", 1.5, 6);
    let place = Site::new(&rows);
    let evaluate =
        |flags: &[&str]| run(polemic().arg("evaluate").arg(&place.data).args(["--resamples", "20"]).args(flags));
    let ran = evaluate(&["--reliability"]);
    assert!(ran.code == 0 && ran.out.contains("insult: predicted and observed\n"), "{}{}", ran.out, ran.err);
    assert!(!evaluate(&[]).out.contains("predicted"));
    let json: Value = serde_json::from_str(&evaluate(&["--reliability", "--json"]).out).unwrap();
    let label = &json["groups"][0]["labels"][0];
    let bins = label["reliability"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin["n"].as_u64().unwrap()).sum::<u64>(), label["scored"].as_u64().unwrap());
    assert!(bins.len() >= 8);
    // More of them have the label than the model says, in nearly every bin.
    let above = bins.iter().filter(|bin| bin["observed"].as_f64() > bin["predicted"].as_f64()).count();
    assert!(above + 1 >= bins.len(), "{label}");
    assert!(
        evaluate(&["--json"]).out.contains("ece_own_intercept")
            && !evaluate(&["--json"]).out.contains("\"reliability\"")
    );
}
