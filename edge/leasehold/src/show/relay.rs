//! One thing a row: first how the relay is, then what it has counted, without the zeros.

use super::output::{Form, duration};
use crate::control::{RelayStatus, RouteCounts};

pub(super) const FORM: Form<RelayStatus> = Form { key: None, head: &["relay", "value"], rows };

fn rows(status: &RelayStatus, rows: &mut Vec<Vec<String>>) {
    let why = status.why.iter().map(|why| format!(": {why}")).collect::<String>();
    let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    row("Relay-ID", status.relay_id.clone());
    row("version", status.version.clone());
    row("running", format!("for {}", duration(status.uptime_secs)));
    row("state", format!("{} for {}{why}", status.state, duration(status.since_secs)));
    row("recovery", status.recovery.to_string());
    row("ports", format!("{} present", status.ports));
    let delegated = &status.delegations;
    row("delegations", format!("{} prefixes, {} addresses", delegated.prefixes, delegated.addresses));
    row("routes", routes(&status.routes));
    for (name, messages) in &status.counters.messages {
        let counted = [
            (messages.received, "received"),
            (messages.forwarded, "forwarded"),
            (messages.delivered, "delivered"),
        ];
        if let Some(counted) = without_zeros(counted) {
            row(name, counted);
        }
    }
    for (reason, count) in status.counters.discards.iter().filter(|(_, count)| **count > 0) {
        row(reason, format!("{count} discarded"));
    }
}

fn routes(counts: &RouteCounts) -> String {
    let RouteCounts { wanted, installed, pending, waiting, unproven, conflicts, refused, failed, leaving } =
        *counts;
    let counted = [
        (wanted, "wanted"),
        (installed, "installed"),
        (pending, "pending"),
        (waiting, "waiting"),
        (unproven, "unproven"),
        (conflicts, "in conflict"),
        (refused, "refused"),
        (failed, "failed"),
        (leaving, "leaving"),
    ];
    without_zeros(counted).unwrap_or_else(|| "none".to_owned())
}

/// Numbers with their names; `None` if all are zero.
fn without_zeros(counted: impl IntoIterator<Item = (u64, &'static str)>) -> Option<String> {
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let named: Vec<String> = counted.map(|(count, name)| format!("{count} {name}")).collect();
    (!named.is_empty()).then(|| named.join(", "))
}
