//! The real program on a loopback port: what controllers, detectors and operators meet.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A running service; killed when it goes out of scope.
struct Running {
    child: Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn crossroads() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml")
}

fn serve(data: &Path, network: &Path, settings: Option<&str>) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenkerb"));
    command.args(["serve", "--clock", "external", "--listen", "127.0.0.1:0", "--network"]).arg(network);
    command.arg("--data").arg(data);
    if let Some(text) = settings {
        let file = data.join("settings.toml");
        std::fs::write(&file, text).unwrap();
        command.arg("--settings").arg(file);
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("said {line:?}")).to_owned();
    Running { child, url }
}

struct Reply {
    status: u16,
    etag: Option<String>,
    kind: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn reply(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Reply {
    let mut r = response.unwrap();
    let header = |name: &str| r.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    let (etag, kind) = (header("etag"), header("content-type").unwrap_or_default());
    Reply { status: r.status().as_u16(), etag, kind, body: r.body_mut().read_to_string().unwrap() }
}

fn get(url: &str, headers: &[(&str, &str)]) -> Reply {
    let request = headers.iter().fold(agent().get(url), |r, (k, v)| r.header(*k, *v));
    reply(request.call())
}

fn post(url: &str, kind: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let request = headers.iter().fold(agent().post(url).header("content-type", kind), |r, (k, v)| r.header(*k, *v));
    reply(request.send(body))
}

fn instant(second: u32) -> String {
    format!("1970-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// What the loops of the crossroads see in one second: a steady stream, heavier from the north.
fn second(url: &str, at: u32, names: &[String]) -> Reply {
    let observations: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let every = if name.contains("north") { 4 } else { 11 };
            let count = u32::from((at as usize + i) % every == 0);
            let occupancy = if count > 0 { 0.5 } else { 0.0 };
            json!({ "detector": name, "begin": instant(at), "length_s": 1.0, "count": count, "occupancy": occupancy })
        })
        .collect();
    let body = json!({ "observations": observations }).to_string();
    post(&format!("{url}/v1/observations"), "application/json", &[], body.as_bytes())
}

fn detector_names(url: &str) -> Vec<String> {
    let list = get(&format!("{url}/v1/detectors"), &[]).json();
    list["detectors"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap().to_owned()).collect()
}

fn controller(url: &str) -> String {
    let list = get(&format!("{url}/v1/controllers"), &[]).json();
    format!("{url}/v1/controllers/{}", list["controllers"][0]["name"].as_str().unwrap())
}

/// Every distinct timing body that a run of `seconds` shows.
fn timings(data: &Path, seconds: u32) -> Vec<String> {
    let service = serve(data, &crossroads(), None);
    let names = detector_names(&service.url);
    let mut seen = Vec::new();
    let mut etag = String::new();
    for s in 0..seconds {
        assert_eq!(second(&service.url, 25_200 + s, &names).status, 200);
        let timing = get(&format!("{}/timing", controller(&service.url)), &[("if-none-match", &etag)]);
        match timing.status {
            200 => {
                etag = timing.etag.clone().unwrap();
                seen.push(timing.body);
            }
            status => assert_eq!((status, timing.body.as_str()), (304, "")),
        }
    }
    seen
}

#[test]
fn the_same_hour_gives_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = timings(a.path(), 600);
    assert!(first.len() >= 3, "only {} timings in ten minutes", first.len());
    assert!(first == timings(b.path(), 600), "two runs of the same observations differ");
    let revisions: Vec<u64> =
        first.iter().map(|t| serde_json::from_str::<Value>(t).unwrap()["revision"].as_u64().unwrap()).collect();
    assert!(revisions.windows(2).all(|w| w[0] < w[1]), "{revisions:?}");
}

#[test]
fn killed_at_any_moment_it_goes_on_with_what_was_seen() {
    let data = tempfile::tempdir().unwrap();
    let mut seen: Option<(u64, String)> = None;
    let mut at = 25_200;
    for round in 0..20 {
        let service = serve(data.path(), &crossroads(), None);
        let url = controller(&service.url);
        if let Some((revision, body)) = &seen {
            let now = get(&format!("{url}/timing"), &[]);
            assert_eq!(now.status, 200, "round {round}: {}", now.body);
            let shown = now.json()["revision"].as_u64().unwrap();
            assert!(shown >= *revision, "round {round}: revision {shown} after {revision}");
            assert!(shown > *revision || now.body == *body, "round {round}: revision {shown} has other bytes");
        }
        let names = detector_names(&service.url);
        for _ in 0..30 + 7 * (round % 5) {
            second(&service.url, at, &names);
            at += 1;
            let timing = get(&format!("{url}/timing"), &[]);
            seen = Some((timing.json()["revision"].as_u64().unwrap(), timing.body));
        }
        // Dropping it is SIGKILL: no word of goodbye.
    }
    assert!(seen.unwrap().0 >= 2);
}

#[test]
fn items_are_refused_one_by_one_and_the_rest_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let service = serve(data.path(), &crossroads(), None);
    let url = format!("{}/v1/observations", service.url);
    let names = detector_names(&service.url);
    let good =
        |s: u32| json!({ "detector": names[0], "begin": instant(s), "length_s": 1, "count": 1, "occupancy": 0.2 });
    let mut far = good(25_200);
    far["begin"] = json!("2031-01-01T00:00:00Z");
    let mut impossible = good(25_201);
    impossible["occupancy"] = json!(1.5);
    let batch = json!({ "observations": [good(25_200), {"detector": "nobody", "begin": instant(25_200), "length_s": 1,
        "count": 0, "occupancy": 0}, impossible, far, {"count": 3}, good(25_202), good(25_202)] });
    let receipt = post(&url, "application/json", &[("idempotency-key", "k")], batch.to_string().as_bytes());
    assert_eq!(receipt.status, 200, "{}", receipt.body);
    let told = receipt.json();
    assert_eq!((told["accepted"].as_u64(), told["duplicate"].as_u64()), (Some(2), Some(1)), "{told}");
    let codes: Vec<&str> = told["refused"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["unknown_detector", "impossible_value", "clock_far_off", "malformed"]);
    // The same key and body: the same answer, and nothing is counted twice. Another body: refused.
    let again = post(&url, "application/json", &[("idempotency-key", "k")], batch.to_string().as_bytes());
    assert_eq!(again.body, receipt.body);
    assert_eq!(post(&url, "application/json", &[("idempotency-key", "k")], b"{\"observations\":[]}").status, 422);
    let lines = format!("{}\nnot json\n\n{}\n", good(25_203), good(25_204));
    let told = post(&url, "application/x-ndjson", &[], lines.as_bytes()).json();
    assert_eq!((told["accepted"].as_u64(), told["refused_total"].as_u64()), (Some(2), Some(1)), "{told}");
}

