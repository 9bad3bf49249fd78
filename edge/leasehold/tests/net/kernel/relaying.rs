//! What a running relay does in the kernel without any server: it keeps what an earlier run has left.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::yield_now;
use std::time::Instant;

use leasehold::kernel::RouteSettings;
use relay::Target;

use super::filter::{has_nft, listed};
use super::{ours, route, via};
use crate::PATIENCE;
use crate::namespace::{in_namespaces, ip};

/// A relay that is killed in the end.
struct Relay(Child);

impl Relay {
    fn start(folder: &Path) -> Self {
        let file = folder.join("relay.toml");
        let state = folder.join("state");
        let text = format!(
            "state = {state:?}\n\
             [relay.routes]\n\
             aggregates = [\"2001:db8::/32\"]\n\
             filter = {{ table = \"leasehold\", set = \"delegated\" }}\n\
             loops = \"drop\"\n\
             [[relay.interface]]\n\
             names = [\"cable*\"]\n\
             [[relay.server]]\n\
             address = \"2001:db9::1\"\n"
        );
        fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        command.arg("relay").arg("--config").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        yield_now();
    }
}

// PDR-16, PDR-17, PDR-25, PDR-31
#[test]
fn a_relay_keeps_routes_and_filter_that_an_earlier_run_has_left() {
    in_namespaces(|far| {
        if !has_nft() {
            return;
        }
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        ip("-6 route add 2001:db8:1:100::/56 via fe80::1 dev cable1 proto 220 metric 512");
        let folder = tempfile::tempdir().unwrap();
        let settings = RouteSettings::default();
        let left = route("2001:db8:1:100::/56", via("fe80::1", index));
        let relay = Relay::start(folder.path());
        until("the aggregate is closed, and the route has stayed", || {
            let there = ours(&settings);
            there.len() == 2
                && there.contains(&left)
                && there.iter().any(|own| own.target == Target::Unreachable)
        });
        for set in ["delegated", "delegated-loops"] {
            until("it may send", || {
                let is_made = Command::new("nft").args(["list", "set", "inet", "leasehold", set]).output();
                is_made.is_ok_and(|output| output.status.success())
                    && listed(set) == ["\"cable1\" . 2001:db8:1:100::/56"]
            });
        }
        // What is not there any more may not send either.
        ip("-6 route del 2001:db8:1:100::/56 via fe80::1 dev cable1 proto 220 metric 512");
        until("it may send no longer", || listed("delegated").is_empty());
        drop(relay);
        assert_eq!(
            ours(&settings),
            [route("2001:db8::/32", Target::Unreachable)],
            "routes outlive the relay"
        );
    });
}
