//! What a server has from before the beginning: clients that nobody plays, heard through relays that are not there.

use lease::{
    Binding, Client, ClientKey, Heard, IaKind, Lease, LeaseState, LinkId, RelayPath, Resource, image,
};
use store::Change;
use wire::{INFINITE, Iaid, MessageType, OptionCode, Writer};

use crate::nodes::disk::Disk;
use crate::plan::{LinkNumber, Stock, addresses};

/// Lifetimes of what they have: some end within a run.
const VALID_SECS: [u32; 4] = [100, 400, 5_000, INFINITE];

/// Puts it onto the disk.
pub(super) fn fill(disk: &mut Disk, server: usize, stock: Stock, links: LinkNumber, unix_secs: u64) {
    let clients: Vec<Client> =
        (0..stock.clients).map(|number| client(server, number, stock, links, unix_secs)).collect();
    let images: Vec<_> =
        clients.iter().map(|client| (image::key(&client.key), image::encode(client))).collect();
    let changes: Vec<Change<'_>> =
        images.iter().map(|(key, image)| Change { key, image: Some(image.as_ref()) }).collect();
    disk.commit(&changes).expect("the disk is empty");
}

fn client(server: usize, number: u16, stock: Stock, links: LinkNumber, unix_secs: u64) -> Client {
    let link = 1 + number % links;
    let valid_secs = VALID_SECS[usize::from(number) % VALID_SECS.len()];
    let lease = |resource| Lease {
        resource,
        state: LeaseState::Active,
        granted_unix_secs: unix_secs,
        preferred_secs: valid_secs / 2,
        valid_secs,
        excluded: None,
    };
    let address = Resource::Address(addresses::stocked_address(link, server, number));
    let prefixes = (0..stock.prefixes)
        .map(|part| Resource::Prefix(addresses::stocked_prefix(link, server, number, part)));
    let binding = |kind, leases| Binding { kind, iaid: Iaid(1), leases };
    let bindings = [
        binding(IaKind::Address, vec![lease(address)]),
        binding(IaKind::Prefix, prefixes.map(lease).collect()),
    ];
    Client {
        key: ClientKey { link: LinkId(link.into()), duid: addresses::stocked_client_id(server, number) },
        heard: Heard { at_unix_secs: unix_secs, path: Some(path(server, number, link, stock.path_octets)) },
        options: vec![
            (OptionCode::VENDOR_CLASS, [0, 0, 0, 9, 0, 1, b'v'].into()),
            (OptionCode::CLIENT_FQDN, [0, 4, b'n', b'a', b'm', b'e'].into()),
        ],
        reconfigure: None,
        bindings: bindings.into_iter().filter(|binding| !binding.leases.is_empty()).collect(),
    }
}

/// One relay or two.
fn path(server: usize, number: u16, link: LinkNumber, octets: u16) -> RelayPath {
    let inner = level(number, link, None, vec![b'i'; octets.into()]);
    let whole = match number % 3 {
        0 => level(number / 3 + 1, link, Some(&inner), b"outer".to_vec()),
        _ => inner,
    };
    RelayPath::new(addresses::relay(100 + server), &whole).expect("a short path")
}

fn level(number: u16, link: LinkNumber, inside: Option<&[u8]>, interface_id: Vec<u8>) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    w.u8(MessageType::RelayForward as u8);
    w.u8(inside.map_or(0, |_| 1));
    w.address(addresses::on_link(link, 0));
    w.address(addresses::link_local(0xc, usize::from(number), link));
    w.raw_option(OptionCode::INTERFACE_ID, &interface_id);
    let absent = usize::from(number) % addresses::ABSENT_RELAYS;
    w.raw_option(OptionCode::REMOTE_ID, &addresses::absent_remote_id(absent));
    w.raw_option(OptionCode::RELAY_ID, addresses::absent_relay_id(absent).octets());
    if let Some(inside) = inside {
        w.raw_option(OptionCode::RELAY_MSG, inside);
    }
    w.finish().expect("a short path");
    octets
}
