//! systemd-networkd, which needs neither systemd nor D-Bus for this.
//!
//! It has to believe that no udev will tell it about its interfaces: it does where `/sys` is read-only, as in a container.

use super::{Client, Program, SLOW, unreachable_prefixes};
use crate::bell::Bell;
use crate::exchange::Resources;
use crate::host::Host;
use crate::process::Process;

/// It is up to ten seconds late with everything. That of Debian 12 (systemd 252) cannot release.
pub(super) const PROGRAM: Program = Program {
    name: "systemd-networkd",
    tool: "/lib/systemd/systemd-networkd",
    pace: SLOW,
    commits_rapidly: true,
    restarts: true,
    releases: false,
    start: |host, bell| Box::new(Networkd::start(host, bell)),
};

/// It is not to wait for a router.
const CONFIGURATION: &str = "[Match]
Name=cli0
[Network]
DHCP=ipv6
IPv6AcceptRA=no
LinkLocalAddressing=ipv6
[DHCPv6]
WithoutRA=solicit
PrefixDelegationHint=::/56
";
/// The user as whom it goes on has to own its folders.
const START: &str = "
    mount -o remount,bind,ro /sys &&
    mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp &&
    chown -R systemd-network /run/systemd/netif &&
    exec /lib/systemd/systemd-networkd";

struct Networkd(Process);

impl Networkd {
    fn start(host: &Host, bell: &Bell) -> Self {
        host.write("run/systemd/network/00-cli0.network", CONFIGURATION);
        let mut command = host.command("sh");
        command.args(["-c", START]).env("SYSTEMD_LOG_LEVEL", "debug").env("SYSTEMD_LOG_TARGET", "console");
        Self(Process::start("systemd-networkd", &mut command, bell))
    }
}

impl Client for Networkd {
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
