//! The top level of an answer, gathered in one pass, and the rules by which a reply is ours.

use wire::{OptionCode, Options, Status, StatusCode};

use crate::client_data::ClientData;
use crate::question::Asker;
use crate::warning::{Warning, Warnings};

/// What stands at the top level of LEASEQUERY-REPLY, -DATA or -DONE.
#[derive(Default)]
pub(crate) struct Answer<'a> {
    server_id: Option<&'a [u8]>,
    client_id: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    relay_data: Option<&'a [u8]>,
    pub(crate) client_links: Option<&'a [u8]>,
    client_data: Option<&'a [u8]>,
    clients: usize,
    options: Options<'a>,
}

impl<'a> Answer<'a> {
    pub(crate) fn gather(options: Options<'a>) -> Self {
        let mut answer = Self { options, ..Self::default() };
        for option in options.iter() {
            let slot = match option.code {
                OptionCode::CLIENT_DATA => {
                    answer.clients += 1;
                    &mut answer.client_data
                }
                OptionCode::SERVERID => &mut answer.server_id,
                OptionCode::CLIENTID => &mut answer.client_id,
                OptionCode::STATUS_CODE => &mut answer.status,
                OptionCode::LQ_RELAY_DATA => &mut answer.relay_data,
                OptionCode::LQ_CLIENT_LINK => &mut answer.client_links,
                _ => continue,
            };
            slot.get_or_insert(option.data);
        }
        answer
    }

    pub(crate) fn has_client(&self) -> bool {
        self.client_data.is_some()
    }

    /// Why a LEASEQUERY-REPLY is to be discarded, if it is (RFC 5007 §4.2.2).
    pub(crate) fn reason_to_discard(&self, asker: &Asker) -> Option<Warning> {
        match (self.server_id, self.client_id) {
            (None, _) => Some(Warning::ReplyWithoutServerId),
            (_, None) => Some(Warning::ReplyWithoutClientId),
            (_, Some(client_id)) if client_id != asker.client_id.octets() => {
                Some(Warning::ReplyToSomebodyElse)
            }
            _ => None,
        }
    }

    /// The status, if it is an error: no status and Success are the same (RFC 5007 §4.3.3).
    pub(crate) fn error(&self, warnings: &mut Warnings) -> Option<Status<'a>> {
        let data = self.status?;
        let Some((code, message)) = data.split_first_chunk() else {
            warnings.add(Warning::MalformedStatus);
            return Some(Status { code: StatusCode::UNSPEC_FAIL, message: b"" });
        };
        let code = StatusCode(u16::from_be_bytes(*code));
        if code == StatusCode::SUCCESS {
            warnings.add(Warning::SuccessStated);
            return None;
        }
        Some(Status { code, message })
    }

    /// Reads the client; more than one are each told of. `asked` is whether relay data were.
    pub(crate) fn for_each_client(
        &self,
        relay_data_asked: bool,
        warnings: &mut Warnings,
        mut told: impl FnMut(&ClientData<'a>),
    ) {
        if self.relay_data.is_some() {
            warnings.add(Warning::RelayDataBeside);
        }
        if self.clients > 1 {
            warnings.add(Warning::SeveralClients);
            for data in self.options.all(OptionCode::CLIENT_DATA) {
                self.read_client(data, relay_data_asked, warnings).iter().for_each(&mut told);
            }
        } else if let Some(data) = self.client_data {
            self.read_client(data, relay_data_asked, warnings).iter().for_each(&mut told);
        }
    }

    fn read_client(&self, data: &'a [u8], asked: bool, warnings: &mut Warnings) -> Option<ClientData<'a>> {
        let client = ClientData::read(data, self.relay_data, warnings)?;
        if client.relay_path.is_some() && !asked {
            warnings.add(Warning::RelayDataUnasked);
        }
        Some(client)
    }
}
