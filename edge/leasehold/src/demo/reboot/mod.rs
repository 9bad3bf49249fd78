//! `leasehold demo --namespaces`: a relay's host reboots, and the customers do not notice.
//!
//! Hosts are network namespaces, with cables between them (`site.rs`). `leasehold serve` and `leasehold relay` run in
//! theirs as they would anywhere (`programs.rs`). Customers have prefixes delegated (`customers.rs`), and somebody far
//! away pings an address in each (`ping.rs`). Then the relay is killed, its routes are taken away, and it is
//! started again with nothing but its configuration: the routes come back because the server is asked.
//!
//! Whatever ends us, nothing is left: programs end with the values that stand for them, namespaces with the
//! programs.

mod cables;
mod customers;
mod namespace;
mod patience;
mod ping;
mod programs;
mod report;
mod routes;
mod site;

use std::io::{self, Write};
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::control::{Delegation, DelegationFilter, RelayState, RelayStatus, Request, ToldBy};
use crate::import::{Format, progress_bar};
use patience::Patience;
use ping::{Pinger, Return};
use programs::Program;
use report::{Moment, Report, ms};
use routes::Routes;
use site::{Customer, LINES, Site};

/// Customers if nothing is said, and as many as there may be: a host has 1,024 neighbours.
pub(super) const CUSTOMERS: u64 = 200;
const MAX_CUSTOMERS: u64 = 500;
/// Until routes follow what has been delegated, and until a relay has everything back.
const AT_MOST: Duration = Duration::from_secs(30);
/// Folders of the two programs.
const RELAY: &str = "relay";
const SERVER: &str = "server";
/// Which address of each prefix is pinged, as bits.
const HOST: u128 = 1;
/// What a shell says of a program that SIGINT has ended.
const INTERRUPTED: u8 = 130;

