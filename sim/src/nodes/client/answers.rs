//! What a client makes of an answer (RFC 9915 §18.2.9, §18.2.10).

use std::time::Duration;

use wire::{MessageType, StatusCode};
use world::Instant;

use super::Client;
use super::reading::Answer;
use crate::plan::between;
use crate::reading::Association;
use crate::universe::Outbox;

/// How long it waits before it begins anew after it was told that there is nothing.
const PAUSE_MILLIS: (u64, u64) = (1_000, 5_000);
/// The least and the usual time until everything is asked anew that is no lease (§7.6).
const REFRESH_SECS: (u32, u32) = (600, 86_400);

impl Client {
    /// Hears an answer to its message.
    pub(super) fn hear(&mut self, answer: Answer, now: Instant, out: &mut Outbox) {
        use MessageType as M;
        let Some(exchange) = &mut self.exchange else { return };
        if exchange.server.as_ref().is_some_and(|asked| *asked != answer.server) {
            return;
        }
        match (exchange.message_type, answer.message_type) {
            // DH-K-05: one that gives nothing is no offer.
            (M::Solicit, M::Advertise) if answer.gives() > 0 => {
                if let Some(offer) = exchange.hear_offer(answer) {
                    self.accept(offer, now, out);
                }
            }
            (M::Solicit, M::Reply) if answer.rapid_commit && self.plan.rapid_commit => {
                self.take(answer, now, out)
            }
            (M::Request | M::Renew | M::Rebind, M::Reply) => self.take(answer, now, out),
            (M::Confirm, M::Reply) => {
                if answer.status == StatusCode::NOT_ON_LINK {
                    self.held.take();
                }
                self.conclude(now);
            }
            (M::Release | M::Decline, M::Reply) => self.conclude(now),
            (M::InformationRequest, M::Reply) => self.informed(&answer, now),
            _ => {}
        }
    }

    /// Asks for what was offered.
    pub(super) fn accept(&mut self, offer: Answer, now: Instant, out: &mut Outbox) {
        let offered = |_: &Self, kind, iaid| {
            let of_it = |told: &&Association| told.kind == kind && told.iaid == iaid;
            let told = offer.associations.iter().filter(of_it).flat_map(|told| &told.leases);
            told.filter(|told| told.valid_secs > 0).map(|told| told.resource).collect()
        };
        self.request(offer.server.clone(), offered, now, out);
    }

    /// Takes leases from a Reply, or what there is instead of them.
    fn take(&mut self, answer: Answer, now: Instant, out: &mut Outbox) {
        match answer.status {
            StatusCode::SUCCESS => {}
            StatusCode::NOT_ON_LINK => {
                self.held.take();
                return self.begin_anew(now);
            }
            // What else a server may say as a whole is a reason to ask again, later.
            _ => return,
        }
        let asked_in = self.exchange.take().map(|exchange| exchange.message_type);
        self.held.hear(&answer, now);
        self.leave_what_is_not_on_link(&answer);
        let extends = matches!(asked_in, Some(MessageType::Renew | MessageType::Rebind));
        if extends && answer.says(StatusCode::NO_BINDING) {
            let held = |client: &Self, kind, iaid| client.held.of(kind, iaid).collect();
            self.request(answer.server, held, now, out);
        } else if self.held.is_empty() {
            self.begin_anew(now);
        }
    }

    fn leave_what_is_not_on_link(&mut self, answer: &Answer) {
        let elsewhere = |told: &&Association| told.status == StatusCode::NOT_ON_LINK;
        for association in answer.associations.iter().filter(elsewhere) {
            let its: Vec<_> = self.held.of(association.kind, association.iaid).collect();
            its.into_iter().for_each(|resource| self.held.remove(resource));
        }
    }

    fn begin_anew(&mut self, now: Instant) {
        self.exchange = None;
        let pause = between(&mut self.chance, PAUSE_MILLIS.0, PAUSE_MILLIS.1);
        self.solicit_at = now + Duration::from_millis(pause);
    }

    fn informed(&mut self, answer: &Answer, now: Instant) {
        let secs = answer.refresh_secs.unwrap_or(REFRESH_SECS.1).max(REFRESH_SECS.0);
        self.inform_at = now + Duration::from_secs(secs.into());
        self.conclude(now);
    }
}
