//! `leasehold demo`: what is stored is served, and what is served comes back.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leasehold")).arg("demo").args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = demo(&[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn sample(name: &str) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/kea");
    samples.join(name).to_str().unwrap().to_owned()
}

/// A lease file with a client behind a relay without a Relay-ID, and perhaps one behind a relay
/// that has one.
fn lease_file(folder: &Path, with_relay_id: bool) -> PathBuf {
    let header = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,\
                  prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context";
    let line = |client: u8, options: &str| {
        format!(
            "2001:db8:1::{client},00:03:00:01:0{client},4000,1800000000,1,3000,0,1,128,0,0,,,0,\
             {{ \"ISC\": {{ \"relay-info\": [ {{ \"hop\": 0&#x2c \"link\": \"2001:db8:1::f\"&#x2c \
             \"options\": \"0x{options}\"&#x2c \"peer\": \"fe80::{client}\" }} ] }} }}\n"
        )
    };
    let mut text = format!("{header}\n{}", line(1, "00120001aa"));
    if with_relay_id {
        text += &line(2, "00120001bb0035000A00030001020000000077");
    }
    let file = folder.join("leases6.csv");
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn everything_comes_back() {
    let report = json(&["--clients", "3000", "--relays", "7"]);
    assert_eq!((&report["clients"], &report["relays"]), (&3000.into(), &7.into()));
    assert_eq!((&report["bindings"], &report["recovered"]), (&6000.into(), &6000.into()));
    assert_eq!((&report["missing"], &report["unknown"]), (&0.into(), &0.into()));
    assert_eq!(report["messages"], 3007, "a message for each client, and the end for each relay");
    assert_eq!(report["complete"], true);
    for key in ["octets", "seconds", "bindings_per_second", "first_reply_ms"] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{key}");
    }
}

#[test]
fn a_stranger_can_read_it() {
    let output = demo(&["--clients", "100"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("ge-0/0/")).count(), 10, "{text}");
    assert!(text.contains("200 bindings") && text.contains("COMPLETE"), "{text}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn leases_of_kea_come_back_too() {
    for (version, bindings, relays) in [("2.2", 12, 2), ("3.3", 6, 1)] {
        let leases = sample(&format!("kea-{version}-leases6.csv"));
        let config = sample(&format!("kea-{version}-dhcp6.conf"));
        for files in [vec![leases.as_str()], vec![&config, &leases], vec![&leases, &config]] {
            let report = json(&[&["--import"], files.as_slice()].concat());
            assert_eq!((&report["bindings"], &report["recovered"]), (&bindings.into(), &bindings.into()));
            assert_eq!((&report["relays"], &report["complete"]), (&relays.into(), &true.into()));
            assert_eq!(report["notes"].as_array().unwrap().len(), 1, "{}", report["notes"]);
        }
    }
}

#[test]
fn what_came_without_a_relay_id_is_said_apart() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = lease_file(folder.path(), true);
    let report = json(&["--import", file.to_str().unwrap()]);
    assert_eq!((&report["bindings"], &report["recovered"]), (&2.into(), &1.into()));
    assert_eq!((&report["without_relay_id"], &report["complete"]), (&1.into(), &true.into()));

    let output = demo(&["--import", lease_file(folder.path(), false).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "nothing can be recovered: {output:?}");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let leases = [sample("kea-2.2-leases6.csv"), sample("kea-3.3-leases6.csv")];
    let configs = [sample("kea-2.2-dhcp6.conf"), sample("kea-3.3-dhcp6.conf")];
    for [one, other] in [&leases, &configs] {
        let output = demo(&["--import", one, other]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("two "), "{output:?}");
    }
    let output = demo(&["--import", "/nowhere/leases6.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/leases6.csv"), "{output:?}");
}

/// `leasehold demo --namespaces`, with a temporary folder of its own.
fn reboot(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
    command.args(["demo", "--namespaces"]).args(arguments).env("TMPDIR", folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Where there can be no namespaces, says so, and in CI fails.
fn may_run(output: &Output) -> bool {
    if !String::from_utf8_lossy(&output.stderr).contains("network namespaces need root") {
        return true;
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true, and {output:?}");
    let _ =
        writeln!(std::io::stderr(), "\nNOT TESTED: namespaces need root, or that everybody may make them\n");
    false
}

/// Nothing is in a temporary folder any more, and nobody runs who was told of it.
fn assert_left_clean(folder: &Path) {
    assert_eq!(folder.read_dir().unwrap().count(), 0, "{} is not empty", folder.display());
    let name = folder.to_str().unwrap();
    for process in Path::new("/proc").read_dir().unwrap().flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&line).contains(name), "{} still runs", process.path().display());
    }
}

#[test]
fn a_relay_whose_host_reboots_has_its_routes_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let output = reboot(folder.path(), &["--clients", "60", "--format", "json"]).output().unwrap();
    if !may_run(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let moment = |routes: u64, answered: u64, no_route: u64| serde_json::json!({ "routes": routes, "sent": 60, "answered": answered, "no_route": no_route });
    for (when, expected) in [
        ("before", moment(60, 60, 0)),
        ("killed", moment(60, 60, 0)),
        ("rebooted", moment(0, 0, 60)),
        ("recovered", moment(60, 60, 0)),
    ] {
        assert_eq!(report[when], expected, "{when}");
    }
    assert_eq!((&report["missing"], &report["unknown"]), (&0.into(), &0.into()));
    assert_eq!((&report["told_by_server"], &report["complete"]), (&60.into(), &true.into()));
    let times: Vec<_> =
        ["first_route_ms", "all_routes_ms", "all_pings_ms"].map(|key| report[key].as_f64().unwrap()).into();
    assert!(times[0] > 0.0 && times.is_sorted(), "{report}");
    assert_left_clean(folder.path());
}

#[test]
fn who_is_interrupted_leaves_nothing_behind() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut process = reboot(folder.path(), &["--clients", "500"]).spawn().unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    if line.contains("500 customers") {
        kill(Pid::from_raw(process.id() as i32), Signal::SIGINT).unwrap();
    }
    let output = process.wait_with_output().unwrap();
    if may_run(&output) {
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert_left_clean(folder.path());
    }
}
