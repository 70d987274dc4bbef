//! The model folder on disk: written whole or not at all, read only if every file is what the manifest says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use sha2::{Digest, Sha256};

use super::fold::{self, Table, Tensors};
use super::multinomial::Multinomial;
use super::target::{COPIES, PairHead, TargetStance, dense_width};
use super::{FORMAT, Manifest, Model, Weights, peaks};
use crate::error::{Error, ErrorKind, Result};
use crate::features::vectors::Vectors;
use crate::features::{relation, style};
use crate::text::tokenizer::Subwords;

const MANIFEST: &str = "manifest.json";
const WEIGHTS: &str = "weights.safetensors";
const HEADS: &str = "heads.safetensors";
const VECTORS: &str = "vectors.safetensors";
const TOKENIZER: &str = "tokenizer.json";
/// The recipe, with all defaults written out.
pub const RECIPE: &str = "recipe.toml";
/// The environment variable that names a model.
pub const VARIABLE: &str = "POLEMIC_MODEL";

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Model {
    /// Writes the model as the folder `path`, replacing a model that is there. Other files (`recipe.toml`, `CARD.md`) come by name.
    /// The folder is complete or, after a failure, as it was.
    pub fn save(&self, path: &Path, others: &[(&str, String)]) -> Result<()> {
        check_place(path)?;
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        let new = tempfile::Builder::new().prefix(".polemic-").tempdir_in(parent).map_err(|e| Error::io(parent, e))?;
        self.write_files(new.path(), others)?;
        let put = || -> std::io::Result<()> {
            if !path.exists() {
                return fs::rename(new.path(), path);
            }
            // Rename aside, rename in, then delete: no moment without a whole model under one of the two names.
            let old = tempfile::Builder::new().prefix(".polemic-old-").tempdir_in(parent)?;
            let aside = old.path().join("model");
            fs::rename(path, &aside)?;
            fs::rename(new.path(), path).inspect_err(|_| {
                // Back in its place; should that fail too, it stays aside rather than being deleted with `old`.
                if fs::rename(&aside, path).is_err() {
                    let _ = old.keep();
                }
            })
        };
        // What is left of `new` after a failure goes with it; after a success nothing is.
        put().map_err(|e| Error::io(path, e))
    }

    fn write_files(&self, folder: &Path, others: &[(&str, String)]) -> Result<()> {
        let mut manifest = self.manifest.clone();
        manifest.files = BTreeMap::new();
        let mut write = |name: &str, bytes: &[u8]| {
            manifest.files.insert(name.to_owned(), sha256(bytes));
            let path = folder.join(name);
            fs::write(&path, bytes).map_err(|e| Error::io(&path, e))
        };
        write(WEIGHTS, &self.weights.to_bytes()?)?;
        if let Some(first_stage) = &self.first_stage {
            write(HEADS, &first_stage.to_bytes()?)?;
        }
        if let Some(vectors) = &self.vectors {
            write(VECTORS, &vectors.to_bytes()?)?;
        }
        if let Some(subwords) = &self.subwords {
            let path = folder.join(TOKENIZER);
            subwords.save(&path)?;
            let bytes = fs::read(&path).map_err(|e| Error::io(&path, e))?;
            write(TOKENIZER, &bytes)?;
        }
        for (name, text) in others {
            write(name, text.as_bytes())?;
        }
        let path = folder.join(MANIFEST);
        let text = serde_json::to_string_pretty(&manifest).map_err(|e| Error::model(&path, e.to_string()))?;
        fs::write(&path, text + "\n").map_err(|e| Error::io(&path, e))
    }

    /// Opens a model folder.
    ///
    /// # Errors
    /// A file that is missing, altered or damaged, or a format newer than [`FORMAT`].
    pub fn open(path: &Path) -> Result<Self> {
        let manifest = read_manifest(path)?;
        let read = |name: &str| read_file(path, &manifest, name);
        for name in manifest.files.keys().filter(|n| ![WEIGHTS, HEADS, VECTORS, TOKENIZER].contains(&n.as_str())) {
            read(name)?;
        }
        let weights_path = path.join(WEIGHTS);
        let bytes =
            read(WEIGHTS)?.ok_or_else(|| Error::model(&weights_path, "the manifest does not name this file"))?;
        let weights = Weights::from_bytes(&weights_path, &bytes)?;
        let vectors = read(VECTORS)?.map(|bytes| Vectors::from_bytes(&path.join(VECTORS), &bytes)).transpose()?;
        let subwords = read(TOKENIZER)?.map(|_| Subwords::open(&path.join(TOKENIZER))).transpose()?;
        let model = Self { folder: Some(path.to_owned()), ..Self::new(manifest, weights, subwords, vectors) };
        model.check(path)?;
        Ok(model)
    }

    /// Makes sure that no head looks outside the tables.
    fn check(&self, path: &Path) -> Result<()> {
        let columns = self.weights.columns - self.weights.pools;
        let is_sound = |first: usize, step: &Multinomial, inputs: usize| {
            let classes = step.classes.len();
            first.checked_add(classes).is_some_and(|end| end <= columns)
                && step.intercepts.len() == classes
                && step.weights.len() == classes
                && step.weights.iter().all(|w| w.len() == inputs)
        };
        let mut fits = self.manifest.labels.len() <= columns;
        for relation in self.manifest.labels.iter().filter_map(|l| l.calibration.relation.as_ref()) {
            fits &= relation.weights.len() == relation::COUNT;
        }
        if let Some(parent) = &self.manifest.parent {
            fits &= is_sound(parent.first_column, &parent.step, parent.inputs());
        }
        if let Some(TargetStance { any, own, beside, classes, .. }) = &self.manifest.targets {
            let dense = dense_width(self.vectors.as_ref());
            let is_pair = |head: &PairHead| {
                head.first_column.checked_add(COPIES).is_some_and(|end| end <= columns) && head.dense.len() == dense
            };
            let inputs = 1 + usize::from(any.about.is_some());
            fits &= is_pair(&any.side) && any.about.iter().all(is_pair) && is_sound(0, &any.step, inputs);
            let of_own = inputs + classes.len() + beside.map_or(0, |_| 1 + classes.len());
            fits &= own.iter().all(|own| is_sound(own.first_column, &own.step, of_own));
            fits &= beside.iter().all(|first| first.checked_add(classes.len()).is_some_and(|end| end <= columns));
            fits &= own.iter().map(|own| &own.step).chain([&any.step]).all(|step| step.classes == *classes);
        }
        if fits {
            Ok(())
        } else {
            Err(Error::model(&path.join(MANIFEST), "its heads and the weights do not fit together"))
        }
    }

    /// SHA-256 of the manifest, which holds those of the other files: one name for the whole model.
    pub fn hash(folder: &Path) -> Result<String> {
        let path = folder.join(MANIFEST);
        Ok(sha256(&fs::read(&path).map_err(|e| Error::io(&path, e))?))
    }
}

