//! Reconfigure: who gets a key, what is sent, where to, how often, and when it ends.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use lease::{Client as Record, ClientKey, Heard, LinkId, ReconfigureKey, Records, RelayPath, Table};
use md5::Md5;
use server::exchange::{Announced, Destination, NotReconfigured, Reconfiguring, Step};
use wire::{ClientMessage, DhcpOption, Duid, Message, MessageType, OptionCode, TransactionId};

use crate::kit::{Client, Draft, Relay, Server, Site, Told, address, server_id};

/// The key of vector V21.
const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A server that may reconfigure on link 1 and not on link 2.
fn server() -> Server {
    seeded(Site::usual().but(|site| site.terms(1).reconfigure = true).open())
}

fn seeded(mut server: Server) -> Server {
    server.exchanges.seed_keys([9; 32]);
    server
}

trait Accepting {
    /// The client says that it accepts Reconfigure.
    fn accepting(self) -> Draft;
}

impl Accepting for Draft {
    fn accepting(self) -> Draft {
        self.option(OptionCode::RECONF_ACCEPT, &[])
    }
}

fn key_of(client: &Client, link: u32) -> ClientKey {
    ClientKey { link: LinkId(link), duid: client.duid.clone() }
}

/// Kind and value of the AUTH in a message, and its replay detection value.
fn authentication(octets: &[u8]) -> Option<(u8, [u8; 16], u64)> {
    let options = ClientMessage::decode(octets).unwrap().options;
    let data = options.only(OptionCode::AUTH).unwrap()?;
    let raw = wire::RawOption { code: OptionCode::AUTH, data };
    let Ok(DhcpOption::Authentication(auth)) = DhcpOption::decode(raw) else { panic!("{raw:?}") };
    assert_eq!((auth.protocol, auth.algorithm, auth.replay_method), (3, 1, 0));
    let (kind, value) = auth.information.split_first().unwrap();
    Some((*kind, value.try_into().unwrap(), u64::from_be_bytes(auth.replay_detection)))
}

/// The key that an answer tells.
fn told_key(told: &Told) -> Option<[u8; 16]> {
    authentication(&told.octets).map(|(kind, key, _)| {
        assert_eq!(kind, 1);
        key
    })
}

/// What a client does with a Reconfigure: it believes it if the digest is right (RFC 9915 §20.4.3);
/// then it knows what to send, and the replay detection value.
fn believed(octets: &[u8], key: &[u8; 16]) -> Option<(u8, u64)> {
    let (kind, digest, replay) = authentication(octets)?;
    assert_eq!(kind, 2);
    let at = octets.windows(16).rposition(|window| window == digest).unwrap();
    let blanked = [&octets[..at], &[0; 16], &octets[at + 16..]].concat();
    let mut mac = Hmac::<Md5>::new_from_slice(key).unwrap();
    mac.update(&blanked);
    mac.verify_slice(&digest).ok()?;
    let options = ClientMessage::decode(octets).unwrap().options;
    Some((options.only(OptionCode::RECONF_MSG).unwrap().unwrap()[0], replay))
}

fn reconfigure(server: &mut Server, key: ClientKey, announced: Announced) -> Result<(), NotReconfigured> {
    let now = server.now();
    server.exchanges.reconfigure(key, announced, &mut server.holdings, now)
}

fn due(server: &mut Server) -> Vec<Reconfiguring> {
    let now = server.now();
    server.exchanges.reconfigure_due(&server.holdings, now, usize::MAX)
}

/// The only message that is due.
fn sent(server: &mut Server) -> (Destination, Vec<u8>, u32) {
    let mut steps = due(server);
    assert_eq!(steps.len(), 1, "{steps:?}");
    match steps.pop().unwrap().step {
        Step::Send { to, octets, attempt } => (to, octets, attempt),
        other => panic!("{other:?}"),
    }
}

/// Binds a client that accepts Reconfigure, and gives its key.
fn bound(server: &mut Server, client: &mut Client) -> [u8; 16] {
    told_key(&server.ask(client.request().na(1, &[]).accepting())).expect("a key")
}

