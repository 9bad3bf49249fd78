//! The exchanges under way, found by the transaction id of an answer.
//!
//! An exchange has a number within its step, its place is that number modulo the room there is, and its two transaction ids are
//! that number too, scrambled: 23 bits of it and one for the message. A place is used again when its exchange is long lost.

use wire::TransactionId;

/// A transaction id has so many bits.
const ID_MASK: u32 = (1 << 24) - 1;
/// Spreads numbers that follow each other over all ids; odd, so that nothing is lost.
const MULTIPLIER: u32 = 0x9e_3779;
/// Exchanges of a step at most: more cannot be told apart.
pub(super) const MAX_EXCHANGES: u64 = 1 << 23;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    Advertise,
    Reply,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    number: u32,
    awaited: Option<Awaited>,
}

/// All of one sender.
pub(super) struct Flights {
    places: Vec<Flight>,
    key: u32,
}

impl Flights {
    /// With room for so many at once; `key` makes the ids unlike those of other steps.
    pub(super) fn new(at_once: usize, key: u32) -> Self {
        let empty = Flight { number: 0, awaited: None };
        Self { places: vec![empty; at_once.next_power_of_two()], key }
    }

    /// Begins an exchange: the id of its Solicit.
    pub(super) fn begin(&mut self, number: u32) -> TransactionId {
        *self.place(number) = Flight { number, awaited: Some(Awaited::Advertise) };
        self.id(number, Awaited::Advertise)
    }

    /// The Advertise has come: the id of the Request.
    pub(super) fn go_on(&mut self, number: u32) -> TransactionId {
        self.place(number).awaited = Some(Awaited::Reply);
        self.id(number, Awaited::Reply)
    }

    /// The Reply has come.
    pub(super) fn end(&mut self, number: u32) {
        self.place(number).awaited = None;
    }

    /// Which exchange waits for an answer with this id.
    pub(super) fn find(&mut self, id: TransactionId) -> Option<(u32, Awaited)> {
        let [a, b, c] = id.octets();
        let scrambled = u32::from_be_bytes([0, a, b, c]);
        let plain = scrambled.wrapping_sub(self.key).wrapping_mul(inverse(MULTIPLIER)) & ID_MASK;
        let awaited = if plain & 1 == 0 { Awaited::Advertise } else { Awaited::Reply };
        let number = plain >> 1;
        let flight = *self.place(number);
        (flight.number == number && flight.awaited == Some(awaited)).then_some((number, awaited))
    }

    fn id(&self, number: u32, awaited: Awaited) -> TransactionId {
        let plain = number << 1 | u32::from(awaited == Awaited::Reply);
        TransactionId::from_number(plain.wrapping_mul(MULTIPLIER).wrapping_add(self.key))
    }

    fn place(&mut self, number: u32) -> &mut Flight {
        let mask = self.places.len() - 1;
        &mut self.places[number as usize & mask]
    }
}

/// What undoes a multiplication by an odd number; each turn doubles the bits that are right, of which three are at first.
const fn inverse(odd: u32) -> u32 {
    let mut inverse = odd;
    let mut turn = 0;
    while turn < 4 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse)));
        turn += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_answer_finds_its_exchange_and_no_other() {
        let mut flights = Flights::new(1000, 0x1234_5678);
        // DH-K-04
        let mut ids = BTreeSet::new();
        for number in 0..1000 {
            let solicit = flights.begin(number);
            assert_eq!(flights.find(solicit), Some((number, Awaited::Advertise)));
            let request = flights.go_on(number);
            assert_eq!(flights.find(request), Some((number, Awaited::Reply)));
            assert_eq!(flights.find(solicit), None);
            flights.end(number);
            assert_eq!(flights.find(request), None);
            assert!(ids.insert(solicit) && ids.insert(request));
        }
    }

    #[test]
    fn a_lost_exchange_gives_its_place_away() {
        let mut flights = Flights::new(4, 7);
        let lost = flights.begin(1);
        let next = flights.begin(5);
        assert_eq!(flights.find(lost), None);
        assert_eq!(flights.find(next), Some((5, Awaited::Advertise)));
    }
}
