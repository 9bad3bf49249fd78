//! Leasequery over UDP: a socket, and one answer a datagram.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;

use server::Discard;
use server::counters::add;
use server::leasequery::datagram;
use tokio::net::UdpSocket;
use tracing::{debug, info, warn};

use super::service::Service;

/// Octets of the largest datagram.
const MAX_DATAGRAM: usize = 65_535;

/// Answers until the server stops. What cannot be sent is the requestor's to ask for again.
pub(super) async fn listen(service: Arc<Service>, socket: UdpSocket) {
    let mut stopping = service.stopping();
    let (mut input, mut out) = (vec![0; MAX_DATAGRAM], Vec::new());
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut input) => received,
            () = stopping.come() => return,
        };
        let (length, from) = match received {
            Ok(received) => received,
            Err(error) => {
                debug!("cannot receive: {error}");
                continue;
            }
        };
        out.clear();
        answer(&service, &input[..length], from, &mut out);
        if !out.is_empty()
            && let Err(error) = socket.send_to(&out, from).await
        {
            warn!(requestor = %from, "cannot send an answer: {error}");
        }
    }
}

fn answer(service: &Service, octets: &[u8], from: SocketAddr, out: &mut Vec<u8>) {
    let SocketAddr::V6(from) = from else { return };
    match judge(service, octets, *from.ip(), out) {
        Ok(answered) => {
            add(&service.counters.datagrams_answered, 1);
            service.counters.status(answered.status);
            info!(
                transport = "udp", requestor = %from, transaction_id = %answered.transaction_id,
                query_type = %answered.query_type, sought = answered.sought, status = %answered.status,
                leases = answered.leases, octets = out.len(), "query"
            );
        }
        Err(discard) => {
            out.clear();
            service.counters.discard(discard);
            debug!(requestor = %from, reason = %discard, "discarded");
        }
    }
}

fn judge(
    service: &Service,
    octets: &[u8],
    source: Ipv6Addr,
    out: &mut Vec<u8>,
) -> Result<datagram::Answered, Discard> {
    let now = service.now();
    if !service.rate().permits(source, now.instant) {
        return Err(Discard::TooFast);
    }
    datagram::answer(octets, source, &service.policy, &service.holdings(), now, out)
}
