//! dhcpcd, with `ia_na` and `ia_pd`.

use super::{Client, FAST, Program, unreachable_prefixes};
use crate::bell::Bell;
use crate::exchange::Resources;
use crate::host::Host;
use crate::process::Process;

pub(super) const PROGRAM: Program = Program {
    name: "dhcpcd",
    tool: "dhcpcd",
    pace: FAST,
    commits_rapidly: false,
    restarts: true,
    releases: true,
    start: |host, bell| Box::new(Dhcpcd::start(host, bell, CONFIGURATION)),
};

/// The same, and it accepts Reconfigure.
pub(super) const TOLD: Program =
    Program { start: |host, bell| Box::new(Dhcpcd::start(host, bell, ACCEPTING)), ..PROGRAM };

/// It is not to wait for a router, and to release when it is asked to end.
const CONFIGURATION: &str = "duid
noipv4
noipv6rs
release
nohook resolv.conf,hostname,ntp.conf
interface cli0
  ia_na 1
  ia_pd 2 -
";

const ACCEPTING: &str = "duid
noipv4
noipv6rs
nohook resolv.conf,hostname,ntp.conf
option dhcp6_reconfigure_accept
interface cli0
  ia_na 1
  ia_pd 2 -
";

struct Dhcpcd(Process);

impl Dhcpcd {
    fn start(host: &Host, bell: &Bell, configuration: &str) -> Self {
        host.write("run/dhcpcd.conf", configuration);
        let mut command = host.command("dhcpcd");
        command.args(["-B", "-d", "-6", "-f", "/run/dhcpcd.conf", "cli0"]);
        Self(Process::start("dhcpcd", &mut command, bell))
    }
}

impl Client for Dhcpcd {
    fn prefixes(&self, host: &Host) -> Resources {
        unreachable_prefixes(host)
    }

    fn release(&mut self, _: &Host, _: &Bell) {
        self.0.ask_to_end();
        self.0.wait();
    }

    fn process(&self) -> &Process {
        &self.0
    }
}
