//! Language codes: two letters on the wire, three in models.

use isolang::Language;

/// The short code (ISO 639-1) of a language, where it has one.
pub fn short(code: &str) -> String {
    Language::from_639_3(code).and_then(|language| language.to_639_1()).unwrap_or(code).to_owned()
}

/// True if one of the languages that a client names (`en`, `en-US`, `eng`) is the model's; a model of none takes all.
pub fn any_is(named: &[String], own: Option<&str>) -> bool {
    let Some(own) = own else { return true };
    let is_own = |named: &String| {
        let code = named.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        code == own || Language::from_639_1(&code).is_some_and(|language| language.to_639_3() == own)
    };
    named.iter().any(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_lengths_and_with_regions_are_the_same_language() {
        assert_eq!((short("eng"), short("deu"), short("zzz")), ("en".into(), "de".into(), "zzz".into()));
        for (named, own, is) in [
            (vec!["en"], Some("eng"), true),
            (vec!["en-GB"], Some("eng"), true),
            (vec!["ENG"], Some("eng"), true),
            (vec!["fr", "en"], Some("eng"), true),
            (vec!["fr"], Some("eng"), false),
            (vec!["hi-Latn"], Some("eng"), false),
            (vec!["fr"], None, true),
        ] {
            let named: Vec<String> = named.into_iter().map(str::to_owned).collect();
            assert_eq!(any_is(&named, own), is, "{named:?}");
        }
    }
}
