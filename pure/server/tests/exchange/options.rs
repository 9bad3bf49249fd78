//! Options besides leases: who gets which.

use server::assign::Subscriber;
use server::exchange::PoolTerms;
use wire::{MessageType, OptionCode};

use crate::kit::{Client, Draft, Site, address};

const WITH_OPTIONS: [MessageType; 5] = [
    MessageType::Solicit,
    MessageType::Request,
    MessageType::Renew,
    MessageType::Rebind,
    MessageType::InformationRequest,
];

fn asking(message_type: MessageType, codes: &[u16]) -> Draft {
    let draft = Client::new(1).wanting(codes).message(message_type);
    if message_type == MessageType::InformationRequest { draft } else { draft.na(1, &[]) }
}

// DH-S-10, DH-R-54
#[test]
fn what_is_asked_for_and_configured_comes() {
    let site = || {
        Site::usual().but(|site| {
            site.offer(OptionCode::DNS_SERVERS, &[1; 16]);
            site.offer(OptionCode::DOMAIN_LIST, b"\x07example\0");
        })
    };
    for message_type in WITH_OPTIONS {
        let told = site().open().ask(asking(message_type, &[23, 24, 56]));
        assert_eq!(told.data(OptionCode::DNS_SERVERS), Some(&[1; 16][..]), "{message_type}");
        assert_eq!(told.data(OptionCode::DOMAIN_LIST), Some(&b"\x07example\0"[..]), "{message_type}");
        assert!(!told.has(OptionCode::NTP_SERVER));
    }
}

// DH-S-11
#[test]
fn what_is_not_asked_for_comes_only_if_the_operator_says_so() {
    let site = || Site::usual().but(|site| site.offer(OptionCode::DNS_SERVERS, &[1; 16]));
    let forced = || site().but(|site| site.rules.options.always(OptionCode::DNS_SERVERS));
    for message_type in WITH_OPTIONS {
        assert!(!site().open().ask(asking(message_type, &[])).has(OptionCode::DNS_SERVERS));
        assert!(forced().open().ask(asking(message_type, &[])).data(OptionCode::DNS_SERVERS).is_some());
        // Asked for as well, it still comes once.
        assert!(forced().open().ask(asking(message_type, &[23])).data(OptionCode::DNS_SERVERS).is_some());
    }
}

// DH-S-06, DH-S-08
#[test]
fn a_preference_is_for_advertise_alone_and_else_none() {
    let site = || {
        Site::usual().but(|site| {
            site.offer(OptionCode::PREFERENCE, &[255]);
            site.rules.options.always(OptionCode::PREFERENCE);
        })
    };
    for message_type in WITH_OPTIONS {
        let told = site().open().ask(asking(message_type, &[7]));
        let expected = (message_type == MessageType::Solicit).then_some(&[255][..]);
        assert_eq!(told.data(OptionCode::PREFERENCE), expected, "{message_type}");
    }
    assert!(!Site::usual().open().ask(asking(MessageType::Solicit, &[])).has(OptionCode::PREFERENCE));
}

// DH-S-12, DH-R-55
#[test]
fn vendor_options_come_whole_and_only_if_asked_for() {
    let of_vendors: [&[u8]; 2] = [&[0, 0, 0, 9, 0, 1, 0, 1, 7, 0, 2, 0, 0], &[0, 0, 0, 10, 0, 1, 0, 0]];
    let site = || {
        Site::usual().but(|site| {
            of_vendors.iter().for_each(|data| site.offer(OptionCode::VENDOR_OPTS, data));
        })
    };
    for message_type in WITH_OPTIONS {
        let told = site().open().ask(asking(message_type, &[17]));
        assert!(told.options().all(OptionCode::VENDOR_OPTS).eq(of_vendors), "{message_type}");
        assert!(!site().open().ask(asking(message_type, &[])).has(OptionCode::VENDOR_OPTS));
    }
}

