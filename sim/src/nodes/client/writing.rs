//! What a client writes (RFC 9915 §18.2).

use lease::Resource;
use wire::{ClientMessage, Duid, IaKind, Iaid, MessageType, OptionCode, Writer};

use super::exchange::Exchange;

/// What goes with every message of a client.
#[derive(Debug)]
pub(super) struct Signature<'a> {
    pub(super) client: &'a Duid,
    pub(super) rapid_commit: bool,
}

/// An IA_NA or IA_PD as it is asked for, with what the client would have or has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) kind: IaKind,
    pub(super) iaid: Iaid,
    pub(super) resources: Vec<Resource>,
}

/// The message of an exchange, as it is sent now.
pub(super) fn write(exchange: &Exchange, signature: &Signature<'_>, elapsed_hundredths: u16) -> Vec<u8> {
    let mut octets = Vec::with_capacity(256);
    let mut writer = Writer::new(&mut octets);
    ClientMessage::write(&mut writer, exchange.message_type, exchange.transaction, |w| {
        w.raw_option(OptionCode::CLIENTID, signature.client.octets());
        if let Some(server) = &exchange.server {
            w.raw_option(OptionCode::SERVERID, server.octets());
        }
        w.option(OptionCode::ELAPSED_TIME, |w| w.u16(elapsed_hundredths));
        let requested = requested(exchange.message_type);
        if !requested.is_empty() {
            w.option(OptionCode::ORO, |w| requested.iter().for_each(|code| w.u16(code.0)));
        }
        if signature.rapid_commit && exchange.message_type == MessageType::Solicit {
            w.raw_option(OptionCode::RAPID_COMMIT, &[]);
        }
        for Asked { kind, iaid, resources } in &exchange.asked {
            w.ia(*kind, *iaid, 0, 0, |w| resources.iter().for_each(|resource| lease(w, *resource)));
        }
    });
    writer.finish().expect("a few associations fit into a message");
    octets
}

/// What is asked for besides leases (§18.2.1, §21.7).
fn requested(message_type: MessageType) -> &'static [OptionCode] {
    match message_type {
        MessageType::Solicit | MessageType::Request | MessageType::Renew | MessageType::Rebind => {
            &[OptionCode::DNS_SERVERS, OptionCode::SOL_MAX_RT]
        }
        MessageType::InformationRequest => {
            &[OptionCode::DNS_SERVERS, OptionCode::INF_MAX_RT, OptionCode::INFORMATION_REFRESH_TIME]
        }
        _ => &[],
    }
}

/// Lifetimes are the server's business.
fn lease(w: &mut Writer<'_>, resource: Resource) {
    match resource {
        Resource::Address(address) => w.ia_address(address, 0, 0),
        Resource::Prefix(prefix) => w.ia_prefix(prefix, 0, 0, |_| {}),
    }
}
