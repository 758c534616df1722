//! The validator, rule by rule: one file and one property a rule, a brute-force oracle beside it, and mutations of valid
//! plans that must never pass.

mod oracle;
mod sample;

mod plans;
mod shipped;
