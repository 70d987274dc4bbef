//! `comments:analyze`: a comment in, a probability an attribute out.

use axum::response::Response;

use super::answer::{Answer, Polemic, Scored, Scores, Span};
use super::error::Refused;
use super::request::{Analyze, Context, Entry, InOrder, Wanted};
use super::{ok, sentences};
use crate::model::scoring::{Item, Unscored};
use crate::serve::app::App;
use crate::serve::attributes::Attribute;
use crate::serve::scorer::Loaded;
use crate::serve::{languages, lenient};
use crate::text::html::{Newlines, fragment};

/// Answers a body.
pub async fn analyze(app: &App, body: &[u8]) -> Result<Response, Refused> {
    let request: Analyze = lenient::read(body).map_err(|what| Refused::json(&what))?;
    let (entry, text) = Entry::checked(request.comment.as_ref())?;
    let InOrder(wanted) = request.requested_attributes.as_ref().ok_or_else(Refused::no_attributes)?;
    if wanted.is_empty() {
        return Err(Refused::no_attributes());
    }
    let loaded = app.model.load_full();
    let attributes = known(&loaded, wanted)?;
    let parent = request.context.as_ref().map_or(Ok(None), Context::parent)?;
    let named = request.languages.as_deref().filter(|languages| !languages.is_empty());
    if let Some(named) = named
        && !languages::any_is(named, loaded.model.manifest.language.as_deref())
    {
        return foreign(&request, &loaded, &attributes, named, named, true);
    }
    // Each sentence is scored by itself, so spans cost the text once more.
    let with_spans = request.span_annotations.unwrap_or_default();
    let bytes = text.len() * if with_spans { 2 } else { 1 } + parent.map_or(0, str::len);
    let scored = app.work(bytes, || score(&loaded, entry, text, parent, with_spans)).await;
    app.metrics.scored(1);
    let own = |code: &str| vec![languages::short(code)];
    let (labels, spans) = match scored {
        Ok(scored) => scored,
        Err(Unscored::OtherLanguage(code)) => {
            let found = own(code);
            return foreign(&request, &loaded, &attributes, named.unwrap_or(&found), &found, false);
        }
        Err(_) => return Err(Refused::empty()),
    };
    let (summary, unsupported) = chosen(&loaded, &attributes, &labels)?;
    // The model took the text for its own language, or it was too short to tell.
    let detected = loaded.language.as_ref().map(std::slice::from_ref).or(named).unwrap_or_default();
    written(
        &request,
        &loaded,
        (&summary, &spans),
        &unsupported,
        [named.unwrap_or(detected), detected],
        parent.is_some(),
    )
}

/// An attribute that is asked for, and how.
type Asked<'a> = (Attribute, &'a Wanted);

/// What is asked for, if Perspective knows all of it and nothing but probabilities is wanted.
fn known<'a>(loaded: &Loaded, wanted: &'a [(String, Wanted)]) -> Result<Vec<Asked<'a>>, Refused> {
    let each = |(name, wanted): &'a (String, Wanted)| {
        let attribute = loaded.attributes.find(name).ok_or_else(|| Refused::unknown_attribute(name))?;
        match wanted.score_type.as_deref() {
            None | Some("" | "SCORE_TYPE_UNSPECIFIED" | "PROBABILITY") => Ok((attribute, wanted)),
            Some(other) => Err(Refused::score_type(name, other)),
        }
    };
    wanted.iter().map(each).collect()
}

/// Probabilities of the labels for the whole text, and its spans.
fn score(
    loaded: &Loaded,
    entry: &Entry,
    text: &str,
    parent: Option<&str>,
    with_spans: bool,
) -> Result<(Vec<f32>, Vec<Span>), Unscored> {
    loaded.with_scratch(|model, scratch| {
        let whole = if entry.is_html() {
            let html = fragment(text, Newlines::Collapse);
            model.score(&Item { text: &html.text, quotes: &html.quotes, parent, ..Item::default() }, scratch)?
        } else {
            model.score(&Item { text, parent, ..Item::default() }, scratch)?
        };
        let sentences = if with_spans { sentences::of(text) } else { Vec::new() };
        let spans = sentences.iter().zip(sentences::utf16(text, &sentences)).filter_map(|(sentence, [begin, end])| {
            let text = text.get(sentence.clone())?;
            let scored = model.score(&Item { text, parent, ..Item::default() }, scratch).ok()?;
            Some(Span { begin, end, labels: scored.labels })
        });
        let mut spans: Vec<Span> = spans.collect();
        if spans.is_empty() {
            let end = text.chars().map(char::len_utf16).sum();
            spans.push(Span { begin: 0, end, labels: Vec::new() });
        }
        Ok((whole.labels, spans))
    })
}

/// The attributes that are given, and those that are not because the model has no such label or leaves this comment open. If there is
/// nothing to give for that reason alone, the request is refused.
fn chosen(loaded: &Loaded, asked: &[Asked<'_>], labels: &[f32]) -> Result<(Vec<Scored>, Vec<&'static str>), Refused> {
    let (mut given, mut unsupported, mut first_open) = (Vec::with_capacity(asked.len()), Vec::new(), None);
    let mut below = false;
    for (attribute, wanted) in asked {
        let scored = attribute.head.and_then(|head| Some((head, *labels.get(head)?)));
        let open = scored.and_then(|(head, p)| loaded.model.left_open(head, p));
        match scored {
            Some((head, probability)) if open.is_none() => {
                if wanted.score_threshold.is_some_and(|threshold| f64::from(probability) < threshold) {
                    below = true;
                } else {
                    given.push(Scored { name: attribute.name, head, probability });
                }
            }
            _ => {
                unsupported.push(attribute.name);
                first_open = first_open.or(open.map(|reason| (attribute.name, reason)));
            }
        }
    }
    if !given.is_empty() || below {
        return Ok((given, unsupported));
    }
    Err(match (first_open, unsupported.first()) {
        (Some((name, reason)), _) => Refused::left_open(name, &reason),
        (None, name) => Refused::unknown_attribute(name.copied().unwrap_or_default()),
    })
}

/// The answer to a text in another language than the model's: `languages` is what the first attribute does not support, named by the
/// client or found.
fn foreign(
    request: &Analyze,
    loaded: &Loaded,
    asked: &[Asked<'_>],
    languages: &[String],
    found: &[String],
    named: bool,
) -> Result<Response, Refused> {
    let all: Vec<&'static str> = asked.iter().map(|(attribute, _)| attribute.name).collect();
    if !request.drop_unsupported_attributes.unwrap_or_default() {
        return Err(Refused::language(all.first().copied().unwrap_or_default(), found, named));
    }
    written(request, loaded, (&[], &[]), &all, [languages, found], false)
}

fn written(
    request: &Analyze,
    loaded: &Loaded,
    (summary, spans): (&[Scored], &[Span]),
    unsupported: &[&'static str],
    [languages, detected_languages]: [&[String]; 2],
    parent: bool,
) -> Result<Response, Refused> {
    let answer = Answer {
        attribute_scores: Scores { summary, spans },
        languages,
        detected_languages,
        client_token: request.client_token.as_deref(),
        polemic: Polemic { model: &loaded.id, unsupported, parent },
    };
    let body = serde_json::to_vec(&answer).map_err(|_| Refused::json("the answer could not be written"))?;
    Ok(ok(body))
}
