//! What a client gives back that is somebody else's: the operator reads of it, and it stays where it is.

use std::sync::atomic::AtomicBool;

use crate::server::Server;
use crate::subscriber::{Relay, Told};

// DH-R-42
#[test]
fn who_gives_back_what_others_hold_is_in_the_log() {
    let mut server = Server::new();
    server.start();
    let relay = Relay::to(server.address(), server.link_address());
    let told = relay.ask(1, &AtomicBool::new(false)).expect("the server has not ended");
    let Told { resource, .. } =
        told.iter().find(|told| told.resource.address().is_some()).expect("an address");
    relay.release(2, *resource);
    server.wait_until_it_says("not held by the client that would give it back");
    let line = server.last_said();
    assert!(line.contains(&resource.to_string()) && line.contains("00:03:00:01:02:00:00:00:00:02"), "{line}");
    assert_eq!(relay.ask(1, &AtomicBool::new(false)), Some(told), "it has what it had");
}
