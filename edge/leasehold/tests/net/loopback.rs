//! Batches, large datagrams, refusals, waiting and waking, without any privilege.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use leasehold::net::{BATCH, Batch, Outgoing, Poller, ServerSocket};
use nix::net::if_::if_nametoindex;

use crate::{PATIENCE, receive};

/// Octets of the largest UDP datagram: what the length of an IPv6 payload can say, without the UDP header.
const LARGEST: usize = 65_535 - 8;

fn socket() -> ServerSocket {
    ServerSocket::bind(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0)).unwrap()
}

fn datagram(octets: Vec<u8>, to: &ServerSocket) -> Outgoing {
    Outgoing { octets, to: to.local_address().unwrap(), source: Ipv6Addr::UNSPECIFIED, interface_index: 0 }
}

#[test]
fn batches_keep_order_and_sizes_and_say_how_each_came_in() {
    let (server, client) = (socket(), socket());
    let sizes: Vec<usize> = (0..3 * BATCH + 5).map(|number| number * 37 % 1400).collect();
    let sent: Vec<_> = sizes.iter().enumerate().map(|(number, size)| vec![number as u8; *size]).collect();
    let outgoing: Vec<_> = sent.iter().map(|octets| datagram(octets.clone(), &server)).collect();
    assert_eq!(client.send(&outgoing), sent.len());
    let received = receive(&server, sent.len());
    let loopback = if_nametoindex("lo").unwrap();
    for (octets, (came, arrival)) in sent.iter().zip(&received) {
        assert_eq!(octets, came);
        assert_eq!(arrival.source, client.local_address().unwrap());
        assert_eq!(arrival.destination, Ipv6Addr::LOCALHOST);
        assert_eq!(arrival.interface_index, loopback);
    }
    assert_eq!(server.counters().received.load(Relaxed), sent.len() as u64);
    assert_eq!(client.counters().sent.load(Relaxed), sent.len() as u64);
}

#[test]
fn a_batch_takes_its_number_and_leaves_the_rest() {
    let (server, client) = (socket(), socket());
    client.send(&vec![datagram(vec![1], &server); BATCH + 1]);
    let mut batch = Batch::new();
    assert_eq!(server.receive(&mut batch).unwrap(), BATCH);
    assert_eq!(batch.received().count(), BATCH);
    assert_eq!(server.receive(&mut batch).unwrap(), 1);
    assert_eq!(server.receive(&mut batch).unwrap(), 0);
    assert_eq!(batch.received().count(), 0, "an old datagram must not be met again");
}

// DH-T-07
#[test]
fn the_largest_datagram_arrives_whole_in_either_direction() {
    let (server, client) = (socket(), socket());
    let octets: Vec<u8> = (0..LARGEST).map(|place| (place % 251) as u8).collect();
    assert_eq!(client.send(&[datagram(octets.clone(), &server)]), 1);
    let (came, arrival) = receive(&server, 1).remove(0);
    assert!(came == octets, "{} octets came", came.len());
    server.send(&[arrival.answer_relay(came, arrival.source.port())]);
    assert!(receive(&client, 1).remove(0).0 == octets);
    assert_eq!(server.counters().cut.load(Relaxed), 0);
}

#[test]
fn what_the_kernel_refuses_is_counted_and_the_others_go() {
    let (server, client) = (socket(), socket());
    let good = |octet| datagram(vec![octet], &server);
    let no_interface = Outgoing { interface_index: i32::MAX as u32, ..good(8) };
    let foreign_source = Outgoing { source: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xbad), ..good(9) };
    let too_large = datagram(vec![0; LARGEST + 1], &server);
    let sent = client.send(&[good(1), no_interface, good(2), foreign_source, too_large, good(3)]);
    assert_eq!(sent, 3);
    let came: Vec<_> = receive(&server, 3).into_iter().map(|(octets, _)| octets[0]).collect();
    assert_eq!(came, [1, 2, 3]);
    assert_eq!(client.counters().refused.load(Relaxed), 3);
    assert_eq!(client.counters().sent.load(Relaxed), 3);
}

#[test]
fn an_empty_datagram_is_one_too() {
    let (server, client) = (socket(), socket());
    assert_eq!(client.send(&[datagram(Vec::new(), &server)]), 1);
    assert!(receive(&server, 1)[0].0.is_empty());
}

#[test]
fn another_thread_sends_while_one_receives() {
    // As many as the smallest usual socket holds, should nobody read meanwhile.
    const COUNT: usize = 200;
    let (server, client) = (Arc::new(socket()), socket());
    let sender = Arc::clone(&server);
    let outgoing = vec![datagram(vec![7; 100], &client); COUNT];
    let sending = thread::spawn(move || sender.send(&outgoing));
    client.send(&vec![datagram(vec![7; 100], &server); COUNT]);
    receive(&server, COUNT);
    receive(&client, COUNT);
    assert_eq!(sending.join().unwrap(), COUNT);
}

#[test]
fn a_port_is_not_shared() {
    let first = socket();
    assert!(ServerSocket::bind(first.local_address().unwrap()).is_err());
    assert!(first.receive_buffer_octets().unwrap() > 0);
}

#[test]
fn waiting_ends_at_its_moment_and_not_before() {
    let server = socket();
    let until = Instant::now() + Duration::from_millis(20);
    let ready = Poller::new().unwrap().wait(&[server.as_fd()], Some(until)).unwrap();
    assert!(Instant::now() >= until);
    assert!(!ready.woken() && !ready.readable(0) && !ready.readable(1));
}

#[test]
fn waiting_ends_when_one_of_several_sources_has_something() {
    let (first, second, client) = (socket(), socket(), socket());
    client.send(&[datagram(vec![1], &second)]);
    let poller = Poller::new().unwrap();
    let ready = poller.wait(&[first.as_fd(), second.as_fd()], Some(Instant::now() + PATIENCE)).unwrap();
    assert!(!ready.readable(0) && ready.readable(1) && !ready.woken());
}

#[test]
fn another_thread_ends_the_waiting_once_however_often_it_calls() {
    let poller = Poller::new().unwrap();
    let waker = poller.waker();
    let waking = thread::spawn(move || {
        waker.wake();
        waker.clone().wake();
    });
    let server = socket();
    assert!(poller.wait(&[server.as_fd()], None).unwrap().woken());
    waking.join().unwrap();
    // The second call may have come after the first was seen.
    let _ = poller.wait(&[server.as_fd()], Some(Instant::now())).unwrap();
    assert!(!poller.wait(&[server.as_fd()], Some(Instant::now())).unwrap().woken());
}
