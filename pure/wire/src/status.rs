//! Status codes (RFC 8415 §21.13, RFC 5007, RFC 5460, RFC 7653).

use std::fmt;

/// What a STATUS_CODE option says. Codes nobody has named keep their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(pub u16);

macro_rules! status_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        impl StatusCode {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The name in the registry, where it has one.
            pub fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

status_codes! {
    /// Also the meaning of an absent STATUS_CODE.
    SUCCESS = 0 "Success";
    /// Failure without a better code.
    UNSPEC_FAIL = 1 "UnspecFail";
    /// In an IA_NA: no address can be given.
    NO_ADDRS_AVAIL = 2 "NoAddrsAvail";
    /// In an IA: the client has no such binding.
    NO_BINDING = 3 "NoBinding";
    /// The address does not fit the link.
    NOT_ON_LINK = 4 "NotOnLink";
    /// Obsolete in RFC 9915; never sent.
    USE_MULTICAST = 5 "UseMulticast";
    /// In an IA_PD: no prefix can be given.
    NO_PREFIX_AVAIL = 6 "NoPrefixAvail";
    /// RFC 5007: the query-type is unknown or not supported.
    UNKNOWN_QUERY_TYPE = 7 "UnknownQueryType";
    /// RFC 5007: a required query option is missing, or the query makes no sense.
    MALFORMED_QUERY = 8 "MalformedQuery";
    /// RFC 5007: the server has not configured this address or link.
    NOT_CONFIGURED = 9 "NotConfigured";
    /// RFC 5007: this requestor may not ask this, or not here.
    NOT_ALLOWED = 10 "NotAllowed";
    /// RFC 5460: the server cannot begin or cannot finish; try later.
    QUERY_TERMINATED = 11 "QueryTerminated";
    /// RFC 7653: catching up from that time is not possible.
    DATA_MISSING = 12 "DataMissing";
    /// RFC 7653: the end of catching up.
    CATCH_UP_COMPLETE = 13 "CatchUpComplete";
    /// RFC 7653: bulk leasequery yes, active leasequery no.
    NOT_SUPPORTED = 14 "NotSupported";
    /// RFC 7653: the answer to a STARTTLS that is refused.
    TLS_CONNECTION_REFUSED = 15 "TLSConnectionRefused";
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "status {}", self.0),
        }
    }
}

/// The inside of a STATUS_CODE option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status<'a> {
    /// What happened.
    pub code: StatusCode,
    /// Words for a person: UTF-8 by the standard, whatever arrived in fact.
    pub message: &'a [u8],
}
