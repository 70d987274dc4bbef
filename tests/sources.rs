//! Holds the list of public corpora to the recipe that trains on them.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

fn table(path: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("training-data").join(path);
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

/// What the recipe says of each corpus, by name: its training file and its labels.
fn recipe() -> BTreeMap<String, (Value, Value)> {
    let recipe = table("recipes/news-en.toml");
    let sources = recipe["source"].as_array().unwrap().iter();
    let public = sources.filter(|s| !s["path"].as_str().unwrap().starts_with("../"));
    public.map(|s| (s["name"].as_str().unwrap().to_owned(), (s["path"].clone(), s["labels"].clone()))).collect()
}

#[test]
fn sources_and_recipe_say_the_same() {
    let sources = table("sources.toml");
    let used = sources.iter().filter(|(_, corpus)| corpus.get("recipe").is_none());
    let stated = used.map(|(name, c)| (name.clone(), (c["train"]["path"].clone(), c["labels"].clone()))).collect();
    assert_eq!(recipe(), stated);
}

#[test]
fn no_two_corpora_of_the_recipe_share_texts() {
    let sources = table("sources.toml");
    let recipe = recipe();
    for name in recipe.keys() {
        let never = sources[name].get("never_with").and_then(Value::as_array).into_iter().flatten();
        let both: Vec<&str> = never.filter_map(Value::as_str).filter(|other| recipe.contains_key(*other)).collect();
        assert!(both.is_empty(), "{name} shares texts with {both:?}");
    }
}
