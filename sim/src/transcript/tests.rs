//! The language and the player: what is written is what is sent, what comes is told in the same words, and what is
//! not as it should be is found.

use std::path::Path;

use super::cast::Cast;
use super::lines;
use super::message::{self, Context, Purpose};
use super::octets::{decode, encode};
use super::told::tell;
use super::value::Bindings;
use super::words::hexadecimal;
use super::{Failure, Transcript};

/// LEASEQUERY by Relay-ID; REPLY with an address and a prefix; DATA with relay data; REPLY with a status; a relayed
/// Solicit; a Reconfigure; two relays around nothing; an excluded prefix.
const MESSAGES: [&str; 8] = [
    "0e00a0010001000a0003000102000000aa01002c002503000000000000000000000000000000000035000a0003000102\
     000000aa0100060002002f000600020064",
    "0f00a0010001000a0003000102000000aa010002000e000200007ed90cc084d303000912002d004f0001000a00030001\
     0200000001010005001820010db8000100000000000000000100000004b000000708001a0019000004b0000007083820\
     010db8f00001000000000000000000002e000400000258",
    "1100a001002d00910001000a00030001020000000102001a0019000000000000012c3820010db8f00002000000000000\
     000000002e000400000ce4002f005a20010db8ffff000000000000000000010c0020010db80001000000000000000000\
     01fe80000000000000020000fffe0001020012000867652d302f302f370025000a00007ed9706f72742d370035000a00\
     03000102000000aa01",
    "0f00a0030001000a0003000102000000aa010002000e000200007ed90cc084d303000912000d000e00096e6f20737563\
     68206c696e6b",
    "0c0020010db8000100000000000000000001fe80000000000000020000fffe0001010012000867652d302f302f370025\
     000a00007ed9706f72742d370035000a0003000102000000aa0100090040015ca1ab0001000a00030001020000000101\
     0008000200000003000c0000000100000000000000000019000c0000000100000000000000000006000400520017",
    "0a0000000002000e000200007ed90cc084d3030009120001000a000300010200000001010013000105000b001c030100\
     000000000000000102de52e5c889279741d271830f28d72d62",
    "0c010000000000000000000000000000000020010db80001000000000000000000010009004a0c0020010db800010000\
     0000000000000001fe80000000000000020000fffe0001020012000867652d302f302f370025000a00007ed9706f7274\
     2d370035000a0003000102000000aa01",
    "070000010019002f000000010000000000000000001a001f000000000000000a3b20010db8deadbee000000000000000\
     00004300024078",
];

fn reparsed(text: &str) -> Vec<u8> {
    let cast = Cast::default();
    let lines = lines::read(text).unwrap();
    let message = message::message(&lines[0], Context { cast: &cast, purpose: Purpose::Sent }).unwrap();
    encode(&message, &Bindings::new()).unwrap()
}

#[test]
fn what_comes_is_told_in_words_that_say_the_same() {
    for octets in MESSAGES {
        let octets = hexadecimal(octets).unwrap();
        let told = tell(&decode(&octets), &Cast::default());
        assert!(!told.contains("octets ") && !told.contains("option "), "{told}");
        assert_eq!(reparsed(&told), octets, "{told}");
    }
}

#[test]
fn an_excluded_prefix_is_written_by_what_it_adds() {
    let text = "REPLY xid 1\n  IA_PD 1\n    IAPREFIX 2001:db8:dead:bee0::/59 valid 10\n      \
                PD_EXCLUDE 2001:db8:dead:beef::/64\n";
    assert!(reparsed(text).ends_with(&[0, 67, 0, 2, 0x40, 0x78]));
}

const PAGE: &str = "title: It is answered
requires: XX-Y-01
server S1
  allows ::/0
  link 1
    prefix 2001:db8:1::/64
peer Q1 at 2001:db8:ffff::700
Q1 sends to S1
  LEASEQUERY xid 1
    CLIENTID Q1
    LQ_QUERY QUERY_BY_ADDRESS link ::
      IAADDR 2001:db8:1::1
