//! Appending messages to a vector, lengths filled in afterwards.
//!
//! A length that does not fit into its 16 bits cannot be written, and nothing good comes of cutting
//! it off. The writer remembers that it happened, so that code which builds a message stays a
//! straight line; [`Writer::finish`] tells it, and takes back all that was appended.

use std::net::Ipv6Addr;

use crate::{IaKind, Iaid, OptionCode, Prefix, StatusCode};

/// Something did not fit into the 16 bits of its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("more than 65,535 octets where a 16-bit length has to say how many")
    }
}

impl std::error::Error for TooLong {}

/// Appends to `octets`; what was there before stays.
#[derive(Debug)]
pub struct Writer<'a> {
    octets: &'a mut Vec<u8>,
    start: usize,
    too_long: bool,
}

impl<'a> Writer<'a> {
    /// Appends behind whatever `octets` already holds.
    pub fn new(octets: &'a mut Vec<u8>) -> Self {
        let start = octets.len();
        Self { octets, start, too_long: false }
    }

    /// Whether every length fitted. If not, the vector is again what it was before: half a frame
    /// in a stream would put everything behind it out of step.
    pub fn finish(self) -> Result<(), TooLong> {
        if self.too_long {
            self.octets.truncate(self.start);
            return Err(TooLong);
        }
        Ok(())
    }

    /// Octets in the vector so far, what was there before included.
    #[inline]
    #[allow(clippy::len_without_is_empty, reason = "asked to measure, never to see whether it is empty")]
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// Octets as they are.
    #[inline]
    pub fn bytes(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// One octet.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.octets.push(value);
    }

    /// Two octets.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Four octets.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Sixteen octets.
    #[inline]
    pub fn address(&mut self, address: Ipv6Addr) {
        self.bytes(&address.octets());
    }

    /// An option of any length: `data` writes its inside, nested options included.
    #[inline]
    pub fn option(&mut self, code: OptionCode, data: impl FnOnce(&mut Self)) {
        self.u16(code.0);
        self.sized(data);
    }

    /// An option whose inside is at hand.
    #[inline]
    pub fn raw_option(&mut self, code: OptionCode, data: &[u8]) {
        self.option(code, |w| w.bytes(data));
    }

    /// STATUS_CODE (RFC 8415 §21.13), with words for a person.
    pub fn status(&mut self, code: StatusCode, message: impl AsRef<[u8]>) {
        self.option(OptionCode::STATUS_CODE, |w| {
            w.u16(code.0);
            w.bytes(message.as_ref());
        });
    }

    /// VENDOR_OPTS (RFC 8415 §21.17): `suboptions` writes options whose codes are the vendor's.
    pub fn vendor_options(&mut self, enterprise: u32, suboptions: impl FnOnce(&mut Self)) {
        self.option(OptionCode::VENDOR_OPTS, |w| {
            w.u32(enterprise);
            suboptions(w);
        });
    }

    /// IA_NA, with the leases and the status that `options` writes (RFC 8415 §21.4).
    #[inline]
    pub fn ia_na(&mut self, iaid: Iaid, t1_secs: u32, t2_secs: u32, options: impl FnOnce(&mut Self)) {
        self.ia(IaKind::Address, iaid, t1_secs, t2_secs, options);
    }

    /// IA_PD, with the leases and the status that `options` writes (RFC 8415 §21.21).
    #[inline]
    pub fn ia_pd(&mut self, iaid: Iaid, t1_secs: u32, t2_secs: u32, options: impl FnOnce(&mut Self)) {
        self.ia(IaKind::Prefix, iaid, t1_secs, t2_secs, options);
    }

    /// IA_NA or IA_PD, by its kind.
    #[inline]
    pub fn ia(
        &mut self,
        kind: IaKind,
        iaid: Iaid,
        t1_secs: u32,
        t2_secs: u32,
        options: impl FnOnce(&mut Self),
    ) {
        self.option(kind.code(), |w| {
            w.u32(iaid.0);
            w.u32(t1_secs);
            w.u32(t2_secs);
            options(w);
        });
    }

    /// IAADDR without options inside (RFC 8415 §21.6). Lifetimes in seconds.
    #[inline]
    pub fn ia_address(&mut self, address: Ipv6Addr, preferred_secs: u32, valid_secs: u32) {
        self.option(OptionCode::IAADDR, |w| {
            w.address(address);
            w.u32(preferred_secs);
            w.u32(valid_secs);
        });
    }

    /// IAPREFIX, with the options that `options` writes (RFC 8415 §21.22). Lifetimes in seconds.
    #[inline]
    pub fn ia_prefix(
        &mut self,
        prefix: Prefix,
        preferred_secs: u32,
        valid_secs: u32,
        options: impl FnOnce(&mut Self),
    ) {
        self.option(OptionCode::IAPREFIX, |w| {
            w.u32(preferred_secs);
            w.u32(valid_secs);
            w.u8(prefix.length());
            w.address(prefix.address());
            options(w);
        });
    }

    /// Sixteen bits of length, then what `data` writes: options and TCP frames are made so.
    #[inline]
    pub fn sized(&mut self, data: impl FnOnce(&mut Self)) {
        let at = self.octets.len();
        self.u16(0);
        data(self);
        match u16::try_from(self.octets.len() - at - 2) {
            Ok(length) => self.octets[at..at + 2].copy_from_slice(&length.to_be_bytes()),
            Err(_) => self.too_long = true,
        }
    }
}
