//! Pools: addresses to assign, and prefixes to delegate in equal parts.
//!
//! Of each part of a delegation pool, the same piece can stay with the delegating side: a customer's
//! uplink, say, which then lies inside the customer's own prefix (RFC 6603). It is configured for one
//! part, whichever, and means the same bits behind the delegated length in all.

use std::net::Ipv6Addr;

use wire::Prefix;

/// Addresses from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressPool {
    /// The lowest.
    pub first: Ipv6Addr,
    /// The highest.
    pub last: Ipv6Addr,
}

/// A prefix that is delegated in equal parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelegationPool {
    /// What is delegated from.
    pub prefix: Prefix,
    /// Bits of each part.
    pub delegated_length: u8,
    /// What stays with the delegating side of one part, and so of each: behind the delegated length,
    /// its bits are the same in all of them ([`DelegationPool::excluded_from`]). It is longer than a
    /// part (RFC 6603 §4.2).
    pub excluded: Option<Prefix>,
}

impl DelegationPool {
    /// Whether this prefix is one of the parts.
    pub fn delegates(&self, prefix: Prefix) -> bool {
        self.delegated_length == prefix.length() && self.prefix.covers(prefix)
    }

    /// What stays with the delegating side when this prefix is delegated; `None` if the pool excludes
    /// nothing, or if the prefix is none of its parts.
    pub fn excluded_from(&self, delegated: Prefix) -> Option<Prefix> {
        let excluded = self.excluded.filter(|excluded| excluded.length() > self.delegated_length)?;
        if !self.delegates(delegated) {
            return None;
        }
        let behind = u128::MAX.checked_shr(self.delegated_length.into()).unwrap_or(0);
        let here = delegated.address().to_bits() | (excluded.address().to_bits() & behind);
        Prefix::new(Ipv6Addr::from_bits(here), excluded.length()).ok()
    }

    /// Whether all of this stays with the delegating side, whoever is delegated the part around it.
    pub fn leaves_out(&self, prefix: Prefix) -> bool {
        let around = Prefix::new(prefix.address(), self.delegated_length).ok();
        let excluded = around.and_then(|part| self.excluded_from(part));
        excluded.is_some_and(|excluded| excluded.covers(prefix))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn pool(from: &str, delegated_length: u8, excluded: &str) -> DelegationPool {
        DelegationPool { prefix: prefix(from), delegated_length, excluded: Some(prefix(excluded)) }
    }

    // DH-O-02
    #[test]
    fn what_is_excluded_from_one_part_is_excluded_from_each() {
        let pool = pool("2001:db8:f000::/40", 56, "2001:db8:f000:105::/64");
        let excluded = |part: &str| pool.excluded_from(prefix(part));
        assert_eq!(excluded("2001:db8:f000::/56"), Some(prefix("2001:db8:f000:5::/64")));
        assert_eq!(excluded("2001:db8:f000:100::/56"), Some(prefix("2001:db8:f000:105::/64")));
        assert_eq!(excluded("2001:db8:f0ff:ff00::/56"), Some(prefix("2001:db8:f0ff:ff05::/64")));
        assert!(pool.leaves_out(prefix("2001:db8:f012:3405::/64")));
        assert!(pool.leaves_out(prefix("2001:db8:f012:3405::1/128")));
        assert!(!pool.leaves_out(prefix("2001:db8:f012:3404::/63")));
        assert!(!pool.leaves_out(prefix("2001:db8:f012:3406::/64")));
        assert!(!pool.leaves_out(prefix("2001:db8::/32")));
        assert!(!pool.leaves_out(prefix("2001:db8:e000:5::/64")));
    }

    // DH-O-04
    #[test]
    fn nothing_is_excluded_from_what_is_no_part() {
        let pool_of_56 = pool("2001:db8:f000::/40", 56, "2001:db8:f000:5::/64");
        for other in
            ["2001:db8:f000::/55", "2001:db8:f000::/57", "2001:db8:e000::/56", "2001:db8:f000:5::/64"]
        {
            assert_eq!(pool_of_56.excluded_from(prefix(other)), None, "{other}");
        }
        let part = prefix("2001:db8:f000::/56");
        assert_eq!(DelegationPool { excluded: None, ..pool_of_56 }.excluded_from(part), None);
        assert_eq!(pool("2001:db8:f000::/40", 56, "2001:db8:f000::/56").excluded_from(part), None);
        assert_eq!(pool("::/0", 0, "8000::/1").excluded_from(prefix("::/0")), Some(prefix("8000::/1")));
        assert_eq!(pool("::1/128", 128, "::1/128").excluded_from(prefix("::1/128")), None);
    }

    proptest! {
        // DH-O-04
        #[test]
        fn each_part_leaves_out_the_same_bits_inside_itself(
            (pool_length, delegated_length, excluded_length) in (0..127_u8).prop_flat_map(|pool| {
                (Just(pool), pool..127).prop_flat_map(|(pool, part)| (Just(pool), Just(part), part + 1..=128))
            }),
            configured: u128,
            other: u128,
        ) {
            let at = |bits: u128, length| Prefix::new(Ipv6Addr::from_bits(bits), length).unwrap();
            let of_pool = u128::MAX.checked_shr(pool_length.into()).unwrap_or(0);
            let excluded = at(configured, excluded_length);
            let pool =
                DelegationPool { prefix: at(configured, pool_length), delegated_length, excluded: Some(excluded) };
            prop_assert_eq!(pool.excluded_from(at(configured, delegated_length)), Some(excluded));

            let part = at((configured & !of_pool) | (other & of_pool), delegated_length);
            let of_part = pool.excluded_from(part).unwrap();
            prop_assert!(part.covers(of_part) && of_part.length() == excluded_length);
            let behind = u128::MAX >> delegated_length;
            prop_assert_eq!(of_part.address().to_bits() & behind, excluded.address().to_bits() & behind);
            prop_assert!(pool.leaves_out(of_part) && !pool.leaves_out(part));
        }
    }
}
