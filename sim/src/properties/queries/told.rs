//! Messages of leasequery as octets say them, read without any of the code that wrote them.

use std::net::Ipv6Addr;

pub(crate) use crate::reading::whole_messages;

/// LEASEQUERY and what answers it (RFC 5007 §4.1.1, RFC 5460 §5.2); ACTIVELEASEQUERY and STARTTLS (RFC 7653 §6).
pub(crate) const LEASEQUERY: u8 = 14;
pub(crate) const REPLY: u8 = 15;
pub(crate) const DONE: u8 = 16;
pub(crate) const DATA: u8 = 17;
pub(crate) const ACTIVE: u8 = 22;
pub(crate) const START_TLS: u8 = 23;
pub(crate) const PLAIN_REPLY: u8 = 7;

/// Options of leasequery.
pub(crate) mod option {
    pub(crate) const CLIENTID: u16 = 1;
    pub(crate) const SERVERID: u16 = 2;
    pub(crate) const IAADDR: u16 = 5;
    pub(crate) const ORO: u16 = 6;
    pub(crate) const RELAY_MSG: u16 = 9;
    pub(crate) const STATUS_CODE: u16 = 13;
    pub(crate) const IAPREFIX: u16 = 26;
    pub(crate) const REMOTE_ID: u16 = 37;
    pub(crate) const LQ_QUERY: u16 = 44;
    pub(crate) const CLIENT_DATA: u16 = 45;
    pub(crate) const CLT_TIME: u16 = 46;
    pub(crate) const LQ_RELAY_DATA: u16 = 47;
    pub(crate) const LQ_CLIENT_LINK: u16 = 48;
    pub(crate) const RELAY_ID: u16 = 53;
    pub(crate) const PD_EXCLUDE: u16 = 67;
    pub(crate) const LQ_BASE_TIME: u16 = 100;
}

/// Octets of a stream, until they are whole messages.
#[derive(Debug, Default)]
pub(crate) struct Frames(Vec<u8>);

impl Frames {
    /// The messages that are whole with these octets.
    pub(crate) fn push(&mut self, octets: &[u8]) -> Vec<Vec<u8>> {
        self.0.extend(octets);
        let messages: Vec<Vec<u8>> = whole_messages(&self.0).map(<[u8]>::to_vec).collect();
        let taken: usize = messages.iter().map(|message| message.len() + 2).sum();
        self.0.drain(..taken);
        messages
    }

    /// Whether a part of a message is left over.
    pub(crate) fn has_rest(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Options, one after the other; `None` if they are not.
pub(crate) fn options(mut octets: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut options = Vec::new();
    while !octets.is_empty() {
        let head: [u8; 4] = octets.get(..4)?.try_into().ok()?;
        let end = 4 + usize::from(u16::from_be_bytes([head[2], head[3]]));
        options.push((u16::from_be_bytes([head[0], head[1]]), octets.get(4..end)?));
        octets = &octets[end..];
    }
    Some(options)
}

/// The data of every option of this kind.
pub(crate) fn all<'a>(options: &[(u16, &'a [u8])], code: u16) -> Vec<&'a [u8]> {
    options.iter().filter(|(its, _)| *its == code).map(|(_, data)| *data).collect()
}

/// The only option of this kind; `None` if there is none or more than one.
pub(crate) fn only<'a>(options: &[(u16, &'a [u8])], code: u16) -> Option<&'a [u8]> {
    let mut found = options.iter().filter(|(its, _)| *its == code).map(|(_, data)| *data);
    found.next().filter(|_| found.next().is_none())
}

/// What every message begins with, and its options.
pub(crate) struct Message<'a> {
    pub(crate) kind: u8,
    pub(crate) id: [u8; 3],
    pub(crate) options: Vec<(u16, &'a [u8])>,
}

/// Reads a message; `None` if it is none.
pub(crate) fn message(octets: &[u8]) -> Option<Message<'_>> {
    let head: [u8; 4] = octets.get(..4)?.try_into().ok()?;
    Some(Message { kind: head[0], id: [head[1], head[2], head[3]], options: options(&octets[4..])? })
}

/// What is leased: an address is a prefix of 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) address: Ipv6Addr,
    pub(crate) length: u8,
}

impl Range {
    /// Whether an address lies in it.
    pub(crate) fn contains(self, address: Ipv6Addr) -> bool {
        let shift = 128 - u32::from(self.length);
        let kept = |address: Ipv6Addr| address.to_bits().checked_shr(shift).unwrap_or(0);
        kept(self.address) == kept(address)
    }
}

