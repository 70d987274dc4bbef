//! Connections: accepted up to a number, served until the process is told to stop, finished then; files are read again on SIGHUP.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::app::{App, router};
use super::limits;

/// How long to wait after an error of accepting (most often: no file descriptors left).
const PAUSE: Duration = Duration::from_millis(50);

/// Serves connections until the process is told to stop, then finishes those that are open.
pub async fn serve(listener: TcpListener, app: Arc<App>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(app.options.timeout).pipeline_flush(true);
    let service = TowerToHyperService::new(router(Arc::clone(&app)));
    let connections = Arc::new(Semaphore::new(app.options.max_connections));
    let graceful = GracefulShutdown::new();
    tokio::spawn(reload_when_told(Arc::clone(&app)));
    tokio::spawn(limits::watch(Arc::clone(&app)));
    let accept = async {
        loop {
            // Closed only with the process.
            let Ok(room) = Arc::clone(&connections).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // Answers are small and whole: waiting for more to send would only delay them.
            let _ = stream.set_nodelay(true);
            let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
            tokio::spawn(async move {
                // A client that goes away is no error of ours.
                let _ = connection.await;
                drop(room);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = told_to_stop() => {}
    }
    drop(listener);
    let _ = tokio::time::timeout(app.options.timeout, graceful.shutdown()).await;
}

#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn told_to_stop() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(unix)]
async fn reload_when_told(app: Arc<App>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        let app = Arc::clone(&app);
        let reloaded = tokio::task::spawn_blocking(move || app.reload().map(|()| app.model.load().id.clone())).await;
        match reloaded {
            Ok(Ok(id)) => tracing::info!(model = id, "reloaded"),
            Ok(Err(error)) => tracing::warn!("not reloaded, all stays as it was: {error:#}"),
            Err(_) => {}
        }
    }
}

#[cfg(not(unix))]
async fn reload_when_told(_: Arc<App>) {}
