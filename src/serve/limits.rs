//! Limits: how much is read, how long it may take, how much is done at a time. What is over them is turned away at once and told when to
//! come again, so that what is taken is answered in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http_body_util::BodyExt;
use tokio::time::{sleep, timeout};

use super::app::App;
use super::keys::{self, Caller};
use super::metrics::Face;
use super::refusal::{refusal, too_slow};
use super::v1::stream;

/// Work that is due may wait this long for its turn before requests are turned away.
const LAG: Duration = Duration::from_millis(25);
/// So many requests between two looks make the waiting ours; with fewer it is other programs that keep the machine busy, and turning
/// away would help nobody.
const OURS: u32 = 64;
/// How often that is looked at.
const TICK: Duration = Duration::from_millis(10);
/// Bodies longer than this take their time; of those only [`LONG_AT_A_TIME`] are answered at a time.
const LONG: usize = 4096;
const LONG_AT_A_TIME: usize = 64;
/// Bytes of bodies that are kept at a time, those that are still coming in included.
const KEPT: usize = 64 << 20;
/// Parts in which the share of requests that are turned away is counted.
const ALL: u32 = 1 << 16;

/// Why a request is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// More requests than can be answered in time.
    Busy,
    /// More requests with this key than are allowed.
    Rate,
    /// It did not arrive, or was not answered, in time.
    Slow,
}

impl Why {
    /// As metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Rate => "rate",
            Self::Slow => "slow",
        }
    }
}

/// Lets requests in, up to what can be answered in time.
#[derive(Debug, Default)]
pub struct Gate {
    in_flight: AtomicUsize,
    long: AtomicUsize,
    kept: AtomicUsize,
    /// Of [`ALL`] requests how many are turned away.
    share: AtomicU32,
    asked: AtomicU32,
    /// What `asked` was at the last look.
    asked_before: AtomicU32,
    /// Nanoseconds that work waited at the last look.
    lag: AtomicU64,
}

/// A count that falls when this is dropped.
struct Held<'g>(&'g AtomicUsize, usize);

impl<'g> Held<'g> {
    fn up_to(counter: &'g AtomicUsize, by: usize, most: usize) -> Option<Self> {
        let held = Self(counter, by);
        (counter.fetch_add(by, Ordering::Relaxed).saturating_add(by) <= most).then_some(held)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Gate {
    /// Requests being answered.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How long work that is due waited for its turn, lately.
    pub fn lag(&self) -> Duration {
        Duration::from_nanos(self.lag.load(Ordering::Relaxed))
    }

    /// True while most requests are turned away.
    pub fn is_overrun(&self) -> bool {
        self.share.load(Ordering::Relaxed) > ALL / 2
    }

    /// True for the requests that are turned away, evenly spread over all.
    fn turns_away(&self) -> bool {
        // Multiples of the golden ratio fill a circle evenly.
        let place = self.asked.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9) >> 16;
        place < self.share.load(Ordering::Relaxed)
    }

    /// Looks at how late a timer is woken: what is ready waits in the same queue. Turns away more while it is too late, less when it is not.
    fn note(&self, lag: Duration) {
        self.lag.store(lag.as_nanos() as u64, Ordering::Relaxed);
        let share = self.share.load(Ordering::Relaxed);
        let asked = self.asked.load(Ordering::Relaxed);
        let since = asked.wrapping_sub(self.asked_before.swap(asked, Ordering::Relaxed));
        let next = if lag > LAG && since >= OURS {
            (share + ALL / 10).min(ALL - ALL / 20)
        } else {
            share.saturating_sub(ALL / 100)
        };
        self.share.store(next, Ordering::Relaxed);
    }
}

/// Watches how long work waits, as long as the service runs.
pub async fn watch(app: Arc<App>) {
    loop {
        let due = Instant::now() + TICK;
        sleep(TICK).await;
        // Timers are exact to a millisecond.
        app.gate.note(due.elapsed().saturating_sub(Duration::from_millis(1)));
    }
}

/// Requests a second and key.
pub struct Rates(Option<DefaultKeyedRateLimiter<Caller>>);

impl Rates {
    /// So many requests a second for each key; without a number, any.
    pub fn new(per_second: Option<std::num::NonZeroU32>) -> Self {
        Self(per_second.map(|rate| RateLimiter::keyed(Quota::per_second(rate))))
    }

    /// Counts a request of a caller; false if it is one too many.
    pub fn allow(&self, caller: Caller) -> bool {
        self.0.as_ref().is_none_or(|limiter| limiter.check_key(&caller).is_ok())
    }

    fn are_limited(&self) -> bool {
        self.0.is_some()
    }
}

/// What every request goes through before a face sees it: its body is read first, so that whoever sends slowly takes no one's place.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let face = Face::of(request.uri().path());
    let path = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().path().to_owned());
    let method = request.method().clone();
    let response = match admit(&app, face, request, next).await {
        Ok(response) => response,
        Err(why) => {
            app.metrics.refused(why);
            refusal(face, why, &app)
        }
    };
    let status = response.status();
    app.metrics.answered(face, status, begun.elapsed());
    if let Some(path) = path {
        // The path alone: a query may hold a key, and no text of a comment is ever in a log.
        let micros = begun.elapsed().as_micros() as u64;
        tracing::debug!(%method, path, status = status.as_u16(), micros, "request");
    }
    response
}

