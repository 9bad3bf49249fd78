//! A customer: what it asks for, what it has been promised, and what it has given back.
//!
//! It speaks as a DHCPv6 client does, one message after another, and repeats what is not answered: before and after a
//! kill, the same words. What it was told in a Reply is *promised* until it has given it back or the time is over. What it
//! asked without an answer may have been done or not: then it is *in doubt*. It notices by itself when a promise that still
//! holds is not kept by a later Reply.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use requestor::Resource;
use wire::{ClientMessage, Duid, IaKind, Iaid, MessageType, OptionCode, TransactionId, Writer};
use world::Chance;

/// Lifetimes are whole seconds on both sides.
pub(crate) const ROUNDING_SECS: u64 = 2;
/// Before a customer who has given something back asks again: longer than anybody takes to notice that it is gone.
const REST: Duration = Duration::from_secs(2);
const IAID: Iaid = Iaid(1);

/// What a Reply has said of a lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promise {
    /// It is valid until then at least, as Unix time.
    pub(crate) until_secs: u64,
    /// Since when it has been held without a break.
    pub(crate) since: Instant,
}

/// What a customer has said and is waiting to be answered.
#[derive(Debug)]
struct Asking {
    message_type: MessageType,
    id: TransactionId,
    is_rapid: bool,
    about: Vec<Resource>,
    /// When that could be heard for the first time by a program that lives now, as Unix time.
    said_at: u64,
}

/// What has come of hearing something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was for somebody else, or too late.
    Nothing,
    /// There is more to say.
    GoOn,
    /// A Reply: so many leases were granted or extended, and so many are given back.
    Done { promised: u64, returned: u64 },
}

/// One of many.
#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) duid: Duid,
    kinds: &'static [IaKind],
    server_id: Option<Duid>,
    pub(crate) promised: BTreeMap<Resource, Promise>,
    /// Given back, and that was acknowledged.
    returned: BTreeSet<Resource>,
    /// Given back without an answer.
    in_doubt: BTreeSet<Resource>,
    asking: Option<Asking>,
    /// It has gone away in the middle of something.
    is_adrift: bool,
    rests_until: Instant,
}

impl Customer {
    /// A customer that wants leases of these kinds.
    pub(crate) fn new(duid: Duid, kinds: &'static [IaKind]) -> Self {
        Self {
            duid,
            kinds,
            server_id: None,
            promised: BTreeMap::new(),
            returned: BTreeSet::new(),
            in_doubt: BTreeSet::new(),
            asking: None,
            is_adrift: false,
            rests_until: Instant::now(),
        }
    }

    /// Whether it may be asked to do something now.
    pub(crate) fn is_idle(&self) -> bool {
        self.asking.is_none() && !self.is_adrift && self.rests_until <= Instant::now()
    }

    /// It goes away: what it has asked for last is never heard of again.
    pub(crate) fn leave(&mut self) {
        self.is_adrift = true;
    }

    /// Whether a message of its own that nobody has answered may have given it anything.
    pub(crate) fn may_hold_anything(&self) -> bool {
        let is_granting = |asking: &Asking| match asking.message_type {
            MessageType::Solicit => asking.is_rapid,
            MessageType::Release | MessageType::Decline => false,
            _ => true,
        };
        self.asking.as_ref().is_some_and(is_granting)
    }

    /// Whether it may hold this as far as it knows.
    pub(crate) fn may_hold(&self, resource: Resource) -> bool {
        self.promised.contains_key(&resource) || self.in_doubt.contains(&resource) || self.may_hold_anything()
    }

    /// Whether this was given back, and acknowledged.
    pub(crate) fn has_returned(&self, resource: Resource) -> bool {
        self.returned.contains(&resource)
    }

    /// What was promised and is over is forgotten.
    pub(crate) fn forget_expired(&mut self, now_secs: u64) {
        self.promised.retain(|_, promise| promise.until_secs + ROUNDING_SECS >= now_secs);
    }

    /// Decides what to say next.
    pub(crate) fn begin(&mut self, chance: &mut Chance, declines: bool, id: TransactionId) {
        self.forget_expired(unix_secs());
        let message_type = match chance.below(16) {
            _ if self.promised.is_empty() => MessageType::Solicit,
            0..9 => MessageType::Renew,
            9..11 => MessageType::Rebind,
            11 if declines => MessageType::Decline,
            _ => MessageType::Release,
        };
        let wants = |resource: &Resource| match message_type {
            MessageType::Solicit => false,
            MessageType::Decline => matches!(resource, Resource::Address(_)),
            _ => true,
        };
        let about: Vec<Resource> = self.promised.keys().copied().filter(wants).collect();
        if about.is_empty() && message_type != MessageType::Solicit {
            return;
        }
        if matches!(message_type, MessageType::Release | MessageType::Decline) {
            for resource in &about {
                self.promised.remove(resource);
                self.in_doubt.insert(*resource);
            }
        }
        let is_rapid = message_type == MessageType::Solicit && chance.below(2) == 0;
        self.asking = Some(Asking { message_type, id, is_rapid, about, said_at: unix_secs() });
    }

    /// Whether it is waiting for an answer.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Those who may have heard it before are dead.
    pub(crate) fn ask_anew(&mut self) {
        if let Some(asking) = &mut self.asking {
            asking.said_at = unix_secs();
        }
    }

