//! What the operator has decided about the relay as a whole; what differs from port to port is in
//! [`crate::Port`].
//!
//! Options that a relay must not supply, or must not ask to have echoed, cannot be in here.

use std::fmt;
use std::net::Ipv6Addr;

use wire::{CLIENT_PORT, Duid, OptionCode, RawOption, SERVER_PORT, Writer};

use crate::limits::{MAX_ECHOED_OPTIONS, MAX_SUPPLIED_OCTETS};

/// Settings that stay while the relay runs, or until it reads its configuration anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The relay's DUID, if it goes with what is forwarded (RFC 5460 §5.4.1).
    pub relay_id: Option<Duid>,
    /// The UDP port on which clients listen: 546, but for tests without privileges.
    pub client_port: u16,
    /// The UDP port on which relays and servers listen, and from which relays send unless they say
    /// otherwise: 547, but for tests without privileges.
    pub relay_port: u16,
    /// The UDP port from which this relay sends to servers; any but `relay_port` takes servers that
    /// know the Relay Source Port option (RFC 8357 §5.2).
    pub source_port: u16,
    /// Who may send Relay-replies: the addresses of the servers, where all of them are known. None is
    /// anybody upstream.
    pub accepted_servers: Vec<Ipv6Addr>,
    /// Drop what relays behind us forward with options supplied for clients (RFC 6422 §5).
    pub refuses_supplied_options: bool,
    /// What this relay supplies for clients itself.
    pub supplied: SuppliedOptions,
    /// What servers are asked to send back.
    pub echo_request: EchoRequest,
}

impl Default for Terms {
    /// The usual ports, nothing added.
    fn default() -> Self {
        Self {
            relay_id: None,
            client_port: CLIENT_PORT,
            relay_port: SERVER_PORT,
            source_port: SERVER_PORT,
            accepted_servers: Vec::new(),
            refuses_supplied_options: false,
            supplied: SuppliedOptions::default(),
            echo_request: EchoRequest::default(),
        }
    }
}

/// Options that this relay supplies for clients: only such as are registered for that
/// (RFC 6422 §4, §5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SuppliedOptions(Vec<u8>);

impl SuppliedOptions {
    /// These options, in this order.
    pub fn new<'a>(options: impl IntoIterator<Item = RawOption<'a>>) -> Result<Self, UnsuitableOption> {
        let mut octets = Vec::new();
        for option in options {
            let code = option.code;
            if !code.may_be_relay_supplied() {
                return Err(UnsuitableOption::NotSuppliable(code));
            }
            let mut writer = Writer::new(&mut octets);
            option.encode(&mut writer);
            writer.finish().map_err(|_| UnsuitableOption::TooMuch)?;
        }
        if octets.len() > MAX_SUPPLIED_OCTETS { Err(UnsuitableOption::TooMuch) } else { Ok(Self(octets)) }
    }

    /// The inside of the RSOO; nothing if no option is supplied.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// Options that servers are asked to send back (RFC 4994).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EchoRequest(Vec<u8>);

impl EchoRequest {
    /// These options, in this order.
    pub fn new(codes: impl IntoIterator<Item = OptionCode>) -> Result<Self, UnsuitableOption> {
        let mut octets = Vec::new();
        for code in codes {
            if !code.may_be_echoed() {
                return Err(UnsuitableOption::NotEchoable(code));
            }
            octets.extend_from_slice(&code.0.to_be_bytes());
        }
        if octets.len() > 2 * MAX_ECHOED_OPTIONS { Err(UnsuitableOption::TooMuch) } else { Ok(Self(octets)) }
    }

    /// The inside of the ERO; nothing if nothing is asked for.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// Why options are none that a relay may supply, or ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsuitableOption {
    /// This option is not registered for being supplied by relays.
    NotSuppliable(OptionCode),
    /// This option comes back anyway, or would confuse the relay if it did.
    NotEchoable(OptionCode),
    /// They are too long, or too many.
    TooMuch,
}

impl fmt::Display for UnsuitableOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSuppliable(code) => write!(
                f,
                "relays may not supply {code} (RFC 6422 §5), only {}",
                OptionCode::ERP_LOCAL_DOMAIN_NAME
            ),
            Self::NotEchoable(code) => {
                write!(f, "{code} cannot be asked for: it has its own place in a Relay-reply")
            }
            Self::TooMuch => write!(
                f,
                "at most {MAX_SUPPLIED_OCTETS} octets of supplied options, and at most {MAX_ECHOED_OPTIONS} options to be echoed"
            ),
        }
    }
}

impl std::error::Error for UnsuitableOption {}
