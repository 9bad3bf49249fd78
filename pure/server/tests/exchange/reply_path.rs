//! The way back: through which relays, and to which port.

use server::exchange::Recipient;
use wire::{Message, OptionCode, RelayChain};

use crate::kit::{Client, Relay, Site};

fn relay() -> Relay {
    Relay::at("2001:db8:1::1")
}

// DH-X-06, DH-T-06
#[test]
fn an_answer_goes_to_the_port_that_the_last_relay_asks_for() {
    let mut server = Site::usual().open();
    let mut recipient = |relays: &[&Relay]| {
        let solicit = Client::new(1).solicit().na(1, &[]);
        let told = if relays.is_empty() { server.ask(solicit) } else { server.ask(solicit.through(relays)) };
        told.answered.recipient
    };
    let with_port = relay().option(OptionCode::RELAY_PORT, &[0, 0]);
    assert_eq!(recipient(&[]), Recipient::Client);
    assert_eq!(recipient(&[&relay()]), Recipient::Relay);
    assert_eq!(recipient(&[&with_port]), Recipient::RelayAtItsPort);
    assert_eq!(recipient(&[&relay(), &with_port]), Recipient::RelayAtItsPort);
    assert_eq!(recipient(&[&with_port, &relay()]), Recipient::Relay);
}

// DH-X-01, DH-X-02, DH-X-03, DH-X-04, DH-X-05, DH-X-07, DH-X-08
#[test]
fn an_answer_retraces_the_relays() {
    let mut server = Site::usual().open();
    let inner = relay()
        .interface_id("inner")
        .option(OptionCode(9999), b"?")
        .remote_id("port 7")
        .option(OptionCode::ERO, &[0, 37, 0x27, 0x0f, 0, 18]);
    let outer = Relay::at("2001:db8:77::1")
        .interface_id("outer")
        .option(OptionCode::RELAY_PORT, &[3, 232])
        .remote_id("port 8");
    let question = Client::new(1).solicit().na(1, &[]).through(&[&inner, &outer]);
    let (octets, _) = server.receive(&question).unwrap();
    let (asked, _) = RelayChain::decode(&question.octets).unwrap();
    let mut inside = octets.as_slice();
    let mut levels = Vec::new();
    for hop in asked.hops() {
        let Ok(Message::Relay(level)) = Message::decode(inside) else { panic!("no Relay-reply") };
        assert_eq!(level.hop_count, hop.hop_count);
        assert_eq!((level.link_address, level.peer_address), (hop.link_address, hop.peer_address));
        let own = level.options.iter().filter(|option| option.code != OptionCode::RELAY_MSG);
        let mut own: Vec<_> = own.map(|option| (option.code.0, option.data)).collect();
        own.sort_unstable();
        levels.push(own);
        inside = level.relayed().unwrap().unwrap();
    }
    assert_eq!(levels[0], [(18, &b"outer"[..]), (135, &[3, 232])]);
    assert_eq!(levels[1], [(18, &b"inner"[..]), (37, b"\0\0\x01\x02port 7"), (9999, b"?")]);
    assert!(matches!(Message::decode(inside), Ok(Message::Client(_))));
}
