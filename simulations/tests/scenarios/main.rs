//! Scenarios: what is drafted is whole, safe, and can be served.

mod bundled;
mod drafting;
mod drawings;
