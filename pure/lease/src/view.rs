//! Reading a client where it lies, without copying it.

use std::net::Ipv6Addr;

use wire::{DuidRef, Iaid, Options, Reader};

use crate::image::{self, ImageError, Parts};
use crate::relay_path::{relay_ids, remote_ids};
use crate::{Binding, Client, ClientKey, Heard, IaKind, Lease, LinkId, ReconfigureKey, RelayPath};

/// A client inside its image.
#[derive(Debug, Clone)]
pub struct ClientView<'a> {
    /// The link it is on.
    pub link: LinkId,
    /// Its identifier.
    pub duid: DuidRef<'a>,
    /// When it was last heard, in seconds since 1970.
    pub heard_unix_secs: u64,
    /// From where the last relay sent; unspecified without a path, or if nobody remembers.
    pub peer_address: Ipv6Addr,
    /// What a Reconfigure to it is authenticated with.
    pub reconfigure: Option<ReconfigureKey>,
    path: &'a [u8],
    options: &'a [u8],
    bindings: Reader<'a>,
}

/// A lease, and whose identity association it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLease {
    /// IA_NA or IA_PD.
    pub kind: IaKind,
    /// The client's number for it.
    pub iaid: Iaid,
    /// The lease.
    pub lease: Lease,
}

impl<'a> ClientView<'a> {
    /// Reads an image, and proves all of it sound.
    pub fn decode(image: &'a [u8]) -> Result<Self, ImageError> {
        image::check(image)?;
        Ok(Self::of_checked(image))
    }

    /// Reads an image that has been proven sound before.
    #[inline]
    pub(crate) fn of_checked(image: &'a [u8]) -> Self {
        let Parts { link, duid, heard_unix_secs, path, peer_address, options, reconfigure, bindings } =
            image::parts(image).expect("images are checked before they are kept");
        Self { link, duid, heard_unix_secs, peer_address, reconfigure, path, options, bindings }
    }

    /// The relay path it was last heard through, as octets; `None` if it came directly.
    #[inline]
    pub fn path(&self) -> Option<&'a [u8]> {
        if self.path.is_empty() { None } else { Some(self.path) }
    }

    /// The Relay-IDs of every relay on the path.
    pub fn relay_ids(&self) -> impl Iterator<Item = DuidRef<'a>> + use<'a> {
        relay_ids(self.path)
    }

    /// The Remote-IDs of every relay on the path, enterprise number included.
    pub fn remote_ids(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        remote_ids(self.path)
    }

    /// The client's own options.
    pub fn options(&self) -> Options<'a> {
        Options::new(self.options).expect("images are checked before they are kept")
    }

    /// Every lease of every binding, in the order kept.
    #[inline]
    pub fn leases(&self) -> impl Iterator<Item = HeldLease> + use<'a> {
        let mut reader = self.bindings.clone();
        let mut bindings = reader.u16().unwrap_or(0);
        let mut current = (IaKind::Address, Iaid(0), 0_u16);
        std::iter::from_fn(move || {
            while current.2 == 0 {
                bindings = bindings.checked_sub(1)?;
                current = image::take_binding(&mut reader).ok()?;
            }
            current.2 -= 1;
            let (kind, iaid, _) = current;
            Some(HeldLease { kind, iaid, lease: image::take_lease(kind, &mut reader).ok()? })
        })
    }

    /// A copy that owns everything.
    pub fn to_client(&self) -> Client {
        let path = self.path().map(|octets| {
            RelayPath::new(self.peer_address, octets).expect("images are checked before they are kept")
        });
        Client {
            key: ClientKey { link: self.link, duid: self.duid.to_duid() },
            heard: Heard { at_unix_secs: self.heard_unix_secs, path },
            options: self.options().iter().map(|option| (option.code, option.data.into())).collect(),
            reconfigure: self.reconfigure,
            bindings: self.bindings(),
        }
    }

    fn bindings(&self) -> Vec<Binding> {
        let mut reader = self.bindings.clone();
        let count = reader.u16().unwrap_or(0);
        (0..count).map_while(|_| binding(&mut reader).ok()).collect()
    }
}

fn binding(reader: &mut Reader<'_>) -> Result<Binding, ImageError> {
    let (kind, iaid, count) = image::take_binding(reader)?;
    let leases = (0..count).map(|_| image::take_lease(kind, reader)).collect::<Result<_, _>>()?;
    Ok(Binding { kind, iaid, leases })
}
