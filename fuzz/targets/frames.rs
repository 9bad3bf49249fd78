//! A stream of frames: chopped up in whatever way, it gives the same messages, and in the end the
//! same error or the same rest.
//!
//! The input is the stream behind one octet: the seed of the chopping.

#![no_main]

use fuzz::chopped;
use libfuzzer_sys::fuzz_target;
use wire::{FrameBuffer, FrameError};

fuzz_target!(|octets: &[u8]| {
    let Some((seed, stream)) = octets.split_first() else { return };
    let whole = received([stream]);
    assert_eq!(received(chopped(stream, *seed)), whole);
    assert_eq!(received(stream.chunks(1)), whole);
});

/// Messages in order, and how the stream ended: octets that wait for more, or an error.
type Received = (Vec<Vec<u8>>, Result<usize, FrameError>);

fn received<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Received {
    let mut frames = FrameBuffer::default();
    let mut messages = Vec::new();
    for piece in pieces {
        frames.extend(piece);
        loop {
            match frames.next_message() {
                Ok(Some(message)) => messages.push(message.to_vec()),
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
            }
        }
    }
    (messages, Ok(frames.waiting()))
}
