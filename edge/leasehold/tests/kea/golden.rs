//! Whole configurations, and what becomes of them word by word. `BLESS=1` writes the expected files
//! anew, to be read before they are believed.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus};

use leasehold::config::{Config, render};
use leasehold::import::kea::translate;

use crate::{assert_good, file};

/// Two texts mean the same.
fn assert_same<T: PartialEq>(name: &str, actual: &str, meaning: impl Fn(&str) -> T) {
    let path = file("golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(meaning(&expected) == meaning(actual), "{name} should be\n{actual}");
}

fn assert_golden(name: &str) {
    let translation = translate(&file(&format!("golden/{name}.conf"))).unwrap();
    assert_good(&translation);
    assert_same(&format!("{name}.toml"), &render(&translation.config), |text| {
        let config = Config::parse(Path::new(name), text).unwrap();
        Config { warnings: Vec::new(), ..config }
    });
    let mut report = String::new();
    for remark in &translation.not_translated {
        let value = &remark.value;
        report += &format!("{} = {value}\n    {}\n", remark.path, remark.reason);
    }
    assert_same(&format!("{name}.report"), &report, str::to_owned);
}

#[test]
fn an_access_network() {
    assert_golden("access");
}

#[test]
fn what_has_no_counterpart() {
    assert_golden("untranslated");
}

#[test]
fn what_kea_itself_ran_with_is_translated_whole() {
    for (name, interfaces) in [("kea-2.2-dhcp6.conf", 1), ("kea-3.3-dhcp6.conf", 2)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/kea").join(name);
        let translation = translate(&path).unwrap();
        assert_good(&translation);
        assert_eq!(translation.not_translated, []);
        assert_eq!(translation.warnings, Vec::<String>::new());
        let config = translation.config;
        assert_eq!(config.dhcp.interfaces.len(), interfaces);
        let terms = &config.dhcp.rules.links[&config.links[0].id];
        assert_eq!((terms.preferred_secs, terms.valid_secs), (3000, 4000));
        assert_eq!((terms.t1_secs, terms.t2_secs), (Some(1000), Some(2000)));
        let requestors = if interfaces == 2 { 2 } else { 0 };
        assert_eq!(config.leasequery.allow.len(), 1 + requestors, "this host, and the hook's requesters");
    }
}

/// Kea 2.2 accepts the golden inputs, so they are what people may have.
#[test]
fn kea_accepts_what_is_translated_here() {
    let Ok(version) = Command::new("kea-dhcp6").arg("-v").output() else {
        assert!(std::env::var_os("CI").is_none(), "kea-dhcp6 is missing");
        eprintln!(
            "SKIPPED: no kea-dhcp6 on this machine, so nobody says whether Kea accepts the golden inputs"
        );
        return;
    };
    assert!(version.status.success());
    for name in ["access", "untranslated"] {
        let checked = check_in_a_network_of_its_own(name);
        assert!(checked.0.success(), "{}", checked.1);
    }
}

/// Kea wants to see the interfaces and addresses that a configuration names.
fn check_in_a_network_of_its_own(name: &str) -> (ExitStatus, String) {
    let script = format!(
        "ip link set lo up && ip link add eth0 type veth peer name eth1 && ip link set eth0 up && \
         ip link set eth1 up && ip address add 2001:db8:ffff::1/64 dev eth0 nodad && \
         exec kea-dhcp6 -t {name}.conf"
    );
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "sh", "-c", &script]).current_dir(file("golden"));
    let output = command.output().expect("unshare is a part of every Linux");
    let said = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&said).into_owned())
}
