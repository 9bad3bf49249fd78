//! Saying nothing.

use std::fmt;

macro_rules! discards {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// Why a message goes no further.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Discard {
            $($(#[$doc])* $name,)*
        }

        impl Discard {
            /// Every reason, in the order of the counters.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name of its counter.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

discards! {
    /// It is none of a relay's business, or does not decode as far as a relay has to look.
    Malformed "malformed";
    /// What only servers say, not wrapped for a relay (RFC 9915 §16).
    FromServer "unwrapped-from-server";
    /// A Relay-reply from where the clients are.
    RelayReplyFromClient "relay-reply-from-client";
    /// A Relay-forward from a port without relays behind it.
    RelayNotAccepted "relay-not-accepted";
    /// A Relay-forward that bears this relay's own Relay-ID: it has been here before, or is forged.
    OwnRelayId "own-relay-id";
    /// It has passed as many relays as it may (RFC 9915 §19.1.2).
    HopLimit "hop-limit";
    /// A leasequery from a port where nobody may ask (RFC 5007 §5).
    LeaseQuery "leasequery-not-accepted";
    /// A client has sent to one of our own addresses (RFC 9915 §16).
    Unicast "unicast";
    /// A relay supplies options for clients, and that is not wanted (RFC 6422 §5).
    SuppliedOptions "supplied-options";
    /// It came by an interface that is neither a port nor upstream; or from upstream, and is nothing that
    /// a relay takes from there.
    NotServed "not-served";
    /// A Relay-reply from somebody who is none of our servers.
    UnknownServer "unknown-server";
    /// A Relay-reply that names no port of ours.
    NoPort "no-port";
    /// A Relay-reply with nothing inside.
    NothingInside "nothing-inside";
    /// With what we add, it is too long to be sent.
    TooLong "too-long";
    /// More than a port may send at a time.
    TooFast "too-fast";
    /// A Relay-reply to something that this lightweight relay has not sent (RFC 6221 §6.2).
    NotOurs "not-ours";
    /// A lightweight relay does not put fragments together.
    Fragment "fragment";
}

impl fmt::Display for Discard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
