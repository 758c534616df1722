//! The command line: what it prints, where, and how it ends.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use support::{Running, SEVEN, crossroads, traffic};

fn greenkerb(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_greenkerb")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn import_tells_and_writes() {
    let net = crossroads();
    let told = greenkerb(&["import", text(&net), "--summary"]);
    assert!(told.status.success(), "{}", err(&told));
    for word in ["nodes", "links", "lanes", "movements", "controllers"] {
        assert!(out(&told).contains(word), "{word}: {}", out(&told));
    }
    let json: Value = serde_json::from_str(&out(&greenkerb(&["import", text(&net), "--json"]))).unwrap();
    assert!(json.is_object());
    let folder = tempfile::tempdir().unwrap();
    let native = folder.path().join("crossroads.net.gz");
    assert!(greenkerb(&["import", text(&net), "--out", text(&native)]).status.success());
    let again = greenkerb(&["check", text(&native)]);
    assert!(again.status.success(), "{}", err(&again));
}

#[test]
fn what_cannot_be_used_is_named_and_the_end_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.net.xml");
    let whole = std::fs::read_to_string(crossroads()).unwrap();
    std::fs::write(&broken, whole.replace("to=\"centre\"", "to=\"nowhere\"")).unwrap();
    let settings = folder.path().join("wrong.toml");
    std::fs::write(&settings, "solve_dedline_ms = 3\n").unwrap();
    let net = crossroads();
    let cases: [(&[&str], &[&str]); 6] = [
        (&["import", "no/such.net.xml"], &["no/such.net.xml"]),
        (&["check", text(&broken)], &["broken.net.xml", "nowhere"]),
        (&["serve", "--listen", "127.0.0.1:0", "--network", text(&broken)], &["broken.net.xml", "nowhere"]),
        (
            &["serve", "--listen", "127.0.0.1:0", "--network", text(&net), "--settings", text(&settings)],
            &["wrong.toml", "solve_dedline_ms"],
        ),
        (&["optimize", text(&net), "--observations", "no/such.ndjson"], &["no/such.ndjson"]),
        (&["optimize", text(&net), "--observations", text(&settings)], &["wrong.toml", "line 1"]),
    ];
    for (args, words) in cases {
        let output = greenkerb(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}: {}", out(&output));
        for word in words {
            assert!(err(&output).contains(word), "{args:?}: {}", err(&output));
        }
    }
    assert_eq!(greenkerb(&["serve"]).status.code(), Some(2), "a command line that cannot be read");
}

#[test]
fn a_cause_is_said_once_and_an_address_that_is_taken_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = folder.path().join("data");
    let net = crossroads();
    let told = greenkerb(&["serve", "--listen", &address, "--network", text(&net), "--data", text(&data)]);
    assert_eq!(err(&told).matches("in use").count(), 1, "{}", err(&told));
    assert!(!data.exists());
    let told = err(&greenkerb(&["import", "nope.xml"]));
    assert_eq!((told.matches("nope.xml").count(), told.matches("No such file").count()), (1, 1), "{told}");
}

#[test]
fn a_recording_gives_what_the_service_published() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("observations.ndjson");
    let service = Running::start(&crossroads(), None, "");
    let detectors = service.detectors();
    let path = service.timing_path();
    let (mut lines, mut served, mut etag) = (String::new(), Vec::new(), String::new());
    for second in SEVEN..SEVEN + 600 {
        let batch: Value = serde_json::from_slice(&traffic(second, &detectors)).unwrap();
        for report in batch["observations"].as_array().unwrap() {
            lines += &format!("{report}\n");
        }
        service.tell(second, &detectors);
        let timing = service.get(&path, &[("if-none-match", &etag)]);
        if timing.status == 200 {
            etag.clone_from(&timing.etag);
            served.push(timing.text());
        }
    }
    assert!(served.len() >= 3, "only {} timings in ten minutes", served.len());
    lines += "no report\n";
    std::fs::write(&recording, lines).unwrap();
    let replayed = greenkerb(&["optimize", text(&crossroads()), "--observations", text(&recording)]);
    assert!(replayed.status.success(), "{}", err(&replayed));
    assert_eq!(out(&replayed).lines().collect::<Vec<_>>(), served);
    assert!(err(&replayed).contains("refused lines: 1"), "{}", err(&replayed));
}
