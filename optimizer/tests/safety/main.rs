//! The validator, rule by rule: one file and one property a rule, a brute-force oracle beside it, and mutations of valid
//! plans that must never pass.

mod oracle;
mod sample;
mod verdict;

mod garbage;
mod metamorphic;
mod mutation;
mod plans;
mod shipped;

mod bounded_change;
mod capability;
mod configuration;
mod coordination;
mod cycle_range;
mod fallback;
mod finite;
mod group_change;
mod intergreen;
mod max_red;
mod min_split;
mod min_times;
mod offset;
mod resolution;
mod revision;
mod ring_sum;
mod safety_intervals;
mod schedule;
mod structure;
mod transition;
mod untouchable;
mod yellow_trap;
