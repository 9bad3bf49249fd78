//! The routes of a relay to its customers, as the kernel has them.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use anyhow::{Result, ensure};
use relay::{Change, Owner, Route, Target};

use super::namespace::Namespace;
use crate::kernel::{self, RouteSettings, RouteWriter};

/// Routes to customers. Unreachable ones do not count: they lead to nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Routes(BTreeSet<Route>);

impl Routes {
    /// Those of a relay's host now.
    pub(super) fn of(host: &Namespace) -> Result<Self> {
        let leads_somewhere = |route: &Route| matches!(route.target, Target::Via { .. });
        Ok(Self(all(host)?.into_iter().filter(leads_somewhere).collect()))
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether one of them is to this address, if all are to prefixes of this length.
    pub(super) fn lead_to(&self, address: Ipv6Addr) -> bool {
        let before = self.0.range(
            ..=Route {
                destination: wire::Prefix::new(address, 128).expect("an address has no host bits"),
                target: Target::Unreachable,
            },
        );
        before.last().is_some_and(|route| route.destination.contains(address))
    }

    /// How many of `self` are not in `other`.
    pub(super) fn without(&self, other: &Self) -> u64 {
        self.0.difference(&other.0).count() as u64
    }
}

/// Takes all routes of a relay away, as a reboot of its host does.
pub(super) fn flush(host: &Namespace) -> Result<()> {
    let changes: Vec<_> = all(host)?.into_iter().map(Change::Delete).collect();
    let outcomes = host.within(|| Ok(RouteWriter::open(RouteSettings::default())?.apply(&changes)?))?;
    ensure!(outcomes.iter().all(Result::is_ok), "the kernel keeps routes that are to go");
    Ok(())
}

fn all(host: &Namespace) -> Result<Vec<Route>> {
    let seen = host.within(|| Ok(kernel::dump(&RouteSettings::default())?))?;
    let ours = seen.into_iter().filter_map(|seen| match seen.owner {
        Owner::Ours(target) => Some(Route { destination: seen.destination, target }),
        Owner::Stranger => None,
    });
    Ok(ours.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_leads_to_what_is_inside_of_its_destination() {
        let via = |index| Target::Via { next_hop: Ipv6Addr::LOCALHOST, interface_index: index };
        let route = |prefix: &str, index| Route { destination: prefix.parse().unwrap(), target: via(index) };
        let routes = Routes([route("2001:db8:0:100::/56", 1), route("2001:db8:0:300::/56", 2)].into());
        for (address, leads) in [
            ("2001:db8:0:100::1", true),
            ("2001:db8:0:200::1", false),
            ("2001:db8:0:3ff::1", true),
            ("::1", false),
        ] {
            assert_eq!(routes.lead_to(address.parse().unwrap()), leads, "{address}");
        }
        assert_eq!(routes.without(&Routes::default()), 2);
    }
}
