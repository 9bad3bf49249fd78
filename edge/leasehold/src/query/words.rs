//! `SERVER... QUESTION` on the command line: servers up to the first keyword, then the question.

use std::net::Ipv6Addr;

use anyhow::{Context, Result, bail};
use requestor::Question;
use wire::{Duid, SERVER_PORT};

use super::session::Server;
use crate::relays::RemoteId;

const FORMS: &str = "the form is: leasehold query SERVER... QUESTION, where QUESTION is one of
  relay-id DUID              clients heard through a relay, as in relay-id 00:03:00:01:02:00:00:00:aa:01
  link ADDRESS               clients on a link, as in link 2001:db8:1::1
  remote-id ENTERPRISE:HEX   clients heard with a Remote-ID, as in remote-id 32473:706f72742d37
  client DUID                one client
  address ADDRESS            who holds an address, or a prefix around it";

/// All_DHCP_Servers, whom one asks over UDP without knowing any (RFC 5007 §4.3.2).
const ALL_SERVERS: &str = "ff05::1:3";

/// Splits the words into servers, at least one, and a question.
pub fn parse(words: &[String], udp: bool) -> Result<(Vec<Server>, Question)> {
    let is_keyword =
        |word: &String| ["relay-id", "link", "remote-id", "client", "address"].contains(&word.as_str());
    let Some(at) = words.iter().position(is_keyword) else { bail!("no question: {FORMS}") };
    let (servers, question) = words.split_at(at);
    let [keyword, argument] = question else {
        bail!("{} needs exactly one argument: {FORMS}", question[0]);
    };
    let question = parse_question(keyword, argument).with_context(|| format!("{keyword} {argument}"))?;
    let mut servers = servers.iter().map(|word| parse_server(word)).collect::<Result<Vec<_>>>()?;
    if servers.is_empty() {
        if !udp {
            bail!("no server: {FORMS}");
        }
        servers.push(Server { host: ALL_SERVERS.into(), port: SERVER_PORT });
    }
    Ok((servers, question))
}

fn parse_question(keyword: &str, argument: &str) -> Result<Question> {
    Ok(match keyword {
        "relay-id" => Question::by_relay(argument.parse::<Duid>()?),
        "client" => Question::by_client(argument.parse::<Duid>()?),
        "link" => Question::by_link(argument.parse::<Ipv6Addr>()?)?,
        "address" => Question::by_address(argument.parse::<Ipv6Addr>()?),
        _ => {
            let remote_id = argument.parse::<RemoteId>()?;
            let (enterprise, identifier) = remote_id.parts();
            Question::by_remote(enterprise, identifier)?
        }
    })
}

/// `HOST`, `HOST:PORT`, `ADDRESS`, `[ADDRESS]`, `[ADDRESS]:PORT`; `%INTERFACE` behind an address.
fn parse_server(word: &str) -> Result<Server> {
    let bad = || format!("{word} is no server: write HOST, HOST:PORT, ADDRESS or [ADDRESS]:PORT");
    let (host, port) = match word.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']').with_context(bad)?;
            let port =
                if behind.is_empty() { None } else { Some(behind.strip_prefix(':').with_context(bad)?) };
            (host, port)
        }
        None if word.matches(':').count() == 1 => {
            word.split_once(':').map(|(host, port)| (host, Some(port))).with_context(bad)?
        }
        None => (word, None),
    };
    if host.is_empty() {
        bail!(bad());
    }
    let port = port.map(|port| port.parse().with_context(bad)).transpose()?.unwrap_or(SERVER_PORT);
    Ok(Server { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(word: &str) -> (String, u16) {
        let Server { host, port } = parse_server(word).unwrap();
        (host, port)
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    // BLQ-F-12, BLQ-F-13
    #[test]
    fn servers_have_a_port_or_547() {
        assert_eq!(server("dhcp.example"), ("dhcp.example".into(), 547));
        assert_eq!(server("dhcp.example:1547"), ("dhcp.example".into(), 1547));
        assert_eq!(server("2001:db8::1"), ("2001:db8::1".into(), 547));
        assert_eq!(server("[2001:db8::1]:1547"), ("2001:db8::1".into(), 1547));
        assert_eq!(server("fe80::1%eth0"), ("fe80::1%eth0".into(), 547));
        for word in ["", "[::1", "[::1]1547", "host:port", "host:70000"] {
            assert!(parse_server(word).is_err(), "{word}");
        }
    }

    // LQ-R-05
    #[test]
    fn queries_go_where_it_is_said_be_it_to_one_server_or_to_a_group() {
        for word in ["2001:db8::1", "ff02::1:2%eth0", "ff05::1:3", "ff0e::547"] {
            assert_eq!(server(word), (word.into(), 547));
            let (servers, _) = parse(&words(&format!("{word} address 2001:db8::1")), true).unwrap();
            assert_eq!((servers.len(), servers[0].host.as_str()), (1, word));
        }
    }

    // LQ-R-06
    #[test]
    fn over_udp_the_servers_of_the_site_are_asked_if_none_is_named() {
        let (servers, _) = parse(&words("address 2001:db8::1"), true).unwrap();
        assert_eq!((servers[0].host.as_str(), servers[0].port), ("ff05::1:3", 547));
        assert!(parse(&words("address 2001:db8::1"), false).is_err());
    }

    #[test]
    fn errors_show_the_form() {
        for text in
            ["a", "a link", "a link :: ::", "a link ::", "a remote-id 7", "a remote-id 7:", "a client 00"]
        {
            let error = format!("{:#}", parse(&words(text), false).unwrap_err());
            assert!(error.len() > 30, "{text}: {error}");
        }
        let missing = format!("{:#}", parse(&words("a b"), false).unwrap_err());
        assert!(missing.contains("relay-id DUID"), "{missing}");
    }
}
