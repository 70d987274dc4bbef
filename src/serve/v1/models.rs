//! `/v1/models`: what the model says, what each label means, and what it was measured on.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Weak};

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use crate::label;
use crate::model::{LabelHead, Model};
use crate::record::rounded;
use crate::serve::policy::{Fail, Policy};
use crate::serve::scorer::Loaded;

const EVALUATION: &str = "evaluation.json";
/// The figures of an evaluation that are told.
const FIGURES: [&str; 8] = ["n", "positives", "roc_auc", "roc_auc_95", "average_precision", "best_f1", "brier", "ece"];

/// The description of the model and policy in use, made once for them.
#[derive(Debug)]
pub struct Described {
    loaded: Weak<Loaded>,
    policy: Weak<Policy>,
    body: Bytes,
}

impl Described {
    /// Describes a model and a policy.
    pub fn new(loaded: &Arc<Loaded>, policy: &Arc<Policy>) -> Self {
        let body = json!({"models": [described(&loaded.model, policy)], "policy": of_policy(policy)});
        Self { loaded: Arc::downgrade(loaded), policy: Arc::downgrade(policy), body: body.to_string().into() }
    }

    /// True if it is of these.
    pub fn is_of(&self, loaded: &Arc<Loaded>, policy: &Arc<Policy>) -> bool {
        std::ptr::eq(self.loaded.as_ptr(), Arc::as_ptr(loaded))
            && std::ptr::eq(self.policy.as_ptr(), Arc::as_ptr(policy))
    }

    /// In JSON.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }
}

fn described(model: &Model, policy: &Policy) -> Value {
    let manifest = &model.manifest;
    let evaluation = model.folder.as_deref().and_then(evaluation).unwrap_or_default();
    let measured = evaluation["labels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let labels: Vec<Value> = manifest.labels.iter().map(|head| of_label(head, measured, policy)).collect();
    let sources: Vec<Value> = manifest
        .sources
        .iter()
        .map(|source| json!({"name": source.name, "licence": source.licence, "rows": source.rows}))
        .collect();
    let mut about = json!({
        "id": model.id(),
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "licence": manifest.licence,
        "language": manifest.language,
        "sha256": model.folder.as_deref().and_then(|folder| Model::hash(folder).ok()),
        "trained_on": sources,
        "measured_on_split": evaluation["split"],
        "labels": labels,
    });
    if let Some(parent) = &manifest.parent {
        about["stance_toward_parent"] = json!(parent.step.classes);
    }
    if let Some(targets) = &manifest.targets {
        let known: Vec<String> = manifest.targets_known().into_iter().map(|target| target.name).collect();
        about["stance_toward_targets"] = json!({"classes": targets.classes, "targets": known});
    }
    about
}

fn evaluation(folder: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(folder.join(EVALUATION)).ok()?).ok()
}

/// What a label is, where it begins and what it was measured on. A threshold of another service means nothing here.
fn of_label(head: &LabelHead, measured: &[Value], policy: &Policy) -> Value {
    let mut about = json!({
        "name": head.name,
        "threshold": rounded(head.threshold),
        "base_rate": rounded(head.base_rate),
        "experimental": head.experimental,
        "trained_on": {"rows": head.rows, "positives": head.positives},
        "auc_out_of_fold": rounded(head.auc_out_of_fold),
    });
    if let Some(known) = label::find(&head.name) {
        about["meaning"] = known.meaning.into();
        about["example"] = known.example.into();
        about["perspective"] = json!(known.perspective);
    }
    if let Some(doubt) = &head.doubt {
        about["decides"] = json!(doubt);
    }
    let figures: Vec<Value> = measured
        .iter()
        .filter(|row| row["product"] == head.name.as_str() && row["model"].is_object())
        .map(figures)
        .collect();
    about["measured_on"] = figures.into();
    let bounds: Map<String, Value> =
        policy.bounds(head).into_iter().map(|(action, p)| (action.name().to_owned(), rounded(p).into())).collect();
    about["policy"] = bounds.into();
    about
}

fn figures(row: &Value) -> Value {
    let mut about = Map::new();
    for name in ["corpus", "label", "in_training"] {
        about.insert(name.to_owned(), row[name].clone());
    }
    for name in FIGURES {
        about.insert(name.to_owned(), row["model"][name].clone());
    }
    Value::Object(about)
}

fn of_policy(policy: &Policy) -> Value {
    let fail = match policy.fail() {
        Fail::Open => "open",
        Fail::Closed => "closed",
    };
    json!({"version": policy.version(), "is_default": policy.is_default(), "fail": fail})
}
