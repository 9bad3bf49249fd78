//! DHCP unique identifiers: opaque octets with a length that is never out of range.
//!
//! A DUID is compared octet by octet and never looked into (RFC 8415 §11). [`DuidRef`] borrows it
//! from a message; [`Duid`] owns it. Neither can be empty or over-long, so an empty identifier
//! that matches everything cannot exist.

use std::fmt;
use std::str::FromStr;

use crate::limits::{MAX_DUID_OCTETS, MIN_DUID_OCTETS};

/// Why octets are not a DUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuidError {
    /// This many octets are too few or too many.
    Length(usize),
    /// The text is not hexadecimal, two digits an octet.
    NotHex,
}

impl fmt::Display for DuidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(octets) => {
                write!(f, "a DUID has {MIN_DUID_OCTETS} to {MAX_DUID_OCTETS} octets, not {octets}")
            }
            Self::NotHex => f.write_str("a DUID is hexadecimal, as in 00:03:00:01:02:00:00:00:aa:01"),
        }
    }
}

impl std::error::Error for DuidError {}

/// A DUID inside somebody else's octets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DuidRef<'a>(&'a [u8]);

impl<'a> DuidRef<'a> {
    /// Takes the octets for a DUID, type included.
    pub fn new(octets: &'a [u8]) -> Result<Self, DuidError> {
        if (MIN_DUID_OCTETS..=MAX_DUID_OCTETS).contains(&octets.len()) {
            Ok(Self(octets))
        } else {
            Err(DuidError::Length(octets.len()))
        }
    }

    /// All octets, type included.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }

    /// A copy that owns its octets.
    pub fn to_duid(self) -> Duid {
        Duid(self.0.into())
    }
}

impl fmt::Display for DuidRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DuidRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Duid({self})")
    }
}

/// A DUID that owns its octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duid(Box<[u8]>);

impl Duid {
    /// Takes the octets for a DUID, type included.
    pub fn new(octets: &[u8]) -> Result<Self, DuidError> {
        DuidRef::new(octets).map(DuidRef::to_duid)
    }

    /// A borrowed view.
    pub fn as_ref(&self) -> DuidRef<'_> {
        DuidRef(&self.0)
    }

    /// All octets, type included.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Duid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for Duid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl FromStr for Duid {
    type Err = DuidError;

    /// Reads hexadecimal with colons (`00:03:…`), with hyphens, or with neither.
    fn from_str(text: &str) -> Result<Self, DuidError> {
        Self::new(&hex_octets(text).ok_or(DuidError::NotHex)?)
    }
}

fn hex_octets(text: &str) -> Option<Vec<u8>> {
    if let Some(separator) = [":", "-"].into_iter().find(|separator| text.contains(separator)) {
        return text.split(separator).map(hex_octet).collect();
    }
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| if pair.len() == 2 { hex_octet(std::str::from_utf8(pair).ok()?) } else { None })
        .collect()
}

fn hex_octet(text: &str) -> Option<u8> {
    let digits_only = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if digits_only { u8::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hexadecimal_with_and_without_separators() {
        let expected = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).unwrap();
        for text in ["00:03:00:01:02:00:00:00:aa:01", "0003000102000000aa01", "00-03-00-01-02-00-00-00-AA-01"]
        {
            assert_eq!(text.parse(), Ok(expected.clone()), "{text}");
        }
        assert_eq!(expected.to_string(), "00:03:00:01:02:00:00:00:aa:01");
    }

    #[test]
    fn refuses_what_cannot_be_a_duid() {
        assert_eq!(Duid::new(&[]), Err(DuidError::Length(0)));
        assert_eq!(Duid::new(&[0, 1]), Err(DuidError::Length(2)));
        assert_eq!(Duid::new(&[0; 131]), Err(DuidError::Length(131)));
        for text in ["", "0", "0g:03:00", "000", "+1:02:03", "::", "00:03:é1"] {
            assert!(text.parse::<Duid>().is_err(), "{text}");
        }
    }
}
