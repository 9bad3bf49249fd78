//! What an operator writes: values in text, and the command lines of `show`, `release`, `clear` and `query`.
//! What is understood says the same when it is written and read again, on the command line as on the control
//! socket; and whatever `query` is told to ask is a question that a server understands.
//!
//! The input is text, or one word a line, behind one octet that says which.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use clap::{Args, FromArgMatches};
use lease::InterfacePattern;
use leasehold::control::{DelegationFilter, Filter, RouteFilter};
use leasehold::query::{Server, words};
use leasehold::relays::RemoteId;
use libfuzzer_sys::fuzz_target;
use relay::limits::MAX_IDENTIFIER_OCTETS;
use relay::{Facts, Template};
use requestor::{Asker, Question};
use serde::Serialize;
use serde::de::DeserializeOwned;
use server::Holdings;
use server::leasequery::{Access, Asked, BulkLimits, Policy, Refusal, Rule, Transport};
use wire::{ClientMessage, DomainName, Duid, OptionCode, Prefix, TransactionId, Writer};
use world::{Instant, Now};

fuzz_target!(|octets: &[u8]| {
    let Some((kind, octets)) = octets.split_first() else { return };
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let words: Vec<String> = text.lines().map(str::to_owned).collect();
    match kind {
        0 => values(text),
        1 => filter::<Filter>(&words, Filter::is_empty),
        2 => filter::<DelegationFilter>(&words, DelegationFilter::is_empty),
        3 => filter::<RouteFilter>(&words, |filter| *filter == RouteFilter::default()),
        4 => query(&words, false),
        5 => query(&words, true),
        _ => {}
    }
});

fn values(text: &str) {
    reads_back::<Prefix>(text);
    reads_back::<Duid>(text);
    reads_back::<OptionCode>(text);
    reads_back::<RemoteId>(text);
    if let Some(name) = reads_back::<DomainName>(text) {
        assert_eq!(DomainName::decode(name.octets()), Ok(name));
    }
    if let Some(template) = reads_back::<Template>(text) {
        assert_eq!(template.to_string(), text);
        expands(&template);
    }
    let pattern = InterfacePattern(text.to_owned());
    let is_plain = !text.contains(['*', '?']);
    assert!(!is_plain || pattern.matches(text) && !pattern.matches(&format!("{text}x")));
}

fn reads_back<T: FromStr<Err: Display + Debug> + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    match text.parse::<T>() {
        Ok(value) => {
            assert_eq!(value.to_string().parse::<T>().expect("what is written can be read"), value);
            Some(value)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

fn expands(template: &Template) {
    let relay_id = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).expect("ten octets are a DUID");
    let facts = Facts {
        interface: "eth0.7",
        vlan: None,
        link_layer: Some(&[2, 0, 0, 0, 0, 1]),
        hostname: "relay",
        relay_id: Some(relay_id.as_ref()),
    };
    if let Ok(octets) = template.expand(&facts) {
        assert!((1..=MAX_IDENTIFIER_OCTETS).contains(&octets.len()));
    }
}

fn filter<T>(words: &[String], is_empty: impl Fn(&T) -> bool)
where
    T: Args + FromArgMatches + Display + Debug + PartialEq + Serialize + DeserializeOwned,
{
    let Some(filter) = understood::<T>(words.iter().map(String::as_str)) else { return };
    let json = serde_json::to_string(&filter).expect("a filter is JSON");
    assert_eq!(serde_json::from_str::<T>(&json).expect("what is written can be read"), filter);
    let shown = filter.to_string();
    assert_eq!(is_empty(&filter), shown.is_empty(), "{shown}");
    assert!(!shown.contains(char::is_control), "{shown:?}");
    // What is in quotes, a shell would have taken apart.
    if !shown.contains('"') {
        assert_eq!(understood::<T>(shown.split_ascii_whitespace()), Some(filter), "{shown}");
    }
}

fn understood<'a, T: Args + FromArgMatches>(words: impl Iterator<Item = &'a str>) -> Option<T> {
    let command = T::augment_args(clap::Command::new("fuzz").no_binary_name(true).disable_help_flag(true));
    T::from_arg_matches(&command.try_get_matches_from(words).ok()?).ok()
}

fn query(words: &[String], udp: bool) {
    let Ok((servers, question)) = words::parse(words, udp) else { return };
    assert!(!servers.is_empty());
    for Server { host, port } in &servers {
        let word = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let again = [&[word.clone()], &words[words.len() - 2..]].concat();
        // Brackets and colons that belong to no address are found out when it is looked for.
        if !host.contains(['[', ']']) {
            let (again, _) = words::parse(&again, udp).expect("a server");
            assert_eq!((&again[0].host, again[0].port), (host, *port));
        }
    }
    is_understood(&question);
}

/// There is nothing to be told; but only because there is no such link.
fn is_understood(question: &Question) {
    let client_id = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).expect("ten octets are a DUID");
    let policy = Policy {
        server_id: client_id.clone(),
        access: Access::new(vec![Rule { from: "::/0".parse().expect("a prefix"), queries: None }]),
        refuse_silently: false,
        sensitive_options: [].into(),
        track_relays: true,
        relayed_hops: 0,
        bulk: BulkLimits::default(),
    };
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    question.write(&mut writer, TransactionId::from_number(7), &Asker { client_id, server_id: None });
    if writer.finish().is_err() {
        return;
    }
    let message = ClientMessage::decode(&octets).expect("what we make is sound");
    let now = Now { instant: Instant::default(), unix_secs: 1_767_225_600 };
    let source = "2001:db8::1".parse().expect("an address");
    let asked = Asked::judge(&message, source, Transport::Tcp, &policy, &Holdings::default(), now);
    let asked = asked.expect("it is a question");
    assert_eq!(asked.query_type, question.query_type());
    assert!(matches!(asked.query, Ok(_) | Err(Refusal::NotConfigured)), "{:?}", asked.query);
}
