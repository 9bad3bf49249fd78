//! How what relays say is written, for people and for programs: the same in every command.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One relay on a client's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Names the client's link; may be unspecified.
    pub link_address: Ipv6Addr,
    /// Who sent to this relay.
    pub peer_address: Ipv6Addr,
    /// Hexadecimal.
    pub interface_id: Option<String>,
    /// The same as text, where it is printable ASCII.
    pub interface_text: Option<String>,
    /// ENTERPRISE:HEX.
    pub remote_id: Option<String>,
    /// The relay's DUID.
    pub relay_id: Option<String>,
}

impl Hop {
    /// The Interface-ID in the form that is easier to read.
    pub fn interface(&self) -> Option<&String> {
        self.interface_text.as_ref().or(self.interface_id.as_ref())
    }
}

/// A Remote-ID, enterprise number included; written `ENTERPRISE:HEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteId(Box<[u8]>);

impl RemoteId {
    /// Takes the octets of the option; `None` if they have no room for an enterprise number.
    pub fn new(octets: &[u8]) -> Option<Self> {
        (octets.len() >= 4).then(|| Self(octets.into()))
    }

    /// All octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The enterprise number, and what is behind it.
    pub fn parts(&self) -> (u32, &[u8]) {
        let (enterprise, identifier) = self.0.split_first_chunk().expect("four octets at least");
        (u32::from_be_bytes(*enterprise), identifier)
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (enterprise, identifier) = self.parts();
        write!(f, "{enterprise}:{}", hex(identifier))
    }
}

/// The text is no Remote-ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRemoteId;

impl fmt::Display for NotRemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Remote-ID is written ENTERPRISE:HEX, as in 32473:706f72742d37")
    }
}

impl std::error::Error for NotRemoteId {}

impl FromStr for RemoteId {
    type Err = NotRemoteId;

    /// Reads the number, a colon, and hexadecimal with or without colons.
    fn from_str(text: &str) -> Result<Self, NotRemoteId> {
        let (enterprise, identifier) = text.split_once(':').ok_or(NotRemoteId)?;
        let enterprise: u32 = enterprise.parse().map_err(|_| NotRemoteId)?;
        let identifier = octets_of_hex(identifier).ok_or(NotRemoteId)?;
        Ok(Self([&enterprise.to_be_bytes()[..], &identifier].concat().into()))
    }
}

/// Reads hexadecimal, with or without colons.
pub fn octets_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

fn digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

/// Two digits an octet.
pub fn hex(octets: &[u8]) -> String {
    use std::fmt::Write;

    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The octets as text, if there are any and all are printable ASCII.
pub fn printable(octets: &[u8]) -> Option<String> {
    let is_printable = !octets.is_empty() && octets.iter().all(|octet| (b' '..=b'~').contains(octet));
    is_printable.then(|| octets.iter().map(|octet| *octet as char).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_id_is_read_as_it_is_written() {
        let octets = [0, 0, 0x7e, 0xd9, b'p', b'7'];
        let id = RemoteId::new(&octets).unwrap();
        assert_eq!(id.to_string(), "32473:7037");
        assert_eq!("32473:7037".parse(), Ok(id.clone()));
        assert_eq!("32473:70:37".parse(), Ok(id));
        for text in ["", "7", "x:70", "32473:7", "32473:zz", "4294967296:70"] {
            assert_eq!(text.parse::<RemoteId>(), Err(NotRemoteId), "{text}");
        }
        assert_eq!(RemoteId::new(&[0, 0, 0]), None);
    }
}
