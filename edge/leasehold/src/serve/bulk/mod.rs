//! Bulk leasequery: a listener lets requestors in, and each connection is a task of its own (`talk.rs`).
//!
//! Letting in has to be cheap, because it is what strangers can have us do as often as they like: one look at
//! the access rules, one at the places ([`Admission`](server::leasequery::Admission)), and at the most a line
//! in the log for all of them together in a while (`turned_away.rs`).

mod talk;
mod turned_away;

use std::net::{SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use server::counters::add;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, warn};

use super::FAREWELL;
use super::service::Service;
use talk::Talk;
use turned_away::{TurnedAway, Why};

/// Pause after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts until the server stops; then waits for the connections to say goodbye.
pub(super) async fn listen(service: Arc<Service>, listener: TcpListener) {
    let mut stopping = service.stopping();
    let mut entrance = Entrance { service, talks: JoinSet::new(), turned_away: TurnedAway::default() };
    loop {
        let to_tell = entrance.turned_away.to_tell();
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, SocketAddr::V6(from))) => entrance.admit(stream, from),
                Ok((_, SocketAddr::V4(_))) => {}
                Err(error) => {
                    warn!("cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = entrance.talks.join_next() => {}
            () = until(to_tell), if to_tell.is_some() => entrance.turned_away.tell(Instant::now()),
            () = stopping.come() => break,
        }
    }
    drop(listener);
    let mut talks = entrance.talks;
    if timeout(FAREWELL, async { while talks.join_next().await.is_some() {} }).await.is_err() {
        warn!("some requestors did not take their last answers in time");
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Where requestors come in.
struct Entrance {
    service: Arc<Service>,
    talks: JoinSet<()>,
    turned_away: TurnedAway,
}

impl Entrance {
    /// Not permitted, or too many: closed at once, without a word (RFC 5460 §7.1).
    fn admit(&mut self, stream: TcpStream, from: SocketAddrV6) {
        let (service, policy) = (&self.service, self.service.policy());
        if !policy.access.permits_source(*from.ip()) {
            add(&service.counters.connections_refused, 1);
            return self.turned_away.note(Why::NotPermitted, from, Instant::now());
        }
        // The place is held against all others until the task is known by which it is given back.
        let mut admission = service.admission();
        let now = service.now().instant;
        let Some(entry) = admission.open(*from.ip(), &policy.bulk, now) else {
            drop(admission);
            add(&service.counters.connections_refused, 1);
            return self.turned_away.note(Why::NoPlace, from, Instant::now());
        };
        add(&service.counters.connections_opened, 1);
        service.queries.opened(entry.place, from, now);
        let talking = talk(Arc::clone(service), stream, from, entry.place);
        service.queries.is_task(entry.place, self.talks.spawn(talking));
        drop(admission);
        if let Some(displaced) = entry.displaced {
            add(&service.counters.connections_displaced, 1);
            if let Some(requestor) = service.queries.end(displaced) {
                self.turned_away.note(Why::Displaced, requestor, Instant::now());
            }
        }
    }
}

async fn talk(
    service: Arc<Service>,
    stream: TcpStream,
    from: SocketAddrV6,
    place: server::leasequery::Place,
) {
    if let Err(error) = SockRef::from(&stream).set_keepalive(true) {
        debug!(requestor = %from, "no keep-alive: {error}");
    }
    let mut talk = Talk::new(&service, stream, from, place);
    let ended = talk.go_on().await;
    talk.end(ended).await;
}
