//! Says when interfaces may have come, gone or changed.
//!
//! The kernel multicasts every change of a link over netlink. What a message says is not read: looking at all
//! interfaces again cannot miss anything, even when the kernel had to drop messages.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::libc::RTMGRP_LINK;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};

/// Readable when the interfaces are worth another look.
#[derive(Debug)]
pub struct Watcher {
    socket: OwnedFd,
}

impl Watcher {
    /// Watches the interfaces of this thread's network namespace from now on.
    pub fn start() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, RTMGRP_LINK as u32))?;
        Ok(Self { socket })
    }

    /// Takes what the kernel said, so that only what comes later makes it readable again.
    pub fn drain(&self) -> io::Result<()> {
        let mut unread = [0; 1];
        loop {
            match recv(self.socket.as_raw_fd(), &mut unread, MsgFlags::empty()) {
                // ENOBUFS: messages were dropped, so there was something.
                Ok(_) | Err(Errno::ENOBUFS | Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Watcher {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
