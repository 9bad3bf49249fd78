//! A requestor's connection, carried by a task.
//!
//! The task goes round: let the connection take queries and fill the buffer, send the buffer, look
//! whether more has come in. It waits in one place only, when there is nothing to send, and then it holds no
//! buffer: thousands of connections that ask nothing cost little. Wherever it is when it ends, or is ended
//! because somebody else gets its place, what it holds of the limits is given back when it is dropped.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::time::Duration;

use lease::Seq;
use server::leasequery::{Close, Connection, Finished, Place};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tracing::{debug, info};

use crate::serve::service::Service;
use crate::stopping::Stopping;

/// Octets read from a socket at once: many queries, and little enough for the stack.
const READ_OCTETS: usize = 16 * 1024;
/// How long a closed connection waits for the requestor to close too, so that what was sent last
/// is not lost to a reset.
const LINGER: Duration = Duration::from_millis(500);

/// A connection, its socket and its buffers.
pub(super) struct Talk<'a> {
    service: &'a Service,
    stream: TcpStream,
    requestor: SocketAddrV6,
    place: Place,
    connection: Connection,
    stopping: Stopping,
    out: Vec<u8>,
    /// The latest change that `out` can speak of.
    told: Seq,
}

impl<'a> Talk<'a> {
    pub(super) fn new(
        service: &'a Service,
        stream: TcpStream,
        requestor: SocketAddrV6,
        place: Place,
    ) -> Self {
        Self {
            service,
            stream,
            requestor,
            place,
            connection: Connection::new(*requestor.ip(), service.now()),
            stopping: service.stopping(),
            out: Vec::new(),
            told: Seq::default(),
        }
    }

    /// Until there is a reason to close, or the socket fails.
    pub(super) async fn go_on(&mut self) -> io::Result<Close> {
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
        let Self { service, place, connection, out, told, .. } = self;
        let (policy, counters) = (&*service.policy(), &service.counters);
        {
            let holdings = service.holdings();
            let now = service.now();
            {
                let mut admission = service.admission();
                connection.begin(policy, &holdings, &mut admission, counters, now);
                admission.rest(*place, connection.rests_since());
            }
            connection.fill(policy, &holdings, counters, now, out);
            *told = holdings.table.last_seq();
        }
        if self.stopping.has_come() {
            connection.terminate("the server is shutting down", policy, counters, service.now(), out);
        }
        service.queries.progress(self.place, connection.in_work());
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
        let mut input = [0; READ_OCTETS];
        match self.stream.try_read(&mut input) {
            Ok(0) => self.connection.peer_closed(),
            Ok(octets) => self.connection.receive(&input[..octets], self.service.now()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn wait(&mut self) -> io::Result<()> {
        if self.connection.close().is_some() {
            return Ok(());
        }
        self.out = Vec::new();
        let deadline = self.connection.next_deadline(&self.service.policy());
        let patience = self.service.clock().until(deadline.at);
        tokio::select! {
            ready = self.stream.readable(), if self.connection.wants_octets() => {
                ready?;
                self.read_what_is_there()?;
            }
            () = sleep(patience) => {
                self.connection.tick(&self.service.policy(), &self.service.counters, self.service.now());
            }
            () = self.stopping.come() => {}
        }
        Ok(())
    }

    /// Closes the socket so that nothing sent is lost. It keeps its place meanwhile, so that there are never
    /// more sockets than places, but whoever comes gets it.
    pub(super) async fn end(mut self, ended: io::Result<Close>) {
        {
            let mut admission = self.service.admission();
            self.connection.abandon(&mut admission);
            admission.leave(self.place);
        }
        match ended {
            Err(error) => debug!(requestor = %self.requestor, "connection lost: {error}"),
            Ok(close @ Close::TimedOut(_)) => info!(requestor = %self.requestor, ?close, "connection closed"),
            Ok(close) => {
                debug!(requestor = %self.requestor, ?close, "connection closed");
                self.out = Vec::new();
                let _ = self.stream.shutdown().await;
                let _ = timeout(LINGER, self.hear_out()).await;
            }
        }
    }

    /// Reads until the requestor has closed as well.
    async fn hear_out(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut [0; READ_OCTETS]) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Talk<'_> {
    fn drop(&mut self) {
        let mut admission = self.service.admission();
        self.connection.abandon(&mut admission);
        admission.close(self.place);
        drop(admission);
        self.service.queries.closed(self.place);
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
