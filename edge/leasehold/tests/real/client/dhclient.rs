//! ISC dhclient, with `-N` and `-P`.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{Client, FAST, Program, words_behind};
use crate::bell::Bell;
use crate::exchange::Resources;
use crate::host::Host;
use crate::process::Process;

pub(super) const PROGRAM: Program = Program {
    name: "dhclient",
    tool: "dhclient",
    pace: FAST,
    commits_rapidly: false,
    restarts: true,
    releases: true,
    start: |host, bell| Box::new(Dhclient(Process::start("dhclient", &mut command(host), bell))),
};

/// The same, but it finds that somebody else has the first address that it is given.
pub(super) const DECLINING: Program =
    Program { start: |host, bell| Box::new(declining(host, bell)), ..PROGRAM };

/// What it runs to configure the interface. Of exit code 3 it believes that the address is a duplicate.
const FIND_DUPLICATE: &str = r#"#!/bin/sh
if [ "$reason" = BOUND6 ] && [ -n "$new_ip6_address" ] && [ ! -e /run/duplicate ]; then
    touch /run/duplicate
    exit 3
fi
exec /sbin/dhclient-script
"#;

const LEASES: &str = "/var/lib/dhclient.leases";

struct Dhclient(Process);

fn command(host: &Host) -> Command {
    let mut command = host.command("dhclient");
    command.args(["-6", "-d", "-v", "-N", "-P", "-cf", "/dev/null"]);
    command.args(["-lf", LEASES, "-pf", "/run/dhclient.pid"]);
    command.arg("cli0");
    command
}

fn declining(host: &Host, bell: &Bell) -> Dhclient {
    let script = host.write("run/dhclient-script", FIND_DUPLICATE);
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = command(host);
    Dhclient(Process::start("dhclient", command.args(["-sf", "/run/dhclient-script"]), bell))
}

impl Client for Dhclient {
    /// It appends a whole lease whenever something changes; the last is the one that holds.
    fn prefixes(&self, host: &Host) -> Resources {
        let leases = std::fs::read_to_string(host.path(LEASES)).unwrap_or_default();
        words_behind(leases.rsplit("lease6 {").next().unwrap_or_default(), "iaprefix ")
    }

    /// A second dhclient ends the first and says so to the server.
    fn release(&mut self, host: &Host, bell: &Bell) {
        let status = Process::start("dhclient -r", command(host).arg("-r"), bell).wait();
        assert!(status.success(), "dhclient -r ended with {status}");
        self.0.wait();
    }

    fn process(&self) -> &Process {
        &self.0
    }
}
