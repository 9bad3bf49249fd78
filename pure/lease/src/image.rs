//! A client as octets: what the table holds and the store writes.
//!
//! All integers are big-endian. Version 1 is a client that accepts no Reconfigure, version 2 one
//! that was given a key for it; so those without one cost nothing for it, and both are written.
//!
//! | octets | what |
//! | --- | --- |
//! | 1 | version: 1 or 2 |
//! | 4 | link |
//! | 1 + n | DUID, behind its length |
//! | 4 | last heard, in seconds since 2000-01-01T00:00:00Z |
//! | 2 + n | relay path, behind its length; 0 is none |
//! | 16 | from where the relayed message came; only if there is a path |
//! | 2 + n | the client's own options as in a message, behind their length |
//! | 16 | the Reconfigure key; only in version 2 |
//! | 8 | the greatest replay detection value used with it; only in version 2 |
//! | 2 | number of bindings, each: |
//! | 1 | 0 = IA_NA, 1 = IA_PD |
//! | 4 | IAID |
//! | 2 | number of leases, each: |
//! | 1 | state: 0 active, 1 released, 2 expired, 3 declined; 0x80 added if a prefix is excluded |
//! | 16 (+ 1) | address; of a prefix, then its length |
//! | 4 | granted, or come into its state, in seconds since 2000-01-01T00:00:00Z |
//! | 4, 4 | preferred and valid lifetime in seconds; of an inactive lease 0, and how long it is remembered or rests |
//! | 16 + 1 | the excluded prefix; only if there is one |
//!
//! The image has no checksum of its own: the store seals key and image together.

use std::fmt;
use std::net::Ipv6Addr;

use wire::{DecodeError, DuidRef, Iaid, Options, Prefix, Reader};

use crate::limits::{MAX_BINDINGS, MAX_HELD_OPTION_OCTETS};
use crate::{
    Binding, Client, ClientKey, IaKind, Lease, LeaseState, LinkId, ReconfigureKey, RelayPath, Resource,
};

/// Of a client without a Reconfigure key.
const WITHOUT_KEY: u8 = 1;
/// Of a client with one.
const WITH_KEY: u8 = 2;
const EPOCH_2000_UNIX_SECS: u64 = 946_684_800;
const HAS_EXCLUDED: u8 = 0x80;

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
                write!(f, "a record of version {version}, and only versions up to {WITH_KEY} are known")
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

/// The key under which the store keeps a client: link, then DUID.
pub fn key(key: &ClientKey) -> Vec<u8> {
    [&key.link.0.to_be_bytes(), key.duid.octets()].concat()
}

/// The image of a client. Options and bindings beyond their limits are the caller's error, and so is
/// an address in an IA_PD or a prefix in an IA_NA.
pub fn encode(client: &Client) -> Box<[u8]> {
    let Client { key, heard, options, reconfigure, bindings } = client;
    let mut out = Vec::with_capacity(256);
    out.push(if reconfigure.is_some() { WITH_KEY } else { WITHOUT_KEY });
    out.extend(key.link.0.to_be_bytes());
    out.push(key.duid.octets().len() as u8);
    out.extend(key.duid.octets());
    out.extend(stamp(heard.at_unix_secs));
    let path = heard.path.as_ref();
    put_sized(&mut out, path.map_or(&[], |path| path.octets()));
    if let Some(path) = path {
        out.extend(path.peer_address().octets());
    }
    put_options(&mut out, options);
    if let Some(ReconfigureKey { octets, last_replay }) = reconfigure {
        out.extend(octets);
        out.extend(last_replay.to_be_bytes());
    }
    put_count(&mut out, bindings.len());
    for binding in bindings {
        put_binding(&mut out, binding);
    }
    // A copy of just the right size: shrinking in place would leave a hole behind every image.
    out.as_slice().into()
}

fn put_options(out: &mut Vec<u8>, options: &[(wire::OptionCode, Box<[u8]>)]) {
    let mut octets = Vec::new();
    let mut writer = wire::Writer::new(&mut octets);
    for (code, data) in options {
        writer.raw_option(*code, data);
    }
    assert!(writer.finish().is_ok() && octets.len() <= MAX_HELD_OPTION_OCTETS, "options beyond their limit");
    put_sized(out, &octets);
}

fn put_binding(out: &mut Vec<u8>, binding: &Binding) {
    let Binding { kind, iaid, leases } = binding;
    out.push(match kind {
        IaKind::Address => 0,
        IaKind::Prefix => 1,
    });
    out.extend(iaid.0.to_be_bytes());
    put_count(out, leases.len());
    for lease in leases {
        assert!(lease.resource.is_of(*kind), "addresses stand in an IA_NA, prefixes in an IA_PD");
        put_lease(out, lease);
    }
}

fn put_lease(out: &mut Vec<u8>, lease: &Lease) {
    let Lease { resource, state, granted_unix_secs, preferred_secs, valid_secs, excluded } = lease;
    let state = match state {
        LeaseState::Active => 0,
        LeaseState::Released => 1,
        LeaseState::Expired => 2,
        LeaseState::Declined => 3,
    };
    out.push(if excluded.is_some() { state | HAS_EXCLUDED } else { state });
    match resource {
        Resource::Address(address) => out.extend(address.octets()),
        Resource::Prefix(prefix) => put_prefix(out, *prefix),
    }
    out.extend(stamp(*granted_unix_secs));
    out.extend(preferred_secs.to_be_bytes());
    out.extend(valid_secs.to_be_bytes());
    if let Some(excluded) = excluded {
        put_prefix(out, *excluded);
    }
}

