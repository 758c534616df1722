//! The pure core of Greenkerb's decisions: what is heard ([`intake`]), what is known ([`estimation`]), what to do
//! ([`signals`], [`schedule`]), what is safe ([`safety`]).
//!
//! No sockets, no clock, no unseeded randomness: everything is driven by the timestamps of the data, so the same input
//! gives the same bytes on the street, in a simulation and in a replay. Wall time enters only as a [`signals::Budget`]
//! that says when to stop improving.

pub mod estimation;
pub mod intake;
pub mod safety;
pub mod schedule;
pub mod signals;
mod solver;
