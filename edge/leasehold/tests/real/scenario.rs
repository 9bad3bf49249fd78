//! The life of a client behind relays: it gets an address and a prefix, renews them, rebinds them when the server comes back
//! after a time in which it did not answer, and gives them back.
//!
//! Whatever the client believes to hold at each step, the server has to say the same to whoever asks it. In the end, tshark
//! reads every packet.

use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::Value;
use wire::MessageType;

use crate::bell::Bell;
use crate::capture::Capture;
use crate::client::{Client, Program};
use crate::exchange::{Resources, Terms, Utterance, acknowledged, answers, asked, granted, utterances};
use crate::judge::{self, Transport};
use crate::network::{LINK, Network};
use crate::process::Process;
use crate::relay::{DIBBLER_RELAY_ID, DIBBLER_REMOTE_ID, Relay};
use crate::server::{Server, leases};

/// For a client to get through its first exchange, with the pauses that standards prescribe.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than the longest time to T2, ten seconds of a late timer included.
const RENEWAL_PATIENCE: Duration = Duration::from_secs(60);

/// What a client has gone through.
pub(crate) struct Report {
    pub(crate) packets: usize,
    pub(crate) took: Duration,
}

/// One client, and the relays before it, the nearest first. If it goes wrong, what everybody had to say.
pub(crate) fn live(program: &Program, relays: &[Relay]) -> Result<Report, String> {
    let begun = Instant::now();
    let bell = Bell::default();
    let network = Network::new(relays.len());
    let mut scene = Scene::new(program, relays, &network, &bell);
    let result = catch_unwind(AssertUnwindSafe(|| scene.play()));
    scene.capture.stop();
    match result.and_then(|()| catch_unwind(AssertUnwindSafe(|| judge_all(&scene.capture)))) {
        Ok(packets) => Ok(Report { packets, took: begun.elapsed() }),
        Err(_) => Err(scene.account()),
    }
}

/// All that takes part.
struct Scene<'a> {
    program: &'a Program,
    relays: &'a [Relay],
    network: &'a Network,
    bell: &'a Bell,
    capture: Capture,
    server: Server<'a>,
    relaying: Vec<Process>,
    client: Option<Box<dyn Client>>,
    /// The packets while the server was away.
    in_vain: Range<usize>,
}

impl<'a> Scene<'a> {
    /// Before anybody has entered.
    fn new(program: &'a Program, relays: &'a [Relay], network: &'a Network, bell: &'a Bell) -> Self {
        let capture = Capture::start(&network.server, "srv0", bell);
        let server = Server::new(network, program.pace.lifetimes, bell);
        Self {
            program,
            relays,
            network,
            bell,
            capture,
            server,
            relaying: Vec::new(),
            client: None,
            in_vain: 0..0,
        }
    }

    fn play(&mut self) {
        self.enter();
        let held = self.bind();
        self.renew(&held);
        if self.program.restarts {
            self.restart(&held);
        }
        self.rebind(&held);
        if self.program.releases {
            self.release(&held);
        }
        self.check_answers();
    }

    /// Everybody, the client last, when all others listen.
    fn enter(&mut self) {
        self.server.start();
        let hosts = self.network.relays.iter().zip(&self.network.next_hops);
        for (relay, (host, next_hop)) in self.relays.iter().zip(hosts) {
            self.relaying.push(relay.start(host, *next_hop, self.bell));
            host.wait_for_listener("down0", self.bell);
        }
        self.client = Some((self.program.start)(&self.network.client, self.bell));
    }

    /// Waits until the client holds what it was given: an address and a prefix.
    fn bind(&self) -> Resources {
        let is_rapid = self.program.commits_rapidly && self.relays.is_empty();
        let asked_for = if is_rapid { MessageType::Solicit } else { MessageType::Request };
        let held = self.bell.wait(PATIENCE, "the client to hold what it was given", || {
            let given = granted(&self.said(0), asked_for);
            (given.len() == 2 && self.held() == given).then_some(given)
        });
        self.compare(&held);
        held
    }

    /// Waits until all of it was renewed.
    fn renew(&self, held: &Resources) {
        self.wait_for("the client to renew", 0, |said| granted(said, MessageType::Renew) == *held);
        self.compare(held);
    }

    /// Has the client's host lose its power; waits until the client has found out that what it held is still its own.
    fn restart(&mut self, held: &Resources) {
        let until_here = self.capture.messages().len();
        self.client = None;
        self.network.client.reboot();
        self.client = Some((self.program.start)(&self.network.client, self.bell));
        let ways = [MessageType::Solicit, MessageType::Request, MessageType::Rebind, MessageType::Renew];
        let is_back = |said: &[Utterance]| {
            let mut sure = acknowledged(said, MessageType::Confirm);
            ways.iter().for_each(|way| sure.append(&mut granted(said, *way)));
            sure == *held
        };
        self.wait_for("the client to be back", until_here, is_back);
        self.compare(held);
    }