/// The bytes of a model's file, which must be those that the manifest knows; `None` if it knows none of that name.
fn read_file(folder: &Path, manifest: &Manifest, name: &str) -> Result<Option<Vec<u8>>> {
    let Some(hash) = manifest.files.get(name) else { return Ok(None) };
    let file = folder.join(name);
    let bytes = fs::read(&file).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::model(&file, "this file of the model is missing: copy the whole folder"),
        _ => Error::io(&file, e),
    })?;
    if sha256(&bytes) != *hash {
        let what = "this file is not the one the model was saved with (its SHA-256 differs from the manifest): copy the folder anew";
        return Err(Error::model(&file, what));
    }
    Ok(Some(bytes))
}

/// The first-stage heads of the model in `folder`: a model whose weights have one column for each of its manifest's `first_stage`.
/// `None` if it travels without them.
///
/// # Errors
/// As for [`Model::open`].
pub fn first_stage(folder: &Path) -> Result<Option<Model>> {
    let mut model = Model::open(folder)?;
    let Some(bytes) = read_file(folder, &model.manifest, HEADS)? else { return Ok(None) };
    let path = folder.join(HEADS);
    model.weights = Weights::from_bytes(&path, &bytes)?;
    model.hot = None;
    if model.weights.columns == model.manifest.first_stage.len() {
        Ok(Some(model))
    } else {
        Err(Error::model(&path, "its columns are not the first-stage heads of the manifest: the file is damaged"))
    }
}

/// Makes sure that a model may be saved as `path`: nothing is there yet, or an empty folder, or a model.
///
/// # Errors
/// A file, or a folder with something else in it.
pub fn check_place(path: &Path) -> Result<()> {
    let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if path.file_name().is_none() && path.exists() {
        return Err(Error::input(path.display(), "a model needs a folder of its own: name it with -o"));
    }
    if path.exists() && !path.join(MANIFEST).exists() && !is_empty() {
        let what = if path.is_dir() { "this folder holds something that is no model" } else { "this is a file" };
        return Err(Error::input(path.display(), format!("{what}: name another with -o")));
    }
    Ok(())
}

/// Reads the manifest of a model folder.
pub fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::model(folder, "no manifest.json here: this is not a model folder"),
        _ => Error::io(&path, e),
    })?;
    let format = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|v| v.get("format")?.as_u64());
    if let Some(format) = format.filter(|f| *f != u64::from(FORMAT)) {
        let what = if format > u64::from(FORMAT) {
            format!("its format {format} is newer than this program reads ({FORMAT}): update polemic")
        } else {
            format!(
                "its format {format} is older than this program reads ({FORMAT}): train it again by its recipe.toml"
            )
        };
        return Err(Error::model(folder, what));
    }
    serde_json::from_str(&text).map_err(|e| Error::model(&path, format!("not a manifest: {e}")))
}

