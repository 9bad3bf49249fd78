//! Links: a shared network with all of its subnets is one, and so is a subnet outside any.
//!
//! A link has the number of its subnet; that of a shared network has the number of its first one, which also
//! speaks for it where Kea lets subnets differ. Options of a subnet that shares its network go to its pools.
//!
//! Kea allows what we do not: pools of different subnets with addresses in common, one interface for several
//! subnets. Then the first one counts, and the others are reported, so that what comes out is always good.

use std::collections::{HashMap, HashSet};
use std::net::Ipv6Addr;

use lease::{AddressPool, DelegationPool, Link, LinkId};
use server::exchange::{LinkTerms, PoolTerms};
use wire::Prefix;

use super::built::{Built, Site};
use super::json::{ConfigError, Mark};
use super::options::{OptionReader, OptionSet};
use super::ranges::Ranges;
use super::scope::{Remarks, Scope};
use super::setting::Setting;
use super::timing;
use super::ways::Ways;
use super::{keys, parts};

/// Makes links.
pub(super) struct LinkReader<'a, 'v> {
    pub(super) global: &'a Setting<'v>,
    pub(super) options: &'a mut OptionReader,
    pub(super) remarks: &'a mut Remarks,
    pub(super) built: Built<'v>,
    /// The number last given to a subnet without one.
    last_number: u32,
    /// Where each number was first used.
    numbers: HashMap<u32, Mark>,
    names: HashSet<String>,
    /// Where the pools of prefixes stand, and on which link they are.
    delegated: Vec<(usize, DelegationPool, Scope<'v>)>,
    pools: Ranges,
    ways: Ways,
}

impl<'a, 'v> LinkReader<'a, 'v> {
    pub(super) fn new(
        global: &'a Setting<'v>,
        options: &'a mut OptionReader,
        remarks: &'a mut Remarks,
    ) -> Self {
        Self {
            global,
            options,
            remarks,
            built: Built::default(),
            last_number: 0,
            numbers: HashMap::new(),
            names: HashSet::new(),
            delegated: Vec::new(),
            pools: Ranges::default(),
            ways: Ways::default(),
        }
    }

