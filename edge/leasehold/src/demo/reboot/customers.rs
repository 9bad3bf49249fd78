//! Customers' routers, as far as they speak DHCPv6: they solicit a prefix, request it, and have it.
//!
//! Each has a socket of its own on its line and repeats what it says until it is answered; those of one line speak
//! one after another, and the lines side by side.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use indicatif::ProgressBar;
use nix::net::if_::if_nametoindex;
use wire::{
    CLIENT_PORT, ClientMessage, Duid, IaKind, Iaid, MessageType, OptionCode, Prefix, SERVER_PORT,
    TransactionId, Writer,
};

use super::patience::Patience;
use super::site::{Customer, LINES, Site, UPLINK};

const ALL_RELAYS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// Without an answer for so long, a customer says it again: what is lost is lost before the relay listens.
const AGAIN: Duration = Duration::from_millis(200);
/// So often, which takes longer than any server at work.
const ATTEMPTS: u32 = 100;
const IAID: Iaid = Iaid(1);
/// Longer than what a server says to one who wants a prefix.
const DATAGRAM_OCTETS: usize = 1500;

/// Has every customer get a prefix; gives them in the order of the customers.
pub(super) fn obtain_prefixes(
    site: &Site,
    customers: &[Customer],
    patience: &Patience,
    bar: &ProgressBar,
) -> Result<Vec<Prefix>> {
    let by_line = |line| {
        let theirs = customers.iter().filter(move |customer| customer.line == line);
        let obtain = |customer| {
            let prefix = Session::open(customer, patience)?.obtain()?;
            bar.inc(1);
            Ok(prefix)
        };
        site.line(line).within(|| theirs.map(obtain).collect::<Result<Vec<_>>>())
    };
    let lines: Vec<_> = thread::scope(|scope| {
        let lines: Vec<_> = (1..=LINES).map(|line| scope.spawn(move || by_line(line))).collect();
        lines.into_iter().map(|line| line.join().expect("no line panics")).collect::<Result<_>>()
    })?;
    let mut lines: Vec<_> = lines.into_iter().map(Vec::into_iter).collect();
    let in_order = customers.iter().map(|customer| {
        let line = &mut lines[usize::from(customer.line - 1)];
        line.next().expect("every customer has one")
    });
    Ok(in_order.collect())
}

/// A customer's talk with a server that is far away.
struct Session<'a> {
    customer: &'a Customer,
    patience: &'a Patience,
    socket: UdpSocket,
    said: u32,
}

/// What a server has for a customer.
struct Offer {
    server_id: Duid,
    prefix: Prefix,
}

impl<'a> Session<'a> {
    /// In the namespace of the customer's line.
    fn open(customer: &'a Customer, patience: &'a Patience) -> Result<Self> {
        let interface = if_nametoindex(UPLINK)?;
        let socket = UdpSocket::bind(SocketAddrV6::new(customer.address, CLIENT_PORT, 0, interface))?;
        socket.set_nonblocking(true)?;
        socket2::SockRef::from(&socket).set_multicast_if_v6(interface)?;
        Ok(Self { customer, patience, socket, said: 0 })
    }

    fn obtain(mut self) -> Result<Prefix> {
        let offer = self.talk(MessageType::Solicit, None, MessageType::Advertise)?;
        let granted = self.talk(MessageType::Request, Some(&offer), MessageType::Reply)?;
        ensure!(granted.prefix == offer.prefix, "{} was offered, and {} given", offer.prefix, granted.prefix);
        Ok(granted.prefix)
    }

    /// Says something until it is answered.
    fn talk(&mut self, says: MessageType, of: Option<&Offer>, expects: MessageType) -> Result<Offer> {
        self.said += 1;
        let id = TransactionId::from_number(self.said);
        let message = self.message(says, id, of)?;
        let to = SocketAddrV6::new(ALL_RELAYS, SERVER_PORT, 0, 0);
        for _ in 0..ATTEMPTS {
            // What cannot be sent, because a cable has just been plugged in, is like what is lost.
            let _ = self.socket.send_to(&message, to);
            let mut answer = None;
            self.patience.see(AGAIN, || {
                answer = self.receive(expects, id);
                Ok(answer.is_some())
            })?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
        bail!("the customer {} got no {expects} after {ATTEMPTS} attempts", self.customer.duid)
    }

    fn message(&self, says: MessageType, id: TransactionId, of: Option<&Offer>) -> Result<Vec<u8>> {
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets);
        ClientMessage::write(&mut writer, says, id, |w| {
            w.raw_option(OptionCode::CLIENTID, self.customer.duid.octets());
            if let Some(Offer { server_id, .. }) = of {
                w.raw_option(OptionCode::SERVERID, server_id.octets());
            }
            w.option(OptionCode::ELAPSED_TIME, |w| w.u16(0));
            w.ia_pd(IAID, 0, 0, |w| {
                if let Some(Offer { prefix, .. }) = of {
                    w.ia_prefix(*prefix, 0, 0, |_| {});
                }
            });
        });
        writer.finish()?;
        Ok(octets)
    }

    /// What is expected, if it has come.
    fn receive(&self, expects: MessageType, id: TransactionId) -> Option<Offer> {
        let mut buffer = [0; DATAGRAM_OCTETS];
        let length = self.socket.recv(&mut buffer).ok()?;
        let message = ClientMessage::decode(&buffer[..length]).ok()?;
        if message.message_type != expects || message.transaction_id != id {
            return None;
        }
        let prefix = message.options.ias().find_map(|ia| match ia {
            Ok((IaKind::Prefix, ia)) if ia.iaid == IAID => {
                Some(ia.options.ia_prefixes().next()?.ok()?.prefix)
            }
            _ => None,
        })?;
        Some(Offer { server_id: message.options.server_id().ok()??.to_duid(), prefix })
    }
}
