//! Lists inside options, read where they lie.

use std::net::Ipv6Addr;

use crate::{DecodeError, OptionCode, Reader};

/// Option codes, as in ORO and ERO: two octets each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codes<'a>(&'a [u8]);

impl<'a> Codes<'a> {
    pub(crate) fn new(code: OptionCode, data: &'a [u8]) -> Result<Self, DecodeError> {
        if data.len().is_multiple_of(2) { Ok(Self(data)) } else { Err(DecodeError::BadLength(code)) }
    }

    /// The codes, in the order sent.
    pub fn iter(self) -> impl Iterator<Item = OptionCode> + 'a {
        self.0.chunks_exact(2).map(|pair| OptionCode(u16::from_be_bytes([pair[0], pair[1]])))
    }

    /// The octets they lie in.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }
}

/// Addresses, sixteen octets each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses<'a>(&'a [u8]);

impl<'a> Addresses<'a> {
    pub(crate) fn new(code: OptionCode, data: &'a [u8]) -> Result<Self, DecodeError> {
        if data.len().is_multiple_of(16) { Ok(Self(data)) } else { Err(DecodeError::BadLength(code)) }
    }

    /// The addresses, in the order sent.
    pub fn iter(self) -> impl Iterator<Item = Ipv6Addr> + 'a {
        self.0.as_chunks::<16>().0.iter().map(|octets| Ipv6Addr::from(*octets))
    }

    /// The octets they lie in.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }
}

/// Opaque pieces, each behind its 16-bit length: the inside of USER_CLASS and VENDOR_CLASS
/// (RFC 8415 §21.15, §21.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassData<'a>(&'a [u8]);

impl<'a> ClassData<'a> {
    pub(crate) fn new(code: OptionCode, data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(data);
        while !reader.is_empty() {
            let length = reader.u16().map_err(|_| DecodeError::BadLength(code))?;
            reader.take(length.into()).map_err(|_| DecodeError::BadLength(code))?;
        }
        if data.is_empty() { Err(DecodeError::BadLength(code)) } else { Ok(Self(data)) }
    }

    /// The pieces, in the order sent.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut reader = Reader::new(self.0);
        std::iter::from_fn(move || {
            let length = reader.u16().ok()?;
            reader.take(length.into()).ok()
        })
    }

    /// The octets they lie in.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }
}

/// What hardware or software a client is (RFC 8415 §21.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorClass<'a> {
    /// Whose words the pieces are.
    pub enterprise: u32,
    /// Characteristics of the client.
    pub data: ClassData<'a>,
}

impl<'a> VendorClass<'a> {
    pub(crate) fn decode(data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(data);
        Ok(Self { enterprise: reader.u32()?, data: ClassData::new(OptionCode::VENDOR_CLASS, reader.rest())? })
    }
}

/// Vendor suboptions, laid out as options are (RFC 8415 §21.17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorOptions<'a> {
    /// Whose numbers the suboptions bear.
    pub enterprise: u32,
    /// Code, length, data; not validated, because vendors differ.
    pub suboptions: &'a [u8],
}
