//! The street with a service that is as simple as can be: it knows one plan for every controller and publishes it anew
//! with every minute of data. What is tested is our end of the line.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use greenkerb_models::formats;
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Controller, PlanView, TimingPlan};
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::sumo::{Control, Service, SumoOptions, SumoReport};
use serde_json::{Value, json};

use crate::options;
use crate::shipped_field::run_quietly;
use crate::small::{Small, installation};

/// Seconds between two publications of the same plan.
const RENEWED_S: i64 = 60;
/// A plan is valid this much longer than until its renewal.
const VALID_S: i64 = 120;

/// What the service is like.
#[derive(Clone, Copy)]
struct Manner {
    /// Length of every stage in seconds; nothing keeps the file's.
    split_s: Option<u32>,
    /// It publishes nothing more from this second on.
    silent_from_s: i64,
    /// It computes against another database.
    wrong_checksum: bool,
}

const PLAIN: Manner = Manner { split_s: None, silent_from_s: i64::MAX, wrong_checksum: false };

#[derive(Default)]
struct Heard {
    newest: Option<TimeDs>,
    reports: u64,
    counts: u64,
    keys: Vec<String>,
    acks: HashMap<String, u64>,
}

struct Fake {
    network: Network,
    manner: Manner,
    heard: Mutex<Heard>,
}

impl Fake {
    /// Serves a network on a free port for the rest of the test.
    fn serve(net: &Path, manner: Manner) -> (Arc<Self>, String) {
        let network = formats::read(net).unwrap().network;
        let fake = Arc::new(Self { network, manner, heard: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serving = Arc::clone(&fake);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let fake = Arc::clone(&serving);
                std::thread::spawn(move || fake.talk(stream));
            }
        });
        (fake, address)
    }

    fn talk(&self, stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        loop {
            let mut request = String::new();
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
            let mut headers = HashMap::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let Some((name, value)) = line.trim().split_once(':') else { break };
                headers.insert(name.to_lowercase(), value.trim().to_owned());
            }
            let length = headers.get("content-length").map_or(0, |l| l.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let path = request.split(' ').nth(1).unwrap();
            let (status, etag, answer) = self.answer(path, &headers, &body);
            let head = format!("HTTP/1.1 {status}\r\netag: {etag}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
            writer.write_all(head.as_bytes()).unwrap();
        }
    }

    fn answer(&self, path: &str, headers: &HashMap<String, String>, body: &[u8]) -> (&'static str, String, String) {
        let ok = |value: Value| ("200 OK", "\"\"".to_owned(), value.to_string());
        let mut heard = self.heard.lock().unwrap();
        if path == "/v1/controllers" {
            let names = self.network.controllers().iter().map(|c| json!({ "name": c.name }));
            return ok(json!({ "controllers": names.collect::<Vec<_>>() }));
        }
        if path == "/v1/observations" {
            let batch: Value = serde_json::from_slice(body).unwrap();
            let items = batch["observations"].as_array().unwrap();
            for item in items {
                let begin = TimeDs::parse_rfc3339(item["begin"].as_str().unwrap()).unwrap();
                let end = begin + Ds::from_seconds(item["length_s"].as_f64().unwrap()).unwrap();
                assert!(self.network.detector_named(item["detector"].as_str().unwrap()).is_some());
                assert!((0.0..=1.0).contains(&item["occupancy"].as_f64().unwrap()));
                heard.counts += item["count"].as_u64().unwrap();
                heard.newest = heard.newest.max(Some(end));
            }
            heard.reports += items.len() as u64;
            heard.keys.push(headers["idempotency-key"].clone());
            return ok(json!({ "accepted": items.len(), "refused": [] }));
        }
        let name = path.trim_start_matches("/v1/controllers/").split('/').next().unwrap();
        let id = self.network.controller_named(name).unwrap();
        if path.ends_with("/ack") {
            let ack: Value = serde_json::from_slice(body).unwrap();
            *heard.acks.entry(ack["state"].as_str().unwrap().to_owned()).or_default() += 1;
            return ("204 No Content", "\"\"".to_owned(), String::new());
        }
        let timing = self.timing(self.network.controller(id), heard.newest.unwrap());
        let etag = format!("\"{}\"", timing["revision"]);
        if headers.get("if-none-match") == Some(&etag) {
            return ("304 Not Modified", etag, String::new());
        }
        ("200 OK", etag, timing.to_string())
    }

    fn timing(&self, controller: &Controller, now: TimeDs) -> Value {
        let own = controller.time_of_day_plan();
        let stages = controller.program.stage_count();
        let plan = self.manner.split_s.map_or_else(
            || own.clone(),
            |s| {
                controller
                    .program
                    .compile(&controller.groups, &controller.conflicts, &vec![Ds::from_s(s); stages], Ds::ZERO)
                    .unwrap()
            },
        );
        let published_s = (now.0 / 10).min(self.manner.silent_from_s) / RENEWED_S * RENEWED_S;
        let revision = published_s / RENEWED_S + 1;
        // The first takes over at a cycle start of the controller's own plan, the others at one of the plan itself.
        let running = if revision == 1 { &own } else { &plan };
        let valid_from = running.next_cycle_start(TimeDs::from_s(published_s + 2));
        let checksum = if self.manner.wrong_checksum { "another".into() } else { controller.checksum() };
        json!({
            "controller": controller.name, "revision": revision, "hash": format!("hash-{revision}"),
            "valid_from": valid_from.rfc3339(),
            "valid_until": (valid_from + Ds::from_s((RENEWED_S + VALID_S) as u32)).rfc3339(),
            "poll_after_s": 1.0, "configuration_checksum": checksum, "transition": "short_way",
            "plan": wire(controller, &plan), "fallback": wire(controller, &own),
        })
    }
}

