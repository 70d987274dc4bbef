//! Words spelled to deceive are read as what they say, and all else is left as it is.

use std::collections::HashMap;
use std::sync::LazyLock;

use polemic::model::Model;
use polemic::model::explain::{Explanation, Kind};
use polemic::model::scoring::{Item, Scratch};
use polemic::text::clean::Clean;
use polemic::text::normalize::{Letters, Lexicon, Memory, Standing, normalize};
use polemic::text::words::{Words, hash};
use proptest::prelude::*;

use crate::support::shipped;

/// Words worth hiding, heaviest first.
const HEAVY: [&str; 10] =
    ["fuck", "idiot", "bitch", "stupid", "moron", "asshole", "ass", "shit", "fucking", "shithead"];
/// Words of some weight.
const LIGHT: [&str; 6] = ["you", "hate", "your", "loser", "fool", "usa"];
/// Words of none.
const PLAIN: &str = "a i an are am the that was it he hell she shell good god so no yes not very nice man by us rated wrote read on at \
                     pass word well known state of art and this class ass-free hello world f k x s t u d o m n r h sh ck name cafe \
                     naive said joe example com covid x-ray grass really jk";

/// A lexicon of a few words.
struct Few;

impl Lexicon for Few {
    fn row(&self, hashed: u64) -> Option<u32> {
        static ROWS: LazyLock<HashMap<u64, u32>> = LazyLock::new(|| {
            let words = HEAVY.into_iter().chain(LIGHT).chain(PLAIN.split_whitespace());
            words.zip(0..).map(|(word, row)| (hash(word), row)).collect()
        });
        ROWS.get(&hashed).copied()
    }

    fn standing(&self, row: u32) -> Standing {
        let place = row as usize;
        let standing = |rank: usize, weight: f32, heavy| Standing { rank: rank as u32, weight, settled: true, heavy };
        if place < HEAVY.len() {
            standing(100 + place, 20.0 - place as f32, true)
        } else if place < HEAVY.len() + LIGHT.len() {
            standing(50 + place, 1.0, false)
        } else {
            standing(200 + place, 0.0, false)
        }
    }

    fn heaviest(&self, shape: &[Letters], light: bool) -> Option<(&str, Standing)> {
        let fits = |word: &&&str| {
            word.len() == shape.len() && word.bytes().zip(shape).all(|(b, letters)| letters & (1 << (b - b'a')) != 0)
        };
        let light = if light { &LIGHT[..] } else { &[] };
        let word = HEAVY.iter().chain(light).find(fits)?;
        Some((word, self.find(word)?))
    }

    fn misspelt(&self, word: &str) -> Option<(&str, Standing)> {
        let known = [("idoit", "idiot"), ("stupd", "stupid"), ("mroon", "moron"), ("yuo", "you")];
        let (_, right) = known.into_iter().find(|(wrong, _)| *wrong == word)?;
        Some((right, self.find(right)?))
    }
}

fn read(text: &str) -> String {
    let clean = Clean::new(text);
    let mut words = Words::default();
    words.read(&clean, &[]);
    normalize(&mut words, &clean, &Few, &mut Memory::default());
    words.joined().trim().to_owned()
}

#[test]
fn digits_and_signs_are_the_letters_they_look_like() {
    for (text, said) in [
        ("You 1d10t", "you idiot"),
        ("5tup1d man", "stupid man"),
        ("what an @sshole!", "what an asshole !"),
        ("a$$hole", "asshole"),
        ("dumb a$$", "dumb ass"),
        ("$h1t", "shit"),
        ("sh!t", "shit"),
        ("B1TCH", "bitch"),
        ("y0u 1diot", "you idiot"),
        ("sh1t-head", "shithead"),
        ("you're-an-1d10t, joe", "you're - an - idiot , joe"),
    ] {
        assert_eq!(read(text), said, "{text}");
    }
}

