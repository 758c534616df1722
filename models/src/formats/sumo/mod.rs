//! What the readers of SUMO's XML files share: elements with their line numbers, and what can be wrong with them.

mod fault;
pub(in crate::formats) mod xml;

pub use fault::Flaw;
use fault::short;
pub(in crate::formats) use fault::{Fault, FaultKind, Place};
