//! Every key of Kea's configuration, and what becomes of it.
//!
//! A key is read by one of the other modules, or says nothing to a server like this, or is reported with a
//! reason, unless it says what goes without saying. A key that stands in no list is reported too: so nothing
//! that stands in the file is passed over in silence by mistake.

use super::json::Json;
use super::scope::{Remarks, Scope};

/// What becomes of a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// It is translated, or reported where its meaning is known.
    Read,
    /// It changes nothing in what clients get: how Kea keeps, logs, counts, hurries.
    Silent,
    /// It is not translated, for this reason, unless it has this value.
    Not(Usual, &'static str),
}

/// A value with which a key says what goes without saying.
#[derive(Debug, Clone, Copy)]
pub(super) enum Usual {
    /// There is none.
    None,
    False,
    Zero,
    /// An empty text, list or map.
    Empty,
    Text(&'static str),
}

pub(super) type Key = (&'static str, Fate);

use Fate::{Not, Read, Silent};

const CLASSES: &str = "there are no client classes here: it would apply to every client";
const CHOICE: &str = "addresses and prefixes are chosen in one way only here";
const CACHE: &str = "a Renew is always answered with the whole lifetime";
const NO_RANGE: &str = "a lifetime is not negotiated: every client gets the one that is configured";

/// What decides about names; we keep none.
const NAMES: &[Key] = &[
    ("ddns-conflict-resolution-mode", Silent),
    ("ddns-generated-prefix", Silent),
    ("ddns-override-client-update", Silent),
    ("ddns-override-no-update", Silent),
    ("ddns-qualifying-suffix", Silent),
    ("ddns-replace-client-name", Silent),
    ("ddns-send-updates", Silent),
    ("ddns-ttl", Silent),
    ("ddns-ttl-max", Silent),
    ("ddns-ttl-min", Silent),
    ("ddns-ttl-percent", Silent),
    ("ddns-update-on-renew", Silent),
    ("hostname-char-replacement", Silent),
    ("hostname-char-set", Silent),
];

/// Whom something is for.
const FOR_CLASSES: &[Key] = &[
    ("client-class", Not(Usual::Text(""), CLASSES)),
    ("client-classes", Not(Usual::Empty, CLASSES)),
    ("evaluate-additional-classes", Not(Usual::Empty, "there are no client classes here")),
    ("require-client-classes", Not(Usual::Empty, "there are no client classes here")),
];

/// What networks and subnets have from what is around them.
const INHERITED: &[Key] = &[
    ("allocator", Not(Usual::Text("iterative"), CHOICE)),
    ("cache-max-age", Not(Usual::Zero, CACHE)),
    ("cache-threshold", Not(Usual::Zero, CACHE)),
    ("calculate-tee-times", Read),
    ("comment", Silent),
    ("ddns-use-conflict-resolution", Silent),
    ("max-preferred-lifetime", Not(Usual::None, NO_RANGE)),
    ("max-valid-lifetime", Not(Usual::None, NO_RANGE)),
    ("metadata", Silent),
    ("min-preferred-lifetime", Not(Usual::None, NO_RANGE)),
    ("min-valid-lifetime", Not(Usual::None, NO_RANGE)),
    ("option-data", Read),
    ("pd-allocator", Not(Usual::Text("iterative"), CHOICE)),
    ("preferred-lifetime", Read),
    ("rapid-commit", Read),
    ("rebind-timer", Read),
    ("renew-timer", Read),
    ("reservation-mode", Read),
    ("reservations-global", Read),
    ("reservations-in-subnet", Read),
    (
        "reservations-out-of-pool",
        Not(Usual::False, "what is reserved is kept from everybody else, in a pool or not"),
    ),
    ("store-extended-info", Silent),
    ("t1-percent", Read),
    ("t2-percent", Read),
    ("user-context", Silent),
    ("valid-lifetime", Read),
];

/// Keys of `Dhcp6`.
pub(super) const GLOBAL: &[&[Key]] = &[
    INHERITED,
    NAMES,
    &[
        ("client-classes", Not(Usual::Empty, "there are no client classes here")),
        ("compatibility", Not(Usual::Empty, "there are no such exceptions here")),
        ("config-control", Not(Usual::Empty, "what is configured in a database cannot be seen from here")),
        ("control-socket", Silent),
        ("control-sockets", Silent),
        ("data-directory", Read),
        ("decline-probation-period", Read),
        ("dhcp-ddns", Read),
        ("dhcp-queue-control", Silent),
        ("dhcp4o6-port", Not(Usual::Zero, "DHCPv4 is not spoken here")),
        ("early-global-reservations-lookup", Silent),
        ("expired-leases-processing", Read),
        ("hooks-libraries", Read),
        ("host-reservation-identifiers", Read),
        ("hosts-database", Not(Usual::Empty, "reservations in a database cannot be seen from here")),
        ("hosts-databases", Not(Usual::Empty, "reservations in a database cannot be seen from here")),
        ("interfaces-config", Read),
        ("ip-reservations-unique", Silent),
        ("lease-database", Read),
        ("loggers", Silent),
        ("mac-sources", Read),
        ("multi-threading", Silent),
        ("option-def", Read),
        ("parked-packet-limit", Silent),
        ("relay-supplied-options", Read),
        ("reservations", Read),
        ("reservations-lookup-first", Silent),
        ("sanity-checks", Silent),
        ("server-id", Read),
        ("server-tag", Silent),
        ("shared-networks", Read),
        ("statistic-default-sample-age", Silent),
        ("statistic-default-sample-count", Silent),
        ("subnet6", Read),
    ],
];

/// Keys of a shared network.
pub(super) const NETWORK: &[&[Key]] =
    &[INHERITED, NAMES, AT_A_PLACE, FOR_CLASSES, &[("name", Read), ("subnet6", Read)]];

/// Keys of a subnet.
pub(super) const SUBNET: &[&[Key]] = &[
    INHERITED,
    NAMES,
    AT_A_PLACE,
    FOR_CLASSES,
    &[("id", Read), ("pd-pools", Read), ("pools", Read), ("reservations", Read), ("subnet", Read)],
];

/// How a shared network or a subnet is found.
const AT_A_PLACE: &[Key] = &[("interface", Read), ("interface-id", Read), ("relay", Read)];

const POOLS: &[Key] = &[
    ("comment", Silent),
    ("metadata", Silent),
    ("option-data", Read),
    ("pool-id", Silent),
    ("user-context", Silent),
];

/// Keys of a pool of addresses.
pub(super) const POOL: &[&[Key]] = &[POOLS, FOR_CLASSES, NAMES, &[("pool", Read)]];

/// Keys of a pool of prefixes.
pub(super) const PD_POOL: &[&[Key]] = &[
    POOLS,
    FOR_CLASSES,
    &[
        ("delegated-len", Read),
        ("excluded-prefix", Read),
        ("excluded-prefix-len", Read),
        ("prefix", Read),
        ("prefix-len", Read),
    ],
];

/// Keys of a reservation.
pub(super) const RESERVATION: &[&[Key]] = &[&[
    ("client-classes", Not(Usual::Empty, "there are no client classes here")),
    ("comment", Silent),
    ("duid", Read),
    ("excluded-prefixes", Not(Usual::Empty, "only a pool can exclude a part of its prefixes")),
    ("flex-id", Read),
    (
        "hostname",
        Not(Usual::Text(""), "a client's name is its own: no name is given to it, and none to the DNS"),
    ),
    ("hw-address", Read),
    ("ip-addresses", Read),
    ("option-data", Read),
    ("prefixes", Read),
    ("user-context", Silent),
]];

/// Keys of an option.
pub(super) const OPTION: &[&[Key]] = &[&[
    ("always-send", Read),
    ("client-classes", Not(Usual::Empty, CLASSES)),
    ("code", Read),
    ("comment", Silent),
    ("csv-format", Read),
    ("data", Read),
    ("metadata", Silent),
    ("name", Read),
    ("never-send", Not(Usual::False, "what is configured is sent")),
    ("space", Read),
    ("user-context", Silent),
]];

/// Keys of the definition of an option.
pub(super) const DEFINITION: &[&[Key]] = &[&[
    ("array", Read),
    ("code", Read),
    ("comment", Silent),
    ("encapsulate", Read),
    ("metadata", Silent),
    ("name", Read),
    ("record-types", Read),
    ("space", Read),
    ("type", Read),
    ("user-context", Silent),
]];

/// Reports what stands in this map and is translated nowhere.
pub(super) fn report(at: &Scope<'_>, keys: &[&[Key]], remarks: &mut Remarks) {
    for (name, member) in at.members() {
        let known = keys.iter().copied().flatten().find(|(key, _)| *key == name);
        match known.map(|(_, fate)| *fate) {
            Some(Read | Silent) => {}
            Some(Not(usual, _)) if usual.is(&member.value.json) => {}
            Some(Not(_, reason)) => remarks.not_translated(&member, reason),
            None => remarks.not_translated(&member, "this key is not known"),
        }
    }
}

impl Usual {
    fn is(self, json: &Json) -> bool {
        match self {
            Self::None => false,
            Self::False => *json == Json::Boolean(false),
            Self::Zero => *json == Json::Integer(0) || *json == Json::Real(0.0),
            Self::Empty => match json {
                Json::Text(text) => text.is_empty(),
                Json::List(list) => list.is_empty(),
                Json::Map(members) => members.is_empty(),
                Json::Null => true,
                Json::Boolean(_) | Json::Integer(_) | Json::Real(_) => false,
            },
            Self::Text(text) => *json == Json::Text(text.to_owned()),
        }
    }
}
