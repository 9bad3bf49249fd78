//! An answer, taken apart; what must hold of every answer is asserted while that is done.

use lease::{IaKind, Resource};
use server::exchange::Answered;
use wire::{
    ClientMessage, DhcpOption, INFINITE, Iaid, Message, MessageType, OptionCode, Options, Prefix, RelayChain,
    StatusCode,
};

use super::server_id;

/// An Advertise or Reply.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) message_type: MessageType,
    pub(crate) status: Option<StatusCode>,
    pub(crate) ias: Vec<ToldIa>,
    /// The message as it is, without relays.
    pub(crate) octets: Vec<u8>,
    pub(crate) answered: Answered,
}

/// An identity association in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToldIa {
    pub(crate) kind: IaKind,
    pub(crate) iaid: Iaid,
    pub(crate) t1_secs: u32,
    pub(crate) t2_secs: u32,
    pub(crate) leases: Vec<ToldLease>,
    pub(crate) status: Option<StatusCode>,
}

/// A lease in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToldLease {
    pub(crate) resource: Resource,
    pub(crate) excluded: Option<Prefix>,
    pub(crate) preferred_secs: u32,
    pub(crate) valid_secs: u32,
}

impl Told {
    /// Takes an answer apart.
    pub(crate) fn read(question: &[u8], answer: &[u8], answered: Answered) -> Self {
        let asked = match Message::decode(question).unwrap() {
            Message::Client(asked) => asked,
            Message::Relay(_) => ClientMessage::decode(RelayChain::decode(question).unwrap().1).unwrap(),
        };
        let octets = unwrap(question, answer);
        let message = ClientMessage::decode(&octets).unwrap();
        assert_is_for_the_one_who_asked(&asked, &message);
        let ias: Vec<ToldIa> = message.options.ias().map(|ia| told_ia(ia.unwrap())).collect();
        assert_times_agree(&ias);
        let status = message.options.status().unwrap().map(|status| status.code);
        assert_eq!(message.message_type, answered.message_type);
        Self { message_type: message.message_type, status, ias, octets, answered }
    }

    pub(crate) fn options(&self) -> Options<'_> {
        ClientMessage::decode(&self.octets).unwrap().options
    }

    pub(crate) fn has(&self, code: OptionCode) -> bool {
        self.options().has(code)
    }

    /// The data of the only option with this code.
    pub(crate) fn data(&self, code: OptionCode) -> Option<&[u8]> {
        self.options().only(code).unwrap()
    }

    /// The codes of its options, in order.
    pub(crate) fn codes(&self) -> Vec<u16> {
        let mut codes: Vec<u16> = self.options().iter().map(|option| option.code.0).collect();
        codes.sort_unstable();
        codes
    }

    pub(crate) fn na(&self, iaid: u32) -> &ToldIa {
        self.ia(IaKind::Address, iaid)
    }

    pub(crate) fn pd(&self, iaid: u32) -> &ToldIa {
        self.ia(IaKind::Prefix, iaid)
    }

    fn ia(&self, kind: IaKind, iaid: u32) -> &ToldIa {
        let mut fitting = self.ias.iter().filter(|ia| ia.kind == kind && ia.iaid == Iaid(iaid));
        let found = fitting.next().unwrap_or_else(|| panic!("no {kind:?} {iaid} in {self:?}"));
        assert!(fitting.next().is_none(), "twice {kind:?} {iaid} in {self:?}");
        found
    }

    /// Everything that is given, in order.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        self.ias.iter().flat_map(ToldIa::resources).collect()
    }
}

impl ToldIa {
    /// What is given, and not what is to end.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        self.leases.iter().filter(|lease| lease.valid_secs > 0).map(|lease| lease.resource).collect()
    }

    /// The only lease.
    pub(crate) fn lease(&self) -> ToldLease {
        assert_eq!(self.leases.len(), 1, "{self:?}");
        self.leases[0]
    }

    /// Preferred and valid lifetime of a lease in it.
    pub(crate) fn lifetimes(&self, resource: Resource) -> Option<(u32, u32)> {
        let lease = self.leases.iter().find(|lease| lease.resource == resource)?;
        Some((lease.preferred_secs, lease.valid_secs))
    }
}

