//! The servers that are measured: how each is configured and started, and what it costs.
//!
//! All of them serve the same link. What differs between them is in [`Contender::command`]; the generator knows only that
//! something answers.

use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use serde_json::json;

use super::case::{Case, Way, Wish};
use super::network::{Network, SERVER, SERVER_INTERFACE};
use crate::bench::process::Program;
use crate::bench::processors::Processors;
use crate::bench::running::Running;

/// Threads of Kea: as many as the server has processors. It is faster so than with one thread.
const KEA_THREADS: usize = 2;

/// Who answers.
#[derive(Clone, Copy)]
pub(super) enum Contender<'a> {
    /// Our server. What it promises has been synced.
    Leasehold(&'a Program),
    /// Debian's Kea with a lease file, which it flushes and does not sync.
    Kea,
    /// No server: the limit of the interfaces and the kernel.
    Responder,
}

impl fmt::Display for Contender<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leasehold(_) => "leasehold",
            Self::Kea => "Kea",
            Self::Responder => "no server",
        })
    }
}

impl Contender<'_> {
    /// Starts it with a state of its own in `folder`, which may hold clients already.
    pub(super) fn start(
        self,
        network: &Network,
        processors: &Processors,
        case: Case,
        folder: &Path,
    ) -> Result<Running> {
        let mut command = self.command(case, folder)?;
        let log = folder.join("log");
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).env("NO_COLOR", "1");
        Running::start(command, &network.server, &processors.server, log)
    }

    fn command(self, case: Case, folder: &Path) -> Result<Command> {
        match self {
            Self::Leasehold(program) => {
                let config = folder.join("bench.toml");
                fs::write(&config, leasehold_config(folder))?;
                let mut command = program.command();
                command.args(["serve", "--config"]).arg(config);
                Ok(command)
            }
            Self::Kea => {
                let config = folder.join("kea.json");
                fs::write(&config, kea_config(folder).to_string())?;
                let mut command = Command::new("kea-dhcp6");
                command.env("KEA_PIDFILE_DIR", folder).env("KEA_LOCKFILE_DIR", folder);
                command.arg("-c").arg(config);
                Ok(command)
            }
            Self::Responder => {
                let wish = match case.wish {
                    Wish::Address => "address",
                    Wish::Prefix => "prefix",
                    Wish::Both => "both",
                };
                let way = match case.way {
                    Way::Direct => "direct",
                    Way::Relayed => "relayed",
                };
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["bench", "exchange-responder", "--wish", wish, "--way", way]);
                Ok(command)
            }
        }
    }
}

/// The link of `leasehold import synthetic --relays 1`, so that its clients may be there already.
fn leasehold_config(state: &Path) -> String {
    format!(
        r#"
state = {state:?}

[leasequery]
allow = [{{ from = "::/0" }}]

[[link]]
id = 1
name = "access-1"
interfaces = ["{SERVER_INTERFACE}"]
prefixes = ["2001:db8::/64"]
address-pools = ["2001:db8::1:0:0 - 2001:db8::1:ffff:ffff"]
preferred-lifetime-secs = 3000
valid-lifetime-secs = 4000

[[link.delegation-pools]]
prefix = "3fff::/20"
delegated-length = 56
"#,
        state = state.display().to_string()
    )
}

/// The same for Kea. It logs warnings alone, and nothing looks for reservations outside of it.
fn kea_config(folder: &Path) -> serde_json::Value {
    json!({ "Dhcp6": {
        "interfaces-config": { "interfaces": [format!("{SERVER_INTERFACE}/{SERVER}")] },
        "lease-database": {
            "type": "memfile",
            "persist": true,
            "lfc-interval": 0,
            "name": folder.join("leases.csv"),
        },
        "data-directory": folder,
        "multi-threading": { "enable-multi-threading": true, "thread-pool-size": KEA_THREADS },
        "preferred-lifetime": 3000,
        "valid-lifetime": 4000,
        "subnet6": [{
            "id": 1,
            "subnet": "2001:db8::/64",
            "interface": SERVER_INTERFACE,
            "pools": [{ "pool": "2001:db8::1:0:0 - 2001:db8::1:ffff:ffff" }],
            "pd-pools": [{ "prefix": "3fff::", "prefix-len": 20, "delegated-len": 56 }],
        }],
        "loggers": [{
            "name": "kea-dhcp6",
            "severity": "WARN",
            "output_options": [{ "output": "stdout" }],
        }],
    } })
}
