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
