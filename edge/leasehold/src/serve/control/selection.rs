//! A filter, made ready for the table: where to look, and what is meant of what is found there.

use lease::{ClientView, Cursor, HeldLease, Identifier, Lease, LinkId, Links, Resource, Search, Table};
use wire::Prefix;

use crate::control::{Filter, State};

/// Which leases are meant, on this server.
#[derive(Debug)]
pub(super) struct Selection {
    filter: Filter,
    link: Option<LinkId>,
    /// Where all that is meant can be found; `None` is everywhere.
    search: Option<Search>,
}

impl Selection {
    /// Refused with a reason if there is no such link.
    pub(super) fn new(filter: Filter, links: &Links) -> Result<Self, String> {
        let link = filter.link.as_deref().map(|name| link_called(name, links)).transpose()?;
        let search = search(&filter, link);
        Ok(Self { filter, link, search })
    }

    /// Looks at clients, from a place on: each with the place behind it, and `None` for one that the
    /// search does not mean.
    pub(super) fn look<'a>(
        &'a self,
        table: &'a Table,
        from: Cursor,
    ) -> Box<dyn Iterator<Item = (Cursor, Option<ClientView<'a>>)> + 'a> {
        match &self.search {
            Some(search) => Box::new(table.look(search, from)),
            None => Box::new(table.clients(from).map(|(behind, client)| (behind, Some(client)))),
        }
    }

    /// Those leases of a client that are meant.
    pub(super) fn leases(&self, client: &ClientView<'_>) -> Vec<HeldLease> {
        if !self.means_client(client) {
            return Vec::new();
        }
        client.leases().filter(|held| self.means_lease(&held.lease)).collect()
    }

    /// Whether all holds that is said of the client.
    fn means_client(&self, client: &ClientView<'_>) -> bool {
        let Filter { prefix: _, address: _, client: duid, relay_id, remote_id, link: _, states: _ } =
            &self.filter;
        duid.as_ref().is_none_or(|duid| client.duid == duid.as_ref())
            && relay_id.as_ref().is_none_or(|id| client.relay_ids().any(|known| known == id.as_ref()))
            && remote_id.as_ref().is_none_or(|id| client.remote_ids().any(|known| known == id.octets()))
            && self.link.is_none_or(|link| client.link == link)
    }

    /// Whether all holds that is said of the lease.
    pub(super) fn means_lease(&self, lease: &Lease) -> bool {
        let Filter { prefix, address, states, .. } = &self.filter;
        let is_of = match lease.resource {
            Resource::Address(address) => single(address),
            Resource::Prefix(prefix) => prefix,
        };
        prefix.is_none_or(|prefix| prefix.overlaps(is_of))
            && address.is_none_or(|address| is_of.contains(address))
            && (states.is_empty() || states.contains(&State::from(lease.state)))
    }
}

fn single(address: std::net::Ipv6Addr) -> Prefix {
    Prefix::new(address, 128).expect("128 bits are not too many")
}

/// What has only digits is a number: bindings outlive the configuration of their link.
fn link_called(name: &str, links: &Links) -> Result<LinkId, String> {
    if let Ok(number) = name.parse() {
        return Ok(LinkId(number));
    }
    let link = links.iter().find(|link| link.name == name);
    link.map(|link| link.id).ok_or_else(|| format!("no link is called {name:?}"))
}

/// The search that finds the fewest.
fn search(filter: &Filter, link: Option<LinkId>) -> Option<Search> {
    let client = filter.client.clone().map(Identifier::Client);
    let remote = || filter.remote_id.as_ref().map(|id| Identifier::Remote(id.octets().into()));
    let relay = || filter.relay_id.clone().map(Identifier::Relay);
    let identifier = client.or_else(remote).or_else(relay);
    identifier.map(Search::everywhere).or_else(|| link.map(Search::on_link))
}
