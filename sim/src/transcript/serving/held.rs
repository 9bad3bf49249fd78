//! What a transcript says that a server holds from before.

use std::net::Ipv6Addr;

use lease::{Binding, Client, ClientKey, Heard, IaKind, Lease, LeaseState, LinkId, RelayPath, Resource};
use wire::{Duid, Iaid, OptionCode, Options, Prefix};

use super::Reading;
use crate::transcript::fault::Fault;
use crate::transcript::lines::Line;
use crate::transcript::message::{self, Context, Purpose};
use crate::transcript::octets;
use crate::transcript::site;
use crate::transcript::value::{Bindings, Kind, Value};
use crate::transcript::words::Words;
use crate::universe::START_UNIX_SECS;

/// What is in the store at the beginning.
impl Reading<'_> {
    pub(super) fn holds(&mut self, line: &Line, w: &mut Words<'_>) -> Result<(), Fault> {
        if w.take("many") {
            return self.holds_many(w);
        }
        let duid = site::duid(w, self.cast)?;
        w.expect("on link")?;
        let key = ClientKey { link: LinkId(w.number()?), duid };
        w.expect("heard")?;
        let at_unix_secs = START_UNIX_SECS - u64::from(w.secs()?);
        w.expect("ago")?;
        let from = if w.take("from") { w.address()? } else { Ipv6Addr::UNSPECIFIED };
        let (path, options): (Vec<&Line>, Vec<&Line>) =
            line.inside.iter().partition(|line| line.text.starts_with("RELAY-FORW"));
        let context = Context { cast: self.cast, purpose: Purpose::Sent };
        let no_path = |line: &Line| Fault::new(line.number, "this is no path of relays", "nested RELAY-FORW");
        let path = path.first().map(|line| {
            let message = message::message(line, context)?;
            let octets = octets::encode(&message, &Bindings::new()).map_err(|_| no_path(line))?;
            RelayPath::new(from, &octets).map_err(|_| no_path(line))
        });
        let options: Vec<Line> = options.into_iter().cloned().collect();
        let contents = message::contents(&options, context)?;
        let written = octets::encode_options(&contents, &Bindings::new());
        let written = written.map_err(|what| Fault::new(line.number, what, "values"))?;
        let held = Options::new(&written).expect("they have just been written");
        let bindings = bindings(held, at_unix_secs);
        let bindings =
            bindings.ok_or_else(|| Fault::new(line.number, "its leases are wrong", "IA_NA and IA_PD"))?;
        let kept = held.iter().filter(|option| !is_ia(option.code));
        self.held.push(Client {
            key,
            heard: Heard { at_unix_secs, path: path.transpose()? },
            options: kept.map(|option| (option.code, option.data.into())).collect(),
            reconfigure: None,
            bindings,
        });
        Ok(())
    }

    /// `holds many 5000 on link 1 from 2001:db8:1::1:0`: so many clients, each with the next address.
    fn holds_many(&mut self, w: &mut Words<'_>) -> Result<(), Fault> {
        let count: u32 = w.number()?;
        w.expect("on link")?;
        let link = LinkId(w.number()?);
        w.expect("from")?;
        let first = w.address()?;
        for number in 0..count {
            let duid = [[0, 2].as_slice(), &number.to_be_bytes()].concat();
            let lease = Lease {
                resource: Resource::Address(Ipv6Addr::from_bits(first.to_bits() + u128::from(number))),
                state: LeaseState::Active,
                granted_unix_secs: START_UNIX_SECS,
                preferred_secs: wire::INFINITE,
                valid_secs: wire::INFINITE,
                excluded: None,
            };
            self.held.push(Client {
                key: ClientKey { link, duid: Duid::new(&duid).expect("six octets") },
                heard: Heard { at_unix_secs: START_UNIX_SECS, path: None },
                options: Vec::new(),
                reconfigure: None,
                bindings: vec![Binding { kind: IaKind::Address, iaid: Iaid(1), leases: vec![lease] }],
            });
        }
        Ok(())
    }
}

fn is_ia(code: OptionCode) -> bool {
    [OptionCode::IA_NA, OptionCode::IA_PD].contains(&code)
}

fn bindings(options: Options<'_>, granted_unix_secs: u64) -> Option<Vec<Binding>> {
    options.ias().map(|ia| binding(ia.ok()?, granted_unix_secs)).collect()
}

fn binding((kind, ia): (IaKind, wire::Ia<'_>), granted_unix_secs: u64) -> Option<Binding> {
    let lease = |resource, preferred_secs, valid_secs, excluded| Lease {
        resource,
        state: LeaseState::Active,
        granted_unix_secs,
        preferred_secs,
        valid_secs,
        excluded,
    };
    let mut leases = Vec::new();
    for held in ia.options.ia_addresses() {
        let held = held.ok()?;
        leases.push(lease(Resource::Address(held.address), held.preferred_secs, held.valid_secs, None));
    }
    for held in ia.options.ia_prefixes() {
        let held = held.ok()?;
        let excluded = held.options.first(OptionCode::PD_EXCLUDE);
        let excluded = excluded.and_then(|data| excluded_from(held.prefix, data));
        leases.push(lease(Resource::Prefix(held.prefix), held.preferred_secs, held.valid_secs, excluded));
    }
    Some(Binding { kind, iaid: Iaid(ia.iaid.0), leases })
}

fn excluded_from(delegated: Prefix, data: &[u8]) -> Option<Prefix> {
    let around = (delegated.address(), delegated.length());
    match Kind::Excluded.sent(Some(around), &mut wire::Reader::new(data))? {
        Value::Prefix(address, length) => Prefix::new(address, length).ok(),
        _ => None,
    }
}
