//! What an answer gives to a client, judged as the client has to (RFC 9915 §16.3, §16.10, §18.2.9).

use wire::{ClientMessage, DhcpOption, IaAddress, IaPrefix, MessageType, OptionCode};
use wire::{Options, RawOption, RelayMessage, StatusCode};

use super::case::{Case, Way};
use super::flights::Awaited;
use super::template::{Client, Leases};

/// The client's message in what was received, if it is one; from a relay, the one that the Relay-reply holds.
pub(super) fn unwrap(octets: &[u8], way: Way) -> Option<ClientMessage<'_>> {
    let inside = match way {
        Way::Direct => octets,
        Way::Relayed => {
            let relay = RelayMessage::decode(octets).ok()?;
            if relay.message_type != MessageType::RelayReply {
                return None;
            }
            relay.relayed().ok()??
        }
    };
    ClientMessage::decode(inside).ok()
}

/// What there is to know about an answer that a client waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything that was asked for.
    Granted(Leases),
    /// The server's answer, and not everything is in it.
    Refused,
    /// To be discarded.
    Invalid,
}

/// Judges an answer whose transaction id fits. `duid_begin` and the client's MAC address are its DUID.
pub(super) fn judge(
    answer: &ClientMessage<'_>,
    awaited: Awaited,
    client: Client,
    duid_begin: &[u8],
    case: Case,
) -> Verdict {
    let awaited_type = match awaited {
        Awaited::Advertise => MessageType::Advertise,
        Awaited::Reply => MessageType::Reply,
    };
    let client_id = answer.options.client_id().ok().flatten().map(|id| id.octets());
    let is_ours = client_id.and_then(|id| id.strip_prefix(duid_begin)) == Some(&client.hardware_address());
    let server_id = answer.options.server_id();
    if answer.message_type != awaited_type || !is_ours || !matches!(server_id, Ok(Some(_))) {
        return Verdict::Invalid;
    }
    granted(answer.options, client, case).map_or(Verdict::Refused, Verdict::Granted)
}

/// The leases, if every IA that was asked for has one.
fn granted(options: Options<'_>, client: Client, case: Case) -> Option<Leases> {
    let mut leases = Leases::NONE;
    let (mut address, mut prefix) = (!case.wish.address(), !case.wish.prefix());
    for option in options.iter() {
        match option.code {
            OptionCode::IA_NA => address |= read_address(option, client, &mut leases).is_some(),
            OptionCode::IA_PD => prefix |= read_prefix(option, client, &mut leases).is_some(),
            _ => {}
        }
    }
    let success = options.status().ok()?.is_none_or(|status| status.code == StatusCode::SUCCESS);
    (address && prefix && success).then_some(leases)
}

fn read_address(option: RawOption<'_>, client: Client, leases: &mut Leases) -> Option<()> {
    let DhcpOption::IaNa(ia) = DhcpOption::decode(option).ok()? else { return None };
    let lease = IaAddress::decode(ia.options.first(OptionCode::IAADDR)?).ok()?;
    leases.address = lease.address.octets();
    (lease.valid_secs > 0 && ia.iaid.0.to_be_bytes() == client.short_number()).then_some(())
}

fn read_prefix(option: RawOption<'_>, client: Client, leases: &mut Leases) -> Option<()> {
    let DhcpOption::IaPd(ia) = DhcpOption::decode(option).ok()? else { return None };
    let lease = IaPrefix::decode(ia.options.first(OptionCode::IAPREFIX)?).ok()?;
    leases.prefix[0] = lease.prefix.length();
    leases.prefix[1..].copy_from_slice(&lease.prefix.address().octets());
    (lease.valid_secs > 0 && ia.iaid.0.to_be_bytes() == client.short_number()).then_some(())
}

#[cfg(test)]
mod tests {
    use wire::TransactionId;

    use super::super::case::Wish;
    use super::super::template::Template;
    use super::*;

    const CLIENT: Client = Client(77);
    const CASE: Case = Case { wish: Wish::Both, way: Way::Relayed };
    const DUID_BEGIN: [u8; 8] = [0, 1, 0, 1, 0x32, 0x96, 0xb7, 0x8a];
    const SERVER_ID: [u8; 5] = [0, 3, 0, 1, 9];
    const LEASES: Leases =
        Leases { address: [0x20; 16], prefix: [56, 0x30, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0] };

    fn advertise(server_id: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let template = Template::compile(MessageType::Advertise, CASE, 0, server_id).unwrap();
        let mut octets = vec![0; template.len()];
        template.write(&mut octets, CLIENT, TransactionId::from_number(5), &LEASES);
        change(&mut octets);
        octets
    }

    fn verdict(octets: &[u8], client: Client) -> Verdict {
        judge(&unwrap(octets, Way::Relayed).unwrap(), Awaited::Advertise, client, &DUID_BEGIN, CASE)
    }

    /// Overwrites what stands behind the only place where `before` does.
    fn overwrite(octets: &mut [u8], before: &[u8], with: &[u8]) {
        let at = octets.windows(before.len()).position(|window| window == before).unwrap() + before.len();
        octets[at..at + with.len()].copy_from_slice(with);
    }

    #[test]
    fn an_advertise_for_the_client_gives_it_its_leases() {
        assert_eq!(verdict(&advertise(&SERVER_ID, |_| ()), CLIENT), Verdict::Granted(LEASES));
    }

    #[test]
    fn what_is_not_for_the_client_or_from_no_server_is_discarded() {
        // DH-K-03
        assert_eq!(verdict(&advertise(&SERVER_ID, |_| ()), Client(78)), Verdict::Invalid);
        assert_eq!(verdict(&advertise(&[], |_| ()), CLIENT), Verdict::Invalid);
        let too_early = advertise(&SERVER_ID, |_| ());
        let message = unwrap(&too_early, Way::Relayed).unwrap();
        assert_eq!(judge(&message, Awaited::Reply, CLIENT, &DUID_BEGIN, CASE), Verdict::Invalid);
    }

    #[test]
    fn an_advertise_without_every_lease_is_ignored() {
        // DH-K-05
        let expired = advertise(&SERVER_ID, |octets| overwrite(octets, &LEASES.address, &[0; 8]));
        assert_eq!(verdict(&expired, CLIENT), Verdict::Refused);
    }
}