    /// Has the server be away for a while; waits until the client has rebound with the one that comes back.
    fn rebind(&mut self, held: &Resources) {
        self.server.stop();
        let until_here = self.capture.messages().len();
        let in_vain = self.program.pace.in_vain;
        let has_asked = |said: &[Utterance]| asked(said, in_vain) == *held;
        self.wait_for("the client to ask in vain", until_here, has_asked);
        self.server.start();
        self.in_vain = until_here..self.capture.messages().len();
        self.compare(held);
        let is_bound = |said: &[Utterance]| granted(said, MessageType::Rebind) == *held;
        self.wait_for("the client to rebind", until_here, is_bound);
        self.compare(held);
    }

    /// Has the client give everything back.
    fn release(&mut self, held: &Resources) {
        let client = self.client.as_mut().expect("the client has entered");
        client.release(&self.network.client, self.bell);
        let is_released = |said: &[Utterance]| acknowledged(said, MessageType::Release) == *held;
        self.wait_for("the server to acknowledge the release", 0, is_released);
        let left = self.network.client.addresses("cli0", "global");
        assert!(left.is_empty(), "the client still has {left:?}");
        let left = self.server.clients(&format!("client {}", self.duid()));
        assert!(left.is_empty(), "the server still has {left:?}");
    }

    /// Every message was answered once, unless there was no server, and everything was given for the time that is configured.
    fn check_answers(&self) {
        let said = self.said(0);
        let terms: BTreeSet<Terms> =
            said.iter().filter(|said| said.is_answer()).flat_map(|said| said.terms.clone()).collect();
        assert_eq!(terms, BTreeSet::from([self.program.pace.lifetimes.terms()]));
        let nobody_heard = utterances(&self.capture.messages()[self.in_vain.clone()]);
        for Utterance { message_type, transaction, .. } in &said {
            if nobody_heard.iter().all(|unheard| unheard.transaction != *transaction) {
                let (messages, answers) = answers(&said, *transaction);
                assert_eq!(messages, answers, "{message_type} {transaction}: messages and answers");
            }
        }
    }

    fn wait_for(&self, what: &str, from: usize, is_so: impl Fn(&[Utterance]) -> bool) {
        self.bell.wait(RENEWAL_PATIENCE, what, || is_so(&self.said(from)).then_some(()));
    }

    /// What was said to and by the server, from this packet on.
    fn said(&self, from: usize) -> Vec<Utterance> {
        utterances(&self.capture.messages()[from..])
    }

    /// What the client believes to hold.
    fn held(&self) -> Resources {
        let addresses = self.network.client.addresses("cli0", "global");
        let mut held: Resources = addresses.iter().map(ToString::to_string).collect();
        let client = self.client.as_ref().expect("the client has entered");
        held.append(&mut client.prefixes(&self.network.client));
        held
    }

    fn duid(&self) -> String {
        let said = self.said(0);
        said.iter().find_map(|said| said.client.clone()).expect("a client speaks of itself").to_string()
    }

    /// Sees that the client holds this, and asks the server in every way whether it knows that.
    fn compare(&self, held: &Resources) {
        self.bell.wait(PATIENCE, "the client to hold it", || (self.held() == *held).then_some(()));
        let duid = self.duid();
        let mut questions = vec![format!("client {duid} --udp"), format!("link {LINK}")];
        let address = held.iter().find(|resource| !resource.contains('/')).expect("it has an address");
        questions.push(format!("address {address} --udp"));
        if self.relays.contains(&Relay::Dibbler) {
            questions.push(format!("relay-id {DIBBLER_RELAY_ID}"));
            questions.push(format!("remote-id {DIBBLER_REMOTE_ID}"));
        }
        for question in questions {
            let clients = self.server.clients(&question);
            assert_eq!(clients.len(), 1, "{question}: {clients:?}");
            assert_eq!(clients[0]["duid"], *duid, "{question}");
            assert_eq!(leases(&clients[0]), *held, "{question}");
            let path = clients[0]["relay_path"].as_array().expect("a list");
            assert_eq!(*path, self.path(), "{question}");
        }
    }

    /// The relays through which the client was last heard.
    fn path(&self) -> Vec<Value> {
        let said = self.said(0);
        let answer = said.iter().rfind(|said| said.message_type == MessageType::Reply).expect("an answer");
        let is_question = |said: &&Utterance| said.transaction == answer.transaction && !said.is_answer();
        let asked = said.iter().rfind(is_question);
        let path = asked.expect("it was asked for").path.clone();
        assert_eq!(path.len(), self.relays.len(), "every relay says that it has relayed");
        path
    }

    /// What everybody has said.
    fn account(&self) -> String {
        let mut account = String::new();
        for process in self.relaying.iter().chain(self.client.as_ref().map(|client| client.process())) {
            account += &format!("\n-- {}\n{}", process.name(), process.said());
        }
        account += &format!("\n-- server\n{}\n-- packets before the server\n", self.server.said());
        self.said(0).iter().for_each(|said| account += &format!("{said:?}\n"));
        account
    }
}

/// Has tshark read every packet; says how many there are.
pub(crate) fn judge_all(capture: &Capture) -> usize {
    let messages = capture.messages();
    let seen = judge::dissect(capture.file());
    assert_eq!(seen.len(), messages.len(), "a message for every packet");
    for (seen, octets) in seen.iter().zip(&messages) {
        assert_eq!(*seen, judge::expected(Transport::Udp, octets), "{octets:02x?}");
    }
    seen.len()
}
