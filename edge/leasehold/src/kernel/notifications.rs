//! What others change: routes, interfaces, addresses.
//!
//! The kernel multicasts every change. Those that our own `RouteWriter` has made are its own news and not let
//! through, nor are those of tables that do not matter: a filter in the kernel drops them, so that a burst of ours costs
//! nothing here and cannot displace what others do. What is dropped for want of room is said to be lost, and a dump is
//! needed then.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_packet_route::address::AddressHeader;
use netlink_packet_route::link::LinkHeader;
use nix::errno::Errno;
use nix::libc;
use relay::Seen;
use socket2::{SockFilter, SockRef};

use super::route::seen;
use super::socket::NetlinkSocket;
use super::{MAIN_TABLE, RouteSettings};

/// Room for what was not read yet: some 26,000 routes that somebody else changes at once.
const RECEIVE_OCTETS: usize = 16 * 1024 * 1024;
/// Datagrams that are read at a time, so that other work is not kept waiting; the rest stays readable.
const READ_AT_ONCE: usize = 8192;

/// Readable when somebody has changed something.
#[derive(Debug)]
pub struct Notifications {
    socket: NetlinkSocket,
    settings: RouteSettings,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// Routes, in the order in which they were changed; none if something was lost.
    pub routes: Vec<RouteNews>,
    /// The numbers of interfaces that have come, gone, or changed, they or their addresses.
    pub interfaces: BTreeSet<u32>,
    /// Whether more has happened than is told here: routes and interfaces have to be looked at anew.
    pub lost: bool,
}

/// What became of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteNews {
    /// It is there now, perhaps in the place of another one.
    Added(Seen),
    /// It is there no longer.
    Removed(Seen),
}

impl Notifications {
    /// Listens from now on to what happens in this thread's network namespace, save to what the writer with this
    /// port does, if there is one.
    pub fn open(settings: RouteSettings, writer_port: Option<u32>) -> io::Result<Self> {
        let mut socket = NetlinkSocket::open(RECEIVE_OCTETS)?;
        SockRef::from(&socket.as_fd()).attach_filter(&filter(&settings, writer_port))?;
        for group in [libc::RTNLGRP_LINK, libc::RTNLGRP_IPV6_IFADDR, libc::RTNLGRP_IPV6_ROUTE] {
            socket.inner().add_membership(group)?;
        }
        Ok(Self { socket, settings })
    }

    /// Takes what has happened; what is left, if it is much, keeps this readable.
    pub fn drain(&mut self) -> io::Result<News> {
        let mut news = News::default();
        let mut read = 0;
        // Once something was lost the kernel drops everything until all is read: what happens then is told only
        // after the last of it.
        while read < READ_AT_ONCE || news.lost {
            match self.read(&mut news) {
                Ok(()) => read += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => news.lost = true,
                Err(error) => return Err(error),
            }
            if news.lost {
                news.routes.clear();
            }
        }
        Ok(news)
    }

    fn read(&mut self, news: &mut News) -> io::Result<()> {
        let settings = &self.settings;
        self.socket.receive(false, |message| match message.message_type {
            libc::RTM_NEWROUTE => news.routes.extend(seen(settings, message.payload).map(RouteNews::Added)),
            libc::RTM_DELROUTE => news.routes.extend(seen(settings, message.payload).map(RouteNews::Removed)),
            libc::RTM_NEWLINK | libc::RTM_DELLINK => {
                news.interfaces.extend(LinkHeader::parse(message.payload).map(|link| link.index));
            }
            libc::RTM_NEWADDR | libc::RTM_DELADDR => {
                news.interfaces.extend(AddressHeader::parse(message.payload).map(|address| address.index));
            }
            _ => {}
        })
    }
}

impl AsFd for Notifications {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Drops what the writer does, and routes of tables that do not matter.
///
/// A load from the message is in network order, while the message is in the host's.
fn filter(settings: &RouteSettings, writer_port: Option<u32>) -> [SockFilter; 10] {
    let load = |size: u32, offset| statement(libc::BPF_LD | size | libc::BPF_ABS, offset);
    let jump =
        |value, yes, no| SockFilter::new(code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K), yes, no, value);
    let message_type = |message_type: u16| u32::from(message_type.to_be());
    // A number beyond an octet stands in an attribute; the octet then says that it does.
    let table = if settings.table > 255 { u32::from(libc::RT_TABLE_COMPAT) } else { settings.table };
    let connected_table = if settings.is_vrf { table } else { MAIN_TABLE };
    [
        load(libc::BPF_W, NLMSG_PID_OFFSET),
        // What the kernel does of itself bears 0; no socket has the greatest number.
        jump(writer_port.unwrap_or(u32::MAX).to_be(), 6, 0),
        load(libc::BPF_H, NLMSG_TYPE_OFFSET),
        jump(message_type(libc::RTM_NEWROUTE), 1, 0),
        jump(message_type(libc::RTM_DELROUTE), 0, 4),
        load(libc::BPF_B, RTM_TABLE_OFFSET),
        jump(table, 2, 0),
        jump(connected_table, 1, 0),
        statement(libc::BPF_RET | libc::BPF_K, 0),
        statement(libc::BPF_RET | libc::BPF_K, u32::MAX),
    ]
}

/// Where the type stands in a netlink header.
const NLMSG_TYPE_OFFSET: u32 = 4;
/// Where the port of who made the change stands in a netlink header.
const NLMSG_PID_OFFSET: u32 = 12;
/// Where the table stands in a message about a route.
const RTM_TABLE_OFFSET: u32 = 20;

fn statement(instruction: u32, value: u32) -> SockFilter {
    SockFilter::new(code(instruction), 0, 0, value)
}

fn code(instruction: u32) -> u16 {
    u16::try_from(instruction).expect("instructions have 16 bits")
}
