//! Rule 13: what is published has no place for preemption, monitor, intergreen or start-up objects. A field that were
//! added would show up here.

use std::collections::BTreeSet;

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

const TIMES_AND_SPLITS_ONLY: [&str; 26] = [
    "computed_at",
    "configuration_checksum",
    "controller",
    "cycle",
    "fallback",
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
        let written = serde_json::to_value(sample.published(TimeDs(0))).unwrap();
        let mut found = BTreeSet::new();
        keys(&written, &mut found);
        let unknown: Vec<&String> = found.iter().filter(|k| !TIMES_AND_SPLITS_ONLY.contains(&k.as_str())).collect();
        prop_assert!(unknown.is_empty(), "{:?}", unknown);
    }
}