    /// All of them: shared networks first, for in that order Kea numbers subnets without an id.
    pub(super) fn read(mut self, dhcp6: &Scope<'v>) -> Result<Built<'v>, ConfigError> {
        for network in dhcp6.list("shared-networks")? {
            self.shared_network(&network)?;
        }
        for subnet in dhcp6.list("subnet6")? {
            let around = self.global.clone();
            self.link(None, &[subnet], around)?;
        }
        self.leave_out_what_is_on_link();
        Ok(self.built)
    }

    /// What is delegated may be on no link: Kea does not look, and packets for it would go astray.
    fn leave_out_what_is_on_link(&mut self) {
        for (link, pool, at) in std::mem::take(&mut self.delegated) {
            let Some((on_link, path)) = self.built.on_link(pool.prefix, Some(&pool)) else { continue };
            let reason = format!(
                "{on_link} of {path} is on a link: delegate what is on none, or exclude from it what is"
            );
            self.remarks.not_translated(&at, reason);
            self.built.links[link].delegation_pools.retain(|other| *other != pool);
            self.built.terms[link].pools.retain(|terms| terms.first != pool.prefix.address());
        }
    }

    fn shared_network(&mut self, at: &Scope<'v>) -> Result<(), ConfigError> {
        keys::report(at, keys::NETWORK, self.remarks);
        let name = at.text("name")?.ok_or_else(|| at.value.error("a shared network must have a `name`"))?;
        let setting = Setting::read(at, self.global, self.options, self.remarks)?;
        let name = name.replace(char::is_control, " ");
        self.link(Some((at, &name)), &at.list("subnet6")?, setting)
    }

    /// A link of these subnets; a network without any has nothing to lease, and is none.
    fn link(
        &mut self,
        network: Option<(&Scope<'v>, &str)>,
        subnets: &[Scope<'v>],
        around: Setting<'v>,
    ) -> Result<(), ConfigError> {
        if subnets.is_empty() {
            return Ok(());
        }
        let mut link = Link::default();
        let mut terms: Option<LinkTerms> = None;
        let mut link_options = if network.is_some() { around.options.clone() } else { OptionSet::default() };
        let mut pools = Vec::new();
        let mut numbers = Vec::new();
        if let Some((at, _)) = network {
            self.ways.add(at, &mut link, self.remarks)?;
        }
        for at in subnets {
            keys::report(at, keys::SUBNET, self.remarks);
            let setting = Setting::read(at, &around, self.options, self.remarks)?;
            let own = setting.timing.terms(self.remarks);
            match &terms {
                None => terms = Some(own),
                Some(first) => timing::report_differences(at, &own, first, self.remarks),
            }
            let is_shared = subnets.len() > 1;
            let of_pools = if is_shared {
                setting.options.clone()
            } else {
                link_options = setting.options.clone().over(&link_options);
                OptionSet::default()
            };
            numbers.push(self.subnet(at, &mut link, &mut pools, &setting, &of_pools)?);
            let site = Site { at: at.clone(), link: self.built.links.len(), setting, is_shared };
            self.built.sites.push(site);
        }
        // As a file has them: first those of addresses.
        pools.sort_by_key(|terms: &PoolTerms| {
            !link.address_pools.iter().any(|pool| pool.first == terms.first)
        });
        let first = network.map_or(&subnets[0], |(at, _)| at);
        link.id = LinkId(numbers[0]);
        link.name = self.name(network.map(|(_, name)| name), numbers[0]);
        let options = self.options.offered(&link_options, first, self.remarks);
        self.built.terms.push(LinkTerms { options, pools, ..terms.unwrap_or_default() });
        self.built.links.push(link);
        self.built.subnets.push(numbers);
        Ok(())
    }

    /// Adds a subnet to its link, and says its number.
    fn subnet(
        &mut self,
        at: &Scope<'v>,
        link: &mut Link,
        terms: &mut Vec<PoolTerms>,
        setting: &Setting<'v>,
        of_pools: &OptionSet,
    ) -> Result<u32, ConfigError> {
        let prefix = at
            .text("subnet")?
            .and_then(parts::subnet_prefix)
            .ok_or_else(|| at.value.error("a subnet must have a `subnet` as in \"2001:db8:1::/64\""))?;
        let number = self.number(at, prefix)?;
        self.ways.add(at, link, self.remarks)?;
        match self.built.prefixes.get(&prefix) {
            Some(other) => {
                let reason = format!("{prefix} is the prefix of {other} already");
                self.remarks.not_translated(at, reason);
            }
            None => {
                self.built.prefixes.insert(prefix, at.path.clone());
                link.prefixes.push(prefix);
            }
        }
        for at in at.list("pools")? {
            keys::report(&at, keys::POOL, self.remarks);
            let (first, last) = parts::pool(at.value)?;
            let inside = |prefix: &Prefix| prefix.contains(first) && prefix.contains(last);
            if !link.prefixes.iter().any(inside) {
                self.remarks.not_translated(&at, format!("lies outside of {prefix}"));
            } else if self.claim(&at, first, last) {
                link.address_pools.push(AddressPool { first, last });
                self.pool_terms(&at, (first, last), setting, of_pools, terms)?;
            }
        }
        for at in at.list("pd-pools")? {
            keys::report(&at, keys::PD_POOL, self.remarks);
            let pool = self.within_pool(&at, parts::pd_pool(at.value)?);
            let (first, last) = (pool.prefix.address(), pool.prefix.last_address());
            if self.claim(&at, first, last) {
                link.delegation_pools.push(pool);
                self.delegated.push((self.built.links.len(), pool, at.clone()));
                self.pool_terms(&at, (first, last), setting, of_pools, terms)?;
            }
        }
        Ok(number)
    }

    /// Whether nobody has claimed a pool's addresses; if somebody has, that is reported.
    fn claim(&mut self, at: &Scope<'v>, first: std::net::Ipv6Addr, last: Ipv6Addr) -> bool {
        let Err(other) = self.pools.claim(first, last, &at.path) else { return true };
        let reason = format!("has addresses in common with {other}, and each may be in one pool only");
        self.remarks.not_translated(at, reason);
        false
    }

    /// The pool, without an excluded part that does not lie in it.
    fn within_pool(&mut self, at: &Scope<'v>, pool: DelegationPool) -> DelegationPool {
        if pool.excluded.is_none_or(|excluded| pool.prefix.covers(excluded)) {
            return pool;
        }
        if let Some(excluded) = at.member("excluded-prefix") {
            self.remarks.not_translated(&excluded, format!("lies outside of {}", pool.prefix));
        }
        DelegationPool { excluded: None, ..pool }
    }

    fn pool_terms(
        &mut self,
        at: &Scope<'v>,
        (first, last): (Ipv6Addr, Ipv6Addr),
        setting: &Setting<'v>,
        of_pools: &OptionSet,
        terms: &mut Vec<PoolTerms>,
    ) -> Result<(), ConfigError> {
        let set = self.options.read(at, &setting.options, self.remarks)?.over(of_pools);
        let options = self.options.offered(&set, at, self.remarks);
        if !options.is_empty() {
            terms.push(PoolTerms { first, last, options });
        }
        Ok(())
    }

    /// The number of a subnet: its `id`, or, as Kea does it where there is none or 0, one more than the last
    /// so given.
    fn number(&mut self, at: &Scope<'v>, prefix: Prefix) -> Result<u32, ConfigError> {
        let given = at.number("id")?.filter(|&id: &u32| id != 0);
        let number = given.unwrap_or(self.last_number + 1);
        if given.is_none() {
            self.last_number = number;
            let mark = &at.value.mark;
            self.remarks
                .warn(format!("{mark}: subnet {prefix} has no id; taken for number {number}, as Kea counts"));
        }
        if let Some(other) = self.numbers.insert(number, at.value.mark.clone()) {
            let what = format!("the subnet at {other} has number {number} too; give each its own `id`");
            return Err(at.value.error(what));
        }
        Ok(number)
    }

    /// The name of a link: that given, or `subnet-7`; and if another link is called that, `subnet-7-`, and so
    /// on.
    fn name(&mut self, given: Option<&str>, number: u32) -> String {
        let made = || format!("subnet-{number}");
        let mut name = given.filter(|name| !name.is_empty()).map_or_else(made, str::to_owned);
        while !self.names.insert(name.clone()) {
            name.push('-');
        }
        name
    }
}
