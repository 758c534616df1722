//! Instants in attributes: seconds, or `[days:]hours:minutes:seconds`.

use crate::formats::sumo::xml::{Attributes, value};
use crate::formats::sumo::{Fault, Place};
use crate::units::TimeDs;

/// An instant in an attribute, if the element has it.
pub(super) fn instant_if(a: &Attributes, at: &Place, name: &'static str) -> Result<Option<TimeDs>, Fault> {
    let Some(text) = a.get(name) else { return Ok(None) };
    TimeDs::parse_clock(text).map(Some).ok_or_else(|| at.fault(value(name, text, "a time from 0 to 1e9 s")))
}
