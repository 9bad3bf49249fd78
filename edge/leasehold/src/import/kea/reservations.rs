//! Reservations: for whom, on which link, what.
//!
//! Those of a subnet are for its link. Those of no subnet count in Kea only where `reservations-global` says
//! so; then each is put on every such link that has its addresses, or on all of them if it has options alone.
//!
//! The invariant: nothing is reserved twice, and on one link there is one reservation for a subscriber.

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv6Addr;

use lease::{DelegationPool, Link, LinkId};
use server::assign::{Reservation, Subscriber};
use store::import::kea::octets;
use wire::{Duid, Prefix};

use super::built::{Built, Site};
use super::encode;
use super::json::ConfigError;
use super::keys;
use super::options::OptionReader;
use super::ranges::{Pools, Ranges};
use super::scope::{Remarks, Scope};

/// Hardware type of an Ethernet address, which Kea does not ask for.
const ETHERNET: u16 = 1;
/// Octets of a hardware address: what Kea takes.
const MAX_HARDWARE_OCTETS: usize = 20;
/// How Kea is told to know a client by the Remote-ID that a relay has given it.
const BY_REMOTE_ID: [&str; 2] = ["relay6[0].option[37].hex", "relay6[-1].option[37].hex"];
/// Ways by which Kea finds a hardware address as we do, from what the relay says (RFC 6939).
const OUR_MAC_SOURCES: [&str; 2] = ["client-link-addr-option", "rfc6939"];

/// Reads reservations.
pub(super) struct ReservationReader<'a, 'v> {
    options: &'a mut OptionReader,
    remarks: &'a mut Remarks,
    built: &'a Built<'v>,
    identifiers: Vec<&'v str>,
    flex_is_remote_id: bool,
    /// Where Kea is told how to find hardware addresses.
    mac_sources: Option<Scope<'v>>,
    /// Whether it finds them as we do.
    same_mac_sources: bool,
    pools: Pools,
    reserved: Ranges,
    made: BTreeMap<(LinkId, Subscriber), Reservation>,
    order: Vec<(LinkId, Subscriber)>,
}

