//! Nothing that a client was told is lost: not when the server is killed, and not when the disk is full.
//!
//! The server is the real program with its real store. Subscribers behind a simulated relay note what
//! they are told; afterwards the store is opened, and everything that was told has to be in it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crate::server::Server;
use crate::subscriber::{Relay, Told};
use lease::{ClientKey, LeaseState, Table};

/// Subscribers that ask at a time: so many answers are on their way when the server dies.
const AT_A_TIME: u32 = 16;

/// Has new subscribers ask until the server has ended, which `stop` brings about when `enough` leases were
/// told.
fn ask_until(server: &Server, next: &AtomicU32, enough: usize, stop: impl Fn() + Sync) -> Vec<Told> {
    let (told, count, ended) = (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            server.wait_for_end();
            ended.store(true, Ordering::Release);
        });
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                let relay = Relay::to(server.address(), server.link_address());
                while let Some(leases) = relay.ask(next.fetch_add(1, Ordering::Relaxed), &ended) {
                    let before = count.fetch_add(leases.len(), Ordering::Relaxed);
                    told.lock().unwrap().extend(leases);
                    if before < enough && before + 2 >= enough {
                        stop();
                    }
                }
            });
        }
    });
    told.into_inner().unwrap()
}

fn assert_held(table: &Table, told: &[Told]) {
    for Told { key, resource } in told {
        let ClientKey { link, duid } = key;
        let client =
            table.client(key).unwrap_or_else(|| panic!("{duid} on link {link} is not known any more"));
        let lease = client.leases().map(|held| held.lease).find(|lease| lease.resource == *resource);
        let lease =
            lease.unwrap_or_else(|| panic!("{duid} was told {resource}, which is not known any more"));
        assert_eq!(lease.state, LeaseState::Active);
    }
}

// DH-L-21, DH-S-03
#[test]
fn a_killed_server_has_kept_everything_it_has_told() {
    let mut server = Server::new();
    let (next, mut told) = (AtomicU32::new(0), Vec::new());
    for round in 1..=5 {
        server.start();
        told.extend(ask_until(&server, &next, 400 * round, || server.kill()));
        server.ended();
        assert_held(&server.table(), &told);
    }
    assert!(told.len() >= 2_000, "only {} leases were told", told.len());
}

// DH-L-21
#[test]
fn a_full_disk_stops_the_server_with_one_line_and_loses_nothing() {
    let mut server = Server::new();
    let Some(disk) = server.start_on_small_disk() else {
        assert!(std::env::var_os("CI").is_none(), "CI must have the right to mount a small file system");
        eprintln!("LACKING: no right to mount a small file system, a full one is not tested");
        return;
    };
    let next = AtomicU32::new(0);
    let told = ask_until(&server, &next, 200, || disk.fill());
    let ended = server.ended();
    assert_eq!(ended.code, Some(1));
    let complaints: Vec<&String> =
        ended.stderr.iter().filter(|line| line.starts_with("leasehold: ")).collect();
    assert_eq!(complaints.len(), 1, "{:?}", ended.stderr);
    assert!(complaints[0].contains("cannot make leases durable"), "{}", complaints[0]);
    assert_held(&server.table(), &told);

    // Where there is room again it goes on.
    server.start();
    let relay = Relay::to(server.address(), server.link_address());
    let more = relay.ask(next.fetch_add(1, Ordering::Relaxed), &AtomicBool::new(false));
    server.kill();
    server.ended();
    assert_held(&server.table(), &more.expect("the server lives"));
    assert_held(&server.table(), &told);
}
