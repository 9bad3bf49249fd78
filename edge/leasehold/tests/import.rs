//! `leasehold import`, as an operator runs it: files in; a state folder, a report and an exit code
//! out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use lease::{Client, LeaseState};
use leasehold::config::Config;
use leasehold::{clock, state};
use serde_json::Value;
use tempfile::TempDir;

const HEADER: &str = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,\
                      prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context";
const CONFIG: &str = r#"{ "Dhcp6": { "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64",
    "pools": [ { "pool": "2001:db8:1::1000 - 2001:db8:1::1fff" } ] } ] } }"#;
/// When the leases of the test files are looked at, unless a test says otherwise.
const NOW: u64 = 1_800_000_000;

/// Files of one server, and a state to be.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new(lines: &[String]) -> Self {
        let site = Self { folder: TempDir::new().unwrap() };
        fs::write(site.path("kea.conf"), CONFIG).unwrap();
        site.write_leases(lines);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self) -> PathBuf {
        self.path("state")
    }

    fn write_leases(&self, lines: &[String]) {
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.path("leases.csv"), format!("{HEADER}\n{lines}")).unwrap();
    }

    /// Imports with these arguments besides the files.
    fn import(&self, arguments: &[&str]) -> Output {
        let files = [("--config", "kea.conf"), ("--leases", "leases.csv"), ("--into", "state")];
        let mut command = leasehold(&["import", "kea"]);
        for (option, name) in files {
            command.arg(option).arg(self.path(name));
        }
        output(command.args(arguments))
    }

    fn clients(&self) -> Vec<Client> {
        clients(&self.state())
    }
}

fn leasehold(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
    command.args(arguments);
    command
}

/// Held while this process has a store open, or starts another one: what is started holds for a
/// moment all that its parent has open, the lock of a store too.
static STORES: Mutex<()> = Mutex::new(());

fn output(command: &mut Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = {
        let _alone = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        command.spawn().unwrap()
    };
    child.wait_with_output().unwrap()
}

fn clients(state: &Path) -> Vec<Client> {
    let _alone = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let holdings = state::load(&state::open(state).unwrap(), Vec::new()).unwrap();
    holdings.table.changed_since(lease::Seq(0)).map(|(_, client)| client.to_client()).collect()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// An address that a client was given for 4,000 seconds; `left` of them are left at `now`.
fn line(address: &str, client: u8, left: u64, now: u64) -> String {
    format!("{address},00:03:00:01:{client:02x},4000,{},1,3000,0,7,128,0,0,,,0,", now + left)
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/kea").join(name)
}

#[test]
fn what_kea_has_written_becomes_a_state_that_can_be_served() {
    for (version, clients_held, leases_held) in [("2.2", 6, 12), ("3.3", 3, 6)] {
        let folder = TempDir::new().unwrap();
        let state = folder.path().join("state");
        let mut command = leasehold(&["import", "kea", "--now", "file", "--format", "json", "--config"]);
        command
            .arg(sample(&format!("kea-{version}-dhcp6.conf")))
            .arg("--leases")
            .arg(sample(&format!("kea-{version}-leases6.csv")))
            .arg("--into")
            .arg(&state);
        let output = output(&mut command);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let report = json(&output);
        assert_eq!((&report["clients"], &report["active"]), (&clients_held.into(), &leases_held.into()));
        assert_eq!((&report["written"], &report["bad_lines"]), (&clients_held.into(), &0.into()));

        let clients = clients(&state);
        assert_eq!(clients.len(), clients_held);
        assert!(clients.iter().all(|client| client.heard.path.is_some()));
        let config = Config::read(&state.join("leasehold.toml")).unwrap();
        assert_eq!(config.server_id, Some("00:03:00:01:02:00:00:00:00:aa".parse().unwrap()));
        assert_eq!(config.state, state.canonicalize().unwrap());
        assert_eq!(config.links.len(), 1);
    }
}

#[test]
fn now_is_a_number_a_date_or_the_time_of_the_file() {
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, NOW), line("2001:db8:1::2", 2, 4000, NOW)]);
    for now in ["1800000000", "2027-01-15T08:00:00Z", "2027-01-15T09:00:00+01:00", "file"] {
        let output = site.import(&["--now", now, "--dry-run", "--format", "json"]);
        let report = json(&output);
        assert_eq!((&report["active"], &report["now"]), (&2.into(), &"2027-01-15T08:00:00Z".into()), "{now}");
    }
    assert_eq!(site.import(&["--now", "yesterday"]).status.code(), Some(1));

    let before = clock::unix_secs();
    assert_eq!(site.import(&["--now", "1800000000"]).status.code(), Some(0));
    let heard = site.clients()[0].heard.at_unix_secs;
    assert!((before - 1000..=clock::unix_secs() - 1000).contains(&heard), "{heard}");
}

