//! Options that relays supply for clients (RFC 6422).

use wire::{MessageType, OptionCode};

use crate::kit::{Client, Relay, Server, Site};

const ERP: OptionCode = OptionCode::ERP_LOCAL_DOMAIN_NAME;

fn relay(options: &[(OptionCode, &[u8])]) -> Relay {
    Relay::at("2001:db8:1::1").supplying(options)
}

fn ask(server: &mut Server, relays: &[&Relay]) -> crate::kit::Told {
    server.ask(Client::new(1).wanting(&[65, 23, 9999]).solicit().na(1, &[]).through(relays))
}

// DH-O-07
#[test]
fn only_what_relays_may_supply_is_passed_on() {
    let mut server = Site::usual().open();
    let supplied = relay(&[(ERP, b"\x01a\0"), (OptionCode::DNS_SERVERS, &[1; 16]), (OptionCode(9999), b"?")]);
    let told = ask(&mut server, &[&supplied]);
    assert_eq!(told.data(ERP), Some(&b"\x01a\0"[..]));
    assert!(!told.has(OptionCode::DNS_SERVERS) && !told.has(OptionCode(9999)));
    let told = server.ask(Client::new(1).wanting(&[65]).information().through(&[&supplied]));
    assert_eq!((told.message_type, told.data(ERP)), (MessageType::Reply, Some(&b"\x01a\0"[..])));
    assert!(!server.ask(Client::new(1).solicit().na(1, &[]).through(&[&supplied])).has(ERP), "not asked for");
}

// DH-O-08
#[test]
fn the_operator_says_what_relays_may_supply() {
    let mut server = Site::usual().but(|site| site.rules.relay_supplied = [OptionCode(9999)].into()).open();
    let told = ask(&mut server, &[&relay(&[(ERP, b"\x01a\0"), (OptionCode(9999), b"?")])]);
    assert_eq!((told.data(ERP), told.data(OptionCode(9999))), (None, Some(&b"?"[..])));
}

// DH-O-09
#[test]
fn what_the_server_has_itself_counts() {
    let mut server = Site::usual().but(|site| site.offer(ERP, b"\x03own\0")).open();
    let told = ask(&mut server, &[&relay(&[(ERP, b"\x01a\0")])]);
    assert_eq!(told.data(ERP), Some(&b"\x03own\0"[..]));
}

// DH-O-10, DH-O-11
#[test]
fn of_several_relays_the_innermost_counts() {
    let mut server = Site::usual().open();
    let (inner, outer) = (relay(&[(ERP, b"\x01a\0"), (ERP, b"\x01c\0")]), relay(&[(ERP, b"\x01b\0")]));
    assert_eq!(ask(&mut server, &[&inner, &outer]).data(ERP), Some(&b"\x01a\0"[..]));
    assert_eq!(ask(&mut server, &[&outer, &inner]).data(ERP), Some(&b"\x01b\0"[..]));
    assert_eq!(ask(&mut server, &[&relay(&[]), &outer]).data(ERP), Some(&b"\x01b\0"[..]));
}

// DH-V-27
#[test]
fn a_supplied_name_with_a_pointer_in_it_is_ignored() {
    let mut server = Site::usual().open();
    let compressed = relay(&[(ERP, b"\x01a\xc0\x00")]);
    assert_eq!(ask(&mut server, &[&compressed]).data(ERP), None);
    let sound = relay(&[(ERP, b"\x01b\0")]);
    assert_eq!(ask(&mut server, &[&compressed, &sound]).data(ERP), Some(&b"\x01b\0"[..]));
}
