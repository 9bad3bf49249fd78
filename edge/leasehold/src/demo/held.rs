//! What the server holds, as far as a requestor can be told of it.

use std::collections::{BTreeMap, BTreeSet};

use lease::{ClientView, Seq, Table};
use requestor::Resource;
use wire::Duid;

/// Who holds what.
pub(super) type Holding = (Duid, Resource);

/// All that has time left.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Clients, whatever they hold.
    pub(super) clients: u64,
    /// The Relay-IDs that occur.
    pub(super) relays: BTreeSet<Duid>,
    /// What was leased through a relay with a Relay-ID, and when that ends, in seconds since 1970;
    /// `None` for never.
    pub(super) by_relay: BTreeMap<Holding, Option<u64>>,
    /// How many leases were granted without: no question by Relay-ID can find them.
    pub(super) without_relay_id: u64,
}

impl Held {
    pub(super) fn of(table: &Table, now_unix_secs: u64) -> Self {
        let mut held = Self { clients: table.len() as u64, ..Self::default() };
        for (_, client) in table.changed_since(Seq::default()) {
            held.add(&client, now_unix_secs);
        }
        held
    }

    fn add(&mut self, client: &ClientView<'_>, now_unix_secs: u64) {
        let by_relay = client.relay_ids().next().is_some();
        self.relays.extend(client.relay_ids().map(|relay| relay.to_duid()));
        let leases = client.leases().map(|held| held.lease);
        for lease in leases.filter(|lease| lease.valid_remaining_secs(now_unix_secs) > 0) {
            if !by_relay {
                self.without_relay_id += 1;
                continue;
            }
            let holding = (client.duid.to_duid(), told(lease.resource));
            self.by_relay.insert(holding, lease.until_unix_secs());
        }
    }

    /// All leases, whether or not they can be asked for by Relay-ID.
    pub(super) fn bindings(&self) -> u64 {
        self.by_relay.len() as u64 + self.without_relay_id
    }
}

/// A resource as a requestor knows it.
fn told(resource: lease::Resource) -> Resource {
    match resource {
        lease::Resource::Address(address) => Resource::Address(address),
        lease::Resource::Prefix(prefix) => Resource::Prefix(prefix),
    }
}

/// How what was told differs from what is held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) missing: Vec<Holding>,
    pub(super) unknown: Vec<Holding>,
}

impl Difference {
    /// What ended while the questions were being answered need not have been told.
    pub(super) fn between(held: &Held, told: &BTreeSet<&Holding>, now_unix_secs: u64) -> Self {
        let lasts = |until: &Option<u64>| until.is_none_or(|until| until > now_unix_secs);
        let missing = held.by_relay.iter().filter(|(holding, until)| lasts(until) && !told.contains(holding));
        let unknown = told.iter().filter(|holding| !held.by_relay.contains_key(**holding));
        Self {
            missing: missing.map(|(holding, _)| holding.clone()).collect(),
            unknown: unknown.map(|holding| (*holding).clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_unknown_is_told_apart() {
        let holding = |text: &str| {
            let client: Duid = "00:03:00:01:02:00:00:00:00:01".parse().unwrap();
            (client, Resource::Address(text.parse().unwrap()))
        };
        let [a, b, c, d] = ["2001:db8::a", "2001:db8::b", "2001:db8::c", "2001:db8::d"].map(holding);
        let by_relay = [(a.clone(), None), (b.clone(), Some(101)), (c, Some(100))].into();
        let held = Held { by_relay, ..Held::default() };
        let difference = Difference::between(&held, &[&a, &d].into(), 100);
        assert_eq!(difference, Difference { missing: vec![b], unknown: vec![d] });
    }
}