fn wire(controller: &Controller, plan: &TimingPlan) -> Value {
    let groups = controller.groups.iter().zip(&plan.greens).map(|(group, greens)| {
        let greens =
            greens.iter().map(|g| json!({ "start_ds": g.start, "length_ds": g.length, "protection": g.protection }));
        json!({ "group": group.name, "greens": greens.collect::<Vec<_>>() })
    });
    let PlanView::Stages { splits } = &plan.view else { panic!("the grid has stages") };
    let stages = splits.iter().map(|s| json!({ "stage": s.stage, "green_ds": s.green }));
    json!({
        "cycle_ds": plan.cycle, "offset_ds": plan.offset, "offset_reference": plan.reference,
        "reference_position_ds": plan.reference_position,
        "groups": groups.collect::<Vec<_>>(), "stages": stages.collect::<Vec<_>>(),
    })
}

/// Runs the small network under a fake service.
fn run_under(manner: Manner, change: impl Fn(&mut SumoOptions)) -> Option<(Small, Arc<Fake>, SumoReport)> {
    let small = Small::make(&installation()?);
    let (fake, address) = Fake::serve(&small.net, manner);
    let mut options = options(&small, Control::Ours(Service::At(address)));
    change(&mut options);
    let report = run_quietly(options);
    assert_eq!(report.monitor_violations, 0, "{report}");
    assert_eq!(report.collisions, 0, "{report}");
    Some((small, fake, report))
}

