//! Reading the configuration anew while the server runs.
//!
//! A file with a fault changes nothing. What is bound to the start of the process stays as it was
//! until the next one, and is named in the log. Bindings do not depend on any of it: they outlive
//! the configuration of their link.

use std::path::Path;

use anyhow::anyhow;
use tracing::{info, warn};

use super::{Running, files, plan};
use crate::config::Config;

/// Reads the file and goes on with it. Gives the configuration that is then in force.
pub(super) fn reload(running: &Running, file: &Path, current: &Config) -> anyhow::Result<Config> {
    let mut read = Config::read(file).map_err(|faults| anyhow!("{faults}"))?;
    read.warnings.iter().for_each(|warning| warn!("{warning}"));
    files::provide(&mut read);
    for key in fixed_at_start(current, &read) {
        warn!("{key} has changed, which the next start will heed");
    }
    let server_id = running.service.policy().server_id.clone();
    let secrets = plan::Secrets::new()?;
    running.service.decide(plan::policy(&read, server_id.clone()), read.links(), |holdings| {
        plan::exchanges(&read, server_id, secrets, holdings)
    });
    running.service.serve_interfaces(plan::patterns(&read));
    running.waker.wake();
    info!(links = read.links.len(), "configuration read anew");
    Ok(read)
}

/// The keys that differ and that only a start can heed.
fn fixed_at_start(current: &Config, read: &Config) -> Vec<&'static str> {
    let compared = [
        ("server-id", current.server_id == read.server_id),
        ("state", current.state == read.state),
        ("control.socket", current.control_socket() == read.control_socket()),
        ("dhcp.listen", current.dhcp.listen == read.dhcp.listen),
        ("dhcp.client-port or relay-port", plan::ports(current) == plan::ports(read)),
        ("leasequery.udp", current.leasequery.udp == read.leasequery.udp),
        ("leasequery.bulk.listen", current.leasequery.bulk.listen == read.leasequery.bulk.listen),
    ];
    compared.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
}
