//! A client that does as the standard says, so that a scenario tests the server and nothing else
//! (DH-K).

use lease::IaKind;
use wire::{ClientMessage, Duid, MessageType, OptionCode};

use super::{Draft, Told, server_id};

/// What a client always asks for in a Solicit.
const SOL_MAX_RT: u16 = 82;
/// And in an Information-request.
const OF_INFORMATION: [u16; 2] = [83, 32];

/// One client, by its DUID. A new message has a new transaction id; sending a [`Draft`] again is a
/// retransmission with the same one.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) duid: Duid,
    /// Option codes that it asks for besides those that it must.
    pub(crate) wants: Vec<u16>,
    last_transaction: u32,
}

impl Client {
    pub(crate) fn new(number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        Self::with_duid(&[0, 3, 0, 1, 2, 0, 0, 0, high, low])
    }

    pub(crate) fn with_duid(octets: &[u8]) -> Self {
        let seed = octets.iter().fold(7_u32, |sum, octet| sum.wrapping_mul(31) ^ u32::from(*octet));
        Self { duid: Duid::new(octets).unwrap(), wants: Vec::new(), last_transaction: seed }
    }

    pub(crate) fn wanting(self, wants: &[u16]) -> Self {
        Self { wants: wants.to_vec(), ..self }
    }

    /// A message of this type with all that it must have but identity associations.
    pub(crate) fn message(&mut self, message_type: MessageType) -> Draft {
        // A generator of full period: no transaction id comes back soon.
        self.last_transaction = self.last_transaction.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let draft = Draft::new(message_type, self.last_transaction >> 8).client_id(&self.duid).elapsed(0);
        let draft = match message_type {
            MessageType::Request | MessageType::Renew | MessageType::Release | MessageType::Decline => {
                draft.server_id(&server_id())
            }
            _ => draft,
        };
        match self.requested(message_type) {
            Some(codes) => draft.oro(&codes),
            None => draft,
        }
    }

    fn requested(&self, message_type: MessageType) -> Option<Vec<u16>> {
        let must: &[u16] = match message_type {
            MessageType::Solicit | MessageType::Request | MessageType::Renew | MessageType::Rebind => {
                &[SOL_MAX_RT]
            }
            MessageType::InformationRequest => &OF_INFORMATION,
            _ => return None,
        };
        Some([must, &self.wants].concat())
    }

    pub(crate) fn solicit(&mut self) -> Draft {
        self.message(MessageType::Solicit)
    }

    pub(crate) fn request(&mut self) -> Draft {
        self.message(MessageType::Request)
    }

    pub(crate) fn confirm(&mut self) -> Draft {
        self.message(MessageType::Confirm)
    }

    pub(crate) fn renew(&mut self) -> Draft {
        self.message(MessageType::Renew)
    }

    pub(crate) fn rebind(&mut self) -> Draft {
        self.message(MessageType::Rebind)
    }

    pub(crate) fn release(&mut self) -> Draft {
        self.message(MessageType::Release)
    }

    pub(crate) fn decline(&mut self) -> Draft {
        self.message(MessageType::Decline)
    }

    pub(crate) fn information(&mut self) -> Draft {
        self.message(MessageType::InformationRequest)
    }

    /// Declines every address that an answer has given; prefixes are not declined (RFC 9915 §18.2.8).
    pub(crate) fn decline_of(&mut self, told: &Told) -> Draft {
        let addresses = told.ias.iter().filter(|ia| ia.kind == IaKind::Address);
        addresses.fold(self.decline(), |draft, ia| draft.ia(ia.kind, ia.iaid.0, &ia.resources()))
    }

    /// What it sends when it may be on another link: Rebind for what was delegated, and if there is
    /// no such thing, Confirm (RFC 9915 §18.2.12).
    pub(crate) fn after_link_change(&mut self, told: &Told) -> Draft {
        let was_delegated = told.ias.iter().any(|ia| ia.kind == IaKind::Prefix);
        let draft = if was_delegated { self.rebind() } else { self.confirm() };
        told.ias.iter().fold(draft, |draft, ia| draft.ia(ia.kind, ia.iaid.0, &ia.resources()))
    }

    /// Whether this client would take an answer for its own: one to its message, from a server, and
    /// to nobody else (RFC 9915 §16.3, §16.10).
    pub(crate) fn takes(&self, question: &Draft, answer: &[u8]) -> bool {
        let Ok(answer) = ClientMessage::decode(answer) else { return false };
        let of_server = matches!(answer.message_type, MessageType::Advertise | MessageType::Reply);
        let server_id = answer.options.server_id().ok().flatten();
        let client_id = answer.options.client_id().ok().flatten();
        of_server
            && answer.transaction_id == question.transaction_id
            && server_id.is_some()
            && client_id == Some(self.duid.as_ref())
    }

    /// Whether an Advertise offers anything; if not, only its SOL_MAX_RT and INF_MAX_RT count
    /// (RFC 9915 §18.2.9).
    pub(crate) fn is_offered_anything(advertise: &[u8]) -> bool {
        let options = ClientMessage::decode(advertise).unwrap().options;
        let leases = [OptionCode::IAADDR, OptionCode::IAPREFIX];
        options.ias().flatten().any(|(_, ia)| leases.into_iter().any(|code| ia.options.has(code)))
    }
}