#[test]
fn bad_lines_are_named_and_left_out() {
    let site = Site::new(&[
        line("2001:db8:1::1", 1, 3000, NOW),
        line("2001:db8:1::zz", 2, 3000, NOW),
        line("2001:db8:1::3", 3, 3000, NOW),
    ]);
    let output = site.import(&["--now", "1800000000"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let place = format!("{}:3: ", site.path("leases.csv").display());
    assert!(text(&output.stdout).contains(&place), "{}", text(&output.stdout));
    assert_eq!(site.clients().len(), 2);
}

#[test]
fn who_is_strict_imports_all_or_nothing() {
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, NOW), "nonsense".to_owned()]);
    let output = site.import(&["--now", "1800000000", "--strict"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("leases.csv:3: "), "{}", text(&output.stderr));
    assert!(!site.state().exists());
}

#[test]
fn a_file_that_is_missing_is_named_and_nothing_is_made() {
    for missing in ["kea.conf", "leases.csv"] {
        let site = Site::new(&[]);
        fs::remove_file(site.path(missing)).unwrap();
        let output = site.import(&[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(missing), "{}", text(&output.stderr));
        assert!(!site.state().exists());
    }
}

#[test]
fn a_state_that_is_something_else_stays_what_it_is() {
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, NOW)]);
    fs::write(site.state(), "a letter").unwrap();
    assert_eq!(site.import(&["--now", "1800000000"]).status.code(), Some(1));
    assert_eq!(fs::read(site.state()).unwrap(), b"a letter");
}

#[test]
fn when_all_has_expired_it_says_how_to_import_nevertheless() {
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, 1_700_000_000)]);
    let output = site.import(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("--now file"), "{}", text(&output.stdout));
    assert!(site.clients().is_empty());
    assert_eq!(site.import(&["--now", "file"]).status.code(), Some(0));
    assert_eq!(site.clients().len(), 1);
}

#[test]
fn a_rehearsal_changes_nothing() {
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, NOW)]);
    let rehearse = || json(&site.import(&["--now", "1800000000", "--dry-run", "--format", "json"]));
    assert_eq!((&rehearse()["written"], &rehearse()["dry_run"]), (&1.into(), &true.into()));
    assert!(!site.state().exists());

    assert_eq!(site.import(&["--now", "1800000000"]).status.code(), Some(0));
    fs::remove_file(site.state().join("leasehold.toml")).unwrap();
    let before = site.clients();
    site.write_leases(&[line("2001:db8:1::2", 2, 3500, NOW)]);
    assert_eq!(rehearse()["written"], 1);
    assert_eq!(site.clients(), before);
    assert!(!site.state().join("leasehold.toml").exists());
}

#[test]
fn a_client_that_is_known_stays_unless_it_was_heard_since() {
    let now = clock::unix_secs();
    let lines = [line("2001:db8:1::1", 1, 3000, now), line("2001:db8:1::2", 2, 3000, now)];
    let site = Site::new(&lines);
    let import = || json(&site.import(&["--format", "json"]));
    assert_eq!(import()["written"], 2);
    let before = site.clients();
    assert_eq!((&import()["written"], &import()["kept"]), (&0.into(), &2.into()));
    assert_eq!(site.clients(), before);

    site.write_leases(&[line("2001:db8:1::1", 1, 2000, now), line("2001:db8:1::2", 2, 3500, now)]);
    let report = import();
    assert_eq!((&report["written"], &report["kept"]), (&1.into(), &1.into()));
    let granted: Vec<u64> = site.clients().iter().map(|client| client.heard.at_unix_secs).collect();
    assert_eq!(granted, [now - 1000, now - 500]);
}

