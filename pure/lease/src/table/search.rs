//! What a query looks for, and how far it has come.

use std::hash::Hasher;

use wire::Duid;

use super::records::Slot;
use crate::{ClientView, LinkId};

/// What several clients may have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// The client's own DUID.
    Client(Duid),
    /// The DUID of a relay on the path, at any level.
    Relay(Duid),
    /// The Remote-ID that a relay on the path has added, enterprise number included.
    Remote(Box<[u8]>),
}

/// Which clients are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Those with this identifier, on any link or on one of those listed.
    Identifier {
        /// What they share.
        identifier: Identifier,
        /// `None` is any link.
        links: Option<Box<[LinkId]>>,
        #[doc(hidden)]
        digest: u64,
    },
    /// Those on a link.
    Link(LinkId),
}

impl Search {
    /// Those with this identifier, wherever they are.
    pub fn everywhere(identifier: Identifier) -> Self {
        let digest = identifier.digest();
        Self::Identifier { identifier, links: None, digest }
    }

    /// Those with this identifier on one of these links.
    pub fn on_links(identifier: Identifier, links: impl IntoIterator<Item = LinkId>) -> Self {
        let digest = identifier.digest();
        Self::Identifier { identifier, links: Some(links.into_iter().collect()), digest }
    }

    /// Those on this link.
    pub fn on_link(link: LinkId) -> Self {
        Self::Link(link)
    }

    /// Whether the client is really meant: digests may coincide.
    #[inline]
    pub(crate) fn means(&self, client: &ClientView<'_>) -> bool {
        match self {
            Self::Identifier { identifier, links, digest: _ } => {
                links.as_ref().is_none_or(|links| links.contains(&client.link)) && identifier.is_of(client)
            }
            Self::Link(link) => client.link == *link,
        }
    }
}

impl Identifier {
    fn is_of(&self, client: &ClientView<'_>) -> bool {
        match self {
            Self::Client(duid) => client.duid == duid.as_ref(),
            Self::Relay(duid) => client.relay_ids().any(|id| id == duid.as_ref()),
            Self::Remote(octets) => client.remote_ids().any(|id| id == &**octets),
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        match self {
            Self::Client(duid) => digest_of_client(duid.octets()),
            Self::Relay(duid) => digest_of_relay(duid.octets()),
            Self::Remote(octets) => digest_of_remote(octets),
        }
    }
}

pub(super) fn digest_of_client(octets: &[u8]) -> u64 {
    digest(1, octets)
}

pub(super) fn digest_of_relay(octets: &[u8]) -> u64 {
    digest(2, octets)
}

pub(super) fn digest_of_remote(octets: &[u8]) -> u64 {
    digest(3, octets)
}

/// The same octets always have the same digest: it lives in memory alone, so it need not be the
/// same in the next version.
fn digest(kind: u8, octets: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write_u8(kind);
    hasher.write(octets);
    hasher.finish()
}

/// A place in a search. It stays right whatever happens to the table in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(super) next: u64,
}

impl Cursor {
    /// Before everything.
    pub const START: Self = Self { next: 0 };

    #[inline]
    pub(super) fn behind(slot: Slot) -> Self {
        Self { next: u64::from(slot) + 1 }
    }

    /// The slot to go on with; `None` behind the last one that can exist.
    pub(super) fn slot(self) -> Option<Slot> {
        Slot::try_from(self.next).ok()
    }
}
