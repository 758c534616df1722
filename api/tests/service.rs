//! The real program on a loopback port: what controllers, detectors and operators meet.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use support::{Running, SEVEN, crossroads, instant};

const JSON: &str = "application/json";

/// Every distinct timing body that a run of so many seconds shows.
fn timings(seconds: u32) -> Vec<String> {
    let service = Running::start(&crossroads(), None, "");
    let (detectors, path) = (service.detectors(), service.timing_path());
    let (mut seen, mut etag) = (Vec::new(), String::new());
    for second in SEVEN..SEVEN + seconds {
        assert_eq!(service.tell(second, &detectors).status, 200);
        let timing = service.get(&path, &[("if-none-match", &etag)]);
        match timing.status {
            200 => {
                etag.clone_from(&timing.etag);
                seen.push(timing.text());
            }
            status => assert_eq!((status, timing.body.len()), (304, 0)),
        }
    }
    seen
}

#[test]
fn the_same_observations_give_the_same_bytes() {
    let first = timings(900);
    assert!(first.len() >= 3, "only {} timings in a quarter of an hour", first.len());
    assert!(first == timings(900), "two runs of the same observations differ");
    let revision = |t: &String| serde_json::from_str::<Value>(t).unwrap()["revision"].as_u64().unwrap();
    let revisions: Vec<u64> = first.iter().map(revision).collect();
    assert!(revisions.windows(2).all(|w| w[0] < w[1]), "{revisions:?}");
}

/// Sixteen controllers that decide in the same step, with too little for all of them, on an idle machine and a busy one.
#[test]
fn a_busy_machine_gives_the_same_bytes() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("grid.greenkerb");
    let network = greenkerb_simulations::scenarios::grid(4, 4, 150.0).unwrap();
    let mut native = Vec::new();
    greenkerb_models::formats::native::write(network.parts(), &mut native).unwrap();
    std::fs::write(&file, native).unwrap();
    let replay = || {
        let data = tempfile::tempdir().unwrap();
        let service = Running::start(&file, Some(data.path()), "solve_deadline_ms = 30\n");
        let (detectors, controllers) = (service.detectors(), service.controllers());
        let mut timings = Vec::new();
        for second in SEVEN..SEVEN + 260 {
            assert_eq!(service.tell(second, &detectors).status, 200);
            if second % 10 == 0 {
                timings.extend(
                    controllers.iter().map(|c| service.get(&format!("/v1/controllers/{c}/timing"), &[]).text()),
                );
            }
        }
        let metrics = service.get("/metrics", &[]).text();
        let missed = metrics.lines().find(|l| l.starts_with("greenkerb_deadline_misses_total")).map(str::to_owned);
        (timings, missed.unwrap())
    };
    let idle = replay();
    let ends = AtomicBool::new(false);
    let busy = std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let busy = replay();
        ends.store(true, Ordering::Relaxed);
        busy
    });
    assert!(!idle.1.ends_with(" 0"), "there was enough for everybody: {}", idle.1);
    assert_eq!(idle.1, busy.1);
    assert!(idle.0 == busy.0, "the load of the machine shows in what is published");
}

