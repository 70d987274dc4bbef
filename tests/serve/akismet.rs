use polemic::serve::Options;
use polemic::serve::feedback::export::{Wanted, export};
use serde_json::json;

use super::asking::{Answer, CIVIL, RUDE, Service, file, service};

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn check(service: &Service, fields: &[(&str, &str)]) -> Answer {
    let all: Vec<(&str, &str)> = [("blog", "https://blog.example"), ("user_ip", "192.0.2.1")]
        .into_iter()
        .chain(fields.iter().copied())
        .collect();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("host", "rest.polemic.test")];
    service.post("/1.1/comment-check", &headers, form(&all))
}

#[test]
fn rude_comments_are_true_and_civil_ones_false_and_nothing_else_is_written() {
    for (text, said) in [(RUDE, "true"), (CIVIL, "false"), ("", "false")] {
        let answer = check(service(), &[("comment_content", text)]);
        assert_eq!((answer.status.as_u16(), answer.text()), (200, said));
        assert!(answer.header("content-type").starts_with("text/plain"));
    }
    assert!(check(service(), &[("comment_content", RUDE)]).header("x-polemic-reasons").contains('='));
}

#[test]
fn administrators_never_and_akismets_test_authors_always_are_spam() {
    assert_eq!(check(service(), &[("comment_content", RUDE), ("user_role", "administrator")]).text(), "false");
    for (field, author) in [
        ("comment_author", "viagra-test-123"),
        ("comment_author", "akismet-guaranteed-spam"),
        ("comment_author_email", "akismet-guaranteed-spam@example.com"),
    ] {
        assert_eq!(check(service(), &[("comment_content", CIVIL), (field, author)]).text(), "true");
    }
}

#[test]
fn above_a_second_threshold_a_comment_is_to_be_discarded() {
    let text = "version = \"1\"\n[akismet]\nlabel = \"toxicity\"\nhold = 0.000001\ndiscard = 0.3\n";
    let (policy, _folder) = file("policy.toml", text);
    let service = Service::with(Options { policy: Some(policy), ..Options::default() });
    assert_eq!(check(&service, &[("comment_content", RUDE)]).header("x-akismet-pro-tip"), "discard");
    let civil = check(&service, &[("comment_content", CIVIL)]);
    assert_eq!((civil.text(), civil.header("x-akismet-pro-tip")), ("true", ""));
}

#[test]
fn what_is_malformed_is_neither_true_nor_false_and_says_why() {
    for body in ["", "comment_content=hm", "{\"json\": true}"] {
        let answer = service().post("/1.1/comment-check", &[], body);
        assert!(!["true", "false", "invalid"].contains(&answer.text()));
        assert!(answer.header("x-akismet-debug-help").contains("blog"));
    }
}

#[test]
fn a_key_stands_in_the_form_or_before_the_host() {
    let (service, _folder) = Service::locked(Options::default());
    let ask = |path: &str, host: &str, fields: &[(&str, &str)]| {
        service.post(path, &[("host", host)], form(fields)).text().to_owned()
    };
    let blog = ("blog", "https://blog.example");
    for (host, fields, said) in [
        ("rest.polemic.test", &[("key", "sesame"), blog][..], "valid"),
        ("rest.polemic.test", &[("api_key", "sesame"), blog], "valid"),
        ("sesame.polemic.test:8787", &[blog], "valid"),
        ("rest.polemic.test", &[("key", "wrong"), blog], "invalid"),
        ("127.0.0.1:8787", &[blog], "invalid"),
    ] {
        assert_eq!(ask("/1.1/verify-key", host, fields), said, "{host} {fields:?}");
    }
    let comment = [("comment_content", RUDE), blog];
    assert_eq!(ask("/1.1/comment-check", "sesame.polemic.test", &comment), "true");
    for path in ["/1.1/comment-check", "/1.1/submit-spam", "/1.1/submit-ham"] {
        assert_eq!(ask(path, "wrong.polemic.test", &comment), "invalid");
    }
    assert_eq!(service.get("/1.2/usage-limit?api_key=wrong").text(), "invalid");
    service.get("/1.2/usage-limit?api_key=sesame").ok();
}

#[test]
fn usage_counts_checks() {
    let service = Service::new();
    check(&service, &[("comment_content", CIVIL)]);
    let usage = service.get("/1.2/usage-limit?api_key=any").ok();
    assert_eq!(usage, json!({"limit": "none", "usage": 1, "percentage": 0, "throttled": false}));
}

#[test]
fn submissions_are_thanked_for_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("feedback.db");
    let service = Service::with(Options { db: Some(db.clone()), ..Options::default() });
    for (path, text) in [("/1.1/submit-spam", RUDE), ("/1.1/submit-ham", CIVIL)] {
        let fields =
            [("blog", "https://blog.example"), ("comment_content", text), ("permalink", "https://blog.example/1")];
        let answer = service.post(path, &[], form(&fields));
        assert_eq!(
            (answer.text(), answer.header("x-polemic-stored")),
            ("Thanks for making the web a better place.", "true")
        );
    }
    let mut rows = Vec::new();
    export(&db, &Wanted::default(), |row| {
        rows.push(row);
        Ok(())
    })
    .unwrap();
    let said: Vec<_> =
        rows.iter().map(|row| (row["text"].as_str().unwrap(), row.to_string().contains("\"spam\":1"))).collect();
    assert_eq!(said, [(RUDE, true), (CIVIL, false)]);
    let unkept =
        super::asking::service().post("/1.1/submit-ham", &[], form(&[("blog", "b"), ("comment_content", "c")]));
    assert_eq!(unkept.header("x-polemic-stored"), "false");
}
