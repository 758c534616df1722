//! Scenarios: what is drafted is whole, safe, and can be served.

mod bundled;
mod damaged;
mod drafting;
mod drawings;
#[path = "../../../models/tests/formats/mutator.rs"]
mod mutator;
