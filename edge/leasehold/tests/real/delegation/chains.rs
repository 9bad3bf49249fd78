//! Another relay is between the client and ours: what is delegated leads to that relay.

use std::net::Ipv6Addr;

use super::kernel::Way;
use super::servers::Kind;
use super::site::{Site, access, wait_for_address};
use super::stage::{play, settle};
use crate::client::DHCLIENT;
use crate::host::Host;
use crate::relay::Relay;
use crate::scenario::Report;

/// Of the other relay: towards ours, and towards the client.
const NODE: &str = "2001:db8:1::a";
const NODE_LINK: &str = "2001:db8:2::1";
const NODE_LINK_LOCAL: &str = "fe80::a";

/// A client behind this relay behind ours.
pub(crate) fn behind(relay: Relay) -> Result<Report, String> {
    play(1, &[Kind::Leasehold], "", |stage| {
        let site = &stage.site;
        // The machine that is a client otherwise.
        let node = &site.clients[0];
        let customer = plug_customer(site, node);
        let gateway: Ipv6Addr = "2001:db8:1::1".parse().unwrap();
        stage.start_relay();
        let site = &stage.site;
        let node = &site.clients[0];
        let _relay = relay.start_by("cli0", node, gateway, &stage.bell);
        node.wait_for_listener("down0", &stage.bell);
        // PDR-13
        let (_client, prefix) = settle(&customer, &DHCLIENT, &stage.bell);
        let way = Way { next_hop: Some(NODE.parse().unwrap()), interface: Some(access(0)) };
        stage.wait_for_way(&prefix, &way);

        // The other relay keeps no routes.
        let next_hop = customer.addresses("cli0", "link")[0];
        node.ip(&format!("-6 route add {prefix} via {next_hop} dev down0"));
        stage.wait_for_answer(&prefix);

        stage.strike();
        stage.ours.forget();
        stage.expect_silence(&prefix);
        let begun = stage.start_relay();
        stage.wait_for_routes(begun, &[(prefix.clone(), way)].into());
        stage.wait_for_answer(&prefix);
    })
}

fn plug_customer(site: &Site, node: &Host) -> Host {
    let customer = Host::new("customer");
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
