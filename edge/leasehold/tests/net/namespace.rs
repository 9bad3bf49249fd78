//! Two network namespaces: the test's thread is the server's host, and `Far` is everything beyond its cables.
//!
//! A socket belongs to the namespace of the thread that opened it, wherever it is used afterwards; so `Far` is
//! a thread that opens sockets and runs `ip` on demand.

use std::io::Write;
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::unistd::gettid;

/// How long a far socket waits before its owner sends again.
pub(crate) const AGAIN: Duration = Duration::from_millis(50);

type Task = Box<dyn FnOnce() + Send>;

/// The far ends of the cables.
pub(crate) struct Far {
    thread_id: i32,
    tasks: Sender<Task>,
    _thread: JoinHandle<()>,
}

/// Runs a test in namespaces of its own; without root it says that it was not run, and in CI it fails.
pub(crate) fn in_namespaces(test: fn(&Far)) {
    let done = thread::spawn(move || {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            not_tested(&format!("a network namespace needs root ({error})"));
            return;
        }
        ip("link set lo up");
        test(&Far::new());
    });
    if let Err(panic) = done.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Says so where it cannot be overlooked, and fails where nobody looks.
pub(crate) fn not_tested(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true, and {why}");
    let _ = writeln!(std::io::stderr(), "\nNOT TESTED: {why}\n");
}

impl Far {
    fn new() -> Self {
        let (tasks, to_do): (Sender<Task>, Receiver<Task>) = mpsc::channel();
        let (started, at_start) = mpsc::channel();
        let thread = thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            started.send(gettid().as_raw()).unwrap();
            to_do.into_iter().for_each(|task| task());
        });
        Self { thread_id: at_start.recv().unwrap(), tasks, _thread: thread }
    }

    /// Does something over there.
    pub(crate) fn run<R: Send + 'static>(&self, task: impl FnOnce() -> R + Send + 'static) -> R {
        let (send, receive) = mpsc::channel();
        self.tasks.send(Box::new(move || _ = send.send(task()))).unwrap();
        receive.recv().expect("the far side has failed")
    }

    /// Lays a cable from `near` to `far`, whose address is given, and gives the index of the near end, which
    /// has fe80::2.
    pub(crate) fn lay_cable(&self, near: &str, far: &'static str, far_address: &'static str) -> u32 {
        self.lay(near, far, far_address)
    }

    /// The same, with an index of one's choice.
    pub(crate) fn lay_cable_with_index(
        &self,
        near: &str,
        index: u32,
        far: &'static str,
        far_address: &'static str,
    ) {
        self.lay(&format!("{near} index {index}"), far, far_address);
    }

    fn lay(&self, named: &str, far: &'static str, far_address: &'static str) -> u32 {
        ip(&format!("link add {named} type veth peer name {far} netns {}", self.thread_id));
        let near = named.split(' ').next().unwrap();
        self.run(move || bring_up(far, far_address));
        bring_up(near, "fe80::2/64");
        if_nametoindex(near).unwrap()
    }

    /// A socket over there, bound to an address on an interface, that sends multicast there.
    pub(crate) fn socket(&self, address: &'static str, interface: &'static str, port: u16) -> FarSocket {
        self.run(move || {
            let index = if_nametoindex(interface).unwrap();
            let address: Ipv6Addr = address.parse().unwrap();
            let scope = if address.is_unicast_link_local() { index } else { 0 };
            let socket = UdpSocket::bind(SocketAddrV6::new(address, port, 0, scope)).unwrap();
            socket.set_read_timeout(Some(AGAIN)).unwrap();
            socket2::SockRef::from(&socket).set_multicast_if_v6(index).unwrap();
            FarSocket { socket, index }
        })
    }
}

impl Far {
    /// A socket over there that is in a group on an interface.
    pub(crate) fn group(&self, group: &'static str, interface: &'static str, port: u16) -> FarSocket {
        self.run(move || {
            let index = if_nametoindex(interface).unwrap();
            let group: Ipv6Addr = group.parse().unwrap();
            let socket = UdpSocket::bind(SocketAddrV6::new(group, port, 0, index)).unwrap();
            socket.join_multicast_v6(&group, index).unwrap();
            socket.set_read_timeout(Some(AGAIN)).unwrap();
            setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true).unwrap();
            FarSocket { socket, index }
        })
    }
}

/// A client's or a relay's socket.
pub(crate) struct FarSocket {
    socket: UdpSocket,
    index: u32,
}

impl FarSocket {
    /// Sends; what cannot be sent (yet) is like what is lost.
    pub(crate) fn send(&self, octets: &[u8], to: Ipv6Addr, port: u16) {
        let _ = self.socket.send_to(octets, SocketAddrV6::new(to, port, 0, self.index));
    }

    /// What has come, and from where, if something comes soon.
    pub(crate) fn receive(&self) -> Option<(Vec<u8>, SocketAddrV6)> {
        let mut buffer = [0; 2048];
        let (length, from) = self.socket.recv_from(&mut buffer).ok()?;
        let std::net::SocketAddr::V6(from) = from else { panic!("{from} is not IPv6") };
        Some((buffer[..length].to_vec(), from))
    }

    /// The hop limit of what comes next to a group, if something comes in time.
    pub(crate) fn hop_limit(&self, patience: Duration) -> Option<i32> {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut room = nix::cmsg_space!(i32);
        let received = recvmsg::<()>(self.socket.as_raw_fd(), &mut [], Some(&mut room), MsgFlags::empty());
        let received = received.ok()?;
        received.cmsgs().unwrap().find_map(|control| match control {
            ControlMessageOwned::Ipv6HopLimit(hops) => Some(hops),
            _ => None,
        })
    }
}

/// Up, with one address that is good at once.
fn bring_up(interface: &str, address: &str) {
    ip(&format!("link set {interface} addrgenmode none up"));
    ip(&format!("addr add {address} dev {interface} nodad"));
}

/// Runs `ip` in the namespace of this thread.
pub(crate) fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("ip (iproute2) is there");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