async fn admit(app: &App, face: Face, request: Request, next: Next) -> Result<Response, Why> {
    if face == Face::Other {
        // Health and metrics answer most of all when everything else is too much.
        return Ok(timeout(app.options.timeout, next.run(request)).await.unwrap_or_else(|_| too_slow(face)));
    }
    if app.gate.turns_away() {
        return Err(Why::Busy);
    }
    if app.rates.are_limited()
        && let Some(caller) = caller(app, face, request.headers(), request.uri().query())
        && !app.rates.allow(caller)
    {
        return Err(Why::Rate);
    }
    if stream::is_stream(request.headers()) {
        return Ok(next.run(request).await);
    }
    let Ok(read) = timeout(app.options.timeout, whole(app, request)).await else {
        app.metrics.refused(Why::Slow);
        return Ok(too_slow(face));
    };
    let (request, _kept, length) = read?;
    let gate = &app.gate;
    let _place = Held::up_to(&gate.in_flight, 1, app.options.max_requests).ok_or(Why::Busy)?;
    let most = if length > LONG { LONG_AT_A_TIME } else { usize::MAX };
    let _long = Held::up_to(&gate.long, usize::from(length > LONG), most).ok_or(Why::Busy)?;
    timeout(app.options.timeout, next.run(request)).await.map_err(|_| Why::Slow)
}

/// Reads the body of a request. One that is too long is left to its face to refuse.
async fn whole(app: &App, request: Request) -> Result<(Request, Held<'_>, usize), Why> {
    let (head, mut body) = request.into_parts();
    let most = app.options.max_body;
    let mut kept = Held(&app.gate.kept, 0);
    if body.is_end_stream() {
        return Ok((Request::from_parts(head, body), kept, 0));
    }
    if body.size_hint().lower() > most as u64 {
        // Nobody waits for it to come in: the face refuses any body of that length without looking at it.
        return Ok((Request::from_parts(head, Body::from(vec![0; most + 1])), kept, 0));
    }
    let mut first = Bytes::new();
    let mut rest: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        // Whoever breaks off hears nothing of it.
        let Ok(data) = frame.map_err(|_| Why::Slow)?.into_data() else { continue };
        app.gate.kept.fetch_add(data.len(), Ordering::Relaxed);
        kept.1 += data.len();
        if app.gate.kept.load(Ordering::Relaxed) > KEPT {
            return Err(Why::Busy);
        }
        match (first.is_empty(), rest.is_empty()) {
            (true, _) => first = data,
            (false, true) => rest = [first.as_ref(), data.as_ref()].concat(),
            (false, false) => rest.extend_from_slice(&data),
        }
        if kept.1 > most {
            break;
        }
    }
    let length = kept.1;
    let body = if rest.is_empty() { Body::from(first) } else { Body::from(rest) };
    Ok((Request::from_parts(head, body), kept, length))
}

/// Whose request it is, as far as its head tells.
fn caller(app: &App, face: Face, headers: &HeaderMap, query: Option<&str>) -> Option<Caller> {
    let keys = app.keys.load();
    let presented = keys::presented(headers, query);
    match face {
        Face::Akismet => keys.caller(keys::of_sub_domain(headers).or(presented.as_deref())),
        _ => keys.caller(presented.as_deref()),
    }
}

/// How long a client that is turned away should wait, in seconds.
pub const RETRY_AFTER: (header::HeaderName, &str) = (header::RETRY_AFTER, "1");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_work_waits_the_more_is_turned_away_and_never_all() {
        let gate = Gate::default();
        let turned_away = |gate: &Gate| (0..1000).filter(|_| gate.turns_away()).count();
        assert_eq!(turned_away(&gate), 0);
        gate.note(2 * LAG);
        let some = turned_away(&gate);
        assert!((80..120).contains(&some), "{some}");
        for _ in 0..100 {
            turned_away(&gate);
            gate.note(2 * LAG);
        }
        let most = turned_away(&gate);
        assert!((900..970).contains(&most), "{most}");
        (0..100).for_each(|_| gate.note(Duration::ZERO));
        assert_eq!(turned_away(&gate), 0);
    }

    #[test]
    fn a_machine_that_is_busy_with_other_things_turns_nobody_away() {
        let gate = Gate::default();
        for _ in 0..100 {
            assert!((0..10).all(|_| !gate.turns_away()));
            gate.note(20 * LAG);
        }
    }

    #[test]
    fn what_is_held_is_given_back() {
        let counter = AtomicUsize::new(0);
        let first = Held::up_to(&counter, 1, 1);
        assert!(first.is_some() && Held::up_to(&counter, 1, 1).is_none());
        drop(first);
        assert!(Held::up_to(&counter, 1, 1).is_some());
    }

    #[test]
    fn each_key_has_its_own_rate() {
        let rates = Rates::new(std::num::NonZeroU32::new(2));
        let allowed = |caller| (0..5).filter(|_| rates.allow(Caller(caller))).count();
        assert_eq!([allowed(0), allowed(1)], [2, 2]);
        assert!(Rates::new(None).allow(Caller(0)));
    }
}
