//! Servers behind our relay: Leasehold's, which can be asked for what it has delegated, and Debian's, which cannot.
//!
//! Every server has pools of its own for every client's link, so that no two give out the same.

use std::fmt::Write as _;
use std::net::Ipv6Addr;
use std::process::Command;

use serde_json::{Value, json};

use super::site::Site;
use crate::bell::Bell;
use crate::host::Host;
use crate::process::Process;

/// Longer than the test.
const PREFERRED_SECS: u32 = 3600;
const VALID_SECS: u32 = 7200;

/// A server program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ours.
    Leasehold,
    /// Debian's Kea, without the hook for leasequery.
    Kea,
    /// ISC's dhcpd.
    Isc,
}

impl Kind {
    /// As reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Leasehold => "leasehold",
            Self::Kea => "Kea",
            Self::Isc => "ISC dhcpd",
        }
    }

    /// What has to be installed.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Leasehold => env!("CARGO_BIN_EXE_leasehold"),
            Self::Kea => "kea-dhcp6",
            Self::Isc => "dhcpd",
        }
    }
}

/// A server, at work or not; it keeps its state.
pub(crate) struct Server {
    kind: Kind,
    /// Its place among the servers of the site.
    number: usize,
    bell: Bell,
    process: Option<Process>,
    said_before: String,
}

impl Server {
    /// Configures it on its host.
    pub(crate) fn new(kind: Kind, site: &Site, number: usize, bell: &Bell) -> Self {
        let host = &site.servers[number];
        // One more than there are clients: for who is behind another relay.
        let links: Vec<Link> = (0..=site.clients.len()).map(|link| Link { server: number, link }).collect();
        match kind {
            Kind::Leasehold => host.write("leasehold.toml", &leasehold(host, &links)),
            Kind::Kea => {
                std::fs::create_dir_all(host.path("run/kea")).unwrap();
                host.write("run/kea/kea.json", &kea(site.server_address(number), &links).to_string())
            }
            Kind::Isc => {
                host.write("var/lib/dhcpd.leases", "");
                host.write("run/dhcpd.conf", &isc(number, &links))
            }
        };
        Self { kind, number, bell: bell.clone(), process: None, said_before: String::new() }
    }

    /// Starts it, with all that it has delegated before, and waits until it listens.
    pub(crate) fn start(&mut self, site: &Site) {
        let host = &site.servers[self.number];
        self.process = Some(Process::start(self.kind.name(), &mut self.command(host), &self.bell));
        host.wait_for_listener("srv0", &self.bell);
    }

    fn command(&self, host: &Host) -> Command {
        match self.kind {
            Kind::Leasehold => {
                let mut command = host.enter(self.kind.program());
                command.arg("serve").arg("--config").arg(host.path("leasehold.toml")).env("NO_COLOR", "1");
                command
            }
            Kind::Kea => {
                let mut command = host.command(self.kind.program());
                command.env("KEA_PIDFILE_DIR", "/run/kea").env("KEA_LOCKFILE_DIR", "/run/kea");
                command.args(["-c", "/run/kea/kea.json"]);
                command
            }
            Kind::Isc => {
                let mut command = host.command(self.kind.program());
                command.args(["-6", "-f", "-d", "-cf", "/run/dhcpd.conf", "-lf", "/var/lib/dhcpd.leases"]);
                command.args(["-pf", "/run/dhcpd.pid", "srv0"]);
                command
            }
        }
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.ask_to_end();
        process.wait();
        self.said_before.push_str(&process.said());
    }

    /// Has our server take back a prefix.
    pub(crate) fn release(&self, site: &Site, prefix: &str) {
        let host = &site.servers[self.number];
        let mut command = host.enter(self.kind.program());
        command.arg("release").arg("--config").arg(host.path("leasehold.toml"));
        let output = command.args(["--prefix", prefix]).output().expect("leasehold release starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Whether a prefix comes from this server's pools.
    pub(crate) fn delegates(&self, prefix: &str) -> bool {
        prefix.starts_with(&format!("2001:db8:f{}", self.number + 1))
    }

    /// Everything that it has logged.
    pub(crate) fn said(&self) -> String {
        self.said_before.clone() + &self.process.as_ref().map(Process::said).unwrap_or_default()
    }
}

/// A client's link, as one server sees it.
struct Link {
    server: usize,
    link: usize,
}

impl Link {
    fn id(&self) -> usize {
        self.link + 1
    }

    fn prefix(&self) -> String {
        format!("2001:db8:{}::/64", self.id())
    }

    /// The first and the last address to assign.
    fn addresses(&self) -> [String; 2] {
        let half = self.server + 1;
        ["1000", "1fff"].map(|end| format!("2001:db8:{}::{half}:{end}", self.id()))
    }

    /// The /48 from which prefixes of 56 bits are delegated.
    fn delegated_from(&self) -> String {
        format!("2001:db8:f{}{:02x}::", self.server + 1, self.id())
    }
}

fn leasehold(host: &Host, links: &[Link]) -> String {
    let state = host.path("var/lib/leasehold");
    let mut text = format!(
        r#"state = {state:?}
[leasequery]
allow = [{{ from = "::/0" }}]
[dhcp]
interfaces = ["srv0"]
preferred-lifetime-secs = {PREFERRED_SECS}
valid-lifetime-secs = {VALID_SECS}
"#
    );
    for link in links {
        let ([first, last], id) = (link.addresses(), link.id());
        let _ = write!(
            text,
            r#"[[link]]
id = {id}
name = "access-{id}"
prefixes = ["{}"]
address-pools = ["{first} - {last}"]
[[link.delegation-pools]]
prefix = "{}/48"
delegated-length = 56
"#,
            link.prefix(),
            link.delegated_from()
        );
    }
    text
}

fn kea(address: Ipv6Addr, links: &[Link]) -> Value {
    let subnet = |link: &Link| {
        json!({
            "id": link.id(),
            "subnet": link.prefix(),
            "pools": [{ "pool": link.addresses().join(" - ") }],
            "pd-pools": [{ "prefix": link.delegated_from(), "prefix-len": 48, "delegated-len": 56 }],
        })
    };
    json!({ "Dhcp6": {
        "interfaces-config": { "interfaces": [format!("srv0/{address}")] },
        "lease-database": { "type": "memfile", "name": "/run/kea/leases.csv", "lfc-interval": 0 },
        "data-directory": "/run/kea",
        "preferred-lifetime": PREFERRED_SECS,
        "valid-lifetime": VALID_SECS,
        "subnet6": links.iter().map(subnet).collect::<Vec<_>>(),
        "loggers": [{ "name": "kea-dhcp6", "severity": "INFO", "output_options": [{ "output": "stdout" }] }],
    } })
}

fn isc(server: usize, links: &[Link]) -> String {
    let mut text = format!(
        "default-lease-time {VALID_SECS};\npreferred-lifetime {PREFERRED_SECS};\nauthoritative;\n\
         subnet6 2001:db8:ff{}::/64 {{ }}\n",
        server + 1
    );
    for link in links {
        let [first, last] = link.addresses();
        let delegated = link.delegated_from();
        let last_delegated = delegated.replace("::", ":ff00::");
        let _ = write!(
            text,
            "subnet6 {} {{\n  range6 {first} {last};\n  prefix6 {delegated} {last_delegated} /56;\n}}\n",
            link.prefix(),
        );
    }
    text
}
