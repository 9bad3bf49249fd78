//! Cables between namespaces, and what is at their ends: addresses and routes.
//!
//! All but [`lay`] acts in the namespace of the thread that calls it.

use std::net::{IpAddr, Ipv6Addr};

use anyhow::{Context, Result};
use netlink_packet_core::{Emitable, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use nix::libc::{RT_TABLE_LOCAL, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWROUTE};
use nix::net::if_::if_nametoindex;
use wire::Prefix;

use super::namespace::Namespace;
use crate::kernel::{self, ask};

/// An address, and how much of it names the link.
pub(super) type OnLink = (Ipv6Addr, u8);

/// Lays a cable between two interfaces that are made for it; both are down.
pub(super) fn lay(near: (&Namespace, &str), far: (&Namespace, &str)) -> Result<()> {
    near.0.within(|| {
        let mut there = end(far.1);
        there.attributes.push(LinkAttribute::NetNsFd(far.0.number()));
        let mut here = end(near.1);
        here.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(there))),
        ]));
        make(RTM_NEWLINK, &here).with_context(|| format!("cannot lay a cable from {}", near.1))
    })
}

fn end(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message
}

/// Switches an interface on and gives it addresses.
pub(super) fn raise(name: &str, addresses: &[OnLink]) -> Result<()> {
    let index = if_nametoindex(name)?;
    let mut up = LinkMessage::default();
    up.header.index = index;
    (up.header.flags, up.header.change_mask) = (LinkFlags::Up, LinkFlags::Up);
    ask(RTM_NEWLINK, 0, &up).with_context(|| format!("cannot switch {name} on"))?;
    addresses.iter().try_for_each(|address| give(name, *address))
}

fn give(name: &str, (address, prefix_length): OnLink) -> Result<()> {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.header.prefix_len = prefix_length;
    message.header.index = if_nametoindex(name)?;
    message.attributes.push(AddressAttribute::Local(IpAddr::V6(address)));
    make(RTM_NEWADDR, &message).with_context(|| format!("cannot give {address} to {name}"))
}

/// Whether every address may be used; the kernel takes a moment for each.
pub(super) fn are_settled() -> Result<bool> {
    let interfaces = kernel::interfaces()?;
    let mut addresses = interfaces.iter().flat_map(|interface| &interface.addresses);
    Ok(addresses.all(|address| !address.is_tentative))
}

/// Sends all that is for elsewhere by a neighbour.
pub(super) fn default_route(name: &str, gateway: Ipv6Addr) -> Result<()> {
    let mut message = route(RouteType::Unicast, RouteHeader::RT_TABLE_MAIN);
    message.attributes.extend([
        RouteAttribute::Gateway(RouteAddress::Inet6(gateway)),
        RouteAttribute::Oif(if_nametoindex(name)?),
    ]);
    make(RTM_NEWROUTE, &message).with_context(|| format!("cannot make {gateway} a gateway"))
}

/// Has every address in a prefix answer here.
pub(super) fn answer_for(prefix: Prefix) -> Result<()> {
    let mut message = route(RouteType::Local, RT_TABLE_LOCAL);
    message.header.destination_prefix_length = prefix.length();
    message.attributes.extend([
        RouteAttribute::Destination(RouteAddress::Inet6(prefix.address())),
        RouteAttribute::Oif(if_nametoindex("lo")?),
    ]);
    make(RTM_NEWROUTE, &message).with_context(|| format!("cannot answer for {prefix}"))
}

fn route(kind: RouteType, table: u8) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header = RouteHeader {
        address_family: AddressFamily::Inet6,
        table,
        protocol: RouteProtocol::Static,
        scope: RouteScope::Universe,
        kind,
        ..RouteHeader::default()
    };
    message
}

fn make(message_type: u16, message: &(impl Emitable + Send)) -> std::io::Result<()> {
    ask(message_type, NLM_F_CREATE | NLM_F_EXCL, message)
}
