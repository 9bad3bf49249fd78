//! What a scenario runs on: a client, any number of relays, and a server, in a row.
//!
//! ```text
//!  client              relay               relay               server
//!    cli0 ------ down0       up0 ------ down0       up0 ------ srv0
//!     2001:db8:1::1^     2001:db8:e1::1^            2001:db8:ffff::1^
//! ```
//!
//! On every cable the end nearer to the server has the host part 1, and of a relay's cable the other end 2. The client has only what
//! the kernel gives it, an address of the link. Without relays the server is on the client's link.

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::bell::Bell;
use crate::host::Host;

/// The client's link; what is configured on the server has to agree with it.
pub(crate) const LINK: &str = "2001:db8:1::1";
/// Of the server, on whatever cable it has: so can it be asked from the next host.
pub(crate) const SERVER_LINK_LOCAL: &str = "fe80::1";
/// For a cable to carry; it takes milliseconds.
pub(crate) const CABLE_PATIENCE: Duration = Duration::from_secs(10);

/// A row of hosts, cables plugged, addresses ready.
pub(crate) struct Network {
    pub(crate) client: Host,
    /// The one nearest to the client first.
    pub(crate) relays: Vec<Host>,
    pub(crate) server: Host,
    /// Where each relay sends: the address of the next hop's lower end.
    pub(crate) next_hops: Vec<Ipv6Addr>,
}

impl Network {
    /// One with so many relays.
    pub(crate) fn new(relays: usize) -> Self {
        let client = Host::new("client");
        let relays: Vec<Host> = (1..=relays).map(|number| Host::new(&format!("relay{number}"))).collect();
        let server = Host::new("server");

        let uppers = relays.iter().map(|relay| (relay, "up0"));
        let mut lower_ends = vec![(&client, "cli0")];
        lower_ends.extend(uppers);
        let mut upper_ends: Vec<_> = relays.iter().map(|relay| (relay, "down0")).collect();
        upper_ends.push((&server, "srv0"));

        let mut next_hops = Vec::new();
        for (cable, ((below, lower), (above, upper))) in lower_ends.iter().zip(&upper_ends).enumerate() {
            below.plug(lower, above, upper);
            let network = network(cable, relays.len());
            above.add_address(upper, with_host(network, 1));
            if cable > 0 {
                below.add_address(lower, with_host(network, 2));
                next_hops.push(with_host(network, 1));
            }
        }
        server.add_address("srv0", SERVER_LINK_LOCAL.parse().unwrap());
        for (host, interface) in lower_ends.iter().chain(&upper_ends) {
            let what = format!("an address of the link on {interface}");
            let ready = || (!host.addresses(interface, "link").is_empty()).then_some(());
            Bell::default().wait(CABLE_PATIENCE, &what, ready);
        }
        Self { client, relays, server, next_hops }
    }

    /// The host next to the server and its interface there.
    pub(crate) fn next_to_server(&self) -> (&Host, &'static str) {
        self.relays.last().map_or((&self.client, "cli0"), |relay| (relay, "up0"))
    }
}

/// The network of a cable, counted from the client.
fn network(cable: usize, relays: usize) -> Ipv6Addr {
    let text = match cable {
        0 => LINK.to_owned(),
        last if last == relays => "2001:db8:ffff::".to_owned(),
        between => format!("2001:db8:e{between}::"),
    };
    text.parse().unwrap()
}

fn with_host(network: Ipv6Addr, host: u16) -> Ipv6Addr {
    let mut segments = network.segments();
    segments[7] = host;
    Ipv6Addr::from(segments)
}
