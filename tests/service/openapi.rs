use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::server::{Answer, Server};

fn document() -> Value {
    serde_json::from_str(include_str!("../../src/serve/openapi.json")).unwrap()
}

/// A schema, with what it refers to.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(name) => &document["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    }
}

/// Asserts that a value keeps to a schema: the parts of JSON Schema that the document uses.
fn keeps_to(document: &Value, schema: &Value, value: &Value, place: &str) {
    let schema = resolved(document, schema);
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|one| std::panic::catch_unwind(|| keeps_to(document, one, value, place)).is_ok());
        assert!(fits, "{place}: {value} fits nothing of {schema}");
        return;
    }
    let is_of_kind = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some(other) => panic!("{other}"),
    };
    assert!(is_of_kind, "{place}: {value} is no {}", schema["type"]);
    if let Some(choices) = schema["enum"].as_array() {
        assert!(choices.contains(value), "{place}: {value}");
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64()) {
        assert!(number >= least && schema["maximum"].as_f64().is_none_or(|most| number <= most), "{place}: {value}");
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(name.as_str().unwrap()).is_some(), "{place} has no {name}: {value}");
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(known), _) => keeps_to(document, known, inner, &format!("{place}.{name}")),
            (None, Value::Object(_)) => {
                keeps_to(document, &schema["additionalProperties"], inner, &format!("{place}.{name}"));
            }
            (None, other) => assert!(other != &Value::Bool(false), "{place}: unexpected {name}"),
        }
    }
    for (i, inner) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            keeps_to(document, &schema["items"], inner, &format!("{place}[{i}]"));
        }
    }
}

/// Asserts that an answer is one that the document names.
fn is_documented(document: &Value, operation: &Value, answer: &Answer, place: &str) {
    let described = &operation["responses"][answer.status.to_string()];
    assert!(described.is_object(), "{place}: status {} is not in the document: {}", answer.status, answer.text);
    let kind = answer.kind.split(';').next().unwrap();
    let Some(content) = described["content"].as_object() else {
        assert_eq!(answer.text, "", "{place}");
        return;
    };
    let content = content.get(kind).unwrap_or_else(|| panic!("{place}: {} as {kind}", answer.status));
    if ["application/json", "application/problem+json"].contains(&kind) {
        keeps_to(document, &content["schema"], &answer.json(), place);
    }
}

/// Values that keep to a schema, mostly.
fn values(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let schema = resolved(document, schema);
    let any_of = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    if let (Some(any), false) = (any_of, schema["properties"].is_object()) {
        return proptest::strategy::Union::new(any.iter().map(|one| values(document, one))).boxed();
    }
    if let Some(choices) = schema["enum"].as_array() {
        return prop::sample::select(choices.clone()).boxed();
    }
    let wrong =
        prop_oneof![Just(json!(null)), Just(json!(-1)), Just(json!({})), Just(json!([[]])), Just(json!("\u{0}"))];
    let right = match schema["type"].as_str() {
        Some("string") => prop_oneof![
            4 => "[a-zA-Z ,.!?😀é]{0,60}".prop_map(Value::from),
            1 => ".{0,200}".prop_map(Value::from),
        ]
        .boxed(),
        Some("number") => (0.0..=1.0).prop_map(|number: f64| json!(number)).boxed(),
        Some("integer") => any::<i64>().prop_map(Value::from).boxed(),
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("null") => Just(Value::Null).boxed(),
        Some("array") => prop::collection::vec(values(document, &schema["items"]), 0..4).prop_map(Value::from).boxed(),
        _ => objects(document, schema),
    };
    prop_oneof![30 => right, 1 => wrong].boxed()
}

fn objects(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields: BoxedStrategy<Map<String, Value>> = Just(Map::new()).boxed();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let share = if required.contains(&name.as_str()) { 0.97 } else { 0.3 };
        let (name, value) = (name.clone(), prop::option::weighted(share, values(document, inner)));
        fields = (fields, value)
            .prop_map(move |(mut fields, value)| {
                fields.extend(value.map(|value| (name.clone(), value)));
                fields
            })
            .boxed();
    }
    if schema["additionalProperties"].is_object() {
        let more = prop::collection::vec(
            (
                prop_oneof!["[a-z_]{1,12}", Just("TOXICITY".to_owned())],
                values(document, &schema["additionalProperties"]),
            ),
            0..3,
        );
        fields = (fields, more)
            .prop_map(|(mut fields, more)| {
                fields.extend(more);
                fields
            })
            .boxed();
    }
    fields.prop_map(Value::Object).boxed()
}

#[test]
fn every_operation_is_there_and_answers_as_documented_whatever_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("f.db");
    let server = Server::start(&["--db", db.to_str().unwrap()]);
    let document = document();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let place = format!("{method} {path}");
            if method == "get" {
                is_documented(&document, operation, &server.get(path), &place);
                continue;
            }
            // The other method is not there, so the path is routed and not merely caught.
            assert_eq!(server.get(path).status, 405, "{place}");
            is_documented(&document, operation, &server.send(path, &[], ""), &place);
            for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
                let bodies = values(&document, &content["schema"]);
                let asked = runner.run(&bodies, |body| {
                    let body = match (kind.as_str(), &body) {
                        ("application/json", body) => body.to_string(),
                        ("application/x-www-form-urlencoded", Value::Object(fields)) => form(fields),
                        (_, Value::String(text)) => text.clone(),
                        (_, other) => other.to_string(),
                    };
                    is_documented(
                        &document,
                        operation,
                        &server.send(path, &[("content-type", kind)], &body),
                        &format!("{place} {body}"),
                    );
                    Ok(())
                });
                asked.unwrap();
            }
        }
    }
    assert!(operations >= 20, "{operations}");
}

fn form(fields: &Map<String, Value>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        form.append_pair(name, value.as_str().unwrap_or_default());
    }
    form.finish()
}