Q1 receives within 2 s
  LEASEQUERY-REPLY xid 1
    CLIENTID Q1
    SERVERID S1
    no other option
";

fn played(text: &str) -> Result<(), Failure> {
    let transcript = Transcript::read(text).map_err(|fault| panic!("{fault}")).unwrap();
    transcript.play(Path::new("page.txt"), &mut |_| {}).map(drop)
}

fn failure(from: &str, to: &str) -> String {
    assert!(PAGE.contains(from), "{from}");
    played(&PAGE.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn what_is_not_as_it_should_be_is_found_with_its_line() {
    assert!(played(PAGE).is_ok());
    let wrong = failure("    SERVERID S1", "    SERVERID Q1");
    assert!(wrong.starts_with("page.txt:16: S1 has come for Q1\n  16 |     SERVERID Q1\n"), "{wrong}");
    assert!(wrong.contains("expected:\n") && wrong.contains("came:\n"), "{wrong}");
    assert!(wrong.contains("what went before:\n"), "{wrong}");
    assert!(failure("REPLY xid 1", "REPLY xid 2").contains("xid 1 has come for xid 2"));
    assert!(failure("LEASEQUERY-REPLY", "ADVERTISE").contains("of another type"));
    assert!(failure("    SERVERID S1\n    no other", "    no other").contains("SERVERID is there too"));
    assert!(failure("no other option", "no SERVERID").contains("SERVERID is there"));
    assert!(failure("no other option", "STATUS_CODE Success").contains("there is no STATUS_CODE"));
    assert!(failure("Q1 sends to S1", "Q1 sends to 2001:db8::1").contains("nothing has come to Q1"));
    assert!(failure("Q1 receives within 2 s", "Q1 receives from port 546").contains("from port 547"));
}

#[test]
fn what_comes_and_nobody_speaks_of_is_too_much() {
    let end = PAGE.find("Q1 receives").unwrap();
    let wrong = played(&PAGE[..end]).unwrap_err().to_string();
    assert!(wrong.contains("Q1 has received what nobody speaks of"), "{wrong}");
    assert!(played(&format!("{}Q1 heeds nothing else\n", &PAGE[..end])).is_ok());
}

fn fault(from: &str, to: &str) -> String {
    assert!(PAGE.contains(from), "{from}");
    Transcript::read(&PAGE.replacen(from, to, 1)).err().expect("a fault").to_string()
}

#[test]
fn what_cannot_be_read_is_told_with_what_would_be_right() {
    assert!(fault("    CLIENTID Q1", "    CLEINTID Q1").contains("line 10"));
    assert!(fault("    CLIENTID Q1", "    CLEINTID Q1").ends_with("perhaps CLIENTID"));
    assert!(fault("Q1 sends", "Q2 sends").contains("Q2"));
    assert!(fault("  allows ::/0", "  alows ::/0").contains("allows"));
    assert!(fault("QUERY_BY_ADDRESS", "QUERY_BY_NAME").contains("a query type by its name"));
    assert!(fault("IAADDR 2001:db8:1::1", "IAADDR 2001:db8:1::1 lifetime 5").contains("preferred or valid"));
    assert!(fault("within 2 s", "within 2").contains("ms, s, min or h"));
    assert!(fault("title: It is answered\n", "").contains("there is no title"));
    assert!(fault("requires: XX-Y-01\n", "").contains("it shows no requirement"));
    assert!(
        fault("    no other option\n", "    no other option\nclient C1 on a at fe80::1\n")
            .contains("joins late")
    );
}

#[test]
fn a_name_stands_for_what_it_met_first_if_all_else_fits() {
    let captured = PAGE.replace("    SERVERID S1\n", "    SERVERID $who\n");
    assert!(played(&captured).is_ok());
    let twice =
        captured.replace("    CLIENTID Q1\n    SERVERID $who", "    CLIENTID $who\n    SERVERID $who");
    assert!(played(&twice).unwrap_err().to_string().contains("S1 has come for Q1"));
}