// DH-C-01
#[test]
fn where_it_is_off_nobody_is_ever_told() {
    let mut server = seeded(Site::usual().open());
    let mut client = Client::new(1);
    for draft in [client.solicit(), client.request()] {
        let told = server.ask(draft.na(1, &[]).accepting());
        assert!(!told.has(OptionCode::RECONF_ACCEPT) && !told.has(OptionCode::AUTH));
    }
    let refused = reconfigure(&mut server, key_of(&client, 1), Announced::Renew);
    assert_eq!(refused, Err(NotReconfigured::SwitchedOff));
    server.wait(3600);
    assert_eq!(due(&mut server), []);
}

// DH-C-01
#[test]
fn what_is_under_way_ends_where_it_is_switched_off() {
    let mut earlier = server();
    let mut client = Client::new(1);
    bound(&mut earlier, &mut client);
    reconfigure(&mut earlier, key_of(&client, 1), Announced::Renew).unwrap();
    let mut off = seeded(Site::usual().open());
    off.exchanges.carry_on(&mut earlier.exchanges);
    off.holdings = earlier.holdings;
    assert_eq!(due(&mut off)[0].step, Step::Ended(NotReconfigured::SwitchedOff));
    off.wait(3600);
    assert_eq!(due(&mut off), []);
}

// DH-S-09, DH-R-08
#[test]
fn both_have_to_want_it() {
    let mut server = server();
    let mut client = Client::new(1);
    let asks: [fn(&mut Client) -> Draft; 4] =
        [Client::solicit, Client::request, Client::renew, Client::rebind];
    for ask in asks {
        let told = server.ask(ask(&mut client).na(1, &[]).accepting());
        assert_eq!(told.data(OptionCode::RECONF_ACCEPT), Some(&[][..]), "{:?}", told.message_type);
        let told = server.ask(ask(&mut client).na(1, &[]));
        assert!(!told.has(OptionCode::RECONF_ACCEPT), "{:?}", told.message_type);
    }
    let told = server.ask(client.request().na(1, &[]).accepting().on("lan2"));
    assert!(!told.has(OptionCode::RECONF_ACCEPT) && !told.has(OptionCode::AUTH));
    let told = server.ask(client.information().accepting());
    assert!(!told.has(OptionCode::RECONF_ACCEPT) && !told.has(OptionCode::AUTH));
}

// DH-C-11
#[test]
fn a_key_comes_with_the_reply_to_a_request_and_with_no_other() {
    let mut server = server();
    let mut client = Client::new(1);
    assert_eq!(told_key(&server.ask(client.solicit().na(1, &[]).accepting())), None);
    let request = client.request().na(1, &[]).accepting();
    let key = told_key(&server.ask(request.clone())).unwrap();
    for draft in [client.renew(), client.rebind()] {
        assert_eq!(told_key(&server.ask(draft.na(1, &[]).accepting())), None);
    }
    // Sent again because the Reply was lost, it is answered with the same key.
    assert_eq!(told_key(&server.ask(request)), Some(key));
    assert_eq!(server.client(&client, 1).unwrap().reconfigure.unwrap().octets, key);
}

// DH-C-11
#[test]
fn a_key_comes_with_rapid_commit_too() {
    let mut server = seeded(
        Site::usual()
            .but(|site| {
                site.terms(1).reconfigure = true;
                site.terms(1).rapid_commit = true;
            })
            .open(),
    );
    let told = server.ask(Client::new(1).solicit().rapid_commit().na(1, &[]).accepting());
    assert_eq!(told.message_type, MessageType::Reply);
    assert!(told_key(&told).is_some());
}

// DH-C-11
#[test]
fn every_client_has_a_key_of_its_own_and_every_start_has_others() {
    let mut server = server();
    let mut keys: Vec<[u8; 16]> =
        (1..100).map(|number| bound(&mut server, &mut Client::new(number))).collect();
    let mut restarted = Site::usual().but(|site| site.terms(1).reconfigure = true).open();
    restarted.exchanges.seed_keys([8; 32]);
    keys.extend((1..100).map(|number| bound(&mut restarted, &mut Client::new(number))));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 198);
}

