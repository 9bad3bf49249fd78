//! dibbler-client, which renews its address and its prefix in messages of their own.

use super::{Client, FAST, Program};
use crate::bell::Bell;
use crate::exchange::Resources;
use crate::host::Host;
use crate::process::Process;

/// After a restart it gives several transactions one number, and takes their answers for one another's.
pub(super) const PROGRAM: Program = Program {
    name: "dibbler-client",
    tool: "dibbler-client",
    pace: FAST,
    commits_rapidly: false,
    restarts: false,
    releases: true,
    start: |host, bell| Box::new(Dibbler::start(host, bell, CONFIGURATION)),
};

/// The same, and it accepts Reconfigure.
pub(super) const TOLD: Program =
    Program { start: |host, bell| Box::new(Dibbler::start(host, bell, ACCEPTING)), ..PROGRAM };

const CONFIGURATION: &str = "log-level 8
log-mode short
iface cli0 { ia pd }
";

const ACCEPTING: &str = "log-level 8
log-mode short
reconfigure-accept 1
iface cli0 { ia pd }
";

struct Dibbler(Process);

impl Dibbler {
    fn start(host: &Host, bell: &Bell, configuration: &str) -> Self {
        host.write("etc/dibbler/client.conf", configuration);
        Self(Process::start("dibbler-client", host.command("dibbler-client").arg("run"), bell))
    }
}

impl Client for Dibbler {
    fn prefixes(&self, host: &Host) -> Resources {
        let database = host.path("var/lib/dibbler/client-AddrMgr.xml");
        let text = std::fs::read_to_string(database).unwrap_or_default();
        text.split("<AddrPrefix ").skip(1).filter_map(prefix).collect()
    }

    fn release(&mut self, _: &Host, _: &Bell) {
        self.0.ask_to_end();
        self.0.wait();
    }

    fn process(&self) -> &Process {
        &self.0
    }
}

/// Of what stands behind the name of an element: `... length="56">2001:db8:f000::</AddrPrefix>`.
fn prefix(element: &str) -> Option<String> {
    let (_, rest) = element.split_once("length=\"")?;
    let (length, rest) = rest.split_once('"')?;
    let (_, rest) = rest.split_once('>')?;
    let (address, _) = rest.split_once('<')?;
    Some(format!("{address}/{length}"))
}
