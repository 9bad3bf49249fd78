//! IPv6 prefixes whose host bits are zero, by construction.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// Why something is not a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixError {
    /// A length over 128.
    Length(u8),
    /// The text is not an address, a slash and a length.
    NotPrefix,
    /// The text has bits set behind the length.
    HostBits,
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "a prefix has 0 to 128 bits, not {length}"),
            Self::NotPrefix => f.write_str("a prefix is written as in 2001:db8::/32"),
            Self::HostBits => f.write_str("the prefix has bits set behind its length"),
        }
    }
}

impl std::error::Error for PrefixError {}

/// A prefix. Ordered by address, then by length: a covering prefix stands before what it covers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: Ipv6Addr,
    length: u8,
}

impl Prefix {
    /// The prefix of `length` bits that holds `address`; bits behind it are set to zero.
    pub fn new(address: Ipv6Addr, length: u8) -> Result<Self, PrefixError> {
        if length > 128 {
            return Err(PrefixError::Length(length));
        }
        let address = Ipv6Addr::from_bits(address.to_bits() & mask(length));
        Ok(Self { address, length })
    }

    /// Its first address.
    pub fn address(self) -> Ipv6Addr {
        self.address
    }

    /// Its last address.
    pub fn last_address(self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.address.to_bits() | !mask(self.length))
    }

    /// Bits.
    pub fn length(self) -> u8 {
        self.length
    }

    /// Whether `address` lies inside.
    pub fn contains(self, address: Ipv6Addr) -> bool {
        address.to_bits() & mask(self.length) == self.address.to_bits()
    }

    /// Whether `other` is this prefix or a part of it.
    pub fn covers(self, other: Prefix) -> bool {
        self.length <= other.length && self.contains(other.address)
    }

    /// Whether the two have an address in common.
    pub fn overlaps(self, other: Prefix) -> bool {
        self.covers(other) || other.covers(self)
    }
}

fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    /// Reads `2001:db8::/32`. Bits behind the length are an error here: whoever wrote them meant
    /// something else.
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (address, length) = text.split_once('/').ok_or(PrefixError::NotPrefix)?;
        let address: Ipv6Addr = address.parse().map_err(|_| PrefixError::NotPrefix)?;
        if length.starts_with('+') {
            return Err(PrefixError::NotPrefix);
        }
        let prefix = Self::new(address, length.parse().map_err(|_| PrefixError::NotPrefix)?)?;
        if prefix.address == address { Ok(prefix) } else { Err(PrefixError::HostBits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn host_bits_are_zero() {
        let address = "2001:db8::ffff".parse().unwrap();
        assert_eq!(Prefix::new(address, 64).unwrap(), prefix("2001:db8::/64"));
        assert_eq!(Prefix::new(address, 0).unwrap(), prefix("::/0"));
        assert_eq!(Prefix::new(address, 128).unwrap(), prefix("2001:db8::ffff/128"));
        assert_eq!(Prefix::new(address, 129), Err(PrefixError::Length(129)));
        assert_eq!("2001:db8::1/64".parse::<Prefix>(), Err(PrefixError::HostBits));
    }

    #[test]
    fn refuses_what_is_not_written_as_a_prefix() {
        for text in
            ["", "/", "2001:db8::", "2001:db8::/", "2001:db8::/+32", "2001:db8::/-1", "2001:db8::/256"]
        {
            assert_eq!(text.parse::<Prefix>(), Err(PrefixError::NotPrefix), "{text}");
        }
        assert_eq!("2001:db8::/129".parse::<Prefix>(), Err(PrefixError::Length(129)));
    }

    #[test]
    fn covering_and_overlapping() {
        let net = prefix("2001:db8:100::/40");
        assert!(net.covers(prefix("2001:db8:1ff:ff00::/56")) && net.covers(net));
        assert!(!net.covers(prefix("2001:db8:200::/56")));
        assert!(prefix("2001:db8:1ff:ff00::/56").overlaps(net));
        assert_eq!(net.last_address(), "2001:db8:1ff:ffff:ffff:ffff:ffff:ffff".parse::<Ipv6Addr>().unwrap());
    }
}
