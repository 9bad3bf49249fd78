//! One search for something to give.

// The keyed hash of the standard library: the state it begins with is ours, which its successor does
// not allow.
#![expect(deprecated, reason = "the successor of SipHasher takes no key")]

use std::hash::{Hasher, SipHasher};
use std::net::Ipv6Addr;

use lease::{ClientKey, Resource};
use wire::Prefix;

use super::ground::Ground;
use super::pool::Pool;
use super::spans::span_of;
use super::{Assigner, Found, Reservation, Seeker, Standing, Subscriber};

pub(super) struct Search<'a> {
    assigner: &'a Assigner,
    seeker: &'a Seeker<'a>,
    ground: Ground<'a>,
    client: ClientKey,
}

impl<'a> Search<'a> {
    pub(super) fn new(assigner: &'a Assigner, seeker: &'a Seeker<'a>, ground: Ground<'a>) -> Self {
        let client = ClientKey { link: seeker.link.id, duid: seeker.identity.duid.clone() };
        Self { assigner, seeker, ground, client }
    }

    pub(super) fn run(&self) -> Option<Found> {
        let by_wish = || self.seeker.hint.and_then(|hint| self.if_assignable(hint));
        self.kept().or_else(by_wish).or_else(|| self.remembered_or_pooled())
    }

    /// The first of what is kept for this association that is free: each has one. Among what is kept
    /// for it by the same name, what it would like comes first.
    pub(super) fn kept(&self) -> Option<Found> {
        self.reservations().find_map(|reservation| {
            let hinted = reservation.resources().filter(|kept| Some(*kept) == self.seeker.hint);
            hinted.chain(reservation.resources()).find_map(|kept| self.if_free(kept))
        })
    }

    /// Whether this is kept for the association.
    pub(super) fn is_kept(&self, resource: Resource) -> bool {
        self.reservations().any(|reservation| reservation.resources().any(|kept| kept == resource))
    }

    fn reservations(&self) -> impl Iterator<Item = &'a Reservation> {
        let of_client = self.assigner.reserved.of_client(self.client.link, self.seeker.identity);
        of_client.into_iter().filter(|reservation| self.is_for_association(reservation))
    }

    fn is_for_association(&self, reservation: &Reservation) -> bool {
        match reservation.subscriber {
            Subscriber::Association(_, iaid) => iaid == self.seeker.iaid,
            _ => true,
        }
    }

    /// The fitting lengths one after the other, the best first; of each what the association had
    /// before, then what is in the pools (RFC 8168 §3.2).
    fn remembered_or_pooled(&self) -> Option<Found> {
        let remembered = self.seeker.remembered.iter().map(|resource| span_of(*resource).length());
        let pooled = self.pools().map(Pool::part_length);
        let mut ranks: Vec<u8> = remembered.chain(pooled).map(|length| self.rank(length)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks.into_iter().find_map(|rank| {
            let is_of_rank = |resource: &&Resource| self.rank(span_of(**resource).length()) == rank;
            let mut remembered = self.seeker.remembered.iter().filter(is_of_rank);
            let again = remembered.find_map(|resource| self.if_assignable(*resource));
            again.or_else(|| {
                let mut pools = self.pools().filter(|pool| self.rank(pool.part_length()) == rank);
                pools.find_map(|pool| self.in_pool(pool))
            })
        })
    }

    /// The pools that have something for the seeker: those with an exclusion first, because not everybody
    /// can have what is in them.
    fn pools(&self) -> impl Iterator<Item = &'a Pool> {
        let all = || self.assigner.pools.of_link(self.client.link, self.seeker.kind);
        let takes_exclusion = self.seeker.takes_exclusion;
        let excluding = all().filter(move |pool| takes_exclusion && pool.has_exclusion());
        excluding.chain(all().filter(|pool| !pool.has_exclusion()))
    }

    /// How far a length is from the one wished for: just that one, then larger prefixes, the nearest
    /// first, then smaller ones.
    fn rank(&self, length: u8) -> u8 {
        let of_hint = self.seeker.hint.and_then(Resource::prefix).map(Prefix::length);
        match self.seeker.length_hint.or(of_hint) {
            None | Some(0) => 0,
            Some(wished) => wished.checked_sub(length).unwrap_or_else(|| 128 + (length - wished)),
        }
    }

    fn in_pool(&self, pool: &Pool) -> Option<Found> {
        let start = pool.start_of(self.number());
        let free = pool.find_free(start, &self.ground, |resource| self.beside_taken(resource));
        let offered = self.ground.offers.to_client(&self.client).filter_map(|resource| {
            let position = pool.position_of(resource)?;
            self.if_assignable(resource).map(|_| position)
        });
        let nearest = free.into_iter().chain(offered).min_by_key(|position| pool.distance(start, *position));
        let found = nearest.map(|position| self.found(pool.resource_at(position)));
        found.filter(|found| self.can_take(found))
    }

    /// The same for the same association, and nothing that others could guess.
    fn number(&self) -> u64 {
        let [first, second] = self.assigner.secret;
        let mut hasher = SipHasher::new_with_keys(first, second);
        hasher.write_u32(self.client.link.0);
        hasher.write_u8(self.seeker.kind as u8);
        hasher.write_u32(self.seeker.iaid.0);
        hasher.write(self.client.duid.octets());
        hasher.finish()
    }

    /// A free resource stands beside what the message has been given already; if not, up to where.
    fn beside_taken(&self, resource: Resource) -> Result<(), Ipv6Addr> {
        let span = span_of(resource);
        let mut taken = self.seeker.taken.iter().map(|taken| span_of(*taken));
        match taken.find(|taken| self.ground.exclusions.keep_apart(span, *taken)) {
            None => Ok(()),
            Some(taken) => Err(taken.last_address()),
        }
    }

    fn if_assignable(&self, resource: Resource) -> Option<Found> {
        let Seeker { link, identity, iaid, .. } = *self.seeker;
        let standing = self.assigner.standing_for(Some(iaid), link, resource, identity);
        (standing == Standing::Assignable).then(|| self.if_free(resource))?
    }

    /// The resource, if it is of the right kind and nothing stands against it but that it may be kept
    /// for somebody.
    fn if_free(&self, resource: Resource) -> Option<Found> {
        let found = self.found(resource);
        let is_free = resource.is_of(self.seeker.kind)
            && self.can_take(&found)
            && !self.assigner.is_barred(resource)
            && self.beside_taken(resource).is_ok()
            && !self.ground.is_offered_to_another(resource, &self.client)
            && !self.ground.is_held(resource, found.excluded);
        is_free.then_some(found)
    }

    /// The resource with what stays with the delegating side of it.
    fn found(&self, resource: Resource) -> Found {
        let excluded = resource.prefix().and_then(|prefix| self.ground.exclusions.excluded_from(prefix));
        Found { resource, excluded }
    }

    /// Only a client that can leave a part out may have a prefix without it (RFC 6603 §5.2).
    fn can_take(&self, found: &Found) -> bool {
        found.excluded.is_none() || self.seeker.takes_exclusion
    }
}
