//! What a store is: two verbs.
//!
//! A store gives every record back at start ([`Store::load`]) and makes a batch of after-images last, all of it or
//! none of it ([`Store::commit`]). It is not query-shaped: queries are the table's, which lives in memory. A record is
//! one client, a key and an image, and both are octets here: the store vouches that it returns exactly the octets
//! that were committed, and does not know what they mean.
//!
//! The invariant: what a call to `commit` that returned `Ok` said is given back by every later `load`, until a later
//! commit says otherwise; where the store cannot keep that promise it says so instead of answering.

use crate::error::{CommitError, LoadError};

/// The fewest octets a key has: the link id (a `u32`, big endian) and one octet of DUID.
///
/// Shorter keys are the store's own.
pub const MIN_KEY_LEN: usize = 5;

/// The most octets a key has: the link id and the longest DUID there is (RFC 8415 §11.1: a type of 2 octets and an
/// identifier of at most 128).
pub const MAX_KEY_LEN: usize = 4 + 2 + 128;

/// The most octets an image has: 1 MiB.
///
/// A client's image is a few hundred octets; one of this size is a defect of the caller's.
pub const MAX_IMAGE_LEN: usize = 1 << 20;

/// What happened to one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// Which record: [`MIN_KEY_LEN`] to [`MAX_KEY_LEN`] octets.
    pub key: &'a [u8],
    /// The record from now on, at most [`MAX_IMAGE_LEN`] octets; `None` when it is forgotten.
    pub image: Option<&'a [u8]>,
}

impl Change<'_> {
    /// Asserts that key and image are of the sizes a store takes.
    ///
    /// # Panics
    ///
    /// When they are not: a defect of the caller's, never a peer's or an operator's.
    pub(crate) fn assert_sizes(&self) {
        let key_len = self.key.len();
        assert!((MIN_KEY_LEN..=MAX_KEY_LEN).contains(&key_len), "a key of {key_len} octets");
        let image_len = self.image.map_or(0, <[u8]>::len);
        assert!(image_len <= MAX_IMAGE_LEN, "an image of {image_len} octets");
    }
}

/// What a [`Store::load`] gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// How many records.
    pub records: u64,
    /// The number of the last commit, counted from 1; 0 for a store that has never been committed to.
    pub commit: u64,
}

/// Takes one record, its key and its image, while a store is loaded.
///
/// An error ends the load, which then returns [`LoadError::Refused`] with it.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + 'a;

/// What survives.
pub trait Store: Send {
    /// Gives back every record once, in the order of the keys, and proves that they are what was committed.
    ///
    /// The proof is complete only at the end: what `visit` built from the records is to be thrown away when this
    /// returns an error.
    fn load(&self, visit: &mut Visit<'_>) -> Result<Loaded, LoadError>;

    /// Makes a batch last: after `Ok` it is on disk, all of it. Returns the number of the commit.
    ///
    /// Where a batch holds several changes of one key the last one counts. An empty batch is a commit too.
    ///
    /// After an error it is unknown whether the batch lasts, and the store has failed: every later commit returns
    /// [`CommitError::Failed`]. Only loading the store anew tells what it holds.
    ///
    /// # Panics
    ///
    /// When a key or an image is not of the sizes named in [`Change`].
    fn commit(&mut self, changes: &[Change<'_>]) -> Result<u64, CommitError>;
}
