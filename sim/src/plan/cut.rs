//! Making a plan smaller, to see what a failure needs: less of one kind at a time.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Plan;
use crate::faults::Fault;

/// One way to make a plan smaller. Written `servers=1`, `relays=1`, `clients=2`, `vandals=0`, `requestors=0`, `secs=30`,
/// `no=reset` or `only=loss,delay`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// So many servers, the first of them.
    Servers(usize),
    /// So many relays.
    Relays(usize),
    /// So many clients.
    Clients(usize),
    /// So many vandals.
    Vandals(usize),
    /// So many requestors.
    Requestors(usize),
    /// So many seconds with faults.
    Secs(u64),
    /// Without this fault.
    Without(Fault),
    /// Without any other faults than these.
    Only(BTreeSet<Fault>),
}

impl Cut {
    /// Does it.
    pub fn apply(&self, plan: &mut Plan) {
        match self {
            Self::Servers(most) => plan.topology.servers.truncate(*most),
            Self::Relays(most) => plan.topology.relays.truncate(*most),
            Self::Clients(most) => plan.topology.clients.truncate(*most),
            Self::Vandals(most) => plan.topology.vandals.truncate(*most),
            Self::Requestors(most) => plan.topology.requestors.truncate(*most),
            Self::Secs(secs) => plan.safety = plan.safety.min(Duration::from_secs(*secs)),
            Self::Without(fault) => plan.faults.retain(|kind| kind != *fault),
            Self::Only(faults) => plan.faults.retain(|kind| faults.contains(&kind)),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Servers(most) => write!(f, "servers={most}"),
            Self::Relays(most) => write!(f, "relays={most}"),
            Self::Clients(most) => write!(f, "clients={most}"),
            Self::Vandals(most) => write!(f, "vandals={most}"),
            Self::Requestors(most) => write!(f, "requestors={most}"),
            Self::Secs(secs) => write!(f, "secs={secs}"),
            Self::Without(fault) => write!(f, "no={fault}"),
            Self::Only(faults) => {
                let names: Vec<&str> = faults.iter().map(|fault| fault.name()).collect();
                write!(f, "only={}", names.join(","))
            }
        }
    }
}

/// Not a cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutError(String);

impl fmt::Display for CutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text} is no cut: servers=N, relays=N, clients=N, requestors=N, vandals=N, secs=N, no=FAULT or only=FAULT,FAULT; FAULT is one \
             of "
        )?;
        let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        f.write_str(&names.join(", "))
    }
}

impl std::error::Error for CutError {}

impl FromStr for Cut {
    type Err = CutError;

    fn from_str(text: &str) -> Result<Self, CutError> {
        let none = || CutError(text.to_owned());
        let (what, value) = text.split_once('=').ok_or_else(none)?;
        let number = || value.parse::<usize>().map_err(|_| none());
        match what {
            "servers" if value != "0" => Ok(Self::Servers(number()?)),
            "relays" => Ok(Self::Relays(number()?)),
            "clients" => Ok(Self::Clients(number()?)),
            "vandals" => Ok(Self::Vandals(number()?)),
            "requestors" => Ok(Self::Requestors(number()?)),
            "secs" => Ok(Self::Secs(number()? as u64)),
            "no" => Fault::named(value).map(Self::Without).ok_or_else(none),
            "only" => {
                let names = value.split(',').filter(|name| !name.is_empty());
                names.map(Fault::named).collect::<Option<_>>().map(Self::Only).ok_or_else(none)
            }
            _ => Err(none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_read_as_it_is_written() {
        for text in [
            "servers=1",
            "relays=0",
            "clients=2",
            "requestors=0",
            "vandals=0",
            "secs=30",
            "no=loss",
            "only=",
            "only=loss,delay",
        ] {
            assert_eq!(text.parse::<Cut>().unwrap().to_string(), text);
        }
        for text in ["servers=0", "clients", "no=such", "secs=x", "ports=1"] {
            let said = text.parse::<Cut>().unwrap_err().to_string();
            assert!(said.starts_with(text) && said.contains("reset"), "{said}");
        }
    }
}