    /// What it says now, if it has something to say.
    pub(crate) fn words(&self) -> Option<Vec<u8>> {
        let asking = self.asking.as_ref()?;
        let mut octets = Vec::new();
        let mut w = Writer::new(&mut octets);
        ClientMessage::write(&mut w, asking.message_type, asking.id, |w| self.write_options(asking, w));
        w.finish().expect("a short message");
        Some(octets)
    }

    fn write_options(&self, asking: &Asking, w: &mut Writer<'_>) {
        use MessageType::{Decline, Rebind, Release, Solicit};
        w.raw_option(OptionCode::CLIENTID, self.duid.octets());
        if let Some(server_id) =
            self.server_id.as_ref().filter(|_| !matches!(asking.message_type, Solicit | Rebind))
        {
            w.raw_option(OptionCode::SERVERID, server_id.octets());
        }
        w.raw_option(OptionCode::ELAPSED_TIME, &[0, 0]);
        if asking.is_rapid {
            w.raw_option(OptionCode::RAPID_COMMIT, &[]);
        }
        let gives_back = matches!(asking.message_type, Release | Decline);
        if !gives_back {
            w.raw_option(OptionCode::RECONF_ACCEPT, &[]);
        }
        for kind in self.kinds {
            let leases: Vec<Resource> =
                asking.about.iter().copied().filter(|resource| kind_of(*resource) == *kind).collect();
            if gives_back && leases.is_empty() {
                continue;
            }
            w.ia(*kind, IAID, 0, 0, |w| {
                for resource in leases {
                    match resource {
                        Resource::Address(address) => w.ia_address(address, 0, 0),
                        Resource::Prefix(prefix) => w.ia_prefix(prefix, 0, 0, |_| {}),
                    }
                }
            });
        }
    }

    /// Hears a message. An error says which promise was broken.
    pub(crate) fn hear(&mut self, message: &ClientMessage<'_>, id: TransactionId) -> Result<Heard, String> {
        let is_for_us = message.options.client_id() == Ok(Some(self.duid.as_ref()));
        let Some(asking) = self.asking.take_if(|asking| is_for_us && asking.id == message.transaction_id)
        else {
            return Ok(Heard::Nothing);
        };
        if let Ok(Some(server_id)) = message.options.server_id() {
            self.server_id = Some(server_id.to_duid());
        }
        match (message.message_type, asking.message_type) {
            (MessageType::Advertise, MessageType::Solicit) => {
                let about: Vec<_> = leases(message).map(|(resource, _)| resource).collect();
                if about.is_empty() {
                    return Ok(Heard::Done { promised: 0, returned: 0 });
                }
                let message_type = MessageType::Request;
                self.asking = Some(Asking { message_type, id, about, is_rapid: false, ..asking });
                self.ask_anew();
                Ok(Heard::GoOn)
            }
            (MessageType::Reply, MessageType::Release | MessageType::Decline) => {
                let returned = asking.about.len() as u64;
                for resource in asking.about {
                    self.in_doubt.remove(&resource);
                    self.returned.insert(resource);
                }
                self.rests_until = Instant::now() + REST;
                Ok(Heard::Done { promised: 0, returned })
            }
            (MessageType::Reply, _) => self.take(&asking, message),
            _ => {
                self.asking = Some(asking);
                Ok(Heard::Nothing)
            }
        }
    }

    /// Takes what a Reply gives, and looks whether it takes something away.
    fn take(&mut self, asking: &Asking, message: &ClientMessage<'_>) -> Result<Heard, String> {
        let now = unix_secs();
        let mut promised = 0;
        let given: BTreeMap<Resource, u64> =
            leases(message).map(|(resource, secs)| (resource, asking.said_at + u64::from(secs))).collect();
        for (resource, until_secs) in &given {
            let before = self.promised.get(resource).filter(|before| before.until_secs > now);
            let since = before.map_or_else(Instant::now, |before| before.since);
            self.promised.insert(*resource, Promise { until_secs: *until_secs, since });
            self.returned.remove(resource);
            promised += 1;
        }
        let taken_away = |held: &(&Resource, &Promise)| {
            held.1.until_secs > now + ROUNDING_SECS && !given.contains_key(held.0)
        };
        if let Some((resource, promise)) = self.promised.iter().find(taken_away) {
            return Err(format!(
                "{} was promised {resource} for {} s more, and in a Reply to {:?} it is gone",
                self.duid,
                promise.until_secs - now,
                asking.message_type
            ));
        }
        self.promised.retain(|resource, _| given.contains_key(resource));
        Ok(Heard::Done { promised, returned: 0 })
    }
}

/// What a message gives, each for so many seconds.
fn leases<'a>(message: &ClientMessage<'a>) -> impl Iterator<Item = (Resource, u32)> + use<'a> {
    let ias = message.options.ias().filter_map(Result::ok);
    let all = ias.flat_map(|(_, ia)| {
        let addresses = ia.options.ia_addresses().filter_map(Result::ok);
        let addresses = addresses.map(|lease| (Resource::Address(lease.address), lease.valid_secs));
        let prefixes = ia.options.ia_prefixes().filter_map(Result::ok);
        addresses.chain(prefixes.map(|lease| (Resource::Prefix(lease.prefix), lease.valid_secs)))
    });
    all.filter(|(_, valid_secs)| *valid_secs > 0)
}

fn kind_of(resource: Resource) -> IaKind {
    match resource {
        Resource::Address(_) => IaKind::Address,
        Resource::Prefix(_) => IaKind::Prefix,
    }
}

/// Now, as programs tell each other.
pub(crate) fn unix_secs() -> u64 {
    leasehold::clock::unix_secs()
}
