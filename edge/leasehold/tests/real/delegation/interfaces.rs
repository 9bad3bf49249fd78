//! Interfaces of clients come and go: the routes with them, and no client is there any more that could say anything.

use super::kernel;
use super::servers::Kind;
use super::stage::{Stage, play};
use crate::client::DHCLIENT;
use crate::scenario::Report;

/// An interface vanishes, and comes again under another number.
pub(crate) fn vanishing() -> Result<Report, String> {
    play(2, &[Kind::Leasehold], "", |stage| {
        let prefix = begin(stage);
        let number = stage.site.interface_number(0);
        stage.site.unplug_client(0);
        stage.wait_for_no_route(&prefix);
        stage.expect_silence(&prefix);
        stage.site.plug_client(0);
        assert_ne!(stage.site.interface_number(0), number);
        stage.wait_for_route(&prefix, 0);
        stage.wait_for_answer(&prefix);
    })
}

/// An interface goes down and comes up again, once at the client's end and once at the relay's.
pub(crate) fn resting() -> Result<Report, String> {
    play(1, &[Kind::Leasehold], "", |stage| {
        let prefix = begin(stage);
        let (site, client) = (&stage.site, &stage.site.clients[0]);
        // PDR-11, PDR-25
        client.ip("link set cli0 down");
        stage.expect_silence(&prefix);
        assert!(kernel::routes(&site.relay).contains_key(&prefix), "the route stays");
        client.ip("link set cli0 up");
        site.lead_client_to_relay(0);
        stage.wait_for_answer(&prefix);

        // The kernel itself takes away the routes of an interface that is put down.
        site.put_access(0, false);
        stage.wait_for_no_route(&prefix);
        site.put_access(0, true);
        stage.wait_for_route(&prefix, 0);
        site.lead_client_to_relay(0);
        stage.wait_for_answer(&prefix);
    })
}

fn begin(stage: &mut Stage) -> String {
    stage.start_relay();
    let prefix = stage.bind(0, &DHCLIENT);
    stage.silence(0);
    stage.wait_for_answer(&prefix);
    prefix
}
