//! The relays that are measured: how each is configured and started, and what it costs.
//!
//! All of them have clients on one interface and one server behind another, and put an Interface-ID into what they forward.

use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::site::{LINK, LOWER, SERVER, Site, UPPER};
use crate::bench::process::Program;
use crate::bench::processors::Processors;
use crate::bench::running::Running;

/// Lets a program believe that it owns the folders where it writes.
const ENTER: &str = r#"mount --bind "$0" /var/lib/dibbler && mount --bind "$0" /var/log/dibbler &&
    mount --bind "$0" /etc/dibbler && exec "$@""#;

/// Who forwards.
#[derive(Clone, Copy)]
pub(super) enum Contender<'a> {
    /// Ours.
    Leasehold(&'a Program),
    /// Debian's isc-dhcp-relay.
    Isc,
    /// Debian's dibbler-relay.
    Dibbler,
    /// No relay: the limit of the interfaces and the kernel.
    Forwarder,
}

impl fmt::Display for Contender<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leasehold(_) => "leasehold",
            Self::Isc => "isc-dhcp-relay",
            Self::Dibbler => "dibbler-relay",
            Self::Forwarder => "no relay",
        })
    }
}

impl Contender<'_> {
    /// Starts it with a state of its own in `folder`.
    pub(super) fn start(self, site: &Site, processors: &Processors, folder: &Path) -> Result<Running> {
        let mut command = self.command(folder)?;
        let log = folder.join("log");
        let output = if self.is_chatty() { null()? } else { File::create(&log)? };
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).env("NO_COLOR", "1");
        Running::start(command, &site.relay, &processors.server, log)
    }

    /// Whether it writes a line for every message, whatever it is told.
    fn is_chatty(self) -> bool {
        matches!(self, Self::Isc)
    }

    fn command(self, folder: &Path) -> Result<Command> {
        match self {
            Self::Leasehold(program) => {
                let config = folder.join("bench.toml");
                fs::write(&config, leasehold(folder))?;
                let mut command = program.command();
                command.args(["relay", "--config"]).arg(config);
                Ok(command)
            }
            Self::Isc => {
                let mut command = Command::new("dhcrelay");
                command.args(["-6", "-d", "-I", "-pf"]).arg(folder.join("pid"));
                command.args(["-l", LOWER, "-u", &format!("{SERVER}%{UPPER}")]);
                Ok(command)
            }
            Self::Dibbler => {
                fs::write(folder.join("relay.conf"), dibbler())?;
                let mut command = Command::new("unshare");
                for place in ["/var/lib/dibbler", "/var/log/dibbler", "/etc/dibbler"] {
                    fs::create_dir_all(place)?;
                }
                command.args(["--mount", "sh", "-c", ENTER]).arg(folder).args(["dibbler-relay", "run"]);
                Ok(command)
            }
            Self::Forwarder => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["bench", "relay-forwarder"]);
                Ok(command)
            }
        }
    }
}

fn null() -> Result<File> {
    Ok(File::options().write(true).open("/dev/null")?)
}

fn leasehold(state: &Path) -> String {
    format!(
        r#"
state = {state:?}

[[relay.interface]]
names = ["{LOWER}"]

[[relay.server]]
address = "{SERVER}"
leasequery = false

[relay.routes]
aggregates = ["3fff::/20"]
"#,
        state = state.display().to_string()
    )
}

/// Nothing but errors is logged.
fn dibbler() -> String {
    format!(
        r#"log-level 3
log-mode short
interface-id-order before
iface {UPPER} {{
    server unicast {SERVER}
}}
iface {LOWER} {{
    client multicast yes
    client unicast {LINK}
    interface-id 5020
}}
"#
    )
}
