//! DHCPv6 out of a packet capture: classic pcap, Ethernet, IPv6 without extension headers.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::path::{Path, PathBuf};

use wire::{CLIENT_PORT, Reader, SERVER_PORT};

/// Who sent, and to whom.
pub(crate) type Flow = (SocketAddrV6, SocketAddrV6);

const LITTLE_ENDIAN_MICROSECONDS: [u8; 4] = [0xd4, 0xc3, 0xb2, 0xa1];
const FILE_HEADER_OCTETS: usize = 24;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;
const SYN: u8 = 2;

/// Every capture, by path.
pub(crate) fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/captures");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The DHCPv6 datagrams of a capture, in the order seen.
pub(crate) fn datagrams(capture: &[u8]) -> Vec<&[u8]> {
    let segments = packets(capture).filter(|(.., protocol, _)| *protocol == UDP);
    let datagrams = segments.map(|(.., segment)| {
        let mut reader = Reader::new(segment);
        let ports = [reader.u16().unwrap(), reader.u16().unwrap()];
        let length = usize::from(reader.u16().unwrap());
        (ports, &segment[8..length])
    });
    let is_dhcp = |ports: [u16; 2]| ports.contains(&CLIENT_PORT) || ports.contains(&SERVER_PORT);
    datagrams.filter(|(ports, _)| is_dhcp(*ports)).map(|(_, payload)| payload).collect()
}

/// What each side of each TCP connection sent, put in order by sequence number.
pub(crate) fn streams(capture: &[u8]) -> BTreeMap<Flow, Vec<u8>> {
    let mut pieces: BTreeMap<Flow, (u32, BTreeMap<u32, &[u8]>)> = BTreeMap::new();
    for (from, to, protocol, segment) in packets(capture) {
        if protocol != TCP {
            continue;
        }
        let mut reader = Reader::new(segment);
        let ports = [reader.u16().unwrap(), reader.u16().unwrap()];
        let sequence = reader.u32().unwrap();
        let (data_offset, flags) = (usize::from(segment[12] >> 4) * 4, segment[13]);
        let flow = (SocketAddrV6::new(from, ports[0], 0, 0), SocketAddrV6::new(to, ports[1], 0, 0));
        let (start, flow_pieces) = pieces.entry(flow).or_default();
        if flags & SYN != 0 {
            *start = sequence.wrapping_add(1);
        } else if segment.len() > data_offset {
            flow_pieces.insert(sequence.wrapping_sub(*start), &segment[data_offset..]);
        }
    }
    pieces.into_iter().map(|(flow, (_, pieces))| (flow, joined(&pieces))).collect()
}

fn joined(pieces: &BTreeMap<u32, &[u8]>) -> Vec<u8> {
    let mut stream = Vec::new();
    for (position, octets) in pieces {
        assert_eq!(*position as usize, stream.len(), "the capture has a gap");
        stream.extend_from_slice(octets);
    }
    stream
}

fn packets(capture: &[u8]) -> impl Iterator<Item = (Ipv6Addr, Ipv6Addr, u8, &[u8])> {
    assert!(capture.starts_with(&LITTLE_ENDIAN_MICROSECONDS), "not a capture of the kind read here");
    let mut reader = Reader::new(&capture[FILE_HEADER_OCTETS..]);
    let frames = std::iter::from_fn(move || {
        let _time = reader.array::<8>().ok()?;
        let captured = u32::from_le_bytes(reader.array().ok()?);
        let _length_on_the_wire = reader.u32().ok()?;
        reader.take(captured as usize).ok()
    });
    frames.filter_map(ipv6)
}

fn ipv6(frame: &[u8]) -> Option<(Ipv6Addr, Ipv6Addr, u8, &[u8])> {
    let mut reader = Reader::new(frame);
    reader.take(12).ok()?;
    if reader.u16().ok()? != ETHERTYPE_IPV6 {
        return None;
    }
    reader.take(4).ok()?;
    let (length, protocol, _hop_limit) = (reader.u16().ok()?, reader.u8().ok()?, reader.u8().ok()?);
    let (from, to) = (reader.address().ok()?, reader.address().ok()?);
    Some((from, to, protocol, reader.take(length.into()).ok()?))
}
