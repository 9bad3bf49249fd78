//! What a scenario with our relay runs on: clients on interfaces of their own, the relay, servers, and somebody far away to whom
//! the clients' prefixes matter.
//!
//! ```text
//!  client 1              relay                  server 1
//!    cli0 ------- acc1         up1 ------------ srv0
//!      2001:db8:1::1^            ^2001:db8:ff1::2  ^2001:db8:ff1::1
//!  client 2                    up2 ------------ srv0    server 2
//!    cli0 ------- acc2              2001:db8:ff2::1^
//!      2001:db8:2::1^          far0 ----------- edge0   far
//!                  2001:db8:fa::2^  2001:db8:fa::1^
//! ```
//!
//! A client's interface has the same hardware address whenever it is plugged in: it is the client's. Whatever is on the far cable
//! is a stranger to the relay: a route of somebody else, and a connected prefix, both within what is delegated.

use std::net::Ipv6Addr;

use crate::bell::Bell;
use crate::host::Host;
use crate::network::CABLE_PATIENCE;

/// Of the relay, on every interface with a client.
const RELAY_LINK_LOCAL: &str = "fe80::1";
/// Prefixes are delegated from here.
pub(crate) const AGGREGATE: &str = "2001:db8:f000::/36";
/// A route of somebody else, and its next hop; it has the metric that ours have.
const STRANGE_ROUTE: &str = "2001:db8:f0ff:ff00::/56 via 2001:db8:fa::1 dev far0 proto static metric 512";
/// An address in a network that is connected.
const CONNECTED: &str = "2001:db8:f0ff:fe00::1";

/// All hosts, cables plugged, addresses ready.
pub(crate) struct Site {
    pub(crate) clients: Vec<Host>,
    pub(crate) relay: Host,
    pub(crate) servers: Vec<Host>,
    pub(crate) far: Host,
}

impl Site {
    /// One with so many clients and servers.
    pub(crate) fn new(clients: usize, servers: usize) -> Self {
        let hosts = |role: &str, count| (1..=count).map(|n| Host::new(&format!("{role}{n}"))).collect();
        let site = Self {
            clients: hosts("client", clients),
            relay: new_relay(),
            servers: hosts("server", servers),
            far: Host::new("far"),
        };
        (0..clients).for_each(|number| site.plug_client(number));
        (0..servers).for_each(|number| site.plug_server(number));
        site.plug_far();
        site
    }

    /// Another machine takes the relay's place, whose interfaces have other numbers.
    pub(crate) fn replace_relay(&mut self) {
        for interface in self.interfaces() {
            self.relay.ip(&format!("link delete {interface}"));
        }
        self.relay = new_relay();
        self.plug_far();
        self.lead_far_to_relay();
        (0..self.servers.len()).rev().for_each(|number| self.plug_server(number));
        (0..self.clients.len()).rev().for_each(|number| self.plug_client(number));
    }

    /// Puts the relay's interface with a client down, or up again. The kernel keeps its global addresses meanwhile.
    pub(crate) fn put_access(&self, number: usize, is_up: bool) {
        let (interface, state) = (access(number), if is_up { "up" } else { "down" });
        self.relay.ip(&format!("link set {interface} {state}"));
        if is_up {
            self.relay.add_address(&interface, RELAY_LINK_LOCAL.parse().unwrap());
        }
    }

    /// Has a client's interface vanish.
    pub(crate) fn unplug_client(&self, number: usize) {
        self.relay.ip(&format!("link delete {}", access(number)));
    }

    /// Plugs a client in, who has been here before or not.
    pub(crate) fn plug_client(&self, number: usize) {
        let (client, interface) = (&self.clients[number], access(number));
        self.relay.plug(&interface, client, "cli0");
        let hardware = format!("02:00:00:00:c1:{:02x}", number + 1);
        client.ip(&format!("link set cli0 down address {hardware}"));
        client.ip("link set cli0 up");
        self.relay.add_address(&interface, format!("2001:db8:{}::1", number + 1).parse().unwrap());
        self.relay.add_address(&interface, RELAY_LINK_LOCAL.parse().unwrap());
        self.lead_client_to_relay(number);
    }

    /// Has everything sought behind the relay by a client whose interface has just come up.
    pub(crate) fn lead_client_to_relay(&self, number: usize) {
        let client = &self.clients[number];
        wait_for_address(client, "cli0");
        client.ip(&format!("-6 route replace default via {RELAY_LINK_LOCAL} dev cli0"));
    }

    fn plug_server(&self, number: usize) {
        let (server, interface) = (&self.servers[number], format!("up{}", number + 1));
        self.relay.plug(&interface, server, "srv0");
        self.relay.add_address(&interface, on_server_cable(number, 2));
        server.add_address("srv0", self.server_address(number));
        wait_for_address(server, "srv0");
        wait_for_address(&self.relay, &interface);
        server.ip(&format!("-6 route add default via {}", on_server_cable(number, 2)));
    }

    fn plug_far(&self) {
        self.relay.plug("far0", &self.far, "edge0");
        self.relay.add_address("far0", "2001:db8:fa::2".parse().unwrap());
        self.relay.add_address("far0", CONNECTED.parse().unwrap());
        self.far.add_address("edge0", "2001:db8:fa::1".parse().unwrap());
        wait_for_address(&self.far, "edge0");
        self.relay.ip(&format!("-6 route add {STRANGE_ROUTE}"));
    }

    /// Has everything behind the relay sought there by whoever is far away.
    pub(crate) fn lead_far_to_relay(&self) {
        self.far.ip("-6 route replace default via 2001:db8:fa::2 dev edge0");
    }

    /// What is there of strangers; to be the same at all times.
    pub(crate) fn strangers(&self) -> String {
        let of = |protocol| self.relay.ip(&format!("-6 route show dev far0 proto {protocol}"));
        of("static") + &of("kernel")
    }

    /// The relay's interfaces.
    pub(crate) fn interfaces(&self) -> Vec<String> {
        let access = (0..self.clients.len()).map(access);
        let upper = (1..=self.servers.len()).map(|number| format!("up{number}"));
        access.chain(upper).chain(["far0".to_owned()]).collect()
    }

    /// The number that the relay's interface with a client has in its kernel.
    pub(crate) fn interface_number(&self, client: usize) -> String {
        let line = self.relay.ip(&format!("-o link show dev {}", access(client)));
        line.split(':').next().expect("a number").to_owned()
    }

    /// Where the relay finds a server.
    pub(crate) fn server_address(&self, number: usize) -> Ipv6Addr {
        on_server_cable(number, 1)
    }

    /// The address by which the relay reaches a client.
    pub(crate) fn client_address(&self, number: usize) -> Ipv6Addr {
        self.clients[number].addresses("cli0", "link")[0]
    }
}

/// The relay's interface with this client.
pub(crate) fn access(client: usize) -> String {
    format!("acc{}", client + 1)
}

fn new_relay() -> Host {
    let relay = Host::new("relay");
    relay.set_ipv6("forwarding", 1);
    relay.set_ipv6("keep_addr_on_down", 1);
    relay
}

fn on_server_cable(number: usize, host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0xff1 + number as u16, 0, 0, 0, 0, host)
}

pub(crate) fn wait_for_address(host: &Host, interface: &str) {
    let ready = || (!host.addresses(interface, "link").is_empty()).then_some(());
    Bell::default().wait(CABLE_PATIENCE, &format!("an address of the link on {interface}"), ready);
}