#[test]
fn a_service_that_publishes_the_own_plan_changes_nothing() {
    let Some((small, fake, report)) = run_under(PLAIN, |_| {}) else { return };
    let shipped = run_quietly(options(&small, Control::Shipped));
    assert_eq!(report.seeds[0].delay, shipped.seeds[0].delay, "loops, polls and renewals leave no trace in traffic");
    let exchange = &report.seeds[0].exchange;
    let controllers = fake.network.controllers().len() as u64;
    assert_eq!((exchange.failures, exchange.reports_refused, exchange.plans_rejected), (0, 0, 0), "{report}");
    assert_eq!(exchange.plans_served, 10 * controllers, "one publication a minute");
    assert_eq!(exchange.polls, 599 * controllers, "one poll a second from the first report on");
    assert_eq!(exchange.fallbacks, 0);
    let heard = fake.heard.lock().unwrap();
    assert_eq!(heard.reports, exchange.reports_sent);
    assert_eq!(heard.reports, 599 * fake.network.detectors().len() as u64);
    assert!(heard.keys.len() == 599 && heard.keys.windows(2).all(|w| w[0] != w[1]), "every batch has its own key");
    assert_eq!(heard.acks["received"], exchange.plans_served);
    assert_eq!(heard.acks["validated"], exchange.plans_served);
    assert_eq!(heard.acks["active"], exchange.plans_activated);
    // Every vehicle that crosses the grid passes a stop bar; most pass two or three loops.
    assert!(heard.counts > 2 * shipped.arrived, "{} counts", heard.counts);
}

#[test]
fn another_plan_makes_another_street_and_its_end_brings_the_own_plan_back() {
    let manner = Manner { split_s: Some(12), silent_from_s: 200, ..PLAIN };
    let Some((small, fake, report)) = run_under(manner, |_| {}) else { return };
    let shipped = run_quietly(options(&small, Control::Shipped));
    assert_ne!(report.seeds[0].delay, shipped.seeds[0].delay);
    let controllers = fake.network.controllers().len() as u64;
    let exchange = &report.seeds[0].exchange;
    assert_eq!(exchange.plans_rejected, 0, "{report}");
    assert!(exchange.plans_activated >= controllers, "{report}");
    assert_eq!(exchange.fallbacks, controllers, "each controller returns to its own plan once");
    assert_eq!(fake.heard.lock().unwrap().acks["local_mode"], controllers);
}

#[test]
fn plans_for_another_database_are_not_run() {
    let manner = Manner { split_s: Some(12), wrong_checksum: true, ..PLAIN };
    let Some((small, _, report)) = run_under(manner, |_| {}) else { return };
    let shipped = run_quietly(options(&small, Control::Shipped));
    assert_eq!(report.seeds[0].delay, shipped.seeds[0].delay);
    let exchange = &report.seeds[0].exchange;
    assert_eq!((exchange.plans_activated, exchange.plans_rejected), (0, exchange.plans_served));
    assert!(exchange.remarks[0].contains("another"), "{report}");
}

#[test]
fn faulty_detectors_and_rare_reports_reach_the_service_as_such() {
    let change = |options: &mut SumoOptions| {
        options.faults = Some("silent:25%,lying:25%,seed:2".parse().unwrap());
        options.interval_s = 5;
    };
    let Some((_, fake, report)) = run_under(PLAIN, change) else { return };
    let detectors = fake.network.detectors().len() as u64;
    assert_eq!(report.faulty_detectors as u64, 2 * (detectors as f64 * 0.25).round() as u64);
    let heard = fake.heard.lock().unwrap();
    assert_eq!(heard.keys.len(), 119, "a report every 5 s");
    let silent = (detectors as f64 * 0.25).round() as u64;
    assert_eq!(heard.reports, 119 * (detectors - silent), "the silent quarter is missing");
}

#[test]
fn a_recording_holds_what_passed() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().to_owned();
    let Some((_, fake, report)) = run_under(PLAIN, |options| options.record = Some(record.clone())) else { return };
    let lines = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join("seed-1").join(name)).unwrap();
        text.lines().filter(|l| !l.is_empty()).map(|l| serde_json::from_str(l).unwrap()).collect::<Vec<Value>>()
    };
    assert_eq!(lines("observations.ndjson").len() as u64, fake.heard.lock().unwrap().reports);
    let timings = lines("timings.ndjson");
    assert_eq!(timings.len() as u64, report.seeds[0].exchange.plans_served);
    assert_eq!(timings[0]["timing"]["revision"], 1);
}
