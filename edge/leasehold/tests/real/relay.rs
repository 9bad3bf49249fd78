//! The relays of Debian, one function each.

use std::net::Ipv6Addr;

use crate::bell::Bell;
use crate::host::Host;
use crate::process::Process;

/// A relay program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relay {
    /// ISC's: sends Interface-ID first.
    Isc,
    /// Dibbler's: sends Remote-ID, Relay-ID and the client's link-layer address after the message that it relays.
    Dibbler,
    /// WIDE's: sends Interface-ID last, and everything to all servers of the site, by multicast.
    Wide,
}

/// What dibbler's relay is told to say of itself.
pub(crate) const DIBBLER_RELAY_ID: &str = "00:03:00:01:02:00:00:00:aa:01";
/// Likewise, as `leasehold query` wants it: ENTERPRISE:HEX.
pub(crate) const DIBBLER_REMOTE_ID: &str = "32473:706f72742d37";

impl Relay {
    /// As reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Isc => "isc-dhcp-relay",
            Self::Dibbler => "dibbler-relay",
            Self::Wide => "wide-dhcpv6-relay",
        }
    }

    /// What has to be installed.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Isc => "dhcrelay",
            Self::Dibbler => "dibbler-relay",
            Self::Wide => "dhcp6relay",
        }
    }

    /// Relays from `down0` of its host to the next hop, by `up0`.
    pub(crate) fn start(self, host: &Host, next_hop: Ipv6Addr, bell: &Bell) -> Process {
        self.start_by("up0", host, next_hop, bell)
    }

    /// Relays from `down0` of its host to the next hop, by this interface.
    pub(crate) fn start_by(self, upper: &str, host: &Host, next_hop: Ipv6Addr, bell: &Bell) -> Process {
        let mut command = host.command(self.program());
        match self {
            Self::Isc => command
                .args(["-6", "-d", "-pf", "/run/dhcrelay.pid", "-l", "down0", "-u"])
                .arg(format!("{next_hop}%{upper}")),
            Self::Dibbler => {
                let here = host.addresses("down0", "global")[0];
                host.write("etc/dibbler/relay.conf", &dibbler(here, upper, next_hop));
                command.arg("run")
            }
            Self::Wide => command.args(["-f", "-D", "-p", "/run/dhcp6relay.pid", "-r", upper, "down0"]),
        };
        Process::start(self.name(), &mut command, bell)
    }
}

fn dibbler(here: Ipv6Addr, upper: &str, next_hop: Ipv6Addr) -> String {
    format!(
        r#"log-level 8
log-mode short
interface-id-order before
option relay-id {DIBBLER_RELAY_ID}
option remote-id 32473-0x706f72742d37
iface {upper} {{
    server unicast {next_hop}
}}
iface down0 {{
    client multicast yes
    client unicast {here}
    interface-id 5020
}}
"#
    )
}
