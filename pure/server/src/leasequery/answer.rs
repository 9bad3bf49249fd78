//! Messages that answer: their heads, and the data of one client (RFC 5007 §4.4.2, RFC 5460 §5.2).

use lease::{ClientView, HeldLease, Resource};
use wire::{
    AbsoluteTime, ClientMessage, Duid, MessageType, OptionCode, PrefixExclude, TransactionId, Writer,
};
use world::Now;

use super::Policy;
use super::query::{Asked, Wanted};
use crate::limits::{MAX_CLIENT_DATA_OCTETS, MAX_LEASES_IN_MESSAGE};

/// What every message of one answer repeats.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) transaction_id: TransactionId,
    pub(crate) requestor: Duid,
    pub(crate) base_time: bool,
}

impl Head {
    pub(crate) fn of(asked: &Asked) -> Self {
        Self {
            transaction_id: asked.transaction_id,
            requestor: asked.requestor.clone(),
            base_time: asked.base_time,
        }
    }

    /// LEASEQUERY-REPLY: who asked, who answers, then what `rest` writes.
    pub(crate) fn reply(
        &self,
        w: &mut Writer<'_>,
        policy: &Policy,
        now: Now,
        rest: impl FnOnce(&mut Writer<'_>),
    ) {
        self.message(w, MessageType::LeaseQueryReply, now, |w| {
            w.raw_option(OptionCode::CLIENTID, self.requestor.octets());
            w.raw_option(OptionCode::SERVERID, policy.server_id.octets());
            rest(w);
        });
    }

    /// LEASEQUERY-DATA or LEASEQUERY-DONE: nothing but what `rest` writes.
    pub(crate) fn message(
        &self,
        w: &mut Writer<'_>,
        message_type: MessageType,
        now: Now,
        rest: impl FnOnce(&mut Writer<'_>),
    ) {
        ClientMessage::write(w, message_type, self.transaction_id, |w| {
            rest(w);
            if self.base_time {
                let time = AbsoluteTime::from_unix_secs(now.unix_secs);
                w.option(OptionCode::LQ_BASE_TIME, |w| w.u32(time.0));
            }
        });
    }
}

/// The leases of a client that are to be told: active, with time left.
#[inline]
pub(crate) fn told(client: &ClientView<'_>, now: Now) -> impl Iterator<Item = HeldLease> {
    client.leases().filter(move |held| held.lease.valid_remaining_secs(now.unix_secs) > 0)
}

/// The same leases in portions that each fit into one message; nearly always there is one. Where
/// there are more, the newest come first.
pub(crate) fn portions(client: &ClientView<'_>, now: Now) -> Vec<Vec<HeldLease>> {
    let mut leases: Vec<HeldLease> = told(client, now).collect();
    leases.sort_by_key(|held| std::cmp::Reverse(held.lease.granted_unix_secs));
    leases.chunks(MAX_LEASES_IN_MESSAGE).map(<[_]>::to_vec).collect()
}

/// CLIENT_DATA with these leases, and what else is wanted as far as it fits beside them.
#[inline]
pub(crate) fn client_data(
    w: &mut Writer<'_>,
    client: &ClientView<'_>,
    leases: impl Iterator<Item = HeldLease>,
    wanted: &Wanted,
    now: Now,
) {
    w.option(OptionCode::CLIENT_DATA, |w| {
        let start = w.len();
        w.raw_option(OptionCode::CLIENTID, client.duid.octets());
        for held in leases {
            lease(w, &held, wanted, now);
        }
        let ago = now.unix_secs.saturating_sub(client.heard_unix_secs);
        w.option(OptionCode::CLT_TIME, |w| w.u32(u32::try_from(ago).unwrap_or(u32::MAX)));
        let room = |w: &Writer<'_>, octets: usize| w.len() - start + octets <= MAX_CLIENT_DATA_OCTETS;
        if let Some(path) = client.path().filter(|path| wanted.relay_data && room(w, path.len() + 20)) {
            w.option(OptionCode::LQ_RELAY_DATA, |w| {
                w.address(client.peer_address);
                w.bytes(path);
            });
        }
        if !wanted.options.is_empty() {
            for option in client.options().iter().filter(|option| wanted.options.contains(&option.code)) {
                if room(w, option.data.len() + 4) {
                    option.encode(w);
                }
            }
        }
    });
}

#[inline]
fn lease(w: &mut Writer<'_>, held: &HeldLease, wanted: &Wanted, now: Now) {
    let lease = &held.lease;
    let preferred_secs = lease.preferred_remaining_secs(now.unix_secs);
    let valid_secs = lease.valid_remaining_secs(now.unix_secs);
    match (lease.resource, lease.excluded.filter(|_| wanted.excluded)) {
        (Resource::Address(address), _) => w.ia_address(address, preferred_secs, valid_secs),
        (Resource::Prefix(prefix), None) => w.ia_prefix(prefix, preferred_secs, valid_secs, |_| {}),
        (Resource::Prefix(prefix), Some(excluded)) => {
            w.ia_prefix(prefix, preferred_secs, valid_secs, |w| {
                if let Some(data) = PrefixExclude::data(excluded, prefix) {
                    w.raw_option(OptionCode::PD_EXCLUDE, &data);
                }
            });
        }
    }
}
