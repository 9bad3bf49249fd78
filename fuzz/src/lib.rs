//! What several targets need: a stream cut into pieces that depend on one octet of the input alone.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// Pieces of 1 to 64 octets, by a linear congruential generator.
pub fn chopped(mut stream: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(seed);
    std::iter::from_fn(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = ((state >> 26) as usize + 1).min(stream.len());
        let (piece, behind) = stream.split_at(length);
        stream = behind;
        (length > 0).then_some(piece)
    })
}
