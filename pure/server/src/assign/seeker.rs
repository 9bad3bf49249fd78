//! Who asks for what, and what may be said about it.

use lease::{IaKind, Link, Resource};
use wire::{Duid, Iaid, Prefix, RelayChain};

/// By what a client is known.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// What it calls itself.
    pub duid: &'a Duid,
    /// The relays that its message came through, with what they say of it; `None` if it came
    /// directly.
    pub relays: Option<&'a RelayChain<'a>>,
}

/// An identity association that something is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Seeker<'a> {
    /// Where the client is.
    pub link: &'a Link,
    /// Who it is.
    pub identity: &'a Identity<'a>,
    /// Addresses or prefixes.
    pub kind: IaKind,
    /// The client's number for the association.
    pub iaid: Iaid,
    /// What the client would like to have.
    pub hint: Option<Resource>,
    /// How long the client would like its prefix to be; if this is not said, as long as the hint.
    pub length_hint: Option<u8>,
    /// What the association had before, the likeliest first.
    pub remembered: &'a [Resource],
    /// What the message at hand has been given already.
    pub taken: &'a [Resource],
    /// Whether the client can leave a part of its prefix to the delegating side (RFC 6603).
    pub takes_exclusion: bool,
}

/// What could be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The address or prefix.
    pub resource: Resource,
    /// The part of the prefix that stays with the delegating side.
    pub excluded: Option<Prefix>,
}

/// What a resource is to a client on a link, whoever holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The client may have it: it is in a pool of the link and kept for nobody else, or it is kept for
    /// this client.
    Assignable,
    /// It belongs on the link, but is not for this client: no pool has it, or somebody else's
    /// reservation does.
    OnLink,
    /// It does not belong on the link.
    Foreign,
}
