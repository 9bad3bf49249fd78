//! A run of options whose outline is sound.
//!
//! [`Options::new`] walks the run once and proves that every option ends inside it. After that,
//! iterating cannot fail, and the typed accessors only judge the inside of the one option asked
//! for.

use std::fmt;
use std::net::Ipv6Addr;

use crate::leasequery::LqQuery;
use crate::values::{Addresses, Codes, VendorClass};
use crate::{DecodeError, DuidRef, OptionCode, Reader, RelayData, Status, StatusCode, Writer};

/// One option: its code and the octets of its data, wherever they lie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawOption<'a> {
    /// Which option.
    pub code: OptionCode,
    /// The data behind the length.
    pub data: &'a [u8],
}

impl RawOption<'_> {
    /// Appends the option as it is.
    pub fn encode(self, writer: &mut Writer<'_>) {
        writer.raw_option(self.code, self.data);
    }
}

impl fmt::Debug for RawOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:02x?})", self.code, self.data)
    }
}

/// Options in the order sent.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Options<'a> {
    octets: &'a [u8],
}

impl<'a> Options<'a> {
    /// Takes the octets for options, if every one ends inside them.
    pub fn new(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        while !reader.is_empty() {
            next_option(&mut reader)?;
        }
        Ok(Self { octets })
    }

    /// The octets they lie in.
    pub fn octets(self) -> &'a [u8] {
        self.octets
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.octets.is_empty()
    }

    /// All of them, in the order sent.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = RawOption<'a>> {
        let mut reader = Reader::new(self.octets);
        std::iter::from_fn(move || next_option(&mut reader).ok())
    }

    /// The data of each option with this code.
    pub fn all(self, code: OptionCode) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |option| option.code == code).map(|option| option.data)
    }

    /// The data of the first option with this code.
    pub fn first(self, code: OptionCode) -> Option<&'a [u8]> {
        self.all(code).next()
    }

    /// Whether an option with this code is there.
    pub fn has(self, code: OptionCode) -> bool {
        self.first(code).is_some()
    }

    /// The data of the only option with this code; a second one is an error.
    pub fn only(self, code: OptionCode) -> Result<Option<&'a [u8]>, DecodeError> {
        let mut found = self.all(code);
        let first = found.next();
        if found.next().is_some() { Err(DecodeError::Duplicate(code)) } else { Ok(first) }
    }

    /// CLIENTID (RFC 8415 §21.2).
    pub fn client_id(self) -> Result<Option<DuidRef<'a>>, DecodeError> {
        self.duid(OptionCode::CLIENTID)
    }

    /// SERVERID (RFC 8415 §21.3).
    pub fn server_id(self) -> Result<Option<DuidRef<'a>>, DecodeError> {
        self.duid(OptionCode::SERVERID)
    }

    /// RELAY_ID (RFC 5460 §5.4.1).
    pub fn relay_id(self) -> Result<Option<DuidRef<'a>>, DecodeError> {
        self.duid(OptionCode::RELAY_ID)
    }

    fn duid(self, code: OptionCode) -> Result<Option<DuidRef<'a>>, DecodeError> {
        Ok(self.only(code)?.map(DuidRef::new).transpose()?)
    }

    /// STATUS_CODE (RFC 8415 §21.13).
    pub fn status(self) -> Result<Option<Status<'a>>, DecodeError> {
        let Some(data) = self.only(OptionCode::STATUS_CODE)? else { return Ok(None) };
        let mut reader = Reader::new(data);
        Ok(Some(Status { code: StatusCode(reader.u16()?), message: reader.rest() }))
    }

    /// The codes in the ORO (RFC 8415 §21.7).
    pub fn option_request(self) -> Result<Option<Codes<'a>>, DecodeError> {
        self.only(OptionCode::ORO)?.map(|data| Codes::new(OptionCode::ORO, data)).transpose()
    }

    /// What a client asks for and may ask for: the codes in its first ORO, none if that is
    /// malformed (RFC 8415 §24). For a leasequery see [`Options::option_request`].
    pub fn requested(self) -> impl Iterator<Item = OptionCode> {
        self.listed(OptionCode::ORO).filter(|code| code.may_be_requested())
    }

    /// What a relay asks to get back: the codes in its first ERO, none if that is malformed
    /// (RFC 4994 §2).
    pub fn echo_request(self) -> impl Iterator<Item = OptionCode> {
        self.listed(OptionCode::ERO)
    }

    fn listed(self, code: OptionCode) -> impl Iterator<Item = OptionCode> {
        self.first(code).and_then(|data| Codes::new(code, data).ok()).into_iter().flat_map(Codes::iter)
    }

    /// LQ_QUERY (RFC 5007 §4.1.2.1).
    pub fn lq_query(self) -> Result<Option<LqQuery<'a>>, DecodeError> {
        self.only(OptionCode::LQ_QUERY)?.map(LqQuery::decode).transpose()
    }

    /// The options inside CLIENT_DATA (RFC 5007 §4.1.2.2).
    pub fn client_data(self) -> Result<Option<Options<'a>>, DecodeError> {
        self.only(OptionCode::CLIENT_DATA)?.map(Options::new).transpose()
    }

    /// CLT_TIME: seconds since the server last heard from the client (RFC 5007 §4.1.2.3).
    pub fn clt_time(self) -> Result<Option<u32>, DecodeError> {
        self.number(OptionCode::CLT_TIME)
    }

    /// LQ_BASE_TIME, seconds since 2000 (RFC 7653 §6.3.1).
    pub fn base_time(self) -> Result<Option<u32>, DecodeError> {
        self.number(OptionCode::LQ_BASE_TIME)
    }

    fn number(self, code: OptionCode) -> Result<Option<u32>, DecodeError> {
        let Some(data) = self.only(code)? else { return Ok(None) };
        let octets = data.try_into().map_err(|_| DecodeError::BadLength(code))?;
        Ok(Some(u32::from_be_bytes(octets)))
    }

    /// LQ_RELAY_DATA (RFC 5007 §4.1.2.4).
    pub fn relay_data(self) -> Result<Option<RelayData<'a>>, DecodeError> {
        self.only(OptionCode::LQ_RELAY_DATA)?.map(RelayData::decode).transpose()
    }

    /// The links in LQ_CLIENT_LINK (RFC 5007 §4.1.2.5).
    pub fn client_links(self) -> Result<Option<Addresses<'a>>, DecodeError> {
        let code = OptionCode::LQ_CLIENT_LINK;
        self.only(code)?.map(|data| Addresses::new(code, data)).transpose()
    }

    /// Each VENDOR_CLASS (RFC 8415 §21.16); one that is malformed is an error by itself.
    pub fn vendor_classes(self) -> impl Iterator<Item = Result<VendorClass<'a>, DecodeError>> {
        self.all(OptionCode::VENDOR_CLASS).map(VendorClass::decode)
    }

    /// The address of the only IAADDR: what a query by address asks for (RFC 5007 §4.1.2.1).
    pub fn queried_address(self) -> Result<Option<Ipv6Addr>, DecodeError> {
        let Some(data) = self.only(OptionCode::IAADDR)? else { return Ok(None) };
        Ok(Some(crate::IaAddress::decode(data)?.address))
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[inline]
fn next_option<'a>(reader: &mut Reader<'a>) -> Result<RawOption<'a>, DecodeError> {
    let code = OptionCode(reader.u16()?);
    let length = reader.u16()?;
    Ok(RawOption { code, data: reader.take(length.into())? })
}
