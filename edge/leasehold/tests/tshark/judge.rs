//! tshark as a judge of captured messages: what it should see in each of them, and what it does see.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use wire::{DhcpOption, Message, MessageType, Options};

/// What carries the messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Bulk leasequery, framed.
    Tcp,
    /// One message in each datagram.
    Udp,
}

impl Transport {
    /// What tshark calls DHCPv6 over it.
    pub(crate) fn protocol(self) -> &'static str {
        match self {
            Self::Tcp => "dhcpv6.bulk_leasequery",
            Self::Udp => "dhcpv6",
        }
    }
}

/// What tshark sees in a packet.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) protocol: String,
    pub(crate) message_type: String,
    pub(crate) options: String,
    /// What it complains of, every kind of complaint.
    pub(crate) malformed: bool,
}

/// What it should see in the packet with this message.
pub(crate) fn expected(transport: Transport, octets: &[u8]) -> Seen {
    let mut options = String::new();
    list_options(Message::decode(octets).expect("we can read it").options(), &mut options);
    let bare_done = octets[0] == MessageType::LeaseQueryDone as u8 && octets.len() == 4;
    Seen {
        protocol: transport.protocol().to_owned(),
        message_type: octets[0].to_string(),
        options: options.trim_end_matches(',').to_owned(),
        malformed: bare_done && transport == Transport::Tcp,
    }
}

/// Writes the codes of all options, each before those inside it; every one has to decode. The relay message in LQ_RELAY_DATA
/// is opened to see that it is sound, but its options are not written.
fn list_options(options: Options<'_>, codes: &mut String) {
    for raw in options.iter() {
        write!(codes, "{},", raw.code.0).unwrap();
        let inside = match DhcpOption::decode(raw).expect("every option decodes") {
            DhcpOption::IaNa(ia) | DhcpOption::IaPd(ia) => ia.options,
            DhcpOption::IaAddress(lease) => lease.options,
            DhcpOption::IaPrefix(lease) => lease.options,
            DhcpOption::LqQuery(query) => query.options().expect("the query's options are sound"),
            DhcpOption::ClientData(options) => options,
            DhcpOption::RelayMessage(message) => Message::decode(message).expect("a message").options(),
            DhcpOption::LqRelayData(data) => {
                let path = Message::decode(data.path).expect("a relay message");
                list_options(path.options(), &mut String::new());
                continue;
            }
            _ => continue,
        };
        list_options(inside, codes);
    }
}

pub(crate) fn dissect(file: &Path) -> Vec<Seen> {
    let fields = [
        "frame.protocols",
        "dhcpv6.msgtype",
        "dhcpv6.bulk_leasequery.msgtype",
        "dhcpv6.option.type",
        "_ws.malformed",
        "dhcpv6.malformed_option",
        "dhcpv6.bulk_leasequery.bad_query_type",
        "dhcpv6.bulk_leasequery.bad_msg_type",
    ];
    let output = Command::new("tshark")
        .args(["-n", "-T", "fields", "-r"])
        .arg(file)
        .args(fields.iter().flat_map(|field| ["-e", field]))
        .output()
        .expect("tshark starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(seen).collect()
}

fn seen(line: &str) -> Seen {
    let cells: Vec<&str> = line.split('\t').collect();
    let [protocols, datagram_type, bulk_type, options, complaints @ ..] = &cells[..] else {
        panic!("too few cells: {line}")
    };
    let first = |list: &str| list.split(',').next().unwrap_or_default().to_owned();
    Seen {
        protocol: protocols.rsplit(':').next().unwrap_or_default().to_owned(),
        message_type: first(if bulk_type.is_empty() { datagram_type } else { bulk_type }),
        options: (*options).to_owned(),
        malformed: complaints.iter().any(|complaint| !complaint.is_empty()),
    }
}
