//! Steps about what a server holds, in its table or in its store, and what it has counted.
//!
//! A client is shown as the options that stand for it: an IA for each binding with its active leases in it, at
//! their remaining lifetimes, and the path of relays by which it was heard last.

use lease::{ClientKey, ClientView, Lease, LeaseState, LinkId, Resource};
use server::Discard;
use server::exchange::Announced;
use wire::{OptionCode, Writer};

use super::cast::Cast;
use super::expect;
use super::fault::Fault;
use super::lines::Line;
use super::message::{self, Contents, Context, Message, Purpose};
use super::octets;
use super::stage::{Act, Mishap, Stage};
use super::told::{tell, tell_contents};
use super::words::Words;
use crate::nodes::NodeId;

/// A client as it is held.
#[derive(Debug)]
struct Shown {
    duid: Vec<u8>,
    link: u32,
    heard_secs: u64,
    options: Vec<u8>,
    past: Vec<(LeaseState, Resource)>,
    path: Option<Vec<u8>>,
}

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Table,
    Store,
}

/// What is to be there.
struct Holds {
    line: usize,
    server: usize,
    place: Place,
    duid: Option<Vec<u8>>,
    link: Option<u32>,
    heard: Option<(u64, u64)>,
    expected: Option<Contents>,
    past: Vec<(usize, LeaseState, Resource)>,
    path: Option<Message>,
}

/// `S1 holds C1 on link 1`, or `nothing`; `stores` looks into its store.
pub(super) fn holds(
    server: usize,
    line: &Line,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<Option<Box<dyn Act>>, Fault> {
    let place = if w.take("holds") {
        Place::Table
    } else if w.take("stores") {
        Place::Store
    } else {
        return Ok(None);
    };
    let mut holds = Holds {
        line: line.number,
        server,
        place,
        duid: None,
        link: None,
        heard: None,
        expected: None,
        past: Vec::new(),
        path: None,
    };
    if w.take("nothing") {
        if w.take("of") {
            holds.duid = Some(super::site::duid(w, cast)?.octets().to_vec());
        }
        return Ok(Some(Box::new(holds)));
    }
    holds.duid = Some(super::site::duid(w, cast)?.octets().to_vec());
    if w.take("on link") {
        holds.link = Some(w.number()?);
    }
    if w.take("heard") {
        let least: u64 = w.number()?;
        let most = if w.take("to") { w.number()? } else { least };
        w.expect("s ago")?;
        holds.heard = Some((least, most));
    }
    let context = Context { cast, purpose: Purpose::Expected };
    let mut options = Vec::new();
    for line in &line.inside {
        let mut words = Words::new(line.number, &line.text);
        if let Some(state) = state(&mut words) {
            let word = words.next("an address or a prefix")?;
            let address = word.parse().ok().map(Resource::Address);
            let resource = address.or_else(|| word.parse().ok().map(Resource::Prefix));
            let wrong = || Fault::new(line.number, format!("{word} is neither"), "an address or a prefix");
            holds.past.push((line.number, state, resource.ok_or_else(wrong)?));
            words.end()?;
        } else if line.text.starts_with("RELAY-FORW") {
            holds.path = Some(message::message(line, context)?);
        } else {
            options.push(line.clone());
        }
    }
    holds.expected = Some(message::contents(&options, context)?);
    Ok(Some(Box::new(holds)))
}

fn state(w: &mut Words<'_>) -> Option<LeaseState> {
    let states = [
        ("released", LeaseState::Released),
        ("expired", LeaseState::Expired),
        ("declined", LeaseState::Declined),
    ];
    states.into_iter().find(|(word, _)| w.take(word)).map(|(_, state)| state)
}

impl Act for Holds {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let all = self.look(stage);
        let wanted = |shown: &&Shown| {
            self.duid.as_ref().is_none_or(|duid| *duid == shown.duid)
                && self.link.is_none_or(|link| link == shown.link)
        };
        let mut found = all.iter().filter(wanted);
        let Some(expected) = &self.expected else {
            return match found.next() {
                None => Ok(()),
                Some(shown) => {
                    let held = self.tell(shown, stage);
                    Err(Mishap::new(self.line, "something is held").show("held", held))
                }
            };
        };
        let Some(shown) = found.next() else {
            return Err(Mishap::new(self.line, "the client is not held"));
        };
        let told = self.tell(shown, stage);
        self.compare(expected, shown, stage).map_err(|mishap| mishap.show("held", told))
    }
}

