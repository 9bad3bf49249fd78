//! What a client reads in an Advertise or a Reply, if that is for it at all (RFC 9915 §16.3, §16.10).

use wire::{ClientMessage, DhcpOption, Duid, MessageType, OptionCode, Options, StatusCode, TransactionId};

use crate::reading::{Association, associations, status};

/// An Advertise or a Reply.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) message_type: MessageType,
    pub(super) server: Duid,
    pub(super) preference: u8,
    pub(super) status: StatusCode,
    pub(super) rapid_commit: bool,
    pub(super) refresh_secs: Option<u32>,
    pub(super) associations: Vec<Association>,
}

impl Answer {
    /// Reads a datagram; `None` if it is not an answer to this client's message.
    pub(super) fn read(octets: &[u8], client: &Duid, transaction: TransactionId) -> Option<Self> {
        let ClientMessage { message_type, transaction_id, options } = ClientMessage::decode(octets).ok()?;
        let is_answer = matches!(message_type, MessageType::Advertise | MessageType::Reply);
        let is_ours = options.client_id().ok()?? == client.as_ref() && transaction_id == transaction;
        let server = options.server_id().ok()??.to_duid();
        (is_answer && is_ours).then(|| Self {
            message_type,
            server,
            preference: preference(options),
            status: status(options),
            rapid_commit: options.has(OptionCode::RAPID_COMMIT),
            refresh_secs: refresh_secs(options),
            associations: associations(options),
        })
    }

    /// How many leases it gives.
    pub(super) fn gives(&self) -> usize {
        let leases = self.associations.iter().flat_map(|association| &association.leases);
        leases.filter(|told| told.valid_secs > 0).count()
    }

    /// Whether it says this of any association.
    pub(super) fn says(&self, status: StatusCode) -> bool {
        self.associations.iter().any(|association| association.status == status)
    }
}

fn preference(options: Options<'_>) -> u8 {
    let typed = options.iter().filter_map(|option| DhcpOption::decode(option).ok());
    let mut found = typed
        .filter_map(|option| if let DhcpOption::Preference(value) = option { Some(value) } else { None });
    found.next().unwrap_or(0)
}

fn refresh_secs(options: Options<'_>) -> Option<u32> {
    options.iter().find_map(|option| match DhcpOption::decode(option) {
        Ok(DhcpOption::InformationRefreshTime(secs)) => Some(secs),
        _ => None,
    })
}
