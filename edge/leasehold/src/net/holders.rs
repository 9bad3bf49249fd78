//! Sockets that do nothing but hold memberships of groups.
//!
//! The kernel lets one socket hold only so many: 1,170 interfaces where `net.core.optmem_max` is 131,072, and it
//! used to be a sixth of that. So there are as many sockets as it takes. They are bound to no port and receive
//! nothing: once an interface is in a group, the server's own socket hears it there.

use std::io;
use std::net::Ipv6Addr;

use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tracing::debug;

/// The sockets; one is named by its place.
#[derive(Debug)]
pub(super) struct Holders {
    groups: &'static [Ipv6Addr],
    sockets: Vec<Socket>,
}

impl Holders {
    /// Sockets that join these groups, always all of them.
    pub(super) fn new(groups: &'static [Ipv6Addr]) -> Self {
        Self { groups, sockets: Vec::new() }
    }

    /// Joins on an interface, and says which socket holds it.
    pub(super) fn join(&mut self, interface_index: u32) -> io::Result<usize> {
        for (holder, socket) in self.sockets.iter().enumerate() {
            match join(socket, self.groups, interface_index) {
                Err(error) if is_full(&error) => {}
                result => return result.map(|()| holder),
            }
        }
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
        join(&socket, self.groups, interface_index)?;
        self.sockets.push(socket);
        Ok(self.sockets.len() - 1)
    }

    /// Leaves on an interface, which may be gone: the socket remembers it even then, and would refuse to join
    /// another one with its index.
    pub(super) fn leave(&self, holder: usize, interface_index: u32) {
        if let Some(socket) = self.sockets.get(holder) {
            leave(socket, self.groups, interface_index);
        }
    }
}

/// All groups, or none of them.
fn join(socket: &Socket, groups: &[Ipv6Addr], index: u32) -> io::Result<()> {
    let joined = groups.iter().try_for_each(|group| socket.join_multicast_v6(group, index));
    if joined.is_err() {
        leave(socket, groups, index);
    }
    joined
}

fn leave(socket: &Socket, groups: &[Ipv6Addr], index: u32) {
    for group in groups {
        if let Err(error) = socket.leave_multicast_v6(group, index) {
            debug!(index, %group, "not left: {error}");
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENOMEM as i32)
}
