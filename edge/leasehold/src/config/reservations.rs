//! What a link keeps for subscribers: `[[link.reservations]]`.
//!
//! A subscriber is named in exactly one way. The keys that stand there say which, and a combination
//! that is none of the ways is a fault.

use std::ops::RangeInclusive;

use lease::LinkId;
use server::assign::{Reservation, Subscriber};
use wire::{Iaid, Prefix};

use super::addresses::{address, prefix};
use super::faults::Collector;
use super::taken::Taken;
use super::toml_tree::{Item, Table};
use super::{duid, octets, options, pools};

/// Keys that name a subscriber.
const NAMES: [&str; 7] =
    ["duid", "iaid", "relay-id", "remote-id", "interface-id", "link-layer", "link-layer-type"];
const WAYS: &str = "name it by duid, duid and iaid, remote-id, relay-id and remote-id, relay-id and \
                    interface-id, or link-layer";
/// IANA's number for Ethernet, in the list of hardware types.
pub(super) const ETHERNET: u16 = 1;
/// Octets of a link-layer address: InfiniBand's has 20, and no longer one is known.
const LINK_LAYER_OCTETS: RangeInclusive<usize> = 1..=32;

/// Reads what a link keeps for a subscriber.
pub(super) fn read(
    item: &Item<'_>,
    link: LinkId,
    prefixes: Option<&[Prefix]>,
    taken: &mut Taken,
    faults: &mut Collector,
) -> Option<Reservation> {
    let mut table = item.table(faults)?;
    let subscriber = subscriber(&mut table, faults);
    let (mut addresses, mut delegated, mut options) = (Vec::new(), Vec::new(), Default::default());
    table.read_into(&mut addresses, "addresses", faults, |list, faults| {
        list.list_of(faults, |item, faults| {
            let address = address(item, faults)?;
            taken.note_reserved_address(address, item.place());
            pools::check_on_link(item, address, address, prefixes, faults);
            Some(address)
        })
    });
    table.read_into(&mut delegated, "prefixes", faults, |list, faults| {
        list.list_of(faults, |item, faults| {
            let prefix = prefix(item, faults)?;
            taken.note_reserved_prefix(prefix, item.place());
            Some(prefix)
        })
    });
    table.read_into(&mut options, "options", faults, options::read);
    if !["addresses", "prefixes", "options"].iter().any(|key| table.has(key)) {
        faults.fault(item.place(), "keeps nothing", "add addresses, prefixes or options, or leave it out");
    }
    table.finish(faults);
    let subscriber = subscriber?;
    taken.note_subscriber(&subscriber, item.place(), faults);
    Some(Reservation { link, subscriber, addresses, prefixes: delegated, options })
}

fn subscriber(table: &mut Table<'_>, faults: &mut Collector) -> Option<Subscriber> {
    let client = table.read("duid", faults, duid);
    let iaid = table.read("iaid", faults, |item, faults| item.number(0..=u32::MAX, faults)).map(Iaid);
    let relay = table.read("relay-id", faults, duid);
    let remote_id = table.read("remote-id", faults, remote_id);
    let interface_id = table.read("interface-id", faults, octets::identifier);
    let link_layer = table.read("link-layer", faults, link_layer);
    let hardware = table.read("link-layer-type", faults, |item, faults| item.number(0..=u16::MAX, faults));
    let given: Vec<&str> = NAMES.into_iter().filter(|name| table.has(name)).collect();
    match given.as_slice() {
        ["duid"] => Some(Subscriber::Client(client?)),
        ["duid", "iaid"] => Some(Subscriber::Association(client?, iaid?)),
        ["remote-id"] => Some(Subscriber::RemoteId(None, remote_id?)),
        ["relay-id", "remote-id"] => Some(Subscriber::RemoteId(Some(relay?), remote_id?)),
        ["relay-id", "interface-id"] => Some(Subscriber::InterfaceId(relay?, interface_id?)),
        ["link-layer"] => Some(Subscriber::LinkLayer(ETHERNET, link_layer?)),
        ["link-layer", "link-layer-type"] => Some(Subscriber::LinkLayer(hardware?, link_layer?)),
        [] => {
            faults.fault(table.place(), "does not say for whom it is", WAYS);
            None
        }
        _ => {
            let problem = format!("{} name no subscriber together", given.join(" and "));
            faults.fault(table.place(), problem, WAYS);
            None
        }
    }
}

/// A Remote-ID as it lies in its option: the enterprise's number, and what that enterprise says.
fn remote_id(item: &Item<'_>, faults: &mut Collector) -> Option<Box<[u8]>> {
    let mut table = item.table(faults)?;
    let enterprise =
        table.require("enterprise", "9, or another enterprise number", faults, |item, faults| {
            item.number(0..=u32::MAX, faults)
        });
    let value = table.require("value", "\"port 7\", or \"0x\" and octets", faults, octets::identifier);
    table.finish(faults);
    Some([&enterprise?.to_be_bytes()[..], &value?].concat().into())
}

fn link_layer(item: &Item<'_>, faults: &mut Collector) -> Option<Box<[u8]>> {
    let octets = octets::hexadecimal(item, faults)?;
    if !LINK_LAYER_OCTETS.contains(&octets.len()) {
        let problem = format!("has {} octets", octets.len());
        faults.fault(item.place(), problem, "write an address such as \"02:00:00:00:aa:01\"");
        return None;
    }
    Some(octets.into())
}
