//! What a transcript says of a server's links: what means them, what is given on them, and for whom something is kept.

use lease::{AddressPool, DelegationPool, InterfacePattern, Link, LinkId};
use server::assign::{Reservation, Subscriber};
use server::exchange::{LinkTerms, OfferedOptions};
use wire::{OptionCode, Options};

use super::Reading;
use crate::transcript::cast::Cast;
use crate::transcript::fault::Fault;
use crate::transcript::lines::Line;
use crate::transcript::message::{self, Context, Purpose};
use crate::transcript::octets;
use crate::transcript::site;
use crate::transcript::value::Bindings;
use crate::transcript::words::Words;

/// What may be said of a link.
const LINK_SETTINGS: [&str; 14] = [
    "prefix",
    "interface",
    "relay-address",
    "interface-id",
    "relay-id",
    "addresses",
    "delegates",
    "lifetimes",
    "times",
    "rapid commit",
    "binds nothing on Renew",
    "reconfigure",
    "offers",
    "reserves",
];

/// Links.
impl Reading<'_> {
    pub(super) fn link(&mut self, line: &Line, w: &mut Words<'_>) -> Result<(), Fault> {
        let id = LinkId(w.number()?);
        let mut link = Link { id, name: format!("link {id}"), ..Link::default() };
        let mut terms = LinkTerms::default();
        for line in &line.inside {
            let mut words = Words::new(line.number, &line.text);
            if !self.of_link(&mut link, &mut words)? && !self.of_terms(id, &mut terms, line, &mut words)? {
                return Err(Fault::unknown(line.number, &line.text, LINK_SETTINGS));
            }
            words.end()?;
        }
        self.links.push(link);
        self.rules.links.insert(id, terms);
        Ok(())
    }

    fn of_link(&mut self, link: &mut Link, w: &mut Words<'_>) -> Result<bool, Fault> {
        if w.take("prefix") {
            link.prefixes.push(w.prefix()?);
        } else if w.take("interface") {
            link.interfaces.push(InterfacePattern(w.next("the name of an interface")?.to_owned()));
        } else if w.take("relay-address") {
            link.relay_addresses.push(w.address()?);
        } else if w.take("interface-id") {
            link.interface_ids.push(w.octets()?.into());
        } else if w.take("relay-id") {
            link.relay_ids.push(site::duid(w, self.cast)?);
        } else if w.take("addresses") {
            let first = w.address()?;
            w.expect("to")?;
            link.address_pools.push(AddressPool { first, last: w.address()? });
        } else if w.take("delegates") {
            let prefix = w.prefix()?;
            w.expect("in")?;
            let length = w.next("a length such as /56")?;
            let delegated_length = length.strip_prefix('/').and_then(|length| length.parse().ok());
            let delegated_length = delegated_length
                .ok_or_else(|| Fault::new(w.line, format!("{length} is no length"), "/56"))?;
            let excluded = if w.take("excluding") { Some(w.prefix()?) } else { None };
            link.delegation_pools.push(DelegationPool { prefix, delegated_length, excluded });
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn of_terms(
        &mut self,
        link: LinkId,
        terms: &mut LinkTerms,
        line: &Line,
        w: &mut Words<'_>,
    ) -> Result<bool, Fault> {
        if w.take("lifetimes") {
            (terms.preferred_secs, terms.valid_secs) = (lifetime(w)?, lifetime(w)?);
        } else if w.take("times") {
            (terms.t1_secs, terms.t2_secs) = (Some(lifetime(w)?), Some(lifetime(w)?));
        } else if w.take("rapid commit") {
            terms.rapid_commit = true;
        } else if w.take("binds nothing on Renew") {
            terms.bind_on_renew = false;
        } else if w.take("reconfigure") {
            terms.reconfigure = true;
        } else if w.take("offers") {
            offers(&mut terms.options, line, w, self.cast)?;
        } else if w.take("reserves") {
            let reserved = self.reserved(link, line, w)?;
            self.reservations.push(reserved);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn reserved(&self, link: LinkId, line: &Line, w: &mut Words<'_>) -> Result<Reservation, Fault> {
        let (mut addresses, mut prefixes) = (Vec::new(), Vec::new());
        while !w.take("for") {
            let word = w.next("addresses and prefixes, and for whom")?;
            match (word.parse(), word.parse()) {
                (Ok(address), _) => addresses.push(address),
                (_, Ok(prefix)) => prefixes.push(prefix),
                _ => return Err(Fault::new(w.line, format!("{word} is neither"), "an address or a prefix")),
            }
        }
        let subscriber = if w.take("Remote-ID") {
            let enterprise: u32 = w.number()?;
            let value = [enterprise.to_be_bytes().as_slice(), &w.octets()?].concat();
            Subscriber::RemoteId(None, value.into())
        } else if w.take("Interface-ID") {
            let value = w.octets()?;
            w.expect("of")?;
            Subscriber::InterfaceId(site::duid(w, self.cast)?, value.into())
        } else {
            Subscriber::Client(site::duid(w, self.cast)?)
        };
        let mut options = OfferedOptions::default();
        add_options(&mut options, line, self.cast)?;
        Ok(Reservation { link, subscriber, addresses, prefixes, options })
    }
}

/// Seconds, or for ever.
fn lifetime(w: &mut Words<'_>) -> Result<u32, Fault> {
    if w.take("infinite") { Ok(wire::INFINITE) } else { w.secs() }
}

/// Options on offer, indented below the line; `always` has them sent unasked.
pub(super) fn offers(
    options: &mut OfferedOptions,
    line: &Line,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<(), Fault> {
    let always = w.take("always");
    let codes = add_options(options, line, cast)?;
    if always {
        codes.into_iter().for_each(|code| options.always(code));
    }
    Ok(())
}

fn add_options(options: &mut OfferedOptions, line: &Line, cast: &Cast) -> Result<Vec<OptionCode>, Fault> {
    let contents = message::contents(&line.inside, Context { cast, purpose: Purpose::Sent })?;
    let octets = octets::encode_options(&contents, &Bindings::new())
        .map_err(|what| Fault::new(line.number, what, "values"))?;
    let offered = Options::new(&octets).expect("they have just been written");
    offered.iter().for_each(|option| options.add(option.code, option.data));
    Ok(offered.iter().map(|option| option.code).collect())
}