#[test]
fn items_are_refused_one_by_one_and_the_rest_is_kept() {
    let service = Running::start(&crossroads(), None, "");
    let path = "/v1/observations";
    let name = service.detectors().remove(0);
    let good = |s: u32| json!({ "detector": name, "begin": instant(s), "length_s": 1, "count": 1, "occupancy": 0.2 });
    let with = |field: &str, value: Value| {
        let mut report = good(SEVEN);
        report[field] = value;
        report
    };
    let reports = [
        good(SEVEN),
        with("detector", json!("nobody")),
        with("occupancy", json!(1.5)),
        with("begin", json!("2031-01-01T00:00:00Z")),
        json!({ "count": 3 }),
        good(SEVEN + 2),
        good(SEVEN + 2),
        with("count", json!(2)),
        with("length_s", json!(0)),
        with("speed_mps", json!(-3)),
        with("begin", json!("seven")),
    ];
    let batch = json!({ "observations": reports }).to_string();
    let receipt = service.post_once(path, "k", batch.as_bytes());
    assert_eq!(receipt.status, 200, "{}", receipt.text());
    let told = receipt.json();
    assert_eq!((&told["accepted"], &told["duplicate"]), (&json!(2), &json!(1)), "{told}");
    let refused = told["refused"].as_array().unwrap().iter();
    let refused: Vec<_> = refused.map(|r| (r["index"].as_u64().unwrap(), r["code"].as_str().unwrap())).collect();
    let expected = [
        (1, "unknown_detector"),
        (2, "impossible_value"),
        (3, "clock_far_off"),
        (4, "malformed"),
        (7, "contradiction"),
        (8, "impossible_value"),
        (9, "impossible_value"),
        (10, "malformed"),
    ];
    assert_eq!(refused, expected, "{told}");
    // The same key and body: the same answer, and nothing is counted twice. Another body: refused.
    assert_eq!(service.post_once(path, "k", batch.as_bytes()).body, receipt.body);
    assert_eq!(service.post_once(path, "k", b"{\"observations\":[]}").status, 422);
    assert_eq!(service.post_once(path, &"k".repeat(256), batch.as_bytes()).status, 400);
    let metrics = service.get("/metrics", &[]).text();
    assert!(metrics.contains(r#"greenkerb_observations_total{outcome="accepted"} 2"#), "{metrics}");
    let lines = format!("{}\nnot json\n\n{}\n", good(SEVEN + 3), good(SEVEN + 4));
    let told = service.post(path, "application/x-ndjson", lines.as_bytes()).json();
    assert_eq!((&told["accepted"], &told["refused_total"]), (&json!(2), &json!(1)), "{told}");
}

#[test]
fn garbage_is_a_problem_and_nothing_is_lost() {
    let service = Running::start(&crossroads(), None, "");
    service.tell(SEVEN, &service.detectors());
    let timing = service.timing_path();
    let (ack, history) = (timing.replace("/timing", "/ack"), timing.replace("/timing", "/history"));
    let before = service.get(&timing, &[]).body;
    let observe = |kind: &str, body: &[u8]| service.post("/v1/observations", kind, body);
    let replies = [
        (observe(JSON, b"{\"observations\": 3}"), 400),
        (observe(JSON, b"\xff\xfe\x00"), 400),
        (observe("text/plain", b"x"), 415),
        (observe(JSON, &vec![b' '; 9 << 20]), 413),
        (service.post(&ack, JSON, b"{}"), 400),
        (service.get("/v1/controllers/no%20such/timing", &[]), 404),
        (service.get(&format!("{timing}?wait=soon"), &[]), 400),
        (service.get(&format!("{history}?limit=0"), &[]), 400),
        (service.get("/v2/nothing", &[]), 404),
        (service.get("/v1/controllers/%ff%fe/timing", &[]), 400),
        (service.post("/livez", JSON, b""), 405),
    ];
    for (i, (r, status)) in replies.iter().enumerate() {
        assert_eq!(r.status, *status, "reply {i}: {}", r.text());
        assert_eq!(r.kind, "application/problem+json", "reply {i}: {}", r.text());
        assert_eq!(r.json()["status"].as_u64(), Some(u64::from(*status)));
    }
    assert_eq!(service.get(&timing, &[]).body, before);
}

#[test]
fn acknowledgements_show_requested_beside_running() {
    let service = Running::start(&crossroads(), None, "");
    service.tell(SEVEN, &service.detectors());
    let path = service.timing_path();
    let timing = service.get(&path, &[]).json();
    let ack = |state: &str, revision: &Value, hash: &Value| {
        let body = json!({ "revision": revision, "hash": hash, "state": state, "at": instant(SEVEN + 1) });
        service.post(&path.replace("/timing", "/ack"), JSON, body.to_string().as_bytes()).status
    };
    let entry = || service.get("/v1/controllers", &[]).json()["controllers"][0].clone();
    let (revision, hash) = (&timing["revision"], &timing["hash"]);
    assert_eq!(ack("active", revision, &json!("another")), 409);
    assert_eq!(ack("active", &json!(99), hash), 409);
    assert_eq!(entry()["running_revision"], Value::Null);
    assert_eq!(ack("active", revision, hash), 204);
    assert_eq!((&entry()["running_revision"], &entry()["mismatch"]), (revision, &json!(false)));
    assert_eq!(ack("rejected", revision, hash), 204);
    assert_eq!(entry()["mismatch"], json!(true), "{}", entry());
}

#[test]
fn without_time_to_solve_plans_stay_valid() {
    let data = tempfile::tempdir().unwrap();
    let service = Running::start(&crossroads(), Some(data.path()), "solve_deadline_ms = 0\n");
    let detectors = service.detectors();
    for second in SEVEN..SEVEN + 300 {
        assert_eq!(service.tell(second, &detectors).status, 200);
    }
    let state = service.get("/v1/network/state", &[]).json();
    assert_eq!(state["decisions"][0]["method"], "max_pressure", "{}", state["decisions"]);
    assert_eq!(service.get(&service.timing_path(), &[]).status, 200);
    let ready = service.get("/readyz", &[]).json();
    assert_eq!(
        (&ready["status"], &ready["warnings"][0]["code"]),
        (&json!("ready"), &json!("deadline_missed")),
        "{ready}"
    );
    let metrics = service.get("/metrics", &[]).text();
    assert!(metrics.contains("greenkerb_proposals_refused_total 0"), "{metrics}");
}

#[test]
fn a_network_file_that_changes_is_told_and_not_taken_up() {
    let data = tempfile::tempdir().unwrap();
    let network = data.path().join("city.net.xml");
    std::fs::copy(crossroads(), &network).unwrap();
    let service = Running::start(&network, Some(data.path()), "network_check_s = 0.1\n");
    let detectors = service.detectors();
    service.tell(SEVEN, &detectors);
    let before = service.get(&service.timing_path(), &[]).body;
    let ready = service.get("/readyz", &[]);
    assert_eq!(ready.status, 200, "{}", ready.text());
    std::fs::write(&network, "<net/>").unwrap();
    let told = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        service.get("/readyz", &[]).text().contains("network_file_changed")
    });
    assert!(told);
    assert!(service.get("/metrics", &[]).text().contains("greenkerb_network_file_changed 1"));
    assert_eq!(service.get(&service.timing_path(), &[]).body, before);
    assert_eq!(service.tell(SEVEN + 1, &detectors).json()["accepted"], json!(detectors.len()));
}

#[test]
fn readiness_says_what_is_missing() {
    let data = tempfile::tempdir().unwrap();
    let service = Running::start(&crossroads(), Some(data.path()), "[optimizer]\nfeed_timeout = 1\n");
    assert_eq!(service.get("/livez", &[]).status, 200);
    let ready = service.get("/readyz", &[]);
    assert_eq!((ready.status, ready.kind.as_str()), (503, "application/problem+json"), "{}", ready.text());
    service.tell(SEVEN, &service.detectors());
    // The feed stops: a tenth of a second is too long here.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(service.get("/readyz", &[]).text().contains("feed_stale"));
}

#[test]
fn the_committed_description_is_the_one_served() {
    let service = Running::start(&crossroads(), None, "");
    let served = service.get("/openapi.json", &[]).text();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("GREENKERB_WRITE_OPENAPI").is_some() {
        std::fs::write(&file, &served).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap();
    assert!(committed == served, "write it anew with GREENKERB_WRITE_OPENAPI=1 and look at the difference");
}
