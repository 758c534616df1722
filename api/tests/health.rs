//! Detectors that are silent, stuck or lying are named, the others are not, and what stands in for them is kept apart.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::{Running, SEVEN, crossroads, instant};

const MINUTES: u32 = 20;

/// How long a vehicle takes from the advance loop to the stop bar, seconds.
const BETWEEN_S: u32 = 8;

/// What a detector reports where vehicles come one by one, evenly.
fn healthy(second: u32, detector: &str) -> (u32, f64) {
    let shift = if detector.ends_with(".stop") { BETWEEN_S } else { 0 };
    let every = if detector.contains("north") || detector.contains("south") { 9 } else { 13 };
    if (second - shift).is_multiple_of(every) { (1, 0.4) } else { (0, 0.0) }
}

/// Numbers that have nothing to do with the road, possible one by one: the mixing step of SplitMix64.
fn lie(second: u32) -> (u32, f64) {
    let mut dice = u64::from(second).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    dice = (dice ^ (dice >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    dice = (dice ^ (dice >> 27)) % 1000;
    (u32::from(dice.is_multiple_of(3)), dice as f64 / 1000.0)
}

#[test]
fn whoever_is_silent_stuck_or_lying_is_named() {
    let service = Running::start(&crossroads(), None, "");
    let detectors = service.detectors();
    // Both loops of a lane: nothing beside them tells.
    let of = |lane: &str| detectors.iter().filter(move |d| d.starts_with(lane)).cloned().collect::<Vec<_>>();
    let mut faults: BTreeMap<String, &str> = BTreeMap::new();
    faults.extend(of("from_north_2").into_iter().map(|d| (d, "stuck_off")));
    faults.insert("from_south_2.stop".to_owned(), "missing");
    faults.insert("from_east_1.stop".to_owned(), "stuck_on");
    faults.insert("from_west_1.stop".to_owned(), "impossible_pair");
    assert!(faults.keys().all(|d| detectors.contains(d)), "{detectors:?}");
    for second in SEVEN..SEVEN + 60 * MINUTES {
        let told: Vec<Value> = detectors
            .iter()
            .filter_map(|d| {
                let (count, occupancy) = match faults.get(d).copied() {
                    None => healthy(second, d),
                    Some("missing") => return None,
                    Some("stuck_on") => (0, 1.0),
                    Some("stuck_off") => (0, 0.0),
                    Some(_) => lie(second),
                };
                Some(json!({ "detector": d, "begin": instant(second), "length_s": 1, "count": count,
                    "occupancy": occupancy }))
            })
            .collect();
        let body = json!({ "observations": told }).to_string();
        let receipt = service.post("/v1/observations", "application/json", body.as_bytes()).json();
        assert_eq!(receipt["accepted"], json!(told.len()), "{receipt}");
    }
    let state = service.get("/v1/network/state", &[]).json();
    for entry in state["detectors"].as_array().unwrap() {
        let expected = faults.get(entry["name"].as_str().unwrap()).copied().unwrap_or("healthy");
        assert_eq!(entry["health"], json!(expected), "{entry}");
        // Raw, flag and imputed value stand apart: what is not believed is replaced, not overwritten.
        assert_eq!(entry["imputed"].is_null(), expected == "healthy", "{entry}");
        if expected == "stuck_off" {
            assert_eq!(entry["raw"]["flow_vph"], json!(0.0), "{entry}");
            assert!(entry["imputed"]["flow_vph"].as_f64() > Some(50.0), "{entry}");
        }
    }
    let metrics = service.get("/metrics", &[]).text();
    assert!(metrics.contains("greenkerb_proposals_refused_total 0"), "a plan was not valid: {metrics}");
}