#[test]
fn without_randomness_nobody_gets_a_key() {
    let mut server = Site::usual().but(|site| site.terms(1).reconfigure = true).open();
    assert_eq!(told_key(&server.ask(Client::new(1).request().na(1, &[]).accepting())), None);
}

// DH-C-06
#[test]
fn only_who_accepts_and_has_a_key_is_told() {
    let mut server = server();
    let (mut accepts, mut does_not) = (Client::new(1), Client::new(2));
    bound(&mut server, &mut accepts);
    server.bind(does_not.request().na(1, &[]));
    let unknown = Client::new(3);
    let tell =
        |server: &mut Server, client: &Client| reconfigure(server, key_of(client, 1), Announced::Renew);
    assert_eq!(tell(&mut server, &does_not), Err(NotReconfigured::NoKey));
    assert_eq!(tell(&mut server, &unknown), Err(NotReconfigured::Unknown));
    assert_eq!(tell(&mut server, &accepts), Ok(()));
    assert_eq!(tell(&mut server, &accepts), Err(NotReconfigured::UnderWay));
    // Who begins anew without accepting it is told no more.
    server.ask(accepts.request().na(1, &[]));
    assert_eq!(due(&mut server)[0].step, Step::Ended(NotReconfigured::NoKey));
    assert_eq!(tell(&mut server, &accepts), Err(NotReconfigured::NoKey));
}

// DH-C-02, DH-C-03, DH-C-04, DH-C-05, DH-C-14
#[test]
fn the_message_is_the_one_of_vector_v21() {
    let mut server = server();
    let mut client = Client::with_duid(&[0, 3, 0, 1, 2, 0, 0, 0, 1, 1]);
    server.bind(client.request().na(1, &[]));
    // The key of the vector, and a time of day at which the replay detection value is still small.
    let known = server.client(&client, 1).unwrap().to_client();
    let key = ReconfigureKey { octets: KEY, last_replay: 0 };
    server.holdings.table.put(&Record { reconfigure: Some(key), ..known }).unwrap();
    let long_ago = world::Now { unix_secs: 0, ..server.now() };
    let holdings = &mut server.holdings;
    // Before it was granted, a lease is as valid as when it was.
    server.exchanges.reconfigure(key_of(&client, 1), Announced::Renew, holdings, long_ago).unwrap();
    let (_, octets, _) = sent(&mut server);
    let vector = "0a000000 0002000e 00020000 7ed90cc0 84d30300 09120001 000a0003 00010200 00000101 00130001 \
                  05000b00 1c030100 00000000 00000001 02de52e5 c8892797 41d27183 0f28d72d 62";
    let shown: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(shown, vector.replace(' ', ""));
    assert_eq!(believed(&octets, &KEY), Some((5, 1)));
}

// DH-C-02, DH-C-03, DH-C-04, DH-C-05, DH-C-14
#[test]
fn every_kind_has_what_it_must_have_and_nothing_else() {
    let kinds = [(Announced::Renew, 5), (Announced::Rebind, 6), (Announced::InformationRequest, 11)];
    for (announced, number) in kinds {
        let mut server = server();
        let mut client = Client::new(1);
        let key = bound(&mut server, &mut client);
        reconfigure(&mut server, key_of(&client, 1), announced).unwrap();
        let (_, octets, _) = sent(&mut server);
        let message = ClientMessage::decode(&octets).unwrap();
        assert_eq!(message.message_type, MessageType::Reconfigure);
        assert_eq!(message.transaction_id, TransactionId::from_number(0));
        assert_eq!(message.options.server_id().unwrap(), Some(server_id().as_ref()));
        assert_eq!(message.options.client_id().unwrap(), Some(client.duid.as_ref()));
        let mut codes: Vec<u16> = message.options.iter().map(|option| option.code.0).collect();
        codes.sort_unstable();
        assert_eq!(codes, [1, 2, 11, 19]);
        assert_eq!(believed(&octets, &key).unwrap().0, number);
        assert_eq!(believed(&octets, &KEY), None, "with another key it is not believed");
    }
}

