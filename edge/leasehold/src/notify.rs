//! What a service manager hears of a program (systemd's `sd_notify` protocol): that it is ready, how
//! it is, that it lives, and that it stops. Where no manager listens, nobody is told anything.
//!
//! That it lives is said by whoever can answer how it is: what has to be locked for the answer is
//! locked for it. A program that hangs cannot say so and is started again, if the manager watches.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::warn;

/// How often it is looked whether the status has changed, and so the most often that it is told.
const LOOKING: Duration = Duration::from_secs(1);

/// The shortest time between two looks, whatever the manager asks for.
const SHORTEST: Duration = Duration::from_millis(10);

/// It does what it is there for.
pub(crate) fn ready() {
    send(&[NotifyState::Ready]);
}

/// It has begun to stop.
pub(crate) fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Tells how the program is whenever that has changed, and that it lives as often as the manager wants
/// to hear that. Runs until it is dropped.
pub(crate) async fn tell(mut how_it_is: impl FnMut() -> String) -> std::convert::Infallible {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return std::future::pending().await;
    }
    let watchdog = sd_notify::watchdog_enabled();
    // Twice in the time that is given: a late look is no reason to be killed.
    let mut looks = interval(watchdog.map_or(LOOKING, |patience| LOOKING.min(patience / 2)).max(SHORTEST));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<(String, Instant)> = None;
    loop {
        let now = looks.tick().await;
        let status = how_it_is();
        let is_news = told.as_ref().is_none_or(|(told, at)| *told != status && now >= *at + LOOKING);
        let status_news = is_news.then_some(NotifyState::Status(&status));
        let news: Vec<_> = status_news.into_iter().chain(watchdog.map(|_| NotifyState::Watchdog)).collect();
        if !news.is_empty() {
            send(&news);
        }
        if is_news {
            told = Some((status, now));
        }
    }
}

fn send(news: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(news) {
        warn!("cannot tell the service manager: {error}");
    }
}
