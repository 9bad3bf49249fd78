//! Asking servers: one task for each of them, which connects, carries octets, and waits for the next time.
//!
//! What to ask, what an answer means and when to ask again is decided by `relay::recovery`, which stands
//! behind [`Knowledge`] together with all else that the relay knows. A task holds that lock for no longer
//! than one piece of an answer takes, and never while it waits for a socket. To stop, drop
//! [`recover`]: nothing is lost that was not going to be asked again.
//!
//! `leasehold query` has its own loop (`query/session.rs`), on a thread that blocks: it asks one question,
//! keeps what it is told in order, and has no lock to share. What the two have in common is
//! `requestor::BulkConnection`.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use relay::ServerId;
use relay::recovery::{Attempt, Next, Phase, Summary};
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::clock::Clock;

/// Octets read, and then learnt from under one lock: some 80 clients, which take about a third of a
/// millisecond. Messages that are to be forwarded meanwhile wait for that; sixteen times as much at once
/// was measured to make them wait sixteen times as long and the recovery no shorter.
const READ_OCTETS: usize = 16 * 1024;

/// What the relay knows, behind its lock.
pub trait Knowledge: Send + Sync + 'static {
    /// What to do about this server now.
    fn begin(&self, server: ServerId) -> Next;

    /// Hands the attempt what has been read, and learns what it says of clients.
    fn absorb(&self, attempt: &mut Attempt, octets: &[u8]);

    /// Concludes from an attempt.
    fn finished(&self, attempt: Attempt) -> Summary;
}

/// A server, and how it is reached.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which one it is.
    pub server: ServerId,
    /// Where it listens.
    pub address: SocketAddrV6,
    /// The interface that it is on, of a link-local address. Its number may be another one each time.
    pub interface: Option<String>,
    /// The address of ours to ask from, if not any.
    pub from: Option<Ipv6Addr>,
}

/// Has all sessions look again what there is to do: after a refresh, or when there are other ports.
#[derive(Debug, Clone)]
pub struct Wake(watch::Sender<()>);

impl Default for Wake {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Wake {
    /// Wakes them.
    pub fn wake(&self) {
        self.0.send_replace(());
    }
}

/// Asks these servers, each as often as is to be done, for ever.
///
/// # Panics
///
/// If a session does: what it was to bring about would otherwise silently not happen.
pub async fn recover(
    knowledge: Arc<impl Knowledge>,
    clock: Clock,
    servers: Vec<Asked>,
    connect_timeout: Duration,
    wake: Wake,
) {
    let mut sessions = JoinSet::new();
    for asked in servers {
        let knowledge = Arc::clone(&knowledge);
        let session = Session { knowledge, clock, asked, connect_timeout, wake: wake.clone() };
        sessions.spawn(session.run());
    }
    while let Some(ended) = sessions.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    std::future::pending().await
}

/// All that is done with one server.
struct Session<K> {
    knowledge: Arc<K>,
    clock: Clock,
    asked: Asked,
    connect_timeout: Duration,
    wake: Wake,
}

impl<K: Knowledge> Session<K> {
    async fn run(self) {
        let mut woken = self.wake.0.subscribe();
        loop {
            woken.mark_unchanged();
            match self.knowledge.begin(self.asked.server) {
                Next::Ask(attempt) => self.ask(*attempt).await,
                Next::Wait(until) => tokio::select! {
                    () = self.sleep_until(until) => {}
                    _ = woken.changed() => {}
                },
            }
        }
    }

    async fn sleep_until(&self, at: Option<world::Instant>) {
        match at {
            Some(at) => sleep(self.clock.until(at)).await,
            None => std::future::pending().await,
        }
    }

    /// The others are woken afterwards: some things are not done while a server is being asked.
    async fn ask(&self, mut attempt: Attempt) {
        match timeout(self.connect_timeout, self.connect()).await {
            Ok(Ok(stream)) => self.converse(&stream, &mut attempt).await,
            Ok(Err(error)) => attempt.unreachable(error.to_string()),
            Err(_) => attempt.unreachable(format!("no connection within {:?}", self.connect_timeout)),
        }
        self.log(&self.knowledge.finished(attempt));
        self.wake.wake();
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v6()?;
        if let Some(from) = self.asked.from {
            socket.bind(SocketAddrV6::new(from, 0, 0, 0).into())?;
        }
        let mut address = self.asked.address;
        if let Some(interface) = &self.asked.interface {
            address.set_scope_id(if_nametoindex(interface.as_str())?);
        }
        let stream = socket.connect(address.into()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn converse(&self, stream: &TcpStream, attempt: &mut Attempt) {
        attempt.connected(self.clock.now().instant);
        let mut buffer = vec![0; READ_OCTETS];
        while !attempt.is_over() {
            let wanted = if attempt.output().is_empty() {
                Interest::READABLE
            } else {
                Interest::READABLE | Interest::WRITABLE
            };
            let patience = attempt.next_deadline().map_or(Duration::MAX, |end| self.clock.until(end.at));
            match timeout(patience, stream.ready(wanted)).await {
                Err(_) => attempt.tick(self.clock.now().instant),
                Ok(ready) => {
                    let carried = ready.and_then(|_| self.carry(stream, attempt, &mut buffer));
                    if !carried.is_ok_and(|is_open| is_open) {
                        attempt.peer_closed();
                    }
                }
            }
        }
    }

    /// Sends what can be sent and reads what is there; whether there may be more.
    fn carry(&self, stream: &TcpStream, attempt: &mut Attempt, buffer: &mut [u8]) -> io::Result<bool> {
        if !attempt.output().is_empty()
            && let Some(octets) = unless_it_would_block(stream.try_write(attempt.output()))?
        {
            attempt.wrote(octets, self.clock.now().instant);
        }
        match unless_it_would_block(stream.try_read(buffer))? {
            Some(0) => return Ok(false),
            Some(octets) => self.knowledge.absorb(attempt, &buffer[..octets]),
            None => {}
        }
        Ok(true)
    }

    fn log(&self, summary: &Summary) {
        let Summary { server: _, method, clients, leases, octets, elapsed, trouble, phase } = summary;
        let (server, ms) = (self.asked.address, elapsed.as_millis() as u64);
        match (trouble, phase) {
            (Some(why), _) => warn!(%server, %method, clients, leases, octets, ms, "server asked: {why}"),
            (None, Phase::Done { .. }) => {
                info!(%server, %method, clients, leases, octets, ms, "server asked: complete");
            }
            (None, _) => {
                info!(%server, %method, clients, leases, octets, ms, "server asked: there is more to ask");
            }
        }
    }
}

fn unless_it_would_block(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(octets) => Ok(Some(octets)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
