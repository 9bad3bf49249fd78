//! Where a client finds the time: one NTP_SERVER for each source (RFC 5908).

use std::net::Ipv6Addr;

use crate::{DomainName, OptionCode, Writer};

/// The one time source inside an NTP_SERVER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NtpServer<'a> {
    /// A server at this address (RFC 5908 §4.1).
    Address(Ipv6Addr),
    /// Servers that send to this group (RFC 5908 §4.2).
    Multicast(Ipv6Addr),
    /// A server of this name (RFC 5908 §4.3).
    Name(&'a DomainName),
}

impl NtpServer<'_> {
    /// Appends an NTP_SERVER with this source. Several sources are several options.
    pub fn encode(self, w: &mut Writer<'_>) {
        w.option(OptionCode::NTP_SERVER, |w| self.encode_data(w));
    }

    /// Appends the data of the option.
    pub fn encode_data(self, w: &mut Writer<'_>) {
        match self {
            Self::Address(address) => w.option(SUBOPTION_SRV_ADDR, |w| w.address(address)),
            Self::Multicast(group) => w.option(SUBOPTION_MC_ADDR, |w| w.address(group)),
            Self::Name(name) => w.raw_option(SUBOPTION_SRV_FQDN, name.octets()),
        }
    }
}

// Suboptions are laid out as options are, and have numbers of their own.
const SUBOPTION_SRV_ADDR: OptionCode = OptionCode(1);
const SUBOPTION_MC_ADDR: OptionCode = OptionCode(2);
const SUBOPTION_SRV_FQDN: OptionCode = OptionCode(3);
