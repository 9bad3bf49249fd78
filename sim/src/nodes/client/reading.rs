//! What a client reads in an Advertise or a Reply, if that is for it at all (RFC 9915 §16.3, §16.10).

use lease::Resource;
use wire::{
    ClientMessage, DhcpOption, Duid, Ia, IaKind, Iaid, MessageType, OptionCode, Options, StatusCode,
    TransactionId,
};

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

/// What it says of an IA_NA or IA_PD.
#[derive(Debug, Clone)]
pub(super) struct Association {
    pub(super) kind: IaKind,
    pub(super) iaid: Iaid,
    pub(super) t1_secs: u32,
    pub(super) t2_secs: u32,
    pub(super) status: StatusCode,
    pub(super) leases: Vec<ToldLease>,
}

/// A lease in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ToldLease {
    pub(super) resource: Resource,
    pub(super) preferred_secs: u32,
    pub(super) valid_secs: u32,
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
            associations: options
                .ias()
                .filter_map(Result::ok)
                .map(|(kind, ia)| association(kind, &ia))
                .collect(),
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

impl Association {
    /// One with T1 after T2 is ignored (§21.4).
    pub(super) fn has_sound_times(&self) -> bool {
        self.t2_secs == 0 || self.t1_secs <= self.t2_secs
    }
}

fn association(kind: IaKind, ia: &Ia<'_>) -> Association {
    let leases = match kind {
        IaKind::Address => ia
            .options
            .ia_addresses()
            .filter_map(Result::ok)
            .map(|told| ToldLease {
                resource: Resource::Address(told.address),
                preferred_secs: told.preferred_secs,
                valid_secs: told.valid_secs,
            })
            .collect(),
        IaKind::Prefix => ia
            .options
            .ia_prefixes()
            .filter_map(Result::ok)
            .map(|told| ToldLease {
                resource: Resource::Prefix(told.prefix),
                preferred_secs: told.preferred_secs,
                valid_secs: told.valid_secs,
            })
            .collect(),
    };
    let status = status(ia.options);
    Association { kind, iaid: ia.iaid, t1_secs: ia.t1_secs, t2_secs: ia.t2_secs, status, leases }
}

fn status(options: Options<'_>) -> StatusCode {
    options.status().ok().flatten().map_or(StatusCode::SUCCESS, |status| status.code)
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
