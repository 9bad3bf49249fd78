//! The relay's routes, as its kernel has them, and whether they lead anywhere.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use serde_json::Value;

use crate::host::Host;

/// The number by which the relay's routes are known.
const PROTOCOL: &str = "220";

/// The way of a route: the next hop and the interface; neither, if it leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) next_hop: Option<Ipv6Addr>,
    pub(crate) interface: Option<String>,
}

/// By destination.
pub(crate) type Routes = BTreeMap<String, Way>;

/// The routes of ours with a next hop.
pub(crate) fn routes(host: &Host) -> Routes {
    let mut routes = all(host);
    routes.retain(|_, way| way.next_hop.is_some());
    routes
}

/// Where routes of ours lead nowhere.
pub(crate) fn unreachable(host: &Host) -> Vec<String> {
    let all = all(host).into_iter();
    all.filter(|(_, way)| way.next_hop.is_none()).map(|(destination, _)| destination).collect()
}

fn all(host: &Host) -> Routes {
    let list: Vec<Value> = serde_json::from_str(&host.ip(&format!("-6 -j route show proto {PROTOCOL}")))
        .expect("ip writes JSON");
    let text = |route: &Value, key: &str| route[key].as_str().map(str::to_owned);
    let way = |route: &Value| Way {
        next_hop: text(route, "gateway").map(|address| address.parse().expect("an address")),
        interface: text(route, "dev").filter(|_| route["type"] != "unreachable"),
    };
    list.iter().map(|route| (text(route, "dst").expect("a destination"), way(route))).collect()
}

/// Takes all of them away, behind the relay's back.
pub(crate) fn flush(host: &Host) {
    host.ip(&format!("-6 route flush proto {PROTOCOL}"));
}

/// Whether somebody answers at an address.
pub(crate) fn answers(from: &Host, address: Ipv6Addr) -> bool {
    let mut ping = from.enter("ping");
    let output = ping.args(["-6", "-n", "-q", "-c", "1", "-W", "1"]).arg(address.to_string()).output();
    output.expect("ping starts").status.success()
}
