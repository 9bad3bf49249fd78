//! Whatever arrives, cut wherever: the same events, and never a panic.

mod common;

use common::*;
use proptest::prelude::*;
use requestor::{DatagramQuery, Question};
use world::Chance;

/// Two questions answered side by side, the second one refused midway.
fn stream(a: wire::TransactionId, b: wire::TransactionId) -> Vec<u8> {
    let frames = [(V2, a), (V2, b), (V3, b), (V3, a), (V3, a), (V7, b), (V4, a)];
    frames.into_iter().flat_map(|(text, id)| frame(text, id)).collect()
}

fn heard(pieces: &[usize], garble: Option<(usize, u8)>) -> Vec<Seen> {
    let mut talk = Talk::begin();
    let (a, b) = (talk.ask(), talk.ask());
    let mut octets = stream(a, b);
    if let Some((at, value)) = garble {
        let at = at % octets.len();
        octets[at] = value;
    }
    let mut rest = &octets[..];
    for piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        talk.hear(now);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    talk.close();
    talk.log
}

proptest! {
    #[test]
    fn any_chopping_gives_the_same_events(pieces in prop::collection::vec(1_usize..200, 1..20)) {
        prop_assert_eq!(heard(&pieces, None), heard(&[usize::MAX], None));
    }

    #[test]
    fn one_wrong_octet_gives_the_same_events_however_chopped(
        pieces in prop::collection::vec(1_usize..200, 1..20), at in any::<usize>(), value in any::<u8>(),
    ) {
        prop_assert_eq!(heard(&pieces, Some((at, value))), heard(&[usize::MAX], Some((at, value))));
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let (mut talk, id) = Talk::asked();
        talk.hear(&octets);
        let (mut talk, _) = Talk::asked();
        talk.hear(&reply(id, |w| w.bytes(&octets)));
        let (mut talk, id) = Talk::asked();
        talk.hear(&reply(id, |w| w.raw_option(wire::OptionCode::CLIENT_DATA, &octets)));
        let (mut talk, id) = Talk::asked();
        talk.hear(&reply(id, |w| client_data(w, 1, 1, |w| {
            w.ia_address(address(1), 1, 1);
            w.raw_option(wire::OptionCode::LQ_RELAY_DATA, &octets);
        })));
        let question = Question::by_client(client(1));
        let mut query = DatagramQuery::new(question, asker(), Chance::from_seed(1), at(0)).unwrap();
        query.receive(&octets, at(0), &mut |_| ());
    }
}
