//! One lease a row.

use wire::INFINITE;

use super::output::{Form, duration};
use crate::control::{Client, Lease, State};
use crate::relays::Hop;

pub(super) const FORM: Form<Client> = Form {
    key: Some("clients"),
    head: &[
        "lease",
        "client",
        "link",
        "IAID",
        "state",
        "valid",
        "Relay-ID",
        "Remote-ID",
        "interface",
        "last heard",
    ],
    rows,
};

fn rows(client: &Client, rows: &mut Vec<Vec<String>>) {
    let link = client.link_name.clone().unwrap_or_else(|| client.link.to_string());
    let heard = client.last_transaction_secs.map_or("unknown".into(), |secs| duration(secs) + " ago");
    // Of each, what the relay nearest to the client says; not every relay says everything.
    let nearest = |what: fn(&Hop) -> Option<&String>| {
        client.relay_path.iter().rev().find_map(what).cloned().unwrap_or_default()
    };
    for lease in &client.leases {
        rows.push(vec![
            lease.leased.text().to_owned(),
            client.duid.clone(),
            link.clone(),
            lease.iaid.to_string(),
            lease.state.to_string(),
            valid(lease),
            nearest(|hop| hop.relay_id.as_ref()),
            nearest(|hop| hop.remote_id.as_ref()),
            nearest(Hop::interface),
            heard.clone(),
        ]);
    }
}

/// What remains of the valid lifetime, or for how long the lease is still known.
fn valid(lease: &Lease) -> String {
    let secs = |secs: u32| if secs == INFINITE { "for ever".into() } else { duration(secs.into()) };
    match (lease.state, lease.kept_secs) {
        (State::Active, _) => secs(lease.valid_secs),
        (State::Declined, Some(kept)) => format!("rests {}", secs(kept)),
        (_, Some(kept)) => format!("known {}", secs(kept)),
        (_, None) => String::new(),
    }
}