// DH-C-07
#[test]
fn who_was_heard_directly_is_told_at_an_address_of_its_own() {
    let mut server = server();
    let mut clients = [Client::new(1), Client::new(2)];
    let mut addresses = Vec::new();
    for client in &mut clients {
        let told = server.ask(client.request().na(1, &[]).accepting());
        addresses.push(told.resources()[0].address().unwrap());
        reconfigure(&mut server, key_of(client, 1), Announced::Renew).unwrap();
    }
    // One message for each.
    let mut told: Vec<(Duid, Destination)> = Vec::new();
    for Reconfiguring { key, step, .. } in due(&mut server) {
        let Step::Send { to, octets, .. } = step else { panic!("{step:?}") };
        let client_id = ClientMessage::decode(&octets).unwrap().options.client_id().unwrap().unwrap();
        assert_eq!(client_id, key.duid.as_ref());
        told.push((key.duid, to));
    }
    let expected = clients.iter().zip(&addresses);
    let expected: Vec<_> =
        expected.map(|(client, address)| (client.duid.clone(), Destination::Client(*address))).collect();
    assert_eq!(told, expected);
}

// DH-C-07
#[test]
fn an_address_that_has_run_out_is_no_way_to_anybody() {
    let mut server = server();
    let mut client = Client::new(1);
    bound(&mut server, &mut client);
    server.wait(7201);
    let refused = reconfigure(&mut server, key_of(&client, 1), Announced::Renew);
    assert_eq!(refused, Err(NotReconfigured::NoLease));
}

#[test]
fn without_an_address_and_without_a_relay_there_is_no_way() {
    let mut server = server();
    let mut client = Client::new(1);
    server.ask(client.request().pd(1, &[]).accepting());
    let refused = reconfigure(&mut server, key_of(&client, 1), Announced::Renew);
    assert_eq!(refused, Err(NotReconfigured::NoWay));
    // A relay's link-local address says nothing without the interface, which nobody remembers.
    let mut relay = Relay::at("2001:db8:1::1");
    relay.address = address("fe80::9");
    server.ask(client.request().pd(1, &[]).accepting().through(&[&relay]));
    let refused = reconfigure(&mut server, key_of(&client, 1), Announced::Renew);
    assert_eq!(refused, Err(NotReconfigured::NoWay));
}

// DH-C-08, DH-X-09
#[test]
fn who_was_heard_through_relays_is_told_along_them() {
    let mut server = server();
    let mut client = Client::new(1);
    let near = Relay::at("2001:db8:1::1").interface_id("port 7").remote_id("subscriber");
    let mut far = Relay::at("::").interface_id("ring 3");
    far.address = address("2001:db8:ffff::9");
    let told = server.ask(client.request().pd(1, &[]).accepting().through(&[&near, &far]));
    let key = told_key(&told).unwrap();
    reconfigure(&mut server, key_of(&client, 1), Announced::Renew).unwrap();
    let (to, octets, _) = sent(&mut server);
    assert_eq!(to, Destination::Relay(address("2001:db8:ffff::9")));
    let mut inside = &octets[..];
    for (hop_count, interface_id) in [(1, "ring 3"), (0, "port 7")] {
        let Ok(Message::Relay(level)) = Message::decode(inside) else { panic!("no Relay-reply") };
        assert_eq!((level.message_type, level.hop_count), (MessageType::RelayReply, hop_count));
        assert_eq!(level.interface_id(), Some(interface_id.as_bytes()));
        assert_eq!(level.peer_address, crate::kit::CLIENT);
        inside = level.relayed().unwrap().unwrap();
    }
    assert_eq!(believed(inside, &key).unwrap().0, 5);
}

