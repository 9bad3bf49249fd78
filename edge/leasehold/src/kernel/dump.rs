//! Reads all routes of a table.

use std::io;

use nix::errno::Errno;
use nix::libc::{RTM_GETROUTE, RTM_NEWROUTE};
use relay::Seen;

use super::route::{seen, table_request};
use super::socket::NetlinkSocket;
use super::{MAIN_TABLE, RouteSettings};

/// Room for what the kernel says: it waits for the reader when it dumps.
pub(super) const RECEIVE_OCTETS: usize = 256 * 1024;

/// How often it is tried. Where others change routes all the time no dump is ever whole; what is missed in the end
/// is found by the next one.
const ATTEMPTS: usize = 3;

/// The routes that stand where ours would, and the prefixes that the host is connected to.
pub fn dump(settings: &RouteSettings) -> io::Result<Vec<Seen>> {
    let mut socket = NetlinkSocket::open(RECEIVE_OCTETS)?;
    let of_interest = |payload: &[u8]| seen(settings, payload);
    let mut all = table(&mut socket, settings.table, of_interest)?;
    if settings.table != MAIN_TABLE && !settings.is_vrf {
        all.extend(table(&mut socket, MAIN_TABLE, of_interest)?);
    }
    Ok(all)
}

/// What is of interest in the messages on a table's routes.
pub(super) fn table<T>(
    socket: &mut NetlinkSocket,
    table: u32,
    of_interest: impl Fn(&[u8]) -> Option<T>,
) -> io::Result<Vec<T>> {
    let routes = socket.dump(ATTEMPTS, RTM_GETROUTE, &table_request(table), |all, message| {
        if message.message_type == RTM_NEWROUTE {
            all.extend(of_interest(message.payload));
        }
    });
    match routes.map(|dump| dump.all) {
        // There is no such table before its first route.
        Err(error) if error.raw_os_error() == Some(Errno::ENOENT as i32) => Ok(Vec::new()),
        routes => routes,
    }
}