/// Addresses and prefixes, each with its place.
struct Wanted<'v> {
    addresses: Vec<(Ipv6Addr, Scope<'v>)>,
    prefixes: Vec<(Prefix, Scope<'v>)>,
}

impl<'a, 'v> ReservationReader<'a, 'v> {
    pub(super) fn new(
        dhcp6: &Scope<'v>,
        built: &'a Built<'v>,
        options: &'a mut OptionReader,
        remarks: &'a mut Remarks,
    ) -> Result<Self, ConfigError> {
        let mut identifiers: Vec<&str> =
            dhcp6.texts("host-reservation-identifiers")?.into_iter().map(|(name, _)| name).collect();
        if identifiers.is_empty() {
            identifiers = vec!["hw-address", "duid"];
        }
        let mac_sources = dhcp6.texts("mac-sources")?;
        let is_ours = |(name, _): &(&str, Scope<'_>)| OUR_MAC_SOURCES.contains(name);
        Ok(Self {
            options,
            remarks,
            built,
            identifiers,
            flex_is_remote_id: flex_is_remote_id(dhcp6)?,
            same_mac_sources: !mac_sources.is_empty() && mac_sources.iter().all(is_ours),
            mac_sources: dhcp6.member("mac-sources"),
            pools: Pools::of(&built.links),
            reserved: Ranges::default(),
            made: BTreeMap::new(),
            order: Vec::new(),
        })
    }

    /// All of them, in the order of the file.
    pub(super) fn read(mut self, dhcp6: &Scope<'v>) -> Result<Vec<Reservation>, ConfigError> {
        let built = self.built;
        for site in &built.sites {
            for at in site.at.list("reservations")? {
                self.of_subnet(&at, site)?;
            }
        }
        for at in dhcp6.list("reservations")? {
            self.global(&at)?;
        }
        let Self { mut order, mut made, .. } = self;
        let place = |id: LinkId| built.links.iter().position(|link| link.id == id);
        order.sort_by_cached_key(|(link, _)| place(*link));
        Ok(order.iter().filter_map(|key| made.remove(key)).collect())
    }

    fn of_subnet(&mut self, at: &Scope<'v>, site: &Site<'v>) -> Result<(), ConfigError> {
        keys::report(at, keys::RESERVATION, self.remarks);
        if site.setting.subnet_reservations == Some(false) {
            self.remarks.not_translated(at, "Kea does not regard it: `reservations-in-subnet` is false");
            return Ok(());
        }
        let Some(subscriber) = self.subscriber(at)? else { return Ok(()) };
        let wanted = wanted(at)?;
        self.reserve(at, site, subscriber, wanted)
    }

    fn global(&mut self, at: &Scope<'v>) -> Result<(), ConfigError> {
        keys::report(at, keys::RESERVATION, self.remarks);
        let mut on_links: HashSet<usize> = HashSet::new();
        let regards =
            |site: &&Site<'v>| site.setting.global_reservations == Some(true) && on_links.insert(site.link);
        let built = self.built;
        let sites: Vec<&Site<'v>> = built.sites.iter().filter(regards).collect();
        if sites.is_empty() {
            self.remarks.not_translated(at, "Kea does not regard it: `reservations-global` is true nowhere");
            return Ok(());
        }
        let Some(subscriber) = self.subscriber(at)? else { return Ok(()) };
        let Wanted { mut addresses, mut prefixes } = wanted(at)?;
        for site in sites {
            let link = &built.links[site.link];
            let here = Wanted {
                addresses: addresses.extract_if(.., |(address, _)| has_address(link, *address)).collect(),
                prefixes: prefixes.extract_if(.., |(prefix, _)| delegates(link, *prefix)).collect(),
            };
            self.reserve(at, site, subscriber.clone(), here)?;
        }
        for place in addresses.into_iter().map(|(_, at)| at).chain(prefixes.into_iter().map(|(_, at)| at)) {
            self.remarks.not_translated(&place, "is on no link where reservations of no subnet count");
        }
        Ok(())
    }

    /// Reserves on the link of a subnet what can be.
    fn reserve(
        &mut self,
        at: &Scope<'v>,
        site: &Site<'v>,
        subscriber: Subscriber,
        wanted: Wanted<'v>,
    ) -> Result<(), ConfigError> {
        let link = &self.built.links[site.link];
        let Wanted { mut addresses, mut prefixes } = wanted;
        addresses.retain(|(address, at)| {
            let fits = has_address(link, *address);
            if !fits {
                self.remarks.not_translated(at, "is not on the link");
            }
            fits && self.claim(at, *address, *address, site.link)
        });
        prefixes.retain(|(prefix, at)| {
            let delegates = |pool: &&DelegationPool| {
                pool.delegated_length == prefix.length() && pool.prefix.covers(*prefix)
            };
            let pool = link.delegation_pools.iter().find(delegates);
            if let Some((on_link, path)) = self.built.on_link(*prefix, pool) {
                self.remarks.not_translated(at, format!("{on_link} of {path} is on a link"));
                return false;
            }
            self.claim(at, prefix.address(), prefix.last_address(), site.link)
        });
        let mut set = self.options.read(at, &site.setting.options, self.remarks)?;
        if site.is_shared && !set.is_empty() {
            set = set.over(&site.setting.options);
        }
        let options = self.options.offered(&set, at, self.remarks);
        if addresses.is_empty() && prefixes.is_empty() && options.is_empty() {
            return Ok(());
        }
        let key = (link.id, subscriber);
        let made = self.made.entry(key.clone()).or_insert_with(|| {
            let (link, subscriber) = key.clone();
            self.order.push(key);
            let (addresses, prefixes) = (Vec::new(), Vec::new());
            Reservation { link, subscriber, addresses, prefixes, options: Default::default() }
        });
        made.addresses.extend(addresses.into_iter().map(|(address, _)| address));
        made.prefixes.extend(prefixes.into_iter().map(|(prefix, _)| prefix));
        if made.options.is_empty() {
            made.options = options;
        } else if !options.is_empty() && made.options != options {
            self.remarks.not_translated(at, "this client has other options on the same link, which count");
        }
        Ok(())
    }

    /// Whether addresses are free to be reserved on a link.
    fn claim(&mut self, at: &Scope<'v>, first: Ipv6Addr, last: Ipv6Addr, link: usize) -> bool {
        let elsewhere = self.pools.overlapping(first, last).find(|pool| pool.link != link);
        if let Some(pool) = elsewhere {
            let reason = format!("lies in a pool of another link, {}", self.built.links[pool.link].name);
            self.remarks.not_translated(at, reason);
            return false;
        }
        let Err(other) = self.reserved.claim(first, last, &at.path) else { return true };
        let reason = format!("is reserved at {other} already");
        self.remarks.not_translated(at, reason);
        false
    }

    /// For whom; `None`, and that is reported, if no such client can be known.
    fn subscriber(&mut self, at: &Scope<'v>) -> Result<Option<Subscriber>, ConfigError> {
        for key in ["duid", "hw-address", "flex-id"] {
            let Some((text, place)) = at.text(key)?.zip(at.member(key)) else { continue };
            if !self.identifiers.contains(&key) {
                let reason =
                    format!("Kea does not regard it: `host-reservation-identifiers` is without {key}");
                self.remarks.not_translated(&place, reason);
                return Ok(None);
            }
            let subscriber = match key {
                "duid" => {
                    hexadecimal(text).and_then(|octets| Duid::new(&octets).ok()).map(Subscriber::Client)
                }
                "hw-address" => self.hardware(text, &place),
                _ if self.flex_is_remote_id => encode::octets(text)
                    .filter(|octets| octets.len() >= 4)
                    .map(|octets| Subscriber::RemoteId(None, octets.into())),
                _ => {
                    let reason = "clients are not known by expressions here: of them, only the Remote-ID is";
                    self.remarks.not_translated(at, reason);
                    return Ok(None);
                }
            };
            if subscriber.is_none() {
                self.remarks.not_translated(at, format!("`{key}` cannot be read"));
            }
            return Ok(subscriber);
        }
        self.remarks.not_translated(at, "it is not said for whom, by `duid` or `hw-address`");
        Ok(None)
    }

    fn hardware(&mut self, text: &str, at: &Scope<'v>) -> Option<Subscriber> {
        let octets = hexadecimal(text).filter(|octets| (1..=MAX_HARDWARE_OCTETS).contains(&octets.len()))?;
        if !self.same_mac_sources {
            let reason = "a client is known by its hardware address only behind a relay that says it \
                          (RFC 6939); prefer `duid`";
            let at = self.mac_sources.clone().unwrap_or_else(|| at.clone());
            self.remarks.not_translated(&at, reason);
        }
        Some(Subscriber::LinkLayer(ETHERNET, octets.into()))
    }
}

/// What is reserved.
fn wanted<'v>(at: &Scope<'v>) -> Result<Wanted<'v>, ConfigError> {
    let address = |(text, at): (&str, Scope<'v>)| {
        let address = text.parse().map_err(|_| at.value.error(format!("`{text}` is not an IPv6 address")))?;
        Ok((address, at))
    };
    let prefix = |(text, at): (&str, Scope<'v>)| {
        let parsed = text.split_once('/').and_then(|(address, length)| {
            Prefix::new(address.trim().parse().ok()?, length.trim().parse().ok()?).ok()
        });
        let prefix = parsed.filter(|prefix| prefix.length() > 0);
        let prefix = prefix.ok_or_else(|| at.value.error(format!("`{text}` is not a prefix")))?;
        Ok((prefix, at))
    };
    Ok(Wanted {
        addresses: at.texts("ip-addresses")?.into_iter().map(address).collect::<Result<_, ConfigError>>()?,
        prefixes: at.texts("prefixes")?.into_iter().map(prefix).collect::<Result<_, ConfigError>>()?,
    })
}

/// Octets with colons, blanks or nothing between them.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if text.contains(':') {
        let mut out = Vec::new();
        return octets::append_colon_hex(text.as_bytes(), &mut out).map(|()| out);
    }
    encode::octets(text).filter(|_| !text.starts_with('\''))
}

fn has_address(link: &Link, address: Ipv6Addr) -> bool {
    link.prefixes.iter().any(|prefix| prefix.contains(address))
}

fn delegates(link: &Link, prefix: Prefix) -> bool {
    link.delegation_pools.iter().any(|pool| pool.prefix.covers(prefix))
}

/// Whether a hook makes the flexible identifier of clients the Remote-ID.
fn flex_is_remote_id(dhcp6: &Scope<'_>) -> Result<bool, ConfigError> {
    for at in dhcp6.list("hooks-libraries")? {
        if at.text("library")?.is_some_and(|library| library.contains("flex_id"))
            && let Some(parameters) = at.member("parameters")
            && let Some(expression) = parameters.text("identifier-expression")?
        {
            return Ok(BY_REMOTE_ID.contains(&expression.trim()));
        }
    }
    Ok(false)
}
