//! Steps about what a relay knows: whose prefix is where, and which routes follow.

use std::net::Ipv6Addr;
use std::time::Duration;

use relay::Target;
use requestor::Lifetime;
use wire::Prefix;

use super::cast::Cast;
use super::datagrams::somewhere;
use super::fault::Fault;
use super::site;
use super::stage::{Act, Mishap, Stage};
use super::value::{Kind, Slot, Value};
use super::words::Words;
use crate::nodes::relay::{Place, Standing};

/// How long it takes at most until a relay has acted on what is on its way, and its kernel as well.
pub(super) const SETTLES_WITHIN: Duration = Duration::from_millis(100);

/// What is to be so.
enum What {
    /// A delegation is known.
    Knows {
        prefix: Slot,
        client: Option<Vec<u8>>,
        via: Option<Ipv6Addr>,
        port: Option<String>,
        valid: Option<Slot>,
    },
    /// None is.
    KnowsNothing(Option<Slot>),
    /// There is a route, or should be.
    Routes { prefix: Slot, via: Option<Ipv6Addr>, port: Option<String> },
    /// There is none.
    DoesNotRoute(Slot),
}

struct OfRelay {
    line: usize,
    relay: usize,
    what: What,
}

/// Steps whose verb is about a relay; none if it is not.
pub(super) fn of_relay(
    line: usize,
    relay: usize,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<Option<Box<dyn Act>>, Fault> {
    let what = if w.take("knows nothing") {
        let of = if w.take("of") { Some(Kind::Prefix.read(w, cast)?) } else { None };
        What::KnowsNothing(of)
    } else if w.take("knows") {
        knows(w, cast)?
    } else if w.take("does not route") {
        What::DoesNotRoute(Kind::Prefix.read(w, cast)?)
    } else if w.take("routes") {
        let prefix = Kind::Prefix.read(w, cast)?;
        let via = if w.take("via") { Some(somewhere(w, cast)?) } else { None };
        let port = if w.take("on") { Some(w.next("the name of a port")?.to_owned()) } else { None };
        What::Routes { prefix, via, port }
    } else {
        return Ok(None);
    };
    Ok(Some(Box::new(OfRelay { line, relay, what })))
}

fn knows(w: &mut Words<'_>, cast: &Cast) -> Result<What, Fault> {
    let prefix = Kind::Prefix.read(w, cast)?;
    let (mut client, mut via, mut port, mut valid) = (None, None, None, None);
    while !w.is_empty() {
        match w.next("of, via, on or valid")? {
            "of" => client = Some(site::duid(w, cast)?.octets().to_vec()),
            "via" => via = Some(somewhere(w, cast)?),
            "on" => port = Some(w.next("the name of a port")?.to_owned()),
            "valid" => valid = Some(Kind::Secs.read(w, cast)?),
            other => return Err(Fault::unknown(w.line, other, ["of", "via", "on", "valid"])),
        }
    }
    Ok(What::Knows { prefix, client, via, port, valid })
}

/// The prefix that is meant.
pub(super) fn prefix(slot: &Slot, line: usize, stage: &Stage) -> Result<Prefix, Mishap> {
    let wrong = || Mishap::new(line, "a prefix that has been seen is needed here");
    match slot.value(&stage.bindings) {
        Some(Value::Prefix(address, length)) => Prefix::new(*address, *length).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

impl Act for OfRelay {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        stage.pass(SETTLES_WITHIN);
        let outcome = match &self.what {
            What::Knows { .. } => self.see_known(stage),
            What::KnowsNothing(None) => {
                let is_empty = self.agent(stage)?.delegations().is_empty();
                if is_empty { Ok(()) } else { Err("it knows of something".to_owned()) }
            }
            What::KnowsNothing(Some(prefix)) => {
                let prefix = self.prefix(prefix, stage)?;
                match self.agent(stage)?.delegations().get(prefix) {
                    None => Ok(()),
                    Some(_) => Err(format!("it knows of {prefix}")),
                }
            }
            What::Routes { prefix, via, port } => {
                let prefix = self.prefix(prefix, stage)?;
                self.see_route(prefix, *via, port.as_deref(), stage)
            }
            What::DoesNotRoute(prefix) => {
                let prefix = self.prefix(prefix, stage)?;
                match self.installed(prefix, stage) {
                    None => Ok(()),
                    Some(target) => Err(format!("{prefix} has a route: {target:?}")),
                }
            }
        };
        outcome.map_err(|what| Mishap::new(self.line, what).show("known", self.known(stage)))
    }
}

impl OfRelay {
    fn agent<'a>(&self, stage: &'a Stage) -> Result<&'a relay::Agent, Mishap> {
        let agent = stage.universe.nodes.relays[self.relay].agent();
        agent.ok_or_else(|| Mishap::new(self.line, "the relay does not run"))
    }

    fn prefix(&self, slot: &Slot, stage: &Stage) -> Result<Prefix, Mishap> {
        prefix(slot, self.line, stage)
    }

    /// By which way the kernel routes a prefix for us.
    fn installed(&self, prefix: Prefix, stage: &Stage) -> Option<Target> {
        match stage.universe.nodes.relays[self.relay].kernel.at(Place::ours(prefix))? {
            Standing::Ours(target) => Some(target),
            Standing::Stranger { .. } => None,
        }
    }

    fn see_known(&self, stage: &mut Stage) -> Result<(), String> {
        let What::Knows { prefix, client, via, port, valid } = &self.what else { return Ok(()) };
        let prefix = self.prefix(prefix, stage).map_err(|mishap| mishap.what)?;
        let relay = &stage.universe.nodes.relays[self.relay];
        let now = relay.clock.now(stage.universe.now()).instant;
        let agent = relay.agent().ok_or("the relay does not run")?;
        let held = agent.delegations().get(prefix).ok_or_else(|| format!("it does not know of {prefix}"))?;
        if client.as_ref().is_some_and(|client| held.client.octets() != *client) {
            return Err(format!("it is {}'s", held.client));
        }
        if via.is_some_and(|via| held.next_hop != via) {
            return Err(format!("it is reached via {}", held.next_hop));
        }
        let on = String::from_utf8_lossy(agent.ports().interface_id(held.port)).into_owned();
        if port.as_ref().is_some_and(|port| *port != on) {
            return Err(format!("it is on {on}"));
        }
        let left = match held.valid {
            Lifetime::Until(_) | Lifetime::Forever => held.valid.left_secs(now),
        };
        let is_off = |valid: &Slot| !valid.admits(&Value::Number(left.into()), &mut stage.bindings);
        if valid.as_ref().is_some_and(is_off) {
            return Err(format!("it is valid for {left} s"));
        }
        Ok(())
    }

    fn see_route(
        &self,
        prefix: Prefix,
        via: Option<Ipv6Addr>,
        port: Option<&str>,
        stage: &Stage,
    ) -> Result<(), String> {
        let relay = &stage.universe.nodes.relays[self.relay];
        let target = self.installed(prefix, stage).ok_or_else(|| format!("{prefix} has no route"))?;
        let Target::Via { next_hop, interface_index } = target else {
            return if via.is_none() { Ok(()) } else { Err(format!("{prefix} leads nowhere")) };
        };
        if via.is_some_and(|via| via != next_hop) {
            return Err(format!("its route leads via {next_hop}"));
        }
        let ports = relay.agent().map(relay::Agent::ports);
        let named = ports.and_then(|ports| ports.present(ports.with_index(interface_index)?));
        let name = named.map(|port| port.name.as_str());
        if port.is_some() && port != name {
            return Err(format!("its route leads out by {}", name.unwrap_or("no port")));
        }
        Ok(())
    }

    fn known(&self, stage: &Stage) -> String {
        let Ok(agent) = self.agent(stage) else { return "nothing".to_owned() };
        let all = agent.delegations().all(None).map(|held| {
            let port = String::from_utf8_lossy(agent.ports().interface_id(held.port)).into_owned();
            format!("{} of {} via {} on {port}", held.prefix, held.client, held.next_hop)
        });
        all.collect::<Vec<_>>().join("\n")
    }
}
