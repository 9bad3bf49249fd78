//! Writing answers: Advertise and Reply (RFC 9915 §18.3.9, §18.3.10).

use lease::Resource;
use wire::{
    ClientMessage, DhcpOption, DomainName, Duid, INFINITE, MessageType, OptionCode, Prefix, PrefixExclude,
    RawOption, RelayChain, StatusCode, Writer,
};

use super::association::{Answer, Told};
use super::options::{OfferedOptions, Wants};
use super::reconfigure::ToldKey;
use super::terms::{LinkTerms, PoolTerms, Terms};
use crate::Discard;

/// What a client is answered, but for the options that every client may ask for.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) message_type: MessageType,
    pub(super) status: Option<StatusCode>,
    pub(super) rapid_commit: bool,
    pub(super) reconfigure_accept: bool,
    pub(super) key: Option<ToldKey>,
    pub(super) answers: Vec<Answer>,
    /// What the client has named and nothing is said of: for the log.
    pub(super) ignored: Vec<Resource>,
}

/// What may be offered to a client besides its leases.
pub(super) struct Offering<'a> {
    pub(super) terms: &'a Terms,
    pub(super) on_link: Option<&'a LinkTerms>,
    /// The most particular first.
    pub(super) layers: Vec<&'a OfferedOptions>,
    pub(super) wants: &'a Wants,
    pub(super) relays: Option<&'a RelayChain<'a>>,
    /// The type of the client's message.
    pub(super) asked_in: MessageType,
}

impl Reply {
    /// A Reply with these identity associations.
    pub(super) fn with(answers: Vec<Answer>) -> Self {
        Self {
            message_type: MessageType::Reply,
            status: None,
            rapid_commit: false,
            reconfigure_accept: false,
            key: None,
            answers,
            ignored: Vec::new(),
        }
    }

    /// What it says is the client's.
    fn leases(&self) -> impl Iterator<Item = &Told> {
        self.answers.iter().flat_map(|answer| &answer.leases).filter(|told| told.valid_secs > 0)
    }

    /// Whether it tells of anything that is the client's.
    pub(super) fn tells_of_leases(&self) -> bool {
        self.leases().next().is_some()
    }

    /// Whether it tells of a lease out of this pool.
    pub(super) fn tells_of(&self, pool: &PoolTerms) -> bool {
        let mut addresses = self.leases().map(|told| match told.resource {
            Resource::Address(address) => address,
            Resource::Prefix(prefix) => prefix.address(),
        });
        addresses.any(|address| (pool.first..=pool.last).contains(&address))
    }

    /// The octets of the message, without relays around it.
    pub(super) fn encode(
        &self,
        message: &ClientMessage<'_>,
        client: Option<&Duid>,
        offering: &Offering<'_>,
    ) -> Result<Vec<u8>, Discard> {
        let mut octets = Vec::with_capacity(512);
        let mut w = Writer::new(&mut octets);
        ClientMessage::write(&mut w, self.message_type, message.transaction_id, |w| {
            w.raw_option(OptionCode::SERVERID, offering.terms.server_id.octets());
            if let Some(client) = client {
                w.raw_option(OptionCode::CLIENTID, client.octets());
            }
            if self.rapid_commit {
                w.raw_option(OptionCode::RAPID_COMMIT, &[]);
            }
            if self.reconfigure_accept {
                w.raw_option(OptionCode::RECONF_ACCEPT, &[]);
            }
            if let Some(key) = &self.key {
                key.write(w);
            }
            if let Some(status) = self.status {
                w.status(status, words(status));
            }
            let (t1_secs, t2_secs) = times(&self.answers, offering.on_link);
            let takes_exclusion = offering.wants.takes_exclusion();
            for answer in &self.answers {
                w.ia(answer.kind, answer.iaid, t1_secs, t2_secs, |w| inside(w, answer, takes_exclusion));
            }
            offering.write(w, self.message_type);
        });
        w.finish().map_err(|_| Discard::TooLong)?;
        Ok(octets)
    }
}

/// T1 and T2, the same for every association of a message: as configured, else by the shortest
/// preferred lifetime that was granted. If none was, but something runs out, when it has run out
/// (RFC 9915 §18.3.4, §21.4).
fn times(answers: &[Answer], on_link: Option<&LinkTerms>) -> (u32, u32) {
    let told = || answers.iter().flat_map(|answer| &answer.leases);
    let granted = told().filter(|told| told.extended).map(|told| told.preferred_secs).min();
    let Some(shortest_secs) = granted else {
        let until_end = told().map(|told| told.valid_secs).filter(|secs| *secs > 0).min();
        return until_end.map_or((0, 0), |secs| (secs, secs));
    };
    let configured = |time: fn(&LinkTerms) -> Option<u32>| on_link.and_then(time);
    let t2_secs = configured(|terms| terms.t2_secs).unwrap_or(share(shortest_secs, 8));
    let t1_secs = configured(|terms| terms.t1_secs).unwrap_or(share(shortest_secs, 5));
    (t1_secs.min(t2_secs), t2_secs)
}

