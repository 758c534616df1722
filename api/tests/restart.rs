//! Started again: on what was in force, unless that is not safe or not ours any more.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::path::Path;

use greenkerb_api::store::{AuditEvent, EmbeddedStore, Store as _};
use serde_json::{Value, json};
use support::{Running, SEVEN, crossroads};

fn start(network: &Path, data: &tempfile::TempDir) -> Running {
    Running::start(network, Some(data.path()), "")
}

/// Lets a service publish for three minutes and ends it without warning; what it showed last.
fn first_life(network: &Path, data: &tempfile::TempDir) -> Value {
    let service = start(network, data);
    let detectors = service.detectors();
    for second in SEVEN..SEVEN + 180 {
        assert_eq!(service.tell(second, &detectors).status, 200);
    }
    let timing = service.get(&service.timing_path(), &[]).json();
    assert!(timing["revision"].as_u64() > Some(1), "{timing}");
    timing
}

fn dropped(data: &tempfile::TempDir) -> Vec<(Option<u64>, String)> {
    let audit = EmbeddedStore::open(data.path()).unwrap().audit(0, usize::MAX).unwrap();
    let events = audit.into_iter().filter_map(|e| match e.event {
        AuditEvent::Dropped { revision, reason, .. } => Some((revision, reason)),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_restart_serves_the_same_bytes_and_numbers_go_on() {
    let data = tempfile::tempdir().unwrap();
    let last = first_life(&crossroads(), &data);
    let service = start(&crossroads(), &data);
    let path = service.timing_path();
    assert_eq!(service.get(&path, &[]).json(), last);
    let detectors = service.detectors();
    for second in SEVEN + 180..SEVEN + 780 {
        assert_eq!(service.tell(second, &detectors).status, 200);
    }
    let now = service.get(&path, &[]).json();
    assert!(now["revision"].as_u64() > last["revision"].as_u64(), "{now}");
    let metrics = service.get("/metrics", &[]).text();
    assert!(metrics.contains("greenkerb_proposals_refused_total 0"), "{metrics}");
    drop(service);
    assert_eq!(dropped(&data), []);
}

#[test]
fn a_record_that_cannot_be_read_is_not_served() {
    let data = tempfile::tempdir().unwrap();
    let last = first_life(&crossroads(), &data);
    {
        let db = redb::Database::open(data.path().join("greenkerb.redb")).unwrap();
        let tx = db.begin_write().unwrap();
        let plans: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("plans");
        tx.open_table(plans).unwrap().insert("centre", b"\xff\xff".as_slice()).unwrap();
        tx.commit().unwrap();
    }
    let service = start(&crossroads(), &data);
    let timing = service.get(&service.timing_path(), &[]).json();
    assert!(timing["revision"].as_u64() > last["revision"].as_u64(), "{timing}");
    assert_eq!(timing["plan"], timing["fallback"], "the time-of-day plan takes its place");
    let ready = service.get("/readyz", &[]).json();
    assert_eq!(ready["warnings"][0]["code"], "plan_dropped", "{ready}");
    assert_eq!(ready["warnings"][0]["controllers"], json!(["centre"]));
    drop(service);
    assert_eq!(dropped(&data).len(), 1);
}

#[test]
fn a_plan_for_another_database_is_not_served() {
    let data = tempfile::tempdir().unwrap();
    let network = data.path().join("city.net.xml");
    let text = std::fs::read_to_string(crossroads()).unwrap();
    std::fs::write(&network, &text).unwrap();
    let last = first_life(&network, &data);
    std::fs::write(&network, text.replace(r#"<phase duration="37""#, r#"<phase duration="31""#)).unwrap();
    let service = start(&network, &data);
    let timing = service.get(&service.timing_path(), &[]).json();
    assert!(timing["revision"].as_u64() > last["revision"].as_u64(), "{timing}");
    assert_ne!(timing["configuration_checksum"], last["configuration_checksum"]);
    assert_eq!(timing["plan"], timing["fallback"]);
    assert_ne!(timing["fallback"], last["fallback"]);
    // An acknowledgement of what was served before the restart is about nothing that is known.
    let ack =
        json!({ "revision": last["revision"], "hash": last["hash"], "state": "active", "at": last["valid_from"] });
    let path = service.timing_path().replace("/timing", "/ack");
    assert_eq!(service.post(&path, "application/json", ack.to_string().as_bytes()).status, 409);
    drop(service);
    let dropped = dropped(&data);
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].0, last["revision"].as_u64());
    let audit = EmbeddedStore::open(data.path()).unwrap().audit(0, usize::MAX).unwrap();
    let changes = audit.iter().filter(|e| matches!(e.event, AuditEvent::Network { before: Some(_), .. }));
    assert_eq!(changes.count(), 1);
}

/// The entity tag names every byte that is served, and the hash all that a controller acts on.
#[test]
fn other_settings_are_other_bytes_under_another_name() {
    let data = tempfile::tempdir().unwrap();
    let last = first_life(&crossroads(), &data);
    let served = |settings: &str| {
        let service = Running::start(&crossroads(), Some(data.path()), settings);
        let reply = service.get(&service.timing_path(), &[]);
        let unchanged = service.get(&service.timing_path(), &[("if-none-match", &reply.etag)]);
        assert_eq!((reply.status, unchanged.status), (200, 304));
        (reply.etag.clone(), reply.json())
    };
    let (tag, timing) = served("");
    assert_eq!(timing, last);
    let (rarer_tag, rarer) = served("poll_after_s = 7\n");
    assert_eq!((&rarer["revision"], &rarer["hash"]), (&last["revision"], &last["hash"]));
    assert_eq!(rarer["poll_after_s"], 7.0);
    assert_ne!(rarer_tag, tag);
    let (_, adding) = served("[optimizer.policy]\ntransition = \"add\"\n");
    assert_eq!(adding["transition"], "add");
    assert!(adding["revision"].as_u64() > last["revision"].as_u64(), "{adding}");
    assert_ne!(adding["hash"], last["hash"]);
    assert!(dropped(&data).iter().any(|(_, reason)| reason.contains("'short_way'") && reason.contains("'add'")));
}

#[test]
fn acknowledgements_survive() {
    let data = tempfile::tempdir().unwrap();
    let running = {
        let service = start(&crossroads(), &data);
        let detectors = service.detectors();
        service.tell(SEVEN, &detectors);
        let timing = service.get(&service.timing_path(), &[]).json();
        let ack = json!({ "revision": 1, "hash": timing["hash"], "state": "active", "at": timing["valid_from"] });
        let path = service.timing_path().replace("/timing", "/ack");
        assert_eq!(service.post(&path, "application/json", ack.to_string().as_bytes()).status, 204);
        // Acknowledgements are written with the next step.
        service.tell(SEVEN + 1, &detectors);
        service.get("/v1/controllers", &[]).json()["controllers"][0]["running_revision"].clone()
    };
    assert_eq!(running, 1);
    let service = start(&crossroads(), &data);
    let entry = service.get("/v1/controllers", &[]).json()["controllers"][0].clone();
    assert_eq!((&entry["running_revision"], &entry["last_state"]), (&running, &json!("active")), "{entry}");
}

/// Started where nothing can be written, a service serves what there is to be read.
#[test]
fn a_full_disk_keeps_no_plan_from_being_served() {
    let data = tempfile::tempdir().unwrap();
    let last = first_life(&crossroads(), &data);
    // Other settings, so that there is something to write at the start.
    std::fs::write(data.path().join("settings.toml"), "network_check_s = 4.0\n").unwrap();
    let command = format!(
        "trap '' XFSZ; ulimit -f 1; exec '{}' serve --clock external --listen 127.0.0.1:0 --network '{}' --data '{}' \
         --settings '{}'",
        env!("CARGO_BIN_EXE_greenkerb"),
        crossroads().display(),
        data.path().display(),
        data.path().join("settings.toml").display()
    );
    let mut shell = std::process::Command::new("sh");
    let service = Running::spawn(shell.args(["-c", &command]).stderr(std::process::Stdio::null()));
    assert_eq!(service.get(&service.timing_path(), &[]).json(), last);
    let ready = service.get("/readyz", &[]);
    assert_eq!((ready.status, &ready.json()["reasons"][0]["code"]), (503, &json!("store_unreachable")));
    let detectors = service.detectors();
    for second in SEVEN + 180..SEVEN + 480 {
        assert_eq!(service.tell(second, &detectors).status, 200);
    }
    assert_eq!(service.get(&service.timing_path(), &[]).json(), last, "nothing that is not on disk is shown");
    drop(service);
    // With space it goes on.
    let service = start(&crossroads(), &data);
    assert_eq!(service.get(&service.timing_path(), &[]).json(), last);
    let published = (SEVEN + 180..SEVEN + 480).find(|second| {
        service.tell(*second, &detectors);
        service.get(&service.timing_path(), &[]).json()["revision"].as_u64() > last["revision"].as_u64()
    });
    assert!(published.is_some());
}

/// Data of another network, or of another clock, are not taken without a word.
#[test]
fn what_is_not_as_it_was_is_told_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    let other = data.path().join("other.net.xml");
    let text = std::fs::read_to_string(crossroads()).unwrap();
    std::fs::write(&other, text.replace(r#"<phase duration="37""#, r#"<phase duration="31""#)).unwrap();
    let said = |network: &Path, clock: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_greenkerb"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--clock", clock, "--network"]).arg(network);
        command.arg("--data").arg(data.path()).stderr(std::process::Stdio::piped());
        let mut service = Running::spawn(&mut command);
        service.end();
        std::io::read_to_string(service.child.stderr.take().unwrap()).unwrap()
    };
    let first = said(&crossroads(), "wall");
    assert!(!first.contains("note:") && first.contains(&format!("kept in {}", data.path().display())), "{first}");
    let second = said(&crossroads(), "external");
    assert!(second.contains("note: the data were kept with --clock wall"), "{second}");
    assert!(!second.contains("another network"), "{second}");
    let third = said(&other, "external");
    assert!(
        third.contains("note: the data are those of another network") && third.contains("other.net.xml"),
        "{third}"
    );
    // What a wall clock has left is no time that detectors agreed on: they set the clock at once.
    assert!(!said(&crossroads(), "wall").is_empty());
    let service = start(&crossroads(), &data);
    let detectors = service.detectors();
    let told = service.tell(SEVEN, &detectors).json();
    assert_eq!(told["accepted"], json!(detectors.len()), "{told}");
}

#[test]
fn a_second_service_does_not_take_the_same_data() {
    let data = tempfile::tempdir().unwrap();
    let _first = start(&crossroads(), &data);
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_greenkerb"))
        .args(["serve", "--listen", "127.0.0.1:0", "--network"])
        .arg(crossroads())
        .arg("--data")
        .arg(data.path())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(told.contains("another process has this store open"), "{told}");
}

#[test]
fn names_of_controllers_may_hold_anything() {
    let data = tempfile::tempdir().unwrap();
    let network = data.path().join("city.net.xml");
    let text = std::fs::read_to_string(crossroads()).unwrap();
    std::fs::write(&network, text.replace("\"centre\"", "\"a b/ä?#%41\"")).unwrap();
    let service = start(&network, &data);
    assert_eq!(service.controllers(), ["a b/ä?#%41"]);
    service.tell(SEVEN, &service.detectors());
    let base = "/v1/controllers/a%20b%2F%C3%A4%3F%23%2541";
    let timing = service.get(&format!("{base}/timing"), &[]);
    assert_eq!(timing.status, 200, "{}", timing.text());
    assert_eq!(timing.json()["controller"], "a b/ä?#%41");
    assert_eq!(service.get(&format!("{base}/history"), &[]).json()["revisions"][0]["revision"], 1);
}