/// Runs it. Exits with 1 unless all went as it should.
pub(super) fn run(customers: u64, format: Format) -> Result<ExitCode> {
    ensure!(customers <= MAX_CUSTOMERS, "in namespaces there may be {MAX_CUSTOMERS} clients");
    // First of all, while there is one thread.
    namespace::leave_the_host()?;
    let patience = Patience::until_signalled()?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut out = io::stdout().lock();
    if format == Format::Table {
        report::introduce(customers, &mut out)?;
    }
    let report = Story::begin(customers, folder.path(), &patience).and_then(Story::tell);
    let report = match report {
        Ok(report) => report,
        Err(_) if patience.is_over() => return Ok(ExitCode::from(INTERRUPTED)),
        Err(error) => {
            for part in [SERVER, RELAY] {
                eprintln!(
                    "The last that the {part} said:\n{}",
                    programs::last_words(&folder.path().join(part))
                );
            }
            return Err(error);
        }
    };
    match format {
        Format::Table => report::conclude(&report, &mut out)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
    }
    out.flush()?;
    Ok(if report.complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What there is while it happens. Programs stand before the namespaces that they are in.
struct Story<'a> {
    begun: Instant,
    patience: &'a Patience,
    relay: Program,
    _server: Program,
    relay_folder: PathBuf,
    customers: Vec<Customer>,
    site: Site,
}

impl<'a> Story<'a> {
    /// Everybody is there, and nothing is delegated.
    fn begin(customers: u64, folder: &Path, patience: &'a Patience) -> Result<Self> {
        let begun = Instant::now();
        let customers = Customer::all(u16::try_from(customers)?);
        let site = Site::build(&customers)?;
        patience.wait(AT_MOST, "addresses that may be used", || site.is_settled())?;
        let mut server = programs::serve(&site.server, &folder.join(SERVER))?;
        server.ready(patience)?;
        let relay_folder = folder.join(RELAY);
        let mut relay = programs::relay(&site.relay, &relay_folder)?;
        relay.ready(patience)?;
        Ok(Self { begun, patience, relay, _server: server, relay_folder, customers, site })
    }

    fn tell(self) -> Result<Report> {
        let delegating = Instant::now();
        let pinger = Pinger::open(&self.site.far, self.delegate()?)?;
        let mut report = Report {
            customers: self.customers.len() as u64,
            lines: LINES,
            delegated_ms: ms(delegating.elapsed()),
            ..Report::default()
        };
        self.await_routes()?;
        let routes = Routes::of(&self.site.relay)?;
        report.before = moment(&self.site, &pinger, self.patience)?;

        let Self { begun, patience, relay, _server, relay_folder, site, .. } = self;
        relay.kill()?;
        report.killed = moment(&site, &pinger, patience)?;
        routes::flush(&site.relay)?;
        report.rebooted = moment(&site, &pinger, patience)?;

        let mut relay = recover(&site, &relay_folder, &pinger, patience, &mut report)?;
        report.recovered = moment(&site, &pinger, patience)?;
        let now = Routes::of(&site.relay)?;
        (report.missing, report.unknown) = (routes.without(&now), now.without(&routes));
        report.told_by_server = told_by_server(&mut relay)?;
        report.complete = report.is_as_promised();
        report.seconds = begun.elapsed().as_secs_f64();
        Ok(report)
    }

    /// Has every customer get a prefix and use it; gives an address in each.
    fn delegate(&self) -> Result<Vec<Ipv6Addr>> {
        let count = self.customers.len() as u64;
        let bar = progress_bar("delegating", count, "{human_pos}/{human_len} customers");
        let prefixes = customers::obtain_prefixes(&self.site, &self.customers, self.patience, &bar)?;
        bar.finish_and_clear();
        self.customers
            .iter()
            .zip(&prefixes)
            .try_for_each(|(customer, prefix)| self.site.move_in(customer, *prefix))?;
        Ok(prefixes.iter().map(|prefix| Ipv6Addr::from_bits(prefix.address().to_bits() | HOST)).collect())
    }

    /// A Reply is delivered before its route is in the kernel.
    fn await_routes(&self) -> Result<()> {
        let all = self.customers.len() as u64;
        self.patience
            .wait(AT_MOST, "a route to every customer", || Ok(Routes::of(&self.site.relay)?.count() == all))
    }
}

/// How it is now.
fn moment(site: &Site, pinger: &Pinger, patience: &Patience) -> Result<Moment> {
    Ok(Moment { routes: Routes::of(&site.relay)?.count(), pings: pinger.ping_all(patience)? })
}

/// Starts the relay again, and looks on until everybody can be pinged and it knows that it has all.
fn recover(
    site: &Site,
    folder: &Path,
    pinger: &Pinger,
    patience: &Patience,
    report: &mut Report,
) -> Result<Program> {
    let begun = Instant::now();
    let mut relay = programs::relay(&site.relay, folder)?;
    let bar = progress_bar("recovering", report.customers, "{human_pos}/{human_len} routes");
    let mut returns = Return::new(pinger, begun);
    let (mut first, mut all) = (None, None);
    patience.see(AT_MOST, || {
        relay.ensure_running()?;
        let routes = Routes::of(&site.relay)?;
        bar.set_position(routes.count());
        if routes.count() > 0 {
            first.get_or_insert_with(|| begun.elapsed());
        }
        if routes.count() == report.customers {
            all.get_or_insert_with(|| begun.elapsed());
        }
        returns.look(|address| routes.lead_to(address))
    })?;
    bar.finish_and_clear();
    relay.ready(patience)?;
    patience.wait(AT_MOST, "the relay to have heard of everything", || {
        let status: Vec<RelayStatus> = relay.ask(&Request::Relay)?;
        Ok(status.iter().all(|status| status.state == RelayState::InSync))
    })?;
    report.in_sync_ms = ms(begun.elapsed());
    report.first_route_ms = ms(first.unwrap_or_default());
    report.all_routes_ms = ms(all.unwrap_or_default());
    report.first_ping_ms = ms(returns.first.unwrap_or_default());
    report.all_pings_ms = ms(returns.last.unwrap_or_default());
    Ok(relay)
}

/// Delegations that a relay knows of because the server has said so.
fn told_by_server(relay: &mut Program) -> Result<u64> {
    let delegations: Vec<Delegation> = relay.ask(&Request::Delegations(DelegationFilter::default()))?;
    let told = delegations.iter().filter(|delegation| matches!(delegation.told_by, ToldBy::Server(_)));
    Ok(told.count() as u64)
}
