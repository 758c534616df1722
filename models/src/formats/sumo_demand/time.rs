//! Instants as SUMO writes them: seconds, or `[days:]hours:minutes:seconds`.

use crate::formats::sumo::xml::{Attributes, value};
use crate::formats::sumo::{Fault, Place};
use crate::units::TimeDs;

/// Latest instant a demand may name, in seconds: about thirty years of simulation.
const TIME_MAX_S: f64 = 1e9;

/// Seconds, whether written as a number or by the clock.
fn seconds(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let number = |t: &str| t.parse::<f64>().ok().filter(|v| v.is_finite());
    match parts[..] {
        [s] => number(s),
        [h, m, s] => clock(0.0, h, m, s),
        [d, h, m, s] => clock(number(d).filter(|v| *v >= 0.0)?, h, m, s),
        _ => None,
    }
}

fn clock(days: f64, h: &str, m: &str, s: &str) -> Option<f64> {
    let [h, m, s] = [h, m, s].map(|t| t.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0));
    Some(days * 86_400.0 + h? * 3_600.0 + m? * 60.0 + s?)
}

/// An instant from 0 on, rounded to the nearest decisecond.
pub(crate) fn instant(text: &str) -> Option<TimeDs> {
    let s = seconds(text).filter(|s| (0.0..=TIME_MAX_S).contains(s))?;
    Some(TimeDs((s * 10.0).round() as i64))
}

/// An instant in an attribute, if the element has it.
pub(super) fn instant_if(a: &Attributes, at: &Place, name: &'static str) -> Result<Option<TimeDs>, Fault> {
    let Some(text) = a.get(name) else { return Ok(None) };
    instant(text).map(Some).ok_or_else(|| at.fault(value(name, text, "a time from 0 to 1e9 s")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_and_seconds_are_told_apart() {
        assert_eq!(instant("25205.04"), Some(TimeDs(252_050)));
        assert_eq!(instant("7:00:05"), Some(TimeDs(252_050)));
        assert_eq!(instant("1:0:0:0.5"), Some(TimeDs(864_005)));
        for bad in ["", "-1", "nan", "inf", "1e10", "7:00", "0:-1:0", "1:2:3:4:5", "triggered"] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }
}
