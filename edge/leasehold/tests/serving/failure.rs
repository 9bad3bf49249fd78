//! A part of the server that fails takes the whole of it down: half a server would be worse than none.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use leasehold::config::Config;
use leasehold::serve::{self, Plan, Running, UdpAddress};
use server::Holdings;
use store::{Change, CommitError, LoadError, Loaded, Store, Visit};
use wire::Duid;

use crate::server::LINK;
use crate::subscriber::Relay;

/// How long it may take until a failure is known.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store that does something else when it shall commit.
struct Trap(fn() -> CommitError);

impl Store for Trap {
    fn load(&self, _: &mut Visit<'_>) -> Result<Loaded, LoadError> {
        Ok(Loaded { records: 0, commit: 0 })
    }

    fn commit(&mut self, _: &[Change<'_>]) -> Result<u64, CommitError> {
        Err(self.0())
    }
}

fn start(trap: Trap) -> Running {
    let config = Config::parse(Path::new("test"), LINK).unwrap();
    let holdings = Holdings { links: config.links(), ..Holdings::default() };
    let server_id = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]).unwrap();
    let plan = Plan::new(&config, server_id, holdings, Box::new(trap)).unwrap();
    let at = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
    let udp = vec![UdpAddress { at, dhcp: true, leasequery: false }];
    serve::start(Plan { udp, bulk: Vec::new(), control: None, ..plan }).unwrap()
}

/// Has the server commit something, and waits until it says that it has failed.
fn failure(server: &Running) -> String {
    let failed = AtomicBool::new(true);
    let relay = Relay::to(server.udp_addresses()[0], "2001:db8:1::1".parse().unwrap());
    assert_eq!(relay.ask(1, &failed), None, "nothing is told that is not durable");
    let deadline = Instant::now() + PATIENCE;
    loop {
        match server.failure() {
            Some(failure) => return failure,
            None => assert!(Instant::now() < deadline, "no failure is known"),
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_store_that_fails_stops_the_server() {
    let server = start(Trap(|| CommitError::Failed { because: "the disk is gone".to_owned() }));
    let failure = failure(&server);
    assert!(failure.starts_with("cannot make leases durable"), "{failure}");
    assert!(failure.contains("the disk is gone"), "{failure}");
    server.stop();
}

#[test]
fn a_thread_that_panics_stops_the_server() {
    let server = start(Trap(|| panic!("a defect")));
    assert_eq!(failure(&server), "the thread \"commit\" has panicked");
    server.stop();
}
