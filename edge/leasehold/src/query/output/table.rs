//! One lease a line, for a person at a terminal.

use std::io::Write;

use anyhow::Result;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use wire::INFINITE;

use super::{Answers, view};
use crate::relays::Hop;

pub(super) fn print(answers: &Answers<'_>, out: &mut dyn Write) -> Result<()> {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["client", "lease", "preferred", "valid", "heard", "next hop", "interface", "server"]);
    for client in view::clients(answers) {
        let relay = client.nearest_relay();
        let interface = relay.and_then(Hop::interface);
        for lease in &client.leases {
            let (_, resource, preferred_secs, valid_secs, server) = lease.columns();
            table.add_row([
                client.duid.clone(),
                resource.to_owned(),
                lifetime(preferred_secs),
                lifetime(valid_secs),
                client.last_transaction_secs.map_or("unknown".into(), |secs| format!("{secs} s ago")),
                relay.map_or_else(String::new, |relay| relay.peer_address.to_string()),
                interface.cloned().unwrap_or_default(),
                server.to_owned(),
            ]);
        }
    }
    writeln!(out, "{table}")?;
    for report in answers.reports {
        writeln!(out, "{}: {}", report.address, report.status.explanation())?;
    }
    Ok(())
}

fn lifetime(secs: u32) -> String {
    if secs == INFINITE { "for ever".into() } else { format!("{secs} s") }
}
