//! What servers do that they should not, or that is worth knowing, and that does not stop us.

use std::fmt;

macro_rules! warnings {
    ($($name:ident $grade:ident $key:literal $text:literal;)*) => {
        /// A kind of oddity in what a server sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Warning {
            $(#[doc = $text] $name,)*
        }

        impl Warning {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// A short name that does not change.
            pub fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// Whether it is a habit of sound servers rather than a fault.
            pub fn is_harmless(self) -> bool {
                matches!(match self { $(Self::$name => Grade::$grade,)* }, Grade::Habit)
            }
        }

        impl fmt::Display for Warning {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

enum Grade {
    Fault,
    Habit,
}

warnings! {
    ReplyWithoutServerId Fault "reply-without-server-id" "answer without Server-ID discarded";
    ReplyWithoutClientId Fault "reply-without-client-id" "answer without Client-ID discarded";
    ReplyToSomebodyElse Fault "reply-to-somebody-else" "answer with another requestor's Client-ID discarded";
    ReplyToNoQuestion Fault "reply-to-no-question" "answer to a transaction id that is not outstanding discarded";
    QueryReceived Fault "query-received" "LEASEQUERY received and ignored";
    Undecodable Fault "undecodable" "datagram that is no answer discarded";
    DataWithoutClient Fault "data-without-client" "LEASEQUERY-DATA without a client discarded";
    ClientLinkIgnored Fault "client-link-ignored" "list of the client's links ignored where it may not stand";
    TooManyClientLinks Fault "too-many-client-links" "list of the client's links cut off";
    WithoutCltTime Fault "without-clt-time" "client without CLT_TIME discarded";
    AbsoluteCltTime Fault "absolute-clt-time" "CLT_TIME that is a date: age taken for unknown";
    PreferredOverValid Fault "preferred-over-valid" "preferred lifetime above the valid one: taken for 0";
    ExpiredLease Fault "expired-lease" "lease without time left ignored";
    WithoutLeases Fault "without-leases" "client without any lease discarded";
    MalformedClient Fault "malformed-client" "client whose data do not decode discarded";
    MalformedLease Fault "malformed-lease" "lease that does not decode ignored";
    UnreadableRelayData Fault "unreadable-relay-data" "relay data that do not decode ignored";
    SeveralClients Fault "several-clients" "several clients in one message";
    MalformedStatus Fault "malformed-status" "status that does not decode taken for UnspecFail";
    RelayDataBeside Habit "relay-data-beside" "relay data beside the client data instead of inside";
    RelayDataUnasked Habit "relay-data-unasked" "relay data that nobody asked for";
    SuccessStated Habit "success-stated" "status Success stated";
    SplitClient Habit "split-client" "server tells of a client in several messages";
}

/// How often each kind has been seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings([u64; Warning::ALL.len()]);

impl Warnings {
    /// Counts one more of this kind.
    pub fn add(&mut self, warning: Warning) {
        self.0[warning as usize] += 1;
    }

    /// How many of this kind.
    pub fn count(&self, warning: Warning) -> u64 {
        self.0[warning as usize]
    }

    /// The kinds that have been seen, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (Warning, u64)> {
        Warning::ALL.iter().map(|warning| (*warning, self.count(*warning))).filter(|(_, count)| *count > 0)
    }

    /// Adds another's counts.
    pub fn absorb(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}
