//! Every option that has a type of its own: its inside, decoded and encoded.
//!
//! One `match` decodes and one encodes, and both are exhaustive: a new option is a new variant, and
//! the compiler asks for the rest.

use std::net::Ipv6Addr;

use crate::domain::Names;
use crate::ia::{Ia, IaAddress, IaPrefix};
use crate::leasequery::LqQuery;
use crate::values::{Addresses, ClassData, Codes, VendorClass, VendorOptions};
use crate::{
    AbsoluteTime, DecodeError, DuidRef, Iaid, OptionCode, Options, Prefix, RawOption, Reader, RelayData,
    Status, StatusCode, Writer,
};

/// An option, by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the option of its name; the layouts have types of their own")]
pub enum DhcpOption<'a> {
    ClientId(DuidRef<'a>),
    ServerId(DuidRef<'a>),
    IaNa(Ia<'a>),
    IaTa {
        iaid: Iaid,
        options: Options<'a>,
    },
    IaAddress(IaAddress<'a>),
    OptionRequest(Codes<'a>),
    Preference(u8),
    /// Hundredths of a second; 0xffff is that or more.
    ElapsedTime(u16),
    /// A whole message.
    RelayMessage(&'a [u8]),
    Authentication(Authentication<'a>),
    Unicast(Ipv6Addr),
    StatusCode(Status<'a>),
    RapidCommit,
    UserClass(ClassData<'a>),
    VendorClass(VendorClass<'a>),
    VendorOptions(VendorOptions<'a>),
    InterfaceId(&'a [u8]),
    /// The type of message that the client is to send: 5, 6 or 11.
    ReconfigureMessage(u8),
    ReconfigureAccept,
    DnsServers(Addresses<'a>),
    DomainList(Names<'a>),
    IaPd(Ia<'a>),
    IaPrefix(IaPrefix<'a>),
    /// Seconds.
    InformationRefreshTime(u32),
    RemoteId {
        enterprise: u32,
        remote_id: &'a [u8],
    },
    SubscriberId(&'a [u8]),
    EchoRequest(Codes<'a>),
    LqQuery(LqQuery<'a>),
    ClientData(Options<'a>),
    /// Seconds since the server last heard from the client.
    CltTime(u32),
    LqRelayData(RelayData<'a>),
    LqClientLink(Addresses<'a>),
    RelayId(DuidRef<'a>),
    RelaySupplied(Options<'a>),
    PdExclude(PrefixExclude<'a>),
    ClientLinkLayerAddress(LinkLayerAddress<'a>),
    /// Seconds, 60 to 86,400.
    SolMaxRt(u32),
    /// Seconds, 60 to 86,400.
    InfMaxRt(u32),
    LqBaseTime(AbsoluteTime),
    LqStartTime(AbsoluteTime),
    LqEndTime(AbsoluteTime),
    /// UDP port; 0 is none.
    RelayPort(u16),
    /// Any other option, as it came.
    Other(RawOption<'a>),
}

impl<'a> DhcpOption<'a> {
    /// Decodes the inside of an option.
    pub fn decode(raw: RawOption<'a>) -> Result<Self, DecodeError> {
        let RawOption { code, data } = raw;
        let mut reader = Reader::new(data);
        let option = match code {
            OptionCode::CLIENTID => Self::ClientId(DuidRef::new(reader.rest())?),
            OptionCode::SERVERID => Self::ServerId(DuidRef::new(reader.rest())?),
            OptionCode::IA_NA => Self::IaNa(Ia::decode(reader.rest())?),
            OptionCode::IA_TA => {
                Self::IaTa { iaid: Iaid(reader.u32()?), options: Options::new(reader.rest())? }
            }
            OptionCode::IAADDR => Self::IaAddress(IaAddress::decode(reader.rest())?),
            OptionCode::ORO => Self::OptionRequest(Codes::new(code, reader.rest())?),
            OptionCode::PREFERENCE => Self::Preference(reader.u8()?),
            OptionCode::ELAPSED_TIME => Self::ElapsedTime(reader.u16()?),
            OptionCode::RELAY_MSG => Self::RelayMessage(at_least(4, code, reader.rest())?),
            OptionCode::AUTH => Self::Authentication(Authentication::decode(&mut reader)?),
            OptionCode::UNICAST => Self::Unicast(reader.address()?),
            OptionCode::STATUS_CODE => {
                Self::StatusCode(Status { code: StatusCode(reader.u16()?), message: reader.rest() })
            }
            OptionCode::RAPID_COMMIT => Self::RapidCommit,
            OptionCode::USER_CLASS => Self::UserClass(ClassData::new(code, reader.rest())?),
            OptionCode::VENDOR_CLASS => Self::VendorClass(VendorClass::decode(reader.rest())?),
            OptionCode::VENDOR_OPTS => {
                Self::VendorOptions(VendorOptions { enterprise: reader.u32()?, suboptions: reader.rest() })
            }
            OptionCode::INTERFACE_ID => Self::InterfaceId(reader.rest()),
            OptionCode::RECONF_MSG => Self::ReconfigureMessage(match reader.u8()? {
                kind @ (5 | 6 | 11) => kind,
                _ => return Err(DecodeError::BadValue(code)),
            }),
            OptionCode::RECONF_ACCEPT => Self::ReconfigureAccept,
            OptionCode::DNS_SERVERS => {
                Self::DnsServers(Addresses::new(code, at_least(16, code, reader.rest())?)?)
            }
            OptionCode::DOMAIN_LIST => Self::DomainList(Names::new(code, reader.rest())?),
            OptionCode::IA_PD => Self::IaPd(Ia::decode(reader.rest())?),
            OptionCode::IAPREFIX => Self::IaPrefix(IaPrefix::decode(reader.rest())?),
            OptionCode::INFORMATION_REFRESH_TIME => Self::InformationRefreshTime(reader.u32()?),
            OptionCode::REMOTE_ID => {
                Self::RemoteId { enterprise: reader.u32()?, remote_id: at_least(1, code, reader.rest())? }
            }
            OptionCode::SUBSCRIBER_ID => Self::SubscriberId(at_least(1, code, reader.rest())?),
            OptionCode::ERO => Self::EchoRequest(Codes::new(code, reader.rest())?),
            OptionCode::LQ_QUERY => Self::LqQuery(LqQuery::decode(reader.rest())?),
            OptionCode::CLIENT_DATA => Self::ClientData(Options::new(reader.rest())?),
            OptionCode::CLT_TIME => Self::CltTime(reader.u32()?),
            OptionCode::LQ_RELAY_DATA => Self::LqRelayData(RelayData::decode(reader.rest())?),
            OptionCode::LQ_CLIENT_LINK => Self::LqClientLink(Addresses::new(code, reader.rest())?),
            OptionCode::RELAY_ID => Self::RelayId(DuidRef::new(reader.rest())?),
            OptionCode::RSOO => Self::RelaySupplied(Options::new(reader.rest())?),
            OptionCode::PD_EXCLUDE => Self::PdExclude(PrefixExclude::decode(&mut reader)?),
            OptionCode::CLIENT_LINKLAYER_ADDR => {
                Self::ClientLinkLayerAddress(LinkLayerAddress::decode(reader.rest())?)
            }
            OptionCode::SOL_MAX_RT => Self::SolMaxRt(max_rt(code, &mut reader)?),
            OptionCode::INF_MAX_RT => Self::InfMaxRt(max_rt(code, &mut reader)?),
            OptionCode::LQ_BASE_TIME => Self::LqBaseTime(AbsoluteTime(reader.u32()?)),
            OptionCode::LQ_START_TIME => Self::LqStartTime(AbsoluteTime(reader.u32()?)),
            OptionCode::LQ_END_TIME => Self::LqEndTime(AbsoluteTime(reader.u32()?)),
            OptionCode::RELAY_PORT => Self::RelayPort(reader.u16()?),
            _ => Self::Other(RawOption { code, data: reader.rest() }),
        };
        reader.finish().map_err(|_| DecodeError::BadLength(code))?;
        Ok(option)
    }

    /// Appends the option, header included.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.option(self.code(), |w| self.encode_data(w));
    }

    fn encode_data(&self, w: &mut Writer<'_>) {
        match *self {
            Self::ClientId(duid) | Self::ServerId(duid) | Self::RelayId(duid) => w.bytes(duid.octets()),
            Self::IaNa(ia) | Self::IaPd(ia) => ia.encode_data(w),
            Self::IaTa { iaid, options } => {
                w.u32(iaid.0);
                w.bytes(options.octets());
            }
            Self::IaAddress(lease) => lease.encode_data(w),
            Self::IaPrefix(lease) => lease.encode_data(w),
            Self::OptionRequest(codes) | Self::EchoRequest(codes) => w.bytes(codes.octets()),
            Self::Preference(value) | Self::ReconfigureMessage(value) => w.u8(value),
            Self::ElapsedTime(value) | Self::RelayPort(value) => w.u16(value),
            Self::RelayMessage(octets) | Self::InterfaceId(octets) | Self::SubscriberId(octets) => {
                w.bytes(octets);
            }
            Self::Authentication(authentication) => authentication.encode_data(w),
            Self::Unicast(address) => w.address(address),
            Self::StatusCode(Status { code, message }) => {
                w.u16(code.0);
                w.bytes(message);
            }
            Self::RapidCommit | Self::ReconfigureAccept => {}
            Self::UserClass(data) => w.bytes(data.octets()),
            Self::VendorClass(VendorClass { enterprise, data }) => {
                w.u32(enterprise);
                w.bytes(data.octets());
            }
            Self::VendorOptions(VendorOptions { enterprise, suboptions }) => {
                w.u32(enterprise);
                w.bytes(suboptions);
            }
            Self::DnsServers(addresses) | Self::LqClientLink(addresses) => w.bytes(addresses.octets()),
            Self::DomainList(names) => w.bytes(names.octets()),
            Self::InformationRefreshTime(secs)
            | Self::CltTime(secs)
            | Self::SolMaxRt(secs)
            | Self::InfMaxRt(secs) => w.u32(secs),
            Self::RemoteId { enterprise, remote_id } => {
                w.u32(enterprise);
                w.bytes(remote_id);
            }
            Self::LqQuery(query) => query.encode_data(w),
            Self::ClientData(options) | Self::RelaySupplied(options) => w.bytes(options.octets()),
            Self::LqRelayData(data) => data.encode_data(w),
            Self::PdExclude(exclude) => exclude.encode_data(w),
            Self::ClientLinkLayerAddress(address) => address.encode_data(w),
            Self::LqBaseTime(time) | Self::LqStartTime(time) | Self::LqEndTime(time) => w.u32(time.0),
            Self::Other(RawOption { code: _, data }) => w.bytes(data),
        }
    }

    /// The code it is sent under.
    pub fn code(&self) -> OptionCode {
        match self {
            Self::ClientId(_) => OptionCode::CLIENTID,
            Self::ServerId(_) => OptionCode::SERVERID,
            Self::IaNa(_) => OptionCode::IA_NA,
            Self::IaTa { .. } => OptionCode::IA_TA,
            Self::IaAddress(_) => OptionCode::IAADDR,
            Self::OptionRequest(_) => OptionCode::ORO,
            Self::Preference(_) => OptionCode::PREFERENCE,
            Self::ElapsedTime(_) => OptionCode::ELAPSED_TIME,
            Self::RelayMessage(_) => OptionCode::RELAY_MSG,
            Self::Authentication(_) => OptionCode::AUTH,
            Self::Unicast(_) => OptionCode::UNICAST,
            Self::StatusCode(_) => OptionCode::STATUS_CODE,
            Self::RapidCommit => OptionCode::RAPID_COMMIT,
            Self::UserClass(_) => OptionCode::USER_CLASS,
            Self::VendorClass(_) => OptionCode::VENDOR_CLASS,
            Self::VendorOptions(_) => OptionCode::VENDOR_OPTS,
            Self::InterfaceId(_) => OptionCode::INTERFACE_ID,
            Self::ReconfigureMessage(_) => OptionCode::RECONF_MSG,
            Self::ReconfigureAccept => OptionCode::RECONF_ACCEPT,
            Self::DnsServers(_) => OptionCode::DNS_SERVERS,
            Self::DomainList(_) => OptionCode::DOMAIN_LIST,
            Self::IaPd(_) => OptionCode::IA_PD,
            Self::IaPrefix(_) => OptionCode::IAPREFIX,
            Self::InformationRefreshTime(_) => OptionCode::INFORMATION_REFRESH_TIME,
            Self::RemoteId { .. } => OptionCode::REMOTE_ID,
            Self::SubscriberId(_) => OptionCode::SUBSCRIBER_ID,
            Self::EchoRequest(_) => OptionCode::ERO,
            Self::LqQuery(_) => OptionCode::LQ_QUERY,
            Self::ClientData(_) => OptionCode::CLIENT_DATA,
            Self::CltTime(_) => OptionCode::CLT_TIME,
            Self::LqRelayData(_) => OptionCode::LQ_RELAY_DATA,
            Self::LqClientLink(_) => OptionCode::LQ_CLIENT_LINK,
            Self::RelayId(_) => OptionCode::RELAY_ID,
            Self::RelaySupplied(_) => OptionCode::RSOO,
            Self::PdExclude(_) => OptionCode::PD_EXCLUDE,
            Self::ClientLinkLayerAddress(_) => OptionCode::CLIENT_LINKLAYER_ADDR,
            Self::SolMaxRt(_) => OptionCode::SOL_MAX_RT,
            Self::InfMaxRt(_) => OptionCode::INF_MAX_RT,
            Self::LqBaseTime(_) => OptionCode::LQ_BASE_TIME,
            Self::LqStartTime(_) => OptionCode::LQ_START_TIME,
            Self::LqEndTime(_) => OptionCode::LQ_END_TIME,
            Self::RelayPort(_) => OptionCode::RELAY_PORT,
            Self::Other(raw) => raw.code,
        }
    }
}

/// The inside of AUTH (RFC 8415 §21.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authentication<'a> {
    /// 3 is RKAP.
    pub protocol: u8,
    /// 1 is HMAC-MD5 for RKAP.
    pub algorithm: u8,
    /// How replays are found.
    pub replay_method: u8,
    /// Grows from message to message.
    pub replay_detection: [u8; 8],
    /// What the protocol puts here.
    pub information: &'a [u8],
}

impl<'a> Authentication<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol: reader.u8()?,
            algorithm: reader.u8()?,
            replay_method: reader.u8()?,
            replay_detection: reader.array()?,
            information: reader.rest(),
        })
    }

    fn encode_data(self, w: &mut Writer<'_>) {
        let Self { protocol, algorithm, replay_method, replay_detection, information } = self;
        w.bytes(&[protocol, algorithm, replay_method]);
        w.bytes(&replay_detection);
        w.bytes(information);
    }
}

/// The inside of PD_EXCLUDE: a part of the delegated prefix it stands in (RFC 6603 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixExclude<'a> {
    /// Bits of the excluded prefix.
    pub length: u8,
    /// The excluded prefix's bits behind the delegated one's, from the top of the first octet.
    pub subnet_id: &'a [u8],
}

impl<'a> PrefixExclude<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let code = OptionCode::PD_EXCLUDE;
        let length = reader.u8()?;
        let subnet_id = reader.rest();
        if length > 128 || length == 0 {
            return Err(DecodeError::BadValue(code));
        }
        if !(1..=16).contains(&subnet_id.len()) {
            return Err(DecodeError::BadLength(code));
        }
        Ok(Self { length, subnet_id })
    }

    fn encode_data(self, w: &mut Writer<'_>) {
        let Self { length, subnet_id } = self;
        w.u8(length);
        w.bytes(subnet_id);
    }

    /// The excluded prefix, given the delegated one; `None` if it does not lie inside, or if the
    /// octets are not as many as its bits need.
    pub fn excluded(self, delegated: Prefix) -> Option<Prefix> {
        let bits = self.length.checked_sub(delegated.length()).filter(|bits| *bits > 0)?;
        if self.subnet_id.len() != usize::from((bits - 1) / 8 + 1) {
            return None;
        }
        let mut octets = [0; 16];
        octets[..self.subnet_id.len()].copy_from_slice(self.subnet_id);
        let subnet = u128::from_be_bytes(octets) >> u32::from(delegated.length());
        let address = Ipv6Addr::from_bits(delegated.address().to_bits() | subnet);
        Prefix::new(address, self.length).ok()
    }

    /// The data of the option that excludes `excluded` from `delegated`; `None` if it does not lie
    /// inside.
    pub fn data(excluded: Prefix, delegated: Prefix) -> Option<Vec<u8>> {
        let bits = excluded.length().checked_sub(delegated.length()).filter(|bits| *bits > 0)?;
        if !delegated.covers(excluded) {
            return None;
        }
        let subnet = excluded.address().to_bits() << u32::from(delegated.length());
        let mut data = vec![excluded.length()];
        data.extend_from_slice(&subnet.to_be_bytes()[..usize::from((bits - 1) / 8 + 1)]);
        Some(data)
    }
}

/// The inside of CLIENT_LINKLAYER_ADDR (RFC 6939 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLayerAddress<'a> {
    /// As in ARP; 1 is Ethernet.
    pub hardware_type: u16,
    /// The address.
    pub address: &'a [u8],
}

impl<'a> LinkLayerAddress<'a> {
    pub(crate) fn decode(data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(data);
        let hardware_type = reader.u16()?;
        let address = at_least(1, OptionCode::CLIENT_LINKLAYER_ADDR, reader.rest())?;
        Ok(Self { hardware_type, address })
    }

    fn encode_data(self, w: &mut Writer<'_>) {
        let Self { hardware_type, address } = self;
        w.u16(hardware_type);
        w.bytes(address);
    }
}

fn at_least(octets: usize, code: OptionCode, data: &[u8]) -> Result<&[u8], DecodeError> {
    if data.len() < octets { Err(DecodeError::BadLength(code)) } else { Ok(data) }
}

/// SOL_MAX_RT and INF_MAX_RT: values outside 60 to 86,400 are to be ignored (RFC 8415 §21.24).
fn max_rt(code: OptionCode, reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    match reader.u32()? {
        secs @ 60..=86_400 => Ok(secs),
        _ => Err(DecodeError::BadValue(code)),
    }
}
