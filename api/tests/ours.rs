//! The service's core in one process and the whole service over HTTP: the same reports give the same plans, byte for byte,
//! and a recording gives them once more.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use greenkerb_models::formats::native;
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::client::Client;
use greenkerb_simulations::field::FieldController;
use greenkerb_simulations::line::{Exchange, InProcess, InProcessOptions, Line, LineOptions, Service};
use greenkerb_simulations::scenarios::grid;
use greenkerb_simulations::sensing::Sighting;
use serde_json::Value;
use support::Running;

/// Time for a decision without end, so that a busy machine decides as an idle one does.
const PATIENT: &str = "solve_deadline_ms = 3600000\n";
const SEVEN: TimeDs = TimeDs::from_s(25_200);

/// A district of four signals, in a folder with its network file.
struct District {
    folder: tempfile::TempDir,
    network: Arc<Network>,
}

impl District {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = Arc::new(grid(2, 2, 250.0).unwrap());
        let mut text = Vec::new();
        native::write(network.parts(), &mut text).unwrap();
        std::fs::write(folder.path().join("network.gkn"), text).unwrap();
        Self { folder, network }
    }

    fn serve(&self, name: &str) -> Running {
        let data = self.at(name);
        std::fs::create_dir_all(&data).unwrap();
        Running::start(&self.at("network.gkn"), Some(&data), PATIENT)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// What loops see: a wave of traffic that wanders from approach to approach, so that plans change.
fn seen(network: &Network, second: i64) -> Vec<Sighting> {
    let detectors = 0..network.detectors().len() as i64;
    detectors
        .map(|i| {
            let every = 3 + (i * 7 + second / 240 * 5) % 17;
            let count = u32::from((second + i) % every == 0);
            Sighting { count, occupied_s: f64::from(count) * 0.437, speed_mps: None }
        })
        .collect()
}

/// A field that lives through so many seconds of made-up traffic, under whatever service is at the other end. At the end
/// every controller runs what was published.
fn live(district: &District, service: Box<dyn Service>, seconds: u32, record: &Path, faults: &str) -> Exchange {
    let network = Arc::clone(&district.network);
    let options =
        LineOptions { faults: faults.parse().unwrap(), record: Some(record.to_owned()), ..LineOptions::new(SEVEN) };
    let mut field: Vec<FieldController> =
        network.controllers().iter().map(|c| FieldController::new(Arc::new(c.clone()), Ds::from_s(1))).collect();
    let mut line = Line::open(service, None, Arc::clone(&network), options).unwrap();
    for second in 0..=i64::from(seconds) {
        let now = TimeDs::from_s(SEVEN.0 / 10 + second);
        line.tend(&mut field, now, || seen(&network, second), Vec::new).unwrap();
        for controller in &mut field {
            controller.show(now);
        }
        line.acknowledge(&mut field, now).unwrap();
    }
    assert!(field.iter().all(|c| c.monitor().violations() == 0));
    assert!(field.iter().all(|c| c.running_revision().is_some()), "somebody runs its own plan at the end");
    line.close().unwrap()
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn replay(recording: &Path, service: &Running) -> (Value, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_greenkerb"))
        .args(["replay", "--json", "--service", &service.url])
        .arg(recording)
        .output()
        .unwrap();
    let told = serde_json::from_slice(&output.stdout);
    (told.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr))), output.status.success())
}

#[test]
fn in_one_process_and_over_http_the_plans_are_the_same_bytes() {
    let district = District::new();
    let faults = "silent:5%,lying:5%,noisy:10%,delayed:10%,delay_s:20,lost:25%,lost_from_s:300,lost_for_s:60,seed:4";
    let inside = InProcess::new(Arc::clone(&district.network), InProcessOptions::default());
    let inside = live(&district, Box::new(inside), 900, &district.at("inside"), faults);
    let service = district.serve("service");
    let outside = live(&district, Box::new(Client::new(&service.url)), 900, &district.at("outside"), faults);
    assert_eq!(inside, outside);
    assert_eq!((inside.failures, inside.reports_refused, inside.plans_rejected, inside.fallbacks), (0, 0, 0, 0));
    assert!(inside.plans_activated > 8, "plans change: {inside:?}");
    for file in ["recording.json", "observations.ndjson", "timings.ndjson"] {
        let [a, b] = ["inside", "outside"].map(|folder| read(&district.at(folder), file));
        assert!(a == b, "{file} differs");
        assert!(a.len() > 100, "{file} is all but empty");
    }
}

#[test]
fn a_controller_without_a_line_runs_out_of_plans_and_then_its_own() {
    let district = District::new();
    // Nothing is heard of half the controllers for longer than any plan is valid.
    let faults = "lost:50%,lost_from_s:120,lost_for_s:900";
    let inside = InProcess::new(Arc::clone(&district.network), InProcessOptions::default());
    let exchange = live(&district, Box::new(inside), 1_500, &district.at("cut"), faults);
    assert_eq!(exchange.fallbacks, 2, "each of the two goes back to its own plan once: {exchange:?}");
    // The service takes them to have followed all along, so its first plan afterwards may be none they can get into. They
    // say so, and take a later one.
    assert!(exchange.plans_rejected <= 2 && exchange.plans_served > exchange.plans_rejected + 4, "{exchange:?}");
}

#[test]
fn a_recording_is_told_once_more_and_the_plans_are_the_same_bytes() {
    let district = District::new();
    let inside = InProcess::new(Arc::clone(&district.network), InProcessOptions::default());
    let recording = district.at("recording");
    let exchange = live(&district, Box::new(inside), 600, &recording, "delayed:20%,delay_s:7,seed:2");
    let service = district.serve("again");
    let (told, well) = replay(&recording, &service);
    assert!(well, "{told}");
    assert_eq!(told["recorded"], exchange.plans_served);
    assert_eq!(told["identical"], told["recorded"]);
    assert_eq!((told["reports"].as_u64(), told["refused"].as_u64()), (Some(exchange.reports_sent), Some(0)));

    // The service has lived through it: not again.
    let output = Command::new(env!("CARGO_BIN_EXE_greenkerb"))
        .args(["replay", "--service", &service.url])
        .arg(&recording)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("time never goes back"), "{said}");

    // One changed number is found.
    let timings = recording.join("timings.ndjson");
    let text = std::fs::read_to_string(&timings).unwrap();
    let (first, rest) = text.split_once("\"cycle_ds\":").unwrap();
    std::fs::write(&timings, format!("{first}\"cycle_ds\":1{rest}")).unwrap();
    let (told, well) = replay(&recording, &district.serve("third"));
    assert!(!well);
    assert_eq!(told["differences"].as_array().unwrap().len(), 1, "{told}");
}
