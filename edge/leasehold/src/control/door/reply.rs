//! A connection on the control socket: one request in, lines out.

use std::io;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::UCred;
use tokio::time::timeout;

use crate::control::{End, Incoming, Line, Request};
use crate::stopping::Stopping;

/// How long a request may take to come: it is written by a program, in one go.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing at all may be read of an answer: somebody looks at it page by page.
const READING_PATIENCE: Duration = Duration::from_secs(600);
/// Octets of a portion: some hundreds of clients.
const PORTION_OCTETS: usize = 128 * 1024;

/// Why an answer ends before it is complete.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The request makes no sense here.
    Refused(String),
    /// The program cannot go on.
    Failed(String),
    /// Whoever has asked has gone, or reads nothing.
    Gone(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// The connection, and what is to be sent next.
#[derive(Debug)]
pub(crate) struct Reply {
    stream: UnixStream,
    stopping: Stopping,
    out: Vec<u8>,
}

impl Reply {
    pub(super) fn new(stream: UnixStream, stopping: Stopping) -> Self {
        Self { stream, stopping, out: Vec::new() }
    }

    /// Waits for the request, and says whose it is.
    pub(super) async fn request(&mut self) -> Result<(Request, UCred), Stop> {
        let from = self.stream.peer_cred()?;
        let request = timeout(REQUEST_PATIENCE, read_request(&mut self.stream));
        let request = tokio::select! {
            request = request => request.map_err(|_| Stop::Refused("no request has come".to_owned()))??,
            () = self.stopping.come() => return Err(stopped()),
        };
        Ok((request, from))
    }

    /// Adds an item to the portion.
    pub(crate) fn item<T: Serialize>(&mut self, item: &T) {
        self.line(&Line::Item(item));
    }

    fn line<T: Serialize>(&mut self, line: &Line<T>) {
        serde_json::to_writer(&mut self.out, line).expect("what is shown can be written as JSON");
        self.out.push(b'\n');
    }

    /// Whether the portion is large enough to be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= PORTION_OCTETS
    }

    /// Sends the portion.
    pub(crate) async fn send(&mut self) -> Result<(), Stop> {
        self.send_when(async { Ok(()) }).await
    }

    /// Sends the portion, as soon as what it says has come true; if it never does, drops it.
    pub(crate) async fn send_when(
        &mut self,
        come_true: impl Future<Output = Result<(), Stop>>,
    ) -> Result<(), Stop> {
        if self.stopping.has_come() {
            return Err(stopped());
        }
        if self.out.is_empty() {
            tokio::task::yield_now().await;
            return Ok(());
        }
        if let Err(stop) = come_true.await {
            self.out.clear();
            return Err(stop);
        }
        self.write().await
    }

    async fn write(&mut self) -> Result<(), Stop> {
        let mut sent = 0;
        while sent < self.out.len() {
            let write = timeout(READING_PATIENCE, self.stream.write(&self.out[sent..]));
            sent += tokio::select! {
                written = write => written.map_err(|_| Stop::Gone(io::ErrorKind::TimedOut.into()))??,
                () = self.stopping.come() => return Err(Stop::Gone(io::ErrorKind::Interrupted.into())),
            };
        }
        self.out.clear();
        Ok(())
    }

    /// Waits for something, but not for longer than the program runs.
    pub(crate) async fn unless_stopping<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            result = work => Ok(result),
            () = self.stopping.come() => Err(stopped()),
        }
    }

    /// The last word, if there is room for it.
    pub(super) async fn end(mut self, end: &End) {
        self.line::<()>(&Line::End(end.clone()));
        let _ = timeout(super::FAREWELL, self.stream.write_all(&self.out)).await;
    }
}

fn stopped() -> Stop {
    Stop::Failed("whoever answers is stopping".to_owned())
}

async fn read_request(stream: &mut UnixStream) -> Result<Request, Stop> {
    let (mut incoming, mut octets) = (Incoming::default(), [0; 1024]);
    loop {
        let read = stream.read(&mut octets).await?;
        if read == 0 {
            return Err(Stop::Gone(io::ErrorKind::UnexpectedEof.into()));
        }
        if let Some(request) = incoming.take(&octets[..read]) {
            return request.map_err(Stop::Refused);
        }
    }
}
