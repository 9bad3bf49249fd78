//! Where a delegation may have a route at all.
//!
//! A route to a prefix that covers one that we are connected to, or equals it, would take that network away
//! from those who are on it; and a server that is mistaken or lies could draw anybody's traffic
//! with routes outside of what is there to be delegated. So neither is made.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use wire::Prefix;

/// What the configuration says of routes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteRules {
    /// The prefixes out of which is delegated. Empty: anything may be, that is a global or unique-local
    /// unicast prefix.
    pub aggregates: Vec<Prefix>,
    /// Whether each aggregate has a route that leads nowhere, so that what is sent to a part of it that nobody
    /// has does not loop.
    pub closes_aggregates: bool,
    /// After how long all routes of the kernel are looked at without any reason; never if nothing.
    pub look_every: Option<Duration>,
}

/// Why a delegation has no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// It is no part of any aggregate.
    OutsideAggregates,
    /// This host is connected to this prefix, which is the delegated one or a part of it.
    CoversConnected(Prefix),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideAggregates => f.write_str("outside the aggregates"),
            Self::CoversConnected(prefix) => write!(f, "covers {prefix}, which is connected"),
        }
    }
}

impl std::error::Error for Refused {}

impl RouteRules {
    /// Whether a prefix is a part of what may be delegated.
    pub(super) fn allow(&self, prefix: Prefix) -> bool {
        if self.aggregates.is_empty() {
            return is_unicast(prefix);
        }
        self.aggregates.iter().any(|aggregate| aggregate.covers(prefix))
    }
}

/// 2000::/3 or fc00::/7: all that may be routed to customers when nothing narrower is configured.
fn is_unicast(prefix: Prefix) -> bool {
    let first = prefix.address().octets()[0];
    (prefix.length() >= 3 && first & 0xe0 == 0x20) || (prefix.length() >= 7 && first & 0xfe == 0xfc)
}

/// A prefix that this host is connected to, by one interface and one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OnLink {
    pub(super) prefix: Prefix,
    pub(super) interface_index: u32,
    pub(super) metric: u32,
}

/// The prefixes that this host is connected to.
#[derive(Debug, Default)]
pub(super) struct Connected(BTreeSet<OnLink>);

impl Connected {
    pub(super) fn insert(&mut self, on_link: OnLink) -> bool {
        self.0.insert(on_link)
    }

    pub(super) fn remove(&mut self, on_link: OnLink) -> bool {
        self.0.remove(&on_link)
    }

    /// One that `prefix` covers or equals.
    pub(super) fn within(&self, prefix: Prefix) -> Option<Prefix> {
        // Those that cover `prefix` stand before it; behind it, those within it come first.
        let next = self.0.range(OnLink { prefix, interface_index: 0, metric: 0 }..).next()?;
        prefix.covers(next.prefix).then_some(next.prefix)
    }

    /// The prefixes that only one of the two has.
    pub(super) fn difference(&self, other: &Self) -> BTreeSet<Prefix> {
        self.0.symmetric_difference(&other.0).map(|on_link| on_link.prefix).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn a_connected_prefix_is_found_in_what_covers_it_and_in_itself() {
        let mut connected = Connected::default();
        for text in ["2001:db8:1::/64", "2001:db8:1::/48", "fe80::/64"] {
            connected.insert(OnLink { prefix: prefix(text), interface_index: 3, metric: 256 });
        }
        for (text, within) in [
            ("2001:db8::/32", Some("2001:db8:1::/48")),
            ("2001:db8:1::/48", Some("2001:db8:1::/48")),
            ("2001:db8:1::/56", Some("2001:db8:1::/64")),
            ("2001:db8:1::/65", None),
            ("2001:db8:1:1::/64", None),
            ("2001:db8:2::/48", None),
        ] {
            assert_eq!(connected.within(prefix(text)), within.map(prefix), "{text}");
        }
    }

    #[test]
    fn without_aggregates_only_unicast_may_be_delegated() {
        let rules = RouteRules::default();
        for text in ["2001:db8::/32", "fd00::/8", "3fff::/20"] {
            assert!(rules.allow(prefix(text)), "{text}");
        }
        for text in ["::/0", "fe80::/64", "ff00::/8", "::/128", "fc00::/6"] {
            assert!(!rules.allow(prefix(text)), "{text}");
        }
    }
}
