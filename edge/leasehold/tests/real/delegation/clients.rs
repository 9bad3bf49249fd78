//! A client behind our relay: what is delegated to it leads to it, for as long as it is delegated.

use super::kernel;
use super::servers::Kind;
use super::site::AGGREGATE;
use super::stage::play;
use crate::client::Program;
use crate::scenario::Report;

/// From its first message until it gives everything back.
pub(crate) fn live(program: &Program, server: Kind) -> Result<Report, String> {
    play(1, &[server], "", |stage| {
        stage.start_relay();
        // PDR-13, PDR-15
        let prefix = stage.bind(0, program);
        stage.wait_for_answer(&prefix);
        assert_eq!(kernel::unreachable(&stage.site.relay), [AGGREGATE]);

        // Somebody takes the route away: it is put back.
        kernel::flush(&stage.site.relay);
        stage.wait_for_route(&prefix, 0);
        stage.wait_for_answer(&prefix);

        if program.releases {
            // PDR-12, PDR-14
            stage.release(0);
            stage.wait_for_no_route(&prefix);
            stage.expect_silence(&prefix);
        }
    })
}
