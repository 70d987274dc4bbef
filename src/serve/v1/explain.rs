//! `/v1/explain`: the words behind the scores of a comment; the fields of `polemic explain --json`.

use std::borrow::Cow;

use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ok;
use super::problem::Problem;
use crate::model::explain::Explanation;
use crate::model::scoring::{Item, Scratch};
use crate::record::rounded;
use crate::serve::app::App;
use crate::serve::scorer::Loaded;

/// Longest text that is explained, in bytes: an explanation is many times as long as its text.
const LONGEST: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    parent_text: Option<Cow<'a, str>>,
    /// Only these labels; none: all.
    #[serde(default)]
    labels: Vec<String>,
    /// The stance toward these targets, mentioned or not.
    #[serde(default)]
    targets: Vec<String>,
}

/// Answers a body.
pub async fn explain(app: &App, body: &[u8]) -> Result<Response, Problem> {
    let request: Request<'_> = serde_json::from_slice(body).map_err(|e| Problem::bad(format!("the body: {e}")))?;
    if request.text.len() > LONGEST {
        return Err(Problem::bad(format!("`text` is longer than {LONGEST} bytes: explain a part of it")));
    }
    let loaded = app.model.load_full();
    if let Some(unknown) = request.labels.iter().find(|label| loaded.model.label(label).is_none()) {
        return Err(Problem::bad(format!("no label `{unknown}` in the model {}: /v1/models lists them", loaded.id)));
    }
    let bytes = 4 * (request.text.len() + request.parent_text.as_deref().map_or(0, str::len));
    let explained = app.work(bytes, || loaded.with_scratch(|_, scratch| explained(&loaded, &request, scratch)));
    let body = serde_json::to_vec(&explained.await).map_err(|e| Problem::bad(e.to_string()))?;
    app.metrics.scored(1);
    Ok(ok(body))
}

fn explained(loaded: &Loaded, request: &Request<'_>, scratch: &mut Scratch) -> Value {
    let model = &loaded.model;
    let item = Item {
        text: &request.text,
        parent: request.parent_text.as_deref(),
        targets: &request.targets,
        ..Item::default()
    };
    let mut record = Map::new();
    match model.explain(&item, scratch) {
        Ok(explanations) => {
            let is_wanted = |e: &&Explanation| request.labels.is_empty() || request.labels.contains(&e.label);
            let labels: Vec<Value> = explanations.iter().filter(is_wanted).map(|e| label(loaded, e)).collect();
            record.insert("labels".into(), labels.into());
            let parent = model.score(&item, scratch).ok().and_then(|scores| scores.parent);
            if let Some((head, p)) = model.manifest.parent.as_ref().zip(parent) {
                let classes = head.step.classes.iter().cloned().zip(p.into_iter().map(|p| rounded(p).into()));
                record.insert("stance".into(), json!({"parent": Value::Object(classes.collect())}));
            }
            let targets = model.explain_targets(&item, scratch).unwrap_or_default();
            if !targets.is_empty() {
                record.insert("targets".into(), json!(targets));
            }
        }
        Err(why) => {
            record.insert("unscored".into(), why.reason().into());
        }
    }
    record.insert("model".into(), loaded.id.clone().into());
    Value::Object(record)
}

/// An explanation, with what the label makes of it.
fn label(loaded: &Loaded, explanation: &Explanation) -> Value {
    let mut value = json!(explanation);
    let model = &loaded.model;
    if let Some((k, head)) = model.label(&explanation.label).and_then(|k| Some((k, model.manifest.labels.get(k)?))) {
        value["threshold"] = rounded(head.threshold).into();
        value["experimental"] = head.experimental.into();
        if let Some(reason) = model.left_open(k, explanation.probability) {
            value["unscored"] = reason.into();
        }
    }
    value
}
