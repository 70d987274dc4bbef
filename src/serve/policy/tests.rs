//! Tests of the policy: what wins over what, what is decided, what is said of mistakes.

use std::fs;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::error::Result;
use crate::features::style::Scale;
use crate::model::calibrate::Calibration;
use crate::model::doubt::Doubt;
use crate::model::{FORMAT, Manifest, Weights};

const LABELS: [&str; 4] = ["toxicity", "insult", "constructive", "sexism"];

fn loaded(labels: &[&str]) -> Loaded {
    let head = |name: &&str| LabelHead {
        name: (*name).to_owned(),
        threshold: 0.25,
        base_rate: 0.1,
        experimental: *name == "sexism",
        doubt: (*name == "sexism").then_some(Doubt {
            below: 0.1,
            above: 0.8,
            coverage: 0.5,
            accuracy: 0.9,
            precision: None,
        }),
        rows: 100,
        positives: 10,
        auc_out_of_fold: 0.9,
        calibration: Calibration::identity(),
    };
    let manifest = Manifest {
        format: FORMAT,
        name: "m".into(),
        version: "1.0.0".into(),
        description: String::new(),
        licence: String::new(),
        language: None,
        sources: Vec::new(),
        labels: labels.iter().map(head).collect(),
        parent: None,
        targets: None,
        known_targets: Vec::new(),
        style: Scale::of(std::iter::empty::<&[f32; crate::features::style::COUNT]>()),
        compounds: false,
        first_stage: Vec::new(),
        files: std::collections::BTreeMap::default(),
    };
    Loaded::new(Model::new(manifest, Weights::default(), None, None))
}

fn read(text: &str) -> Result<Policy> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, text).unwrap();
    Policy::open(&path, &loaded(&LABELS).model)
}

fn scores(labels: [f32; 4]) -> Scores {
    Scores { labels: labels.to_vec(), parent: None, targets: Vec::new() }
}

fn act(policy: &Policy, labels: [f32; 4], site: Option<&str>, role: Option<&str>) -> Action {
    policy.decide(&loaded(&LABELS), Ok(&scores(labels)), &Subject { site, role }).action
}

const POLICY: &str = r#"
version = "2026-11"
fail = "closed"
staff = ["EDITOR"]

[labels.toxicity]
nudge = 0.2
review = 0.4
hold = 0.8

[labels.insult]
review = 0.5

[role.MEMBER.labels.toxicity]
hold = "never"

[site."https://sport.example".labels.toxicity]
hold = 0.9

[site."https://sport.example".role.MEMBER.labels.toxicity]
hold = 0.95
"#;

#[test]
fn what_is_more_particular_wins_action_by_action() {
    let policy = read(POLICY).unwrap();
    let toxic = |p, site, role| act(&policy, [p, 0.0, 0.0, 0.0], site, role);
    let sport = Some("https://sport.example/");
    assert_eq!([0.1, 0.2, 0.4, 0.8].map(|p| toxic(p, None, None)), Action::ALL);
    assert_eq!(toxic(0.85, sport, None), Action::Review, "the site holds later and inherits review");
    assert_eq!(toxic(0.99, None, Some("member")), Action::Review);
    assert_eq!(toxic(0.96, sport, Some("Member")), Action::Hold);
    assert_eq!(toxic(0.94, sport, Some("MEMBER")), Action::Review);
    assert_eq!(toxic(0.85, Some("https://elsewhere.example"), Some("GUEST")), Action::Hold);
}

#[test]
fn a_decision_says_model_policy_and_reasons() {
    let policy = read(POLICY).unwrap();
    let decision = policy.decide(&loaded(&LABELS), Ok(&scores([0.45, 0.9, 0.9, 0.0])), &Subject::default());
    assert_eq!(
        serde_json::to_value(&decision).unwrap(),
        json!({"action": "review", "model": "m@1.0.0", "policy": "2026-11", "reasons": [
            {"label": "insult", "probability": 0.9, "threshold": 0.5, "action": "review"},
            {"label": "toxicity", "probability": 0.45, "threshold": 0.4, "action": "review"}]})
    );
}

