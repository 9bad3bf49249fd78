//! A server is away while the relay recovers: its silence takes nothing away.

use super::kernel;
use super::servers::Kind;
use super::stage::{SOON, Stage, play};
use crate::client::DHCLIENT;
use crate::scenario::Report;

const TWO_SERVERS: [Kind; 2] = [Kind::Leasehold, Kind::Leasehold];

/// What the other one knows is back at once, and the rest when it returns.
pub(crate) fn one_of_two() -> Result<Report, String> {
    play(2, &TWO_SERVERS, "", |stage| {
        let [first, second] = bind_one_each(stage);
        let all = stage.routes();
        stage.strike();
        stage.ours.forget();
        stage.servers[1].stop();
        let begun = stage.start_relay();
        let mut known = all.clone();
        known.remove(&second);
        stage.wait_for_routes(begun, &known);
        stage.wait_for_answer(&first);
        stage.expect_silence(&second);

        let site = &stage.site;
        stage.servers[1].start(site);
        stage.wait_for_route(&second, 1);
        stage.wait_for_answer(&second);
        assert_eq!(stage.routes(), all);
    })
}

/// A prefix is taken back while the relay is down: its route stays until every server has told everything.
pub(crate) fn released_meanwhile() -> Result<Report, String> {
    play(2, &TWO_SERVERS, "", |stage| {
        let [first, second] = bind_one_each(stage);
        stage.ours.kill();
        stage.ours.forget();
        stage.servers[0].release(&stage.site, &first);
        stage.servers[1].stop();
        let all = stage.routes();
        assert!(all.contains_key(&first) && all.contains_key(&second), "routes survive the relay");

        stage.start_relay();
        wait_for_completeness(stage, 0);
        assert_eq!(stage.routes(), all, "nothing goes before every server has told everything");
        stage.wait_for_answer(&second);

        let site = &stage.site;
        stage.servers[1].start(site);
        stage.wait_for_no_route(&first);
        stage.expect_silence(&first);
        stage.wait_for_answer(&second);
        assert_eq!(kernel::routes(&stage.site.relay).len(), 1);
    })
}

/// A client of each server: what it has from it. While one binds, the other server is away.
fn bind_one_each(stage: &mut Stage) -> [String; 2] {
    stage.start_relay();
    let prefixes = [(0, 1), (1, 0)].map(|(number, other)| {
        stage.servers[other].stop();
        let prefix = stage.bind(number, &DHCLIENT);
        assert!(stage.servers[number].delegates(&prefix), "{prefix} is not of server {number}");
        let site = &stage.site;
        stage.servers[other].start(site);
        prefix
    });
    (0..2).for_each(|client| stage.silence(client));
    prefixes
}

/// Waits until a server has told everything that it knows.
fn wait_for_completeness(stage: &Stage, server: usize) {
    stage.bell.wait(SOON, "a server to have told everything", || {
        let servers = stage.ours.show(&stage.site, "servers");
        (servers["servers"][server]["state"] == "done").then_some(())
    });
}