fn put_prefix(out: &mut Vec<u8>, prefix: Prefix) {
    out.extend(prefix.address().octets());
    out.push(prefix.length());
}

fn put_sized(out: &mut Vec<u8>, octets: &[u8]) {
    let length = u16::try_from(octets.len()).expect("what a client brings fits into a datagram");
    out.extend(length.to_be_bytes());
    out.extend(octets);
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    assert!(count <= MAX_BINDINGS, "bindings or leases beyond their limit");
    out.extend((count as u16).to_be_bytes());
}

/// Seconds since 2000; what lies before it, or after 2136, is moved to the nearest that fits.
fn stamp(unix_secs: u64) -> [u8; 4] {
    let since_2000 = unix_secs.saturating_sub(EPOCH_2000_UNIX_SECS);
    u32::try_from(since_2000).unwrap_or(u32::MAX).to_be_bytes()
}

/// An image taken apart, but for its leases.
pub(crate) struct Parts<'a> {
    pub(crate) link: LinkId,
    pub(crate) duid: DuidRef<'a>,
    pub(crate) heard_unix_secs: u64,
    pub(crate) path: &'a [u8],
    pub(crate) peer_address: Ipv6Addr,
    pub(crate) options: &'a [u8],
    pub(crate) reconfigure: Option<ReconfigureKey>,
    pub(crate) bindings: Reader<'a>,
}

/// Takes an image apart, as far as its bindings.
#[inline]
pub(crate) fn parts(image: &[u8]) -> Result<Parts<'_>, ImageError> {
    let mut reader = Reader::new(image);
    let version = reader.u8()?;
    if !matches!(version, WITHOUT_KEY | WITH_KEY) {
        return Err(ImageError::Version(version));
    }
    let link = LinkId(reader.u32()?);
    let duid_octets = reader.u8()?.into();
    let duid = DuidRef::new(reader.take(duid_octets)?).map_err(|_| ImageError::Malformed)?;
    let heard_unix_secs = take_stamp(&mut reader)?;
    let path = take_sized(&mut reader)?;
    let peer_address = if path.is_empty() { Ipv6Addr::UNSPECIFIED } else { reader.address()? };
    let options = take_sized(&mut reader)?;
    let reconfigure = if version == WITH_KEY { Some(take_key(&mut reader)?) } else { None };
    Ok(Parts { link, duid, heard_unix_secs, path, peer_address, options, reconfigure, bindings: reader })
}

/// Proves that an image is whole: afterwards nothing in it can fail to be read.
pub(crate) fn check(image: &[u8]) -> Result<(), ImageError> {
    let parts = parts(image)?;
    Options::new(parts.options)?;
    if !parts.path.is_empty() {
        RelayPath::check(parts.path).map_err(|_| ImageError::Malformed)?;
    }
    let mut reader = parts.bindings;
    for _ in 0..reader.u16()? {
        let (kind, _, leases) = take_binding(&mut reader)?;
        for _ in 0..leases {
            take_lease(kind, &mut reader)?;
        }
    }
    Ok(reader.finish()?)
}

/// The head of a binding: kind, IAID, number of leases.
#[inline]
pub(crate) fn take_binding(reader: &mut Reader<'_>) -> Result<(IaKind, Iaid, u16), ImageError> {
    let kind = match reader.u8()? {
        0 => IaKind::Address,
        1 => IaKind::Prefix,
        _ => return Err(ImageError::Malformed),
    };
    Ok((kind, Iaid(reader.u32()?), reader.u16()?))
}

/// One lease of a binding of this kind.
#[inline]
pub(crate) fn take_lease(kind: IaKind, reader: &mut Reader<'_>) -> Result<Lease, ImageError> {
    let flags = reader.u8()?;
    let state = match flags & !HAS_EXCLUDED {
        0 => LeaseState::Active,
        1 => LeaseState::Released,
        2 => LeaseState::Expired,
        3 => LeaseState::Declined,
        _ => return Err(ImageError::Malformed),
    };
    let resource = match kind {
        IaKind::Address => Resource::Address(reader.address()?),
        IaKind::Prefix => Resource::Prefix(take_prefix(reader)?),
    };
    Ok(Lease {
        resource,
        state,
        granted_unix_secs: take_stamp(reader)?,
        preferred_secs: reader.u32()?,
        valid_secs: reader.u32()?,
        excluded: if flags & HAS_EXCLUDED == 0 { None } else { Some(take_prefix(reader)?) },
    })
}

fn take_prefix(reader: &mut Reader<'_>) -> Result<Prefix, ImageError> {
    let address = reader.address()?;
    Prefix::new(address, reader.u8()?).map_err(|_| ImageError::Malformed)
}

fn take_key(reader: &mut Reader<'_>) -> Result<ReconfigureKey, ImageError> {
    Ok(ReconfigureKey { octets: reader.array()?, last_replay: u64::from_be_bytes(reader.array()?) })
}

fn take_stamp(reader: &mut Reader<'_>) -> Result<u64, ImageError> {
    Ok(u64::from(reader.u32()?) + EPOCH_2000_UNIX_SECS)
}

fn take_sized<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ImageError> {
    let length = reader.u16()?;
    Ok(reader.take(length.into())?)
}