#[test]
fn garbage_is_a_problem_and_nothing_is_lost() {
    let data = tempfile::tempdir().unwrap();
    let service = serve(data.path(), &crossroads(), None);
    let url = &service.url;
    let names = detector_names(url);
    second(url, 25_200, &names);
    let before = get(&format!("{}/timing", controller(url)), &[]).body;
    let json = "application/json";
    let replies = [
        (post(&format!("{url}/v1/observations"), json, &[], b"{\"observations\": 3}"), 400),
        (post(&format!("{url}/v1/observations"), json, &[], b"\xff\xfe\x00"), 400),
        (post(&format!("{url}/v1/observations"), "text/plain", &[], b"x"), 415),
        (post(&format!("{url}/v1/observations"), json, &[], &vec![b' '; 9 << 20]), 413),
        (post(&format!("{}/ack", controller(url)), json, &[], b"{}"), 400),
        (get(&format!("{url}/v1/controllers/no%20such/timing"), &[]), 404),
        (get(&format!("{}/timing?wait=soon", controller(url)), &[]), 400),
        (get(&format!("{}/history?limit=0", controller(url)), &[]), 400),
        (get(&format!("{url}/v2/nothing"), &[]), 404),
        (get(&format!("{url}/v1/controllers/%ff%fe/timing"), &[]), 400),
        (post(&format!("{url}/livez"), json, &[], b""), 405),
    ];
    for (i, (r, status)) in replies.iter().enumerate() {
        assert_eq!(r.status, *status, "reply {i}: {}", r.body);
        assert_eq!(r.kind, "application/problem+json", "reply {i}: {}", r.body);
        assert_eq!(r.json()["status"].as_u64(), Some(u64::from(*status)));
    }
    assert_eq!(get(&format!("{}/timing", controller(url)), &[]).body, before);
}