impl Holds {
    fn compare(&self, expected: &Contents, shown: &Shown, stage: &mut Stage) -> Result<(), Mishap> {
        let off = |(least, most): &(u64, u64)| !(*least..=*most).contains(&shown.heard_secs);
        if self.heard.as_ref().is_some_and(off) {
            return Err(Mishap::new(self.line, format!("it was heard {} s ago", shown.heard_secs)));
        }
        let Stage { cast, bindings, .. } = stage;
        let held = octets::decode_options(&shown.options, None).unwrap_or_default();
        let mismatch = |mismatch: expect::Mismatch| Mishap::new(mismatch.line, mismatch.what);
        expect::contents_fit(expected, &held, cast, bindings).map_err(mismatch)?;
        for (line, state, resource) in &self.past {
            if !shown.past.contains(&(*state, *resource)) {
                return Err(Mishap::new(*line, format!("{resource} is not remembered as {state:?}")));
            }
        }
        match (&self.path, &shown.path) {
            (None, _) => Ok(()),
            (Some(path), None) => Err(Mishap::new(path.line, "it was heard directly")),
            (Some(path), Some(came)) => {
                expect::fits(path, &octets::decode(came), cast, bindings).map_err(mismatch)
            }
        }
    }

    fn look(&self, stage: &Stage) -> Vec<Shown> {
        let server = &stage.universe.nodes.servers[self.server];
        let now = server.now(stage.universe.now()).unix_secs;
        match self.place {
            Place::Table => server.clients().map(|client| shown(&client, now)).collect(),
            Place::Store => {
                let mut all = Vec::new();
                server.durable(|client| all.push(shown(&client, now)));
                all
            }
        }
    }

    fn tell(&self, shown: &Shown, stage: &Stage) -> String {
        let Shown { duid, link, heard_secs, options, past, path } = shown;
        let name = stage.cast.called(duid).unwrap_or("somebody");
        let held = octets::decode_options(options, None).unwrap_or_default();
        let mut told = vec![format!("{name} on link {link} heard {heard_secs} s ago")];
        told.push(tell_contents(&held, &stage.cast));
        told.extend(past.iter().map(|(state, resource)| format!("{state:?} {resource}")));
        told.extend(path.as_ref().map(|path| tell(&octets::decode(path), &stage.cast)));
        told.join("\n")
    }
}

fn shown(client: &ClientView<'_>, now: u64) -> Shown {
    let mut options = Vec::new();
    let mut writer = Writer::new(&mut options);
    let full = client.to_client();
    let mut past = Vec::new();
    for binding in &full.bindings {
        let (active, over): (Vec<Lease>, Vec<Lease>) =
            binding.leases.iter().partition(|lease| lease.state == LeaseState::Active);
        past.extend(over.iter().map(|lease| (lease.state, lease.resource)));
        if active.is_empty() {
            continue;
        }
        writer.ia(binding.kind, binding.iaid, 0, 0, |w| {
            for lease in active {
                let (preferred, valid) =
                    (lease.preferred_remaining_secs(now), lease.valid_remaining_secs(now));
                match lease.resource {
                    Resource::Address(address) => w.ia_address(address, preferred, valid),
                    Resource::Prefix(prefix) => w.ia_prefix(prefix, preferred, valid, |w| {
                        if let Some(data) =
                            lease.excluded.and_then(|excluded| wire::PrefixExclude::data(excluded, prefix))
                        {
                            w.raw_option(OptionCode::PD_EXCLUDE, &data);
                        }
                    }),
                }
            }
        });
    }
    full.options.iter().for_each(|(code, data)| writer.raw_option(*code, data));
    writer.finish().expect("it is a client of few leases");
    Shown {
        duid: client.duid.octets().to_vec(),
        link: client.link.0,
        heard_secs: now.saturating_sub(client.heard_unix_secs),
        options,
        past,
        path: client.path().map(<[u8]>::to_vec),
    }
}

