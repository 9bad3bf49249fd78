//! Positions by the block: ranges that are taken, made into bits of one block, or into runs of blocks
//! that are full.

/// The positions of a block, a bit for each.
pub(super) type Bits = u16;
pub(super) const POSITIONS: u64 = Bits::BITS as u64;

/// Fills block after block.
pub(super) struct Sweep {
    block: u64,
    bits: Bits,
    full: Vec<(u64, u64)>,
}

impl Sweep {
    /// Begins with a block of which nothing is known.
    pub(super) fn from_block(block: u64) -> Self {
        Self { block, bits: 0, full: Vec::new() }
    }

    /// The runs of full blocks that have come to light.
    pub(super) fn finish(mut self) -> Vec<(u64, u64)> {
        self.flush();
        self.full
    }

    /// Takes a range; ranges come in the order of where they begin. What it says of blocks that are
    /// done has been said before, by the range that led beyond them.
    pub(super) fn take(&mut self, from: u64, to: u64) {
        let from = from.max(self.block * POSITIONS);
        if to < from {
            return;
        }
        self.go_to(from / POSITIONS);
        let end = to / POSITIONS;
        if end > self.block {
            self.bits |= Bits::MAX << (from % POSITIONS);
            self.flush();
            if self.block + 1 < end {
                self.push(self.block + 1, end - 1);
            }
            (self.block, self.bits) = (end, 0);
            self.bits |= bits_between(0, to % POSITIONS);
        } else {
            self.bits |= bits_between(from % POSITIONS, to % POSITIONS);
        }
    }

    fn go_to(&mut self, block: u64) {
        if block != self.block {
            self.flush();
            (self.block, self.bits) = (block, 0);
        }
    }

    fn flush(&mut self) {
        if self.bits == Bits::MAX {
            self.push(self.block, self.block);
        }
    }

    fn push(&mut self, first: u64, last: u64) {
        match self.full.last_mut() {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => self.full.push((first, last)),
        }
    }
}

pub(super) fn last_of(block: u64) -> u64 {
    block * POSITIONS + (POSITIONS - 1)
}

pub(super) fn bits_between(first: u64, last: u64) -> Bits {
    (Bits::MAX << first) & (Bits::MAX >> (POSITIONS - 1 - last))
}

/// Two rows in order, as one.
pub(super) fn merge<T: Ord>(
    a: impl Iterator<Item = T>,
    b: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(of_a), Some(of_b)) if of_b < of_a => b.next(),
        (None, _) => b.next(),
        _ => a.next(),
    })
}

#[cfg(test)]
mod tests {
    use world::Chance;

    use super::*;

    const BLOCKS: u64 = 12;

    /// Ranges in the order of where they begin, swept from a block on: the runs of blocks that they fill.
    fn swept(from_block: u64, ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let mut sweep = Sweep::from_block(from_block);
        ranges.iter().for_each(|(from, to)| sweep.take(*from, *to));
        sweep.finish()
    }

    #[test]
    fn the_full_blocks_are_those_in_which_nothing_is_free() {
        let mut chance = Chance::from_seed(7);
        for round in 0..3_000 {
            let longest = [1, 9, 40][round % 3];
            let count = chance.below(200);
            let range = |chance: &mut Chance| {
                let from = chance.below(BLOCKS * POSITIONS);
                (from, (from + chance.below(longest)).min(BLOCKS * POSITIONS - 1))
            };
            let mut ranges: Vec<(u64, u64)> = (0..count).map(|_| range(&mut chance)).collect();
            ranges.sort_unstable();
            let mut taken = [false; (BLOCKS * POSITIONS) as usize];
            ranges.iter().for_each(|(from, to)| taken[*from as usize..=*to as usize].fill(true));
            let begun = chance.below(3);
            let full = |block: &u64| {
                taken[(block * POSITIONS) as usize..][..POSITIONS as usize].iter().all(|it| *it)
            };
            let expected: Vec<u64> = (begun..BLOCKS).filter(full).collect();
            let runs = swept(begun, &ranges);
            let found: Vec<u64> = runs.iter().flat_map(|(first, last)| *first..=*last).collect();
            assert_eq!(found, expected, "{ranges:?} from block {begun}");
            assert!(runs.iter().all(|(first, last)| first <= last), "{runs:?}: one goes backwards");
            assert!(runs.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{runs:?} touch");
        }
    }

    #[test]
    fn a_block_is_full_whether_it_is_taken_at_once_or_piece_by_piece() {
        assert_eq!(swept(0, &[(0, 15)]), [(0, 0)]);
        assert_eq!(swept(0, &[(0, 7), (8, 15)]), [(0, 0)]);
        assert_eq!(swept(0, &[(0, 14), (16, 31)]), [(1, 1)]);
        assert_eq!(swept(0, &[(3, 50)]), [(1, 2)]);
        assert_eq!(swept(0, &[(0, 15), (16, 47), (48, 63)]), [(0, 3)]);
        assert_eq!(swept(0, &[]), []);
    }

    #[test]
    fn bits_stand_for_positions_from_the_first_to_the_last() {
        assert_eq!(bits_between(0, 15), Bits::MAX);
        assert_eq!(bits_between(0, 0), 1);
        assert_eq!(bits_between(4, 6), 0b111_0000);
        assert_eq!(bits_between(15, 15), 0x8000);
        assert_eq!((last_of(0), last_of(3)), (15, 63));
    }

    #[test]
    fn two_rows_become_one_in_order() {
        let merged = |a: &[u8], b: &[u8]| merge(a.iter().copied(), b.iter().copied()).collect::<Vec<_>>();
        assert_eq!(merged(&[1, 4, 4], &[2, 3, 9]), [1, 2, 3, 4, 4, 9]);
        assert_eq!(merged(&[], &[1]), [1]);
        assert_eq!(merged(&[1], &[]), [1]);
    }
}
