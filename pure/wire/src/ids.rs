//! The small numbers by which parties know exchanges and identity associations.

use std::fmt;

/// The 24 bits that tie an answer to its question (RFC 8415 §8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId([u8; 3]);

impl TransactionId {
    /// The three octets as they stand in a message.
    pub const fn new(octets: [u8; 3]) -> Self {
        Self(octets)
    }

    /// The lower 24 bits of `number`.
    pub const fn from_number(number: u32) -> Self {
        let [_, a, b, c] = number.to_be_bytes();
        Self([a, b, c])
    }

    /// The three octets as they stand in a message.
    pub const fn octets(self) -> [u8; 3] {
        self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}")
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionId({self})")
    }
}

/// A client's own number for one of its identity associations (RFC 8415 §12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iaid(pub u32);

impl fmt::Display for Iaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
