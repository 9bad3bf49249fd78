//! Our relay, as an operator runs it: a configuration file and `leasehold relay`.
//!
//! It can be killed and started again, with what it remembers or without it, here or on a machine that takes its place.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use super::site::{AGGREGATE, Site};
use crate::bell::Bell;
use crate::process::Process;

/// What the relay is called, wherever it runs.
const RELAY_ID: &str = "00:03:00:01:02:00:00:00:ee:01";

/// Octets of a prefix of 56 bits.
const PREFIX_OCTETS: usize = 7;

/// The relay, at work or not.
pub(crate) struct Ours {
    bell: Bell,
    /// The disk: it survives the machine.
    disk: TempDir,
    process: Option<Process>,
    /// The logs of those before it.
    said_before: String,
}

impl Ours {
    /// Configures it for this site; `more` goes behind `[relay]`.
    pub(crate) fn new(site: &Site, more: &str, bell: &Bell) -> Self {
        Self::named(RELAY_ID, site, AGGREGATE, more, bell)
    }

    /// Likewise, under another name and for another aggregate.
    pub(crate) fn named(relay_id: &str, site: &Site, aggregate: &str, more: &str, bell: &Bell) -> Self {
        let disk = tempfile::tempdir().unwrap();
        let state = disk.path().join("state");
        let addresses = (0..site.servers.len()).map(|number| site.server_address(number));
        let servers: String =
            addresses.map(|address| format!("[[relay.server]]\naddress = \"{address}\"\n")).collect();
        let text = format!(
            r#"state = {state:?}
[relay]
relay-id = "{relay_id}"
{more}
[[relay.interface]]
names = ["acc*"]
{servers}
[relay.routes]
aggregates = ["{aggregate}"]
[relay.recovery]
retry-max-secs = 1
"#
        );
        let ours = Self { bell: bell.clone(), disk, process: None, said_before: String::new() };
        std::fs::write(ours.config(), text).unwrap();
        ours
    }

    fn config(&self) -> PathBuf {
        self.disk.path().join("leasehold.toml")
    }

    /// Starts it and waits until it listens to clients.
    pub(crate) fn start(&mut self, site: &Site) {
        let mut command = site.relay.enter(env!("CARGO_BIN_EXE_leasehold"));
        command.arg("relay").arg("--config").arg(self.config()).env("NO_COLOR", "1");
        self.process = Some(Process::start("leasehold relay", &mut command, &self.bell));
        site.relay.wait_for_listener("acc1", &self.bell);
    }

    /// Ends it without a word: by SIGKILL.
    pub(crate) fn kill(&mut self) {
        let process = self.process.take().expect("it runs");
        self.said_before.push_str(&process.said());
    }

    /// Whether a prefix is written down: then its octets are on the disk.
    pub(crate) fn remembers(&self, prefix: &str) -> bool {
        let (network, _) = prefix.split_once('/').expect("a prefix has a length");
        let octets = network.parse::<Ipv6Addr>().expect("a prefix begins with an address").octets();
        let folder = self.disk.path().join("state/delegations/engine");
        let mut files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.any(|file| {
            let content = std::fs::read(file.path()).unwrap_or_default();
            content.windows(PREFIX_OCTETS).any(|written| written == &octets[..PREFIX_OCTETS])
        })
    }

    /// Has it forget everything but its name.
    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.disk.path().join("state")).unwrap();
    }

    /// What `leasehold show` says.
    pub(crate) fn show(&self, site: &Site, words: &str) -> Value {
        let mut command = site.relay.enter(env!("CARGO_BIN_EXE_leasehold"));
        command.arg("show").args(words.split(' ')).arg("--config").arg(self.config());
        let output = command.args(["--format", "json"]).output().expect("leasehold show starts");
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("show {words}: {error}: {said}"))
    }

    /// Everything that it has logged.
    pub(crate) fn said(&self) -> String {
        self.said_before.clone() + &self.process.as_ref().map(Process::said).unwrap_or_default()
    }
}
