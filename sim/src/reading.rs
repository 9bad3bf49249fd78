//! Reading what has been sent, for those who judge, those who trace, and simulated clients: as simple as can be, and none of it from
//! the code that is judged but the outline of messages.

use lease::Resource;
use wire::{
    ClientMessage, IaKind, Iaid, MessageType, OptionCode, Options, RelayMessage, StatusCode, TransactionId,
};

/// The message inside all relay messages, and how many of those there are.
pub fn innermost(mut octets: &[u8]) -> (&[u8], usize) {
    let mut hops = 0;
    while let Ok(RelayMessage { options, .. }) = RelayMessage::decode(octets) {
        let Some(inner) = options.first(OptionCode::RELAY_MSG) else { break };
        (octets, hops) = (inner, hops + 1);
    }
    (octets, hops)
}

/// The messages that are whole in octets of a stream.
pub fn whole_messages(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let size = octets.get(..2)?;
        let end = 2 + usize::from(u16::from_be_bytes([size[0], size[1]]));
        let message = octets.get(2..end)?;
        octets = &octets[end..];
        Some(message)
    })
}

/// A client's transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transaction {
    client: Vec<u8>,
    id: TransactionId,
}

impl Transaction {
    /// The one that a message is of, if it says whose.
    pub fn of(octets: &[u8]) -> Option<Self> {
        let message = ClientMessage::decode(innermost(octets).0).ok()?;
        let client = message.options.client_id().ok()??.octets().to_vec();
        Some(Self { client, id: message.transaction_id })
    }
}

/// A lease as a message names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The message's client.
    pub client: Vec<u8>,
    /// The address or prefix.
    pub resource: Resource,
    /// Its valid lifetime there.
    pub valid_secs: u32,
}

/// The leases that a message names, if it is one of these types and says whose they are.
pub fn named(octets: &[u8], types: &[MessageType]) -> impl Iterator<Item = Named> {
    let (inside, _) = innermost(octets);
    let is_one = |number: &&u8| types.iter().any(|known| *known as u8 == **number);
    let message = inside.first().filter(is_one).and_then(|_| ClientMessage::decode(inside).ok());
    let options = message.map(|message| message.options).unwrap_or_default();
    let client = options.client_id().ok().flatten().map(|client| client.octets().to_vec());
    let ias = options.ias().filter_map(Result::ok);
    let leases = ias.flat_map(|(_, ia)| {
        let addresses = ia.options.ia_addresses().filter_map(Result::ok);
        let addresses = addresses.map(|held| (Resource::Address(held.address), held.valid_secs));
        let prefixes = ia.options.ia_prefixes().filter_map(Result::ok);
        addresses.chain(prefixes.map(|held| (Resource::Prefix(held.prefix), held.valid_secs)))
    });
    let named = client.map(|client| {
        leases.map(move |(resource, valid_secs)| Named { client: client.clone(), resource, valid_secs })
    });
    named.into_iter().flatten()
}

/// What clients and servers say to one another.
#[derive(Debug)]
pub struct Said<'a> {
    /// What kind of message it is.
    pub message_type: MessageType,
    /// What ties an answer to its question.
    pub transaction_id: TransactionId,
    /// The octets of CLIENTID.
    pub client: Option<&'a [u8]>,
    /// The octets of SERVERID.
    pub server: Option<&'a [u8]>,
    /// Each IA_NA and IA_PD.
    pub associations: Vec<Association>,
}

/// An IA_NA or IA_PD.
#[derive(Debug, Clone)]
pub struct Association {
    /// Which of the two.
    pub kind: IaKind,
    /// The client's number for it.
    pub iaid: Iaid,
    /// T1.
    pub t1_secs: u32,
    /// T2.
    pub t2_secs: u32,
    /// Its status, Success if nothing is said.
    pub status: StatusCode,
    /// What is in it.
    pub leases: Vec<Lease>,
}

impl Association {
    /// One with T1 after T2 is ignored (RFC 9915 §21.4).
    pub fn has_sound_times(&self) -> bool {
        self.t2_secs == 0 || self.t1_secs <= self.t2_secs
    }
}

/// An IAADDR or IAPREFIX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The address or prefix.
    pub resource: Resource,
    /// The preferred lifetime.
    pub preferred_secs: u32,
    /// The valid lifetime.
    pub valid_secs: u32,
}

impl<'a> Said<'a> {
    /// Reads a message that is in no relay message; what cannot be read of it is left out.
    pub fn read(octets: &'a [u8]) -> Option<Self> {
        let ClientMessage { message_type, transaction_id, options } = ClientMessage::decode(octets).ok()?;
        Some(Self {
            message_type,
            transaction_id,
            client: options.first(OptionCode::CLIENTID),
            server: options.first(OptionCode::SERVERID),
            associations: associations(options),
        })
    }

    /// The same of what is inside relay messages, if it is one of these types.
    pub fn read_if(octets: &'a [u8], types: &[MessageType]) -> Option<Self> {
        let (inside, _) = innermost(octets);
        let number = inside.first()?;
        types.iter().any(|known| *known as u8 == *number).then(|| Self::read(inside))?
    }

    /// Everything in any association.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.associations.iter().flat_map(|association| &association.leases)
    }
}

/// Each IA_NA and IA_PD of a message.
pub fn associations(options: Options<'_>) -> Vec<Association> {
    let associations = options.ias().filter_map(Result::ok).map(|(kind, ia)| Association {
        kind,
        iaid: ia.iaid,
        t1_secs: ia.t1_secs,
        t2_secs: ia.t2_secs,
        status: status(ia.options),
        leases: leases(kind, ia.options),
    });
    associations.collect()
}

/// The status among these options, Success if nothing is said.
pub fn status(options: Options<'_>) -> StatusCode {
    options.status().ok().flatten().map_or(StatusCode::SUCCESS, |status| status.code)
}

fn leases(kind: IaKind, options: Options<'_>) -> Vec<Lease> {
    match kind {
        IaKind::Address => {
            let addresses = options.ia_addresses().filter_map(Result::ok);
            let leases = addresses.map(|told| Lease {
                resource: Resource::Address(told.address),
                preferred_secs: told.preferred_secs,
                valid_secs: told.valid_secs,
            });
            leases.collect()
        }
        IaKind::Prefix => {
            let prefixes = options.ia_prefixes().filter_map(Result::ok);
            let leases = prefixes.map(|told| Lease {
                resource: Resource::Prefix(told.prefix),
                preferred_secs: told.preferred_secs,
                valid_secs: told.valid_secs,
            });
            leases.collect()
        }
    }
}
