//! Schedules over HTTP: pictures in, a schedule polled, unchanged polls, a restart in the middle, pictures refused.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use greenkerb_api::store::{AuditEvent, EmbeddedStore, Store as _};
use greenkerb_models::units::TimeDs;
use serde_json::{Value, json};
use support::{Running, SEVEN, crossroads, traffic};

const SETTINGS: &str = "mode = \"schedule\"";

fn start(data: &tempfile::TempDir) -> Running {
    Running::start(&crossroads(), Some(data.path()), SETTINGS)
}

fn instant(second: u32) -> String {
    TimeDs::from_s(i64::from(second)).rfc3339()
}

/// A second of traffic that ends at `second`, with a picture of the junction then.
fn batch(second: u32, detectors: &[String]) -> Value {
    let mut batch: Value = serde_json::from_slice(&traffic(second - 1, detectors)).unwrap();
    let vehicle = |link: &str, to_lane_end_m: f64| json!({"lane": format!("from_{link}_1"), "to_lane_end_m": to_lane_end_m, "speed_mps": 8.5, "movement": null});
    let far_m = f64::from(second * 9 % 140);
    batch["pictures"] = json!([{
        "controller": "centre", "at": instant(second),
        "vehicles": [vehicle("north", far_m), vehicle("south", 2.0), vehicle("east", 140.0 - far_m), vehicle("west", 60.0)],
    }]);
    batch
}

