//! WIDE's dhcp6c.

use super::{Client, Program, SLOW, words_behind};
use crate::bell::Bell;
use crate::exchange::Resources;
use crate::host::Host;
use crate::process::Process;

/// It rebinds no sooner than after 30 seconds, whatever the server says.
pub(super) const PROGRAM: Program = Program {
    name: "dhcp6c",
    tool: "dhcp6c",
    pace: SLOW,
    commits_rapidly: false,
    restarts: true,
    releases: true,
    start: |host, bell| Box::new(Dhcp6c::start(host, bell)),
};

const CONFIGURATION: &str = "interface cli0 { send ia-na 1; send ia-pd 2; };
id-assoc na 1 { };
id-assoc pd 2 { };
";

struct Dhcp6c(Process);

impl Dhcp6c {
    fn start(host: &Host, bell: &Bell) -> Self {
        host.write("run/dhcp6c.conf", CONFIGURATION);
        let mut command = host.command("dhcp6c");
        command.args(["-f", "-D", "-c", "/run/dhcp6c.conf", "-p", "/run/dhcp6c.pid", "cli0"]);
        Self(Process::start("dhcp6c", &mut command, bell))
    }
}

impl Client for Dhcp6c {
    /// It keeps a prefix nowhere but in memory.
    fn prefixes(&self, _: &Host) -> Resources {
        words_behind(&self.0.said(), "create a prefix ")
    }

    fn release(&mut self, _: &Host, _: &Bell) {
        self.0.ask_to_end();
        self.0.wait();
    }

    fn process(&self) -> &Process {
        &self.0
    }
}
