//! Option codes and their names.

use std::fmt;
use std::str::FromStr;

/// The number of an option. Numbers nobody has named are as good as any other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionCode(pub u16);

macro_rules! option_codes {
    ($($name:ident = $number:literal $from:literal;)*) => {
        impl OptionCode {
            $(#[doc = $from] pub const $name: Self = Self($number);)*

            /// Every code with a name, in order of number.
            pub const NAMED: &[Self] = &[$(Self::$name),*];

            /// The name in the registry without its `OPTION_`, where it has one.
            pub fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

option_codes! {
    CLIENTID = 1 "RFC 8415 §21.2";
    SERVERID = 2 "RFC 8415 §21.3";
    IA_NA = 3 "RFC 8415 §21.4";
    IA_TA = 4 "RFC 8415 §21.5; obsolete in RFC 9915";
    IAADDR = 5 "RFC 8415 §21.6";
    ORO = 6 "RFC 8415 §21.7";
    PREFERENCE = 7 "RFC 8415 §21.8";
    ELAPSED_TIME = 8 "RFC 8415 §21.9";
    RELAY_MSG = 9 "RFC 8415 §21.10";
    AUTH = 11 "RFC 8415 §21.11";
    UNICAST = 12 "RFC 8415 §21.12; obsolete in RFC 9915";
    STATUS_CODE = 13 "RFC 8415 §21.13";
    RAPID_COMMIT = 14 "RFC 8415 §21.14";
    USER_CLASS = 15 "RFC 8415 §21.15";
    VENDOR_CLASS = 16 "RFC 8415 §21.16";
    VENDOR_OPTS = 17 "RFC 8415 §21.17";
    INTERFACE_ID = 18 "RFC 8415 §21.18";
    RECONF_MSG = 19 "RFC 8415 §21.19";
    RECONF_ACCEPT = 20 "RFC 8415 §21.20";
    SIP_SERVER_D = 21 "RFC 3319 §3.1";
    SIP_SERVER_A = 22 "RFC 3319 §3.2";
    DNS_SERVERS = 23 "RFC 3646 §3";
    DOMAIN_LIST = 24 "RFC 3646 §4";
    IA_PD = 25 "RFC 8415 §21.21";
    IAPREFIX = 26 "RFC 8415 §21.22";
    NIS_SERVERS = 27 "RFC 3898 §3";
    NISP_SERVERS = 28 "RFC 3898 §4";
    NIS_DOMAIN_NAME = 29 "RFC 3898 §5";
    NISP_DOMAIN_NAME = 30 "RFC 3898 §6";
    SNTP_SERVERS = 31 "RFC 4075 §4";
    INFORMATION_REFRESH_TIME = 32 "RFC 8415 §21.23";
    BCMCS_SERVER_D = 33 "RFC 4280";
    BCMCS_SERVER_A = 34 "RFC 4280";
    REMOTE_ID = 37 "RFC 4649 §3";
    SUBSCRIBER_ID = 38 "RFC 4580 §2";
    CLIENT_FQDN = 39 "RFC 4704 §4";
    NEW_POSIX_TIMEZONE = 41 "RFC 4833 §3";
    NEW_TZDB_TIMEZONE = 42 "RFC 4833 §3";
    ERO = 43 "RFC 4994 §2";
    LQ_QUERY = 44 "RFC 5007 §4.1.2.1";
    CLIENT_DATA = 45 "RFC 5007 §4.1.2.2";
    CLT_TIME = 46 "RFC 5007 §4.1.2.3";
    LQ_RELAY_DATA = 47 "RFC 5007 §4.1.2.4";
    LQ_CLIENT_LINK = 48 "RFC 5007 §4.1.2.5";
    RELAY_ID = 53 "RFC 5460 §5.4.1";
    NTP_SERVER = 56 "RFC 5908 §4";
    BOOTFILE_URL = 59 "RFC 5970 §3.1";
    BOOTFILE_PARAM = 60 "RFC 5970 §3.2";
    CLIENT_ARCH_TYPE = 61 "RFC 5970 §3.3";
    AFTR_NAME = 64 "RFC 6334 §3";
    ERP_LOCAL_DOMAIN_NAME = 65 "RFC 6440 §4";
    RSOO = 66 "RFC 6422 §3";
    PD_EXCLUDE = 67 "RFC 6603 §4.2";
    CLIENT_LINKLAYER_ADDR = 79 "RFC 6939 §4";
    SOL_MAX_RT = 82 "RFC 8415 §21.24";
    INF_MAX_RT = 83 "RFC 8415 §21.25";
    S46_CONT_MAPE = 94 "RFC 7598 §5.1";
    S46_CONT_MAPT = 95 "RFC 7598 §5.2";
    S46_CONT_LW = 96 "RFC 7598 §5.3";
    LQ_BASE_TIME = 100 "RFC 7653 §6.3.1";
    LQ_START_TIME = 101 "RFC 7653 §6.3.2";
    LQ_END_TIME = 102 "RFC 7653 §6.3.3";
    CAPTIVE_PORTAL = 103 "RFC 8910 §2.2";
    RELAY_PORT = 135 "RFC 8357 §4.1";
    V6_DNR = 144 "RFC 9463 §4";
}

impl OptionCode {
    /// Whether a client's ORO may name it (RFC 8415 §24). What the registry says no to: options of
    /// the protocol itself, what relays and servers say to one another, and leasequery's. The ORO of
    /// a leasequery has rules of its own.
    pub fn may_be_requested(self) -> bool {
        !matches!(
            self.0,
            1..=9 | 11..=16 | 18..=20 | 25 | 26 | 37 | 38 | 43..=48 | 53 | 66 | 79 | 100..=102 | 135
        )
    }

    /// Whether a relay may supply it for a client in an RSOO: whether it is registered for that
    /// (RFC 6422 §8). One option is.
    pub fn may_be_relay_supplied(self) -> bool {
        self == Self::ERP_LOCAL_DOMAIN_NAME
    }

    /// Whether a relay may ask to get it back: not what comes back anyway, nor what there is one of
    /// in a Relay-reply, because a second one would change what the relay does (RFC 4994 §4).
    pub fn may_be_echoed(self) -> bool {
        ![Self::RELAY_MSG, Self::INTERFACE_ID, Self::ERO, Self::RELAY_PORT].contains(&self)
    }
}

impl fmt::Display for OptionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for OptionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text names no option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownOption;

impl fmt::Display for UnknownOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an option is a number or a name such as LQ_RELAY_DATA")
    }
}

impl std::error::Error for UnknownOption {}

impl FromStr for OptionCode {
    type Err = UnknownOption;

    /// Reads a number, or a name in either case, with `-` as good as `_`.
    fn from_str(text: &str) -> Result<Self, UnknownOption> {
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            return text.parse().map(Self).map_err(|_| UnknownOption);
        }
        let name = text.to_ascii_uppercase().replace('-', "_");
        let name = name.strip_prefix("OPTION_").unwrap_or(&name);
        Self::NAMED.iter().copied().find(|code| code.name() == Some(name)).ok_or(UnknownOption)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_numbers() {
        for text in ["LQ_RELAY_DATA", "lq-relay-data", "OPTION_LQ_RELAY_DATA", "47"] {
            assert_eq!(text.parse(), Ok(OptionCode::LQ_RELAY_DATA), "{text}");
        }
        for text in ["", "70000", "+47", "47 ", "relay"] {
            assert_eq!(text.parse::<OptionCode>(), Err(UnknownOption), "{text}");
        }
    }
}
