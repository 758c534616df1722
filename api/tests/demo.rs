//! `greenkerb demo`: what `make run` shows.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::process::Command;

use serde_json::Value;
use support::demo::{Demo, on_a_taken_port};

/// Asserts that a line of progress tells of nothing that went wrong.
fn is_well(line: &str) {
    assert!(line.contains("; 0 fallbacks, 0 monitor violations"), "{line}");
    assert!(!line.contains("refused") && !line.contains("failed"), "{line}");
}

/// Newest revision of each controller.
fn revisions(controllers: &Value) -> Vec<u64> {
    controllers["controllers"].as_array().unwrap().iter().map(|c| c["revision"].as_u64().unwrap_or(0)).collect()
}

#[test]
fn ten_minutes_pass_and_every_controller_runs_our_plans() {
    let data = tempfile::tempdir().unwrap();
    let (said, status) = Demo::start(data.path(), &["--for", "600", "--pace", "max"]).end();
    assert!(status.success(), "{status}: {said:#?}");
    let last = said.last().unwrap();
    is_well(last);
    assert!(!last.contains("rejected"), "{last}");
    assert!(last.starts_with("2026-03-02T07:10:00Z  "), "{last}");
    assert!(last.contains("; 30 controllers on published plans"), "{last}");
    let vehicles: u32 = last.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(vehicles > 50, "{last}");
}

#[test]
fn what_it_says_to_ask_is_answered_and_it_ends_when_told() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path(), &["--pace", "max"]);
    demo.wait_for("/v1/controllers", |c| revisions(c).iter().all(|r| *r > 1).then_some(()));
    assert_eq!(demo.curls.len(), 3);
    for (line, holds) in demo.curls.iter().zip(["plan", "revisions", "lanes"]) {
        // As a person does: through a shell, so that quotes count.
        let output = Command::new("sh").args(["-c", line]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(!answer[holds].is_null(), "{line}: {answer}");
    }
    demo.terminate();
    let (said, status) = demo.end();
    assert!(status.success(), "{status}");
    is_well(said.last().unwrap());
}

#[test]
fn a_killed_demo_goes_on_where_it_was() {
    let data = tempfile::tempdir().unwrap();
    let first = Demo::start(data.path(), &["--pace", "max"]);
    let before = first.wait_for("/v1/controllers", |c| {
        let revisions = revisions(c);
        revisions.iter().all(|r| *r > 1).then_some(revisions)
    });
    // Dropped, which kills it.
    drop(first);

    let second = Demo::start(data.path(), &["--for", "300", "--pace", "max"]);
    let controllers = second.get("/v1/controllers").json();
    let after = revisions(&controllers);
    assert!(before.iter().zip(&after).all(|(b, a)| b <= a), "{before:?}, then {after:?}");
    let (said, status) = second.end();
    assert!(status.success(), "{status}: {said:#?}");
    let last = said.last().unwrap();
    is_well(last);
    let since = controllers["clock"].as_str().unwrap();
    assert!(last.as_str() > since && last.contains("; 30 controllers on published plans"), "{last}, began at {since}");
}

/// The street begins anew each time, nearly empty and on its own plans, beside a service that goes on where it was.
#[test]
fn a_street_that_begins_anew_is_told_plans_that_fit() {
    let data = tempfile::tempdir().unwrap();
    for run in 1..=3 {
        let (said, status) = Demo::start(data.path(), &["--for", "400", "--pace", "max"]).end();
        let last = said.last().unwrap();
        assert!(status.success(), "run {run}: {said:#?}");
        is_well(last);
        assert!(!last.contains("rejected"), "run {run}: {last}");
        assert!(last.contains("; 30 controllers on published plans"), "run {run}: {last}");
    }
}

#[test]
fn a_taken_port_is_told_with_the_way_out() {
    let said = on_a_taken_port();
    assert!(said.contains("cannot listen on 127.0.0.1:") && said.contains("--listen"), "{said}");
}
