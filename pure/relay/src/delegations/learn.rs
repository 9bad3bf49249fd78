//! Reading along: what the messages that a relay forwards say about leases.
//!
//! A relay keeps no exchanges. Every Reply that grants says all there is to know, whether it answers a
//! Request, a Renew, a Rebind or a rapid-commit Solicit; and a Release or Decline says what its client
//! gives back. Both may come wrapped by further relays between here and the client. What is read are
//! the octets that are forwarded, and nothing here changes them.
//!
//! Who may be believed for what is not judged here. A part that is malformed, or that a client would
//! not accept either, costs itself only.

use wire::limits::MAX_RELAY_FORWARDS;
use wire::{
    ClientMessage, DhcpOption, DuidRef, Ia, IaAddress, IaKind, IaPrefix, Iaid, MessageType, OptionCode,
    Options, Prefix, RelayMessage, StatusCode,
};

/// What a server grants a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted<'a> {
    /// The client.
    pub client: DuidRef<'a>,
    /// The server.
    pub server: DuidRef<'a>,
    options: Options<'a>,
}

/// A lease that a server grants, or takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantedLease {
    /// An address or a prefix.
    pub kind: IaKind,
    /// The client's number of the association that it stands in.
    pub iaid: Iaid,
    /// The prefix, or the address as one of 128 bits.
    pub prefix: Prefix,
    /// Seconds for which it is preferred; never more than `valid_secs`.
    pub preferred_secs: u32,
    /// Seconds for which it is valid. Zero: no longer.
    pub valid_secs: u32,
    /// The part of it that stays on the client's link (RFC 6603). It gets no route, and changes none.
    pub excluded: Option<Prefix>,
}

/// What a client gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released<'a> {
    /// The client.
    pub client: DuidRef<'a>,
    /// Whether it declines: somebody else has the address.
    declines: bool,
    options: Options<'a>,
}

/// An association of which a client gives something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleasedAssociation<'a> {
    /// What it holds.
    pub kind: IaKind,
    /// The client's number of it.
    pub iaid: Iaid,
    /// Whether all of it is given back, whatever it names. That is so with an IA_PD in a Release (RFC
    /// 8987 §4.2 G-9).
    pub whole: bool,
    options: Options<'a>,
}

/// What a Reply grants, bare or inside Relay-replies; nothing for every other message, and for a Reply
/// that a client would discard (RFC 9915 §16.10).
pub fn reply(octets: &[u8]) -> Option<Granted<'_>> {
    let message = innermost(octets, MessageType::RelayReply, &[MessageType::Reply])?;
    if fails(message.options) {
        return None;
    }
    Some(Granted {
        client: message.options.client_id().ok()??,
        server: message.options.server_id().ok()??,
        options: message.options,
    })
}

/// What a Release or Decline gives back, bare or inside Relay-forwards; nothing for every other
/// message, and for one that a server would discard (RFC 9915 §16.8, §16.9).
pub fn released(octets: &[u8]) -> Option<Released<'_>> {
    let mattering = [MessageType::Release, MessageType::Decline];
    let message = innermost(octets, MessageType::RelayForward, &mattering)?;
    let declines = message.message_type == MessageType::Decline;
    message.options.server_id().ok()??;
    Some(Released { client: message.options.client_id().ok()??, declines, options: message.options })
}

impl Granted<'_> {
    /// Each lease, in the order sent. Those of an association with an error status are left out, and
    /// so is a lease with one of its own, or with a preferred lifetime beyond the valid one (RFC 9915
    /// §21.6, §21.22).
    pub fn leases(&self) -> impl Iterator<Item = GrantedLease> {
        let granting = self.options.ias().flatten().filter(|(_, ia)| !fails(ia.options));
        granting.flat_map(|(kind, ia)| leases(kind, ia))
    }
}

impl<'a> Released<'a> {
    /// Each association, in the order sent. Only addresses can be declined.
    pub fn associations(&self) -> impl Iterator<Item = ReleasedAssociation<'a>> {
        let declines = self.declines;
        let meant =
            self.options.ias().flatten().filter(move |(kind, _)| !declines || *kind == IaKind::Address);
        meant.map(move |(kind, ia)| ReleasedAssociation {
            kind,
            iaid: ia.iaid,
            whole: kind == IaKind::Prefix && !declines,
            options: ia.options,
        })
    }
}

impl ReleasedAssociation<'_> {
    /// The leases that it names, addresses as prefixes of 128 bits.
    pub fn named(&self) -> impl Iterator<Item = Prefix> {
        let (addresses, prefixes) = match self.kind {
            IaKind::Address => (self.options, Options::default()),
            IaKind::Prefix => (Options::default(), self.options),
        };
        let addresses = addresses.ia_addresses().flatten().map(|lease| host(&lease));
        addresses.chain(prefixes.ia_prefixes().flatten().map(|lease| lease.prefix))
    }
}

/// The message inside all wrappings of this type, if it is one of those that matter: others are the most
/// of what passes, and are read no further.
fn innermost<'a>(
    octets: &'a [u8],
    wrapping: MessageType,
    mattering: &[MessageType],
) -> Option<ClientMessage<'a>> {
    let mut inside = octets;
    for _ in 0..=MAX_RELAY_FORWARDS {
        let first = *inside.first()?;
        if first != wrapping as u8 {
            let matters = mattering.iter().any(|message_type| *message_type as u8 == first);
            return if matters { ClientMessage::decode(inside).ok() } else { None };
        }
        inside = RelayMessage::decode(inside).ok()?.relayed().ok()??;
    }
    None
}

/// Whether there is a status other than success. One that cannot be read is no success.
fn fails(options: Options<'_>) -> bool {
    match options.status() {
        Ok(status) => status.is_some_and(|status| status.code != StatusCode::SUCCESS),
        Err(_) => true,
    }
}

fn leases(kind: IaKind, ia: Ia<'_>) -> impl Iterator<Item = GrantedLease> {
    let of_kind = |wanted| if kind == wanted { ia.options } else { Options::default() };
    let addresses = of_kind(IaKind::Address).ia_addresses().flatten();
    let addresses = addresses.filter(|lease| !fails(lease.options)).map(move |lease| GrantedLease {
        kind,
        iaid: ia.iaid,
        prefix: host(&lease),
        preferred_secs: lease.preferred_secs,
        valid_secs: lease.valid_secs,
        excluded: None,
    });
    let prefixes = of_kind(IaKind::Prefix).ia_prefixes().flatten();
    let prefixes = prefixes.filter(|lease| !fails(lease.options)).map(move |lease| GrantedLease {
        kind,
        iaid: ia.iaid,
        prefix: lease.prefix,
        preferred_secs: lease.preferred_secs,
        valid_secs: lease.valid_secs,
        excluded: excluded(&lease),
    });
    addresses.chain(prefixes).filter(|lease| lease.preferred_secs <= lease.valid_secs)
}

fn host(lease: &IaAddress<'_>) -> Prefix {
    Prefix::new(lease.address, 128).expect("128 bits are not too many")
}

fn excluded(lease: &IaPrefix<'_>) -> Option<Prefix> {
    let option = lease.options.iter().find(|option| option.code == OptionCode::PD_EXCLUDE)?;
    match DhcpOption::decode(option) {
        Ok(DhcpOption::PdExclude(exclude)) => exclude.excluded(lease.prefix),
        _ => None,
    }
}