#[test]
fn acknowledgements_show_requested_beside_running() {
    let data = tempfile::tempdir().unwrap();
    let service = serve(data.path(), &crossroads(), None);
    let url = &service.url;
    let names = detector_names(url);
    second(url, 25_200, &names);
    let timing = get(&format!("{}/timing", controller(url)), &[]).json();
    let ack = |state: &str, hash: &Value| {
        let body = json!({ "revision": timing["revision"], "hash": hash, "state": state, "at": instant(25_201) });
        post(&format!("{}/ack", controller(url)), "application/json", &[], body.to_string().as_bytes()).status
    };
    assert_eq!(ack("active", &json!("another")), 409);
    assert_eq!(ack("active", &timing["hash"]), 204);
    let entry = get(&format!("{url}/v1/controllers"), &[]).json()["controllers"][0].clone();
    assert_eq!((&entry["running_revision"], &entry["mismatch"]), (&timing["revision"], &json!(false)));
    assert_eq!(ack("rejected", &timing["hash"]), 204);
    let entry = get(&format!("{url}/v1/controllers"), &[]).json()["controllers"][0].clone();
    assert_eq!(entry["mismatch"], json!(true), "{entry}");
}

#[test]
fn without_time_to_solve_plans_stay_valid() {
    let data = tempfile::tempdir().unwrap();
    let service = serve(data.path(), &crossroads(), Some("solve_deadline_ms = 0\n"));
    let names = detector_names(&service.url);
    for s in 0..300 {
        assert_eq!(second(&service.url, 25_200 + s, &names).status, 200);
    }
    let state = get(&format!("{}/v1/network/state", service.url), &[]).json();
    assert_eq!(state["decisions"][0]["method"], "max_pressure", "{}", state["decisions"]);
    assert_eq!(get(&format!("{}/timing", controller(&service.url)), &[]).status, 200);
    let metrics = get(&format!("{}/metrics", service.url), &[]).body;
    assert!(metrics.contains("greenkerb_proposals_refused_total 0"), "{metrics}");
}

#[test]
fn a_network_file_that_changes_is_told_and_not_taken_up() {
    let data = tempfile::tempdir().unwrap();
    let network = data.path().join("city.net.xml");
    std::fs::copy(crossroads(), &network).unwrap();
    let service = serve(data.path(), &network, Some("network_check_s = 0.1\n"));
    let names = detector_names(&service.url);
    second(&service.url, 25_200, &names);
    let ready = get(&format!("{}/readyz", service.url), &[]);
    assert_eq!(ready.status, 200, "{}", ready.body);
    std::fs::write(&network, "<net/>").unwrap();
    let told = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        get(&format!("{}/readyz", service.url), &[]).body.contains("network_file_changed")
    });
    assert!(told);
    assert_eq!(get(&format!("{}/timing", controller(&service.url)), &[]).status, 200);
}

#[test]
fn readiness_says_what_is_missing() {
    let data = tempfile::tempdir().unwrap();
    let service = serve(data.path(), &crossroads(), Some("[optimizer]\nfeed_timeout = 1\n"));
    assert_eq!(get(&format!("{}/livez", service.url), &[]).status, 200);
    let ready = get(&format!("{}/readyz", service.url), &[]);
    assert_eq!((ready.status, ready.kind.as_str()), (503, "application/problem+json"), "{}", ready.body);
    let names = detector_names(&service.url);
    second(&service.url, 25_200, &names);
    // The feed stops: a tenth of a second is too long here.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(get(&format!("{}/readyz", service.url), &[]).body.contains("feed_stale"));
}

#[test]
fn the_committed_description_is_the_one_served() {
    let data = tempfile::tempdir().unwrap();
    let service = serve(data.path(), &crossroads(), None);
    let served = get(&format!("{}/openapi.json", service.url), &[]).body;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("GREENKERB_WRITE_OPENAPI").is_some() {
        std::fs::write(&file, &served).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap();
    assert!(committed == served, "write it anew with GREENKERB_WRITE_OPENAPI=1 and look at the difference");
}
