//! What the levels of a Relay-forward hold that decides whether it is forwarded.
//!
//! It is read as far as it can be read, and no further: what is malformed is for the server to judge,
//! and an option that nobody can read can do nobody harm. Each octet is looked at once at most, whatever
//! somebody has nested in what.

use wire::limits::HOP_COUNT_LIMIT;
use wire::{MessageType, OptionCode, Reader};

/// Octets of a Relay-forward before its options.
pub(crate) const RELAY_HEADER_OCTETS: usize = 34;

/// What was found on any level.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    /// There are more than relays may have made.
    pub(crate) too_many: bool,
    /// One bears the given Relay-ID.
    pub(crate) has_relay_id: bool,
    /// One has options supplied for the client.
    pub(crate) has_supplied_options: bool,
    /// A LEASEQUERY is what all of them are around.
    pub(crate) is_leasequery: bool,
}

impl Levels {
    /// Looks at all levels of a Relay-forward.
    pub(crate) fn of(relay_forward: &[u8], relay_id: Option<&[u8]>) -> Self {
        let mut levels = Self::default();
        levels.look_into(relay_forward, relay_id, 1);
        levels
    }

    fn look_into(&mut self, relay_forward: &[u8], relay_id: Option<&[u8]>, level: usize) {
        if level > HOP_COUNT_LIMIT {
            self.too_many = true;
            return;
        }
        let mut reader = Reader::new(relay_forward.get(RELAY_HEADER_OCTETS..).unwrap_or_default());
        while let Some((code, data)) = next_option(&mut reader) {
            match code {
                OptionCode::RELAY_ID => self.has_relay_id |= relay_id == Some(data),
                OptionCode::RSOO => self.has_supplied_options = true,
                OptionCode::RELAY_MSG if is(data, MessageType::RelayForward) => {
                    self.look_into(data, relay_id, level + 1);
                }
                OptionCode::RELAY_MSG => self.is_leasequery |= is(data, MessageType::LeaseQuery),
                _ => {}
            }
        }
    }
}

fn next_option<'a>(reader: &mut Reader<'a>) -> Option<(OptionCode, &'a [u8])> {
    let code = OptionCode(reader.u16().ok()?);
    let length = reader.u16().ok()?;
    Some((code, reader.take(length.into()).ok()?))
}

fn is(message: &[u8], message_type: MessageType) -> bool {
    message.first() == Some(&(message_type as u8))
}
