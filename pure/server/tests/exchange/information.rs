//! Information-request: options and nothing else.

use server::Discard;
use server::assign::Subscriber;
use wire::{MessageType, OptionCode};

use crate::kit::{Client, Draft, Site};

const DNS: [u8; 16] = [1; 16];
const OF_CLIENT: [u8; 16] = [2; 16];

fn site() -> Site {
    Site::usual().but(|site| {
        site.offer(OptionCode::DNS_SERVERS, &DNS);
        site.offer(OptionCode::INFORMATION_REFRESH_TIME, &3600_u32.to_be_bytes());
        let whose = Subscriber::Client(Client::new(1).duid);
        site.keep(whose, "2001:db8:1::77").options.add(OptionCode::DNS_SERVERS, OF_CLIENT);
    })
}

// DH-R-34, DH-R-36
#[test]
fn what_is_asked_for_comes_and_nothing_is_bound() {
    let mut server = site().open();
    let told = server.ask(Client::new(2).wanting(&[23]).information());
    assert_eq!(told.message_type, MessageType::Reply);
    assert_eq!(told.codes(), [1, 2, 23, 32]);
    assert_eq!(told.data(OptionCode::DNS_SERVERS), Some(&DNS[..]));
    assert!(server.holdings.table.is_empty() && told.answered.changes.is_empty());
    let told = server.ask(Draft::new(MessageType::InformationRequest, 7));
    assert_eq!(told.codes(), [2]);
}

// DH-R-35, DH-R-37
#[test]
fn who_does_not_say_who_it_is_gets_what_everybody_gets() {
    let mut server = site().open();
    let known = server.ask(Client::new(1).wanting(&[23]).information());
    assert_eq!(known.data(OptionCode::DNS_SERVERS), Some(&OF_CLIENT[..]));
    assert!(known.has(OptionCode::CLIENTID));
    let unknown = server.ask(Draft::new(MessageType::InformationRequest, 7).oro(&[23]));
    assert_eq!(unknown.codes(), [2, 23]);
    assert_eq!(unknown.data(OptionCode::DNS_SERVERS), Some(&DNS[..]));
    let nobody = Draft::new(MessageType::InformationRequest, 7).option(OptionCode::CLIENTID, &[0]);
    assert_eq!(server.silence(nobody), Discard::NoClientId);
}

// DH-R-38, DH-R-40
#[test]
fn the_refresh_time_is_for_information_requests_alone() {
    let mut server = Site::usual()
        .but(|site| {
            site.offer(OptionCode::INFORMATION_REFRESH_TIME, &3600_u32.to_be_bytes());
            site.rules.options.always(OptionCode::INFORMATION_REFRESH_TIME);
            site.terms(1).rapid_commit = true;
        })
        .open();
    let told = server.ask(Client::new(1).information());
    assert_eq!(told.data(OptionCode::INFORMATION_REFRESH_TIME), Some(&3600_u32.to_be_bytes()[..]));
    for message_type in [MessageType::Solicit, MessageType::Request, MessageType::Renew, MessageType::Rebind]
    {
        let question = Client::new(1).wanting(&[32]).message(message_type).na(1, &[]);
        assert!(!server.ask(question).has(OptionCode::INFORMATION_REFRESH_TIME), "{message_type}");
    }
}