#[test]
fn letters_set_apart_are_one_word() {
    for (text, said) in [
        ("you i d i o t", "you idiot"),
        ("you are an I D I O T!", "you are an idiot !"),
        ("you i.d.i.o.t", "you idiot"),
        ("s-t-u-p-i-d", "stupid"),
        ("s t u p 1 d", "stupid"),
        ("he is a m o r o n", "he is a moron"),
        ("i d\ni o t", "idiot"),
        ("s_t_u_p_i_d", "stupid"),
        ("mo ron", "moron"),
        ("y o u", "you"),
    ] {
        assert_eq!(read(text), said, "{text}");
    }
}

#[test]
fn look_alikes_of_other_scripts_and_hidden_characters_change_nothing() {
    for text in [
        "\u{456}d\u{456}\u{43e}t",                       // Cyrillic
        "idi\u{3bf}t",                                   // Greek
        "\u{ff49}\u{ff44}\u{ff49}\u{ff4f}\u{ff54}",      // full width
        "\u{1d4f2}\u{1d4ed}\u{1d4f2}\u{1d4f8}\u{1d4fd}", // mathematical
        "\u{26a}\u{1d05}\u{26a}\u{1d0f}\u{1d1b}",        // small capitals
        "i\u{200b}d\u{200b}iot",
        "id\u{ad}iot",
        "\u{ef}d\u{ee}\u{f6}t",
        "i\u{336}d\u{336}i\u{336}o\u{336}t",
    ] {
        assert_eq!(read(text), "idiot", "{text}");
    }
    for (text, said) in
        [("\u{4cf}oser", "loser"), ("f\u{3c5}\u{441}\u{43a}", "fuck"), ("m\u{43e}\u{433}\u{43e}\u{43f}", "moron")]
    {
        assert_eq!(read(text), said, "{text}");
    }
}

#[test]
fn stretched_words_are_cut_to_a_known_one() {
    for (text, said) in [
        ("idiooooot", "idiot"),
        ("stuuupid", "stupid"),
        ("iiddiioott", "idiot"),
        ("asssss", "ass"),
        ("fooool", "fool"),
        ("sooooo goooood", "so good"),
        ("bl\u{f6}\u{f6}\u{f6}d", "bl\u{f6}\u{f6}\u{f6}d"),
    ] {
        assert_eq!(read(text), said, "{text}");
    }
}

#[test]
fn masked_letters_are_those_of_the_heaviest_word_of_the_shape() {
    for (text, said) in [
        ("f**k this", "fuck this"),
        ("f*cking", "fucking"),
        ("id*ot", "idiot"),
        ("s#it", "shit"),
        ("f@ck", "fuck"),
        ("f-ck you", "fuck you"),
        ("f***!", "fuck !"),
        ("m***n", "moron"),
        ("y*u", "you"),
        ("\"f*ck\"", "\" fuck \""),
    ] {
        assert_eq!(read(text), said, "{text}");
    }
}

#[test]
fn usual_misspellings_of_heavy_words_are_those_words() {
    assert_eq!(read("stupd idoit, yuo mroon"), "stupid idiot , you moron");
}

#[test]
fn what_hides_nothing_is_left_as_it_is() {
    for text in [
        "j . k . r . wrote it",
        "he rated it a +",
        "u . s . a .",
        "i am not a man",
        "1st , 20s , 5pm , 12 / 05 / 2020 , 455",
        "covid19 and mp3 and 4k",
        ": - ) ; - p",
        "* really * * * nice * *",
        "he'll , it's , she'll , can't , o'hara's",
        "well - known state - of - the - art",
        "joe @user and @user",
        "naive caf\u{e9} , m\u{e1}s , s\u{103}",
        "foo * bar",
        "a * b * c",
        "1 * 2 * 3",
        "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}",
    ] {
        assert_eq!(read(text), text);
    }
    for (text, said) in [
        ("J. K. R. wrote it", "j . k . r . wrote it"),
        ("U.S.A. and A+", "u . s . a . and a +"),
        ("The A55 and the B52", "the a55 and the b52"),
        ("rated A* by us", "rated a * by us"),
        ("*really* **nice**", "* really * * * nice * *"),
        ("12/05/2020 at 4:20", "12 / 05 / 2020 at 4 : 20"),
        ("s)he said", "s ) he said"),
        ("snake_case_name", "snake_case_name"),
        ("x*y and foo*bar()", "x * y and foo * bar ( )"),
        ("@anus @itch https://a.example/f*ck", "@user @user httpurl"),
        ("grass, class and pass-word", "grass , class and pass - word"),
        ("g r a s s", "g r a s s"),
    ] {
        assert_eq!(read(text), said, "{text}");
    }
}

