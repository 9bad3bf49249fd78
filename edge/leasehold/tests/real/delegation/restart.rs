//! The relay ends without a word and its routes are gone: everything is back within seconds of its start.

use super::servers::Kind;
use super::stage::{SOON, Stage, play};
use crate::client::DHCLIENT;
use crate::scenario::Report;

/// From what the server knows.
pub(crate) fn from_servers() -> Result<Report, String> {
    play(1, &[Kind::Leasehold], "", |stage| {
        stage.start_relay();
        let prefix = stage.bind(0, &DHCLIENT);
        stage.silence(0);
        // PDR-24
        is_back(stage, &prefix, |stage| stage.ours.forget());
    })
}

/// From what the relay itself remembers, of a server that cannot be asked, and is not there.
pub(crate) fn from_memory(server: Kind) -> Result<Report, String> {
    play(1, &[server], "", |stage| {
        stage.start_relay();
        let prefix = stage.bind(0, &DHCLIENT);
        stage.silence(0);
        let is_remembered = || stage.ours.remembers(&prefix).then_some(());
        stage.bell.wait(SOON, "the delegation to be written down", is_remembered);
        // PDR-24
        is_back(stage, &prefix, |stage| stage.servers[0].stop());
    })
}

/// On another machine, whose interfaces have other numbers.
pub(crate) fn elsewhere() -> Result<Report, String> {
    play(2, &[Kind::Leasehold], "", |stage| {
        stage.start_relay();
        let prefixes = [stage.bind(0, &DHCLIENT), stage.bind(1, &DHCLIENT)];
        (0..2).for_each(|client| stage.silence(client));
        let before = stage.routes();
        let numbers = |stage: &Stage| [0, 1].map(|client| stage.site.interface_number(client));
        let old_numbers = numbers(stage);
        stage.ours.kill();
        stage.ours.forget();
        stage.replace_relay();
        assert!(old_numbers.iter().zip(numbers(stage)).all(|(old, new)| *old != new));
        // PDR-33
        let begun = stage.start_relay();
        stage.wait_for_routes(begun, &before);
        prefixes.iter().for_each(|prefix| stage.wait_for_answer(prefix));
    })
}

/// Strikes the relay, has something happen beside that, and sees everything come back.
fn is_back(stage: &mut Stage, prefix: &str, meanwhile: impl FnOnce(&mut Stage)) {
    let before = stage.routes();
    stage.wait_for_answer(prefix);
    stage.strike();
    meanwhile(stage);
    stage.expect_silence(prefix);
    let begun = stage.start_relay();
    stage.wait_for_routes(begun, &before);
    stage.wait_for_answer(prefix);
}
