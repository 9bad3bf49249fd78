//! The Reconfigure Key Authentication Protocol (RFC 9915 §20.4): how a client gets its key, and a
//! message that proves to be from whoever has it.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use wire::{Authentication, ClientMessage, DhcpOption, Duid, MessageType, OptionCode, TransactionId, Writer};

use super::Announced;

const PROTOCOL: u8 = 3;
const HMAC_MD5: u8 = 1;
/// A value that always grows.
const REPLAY_METHOD: u8 = 0;
/// What follows is a key.
const KEY: u8 = 1;
/// What follows is a digest.
const DIGEST: u8 = 2;
const DIGEST_OCTETS: usize = 16;

/// Where keys come from: a secret that nobody knows, stretched. To guess a key out of it, or another
/// one from a key, is to break the very function that a key is used with.
pub(in crate::exchange) struct KeySource {
    seed: [u8; 32],
    made: u64,
}

impl KeySource {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, made: 0 }
    }

    /// A key that nobody has had before.
    pub(super) fn make(&mut self) -> [u8; DIGEST_OCTETS] {
        self.made += 1;
        hmac_md5(&self.seed, &self.made.to_be_bytes())
    }
}

/// Without the secret.
impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySource").field("made", &self.made).finish_non_exhaustive()
    }
}

/// A key as its client is told it, and with which replay detection value.
#[derive(Clone, Copy)]
pub(in crate::exchange) struct ToldKey {
    pub(super) octets: [u8; DIGEST_OCTETS],
    pub(super) replay: u64,
}

/// Without the secret.
impl std::fmt::Debug for ToldKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToldKey").field("replay", &self.replay).finish_non_exhaustive()
    }
}

impl ToldKey {
    /// Writes AUTH with the key.
    pub(in crate::exchange) fn write(&self, w: &mut Writer<'_>) {
        authentication(w, self.replay, KEY, &self.octets);
    }
}

/// A Reconfigure, proven with the key.
pub(super) fn message(
    server_id: &Duid,
    client_id: &Duid,
    announced: Announced,
    key: &[u8; DIGEST_OCTETS],
    replay: u64,
) -> Vec<u8> {
    let mut octets = Vec::with_capacity(256);
    let mut w = Writer::new(&mut octets);
    ClientMessage::write(&mut w, MessageType::Reconfigure, TransactionId::from_number(0), |w| {
        w.raw_option(OptionCode::SERVERID, server_id.octets());
        w.raw_option(OptionCode::CLIENTID, client_id.octets());
        w.raw_option(OptionCode::RECONF_MSG, &[announced.message_type() as u8]);
        authentication(w, replay, DIGEST, &[0; DIGEST_OCTETS]);
    });
    w.finish().expect("two DUIDs and a few octets fit into a message");
    let digest = hmac_md5(key, &octets);
    let at = octets.len() - DIGEST_OCTETS;
    octets[at..].copy_from_slice(&digest);
    octets
}

fn authentication(w: &mut Writer<'_>, replay: u64, kind: u8, value: &[u8; DIGEST_OCTETS]) {
    let mut information = [kind; 1 + DIGEST_OCTETS];
    information[1..].copy_from_slice(value);
    let authentication = Authentication {
        protocol: PROTOCOL,
        algorithm: HMAC_MD5,
        replay_method: REPLAY_METHOD,
        replay_detection: replay.to_be_bytes(),
        information: &information,
    };
    DhcpOption::Authentication(authentication).encode(w);
}

fn hmac_md5(key: &[u8], octets: &[u8]) -> [u8; DIGEST_OCTETS] {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(octets);
    mac.finalize().into_bytes().into()
}
