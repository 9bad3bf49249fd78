//! BIRD beside our relay tells others of its routes: whoever is far away learns which prefixes are delegated.

use super::kernel;
use super::servers::Kind;
use super::stage::{Stage, play};
use crate::bell::Bell;
use crate::client::DHCLIENT;
use crate::host::Host;
use crate::process::Process;
use crate::scenario::Report;
use std::time::Duration;

/// For two routing daemons to get acquainted, and to tell of a change.
const PATIENCE: Duration = Duration::from_secs(30);

/// Learns whatever bears the relay's number.
const NEAR: &str = "log stderr all;
router id 192.0.2.1;
protocol device { scan time 1; }
protocol kernel { learn; scan time 1; ipv6 { import where krt_source = 220; export none; }; }
protocol bgp far {
  local 2001:db8:fa::2 as 65001; neighbor 2001:db8:fa::1 as 65002;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv6 { import none; export all; next hop self; };
}
";
const FAR: &str = "log stderr all;
router id 192.0.2.2;
protocol device { scan time 1; }
protocol kernel { scan time 1; ipv6 { import none; export all; }; }
protocol bgp relay {
  local 2001:db8:fa::1 as 65002; neighbor 2001:db8:fa::2 as 65001;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv6 { import all; export none; };
}
";

/// A prefix is told of when it is delegated, and withdrawn when it is given back.
pub(crate) fn redistribute() -> Result<Report, String> {
    play(1, &[Kind::Leasehold], "", |stage| {
        let Stage { site, bell, .. } = &*stage;
        site.far.ip("-6 route delete default");
        let _daemons = [bird(&site.relay, NEAR, bell), bird(&site.far, FAR, bell)];
        stage.start_relay();
        let prefix = stage.bind(0, &DHCLIENT);
        // PDR-18
        wait(stage, "it to be known far away", |known| known.contains(&prefix));
        stage.wait_for_answer(&prefix);
        // PDR-19
        stage.release(0);
        wait(stage, "it to be withdrawn", |known| !known.contains(&prefix));
        assert!(!kernel::routes(&stage.site.relay).contains_key(&prefix));
    })
}

fn bird(host: &Host, configuration: &str, bell: &Bell) -> Process {
    host.write("run/bird.conf", configuration);
    let mut command = host.command("bird");
    command.args(["-f", "-c", "/run/bird.conf", "-s", "/run/bird.ctl", "-P", "/run/bird.pid"]);
    Process::start("bird", &mut command, bell)
}

/// Waits until what has been learnt far away is right.
fn wait(stage: &Stage, what: &str, is_right: impl Fn(&str) -> bool) {
    stage
        .bell
        .wait(PATIENCE, what, || is_right(&stage.site.far.ip("-6 route show proto bird")).then_some(()));
}