// DH-X-09
#[test]
fn the_path_is_the_one_of_the_last_contact() {
    let mut server = server();
    let mut client = Client::new(1);
    let relays = ["2001:db8:ffff::1", "2001:db8:ffff::2"].map(|at| {
        let mut relay = Relay::at("2001:db8:1::1");
        relay.address = address(at);
        relay
    });
    server.ask(client.request().pd(1, &[]).accepting().through(&[&relays[0]]));
    reconfigure(&mut server, key_of(&client, 1), Announced::Rebind).unwrap();
    assert_eq!(sent(&mut server).0, Destination::Relay(relays[0].address));
    server.ask(client.renew().pd(1, &[]).through(&[&relays[1]]));
    server.wait(2);
    assert_eq!(sent(&mut server).0, Destination::Relay(relays[1].address));
}

// DH-C-09, DH-C-10
#[test]
fn it_is_told_eight_times_and_then_given_up() {
    let mut server = server();
    let mut client = Client::new(1);
    bound(&mut server, &mut client);
    reconfigure(&mut server, key_of(&client, 1), Announced::Renew).unwrap();
    for (attempt, wait_secs) in (1..=8).zip([2, 4, 8, 16, 32, 64, 128, 256]) {
        assert_eq!(sent(&mut server).2, attempt);
        let next = server.exchanges.next_reconfigure().unwrap();
        assert_eq!(next, server.now().instant + Duration::from_secs(wait_secs));
        server.wait(wait_secs - 1);
        assert_eq!(due(&mut server), [], "after attempt {attempt}");
        server.wait(1);
    }
    let expected =
        Reconfiguring { key: key_of(&client, 1), announced: Announced::Renew, step: Step::GivenUp };
    assert_eq!(due(&mut server), [expected]);
    assert_eq!((server.exchanges.next_reconfigure(), server.exchanges.reconfigurations()), (None, 0));
    server.wait(3600);
    assert_eq!(due(&mut server), []);
    // It may be told anew.
    server.ask(client.renew().na(1, &[]));
    reconfigure(&mut server, key_of(&client, 1), Announced::Renew).unwrap();
    assert_eq!(sent(&mut server).2, 1);
}

// DH-C-09
#[test]
fn it_ends_with_the_message_announced_and_with_no_other() {
    let mut server = server();
    let (mut client, mut other) = (Client::new(1), Client::new(2));
    bound(&mut server, &mut client);
    bound(&mut server, &mut other);
    reconfigure(&mut server, key_of(&client, 1), Announced::Rebind).unwrap();
    sent(&mut server);
    assert!(!server.ask(other.rebind().na(1, &[])).answered.was_told_to, "that is somebody else");
    assert!(!server.ask(client.renew().na(1, &[])).answered.was_told_to, "that is not a Rebind");
    server.wait(2);
    assert_eq!(sent(&mut server).2, 2);
    assert!(server.ask(client.rebind().na(1, &[])).answered.was_told_to);
    assert_eq!(server.exchanges.next_reconfigure(), None);
    server.wait(3600);
    assert_eq!(due(&mut server), []);
}

// DH-C-09: a message that comes before any attempt was made obeys none.
#[test]
fn nothing_ends_it_before_it_was_told() {
    let mut server = server();
    let mut client = Client::new(1);
    bound(&mut server, &mut client);
    reconfigure(&mut server, key_of(&client, 1), Announced::Renew).unwrap();
    assert!(!server.ask(client.renew().na(1, &[])).answered.was_told_to);
    assert_eq!(sent(&mut server).2, 1);
    assert!(server.ask(client.renew().na(1, &[])).answered.was_told_to);
}

// DH-C-09
#[test]
fn an_information_request_ends_it_too() {
    let mut server = server();
    let mut client = Client::new(1);
    bound(&mut server, &mut client);
    reconfigure(&mut server, key_of(&client, 1), Announced::InformationRequest).unwrap();
    sent(&mut server);
    assert!(server.ask(client.information()).answered.was_told_to);
    assert_eq!(server.exchanges.reconfigurations(), 0);
}