#[test]
fn what_cannot_be_scored_passes_or_is_held_as_the_policy_says() {
    let (closed, open) = (read(POLICY).unwrap(), Policy::default());
    let unscored = |policy: &Policy, role| {
        policy.decide(&loaded(&LABELS), Err(Unscored::OtherLanguage("deu")), &Subject { role, site: None })
    };
    assert_eq!(unscored(&closed, None).action, Action::Hold);
    assert_eq!(unscored(&closed, Some("editor")).action, Action::Pass);
    let decision = unscored(&open, None);
    assert_eq!(decision.action, Action::Pass);
    assert!(decision.unscored.unwrap().contains("deu"));
}

#[test]
fn without_a_policy_the_labels_own_thresholds_count_and_experimental_ones_do_not() {
    let policy = Policy::default();
    let actions = [[0.3, 0.0, 0.0, 0.0], [0.0, 0.6, 0.0, 0.0], [0.0, 0.0, 0.99, 0.0], [0.0, 0.0, 0.0, 0.99]];
    let actions = actions.map(|scores| act(&policy, scores, None, None));
    assert_eq!(actions, [Action::Review, Action::Hold, Action::Pass, Action::Pass]);
}

#[test]
fn a_label_that_leaves_the_comment_open_is_no_reason() {
    let policy = read("version = \"1\"\n[labels.sexism]\nhold = 0.3").unwrap();
    assert_eq!(act(&policy, [0.0, 0.0, 0.0, 0.5], None, None), Action::Pass);
    assert_eq!(act(&policy, [0.0, 0.0, 0.0, 0.8], None, None), Action::Hold);
}

#[test]
fn labels_are_known_by_name_while_the_model_changes() {
    let policy = read("version = \"1\"\n[labels.insult]\nhold = 0.5").unwrap();
    let other = loaded(&["constructive", "toxicity", "insult"]);
    let scores = Scores { labels: vec![0.9, 0.9, 0.1], parent: None, targets: Vec::new() };
    assert_eq!(policy.decide(&other, Ok(&scores), &Subject::default()).action, Action::Pass);
    let scores = Scores { labels: vec![0.0, 0.0, 0.9], ..scores };
    assert_eq!(policy.decide(&other, Ok(&scores), &Subject::default()).action, Action::Hold);
}

#[test]
fn akismet_hears_the_decision_or_has_thresholds_of_its_own() {
    let verdict = |policy: &Policy, p, role| {
        let subject = Subject { role, site: None };
        policy.verdict(&loaded(&LABELS), Ok(&scores([p, 0.0, 0.0, 0.0])), &subject)
    };
    let plain = read(POLICY).unwrap();
    assert_eq!([0.7, 0.85, 0.99].map(|p| verdict(&plain, p, None)), [Verdict::Ham, Verdict::Spam, Verdict::Spam]);
    let own = read("version = \"1\"\n[akismet]\nhold = 0.6\ndiscard = 0.95").unwrap();
    assert_eq!([0.5, 0.7, 0.99].map(|p| verdict(&own, p, None)), [Verdict::Ham, Verdict::Spam, Verdict::Discard]);
    assert_eq!(verdict(&own, 0.99, Some("administrator")), Verdict::Ham);
}

