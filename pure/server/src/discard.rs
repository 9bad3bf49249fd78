//! Saying nothing.

use std::fmt;

macro_rules! discards {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// Why a message is dropped without a word. Over TCP the connection is closed as well,
        /// because the requestor would wait for nothing.
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
    /// It does not decode, or has twice what may be there once.
    Malformed "malformed";
    /// A type of message that has no business here.
    UnexpectedType "unexpected-type";
    /// No CLIENTID, or one that is none (RFC 5007 §4.2.1, RFC 9915 §16).
    NoClientId "no-client-id";
    /// No SERVERID where it has to say which server is meant (RFC 9915 §16).
    NoServerId "no-server-id";
    /// A SERVERID where all servers are meant (RFC 9915 §16).
    ServerIdUnexpected "unexpected-server-id";
    /// A SERVERID that is not ours (RFC 5007 §4.2.1, RFC 9915 §16).
    OtherServer "other-server";
    /// No LQ_QUERY (RFC 5007 §4.2.1).
    NoQuery "no-query";
    /// Came through relays, more than are accepted (RFC 5007 §5, RFC 9915 §7.6).
    Relayed "relayed";
    /// A client has sent to one of our own addresses (RFC 9915 §16).
    Unicast "unicast";
    /// The operator has this client ignored.
    IgnoredClient "ignored-client";
    /// Multicast that came in on an interface which is not served.
    NotServed "not-served";
    /// Nothing says which link the client is on.
    NoLink "no-link";
    /// More identity associations than anybody needs.
    TooManyAssociations "too-many-associations";
    /// There is nothing that could be answered (RFC 9915 §18.3.3, §18.3.5).
    NothingToSay "nothing-to-say";
    /// What the client has is held by somebody else, too.
    Conflict "conflict";
    /// The source may not ask, and is not to be told so.
    NotAllowed "not-allowed";
    /// The source asks more often than it may.
    TooFast "too-fast";
    /// The answer does not fit where it must.
    TooLong "too-long";
}

impl fmt::Display for Discard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
