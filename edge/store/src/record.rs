//! How a record and the summary of all records look inside an engine.
//!
//! A record is kept as a *frame*:
//!
//! ```text
//! octets  0..8   the seal of key and image, u64 little endian
//!         8..    the image
//! ```
//!
//! The seal is XXH3-64 of the image, seeded with XXH3-64 of the key, so an image that turns up under another key's
//! name is damage too. The [`Summary`] is the one record of the store's own, rewritten by every commit in the same
//! batch as the records:
//!
//! ```text
//! octets  0..8   the seal of SUMMARY_KEY and octets 8..36
//!         8..12  the layout, u32 little endian
//!        12..20  the number of the last commit, u64 little endian
//!        20..28  how many records there are, u64 little endian
//!        28..36  the sum of the records' seals, modulo 2^64, u64 little endian
//! ```
//!
//! The sum is what a checksum per record cannot be: proof that no record is missing, none is back from the dead and none
//! is an older image of itself. It does not depend on the order, so a commit carries it on from the seals of the images
//! it replaces.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The layout this code reads and writes.
pub(crate) const LAYOUT: u32 = 1;

/// The key of the summary: shorter than any record's, and before all of them.
pub(crate) const SUMMARY_KEY: &[u8] = &[0];

/// The octets of a frame before the image.
const SEAL_LEN: usize = 8;

/// The octets of a summary, its seal included.
const SUMMARY_LEN: usize = SEAL_LEN + 4 + 8 + 8 + 8;

/// A record's proof of being what was written under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal(u64);

impl Seal {
    /// The seal of an image under a key.
    pub(crate) fn of(key: &[u8], image: &[u8]) -> Self {
        Self(xxh3_64_with_seed(image, xxh3_64(key)))
    }
}

/// Puts an image into its frame.
pub(crate) fn frame(seal: Seal, image: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(SEAL_LEN + image.len());
    frame.extend_from_slice(&seal.0.to_le_bytes());
    frame.extend_from_slice(image);
    frame
}

/// Takes an image out of its frame; `None` when the seal does not fit.
pub(crate) fn unframe<'a>(key: &[u8], frame: &'a [u8]) -> Option<(Seal, &'a [u8])> {
    let (seal, image) = frame.split_first_chunk::<SEAL_LEN>()?;
    let seal = Seal(u64::from_le_bytes(*seal));
    (seal == Seal::of(key, image)).then_some((seal, image))
}

/// What all the records together are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Summary {
    /// The number of the last commit.
    pub(crate) commit: u64,
    /// How many records there are.
    pub(crate) records: u64,
    /// The sum of their seals.
    pub(crate) sum: u64,
}

impl Summary {
    /// Counts a record in.
    pub(crate) fn add(&mut self, seal: Seal) {
        self.records += 1;
        self.sum = self.sum.wrapping_add(seal.0);
    }

    /// Counts a record out. `false` when there is none left to take: the engine holds more than was ever counted.
    #[must_use]
    pub(crate) fn take(&mut self, seal: Seal) -> bool {
        let Some(records) = self.records.checked_sub(1) else { return false };
        self.records = records;
        self.sum = self.sum.wrapping_sub(seal.0);
        true
    }

    /// The frame of the summary, as an engine keeps it under [`SUMMARY_KEY`].
    pub(crate) fn frame(&self) -> Vec<u8> {
        let Self { commit, records, sum } = *self;
        let mut image = Vec::with_capacity(SUMMARY_LEN - SEAL_LEN);
        image.extend_from_slice(&LAYOUT.to_le_bytes());
        for number in [commit, records, sum] {
            image.extend_from_slice(&number.to_le_bytes());
        }
        frame(Seal::of(SUMMARY_KEY, &image), &image)
    }

    /// Reads a summary from its frame; `None` when it is damaged.
    ///
    /// The layout is not looked at: the witness, which is read first, has told it already.
    pub(crate) fn unframe(bytes: &[u8]) -> Option<Self> {
        let (_, image) = unframe(SUMMARY_KEY, bytes)?;
        let (_layout, rest) = image.split_first_chunk::<4>()?;
        let (commit, rest) = rest.split_first_chunk::<8>()?;
        let (records, rest) = rest.split_first_chunk::<8>()?;
        let sum: &[u8; 8] = rest.try_into().ok()?;
        Some(Self {
            commit: u64::from_le_bytes(*commit),
            records: u64::from_le_bytes(*records),
            sum: u64::from_le_bytes(*sum),
        })
    }
}

/// A key as an operator reads it.
pub(crate) fn hex(key: &[u8]) -> String {
    key.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_gives_back_its_image_under_its_own_key_only() {
        let framed = frame(Seal::of(b"\0\0\0\x01a", b"image"), b"image");
        assert_eq!(unframe(b"\0\0\0\x01a", &framed).map(|(_, image)| image), Some(&b"image"[..]));
        assert_eq!(unframe(b"\0\0\0\x02a", &framed), None);
        assert_eq!(unframe(b"\0\0\0\x01a", &framed[..7]), None);
    }

    #[test]
    fn every_flipped_bit_of_a_summary_shows() {
        let summary = Summary { commit: 7, records: 3, sum: u64::MAX };
        let framed = summary.frame();
        assert_eq!(framed.len(), SUMMARY_LEN);
        assert_eq!(Summary::unframe(&framed), Some(summary));
        for bit in 0..framed.len() * 8 {
            let mut flipped = framed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Summary::unframe(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_sum_knows_an_old_image_from_the_new_one() {
        let (old, new) = (Seal::of(b"key-a", b"old"), Seal::of(b"key-a", b"new"));
        let (mut with_old, mut with_new) = (Summary::default(), Summary::default());
        with_old.add(old);
        with_new.add(old);
        assert!(with_new.take(old));
        with_new.add(new);
        assert_eq!(with_old.records, with_new.records);
        assert_ne!(with_old.sum, with_new.sum);
    }
}
