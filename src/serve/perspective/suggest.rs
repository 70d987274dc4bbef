//! `comments:suggestscore`: what a moderator says a comment should have been scored.

use axum::response::Response;
use serde_json::{Map, json};

use super::error::Refused;
use super::request::{Context, Entry, InOrder, Suggest};
use crate::serve::app::App;
use crate::serve::feedback::Event;
use crate::serve::keys::Caller;
use crate::serve::{lenient, reply};

/// Keeps a suggestion; the answer comes once it is durable.
pub async fn suggest(app: &App, caller: Caller, body: &[u8]) -> Result<Response, Refused> {
    let request: Suggest = lenient::read(body).map_err(|what| Refused::json(&what))?;
    let (_, text) = Entry::checked(request.comment.as_ref())?;
    let InOrder(scores) = request
        .attribute_scores
        .as_ref()
        .filter(|scores| !scores.0.is_empty())
        .ok_or_else(|| Refused::request("Missing attribute_scores"))?;
    let loaded = app.model.load_full();
    let mut labels = Vec::with_capacity(scores.len());
    for (name, suggested) in scores {
        let attribute = loaded.attributes.find(name).ok_or_else(|| Refused::unknown_attribute(name))?;
        let value = suggested.summary_score.as_ref().and_then(|score| score.value);
        let value = value.filter(|value| (0.0..=1.0).contains(value));
        let missing = || Refused::request(format!("Attribute {name} needs a summary_score with a value from 0 to 1"));
        labels.push((attribute.label.to_owned(), value.ok_or_else(missing)?));
    }
    let parent = request.context.as_ref().map_or(Ok(None), Context::parent)?;
    let coral = request.context.as_ref().and_then(Context::coral);
    let named = request.languages.as_deref().filter(|languages| !languages.is_empty());
    let detected: Vec<&String> = loaded.language.iter().collect();
    if let Some(feedback) = &app.feedback {
        let event = Event {
            face: "perspective",
            text: text.to_owned(),
            parent: parent.map(str::to_owned),
            labels,
            site: request.community_id.clone(),
            client_token: request.client_token.clone(),
            thread_id: coral.as_ref().and_then(|ids| ids.url.clone()),
            parent_id: coral.and_then(|ids| ids.reply_to.map(|id| format!("comment:{id}"))),
            moderator: None,
            language: named.and_then(<[String]>::first).cloned(),
            key: app.keys.load().name(caller).map(str::to_owned),
            model: loaded.id.clone(),
        };
        feedback.record(event).await.map_err(|_| Refused::not_kept())?;
    }
    let mut answer = Map::new();
    if let Some(token) = &request.client_token {
        answer.insert("clientToken".into(), json!(token));
    }
    answer.insert("requestedLanguages".into(), named.map_or_else(|| json!(detected), |named| json!(named)));
    answer.insert("detectedLanguages".into(), json!(detected));
    answer.insert("polemic".into(), json!({"model": loaded.id, "stored": app.feedback.is_some()}));
    Ok(reply::json(axum::http::StatusCode::OK, &answer))
}