fn tell(service: &Running, batch: &Value) -> Value {
    let reply = service.post("/v1/observations", "application/json", batch.to_string().as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn acknowledge(service: &Running, timing: &Value, second: u32) {
    let ack = json!({"revision": timing["revision"], "hash": timing["hash"], "state": "active", "at": instant(second)});
    let reply = service.post("/v1/controllers/centre/ack", "application/json", ack.to_string().as_bytes());
    assert_eq!(reply.status, 204, "{}", reply.text());
}

/// A controller that polls every second and says that it runs what it is told.
struct Poller {
    etag: String,
    fresh: Vec<Value>,
    unchanged: usize,
}

impl Poller {
    fn run(&mut self, service: &Running, seconds: std::ops::Range<u32>) {
        let (path, detectors) = (service.timing_path(), service.detectors());
        for second in seconds {
            let receipt = tell(service, &batch(second, &detectors));
            assert_eq!(
                (receipt["pictures"].as_u64(), receipt["refused_total"].as_u64()),
                (Some(1), Some(0)),
                "{receipt}"
            );
            let reply = service.get(&path, &[("if-none-match", &self.etag)]);
            match reply.status {
                304 => self.unchanged += 1,
                200 => {
                    self.etag.clone_from(&reply.etag);
                    acknowledge(service, &reply.json(), second);
                    self.fresh.push(reply.json());
                }
                other => panic!("{other}: {}", reply.text()),
            }
        }
    }

    fn last(&self) -> &Value {
        self.fresh.last().unwrap()
    }
}

#[test]
fn schedules_are_polled_and_go_on_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let mut poller = Poller { etag: "\"\"".into(), fresh: Vec::new(), unchanged: 0 };
    let last = {
        let service = start(&data);
        poller.run(&service, SEVEN + 1..SEVEN + 120);
        let last = poller.last().clone();
        assert_eq!(last["mode"], "schedule");
        assert_eq!(last["plan"], last["fallback"]);
        let stages = last["schedule"]["stages"].as_array().unwrap();
        assert_eq!(last["valid_until"], stages.last().unwrap()["end"]);
        assert!(poller.unchanged > 20, "{} of {}", poller.unchanged, poller.fresh.len());
        let listed = service.get("/v1/controllers", &[]).json();
        assert_eq!(listed["controllers"][0]["mismatch"], false, "{listed}");
        assert_eq!(listed["controllers"][0]["running_revision"], last["revision"], "{listed}");
        let metrics = service.get("/metrics", &[]).text();
        assert!(metrics.contains("greenkerb_proposals_refused_total 0"), "{metrics}");
        last
    };
    let service = start(&data);
    assert_eq!(service.get(&service.timing_path(), &[]).json(), last, "the same bytes after a kill");
    poller.run(&service, SEVEN + 120..SEVEN + 200);
    let next = poller.fresh.iter().find(|t| t["revision"].as_u64() > last["revision"].as_u64()).unwrap();
    let begins = |t: &Value| (t["schedule"]["stages"][0]["stage"].clone(), t["schedule"]["stages"][0]["start"].clone());
    let old = last["schedule"]["stages"].as_array().unwrap();
    assert!(old.iter().any(|s| (s["stage"].clone(), s["start"].clone()) == begins(next)), "{last}\n{next}");
    drop(service);
    let store = EmbeddedStore::open(data.path()).unwrap();
    let published =
        store.audit(0, usize::MAX).unwrap().into_iter().filter(|e| matches!(e.event, AuditEvent::Published { .. }));
    assert_eq!(published.count(), 1, "the time-of-day plan; schedules are not audited");
    assert_eq!(store.history("centre", 200).unwrap().len(), 1);
}

#[test]
fn pictures_are_refused_one_by_one() {
    let data = tempfile::tempdir().unwrap();
    let service = start(&data);
    let detectors = service.detectors();
    let good = batch(SEVEN + 1, &detectors);
    let change = |path: &str, value: Value| {
        let mut picture = good["pictures"][0].clone();
        *picture.pointer_mut(path).unwrap() = value;
        picture
    };
    let vehicle = good["pictures"][0]["vehicles"][0].clone();
    let movement = |from: &str, to: &str| json!({"from": from, "to": to});
    let cases = [
        (change("/controller", json!("nowhere")), "unknown_controller"),
        (change("/vehicles/0/lane", json!("nowhere_0")), "unknown_lane"),
        (change("/vehicles/0/lane", json!("to_north_1")), "unknown_lane"),
        (change("/vehicles/0/to_lane_end_m", json!(-0.5)), "impossible_value"),
        (change("/vehicles/0/to_lane_end_m", json!(1000.0)), "impossible_value"),
        (change("/vehicles/0/to_lane_end_m", json!("NaN")), "malformed"),
        (change("/vehicles/0/speed_mps", json!(101)), "impossible_value"),
        (change("/vehicles/0/movement", movement("from_north", "from_south")), "unknown_movement"),
        (change("/at", json!(instant(SEVEN + 5_000))), "clock_far_off"),
        (change("/at", json!("soon")), "malformed"),
        (change("/vehicles", json!(vec![vehicle; 2_001])), "impossible_value"),
        (json!({"controller": "centre"}), "malformed"),
        (json!([]), "malformed"),
    ];
    let mut mixed = good.clone();
    let all = mixed["pictures"].as_array_mut().unwrap();
    all.extend(cases.iter().map(|(picture, _)| picture.clone()));
    let receipt = tell(&service, &mixed);
    assert_eq!(receipt["pictures"], 1, "the good one is taken: {receipt}");
    assert_eq!(receipt["refused_total"], cases.len(), "{receipt}");
    let mut refused = receipt["refused"].as_array().unwrap().clone();
    refused.sort_by_key(|r| r["index"].as_u64());
    for (i, (item, (_, code))) in refused.iter().zip(&cases).enumerate() {
        assert_eq!((item["index"].as_u64(), item["code"].as_str()), (Some(i as u64 + 1), Some(*code)), "{item}");
    }
    assert_eq!(refused[0]["controller"], "nowhere");
    let metrics = service.get("/metrics", &[]).text();
    assert!(metrics.contains(r#"outcome="refused",code="unknown_lane"} 2"#), "{metrics}");

    // One a line as well, beside reports.
    let mut lines = String::new();
    let next = batch(SEVEN + 2, &detectors);
    for item in next["pictures"].as_array().unwrap().iter().chain(next["observations"].as_array().unwrap()) {
        lines += &format!("{item}\n");
    }
    let reply = service.post("/v1/observations", "application/x-ndjson", lines.as_bytes());
    assert_eq!((reply.json()["pictures"].as_u64(), reply.json()["refused_total"].as_u64()), (Some(1), Some(0)));
    // The same batch under the same key counts once.
    let body = batch(SEVEN + 3, &detectors).to_string();
    let first = service.post_once("/v1/observations", "k", body.as_bytes()).text();
    assert_eq!(service.post_once("/v1/observations", "k", body.as_bytes()).text(), first);
}

#[test]
fn settings_that_name_nobody_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("s.toml");
    std::fs::write(&file, "[controllers.\"nobody\"]\nmode = \"schedule\"\n").unwrap();
    let mut serve = std::process::Command::new(env!("CARGO_BIN_EXE_greenkerb"));
    serve.args(["serve", "--listen", "127.0.0.1:0", "--network"]).arg(crossroads()).arg("--settings").arg(&file);
    let said = serve.output().unwrap();
    assert!(!said.status.success());
    assert!(String::from_utf8_lossy(&said.stderr).contains("no controller 'nobody'"), "{said:?}");
}
