//! Options by name or number, and which of them an operator can have sent.

use wire::OptionCode;

use super::faults::Collector;
use super::toml_tree::{Item, suggest};

/// Options that belong to the exchange itself: the server writes them with what it has decided, or
/// only a client or a relay has anything to say in them.
const OF_THE_EXCHANGE: [OptionCode; 33] = [
    OptionCode::CLIENTID,
    OptionCode::SERVERID,
    OptionCode::IA_NA,
    OptionCode::IA_TA,
    OptionCode::IAADDR,
    OptionCode::ORO,
    OptionCode::ELAPSED_TIME,
    OptionCode::RELAY_MSG,
    OptionCode::AUTH,
    OptionCode::UNICAST,
    OptionCode::STATUS_CODE,
    OptionCode::RAPID_COMMIT,
    OptionCode::INTERFACE_ID,
    OptionCode::RECONF_MSG,
    OptionCode::RECONF_ACCEPT,
    OptionCode::IA_PD,
    OptionCode::IAPREFIX,
    OptionCode::REMOTE_ID,
    OptionCode::SUBSCRIBER_ID,
    OptionCode::ERO,
    OptionCode::LQ_QUERY,
    OptionCode::CLIENT_DATA,
    OptionCode::CLT_TIME,
    OptionCode::LQ_RELAY_DATA,
    OptionCode::LQ_CLIENT_LINK,
    OptionCode::RELAY_ID,
    OptionCode::RSOO,
    OptionCode::PD_EXCLUDE,
    OptionCode::CLIENT_LINKLAYER_ADDR,
    OptionCode::LQ_BASE_TIME,
    OptionCode::LQ_START_TIME,
    OptionCode::LQ_END_TIME,
    OptionCode::RELAY_PORT,
];

/// An option, by its number or its name without `OPTION_`.
pub(super) fn any(item: &Item<'_>, faults: &mut Collector) -> Option<OptionCode> {
    if item.is_number() {
        return item.number(1..=u16::MAX, faults).map(OptionCode);
    }
    let text = item.string(faults)?;
    let code = text.parse::<OptionCode>().ok().filter(|code| code.0 != 0);
    if code.is_none() {
        let names: Vec<&str> = OptionCode::NAMED.iter().filter_map(|code| code.name()).collect();
        let remedy = suggest(text, &names).unwrap_or_else(|| {
            "write its number, or its name without OPTION_, such as CLIENT_FQDN".to_owned()
        });
        faults.fault(item.place(), format!("there is no option {text:?}"), remedy);
    }
    code
}

/// Whether an option belongs to the exchange itself, so that an operator has no say in it.
pub(crate) fn is_of_the_exchange(code: OptionCode) -> bool {
    OF_THE_EXCHANGE.contains(&code)
}

/// An option that an operator, or a relay for him, may have sent to clients.
pub(super) fn for_clients(item: &Item<'_>, faults: &mut Collector) -> Option<OptionCode> {
    let code = any(item, faults)?;
    if !is_of_the_exchange(code) {
        return Some(code);
    }
    let remedy = match code {
        OptionCode::UNICAST => "leave it out: nobody looks at it any more (RFC 9915 §21.12)",
        _ => "leave it out: the exchange itself writes it where it belongs",
    };
    faults.fault(item.place(), format!("{code} may not be offered"), remedy);
    None
}
