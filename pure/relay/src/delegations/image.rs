//! A delegation as octets: what a relay writes down, so that it knows it again after a restart.
//!
//! What lives only as long as the program is put into words that last: the port as its Interface-ID,
//! times as seconds since 1970. How it was known is not written; what is read again is known from
//! memory. All integers are big-endian.
//!
//! | octets | what |
//! | --- | --- |
//! | 1 | version: 1 |
//! | 1 | 0 = address, 1 = prefix |
//! | 16 + 1 | the prefix, then its length; 128 of an address |
//! | 1 + n | the client's DUID, behind its length |
//! | 1 | 1 if an IAID follows, 0 if it is not known |
//! | 4 | the IAID; only if it is known |
//! | 2 + n | the Interface-ID, behind its length; at least one octet |
//! | 16 | next hop |
//! | 8 | when this was written |
//! | 8 | when the client was last heard, a begun second not counting; 0 is unknown |
//! | 8 | until when it is preferred, a begun second counting; all ones is for ever |
//! | 8 | until when it is valid, likewise |
//!
//! Read on a clock that is behind the writing one, as of a machine that does not know the time when it
//! starts, nothing has more time left than it had when it was written.
//!
//! The image has no checksum of its own: the store seals it with the key it is kept under ([`key`]).

use std::fmt;
use std::net::Ipv6Addr;
use std::time::Duration;

use requestor::Lifetime;
use wire::{DecodeError, DuidRef, IaKind, Iaid, Prefix, Reader};
use world::Now;

use super::DelegationRef;
use super::delegation::{Delegation, Teller};
use crate::moment::Moment;
use crate::ports::PortId;

const VERSION: u8 = 1;
const FOREVER: u64 = u64::MAX;
const UNKNOWN: u64 = 0;

/// Why octets are not an image that this version can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageError {
    /// Written by a version of Leasehold that this one does not know.
    Version(u8),
    /// Not an image.
    Malformed,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "a record of version {version}, and only version {VERSION} is known")
            }
            Self::Malformed => f.write_str("a record that is not one"),
        }
    }
}

impl std::error::Error for ImageError {}

impl From<DecodeError> for ImageError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

/// The key under which a store keeps what is delegated under a prefix: its address, then its length.
pub fn key(prefix: Prefix) -> [u8; 17] {
    let mut key = [0; 17];
    key[..16].copy_from_slice(&prefix.address().octets());
    key[16] = prefix.length();
    key
}

/// The image of a delegation on the port with this Interface-ID, written now.
pub fn encode(delegation: &DelegationRef<'_>, interface_id: &[u8], now: Now) -> Vec<u8> {
    let DelegationRef { prefix, kind, client, iaid, port: _, next_hop, preferred, valid, heard, told_by: _ } =
        delegation;
    let interface_id_octets = u16::try_from(interface_id.len()).expect("it came in an option");
    let mut out = vec![VERSION, u8::from(*kind == IaKind::Prefix)];
    out.extend(key(*prefix));
    out.push(u8::try_from(client.octets().len()).expect("a DUID has at most 130 octets"));
    out.extend(client.octets());
    out.push(u8::from(iaid.is_some()));
    out.extend(iaid.iter().flat_map(|iaid| iaid.0.to_be_bytes()));
    out.extend(interface_id_octets.to_be_bytes());
    out.extend(interface_id);
    out.extend(next_hop.octets());
    for unix_secs in [now.unix_secs, heard_unix_secs(*heard, now), ends(*preferred, now), ends(*valid, now)] {
        out.extend(unix_secs.to_be_bytes());
    }
    out
}

fn heard_unix_secs(heard: Moment, now: Now) -> u64 {
    if heard == Moment::UNKNOWN {
        return UNKNOWN;
    }
    let age = heard.age(now.instant);
    now.unix_secs.saturating_sub(age.as_secs() + u64::from(age.subsec_nanos() > 0))
}

fn ends(lifetime: Lifetime, now: Now) -> u64 {
    match lifetime {
        Lifetime::Forever => FOREVER,
        Lifetime::Until(end) => {
            let left = end.since(now.instant);
            let left_secs = left.as_secs() + u64::from(left.subsec_nanos() > 0);
            now.unix_secs.saturating_add(left_secs).min(FOREVER - 1)
        }
    }
}

