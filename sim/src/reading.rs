//! Reading what has been sent, for those who judge and those who trace: as simple as can be, and none of it from
//! the code that is judged but the outline of messages.

use wire::{OptionCode, RelayMessage};

/// The message inside all relay messages, and how many of those there are.
pub fn innermost(mut octets: &[u8]) -> (&[u8], usize) {
    let mut hops = 0;
    while let Ok(RelayMessage { options, .. }) = RelayMessage::decode(octets) {
        let Some(inner) = options.first(OptionCode::RELAY_MSG) else { break };
        (octets, hops) = (inner, hops + 1);
    }
    (octets, hops)
}
