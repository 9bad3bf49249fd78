//! The operator's side of the control socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{error, fmt};

use anyhow::bail;
use serde::de::DeserializeOwned;

use super::{End, Line, Request};
use crate::config::Config;

/// Octets of a line of an answer: a client with the longest relay path and thousands of leases.
const MAX_LINE_OCTETS: u64 = 16 << 20;

/// The exit code of what is not all.
pub const PARTIAL: u8 = 2;

/// Which program is meant.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// The configuration file of the program, which says where its control socket is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The control socket of the program
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

impl Place {
    /// The control socket.
    pub fn socket(self) -> anyhow::Result<PathBuf> {
        match self {
            Self { socket: Some(socket), .. } => Ok(socket),
            Self { config: Some(file), .. } => match Config::read(&file) {
                Ok(config) => Ok(config.control_socket()),
                Err(faults) => bail!("{faults}"),
            },
            Self { config: None, socket: None } => bail!("neither --config nor --socket is given"),
        }
    }
}

/// Why there is no answer, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nobody to talk to.
    Unreachable(String),
    /// It was not done.
    Refused(String),
    /// It broke off in between.
    Partial(String),
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        Self::from(match failure {
            Failure::Partial(_) => PARTIAL,
            Failure::Refused(_) => 3,
            Failure::Unreachable(_) => 4,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => f.write_str(why),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Partial(why) => write!(f, "this is not all: {why}"),
        }
    }
}

impl error::Error for Failure {}

/// The items of an answer, as they come.
#[derive(Debug)]
pub struct Answers<T, S = UnixStream> {
    stream: BufReader<S>,
    line: Vec<u8>,
    end: Option<Result<(), Failure>>,
    watch: Watch<T>,
}

/// Who sees each item before it is printed.
struct Watch<T>(Option<Box<Watching<T>>>);

type Watching<T> = dyn FnMut(&T);

impl<T> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watch({})", self.0.is_some())
    }
}

/// Asks whoever listens on a socket.
pub fn ask<T: DeserializeOwned>(socket: &Path, request: &Request) -> Result<Answers<T>, Failure> {
    let unreachable = |error: io::Error| Failure::Unreachable(explain(socket, &error));
    let mut stream = UnixStream::connect(socket).map_err(unreachable)?;
    let mut line = serde_json::to_vec(request).map_err(|error| unreachable(error.into()))?;
    line.push(b'\n');
    match stream.write_all(&line) {
        // Closed before it was asked: the reason is there to be read.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written.map_err(unreachable)?,
    }
    Ok(Answers::of(stream))
}

fn explain(socket: &Path, error: &io::Error) -> String {
    let socket = socket.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("nobody listens on {socket}: there is no such socket"),
        io::ErrorKind::ConnectionRefused => format!("nobody listens on {socket}: it has gone"),
        io::ErrorKind::PermissionDenied => {
            format!("no permission for {socket}: it is for the user and group that listens there")
        }
        _ => format!("cannot speak to whoever listens on {socket}: {error}"),
    }
}

impl<T, S: Read> Answers<T, S> {
    /// What comes to who has asked.
    pub fn of(stream: S) -> Self {
        Self { stream: BufReader::new(stream), line: Vec::new(), end: None, watch: Watch(None) }
    }

    /// Has somebody see each item when it comes.
    pub fn watched(self, watch: impl FnMut(&T) + 'static) -> Self {
        Self { watch: Watch(Some(Box::new(watch))), ..self }
    }

    /// How it ended. An answer that has not been read to its end is not all.
    pub fn end(self) -> Result<(), Failure> {
        self.end.unwrap_or_else(|| Err(Failure::Partial("nobody has read the rest".to_owned())))
    }

    /// Whether the last word has been said, and it was a good one.
    pub fn is_complete(&self) -> bool {
        self.end == Some(Ok(()))
    }
}

impl<T: DeserializeOwned, S: Read> Answers<T, S> {
    fn read(&mut self) -> Result<Line<T>, Failure> {
        self.line.clear();
        let read = (&mut self.stream).take(MAX_LINE_OCTETS).read_until(b'\n', &mut self.line);
        if let Err(error) = read {
            return Err(Failure::Partial(format!("the connection is lost: {error}")));
        }
        if self.line.last() != Some(&b'\n') {
            return Err(Failure::Partial("the other side has closed the connection".to_owned()));
        }
        serde_json::from_slice(&self.line)
            .map_err(|error| Failure::Partial(format!("the other side says what is not understood: {error}")))
    }
}

impl<T: DeserializeOwned, S: Read> Iterator for Answers<T, S> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.end.is_some() {
            return None;
        }
        self.end = Some(match self.read() {
            Ok(Line::Item(item)) => {
                if let Watch(Some(watch)) = &mut self.watch {
                    watch(&item);
                }
                return Some(item);
            }
            Ok(Line::End(End::Complete)) => Ok(()),
            Ok(Line::End(End::Refused(why))) => Err(Failure::Refused(why)),
            Ok(Line::End(End::Failed(why))) => Err(Failure::Partial(why)),
            Err(failure) => Err(failure),
        });
        None
    }
}
