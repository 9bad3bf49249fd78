//! Pings from far away: ICMPv6 echo requests (RFC 4443 §4), a number for each destination, and what comes of them.

use std::io::{self, Read};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::process;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use socket2::{Domain, Protocol, Socket, Type};

use super::namespace::Namespace;
use super::patience::Patience;

/// A ping without an outcome for so long is sent again.
const AGAIN: Duration = Duration::from_millis(200);
/// And no more often than this: what a neighbour has to be asked for first may be lost.
const ATTEMPTS: usize = 4;

const UNREACHABLE: u8 = 1;
const NO_ROUTE: u8 = 0;
const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;
/// In an error, the packet that it is about stands behind its own header and begins with one of IPv6.
const ABOUT_AT: usize = 8 + 40;
const DATAGRAM_OCTETS: usize = 1500;

/// What came of pinging each customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Pings {
    /// Customers that were pinged.
    pub(super) sent: u64,
    /// Those that have answered.
    pub(super) answered: u64,
    /// Those to which the relay's host says that it has no route.
    pub(super) no_route: u64,
}

/// What came of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    NoRoute,
}

/// Somebody who pings.
#[derive(Debug)]
pub(super) struct Pinger {
    socket: Socket,
    identifier: [u8; 2],
    destinations: Vec<Ipv6Addr>,
}

impl Pinger {
    /// In a namespace; there may be 65,536 destinations.
    pub(super) fn open(namespace: &Namespace, destinations: Vec<Ipv6Addr>) -> Result<Self> {
        let socket = namespace.within(|| Ok(Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?));
        let socket = socket.context("cannot ping")?;
        socket.set_nonblocking(true)?;
        let identifier = (process::id() as u16).to_be_bytes();
        Ok(Self { socket, identifier, destinations })
    }

    /// Pings every destination until there is an outcome, though not for ever.
    pub(super) fn ping_all(&self, patience: &Patience) -> Result<Pings> {
        let mut outcomes = vec![None; self.destinations.len()];
        for _ in 0..ATTEMPTS {
            for number in 0..outcomes.len() {
                if outcomes[number].is_none() {
                    self.ping(number);
                    self.note(&mut outcomes)?;
                }
            }
            let all = patience.see(AGAIN, || {
                self.note(&mut outcomes)?;
                Ok(outcomes.iter().all(Option::is_some))
            })?;
            if all {
                break;
            }
        }
        let count = |of| outcomes.iter().filter(|outcome| **outcome == Some(of)).count() as u64;
        let (answered, no_route) = (count(Outcome::Answered), count(Outcome::NoRoute));
        Ok(Pings { sent: outcomes.len() as u64, answered, no_route })
    }

    fn note(&self, outcomes: &mut [Option<Outcome>]) -> Result<()> {
        while let Some((number, outcome)) = self.outcome()? {
            if let Some(slot) = outcomes.get_mut(number) {
                *slot = Some(outcome);
            }
        }
        Ok(())
    }

    /// Pings one. What cannot be sent is like what is lost.
    fn ping(&self, number: usize) {
        let [id_high, id_low] = self.identifier;
        let [high, low] = (number as u16).to_be_bytes();
        // The kernel fills the checksum in.
        let request = [ECHO_REQUEST, 0, 0, 0, id_high, id_low, high, low];
        let to = SocketAddrV6::new(self.destinations[number], 0, 0, 0);
        let _ = self.socket.send_to(&request, &to.into());
    }

    /// The next outcome that has come.
    fn outcome(&self) -> Result<Option<(usize, Outcome)>> {
        let mut buffer = [0; DATAGRAM_OCTETS];
        loop {
            match (&self.socket).read(&mut buffer) {
                Ok(length) => {
                    if let Some(outcome) = self.read(&buffer[..length]) {
                        return Ok(Some(outcome));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("cannot hear who answers"),
            }
        }
    }

    /// What a message says of which of our pings.
    fn read(&self, octets: &[u8]) -> Option<(usize, Outcome)> {
        let (echo, outcome) = match *octets {
            [ECHO_REPLY, ..] => (octets, Outcome::Answered),
            [UNREACHABLE, NO_ROUTE, ..] => (octets.get(ABOUT_AT..)?, Outcome::NoRoute),
            _ => return None,
        };
        let [_, _, _, _, id_high, id_low, high, low, ..] = *echo else { return None };
        let number = usize::from(u16::from_be_bytes([high, low]));
        ([id_high, id_low] == self.identifier).then_some((number, outcome))
    }
}

/// Who answers again, after nobody could be reached, and when.
#[derive(Debug)]
pub(super) struct Return<'a> {
    pinger: &'a Pinger,
    begun: Instant,
    /// Those that do not answer yet, and when they were last pinged.
    silent: Vec<Option<Option<Instant>>>,
    /// Until the first one and the latest one have answered.
    pub(super) first: Option<Duration>,
    pub(super) last: Option<Duration>,
}

impl<'a> Return<'a> {
    pub(super) fn new(pinger: &'a Pinger, begun: Instant) -> Self {
        Self { pinger, begun, silent: vec![Some(None); pinger.destinations.len()], first: None, last: None }
    }

    /// Pings those of whom there is hope, and hears who answers; whether all have.
    pub(super) fn look(&mut self, hope: impl Fn(Ipv6Addr) -> bool) -> Result<bool> {
        for number in 0..self.silent.len() {
            let Some(pinged) = self.silent[number] else { continue };
            let is_due = pinged.is_none_or(|pinged| pinged.elapsed() >= AGAIN);
            if is_due && hope(self.pinger.destinations[number]) {
                self.pinger.ping(number);
                self.silent[number] = Some(Some(Instant::now()));
                self.hear()?;
            }
        }
        self.hear()?;
        Ok(self.silent.iter().all(Option::is_none))
    }

    fn hear(&mut self) -> Result<()> {
        while let Some((number, outcome)) = self.pinger.outcome()? {
            let Some(silent) = self.silent.get_mut(number) else { continue };
            if outcome == Outcome::Answered && silent.take().is_some() {
                let since = self.begun.elapsed();
                self.first.get_or_insert(since);
                self.last = Some(since);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_about_the_ping_that_lies_inside() {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None).unwrap();
        let pinger = Pinger { socket, identifier: [7, 8], destinations: Vec::new() };
        let mut error = vec![UNREACHABLE, NO_ROUTE, 0, 0, 0, 0, 0, 0];
        error.resize(ABOUT_AT, 0x60);
        error.extend([ECHO_REQUEST, 0, 1, 2, 7, 8, 1, 2]);
        assert_eq!(pinger.read(&error), Some((0x102, Outcome::NoRoute)));
        assert_eq!(pinger.read(&[ECHO_REPLY, 0, 1, 2, 7, 8, 0, 3]), Some((3, Outcome::Answered)));
        for other in [&error[..ABOUT_AT + 7], &[ECHO_REPLY, 0, 1, 2, 7, 9, 0, 3], &[ECHO_REPLY], &[]] {
            assert_eq!(pinger.read(other), None, "{other:?}");
        }
    }
}
