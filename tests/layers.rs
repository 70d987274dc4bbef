//! The house has floors: a module uses only what stands to its left in ARCHITECTURE.md. Fails on an arrow that points back.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers in their order; modules of one layer may use each other.
const LAYERS: &[&[&str]] = &[
    &["error", "label", "thread", "record"],
    &["text"],
    &["read", "write"],
    &["features"],
    &["model"],
    &["score", "train"],
    &["audit"],
    &["report"],
    &["serve"],
    &["cli"],
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|l| l.contains(&module))
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The modules that a source file names after `crate::`, also inside braces.
fn used(text: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(inside) => inside.split('}').next().unwrap_or_default(),
            None => rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default(),
        };
        let firsts = names.split(',').map(|n| n.trim().split("::").next().unwrap_or_default().to_owned());
        modules.extend(firsts.filter(|n| !n.is_empty()));
    }
    modules
}

#[test]
fn every_module_uses_only_layers_to_its_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40, "found only {} files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let module = relative.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        if module == "lib" || module == "main" {
            continue;
        }
        let own = layer(&module).unwrap_or_else(|| panic!("{} is in no layer", relative.display()));
        for other in used(&fs::read_to_string(&file).unwrap()) {
            match layer(&other) {
                Some(theirs) if theirs <= own => {}
                _ => wrong.push(format!("{} uses crate::{other}", relative.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point back:\n{}", wrong.join("\n"));
}
