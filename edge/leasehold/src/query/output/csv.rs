//! One lease a line, with a line of names before.

use std::io::Write;

use anyhow::Result;

use super::{Answers, view};

const COLUMNS: [&str; 12] = [
    "duid",
    "kind",
    "lease",
    "preferred_secs",
    "valid_secs",
    "last_transaction_secs",
    "link_address",
    "peer_address",
    "interface_id",
    "remote_id",
    "relay_id",
    "server",
];

pub(super) fn print(answers: &Answers<'_>, out: &mut dyn Write) -> Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for client in view::clients(answers) {
        let relay = client.nearest_relay();
        let text = |value: Option<&String>| value.cloned().unwrap_or_default();
        for lease in &client.leases {
            let (kind, resource, preferred_secs, valid_secs, server) = lease.columns();
            csv.write_record([
                client.duid.clone(),
                kind.to_owned(),
                resource.to_owned(),
                preferred_secs.to_string(),
                valid_secs.to_string(),
                client.last_transaction_secs.map(|secs| secs.to_string()).unwrap_or_default(),
                relay.map(|relay| relay.link_address.to_string()).unwrap_or_default(),
                relay.map(|relay| relay.peer_address.to_string()).unwrap_or_default(),
                text(relay.and_then(|relay| relay.interface_id.as_ref())),
                text(relay.and_then(|relay| relay.remote_id.as_ref())),
                text(relay.and_then(|relay| relay.relay_id.as_ref())),
                server.to_owned(),
            ])?;
        }
    }
    Ok(csv.flush()?)
}
