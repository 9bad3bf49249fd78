//! One delegation a row, with what RFC 8987 §4.4 asks for and what has become of its route; and one
//! lease a row of those whose place is not known. What belongs together shares a cell, so that a row fits
//! a terminal.

use wire::INFINITE;

use super::output::{Form, duration};
use crate::control::{Delegation, RouteState, Unplaced};

pub(super) const FORM: Form<Delegation> = Form {
    key: Some("delegations"),
    head: &["delegation", "client", "next hop", "remaining", "last heard", "route"],
    rows,
};

pub(super) const UNPLACED: Form<Unplaced> =
    Form { key: Some("unplaced"), head: &["lease", "client", "server", "why"], rows: unplaced };

fn rows(delegation: &Delegation, rows: &mut Vec<Vec<String>>) {
    let heard = delegation.last_transaction_secs.map_or("unknown".into(), |secs| duration(secs) + " ago");
    let iaid = delegation.iaid.map(|iaid| format!("\nIAID {iaid}")).unwrap_or_default();
    let (preferred, valid) = (lifetime(delegation.preferred_secs), lifetime(delegation.valid_secs));
    rows.push(vec![
        delegation.leased.text().to_owned(),
        delegation.client.clone() + &iaid,
        format!("{}\non {}", delegation.next_hop, delegation.port()),
        format!("preferred {preferred}\nvalid {valid}"),
        format!("{heard}\nby {}", delegation.told_by),
        with_reason(delegation.route, delegation.route_why.as_deref()),
    ]);
}

fn unplaced(lease: &Unplaced, rows: &mut Vec<Vec<String>>) {
    let Unplaced { leased, client, server, why } = lease;
    rows.push(vec![leased.text().to_owned(), client.clone(), server.clone(), why.clone()]);
}

fn lifetime(secs: u32) -> String {
    if secs == INFINITE { "for ever".to_owned() } else { duration(secs.into()) }
}

/// What has become of a route, and why.
pub(super) fn with_reason(state: RouteState, why: Option<&str>) -> String {
    why.map_or_else(|| state.to_string(), |why| format!("{state}: {why}"))
}
