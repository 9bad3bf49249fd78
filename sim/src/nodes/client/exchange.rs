//! One message of a client and what comes of it: sent, sent again, and answered or given up.

use wire::{Duid, MessageType, TransactionId};
use world::{Chance, Instant};

use super::reading::Answer;
use super::retransmission::{Due, Retransmission, Terms};
use super::writing::{Asked, Signature, write};

/// The preference of a server that is taken at once (RFC 9915 §18.2.1).
const PREFERRED_BY_ALL: u8 = 255;

/// An exchange that is not over.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) message_type: MessageType,
    pub(super) transaction: TransactionId,
    /// Whom it is for; `None` is everybody.
    pub(super) server: Option<Duid>,
    pub(super) asked: Vec<Asked>,
    offers: Vec<Answer>,
    timers: Retransmission,
}

impl Exchange {
    /// One whose message is sent now.
    pub(super) fn begin(
        message_type: MessageType,
        server: Option<Duid>,
        asked: Vec<Asked>,
        terms: Terms,
        now: Instant,
        chance: &mut Chance,
    ) -> Self {
        let number = u32::try_from(chance.below(1 << 24)).expect("24 bits");
        let is_solicit = message_type == MessageType::Solicit;
        Self {
            message_type,
            transaction: TransactionId::from_number(number),
            server,
            asked,
            offers: Vec::new(),
            timers: Retransmission::begin(terms, is_solicit, now, chance),
        }
    }

    /// The message as it is sent now.
    pub(super) fn message(&self, signature: &Signature<'_>, now: Instant) -> Vec<u8> {
        write(self, signature, self.timers.elapsed_hundredths(now))
    }

    pub(super) fn due(&mut self, now: Instant, chance: &mut Chance) -> Due {
        self.timers.due(now, chance)
    }

    pub(super) fn deadline(&self) -> Instant {
        self.timers.deadline()
    }

    /// Hears an offer: it is taken at once if it is the best that there can be, or if enough time has been
    /// given to others (§18.2.1).
    pub(super) fn hear_offer(&mut self, offer: Answer) -> Option<Answer> {
        if offer.preference == PREFERRED_BY_ALL || !self.timers.is_first() {
            return Some(offer);
        }
        self.offers.push(offer);
        None
    }

    /// The best offer so far: first by the server's preference, then by how much it gives (§18.2.9).
    pub(super) fn best_offer(&mut self) -> Option<Answer> {
        // Of equal ones the first: the maximum is the last, so from behind.
        let offers = std::mem::take(&mut self.offers);
        offers.into_iter().rev().max_by_key(|offer| (offer.preference, offer.gives()))
    }
}