#[test]
fn a_rewritten_word_keeps_its_place_and_how_it_was_typed() {
    let text = "hello <b>I D I O T</b>, fuckkkk";
    let clean = Clean::new(text);
    let mut words = Words::default();
    words.read(&clean, &[]);
    normalize(&mut words, &clean, &Few, &mut Memory::default());
    assert_eq!(words.joined(), " hello idiot , fuck ");
    assert_eq!(&text[words.source(&clean, 1..2)], "I D I O T");
    let flags: Vec<_> = words.iter().map(|w| (w.shouted, w.stretched)).collect();
    assert_eq!(flags, [(false, false), (true, false), (false, false), (false, true)]);
}

#[test]
fn a_quotation_is_not_read_across() {
    let text = "i d XX i o t";
    let clean = Clean::new(text);
    let mut words = Words::default();
    words.read(&clean, std::slice::from_ref(&(4..6)));
    normalize(&mut words, &clean, &Few, &mut Memory::default());
    assert_eq!(words.joined(), " i d i o t ");
}

fn insult(model: &Model, text: &str) -> Explanation {
    let k = model.label("insult").unwrap();
    model.explain(&Item { text, ..Item::default() }, &mut Scratch::default()).unwrap().swap_remove(k)
}

#[test]
fn a_disguised_insult_is_explained_by_the_words_as_they_were_written() {
    let model = shipped();
    let plain = insult(model, "What an idiot you are.");
    let head = &model.manifest.labels[model.label("insult").unwrap()];
    assert!(plain.probability > head.threshold);
    for spelled in ["1d10t", "i d i o t", "id*ot", "\u{456}d\u{456}ot", "i\u{200b}d\u{200b}iot", "idiooot", "idoit"] {
        let text = format!("What an {spelled} you are.");
        let found = insult(model, &text);
        assert!((found.probability - plain.probability).abs() < 0.1, "{text}: {}", found.probability);
        let word = found.shares.iter().find(|s| s.kind == Kind::Word).unwrap();
        let span = word.span.unwrap();
        assert_eq!((word.text.as_str(), &text[span.start..span.end]), (spelled, spelled));
        let sum = found.base + found.shares.iter().map(|s| s.share).sum::<f32>();
        assert!((sum - found.logit).abs() < 1e-3);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_its_words_stay_in_order_in_the_source(text in "[a-dfhikostuIDOT015@$*#!._'\\- \u{456}\u{e9}\u{301}\u{200b}<b>&;]{0,60}") {
        let clean = Clean::new(&text);
        let mut words = Words::default();
        words.read(&clean, &[]);
        let before = words.clone();
        normalize(&mut words, &clean, &Few, &mut Memory::default());
        prop_assert!(words.len() <= before.len());
        prop_assert_eq!(words.joined().split_whitespace().count(), words.len());
        let places: Vec<_> = (0..words.len()).map(|i| words.source(&clean, i..i + 1)).collect();
        prop_assert!(places.iter().all(|place| text.get(place.clone()).is_some()));
        prop_assert!(places.windows(2).all(|two| two[0].start <= two[1].start && two[0].end <= two[1].end));
        let once = words.joined();
        if once == before.joined() {
            prop_assert!(words.iter().eq(before.iter()));
        }
    }
}
