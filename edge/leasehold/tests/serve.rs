//! The server's sockets, as a requestor meets them.

use std::io::Read;
use std::net::{Ipv6Addr, SocketAddrV6, TcpStream};
use std::time::Duration;

use leasehold::serve::{self, Plan, Running};
use server::Holdings;
use server::leasequery::{Access, BulkLimits, Policy, Rule};
use wire::{Duid, SERVER_PORT};

fn start(allowed: &str, port: u16) -> Running {
    let policy = Policy {
        server_id: Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]).unwrap(),
        access: Access::new(vec![Rule { from: allowed.parse().unwrap(), queries: None }]),
        refuse_silently: false,
        sensitive_options: Default::default(),
        track_relays: true,
        relayed_hops: 0,
        bulk: BulkLimits { max_connections: 1, ..BulkLimits::default() },
    };
    let at = SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0);
    serve::start(Plan::leasequery(policy, Holdings::default(), vec![at])).unwrap()
}

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.bulk_addresses()[0]).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Closed without an octet, by FIN or by RST.
fn is_closed(mut stream: TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(octets) => octets == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

// BLQ-S-05
#[test]
fn a_requestor_that_is_not_permitted_is_closed_at_once() {
    let server = start("2001:db8::/32", 0);
    assert!(is_closed(connect(&server)));
    server.stop();
}

// BLQ-S-01, BLQ-S-03
#[test]
fn a_connection_beyond_the_limit_is_closed_at_once() {
    let server = start("::1/128", 0);
    let first = connect(&server);
    assert!(is_closed(connect(&server)));
    drop(first);
    server.stop();
}

// BLQ-F-09
#[test]
fn bulk_leasequery_is_served_on_port_547() {
    match TcpStream::connect((Ipv6Addr::LOCALHOST, SERVER_PORT)) {
        Ok(_) => panic!("something else serves port {SERVER_PORT} of this machine already"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused),
    }
    let bound = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, SERVER_PORT));
    if bound.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied) {
        assert!(std::env::var_os("CI").is_none(), "port {SERVER_PORT} needs root, and CI must have it");
        eprintln!("NOT SHOWN: port {SERVER_PORT} needs root");
        return;
    }
    let server = start("::1/128", SERVER_PORT);
    assert_eq!(server.bulk_addresses()[0].port(), 547);
    drop(connect(&server));
    server.stop();
}
