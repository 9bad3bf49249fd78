//! Ways to damage a file.
//!
//! `LEASEHOLD_DAMAGES` says how many random places of each file are damaged in each way, beside the chosen ones.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::Random;

/// How many octets a disk writes or loses at once, small and large.
pub(crate) const SECTOR: u64 = 512;
pub(crate) const PAGE: u64 = 4096;

/// A way to damage a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Harm {
    Flip { bit: u64 },
    Cut { len: u64 },
    Blank { from: u64, len: u64 },
    Remove,
}

impl Harm {
    pub(crate) fn inflict(self, path: &Path) {
        let open = || File::options().read(true).write(true).open(path).expect("opened");
        match self {
            Self::Flip { bit } => {
                let mut octet = [0];
                open().read_exact_at(&mut octet, bit / 8).expect("read");
                open().write_all_at(&[octet[0] ^ (1 << (bit % 8))], bit / 8).expect("written");
            }
            Self::Cut { len } => open().set_len(len).expect("cut"),
            Self::Blank { from, len } => open().write_all_at(&vec![0; len as usize], from).expect("written"),
            Self::Remove => fs::remove_file(path).expect("removed"),
        }
    }

    /// Every way, at the head, the tail, and random places of a file whose content ends at `len`.
    pub(crate) fn all(len: u64, places: u64, random: &mut Random) -> Vec<Self> {
        let mut harms = vec![Self::Remove];
        let chosen = [0, 1, len / 2, len.saturating_sub(2), len.saturating_sub(1)];
        let scattered: Vec<u64> = (0..places).map(|_| random.below(len.max(1))).collect();
        for at in chosen.into_iter().chain(scattered).filter(|at| *at < len) {
            harms.push(Self::Flip { bit: at * 8 + random.below(8) });
            harms.push(Self::Cut { len: at });
            for unit in [SECTOR, PAGE] {
                let from = at / unit * unit;
                harms.push(Self::Blank { from, len: unit.min(len - from) });
            }
        }
        harms
    }
}

/// Where a file's content ends: a journal is filled up with zeros.
pub(crate) fn content_len(path: &Path) -> u64 {
    let octets = fs::read(path).expect("read");
    octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last as u64 + 1)
}

pub(crate) fn places() -> u64 {
    std::env::var("LEASEHOLD_DAMAGES").map_or(3, |places| places.parse().expect("a number"))
}
