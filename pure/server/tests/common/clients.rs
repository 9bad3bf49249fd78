//! Clients to be known by the server, put together in a line or two.

use std::net::Ipv6Addr;

use lease::{Binding, Client, ClientKey, Heard, IaKind, Lease, LeaseState, LinkId, RelayPath, Resource};
use wire::{Duid, Iaid, Message, OptionCode, Prefix, RelayChain};

use super::{START_UNIX_SECS, address, vector};

/// A client as the server knows it.
#[derive(Clone)]
pub(crate) struct Known(pub(crate) Client);

/// A client without leases that was heard directly, just now. Its DUID ends in `number`.
pub(crate) fn client(link: u32, number: u32) -> Known {
    let duid = [&[0, 3, 0, 1, 2, 0][..], &number.to_be_bytes()].concat();
    Known(Client {
        key: ClientKey { link: LinkId(link), duid: Duid::new(&duid).unwrap() },
        heard: Heard { at_unix_secs: START_UNIX_SECS, path: None },
        options: Vec::new(),
        reconfigure: None,
        bindings: Vec::new(),
    })
}

impl Known {
    /// It was last heard so many seconds ago, through these relays.
    pub(crate) fn heard(mut self, ago_secs: u64, from: &str, path: &[u8]) -> Self {
        self.0.heard.at_unix_secs = START_UNIX_SECS - ago_secs;
        self.0.heard.path = Some(RelayPath::new(address(from), path).unwrap());
        self
    }

    /// It leases an address, granted when it was last heard, in an identity association of its own.
    pub(crate) fn address(self, text: &str, preferred_secs: u32, valid_secs: u32) -> Self {
        self.lease(IaKind::Address, Resource::Address(address(text)), preferred_secs, valid_secs)
    }

    /// It was delegated a prefix, likewise.
    pub(crate) fn prefix(self, text: &str, preferred_secs: u32, valid_secs: u32) -> Self {
        self.lease(IaKind::Prefix, Resource::Prefix(text.parse().unwrap()), preferred_secs, valid_secs)
    }

    /// It was delegated a /64 of its own, one of the sixteen millions that there are.
    pub(crate) fn nth_prefix(self, number: u32, valid_secs: u32) -> Self {
        let bits = 0x2001_0db8_f000_0000_u64 + u64::from(number);
        let prefix = Prefix::new(Ipv6Addr::from(u128::from(bits) << 64), 64).unwrap();
        self.lease(IaKind::Prefix, Resource::Prefix(prefix), valid_secs, valid_secs)
    }

    /// The latest lease is in this state.
    pub(crate) fn now(mut self, state: LeaseState) -> Self {
        self.latest().state = state;
        self
    }

    /// The latest lease excludes this prefix.
    pub(crate) fn without(mut self, prefix: &str) -> Self {
        self.latest().excluded = Some(prefix.parse().unwrap());
        self
    }

    /// The latest lease was granted this many seconds ago.
    pub(crate) fn granted(mut self, ago_secs: u64) -> Self {
        self.latest().granted_unix_secs = START_UNIX_SECS - ago_secs;
        self
    }

    /// It has sent this option.
    pub(crate) fn option(mut self, code: OptionCode, data: &[u8]) -> Self {
        self.0.options.push((code, data.into()));
        self
    }

    fn latest(&mut self) -> &mut Lease {
        self.0.bindings.last_mut().unwrap().leases.last_mut().unwrap()
    }

    fn lease(mut self, kind: IaKind, resource: Resource, preferred_secs: u32, valid_secs: u32) -> Self {
        let lease = Lease {
            resource,
            state: LeaseState::Active,
            granted_unix_secs: self.0.heard.at_unix_secs,
            preferred_secs,
            valid_secs,
            excluded: None,
        };
        let iaid = Iaid(self.0.bindings.len() as u32 + 1);
        self.0.bindings.push(Binding { kind, iaid, leases: vec![lease] });
        self
    }
}

/// The relay path in a vector: the one that it tells of, or the one that it came by.
pub(crate) fn path_of(name: &str) -> Vec<u8> {
    let octets = vector(name);
    match name {
        "V12" => {
            let mut path = Vec::new();
            RelayChain::decode(&octets).unwrap().0.encode_path(&mut path).unwrap();
            path
        }
        "V22" => octets[4 + 16..].to_vec(),
        _ => {
            let options = Message::decode(&octets[2..]).unwrap().options();
            let data = options.client_data().unwrap().unwrap();
            data.first(OptionCode::LQ_RELAY_DATA).unwrap()[16..].to_vec()
        }
    }
}