#[test]
fn mistakes_are_named_with_their_line_and_remedy() {
    let cases = [
        (
            "version = \"1\"\n[labels.insullt]\nhold = 0.5",
            ":2",
            "no label `insullt` in the model m@1.0.0; it has toxicity, insult",
        ),
        ("version = \"1\"\n\n[role.X.labels.insullt]\nhold = 0.5", ":3", "no label `insullt`"),
        ("version = \"1\"\n[labels.insult]\nhold = 80", ":3", "a number from 0 to 1, as 0.7, or \"never\""),
        ("version = \"1\"\n[labels.insult]\nhold = nan", ":3", "a number from 0 to 1"),
        ("version = \"1\"\n[labels.insult]\nhold = 0.2\nreview = 0.4", ":2", "nudge ≤ review ≤ hold"),
        ("version = \"1\"\n[labels.insult]\nban = 0.2", ":3", "unknown field `ban`"),
        ("fail = \"open\"", "", "missing field `version`"),
        ("version = \"\"", ":1", "`version` is empty"),
        ("version = \"1\"\nfail = \"maybe\"", ":2", "unknown variant `maybe`"),
        ("version = \"1\"\n[akismet]\nhold = 0.9\ndiscard = 0.5", ":4", "should be the worst"),
        ("version = \"1\"\n[coral]\nsecret = \"\"", ":3", "the one that Coral shows"),
    ];
    for (text, line, words) in cases {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(&format!("policy.toml{line}")) && error.contains(words), "{text}\n{error}");
    }
}

#[test]
fn secrets_are_not_shown() {
    for (secret, known) in
        [("\"hush-hush\"", vec!["hush-hush"]), ("[\"hush-a\", \"hush-b\"]", vec!["hush-a", "hush-b"])]
    {
        let policy = read(&format!("version = \"1\"\n[coral]\nsecret = {secret}")).unwrap();
        assert_eq!(policy.coral_secrets, known);
        assert!(!format!("{policy:?}").contains("hush"));
    }
    for wrong in ["{ a = \"hush-hush\" }", "[\"hush-hush\", \"\"]", "[\"hush-hush\", 1]"] {
        let error = read(&format!("version = \"1\"\n[coral]\nsecret = {wrong}")).unwrap_err().to_string();
        assert!(!error.contains("hush") && error.contains("policy.toml:3"), "{error}");
    }
}

fn thresholds() -> impl Strategy<Value = [f32; 3]> {
    [0.0f32..=1.0, 0.0f32..=1.0, 0.0f32..=1.0].prop_map(|mut bounds| {
        bounds.sort_by(f32::total_cmp);
        bounds
    })
}

fn table(name: &str, bounds: &[[f32; 3]]) -> String {
    let one = |(label, [nudge, review, hold]): (&&str, &[f32; 3])| {
        format!("[{name}labels.{label}]\nnudge = {nudge:.4}\nreview = {review:.4}\nhold = {hold:.4}\n")
    };
    LABELS.iter().zip(bounds).map(one).collect()
}

proptest! {
    #[test]
    fn staff_is_never_held(
        general in prop::collection::vec(thresholds(), 4),
        own in prop::collection::vec(thresholds(), 4),
        p in [0.0f32..=1.0, 0.0f32..=1.0, 0.0f32..=1.0, 0.0f32..=1.0],
        role in prop::sample::select(vec!["STAFF", "staff", "Admin", "MODERATOR", "administrator"]),
    ) {
        let text = format!("version = \"1\"\nfail = \"closed\"\n{}{}", table("", &general), table("role.staff.", &own));
        let policy = read(&text).unwrap();
        prop_assert_eq!(act(&policy, p, Some("any"), Some(role)), Action::Pass);
    }

    #[test]
    fn raising_a_threshold_never_makes_an_action_stricter(
        mut bounds in prop::collection::vec(thresholds(), 4),
        p in [0.0f32..=1.0, 0.0f32..=1.0, 0.0f32..=1.0, 0.0f32..=1.0],
        label in 0usize..4,
        which in 0usize..3,
        by in 0.0f32..=1.0,
        site in any::<bool>(),
    ) {
        let place = if site { "site.s." } else { "" };
        let policy = |bounds: &[[f32; 3]]| read(&format!("version = \"1\"\n{}", table(place, bounds))).unwrap();
        let before = act(&policy(&bounds), p, Some("s"), None);
        // Raised as far as the order of the three allows.
        let above = bounds[label].get(which + 1).copied().unwrap_or(1.0);
        bounds[label][which] += (above - bounds[label][which]) * by;
        prop_assert!(act(&policy(&bounds), p, Some("s"), None) <= before);
    }
}
