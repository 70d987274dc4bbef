//! A small model, trained once for all tests of a process, and the program run as a user would run it.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use assert_cmd::Command;
use polemic::model::Model;
use polemic::read::rows::{BadRow, Options};
use polemic::train::fit::{Given, Watch, train};
use polemic::train::recipe::Recipe;
use serde_json::Value;

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// An invented page.
pub fn page(name: &str) -> PathBuf {
    project("tests/fixtures/pages").join(name)
}

/// Keeps what a training run says.
#[derive(Default)]
pub struct Heard {
    pub notes: Mutex<Vec<String>>,
    pub bad: Mutex<Vec<BadRow>>,
}

impl Watch for Heard {
    fn step(&self, _: usize, _: usize, _: &str) {}

    fn note(&self, what: &str) {
        self.notes.lock().unwrap().push(what.to_owned());
    }

    fn bad_row(&self, _: &Path, row: BadRow) {
        self.bad.lock().unwrap().push(row);
    }
}

/// Trains without vectors.
pub fn trained(recipe: &Recipe) -> polemic::error::Result<Model> {
    train(recipe, &Options::default(), Given::default(), &Heard::default(), &Arc::new(AtomicBool::new(false)))
}

/// The recipe of the model that most tests use: all that our own training data teach, and the targets of the war news.
pub fn small_recipe() -> Recipe {
    let mut recipe = Recipe::of_files(&[project("training-data/train.jsonl")]);
    recipe.model.name = "small".into();
    recipe.settings.targets = Some(project("training-data/targets/war-news.toml"));
    recipe.settings.min_rows = 30;
    recipe.settings.stack = true;
    recipe.settings.l2_choices = vec![6.0];
    recipe
}

/// The folder of a small model with labels, stance toward the parent and toward targets: trained once a process, in the target
/// folder, where the next run replaces it.
pub fn model_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small-model");
        let recipe = small_recipe();
        let model = trained(&recipe).unwrap();
        model.save(&folder, &[(polemic::model::file::RECIPE, recipe.written_out().unwrap())]).unwrap();
        folder
    })
}

/// The same model, opened.
pub fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| Model::open(model_folder()).unwrap())
}

/// The model in `models/`, opened.
pub fn shipped() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| Model::open(&project("models/news-en/0.3.0")).unwrap())
}

/// The program, cut off from the models and settings of this machine, in an empty folder, with the small model.
pub fn polemic() -> Command {
    let mut command = bare();
    command.env("POLEMIC_MODEL", model_folder());
    command
}

/// The same without a model.
pub fn bare() -> Command {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_polemic"));
    for variable in ["POLEMIC_MODEL", "POLEMIC_DATA", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.current_dir(&empty).env("XDG_DATA_HOME", &empty).env("HOME", &empty);
    command
}

/// What a run wrote and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The records of JSON lines.
    pub fn records(&self) -> Vec<Value> {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs to the end.
pub fn run(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

/// Runs `polemic score --to jsonl` on rows.
pub fn scored(rows: &[Value], flags: &[&str]) -> Ran {
    run(polemic().args(["score", "--to", "jsonl"]).args(flags).write_stdin(lines(rows)))
}

/// JSON lines.
pub fn lines(rows: &[Value]) -> String {
    rows.iter().flat_map(|row| [row.to_string(), "\n".to_owned()]).collect()
}

/// Writes a file into a folder.
pub fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A labelled row about buses: rude on every odd number.
pub fn bus_row(i: usize) -> (String, bool) {
    let places = ["mill road", "the harbour", "north gate", "the old market", "station lane"];
    let rude = i % 2 == 1;
    let tone = if rude { "you pathetic clown" } else { "and thanks for asking" };
    (format!("number {} leaves from {} at {} {tone}", i % 9, places[i % 5], i % 24), rude)
}
