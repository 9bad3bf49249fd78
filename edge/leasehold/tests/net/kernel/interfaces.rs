//! Interfaces and their addresses.

use leasehold::kernel::{InterfaceAddress, InterfaceFacts, interfaces};

use crate::namespace::{in_namespaces, ip};

fn find(name: &str) -> InterfaceFacts {
    let all = interfaces().unwrap();
    all.into_iter().find(|interface| interface.name == name).unwrap()
}

#[test]
fn an_interface_is_told_with_all_that_names_it() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        ip("link set cable1 address 02:00:5e:10:00:01");
        ip("addr add 2001:db8:9::1/64 dev cable1 nodad");
        ip("addr add 2001:db8:8::1/64 dev cable1 nodad preferred_lft 0");
        let facts = find("cable1");
        assert_eq!((facts.index, facts.hardware_type), (index, 1));
        assert_eq!(facts.hardware_address, [2, 0, 0x5e, 0x10, 0, 1]);
        assert!(facts.is_up && facts.is_running);
        assert_eq!((facts.vlan_id, facts.lower_index, facts.master_index), (None, None, None), "{facts:?}");
        let address = |text: &str, is_deprecated| InterfaceAddress {
            address: text.parse().unwrap(),
            prefix_length: 64,
            is_tentative: false,
            is_deprecated,
            is_temporary: false,
        };
        for expected in
            [address("fe80::2", false), address("2001:db8:9::1", false), address("2001:db8:8::1", true)]
        {
            assert!(facts.addresses.contains(&expected), "{facts:?}");
        }
        ip("link set cable1 down");
        assert!(!find("cable1").is_up);
    });
}

#[test]
fn a_loopback_interface_has_the_loopback_address() {
    in_namespaces(|_| {
        let facts = find("lo");
        assert_eq!((facts.index, facts.hardware_type), (1, 772));
        assert_eq!((facts.addresses[0].address.is_loopback(), facts.addresses[0].prefix_length), (true, 128));
    });
}

#[test]
fn the_port_of_a_bridge_names_its_bridge_and_an_address_that_is_being_tried_says_so() {
    in_namespaces(|far| {
        far.lay_cable("cable1", "end1", "fe80::1/64");
        ip("link add bridge1 type bridge");
        ip("link set bridge1 up");
        ip("link set cable1 master bridge1");
        assert_eq!(find("cable1").master_index, Some(find("bridge1").index));
        // Without a carrier nobody can be asked whether it is theirs.
        ip("link set cable1 nomaster");
        ip("addr add 2001:db8:9::1/64 dev bridge1");
        let bridge = find("bridge1");
        assert!(bridge.is_up && !bridge.is_running);
        let tried = bridge.addresses.iter().find(|address| address.address.segments()[0] == 0x2001).unwrap();
        assert!(tried.is_tentative, "{bridge:?}");
    });
}

#[test]
fn the_far_address_of_a_point_to_point_link_is_not_ours() {
    in_namespaces(|far| {
        far.lay_cable("cable1", "end1", "fe80::1/64");
        ip("addr add 2001:db8:7::1 peer 2001:db8:7::2 dev cable1 nodad");
        let facts = find("cable1");
        let has = |text: &str| {
            facts
                .addresses
                .iter()
                .any(|address| address.address == text.parse::<std::net::Ipv6Addr>().unwrap())
        };
        assert!(has("2001:db8:7::1") && !has("2001:db8:7::2"), "{facts:?}");
    });
}
