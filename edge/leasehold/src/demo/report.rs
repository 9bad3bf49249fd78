//! What the demonstration says, for a person or as JSON.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::SocketAddr;

use comfy_table::CellAlignment;
use serde::Serialize;
use wire::INFINITE;

use super::held::{Difference, Held, Holding};
use super::recovery::{Delegation, Recovery};
use crate::import::{grouped, plain_table};

/// Differences that are listed; one that is a defect is seen in the first few.
const MAX_LISTED: usize = 5;

/// How it went. The names of the fields are the keys of the JSON object.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    clients: u64,
    relays: u64,
    /// Leases held, and how many of them no question by Relay-ID can find.
    bindings: u64,
    without_relay_id: u64,
    /// Different leases told.
    recovered: u64,
    missing: u64,
    unknown: u64,
    messages: u64,
    octets: u64,
    first_reply_ms: f64,
    seconds: f64,
    bindings_per_second: f64,
    complete: bool,
    /// What went wrong, the first of it.
    faults: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    pub(super) fn new(held: &Held, recovery: &Recovery, now_unix_secs: u64, notes: Vec<String>) -> Self {
        let told: BTreeSet<&Holding> = recovery.holdings.iter().collect();
        let difference = Difference::between(held, &told, now_unix_secs);
        let Difference { missing, unknown } = &difference;
        let recovered = told.len() as u64;
        let seconds = recovery.elapsed.as_secs_f64();
        let in_agreement = missing.is_empty() && unknown.is_empty() && recovery.failures.is_empty();
        Self {
            clients: held.clients,
            relays: held.relays.len() as u64,
            bindings: held.bindings(),
            without_relay_id: held.without_relay_id,
            recovered,
            missing: missing.len() as u64,
            unknown: unknown.len() as u64,
            messages: recovery.counters.messages,
            octets: recovery.counters.octets,
            first_reply_ms: recovery.first_reply.as_secs_f64() * 1000.0,
            seconds,
            bindings_per_second: if seconds > 0.0 { recovered as f64 / seconds } else { 0.0 },
            complete: in_agreement && recovered > 0,
            faults: faults(&difference, &recovery.failures),
            notes,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

fn faults(difference: &Difference, failures: &[String]) -> Vec<String> {
    let line =
        |what: &str, (client, resource): &Holding| format!("{what}: {resource} of the client {client}");
    let Difference { missing, unknown } = difference;
    let missing = missing.iter().take(MAX_LISTED).map(|holding| line("missing", holding));
    let unknown = unknown.iter().take(MAX_LISTED).map(|holding| line("not held", holding));
    failures.iter().take(MAX_LISTED).cloned().chain(missing).chain(unknown).collect()
}

/// What there is before anything is asked.
pub(super) fn introduce(
    held: &Held,
    server: SocketAddr,
    notes: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    for note in notes {
        writeln!(out, "{note}\n")?;
    }
    let (clients, bindings) = (counted(held.clients, "client"), counted(held.bindings(), "binding"));
    let relays = counted(held.relays.len() as u64, "relay");
    writeln!(
        out,
        "A server holds {bindings} of {clients} behind {relays}: addresses and delegated prefixes."
    )?;
    writeln!(out, "They were written to a store, the store was opened again, and is served on {server}.")?;
    writeln!(out, "A router that has lost everything asks it over TCP, by Relay-ID (RFC 5460).\n")?;
    out.flush()
}

/// What came of it.
pub(super) fn conclude(report: &Report, recovery: &Recovery, out: &mut dyn Write) -> io::Result<()> {
    if !recovery.shown.is_empty() {
        writeln!(out, "The first {} that it is told:", counted(recovery.shown.len() as u64, "delegation"))?;
        writeln!(out, "{}\n", delegations(&recovery.shown))?;
    }
    let (recovered, messages) = (counted(report.recovered, "binding"), counted(report.messages, "message"));
    let octets = counted(report.octets, "octet");
    writeln!(out, "{recovered} came back in {messages} and {octets}:")?;
    writeln!(
        out,
        "the first reply after {:.1} ms, the last word after {:.1} ms, {} bindings a second.",
        report.first_reply_ms,
        report.seconds * 1000.0,
        grouped(report.bindings_per_second as u64)
    )?;
    if report.without_relay_id > 0 {
        let without = counted(report.without_relay_id, "binding");
        writeln!(out, "{without} came without a Relay-ID: they cannot be asked for in this way.")?;
    }
    for fault in &report.faults {
        writeln!(out, "{fault}")?;
    }
    writeln!(out, "{}", verdict(report))
}

fn verdict(report: &Report) -> String {
    let Report { recovered, missing, unknown, .. } = *report;
    if report.complete {
        format!(
            "COMPLETE: compared one by one, these are exactly the {} held.",
            counted(recovered, "binding")
        )
    } else if missing == 0 && unknown == 0 && recovered == 0 {
        "INCOMPLETE: no lease came through a relay with a Relay-ID.".to_owned()
    } else {
        let (missing, unknown) = (grouped(missing), grouped(unknown));
        format!("INCOMPLETE: {missing} held and not told, {unknown} told and not held.")
    }
}

fn delegations(shown: &[Delegation]) -> comfy_table::Table {
    let mut table = plain_table();
    table.set_header(["delegated prefix", "next hop", "interface", "valid for", "client"]);
    for Delegation { prefix, next_hop, interface_id, valid_secs, client } in shown {
        table.add_row([
            prefix.to_string(),
            next_hop.to_string(),
            interface_id.as_deref().map(interface).unwrap_or_default(),
            duration(*valid_secs),
            client.to_string(),
        ]);
    }
    if let Some(valid_for) = table.column_mut(3) {
        valid_for.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// As text, if it is meant to be read; relays may put in what they like.
fn interface(interface_id: &[u8]) -> String {
    if interface_id.iter().all(|octet| (b' '..=b'~').contains(octet)) {
        return String::from_utf8_lossy(interface_id).into_owned();
    }
    interface_id.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// In the two largest units.
fn duration(secs: u32) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        _ if secs == INFINITE => "ever".to_owned(),
        (0, 0, 0) => format!("{secs} s"),
        (0, 0, _) => format!("{minutes} min {:2} s", secs % 60),
        (0, _, _) => format!("{hours} h {minutes:2} min"),
        (_, _, _) => format!("{days} d {hours:2} h"),
    }
}

pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}