/// What an image says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    /// The prefix, or an address as a prefix of 128 bits.
    pub prefix: Prefix,
    /// Which of the two.
    pub kind: IaKind,
    /// The client.
    pub client: DuidRef<'a>,
    /// The client's number of the association, if it was known.
    pub iaid: Option<Iaid>,
    /// The Interface-ID of the port.
    pub interface_id: &'a [u8],
    /// The client's address there, or that of a relay behind which it is.
    pub next_hop: Ipv6Addr,
    written_unix_secs: u64,
    heard_unix_secs: u64,
    preferred_unix_secs: u64,
    valid_unix_secs: u64,
}

/// Reads an image; what is left over, or not as it would have been written, is an error.
pub fn decode(octets: &[u8]) -> Result<Image<'_>, ImageError> {
    let mut reader = Reader::new(octets);
    let version = reader.u8()?;
    if version != VERSION {
        return Err(ImageError::Version(version));
    }
    let kind = if take_flag(&mut reader)? { IaKind::Prefix } else { IaKind::Address };
    let prefix = take_prefix(&mut reader, kind)?;
    let duid_octets = reader.u8()?.into();
    let client = DuidRef::new(reader.take(duid_octets)?).map_err(|_| ImageError::Malformed)?;
    let iaid = if take_flag(&mut reader)? { Some(Iaid(reader.u32()?)) } else { None };
    let interface_id_octets = reader.u16()?.into();
    let interface_id = reader.take(interface_id_octets)?;
    if interface_id.is_empty() {
        return Err(ImageError::Malformed);
    }
    let image = Image {
        prefix,
        kind,
        client,
        iaid,
        interface_id,
        next_hop: reader.address()?,
        written_unix_secs: take_u64(&mut reader)?,
        heard_unix_secs: take_u64(&mut reader)?,
        preferred_unix_secs: take_u64(&mut reader)?,
        valid_unix_secs: take_u64(&mut reader)?,
    };
    reader.finish()?;
    Ok(image)
}

fn take_flag(reader: &mut Reader<'_>) -> Result<bool, ImageError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(ImageError::Malformed),
    }
}

fn take_prefix(reader: &mut Reader<'_>, kind: IaKind) -> Result<Prefix, ImageError> {
    let (address, length) = (reader.address()?, reader.u8()?);
    let prefix = Prefix::new(address, length).map_err(|_| ImageError::Malformed)?;
    let is_whole = kind == IaKind::Prefix || length == 128;
    if prefix.address() == address && is_whole { Ok(prefix) } else { Err(ImageError::Malformed) }
}

fn take_u64(reader: &mut Reader<'_>) -> Result<u64, ImageError> {
    Ok(u64::from_be_bytes(reader.array()?))
}

impl Image<'_> {
    /// The delegation again, on the port that bears the Interface-ID now. One that has ended meanwhile
    /// ends now.
    pub fn delegation(&self, port: PortId, now: Now) -> Delegation {
        let Self { prefix, kind, client, iaid, interface_id: _, next_hop, .. } = *self;
        Delegation {
            prefix,
            kind,
            client: client.to_duid(),
            iaid,
            port,
            next_hop,
            preferred: self.lifetime(self.preferred_unix_secs, now),
            valid: self.lifetime(self.valid_unix_secs, now),
            heard: self.heard(now),
            told_by: Teller::Memory,
        }
    }

    /// Not before it was written, whatever the clock says.
    fn unix_secs(&self, now: Now) -> u64 {
        now.unix_secs.max(self.written_unix_secs)
    }

    fn lifetime(&self, end_unix_secs: u64, now: Now) -> Lifetime {
        if end_unix_secs == FOREVER {
            return Lifetime::Forever;
        }
        let left_secs = end_unix_secs.saturating_sub(self.unix_secs(now));
        Lifetime::Until(now.instant + Duration::from_secs(left_secs))
    }

    fn heard(&self, now: Now) -> Moment {
        if self.heard_unix_secs == UNKNOWN {
            return Moment::UNKNOWN;
        }
        let age_secs = self.unix_secs(now).saturating_sub(self.heard_unix_secs);
        Moment::before(now.instant, Duration::from_secs(age_secs))
    }
}
