//! Messages on a TCP connection: each behind its 16-bit length (RFC 5460 §5.1).
//!
//! TCP cuts where it likes. [`FrameBuffer`] takes octets as they come and gives whole messages
//! back. It never reserves room for a length that a peer has only announced: what it holds is what
//! has arrived.

use std::fmt;

use crate::limits::MIN_MESSAGE_OCTETS;
use crate::{TooLong, Writer};

/// The stream is not one of frames any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// A frame that says it holds fewer octets than a header has.
    TooShort(u16),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(size) => write!(f, "a frame of {size} octets cannot hold a message"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Octets received and not yet given back as messages.
#[derive(Debug, Default)]
pub struct FrameBuffer {
    octets: Vec<u8>,
    start: usize,
}

impl FrameBuffer {
    /// Takes octets in the order received.
    pub fn extend(&mut self, octets: &[u8]) {
        if self.start > 0 {
            self.octets.drain(..self.start);
            self.start = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    /// The next whole message, without its length; `None` if more octets must come first.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let Some(range) = self.next_range()? else { return Ok(None) };
        self.start = range.end;
        Ok(Some(&self.octets[range]))
    }

    /// Like [`Self::next_message`], but the message stays.
    pub fn peek(&self) -> Result<Option<&[u8]>, FrameError> {
        Ok(self.next_range()?.map(|range| &self.octets[range]))
    }

    fn next_range(&self) -> Result<Option<std::ops::Range<usize>>, FrameError> {
        let Some((size, behind)) = self.octets[self.start..].split_first_chunk() else { return Ok(None) };
        let size = u16::from_be_bytes(*size);
        if usize::from(size) < MIN_MESSAGE_OCTETS {
            return Err(FrameError::TooShort(size));
        }
        let begin = self.start + 2;
        Ok(behind.get(..size.into()).map(|message| begin..begin + message.len()))
    }

    /// Gives back the memory of messages that have been taken, if nothing waits.
    pub fn release(&mut self) {
        if self.waiting() == 0 {
            *self = Self::default();
        }
    }

    /// Octets that wait for the rest of their frame, or to be taken.
    pub fn waiting(&self) -> usize {
        self.octets.len() - self.start
    }
}

/// Appends a frame whose message `message` writes.
pub fn write_frame(out: &mut Vec<u8>, message: impl FnOnce(&mut Writer<'_>)) -> Result<(), TooLong> {
    let mut writer = Writer::new(out);
    writer.sized(message);
    writer.finish()
}