/// Takes the answer out of its Relay-replies: one for each Relay-forward, each with what its own
/// had.
fn unwrap(question: &[u8], answer: &[u8]) -> Vec<u8> {
    let Ok((chain, _)) = RelayChain::decode(question) else { return answer.to_vec() };
    let mut inside = answer.to_vec();
    for hop in chain.hops() {
        let next = {
            let Ok(Message::Relay(level)) = Message::decode(&inside) else { panic!("no Relay-reply") };
            assert_eq!(level.message_type, MessageType::RelayReply);
            assert_eq!((level.link_address, level.peer_address), (hop.link_address, hop.peer_address));
            assert_eq!((level.hop_count, level.interface_id()), (hop.hop_count, hop.interface_id()));
            level.relayed().unwrap().unwrap().to_vec()
        };
        inside = next;
    }
    inside
}

/// DH-T-08, DH-S-05, DH-R-01: and every option in it, at any depth, is well formed.
fn assert_is_for_the_one_who_asked(asked: &ClientMessage<'_>, told: &ClientMessage<'_>) {
    assert!(matches!(told.message_type, MessageType::Advertise | MessageType::Reply));
    assert_eq!(told.transaction_id, asked.transaction_id);
    assert_eq!(told.options.server_id().unwrap(), Some(server_id().as_ref()));
    assert_eq!(told.options.client_id().unwrap(), asked.options.client_id().unwrap());
    for option in told.options.iter() {
        DhcpOption::decode(option).unwrap_or_else(|error| panic!("{error}: {option:?}"));
    }
}

// DH-L-19: of every lease that is told of, in every scenario.
fn told_ia((kind, ia): (IaKind, wire::Ia<'_>)) -> ToldIa {
    let lease = |resource, excluded, preferred_secs, valid_secs| {
        assert!(preferred_secs <= valid_secs, "{resource} is preferred for longer than it is valid");
        ToldLease { resource, excluded, preferred_secs, valid_secs }
    };
    let addresses = ia.options.ia_addresses().map(|ia| {
        let ia = ia.unwrap();
        lease(Resource::Address(ia.address), None, ia.preferred_secs, ia.valid_secs)
    });
    let prefixes = ia.options.ia_prefixes().map(|ia| {
        let ia = ia.unwrap();
        lease(Resource::Prefix(ia.prefix), excluded(ia.prefix, ia.options), ia.preferred_secs, ia.valid_secs)
    });
    let leases: Vec<ToldLease> = addresses.chain(prefixes).collect();
    assert!(leases.iter().all(|lease| lease.resource.is_of(kind)), "{leases:?} in {kind:?}");
    let status = ia.options.status().unwrap().map(|status| status.code);
    ToldIa { kind, iaid: ia.iaid, t1_secs: ia.t1_secs, t2_secs: ia.t2_secs, leases, status }
}

fn excluded(prefix: Prefix, options: Options<'_>) -> Option<Prefix> {
    let data = options.only(OptionCode::PD_EXCLUDE).unwrap()?;
    let raw = wire::RawOption { code: OptionCode::PD_EXCLUDE, data };
    let Ok(DhcpOption::PdExclude(exclude)) = DhcpOption::decode(raw) else { panic!("{raw:?}") };
    Some(exclude.excluded(prefix).expect("lies inside"))
}

/// DH-L-16, DH-L-18: one T1 and one T2, in this order.
fn assert_times_agree(ias: &[ToldIa]) {
    let Some(first) = ias.first() else { return };
    assert!(first.t1_secs <= first.t2_secs, "{first:?}");
    assert!(ias.iter().all(|ia| (ia.t1_secs, ia.t2_secs) == (first.t1_secs, first.t2_secs)), "{ias:?}");
    let valid = ias.iter().flat_map(|ia| &ia.leases).map(|lease| lease.valid_secs);
    assert!(first.t2_secs <= valid.max().unwrap_or(INFINITE), "{ias:?}");
}
