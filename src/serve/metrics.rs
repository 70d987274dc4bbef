//! What the service counts, as Prometheus reads it.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::limits::Why;
use super::policy::{Action, Decision};

/// Upper ends of the buckets of the latency, in seconds. 0.8 is what Coral waits.
const BUCKETS: [f64; 14] =
    [0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 0.8, 5.0];

/// The contract that a request speaks, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(missing_docs, reason = "each is the name of a contract")]
pub enum Face {
    Perspective,
    OpenAi,
    Akismet,
    Coral,
    V1,
    /// Health, metrics, the page, whatever is nowhere.
    Other,
}

impl Face {
    /// Of a path.
    pub fn of(path: &str) -> Self {
        if path == "/v1/moderations" {
            Self::OpenAi
        } else if path.starts_with("/v1/") {
            Self::V1
        } else if path.starts_with("/1.1/") || path.starts_with("/1.2/") {
            Self::Akismet
        } else if path.starts_with("/coral/") {
            Self::Coral
        } else if path.contains("comments") || path.starts_with("/batch") || path.contains("discovery") {
            Self::Perspective
        } else {
            Self::Other
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    face: Face,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfFace {
    face: Face,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    action: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelName {
    model: String,
    policy: String,
}

/// All counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    latency: Family<OfFace, Histogram, fn() -> Histogram>,
    comments: Counter,
    decisions: Family<Decided, Counter>,
    shed: Family<Refused, Counter>,
    feedback: Counter,
    reloads: Counter,
    in_flight: Gauge,
    model: Family<ModelName, Gauge<i64>>,
    lag: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("polemic"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            comments: Counter::default(),
            decisions: Family::default(),
            shed: Family::default(),
            feedback: Counter::default(),
            reloads: Counter::default(),
            in_flight: Gauge::default(),
            model: Family::default(),
            lag: Gauge::default(),
        };
        let to = &mut metrics.registry;
        to.register("requests", "Requests answered, by contract and status", metrics.requests.clone());
        to.register(
            "request_duration_seconds",
            "From the head of a request to that of its answer",
            metrics.latency.clone(),
        );
        to.register("comments_scored", "Comments scored", metrics.comments.clone());
        to.register("decisions", "What the policy decided", metrics.decisions.clone());
        to.register("requests_refused", "Requests turned away unread, by reason", metrics.shed.clone());
        to.register("feedback_written", "Feedback kept", metrics.feedback.clone());
        to.register("reloads", "Times that model, keys and policy were read again", metrics.reloads.clone());
        to.register("requests_in_flight", "Requests being answered", metrics.in_flight.clone());
        to.register("model", "The model and the policy in use", metrics.model.clone());
        to.register("lag_seconds", "How long work that is due waits for its turn", metrics.lag.clone());
        metrics
    }
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, face: Face, status: StatusCode, after: Duration) {
        self.requests.get_or_create(&Request { face, status: status.as_u16() }).inc();
        self.latency.get_or_create(&OfFace { face }).observe(after.as_secs_f64());
    }

    /// Comments were scored.
    pub fn scored(&self, comments: u64) {
        self.comments.inc_by(comments);
    }

    /// The policy decided.
    pub fn decided(&self, decision: &Decision) {
        self.acted(decision.action);
    }

    /// The policy decided on an action.
    pub fn acted(&self, action: Action) {
        self.decisions.get_or_create(&Decided { action: action.name() }).inc();
    }

    /// A request was turned away.
    pub fn refused(&self, why: Why) {
        self.shed.get_or_create(&Refused { reason: why.name() }).inc();
    }

    /// Model, keys and policy were read again.
    pub fn reloaded(&self) {
        self.reloads.inc();
    }

    /// As Prometheus reads it.
    pub fn text(&self, in_flight: usize, lag: Duration, feedback: u64, model: &str, policy: &str) -> String {
        self.feedback.inc_by(feedback.saturating_sub(self.feedback.get()));
        self.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        self.lag.set(lag.as_secs_f64());
        self.model.clear();
        self.model.get_or_create(&ModelName { model: model.to_owned(), policy: policy.to_owned() }).set(1);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_belong_to_their_contract() {
        let of = [
            "/v1/moderations",
            "/v1/score",
            "/1.1/comment-check",
            "/coral/moderate",
            "/v1alpha1/comments%3Aanalyze",
            "/",
            "/x",
        ];
        let faces = [Face::OpenAi, Face::V1, Face::Akismet, Face::Coral, Face::Perspective, Face::Other, Face::Other];
        assert_eq!(of.map(Face::of), faces);
    }

    #[test]
    fn what_was_counted_is_told() {
        let metrics = Metrics::default();
        metrics.answered(Face::V1, StatusCode::OK, Duration::from_micros(70));
        metrics.acted(Action::Hold);
        let text = metrics.text(3, Duration::from_millis(2), 4, "m@1", "p");
        for line in [
            "polemic_requests_total{face=\"V1\",status=\"200\"} 1",
            "polemic_request_duration_seconds_bucket{le=\"0.0001\",face=\"V1\"} 1",
            "polemic_decisions_total{action=\"hold\"} 1",
            "polemic_requests_in_flight 3",
            "polemic_feedback_written_total 4",
            "polemic_model{model=\"m@1\",policy=\"p\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
