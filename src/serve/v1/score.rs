//! `/v1/score`: one comment, many, or whole threads.

use std::collections::HashMap;

use axum::response::Response;
use serde::Serialize;

use super::answer::{Answer, Surroundings, answer};
use super::ok;
use super::problem::Problem;
use super::request::{Comment, Name};
use crate::serve::app::App;

/// The answer for many comments.
#[derive(Serialize)]
struct Many<'a> {
    comments: &'a [Answer<'a>],
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
}

/// Answers a body.
pub async fn score(app: &App, body: &[u8]) -> Result<Response, Problem> {
    let request = Comment::read(body)?;
    let (loaded, policy) = (app.model.load_full(), app.policy.load_full());
    let one = std::slice::from_ref(&request);
    let (comments, around) = match &request.comments {
        Some(comments) => (comments.as_slice(), places(&request, comments)),
        None => (one, vec![Surroundings::default()]),
    };
    let bytes = comments.iter().map(Comment::bytes).sum();
    let written = app.work(bytes, || {
        let answers: Vec<Answer<'_>> = loaded.with_scratch(|_, scratch| {
            let each = comments.iter().zip(&around);
            each.map(|(comment, around)| answer(&loaded, &policy, comment, around, scratch)).collect()
        });
        app.metrics.scored(answers.len() as u64);
        answers.iter().filter_map(|answer| answer.decision.as_ref()).for_each(|decision| app.metrics.decided(decision));
        match answers.as_slice() {
            [only] if request.comments.is_none() => serde_json::to_vec(only),
            many => {
                let policy = (!policy.is_default()).then(|| policy.version());
                serde_json::to_vec(&Many { comments: many, model: &loaded.id, policy })
            }
        }
    });
    written.await.map(ok).map_err(|e| Problem::bad(e.to_string()))
}

/// Where each comment stands: the text it answers and the one that opens its thread, by the ids of the request.
fn places<'a>(request: &'a Comment<'_>, comments: &'a [Comment<'_>]) -> Vec<Surroundings<'a>> {
    let mut index: HashMap<(Option<&Name>, &Name), usize> = HashMap::new();
    for (i, comment) in comments.iter().enumerate() {
        if let Some(id) = &comment.id {
            index.entry((comment.thread_id.as_ref(), id)).or_insert(i);
        }
    }
    let parent_of = |comment: &Comment<'_>| {
        let parent = comment.parent_id.as_ref()?;
        index.get(&(comment.thread_id.as_ref(), parent)).copied()
    };
    let parents: Vec<Option<usize>> = comments.iter().map(parent_of).collect();
    let text = |i: usize| comments.get(i).map(Comment::text);
    let place = |(parent, root): (&Option<usize>, Option<usize>)| Surroundings {
        parent: parent.and_then(text),
        root: root.filter(|_| parent.is_some()).and_then(text),
        site: request.site.as_deref(),
        targets: &request.targets,
        explain: request.explain,
        undecided: request.undecided,
    };
    parents.iter().zip(roots(&parents)).map(place).collect()
}

/// For each comment the one at the end of its chain of parents; none where the chain runs in a ring.
fn roots(parents: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut found: Vec<Option<Option<usize>>> = vec![None; parents.len()];
    for start in 0..parents.len() {
        let (mut path, mut at) = (Vec::new(), start);
        let root = loop {
            if let Some(known) = found.get(at).copied().flatten() {
                break known;
            }
            // Stands until the chain has ended: one that runs in a ring meets it.
            if let Some(slot) = found.get_mut(at) {
                *slot = Some(None);
            }
            path.push(at);
            match parents.get(at).copied().flatten() {
                Some(parent) => at = parent,
                None => break Some(at),
            }
        };
        for i in path {
            if let Some(slot) = found.get_mut(i) {
                *slot = Some(root);
            }
        }
    }
    found.into_iter().map(Option::flatten).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_stand_at_the_end_of_chains_and_rings_have_none() {
        let parents = [None, Some(0), Some(1), Some(4), Some(3), Some(5), Some(4)];
        assert_eq!(roots(&parents), [Some(0), Some(0), Some(0), None, None, None, None]);
        let chain: Vec<Option<usize>> = (0..100_000_usize).map(|i| i.checked_sub(1)).collect();
        assert!(roots(&chain).iter().all(|root| *root == Some(0)));
    }
}
