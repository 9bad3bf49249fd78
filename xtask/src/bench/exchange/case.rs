//! What kind of exchange is measured: what clients ask for, and by which way.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Wish {
    /// IA_NA.
    Address,
    /// IA_PD.
    Prefix,
    /// IA_NA and IA_PD.
    Both,
}

impl Wish {
    /// Whether an IA_NA is asked for.
    pub(in crate::bench) fn address(self) -> bool {
        self != Self::Prefix
    }

    /// Whether an IA_PD is asked for.
    pub(in crate::bench) fn prefix(self) -> bool {
        self != Self::Address
    }
}

/// By which way it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// From a link-local address to all servers, by multicast.
    Direct,
    /// Through one relay, which sends to the server's address.
    Relayed,
}

/// A kind of exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub(crate) struct Case {
    /// What the clients of the main case ask for
    #[arg(long, value_enum, default_value_t = Wish::Both)]
    pub(in crate::bench) wish: Wish,
    /// By which way they ask
    #[arg(long, value_enum, default_value_t = Way::Relayed)]
    pub(in crate::bench) way: Way,
}

impl Case {
    /// Every kind.
    pub(in crate::bench) fn all() -> impl Iterator<Item = Self> {
        let wishes = [Wish::Address, Wish::Prefix, Wish::Both];
        let ways = [Way::Direct, Way::Relayed];
        ways.into_iter().flat_map(move |way| wishes.into_iter().map(move |wish| Self { wish, way }))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Direct => "direct",
            Way::Relayed => "relayed",
        };
        let wish = match self.wish {
            Wish::Address => "IA_NA",
            Wish::Prefix => "IA_PD",
            Wish::Both => "IA_NA and IA_PD",
        };
        write!(f, "{way} {wish}")
    }
}

impl Serialize for Case {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