/// How often a server has dropped something for a reason.
struct Drops {
    line: usize,
    server: usize,
    reason: Discard,
    count: u64,
}

/// `S1 has dropped 1 as no-client-id`.
pub(super) fn drops(line: usize, server: usize, w: &mut Words<'_>) -> Result<Option<Box<dyn Act>>, Fault> {
    if !w.take("has dropped") {
        return Ok(None);
    }
    let count = w.number()?;
    w.expect("as")?;
    let name = w.next("a reason")?;
    let names = Discard::ALL.iter().map(|reason| reason.name());
    let reason = Discard::ALL.iter().find(|reason| reason.name() == name);
    let reason = *reason.ok_or_else(|| Fault::unknown(line, name, names))?;
    Ok(Some(Box::new(Drops { line, server, reason, count })))
}

impl Act for Drops {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        stage.pass(super::stage::PATIENCE);
        let server = &stage.universe.nodes.servers[self.server];
        let counted = server.counters().map(|counters| counters.discarded(self.reason));
        if counted == Some(self.count) {
            return Ok(());
        }
        let others = Discard::ALL.iter().filter_map(|reason| {
            let count = server.counters()?.discarded(*reason);
            (count > 0).then(|| format!("{count} as {reason}"))
        });
        let others = others.collect::<Vec<_>>().join(", ");
        Err(Mishap::new(self.line, "the server has counted otherwise").show("dropped", others))
    }
}

/// An operator has a client told to send something.
struct Tells {
    line: usize,
    server: usize,
    key: ClientKey,
    announced: Announced,
    /// Why it cannot be.
    not: Option<String>,
}

/// `S1 tells C1 on link 1 to RENEW`, or `S1 cannot tell …`, and why.
pub(super) fn tells(
    line: usize,
    server: usize,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<Option<Box<dyn Act>>, Fault> {
    let cannot = w.take("cannot tell");
    if !cannot && !w.take("tells") {
        return Ok(None);
    }
    let duid = super::site::duid(w, cast)?;
    w.expect("on link")?;
    let key = ClientKey { link: LinkId(w.number()?), duid };
    w.expect("to")?;
    let announced = match w.next("RENEW, REBIND or INFORMATION-REQUEST")? {
        "RENEW" => Announced::Renew,
        "REBIND" => Announced::Rebind,
        "INFORMATION-REQUEST" => Announced::InformationRequest,
        other => return Err(Fault::unknown(line, other, ["RENEW", "REBIND", "INFORMATION-REQUEST"])),
    };
    let not = if cannot { Some(w.next("why not, in quotes")?.trim_matches('"').to_owned()) } else { None };
    Ok(Some(Box::new(Tells { line, server, key, announced, not })))
}

impl Act for Tells {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let Self { line, server, key, announced, not } = self;
        let mut outcome = None;
        stage.universe.with(NodeId::Server(*server), |nodes, now, out| {
            let told = nodes.servers[*server].reconfigure(key.clone(), *announced, now, out);
            outcome = told.err().map(|why| why.to_string());
        });
        stage.keep_trace();
        if outcome == *not {
            return Ok(());
        }
        let told = outcome.unwrap_or_else(|| "it can be told".to_owned());
        Err(Mishap::new(*line, "it has come otherwise").show("came", told))
    }
}
