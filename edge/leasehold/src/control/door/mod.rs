//! The control socket, from the side of the program that answers: the same door for every program.
//!
//! One task for each connection: it reads a request, has the program's desk do what is asked, and
//! says how that ended. A desk answers a portion at a time and sends each before it makes the next;
//! so whoever does not read costs a place and a buffer and holds up nobody. Who may connect is a
//! matter of the socket's permissions, in the file system.

mod reply;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::{End, Request};
use crate::stopping::Stopping;

pub(crate) use reply::{Reply, Stop};
pub(crate) use socket::ControlSocket;

/// Connections at once: a few people, and programs that watch.
const MAX_CONNECTIONS: usize = 32;
/// Pause after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long the last word of an answer may take when the program stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a program can be asked for.
pub(crate) trait Desk: Send + Sync + 'static {
    /// Answers a request; refuses what is none of this program's business.
    fn answer(
        &self,
        request: Request,
        from: &UCred,
        reply: &mut Reply,
    ) -> impl Future<Output = Result<(), Stop>> + Send;
}

/// Accepts until the program stops. The socket is gone from the file system when this ends.
pub(crate) async fn listen(desk: impl Desk, socket: ControlSocket, mut stopping: Stopping) {
    let listener = match socket.listener().and_then(UnixListener::from_std) {
        Ok(listener) => listener,
        Err(error) => return warn!("cannot listen for commands: {error}"),
    };
    let (desk, mut talks) = (Arc::new(desk), JoinSet::new());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(&desk, stream, &stopping, &mut talks),
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

fn admit(desk: &Arc<impl Desk>, stream: UnixStream, stopping: &Stopping, talks: &mut JoinSet<()>) {
    let (desk, reply) = (Arc::clone(desk), Reply::new(stream, stopping.clone()));
    let is_full = talks.len() >= MAX_CONNECTIONS;
    talks.spawn(async move {
        if is_full {
            return reply.end(&End::Refused(format!("{MAX_CONNECTIONS} others are being answered"))).await;
        }
        talk(&*desk, reply).await;
    });
}

/// Reads the request, answers, and says how that ended.
async fn talk(desk: &impl Desk, mut reply: Reply) {
    let result = match reply.request().await {
        Ok((request, from)) => {
            debug!(uid = from.uid(), pid = from.pid(), %request, "command");
            desk.answer(request, &from, &mut reply).await
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
