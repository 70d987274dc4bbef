//! The checker of our own training data: every row keeps to `training-data/CODEBOOK.md`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::support::project;

const STANCES: [&str; 4] = ["support", "deny", "query", "comment"];
const TARGET_STANCES: [&str; 3] = ["favor", "against", "none"];
const TOPICS: [&str; 6] = ["war", "election", "city", "sport", "technology", "health"];
/// Labels that bring incivility with them.
const UNCIVIL: [&str; 4] = ["insult", "threat", "identity_attack", "attack_on_commenter"];

fn read(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(project("training-data").join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Rows of both files, in their order.
fn all() -> Vec<Value> {
    [read("train.jsonl"), read("test.jsonl")].concat()
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("{}: {field} is no text", row["id"]))
}

fn codebook() -> String {
    std::fs::read_to_string(project("training-data/CODEBOOK.md")).unwrap()
}

/// The labels that the codebook's tables define.
fn labels() -> BTreeSet<String> {
    let book = codebook();
    let from = book.find("## Incivility").unwrap();
    let to = book.find("## Stance toward the parent").unwrap();
    let names = book[from..to].lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    names.map(str::to_owned).collect()
}

/// The targets that the codebook lists for war threads.
fn war_targets() -> BTreeSet<String> {
    let book = codebook();
    let from = book.find("War threads use exactly these targets").unwrap();
    let to = from + book[from..].find("Other topics").unwrap();
    book[from..to].split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Fails with every row of which `wrong` says what is wrong.
fn none(rows: &[Value], wrong: impl Fn(&Value) -> Option<String>) {
    let found: Vec<String> =
        rows.iter().filter_map(|row| Some(format!("{}: {}", row["id"].as_str()?, wrong(row)?))).collect();
    assert!(found.is_empty(), "{} rows:\n{}", found.len(), found.join("\n"));
}

#[test]
fn there_are_300_comments_in_30_threads_and_each_thread_stands_in_one_file() {
    let threads = |rows: &[Value]| rows.iter().map(|r| text(r, "thread_id").to_owned()).collect::<BTreeSet<_>>();
    let (train, test) = (read("train.jsonl"), read("test.jsonl"));
    assert!(train.len() + test.len() >= 300);
    assert!(threads(&train).len() + threads(&test).len() >= 30 && !threads(&test).is_empty());
    assert_eq!(threads(&train).intersection(&threads(&test)).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn ids_are_the_threads_and_a_number_and_stand_once() {
    let rows = all();
    let ids: BTreeSet<&str> = rows.iter().map(|r| text(r, "id")).collect();
    assert_eq!(ids.len(), rows.len());
    none(&rows, |row| {
        let number = text(row, "id").strip_prefix(text(row, "thread_id"))?.strip_prefix('-').map(str::parse::<u32>);
        (!matches!(number, Some(Ok(_)))).then(|| "no thread, dash, number".into())
    });
}

#[test]
fn no_text_stands_twice_and_none_is_empty() {
    let mut seen: HashMap<String, String> = HashMap::new();
    for row in all() {
        let words = text(&row, "text").to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            !words.is_empty() && !text(&row, "author").is_empty() && !text(&row, "title").is_empty(),
            "{}",
            row["id"]
        );
        // "lol" and "source?" are what people write.
        if words.len() > 20 {
            let id = text(&row, "id").to_owned();
            assert_eq!(seen.insert(words, id), None, "{} repeats a text", row["id"]);
        }
    }
}

#[test]
fn parents_stand_earlier_in_their_thread_and_rows_carry_their_text() {
    let mut seen: HashMap<String, Value> = HashMap::new();
    for row in all() {
        match &row["parent_id"] {
            Value::Null => assert!(row.get("parent_text").is_none(), "{}: a root with a parent's text", row["id"]),
            parent => {
                let parent =
                    seen.get(parent.as_str().unwrap()).unwrap_or_else(|| panic!("{}: no such parent", row["id"]));
                assert_eq!(parent["thread_id"], row["thread_id"], "{}", row["id"]);
                assert_eq!(parent["text"], row["parent_text"], "{}", row["id"]);
            }
        }
        seen.insert(text(&row, "id").to_owned(), row);
    }
}

#[test]
fn every_label_of_the_codebook_is_decided_on_every_row() {
    let labels = labels();
    assert_eq!(labels.len(), 21);
    assert!(labels.iter().all(|l| polemic::label::find(l).is_some()), "the codebook's labels are the product's");
    none(&all(), |row| {
        let decided = row["labels"].as_object()?;
        let names: BTreeSet<String> = decided.keys().cloned().collect();
        let odd = decided.values().any(|v| v != 0 && v != 1);
        (names != labels || odd).then(|| format!("{decided:?}"))
    });
}

#[test]
fn replies_and_only_they_have_a_stance_toward_the_parent() {
    none(&all(), |row| match (row["parent_id"].is_null(), row.get("reply_stance")) {
        (true, None) => None,
        (false, Some(Value::String(stance))) if STANCES.contains(&stance.as_str()) => None,
        (_, stance) => Some(format!("{stance:?}")),
    });
}

#[test]
fn stances_are_of_the_three_classes_and_war_threads_use_the_listed_targets() {
    let war = war_targets();
    assert_eq!(war.len(), 9, "{war:?}");
    none(&all(), |row| {
        let topic = row["meta"]["topic"].as_str().unwrap_or_default();
        if !TOPICS.contains(&topic) {
            return Some(format!("topic {topic}"));
        }
        let stances = row.get("stances").and_then(Value::as_object).into_iter().flatten();
        stances
            .filter(|(target, class)| {
                !TARGET_STANCES.contains(&class.as_str().unwrap_or_default())
                    || (topic == "war" && !war.contains(*target))
                    || target.trim().is_empty()
            })
            .map(|(target, class)| format!("{target}: {class}"))
            .next()
    });
    let topics: BTreeMap<String, usize> = all().iter().fold(BTreeMap::new(), |mut n, row| {
        *n.entry(text(&row["meta"], "topic").to_owned()).or_default() += 1;
        n
    });
    assert_eq!(topics.len(), TOPICS.len(), "{topics:?}");
}

#[test]
fn attacks_bring_incivility_with_them() {
    none(&all(), |row| {
        let has = |label: &str| row["labels"][label] == 1;
        let attack = UNCIVIL.into_iter().find(|label| has(label))?;
        (!has("incivility")).then(|| format!("{attack} without incivility"))
    });
}
