//! Identity associations and what lies inside them, read in place.
//!
//! [`Options::ias`] gives those of a message, and [`Options::ia_addresses`] and
//! [`Options::ia_prefixes`] what is inside one. Nothing is allocated, and one that is malformed is
//! an error by itself: the others are as good as before.

use std::net::Ipv6Addr;

use crate::{DecodeError, Iaid, OptionCode, Options, Prefix, Reader, Writer};

/// What an identity association holds. IA_TA is none of them: it is obsolete and ignored (RFC 9915
/// §21.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IaKind {
    /// Addresses: IA_NA.
    Address,
    /// Delegated prefixes: IA_PD.
    Prefix,
}

impl IaKind {
    /// The option that such an association is.
    pub fn code(self) -> OptionCode {
        match self {
            Self::Address => OptionCode::IA_NA,
            Self::Prefix => OptionCode::IA_PD,
        }
    }

    fn of(code: OptionCode) -> Option<Self> {
        [Self::Address, Self::Prefix].into_iter().find(|kind| kind.code() == code)
    }
}

impl<'a> Options<'a> {
    /// Each IA_NA and IA_PD, in the order sent.
    pub fn ias(self) -> impl Iterator<Item = Result<(IaKind, Ia<'a>), DecodeError>> {
        self.iter().filter_map(|option| {
            let kind = IaKind::of(option.code)?;
            Some(Ia::decode(option.data).map(|ia| (kind, ia)))
        })
    }

    /// Each IAADDR, in the order sent: what an IA_NA holds.
    pub fn ia_addresses(self) -> impl Iterator<Item = Result<IaAddress<'a>, DecodeError>> {
        self.all(OptionCode::IAADDR).map(IaAddress::decode)
    }

    /// Each IAPREFIX, in the order sent: what an IA_PD holds.
    pub fn ia_prefixes(self) -> impl Iterator<Item = Result<IaPrefix<'a>, DecodeError>> {
        self.all(OptionCode::IAPREFIX).map(IaPrefix::decode)
    }
}

/// The inside of IA_NA and of IA_PD (RFC 8415 §21.4, §21.21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ia<'a> {
    /// The client's number for it.
    pub iaid: Iaid,
    /// Seconds until the client should renew.
    pub t1_secs: u32,
    /// Seconds until the client should rebind.
    pub t2_secs: u32,
    /// Leases, and perhaps a status.
    pub options: Options<'a>,
}

impl<'a> Ia<'a> {
    pub(crate) fn decode(data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(data);
        Ok(Self {
            iaid: Iaid(reader.u32()?),
            t1_secs: reader.u32()?,
            t2_secs: reader.u32()?,
            options: Options::new(reader.rest())?,
        })
    }

    pub(crate) fn encode_data(self, w: &mut Writer<'_>) {
        let Self { iaid, t1_secs, t2_secs, options } = self;
        w.u32(iaid.0);
        w.u32(t1_secs);
        w.u32(t2_secs);
        w.bytes(options.octets());
    }
}

/// The inside of IAADDR (RFC 8415 §21.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IaAddress<'a> {
    /// The address leased.
    pub address: Ipv6Addr,
    /// Seconds for which it is preferred.
    pub preferred_secs: u32,
    /// Seconds for which it is valid.
    pub valid_secs: u32,
    /// Perhaps a status.
    pub options: Options<'a>,
}

impl<'a> IaAddress<'a> {
    /// Decodes the data of the option.
    pub fn decode(data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(data);
        Ok(Self {
            address: reader.address()?,
            preferred_secs: reader.u32()?,
            valid_secs: reader.u32()?,
            options: Options::new(reader.rest())?,
        })
    }

    pub(crate) fn encode_data(self, w: &mut Writer<'_>) {
        let Self { address, preferred_secs, valid_secs, options } = self;
        w.address(address);
        w.u32(preferred_secs);
        w.u32(valid_secs);
        w.bytes(options.octets());
    }
}

/// The inside of IAPREFIX (RFC 8415 §21.22). Host bits that were sent are masked away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IaPrefix<'a> {
    /// Seconds for which it is preferred.
    pub preferred_secs: u32,
    /// Seconds for which it is valid.
    pub valid_secs: u32,
    /// The prefix delegated.
    pub prefix: Prefix,
    /// Perhaps an excluded prefix or a status.
    pub options: Options<'a>,
}

impl<'a> IaPrefix<'a> {
    /// Decodes the data of the option.
    pub fn decode(data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(data);
        let (preferred_secs, valid_secs) = (reader.u32()?, reader.u32()?);
        let length = reader.u8()?;
        let prefix = Prefix::new(reader.address()?, length)?;
        Ok(Self { preferred_secs, valid_secs, prefix, options: Options::new(reader.rest())? })
    }

    pub(crate) fn encode_data(self, w: &mut Writer<'_>) {
        let Self { preferred_secs, valid_secs, prefix, options } = self;
        w.u32(preferred_secs);
        w.u32(valid_secs);
        w.u8(prefix.length());
        w.address(prefix.address());
        w.bytes(options.octets());
    }
}