// DH-S-18
#[test]
fn retransmission_times_come_with_good_news_and_bad() {
    let site = || {
        Site::usual().but(|site| {
            site.offer(OptionCode::SOL_MAX_RT, &7200_u32.to_be_bytes());
            site.offer(OptionCode::INF_MAX_RT, &7201_u32.to_be_bytes());
        })
    };
    let exhausted = site().but(|site| site.link(1).address_pools.clear());
    for site in [site(), exhausted] {
        let told = site.open().ask(asking(MessageType::Solicit, &[]));
        assert_eq!(told.data(OptionCode::SOL_MAX_RT), Some(&7200_u32.to_be_bytes()[..]));
        assert!(!told.has(OptionCode::INF_MAX_RT));
    }
    let told = site().open().ask(asking(MessageType::InformationRequest, &[]));
    assert_eq!(told.data(OptionCode::INF_MAX_RT), Some(&7201_u32.to_be_bytes()[..]));
}

// DH-S-10: the most particular one is configured for this client.
#[test]
fn what_is_said_most_particularly_counts() {
    let dns = |number: u8| [number; 16];
    let site = |particular: u8| {
        Site::usual().but(|site| {
            let code = OptionCode::DNS_SERVERS;
            site.offer(code, &dns(1));
            if particular > 1 {
                site.terms(1).options.add(code, dns(2));
            }
            if particular > 2 {
                let (first, last) = (address("2001:db8:1::1:100"), address("2001:db8:1::1:1ff"));
                let mut pool = PoolTerms { first, last, options: Default::default() };
                pool.options.add(code, dns(3));
                site.terms(1).pools.push(pool);
            }
            if particular > 3 {
                let whose = Subscriber::Client(Client::new(1).duid);
                site.keep(whose, "2001:db8:f000:700::/56").options.add(code, dns(4));
            }
        })
    };
    for particular in 1..=4 {
        let mut server = site(particular).open();
        let told = server.ask(asking(MessageType::Request, &[23]));
        assert_eq!(told.data(OptionCode::DNS_SERVERS), Some(&dns(particular)[..]));
    }
    // Of a pool, only who holds something out of it.
    let told = site(3).open().ask(Client::new(1).wanting(&[23]).request().pd(1, &[]));
    assert_eq!(told.data(OptionCode::DNS_SERVERS), Some(&dns(2)[..]));
    // Nor who is to stop using something out of it.
    let mut server = site(3).but(|site| site.terms(1).pools[0].last = address("2001:db8:1::1:17f")).open();
    let mut client = Client::new(1).wanting(&[23]);
    let held = server.bind(client.request().na(1, &["2001:db8:1::1:180"]));
    let told = server.ask(client.renew().na(1, &["2001:db8:1::1:180", "2001:db8:1::1:17f"]));
    assert_eq!((told.na(1).resources(), told.na(1).leases.len()), (held, 2));
    assert_eq!(told.data(OptionCode::DNS_SERVERS), Some(&dns(2)[..]));
    // What is forced where nothing more is said does not hide what is said elsewhere.
    let mut server = site(1).but(|site| site.terms(1).options.always(OptionCode::DNS_SERVERS)).open();
    assert_eq!(
        server.ask(asking(MessageType::Request, &[])).data(OptionCode::DNS_SERVERS),
        Some(&dns(1)[..])
    );
}

// DH-V-27: what is configured goes out as it is, and has no pointers in it.
#[test]
fn domain_names_are_not_compressed() {
    let names = b"\x03www\x07example\0\x07example\0";
    let mut server = Site::usual().but(|site| site.offer(OptionCode::DOMAIN_LIST, names)).open();
    let told = server.ask(asking(MessageType::Request, &[24]));
    let data = told.data(OptionCode::DOMAIN_LIST).unwrap();
    assert_eq!(data, names);
    let raw = wire::RawOption { code: OptionCode::DOMAIN_LIST, data };
    let wire::DhcpOption::DomainList(names) = wire::DhcpOption::decode(raw).unwrap() else { panic!() };
    assert_eq!(names.iter().count(), 2);
}