/// A lease as told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToldLease {
    pub(crate) range: Range,
    pub(crate) preferred_secs: u32,
    pub(crate) valid_secs: u32,
    /// The data of PD_EXCLUDE in it.
    pub(crate) excluded: Option<Vec<u8>>,
}

/// A client as told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToldClient {
    pub(crate) duid: Vec<u8>,
    pub(crate) clt_time: u32,
    pub(crate) leases: Vec<ToldLease>,
    /// Who sent it to the server, and the relays' messages.
    pub(crate) relay_data: Option<(Ipv6Addr, Vec<u8>)>,
    pub(crate) others: Vec<(u16, Vec<u8>)>,
}

/// Reads CLIENT_DATA; `None` if anything in it is not as it should be.
pub(crate) fn client_data(data: &[u8]) -> Option<ToldClient> {
    let inside = options(data)?;
    let clt_time = only(&inside, option::CLT_TIME)?.try_into().ok()?;
    let mut client = ToldClient {
        duid: only(&inside, option::CLIENTID)?.to_vec(),
        clt_time: u32::from_be_bytes(clt_time),
        leases: Vec::new(),
        relay_data: None,
        others: Vec::new(),
    };
    for (code, data) in inside {
        match code {
            option::CLIENTID | option::CLT_TIME => {}
            option::IAADDR => client.leases.push(address(data)?),
            option::IAPREFIX => client.leases.push(prefix(data)?),
            option::LQ_RELAY_DATA if client.relay_data.is_none() => {
                client.relay_data = Some((ipv6(data.get(..16)?)?, data[16..].to_vec()));
            }
            _ => client.others.push((code, data.to_vec())),
        }
    }
    Some(client)
}

fn address(data: &[u8]) -> Option<ToldLease> {
    let range = Range { address: ipv6(data.get(..16)?)?, length: 128 };
    let [preferred_secs, valid_secs] = [u32_at(data, 16)?, u32_at(data, 20)?];
    (data.len() == 24).then_some(ToldLease { range, preferred_secs, valid_secs, excluded: None })
}

fn prefix(data: &[u8]) -> Option<ToldLease> {
    let [preferred_secs, valid_secs] = [u32_at(data, 0)?, u32_at(data, 4)?];
    let range = Range { address: ipv6(data.get(9..25)?)?, length: *data.get(8)? };
    let inside = options(&data[25..])?;
    let excluded = only(&inside, option::PD_EXCLUDE).map(<[u8]>::to_vec);
    (inside.len() == usize::from(excluded.is_some())).then_some(ToldLease {
        range,
        preferred_secs,
        valid_secs,
        excluded,
    })
}

pub(crate) fn ipv6(octets: &[u8]) -> Option<Ipv6Addr> {
    let octets: [u8; 16] = octets.try_into().ok()?;
    Some(octets.into())
}

fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

/// A status code that is not Success.
pub(crate) fn error_status(options: &[(u16, &[u8])]) -> Option<u16> {
    let data = only(options, option::STATUS_CODE)?;
    let code = u16::from_be_bytes([*data.first()?, *data.get(1)?]);
    (code != 0).then_some(code)
}

/// The way of a message: who has sent it to the server, and the relays' messages around it.
pub(crate) type Path = (Ipv6Addr, Vec<u8>);

/// One relay's message in a relay path.
pub(crate) struct Level<'a> {
    pub(crate) link: Ipv6Addr,
    pub(crate) peer: Ipv6Addr,
    pub(crate) options: Vec<(u16, &'a [u8])>,
}

/// The levels of a relay path, the outermost first. Empty if it is none.
pub(crate) fn levels(path: &[u8]) -> Vec<Level<'_>> {
    let (mut levels, mut inside) = (Vec::new(), Some(path));
    while let Some(octets) = inside.filter(|octets| octets.first() == Some(&12) && octets.len() >= 34) {
        let (Some(link), Some(peer)) = (ipv6(&octets[2..18]), ipv6(&octets[18..34])) else { break };
        let Some(options) = options(&octets[34..]) else { break };
        inside = only(&options, option::RELAY_MSG);
        levels.push(Level { link, peer, options });
    }
    levels
}

/// What is to be remembered of a Relay-forward: the same without the innermost message; `None` if it is none.
pub(crate) fn path_of(octets: &[u8]) -> Option<Vec<u8>> {
    if octets.first() != Some(&12) || octets.len() < 34 {
        return None;
    }
    let mut path = octets[..34].to_vec();
    for (code, data) in options(&octets[34..])? {
        let data = if code == option::RELAY_MSG { path_of(data) } else { Some(data.to_vec()) };
        let Some(data) = data else { continue };
        path.extend(code.to_be_bytes());
        path.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        path.extend(data);
    }
    Some(path)
}
