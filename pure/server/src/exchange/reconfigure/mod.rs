//! Reconfigure: telling a client to speak up (RFC 9915 §18.3.11).
//!
//! Whoever accepts that and is served where it is switched on gets a key with the Reply that begins
//! its bindings ([`rkap`]), and the key stays in its record. To reconfigure a client is to set aside
//! replay detection values for every attempt, in its record, and to note that it is under way
//! ([`progress`]). The messages are made one at a time when they are due, from what the table has of
//! the client then; they must not leave before the record is durable, so that no value is ever used
//! twice. All of it ends when the client sends what it was told to, or with the last attempt.

mod progress;
mod rkap;

use std::fmt;
use std::net::Ipv6Addr;

use lease::{Client, ClientKey, ClientView, ReconfigureKey, Table};
use wire::{ClientMessage, MessageType, OptionCode, RelayChain};
use world::{Instant, Now};

use super::Exchanges;
use super::terms::LinkTerms;
use crate::Holdings;
use crate::arrival::wrap;
use crate::limits::{MAX_RECONFIGURATIONS, RECONFIGURE_ATTEMPTS};
use progress::Due;

pub(super) use progress::Progress;
pub(super) use rkap::{KeySource, ToldKey};

/// What a client is told to send (RFC 9915 §21.19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// Renew.
    Renew,
    /// Rebind.
    Rebind,
    /// Information-request.
    InformationRequest,
}

impl Announced {
    /// The type of the message.
    pub fn message_type(self) -> MessageType {
        match self {
            Self::Renew => MessageType::Renew,
            Self::Rebind => MessageType::Rebind,
            Self::InformationRequest => MessageType::InformationRequest,
        }
    }
}

/// Why a client is not told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReconfigured {
    /// Nobody knows it.
    Unknown,
    /// Reconfigure is off on its link.
    SwitchedOff,
    /// It has no key: it does not accept Reconfigure, or was bound before that was switched on.
    NoKey,
    /// It holds nothing now.
    NoLease,
    /// It was heard directly and holds no address, or its relay has no address but a link-local one.
    NoWay,
    /// What it holds is held by somebody else, too: an import can bring that.
    Conflict,
    /// It has been told already and has some time left to do so.
    UnderWay,
    /// So many others have been told that it has to wait for its turn.
    TooMany,
}

impl fmt::Display for NotReconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::SwitchedOff => "reconfigure is off on its link",
            Self::NoKey => "has no key",
            Self::NoLease => "holds nothing now",
            Self::NoWay => "no way to it is known",
            Self::Conflict => "what it holds is held by somebody else, too",
            Self::UnderWay => "under way already",
            Self::TooMany => "too many are under way",
        })
    }
}

/// What is to be done about a client that has not yet sent what it was told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconfiguring {
    /// Which client.
    pub key: ClientKey,
    /// What it is told to send.
    pub announced: Announced,
    /// What to do.
    pub step: Step,
}

/// The next step of a reconfiguration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// This has to be sent, once all that is in the table is durable.
    Send {
        /// Where to.
        to: Destination,
        /// The Reconfigure, in Relay-replies if it goes to a relay.
        octets: Vec<u8>,
        /// The first is 1.
        attempt: u32,
    },
    /// It has not answered, and no more is sent.
    GivenUp,
    /// It cannot be told any more.
    Ended(NotReconfigured),
}

/// To whom a Reconfigure is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// A client, by an address that it holds, at the port of clients.
    Client(Ipv6Addr),
    /// A relay, at the port of relays.
    Relay(Ipv6Addr),
}

impl Exchanges {
    /// Gives keys to clients from now on, made out of these random octets: they have to be unknown to
    /// everybody else, and different at every start.
    pub fn seed_keys(&mut self, seed: [u8; 32]) {
        self.keys = Some(KeySource::new(seed));
    }

    /// Goes on with the reconfigurations that `earlier` had under way.
    pub fn carry_on(&mut self, earlier: &mut Self) {
        self.reconfiguring = std::mem::take(&mut earlier.reconfiguring);
    }

    /// Whether a client can be told to send something, now.
    pub fn may_reconfigure(&self, key: &ClientKey, table: &Table, now: Now) -> Result<(), NotReconfigured> {
        if self.reconfiguring.has(key) {
            return Err(NotReconfigured::UnderWay);
        }
        self.reachable(key, table, now).map(|_| ())
    }

    /// Has a client told to send something; the first message is due at once.
    pub fn reconfigure(
        &mut self,
        key: ClientKey,
        announced: Announced,
        holdings: &mut Holdings,
        now: Now,
    ) -> Result<(), NotReconfigured> {
        self.may_reconfigure(&key, &holdings.table, now)?;
        if self.reconfiguring.len() >= MAX_RECONFIGURATIONS {
            return Err(NotReconfigured::TooMany);
        }
        let (client, secret, _) = self.reachable(&key, &holdings.table, now)?;
        let client = Client { reconfigure: Some(set_aside(secret, now)), ..client.to_client() };
        holdings.table.put(&client).map_err(|_| NotReconfigured::Conflict)?;
        self.reconfiguring.begin(key, announced, now.instant);
        Ok(())
    }

    /// How many clients have been told and have not answered yet.
    pub fn reconfigurations(&self) -> usize {
        self.reconfiguring.len()
    }

    /// When [`Self::reconfigure_due`] will have something to do.
    pub fn next_reconfigure(&self) -> Option<Instant> {
        self.reconfiguring.next_deadline()
    }