#[test]
fn what_somebody_else_still_holds_is_a_conflict() {
    let now = clock::unix_secs();
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, now)]);
    assert_eq!(site.import(&[]).status.code(), Some(0));
    let before = site.clients();
    site.write_leases(&[line("2001:db8:1::1", 2, 3500, now), line("2001:db8:1::3", 3, 3500, now)]);
    let output = site.import(&["--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let report = json(&output);
    assert_eq!((&report["written"], &report["conflicts"]), (&1.into(), &1.into()));
    let reason = report["conflicting"][0].as_str().unwrap();
    assert!(reason.contains("2001:db8:1::1 is held by the client 00:03:00:01:01"), "{reason}");
    assert_eq!(site.clients()[0], before[0]);
}

#[test]
fn who_has_moved_on_or_run_out_is_in_nobodys_way() {
    let now = clock::unix_secs();
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, now), line("2001:db8:1::2", 2, 3000, now)]);
    assert_eq!(site.import(&[]).status.code(), Some(0));
    // First one moves to where the other was, then the two change places.
    for (one, other, left) in
        [("2001:db8:1::2", "2001:db8:1::3", 3500), ("2001:db8:1::3", "2001:db8:1::2", 3600)]
    {
        site.write_leases(&[line(one, 1, left, now), line(other, 2, left, now)]);
        let report = json(&site.import(&["--format", "json"]));
        assert_eq!((&report["written"], &report["conflicts"]), (&2.into(), &0.into()), "{report}");
        assert!(site.clients().iter().all(|client| client.heard.at_unix_secs == now + left - 4000));
    }

    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, NOW)]);
    let store = |client: &mut Client| {
        let lease = &mut client.bindings[0].leases[0];
        (lease.granted_unix_secs, client.heard.at_unix_secs) = (now - 9000, now - 9000);
        use store::Store;
        let (key, image) = (lease::image::key(&client.key), lease::image::encode(client));
        let change = store::Change { key: &key, image: Some(&image) };
        let _alone = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        state::open(&site.state()).unwrap().commit(&[change]).unwrap();
    };
    assert_eq!(site.import(&["--now", "1800000000"]).status.code(), Some(0));
    store(&mut site.clients()[0]);
    site.write_leases(&[line("2001:db8:1::1", 2, 3500, now)]);
    assert_eq!(site.import(&[]).status.code(), Some(0));
    let holders: Vec<String> = site.clients().iter().map(|client| client.key.duid.to_string()).collect();
    assert_eq!(holders, ["00:03:00:01:02"]);
}

#[test]
fn what_is_not_translated_is_reported_with_stable_keys() {
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, NOW)]);
    let config = CONFIG.replacen("\"id\": 1,", "\"id\": 1, \"client-class\": \"gold\",", 1);
    fs::write(site.path("kea.conf"), config).unwrap();
    let output = site.import(&["--now", "1800000000", "--dry-run", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2), "not everything could be taken over");
    let listed = &json(&output)["not_translated"];
    let place = format!("{}:1", site.path("kea.conf").display());
    assert_eq!(
        *listed,
        serde_json::json!([{
            "path": "subnet6[0].client-class", "value": "gold", "place": place,
            "reason": "there are no client classes here: it would apply to every client",
        }])
    );
    let output = site.import(&["--now", "1800000000"]);
    assert!(text(&output.stdout).contains("not translated: subnet6[0].client-class = \"gold\": "));
    assert_eq!(site.clients().len(), 1, "it is imported all the same");
}

#[test]
fn what_rests_is_given_to_nobody_and_what_ended_stays_with_its_client() {
    let now = clock::unix_secs();
    let declined = format!("2001:db8:1::5,00:00:00,4000,{},1,0,0,1,128,0,0,,,1,", now + 3000);
    let site = Site::new(&[declined, line("2001:db8:1::6", 2, 0, now - 500)]);
    let report = json(&site.import(&["--format", "json"]));
    assert_eq!((&report["declined"], &report["remembered"]), (&1.into(), &1.into()));
    let states = |site: &Site| -> Vec<(String, LeaseState)> {
        let leases =
            site.clients().into_iter().flat_map(|client| client.bindings).flat_map(|held| held.leases);
        leases.map(|lease| (lease.resource.to_string(), lease.state)).collect()
    };
    let rest = ("2001:db8:1::5".to_owned(), LeaseState::Declined);
    let ended = ("2001:db8:1::6".to_owned(), LeaseState::Expired);
    assert_eq!(states(&site), [rest.clone(), ended]);

    site.write_leases(&[line("2001:db8:1::5", 3, 3500, now), line("2001:db8:1::6", 4, 3500, now)]);
    let report = json(&site.import(&["--format", "json"]));
    assert_eq!((&report["written"], &report["conflicts"]), (&1.into(), &1.into()));
    assert!(states(&site).contains(&rest));
    assert!(states(&site).contains(&("2001:db8:1::6".to_owned(), LeaseState::Active)));
}

#[test]
fn a_configuration_that_is_there_is_never_overwritten() {
    let site = Site::new(&[line("2001:db8:1::1", 1, 3000, NOW)]);
    let import = || text(&site.import(&["--now", "1800000000"]).stdout);
    let config = site.state().join("leasehold.toml");
    let new = site.state().join("leasehold.toml.new");
    assert!(import().contains("leasehold.toml"));
    let written = fs::read(&config).unwrap();
    import();
    assert!(!new.exists(), "the same again is not new");

    fs::write(&config, "# mine\n").unwrap();
    assert!(import().contains("leasehold.toml.new"));
    assert_eq!(fs::read(&config).unwrap(), b"# mine\n");
    assert_eq!(fs::read(&new).unwrap(), written);
}

#[test]
fn made_up_clients_fill_a_state() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let mut command = leasehold(&["import", "synthetic", "--clients", "1000", "--relays", "3", "--into"]);
    let output = output(command.arg(&state));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(clients(&state).len(), 1000);
    assert_eq!(Config::read(&state.join("leasehold.toml")).unwrap().links.len(), 3);
}
