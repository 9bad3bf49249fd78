//! Identity associations as a client asks for them, and as it is answered.

use lease::{IaKind, Lease, Resource};
use wire::{DhcpOption, IaPrefix, Iaid, Options, Prefix, StatusCode};

use crate::Discard;
use crate::limits::{MAX_ASSOCIATIONS, MAX_WISHES};

/// An IA_NA or IA_PD in a client's message. T1, T2 and lifetimes in it are not looked at
/// (RFC 9915 §21.4, §21.6).
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) kind: IaKind,
    pub(super) iaid: Iaid,
    pub(super) wishes: Vec<Wish>,
}

/// What a client would like to have, or says that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Just this, and what it says is excluded from it.
    Resource(Resource, Option<Prefix>),
    /// Any prefix of this length (RFC 8168 §3.1).
    Length(u8),
}

impl Asked {
    /// The resources that are named.
    pub(super) fn resources(&self) -> impl Iterator<Item = (Resource, Option<Prefix>)> {
        self.wishes.iter().filter_map(|wish| match wish {
            Wish::Resource(resource, excluded) => Some((*resource, *excluded)),
            Wish::Length(_) => None,
        })
    }

    /// The status that says that there is nothing to give.
    pub(super) fn nothing_available(&self) -> StatusCode {
        match self.kind {
            IaKind::Address => StatusCode::NO_ADDRS_AVAIL,
            IaKind::Prefix => StatusCode::NO_PREFIX_AVAIL,
        }
    }
}

/// The identity associations of a message, in the order sent. A second one of the same kind and
/// number is ignored, and so is IA_TA.
pub(super) fn asked(options: Options<'_>) -> Result<Vec<Asked>, Discard> {
    let mut all: Vec<Asked> = Vec::new();
    for association in options.ias() {
        let (kind, ia) = association.map_err(|_| Discard::Malformed)?;
        if all.iter().any(|known| known.kind == kind && known.iaid == ia.iaid) {
            continue;
        }
        if all.len() == MAX_ASSOCIATIONS {
            return Err(Discard::TooManyAssociations);
        }
        all.push(Asked { kind, iaid: ia.iaid, wishes: wishes(kind, ia.options)? });
    }
    Ok(all)
}

/// The unspecified address, and the unspecified prefix without a length, ask for nothing special.
fn wishes(kind: IaKind, options: Options<'_>) -> Result<Vec<Wish>, Discard> {
    let mut wishes = Vec::new();
    match kind {
        IaKind::Address => {
            for ia in options.ia_addresses().take(MAX_WISHES) {
                let address = ia.map_err(|_| Discard::Malformed)?.address;
                if !address.is_unspecified() {
                    wishes.push(Wish::Resource(Resource::Address(address), None));
                }
            }
        }
        IaKind::Prefix => {
            for ia in options.ia_prefixes().take(MAX_WISHES) {
                wishes.extend(wish(&ia.map_err(|_| Discard::Malformed)?));
            }
        }
    }
    Ok(wishes)
}

fn wish(ia: &IaPrefix<'_>) -> Option<Wish> {
    let IaPrefix { prefix, options, .. } = *ia;
    if prefix.address().is_unspecified() {
        return (prefix.length() > 0).then_some(Wish::Length(prefix.length()));
    }
    let excluded = options.iter().find_map(|option| match DhcpOption::decode(option) {
        Ok(DhcpOption::PdExclude(exclude)) => exclude.excluded(prefix),
        _ => None,
    });
    Some(Wish::Resource(Resource::Prefix(prefix), excluded))
}

/// An identity association in an answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) kind: IaKind,
    pub(super) iaid: Iaid,
    pub(super) leases: Vec<Told>,
    pub(super) status: Option<StatusCode>,
}

/// A lease as the client is told of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) resource: Resource,
    pub(super) excluded: Option<Prefix>,
    pub(super) preferred_secs: u32,
    pub(super) valid_secs: u32,
    /// Whether the lifetimes are as granted now: then T1 and T2 follow them.
    pub(super) extended: bool,
}

impl Answer {
    pub(super) fn new(asked: &Asked) -> Self {
        Self { kind: asked.kind, iaid: asked.iaid, leases: Vec::new(), status: None }
    }

    pub(super) fn with_status(asked: &Asked, status: StatusCode) -> Self {
        Self { status: Some(status), ..Self::new(asked) }
    }
}

impl Told {
    /// A lease that has just been granted or extended.
    pub(super) fn granted(lease: &Lease) -> Self {
        let Lease { resource, excluded, preferred_secs, valid_secs, .. } = *lease;
        Self { resource, excluded, preferred_secs, valid_secs, extended: true }
    }

    /// A lease that goes on as it is.
    pub(super) fn running_out(lease: &Lease, now_unix_secs: u64) -> Self {
        Self {
            resource: lease.resource,
            excluded: lease.excluded,
            preferred_secs: lease.preferred_remaining_secs(now_unix_secs),
            valid_secs: lease.valid_remaining_secs(now_unix_secs),
            extended: false,
        }
    }

    /// What the client is to stop using.
    pub(super) fn gone(resource: Resource) -> Self {
        Self { resource, excluded: None, preferred_secs: 0, valid_secs: 0, extended: false }
    }
}