    /// What is due by now, of `most` clients at most: call again if so many are returned.
    pub fn reconfigure_due(&mut self, holdings: &Holdings, now: Now, most: usize) -> Vec<Reconfiguring> {
        let mut steps = Vec::new();
        while steps.len() < most
            && let Some((key, announced, due)) = self.reconfiguring.take_due(now.instant)
        {
            let step = match due {
                Due::Attempt(attempt) => {
                    self.attempt(&key, announced, attempt, holdings, now).unwrap_or_else(|why| {
                        self.reconfiguring.end(&key);
                        Step::Ended(why)
                    })
                }
                Due::GiveUp => Step::GivenUp,
            };
            steps.push(Reconfiguring { key, announced, step });
        }
        steps
    }

    fn attempt(
        &self,
        key: &ClientKey,
        announced: Announced,
        attempt: u32,
        holdings: &Holdings,
        now: Now,
    ) -> Result<Step, NotReconfigured> {
        let (client, secret, to) = self.reachable(key, &holdings.table, now)?;
        let replay = set_aside_for(attempt, secret);
        let message = rkap::message(&self.terms.server_id, &key.duid, announced, &secret.octets, replay);
        let path = match to {
            Destination::Client(_) => None,
            Destination::Relay(_) => client.path().and_then(|path| RelayChain::decode_path(path).ok()),
        };
        let mut octets = Vec::new();
        wrap(path.as_ref(), &message, &mut octets).map_err(|_| NotReconfigured::NoWay)?;
        Ok(Step::Send { to, octets, attempt })
    }

    /// A client that can be told something, with its key and the way to it.
    fn reachable<'t>(
        &self,
        key: &ClientKey,
        table: &'t Table,
        now: Now,
    ) -> Result<(ClientView<'t>, ReconfigureKey, Destination), NotReconfigured> {
        let client = table.client(key).ok_or(NotReconfigured::Unknown)?;
        if !self.terms.rules.links.get(&key.link).is_some_and(|on_link| on_link.reconfigure) {
            return Err(NotReconfigured::SwitchedOff);
        }
        let secret = client.reconfigure.ok_or(NotReconfigured::NoKey)?;
        let to = destination(&client, now.unix_secs)?;
        Ok((client, secret, to))
    }
}

/// Where a client is reached: at an address that it holds if it was heard directly, else along the
/// relays that it was heard through. No interface is remembered, so a link-local address is of no use.
fn destination(client: &ClientView<'_>, now_unix_secs: u64) -> Result<Destination, NotReconfigured> {
    let held = || client.leases().map(|held| held.lease);
    let mut valid = held().filter(|lease| lease.valid_remaining_secs(now_unix_secs) > 0).peekable();
    if valid.peek().is_none() {
        return Err(NotReconfigured::NoLease);
    }
    if client.path().is_none() {
        let address = valid.find_map(|lease| lease.resource.address());
        return address.map(Destination::Client).ok_or(NotReconfigured::NoWay);
    }
    let relay = client.peer_address;
    let means_nothing = relay.is_unspecified() || relay.is_unicast_link_local();
    if means_nothing { Err(NotReconfigured::NoWay) } else { Ok(Destination::Relay(relay)) }
}

/// Whether both sides want Reconfigure. An Information-request is not answered so: nothing is kept of
/// a client that has nothing, and so it can have no key.
pub(super) fn is_wanted(message: &ClientMessage<'_>, on_link: &LinkTerms) -> bool {
    let speaks_of_bindings = matches!(
        message.message_type,
        MessageType::Solicit | MessageType::Request | MessageType::Renew | MessageType::Rebind
    );
    on_link.reconfigure && speaks_of_bindings && message.options.has(OptionCode::RECONF_ACCEPT)
}

impl Exchanges {
    /// Settles, in the Reply to a Request or Solicit, whether the client has a key, and gives what it
    /// is to be told. It keeps the key that it has: a Reply may get lost, and be asked for again.
    pub(super) fn settle_key(
        &mut self,
        client: &mut Client,
        asked_in: MessageType,
        wanted: bool,
        now: Now,
    ) -> Option<ToldKey> {
        if !matches!(asked_in, MessageType::Request | MessageType::Solicit) || client.bindings.is_empty() {
            return None;
        }
        let known = client.reconfigure.take().filter(|_| wanted);
        let key = match (known, &mut self.keys) {
            (Some(known), _) => known,
            (None, Some(keys)) if wanted => ReconfigureKey { octets: keys.make(), last_replay: 0 },
            (None, _) => return None,
        };
        let replay = next_replay(key, now);
        let key = ReconfigureKey { last_replay: replay, ..key };
        // What was set aside for attempts to come is less than what the client sees now.
        let is_under_way = self.reconfiguring.has(&client.key);
        client.reconfigure = Some(if is_under_way { set_aside(key, now) } else { key });
        Some(ToldKey { octets: key.octets, replay })
    }
}

/// Sets aside a replay detection value for each attempt: the last ones up to `last_replay`.
fn set_aside(key: ReconfigureKey, now: Now) -> ReconfigureKey {
    let last_replay = next_replay(key, now).saturating_add(u64::from(RECONFIGURE_ATTEMPTS - 1));
    ReconfigureKey { last_replay, ..key }
}

/// The value for this attempt, out of those set aside last.
fn set_aside_for(attempt: u32, key: ReconfigureKey) -> u64 {
    key.last_replay.saturating_sub(u64::from(RECONFIGURE_ATTEMPTS - attempt))
}

/// Greater than all before, and than those of an earlier record of this client that is lost
/// (RFC 9915 §20.3): the time of day, in microseconds, unless the clock has stepped back.
fn next_replay(key: ReconfigureKey, now: Now) -> u64 {
    key.last_replay.saturating_add(1).max(now.unix_secs.saturating_mul(1_000_000))
}
