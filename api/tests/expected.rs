//! What ought to run, told at every moment: between the publication of a plan and the moment it takes over, the plan
//! before it is the one to be run.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use serde_json::{Value, json};
use support::{Running, SEVEN, crossroads, instant};

/// Kept plans are published anew each cycle, so that news comes soon.
const RESTLESS: &str = "[optimizer]\nvalidity = 6000\nrenew_before = 5999\n";

fn entry(service: &Running) -> Value {
    service.get("/v1/controllers", &[]).json()["controllers"][0].clone()
}

#[test]
fn what_ought_to_run_is_told_at_every_moment_and_through_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut service = Running::start(&crossroads(), Some(data.path()), RESTLESS);
    let detectors = service.detectors();
    let timing = service.timing_path();
    let mut valid_from: Vec<(u64, String)> = Vec::new();
    for second in SEVEN..SEVEN + 400 {
        if second == SEVEN + 250 {
            drop(service);
            service = Running::start(&crossroads(), Some(data.path()), RESTLESS);
        }
        service.tell(second, &detectors);
        let shown = service.get(&timing, &[]).json();
        let revision = shown["revision"].as_u64().unwrap();
        if valid_from.last().is_none_or(|v| v.0 < revision) {
            valid_from.push((revision, shown["valid_from"].as_str().unwrap().to_owned()));
        }
        let now = instant(second + 1);
        let expected = valid_from.iter().rev().find(|v| v.1.as_str() <= now.as_str()).map(|v| v.0);
        let told = entry(&service);
        assert_eq!(told["expected_revision"].as_u64(), expected, "at {now}: {told}");
    }
    assert!(valid_from.len() > 3, "{valid_from:?}");
}

#[test]
fn a_controller_that_runs_something_else_raises_the_alarm_after_a_grace() {
    let data = tempfile::tempdir().unwrap();
    let service = Running::start(&crossroads(), Some(data.path()), RESTLESS);
    let detectors = service.detectors();
    let timing = service.timing_path();
    let path = timing.replace("/timing", "/ack");
    let ack = |timing: &Value, second: u32| {
        let body = json!({ "revision": timing["revision"], "hash": timing["hash"], "state": "active",
            "at": instant(second) });
        let reply = service.post(&path, "application/json", body.to_string().as_bytes());
        assert_eq!(reply.status, 204, "{}", reply.text());
    };
    service.tell(SEVEN, &detectors);
    let first = service.get(&timing, &[]).json();
    let mut told_first = false;
    // It runs the first plan for ever. While that is what ought to run, and ten seconds longer, all is well.
    let (mut well, mut alarmed) = (0, 0);
    let mut since: Option<u32> = None;
    for second in SEVEN + 1..SEVEN + 400 {
        service.tell(second, &detectors);
        if !told_first && instant(second).as_str() >= first["valid_from"].as_str().unwrap() {
            ack(&first, second);
            told_first = true;
        }
        let told = entry(&service);
        let other = told_first && told["expected_revision"].as_u64() > Some(1);
        if other {
            let since = *since.get_or_insert(second);
            assert_eq!(told["mismatch"], json!(second >= since + 10), "{second} since {since}: {told}");
            alarmed += u32::from(second >= since + 10);
        } else {
            assert_eq!(told["mismatch"], json!(false), "{second}: {told}");
            well += 1;
        }
    }
    assert!(well > 0 && alarmed > 0, "{well} {alarmed}");
    assert!(service.get("/metrics", &[]).text().contains("greenkerb_ack_mismatch{controller=\"centre\"} 1"));
}
