//! After quiet, what a relay has written down is what it holds: nothing less, which would have no route after the next
//! start until a server tells of it, and nothing more, which would come back then.

use std::collections::BTreeSet;

use relay::image;

use super::Property;
use crate::nodes::Relay;
use crate::universe::Universe;

/// Opens the notebooks when all should have come right.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    exercised: u64,
}

impl Property for Remembered {
    fn name(&self) -> &'static str {
        "remembered"
    }

    fn end(&mut self, universe: &Universe) -> Result<(), String> {
        for (number, relay) in universe.nodes.relays.iter().enumerate() {
            if relay.setup.agent.remembers {
                self.compare(relay).map_err(|what| format!("relay {number} {what}"))?;
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Remembered {
    fn compare(&mut self, relay: &Relay) -> Result<(), String> {
        let agent = relay.agent().ok_or("does not run")?;
        let mut written: BTreeSet<Vec<u8>> = relay.notebook.records().into_keys().collect();
        let held = agent.delegations().all(None).map(|held| held.prefix);
        for prefix in held {
            self.exercised += 1;
            let key = image::key(prefix);
            if !written.remove(&key[..]) {
                return Err(format!("has not written down that it holds {prefix}"));
            }
        }
        match written.first() {
            None => Ok(()),
            Some(key) => Err(format!("still has written down what it does not hold: {key:02x?}")),
        }
    }
}
