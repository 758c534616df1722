//! Rule 13: what is published has no place for preemption, monitor, intergreen or start-up objects. A field that were
//! added would show up here.

use std::collections::BTreeSet;

use greenkerb_models::ids::StageId;
use greenkerb_models::signal::{Schedule, ScheduledStage};
use greenkerb_models::units::TimeDs;
use proptest::prelude::*;
use serde_json::Value;

use crate::sample::any_sample;

fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.insert(key.clone());
                keys(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|v| keys(v, found)),
        _ => {}
    }
}

const TIMES_AND_SPLITS_ONLY: [&str; 29] = [
    "computed_at",
    "configuration_checksum",
    "controller",
    "cycle",
    "end",
    "fallback",
    "frozen_until",
    "green",
    "greens",
    "kind",
    "length",
    "offset",
    "plan",
    "protection",
    "reasons",
    "reference",
    "reference_position",
    "revision",
    "ring_barrier",
    "schedule",
    "splits",
    "stage",
    "stages",
    "start",
    "text",
    "valid_from",
    "valid_until",
    "value",
    "view",
];

proptest! {
    #[test]
    fn a_publication_holds_times_and_splits_and_nothing_else(sample in any_sample()) {
        let mut published = sample.published(TimeDs(0));
        let stage = ScheduledStage { stage: StageId(0), start: TimeDs(0), end: TimeDs(100) };
        published.schedule = Some(Schedule { stages: vec![stage], frozen_until: TimeDs(20) });
        let written = serde_json::to_value(published).unwrap();
        let mut found = BTreeSet::new();
        keys(&written, &mut found);
        let unknown: Vec<&String> = found.iter().filter(|k| !TIMES_AND_SPLITS_ONLY.contains(&k.as_str())).collect();
        prop_assert!(unknown.is_empty(), "{:?}", unknown);
    }
}
