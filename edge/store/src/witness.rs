//! The witness: which commit was the last durable one, told by someone other than the engine.
//!
//! An engine that finds its journal cut short cannot tell a torn tail, which is what a crash leaves, from damage to
//! what was long durable: it drops the rest and starts. The witness can. It is a file of two *slots*, each a sector's
//! distance from the other, written in turn after a commit is durable and not synced:
//!
//! ```text
//! octets  0..8   "LSHWITN1"
//!         8..12  the layout of the store, u32 little endian
//!        12..20  the number of a commit, u64 little endian
//!        20..28  XXH3-64 of octets 0..20, u64 little endian
//! ```
//!
//! The slot of commit n begins at octet 4096 * (n mod 2). A write that is torn costs its own slot and leaves the one
//! before.
//!
//! The invariant: the witness never names a commit that is not durable. It may name an earlier one, because a crash came
//! between or the write never reached the disk: then the proof reaches less far, and no alarm is false.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

/// Its name in a store's folder.
pub(crate) const WITNESS: &str = "witness";

const MAGIC: &[u8; 8] = b"LSHWITN1";
const SLOT_LEN: usize = 28;

/// How far apart the slots begin, in octets: no sector or page holds octets of both.
const SLOT_DISTANCE: u64 = 4096;

/// The witness of an open store.
#[derive(Debug)]
pub(crate) struct Witness {
    file: File,
    layout: u32,
}

/// What a witness says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Testimony {
    /// The layout of the store.
    pub(crate) layout: u32,
    /// The last commit known to be durable.
    pub(crate) commit: u64,
}

impl Witness {
    /// Makes the file, both slots naming `commit`, and syncs it.
    pub(crate) fn create(path: &Path, layout: u32, commit: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        let witness = Self { file, layout };
        for slot in 0..2 {
            witness.write(slot, commit)?;
        }
        witness.file.sync_all()
    }

    /// Opens the file and reads it. The testimony is `None` when neither slot can be believed.
    pub(crate) fn open(path: &Path, layout: u32) -> io::Result<(Self, Option<Testimony>)> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut best: Option<Testimony> = None;
        for slot in 0..2 {
            let mut bytes = [0; SLOT_LEN];
            match file.read_exact_at(&mut bytes, slot * SLOT_DISTANCE) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
                Err(error) => return Err(error),
            }
            best = [best, read_slot(&bytes)].into_iter().flatten().max_by_key(|said| said.commit);
        }
        Ok((Self { file, layout }, best))
    }

    /// Notes that `commit` is durable.
    pub(crate) fn note(&self, commit: u64) -> io::Result<()> {
        self.write(commit % 2, commit)
    }

    /// Makes what was noted last.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, slot: u64, commit: u64) -> io::Result<()> {
        self.file.write_all_at(&slot_bytes(self.layout, commit), slot * SLOT_DISTANCE)
    }
}

fn slot_bytes(layout: u32, commit: u64) -> [u8; SLOT_LEN] {
    let mut bytes = [0; SLOT_LEN];
    bytes[0..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&layout.to_le_bytes());
    bytes[12..20].copy_from_slice(&commit.to_le_bytes());
    let seal = xxh3_64(&bytes[..20]);
    bytes[20..28].copy_from_slice(&seal.to_le_bytes());
    bytes
}

fn read_slot(bytes: &[u8; SLOT_LEN]) -> Option<Testimony> {
    let (layout, rest) = bytes[8..].split_first_chunk::<4>()?;
    let (commit, _seal) = rest.split_first_chunk::<8>()?;
    let said = Testimony { layout: u32::from_le_bytes(*layout), commit: u64::from_le_bytes(*commit) };
    (slot_bytes(said.layout, said.commit) == *bytes).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &Path) -> Option<u64> {
        Witness::open(path, 1).expect("the file opens").1.map(|said| said.commit)
    }

    #[test]
    fn the_later_slot_counts_and_the_earlier_one_stands_in_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("witness");
        Witness::create(&path, 1, 0).expect("created");
        let (witness, _) = Witness::open(&path, 1).expect("opened");
        for commit in 1..=5 {
            witness.note(commit).expect("noted");
            assert_eq!(said(&path), Some(commit));
        }

        let whole = std::fs::read(&path).expect("read");
        for octet in (0..SLOT_LEN).map(|octet| octet + SLOT_DISTANCE as usize) {
            let mut torn = whole.clone();
            torn[octet] ^= 0x10;
            std::fs::write(&path, &torn).expect("written");
            assert_eq!(said(&path), Some(4), "octet {octet}");
        }
    }

    #[test]
    fn a_witness_without_a_slot_to_believe_says_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("witness");
        for bytes in [vec![], vec![0; 8192], b"LSHWITN1".repeat(1000)] {
            std::fs::write(&path, bytes).expect("written");
            assert_eq!(said(&path), None);
        }
    }
}
