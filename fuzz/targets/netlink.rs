//! What the kernel says of a route: it is none that matters, or it is seen as it is; one that is seen as ours
//! is seen so again when we write it, and a request of ours is seen as the route that was meant.
//!
//! The input is the payload of a message on a route, behind one octet that says which settings count.

#![no_main]

use leasehold::kernel::{MAIN_TABLE, RouteSettings, request, seen};
use libfuzzer_sys::fuzz_target;
use netlink_packet_core::Emitable;
use relay::{Change, Owner, Route};

fuzz_target!(|octets: &[u8]| {
    let Some((settings, payload)) = octets.split_first() else { return };
    let settings = RouteSettings {
        table: if settings & 1 == 0 { MAIN_TABLE } else { 1000 },
        is_vrf: settings & 2 != 0,
        ..RouteSettings::default()
    };
    let Some(route) = seen(&settings, payload) else { return };
    assert!(route.in_our_place || route.on_link);
    if let Owner::Ours(target) = route.owner {
        assert!(route.in_our_place && route.metric == settings.metric);
        let written = Route { destination: route.destination, target };
        let changes =
            [Change::Add(written), Change::Delete(written), Change::Replace { to: written, from: target }];
        for change in changes {
            let (_, _, message) = request(&settings, &change);
            let mut octets = vec![0; message.buffer_len()];
            message.emit(&mut octets);
            let again = seen(&settings, &octets).expect("it is ours");
            assert_eq!((again.destination, again.owner), (route.destination, route.owner));
            assert!(again.in_our_place);
        }
    }
});
