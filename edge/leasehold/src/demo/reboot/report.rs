//! What the demonstration with a relay says, for a person or as JSON.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::CellAlignment;
use serde::Serialize;

use super::ping::Pings;
use super::site::LINES;
use crate::demo::report::counted;
use crate::import::{grouped, plain_table};

/// How it went. The names of the fields are the keys of the JSON object.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Customers, and the lines that they are on.
    pub(super) customers: u64,
    pub(super) lines: u16,
    /// From the first Solicit to the last Reply.
    pub(super) delegated_ms: f64,
    /// When every customer has a prefix.
    pub(super) before: Moment,
    /// When the relay has been killed.
    pub(super) killed: Moment,
    /// When its host has lost its routes.
    pub(super) rebooted: Moment,
    /// When the relay has been started again.
    pub(super) recovered: Moment,
    /// Routes that did not come back as they were, and others that are there instead.
    pub(super) missing: u64,
    pub(super) unknown: u64,
    /// Delegations that the relay has from the server, by bulk leasequery.
    pub(super) told_by_server: u64,
    /// All from the start of the program: until the first route was in the kernel and until all were, until the first
    /// customer could be pinged and until all could, and until the relay knew that this is all.
    pub(super) first_route_ms: f64,
    pub(super) all_routes_ms: f64,
    pub(super) first_ping_ms: f64,
    pub(super) all_pings_ms: f64,
    pub(super) in_sync_ms: f64,
    /// The whole demonstration.
    pub(super) seconds: f64,
    pub(super) complete: bool,
}

/// How it is at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    /// The relay's routes in the kernel.
    pub(super) routes: u64,
    #[serde(flatten)]
    pub(super) pings: Pings,
}

impl Report {
    /// Whether all was as it has to be.
    pub(super) fn is_as_promised(&self) -> bool {
        let all = self.customers;
        let everything = Moment { routes: all, pings: Pings { sent: all, answered: all, no_route: 0 } };
        let nothing = Moment { routes: 0, pings: Pings { sent: all, answered: 0, no_route: all } };
        self.before == everything
            && self.killed == everything
            && self.rebooted == nothing
            && self.recovered == everything
            && (self.missing, self.unknown) == (0, 0)
            && self.told_by_server == all
    }
}

/// A duration as the report has it.
pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// What there is before anything happens.
pub(super) fn introduce(customers: u64, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "A relay, a server, {} on {LINES} lines and somebody far away, who pings them all: each is in a network\n\
         namespace, and nothing but cables is between them. This host's own network has no part in it.\n",
        counted(customers, "customer")
    )?;
    out.flush()
}

/// What came of it.
pub(super) fn conclude(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut table = plain_table();
    table.set_header(["what happens", "routes", "pings answered", "\"no route\""]);
    let moments = [
        ("every customer requests a prefix", &report.before),
        ("the relay is killed (SIGKILL): its routes stay", &report.killed),
        ("its host loses them, as it does when it reboots", &report.rebooted),
        ("the relay is started, and asks the server", &report.recovered),
    ];
    for (what, Moment { routes, pings }) in moments {
        let answered = format!("{} of {}", grouped(pings.answered), grouped(pings.sent));
        table.add_row([what.to_owned(), grouped(*routes), answered, grouped(pings.no_route)]);
    }
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{table}\n")?;
    writeln!(
        out,
        "After its start, the first route was back within {:.0} ms and the last within {:.0} ms; every customer\n\
         answered within {:.0} ms, and none had said a word. The server told of {} (RFC 5460).",
        report.first_route_ms,
        report.all_routes_ms,
        report.all_pings_ms,
        counted(report.told_by_server, "delegation"),
    )?;
    writeln!(out, "{}", verdict(report))
}

fn verdict(report: &Report) -> String {
    let Report { customers, missing, unknown, seconds, complete, .. } = report;
    if *complete {
        let routes = counted(*customers, "route");
        return format!(
            "COMPLETE: compared one by one, {routes} are as before. All of this took {seconds:.1} s."
        );
    }
    let (missing, unknown) = (grouped(*missing), grouped(*unknown));
    format!("INCOMPLETE: {missing} routes are missing, {unknown} were not there before.")
}
