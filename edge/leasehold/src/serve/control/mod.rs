//! The control socket: an operator's commands, answered.
//!
//! One task for each connection: it reads a request, does what is asked a portion at a time, and
//! sends each portion before it makes the next. The table is locked for one portion and never while
//! something is being sent, so whoever does not read costs a place and a buffer and holds up nobody.
//! Who may connect is a matter of the socket's permissions, in the file system.

mod bindings;
mod counters;
mod links;
mod queries;
mod reconfigure;
mod release;
mod reply;
mod selection;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::FAREWELL;
use super::service::Service;
use crate::control::{End, Request};
use crate::net::ServerSocket;
use reply::{Reply, Stop};

pub(super) use socket::ControlSocket;

/// Connections at once: a few people, and programs that watch.
const MAX_CONNECTIONS: usize = 32;
/// Pause after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What can be asked about.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) service: Arc<Service>,
    pub(super) sockets: Vec<Arc<ServerSocket>>,
}

/// Accepts until the server stops. The socket is gone from the file system when this ends.
pub(super) async fn listen(desk: Desk, socket: ControlSocket) {
    let listener = match socket.listener().and_then(UnixListener::from_std) {
        Ok(listener) => listener,
        Err(error) => return warn!("cannot listen for commands: {error}"),
    };
    let mut stopping = desk.service.stopping();
    let (desk, mut talks) = (Arc::new(desk), JoinSet::new());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(&desk, stream, &mut talks),
                Err(error) => {
                    warn!("cannot accept a command: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = talks.join_next() => {}
            () = stopping.come() => break,
        }
    }
    drop((listener, socket));
    let _ = timeout(FAREWELL, async { while talks.join_next().await.is_some() {} }).await;
}

fn admit(desk: &Arc<Desk>, stream: UnixStream, talks: &mut JoinSet<()>) {
    let desk = Arc::clone(desk);
    let is_full = talks.len() >= MAX_CONNECTIONS;
    talks.spawn(async move {
        let reply = Reply::new(&desk.service, stream);
        if is_full {
            return reply.end(&End::Refused(format!("{MAX_CONNECTIONS} others are being answered"))).await;
        }
        talk(&desk, reply).await;
    });
}

/// Reads the request, answers, and says how that ended.
async fn talk(desk: &Desk, mut reply: Reply<'_>) {
    let result = match reply.request().await {
        Ok((request, from)) => {
            debug!(uid = from.uid(), pid = from.pid(), %request, "command");
            answer(desk, request, &from, &mut reply).await
        }
        Err(stop) => Err(stop),
    };
    match result {
        Ok(()) => reply.end(&End::Complete).await,
        Err(Stop::Refused(why)) => reply.end(&End::Refused(why)).await,
        Err(Stop::Failed(why)) => reply.end(&End::Failed(why)).await,
        Err(Stop::Gone(error)) => debug!("nobody waits for the answer any more: {error}"),
    }
}

async fn answer(desk: &Desk, request: Request, from: &UCred, reply: &mut Reply<'_>) -> Result<(), Stop> {
    let service = &*desk.service;
    match request {
        Request::Bindings(filter) => bindings::show(service, filter, reply).await,
        Request::Links => links::show(service, reply).await,
        Request::Queries => queries::show(service, reply).await,
        Request::Counters => counters::show(desk, reply).await,
        Request::Release(filter) => release::release(service, filter, from, reply).await,
        Request::WouldRelease(filter) => release::rehearse(service, filter, reply).await,
        Request::Reconfigure(telling) => reconfigure::reconfigure(service, telling, from, reply).await,
    }
}