/// So many tenths; of infinity, infinity.
fn share(secs: u32, tenths: u64) -> u32 {
    if secs == INFINITE { INFINITE } else { (u64::from(secs) * tenths / 10) as u32 }
}

/// What stands inside an identity association. What is excluded from a prefix is named to those who
/// asked for that, and to nobody else (RFC 6603 §5.2).
fn inside(w: &mut Writer<'_>, answer: &Answer, takes_exclusion: bool) {
    for told in &answer.leases {
        lease(w, told, told.excluded.filter(|_| takes_exclusion));
    }
    if let Some(status) = answer.status {
        w.status(status, words(status));
    }
}

fn lease(w: &mut Writer<'_>, told: &Told, excluded: Option<Prefix>) {
    let Told { resource, preferred_secs, valid_secs, .. } = *told;
    match resource {
        Resource::Address(address) => w.ia_address(address, preferred_secs, valid_secs),
        Resource::Prefix(prefix) => w.ia_prefix(prefix, preferred_secs, valid_secs, |w| {
            if let Some(data) = excluded.and_then(|excluded| PrefixExclude::data(excluded, prefix)) {
                w.raw_option(OptionCode::PD_EXCLUDE, &data);
            }
        }),
    }
}

/// What stands beside a status, for whoever reads the client's log.
fn words(status: StatusCode) -> &'static str {
    match status {
        StatusCode::SUCCESS => "all is well",
        StatusCode::NO_ADDRS_AVAIL => "no address is to be had",
        StatusCode::NO_PREFIX_AVAIL => "no prefix is to be had",
        StatusCode::NO_BINDING => "there is no such binding here",
        StatusCode::NOT_ON_LINK => "an address does not belong on this link",
        _ => "",
    }
}

impl Offering<'_> {
    /// Writes what the client has asked for and what is sent unasked. PREFERENCE is for Advertise
    /// alone, INFORMATION_REFRESH_TIME for the answer to Information-request (RFC 9915 §21.23), and
    /// the answer to Confirm, Release and Decline has neither these nor others.
    fn write(&self, w: &mut Writer<'_>, message_type: MessageType) {
        if matches!(self.asked_in, MessageType::Confirm | MessageType::Release | MessageType::Decline) {
            return;
        }
        if message_type == MessageType::Advertise {
            self.write_configured(w, OptionCode::PREFERENCE);
        }
        for code in self.wants.codes() {
            if self.may_stand_here(code) && !self.write_configured(w, code) {
                self.write_supplied(w, code);
            }
        }
        for code in self.unasked() {
            self.write_configured(w, code);
        }
    }

    fn may_stand_here(&self, code: OptionCode) -> bool {
        let refresh_time = code == OptionCode::INFORMATION_REFRESH_TIME;
        code.may_be_requested() && (!refresh_time || self.asked_in == MessageType::InformationRequest)
    }

    /// Codes that are sent to everybody and that this client has not asked for.
    fn unasked(&self) -> Vec<OptionCode> {
        let offered = self.layers.iter().flat_map(|layer| layer.iter());
        let always = offered.filter(|(_, offered)| offered.always).map(|(code, _)| code);
        let mut codes: Vec<OptionCode> = always
            .filter(|code| *code != OptionCode::PREFERENCE && self.may_stand_here(*code))
            .filter(|code| !self.wants.asks_for(*code))
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// The most particular layer that has the option decides; false if none has it.
    fn write_configured(&self, w: &mut Writer<'_>, code: OptionCode) -> bool {
        let mut offered = self.layers.iter().filter_map(|layer| layer.get(code));
        let Some(offered) = offered.find(|offered| !offered.instances.is_empty()) else { return false };
        offered.instances.iter().for_each(|data| w.raw_option(code, data));
        true
    }

    /// What a relay has supplied, the one nearest to the client first, and only what relays may
    /// (RFC 6422 §6). What is malformed is ignored.
    fn write_supplied(&self, w: &mut Writer<'_>, code: OptionCode) {
        if !self.terms.rules.relay_supplied.contains(&code) {
            return;
        }
        let mut supplied = self.relays.into_iter().flat_map(RelayChain::supplied_options);
        if let Some(option) = supplied.find(|option| option.code == code && is_sound(*option)) {
            option.encode(w);
        }
    }
}

fn is_sound(option: RawOption<'_>) -> bool {
    match option.code {
        OptionCode::ERP_LOCAL_DOMAIN_NAME => DomainName::decode(option.data).is_ok(),
        _ => DhcpOption::decode(option).is_ok(),
    }
}
