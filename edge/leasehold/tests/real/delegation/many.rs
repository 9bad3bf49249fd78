//! Twenty thousand delegations are recovered, and packets for any of them are forwarded.
//!
//! The clients are made up; of some of them, the first addresses of their prefixes are given to the hosts on their interfaces.

use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use super::kernel::{self, Way};
use super::ours::Ours;
use super::servers::{Kind, Server};
use super::site::{Site, access};
use super::stage::within;
use crate::bell::Bell;
use crate::scenario::Report;

const DELEGATIONS: u32 = 20_000;
const INTERFACES: u32 = 4;
/// Every so many of them somebody answers.
const SAMPLE: usize = 1_777;
/// The only relay that `import synthetic --relays 1` makes up, and from what is delegated behind it.
const RELAY_ID: &str = "00:03:00:01:02:00:00:00:00:01";
const AGGREGATE: &str = "3fff::/20";
/// For a program without optimisation, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Clients behind four interfaces.
pub(crate) fn recover() -> Result<Report, String> {
    let begun = std::time::Instant::now();
    let bell = Bell::default();
    let site = Site::new(INTERFACES as usize, 1);
    site.lead_far_to_relay();
    let mut server = Server::new(Kind::Leasehold, &site, 0, &bell);
    populate(&site);
    server.start(&site);
    let mut ours = Ours::named(RELAY_ID, &site, AGGREGATE, "", &bell);
    ours.start(&site);

    let whole = |what: &str| {
        bell.wait(PATIENCE, what, || {
            let routes = kernel::routes(&site.relay);
            (routes.len() == DELEGATIONS as usize).then_some(routes)
        })
    };
    let routes = whole("all routes to be there");
    for number in (0..DELEGATIONS).step_by(SAMPLE) {
        assert_eq!(routes.get(&prefix(number)), Some(&way(number)), "{number}");
        answer(&site, number);
    }

    // From memory alone, too.
    for number in (0..DELEGATIONS).step_by(SAMPLE).chain([DELEGATIONS - 1]) {
        bell.wait(PATIENCE, "all to be written down", || ours.remembers(&prefix(number)).then_some(()));
    }
    ours.kill();
    server.stop();
    kernel::flush(&site.relay);
    ours.start(&site);
    assert!(whole("all routes to be back") == routes, "other routes than before");
    Ok(Report { packets: 0, took: begun.elapsed() })
}

/// Fills the server's state.
fn populate(site: &Site) {
    let interfaces: Vec<String> = (0..INTERFACES as usize).map(access).collect();
    let output = Command::new(env!("CARGO_BIN_EXE_leasehold"))
        .args(["import", "synthetic", "--relays", "1", "--clients", &DELEGATIONS.to_string()])
        .args(["--interface-ids", &interfaces.join(",")])
        .arg("--into")
        .arg(site.servers[0].path("var/lib/leasehold"))
        .output()
        .expect("leasehold import starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What was delegated to the client with this number.
fn prefix(number: u32) -> String {
    let network = Ipv6Addr::from_bits(0x3fff_u128 << 112 | u128::from(number) << 72);
    format!("{network}/56")
}

/// Where it is, and by which address it is reached.
fn way(number: u32) -> Way {
    // The MAC address is 02:00:00 and the number, so that the lower half is 0000:00ff:fe and the number.
    let lower = 0xff_fe00_0000_u64 | u64::from(number);
    let next_hop = Ipv6Addr::from_bits(0xfe80_u128 << 112 | u128::from(lower));
    Way { next_hop: Some(next_hop), interface: Some(access((number % INTERFACES) as usize)) }
}

/// Has somebody answer for a client, and sees that packets for it arrive.
fn answer(site: &Site, number: u32) {
    let (client, Way { next_hop, .. }) = (&site.clients[(number % INTERFACES) as usize], way(number));
    let address = within(&prefix(number));
    client.add_address("cli0", next_hop.expect("it has one"));
    client.ip(&format!("-6 address add {address}/128 dev lo"));
    Bell::default().wait(PATIENCE, &format!("an answer from {address}"), || {
        kernel::answers(&site.far, address).then_some(())
    });
}
