//! SIGHUP and SIGTERM: a configuration read anew loses no binding, a faulty one changes nothing, and the end is
//! clear.

use std::sync::atomic::AtomicBool;

use lease::Resource;

use crate::server::{LINK, Server};
use crate::subscriber::{Relay, Told};

fn ask(server: &Server, number: u32) -> Vec<Told> {
    let relay = Relay::to(server.address(), server.link_address());
    relay.ask(number, &AtomicBool::new(false)).expect("the server has not ended")
}

fn prefix(told: &[Told]) -> wire::Prefix {
    told.iter().find_map(|told| Resource::prefix(told.resource)).expect("a prefix")
}

#[test]
fn a_configuration_read_anew_serves_new_clients_and_loses_no_binding() {
    let mut server = Server::new();
    server.start();
    let before = ask(&server, 1);
    server.reload(&LINK.replace("2001:db8:f000::/36", "2001:db8:e000::/36"));
    server.wait_until_it_says("configuration read anew");
    let (new, same) = (ask(&server, 2), ask(&server, 1));
    let pool: wire::Prefix = "2001:db8:e000::/36".parse().unwrap();
    assert!(pool.covers(prefix(&new)), "{new:?}");
    assert_eq!(before[0], same[0], "the address is still in its pool");
    server.signal("TERM");
    server.wait_for_end();
    assert_eq!(server.ended().code, Some(0));
    let table = server.table();
    for Told { key, resource } in before.iter().chain(&new) {
        let client = table.client(key).expect("the client is known");
        assert!(client.leases().any(|held| held.lease.resource == *resource), "{resource} is lost");
    }
}

#[test]
fn a_binding_outlives_the_configuration_of_its_link() {
    let mut server = Server::new();
    server.start();
    let told = ask(&server, 1);
    server.reload("");
    server.wait_until_it_says("configuration read anew");
    server.reload(LINK);
    server.wait_until_it_says("configuration read anew");
    assert_eq!(ask(&server, 1), told);
}

#[test]
fn a_faulty_configuration_changes_nothing() {
    let mut server = Server::new();
    server.start();
    let told = ask(&server, 1);
    server.reload(&LINK.replace("rapid-commit", "rapid-comit"));
    server.wait_until_it_says("did you mean rapid-commit?");
    assert_eq!(ask(&server, 1), told);
}
