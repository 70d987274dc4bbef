use polemic::serve::Options;
use polemic::serve::keys::Keys;

use super::asking::{RUDE, Service, file, toxicity_of};
use crate::support::{bare, run};

#[test]
fn a_key_is_taken_from_the_query_and_from_either_header() {
    let (service, _folder) = Service::locked(Options::default());
    let body = toxicity_of(RUDE).to_string();
    let ask = |path: &str, headers: &[(&str, &str)]| service.post(path, headers, body.as_str()).status.as_u16();
    let path = "/v1alpha1/comments:analyze";
    for (query, headers, code) in [
        ("?key=sesame", &[][..], 200),
        ("?alt=json&key=%73esame", &[], 200),
        ("", &[("x-goog-api-key", "sesame")], 200),
        ("", &[("authorization", "Bearer sesame")], 200),
        ("?key=", &[("authorization", "bearer  sesame")], 200),
        ("?key=wrong", &[("x-goog-api-key", "sesame")], 400),
        ("", &[("authorization", "Basic sesame")], 400),
        ("?mykey=sesame", &[], 400),
        ("?key=sesam", &[], 400),
    ] {
        assert_eq!(ask(&format!("{path}{query}"), headers), code, "{query} {headers:?}");
    }
}

#[test]
fn without_a_file_of_keys_any_and_none_is_good() {
    let service = super::asking::service();
    for path in ["/comments:analyze", "/comments:analyze?key=x"] {
        service.post(path, &[], toxicity_of(RUDE).to_string()).ok();
    }
}

#[test]
fn a_made_key_is_shown_once_kept_as_a_hash_and_accepted() {
    let (path, _folder) = file("keys.txt", "");
    let ran = run(bare().args(["keys", "add", "newsroom", "--file"]).arg(&path));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let key = ran.out.trim();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(key.len() >= 32 && text.starts_with("newsroom ") && !text.contains(key), "{text}");
    let keys = Keys::open(&path).unwrap();
    let caller = keys.caller(Some(key)).unwrap();
    assert_eq!(keys.name(caller), Some("newsroom"));
    assert!(keys.caller(Some("another")).is_none() && keys.caller(None).is_none());
    assert_eq!(run(bare().args(["keys", "add", "two words", "--file"]).arg(&path)).code, 2);
}

#[test]
fn a_line_that_is_no_key_is_named() {
    let (path, _folder) = file("keys.txt", "# fine\nnewsroom plain-text-key\n");
    let error = Keys::open(&path).unwrap_err().to_string();
    assert!(error.contains("keys.txt:2") && error.contains("polemic keys add"), "{error}");
}

#[test]
fn a_key_that_is_taken_back_is_refused_after_a_reload() {
    let (service, folder) = Service::locked(Options::default());
    let ask = || service.post("/comments:analyze?key=sesame", &[], toxicity_of(RUDE).to_string()).status.as_u16();
    assert_eq!(ask(), 200);
    std::fs::write(folder.path().join("keys.txt"), "").unwrap();
    service.app.reload().unwrap();
    assert_eq!(ask(), 400, "a file without keys lets nobody in");
    std::fs::write(folder.path().join("keys.txt"), "broken").unwrap();
    assert!(service.app.reload().is_err());
    assert_eq!(ask(), 400, "a reload that fails changes nothing");
}
