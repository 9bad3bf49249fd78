//! The interfaces that there are, with all that names them and all their IPv6 addresses.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use netlink_packet_core::Parseable;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoVlan, InfoVrf, LinkAttribute, LinkExtentMask, LinkFlags, LinkInfo, LinkMessage,
};
use nix::libc::{RTM_GETADDR, RTM_GETLINK, RTM_NEWADDR, RTM_NEWLINK};

use super::socket::NetlinkSocket;

/// Room for what the kernel says: it waits for the reader when it dumps.
const RECEIVE_OCTETS: usize = 256 * 1024;

/// How often it is tried to list them while they come and go.
const ATTEMPTS: usize = 20;

/// An interface as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceFacts {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What kind of link it is on, by the number that ARP gives it: 1 is Ethernet, 512 is PPP.
    pub hardware_type: u16,
    /// Its hardware address; none on some links.
    pub hardware_address: Vec<u8>,
    /// Whether it is switched on.
    pub is_up: bool,
    /// Whether it can send: switched on, and with a carrier.
    pub is_running: bool,
    /// The VLAN that it is, if it is one.
    pub vlan_id: Option<u16>,
    /// The number of the interface that it is made on, as a VLAN on its trunk, in this namespace.
    pub lower_index: Option<u32>,
    /// The number of the bridge, bond or VRF that it belongs to.
    pub master_index: Option<u32>,
    /// Its table, if it is a VRF.
    pub vrf_table: Option<u32>,
    /// Its IPv6 addresses, in the kernel's order.
    pub addresses: Vec<InterfaceAddress>,
}

/// An address on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The address.
    pub address: Ipv6Addr,
    /// How much of it names the link.
    pub prefix_length: u8,
    /// Whether it must not be used: it is not known yet to be nobody else's, or known to be.
    pub is_tentative: bool,
    /// Whether it should not be used for what is new.
    pub is_deprecated: bool,
    /// Whether it will change for the sake of privacy (RFC 8981).
    pub is_temporary: bool,
}

/// All interfaces of this thread's network namespace, by number. It is an error if they change faster than they
/// can be listed: of one that is not listed all routes would go.
pub fn interfaces() -> io::Result<Vec<InterfaceFacts>> {
    let mut socket = NetlinkSocket::open(RECEIVE_OCTETS)?;
    let links = socket.dump(ATTEMPTS, RTM_GETLINK, &link_request(), |all, message| {
        if message.message_type == RTM_NEWLINK {
            all.extend(LinkMessage::parse(message.payload).ok().map(link).map(|facts| (facts.index, facts)));
        }
    })?;
    let addresses = socket.dump(ATTEMPTS, RTM_GETADDR, &address_request(), |all, message| {
        if message.message_type == RTM_NEWADDR {
            all.extend(AddressMessage::parse(message.payload).ok().and_then(address));
        }
    })?;
    if !(links.is_whole && addresses.is_whole) {
        return Err(io::Error::new(io::ErrorKind::Interrupted, "they change faster than they can be listed"));
    }
    let mut links: BTreeMap<u32, InterfaceFacts> = links.all.into_iter().collect();
    for (index, address) in addresses.all {
        if let Some(facts) = links.get_mut(&index) {
            facts.addresses.push(address);
        }
    }
    Ok(links.into_values().collect())
}

fn link_request() -> LinkMessage {
    let mut message = LinkMessage::default();
    // Statistics are more than all the rest.
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    message
}

fn address_request() -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    message
}

fn link(message: LinkMessage) -> InterfaceFacts {
    let flags = message.header.flags;
    let mut facts = InterfaceFacts {
        index: message.header.index,
        name: String::new(),
        hardware_type: message.header.link_layer_type.into(),
        hardware_address: Vec::new(),
        is_up: flags.contains(LinkFlags::Up),
        is_running: flags.contains(LinkFlags::Up | LinkFlags::Running),
        vlan_id: None,
        lower_index: None,
        master_index: None,
        vrf_table: None,
        addresses: Vec::new(),
    };
    let mut is_elsewhere = false;
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => facts.name = name,
            LinkAttribute::Address(octets) => facts.hardware_address = octets,
            LinkAttribute::Link(index) => facts.lower_index = Some(index).filter(|index| *index != 0),
            LinkAttribute::LinkNetNsId(_) => is_elsewhere = true,
            LinkAttribute::Controller(index) => facts.master_index = Some(index).filter(|index| *index != 0),
            LinkAttribute::LinkInfo(infos) => infos.iter().for_each(|info| kind(&mut facts, info)),
            _ => {}
        }
    }
    if is_elsewhere {
        facts.lower_index = None;
    }
    facts
}

fn kind(facts: &mut InterfaceFacts, info: &LinkInfo) {
    match info {
        LinkInfo::Data(InfoData::Vlan(details)) => {
            facts.vlan_id = details.iter().find_map(|detail| match detail {
                InfoVlan::Id(id) => Some(*id),
                _ => None,
            });
        }
        LinkInfo::Data(InfoData::Vrf(details)) => {
            facts.vrf_table = details.iter().find_map(|detail| match detail {
                InfoVrf::TableId(table) => Some(*table),
                _ => None,
            });
        }
        _ => {}
    }
}

fn address(message: AddressMessage) -> Option<(u32, InterfaceAddress)> {
    let mut flags = AddressFlags::from_bits_retain(u32::from(message.header.flags.bits()));
    let (mut own, mut shared) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(IpAddr::V6(address)) => own = Some(*address),
            // On a point-to-point link this is the peer's, and its own is told beside.
            AddressAttribute::Address(IpAddr::V6(address)) => shared = Some(*address),
            AddressAttribute::Flags(all) => flags = *all,
            _ => {}
        }
    }
    let is_optimistic = flags.contains(AddressFlags::Optimistic);
    let facts = InterfaceAddress {
        address: own.or(shared)?,
        prefix_length: message.header.prefix_len,
        is_tentative: flags.contains(AddressFlags::Tentative) && !is_optimistic
            || flags.contains(AddressFlags::Dadfailed),
        is_deprecated: flags.contains(AddressFlags::Deprecated),
        // For IPv6 the kernel means that by "secondary".
        is_temporary: flags.contains(AddressFlags::Secondary),
    };
    Some((message.header.index, facts))
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::link::InfoKind;

    use super::*;

    fn message(attributes: Vec<LinkAttribute>) -> LinkMessage {
        let mut message = LinkMessage::default();
        message.attributes = attributes;
        message
    }

    #[test]
    fn a_vlan_tells_its_number_and_its_trunk() {
        let details = LinkInfo::Data(InfoData::Vlan(vec![InfoVlan::Id(100)]));
        let info = LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Vlan), details]);
        let facts =
            link(message(vec![LinkAttribute::IfName("lan.100".into()), LinkAttribute::Link(4), info]));
        assert_eq!((facts.name.as_str(), facts.vlan_id, facts.lower_index), ("lan.100", Some(100), Some(4)));
        let elsewhere = link(message(vec![LinkAttribute::Link(4), LinkAttribute::LinkNetNsId(0)]));
        assert_eq!(elsewhere.lower_index, None, "a number of another namespace says nothing here");
    }

    #[test]
    fn a_vrf_tells_its_table() {
        let details = LinkInfo::Data(InfoData::Vrf(vec![InfoVrf::TableId(1000)]));
        let facts =
            link(message(vec![LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Vrf), details])]));
        assert_eq!(facts.vrf_table, Some(1000));
    }
}
