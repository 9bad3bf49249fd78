//! Steps about requestors: what they ask, and what they make of the answers.

use requestor::{Question, Warning};

use super::cast::Cast;
use super::datagrams::somewhere;
use super::expect;
use super::fault::Fault;
use super::lines::Line;
use super::message::{self, Contents, Context, Purpose};
use super::octets;
use super::site;
use super::stage::{Act, Mishap, PATIENCE, Stage};
use super::told::tell_contents;
use super::words::Words;
use crate::nodes::NodeId;
use crate::nodes::guests::{Learnt, Way};

/// A requestor asks.
struct Asks {
    line: usize,
    who: NodeId,
    from: std::net::Ipv6Addr,
    to: std::net::Ipv6Addr,
    way: Way,
    questions: Vec<Question>,
}

/// A requestor learns of a client.
struct Learns {
    line: usize,
    who: NodeId,
    within: std::time::Duration,
    expected: Contents,
}

/// A question ends for it, or a connection.
struct Ends {
    line: usize,
    who: NodeId,
    within: std::time::Duration,
    how: String,
}

/// Something has been odd so often.
struct Odd {
    line: usize,
    who: NodeId,
    warning: Warning,
    count: u64,
}

/// It knows this of a client, from all servers.
struct Knows {
    line: usize,
    who: NodeId,
    client: Vec<u8>,
    expected: Contents,
}

/// Steps whose verb is a requestor's; none if it is not.
pub(super) fn of_requestor(
    who: NodeId,
    line: &Line,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<Option<Box<dyn Act>>, Fault> {
    let number = line.number;
    let context = Context { cast, purpose: Purpose::Expected };
    if w.take("asks") {
        let to = somewhere(w, cast)?;
        let way = if w.take("by datagram") { Way::Datagrams } else { Way::Stream };
        let questions = match line.inside.as_slice() {
            [] => return Err(Fault::new(number, "it asks nothing", "questions, indented below")),
            lines => lines.iter().map(|line| question(line, cast)).collect::<Result<_, _>>()?,
        };
        let name = cast.name_of(who).unwrap_or_default();
        let from =
            cast.address(name).ok_or_else(|| Fault::new(number, "it has no address", "a requestor"))?;
        return Ok(Some(Box::new(Asks { line: number, who, from, to, way, questions })));
    }
    if w.take("learns") {
        let within = if w.take("within") { w.duration()? } else { PATIENCE };
        let expected = message::contents(&line.inside, context)?;
        return Ok(Some(Box::new(Learns { line: number, who, within, expected })));
    }
    if w.take("concludes") {
        let mut how = Vec::new();
        let mut within = PATIENCE;
        while !w.is_empty() {
            if w.take("within") {
                within = w.duration()?;
            } else {
                how.push(w.next("done, empty, refused, partial or incomplete")?.trim_matches('"').to_owned());
            }
        }
        return Ok(Some(Box::new(Ends { line: number, who, within, how: how.join(" ") })));
    }
    if w.take("finds odd") {
        let count = w.number()?;
        w.expect("times")?;
        let key = w.next("what is odd")?;
        let keys = Warning::ALL.iter().map(|warning| warning.key());
        let warning = Warning::ALL.iter().find(|warning| warning.key() == key);
        let warning = *warning.ok_or_else(|| Fault::unknown(number, key, keys))?;
        return Ok(Some(Box::new(Odd { line: number, who, warning, count })));
    }
    if w.take("knows") {
        let client = site::duid(w, cast)?.octets().to_vec();
        let expected = message::contents(&line.inside, context)?;
        return Ok(Some(Box::new(Knows { line: number, who, client, expected })));
    }
    Ok(None)
}

/// `by relay-id R1 on link 2001:db8:1::1 requesting LQ_RELAY_DATA`.
fn question(line: &Line, cast: &Cast) -> Result<Question, Fault> {
    let mut words = Words::new(line.number, &line.text);
    let w = &mut words;
    w.expect("by")?;
    let wrong =
        |error: requestor::QuestionError| Fault::new(line.number, error.to_string(), "another question");
    let mut question = match w.next("address, client, relay-id, link or remote-id")? {
        "address" => Question::by_address(somewhere(w, cast)?),
        "client" => Question::by_client(site::duid(w, cast)?),
        "relay-id" => Question::by_relay(site::duid(w, cast)?),
        "link" => Question::by_link(w.address()?).map_err(wrong)?,
        "remote-id" => Question::by_remote(w.number()?, &w.octets()?).map_err(wrong)?,
        other => {
            return Err(Fault::unknown(
                w.line,
                other,
                ["address", "client", "relay-id", "link", "remote-id"],
            ));
        }
    };
    if w.take("on link") {
        question = question.on_link(w.address()?).map_err(wrong)?;
    }
    if w.take("requesting") {
        let mut codes = Vec::new();
        while !w.is_empty() {
            codes.push(w.parse("the name of an option")?);
        }
        question = question.requesting(&codes);
    }
    words.end()?;
    Ok(question)
}

impl Act for Asks {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let NodeId::Guest(number) = self.who else { return Ok(()) };
        let Self { from, to, way, questions, .. } = self;
        if stage.asker(self.who).is_none() {
            return Err(Mishap::new(self.line, "only a requestor asks; a peer sends and writes"));
        }
        stage.universe.with(self.who, |nodes, now, out| {
            if let Some(asker) = nodes.guests[number].asker() {
                asker.ask(questions.clone(), *way, *from, *to, now, out);
            }
        });
        stage.keep_trace();
        Ok(())
    }
}

