//! Whose word the clock is: gaps, liars, and a feed that stops.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use greenkerb_api::engine::clock::Clock;
use greenkerb_api::service::{Options, Service};
use greenkerb_api::settings::RawSettings;
use greenkerb_models::units::TimeDs;
use serde_json::{Value, json};
use support::{Reply, Running, SEVEN, agent, crossroads, instant, try_get, try_post};

fn report(detector: &str, begin: &str) -> Value {
    json!({ "detector": detector, "begin": begin, "length_s": 1.0, "count": 0, "occupancy": 0.0 })
}

fn tell(service: &Running, reports: &[Value]) -> Value {
    let body = json!({ "observations": reports }).to_string();
    let reply = service.post("/v1/observations", "application/json", body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[test]
fn a_feed_that_comes_back_after_a_gap_is_taken_up_again() {
    let data = tempfile::tempdir().unwrap();
    let service = Running::start(&crossroads(), Some(data.path()), "");
    let detectors = service.detectors();
    service.tell(SEVEN, &detectors);
    let later = service.tell(SEVEN + 3_600, &detectors).json();
    assert_eq!(
        (&later["accepted"], &later["clock"]),
        (&json!(detectors.len()), &json!(instant(SEVEN + 3_601))),
        "{later}"
    );
    // The plan from before the gap has run out; the next cycle start brings another.
    let ready = (1..300).find(|s| {
        service.tell(SEVEN + 3_600 + s, &detectors);
        service.get("/readyz", &[]).status == 200
    });
    assert!(ready.is_some(), "{}", service.get("/readyz", &[]).text());
    // Through a restart as well: the clock that the store remembers is from before the gap.
    drop(service);
    let service = Running::start(&crossroads(), Some(data.path()), "");
    let later = service.tell(SEVEN + 9_000, &detectors).json();
    assert_eq!(later["accepted"], json!(detectors.len()), "{later}");
    let timing = service.get(&service.timing_path(), &[]).json();
    assert!(timing["revision"].as_u64() >= Some(1));
}

#[test]
fn one_detector_neither_stops_nor_carries_off_an_external_clock() {
    let service = Running::start(&crossroads(), None, "");
    let d = service.detectors();
    // A first report from the beginning of time, beside good ones.
    let good = |second: u32, i: usize| report(&d[i], &instant(second));
    let told = tell(&service, &[report(&d[0], "1970-01-01T00:00:00Z"), good(SEVEN, 1), good(SEVEN, 2), good(SEVEN, 3)]);
    assert_eq!((&told["accepted"], &told["refused"][0]["code"]), (&json!(3), &json!("clock_far_off")), "{told}");
    assert_eq!(told["clock"], json!(instant(SEVEN + 1)));
    // One that is a year ahead, again and again.
    for second in SEVEN + 1..SEVEN + 20 {
        let told = tell(&service, &[report(&d[0], "1971-01-01T07:00:00Z"), good(second, 1), good(second, 2)]);
        assert_eq!((&told["accepted"], &told["clock"]), (&json!(2), &json!(instant(second + 1))), "{told}");
        let told = tell(&service, &[report(&d[0], "1971-01-01T07:00:00Z")]);
        assert_eq!((&told["accepted"], &told["clock"]), (&json!(0), &json!(instant(second + 1))), "{told}");
    }
}

fn clock_and_accepted(told: &Value) -> (Value, Value) {
    (told["clock"].clone(), told["accepted"].clone())
}

/// A report that a little later every time cannot be told from a good one; it is the others who tell.
#[test]
fn whoever_runs_ahead_step_by_step_runs_alone() {
    let service = Running::start(&crossroads(), None, "");
    let d = service.detectors();
    service.tell(SEVEN, &d);
    for step in 1..5 {
        let told = tell(&service, &[report(&d[0], &instant(SEVEN + 590 * step))]);
        assert_eq!(told["clock"], json!(instant(SEVEN + 1)), "{told}");
    }
    let future: Vec<Value> = d[1..4].iter().map(|name| report(name, "2099-01-01T00:00:00Z")).collect();
    let told = tell(&service, &future);
    assert_eq!(clock_and_accepted(&told), (json!(instant(SEVEN + 1)), json!(0)), "{told}");
    let warned = service.get("/readyz", &[]).text();
    assert!(warned.contains("clock_disputed"), "{warned}");
    for second in SEVEN + 1..SEVEN + 30 {
        let told = service.tell(second, &d).json();
        assert_eq!(clock_and_accepted(&told), (json!(instant(second + 1)), json!(d.len())), "{told}");
    }
    assert!(!service.get("/readyz", &[]).text().contains("clock_disputed"));
}

/// Lives of a service whose clock somebody has set to a time that never was.
#[test]
fn a_clock_that_a_liar_has_set_heals_through_a_restart_as_well() {
    let data = tempfile::tempdir().unwrap();
    let first = Running::start(&crossroads(), Some(data.path()), "");
    let d = first.detectors();
    let told = tell(&first, &[report(&d[0], "9999-12-30T00:00:00Z")]);
    assert_eq!((&told["accepted"], &told["refused"][0]["code"]), (&json!(0), &json!("impossible_value")), "{told}");
    let told = tell(&first, &[report(&d[0], "2099-01-01T00:00:00Z")]);
    assert_eq!(clock_and_accepted(&told), (json!("2099-01-01T00:00:01Z"), json!(1)), "nobody else is there: {told}");
    let lied = first.get(&first.timing_path(), &[]).json();
    drop(first);
    // The store has kept it.
    let service = Running::start(&crossroads(), Some(data.path()), "");
    let healed = (SEVEN..SEVEN + 20).find(|second| service.tell(*second, &d).json()["accepted"] == json!(d.len()));
    let healed = healed.expect("the clock goes where all detectors say it is");
    let ready = (healed + 1..healed + 10).find(|second| {
        service.tell(*second, &d);
        service.get("/readyz", &[]).status == 200
    });
    assert!(ready.is_some(), "{}", service.get("/readyz", &[]).text());
    let timing = service.get(&service.timing_path(), &[]).json();
    assert!(timing["revision"].as_u64() > lied["revision"].as_u64(), "{timing}");
    assert!(timing["valid_from"].as_str().unwrap().starts_with("1970-01-01T07:"), "{timing}");
    // Within one life the next batch heals it: one report has confirmed nothing.
    let service = Running::start(&crossroads(), None, "");
    tell(&service, &[report(&d[0], "2099-01-01T00:00:00Z")]);
    let told = service.tell(SEVEN, &d).json();
    assert_eq!(clock_and_accepted(&told), (json!(instant(SEVEN + 1)), json!(d.len())), "{told}");
    assert_eq!(service.get("/readyz", &[]).status, 200, "{}", service.get("/readyz", &[]).text());
}

/// Intervals of one detector that overlap say different things about the same time, however they are cut.
#[test]
fn overlapping_intervals_contradict() {
    let service = Running::start(&crossroads(), None, "");
    let d = service.detectors();
    service.tell(SEVEN, &d);
    let of = |begin: u32, length_s: f64| {
        let mut r = report(&d[0], &instant(begin));
        r["length_s"] = json!(length_s);
        r
    };
    let told = tell(&service, &[of(SEVEN - 60, 60.0), of(SEVEN - 30, 10.0), of(SEVEN - 61, 2.0), of(SEVEN - 90, 30.0)]);
    assert_eq!((&told["accepted"], &told["refused_total"]), (&json!(2), &json!(2)), "{told}");
    assert_eq!(told["refused"][0]["code"], "contradiction");
    let sliding: Vec<Value> = (1..=400).map(|tenths| of(SEVEN + 1, f64::from(tenths) / 10.0)).collect();
    let told = tell(&service, &sliding);
    assert_eq!((&told["accepted"], &told["refused_total"]), (&json!(1), &json!(399)), "{told}");
}

#[test]
fn a_batch_sorted_by_detector_is_not_late() {
    let service = Running::start(&crossroads(), None, "");
    let d = service.detectors();
    let reports: Vec<Value> =
        d[..3].iter().flat_map(|name| (0..300).map(move |s| report(name, &instant(SEVEN + s)))).collect();
    let told = tell(&service, &reports);
    assert_eq!(
        (&told["accepted"], &told["late"], &told["out_of_order"]),
        (&json!(900), &json!(0), &json!(0)),
        "{told}"
    );
    // What comes after it and is older is taken, and flagged.
    let told = tell(&service, &[report(&d[3], &instant(SEVEN)), report(&d[0], "1970-01-01T06:59:00Z")]);
    assert_eq!((&told["accepted"], &told["late"], &told["out_of_order"]), (&json!(2), &json!(1), &json!(1)), "{told}");
}

/// A service in this process, whose wall clock is ours to turn.
struct Turned {
    now: Arc<AtomicI64>,
    url: String,
    _runtime: tokio::runtime::Runtime,
}

impl Turned {
    fn start(settings: &str) -> Self {
        let now = Arc::new(AtomicI64::new(TimeDs::from_s(i64::from(SEVEN)).0));
        let hand = now.clone();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = Options {
            network: greenkerb_api::service::NetworkSource::File(crossroads()),
            listen: ([127, 0, 0, 1], 0).into(),
            data: None,
            clock: Clock::reading(move || TimeDs(hand.load(Ordering::SeqCst))),
            settings: toml::from_str::<RawSettings>(settings).unwrap().resolve().unwrap(),
        };
        let service = runtime.block_on(Service::start(options)).unwrap();
        let url = format!("http://{}", service.address().unwrap());
        runtime.spawn(service.serve(std::future::pending()));
        Self { now, url, _runtime: runtime }
    }

    fn turn_to(&self, second: u32) {
        self.now.store(TimeDs::from_s(i64::from(second)).0, Ordering::SeqCst);
    }

    fn get(&self, path: &str) -> Reply {
        try_get(&agent(), &format!("{}{path}", self.url), &[]).unwrap()
    }

    fn tell(&self, reports: &[Value]) -> Value {
        let body = json!({ "observations": reports }).to_string();
        try_post(&agent(), &format!("{}/v1/observations", self.url), "application/json", body.as_bytes())
            .unwrap()
            .json()
    }

    fn detectors(&self) -> Vec<String> {
        let list = self.get("/v1/detectors").json();
        list["detectors"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn the_feed_stops_and_readiness_says_who_runs_its_own_plan() {
    let service = Turned::start("");
    let name = service.get("/v1/controllers").json()["controllers"][0]["name"].clone();
    let timing = format!("/v1/controllers/{}/timing", name.as_str().unwrap());
    // On a wall clock there is a plan from the start, and no feed yet.
    assert_eq!(service.get(&timing).json()["revision"], 1);
    assert!(service.get("/readyz").text().contains("nothing has been observed yet"));
    let reports: Vec<Value> = service.detectors().iter().map(|d| report(d, &instant(SEVEN - 1))).collect();
    assert_eq!(service.tell(&reports)["accepted"], json!(reports.len()));
    assert_eq!(service.get("/readyz").status, 200, "{}", service.get("/readyz").text());
    service.turn_to(SEVEN + 120);
    let ready = service.get("/readyz");
    assert_eq!((ready.status, ready.kind.as_str()), (503, "application/problem+json"));
    assert_eq!(ready.json()["reasons"][0]["code"], "feed_stale");
    service.turn_to(SEVEN + 3_600);
    let ready = service.get("/readyz").json();
    let expired = ready["reasons"].as_array().unwrap().iter().find(|r| r["code"] == "plan_expired").unwrap();
    assert_eq!(expired["controllers"], json!([name]));
    let entry = service.get("/v1/controllers").json()["controllers"][0].clone();
    assert_eq!((&entry["on_time_of_day_plan"], &entry["expected_revision"]), (&json!(true), &Value::Null), "{entry}");
    assert!(service.get("/metrics").text().contains("greenkerb_ready 0"));
    // What is served still says until when it held, and what to run since.
    let served = service.get(&timing).json();
    assert!(served["valid_until"].as_str().unwrap() < instant(SEVEN + 3_600).as_str());
    assert!(served["fallback"]["cycle_ds"].as_u64() > Some(0));
}

#[test]
fn a_detector_ahead_of_the_wall_clock_does_not_make_the_others_look_silent() {
    let service = Turned::start("");
    let d = service.detectors();
    for second in 0..40 {
        service.turn_to(SEVEN + second);
        let mut reports: Vec<Value> = d[1..].iter().map(|d| report(d, &instant(SEVEN + second - 1))).collect();
        reports.push(report(&d[0], &instant(SEVEN + second + 300)));
        let told = service.tell(&reports);
        assert_eq!((&told["accepted"], &told["refused"][0]["code"]), (&json!(d.len() - 1), &json!("clock_far_off")));
    }
    // The engine looks at the time once a second: until it has, nobody is judged.
    let health = |list: &Value, name: &str| {
        list["detectors"].as_array().unwrap().iter().find(|e| e["name"] == name).unwrap()["health"].clone()
    };
    let judged = (0..100).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        service.get("/v1/detectors").json()
    });
    let judged = judged.into_iter().find(|list| health(list, &d[0]) == "missing").expect("the liar is found out");
    for name in &d[1..] {
        assert_eq!(health(&judged, name), "healthy", "{name}");
    }
}