impl Weights {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut tensors = Tensors::new();
        let numbers = |v: &[f32]| bytemuck::cast_slice::<f32, u8>(v).to_vec();
        tensors.push(("bias".into(), Dtype::F32, vec![self.columns], numbers(&self.bias)));
        tensors.push(("style".into(), Dtype::F32, vec![style::COUNT, self.columns], numbers(&self.style)));
        let names = self.names.join("\n").into_bytes();
        tensors.push(("names".into(), Dtype::U8, vec![names.len()], names));
        if self.pools > 0 {
            let shape = vec![self.columns - self.pools, self.pools, peaks::COUNT];
            tensors.push(("pools".into(), Dtype::F32, shape, numbers(&self.pool_weights)));
        }
        for (prefix, table) in self.tables() {
            table.tensors(prefix, &mut tensors);
        }
        fold::serialize(&tensors)
    }

    fn tables(&self) -> [(&'static str, &Table); 5] {
        [
            ("words", &self.words),
            ("pairs", &self.pairs),
            ("grams", &self.grams),
            ("subwords", &self.subwords),
            ("starts", &self.starts),
        ]
    }

    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let damaged = |what: String| Error::model(path, format!("{what}: the file is damaged"));
        let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
        let columns = file.tensor("bias").map_err(|e| damaged(e.to_string()))?.shape().iter().product();
        let names =
            String::from_utf8(fold::bytes(path, &file, "names")?.to_vec()).map_err(|e| damaged(e.to_string()))?;
        let table = |prefix| Table::open(path, &file, prefix, columns);
        let pools = match file.tensor("pools") {
            Ok(tensor) => tensor.shape().get(1).copied().unwrap_or_default(),
            Err(_) => 0,
        };
        let heads = columns.checked_sub(pools).ok_or_else(|| damaged("more pooled heads than heads".into()))?;
        let pool_weights = match pools {
            0 => Vec::new(),
            _ => fold::numbers(path, &file, "pools", heads * pools * peaks::COUNT)?,
        };
        Ok(Self {
            columns,
            pools,
            pool_weights,
            bias: fold::numbers(path, &file, "bias", columns)?,
            style: fold::numbers(path, &file, "style", style::COUNT * columns)?,
            words: table("words")?,
            names: names.split('\n').map(str::to_owned).collect(),
            pairs: table("pairs")?,
            grams: table("grams")?,
            subwords: table("subwords")?,
            starts: table("starts")?,
        })
    }
}

/// The folders that hold models, in the order they are looked in: beside the executable, the user's data, the working directory.
pub fn places() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("models")));
    let user = dirs::data_dir().map(|d| d.join("polemic").join("models"));
    beside.into_iter().chain(user).chain(std::iter::once(PathBuf::from("models"))).collect()
}

/// All model folders below `place` (`NAME/VERSION`), by name, the newest version first.
pub fn list(place: &Path) -> Vec<PathBuf> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path());
        let mut found: Vec<PathBuf> = entries.filter(|p| p.is_dir()).collect();
        found.sort();
        found
    };
    let mut models = Vec::new();
    for name in folders(place) {
        let mut versions: Vec<PathBuf> = folders(&name).into_iter().filter(|p| p.join(MANIFEST).exists()).collect();
        let version = |p: &PathBuf| semver::Version::parse(&p.file_name().unwrap_or_default().to_string_lossy()).ok();
        versions.sort_by_key(|p| std::cmp::Reverse(version(p)));
        models.extend(versions);
    }
    models
}

/// Finds the model that `wanted` names (a folder, `NAME` or `NAME@VERSION`), else the one of `POLEMIC_MODEL`, else the first of
/// [`places`].
pub fn find(wanted: Option<&str>) -> Result<PathBuf> {
    let variable = std::env::var(VARIABLE).ok().filter(|v| !v.is_empty());
    let wanted = wanted.map(str::to_owned).or(variable);
    let places = places();
    let looked = || places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
    let missing = |what: String| -> Error { ErrorKind::Settings(what).into() };
    let Some(wanted) = wanted else {
        return places.iter().flat_map(|p| list(p)).next().ok_or_else(|| {
            missing(format!("no model found: looked in {}; name one with --model DIR or {VARIABLE}, or train one with `polemic train`", looked()))
        });
    };
    if Path::new(&wanted).join(MANIFEST).exists() {
        return Ok(PathBuf::from(wanted));
    }
    let (name, version) = wanted.split_once('@').map_or((wanted.as_str(), None), |(n, v)| (n, Some(v)));
    let matches = |p: &PathBuf| {
        let part = |p: Option<&Path>| p.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
        part(p.parent()).as_deref() == Some(name) && version.is_none_or(|v| part(Some(p)).as_deref() == Some(v))
    };
    places.iter().flat_map(|p| list(p)).find(matches).ok_or_else(|| {
        missing(format!(
            "no model `{wanted}`: it is no folder with a manifest.json, and not among the models in {}",
            looked()
        ))
    })
}