/// What a requestor learns next.
fn next(stage: &mut Stage, who: NodeId, within: std::time::Duration, line: usize) -> Result<Learnt, Mishap> {
    let has_come = |stage: &mut Stage| stage.asker(who).is_some_and(|asker| !asker.learnt.is_empty());
    if !stage.within(within, has_come) {
        return Err(Mishap::new(line, format!("{} has learnt nothing within {within:?}", stage.name(who))));
    }
    let learnt = stage.asker(who).and_then(|asker| asker.learnt.pop_front());
    learnt.ok_or_else(|| Mishap::new(line, "nothing has been learnt"))
}

fn told(learnt: &Learnt, cast: &Cast) -> String {
    match learnt {
        Learnt::Client(options) => {
            tell_contents(&octets::decode_options(options, None).unwrap_or_default(), cast)
        }
        Learnt::Finished(how) => how.clone(),
        Learnt::Over(why) => format!("the connection is over: {why}"),
        Learnt::NotAsked(why) => format!("it could not ask: {why}"),
    }
}

impl Act for Learns {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let learnt = next(stage, self.who, self.within, self.line)?;
        let came = told(&learnt, &stage.cast);
        let Learnt::Client(options) = learnt else {
            return Err(Mishap::new(self.line, "it has learnt of no client").show("came", came));
        };
        let options = octets::decode_options(&options, None).unwrap_or_default();
        let Stage { cast, bindings, .. } = stage;
        let expected = tell_contents(&self.expected, cast);
        expect::contents_fit(&self.expected, &options, cast, bindings).map_err(|mismatch| {
            Mishap::new(mismatch.line, mismatch.what).show("expected", expected).show("came", came)
        })
    }
}

impl Act for Ends {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let learnt = next(stage, self.who, self.within, self.line)?;
        let came = match &learnt {
            Learnt::Finished(how) => how.clone(),
            Learnt::Over(why) => format!("over: {why}"),
            Learnt::NotAsked(why) => format!("not asked: {why}"),
            Learnt::Client(_) => told(&learnt, &stage.cast),
        };
        if came == self.how {
            return Ok(());
        }
        let mishap = Mishap::new(self.line, "it has ended otherwise");
        Err(mishap.show("expected", self.how.clone()).show("came", came))
    }
}

impl Act for Odd {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        stage.pass(PATIENCE);
        let count = stage.asker(self.who).map(|asker| asker.odd(self.warning));
        if count == Some(self.count) {
            return Ok(());
        }
        let found = format!("it has been found odd {} times", count.unwrap_or_default());
        Err(Mishap::new(self.line, found))
    }
}

impl Act for Knows {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let now = stage.universe.now();
        let asker = stage.asker(self.who).ok_or_else(|| Mishap::new(self.line, "only a requestor knows"))?;
        let options = asker.known(&self.client, now);
        let options = octets::decode_options(&options, None).unwrap_or_default();
        let Stage { cast, bindings, .. } = stage;
        let known = tell_contents(&options, cast);
        expect::contents_fit(&self.expected, &options, cast, bindings)
            .map_err(|mismatch| Mishap::new(mismatch.line, mismatch.what).show("known", known))
    }
}
