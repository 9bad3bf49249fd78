//! Bulk leasequery: a listener, and one task for each connection.
//!
//! A task goes round: let the connection take queries and fill the buffer, send the buffer, look
//! whether more has come in. It waits in one place only, when there is nothing to send.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use lease::Seq;
use server::counters::add;
use server::leasequery::{Close, Connection, Finished};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::FAREWELL;
use super::service::Service;
use crate::stopping::Stopping;

/// Octets read from a socket at once: many queries, and little memory.
const READ_OCTETS: usize = 16 * 1024;
/// Pause after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a closed connection waits for the requestor to close too, so that what was sent last
/// is not lost to a reset.
const LINGER: Duration = Duration::from_millis(500);

/// Accepts until the server stops; then waits for the connections to say goodbye.
pub(super) async fn listen(service: Arc<Service>, listener: TcpListener) {
    let mut stopping = service.stopping();
    let mut talks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => admit(&service, stream, from, &mut talks),
                Err(error) => {
                    warn!("cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = talks.join_next() => {}
            () = stopping.come() => break,
        }
    }
    drop(listener);
    if timeout(FAREWELL, async { while talks.join_next().await.is_some() {} }).await.is_err() {
        warn!("some requestors did not take their last answers in time");
    }
}

/// Too many, or not permitted: closed at once, without a word (RFC 5460 §7.1).
fn admit(service: &Arc<Service>, stream: TcpStream, from: SocketAddr, talks: &mut JoinSet<()>) {
    let SocketAddr::V6(from) = from else { return };
    let requestor = *from.ip();
    let permitted = service.policy().access.permits_source(requestor);
    if !permitted || !service.admission().open(&service.policy().bulk) {
        add(&service.counters.connections_refused, 1);
        info!(requestor = %from, permitted, "connection refused");
        return;
    }
    add(&service.counters.connections_opened, 1);
    if let Err(error) = SockRef::from(&stream).set_keepalive(true) {
        debug!(requestor = %from, "no keep-alive: {error}");
    }
    let service = Arc::clone(service);
    talks.spawn(async move {
        let mut talk = Talk::new(&service, stream, from);
        let ended = talk.go_on().await;
        talk.end(ended).await;
    });
}

/// A connection, its socket and its buffers.
struct Talk<'a> {
    service: &'a Service,
    stream: TcpStream,
    requestor: SocketAddrV6,
    /// What it is known by to an operator.
    number: u64,
    connection: Connection,
    stopping: Stopping,
    input: Vec<u8>,
    out: Vec<u8>,
    /// The latest change that `out` can speak of.
    told: Seq,
}

impl<'a> Talk<'a> {
    fn new(service: &'a Service, stream: TcpStream, requestor: SocketAddrV6) -> Self {
        let now = service.now();
        Self {
            service,
            stream,
            requestor,
            number: service.queries.opened(requestor, now.instant),
            connection: Connection::new(*requestor.ip(), now),
            stopping: service.stopping(),
            input: vec![0; READ_OCTETS],
            out: Vec::new(),
            told: Seq::default(),
        }
    }

    /// Until there is a reason to close, or the socket fails.
    async fn go_on(&mut self) -> io::Result<Close> {
        loop {
            self.work();
            if !self.out.is_empty() {
                self.send().await?;
                self.read_what_is_there()?;
            } else if !self.connection.has_work() {
                self.wait().await?;
            } else {
                tokio::task::yield_now().await;
            }
            if let Some(close) = self.connection.close()
                && (self.out.is_empty() || matches!(close, Close::TimedOut(_)))
            {
                return Ok(close);
            }
        }
    }

    /// Lets the pure connection take queries and fill the buffer.
    fn work(&mut self) {
        let Self { service, connection, out, told, .. } = self;
        let (policy, counters) = (&*service.policy(), &service.counters);
        {
            let holdings = service.holdings();
            let now = service.now();
            connection.begin(policy, &holdings, &mut service.admission(), counters, now);
            connection.fill(policy, &holdings, counters, now, out);
            *told = holdings.table.last_seq();
        }
        if self.stopping.has_come() {
            connection.terminate("the server is shutting down", policy, counters, service.now(), out);
        }
        service.queries.progress(self.number, connection.in_work());
        for finished in connection.take_finished() {
            service.queries.finished(self.requestor, &finished, service.now().instant);
            log(*self.requestor.ip(), &finished);
        }
    }

    /// Sends the buffer, as soon as all that it speaks of is durable.
    async fn send(&mut self) -> io::Result<()> {
        if !self.service.journal.durable(self.told).await {
            return Err(io::Error::other("what was to be told will never be durable"));
        }
        let mut sent = 0;
        while sent < self.out.len() {
            let deadline = self.connection.next_deadline(&self.service.policy());
            let patience = self.service.clock().until(deadline.at);
            match timeout(patience, self.stream.write(&self.out[sent..])).await {
                Ok(written) => {
                    sent += written?;
                    self.connection.sent(sent == self.out.len(), self.service.now());
                }
                Err(_) => {
                    self.connection.tick(&self.service.policy(), &self.service.counters, self.service.now());
                    if self.connection.close().is_some() {
                        return Ok(());
                    }
                }
            }
        }
        self.out.clear();
        Ok(())
    }

    /// Queries that came while an answer was on its way join it.
    fn read_what_is_there(&mut self) -> io::Result<()> {
        if !self.connection.wants_octets() {
            return Ok(());
        }
        match self.stream.try_read(&mut self.input) {
            Ok(octets) => self.received(octets),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn wait(&mut self) -> io::Result<()> {
        if self.connection.close().is_some() {
            return Ok(());
        }
        let deadline = self.connection.next_deadline(&self.service.policy());
        let patience = self.service.clock().until(deadline.at);
        tokio::select! {
            octets = self.stream.read(&mut self.input), if self.connection.wants_octets() => {
                let octets = octets?;
                self.received(octets);
            }
            () = sleep(patience) => {
                self.connection.tick(&self.service.policy(), &self.service.counters, self.service.now());
            }
            () = self.stopping.come() => {}
        }
        Ok(())
    }

    fn received(&mut self, octets: usize) {
        if octets == 0 {
            self.connection.peer_closed();
        } else {
            self.connection.receive(&self.input[..octets], self.service.now());
        }
    }

    /// Gives the connection's places back, and closes the socket so that nothing sent is lost.
    async fn end(mut self, ended: io::Result<Close>) {
        {
            let mut admission = self.service.admission();
            self.connection.abandon(&mut admission);
            admission.close();
        }
        self.service.queries.closed(self.number);
        match ended {
            Err(error) => debug!(requestor = %self.requestor, "connection lost: {error}"),
            Ok(close @ Close::TimedOut(_)) => info!(requestor = %self.requestor, ?close, "connection closed"),
            Ok(close) => {
                debug!(requestor = %self.requestor, ?close, "connection closed");
                let _ = self.stream.shutdown().await;
                let _ = timeout(LINGER, async {
                    while self.stream.read(&mut self.input).await.is_ok_and(|octets| octets > 0) {}
                })
                .await;
            }
        }
    }
}

fn log(requestor: Ipv6Addr, finished: &Finished) {
    info!(
        transport = "tcp", requestor = %requestor, transaction_id = %finished.transaction_id,
        query_type = %finished.query_type, sought = finished.sought, status = %finished.status,
        clients = finished.clients, leases = finished.leases, octets = finished.octets,
        ms = finished.took.as_millis() as u64, "query"
    );
}
