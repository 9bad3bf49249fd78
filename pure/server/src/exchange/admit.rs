//! Which messages are worked on at all (RFC 9915 §16).

use wire::{DecodeError, Duid, MessageType, OptionCode, Options};

use super::Terms;
use crate::{Arrived, Discard};

/// Judges a message by its type and its identifiers; gives the client's.
pub(super) fn admit(arrived: &Arrived<'_>, terms: &Terms) -> Result<Option<Duid>, Discard> {
    let options = arrived.message.options;
    let expected = Expected::of(arrived.message.message_type).ok_or(Discard::UnexpectedType)?;
    let client_id = options.client_id().map_err(|error| identifier(error, Discard::NoClientId))?;
    if client_id.is_none() && expected.client_id {
        return Err(Discard::NoClientId);
    }
    judge_server_id(options, expected.server_id, terms)?;
    if !expected.associations && has_associations(options) {
        return Err(Discard::Malformed);
    }
    options.only(OptionCode::AUTH).map_err(|_| Discard::Malformed)?;
    if arrived.relays.is_none() && !arrived.destination.is_multicast() && !terms.rules.accept_unicast {
        return Err(Discard::Unicast);
    }
    let client_id = client_id.map(|duid| duid.to_duid());
    match client_id {
        Some(duid) if terms.rules.ignored_clients.contains(&duid) => Err(Discard::IgnoredClient),
        client_id => Ok(client_id),
    }
}

/// What a type of message has and has not.
struct Expected {
    client_id: bool,
    server_id: ServerId,
    associations: bool,
}

enum ServerId {
    Absent,
    Ours,
    OursOrAbsent,
}

impl Expected {
    fn of(message_type: MessageType) -> Option<Self> {
        let of_client = |server_id| Some(Self { client_id: true, server_id, associations: true });
        match message_type {
            MessageType::Solicit | MessageType::Confirm | MessageType::Rebind => of_client(ServerId::Absent),
            MessageType::Request | MessageType::Renew | MessageType::Release | MessageType::Decline => {
                of_client(ServerId::Ours)
            }
            MessageType::InformationRequest => {
                Some(Self { client_id: false, server_id: ServerId::OursOrAbsent, associations: false })
            }
            _ => None,
        }
    }
}

fn judge_server_id(options: Options<'_>, expected: ServerId, terms: &Terms) -> Result<(), Discard> {
    let server_id = options.server_id().map_err(|error| identifier(error, Discard::OtherServer))?;
    match (expected, server_id) {
        (ServerId::Absent | ServerId::OursOrAbsent, None) => Ok(()),
        (ServerId::Absent, Some(_)) => Err(Discard::ServerIdUnexpected),
        (ServerId::Ours, None) => Err(Discard::NoServerId),
        (_, Some(server_id)) if server_id == terms.server_id.as_ref() => Ok(()),
        (_, Some(_)) => Err(Discard::OtherServer),
    }
}

/// Two identifiers are malformed; one that is none is as good as absent or foreign.
fn identifier(error: DecodeError, otherwise: Discard) -> Discard {
    match error {
        DecodeError::Duplicate(_) => Discard::Malformed,
        _ => otherwise,
    }
}

fn has_associations(options: Options<'_>) -> bool {
    [OptionCode::IA_NA, OptionCode::IA_TA, OptionCode::IA_PD].into_iter().any(|code| options.has(code))
}
