//! `leasehold relay --dry-run`: what the relay would tell the kernel if it were started now.
//!
//! It does what a relay does at its start: remembers, looks at interfaces and routes, and asks every
//! server. But it forwards nothing, changes no route, writes nothing down, and ends when every server
//! has answered or failed once. Opening a notebook may mend it, and another relay may have it open: so it
//! remembers from a copy.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::Ipv6Addr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use relay::recovery::State;
use relay::{Change, Route, RouteState, Target};
use requestor::limits::CONNECT_TIMEOUT;
use serde::Serialize;
use tracing::warn;

use super::assembly::{Assembly, Purpose};
use super::routing::Routing;
use super::service::Service;
use super::{memory, recovery};
use crate::config::Config;
use crate::control::PARTIAL;
use crate::kernel;

/// How often it is looked whether every server has answered.
const LOOKING: Duration = Duration::from_millis(20);

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person
    Table,
    /// One object
    Json,
}

/// What would be done.
#[derive(Debug, Serialize)]
struct Rehearsal {
    /// Whether every server has told all it knows.
    complete: bool,
    /// The servers that have not, and why.
    lacking: Vec<String>,
    /// Delegations known.
    delegations: usize,
    /// Routes that are as they shall be.
    kept: usize,
    /// Routes of ours that stay although nobody has said that they shall, because a server is missing.
    unproven: usize,
    /// Everything else, in order of the destinations.
    changes: Vec<Planned>,
}

/// A change of one route.
#[derive(Debug, Serialize)]
struct Planned {
    /// `add`, `replace` or `delete`.
    action: &'static str,
    /// Where it leads.
    destination: String,
    /// The next hop; none is unreachable.
    via: Option<Ipv6Addr>,
    /// The interface of the next hop.
    interface: Option<String>,
}

/// Finds out and prints.
pub(super) fn rehearse(config: &Config, format: Option<Format>) -> anyhow::Result<ExitCode> {
    let assembly = Assembly::new(config, Purpose::Rehearse)?;
    let Assembly { service, settings, routing_poller, .. } = assembly;
    let routing = Routing::start(Arc::clone(&service), routing_poller, settings)?;
    routing.dump_if_wished();
    if let Some(folder) = memory::folder(config).filter(|folder| folder.exists())
        && let Err(error) = recall_copy(&folder, &service)
    {
        warn!("going on without what was written down: {error:#}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(ask_everybody(&service));
    print(&rehearsal(&service)?, format)
}

/// Remembers what is in a folder, and leaves it as it is.
fn recall_copy(folder: &Path, service: &Service) -> anyhow::Result<()> {
    let copy = tempfile::tempdir().context("cannot make a folder")?;
    let copied = copy.path().join("delegations");
    copy_folder(folder, &copied).with_context(|| format!("cannot copy {}", folder.display()))?;
    memory::recall(&copied, service).map(|_| ())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &there)?;
        } else {
            fs::copy(entry.path(), there)?;
        }
    }
    Ok(())
}

/// Until every server has answered or failed.
async fn ask_everybody(service: &Arc<Service>) {
    let servers = service.asked().borrow().clone();
    let wake = service.wake_of_sessions();
    let recovery = recovery::recover(Arc::clone(service), service.clock(), servers, CONNECT_TIMEOUT, wake);
    let answered = async {
        while service.look(|agent| agent.recovery().is_waited_for()) {
            tokio::time::sleep(LOOKING).await;
        }
    };
    tokio::select! {
        () = recovery => {}
        () = answered => {}
    }
}

fn rehearsal(service: &Service) -> anyhow::Result<Rehearsal> {
    let names: BTreeMap<u32, String> =
        kernel::interfaces()?.into_iter().map(|facts| (facts.index, facts.name)).collect();
    let setup = service.setup();
    Ok(service.with(|agent| {
        let state = agent.recovery().state();
        let lacking = match &state {
            State::Degraded { lacking, .. } => lacking
                .iter()
                .map(|(id, trouble)| {
                    format!("{}: {}", setup.relay.servers[usize::from(id.0)].label(), trouble.why)
                })
                .collect(),
            _ => Vec::new(),
        };
        let mut changes = agent.routes_mut().next(usize::MAX);
        changes.sort_by_key(Change::destination);
        Rehearsal {
            complete: matches!(state, State::InSync { .. } | State::NotAsking),
            lacking,
            delegations: agent.delegations().counts().total(),
            kept: agent.routes().state_count(RouteState::Installed),
            unproven: agent.routes().state_count(RouteState::Unproven),
            changes: changes.iter().map(|change| Planned::new(change, &names)).collect(),
        }
    }))
}

impl Planned {
    fn new(change: &Change, names: &BTreeMap<u32, String>) -> Self {
        let (action, Route { destination, target }) = match change {
            Change::Add(route) => ("add", route),
            Change::Replace { to, .. } => ("replace", to),
            Change::Delete(route) => ("delete", route),
        };
        let (via, interface) = match target {
            Target::Via { next_hop, interface_index } => {
                (Some(*next_hop), names.get(interface_index).cloned())
            }
            Target::Unreachable => (None, None),
        };
        Self { action, destination: destination.to_string(), via, interface }
    }

    fn row(&self) -> [String; 4] {
        let via = self.via.map_or("unreachable".to_owned(), |via| via.to_string());
        [self.action.to_owned(), self.destination.clone(), via, self.interface.clone().unwrap_or_default()]
    }
}

fn print(rehearsal: &Rehearsal, format: Option<Format>) -> anyhow::Result<ExitCode> {
    let usual = if io::stdout().is_terminal() { Format::Table } else { Format::Json };
    let mut out = io::stdout().lock();
    match format.unwrap_or(usual) {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, rehearsal)?;
            writeln!(out)?;
        }
        Format::Table => {
            let mut table = Table::new();
            table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(["change", "destination", "via", "interface"]);
            table.add_rows(rehearsal.changes.iter().map(Planned::row));
            writeln!(out, "{table}")?;
            writeln!(
                out,
                "{} delegations; {} routes to change, {} stay as they are, {} stay unproven",
                rehearsal.delegations,
                rehearsal.changes.len(),
                rehearsal.kept,
                rehearsal.unproven
            )?;
        }
    }
    rehearsal.lacking.iter().for_each(|lacking| warn!("{lacking}"));
    Ok(if rehearsal.complete { ExitCode::SUCCESS } else { PARTIAL.into() })
}
