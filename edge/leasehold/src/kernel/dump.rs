//! Reads all routes of a table.

use std::io;

use nix::errno::Errno;
use nix::libc::{RTM_GETROUTE, RTM_NEWROUTE};
use relay::Seen;

use super::route::{seen, table_request};
use super::socket::NetlinkSocket;
use super::{MAIN_TABLE, RouteSettings};

/// Room for what the kernel says: it waits for the reader when it dumps.
const RECEIVE_OCTETS: usize = 256 * 1024;

/// The routes that stand where ours would, and the prefixes that the host is connected to.
pub fn dump(settings: &RouteSettings) -> io::Result<Vec<Seen>> {
    let mut socket = NetlinkSocket::open(RECEIVE_OCTETS)?;
    let mut all = table(&mut socket, settings, settings.table)?;
    if settings.table != MAIN_TABLE && !settings.is_vrf {
        all.extend(table(&mut socket, settings, MAIN_TABLE)?);
    }
    Ok(all)
}

fn table(socket: &mut NetlinkSocket, settings: &RouteSettings, table: u32) -> io::Result<Vec<Seen>> {
    let routes = socket.dump(RTM_GETROUTE, &table_request(table), |all, message| {
        if message.message_type == RTM_NEWROUTE {
            all.extend(seen(settings, message.payload));
        }
    });
    match routes {
        // There is no such table before its first route.
        Err(error) if error.raw_os_error() == Some(Errno::ENOENT as i32) => Ok(Vec::new()),
        routes => routes,
    }
}
