//! Another relay is between the client and ours: what is delegated leads to that relay.

use std::net::Ipv6Addr;
use std::path::Path;

use super::kernel::{self, Way};
use super::servers::Kind;
use super::site::{AGGREGATE, Site, access, wait_for_address};
use super::stage::{SOON, play, settle};
use crate::bell::Bell;
use crate::client::DHCLIENT;
use crate::host::Host;
use crate::process::Process;
use crate::relay::Relay;
use crate::scenario::Report;

/// Of the other relay: towards ours, and towards the client.
const NODE: &str = "2001:db8:1::a";
const NODE_LINK: &str = "2001:db8:2::1";
const NODE_LINK_LOCAL: &str = "fe80::a";
/// Where it sends: our relay.
const NEXT: &str = "2001:db8:1::1";

/// Who is between the client and our relay.
#[derive(Clone, Copy)]
pub(crate) enum Between {
    /// A relay of Debian's, which forwards and does nothing else.
    Debian(Relay),
    /// Another one of ours, which keeps routes, too.
    Ours,
}

impl Between {
    /// As reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Debian(relay) => relay.name(),
            Self::Ours => "another of ours",
        }
    }

    fn start(self, node: &Host, bell: &Bell) -> Process {
        let next = NEXT.parse().unwrap();
        match self {
            Self::Debian(relay) => relay.start_by("cli0", node, next, bell),
            Self::Ours => {
                let config = node.write("leasehold.toml", &ours(&node.path("var/lib/leasehold")));
                let mut command = node.enter(env!("CARGO_BIN_EXE_leasehold"));
                command.arg("relay").arg("--config").arg(config).env("NO_COLOR", "1");
                Process::start("leasehold relay", &mut command, bell)
            }
        }
    }

    /// Has the prefix lead to the customer.
    fn route(self, node: &Host, prefix: &str, customer: Ipv6Addr, bell: &Bell) {
        let way = Way { next_hop: Some(customer), interface: Some("down0".to_owned()) };
        match self {
            Self::Debian(_) => _ = node.ip(&format!("-6 route add {prefix} via {customer} dev down0")),
            // PDR-13
            Self::Ours => bell.wait(SOON, "the other relay to have a route", || {
                (kernel::routes(node).get(prefix) == Some(&way)).then_some(())
            }),
        }
    }
}

/// Our relay is no server, and cannot be asked.
fn ours(state: &Path) -> String {
    format!(
        r#"state = {state:?}
[[relay.interface]]
names = ["down0"]
[[relay.server]]
address = "{NEXT}"
leasequery = false
[relay.routes]
aggregates = ["{AGGREGATE}"]
"#
    )
}

/// A client behind somebody behind our relay.
pub(crate) fn behind(between: Between) -> Result<Report, String> {
    play(1, &[Kind::Leasehold], "", |stage| {
        let customer = plug_customer(&stage.site);
        stage.start_relay();
        // The machine that is a client otherwise.
        let node = &stage.site.clients[0];
        let _between = between.start(node, &stage.bell);
        node.wait_for_listener("down0", &stage.bell);
        let (_client, prefix) = settle(&customer, &DHCLIENT, &stage.bell);
        let way = Way { next_hop: Some(NODE.parse().unwrap()), interface: Some(access(0)) };
        stage.wait_for_way(&prefix, &way);
        between.route(node, &prefix, customer.addresses("cli0", "link")[0], &stage.bell);
        stage.wait_for_answer(&prefix);

        stage.strike();
        stage.ours.forget();
        stage.expect_silence(&prefix);
        let begun = stage.start_relay();
        stage.wait_for_routes(begun, &[(prefix.clone(), way)].into());
        stage.wait_for_answer(&prefix);
    })
}

fn plug_customer(site: &Site) -> Host {
    let (customer, node) = (Host::new("customer"), &site.clients[0]);
    node.set_ipv6("forwarding", 1);
    node.plug("down0", &customer, "cli0");
    node.add_address("cli0", NODE.parse().unwrap());
    node.add_address("down0", NODE_LINK.parse().unwrap());
    node.add_address("down0", NODE_LINK_LOCAL.parse().unwrap());
    wait_for_address(node, "down0");
    wait_for_address(&customer, "cli0");
    customer.ip(&format!("-6 route add default via {NODE_LINK_LOCAL} dev cli0"));
    site.lead_client_to_relay(0);
    customer
}