// DH-C-12
#[test]
fn replay_detection_values_always_grow() {
    let mut server = server();
    let mut client = Client::new(1);
    let mut last = 0;
    for _ in 0..3 {
        let told = server.ask(client.request().na(1, &[]).accepting());
        let (_, key, replay) = authentication(&told.octets).unwrap();
        assert!(replay > last);
        last = replay;
        reconfigure(&mut server, key_of(&client, 1), Announced::Renew).unwrap();
        for wait_secs in [2, 4] {
            let (_, replay) = believed(&sent(&mut server).1, &key).unwrap();
            assert!(replay > last);
            last = replay;
            server.wait(wait_secs);
        }
        // In between it is told its key once more.
        let told = server.ask(client.request().na(1, &[]).accepting());
        let (_, _, replay) = authentication(&told.octets).unwrap();
        assert!(replay > last);
        let (_, after) = believed(&sent(&mut server).1, &key).unwrap();
        assert!(after > replay);
        last = after;
        assert!(server.ask(client.renew().na(1, &[])).answered.was_told_to);
    }
}

// DH-C-13
#[test]
fn replay_detection_values_grow_across_restarts_even_if_the_clock_steps_back() {
    let mut server = server();
    let mut client = Client::new(1);
    server.wait(3600);
    let key = bound(&mut server, &mut client);
    reconfigure(&mut server, key_of(&client, 1), Announced::Renew).unwrap();
    let mut last = 0;
    for wait_secs in [2, 4, 8, 16, 32, 64, 128, 256] {
        last = believed(&sent(&mut server).1, &key).unwrap().1;
        server.wait(wait_secs);
    }
    // Only what a store would have kept is left, and the new server's clock is behind.
    let mut records = Records::default();
    let mut table = server.close();
    for after in table.take_batch().into_iter().rev().take(1) {
        records.push(&after.image.unwrap()).unwrap();
    }
    let table = Table::load(records, &lease::InTurn).unwrap();
    let site = Site::usual().but(|site| site.terms(1).reconfigure = true);
    let mut restarted = seeded(site.open_with(table));
    reconfigure(&mut restarted, key_of(&client, 1), Announced::Renew).unwrap();
    assert!(believed(&sent(&mut restarted).1, &key).unwrap().1 > last);
}

#[test]
fn so_many_are_told_at_once_and_no_more() {
    let mut server = server();
    let most = server::limits::MAX_RECONFIGURATIONS;
    let path = RelayPath::new(address("2001:db8:ffff::1"), &[&[12, 0][..], &[0; 32]].concat()).unwrap();
    let heard = Heard { at_unix_secs: server.now().unix_secs, path: Some(path) };
    let mut model = Client::new(1);
    bound(&mut server, &mut model);
    let record = server.client(&model, 1).unwrap().to_client();
    let key_of_number = |number: usize| {
        let octets = [&[0, 3, 0, 1][..], &(number as u64).to_be_bytes()].concat();
        ClientKey { link: LinkId(1), duid: Duid::new(&octets).unwrap() }
    };
    for number in 0..=most {
        let mut record = Record { key: key_of_number(number), heard: heard.clone(), ..record.clone() };
        let host = 0x2001_0db8_0001_0000_0000_0001_0000_0000_u128 + 0x1000 + number as u128;
        record.bindings[0].leases[0].resource = lease::Resource::Address(host.into());
        server.holdings.table.put(&record).unwrap();
    }
    for number in 0..most {
        reconfigure(&mut server, key_of_number(number), Announced::Renew).unwrap();
    }
    let refused = reconfigure(&mut server, key_of_number(most), Announced::Renew);
    assert_eq!(refused, Err(NotReconfigured::TooMany));
    let now = server.now();
    assert_eq!(server.exchanges.reconfigure_due(&server.holdings, now, 100).len(), 100);
    assert_eq!(due(&mut server).len(), most - 100);
}
