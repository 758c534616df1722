//! Killed without warning, under load, again and again: what a poller has seen once is never taken back.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use greenkerb_api::store::{AuditEvent, EmbeddedStore, Store as _};
use support::{Running, SEVEN, agent, crossroads, traffic, try_get, try_post};

const KILLS: u32 = 24;

const POLLERS: usize = 3;

/// Every kept plan is published anew each cycle, so that many kills fall into a publication.
const RESTLESS: &str = "[optimizer]\nvalidity = 6000\nrenew_before = 5999\n";

/// What a poller saw: the bytes of each revision.
type Seen = BTreeMap<u64, Vec<u8>>;

fn see(seen: &mut Seen, body: Vec<u8>) -> u64 {
    let timing: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let revision = timing["revision"].as_u64().unwrap();
    let known = seen.entry(revision).or_insert_with(|| body.clone());
    assert!(*known == body, "revision {revision} was served with other bytes");
    revision
}

/// Polls until the connection breaks; revisions never fall.
fn poll(url: &str) -> Seen {
    let agent = agent();
    let mut seen = Seen::new();
    let mut newest = 0;
    while let Ok(reply) = try_get(&agent, url, &[]) {
        if reply.status == 200 {
            let revision = see(&mut seen, reply.body);
            assert!(revision >= newest, "revision {revision} after {newest}");
            newest = revision;
        }
    }
    seen
}

/// Tells traffic until the connection breaks; `at` is the first second that was not answered.
fn tell(url: &str, detectors: &[String], at: &AtomicU32) {
    let agent = agent();
    let url = format!("{url}/v1/observations");
    loop {
        let second = at.load(Ordering::Relaxed);
        match try_post(&agent, &url, "application/json", &traffic(second, detectors)) {
            Ok(reply) => assert_eq!(reply.status, 200, "{}", reply.text()),
            Err(_) => return,
        }
        at.store(second + 1, Ordering::Relaxed);
    }
}

#[test]
fn what_was_seen_survives_kills_under_load() {
    let data = tempfile::tempdir().unwrap();
    let at = AtomicU32::new(SEVEN);
    let mut seen = Seen::new();
    for round in 0..10 * KILLS {
        // On a busy machine a life of a quarter of a second may be too short to publish anything.
        if round >= KILLS && seen.len() >= 5 {
            break;
        }
        let mut service = Running::start(&crossroads(), Some(data.path()), RESTLESS);
        let detectors = service.detectors();
        let controller = service.controllers().remove(0);
        let timing = format!("{}/v1/controllers/{controller}/timing", service.url);
        if let Some((newest, _)) = seen.last_key_value().map(|(r, b)| (*r, b.clone())) {
            let reply = try_get(&agent(), &timing, &[]).unwrap();
            assert_eq!(reply.status, 200, "round {round}: {}", reply.text());
            let shown = see(&mut seen, reply.body);
            assert!(shown >= newest, "round {round}: revision {shown} after {newest}");
        }
        let url = service.url.clone();
        let (at, detectors, timing) = (&at, &detectors, &timing);
        std::thread::scope(|scope| {
            scope.spawn(|| tell(&url, detectors, at));
            let pollers: Vec<_> = (0..POLLERS).map(|_| scope.spawn(|| poll(timing))).collect();
            // Kills fall at all sorts of moments of a step; the sequence is the same in every run.
            std::thread::sleep(Duration::from_millis(u64::from(120 + round * 7919 % 263)));
            service.child.kill().unwrap();
            service.child.wait().unwrap();
            for poller in pollers {
                for (_, body) in poller.join().unwrap() {
                    see(&mut seen, body);
                }
            }
        });
    }
    assert!(seen.len() >= 5, "the load published only {} revisions", seen.len());
    audited_once(&data, &seen);
}

/// The audit holds every publication that anybody saw, once, without a gap in its numbers.
fn audited_once(data: &tempfile::TempDir, seen: &Seen) {
    let store = EmbeddedStore::open(data.path()).unwrap();
    let audit = store.audit(0, usize::MAX).unwrap();
    let sequence: Vec<u64> = audit.iter().map(|e| e.sequence).collect();
    assert!(sequence.iter().copied().eq(1..=sequence.len() as u64), "the audit has gaps: {sequence:?}");
    let mut published = BTreeMap::new();
    for entry in audit {
        match entry.event {
            AuditEvent::Published { revision, hash, .. } => {
                assert_eq!(published.insert(revision, hash), None, "revision {revision} was published twice");
            }
            AuditEvent::Dropped { revision, reason, .. } => panic!("revision {revision:?} was dropped: {reason}"),
            _ => {}
        }
    }
    for (revision, body) in seen {
        let timing: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert_eq!(published.get(revision).map(String::as_str), timing["hash"].as_str(), "revision {revision}");
    }
}
